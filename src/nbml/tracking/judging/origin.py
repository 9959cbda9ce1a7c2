"""Where rows come from: their place in the frame or array that they were taken from, and what it says of their time and their group."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from nbml.tracking.judging.material import Array, Order, encode, factorized, length, table
from nbml.tracking.judging.order import WHEN, WHOSE, _words
from nbml.tracking.judging.overlap import hashes

#: arrays of the notebook that are looked at for the rows
MOST = 30


def beside(X_train: Any, X_test: Any, names: Mapping[str, Any]) -> tuple[tuple[Order, ...], tuple[Order, ...]]:
    """Times and orders, and groups, of the rows of both sides that are no features."""
    n, m = length(X_train), length(X_test)
    orders = [*_by_index(X_train, X_test), *_pairs(names, n, m)]
    own = {str(column) for column in getattr(X_train, "columns", ())}
    for value, place in _sources(X_train, X_test, names):
        orders += [one for one in _from_source(value, place, names, n) if one.name not in own]
        if not any(one.kind == "order" for one in orders):
            orders.append(Order("", "order", place[:n].astype(float), place[n:].astype(float)))
    return tuple(o for o in orders if o.kind != "group"), tuple(o for o in orders if o.kind == "group")


def _by_index(X_train: Any, X_test: Any) -> Iterator[Order]:
    """What the index of frames says: a time, the place in a longer frame, a name of a group."""
    import pandas as pd

    if not (isinstance(X_train, (pd.DataFrame, pd.Series)) and isinstance(X_test, (pd.DataFrame, pd.Series))):
        return
    for level in range(min(X_train.index.nlevels, X_test.index.nlevels)):
        first, second = X_train.index.get_level_values(level), X_test.index.get_level_values(level)
        name = str(first.name) if first.name is not None else "the index"
        if isinstance(first, (pd.DatetimeIndex, pd.PeriodIndex)) and type(first) is type(second):
            yield _order(name, "time", first, second)
        elif _words(name) & WHOSE and name != "the index" and not first.is_unique:
            yield _order(name, "group", first, second)
        elif {first.dtype.kind, second.dtype.kind} <= set("iu") and first.is_unique and second.is_unique and not first.isin(second).any():
            yield Order("the index", "order", first.to_numpy(dtype=float), second.to_numpy(dtype=float))


def _order(name: str, kind: str, first: Any, second: Any) -> Order:
    import pandas as pd

    if kind == "time":
        both = [pd.Series(side.to_timestamp() if hasattr(side, "to_timestamp") else side) for side in (first, second)]
        times = [side.dt.tz_convert("UTC").dt.tz_localize(None) if side.dt.tz is not None else side for side in both]
        train, test = (side.to_numpy(dtype="datetime64[ns]").astype("int64") / 1e9 for side in times)
        return Order(name, kind, train, test)
    codes = factorized([*first, *second])[0]
    return Order(name, kind, codes[: len(first)], codes[len(first) :])


def _pairs(names: Mapping[str, Any], n: int, m: int) -> Iterator[Order]:
    """Variables like ``groups_train`` and ``groups_test``."""
    for name, value in names.items():
        found = re.search(r"(^|_)(train|tr)(_|$)", name)
        kind = _kind(name, value)
        if not found or not kind or _rows(value) != n:
            continue
        for word in ("test", "te", "valid", "val"):
            other = names.get(name[: found.start(2)] + word + name[found.end(2) :])
            if other is not None and _rows(other) == m and _rows(value) == n:
                yield _made(name, kind, [*_flat(value), *_flat(other)], n)
                break


def _rows(value: Any) -> int:
    shape = getattr(value, "shape", None)
    if shape is not None:
        return int(shape[0]) if len(shape) == 1 else -1
    return len(value) if isinstance(value, (list, tuple)) else -1


def _flat(value: Any) -> list[Any]:
    return list(value)


def _kind(name: str, value: Any) -> str:
    """time or group where a variable or column is so by its type or name, else ""."""
    dtype = getattr(value, "dtype", None)
    if getattr(dtype, "kind", "") == "M":
        return "time"
    words = set(_words(name))
    singular = {word[:-1] for word in words if word.endswith("s")}
    if (words | singular) & WHOSE:
        return "group"
    return "time" if (words | singular) & WHEN and getattr(dtype, "kind", "") in "iufO" else ""


def _made(name: str, kind: str, values: list[Any], n: int) -> Order:
    import pandas as pd

    if kind == "time":
        series = pd.Series(values)
        if series.dtype.kind not in "iuf":
            series = pd.to_datetime(series, errors="coerce", utc=True, format="ISO8601").dt.tz_localize(None)
            numbers = np.where(series.isna(), np.nan, series.to_numpy(dtype="datetime64[ns]").astype("int64") / 1e9)
        else:
            numbers = series.to_numpy(dtype=float)
        return Order(name, kind, numbers[:n], numbers[n:])
    codes = factorized(values)[0]
    return Order(name, kind, codes[:n], codes[n:])


def _sources(X_train: Any, X_test: Any, names: Mapping[str, Any]) -> Iterator[tuple[Any, Array]]:
    """Frames and arrays of the notebook that hold all rows of both sides, with the place of each row."""
    n, m = length(X_train), length(X_test)
    looked = 0
    for value in reversed(list(names.values())):
        if _rows_of(value) < n + m or value is X_train or value is X_test or looked >= MOST:
            continue
        looked += 1
        place = _by_label(X_train, X_test, value) if hasattr(X_train, "iloc") else _by_content(X_train, X_test, value)
        if place is not None:
            yield value, place


def _rows_of(value: Any) -> int:
    shape = getattr(value, "shape", None)
    return int(shape[0]) if shape is not None and len(shape) == 2 else 0


def _by_label(X_train: Any, X_test: Any, value: Any) -> Array | None:
    """Places by the index, where the frame has the same values in a column that it shares, or exactly as many rows."""
    if not hasattr(value, "iloc") or not value.index.is_unique or not hasattr(X_test, "iloc"):
        return None
    place = np.concatenate([value.index.get_indexer(side.index) for side in (X_train, X_test)])
    if (place < 0).any():
        return None
    shared = [column for column in getattr(X_train, "columns", ()) if column in value.columns][:5]
    some = place[: length(X_train)][:200]
    head = X_train.iloc[:200]
    if any(head[column].equals(value[column].iloc[some]) or _equal(head[column], value[column].iloc[some]) for column in shared):
        return place
    return place if len(value) == length(X_train) + length(X_test) and len(np.unique(place)) == len(place) else None


def _equal(a: Any, b: Any) -> bool:
    return list(a.astype(str)) == list(b.astype(str))


def _by_content(X_train: Any, X_test: Any, value: Any) -> Array | None:
    """Places by the rows' values."""
    both = [table(side) for side in (X_train, X_test, value)]
    if (
        any(side is None or not hasattr(side, "shape") or hasattr(side, "tocsr") for side in both)
        or len({side.shape[1] for side in both}) > 1
    ):
        return None
    sides = [np.asarray(side) for side in both]
    if any(side.dtype.kind not in "iufb" for side in sides):
        return None
    train, test, whole = (hashes(side.astype(float)) for side in sides)
    order = np.argsort(whole, kind="stable")
    known = whole[order]
    if len(np.unique(known)) < 0.9 * len(known):
        return None
    wanted = np.concatenate([train, test])
    place = np.clip(np.searchsorted(known, wanted), 0, len(known) - 1)
    return order[place] if (known[place] == wanted).all() else None


def _from_source(value: Any, place: Array, names: Mapping[str, Any], n: int) -> Iterator[Order]:
    """Columns and variables beside a source that say time or group."""
    if hasattr(value, "columns"):
        for column in value.columns:
            one = value[column]
            if getattr(one, "ndim", 1) != 1:
                continue
            kind = _kind(str(column), one)
            if kind and one.nunique() > 1:
                yield _made(str(column), kind, list(one.iloc[place]), n)
        if value.index.nlevels == 1 and getattr(value.index, "dtype", None) is not None and value.index.dtype.kind == "M":
            yield _made(str(value.index.name or "the index"), "time", list(value.index[place]), n)
    for name, other in names.items():
        if other is not value and _rows(other) == _rows_of(value) and _kind(name, other):
            flat = _flat(other)
            yield _made(name, _kind(name, other), [flat[k] for k in place], n)


__all__ = ["beside", "encode"]
