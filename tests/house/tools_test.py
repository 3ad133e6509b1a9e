#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""That the tools of the house really refuse what they are there to refuse."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"
LICENCE = "// SPDX-License-Identifier: MIT\n"


def run(tool, *arguments):
    return subprocess.run([sys.executable, TOOLS / tool, *map(str, arguments)],
                          capture_output=True, text=True, check=False)


class Tree(unittest.TestCase):
    """Each test plants a tiny tree and hears what the tool says of it."""

    tool = ""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def plant(self, name, text, mode=0o644):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def assert_accepted(self):
        result = run(self.tool, self.root)
        self.assertEqual((result.returncode, result.stdout.strip()), (0, ""))

    def assert_refused(self, complaint):
        result = run(self.tool, self.root)
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertIn(complaint, result.stdout)


class Floors(Tree):
    tool = "check_floors.py"

    def test_accepts_a_lower_floor(self):
        self.plant("src/pool/pool.cpp", '#include <brood/base/error.hpp>\n#include "lane/lane.hpp"\n')
        self.assert_accepted()

    def test_accepts_the_own_room(self):
        self.plant("src/pool/pool.cpp", '#include <brood/pool/pool.hpp>\n#include "pool/chunk.hpp"\n')
        self.assert_accepted()

    def test_refuses_an_upper_floor(self):
        self.plant("src/lane/lane.cpp", '\n#include "pool/pool.hpp"\n')
        self.assert_refused("src/lane/lane.cpp:2: lane (floor 2) may not lean on pool (floor 4)")

    def test_refuses_a_neighbour_on_the_same_floor(self):
        self.plant("include/brood/thread/thread.hpp", "#include <brood/process/process.hpp>\n")
        self.assert_refused("thread (floor 3) may not lean on process (floor 3)")

    def test_refuses_the_door_of_an_upper_room(self):
        self.plant("include/brood/base/error.hpp", "#include <brood/pool.hpp>\n")
        self.assert_refused("base (floor 0) may not lean on pool (floor 4)")

    def test_judges_a_rooms_own_door_by_its_floor(self):
        self.plant("include/brood/thread.hpp", "#include <brood/pool/pool.hpp>\n")
        self.assert_refused("thread (floor 3) may not lean on pool (floor 4)")

    def test_refuses_the_whole_house_in_a_room(self):
        self.plant("src/pool/pool.cpp", "#include <brood/brood.hpp>\n")
        self.assert_refused("the door to the whole house is for its guests")

    def test_refuses_a_kernel_header_outside_os(self):
        self.plant("src/pool/pool.cpp", "#include <sys/wait.h>\n")
        self.assert_refused("the kernel's <sys/wait.h> belongs to os")

    def test_accepts_a_kernel_header_in_os(self):
        self.plant("src/os/pidfd.cpp", "#include <sys/wait.h>\nint a = ::fork();\n")
        self.assert_accepted()

    def test_refuses_a_kernel_header_in_a_public_one(self):
        self.plant("include/brood/pool/pool.hpp", "#include <unistd.h>\n")
        self.assert_refused("a public header names the kernel's <unistd.h>")

    def test_refuses_os_in_a_public_header(self):
        self.plant("include/brood/pool/pool.hpp", '#include "os/futex.hpp"\n')
        self.assert_refused("a public header names os")

    def test_refuses_a_public_header_of_os(self):
        self.plant("include/brood/os/futex.hpp", "\n")
        self.assert_refused("os has no public header")

    def test_refuses_a_system_call_outside_os(self):
        self.plant("src/pool/pool.cpp", "int pid = ::fork();\nlong a = syscall(1);\n")
        self.assert_refused("src/pool/pool.cpp:1: the system call fork() belongs to os")
        self.assert_refused("src/pool/pool.cpp:2: the system call syscall() belongs to os")

    def test_accepts_a_member_that_is_called_like_a_system_call(self):
        self.plant("src/pool/pool.cpp", "int a = File::open(1); int b = file.read(2); file->fork();\n")
        self.assert_accepted()

    def test_sees_no_code_in_comments_and_strings(self):
        self.plant("src/pool/pool.cpp",
                   'auto s = "::fork()"; // ::fork()\n/* ::fork(\n */ auto n = 1\'000;\nauto c = \'"\';\n')
        self.assert_accepted()

    def test_sees_the_code_after_a_digit_group(self):
        self.plant("src/pool/pool.cpp", "int n = 1'000; int pid = ::fork(); char c = 'x';\n")
        self.assert_refused("fork() belongs to os")

    def test_refuses_a_room_that_the_house_lacks(self):
        self.plant("src/cellar/wine.cpp", "\n")
        self.assert_refused("'cellar' is no room of this house")


