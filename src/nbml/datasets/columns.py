"""Columns as arrow arrays and back, exactly: a rule for each dtype, and refusal by name where there is none.

A rule gives a spec (JSON) and one or more parts (functions of a stretch of rows, so that no copy of a column is ever
whole), and from these the very array again. What a rule takes comes back by construction: nothing is read back to be
compared. ``objects`` holds the rules for columns of objects.
"""

from __future__ import annotations

import base64
import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbml import errors

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Json = dict[str, Any]
#: rows start to stop of a part
Part = Callable[[int, int], Any]


@dataclass(frozen=True)
class Rule:
    """How a column is kept. ``few``: its values are few, so that Parquet's dictionary is worth its while."""

    spec: Json
    parts: tuple[Part, ...]
    few: bool = False


class Unfit(Exception):
    """No rule keeps a column: the message goes on from "column 'x' "."""


def rule(array: Any) -> Rule:
    """The rule for a column's array. Raises Unfit."""
    import numpy as np
    import pandas as pd

    from nbml.datasets import objects

    dtype = array.dtype
    if isinstance(array, pd.arrays.NumpyExtensionArray) and not isinstance(dtype, pd.StringDtype):
        dtype, array = array.to_numpy().dtype, array.to_numpy()
    if isinstance(dtype, np.dtype):
        return objects.rule(array) if dtype.kind == "O" else _numpy(np.asarray(array), dtype)
    for kind, make in _EXTENSIONS.items():
        if isinstance(dtype, getattr(pd, kind)):
            return make(array, dtype)
    if hasattr(array, "_mask") and str(dtype) in _MASKED:
        return Rule({"kind": "masked", "dtype": str(dtype)}, (lambda start, stop: _one(array[start:stop].__arrow_array__()),))
    raise Unfit(f"is of dtype {dtype}, which is not kept; make it numbers, text or dates")


def restored(spec: Json, parts: list[pa.ChunkedArray]) -> Any:
    """The array of a rule's spec and parts: for pandas to take as it is."""
    return _RESTORE[spec["kind"]](spec, parts)


# -- numpy ----------------------------------------------------------------------------------------------------

_MASKED = frozenset(
    ["boolean", "Float32", "Float64", *(f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64))]
)


def _numpy(values: Any, dtype: Any) -> Rule:
    """Numbers as they are; what Parquet has no type for as the bits or whole numbers that it is made of."""
    import numpy as np
    import pyarrow as pa

    spec: Json = {"kind": "numpy", "dtype": dtype.str if dtype.byteorder == ">" else str(dtype)}
    if dtype.kind == "b" or (dtype.kind in "iuf" and dtype.itemsize <= 8 and str(dtype) != "float16"):
        native = dtype.newbyteorder("=")
        return Rule(spec, (lambda start, stop: pa.array(np.ascontiguousarray(values[start:stop], dtype=native)),))
    if str(dtype) == "float16":
        return Rule(spec, (lambda start, stop: pa.array(np.ascontiguousarray(values[start:stop]).view(np.uint16)),))
    if dtype.kind == "c" and dtype.itemsize <= 16:
        wide = pa.binary(dtype.itemsize)

        def bits(start: int, stop: int) -> Any:
            held = np.ascontiguousarray(values[start:stop])
            return pa.Array.from_buffers(wide, len(held), [None, pa.py_buffer(held)])

        return Rule(spec, (bits,))
    if dtype.kind == "M" and np.datetime_data(dtype) in (("ms", 1), ("us", 1), ("ns", 1)):
        return Rule(spec, (lambda start, stop: pa.array(values[start:stop]),))
    if dtype.kind in "mM":
        return Rule(spec, (lambda start, stop: pa.array(np.ascontiguousarray(values[start:stop]).view(np.int64)),))
    raise Unfit(f"is of dtype {dtype}, which Parquet does not have; make it float64")


def _from_numpy(spec: Json, parts: list[pa.ChunkedArray]) -> Any:
    import numpy as np
    import pyarrow as pa

    dtype, part = np.dtype(spec["dtype"]), parts[0]
    if pa.types.is_fixed_size_binary(part.type):
        pieces = [
            np.frombuffer(chunk.buffers()[1], dtype)[chunk.offset : chunk.offset + len(chunk)] for chunk in part.chunks if len(chunk)
        ]
        return np.concatenate([np.empty(0, dtype), *pieces])
    values = part.to_numpy()
    if values.dtype != dtype:
        values = values.view(dtype) if dtype.kind in "mM" or str(dtype) == "float16" else values.astype(dtype)
    return values if values.flags.writeable else values.copy()


# -- pandas' own ----------------------------------------------------------------------------------------------


