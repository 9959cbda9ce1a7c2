"""A report for a terminal or a log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nbml.display.figures import figure, right, words
from nbml.display.values import Code, Details, Histogram, Line, Note, Part, Progress, Report, Spark, Table, Text, spans

BLOCKS = " ▁▂▃▄▅▆▇█"


def text(report: Report) -> str:
    """The report as plain text: the same words as its HTML."""
    head = " · ".join([part for part in [_head(report), *report.facts] if part])
    lines = [head]
    for part in report.parts:
        lines += ["  " + line if line else "" for line in _part(part)]
    if report.next:
        lines.append("Next: " + " or ".join(report.next))
    return "\n".join(line.rstrip() for line in lines)


def _head(report: Report) -> str:
    return " ".join(part for part in [f"[{report.word}]" if report.word else "", words(report.title)] if part)


def _part(part: Part) -> list[str]:
    if isinstance(part, Line):
        return [words(part.text)]
    if isinstance(part, Note):
        return [f"[{part.word}] {words(part.text)}"]
    if isinstance(part, Table):
        return _table(part)
    if isinstance(part, Progress):
        return [f"{bar(part.done, part.total)} {figure(part.done)} of {figure(part.total)} {words(part.label)}".rstrip()]
    if isinstance(part, Spark):
        return [f"{spark(part.values)} {part.alt}".strip()]
    if isinstance(part, Histogram):
        return [part.alt]
    if isinstance(part, Code):
        return part.source.splitlines()
    assert isinstance(part, Details)
    return [words(part.summary)]


def _cell(value: Any, format: str | None) -> str:
    if isinstance(value, Spark):
        return spark(value.values) or value.alt
    if isinstance(value, tuple) or hasattr(value, "style"):
        return words(value)
    return figure(value, format).replace("\n", " ")


def _table(table: Table) -> list[str]:
    heads = table.heads
    columns = [[row[i] for row in table.rows] for i in range(len(heads))]
    cells = [[_cell(v, head.format) for v in column] for head, column in zip(heads, columns, strict=True)]
    widths = [max([len(head.name), *map(len, column)]) for head, column in zip(heads, cells, strict=True)]
    sides = [right(head, column) for head, column in zip(heads, columns, strict=True)]

    def row(texts: Sequence[str]) -> str:
        parts = [t.rjust(w) if r else t.ljust(w) for t, w, r in zip(texts, widths, sides, strict=True)]
        return "  ".join(parts)

    lines = [row([head.name for head in heads])] + [row([c[i] for c in cells]) for i in range(len(table.rows))]
    if table.total is not None and table.total > len(table.rows):
        lines.append(f"… {table.total - len(table.rows):,} more rows")
    return lines + ([table.caption] if table.caption else [])


def bar(done: float, total: float, width: int = 24) -> str:
    """Progress as a bar of characters."""
    filled = round(width * min(1.0, done / total)) if total else 0
    return "█" * filled + "░" * (width - filled)


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
