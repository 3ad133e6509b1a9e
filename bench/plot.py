# SPDX-License-Identifier: MIT
"""Curves on axes of logarithms, drawn by gnuplot as SVG."""

import dataclasses
import re
import subprocess

COLOURS = ["#1b6ca8", "#d1495b", "#3c8d53", "#8d6a9f"]
PREFIXES = ["", "Ki", "Mi", "Gi"]


@dataclasses.dataclass
class Point:
    x: float
    median: float
    low: float
    high: float


@dataclasses.dataclass
class Plot:
    title: str
    file: str  # its name without an end
    x_name: str
    x_unit: str
    y_name: str
    y_unit: str
    curves: dict = dataclasses.field(default_factory=dict)

    def add(self, curve, numbers):
        point = Point(*numbers)
        if not 0 < point.low <= point.median <= point.high or point.x <= 0:
            raise ValueError(f"no point of '{curve}' on axes of logarithms: {numbers}")
        self.curves.setdefault(curve, []).append(point)


def shown_at(x, unit):
    """1,000 or 64 KiB."""
    if unit != "bytes":
        return f"{x:,.0f}"
    step = 0
    while x >= 1024 and step + 1 < len(PREFIXES):
        x /= 1024
        step += 1
    return f"{x:,.4g} {PREFIXES[step]}B"


def axis(letter, name, unit, numbers):
    lines = [f"set {letter}label {quoted(f'{name} ({unit})' if unit and unit != 'bytes' else name)}"]
    base = 10 if max(numbers) > 64 and unit != "bytes" or letter == "y" else 2
    lines.append(f"set logscale {letter} {base}")
    if base == 2:  # each has its place, and its name where there is room
        places = sorted(set(numbers))
        every = -(-len(places) // 8)
        lines.append(f"set {letter}range [{places[0] / 1.2}:{places[-1] * 1.2}]")
        tics = ", ".join(f"{quoted(shown_at(place, unit))} {place:.0f}" for place in places[::every])
        lines.append(f"set {letter}tics ({tics})")
    else:
        lines.append(f"set format {letter} '{'%.0s %c' if max(numbers) >= 10_000 else '%g'}'")
    return lines


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', "'") + '"'


def script(plot):
    points = [point for curve in plot.curves.values() for point in curve]
    lines = [
        'set terminal svg size 760,400 font "sans-serif,13" background "#ffffff" noenhanced '
        f"name {quoted(plot.file)}",
        f"set title {quoted(plot.title[0].upper() + plot.title[1:])}",
        'set grid lc rgb "#dddddd"',
        "set border 3",
        "set tics nomirror",
        "set key above",
        *axis("x", plot.x_name, plot.x_unit, [point.x for point in points]),
        *axis("y", plot.y_name, plot.y_unit, [point.median for point in points]),
    ]
    drawn = []
    for number, (curve, its_points) in enumerate(plot.curves.items()):
        lines.append(f"$curve{number} << end")
        lines += [f"{point.x:.9g} {point.median:.4g} {point.low:.4g} {point.high:.4g}"
                  for point in its_points]
        lines.append("end")
        drawn.append(f"$curve{number} using 1:2:3:4 with yerrorlines title {quoted(curve)} "
                     f'lw 2 pt 7 ps 0.5 lc rgb "{COLOURS[number % len(COLOURS)]}"')
    return "\n".join([*lines, "plot " + ", ".join(drawn), ""])


def draw(plot):
    """The plot as SVG, without the names of gnuplot's version."""
    drawing = subprocess.run(["gnuplot"], input=script(plot), stdout=subprocess.PIPE, text=True,
                             check=True).stdout
    return re.sub(r"<desc>.*?</desc>|(?<=\n)\s*\n", "", drawing, flags=re.DOTALL)


def draw_all(plots, folder):
    for plot in plots:
        folder.mkdir(exist_ok=True)
        (folder / f"{plot.file}.svg").write_text(draw(plot), encoding="utf-8")
