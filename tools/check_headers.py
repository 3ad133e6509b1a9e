#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_headers.py INCLUDE --build FOLDER [--ccache CCACHE] -- COMPILER FLAG...

Compiles each header below INCLUDE alone, twice included, and fails where the
compiler has anything to say."""

import argparse
import concurrent.futures
import os
import pathlib
import subprocess
import sys


def compile_alone(header, include, build, command):
    """What the compiler said."""
    unit = build / (str(header).replace("/", ".") + ".cpp")
    text = f"#include <{header}>\n" * 2
    if not unit.exists() or unit.read_text() != text:
        unit.write_text(text)
    run = subprocess.run(
        [*command, "-I", str(include), "-c", unit.name, "-o", unit.name + ".o"],
        cwd=build, capture_output=True, text=True, check=False)
    if run.returncode == 0 and not run.stderr.strip():
        return ""
    return f"<{header}> does not compile alone:\n{run.stderr or run.stdout}"


def main(arguments):
    split = arguments.index("--")
    parser = argparse.ArgumentParser()
    parser.add_argument("include", type=pathlib.Path)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--ccache", default="")
    options = parser.parse_args(arguments[:split])
    command = ([options.ccache] if options.ccache else []) + arguments[split + 1:]

    options.build.mkdir(parents=True, exist_ok=True)
    headers = sorted(path.relative_to(options.include) for path in options.include.rglob("*.hpp"))
    if not headers:
        sys.exit(f"no header below {options.include}")
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as threads:
        said = list(threads.map(
            lambda header: compile_alone(header, options.include, options.build, command), headers))
    print(*filter(None, said), sep="\n")
    return 1 if any(said) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
