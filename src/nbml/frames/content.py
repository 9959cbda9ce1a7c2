"""A frame's content as one SHA-256: values, dtypes, names, index and their order, never the buffers that they lie in.

Each column has a digest of its own, of a stream that depends on its values only: texts as lengths and bytes, numbers as
they lie, what is null by its place. So slices, chunks and blocks of memory do not matter. What counts and what does not
is in docs/decisions/0010-versions-of-data.md.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

#: rows that are made ready at once, so that no copy of a column is ever whole
ROWS = 1 << 16
#: levels of lists in lists that are looked into
DEEP = 20
#: in the stream of lengths: what is null in an arrow array, and None and NaN among objects
NULL, NAN = 0xFFFFFFFF, 0xFFFFFFFE


def content(frame: pd.DataFrame) -> str:
    """The digest, in hex. Columns are hashed side by side: hashlib leaves the interpreter free."""
    whole = hashlib.sha256(b"nbml-frame-2")
    whole.update(repr(frame.shape).encode())
    columns = [frame.iloc[:, position].array for position in range(frame.shape[1])]
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1), "nbml-hash") as pool:
        for digest in pool.map(column, columns):
            whole.update(digest)
    whole.update(_index(frame.index, exact=True))
    whole.update(_index(frame.columns, exact=False))
    return whole.hexdigest()


def _index(index: pd.Index, *, exact: bool) -> bytes:
    """A RangeIndex is the whole numbers that it stands for. Of labels of columns text is text, whatever its dtype."""
    import pandas as pd

    found = hashlib.sha256(_plain(list(index.names)))
    if isinstance(index, pd.MultiIndex):
        for level in range(index.nlevels):
            found.update(_index(index.get_level_values(level).rename(None), exact=exact))
    elif (steps := _range(index)) is not None:
        found.update(_plain(steps))
    elif not exact and (index.dtype == object or isinstance(index.dtype, pd.StringDtype)):
        found.update(_plain(index.tolist()))
    else:
        found.update(column(index.array))
    return found.digest()


def _range(index: pd.Index) -> tuple[int, int, int] | None:
    """First, step and number of an index of int64 whose steps are all the same."""
    import numpy as np
    import pandas as pd

    if isinstance(index, pd.RangeIndex):
        first, step = (index.start, index.step) if len(index) > 1 else (index.start, 1) if len(index) else (0, 1)
        return int(first), int(step), len(index)
    if index.dtype != np.int64:
        return None
    values = index.to_numpy()
    if len(values) < 2:
        return (int(values[0]) if len(values) else 0), 1, len(values)
    step = int(values[1]) - int(values[0])
    if step == 0 or int(values[-1]) != int(values[0]) + step * (len(values) - 1):
        return None
    pieces = (values[at : at + ROWS + 1] for at in range(0, len(values) - 1, ROWS))
    return (int(values[0]), step, len(values)) if all((np.diff(piece) == step).all() for piece in pieces) else None


def column(array: Any) -> bytes:
    """The digest of a column's array: its dtype, then its values."""
    import numpy as np
    import pandas as pd

    dtype = getattr(array.dtype, "numpy_dtype", array.dtype) if isinstance(array, pd.arrays.NumpyExtensionArray) else array.dtype
    found = hashlib.sha256(_plain([_dtype(dtype), len(array)]))
    if isinstance(dtype, pd.CategoricalDtype):
        found.update(column(dtype.categories.array))
        _numbers(found, array.codes)
    elif isinstance(dtype, pd.StringDtype):
        found.update(_texts(array.__arrow_array__()) if dtype.storage == "pyarrow" else _objects(array.to_numpy(dtype=object)))
    elif isinstance(dtype, pd.ArrowDtype):
        found.update(_arrow(array.__arrow_array__()))
    elif hasattr(array, "_mask") and hasattr(array, "_data"):
        _masked(found, array._data, array._mask)
    elif isinstance(dtype, pd.IntervalDtype):
        found.update(column(array.left.array) + column(array.right.array))
    elif isinstance(dtype, pd.PeriodDtype | pd.DatetimeTZDtype) or dtype.kind in "mM":
        _numbers(found, array.view("i8"))
    elif isinstance(dtype, pd.SparseDtype):
        found.update(column(pd.Series(np.asarray(array), dtype=dtype.subtype).array))
    elif isinstance(dtype, np.dtype) and dtype.kind in "biufc" and dtype.itemsize <= (16 if dtype.kind == "c" else 8):
        _numbers(found, array.to_numpy())
    else:
        found.update(_objects(np.asarray(array, dtype=object)))
    return found.digest()


