"""What the training rows hold in each column: told to whoever asks the service, never enforced."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

from nbml.packaging import bridge
from nbml.packaging.inputs import Rows

#: examples of a column, values that are listed in full, rows that are looked at for them, characters of a text
EXAMPLES, FEW, LOOKED_AT, LONGEST = 3, 20, 50_000, 80


def of(rows: Rows, private: Collection[str] = ()) -> dict[str, dict[str, Any]]:
    """By column: ``min`` and ``max``, ``examples``, ``values`` where there are few, ``nulls``; of a private one that it is, no more."""
    return {
        spec["name"]: {"private": True} if spec["name"] in private else _column(_series(rows, i), spec["kind"])
        for i, spec in enumerate(rows.inputs)
    }


def _series(rows: Rows, i: int) -> Any:
    import pandas as pd

    if rows.kind == "frame":
        return rows.data.iloc[:, i]
    return pd.Series(rows.data[:, i] if rows.kind == "array" else rows.data)


def _column(series: Any, kind: str) -> dict[str, Any]:
    there = series.dropna()
    found: dict[str, Any] = {"nulls": len(there) < len(series)}
    if kind in ("number", "integer", "datetime") and len(there):
        try:
            low, high = bridge.scalar(there.min()), bridge.scalar(there.max())
        except (TypeError, ValueError):  # objects that do not compare, or an infinity
            low = high = None
        if low is not None and not (isinstance(low, float) and math.isnan(low)):
            found |= {"min": low, "max": high}
    some = there.iloc[:LOOKED_AT].drop_duplicates()
    if kind in ("text", "category", "boolean") and 0 < len(some) <= FEW:
        values = [value for value in (_told(value) for value in some) if value is not None]
        if kind == "category":
            values = values[:FEW]
        found["values"] = sorted(values, key=str)
    examples = [_told(value) for value in some.iloc[:: max(1, len(some) // EXAMPLES)].iloc[:EXAMPLES]]
    found["examples"] = [value for value in examples if value is not None]
    return found


def _told(value: Any) -> Any:
    """A value as JSON; None where it cannot be, or is too long to be shown."""
    try:
        plain = bridge.scalar(value)
    except bridge.Unfit:
        return None
    return None if isinstance(plain, str) and len(plain) > LONGEST else plain
