#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""report.py FOLDER --output FILE [PROGRAM OPTION...]: runs all benchmarks in FOLDER, prints
their tables as they come and writes FILE, and its plots in a folder plots beside it. With
--only NAME,... it runs those alone, and the other sections of FILE stay as they are.
report.py --check PROGRAM: runs a little of one program; fails where it fails, or where
what it says can't be read."""

import argparse
import dataclasses
import datetime
import math
import os
import pathlib
import platform
import re
import resource
import subprocess
import sys
import time

import plot

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
    "crowd": "Many workers",
    "fresh": "A process of its own for each task",
    "idle": "A pool without work",
    "threads": "Tasks on threads",
    "own_cost": "What the program itself spends",
    "fairness": "Pools side by side",
    "growth": "How cost grows",
}
REMARKS = {
    "growth": "Where the curves bend, and why: [growth.md](growth.md). Numbers are medians.",
}
FIELDS = {"claim": 1, "measured": 5, "goal": 7, "absent": 2, "plot": 5, "point": 5}
PLOTS = "plots"  # beside the page
MOST_OTHERS = 0.1  # of the machine; beyond it numbers say little
HEAD = ["measured", "median", "lowest", "highest", "goal", ""]


def numbers_of(fields):
    numbers = [float(field) for field in fields]
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"no finite numbers: {fields}")
    return numbers


@dataclasses.dataclass
class Claim:
    name: str
    rows: list = dataclasses.field(default_factory=list)
    absent: list = dataclasses.field(default_factory=list)
    figure: plot.Plot | None = None


def read(output):
    """The claims of one program."""
    claims = []
    for line in output.splitlines():
        kind, *fields = line.split("\t")
        if FIELDS.get(kind) != len(fields):
            raise ValueError(f"cannot read '{line}'")
        if kind == "claim":
            claims.append(Claim(fields[0]))
        elif kind == "absent":
            claims[-1].absent.append(fields)
        elif kind == "plot":
            claims[-1].figure = plot.Plot(claims[-1].name, *fields)
        elif kind == "point":
            curve, *numbers = fields
            claims[-1].figure.add(curve, numbers_of(numbers))
        else:
            row = row_of(*fields)
            rows = claims[-1].rows
            rows[:] = [other for other in rows if other[0] != row[0]] + [row]
    if not any(claim.rows or claim.figure for claim in claims):
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
    if not (number and wanted):
        return "missed"
    factor = number / wanted if bound == "<=" else wanted / number
    return f"missed by {factor:.2g} x"


def table(head, rows, numbers):
    """The columns of `numbers` are set to the right."""
    rows = [head, *rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 1) + ":" if column in numbers else "-" * (width + 2)
                                   for column, width in enumerate(widths)) + "|")
    return "\n".join(lines)


def table_of_figure(figure):
    curves = list(figure.curves)
    head = [figure.x_name] + [f"{curve} ({figure.y_unit})" if figure.y_unit else curve
                              for curve in curves]
    across = sorted({point.x for points in figure.curves.values() for point in points})
    rows = []
    for x in across:
        at_x = [[point.median for point in figure.curves[curve] if point.x == x]
                for curve in curves]
        rows.append([plot.shown_at(x, figure.x_unit)] +
                    [shown(numbers[0]) if numbers else "" for numbers in at_x])
    return table(head, rows, range(len(head)))


def section(claims):
    parts = []
    for claim in claims:
        parts.append(f"### {claim.name[0].upper()}{claim.name[1:]}")
        if claim.figure:
            parts += [f"![{claim.name}]({PLOTS}/{claim.figure.file}.svg)",
                      table_of_figure(claim.figure)]
        if claim.rows:
            parts.append(table(HEAD, claim.rows, range(1, 4)))
        parts += [f"Not compared with {who}: {why}." for who, why in claim.absent]
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
    text = (f"{datetime.date.today()}, {machine()}. While these ran, other programs used "
            f"{others:.0%} of the machine")
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
    return """# Benchmarks

    ./bench.sh               # all of this; some minutes
    ./bench.sh --only bulk   # one program of it; the other sections stay as they are
    build/bench/bench/bulk   # the same as numbers between tabs

brood and its yardsticks take turns within each program, a round each, after one that
isn't counted. Ratios are taken within a round. The lowest and the highest show how far
rounds lie apart; a goal is met or missed by the median."""


def sections_of(page):
    """The sections of a page by their titles, what comes before them by ''."""
    first, *others = page.split("\n\n## ")
    return {"": first} | {title: "## " + title + rest for title, rest in
                          (re.fullmatch(r"([^\n]*)(.*)", other.strip("\n"), re.DOTALL).groups()
                           for other in others)}


def write_all(folder, output, chosen, options):
    """All that are chosen, anew; what else is in the page stays."""
    page = sections_of(output.read_text(encoding="utf-8")) if chosen != set(PROGRAMS) else {}
    page[""] = introduction()
    print(page[""], flush=True)
    for name, title in PROGRAMS.items():
        if name not in chosen:
            continue
        output_of_it, others = run_watched(folder / name, options)
        claims = read(output_of_it)
        found = [f"## {title}", remark(others), REMARKS.get(name), section(claims)]
        page[title] = "\n\n".join(filter(None, found))
        print("", page[title], sep="\n\n", flush=True)
        plot.draw_all((claim.figure for claim in claims if claim.figure), output.parent / PLOTS)
    in_order = [page[title] for title in ["", *PROGRAMS.values()] if title in page]
    output.write_text("\n\n".join(in_order) + "\n", encoding="utf-8")


def programs_of(names):
    chosen = set(names.split(","))
    if unknown := chosen - set(PROGRAMS):
        raise argparse.ArgumentTypeError(f"no programs here: {', '.join(sorted(unknown))}")
    return chosen


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=pathlib.Path)
    parser.add_argument("--output", type=pathlib.Path)
    parser.add_argument("--only", metavar="NAME,...", type=programs_of, default=set(PROGRAMS))
    parser.add_argument("--check", metavar="PROGRAM")
    chosen, options = parser.parse_known_args()
    if chosen.check:
        claims = read(run(chosen.check, ["--smoke"]))
        print(section(claims), *(plot.script(claim.figure) for claim in claims if claim.figure))
    elif chosen.folder and chosen.output:
        write_all(chosen.folder, chosen.output, chosen.only, options)
    else:
        parser.error("FOLDER and --output, or --check PROGRAM")


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"report.py: {error}")
