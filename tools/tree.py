# SPDX-License-Identifier: MIT
"""What the checks have in common: which files are ours, and their bare code."""

import pathlib
import re
import subprocess

GENERATED = {".git", "build", "__pycache__"}


def ours(root):
    """The files below `root` that are, or would be, committed."""
    listing = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard", "."],
        capture_output=True, check=False)
    if listing.returncode == 0:
        names = listing.stdout.decode().split("\0")
        paths = [root / name for name in names if name]
    else:  # an unpacked archive, or a clone that belongs to somebody else
        paths = [path for path in root.rglob("*")
                 if not GENERATED & set(path.relative_to(root).parts)]
    return sorted(path for path in paths if path.is_file())


def text_of(path):
    """The file's text, or None where it is not text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


NOT_CODE = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'',
    re.DOTALL)


def bare_code(text):
    """C++ without comments and without what stands in quotes, lines kept.

    The apostrophes of digit groups (1'000) go first, since they are no quotes;
    included names stay."""
    def blank(match):
        return "\n" * match[0].count("\n") if match[0][0] == "/" else '""' + "\n" * match[0].count("\n")

    lines = []
    for line in text.splitlines():
        if re.match(r"\s*#\s*include\b", line):
            line = re.sub(r"\s*//.*", "", line).replace('"', "\x00")
        else:
            line = re.sub(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])", "", line)
        lines.append(line)
    return NOT_CODE.sub(blank, "\n".join(lines)).replace("\x00", '"')


def root_of(argument):
    return pathlib.Path(argument).resolve()
