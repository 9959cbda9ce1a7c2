"""Tensors of the Open Inference Protocol: JSON or bytes to a flat list of plain values, and back."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import answers
from .columns import Column
from .plan import Rejected

_WHOLE = ((8, "b"), (16, "h"), (32, "i"), (64, "q"))
#: datatype -> (letter of struct, the Python types of its values, lowest, highest)
DATATYPES: dict[str, tuple[str, frozenset[type], float, float]] = {
    "BOOL": ("?", frozenset({bool}), 0, 0),
    **{f"INT{bits}": (letter, frozenset({int}), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits, letter in _WHOLE},
    **{f"UINT{bits}": (letter.upper(), frozenset({int}), 0, 2**bits - 1) for bits, letter in _WHOLE},
    "FP16": ("e", frozenset({int, float}), -math.inf, math.inf),
    "FP32": ("f", frozenset({int, float}), -math.inf, math.inf),
    "FP64": ("d", frozenset({int, float}), -math.inf, math.inf),
    "BYTES": ("", frozenset({str}), 0, 0),
}
#: of a tensor; a column has one or two
_DIMENSIONS = 8


@dataclass(frozen=True)
class Tensor:
    """A named tensor; its values are flat, row by row. A null is None."""

    name: str
    shape: list[int]
    datatype: str
    values: list[Any]
    parameters: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, values: list[Any]) -> Tensor:
        """The tensor of an answer's values, one entry for each row: scalars, or lists of one length. The rest travels as JSON texts."""
        shape = [len(values)]
        if values and all(type(value) is list and len(value) == len(values[0]) for value in values):
            shape.append(len(values[0]))
            values = [inner for value in values for inner in value]
        types = {type(value) for value in values} - {type(None)}
        for datatype in ("BOOL", "INT64", "FP64", "BYTES"):
            if types <= DATATYPES[datatype][1] and types:
                if datatype == "INT64" and any(value is not None and not -(2**63) <= value < 2**63 for value in values):
                    continue
                return cls(name, shape, datatype, values)
        if not types:
            return cls(name, shape, "FP64", values)
        return cls(name, shape, "BYTES", [None if value is None else _text(value) for value in values])


def datatype_of(column: Column) -> str:
    """The datatype of a column of a request."""
    if column.kind == "category":
        kinds = {type(category) for category in column.categories}
        return next((d for d in ("BOOL", "INT64", "FP64") if kinds and kinds <= DATATYPES[d][1]), "BYTES")
    return {"boolean": "BOOL", "text": "BYTES", "datetime": "BYTES"}.get(column.kind) or datatype_of_dtype(column.dtype, column.kind)


def datatype_of_dtype(dtype: str, kind: str = "") -> str:
    """The datatype of a dtype's name: those of numpy, pandas' nullable and Arrow's."""
    name = dtype.lower().partition("[")[0]
    named = {"bool": "BOOL", "boolean": "BOOL", "float16": "FP16", "float32": "FP32", "float": "FP32", "float64": "FP64", "double": "FP64"}
    if name in named:
        return named[name]
    if name.upper() in DATATYPES:
        return name.upper()
    return {"number": "FP64", "integer": "INT64"}.get(kind, "BYTES")


# -- in -------------------------------------------------------------------------------------------------------


def read(entry: Any, rest: memoryview) -> tuple[Tensor, int]:
    """A tensor of a request, and how many bytes of ``rest`` it took. Raises Rejected with 400."""
    if type(entry) is not dict or type(entry.get("name")) is not str:
        raise Rejected(400, "an input is to be an object with name, shape, datatype and data")
    name, shape, datatype = entry["name"], entry.get("shape"), entry.get("datatype")
    what = f"input {name[:100]!r}"
    if type(shape) is not list or not 0 < len(shape) <= _DIMENSIONS or not all(type(n) is int and 0 <= n < 2**31 for n in shape):
        raise Rejected(400, f"{what} has shape {_text(shape)[:100]}; expected whole numbers, as [1]")
    if type(datatype) is not str or datatype not in DATATYPES:
        raise Rejected(400, f"{what} has datatype {_text(datatype)[:100]}; there are {', '.join(DATATYPES)}")
    more = entry.get("parameters")
    size = more.get("binary_data_size") if type(more) is dict else None
    if size is not None:
        if type(size) is not int or not 0 <= size <= len(rest):
            raise Rejected(400, f"{what} has binary_data_size {_text(size)[:100]}; {len(rest)} bytes are left in the body")
        values = _of_bytes(what, datatype, rest[:size])
    else:
        values, size = _of_json(what, entry.get("data"), datatype), 0
    if math.prod(shape) != len(values):
        raise Rejected(400, f"{what} has {len(values)} values for shape {shape}")
    return Tensor(name, shape, datatype, values), size


