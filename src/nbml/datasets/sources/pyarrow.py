"""Tables, batches and readers of pyarrow (18 and later), and whatever else has an ``__arrow_c_stream__``.

Not carried over: metadata of columns; datasets of many files are to be read by their scanner's reader.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from nbml import errors
from nbml.datasets.sources import BATCH, Batch, rows_of

if TYPE_CHECKING:
    from nbml.datasets.sources import Source


class ArrowSource:
    """A table or batch can be read again and again; a reader, or a stream of an unknown package, once."""

    def __init__(self, value: Any) -> None:
        if isinstance(value, pa.RecordBatch):
            value = pa.Table.from_batches([value])
        self._table: pa.Table | None = value if isinstance(value, pa.Table) else None
        self._reader = None if self._table is not None else _reader(value)
        self.again = self._table is not None

    def schema(self) -> pa.Schema:
        return self._table.schema if self._table is not None else self._reader.schema  # type: ignore[union-attr]

    def count(self) -> int | None:
        return None if self._table is None else int(self._table.num_rows)

    def size(self) -> int | None:
        return None if self._table is None else int(self._table.nbytes)

    def batches(self, columns: Sequence[str] | None = None, size: int = BATCH) -> Iterator[Batch]:
        position = 0
        for batch in self._batches(columns, size):
            if batch.num_rows:
                yield Batch(position, batch)
                position += batch.num_rows

    def _batches(self, columns: Sequence[str] | None, size: int) -> Iterator[pa.RecordBatch]:
        try:
            if self._table is not None:
                table = self._table if columns is None else self._table.select(list(columns))
                yield from table.to_batches(rows_of(size, self._table.nbytes / max(self._table.num_rows, 1)))
                return
            for batch in self._reader or ():
                whole = batch if columns is None else batch.select(list(columns))
                rows = rows_of(size, batch.nbytes / max(batch.num_rows, 1))
                yield from (whole.slice(start, rows) for start in range(0, whole.num_rows, rows))
        except pa.ArrowException as error:
            raise errors.BadInput(f"the stream of batches broke: {str(error).splitlines()[0]}") from error


def _reader(value: Any) -> pa.RecordBatchReader:
    if isinstance(value, pa.RecordBatchReader):
        return value
    try:
        return pa.RecordBatchReader.from_stream(value)
    except (pa.ArrowException, TypeError, ValueError) as error:  # one column, not rows of several
        raise errors.NotADataFrame(f"a dataframe is needed, not {type(value).__name__}") from error


if TYPE_CHECKING:
    _: Source = ArrowSource(None)
