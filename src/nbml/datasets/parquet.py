"""Frames as Parquet bytes, exactly; what Parquet cannot keep is refused by column and reason before anything is written."""

from __future__ import annotations

import datetime
import decimal
import io
import warnings
from typing import TYPE_CHECKING, Any

from nbml import errors

if TYPE_CHECKING:
    import pandas as pd

PLAIN = (str, bytes, bool, int, float, decimal.Decimal, datetime.date, datetime.time, datetime.timedelta)


def encode(frame: pd.DataFrame) -> bytes:
    """Parquet with page checksums. Raises errors.CannotStore naming the column and what it holds."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for position, label in enumerate(frame.columns):
        _check_column(label, frame.iloc[:, position])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # names of mixed types; _compare refuses them by name
            # None: a RangeIndex comes back as one; without columns its length would be lost
            table = pa.Table.from_pandas(frame, preserve_index=None if frame.shape[1] else True)
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
    return table.to_pandas()


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
        raise errors.CannotStore(f"the column names {list(frame.columns)[:5]} come back from Parquet as {list(back.columns)[:5]}")
    for position, label in enumerate(frame.columns):
        mine, theirs = frame.iloc[:, position], back.iloc[:, position]
        if mine.dtype != theirs.dtype:
            raise errors.CannotStore(f"column {str(label)!r} is {mine.dtype} and comes back from Parquet as {theirs.dtype}")
        if not _equal(mine, theirs):
            raise errors.CannotStore(f"column {str(label)!r} holds values that Parquet does not give back as they are")
    if not frame.index.equals(back.index) or list(frame.index.names) != list(back.index.names):
        raise errors.CannotStore("the index does not come back from Parquet as it is; use reset_index()")


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
