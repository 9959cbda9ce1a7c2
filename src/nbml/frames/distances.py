"""How far a column has moved from its reference, by pandas, numpy and Arrow. Each figure is computed at most once.

psi, js and chi2 compare shares in the same bins: for numbers and instants the ten quantile bins of the reference and one
for nulls; for anything else its fifty most frequent values, "other", and one for nulls. ks and wasserstein compare the
values themselves, so they are for numbers and instants only.

The measures themselves are ``frames.measures``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from nbml.frames import measures

if TYPE_CHECKING:
    import pandas as pd

QUANTILES = 10
CATEGORIES = 50


@dataclass(frozen=True)
class Ordered:
    """The values of a column of numbers or instants: ``values`` are the finite ones as sorted float64."""

    values: Any
    rows: int
    nulls: int
    below: int
    above: int

    @property
    def unmeasured(self) -> int:
        """Nulls and infinities."""
        return self.rows - len(self.values)

    def upto(self, edges: Any) -> Any:
        """How many values, infinities included, are at most each edge."""
        import numpy as np

        return np.searchsorted(self.values, edges, side="right") + self.below

    def quantiles(self, shares: Any) -> Any:
        """As ``numpy.quantile`` gives them, without another search."""
        import numpy as np

        at = np.asarray(shares) * (len(self.values) - 1)
        low = np.floor(at).astype(np.int64)
        step = at - low
        before, after = self.values[low], self.values[np.minimum(low + 1, len(self.values) - 1)]
        with np.errstate(over="ignore", invalid="ignore"):
            gap = after - before
            return np.where(step >= 0.5, after - gap * (1 - step), before + gap * step)


def ordered(column: pd.Series) -> Ordered:
    """The values of a column of numbers or instants, sorted."""
    import numpy as np

    values = floats(column)
    finite = np.isfinite(values)
    whole = bool(finite.all())
    held = np.sort(values if whole else values[finite])
    nulls = below = 0
    if not whole:
        odd = values[~finite]
        nulls, below = int(np.isnan(odd).sum()), int((odd == -np.inf).sum())
    return Ordered(held, len(values), nulls, below, len(values) - len(held) - nulls - below)


def numeric(column: pd.Series) -> bool:
    """Whether a column is of numbers, instants or spans of time; flags are not."""
    import pandas as pd

    kinds = pd.api.types
    dtype = column.dtype
    if kinds.is_bool_dtype(dtype) or kinds.is_complex_dtype(dtype) or isinstance(dtype, (pd.CategoricalDtype, pd.IntervalDtype)):
        return False
    return bool(kinds.is_numeric_dtype(dtype) or kinds.is_datetime64_any_dtype(dtype) or kinds.is_timedelta64_dtype(dtype))


def floats(column: pd.Series) -> Any:
    """Numbers as float64 with NaN for nulls, instants and spans as seconds."""
    import numpy as np
    import pandas as pd

    dtype = column.dtype
    if pd.api.types.is_datetime64_any_dtype(dtype) or pd.api.types.is_timedelta64_dtype(dtype):
        zero = pd.Timestamp(0, tz=getattr(dtype, "tz", None)) if "time" in str(dtype) and "delta" not in str(dtype) else None
        if isinstance(dtype, pd.DatetimeTZDtype):
            column, zero = column.dt.tz_convert("UTC").dt.tz_localize(None), pd.Timestamp(0)
        values = column.to_numpy()
        if values.dtype.kind in "mM" and (unit := PARTS.get(np.datetime_data(values.dtype)[0])):
            seconds = values.view(np.int64) / unit
            empty = np.isnat(values)
            return np.where(empty, np.nan, seconds) if empty.any() else seconds
        return (column if zero is None else column - zero).dt.total_seconds().to_numpy(dtype=np.float64, na_value=np.nan)
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


#: unit of an instant -> how many make a second
PARTS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


class Comparison:
    """Two columns. A measure that does not apply is NaN; ``unlike`` says why nothing can be compared, or is ""."""

    def __init__(self, now: pd.Series, reference: pd.Series) -> None:
        self.now, self.reference = now, reference
        kinds = numeric(now), numeric(reference)
        if kinds[0] != kinds[1]:  # a column of nulls only is of any kind
            kinds = (kinds[1], kinds[1]) if now.isna().all() else (kinds[0], kinds[0]) if reference.isna().all() else kinds
        self.unlike = "" if kinds[0] == kinds[1] else f"the column is {now.dtype}, in the reference {reference.dtype}"
        self.numeric = kinds[0]

    @cached_property
    def sides(self) -> tuple[Ordered, Ordered]:
        """Both columns sorted: now and reference, of numbers."""
        return ordered(self.now), ordered(self.reference)

    @cached_property
    def bins(self) -> tuple[list[Any], Any, Any]:
        """Names of the bins, counts now, counts of the reference; nulls last."""
        names, counts, expected = quantile_counts(*self.sides) if self.numeric else category_counts(self.now, self.reference)
        return [*names, None], counts, expected

    @cached_property
    def shares(self) -> dict[str, Any]:
        """What is told of the bins, as JSON."""
        names, counts, expected = self.bins
        return {
            "rows": len(self.now), "reference_rows": len(self.reference), "bins": names,
            "reference": [float(v) for v in expected / max(len(self.reference), 1)],
            "now": [float(v) for v in counts / max(len(self.now), 1)],
        }  # fmt: skip

    @cached_property
    def psi(self) -> float:
        return measures.psi(*self.bins[1:])

    @cached_property
    def js(self) -> float:
        return measures.js(*self.bins[1:])

    @cached_property
    def chi2(self) -> float:
        return measures.chi2(*self.bins[1:])

    @cached_property
    def measurable(self) -> bool:
        """Whether there are values for ks and wasserstein."""
        return self.numeric and all(len(side.values) for side in self.sides)

    @cached_property
    def ks(self) -> float:
        return measures.ks(*(side.values for side in self.sides)) if self.measurable else math.nan

    @cached_property
    def wasserstein(self) -> float:
        return measures.wasserstein(*(side.values for side in self.sides)) if self.measurable else math.nan

    @cached_property
    def p(self) -> float:
        """How probable a difference as large is where both come from one source.

        Of numbers the two-sample Kolmogorov-Smirnov test, and a chi-squared test of how many are null or infinite, the
        smaller one doubled; of anything else a chi-squared test of the bins.
        """
        import numpy as np

        if not self.numeric:
            return measures.chi2_p(*self.bins[1:])
        found = [measures.ks_p(self.ks, *(side.values for side in self.sides))] if self.measurable else []
        if any(side.unmeasured for side in self.sides):
            found.append(measures.chi2_p(*(np.array([len(side.values), side.unmeasured], dtype=float) for side in self.sides)))
        return min(1.0, min(found) * len(found)) if found else 1.0


# -- bins -----------------------------------------------------------------------------------------------------


def quantile_counts(now: Ordered, reference: Ordered) -> tuple[list[Any], Any, Any]:
    """Bins are ``(edge before, edge]``; the last is open. A constant reference has a bin below it too."""
    import numpy as np

    values = reference.values
    edges = np.unique(reference.quantiles(np.arange(1, QUANTILES) / QUANTILES)) if len(values) else np.array([0.0])
    if len(values) and values[0] == values[-1]:
        edges = np.array([np.nextafter(edges[0], -np.inf), edges[0]])

    def count(side: Ordered) -> Any:
        upto = side.upto(edges)
        return np.diff(np.concatenate([[0], upto, [side.rows - side.nulls, side.rows]])).astype(float)

    return [*(float(edge) for edge in edges), "more"], count(now), count(reference)


def category_counts(now: pd.Series, reference: pd.Series) -> tuple[list[Any], Any, Any]:
    """The reference's most frequent values, "other" and nulls."""
    import numpy as np

    mine, theirs = tally(now), tally(reference)
    if mine is None or theirs is None:  # what has no hash counts by its text, on both sides
        mine, theirs = by_text(now), by_text(reference)
    names = [name for name, _ in theirs.ranked(CATEGORIES)]

    def count(side: _Texts | _Counts, rows: int) -> Any:
        held = side.of(names)
        return np.array([*held, side.real - sum(held), rows - side.real], dtype=float)

    return [*(str(name) for name in names), "other"], count(mine, len(now)), count(theirs, len(reference))


