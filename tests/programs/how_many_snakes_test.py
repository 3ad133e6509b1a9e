#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the program of the environment variable HOW_MANY_SNAKES on small folders,
and checks what it prints, writes and returns."""

import ctypes
import fcntl
import os
import pty
import random
import re
import signal
import struct
import subprocess
import tempfile
import termios
import threading
import unittest
import xml.etree.ElementTree
from pathlib import Path

PROGRAM = os.environ["HOW_MANY_SNAKES"]
ODD_NAMES = ["two words", "new\nline", "back\\slash", "carriage\rreturn\r", "quo'te\"s", " ",
             "-dash", "*", "\u00fcml\u00e4ut", b"not \xff utf-8", "x" * 200]


def run(*arguments, **options):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, check=False,
                          errors="surrogateescape", stdin=subprocess.DEVNULL, **options)


def fill(folder):
    """Files of many sizes, and what is no file. The number of files."""
    dice = random.Random(1)
    inner = folder / "inner" / "most"
    inner.mkdir(parents=True)
    for size in (1, 100, 4096, 65536, 262144, 262145, 600000):
        (inner / f"random{size}").write_bytes(dice.randbytes(size))
        (inner / f"zeros{size}").write_bytes(bytes(size))
    (folder / "empty").touch()
    for name in ODD_NAMES:
        Path(os.fsdecode(os.fsencode(folder) + b"/" + os.fsencode(name))).write_bytes(
            dice.randbytes(1000))
    (folder / "link to a file").symlink_to(inner / "random1")
    (folder / "link to above").symlink_to("..")
    (folder / "link to nothing").symlink_to("nothing")
    os.mkfifo(folder / "pipe")
    return 14 + 1 + len(ODD_NAMES)


class OnAFolder(unittest.TestCase):
    """With a folder of files, and one for what the program writes."""

    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.out = Path(place.name) / "out"
        self.folder = Path(place.name) / "files"
        self.out.mkdir()
        self.count = fill(self.folder)

    def run_here(self, *arguments, **options):
        return run(str(self.folder), *arguments, cwd=self.out, **options)

    def assert_good(self, result):
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)


def rows(text):
    return [(kind, int(workers)) for kind, workers in re.findall(
        r"^(serial|threads|processes) +(\d+) +[\d.]+ s +[\d.]+ +\d+ % +[\d.]+$", text, re.M)]


class Measures(OnAFolder):
    def test_prints_a_row_for_each_kind_and_number_of_workers_and_the_answer(self):
        result = self.run_here("--workers", "3")
        self.assert_good(result)
        self.assertRegex(result.stdout, r"context +workers +wall time +speedup +efficiency +MB/s\n")
        self.assertEqual(rows(result.stdout),
                         [("serial", 1)] + [("threads", n) for n in (1, 2, 3)] +
                         [("processes", n) for n in (1, 2, 3)])
        self.assertIn("All results equal the serial ones.", result.stdout)
        self.assertRegex(result.stdout, r"You need (no processes: )?\d+ process(es)?\b.* [\d.]+ times")
        self.assertRegex(result.stdout, r"\nor (no threads: )?\d+ threads?\b.* [\d.]+ times")
        self.assertRegex(result.stdout, r"Why: this program may use \d+ CPUs? \(\d+ online, ")

    def test_takes_one_kind_of_workers_alone(self):
        for context, kind, other in (("thread", "threads", "processes"),
                                     ("process", "processes", "threads")):
            result = self.run_here("--workers", "1", "--context", context, "--svg", "")
            self.assert_good(result)
            self.assertEqual(rows(result.stdout), [("serial", 1), (kind, 1)])
            self.assertNotIn(other, result.stdout)

    def test_counts_the_fastest_of_several_runs_as_one_row(self):
        result = self.run_here("--workers", "1", "--repeat", "2", "--context", "process")
        self.assert_good(result)
        self.assertEqual(rows(result.stdout), [("serial", 1), ("processes", 1)])

    def test_draws_a_plot_with_a_curve_for_each_kind(self):
        self.assert_good(self.run_here("--workers", "2", "--svg", "a plot.svg"))
        root = xml.etree.ElementTree.parse(self.out / "a plot.svg").getroot()
        space = "{http://www.w3.org/2000/svg}"
        curves = [line.get("points").split() for line in root.iter(space + "polyline")]
        self.assertEqual([len(points) for points in curves], [2, 2])
        texts = {text.text for text in root.iter(space + "text")}
        self.assertLessEqual({"workers", "speedup over the serial run", "ideal", "threads",
                              "processes", "1", "2"}, texts)

    def test_writes_digests_that_sha256sum_confirms(self):
        self.assert_good(self.run_here("--workers", "1", "--digests", "sums"))
        check = subprocess.run(["sha256sum", "-c", "sums"], cwd=self.out, capture_output=True,
                               check=False)
        self.assertEqual(check.returncode, 0, check.stdout + check.stderr)
        self.assertEqual(check.stdout.count(b": OK\n"), self.count)
        self.assertEqual((self.out / "sums").read_bytes().count(b"\n"), self.count)


def without_root_rights():
    """Root reads every file, unless it loses CAP_DAC_OVERRIDE and _READ_SEARCH."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    for capability in (1, 2):
        prctl(24, capability, 0, 0, 0)


