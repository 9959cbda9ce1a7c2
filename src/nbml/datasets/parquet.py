"""Frames as Parquet bytes, exactly; what Parquet cannot keep is refused by column and reason before anything is written."""

from __future__ import annotations

import datetime
import decimal
import io
import json
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nbml import errors

if TYPE_CHECKING:
    import pandas as pd

#: the key of the file's metadata under which lies what pandas' own does not say
OURS = b"nbml"
PLAIN = (str, bytes, bool, int, float, decimal.Decimal, datetime.date, datetime.time, datetime.timedelta)


def encode(frame: pd.DataFrame, called: str = "") -> bytes:
    """Parquet with page checksums. Raises errors.CannotStore naming the column and what it holds, with the line that mends it
    where the frame is ``called`` something."""
    try:
        return _encode(frame)
    except errors.CannotStore as error:
        error.next = _mending(frame, called)
        raise


def _encode(frame: pd.DataFrame) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    _check_labels(list(frame.columns))
    for position, label in enumerate(frame.columns):
        _check_column(label, frame.iloc[:, position])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # names of mixed types; _compare refuses them by name
            # None: a RangeIndex comes back as one; without columns its length would be lost
            table = pa.Table.from_pandas(frame, preserve_index=None if frame.shape[1] else True)
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), OURS: json.dumps(_kinds(frame)).encode()})
        sink = io.BytesIO()
        pq.write_table(table, sink, compression="zstd", write_page_checksum=True)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise errors.CannotStore(f"{_culprit(frame)} cannot be kept as Parquet: {str(error).splitlines()[0]}") from error
    content = sink.getvalue()
    _compare(frame, decode(content))
    return content


def decode(content: bytes) -> pd.DataFrame:
    """The frame of ``encode``. Raises errors.StoreDamaged where a page does not bear its checksum."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(io.BytesIO(content), page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise errors.StoreDamaged(f"a dataset's file is not what was written: {str(error).splitlines()[0]}") from error
    return _restored(table)


def _kinds(frame: pd.DataFrame) -> dict[str, Any]:
    """What Parquet's types do not tell apart: object columns and their nulls, dtypes by position, steps of the index."""
    import pandas as pd

    columns = [frame.iloc[:, position] for position in range(frame.shape[1])]
    nulls = {str(at): any(value is None for value in column) for at, column in enumerate(columns) if column.dtype == object}
    index = [str(dtype) for dtype in getattr(frame.index, "dtypes", [frame.index.dtype])]
    steps = [frame.index.start, frame.index.stop, frame.index.step] if isinstance(frame.index, pd.RangeIndex) else None
    dtypes = [str(column.dtype) for column in columns]
    found = {"dtypes": dtypes, "none": nulls, "names": str(frame.columns.dtype), "index": index, "range": steps}
    return found if len(frame) else {**found, "categories": _categories(columns)}


def _categories(columns: list[pd.Series]) -> dict[str, Any]:
    """Categories by position, where JSON holds them: a file without rows has none."""
    found = {}
    for at, column in enumerate(columns):
        dtype: Any = column.dtype
        if str(dtype) == "category" and all(isinstance(value, (str, int, float)) for value in dtype.categories.tolist()):
            found[str(at)] = [dtype.categories.tolist(), str(dtype.categories.dtype), bool(dtype.ordered)]
    return found


def _restored(table: Any) -> pd.DataFrame:
    """The frame of a table, with the dtypes that were written down."""
    import pandas as pd

    frame: pd.DataFrame = table.to_pandas()
    kinds = json.loads((table.schema.metadata or {}).get(OURS, b"{}"))
    for position, dtype in enumerate(kinds.get("dtypes", ())):
        if dtype == "object":
            null = None if kinds["none"][str(position)] else float("nan")
            values = [null if value is None else value for value in table.column(position).to_pylist()]
            column: Any = pd.Series(values, index=frame.index, dtype=object)  # an array would be read as text
            frame.isetitem(position, column)
        elif dtype.startswith(("datetime64[", "timedelta64[")) and str(frame.dtypes.iloc[position]) != dtype:
            frame.isetitem(position, frame.iloc[:, position].astype(dtype).array)
    for at, (values, dtype, ordered) in kinds.get("categories", {}).items():
        whole = pd.CategoricalDtype(pd.Index(values, dtype=dtype), ordered)
        frame.isetitem(int(at), pd.Categorical([], dtype=whole))
    if kinds.get("names") == "object" and frame.columns.dtype != object:
        frame.columns = frame.columns.astype(object)
    if kinds.get("index") == ["object"] and frame.index.dtype != object:
        frame.index = frame.index.astype(object)
    if kinds.get("range"):
        start, stop, step = kinds["range"]
        frame.index = pd.RangeIndex(start, stop, step, name=frame.index.name)
    return frame


