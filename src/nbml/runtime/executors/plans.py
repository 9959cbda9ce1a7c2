"""Plans as bytes: JSON whose arrays are places in one file of raw little-endian numbers, and whose bytes are files of their own.

Reading executes nothing.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

#: types of numbers that a plan holds
_KINDS = ("<f8", "<i8", "<i4", "|b1", "<u4", "|u1")


def dumps(plan: Any) -> tuple[bytes, ...]:
    """The JSON, the file of its arrays, and what of it is a file of its own."""
    blob = bytearray()
    files: list[bytes] = []

    def packed(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            kind = value.dtype.newbyteorder("<").str
            if kind not in _KINDS:
                raise TypeError(f"an array of {value.dtype} is no part of a plan")
            start = len(blob)
            blob.extend(np.ascontiguousarray(value, dtype=kind).tobytes())
            blob.extend(bytes(-len(blob) % 8))
            return {"$": [kind, list(value.shape), start]}
        if isinstance(value, bytes):
            files.append(value)
            return {"$": len(files) - 1}
        if isinstance(value, dict):
            return {key: packed(inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [packed(inner) for inner in value]
        return value

    return json.dumps(packed(plan), ensure_ascii=False).encode(), bytes(blob), *files


def loads(text: bytes, blob: bytes, *files: bytes) -> Any:
    """The plan again. Raises ValueError where a place is none of the file."""

    def unpacked(value: Any) -> Any:
        if isinstance(value, dict):
            if value.keys() == {"$"}:
                return files[value["$"]] if isinstance(value["$"], int) else _array(blob, *value["$"])
            return {key: unpacked(inner) for key, inner in value.items()}
        return [unpacked(inner) for inner in value] if isinstance(value, list) else value

    return unpacked(json.loads(text))


def _array(blob: bytes, kind: str, shape: list[int], start: int) -> np.ndarray[Any, Any]:
    if kind not in _KINDS:
        raise ValueError(f"an array of {kind!r} is no part of a plan")
    count = int(np.prod(shape, dtype=np.int64))
    return np.frombuffer(blob, dtype=kind, count=count, offset=start).reshape(shape)