def _string(array: Any, dtype: Any) -> Rule:
    import pandas as pd
    import pyarrow as pa

    spec: Json = {"kind": "string", "storage": dtype.storage, "na": "NA" if dtype.na_value is pd.NA else "nan"}
    if dtype.storage == "pyarrow":
        held = array.__arrow_array__()
        part: Part = lambda start, stop: _one(held.slice(start, stop - start)).cast(pa.large_string())  # noqa: E731
    else:
        values = array.to_numpy(dtype=object)
        part = lambda start, stop: _texts(values[start:stop])  # noqa: E731
    return Rule(spec, (part,), _few(array))


def _texts(values: Any) -> Any:
    import pyarrow as pa

    try:
        return _one(pa.array(values, pa.large_string(), from_pandas=True))
    except UnicodeEncodeError as error:
        raise Unfit("holds text with half of a surrogate pair, which is no Unicode; encode it as bytes") from error


def _from_string(spec: Json, parts: list[pa.ChunkedArray]) -> Any:
    import pandas as pd

    na: Any = pd.NA if spec["na"] == "NA" else float("nan")
    dtype: Any = pd.StringDtype(spec["storage"], na_value=na)
    return dtype.__from_arrow__(parts[0]) if spec["storage"] == "pyarrow" else pd.array(parts[0].to_numpy(), dtype=dtype)


def _from_masked(spec: Json, parts: list[pa.ChunkedArray]) -> Any:
    import pandas as pd

    return pd.api.types.pandas_dtype(spec["dtype"]).__from_arrow__(parts[0])  # type: ignore[union-attr]


def _zoned(array: Any, dtype: Any) -> Rule:
    """Instants in UTC; the zone by its name, or by its distance from UTC."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    zone = zone_spec(dtype.tz)
    back = None if zone is None else zone_of(zone)
    if zone is None or back is None or pd.DatetimeTZDtype(dtype.unit, back) != dtype:
        raise Unfit(f"has the time zone {dtype.tz!r}, which has no name that leads back to it; use tz_convert with a name")
    values = array.view("i8")
    if dtype.unit == "s":
        part: Part = lambda start, stop: pa.array(np.ascontiguousarray(values[start:stop]))  # noqa: E731
    else:
        part = lambda start, stop: pa.array(  # noqa: E731
            values[start:stop].view(f"M8[{dtype.unit}]"), pa.timestamp(dtype.unit, "UTC")
        )
    return Rule({"kind": "zoned", "unit": dtype.unit, "zone": zone}, (part,))


def _from_zoned(spec: Json, parts: list[pa.ChunkedArray]) -> Any:
    import pandas as pd

    values = parts[0].to_numpy().view(f"M8[{spec['unit']}]")
    zone = zone_of(spec["zone"])
    if zone is None:
        raise errors.StoreError(f"the time zone {spec['zone']!r} of a column is not known on this machine: install tzdata")
    return pd.DatetimeIndex(values.copy()).tz_localize("UTC").tz_convert(zone).array


def zone_spec(zone: Any) -> str | float | None:
    """A time zone's name, or its fixed distance from UTC in seconds; None where it has neither."""
    if isinstance(zone, datetime.timezone):
        return zone.utcoffset(None).total_seconds()
    return getattr(zone, "key", None) or getattr(zone, "zone", None)


def zone_of(spec: str | float) -> datetime.tzinfo | None:
    """The zone of ``zone_spec``; None where this machine does not know it."""
    import zoneinfo

    if isinstance(spec, str):
        try:
            return zoneinfo.ZoneInfo(spec)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            return None
    return datetime.UTC if spec == 0 else datetime.timezone(datetime.timedelta(seconds=spec))


def _category(array: Any, dtype: Any) -> Rule:
    """Codes; the categories, which are part of the dtype, travel in the spec."""
    import pyarrow as pa

    codes = array.codes
    spec = {"kind": "category", "ordered": bool(dtype.ordered), "categories": inline(dtype.categories)}
    return Rule(spec, (lambda start, stop: pa.array(codes[start:stop]),))


def _from_category(spec: Json, parts: list[pa.ChunkedArray]) -> Any:
    import pandas as pd

    whole: Any = pd.CategoricalDtype(outline(spec["categories"]), spec["ordered"])
    return pd.Categorical.from_codes(parts[0].to_numpy().copy(), dtype=whole)


def _period(array: Any, dtype: Any) -> Rule:
    import pyarrow as pa

    values = array.asi8
    return Rule({"kind": "period", "dtype": str(dtype)}, (lambda start, stop: pa.array(values[start:stop]),))


def _from_period(spec: Json, parts: list[pa.ChunkedArray]) -> Any:
    import pandas as pd

    dtype: Any = pd.api.types.pandas_dtype(spec["dtype"])
    return pd.arrays.PeriodArray(parts[0].to_numpy().copy(), dtype=dtype)


