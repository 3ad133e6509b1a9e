#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_format.py ROOT --formatter CLANG_FORMAT [--fix]: fails where a C++ file
is not as clang-format would write it; with --fix, writes it so."""

import argparse
import subprocess
import sys

import tree


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("root")
    parser.add_argument("--formatter", default="clang-format-19")
    parser.add_argument("--fix", action="store_true")
    options = parser.parse_args()

    files = [str(path) for path in tree.ours(tree.root_of(options.root))
             if path.suffix in (".hpp", ".cpp")]
    if not files:
        sys.exit("no C++ file found")
    mode = ["-i"] if options.fix else ["--dry-run", "-Werror"]
    return subprocess.run([options.formatter, "--style=file", *mode, *files], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
