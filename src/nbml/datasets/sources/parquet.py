"""Parquet files, read by pyarrow (18 and later), page by page: a row group larger than memory is no harm.

Not carried over: folders of files, encryption.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from nbml import errors
from nbml.datasets.sources import BATCH, GLANCE, Batch, rows_of

if TYPE_CHECKING:
    from nbml.datasets.sources import Source


#: bytes of a column that are read at once: without a bound a row group is read as a whole
PAGES = 1 << 20


class ParquetSource:
    """One file."""

    again = True

    def __init__(self, value: str | Path) -> None:
        self.path = Path(value)
        try:
            with pq.ParquetFile(self.path, buffer_size=PAGES, pre_buffer=False) as file:
                self._schema = file.schema_arrow
                self._count = file.metadata.num_rows
                groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
                encoded = sum(group.total_byte_size for group in groups)
                first = next(file.iter_batches(min(GLANCE, self._count or 1)), None)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise self._unreadable(error) from error
        seen = first.nbytes / first.num_rows * self._count if first is not None and first.num_rows else 0.0
        self._size = int(max(seen, encoded))

    def schema(self) -> pa.Schema:
        return self._schema

    def count(self) -> int | None:
        return int(self._count)

    def size(self) -> int | None:
        return self._size

    def batches(self, columns: Sequence[str] | None = None, size: int = BATCH) -> Iterator[Batch]:
        position, wanted = 0, None if columns is None else [*columns, *self._index()]
        try:
            with pq.ParquetFile(self.path, buffer_size=PAGES, pre_buffer=False) as file:
                rows = rows_of(size, self._size / max(self._count, 1))
                for batch in file.iter_batches(rows, columns=wanted, use_threads=False):
                    yield Batch(position, batch)
                    position += batch.num_rows
        except (pa.ArrowException, OSError) as error:
            raise self._unreadable(error) from error

    def _index(self) -> list[str]:
        """The columns in which pandas keeps the index."""
        told = json.loads((self._schema.metadata or {}).get(b"pandas", b"{}")).get("index_columns", [])
        return [name for name in told if isinstance(name, str)]

    def _unreadable(self, error: Exception) -> errors.BadInput:
        return errors.BadInput(f"{self.path} cannot be read as {self.path.suffix[1:]}: {str(error).splitlines()[0]}")


if TYPE_CHECKING:
    _: Source = ParquetSource("x")
