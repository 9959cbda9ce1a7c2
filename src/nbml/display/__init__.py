"""Values to show, drawn as plain text, as static HTML and as JSON. The only builder of HTML."""

from __future__ import annotations

from nbml.display.figures import ago, figure, percent, seconds, size, visible
from nbml.display.html import html
from nbml.display.payload import MIME, payload
from nbml.display.plain import text
from nbml.display.shown import Live, Shown, bundle, keep
from nbml.display.values import (
    PALETTE,
    Axis,
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
    Series,
    Span,
    Spark,
    Strand,
    Table,
    Text,
    chip,
    code,
    link,
    muted,
    plain_text,
    strong,
)  # fmt: skip

__all__ = [
    "MIME", "PALETTE", "Axis", "Code", "Column", "Curves", "Details", "Diff", "Gauge", "Histogram", "Line", "Live", "Note", "Parallel",
    "Part", "Progress", "Report", "Series", "Shown", "Span", "Spark", "Strand", "Table", "Text", "ago", "bundle", "chip", "code",
    "figure", "html", "keep", "link", "muted", "payload", "percent", "plain_text", "seconds", "size", "strong", "text", "visible",
]  # fmt: skip