def _check_labels(labels: list[Any]) -> None:
    """Parquet names columns by text."""
    seen: dict[str, Any] = {}
    for label in labels:
        other = seen.setdefault(str(label), label)
        if other is not label and type(other) is not type(label):
            both = " and ".join(f"{one!r} ({type(one).__name__})" for one in (other, label))
            raise errors.CannotStore(f"the column labels {both} are the same as text; rename one")


def _check_column(label: Any, column: pd.Series) -> None:
    """Object columns hold plain values only: a value that contains itself would kill the process inside Arrow."""
    if column.dtype != object:
        return
    for value in column:
        if value is None or isinstance(value, PLAIN) or value != value:
            continue
        raise errors.CannotStore(
            f"column {str(label)!r} holds {type(value).__name__} values, which Parquet does not give back as they are; "
            "make them text, numbers or columns of their own"
        )


def _compare(frame: pd.DataFrame, back: pd.DataFrame) -> None:
    """Refuse what came back otherwise than it was."""
    if list(frame.columns) != list(back.columns):
        raise errors.CannotStore(_renamed(list(frame.columns), list(back.columns)))
    for position, label in enumerate(frame.columns):
        mine, theirs = frame.iloc[:, position], back.iloc[:, position]
        if mine.dtype != theirs.dtype:
            raise errors.CannotStore(f"column {str(label)!r} is {mine.dtype} and comes back from Parquet as {theirs.dtype}")
        if not _equal(mine, theirs):
            raise errors.CannotStore(f"column {str(label)!r} holds values that Parquet does not give back as they are")
    same = frame.index.equals(back.index) and _kinds(frame)["index"] == _kinds(back)["index"]
    if not same or list(frame.index.names) != list(back.index.names):
        raise errors.CannotStore("the index does not come back from Parquet as it is; use reset_index()")


def _renamed(mine: list[Any], theirs: list[Any]) -> str:
    """Which labels do not come back; of columns that are all texts but for some, these."""
    changed = [(one, other) for one, other in zip(mine, theirs, strict=True) if type(one) is not type(other) or one != other]
    one, other = changed[0]
    more = f", and {len(changed) - 1:,} more of the {len(mine):,} do not either" if len(changed) > 1 else ""
    return f"the column label {one!r} ({type(one).__name__}) comes back from Parquet as {other!r} ({type(other).__name__}){more}"


def _mending(frame: pd.DataFrame, called: str) -> str | None:
    """The line after which all of the frame can be kept; None where no one line does."""
    if not called:
        return None
    tries: list[tuple[str, Callable[[], pd.DataFrame]]] = [
        ("{0}.columns = {0}.columns.map(str)", lambda: frame.set_axis(frame.columns.map(str), axis=1)),
        ("{0} = {0}.reset_index()", frame.reset_index),
    ]
    unfit = [label for position, label in enumerate(frame.columns) if isinstance(label, str) and not _fits(frame.iloc[:, [position]])]
    if unfit:
        which = repr(unfit[0] if len(unfit) == 1 else unfit)
        texts = {label: frame[label].map(str) for label in unfit}
        tries.insert(0, (f"{{0}}[{which}] = {{0}}[{which}].map(str)", lambda: frame.assign(**texts)))
    for line, change in tries:
        try:
            if _fits(change()):
                return line.replace("{0}", called)
        except (TypeError, ValueError):  # of a label that is there already
            continue
    return None


def _fits(frame: pd.DataFrame) -> bool:
    if not frame.columns.is_unique:
        return False
    try:
        return bool(_encode(frame))
    except errors.CannotStore:
        return False


def _equal(mine: pd.Series, theirs: pd.Series) -> bool:
    if mine.dtype != object:
        return mine.array.equals(theirs.array)
    return all(
        (a is None and b is None) or (a != a and b != b) or (type(a) is type(b) and a == b)
        for a, b in zip(mine, theirs, strict=True)
    )


def _culprit(frame: pd.DataFrame) -> str:
    """The first column that Arrow does not take alone."""
    import pyarrow as pa

    for position, label in enumerate(frame.columns):
        try:
            pa.Table.from_pandas(frame.iloc[:, [position]], preserve_index=False)
        except (pa.ArrowException, TypeError, ValueError):
            return f"column {str(label)!r}"
    return "the index"