class Walks(OnAFolder):
    def test_takes_regular_files_and_follows_no_link(self):
        result = self.run_here("--workers", "1", "--context", "thread")
        self.assert_good(result)
        self.assertRegex(result.stdout, rf"^{self.count} files, ")
        self.assertNotIn("Left out", result.stdout)

    def test_takes_the_same_sample_each_time(self):
        sums = []
        for name in ("one", "two"):
            result = self.run_here("--limit", "400kB", "--workers", "1", "--digests", name)
            self.assert_good(result)
            self.assertIn(f"a sample of the {self.count} files", result.stdout)
            sums.append((self.out / name).read_bytes())
        self.assertEqual(sums[0], sums[1])
        self.assertGreater(len(sums[0].splitlines()), 5)

    def test_takes_no_more_files_than_it_may(self):
        result = self.run_here("--files", "4", "--workers", "1", "--digests", "sums")
        self.assert_good(result)
        self.assertEqual(len((self.out / "sums").read_bytes().splitlines()), 4)

    def test_leaves_out_what_it_may_not_read_and_counts_it(self):
        for name in ("secret", "secret folder"):
            path = self.folder / name
            path.mkdir() if "folder" in name else path.write_text(name)
            path.chmod(0)
            self.addCleanup(path.chmod, 0o700)
        result = self.run_here("--workers", "1", "--digests", "sums",
                               preexec_fn=without_root_rights)
        self.assert_good(result)
        self.assertRegex(result.stdout, rf"^{self.count} files, ")
        self.assertIn("Left out: 2 files or folders", result.stdout)
        self.assertNotIn(b"secret", (self.out / "sums").read_bytes())

    def test_takes_a_folder_that_is_named_through_a_link(self):
        (self.out / "link").symlink_to(self.folder)
        result = run("link", "--workers", "1", cwd=self.out)
        self.assert_good(result)
        self.assertRegex(result.stdout, rf"^{self.count} files, .* below 'link'")

    def test_names_each_file_that_has_another_size_than_it_was_listed_with(self):
        place = "/proc/sys/kernel/random"  # files of no size that have content
        result = run(place, "--workers", "1", cwd=self.out)
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertIn(f"cannot read file '{place}/boot_id': it had 0 bytes and now has more",
                      result.stderr)


    def test_takes_no_file_that_is_larger_than_the_sample_may_be(self):
        huge = self.out / "huge"
        huge.mkdir()
        with open(huge / "file", "wb") as file:
            file.truncate(1 << 40)
        result = run("huge", "--workers", "1", cwd=self.out)
        self.assertEqual(result.returncode, 2, result.stdout)
        self.assertIn("cannot take a sample: each of the 1 file below 'huge' has more than 200.0 MB;"
                      " raise --limit", result.stderr)

    def test_names_a_file_that_changes_meanwhile_and_every_other_result_stands(self):
        stop = threading.Event()

        def write():
            with open(self.folder / "counter", "wb", buffering=0) as file:
                number = 0
                while not stop.is_set():
                    number += 1
                    os.pwrite(file.fileno(), number.to_bytes(8, "little"), 0)

        (self.folder / "counter").write_bytes(bytes(8))
        writer = threading.Thread(target=write)
        writer.start()
        self.addCleanup(writer.join)
        self.addCleanup(stop.set)
        result = self.run_here("--workers", "2")
        while result.returncode == 0:  # nobody wrote while it ran, on so busy a machine
            result = self.run_here("--workers", "2")
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertRegex(result.stderr, "^how_many_snakes: '.*/counter': it changed meanwhile, so its "
                                        "results say nothing\n$")
        self.assertIn("All other results equal the serial ones.\n\nYou need ", result.stdout)


