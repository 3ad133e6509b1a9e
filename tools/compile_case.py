#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles one file, and checks what the compiler says about it.

compile_case.py [--expect REGEX [--errors N]] -- COMPILER ARGUMENT...

Without --expect the file must compile in silence. With it, it must be refused,
and the message must match."""

import argparse
import re
import subprocess
import sys


def verdict(status, said, expect, errors):
    """What is wrong, or None."""
    if expect is None:
        if status != 0:
            return "should compile, but does not"
        return "compiles, but not in silence" if said.strip() else None
    if status == 0:
        return "should be refused, but compiles"
    if not re.search(expect, said):
        return f"is refused, but not with a message that matches '{expect}'"
    count = len(re.findall(r"\berror: ", said))
    if errors is not None and count != errors:
        return f"is refused with {count} errors instead of {errors}"
    return None


def main(arguments):
    if "--" not in arguments:
        sys.exit(__doc__)
    split = arguments.index("--")
    parser = argparse.ArgumentParser()
    parser.add_argument("--expect")
    parser.add_argument("--errors", type=int)
    options = parser.parse_args(arguments[:split])
    command = arguments[split + 1:]

    run = subprocess.run(command, capture_output=True, text=True, errors="replace")
    said = run.stderr + run.stdout
    wrong = verdict(run.returncode, said, options.expect, options.errors)
    if wrong is None:
        return 0
    print(f"{command[-1]}: {wrong}; the compiler said:\n{said}")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