def _of_json(what: str, data: Any, datatype: str) -> list[Any]:
    if type(data) is not list:
        raise Rejected(400, f"{what} has no data; expected an array")
    depth = 1
    while data and type(data[0]) is list and depth < _DIMENSIONS:
        if not all(type(inner) is list and len(inner) == len(data[0]) for inner in data):
            raise Rejected(400, f"the rows of {what} are not of one length")
        data, depth = [value for inner in data for value in inner], depth + 1
    _, types, low, high = DATATYPES[datatype]
    found = set(map(type, data))
    if not found <= types | {type(None)} or (low < high < math.inf and any(v is not None and not low <= v <= high for v in data)):
        i = next(i for i, v in enumerate(data) if v is not None and (type(v) not in types or (low < high and not low <= v <= high)))
        raise Rejected(400, f"{what} is {datatype}, and value {i} is {_text(data[i])[:100]}")
    return list(data)


def _of_bytes(what: str, datatype: str, data: memoryview) -> list[Any]:
    if datatype == "BYTES":
        return _texts(what, data)
    letter = DATATYPES[datatype][0]
    width = struct.calcsize(f"<{letter}")
    if len(data) % width:
        raise Rejected(400, f"{what} is {datatype} of {width} bytes each, and has {len(data)} bytes")
    values = list(struct.unpack(f"<{len(data) // width}{letter}", data))
    if datatype.startswith("FP"):
        i = next((i for i, value in enumerate(values) if math.isinf(value)), None)
        if i is not None:
            raise Rejected(400, f"{what} has an infinite value {i}")
        return [None if value != value else value for value in values]
    return values


def _texts(what: str, data: memoryview) -> list[str]:
    """Texts, each after four bytes of its length."""
    found: list[str] = []
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "little")
        if at + 4 + length > len(data):
            raise Rejected(400, f"{what} is cut short in text {len(found)}")
        try:
            found.append(str(data[at + 4 : at + 4 + length], "utf-8"))
        except UnicodeDecodeError as error:
            raise Rejected(400, f"{what}: text {len(found)} is no UTF-8") from error
        at += 4 + length
    return found


# -- out ------------------------------------------------------------------------------------------------------


def write(tensor: Tensor, *, binary: bool) -> tuple[dict[str, Any], bytes]:
    """A tensor as an entry of an answer, and its bytes where it is binary; whole numbers with nulls stay JSON."""
    entry: dict[str, Any] = {"name": tensor.name, "datatype": tensor.datatype, "shape": tensor.shape}
    more: Mapping[str, Any] = tensor.parameters
    part = _bytes(tensor) if binary else None
    if part is None:
        return entry | ({"parameters": more} if more else {}) | {"data": tensor.values}, b""
    return entry | {"parameters": {**more, "binary_data_size": len(part)}}, part


def _bytes(tensor: Tensor) -> bytes | None:
    if tensor.datatype == "BYTES":
        encoded = [b"" if value is None else value.encode("utf-8", "replace") for value in tensor.values]
        return b"".join(len(value).to_bytes(4, "little") + value for value in encoded)
    if tensor.datatype.startswith("FP"):
        return struct.pack(f"<{len(tensor.values)}d", *[math.nan if value is None else value for value in tensor.values])
    if None in tensor.values:
        return None
    return struct.pack(f"<{len(tensor.values)}{DATATYPES[tensor.datatype][0]}", *tensor.values)


def _text(value: Any) -> str:
    return answers.dumps(value).decode()
