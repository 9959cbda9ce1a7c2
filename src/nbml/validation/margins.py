"""Bounds around what was seen: wider by a share of the spread, and clean numbers."""

from __future__ import annotations

import math
from fractions import Fraction

#: by which share of the spread bounds lie outside of what was seen
MARGIN = Fraction(1, 10)
#: a step may be this much wider than the margin
WIDER = Fraction(5, 4)


def around(low: float, high: float) -> tuple[str, str] | None:
    """Two numbers as text, ``low`` and ``high`` between them. Bounds of whole numbers are whole, and 0 is not crossed.

    None where there is no spread, or where it is no finite number.
    """
    if not (math.isfinite(low) and math.isfinite(high)) or low >= high:
        return None
    whole = isinstance(low, int) and isinstance(high, int)
    first, last = Fraction(low), Fraction(high)
    margin = (last - first) * MARGIN
    step = _step(max(margin, Fraction(1)) if whole else margin)
    down = math.floor((first - margin) / step) * step
    up = math.ceil((last + margin) / step) * step
    down = max(down, Fraction(0)) if first >= 0 else down
    up = min(up, Fraction(0)) if last <= 0 else up
    return _text(down, low, -1), _text(up, high, 1)


def half_to_double(count: int) -> tuple[str, str]:
    """Bounds of a count of rows, with two digits."""
    if count < 2:
        return "0", f"{max(10, 2 * count)}"
    low, high = count // 2, 2 * count
    steps = [10 ** max(0, len(str(edge)) - 2) for edge in (low, high)]
    return f"{low // steps[0] * steps[0]:_}", f"{-(-high // steps[1]) * steps[1]:_}"


def _step(margin: Fraction) -> Fraction:
    """The largest of 1, 2 and 5 times a power of ten that is hardly wider than ``margin``."""
    most = margin * WIDER
    power = Fraction(10) ** (len(str(most.numerator)) - len(str(most.denominator)))
    while power > most:
        power /= 10
    while power * 10 <= most:
        power *= 10
    return next(power * factor for factor in (5, 2, 1) if power * factor <= most)


def _text(bound: Fraction, seen: float, side: int) -> str:
    """``bound`` as a literal; what was seen itself where the literal would not lie outside of it."""
    if (bound.denominator == 1 and abs(bound) < 10**15) or isinstance(seen, int):
        return f"{int(bound):_}"
    try:
        text = f"{float(bound):.12g}"
        outside = math.isfinite(float(text)) and (float(text) - seen) * side >= 0
    except OverflowError:
        outside = False
    return text if outside else repr(float(seen))
