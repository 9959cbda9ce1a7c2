"""A report as JSON, version 1 of ``application/vnd.nbml.v1+json``: what JupyterLab's renderer and the panel draw.

No NaN, no infinity, no integer that JavaScript would round. Rows of a table are JSON texts, one for each row, so that
a notebook in Git differs by rows.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from nbml.display.figures import figure, is_number, right
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
    spans,
)  # fmt: skip

MIME = "application/vnd.nbml.v1+json"
#: bytes of rows that a notebook keeps; the store has all of them
INLINE = 200_000
EXACT = 2**53


def payload(report: Report, inline: int | None = INLINE) -> dict[str, Any]:
    """The report as JSON. ``inline`` None keeps all rows (what the store gets)."""
    return {
        "id": report.id,
        "kind": report.kind,
        "ref": report.ref,
        "title": _text(report.title),
        "state": report.state,
        "word": report.word,
        "facts": [str(fact) for fact in report.facts if fact],
        "next": [str(line) for line in report.next],
        "parts": [_part(part, inline) for part in report.parts],
    }


def _text(text: Text) -> Any:
    if isinstance(text, str):
        return text
    return [_span(span) for span in spans(text)]


def _span(span: Span) -> dict[str, str]:
    found = {"text": span.text, "style": span.style}
    if span.style == "chip":
        found["state"] = span.state
    if span.url:
        found["url"] = span.url
    return found


def _part(part: Part, inline: int | None) -> dict[str, Any]:
    if isinstance(part, Line):
        return {"type": "line", "text": _text(part.text)}
    if isinstance(part, Note):
        return {"type": "note", "state": part.state, "word": part.word, "text": _text(part.text)}
    if isinstance(part, Table):
        return _table(part, inline)
    if isinstance(part, Progress):
        return {"type": "progress", "done": scalar(part.done), "total": scalar(part.total), "label": _text(part.label)}
    if isinstance(part, Spark):
        return _spark(part)
    if isinstance(part, Histogram):
        return _histogram(part)
    if isinstance(part, Code):
        return {"type": "code", "source": part.source, "language": part.language}
    if isinstance(part, Curves):
        return _curves(part)
    if isinstance(part, Parallel):
        return _parallel(part)
    if isinstance(part, Diff):
        return {"type": "diff", "from": part.before, "to": part.after, "lines": [list(line) for line in part.lines], "alt": part.alt}
    assert isinstance(part, Details)
    return {"type": "details", "summary": _text(part.summary), "parts": [_part(p, inline) for p in part.parts]}


def _spark(part: Spark) -> dict[str, Any]:
    return {"type": "spark", "values": [_real(v) for v in part.values], "alt": part.alt, "state": part.state}


def _histogram(part: Histogram) -> dict[str, Any]:
    bins = {"reference": [_real(v) for v in part.reference], "now": [_real(v) for v in part.now]}
    return {"type": "histogram", **bins, "alt": part.alt}


def _curves(part: Curves) -> dict[str, Any]:
    series = [{"name": s.name, "colour": s.colour, "points": [[_real(x), _real(y)] for x, y in s.points]} for s in part.series]
    return {"type": "curves", "name": part.name, "x": part.x, "series": series, "alt": part.alt}


def _parallel(part: Parallel) -> dict[str, Any]:
    axes = [{"name": a.name, "kind": a.kind, "log": a.log, "ticks": [list(tick) for tick in a.ticks]} for a in part.axes]
    lines = [{"name": s.name, "colour": s.colour, "places": list(s.places), "texts": list(s.texts)} for s in part.strands]
    return {"type": "parallel", "axes": axes, "lines": lines, "shade": part.shade, "alt": part.alt}


def _gauge(part: Gauge) -> dict[str, Any]:
    """With the words as a span's, for a renderer that does not draw it."""
    ends = {key: None if v is None else _real(v) for key, v in (("at", part.at), ("low", part.low), ("high", part.high))}
    return {"type": "gauge", **ends, "alt": part.alt, "text": part.alt, "style": "muted"}


def _table(table: Table, inline: int | None) -> dict[str, Any]:
    heads = table.heads
    columns = [[row[i] for row in table.rows] for i in range(len(heads))]
    rows: list[str] = []
    used = 0
    for row in table.rows:
        text = json.dumps([_cell(v) for v in row], ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        used += len(text.encode())
        if inline is not None and used > inline:
            break
        rows.append(text)
    return {
        "type": "table",
        "columns": [_column(head, column) for head, column in zip(heads, columns, strict=True)],
        "rows": rows,
        "total": max(table.total or 0, len(table.rows)),
        "caption": table.caption,
    }


def _column(head: Column, values: Sequence[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"name": head.name, "align": "right" if right(head, list(values)) else "left"}
    if head.format:
        found["format"] = head.format
    if head.bar:
        found["bar"] = head.bar
        numbers = [abs(float(v)) for v in values if is_number(v) and math.isfinite(float(v))]
        found["max"] = head.bar_max or max(numbers, default=1.0) or 1.0
        if head.mark:
            found["mark"] = head.mark
    return found


def _cell(value: Any) -> Any:
    if isinstance(value, Spark):
        return _spark(value)
    if isinstance(value, Histogram):
        return _histogram(value)
    if isinstance(value, Gauge):
        return _gauge(value)
    if isinstance(value, (Span, tuple)):
        return _text(value) if isinstance(value, tuple) else [_span(value)]
    return scalar(value)


def scalar(value: Any) -> Any:
    """A value as JSON that JavaScript reads as it is."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if is_number(value):
        number = float(value)
        if math.isnan(number):
            return None
        if math.isinf(number):
            return figure(value)
        if abs(number if isinstance(value, float) else int(value)) > EXACT:
            return figure(value, "exact")
        return int(value) if number == int(number) and not isinstance(value, float) else number
    return str(value)


def _real(value: Any) -> float | None:
    number = math.nan if value is None else float(value)
    return number if math.isfinite(number) else None
