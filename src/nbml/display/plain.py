"""A report for a terminal or a log."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

from nbml.display.figures import figure, marked, right, visible, words
from nbml.display.values import (
    Code,
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
    Spark,
    Table,
    Text,
    spans,
)  # fmt: skip

BLOCKS = " ▁▂▃▄▅▆▇█"
#: most characters of a cell, and of a gauge
LONG, WIDE = 100, 14


def text(report: Report) -> str:
    """The report as plain text: the same words as its HTML."""
    head = " · ".join([part for part in [_head(report), *report.facts] if part])
    lines = [head]
    for part in report.parts:
        lines += ["  " + line if line else "" for line in _part(part)]
    if report.next:
        lines.append("Next: " + " or ".join(report.next))
    return "\n".join(visible(line.rstrip()) for line in lines)


def _head(report: Report) -> str:
    return " ".join(part for part in [f"[{report.word}]" if report.word else "", words(report.title)] if part)


def _part(part: Part) -> list[str]:
    if isinstance(part, Line):
        return [words(part.text)]
    if isinstance(part, Note):
        return [f"[{part.word}] {words(part.text)}"]
    if isinstance(part, Table):
        return _table(part.static)
    if isinstance(part, Progress):
        return [f"{bar(part.done, part.total)} {figure(part.done)} of {figure(part.total)} {words(part.label)}".rstrip()]
    if isinstance(part, Spark):
        return [f"{spark(part.values)} {part.alt}".strip()]
    if isinstance(part, Histogram):
        return [part.alt]
    if isinstance(part, Code):
        return part.source.splitlines()
    if isinstance(part, Curves):
        return _curves(part)
    if isinstance(part, Parallel):
        return [part.alt]
    if isinstance(part, Diff):
        return [f"{' ' if sign in '=…' else sign} {text}" if sign != "…" else f"… {text}" for sign, text in part.lines]
    assert isinstance(part, Details)
    commands = [line for inner in part.parts if isinstance(inner, Code) and inner.language == "sh" for line in inner.source.splitlines()]
    return [words(part.summary), *commands]  # what is for a terminal is seen there


def _curves(part: Curves) -> list[str]:
    wide = max((width(series.name) for series in part.series), default=0)
    drawn = [(series.name, spark([y for _, y in series.points])) for series in part.series]
    return [part.name, *(f"  {name}{' ' * (wide - width(name))}  {curve or 'no curve'}" for name, curve in drawn)]


def _cell(value: Any, format: str | None) -> str:
    if isinstance(value, Spark):
        return spark(value.values) or value.alt
    if isinstance(value, Histogram):
        return " ".join(filter(None, (blocks(value.reference), blocks(value.now)))) or value.alt
    if isinstance(value, Gauge):
        return gauge(value) or value.alt
    told = words(value) if isinstance(value, tuple) or hasattr(value, "style") else figure(value, format)
    told = visible(" ".join(told.split("\n")).replace("\t", " "))
    return told if len(told) <= LONG else told[: LONG - 1] + "…"


def _table(table: Table) -> list[str]:
    heads = table.heads
    columns = [[row[i] for row in table.rows] for i in range(len(heads))]
    cells = [[_cell(v, head.format) for v in column] for head, column in zip(heads, columns, strict=True)]
    widths = [max([width(visible(head.name)), *map(width, column)]) for head, column in zip(heads, cells, strict=True)]
    sides = [right(head, column) for head, column in zip(heads, columns, strict=True)]

    def row(texts: Sequence[str]) -> str:
        parts = [" " * (w - width(t)) + t if r else t + " " * (w - width(t)) for t, w, r in zip(texts, widths, sides, strict=True)]
        return "  ".join(parts)

    lines = [row([visible(head.name) for head in heads])] + [row([c[i] for c in cells]) for i in range(len(table.rows))]
    if table.total is not None and table.total > len(table.rows):
        lines.append(f"… {table.total - len(table.rows):,} more rows")
    return lines + ([table.caption] if table.caption else [])


def bar(done: float, total: float, width: int = 24) -> str:
    """Progress as a bar of characters."""
    filled = round(width * min(1.0, done / total)) if total else 0
    return "█" * filled + "░" * (width - filled)


def width(text_: str) -> int:
    """Columns of a terminal that a text takes."""
    if text_.isascii():
        return len(text_)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text_)


def blocks(shares: Sequence[float]) -> str:
    """A histogram as characters: nothing is blank, and what is more than that is seen."""
    top = max(shares, default=0) or 1.0
    return "".join(BLOCKS[0 if share <= 0 else max(1, round(share / top * 8))] for share in shares)


def gauge(of: Gauge) -> str:
    """Bounds as a band of characters, the value as a dot."""
    places = marked(of)
    if places is None:
        return ""
    low, high, at = (min(WIDE - 1, int(place * WIDE)) for place in places)
    return "".join("●" if i == at else "░" if low <= i <= high else "·" for i in range(WIDE))


def spark(values: Sequence[float | None], width: int = 24) -> str:
    """A curve as characters."""
    real = [float(v) for v in values if v is not None and v == v and abs(v) != float("inf")]
    if len(real) < 2:
        return ""
    if len(real) > width:
        real = [real[i * (len(real) - 1) // (width - 1)] for i in range(width)]
    low, high = min(real), max(real)
    return "".join(BLOCKS[1 + int((v - low) / ((high - low) or 1.0) * 7)] for v in real)


def one_line(text_: Text) -> str:
    """Any text in one line."""
    return " ".join("".join(s.text for s in spans(text_)).split())
