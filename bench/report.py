#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""report.py FOLDER --output FILE [PROGRAM OPTION...]: runs all benchmarks in FOLDER, prints
their tables as they come and writes FILE.
report.py --check PROGRAM: runs a little of one program; fails where it fails, or where
what it says can't be read."""

import argparse
import datetime
import math
import os
import pathlib
import platform
import resource
import subprocess
import sys
import time

PROGRAMS = {
    "round_trip": "A call and its answer",
    "bulk": "Many small tasks",
    "numbers": "A map of numbers",
    "coarse": "Tasks of the same size",
    "uneven": "Tasks of very different sizes",
    "payload": "Large arguments and results",
    "birth": "A pool is made",
    "crash": "A worker dies",
    "memory": "Memory",
}
FIELDS = {"claim": 1, "measured": 5, "goal": 7, "absent": 2}
MOST_OTHERS = 0.1  # of the machine; beyond it numbers say little
HEAD = ["measured", "median", "lowest", "highest", "goal", ""]


def numbers_of(fields):
    numbers = [float(field) for field in fields]
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"no finite numbers: {fields}")
    return numbers


def read(output):
    """The claims of one program: (name, rows, absent yardsticks)."""
    claims = []
    for line in output.splitlines():
        kind, *fields = line.split("\t")
        if FIELDS.get(kind) != len(fields):
            raise ValueError(f"cannot read '{line}'")
        if kind == "claim":
            claims.append((fields[0], [], []))
        elif kind == "absent":
            claims[-1][2].append(fields)
        else:
            row = row_of(*fields)
            rows = claims[-1][1]
            rows[:] = [other for other in rows if other[0] != row[0]] + [row]
    if not any(rows for _, rows, _ in claims):
        raise ValueError("nothing was measured")
    return claims


def row_of(what, unit, median, low, high, bound=None, limit=None):
    numbers = numbers_of((median, low, high))
    if not numbers[1] <= numbers[0] <= numbers[2]:
        raise ValueError(f"no spread of '{what}': {numbers}")
    row = [f"{what} ({unit})", *map(shown, numbers), "", ""]
    if bound:
        (wanted,) = numbers_of((limit,))
        row[4:] = [f"{bound} {shown(wanted)}", verdict(numbers[0], bound, wanted)]
    return row


def shown(number):
    if abs(number) >= 1000:
        return f"{number:,.0f}"
    return f"{number:.3g}"


def verdict(number, bound, wanted):
    if number <= wanted if bound == "<=" else number >= wanted:
        return "met"
    factor = number / wanted if bound == "<=" else wanted / number
    return f"missed by {factor:.2g} x"


def table(rows):
    rows = [HEAD, *rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join(["-" * (widths[0] + 2)] +
                                   ["-" * (width + 1) + ":" for width in widths[1:4]] +
                                   ["-" * (width + 2) for width in widths[4:]]) + "|")
    return "\n".join(lines)


def section(claims):
    parts = []
    for name, rows, absent in claims:
        parts.append(f"### {name[0].upper()}{name[1:]}")
        if rows:
            parts.append(table(rows))
        parts += [f"Not compared with {who}: {why}." for who, why in absent]
    return "\n\n".join(parts)


def cpu_seconds():
    """What all programs have used of the CPUs since boot, and what ours have."""
    user, nice, system, _, _, irq, softirq, steal = map(
        int, pathlib.Path("/proc/stat").read_text(encoding="utf-8").split()[1:9])
    ticks = user + nice + system + irq + softirq + steal
    ours = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ticks / os.sysconf("SC_CLK_TCK"), ours.ru_utime + ours.ru_stime


def run_watched(program, options):
    """The program's output, and what share of the CPUs went to others meanwhile."""
    begin, (all_begin, ours_begin) = time.monotonic(), cpu_seconds()
    output = run(program, options)
    all_end, ours_end = cpu_seconds()
    others = (all_end - all_begin) - (ours_end - ours_begin)
    there_was = (time.monotonic() - begin) * os.cpu_count()
    return output, min(max(others / there_was, 0), 1)


def remark(others):
    text = f"While these ran, other programs used {others:.0%} of the machine"
    return text + (": the numbers say little." if others > MOST_OTHERS else ".")


def run(program, options):
    return subprocess.run([program, *options], stdout=subprocess.PIPE, text=True,
                          check=True).stdout


def machine():
    info = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
    models = [line.split(":", 1)[1].strip() for line in info.splitlines()
              if line.startswith("model name")]
    virtual = ", virtual" if "hypervisor" in info else ""
    kernel = ".".join(platform.release().split(".")[:2])
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (f"{len(os.sched_getaffinity(0))} CPUs ({models[0] if models else 'unknown'}{virtual}), "
            f"{memory:.0f} GiB, Linux {kernel}, glibc {platform.libc_ver()[1]}, "
            f"CPython {platform.python_version()}")


def introduction():
    return f"""# Benchmarks

    ./bench.sh               # all of this; some minutes
    build/bench/bench/bulk   # one program of it, as numbers between tabs

{datetime.date.today()}, {machine()}.

brood and its yardsticks take turns within each program, a round each, after one that
isn't counted. Ratios are taken within a round. The lowest and the highest show how far
rounds lie apart; a goal is met or missed by the median."""


def write_all(folder, output, options):
    parts = [introduction()]
    print(parts[0], flush=True)
    for name, title in PROGRAMS.items():
        output_of_it, others = run_watched(folder / name, options)
        parts += [f"## {title}", remark(others), section(read(output_of_it))]
        print("", *parts[-3:], sep="\n\n", flush=True)
    output.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=pathlib.Path)
    parser.add_argument("--output", type=pathlib.Path)
    parser.add_argument("--check", metavar="PROGRAM")
    chosen, options = parser.parse_known_args()
    if chosen.check:
        print(section(read(run(chosen.check, ["--smoke"]))))
    elif chosen.folder and chosen.output:
        write_all(chosen.folder, chosen.output, options)
    else:
        parser.error("FOLDER and --output, or --check PROGRAM")


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"report.py: {error}")
