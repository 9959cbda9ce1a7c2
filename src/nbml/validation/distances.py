"""How far a column has moved from its reference: psi, ks, js, chi2, wasserstein, by pandas and numpy.

psi, js and chi2 compare shares in the same bins: for numbers and instants the ten quantile bins of the reference and one
for nulls; for anything else its fifty most frequent values, "other", and one for nulls. ks and wasserstein compare the
values themselves, so they are for numbers and instants only.

- psi: sum of (now - reference) * ln(now / reference), shares floored at 1e-4
- js: Jensen-Shannon distance, base 2, from 0 (equal) to 1
- chi2: Pearson's statistic of the two rows of counts
- ks: the largest distance of the two empirical distribution functions, exact
- wasserstein: the first Wasserstein distance, in the column's own unit (seconds for instants)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

QUANTILES = 10
CATEGORIES = 50
FLOOR = 1e-4


@dataclass(frozen=True)
class Distance:
    """``value``, or None and the ``reason``; ``details`` are the bins' names and shares."""

    value: float | None
    reason: str = ""
    details: dict[str, Any] = field(default_factory=dict)


def distance(word: str, now: pd.Series, reference: pd.Series, min_rows: int) -> Distance:
    """One measure. Fewer than ``min_rows`` rows on either side is a reason, not a value."""
    for rows, of in ((len(now), ""), (len(reference), " in the reference")):
        if rows < min_rows:
            return Distance(None, f"not enough rows{of}: {rows:,} where {min_rows:,} are needed")
    numeric = _numeric(now), _numeric(reference)
    if numeric[0] != numeric[1]:
        return Distance(None, f"the column is {now.dtype}, in the reference {reference.dtype}")
    if word in ("ks", "wasserstein"):
        if not numeric[0]:
            return Distance(None, f"{word} compares numbers, and the column is {now.dtype}; psi, js and chi2 take it")
        mine, theirs = _finite(now), _finite(reference)
        if not len(mine) or not len(theirs):
            return Distance(None, "no values to compare" + ("" if len(theirs) else " in the reference"))
        value = _ks(mine, theirs) if word == "ks" else _wasserstein(mine, theirs)
        return Distance(value, details=_shares(now, reference, numeric[0])[0])
    details, counts, expected = _shares(now, reference, numeric[0])
    measure = {"psi": _psi, "js": _js, "chi2": _chi2}[word]
    return Distance(measure(counts, expected), details=details)


def _numeric(column: pd.Series) -> bool:
    import pandas as pd

    kinds = pd.api.types
    dtype = column.dtype
    if kinds.is_bool_dtype(dtype) or kinds.is_complex_dtype(dtype):
        return False
    return bool(kinds.is_numeric_dtype(dtype) or kinds.is_datetime64_any_dtype(dtype) or kinds.is_timedelta64_dtype(dtype))


def _floats(column: pd.Series) -> np.ndarray[Any, Any]:
    """Numbers as float64 with NaN for nulls, instants as seconds."""
    import numpy as np
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(column.dtype) or pd.api.types.is_timedelta64_dtype(column.dtype):
        zero = pd.Timestamp(0, tz=getattr(column.dtype, "tz", None)) if "datetime" in str(column.dtype) else None
        spans = column if zero is None else column - zero
        return spans.dt.total_seconds().to_numpy()
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _finite(column: pd.Series) -> np.ndarray[Any, Any]:
    import numpy as np

    values = _floats(column)
    return np.sort(values[np.isfinite(values)])


def _shares(now: pd.Series, reference: pd.Series, numeric: bool) -> tuple[dict[str, Any], Any, Any]:
    """What is told of the bins, and the counts of both in the same bins, nulls last."""
    if numeric:
        names, counts, expected = _quantile_counts(_floats(now), _floats(reference))
    else:
        names, counts, expected = _category_counts(now, reference)
    told = {
        "rows": len(now), "reference_rows": len(reference), "bins": [*names, None],
        "reference": [float(v) for v in expected / len(reference)], "now": [float(v) for v in counts / len(now)],
    }  # fmt: skip
    return told, counts, expected


def _quantile_counts(now: Any, reference: Any) -> tuple[list[Any], Any, Any]:
    """Bins are ``(edge before, edge]``; the last is open. A constant reference has a bin below it too."""
    import numpy as np

    values = reference[np.isfinite(reference)]
    edges = np.unique(np.quantile(values, np.arange(1, QUANTILES) / QUANTILES)) if len(values) else np.array([0.0])
    if len(values) and values.min() == values.max():
        edges = np.array([np.nextafter(edges[0], -np.inf), edges[0]])

    def count(column: Any) -> Any:
        real = column[~np.isnan(column)]
        held = np.bincount(np.searchsorted(edges, real, side="left"), minlength=len(edges) + 1)
        return np.append(held, len(column) - len(real)).astype(float)

    return [*(float(edge) for edge in edges), "more"], count(now), count(reference)


def _category_counts(now: pd.Series, reference: pd.Series) -> tuple[list[Any], Any, Any]:
    import numpy as np

    mine, theirs = _values(now), _values(reference)
    names = sorted(theirs, key=lambda value: -theirs[value])[:CATEGORIES]

    def count(counts: dict[Any, int], rows: int) -> Any:
        held = [counts.get(name, 0) for name in names]
        real = sum(counts.values())
        return np.array([*held, real - sum(held), rows - real], dtype=float)

    return [*(str(name) for name in names), "other"], count(mine, len(now)), count(theirs, len(reference))


def _values(column: pd.Series) -> dict[Any, int]:
    """How often each value that is not null stands there; what has no hash counts by its text."""
    real = column.dropna().astype(object)
    try:
        return {value: int(count) for value, count in real.value_counts().items()}
    except TypeError:
        return {value: int(count) for value, count in real.map(repr).value_counts().items()}


def _psi(counts: Any, expected: Any) -> float:
    import numpy as np

    now, then = (np.maximum(c / max(c.sum(), 1.0), FLOOR) for c in (counts, expected))
    return float(np.sum((now - then) * np.log(now / then)))


def _js(counts: Any, expected: Any) -> float:
    import numpy as np

    now, then = (c / max(c.sum(), 1.0) for c in (counts, expected))
    middle = (now + then) / 2
    total = 0.0
    for side in (now, then):
        held = side > 0
        total += float(np.sum(side[held] * np.log2(side[held] / middle[held]))) / 2
    return float(np.sqrt(max(total, 0.0)))


def _chi2(counts: Any, expected: Any) -> float:
    import numpy as np

    table = np.vstack([counts, expected])
    table = table[:, table.sum(axis=0) > 0]
    even = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / table.sum()
    return float(np.sum((table - even) ** 2 / even))


def _ks(now: Any, then: Any) -> float:
    import numpy as np

    both = np.concatenate([now, then])
    gaps = np.searchsorted(now, both, side="right") / len(now) - np.searchsorted(then, both, side="right") / len(then)
    return float(np.max(np.abs(gaps)))


def _wasserstein(now: Any, then: Any) -> float:
    import numpy as np

    both = np.sort(np.concatenate([now, then]))
    steps = np.diff(both)
    mine = np.searchsorted(now, both[:-1], side="right") / len(now)
    theirs = np.searchsorted(then, both[:-1], side="right") / len(then)
    return float(np.sum(np.abs(mine - theirs) * steps))
