"""Which rows of two frames are the same: exact, by numpy.

Each pair of columns becomes whole numbers in which equal values, and only these, are equal: numbers their own bits,
instants their ticks, texts the places in one dictionary of both. Rows are found by a 64-bit hash of these, and each pair
that is found is compared column by column, so that a collision pairs nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from nbml.frames.distances import texts

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")
V = TypeVar("V")
#: rows from which columns are worked on side by side: sorting and hashing run without the interpreter's lock
MANY = 50_000
_MIX = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0x9E3779B97F4A7C15)  # SplitMix64


def each(work: Callable[[T], V], items: Iterable[T], rows: int) -> list[V]:
    """``work`` on each item, in order; side by side where there are many rows."""
    whole = list(items)
    if rows < MANY or len(whole) < 2:
        return [work(item) for item in whole]
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        return list(pool.map(work, whole))


class Pair:
    """Two columns that may be compared value by value. Nulls of any kind are equal to each other and to nothing else."""

    def __init__(self, a: pd.Series, b: pd.Series) -> None:
        self.a, self.b = a, b

    def parts(self) -> list[tuple[Any, Any]]:
        """Arrays of whole numbers, of a and of b, all of which are equal where the values are."""
        return _numbers(self.a, self.b) or _instants(self.a, self.b) or self._codes

    @cached_property
    def _codes(self) -> list[tuple[Any, Any]]:
        """Places in one dictionary: kept, as making them is what takes time."""
        return _texts(self.a, self.b) or _objects(self.a, self.b)

    def equal(self, at: Any = None, to: Any = None) -> Any:
        """Where the values of a (at positions ``at``) equal those of b (at positions ``to``); slices or arrays."""
        found: Any = None
        for x, y in self.parts():
            same = (x if at is None else x[at]) == (y if to is None else y[to])
            found = same if found is None else found & same
        return found


def _numbers(a: pd.Series, b: pd.Series) -> list[tuple[Any, Any]]:
    import numpy as np
    import pandas as pd

    kinds = pd.api.types
    dtypes = (a.dtype, b.dtype)
    real = all(
        (kinds.is_numeric_dtype(d) or kinds.is_bool_dtype(d)) and not kinds.is_complex_dtype(d) and getattr(d, "kind", "") != "O"
        and not isinstance(d, (pd.CategoricalDtype, pd.SparseDtype, pd.IntervalDtype)) and "decimal" not in str(d)
        for d in dtypes
    )  # fmt: skip
    if not real:
        return []
    if any(kinds.is_float_dtype(d) for d in dtypes):
        values = [column.to_numpy(dtype=np.float64, na_value=np.nan) for column in (a, b)]
        nulls = [np.isnan(v) for v in values]
        whole = [(v + 0.0).view(np.int64) for v in values]  # -0.0 is 0.0
        for w, n in zip(whole, nulls, strict=True):
            w[n] = 0
        return _parts(whole, nulls)
    nulls = [column.isna().to_numpy() for column in (a, b)]
    kind = np.uint64 if all("uint64" in str(d).lower() for d in dtypes) else np.int64
    try:
        filled = [c.fillna(False if kinds.is_bool_dtype(c.dtype) else 0) if n.any() else c for c, n in zip((a, b), nulls, strict=True)]
        whole = [c.to_numpy(dtype=kind) for c in filled]
    except (OverflowError, TypeError, ValueError):
        return []
    if kind is np.int64 and any("uint64" in str(d).lower() and (w < 0).any() for d, w in zip(dtypes, whole, strict=True)):
        return []
    return _parts([w.view(np.int64) for w in whole], nulls)


def _instants(a: pd.Series, b: pd.Series) -> list[tuple[Any, Any]]:
    import numpy as np
    import pandas as pd

    zoned = [isinstance(column.dtype, pd.DatetimeTZDtype) for column in (a, b)]
    if zoned[0] != zoned[1]:
        return []
    if zoned[0]:
        a, b = (column.dt.tz_convert("UTC").dt.tz_localize(None) for column in (a, b))
    kinds = [getattr(column.dtype, "kind", "") for column in (a, b)]
    if kinds[0] != kinds[1] or kinds[0] not in "mM" or not all(isinstance(column.dtype, np.dtype) for column in (a, b)):
        return []
    units = ("s", "ms", "us", "ns")
    held = [np.datetime_data(np.dtype(str(column.dtype)))[0] for column in (a, b)]
    unit = max(held, key=units.index)
    try:
        values = [column.dt.as_unit(unit).to_numpy() for column in (a, b)]
    except pd.errors.OutOfBoundsDatetime:
        return []
    nulls = [np.isnat(v) for v in values]
    return _parts([np.where(n, 0, v.view(np.int64)) for v, n in zip(values, nulls, strict=True)], nulls)


def _parts(values: list[Any], nulls: list[Any]) -> list[tuple[Any, Any]]:
    found = [(values[0], values[1])]
    return [*found, (nulls[0], nulls[1])] if any(n.any() for n in nulls) else found


def _texts(a: pd.Series, b: pd.Series) -> list[tuple[Any, Any]]:
    import numpy as np
    import pyarrow as pa

    arrays = [_worded(column) for column in (a, b)]
    if any(array is None for array in arrays):
        return []
    encoded = pa.concat_arrays(arrays).dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32, copy=False)
    return [(codes[: len(a)], codes[len(a) :])]


def _worded(column: pd.Series) -> Any:
    """Texts, and categories that are texts, as an Arrow array."""
    import pandas as pd
    import pyarrow as pa

    if not isinstance(column.dtype, pd.CategoricalDtype):
        return texts(column)
    categories = texts(pd.Series(column.dtype.categories))
    codes = column.cat.codes.to_numpy()
    return None if categories is None else categories.take(pa.array(codes, mask=codes < 0))


def _objects(a: pd.Series, b: pd.Series) -> list[tuple[Any, Any]]:
    import numpy as np
    import pandas as pd

    values = np.concatenate([column.astype(object).to_numpy() for column in (a, b)])
    try:
        codes = pd.factorize(values)[0]
    except TypeError:  # what has no hash is compared by its text
        codes = pd.factorize(np.array([None if v is None else repr(v) for v in values], dtype=object))[0]
    return [(codes[: len(a)], codes[len(a) :])]


# -- rows -----------------------------------------------------------------------------------------------------


def hashes(pairs: Sequence[Pair], at: Any, to: Any, rows: int) -> tuple[Any, Any]:
    """One number for each row of a (at positions ``at``) and of b (at ``to``): equal rows have equal ones."""
    import numpy as np

    def one(item: tuple[int, Pair]) -> tuple[Any, Any]:
        place, pair = item
        sums = []
        for side, where in ((0, at), (1, to)):
            total: Any = None
            for part, arrays in enumerate(pair.parts()):
                mixed = _mixed(arrays[side][where], place * 2 + part + 1)
                total = mixed if total is None else total + mixed
            sums.append(total)
        return sums[0], sums[1]

    found = (np.zeros(len(at), np.uint64), np.zeros(len(to), np.uint64))
    step = 4  # columns at once: their sums are what memory holds
    items = list(enumerate(pairs))
    for begin in range(0, len(items), step):
        for sums in each(one, items[begin : begin + step], rows):
            for total, part in zip(found, sums, strict=True):
                total += part
    return found


def _mixed(values: Any, salt: int) -> Any:
    """SplitMix64 of each value, another function for each salt."""
    import numpy as np

    z = values.astype(np.int64).view(np.uint64) + np.uint64(salt * _MIX[2] % 2**64)
    for shift, factor in ((30, _MIX[0]), (27, _MIX[1])):
        z ^= z >> np.uint64(shift)
        z *= np.uint64(factor)
    z ^= z >> np.uint64(31)
    return z


def matched(x: Any, y: Any) -> tuple[Any, Any]:
    """Positions in x and in y of equal numbers: the k-th of a number in x with the k-th of it in y."""
    import numpy as np

    if not len(x) or not len(y):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    order, other = np.argsort(x, kind="stable"), np.argsort(y, kind="stable")
    ranked, asked = x[order], y[other]
    begins = np.ones(len(asked), bool)
    begins[1:] = asked[1:] != asked[:-1]
    places = np.arange(len(asked))
    occurrence = places - np.maximum.accumulate(np.where(begins, places, 0))
    found = np.searchsorted(ranked, asked, side="left") + occurrence
    held = found < len(ranked)
    held[held] = ranked[found[held]] == asked[held]
    return order[found[held]], other[held]


def same_rows(pairs: Sequence[Pair], rows: tuple[int, int]) -> tuple[Any, Any]:
    """Positions of the rows that both frames hold, as multisets, in the order of a.

    Frames of one length are compared in place first, others from both ends; what is left is found by its hash.
    """
    import numpy as np

    mine, theirs = rows
    if not pairs:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    least = min(rows)
    if mine == theirs:
        front = _in_place(pairs, slice(0, mine), slice(0, mine), mine)
        at = to = np.flatnonzero(front)
    else:
        ahead = _in_place(pairs, slice(0, least), slice(0, least), least)
        head = least if ahead.all() else int(np.argmin(ahead))
        rest = least - head
        behind = _in_place(pairs, slice(mine - rest, mine), slice(theirs - rest, theirs), rest)
        tail = rest if behind.all() else int(np.argmin(behind[::-1]))
        at = np.r_[0:head, mine - tail : mine]
        to = np.r_[0:head, theirs - tail : theirs]
    left, right = _without(mine, at), _without(theirs, to)
    found = matched(*hashes(pairs, left, right, max(rows))) if len(left) and len(right) else (left[:0], right[:0])
    more, their = left[found[0]], right[found[1]]
    sound = np.ones(len(more), bool)
    for same in each(lambda pair: pair.equal(more, their), pairs, max(rows)) if len(more) else ():
        sound &= same
    at, to = np.concatenate([at, more[sound]]), np.concatenate([to, their[sound]])
    order = np.argsort(at, kind="stable")
    return at[order], to[order]


def _in_place(pairs: Sequence[Pair], at: slice, to: slice, rows: int) -> Any:
    """Where rows at the same place of two stretches are equal."""
    import numpy as np

    found = np.ones(at.stop - at.start, bool)
    for same in each(lambda pair: pair.equal(at, to), pairs, rows):
        found &= same
    return found


def _without(rows: int, taken: Any) -> Any:
    import numpy as np

    free = np.ones(rows, bool)
    free[taken] = False
    return np.flatnonzero(free)
