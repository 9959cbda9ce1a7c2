"""Rules for columns of objects: plain values of one type, and what is null among them, each null as it was.

Types are told by ``type``, never by ``isinstance``, and before arrow sees a value: a list that holds itself would end the
process inside arrow.
"""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nbml.datasets.columns import Json, Part, Rule, Unfit, few

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

#: codes of what stands for nothing
NONE, NAN, NA, NAT = 1, 2, 3, 4
REASON = "holds {} values, which Parquet does not give back as they are; make them text, numbers or columns of their own"
EPOCH = datetime.datetime(1970, 1, 1)
MICROSECOND = datetime.timedelta(microseconds=1)


def rule(values: np.ndarray) -> Rule:
    """The rule for objects. Raises Unfit naming the types that are there."""
    import numpy as np
    import pyarrow as pa

    types = set(map(type, values))
    nulls = _null_types() & types
    real = types - nulls
    missing: Any = np.zeros(len(values), dtype=bool)
    if nulls:
        missing |= np.fromiter((type(value) in nulls for value in values), bool, len(values))
    if (floats := {kind for kind in real if issubclass(kind, float)}) and real != {float}:
        # NaN among other values is a null; floats that are none are values of another type
        rest = real - floats
        if (rest or floats == {float}) and not any(value == value for value in values if type(value) in floats):
            missing |= np.fromiter((type(value) in floats for value in values), bool, len(values))
            real = rest
    kind = _kind(real)
    codes, extra = _codes(values, missing)
    spec: Json = {"kind": "objects", "item": kind if isinstance(kind, str) else kind.__name__, "null": extra if codes is None else 0}
    to_arrow = _writer(spec["item"], real)
    _check(spec["item"], values, missing)
    parts: list[Part] = [lambda start, stop: to_arrow(values[start:stop], missing[start:stop])]
    if codes is not None:
        parts.append(lambda start, stop: pa.array(codes[start:stop]))
    drawn = values[:: max(1, len(values) // 10_000)]
    return Rule(spec, tuple(parts), spec["item"] in ("str", "bytes") and few(len(set(drawn.tolist())), len(drawn)))


def _null_types() -> set[type]:
    import pandas as pd

    return {type(None), type(pd.NA), type(pd.NaT)}


def _kind(real: set[type]) -> Any:
    """The one type of the values, by name. Raises Unfit."""
    import numpy as np

    if not real:
        return "nothing"
    if len(real) > 1:
        names = ", ".join(sorted(kind.__name__ for kind in real))
        raise Unfit(f"holds values of several types ({names}), which Parquet keeps in no one column; make them of one type")
    (kind,) = real
    if kind in _PLAIN:
        return kind.__name__
    if issubclass(kind, np.generic) and np.dtype(kind).kind in "biuf" and np.dtype(kind).itemsize <= 8:
        return f"numpy.{np.dtype(kind)}"
    raise Unfit(REASON.format(kind.__name__))


def _check(item: str, values: np.ndarray, missing: np.ndarray) -> None:
    """What a type allows and arrow does not."""
    there = (value for value, absent in zip(values, missing, strict=True) if not absent)
    if item in ("datetime", "time") and any(value.tzinfo is not None or value.fold for value in there):
        raise Unfit(f"holds {item} values with a time zone or a fold, which is not kept; make them text")
    if item == "str":
        try:
            "".join(there).encode()
        except UnicodeEncodeError as error:
            raise Unfit("holds text with half of a surrogate pair, which is no Unicode; encode it as bytes") from error


def _codes(values: np.ndarray, missing: np.ndarray) -> tuple[np.ndarray | None, int]:
    """Which null stands where, or the one that they all are."""
    import numpy as np
    import pandas as pd

    names = {type(None): NONE, type(pd.NA): NA, type(pd.NaT): NAT}
    there = np.fromiter((names.get(type(value), NAN) for value in values[missing]), np.int8)
    kinds = set(there.tolist())
    if len(kinds) <= 1:
        return None, next(iter(kinds), NONE)
    codes = np.zeros(len(values), np.int8)
    codes[missing] = there
    return codes, 0


def _null(code: int) -> Any:
    import pandas as pd

    return {NONE: None, NAN: float("nan"), NA: pd.NA, NAT: pd.NaT}[code]


# -- each type ------------------------------------------------------------------------------------------------


def _writer(item: str, real: set[type]) -> Callable[[Any, Any], Any]:
    """Values and what is missing of them -> an arrow array."""
    import numpy as np
    import pyarrow as pa

    types: dict[str, Any] = {
        "str": pa.large_string(), "bytes": pa.large_binary(), "bool": pa.bool_(), "float": pa.float64(), "int": pa.large_string(),
        "Decimal": pa.large_string(), "date": pa.date32(), "datetime": pa.timestamp("us"), "time": pa.time64("us"),
        "timedelta": pa.int64(), "nothing": pa.int8(),
    }  # fmt: skip
    before: dict[str, Callable[[Any], Any]] = {"int": str, "Decimal": str, "timedelta": lambda value: value // MICROSECOND}
    change = before.get(item)
    if item.startswith("numpy."):
        dtype = np.dtype(item[6:])
        bits = dtype if dtype != np.float16 else np.dtype(np.uint16)

        def numbers(values: Any, missing: Any) -> Any:
            held = np.zeros(len(values), dtype)
            held[~missing] = values[~missing]
            return pa.array(held.view(bits), mask=missing)

        return numbers

    def plain(values: Any, missing: Any) -> Any:
        held = values
        if missing.any():
            held = values.copy()
            held[missing] = None
        made = [None if value is None else change(value) for value in held] if change else held.tolist()
        return pa.array(made, types[item])

    return plain


_PLAIN = (str, bytes, bool, int, float, decimal.Decimal, datetime.date, datetime.datetime, datetime.time, datetime.timedelta)


def restored(spec: Json, parts: list[pa.ChunkedArray]) -> np.ndarray:
    """The objects of a rule."""
    import numpy as np

    held, item = parts[0], spec["item"]
    found = np.empty(len(held), dtype=object)
    after: dict[str, Callable[[Any], Any]] = {
        "int": int, "Decimal": decimal.Decimal, "timedelta": lambda value: datetime.timedelta(microseconds=value),
    }  # fmt: skip
    if item.startswith("numpy."):
        dtype = np.dtype(item[6:])
        empty = held.null_count and held.is_null().to_numpy()
        numbers = (held.fill_null(0) if held.null_count else held).to_numpy().view(dtype)
        for at, value in enumerate(numbers):
            found[at] = value
        if held.null_count:
            found[empty] = None
    elif item in ("str", "bytes"):
        found[:] = held.to_numpy()
    else:
        change = after.get(item)
        values = held.to_pylist()
        found[:] = [None if value is None else change(value) for value in values] if change else values
    _put_nulls(found, held, spec, parts)
    return found


def _put_nulls(found: np.ndarray, held: pa.ChunkedArray, spec: Json, parts: list[pa.ChunkedArray]) -> None:
    if len(parts) > 1:
        codes = parts[1].to_numpy()
        for code in set(codes.tolist()) - {0}:
            found[codes == code] = _null(code)
    elif held.null_count and spec["null"] != NONE:
        found[held.is_null().to_numpy()] = _null(spec["null"])
