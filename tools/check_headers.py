#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_headers.py INCLUDE --build FOLDER [--together] [--ccache CCACHE] -- COMPILER FLAG...

Compiles each header below INCLUDE alone, twice included, and fails where the
compiler has anything to say. With --together all of them in one unit, for a second
compiler: whether each includes what it needs has been told by the first."""

import argparse
import concurrent.futures
import os
import pathlib
import subprocess
import sys


def compile_unit(name, headers, include, build, command):
    """What the compiler said."""
    unit = build / (name.replace("/", ".").replace(" ", "_") + ".cpp")
    text = "".join(f"#include <{header}>\n" for header in headers)
    if not unit.exists() or unit.read_text() != text:
        unit.write_text(text)
    run = subprocess.run(
        [*command, "-I", str(include), "-c", unit.name, "-o", unit.name + ".o"],
        cwd=build, capture_output=True, text=True, check=False)
    if run.returncode == 0 and not run.stderr.strip():
        return ""
    return f"{name} does not compile:\n{run.stderr or run.stdout}"


def main(arguments):
    split = arguments.index("--")
    parser = argparse.ArgumentParser()
    parser.add_argument("include", type=pathlib.Path)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--together", action="store_true")
    parser.add_argument("--ccache", default="")
    options = parser.parse_args(arguments[:split])
    command = ([options.ccache] if options.ccache else []) + arguments[split + 1:]

    options.build.mkdir(parents=True, exist_ok=True)
    headers = sorted(path.relative_to(options.include) for path in options.include.rglob("*.hpp"))
    if not headers:
        sys.exit(f"no header below {options.include}")
    units = {f"<{header}> alone": [header, header] for header in headers}
    if options.together:
        units = {"all of them": headers, "all of them, backwards": headers[::-1]}
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as threads:
        said = list(threads.map(
            lambda name: compile_unit(name, units[name], options.include, options.build, command),
            units))
    print(*filter(None, said), sep="\n")
    return 1 if any(said) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