def _dtype(dtype: Any) -> str:
    """A dtype as text; where texts lie is part of what pandas holds for the dtype, and so it is here."""
    import pandas as pd

    if isinstance(dtype, pd.CategoricalDtype):
        return f"category {dtype.ordered}"
    if isinstance(dtype, pd.StringDtype):
        return f"{dtype} {dtype.storage} {dtype.na_value}"
    return f"{dtype} {dtype.fill_value!r}" if isinstance(dtype, pd.SparseDtype) else str(dtype)


def _pieces(values: Any) -> Iterator[Any]:
    return (values[at : at + ROWS] for at in range(0, len(values), ROWS))


def _numbers(found: hashlib._Hash, values: np.ndarray) -> None:
    """Numbers little end first; every NaN is the same one. The sign of zero is kept: 1/x tells it."""
    import numpy as np

    if values.dtype.kind == "c":
        values = np.ascontiguousarray(values).view(values.real.dtype)
    values = values.astype(values.dtype.newbyteorder("<"), copy=False)
    for piece in _pieces(values):
        if values.dtype.kind == "f":
            missing = np.isnan(piece)
            piece = np.where(missing, values.dtype.type("nan"), piece) if missing.any() else piece
        elif values.dtype == np.int64:
            piece = _narrow(found, piece)
        found.update(np.ascontiguousarray(piece).view(np.uint8).data)


def _narrow(found: hashlib._Hash, piece: np.ndarray) -> np.ndarray:
    """Whole numbers as their distance from the least, in as few bytes as that takes: hashing costs more than this."""
    low, high = int(piece.min()), int(piece.max())
    width = next((size for size in (1, 2, 4) if high - low < 1 << (8 * size)), 8)
    found.update(b"%d:%d" % (width, low))
    return (piece - low).astype(f"<u{width}") if width < 8 else piece


def _masked(found: hashlib._Hash, values: np.ndarray, mask: np.ndarray) -> None:
    """What lies below a mask is nobody's value."""
    import numpy as np

    _numbers(found, mask)
    for piece, hidden in zip(_pieces(values), _pieces(mask), strict=True):
        _numbers(found, np.where(hidden, values.dtype.type(0), piece) if hidden.any() else piece)


def _arrow(chunks: pa.ChunkedArray) -> bytes:
    """Arrow values by their type; those of no fixed width one by one."""
    import pyarrow as pa

    kind = chunks.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return _texts(chunks)
    found = hashlib.sha256(str(kind).encode())
    for piece in _arrays(chunks):
        if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
            _masked(found, piece.fill_null(0).to_numpy(zero_copy_only=False), piece.is_null().to_numpy(zero_copy_only=False))
        else:
            found.update(_plain(piece.to_pylist()))
    return found.digest()


def _arrays(chunks: Any) -> Iterator[pa.Array]:
    """Arrays of ``ROWS`` rows whatever the chunks, but for the last."""
    import pyarrow as pa

    whole = chunks if isinstance(chunks, pa.ChunkedArray) else pa.chunked_array([chunks])
    for at in range(0, len(whole), ROWS):
        piece = whole.slice(at, ROWS)
        yield piece.chunk(0) if piece.num_chunks == 1 else piece.combine_chunks()


def _texts(chunks: Any) -> bytes:
    """A stream of lengths, one of bytes."""
    lengths, data = hashlib.sha256(), hashlib.sha256()
    for piece in _arrays(chunks):
        _strings(piece, lengths, data)
    return lengths.digest() + data.digest()


