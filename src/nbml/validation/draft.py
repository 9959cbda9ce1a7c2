"""A first suite for a frame: what holds of it, a little wider, as lines to be read and corrected by whoever knows the data."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from nbml.validation.checking import level
from nbml.validation.words import written

if TYPE_CHECKING:
    import pandas as pd

#: most values of a column that are written out as a set
SET = 20
#: least rows from which uniqueness means something
MANY = 20
KEY = re.compile(r"(^|_)(id|key|uuid|code|email|number|nr)$", re.I)


def draft(df: pd.DataFrame, private: Collection[str] = ()) -> str:
    """Lines in the language of ``expect`` that hold for ``df``. Of a private column only keys and nulls are told."""
    frame = level(df)
    lines = [_rows(len(frame))]
    kept = {name: frame[name] for name in frame.columns if frame[name].notna().any()}
    keys = [name for place, (name, column) in enumerate(kept.items()) if _is_key(name, column, place)]
    lines += [f"unique({written(name)})" for name in keys]
    whole = [written(name) for name, column in kept.items() if column.notna().all()]
    lines += [f"not_null({', '.join(whole[start : start + 8])})" for start in range(0, len(whole), 8)]
    for name, column in kept.items():
        share = float(column.notna().mean())
        if 0.5 <= share < 1:
            lines.append(f"not_null({written(name)}), mostly={math.floor(share * 100) / 100:g}")
        if name not in private and name not in keys:
            lines += _values(written(name), column)
    return "\n".join(lines)


def _rows(count: int) -> str:
    if count == 0:
        return "rows >= 0"
    return f"{_number(_outward(count / 2, -1), True)} <= rows <= {_number(_outward(count * 2, 1), True)}"


def _is_key(name: str, column: pd.Series, place: int) -> bool:
    import pandas as pd

    kinds = pd.api.types
    if len(column) < MANY or column.isna().any() or not (KEY.search(name) or place == 0):
        return False
    if not (kinds.is_integer_dtype(column.dtype) or _is_text(column)):
        return False
    return bool(column.is_unique)


def _is_text(column: pd.Series) -> bool:
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype):
        return all(isinstance(value, str) for value in column.dtype.categories)
    return bool(pd.api.types.is_string_dtype(column.dtype)) and all(isinstance(value, str) for value in column.dropna())


def _values(name: str, column: pd.Series) -> Iterator[str]:
    import pandas as pd

    kinds = pd.api.types
    real = column.dropna()
    if kinds.is_bool_dtype(column.dtype) or kinds.is_complex_dtype(column.dtype):
        return
    if kinds.is_datetime64_any_dtype(column.dtype):
        yield f'{name} >= "{real.min().date().isoformat()}"'
    elif kinds.is_numeric_dtype(column.dtype):
        low, high = real.min(), real.max()
        if all(math.isfinite(float(edge)) for edge in (low, high)):
            whole = kinds.is_integer_dtype(column.dtype)
            yield f"{_number(_outward(low, -1), whole)} <= {name} <= {_number(_outward(high, 1), whole)}"
    elif _is_text(column) and real.nunique() <= min(SET, max(2, len(real) // 5)):
        yield f"{name} in {{{', '.join(repr(value) for value in sorted(set(real)))}}}"


def _outward(value: Any, side: int) -> float | int:
    """``value`` rounded to two digits, down where ``side`` is -1, up where it is 1; small whole numbers as they are."""
    number = float(value)
    if number == 0 or (number == int(number) and abs(number) < 100):
        return int(number)
    step = 10.0 ** (math.floor(math.log10(abs(number))) - 1)
    rounded = math.floor(number / step) if side < 0 else math.ceil(number / step)
    return float(f"{rounded * step:.12g}")


def _number(value: float, whole: bool) -> str:
    if whole or (value == int(value) and abs(value) < 1e15):
        return f"{int(value):_}"
    return f"{value:g}"