class _Texts:
    """The values of an Arrow array of texts."""

    def __init__(self, array: Any) -> None:
        self.array = array
        self.real = len(array) - array.null_count

    @cached_property
    def counts(self) -> Any:
        import pyarrow.compute as pc

        return pc.value_counts(self.array.drop_null())

    @property
    def distinct(self) -> int:
        """How many values there are."""
        return len(self.counts)

    def ranked(self, most: int) -> list[tuple[Any, int]]:
        """The most frequent ones and how often they stand there, first come first where they are as frequent."""
        import numpy as np

        counts = self.counts.field(1).to_numpy()
        order = np.argsort(-counts, kind="stable")[:most]
        return list(zip(self.counts.field(0).take(order).to_pylist(), counts[order].tolist(), strict=True))

    def of(self, names: Sequence[Any]) -> list[int]:
        """How often each name stands there."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        texts = [name for name in names if isinstance(name, str)]
        at = pc.index_in(self.array, value_set=pa.array(texts, self.array.type), skip_nulls=True).drop_null()
        counts = dict(zip(texts, np.bincount(at.to_numpy(), minlength=len(texts)).tolist(), strict=True))
        return [counts.get(name, 0) for name in names]


class _Counts:
    """How often each value that is not null stands in a column."""

    def __init__(self, counts: dict[Any, int]) -> None:
        self.counts = counts
        self.real = sum(counts.values())

    @property
    def distinct(self) -> int:
        return len(self.counts)

    def ranked(self, most: int) -> list[tuple[Any, int]]:
        return sorted(self.counts.items(), key=lambda item: -item[1])[:most]

    def of(self, names: Sequence[Any]) -> list[int]:
        return [self.counts.get(name, 0) for name in names]


def tally(column: pd.Series) -> _Texts | _Counts | None:
    """How often each value stands in a column that is not of numbers; None where values have no hash."""
    import numpy as np
    import pandas as pd

    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        held = np.bincount(column.cat.codes.to_numpy() + 1, minlength=len(dtype.categories) + 1)[1:]
        return _Counts({value: int(count) for value, count in zip(dtype.categories, held, strict=True) if count})
    if pd.api.types.is_bool_dtype(dtype) and str(dtype) != "object":
        true, real = int(column.sum()), int(column.notna().sum())
        return _Counts({value: count for value, count in ((True, true), (False, real - true)) if count})
    array = texts(column)
    if array is not None:
        return _Texts(array)
    try:
        return _Counts({value: int(count) for value, count in column.dropna().astype(object).value_counts().items()})
    except TypeError:
        return None


def texts(column: pd.Series) -> Any:
    """A column of texts as an Arrow array; None where it holds anything else."""
    import pandas as pd
    import pyarrow as pa

    worded = isinstance(column.dtype, pd.StringDtype)
    if not worded and (column.dtype != object or pd.api.types.infer_dtype(column, skipna=True) not in ("string", "empty")):
        return None
    try:
        array = pa.array(column, type=pa.large_string(), from_pandas=True)
    except (pa.ArrowException, UnicodeEncodeError):  # half a surrogate pair
        return None
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def by_text(column: pd.Series) -> _Counts:
    """How often each text of a value stands in a column."""
    return _Counts({value: int(count) for value, count in column.dropna().astype(object).map(repr).value_counts().items()})
