"""The measures of drift for expectations: what ``frames.distances`` computes, or the reason why there is no value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nbml.frames.distances import CATEGORIES, QUANTILES, Comparison
from nbml.frames.measures import EXACT, FLOOR, PICKS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CATEGORIES", "EXACT", "FLOOR", "PICKS", "QUANTILES", "Comparison", "Distance", "distance", "too_few"]


@dataclass(frozen=True)
class Distance:
    """``value``, or None and the ``reason``; ``details`` are the bins' names and shares."""

    value: float | None
    reason: str = ""
    details: dict[str, Any] = field(default_factory=dict)


def distance(word: str, now: pd.Series, reference: pd.Series, min_rows: int) -> Distance:
    """One measure. Fewer than ``min_rows`` rows on either side is a reason, not a value."""
    few = too_few(len(now), len(reference), min_rows)
    if few:
        return Distance(None, few)
    found = Comparison(now, reference)
    if found.unlike:
        return Distance(None, found.unlike)
    if word in ("ks", "wasserstein"):
        if not found.numeric:
            return Distance(None, f"{word} compares numbers, and the column is {now.dtype}; psi, js and chi2 take it")
        if not found.measurable:
            return Distance(None, "no values to compare" + ("" if len(found.sides[1].values) else " in the reference"))
    return Distance(getattr(found, word), details=found.shares)


def too_few(rows: int, reference_rows: int, min_rows: int) -> str:
    """Why there are not enough rows on either side to measure; "" where there are."""
    for count, of in ((rows, ""), (reference_rows, " in the reference")):
        if count < min_rows:
            return f"not enough rows{of}: {count:,} where {min_rows:,} are needed"
    return ""