class Words(Tree):
    tool = "check_words.py"

    def test_accepts_a_finished_file(self):
        self.plant("src/base/a.cpp", LICENCE + "int a;\n")
        self.assert_accepted()

    def test_refuses_a_mark(self):
        self.plant("docs/a.md", "\nFIX" "ME later\n")
        self.assert_refused("docs/a.md:2: 'FIX" "ME'")

    def test_refuses_tests_that_do_not_run(self):
        self.plant("tests/a_test.cpp", LICENCE + "GTEST_" "SKIP();\nTEST(a, DISABLED" "_b) {}\n")
        self.assert_refused("tests/a_test.cpp:2")
        self.assert_refused("tests/a_test.cpp:3")

    def test_refuses_the_path_of_a_machine(self):
        self.plant("docs/a.md", "see /ho" "me/someone/a\n")
        self.assert_refused("a path of one machine")

    def test_refuses_a_long_file_and_a_long_public_header(self):
        self.plant("src/base/a.cpp", LICENCE + "\n" * 400)
        self.plant("include/brood/base/a.hpp", LICENCE + "\n" * 250)
        self.assert_refused("src/base/a.cpp: 401 lines, more than 400")
        self.assert_refused("include/brood/base/a.hpp: 251 lines, more than 250")

    def test_refuses_a_file_without_licence(self):
        self.plant("src/base/a.cpp", "int a;\n")
        self.assert_refused("src/base/a.cpp: its first lines lack")

    def test_refuses_a_script_that_cannot_be_run(self):
        self.plant("run.sh", "#!/bin/sh\n# SPDX-License-Identifier: MIT\n")
        self.assert_refused("run.sh: cannot be run")

    def test_accepts_a_reasoned_exception(self):
        self.plant("src/base/a.cpp", LICENCE + "\n" * 400)
        self.plant("tools/allowed.txt", "length src/base/a.cpp -- one table\n")
        self.assert_accepted()

    def test_refuses_an_exception_that_is_no_longer_needed(self):
        self.plant("tools/allowed.txt", "length src/base/a.cpp -- one table\n")
        self.assert_refused("'length src/base/a.cpp' is no longer needed")


class CompileCase(unittest.TestCase):
    """The compiler is played by sh: what it says and how it ends is all that counts."""

    def play(self, script, *options):
        return run("compile_case.py", *options, "--", "sh", "-c", script).returncode

    def test_wants_silence_of_what_must_compile(self):
        self.assertEqual(self.play("exit 0"), 0)
        self.assertEqual(self.play("echo a warning >&2"), 1)
        self.assertEqual(self.play("exit 1"), 1)

    def test_wants_the_sentence_of_what_must_not(self):
        refusal = "echo 'error: cannot ship a reference' >&2; exit 1"
        self.assertEqual(self.play(refusal, "--expect", "cannot ship"), 0)
        self.assertEqual(self.play(refusal, "--expect", "no such words"), 1)
        self.assertEqual(self.play("exit 0", "--expect", "cannot ship"), 1)

    def test_counts_errors_where_asked(self):
        twice = "echo 'error: a' >&2; echo 'error: b' >&2; exit 1"
        self.assertEqual(self.play(twice, "--expect", "a", "--errors", "2"), 0)
        self.assertEqual(self.play(twice, "--expect", "a", "--errors", "1"), 1)