class Ends(OnAFolder):
    """However it ends, nothing of it is left, and what went wrong is said."""

    def test_with_a_complaint_when_nobody_can_read_the_report(self):
        says = "cannot write the report: standard output is closed, or full"
        with open("/dev/full", "w", encoding="utf-8") as full:
            result = subprocess.run([PROGRAM, str(self.folder)], cwd=self.out, stdout=full,
                                    stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual((result.returncode, says in result.stderr), (2, True), result.stderr)
        result = run(str(self.folder), cwd=self.out, preexec_fn=lambda: os.close(1))
        self.assertEqual((result.returncode, says in result.stderr), (2, True), result.stderr)

    def survivors_of(self, end):
        """Starts it in a session, lets `end` end it in the middle, and waits until
        nobody is left who could write to its stderr."""
        program = subprocess.Popen([PROGRAM, str(self.folder), "--context", "process", "--repeat",
                                    "1000", "--workers", "3"], cwd=self.out, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   stdin=subprocess.DEVNULL, start_new_session=True)
        while not program.stdout.readline().startswith("serial"):
            self.assertIsNone(program.poll())
        end(program)
        said = program.stderr.read()  # to its end: the last writer is gone
        program.stdout.close()
        program.stderr.close()
        return program.wait(), said

    def test_by_ctrl_c_and_is_silent(self):
        self.assertEqual(self.survivors_of(lambda program: os.killpg(program.pid, signal.SIGINT)),
                         (-signal.SIGINT, ""))

    def test_by_sigkill_and_leaves_nobody(self):
        self.assertEqual(self.survivors_of(subprocess.Popen.kill), (-signal.SIGKILL, ""))


class ShowsProgress(OnAFolder):
    def seen_on_a_terminal(self, *arguments, columns=80):
        """What goes to stderr when that is a terminal."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
        seen = []

        def look():
            try:
                while piece := os.read(master, 65536):
                    seen.append(piece)
            except OSError:  # the last one has closed the other side
                pass

        watcher = threading.Thread(target=look)
        watcher.start()
        result = subprocess.run([PROGRAM, str(self.folder), *arguments], cwd=self.out,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=slave,
                                check=False)
        os.close(slave)
        watcher.join()
        os.close(master)
        self.assertEqual(result.returncode, 0, result.stdout)
        return b"".join(seen).decode(), result.stdout.decode(errors="replace")

    def test_by_a_bar_on_a_terminal_for_each_run(self):
        seen, printed = self.seen_on_a_terminal("--workers", "2")
        for caption in ("serial", "threads, 1 worker", "threads, 2 workers", "processes, 1 worker",
                        "processes, 2 workers"):
            self.assertIn(caption + "\r\n", seen)
        self.assertEqual(len(re.findall(r"\[#+\] +100 %[^\n]*\n", seen)), 5)
        self.assertNotIn("\x1b", printed)
        self.assertNotIn("###", printed)

    def test_by_a_bar_that_fits_a_narrow_terminal(self):
        for columns in (30, 12):
            seen, _ = self.seen_on_a_terminal("--workers", "1", "--context", "thread",
                                              columns=columns)
            for line in re.split(r"[\r\n]+", re.sub(r"\x1b\[\d*[A-Z]", "", seen)):
                self.assertLess(len(line), max(columns, 25), line)

    def test_by_nothing_where_nobody_watches(self):
        result = self.run_here("--workers", "2")
        self.assert_good(result)
        self.assertEqual(result.stderr, "")
        self.assertNotIn("###", result.stdout)


class Survives(OnAFolder):
    def hostile_run(self, *arguments):
        result = self.run_here("--hostile", "--workers", "2", *arguments)
        self.assert_good(result)
        return dict(re.findall(r"^'(.*)'\n  ([a-z ]+: .*)$", result.stdout, re.M)), result.stdout

    def test_names_each_hostile_file_with_its_cause_and_every_other_result_stands(self):
        causes, printed = self.hostile_run()
        self.assertEqual(len(causes), 3, printed)
        for path in causes:
            self.assertTrue(path.startswith(str(self.folder)), path)
        told = "\n".join(causes.values())
        self.assertRegex(told, r"segfault: WorkerCrashed: .*signal 11")
        self.assertRegex(told, r"endless loop: TaskTimeout: ")
        self.assertRegex(told, r"memory bomb: (std::bad_alloc|MemoryLimitExceeded): ")
        others = self.count - 3
        self.assertIn("3 hostile files, 3 named with the cause; "
                      f"{others} of {others} other results stand", printed)

    def test_chooses_the_same_files_each_time(self):
        self.assertEqual(sorted(self.hostile_run()[0]), sorted(self.hostile_run()[0]))

    def test_needs_enough_files(self):
        result = self.run_here("--hostile", "--files", "2")
        self.assertEqual(result.returncode, 2)
        self.assertIn("cannot make 3 of 2 files hostile", result.stderr)


class Refuses(OnAFolder):
    def assert_refused(self, says, *arguments):
        with self.subTest(arguments=arguments):
            result = run(*map(str, arguments), cwd=self.out)
            self.assertEqual(result.returncode, 2, result.stdout + result.stderr)
            self.assertIn(says, result.stderr)
            self.assertTrue(result.stderr.startswith("how_many_snakes: "), result.stderr)
            self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
            self.assertEqual(list(self.out.iterdir()), [])

    def test_a_folder_that_is_none(self):
        missing = self.folder / "missing"
        self.assert_refused(f"cannot read folder '{missing}': No such file or directory; name",
                            missing)
        self.assert_refused("it is no folder; name a folder with files in it",
                            self.folder / "empty")

    def test_a_folder_without_files(self):
        (self.folder / "bare").mkdir()
        self.assert_refused("that can be read; name another folder", self.folder / "bare")

    def test_numbers_that_make_no_sense(self):
        for number in ("0", "-3", "two", "1.5", "99999999999999999999"):
            self.assert_refused(f"--workers: cannot take '{number}': give a number from 1",
                                self.folder, "--workers", number)
        self.assert_refused("--repeat: cannot take '0'", self.folder, "--repeat", "0")
        self.assert_refused("--files: cannot take '0'", self.folder, "--files", "0")
        for size in ("0", "-1", "many", "3Q", ""):
            self.assert_refused(f"--limit: cannot take '{size}': give a size as 50000, 200MB",
                                self.folder, "--limit", size)

    def test_words_that_it_does_not_know(self):
        self.assert_refused("--context: cannot take 'mpi': give process, thread or both",
                            self.folder, "--context", "mpi")
        self.assert_refused("--help lists the options", self.folder, "--no-such-option")
        self.assert_refused("--help lists the options", self.folder, "another")

    def test_hostile_files_on_threads(self):
        self.assert_refused("cannot survive hostile files on threads",
                            self.folder, "--hostile", "--context", "thread")

    def test_places_that_it_cannot_write_to_before_it_begins(self):
        self.assert_refused("name another with --svg", self.folder, "--svg", "/missing/plot.svg")
        self.assert_refused("name another with --digests", self.folder, "--digests", self.folder)

    def test_nothing_when_asked_for_help(self):
        result = run("--help")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        for option in ("--hostile", "--workers", "--context", "--repeat", "--limit", "--svg",
                       "--digests"):
            self.assertIn(option, result.stdout)


if __name__ == "__main__":
    unittest.main()
