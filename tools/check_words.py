#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_words.py ROOT: fails where the tree has unfinished business, a test that
does not run, a path of somebody's machine, a file that grew too long, or lacks
its licence line. Reasoned exceptions are lines of tools/allowed.txt."""

import os
import re
import sys

import tree

# Put together from halves, so that this file does not complain about itself.
WORDS = {
    "mark": re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b"),
    "skipped": re.compile(r"\b(GTEST_" r"SKIP\b|DISABLED" r"_\w)"),
    "path": re.compile(r"(?<![\w.}])/(wo" r"rk|ro" r"ot|ho" r"me)/"),
}
SAYS = {
    "mark": "finish it, or say in the docs what is missing",
    "skipped": "a test runs, or is deleted",
    "path": "a path of one machine",
}
SOURCE = {".hpp", ".cpp", ".py", ".sh", ".cmake"}
PROGRAMS = ("run.sh", "test.sh", "bench.sh", ".ci/run")
LICENCE = "SPDX-License-Identifier: MIT"
LONGEST = 400
LONGEST_PUBLIC_HEADER = 250


def is_source(path):
    return path.suffix in SOURCE or path.name == "CMakeLists.txt"


def file_complaints(path, name, text):
    """Pairs of the rule's name and what is wrong."""
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        for rule, pattern in WORDS.items():
            if match := pattern.search(line):
                yield rule, f"{name}:{number}: '{match[0]}': {SAYS[rule]}"
    if not is_source(path):
        return
    most = LONGEST_PUBLIC_HEADER if name.startswith("include/") else LONGEST
    if len(lines) > most:
        yield "length", f"{name}: {len(lines)} lines, more than {most}"
    if not any(LICENCE in line for line in lines[:2]):
        yield "licence", f"{name}: its first lines lack '{LICENCE}'"


def allowances(root):
    """`rule path -- reason` a line; both the rule and the path are exact."""
    path = root / "tools/allowed.txt"
    lines = path.read_text().splitlines() if path.exists() else []
    for line in lines:
        if not line.strip() or line.startswith("#"):
            continue
        match = re.fullmatch(r"(\w+) (\S+) -- (\S.*)", line)
        if not match:
            sys.exit(f"tools/allowed.txt: cannot read '{line}': write `rule path -- reason`")
        yield match[1], match[2]


def complaints(root):
    allowed = set(allowances(root))
    used = set()
    for path in tree.ours(root):
        name = path.relative_to(root).as_posix()
        text = tree.text_of(path)
        if text is None:
            continue
        for rule, what in file_complaints(path, name, text):
            if (rule, name) in allowed:
                used.add((rule, name))
            else:
                yield what
    for rule, name in sorted(allowed - used):
        yield f"tools/allowed.txt: '{rule} {name}' is no longer needed"
    for name in PROGRAMS:
        if (root / name).exists() and not os.access(root / name, os.X_OK):
            yield f"{name}: cannot be run: chmod +x {name}"


def main(root):
    found = list(complaints(tree.root_of(root)))
    print(*found, sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