def _interval(array: Any, dtype: Any) -> Rule:
    ends = [rule(array.left.array), rule(array.right.array)]
    spec = {"kind": "interval", "closed": array.closed, "ends": [end.spec for end in ends], "left": len(ends[0].parts)}
    return Rule(spec, ends[0].parts + ends[1].parts)


def _from_interval(spec: Json, parts: list[pa.ChunkedArray]) -> Any:
    import pandas as pd

    left, right = (restored(end, held) for end, held in zip(spec["ends"], (parts[: spec["left"]], parts[spec["left"] :]), strict=True))
    return pd.arrays.IntervalArray.from_arrays(pd.Index(left), pd.Index(right), closed=spec["closed"])


def _sparse(array: Any, dtype: Any) -> Rule:
    raise Unfit(f"is sparse ({dtype}), and a version keeps every value; use .sparse.to_dense()")


def _arrow(array: Any, dtype: Any) -> Rule:
    """Arrow's own columns, of the types that Parquet gives back as they were."""
    import pyarrow as pa

    kind, known = dtype.pyarrow_dtype, pa.types
    flat = (known.is_integer, known.is_floating, known.is_boolean, known.is_string, known.is_large_string, known.is_binary,
            known.is_large_binary, known.is_date32, known.is_time, known.is_decimal128)  # fmt: skip
    if not any(test(kind) for test in flat) and not (known.is_timestamp(kind) and kind.unit != "s"):
        raise Unfit(f"is of Arrow's type {kind}, which is not kept; make it one of pandas' own")
    held = array.__arrow_array__()
    text = base64.b64encode(pa.schema([("", kind)]).serialize().to_pybytes()).decode()
    return Rule({"kind": "arrow", "type": text}, (lambda start, stop: _one(held.slice(start, stop - start)),))


def _from_arrow(spec: Json, parts: list[pa.ChunkedArray]) -> Any:
    import pandas as pd
    import pyarrow as pa

    kind = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(spec["type"]))).field(0).type
    dtype: Any = pd.ArrowDtype(kind)
    return dtype.__from_arrow__(parts[0].cast(kind))


# -- a whole column in a spec -----------------------------------------------------------------------------------


def inline(index: pd.Index) -> Json:
    """An index as JSON: its column's rule, with the values as arrow's own bytes. Raises Unfit."""
    import pyarrow as pa

    made = rule(index.array)
    arrays = [part(0, len(index)) for part in made.parts]
    table = pa.table(arrays, names=[str(at) for at in range(len(arrays))])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    return {"column": made.spec, "values": base64.b64encode(sink.getvalue().to_pybytes()).decode()}


def outline(spec: Json) -> pd.Index:
    """The index of ``inline``, without its name."""
    import pyarrow as pa

    table = pa.ipc.open_stream(base64.b64decode(spec["values"])).read_all()
    return as_index(restored(spec["column"], table.columns))


def as_index(array: Any) -> pd.Index:
    """An array as an index of the very same dtype."""
    import numpy as np
    import pandas as pd

    objects = isinstance(array, np.ndarray) and array.dtype == object
    return pd.Index(array, dtype=object, tupleize_cols=False) if objects else pd.Index(array)


def _one(array: Any) -> Any:
    """One array of what may be chunked."""
    import pyarrow as pa

    if not isinstance(array, pa.ChunkedArray):
        return array
    return array.chunk(0) if array.num_chunks == 1 else array.combine_chunks()


def _few(values: Any) -> bool:
    """Whether there are few different ones among 10,000 values from all over the column."""
    step = max(1, len(values) // 10_000)
    drawn = values[::step]
    return few(len(drawn.unique()), len(drawn))


def few(distinct: int, drawn: int) -> bool:
    """Few enough that an edit does not shift the dictionary of a column: such values have all come before it."""
    return distinct <= min(1000, drawn // 4)


_EXTENSIONS: dict[str, Callable[[Any, Any], Rule]] = {
    "StringDtype": _string, "DatetimeTZDtype": _zoned, "CategoricalDtype": _category, "PeriodDtype": _period,
    "IntervalDtype": _interval, "SparseDtype": _sparse, "ArrowDtype": _arrow,
}  # fmt: skip


def _from_objects(spec: Json, parts: list[pa.ChunkedArray]) -> Any:
    from nbml.datasets import objects

    return objects.restored(spec, parts)


_RESTORE: dict[str, Callable[[Json, list[Any]], Any]] = {
    "numpy": _from_numpy, "string": _from_string, "masked": _from_masked, "zoned": _from_zoned, "category": _from_category,
    "period": _from_period, "interval": _from_interval, "arrow": _from_arrow, "objects": _from_objects,
}  # fmt: skip
