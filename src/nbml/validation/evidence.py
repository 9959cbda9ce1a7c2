"""What one column gives evidence of, as lines of the language: its type, its range or set, its format."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nbml.display import figure, percent
from nbml.validation import formats, margins

if TYPE_CHECKING:
    import pandas as pd

#: least rows from which uniqueness, sets and order mean something
MANY = 20
#: most values of a set of texts, and of numbers
SET, NUMBERS = 20, 10
#: a value of a set is seen this often, or the next frame has more of them: one in so many rows may hold a value seen once
ONCE = 50
#: least share and count of the rarest of a few numbers that are taken for a set
RARE, SEEN = 0.01, 5
#: a share of more than this is one of all shares from 0 to 1
HALF = 0.5

#: an entry of the language, and why it is there ("" where the line says it)
Line = tuple[str, str]


def dtype(name: str, column: pd.Series) -> Iterator[Line]:
    """The line of a column's type, as Great Expectations names it; none for mixed objects."""
    kind = _kind(column)
    if kind:
        yield f'dtype({name}) == "{kind}"', ""


def _kind(column: pd.Series) -> str | None:
    import numpy as np

    found: Any = column.dtype
    if str(found) == "object":
        kinds = {type(value) for value in column.dropna()}
        one = next(iter(kinds)).__name__ if len(kinds) == 1 else ""
        return one if one in ("str", "bool", "int", "float", "date") else None
    return str(found.name if isinstance(found, np.dtype) and found.kind not in "mM" else found.type.__name__)


def is_text(column: pd.Series) -> bool:
    """Whether all values are texts."""
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype):
        return len(column.dtype.categories) > 0 and all(isinstance(value, str) for value in column.dtype.categories)
    return bool(pd.api.types.is_string_dtype(column.dtype)) and all(isinstance(value, str) for value in column.dropna())


def nulls(name: str, share: float) -> Iterator[Line]:
    """The line of the nulls of a column that has some: a little more than now are allowed."""
    if not 0 < share < 1:
        return
    most = math.ceil(round(share + min(0.05, share / 2 + 0.005), 6) * 100) / 100
    if share <= HALF:
        yield f"not_null({name}), mostly={1 - most:.2g}", f"{percent(share)} are null"
    elif most < 1:
        yield f"null_share({name}) <= {most:g}", f"{percent(share)} are null"


def values(name: str, column: pd.Series, key: bool = False) -> Iterator[Line]:
    """Lines for the values of a column that has some; numbers that are a ``key`` have no range, as they grow."""
    import pandas as pd

    kinds, real = pd.api.types, column.dropna()
    if kinds.is_bool_dtype(column.dtype) or kinds.is_complex_dtype(column.dtype):
        return
    if kinds.is_datetime64_any_dtype(column.dtype):
        yield from _instants(name, real)
    elif kinds.is_numeric_dtype(column.dtype):
        if not key:
            yield from _numbers(name, real)
    elif is_text(column):
        yield from _texts(name, real)


def _instants(name: str, real: pd.Series) -> Iterator[Line]:
    low, high = real.min(), real.max()
    if not (1800 <= low.year <= high.year <= 9000):
        return
    first = low - (high - low) / 10
    if first.year >= 1800:
        yield f'{name} >= "{first.date().replace(day=1).isoformat()}"', f"from {low.date().isoformat()}"
    if len(real) >= MANY and low < high and real.is_monotonic_increasing:
        yield f"increasing({name}{', strictly=True' if real.is_unique else ''})", "rows are in the order of time"


def _numbers(name: str, real: pd.Series) -> Iterator[Line]:
    import pandas as pd

    low, high = real.min(), real.max()
    whole = bool(pd.api.types.is_integer_dtype(real.dtype))
    ends = (int(low), int(high)) if whole else (float(low), float(high))
    if not all(math.isfinite(end) for end in ends):
        return
    few = _few(real, whole)
    if few:
        yield f"{name} in {{{', '.join(few)}}}", ""
        return
    if not whole and ends[0] >= 0 and HALF < ends[1] <= 1 and ends[0] < ends[1]:
        yield f"0 <= {name} <= 1", f"{figure(ends[0])} to {figure(ends[1])}"
        return
    bounds = margins.around(*ends)
    if bounds is None:
        return
    yield f"{bounds[0]} <= {name} <= {bounds[1]}", f"{figure(ends[0])} to {figure(ends[1])}"
    low_bound, high_bound = float(bounds[0]), float(bounds[1])
    if low_bound <= -ends[1] and -ends[0] <= high_bound:
        yield from _turned(name, real)


def _few(real: pd.Series, whole: bool) -> list[str]:
    """The values of a column of numbers that holds only a few, each of them often; else none."""
    if len(real) < MANY:
        return []
    found = real.value_counts()
    least = int(found.min())
    if len(found) > NUMBERS or least < SEEN or least < RARE * len(real):
        return []
    if not whole and len(found) > 2 and any(float(value) != int(value) for value in found.index):
        return []
    return [repr(int(value)) if float(value) == int(value) else repr(float(value)) for value in sorted(found.index)]


def _turned(name: str, real: pd.Series) -> Iterator[Line]:
    """The sign of the median where values of the other sign would lie within the range, and it is not so by chance.

    Four standard errors of a median lie within 2 / sqrt(n) of the ranks on either side.
    """
    away = 2 / math.sqrt(len(real))
    if away >= HALF:
        return
    low, high = float(real.quantile(HALF - away)), float(real.quantile(HALF + away))
    if low > 0 or high < 0:
        yield f"median({name}) {'>' if low > 0 else '<'} 0", "the range would not show a change of sign"


def _texts(name: str, real: pd.Series) -> Iterator[Line]:
    import pandas as pd

    found = real.value_counts()
    found = found[found > 0]
    texts = [str(value) for value in found.index]
    days = None if isinstance(real.dtype, pd.CategoricalDtype) else formats.of_days(texts)
    if days is not None and len(real) >= MANY:
        yield f"format({name}, {literal(days)})", "all are dates"
        return
    once = int((found == 1).sum())
    if len(real) >= MANY and len(found) <= min(SET, len(real) // 5) and once * ONCE <= len(real):
        declared = list(real.dtype.categories) if isinstance(real.dtype, pd.CategoricalDtype) else []
        held = declared if 0 < len(declared) <= SET else list(found.index)
        yield f"{name} in {{{', '.join(repr(str(value)) for value in sorted(held))}}}", ""
        return
    format = formats.of_texts(texts)
    if format is not None:
        word, pattern, what = format
        yield f"{word}({name}, {literal(pattern)})", f"all are {what}"
    elif len(texts) >= MANY:
        lengths = [len(text) for text in texts]
        bounds = margins.around(min(lengths), max(lengths) + 1)
        if min(lengths) >= 1 and bounds is not None:
            yield f"1 <= length({name}) <= {bounds[1]}", f"{min(lengths):,} to {max(lengths):,}"


def literal(pattern: str) -> str:
    """A pattern as it is written: raw where that works."""
    return f'r"{pattern}"' if "\\" in pattern and pattern.isprintable() and '"' not in pattern else repr(pattern)
