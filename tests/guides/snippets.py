#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""snippets.py ROOT OUT FILE.md...: makes programs of the C++ in the guides.

Each ```cpp block of a guide is compiled as it stands:
- one with a main is a program of its own, with nothing added;
- any other is the inside of a function, after `#include <brood/brood.hpp>`, the
  usual standard headers and `using namespace std::chrono_literals`.
A comment `<!-- given` .. `-->` just before a block holds what a reader may take
for granted there (a function that the block calls). Where a ```text block follows,
the block is run, and prints just that; `...` there stands for anything, and blanks
at the end of a line count for nothing.

Writes OUT/*.cpp and OUT/list.txt, whose lines are
    program <name> <source>
    run <name> <program> <number> <file with the expected output>
and which CMakeLists.txt reads."""

import pathlib
import re
import sys

USUAL = ("csignal", "cstdlib", "filesystem", "iostream", "ranges", "stdexcept", "string", "vector",
         "brood/brood.hpp")
FENCE = re.compile(r"^```(\w*)\s*$")


class Block:
    """A fenced block: its language, its lines and where in the file they begin."""

    def __init__(self, language, line):
        self.language = language
        self.line = line
        self.lines = []
        self.given = None  # (first line's number, lines)
        self.prints = None


def blocks_of(text):
    """All fenced blocks, each with the `given` comment and the output beside it."""
    found = []
    given = None
    inside = None
    comment = None
    for number, line in enumerate(text.splitlines(), 1):
        fence = FENCE.match(line)
        if inside is not None:
            if line.startswith("```"):
                inside = None
            else:
                inside.lines.append(line)
        elif comment is not None:
            if line.strip() == "-->":
                given, comment = comment, None
            else:
                comment[1].append(line)
        elif fence:
            inside = Block(fence[1], number + 1)
            if fence[1] == "cpp":
                inside.given, given = given, None
            elif fence[1] == "text" and found and found[-1].language == "cpp":
                found[-1].prints = inside.lines
            found.append(inside)
        elif line.strip() == "<!-- given":
            comment = (number + 1, [])
        elif line.strip():
            # Words between them: what follows belongs to nothing before.
            given = None
            found.append(Block("", number))
    if inside is not None or comment is not None:
        raise SystemExit("cannot read a guide: a block or comment has no end")
    return [block for block in found if block.language == "cpp"]


def placed(source, first, lines):
    """Lines that a compiler's complaint names by the guide's own number."""
    return [f'#line {first} "{source}"', *lines]


def split_includes(lines):
    """Includes, and the rest, with empty lines in their place."""
    is_include = [line.startswith("#include") for line in lines]
    return ([line for line, yes in zip(lines, is_include) if yes],
            ["" if yes else line for line, yes in zip(lines, is_include)])


def is_program(block):
    return any(re.match(r"int main\(", line) for line in block.lines)


def together(source, blocks):
    """One program of all blocks that are none; its argument says which is run."""
    includes, bodies, cases = set(), [], []
    for number, block in blocks:
        bodies.append(f"namespace block_{number} {{")
        if block.given:
            above, given = split_includes(block.given[1])
            includes.update(above)
            bodies += placed(source, block.given[0], given)
        above, code = split_includes(block.lines)
        includes.update(above)
        bodies += ["void run();", "void run() {", *placed(source, block.line, code), "}", "}"]
        cases.append(f"    case {number}: block_{number}::run(); break;")
    return "\n".join([*(f"#include <{name}>" for name in USUAL), *sorted(includes), "using namespace std::chrono_literals;", *bodies,
                      "int main(int argc, char** argv) {", "  brood::init(argc, argv);",
                      "  switch (argc > 1 ? std::atoi(argv[1]) : 0) {", *cases,
                      "    default: break;", "  }", "}", ""])


def write_guide(root, out, path):
    """The files of one guide; yields the lines of the list."""
    name = path.stem.lower()
    source = path.relative_to(root).as_posix()
    rest = []
    for number, block in enumerate(blocks_of(path.read_text(encoding="utf-8")), 1):
        program = name
        if is_program(block):
            program = f"{name}.{number}"
            (out / f"{program}.cpp").write_text(
                "\n".join([*placed(path.as_posix(), block.line, block.lines), ""]), encoding="utf-8")
            yield f"program {program} {out}/{program}.cpp"
        else:
            rest.append((number, block))
        if block.prints is not None:
            expected = out / f"{name}.{number}.txt"
            expected.write_text("".join(
                re.escape(line.rstrip()).replace(r"\.\.\.", ".*") + r"\s*" + "\n" for line in block.prints),
                encoding="utf-8")
            yield f"run {source}:{block.line} {program} {number} {expected}"
    if rest:
        (out / f"{name}.cpp").write_text(together(path.as_posix(), rest), encoding="utf-8")
        yield f"program {name} {out}/{name}.cpp"


def main(root, out, *guides):
    root, out = pathlib.Path(root), pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    lines = [line for guide in guides for line in write_guide(root, out, root / guide)]
    # Programs first, as tests are added to what exists.
    (out / "list.txt").write_text("\n".join(sorted(lines)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
