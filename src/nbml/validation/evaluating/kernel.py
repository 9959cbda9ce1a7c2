"""What is asked of whole arrays: pure functions of numpy arrays, and the one place that a native kernel would replace.

Every mask is of bools, as long as its array; True is a value that breaks the expectation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

#: so many values are compared one by one; more are looked up
FEW = 12
#: integers that float64 holds exactly
EXACT = 2**53


def first(mask: Mask, limit: int) -> NDArray[np.intp]:
    """The first ``limit`` positions that are True; stops looking where it has them."""
    found: list[NDArray[np.intp]] = []
    start, step = 0, 4096
    while start < len(mask) and limit > 0:
        here = np.flatnonzero(mask[start : start + step])[:limit] + start
        found.append(here)
        limit -= len(here)
        start, step = start + step, step * 4
    return np.concatenate(found) if found else np.empty(0, dtype=np.intp)


def outside(values: NDArray[Any], low: Any, high: Any, strict: tuple[bool, bool]) -> Mask:
    """Values that are not within the bounds (None is no bound). NaN is outside."""
    inside: Mask | None = None
    if low is not None:
        inside = values > low if strict[0] else values >= low
    if high is not None:
        below = values < high if strict[1] else values <= high
        inside = below if inside is None else np.logical_and(inside, below, out=inside)
    assert inside is not None
    return np.logical_not(inside, out=inside)


def among(values: NDArray[Any], chosen: Sequence[Any]) -> Mask:
    """Values that equal one of ``chosen``, as Python compares numbers: 1 == 1.0 == True, and no rounding of large ones."""
    kind = values.dtype.kind
    kept: list[Any] = []
    for value in chosen:
        if kind == "f":
            try:
                rounded = float(value)
            except OverflowError:
                continue
            if rounded == value:
                kept.append(rounded)
        elif value == value and abs(value) != float("inf") and int(value) == value:
            kept.append(int(value))
    if kind == "b":
        return np.where(values, 1 in kept, 0 in kept)
    if kind == "f":
        values = values.astype(np.float64, copy=False)
    else:
        least, most = np.iinfo(values.dtype).min, np.iinfo(values.dtype).max
        kept = [value for value in kept if least <= value <= most]
    kept = list(dict.fromkeys(kept))
    if len(kept) > FEW:
        return np.isin(values, np.array(kept, dtype=values.dtype))
    found = np.zeros(len(values), dtype=bool)
    for value in kept:
        found |= values == values.dtype.type(value)
    return found


def out_of_order(values: NDArray[Any], rising: bool, strictly: bool) -> Mask:
    """Values that do not follow the one before them; the first one does. inf after inf is undecided, so in order."""
    found = np.zeros(len(values), dtype=bool)
    if len(values) < 2:
        return found
    with np.errstate(invalid="ignore", over="ignore"):
        step = values[1:] - values[:-1]
    wrong = (np.less_equal if strictly else np.less) if rising else (np.greater_equal if strictly else np.greater)
    found[1:] = wrong(step, 0)
    return found


def distinct_count(ordered: NDArray[Any]) -> int:
    """How many different values there are in a sorted array."""
    return int(np.count_nonzero(ordered[1:] != ordered[:-1])) + 1 if len(ordered) else 0


def spread(by_code: Mask, codes: NDArray[Any]) -> Mask:
    """The judgement of each row from those of the distinct values; code -1 (a null) is not judged."""
    found: Mask = np.append(by_code, False)[codes]
    return found


def repeated(codes: NDArray[Any], size: int) -> Mask:
    """Rows whose code stands more than once; code -1 never does."""
    return spread(np.bincount(codes[codes >= 0], minlength=size) > 1, codes)


def hashes(data: NDArray[np.uint8], offsets: NDArray[np.integer[Any]]) -> NDArray[np.uint64]:
    """A hash of each piece of ``data`` between two offsets: equal pieces have equal ones, others hardly ever."""
    starts, sizes = offsets[:-1].astype(np.int64), np.diff(offsets).astype(np.int64)
    padded = np.concatenate([data, np.zeros(8, dtype=np.uint8)])
    words: NDArray[np.uint64] = np.ndarray((len(padded) - 7,), dtype="<u8", buffer=padded.data, strides=(1,))
    found = sizes.astype(np.uint64) * MIX
    rows = np.flatnonzero(sizes > 0)
    for step in range(0, int(sizes.max(initial=0)), 8):
        if step:
            rows = rows[sizes[rows] > step]
        every = len(rows) == len(found)
        chosen: Any = slice(None) if every else rows
        mixed = words[starts[chosen] + step] & KEEP[np.minimum(sizes[chosen] - step, 8)]
        mixed ^= found[chosen]
        mixed *= MIX
        mixed ^= mixed >> np.uint64(29)
        found[chosen] = mixed
    return found


#: an odd number whose multiples spread over 64 bits (the golden ratio), and the low bytes of a word
MIX = np.uint64(0x9E3779B97F4A7C15)
KEEP = np.array([(1 << 8 * size) - 1 for size in range(9)], dtype=np.uint64)