class Links(Tree):
    tool = "check_links.py"

    def test_accepts_a_page_that_is_there(self):
        self.plant("docs/b.md", "see [above](../README.md#top) and [elsewhere](https://example.org/c.md)\n")
        self.plant("README.md", "[b](docs/b.md)\n")
        self.plant("src/a.cpp", "// docs/b.md\n")
        self.assert_accepted()

    def test_refuses_one_that_is_not(self):
        self.plant("docs/b.md", "\nsee [c](c.md)\n")
        self.assert_refused("docs/b.md:2: leads to 'c.md', which is not there")

    def test_refuses_a_mention_of_one_that_is_not(self):
        self.plant("src/a.cpp", "// see docs/c.md\n")
        self.assert_refused("src/a.cpp:1: names 'docs/c.md', which is not there")


class Snippets(unittest.TestCase):
    """tests/guides/snippets.py, on a guide of our own."""

    def cut(self, guide):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "guide.md").write_text(guide)
            result = subprocess.run(
                [sys.executable, TOOLS.parent / "tests/guides/snippets.py", root, root / "out", "guide.md"],
                capture_output=True, text=True, check=False)
            self.assertEqual(result.returncode, 0 if "```\n" in guide else 1, result.stderr)
            return {path.name: path.read_text() for path in (root / "out").iterdir()}

    def test_makes_a_program_of_each_main_and_one_of_all_else(self):
        made = self.cut("```cpp\nint main() {}\n```\n\n```cpp\nint a = 1;\n```\n```sh\nno\n```\n")
        self.assertEqual(sorted(made), ["guide.1.cpp", "guide.cpp", "list.txt"])
        self.assertIn("int a = 1;", made["guide.cpp"])
        self.assertNotIn("no\n", made["guide.cpp"])

    def test_runs_what_has_an_output(self):
        made = self.cut("```cpp\nint a;\n```\n\n```text\none (...) \n```\n")
        self.assertRegex(made["list.txt"], r"run guide.md:2 guide 1 \S+/guide.1.txt\n")
        self.assertEqual(made["guide.1.txt"], "one\\ \\(.*\\)\\s*\n")
        made = self.cut("```cpp\nint a;\n```\nwords\n```text\none\n```\n")
        self.assertNotIn("run", made["list.txt"])

    def test_puts_what_is_given_before_its_block_alone(self):
        made = self.cut("<!-- given\n#include <map>\nint b;\n-->\n```cpp\nb = 1;\n```\n")["guide.cpp"]
        self.assertLess(made.index("#include <map>"), made.index("namespace block_1 {"))
        self.assertLess(made.index("int b;"), made.index("void run() {"))
        self.assertLess(made.index("void run() {"), made.index("b = 1;"))

    def test_refuses_a_block_without_an_end(self):
        self.cut("```cpp\nint a;\n")


class Output(unittest.TestCase):
    """check_output.py, with echo as the program."""

    def check(self, expected, printed):
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write(expected)
            file.flush()
            return run("check_output.py", file.name, "--", "printf", "%s", printed).returncode

    def test_wants_each_line_in_its_place(self):
        self.assertEqual(self.check("a\nb \\d+\n", "a\nb 12\n"), 0)
        self.assertEqual(self.check("a\nb\n", "b\na\n"), 1)
        self.assertEqual(self.check("a\n", "a\nb\n"), 1)

    def test_takes_a_block_in_any_order(self):
        expected = "first\n# in any order\na\nb\n# in order\nlast\n"
        self.assertEqual(self.check(expected, "first\nb\na\nlast\n"), 0)
        self.assertEqual(self.check(expected, "first\na\na\nlast\n"), 1)
        self.assertEqual(self.check(expected, "a\nfirst\nb\nlast\n"), 1)

    def test_wants_the_program_to_succeed(self):
        self.assertEqual(run("check_output.py", "/dev/null", "--", "false").returncode, 1)


if __name__ == "__main__":
    unittest.main()
