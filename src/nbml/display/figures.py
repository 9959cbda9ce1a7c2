"""Figures as people read them: at most three significant digits, thousands separated."""

from __future__ import annotations

import math
import time
import unicodedata
from typing import Any

from nbml.display.values import Column, Gauge, Histogram, Span, Spark, Text, plain_text

MISSING = ""


def figure(value: Any, format: str | None = None) -> str:
    """``value`` as text. ``format`` as in Column."""
    if value is None:
        return MISSING
    if isinstance(value, (bool, str)):
        return str(value)
    if isinstance(value, (Spark, Histogram, Gauge)):
        return value.alt
    if isinstance(value, (Span, tuple)):
        return plain_text(value)
    if isinstance(value, (int, float)) or hasattr(value, "__float__"):
        return _number(value, format)
    return str(value)


def _number(value: Any, format: str | None) -> str:
    number = float(value)
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "inf" if number > 0 else "−inf"
    if format == "time":
        return ago(number)
    if format == "bytes":
        return size(number)
    if format == "exact":
        return repr(value) if isinstance(value, float) else f"{value:,}"
    if format == "percent":
        return percent(number)
    return digits(value)


def digits(value: Any) -> str:
    """Whole numbers whole, others with three significant digits."""
    number = float(value)
    if number == int(number) and abs(number) < 1e15:
        return f"{int(number):,}".replace("-", "−")
    if 1e-4 <= abs(number) < 999.5:
        places = max(0, 2 - math.floor(math.log10(abs(number))))
        return f"{number:.{places}f}".replace("-", "−")
    if 999.5 <= abs(number) < 1e15:
        return f"{number:,.0f}".replace("-", "−")
    return f"{number:.3g}".replace("-", "−")


def percent(share: float) -> str:
    """A share as per cent: 0.104 -> "10.4 %"; what is not nothing is never shown as 0 or 100."""
    if share in (0, 1):
        return f"{share * 100:.0f} %"
    if 0 < share < 0.0005:
        return "< 0.1 %"
    if 0.9995 < share < 1:
        return "> 99.9 %"
    return f"{share * 100:.1f} %"


def size(count: float) -> str:
    """Bytes with a unit."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" or count >= 10 else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError


def seconds(span: float) -> str:
    """A span of time: "6 ms", "3.1 s", "2 min", "4 h", "2 d"."""
    if span < 0.9995:
        return f"{span * 1000:.0f} ms" if span >= 0.0095 else f"{span * 1000:.1f} ms"
    if span < 9.95:
        return f"{span:.1f} s"
    if span < 99.5:
        return f"{span:.0f} s"
    for length, unit in ((60, "min"), (3600, "h"), (86400, "d")):
        if span < length * 99.5 and (unit != "min" or span < 5970):
            return f"{span / length:.0f} {unit}"
    return f"{span / 86400:,.0f} d"


def ago(when: float) -> str:
    """An instant (epoch seconds) as "2 min ago"."""
    span = time.time() - when
    return "just now" if span < 10 else f"{seconds(span)} ago"


def is_number(value: Any) -> bool:
    """Whether a cell is drawn as a number."""
    return not isinstance(value, (bool, str, tuple, Span, Spark, Histogram, Gauge)) and value is not None and hasattr(value, "__float__")


def visible(text: str, joiners: str = "\u200c\u200d") -> str:
    """What a reader would not see, or what turns the text around it, as its escape: control characters, marks of direction,
    separators of lines. ``joiners`` hold scripts and emoji together, and stay."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" or c in joiners or _space(c) else _escape(c) for c in text)


def _space(char: str) -> bool:
    return unicodedata.category(char) == "Zs"


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode()


def right(column: Column, values: list[Any]) -> bool:
    """Whether a column is right-aligned: as asked, else where all its values are numbers."""
    if column.align != "auto":
        return column.align == "right"
    real = [v for v in values if v is not None]
    return bool(real) and all(is_number(v) for v in real)


def shares(column: Column, values: list[Any]) -> list[float]:
    """How much of each cell its bar fills."""
    numbers = [float(v) if is_number(v) and math.isfinite(float(v)) else 0.0 for v in values]
    top = column.bar_max or max([abs(n) for n in numbers], default=0.0) or 1.0
    return [min(1.0, max(0.0, abs(n) / top)) for n in numbers]


def marked(gauge: Gauge) -> tuple[float, float, float] | None:
    """Where bounds and value lie in a picture from 0 to 1: the bounds' ends, then the value; None where nothing can be drawn.

    A bound that is not there is an end of the picture.
    """
    known = [v for v in (gauge.low, gauge.high, gauge.at) if v is not None]
    if gauge.at is None or len(known) < 2 or not all(map(math.isfinite, known)):
        return None
    first, last = min(known), max(known)
    span = (last - first) or abs(last) or 1.0
    if not math.isfinite(span):
        return None

    def place(value: float) -> float:
        return 0.06 + 0.88 * (value - first) / span

    return (0.0 if gauge.low is None else place(gauge.low), 1.0 if gauge.high is None else place(gauge.high), place(gauge.at))


def words(text: Text) -> str:
    """Any text, chips in brackets, for a terminal."""
    from nbml.display.values import spans

    return "".join(f"[{s.text}]" if s.style == "chip" else s.text for s in spans(text))
