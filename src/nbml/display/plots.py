"""Curves and parallel coordinates as SVG, for pictures in static HTML. Each gives (width, svg); "" where nothing can be drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from itertools import pairwise

from nbml.display.figures import figure, visible
from nbml.display.values import Axis, Curves, Parallel, Strand

GREY = "#808080"
FONT = f'font-family="sans-serif" font-size="11" fill="{GREY}"'
#: width, height, and the rims left, right, above and below of a picture of curves
CURVES = (440, 160, 52, 10, 8, 20)
#: height, rim beside and above, and least and greatest width of a picture of parallel coordinates
HIGH, BESIDE, ABOVE, BELOW = 230, 46, 36, 20
LEAST, MOST, APART = 360, 760, 110


def curves(part: Curves) -> tuple[int, str]:
    """The curves over each other, least and greatest value and step at the axes."""
    width, height, left, right, above, below = CURVES
    real = [(x, y) for series in part.series for x, y in series.points if y is not None and math.isfinite(y) and math.isfinite(x)]
    if not real:
        return width, ""
    (first, last), (low, high) = _ends([x for x, _ in real]), _ends([y for _, y in real])
    wide, tall = width - left - right, height - above - below

    def place(x: float, y: float) -> tuple[float, float]:
        return left + _share(x, first, last) * wide, above + (1 - _share(y, low, high)) * tall

    drawn = "".join(_level(left, width - right, place(first, y)[1], figure(y)) for y in dict.fromkeys((low, (low + high) / 2, high)))
    drawn += _words(left, height - 5, figure(int(first) if first == int(first) else first), "start")
    drawn += _words(width - right, height - 5, f"{part.x} {figure(int(last) if last == int(last) else last)}", "end")
    for series in part.series:
        for piece in _pieces(series.points):
            spots = [place(x, y) for x, y in piece]
            if len(spots) == 1:
                drawn += f'<circle cx="{spots[0][0]:.1f}" cy="{spots[0][1]:.1f}" r="2" fill="{escape(series.colour)}"/>'
            else:
                joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
                drawn += f'<polyline points="{joined}" fill="none" stroke="{escape(series.colour)}" stroke-width="1.5"/>'
    return width, _svg(width, height, drawn)


def parallel(part: Parallel) -> tuple[int, str]:
    """One upright axis beside the other, and one line a thing over them; a dashed piece passes an axis on which it has no value."""
    if len(part.axes) < 2:
        return LEAST, ""
    width = min(MOST, max(LEAST, 2 * BESIDE + APART * (len(part.axes) - 1)))
    step = (width - 2 * BESIDE) / (len(part.axes) - 1)
    across = [BESIDE + i * step for i in range(len(part.axes))]
    drawn = "".join(_strand(strand, across, len(part.strands)) for strand in part.strands)
    drawn += "".join(_axis(axis, x, step) for axis, x in zip(part.axes, across, strict=True))
    return width, _svg(width, HIGH, drawn)


def _axis(axis: Axis, x: float, room: float) -> str:
    letters = max(6, int(room / 6.2))
    drawn = f'<line x1="{x:.1f}" y1="{_up(0):.1f}" x2="{x:.1f}" y2="{_up(1):.1f}" stroke="{GREY}" stroke-opacity="0.7"/>'
    drawn += _words(x, 14, _cut(axis.name, letters), "middle")
    ends = {0.0: HIGH - 5.0, 1.0: ABOVE - 8.0}
    for place, text in axis.ticks:
        if place in ends:
            drawn += _words(x, ends[place], _cut(text, letters), "middle")
        else:
            drawn += _words(x + 5, _up(place) + 4, _cut(text, letters - 2), "start")
    return drawn


def _strand(strand: Strand, across: Sequence[float], count: int) -> str:
    known = [(i, across[i], _up(place)) for i, place in enumerate(strand.places) if place is not None]
    thick, clear = (1.6, 1) if count <= 8 else (1.2, 0.75)
    look = f'stroke="{escape(strand.colour)}" stroke-width="{thick}" stroke-opacity="{clear}" fill="none"'
    drawn = ""
    for (i, x, y), (j, far, end) in pairwise(known):
        dashes = ' stroke-dasharray="2 4"' if j > i + 1 else ""
        drawn += f'<path d="M{x:.1f},{y:.1f}L{far:.1f},{end:.1f}" {look}{dashes}/>'
    return drawn + "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.2" fill="{escape(strand.colour)}"/>' for _, x, y in known)


def _up(place: float) -> float:
    return HIGH - BELOW - place * (HIGH - ABOVE - BELOW)


def _pieces(points: Sequence[tuple[float, float | None]]) -> list[list[tuple[float, float]]]:
    """The stretches without a gap."""
    found: list[list[tuple[float, float]]] = [[]]
    for x, y in points:
        if y is None or not math.isfinite(y):
            found.append([])
        else:
            found[-1].append((x, y))
    return [piece for piece in found if piece]


def _ends(values: Sequence[float]) -> tuple[float, float]:
    return min(values), max(values)


def _share(value: float, low: float, high: float) -> float:
    """Where a value lies between two others; halved first, so that the widest span there is stays finite."""
    span = high / 2 - low / 2
    return (value / 2 - low / 2) / span if span else 0.5


def _level(left: float, right: float, y: float, text: str) -> str:
    line = f'<line x1="{left}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="{GREY}" stroke-opacity="0.25"/>'
    return line + _words(left - 6, y + 4, text, "end")


def _words(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {FONT}>{escape(visible(text))}</text>'


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _svg(width: int, height: int, inner: str) -> str:
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">{inner}</svg>'
