#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_links.py ROOT: fails where a page leads to a file of this tree that is not
there, or any file names a page in docs/ that is not there."""

import re
import sys

import tree

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
# By ./bench.sh.
WRITTEN_LATER = {"docs/benchmarks.md", "docs/faults.md"}
# The test of the tools plants pages.
TREES_OF_ITS_OWN = "tests/house/"
PAGE = re.compile(r"(?<![\w/])docs/[\w/]+\.md\b")


def complaints(root):
    for path in tree.ours(root):
        text = tree.text_of(path)
        name = path.relative_to(root).as_posix()
        if text is None:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if path.suffix == ".md":
                for target in LINK.findall(line):
                    if "://" not in target and not (path.parent / target).exists():
                        yield f"{name}:{number}: leads to '{target}', which is not there"
            if name.startswith(TREES_OF_ITS_OWN):
                continue
            for page in PAGE.findall(line):
                if not (root / page).exists() and page not in WRITTEN_LATER:
                    yield f"{name}:{number}: names '{page}', which is not there"


def main(root):
    found = list(complaints(tree.root_of(root)))
    print(*found, sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