def _strings(piece: pa.Array, lengths: hashlib._Hash, data: hashlib._Hash, nulls: Any = NULL) -> None:
    """Offsets become lengths; what lies below a null is left out. ``nulls`` stands for every null, or holds one for each."""
    import numpy as np
    import pyarrow as pa

    wide = pa.types.is_large_string(piece.type) or pa.types.is_large_binary(piece.type)
    _, offsets, content = piece.buffers()
    if not len(piece) or offsets is None:
        return
    ends = np.frombuffer(offsets, np.int64 if wide else np.int32)[piece.offset : piece.offset + len(piece) + 1]
    long, below = np.diff(ends), False
    missing = piece.is_null().to_numpy(zero_copy_only=False) if piece.null_count else None
    if missing is not None:
        below = bool(long[missing].any())
        long[missing] = 0
    most = int(long.max())
    if most >= NAN:
        raise ValueError("a text of 4 GiB")
    long = long.astype("<u1" if most < NAN & 0xFF else "<u4")
    if missing is not None:
        long[missing] = np.asarray(nulls, dtype="<u4").astype(long.dtype)
    lengths.update(b"%d" % long.itemsize)
    lengths.update(long.view(np.uint8).data)
    if below:
        _strings(piece.drop_null(), hashlib.sha256(), data)
    elif content is not None:
        data.update(memoryview(content)[int(ends[0]) : int(ends[-1])])


def _objects(values: np.ndarray) -> bytes:
    """Texts with None and NaN as arrow makes them; other objects one by one."""
    import numpy as np
    import pyarrow as pa

    lengths, data = hashlib.sha256(), hashlib.sha256()
    for piece in _pieces(values):
        kinds = set(map(type, piece))
        try:
            if not kinds <= {str, type(None), float}:
                raise TypeError
            texts = pa.array(piece, pa.large_string(), from_pandas=True)
        except (pa.ArrowException, TypeError, UnicodeEncodeError):
            lengths.update(b"objects")
            data.update(_plain(piece.tolist()))
            continue
        missing = piece[texts.is_null().to_numpy(zero_copy_only=False)]
        nulls = np.array([NULL if one is None else NAN for one in missing], dtype="<u4")
        _strings(texts, lengths, data, nulls)
    return lengths.digest() + data.digest()


# -- single values --------------------------------------------------------------------------------------------


def _plain(values: Iterable[Any], depth: int = 0) -> bytes:
    """Any values, each with its type and length before it."""
    return b"".join(_one(value, depth) for value in values)


def _one(value: Any, depth: int) -> bytes:
    kind = type(value)
    known: Callable[[Any], bytes] | None = _KINDS.get(kind)
    if known is not None:
        text = known(value)
        return b"%s%d:%s" % (kind.__name__.encode(), len(text), text)
    import numpy as np

    if depth < DEEP and kind in (list, tuple, set, frozenset, dict, np.ndarray):
        tag, text = kind.__name__, _inside(value, depth + 1)
    elif isinstance(value, np.generic):
        tag, text = str(value.dtype), repr(value.item()).encode("utf-8", "surrogatepass")
    else:
        tag, text = f"{kind.__module__}.{kind.__qualname__}", _repr(value)
    return b"%d:%s%d:%s" % (len(tag), tag.encode(), len(text), text)


def _inside(value: Any, depth: int) -> bytes:
    """What a list, an array, a set or a dict holds; a set in the order of its bytes, since it has none of its own."""
    if isinstance(value, (set, frozenset)):
        return b"".join(sorted(_one(one, depth) for one in value))
    if isinstance(value, dict):
        return b"".join(sorted(_one(key, depth) + _one(held, depth) for key, held in value.items()))
    return _plain([value.shape, *value.ravel().tolist()] if hasattr(value, "shape") else value, depth)


def _repr(value: Any) -> bytes:
    """What a value says of itself; of a value too deep to say it, its type alone."""
    try:
        return repr(value).encode("utf-8", "surrogatepass")
    except Exception:  # any: it is the code of somebody's class
        return b""


_KINDS: dict[type, Callable[[Any], bytes]] = {
    type(None): lambda value: b"",
    bool: lambda value: b"1" if value else b"0",
    int: lambda value: b"%d" % value if value.bit_length() < 10_000 else hex(value).encode(),
    float: lambda value: b"nan" if value != value else repr(value).encode(),
    str: lambda value: value.encode("utf-8", "surrogatepass"),
    bytes: lambda value: value,
}
