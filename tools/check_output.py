#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_output.py EXPECTED -- PROGRAM ARGUMENT...

Runs the program and compares what it prints with the file EXPECTED, of which
each line is a regular expression for one whole line. `# in any order` begins a
block whose lines may come in any order, `# in order` ends it."""

import re
import subprocess
import sys

IN_ANY_ORDER = "# in any order"
IN_ORDER = "# in order"


def blocks(lines):
    """Pairs of (any order?, expressions)."""
    block = (False, [])
    for line in lines:
        if line in (IN_ANY_ORDER, IN_ORDER):
            yield block
            block = (line == IN_ANY_ORDER, [])
        else:
            block[1].append(line)
    yield block


def pair(expressions, lines, taken=()):
    """Whether each expression can have a line of its own."""
    if not expressions:
        return True
    return any(
        pair(expressions[1:], lines, (*taken, index))
        for index, line in enumerate(lines)
        if index not in taken and re.fullmatch(expressions[0], line))


def mismatch(expected, printed):
    """The first thing that is wrong, or None."""
    for any_order, expressions in blocks(expected):
        lines, printed = printed[:len(expressions)], printed[len(expressions):]
        if any_order:
            if len(lines) < len(expressions) or not pair(expressions, lines):
                return f"these lines, in any order: {expressions}\nbut it printed: {lines}"
            continue
        for index, expression in enumerate(expressions):
            line = lines[index] if index < len(lines) else None
            if line is None or not re.fullmatch(expression, line):
                return f"the line '{expression}'\nbut it printed: {line!r}"
    return f"no more lines\nbut it printed: {printed}" if printed else None


def main(arguments):
    split = arguments.index("--")
    with open(arguments[0], encoding="utf-8") as file:
        expected = file.read().splitlines()
    run = subprocess.run(arguments[split + 1:], capture_output=True, text=True,
                         errors="replace", stdin=subprocess.DEVNULL, check=False)
    wrong = mismatch(expected, run.stdout.splitlines())
    if run.returncode == 0 and wrong is None:
        return 0
    if run.returncode != 0:
        print(f"it ended with {run.returncode}")
    if wrong:
        print(f"{arguments[0]} expects {wrong}")
    print(f"--- all it printed:\n{run.stdout}--- and as errors:\n{run.stderr}")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
