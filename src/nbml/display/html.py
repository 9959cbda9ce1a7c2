"""A report as HTML that an untrusted notebook keeps: inline styles, no script, no svg element, nothing fetched.

``look/`` of the design says how it looks. One function escapes, and every text goes through it.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape as _escape
from typing import Any

from nbml.display.figures import figure, is_number, marked, right, shares, visible
from nbml.display.values import (
    Code,
    Column,
    Curves,
    Details,
    Diff,
    Gauge,
    Histogram,
    Line,
    Note,
    Parallel,
    Part,
    Progress,
    Report,
    Span,
    Spark,
    Table,
    Text,
    plain_text,
    spans,
)  # fmt: skip

#: mid-tones that work on white and on black; text is never set in them
COLOURS = {"well": "42,157,117", "look": "201,138,11", "bad": "214,79,92", "running": "63,127,209", "idle": "128,128,128"}
MUTED = "opacity:0.65"
CODE = "background:rgba(128,128,128,0.15);padding:0 4px;border-radius:3px"
HAIR = "border-bottom:1px solid rgba(128,128,128,0.25)"
CELL = "padding:3px 10px;background:transparent;border:0;vertical-align:middle"
SPARK = (90, 18)
BARS = (120, 22)
GAUGE = (110, 14)
#: names that stand below a picture
LEGEND = 12
#: characters of a styled text that is not broken in a table
WHOLE = 32


def escape(text: object) -> str:
    """The one way for a text into HTML; control characters and marks of direction become visible."""
    return _escape(visible(str(text)), quote=True)


def html(report: Report) -> str:
    """The report as one block."""
    body = f"<div>{_head(report)}</div>" + "".join(f'<div style="margin:4px 0">{_part(p)}</div>' for p in report.parts)
    if report.next:
        lines = f' <span style="{MUTED}">or</span> '.join(
            f'<code style="{CODE}{";display:block;white-space:pre-wrap" if chr(10) in n else ""}">{escape(n)}</code>' for n in report.next
        )
        body += f'<div><span style="{MUTED}">Next:</span> {lines}</div>'
    rule = f"border-left:3px solid rgb({COLOURS[report.state]})"
    return (
        f'<div style="{rule};padding:2px 0 2px 12px;margin:2px 0;line-height:1.5;max-width:860px;overflow-x:auto">{body}</div>'
    )


def _head(report: Report) -> str:
    chip = f"{_chip(report.word, report.state)} &nbsp;" if report.word else ""
    facts = " · ".join(escape(f) for f in report.facts if f)
    tail = f' <span style="{MUTED}">· {facts}</span>' if facts else ""
    return chip + _text(report.title) + tail


def _chip(word: str, state: str) -> str:
    colour = COLOURS.get(state, COLOURS["idle"])
    style = f"background:rgba({colour},0.18);border-radius:3px;padding:1px 7px;font-weight:600;white-space:nowrap"
    return f'<span style="{style}">{escape(word)}</span>'


def _text(text: Text) -> str:
    return "".join(_span(span) for span in spans(text))


def _span(span: Span) -> str:
    inner = escape(span.text)
    if span.style == "strong":
        return f"<b>{inner}</b>"
    if span.style == "code":
        return f'<code style="{CODE}">{inner}</code>'
    if span.style == "muted":
        return f'<span style="{MUTED}">{inner}</span>'
    if span.style == "chip":
        return _chip(span.text, span.state)
    if span.style == "link" and span.url:
        return f'<a href="{escape(span.url)}" target="_blank" rel="noopener">{inner}</a>'
    return inner


def _part(part: Part) -> str:
    if isinstance(part, Line):
        return _text(part.text)
    if isinstance(part, Note):
        return f"{_chip(part.word, part.state)} {_text(part.text)}"
    if isinstance(part, Table):
        return _table(part.static)
    if isinstance(part, Progress):
        return (
            f'<progress value="{part.done:g}" max="{part.total or 1:g}" style="width:160px;vertical-align:middle"></progress> '
            f"{escape(figure(part.done))} of {escape(figure(part.total))} {_text(part.label)}"
        )
    if isinstance(part, (Spark, Histogram)):
        return _picture(part)
    if isinstance(part, Code):
        style = "background:rgba(128,128,128,0.1);padding:8px 12px;border-radius:3px;overflow-x:auto;line-height:1.4;margin:4px 0"
        return f'<pre style="{style}"><code style="background:none">{escape(part.source)}</code></pre>'  # nbconvert's own code is white
    if isinstance(part, (Curves, Parallel)):
        return _plot(part)
    if isinstance(part, Diff):
        return _diff(part)
    assert isinstance(part, Details)
    inner = "".join(f'<div style="margin:4px 0">{_part(p)}</div>' for p in part.parts)
    return f'<details><summary style="cursor:pointer;{MUTED}">{_text(part.summary)}</summary>{inner}</details>'


def _plot(part: Curves | Parallel) -> str:
    """A picture with its legend: names are text beside it, so that they are read, found and never set in a colour."""
    from nbml.display import plots

    width, svg = plots.curves(part) if isinstance(part, Curves) else plots.parallel(part)
    known = [(s.name, s.colour) for s in (part.series if isinstance(part, Curves) else () if part.shade is not None else part.strands)]
    marks = "".join(
        f'<span style="white-space:nowrap;margin:0 14px 0 0"><span style="display:inline-block;width:14px;height:3px;background:{escape(colour)};'
        f'vertical-align:middle;margin:0 5px 0 0"></span>{escape(_short(name))}</span>'
        for name, colour in known[:LEGEND]
    ) + (f'<span style="{MUTED}">and {len(known) - LEGEND:,} more</span>' if len(known) > LEGEND else "")
    title = f'<div><code style="{CODE}">{escape(_short(part.name))}</code></div>' if isinstance(part, Curves) else ""
    if not svg:
        return f'{title}<span style="{MUTED}">{escape(part.alt)}</span>'
    data = base64.b64encode(svg.encode()).decode()
    room = "max-width:100%;" if isinstance(part, Curves) else "max-width:none;"  # the words at the axes would shrink beyond reading
    image = f'<img alt="{escape(part.alt)}" width="{width}" style="{room}display:block" src="data:image/svg+xml;base64,{data}">'
    return f'{title}<div style="overflow-x:auto">{image}</div><div>{marks}</div>'


def _short(name: str, most: int = 60) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"


def _diff(part: Diff) -> str:
    tints = {"-": f"background:rgba({COLOURS['bad']},0.14)", "+": f"background:rgba({COLOURS['well']},0.14)", "…": MUTED}
    lines = "".join(
        f'<span style="display:block;{tints.get(sign, "")}">{" " if sign == "=" else sign} {escape(text)}</span>' for sign, text in part.lines
    )
    head = f'<div style="{MUTED}">{escape(part.alt)}</div>'
    return f'{head}<pre style="background:transparent;padding:0;overflow-x:auto;line-height:1.45;margin:4px 0">{lines}</pre>'


def _picture(part: Spark | Histogram | Gauge) -> str:
    width, height, svg = _curve(part) if isinstance(part, Spark) else _bars(part) if isinstance(part, Histogram) else _gauge(part)
    if not svg:
        return f'<span style="{MUTED}">{escape(part.alt)}</span>'
    data = base64.b64encode(svg.encode()).decode()
    return (
        f'<img alt="{escape(part.alt)}" width="{width}" height="{height}" style="vertical-align:middle;display:inline-block" '
        f'src="data:image/svg+xml;base64,{data}">'
    )


def _svg(width: int, height: int, inner: str) -> str:
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">{inner}</svg>'


def _curve(part: Spark) -> tuple[int, int, str]:
    width, height = SPARK
    real = [(i, float(v)) for i, v in enumerate(part.values) if v is not None and v == v and abs(v) != float("inf")]
    if len(real) < 2:
        return width, height, ""
    low, high = min(v for _, v in real), max(v for _, v in real)
    last = max(len(part.values) - 1, 1)
    points = " ".join(
        f"{1 + i * (width - 2) / last:.1f},{height - 2 - (v - low) / ((high - low) or 1.0) * (height - 4):.1f}" for i, v in real
    )
    stroke = f"rgb({COLOURS[part.state]})"
    return width, height, _svg(width, height, f'<polyline points="{points}" fill="none" stroke="{stroke}" stroke-width="1.5"/>')


def _bars(part: Histogram) -> tuple[int, int, str]:
    width, height = BARS
    count = max(len(part.reference), len(part.now))
    top = max([*part.reference, *part.now], default=0) or 1.0
    if not count:
        return width, height, ""
    step = (width - 1) / count
    drawn = ""
    for i, share in enumerate(part.reference):
        tall = share / top * (height - 1)
        drawn += f'<rect x="{1 + i * step:.1f}" y="{height - tall:.1f}" width="{step - 2:.1f}" height="{tall:.1f}" fill="#808080" fill-opacity="0.45"/>'
    for i, share in enumerate(part.now):
        tall = share / top * (height - 1)
        drawn += f'<rect x="{1 + i * step:.1f}" y="{height - tall:.1f}" width="{step - 2:.1f}" height="{tall:.1f}" fill="none" stroke="#3f7fd1" stroke-width="1.3"/>'
    return width, height, _svg(width, height, drawn)


def _gauge(part: Gauge) -> tuple[int, int, str]:
    """The bounds as a grey band on a line, the value as a mark."""
    width, height = GAUGE
    places = marked(part)
    if places is None:
        return width, height, ""
    low, high, at = (place * (width - 2) + 1 for place in places)
    drawn = (
        f'<rect x="0" y="{height / 2 - 0.5}" width="{width}" height="1" fill="#808080" fill-opacity="0.45"/>'
        f'<rect x="{low:.1f}" y="3" width="{max(2.0, high - low):.1f}" height="{height - 6}" fill="#808080" fill-opacity="0.45"/>'
        f'<rect x="{at - 1.5:.1f}" y="0" width="3" height="{height}" fill="rgb({COLOURS["bad"]})"/>'
    )
    return width, height, _svg(width, height, drawn)


def _table(table: Table) -> str:
    heads = table.heads
    columns = [[row[i] for row in table.rows] for i in range(len(heads))]
    sides = ["right" if right(head, column) else "left" for head, column in zip(heads, columns, strict=True)]
    filled = [shares(head, column) if head.bar else None for head, column in zip(heads, columns, strict=True)]
    marks = [_marks(head, table, column) for head, column in zip(heads, columns, strict=True)]
    top = "".join(
        f'<th style="text-align:{side};{CELL};font-weight:600;{MUTED};{HAIR}">{escape(head.name)}</th>'
        for head, side in zip(heads, sides, strict=True)
    )
    rows = "".join(
        f'<tr style="{HAIR};background:transparent">'
        + "".join(_cell(table.rows[r][c], heads[c].format, sides[c], _bar(heads[c].bar, filled[c], marks[c], r)) for c in range(len(heads)))
        + "</tr>"
        for r in range(len(table.rows))
    )
    more = ""
    if table.total is not None and table.total > len(table.rows):
        more = f'<div style="{MUTED}">{table.total - len(table.rows):,} more rows</div>'
    caption = f'<div style="{MUTED}">{escape(table.caption)}</div>' if table.caption else ""
    return f'<table style="border-collapse:collapse;margin:6px 0 4px;border:0"><thead><tr style="background:transparent">{top}</tr></thead><tbody>{rows}</tbody></table>{more}{caption}'


def _marks(head: Column, table: Table, values: Sequence[Any]) -> Sequence[float | None]:
    """Where on the bars of a column the values of another one lie, from 0 to 1."""
    names = [other.name for other in table.heads]
    if not head.bar or head.mark not in names:
        return ()
    numbers = [abs(float(v)) for v in values if is_number(v)]
    top = head.bar_max or max(numbers, default=0.0) or 1.0
    allowed = [row[names.index(head.mark)] for row in table.rows]
    return [float(v) / top if is_number(v) and 0 <= float(v) / top < 0.99 else None for v in allowed]


def _bar(bar: str | None, filled: Sequence[float] | None, marks: Sequence[float | None], row: int) -> str:
    """The background of a cell: filled from the left, with a line where the mark is."""
    if bar is None or filled is None:
        return ""
    tint, end, mark = f"rgba({COLOURS[bar]},0.3)", f"{filled[row] * 100:.0f}%", marks[row] if marks else None
    if not filled[row]:
        return ";min-width:90px"
    stops = f"{tint} {end},transparent {end}"
    if mark is not None:
        at, after, line = f"{mark * 100:.0f}%", f"{mark * 100 + 1:.0f}%", f"rgba({COLOURS['idle']},0.9)"
        inside = filled[row] > mark
        before, behind = (tint, tint) if inside else ("transparent", "transparent")
        lined = f"{line} {at},{line} {after}"
        stops = f"{before} {at},{lined},{behind} {after},{stops}" if inside else f"{stops},{before} {at},{lined},{behind} {after}"
    return f";min-width:90px;background:linear-gradient(90deg,{stops})"


def _cell(value: Any, format: str | None, side: str, background: str) -> str:
    style = f"text-align:{side};{CELL}"
    if side == "right" or (isinstance(value, tuple) and len(plain_text(value)) <= WHOLE):
        style += ";white-space:nowrap"
    if isinstance(value, (Spark, Histogram, Gauge)):
        inner = _picture(value)
    elif isinstance(value, (Span, tuple)):
        inner = _text(value)
    else:
        inner = escape(figure(value, format))
        if format == "code":
            style += ";font-family:monospace"
    return f'<td style="{style}{background}">{inner}</td>'
