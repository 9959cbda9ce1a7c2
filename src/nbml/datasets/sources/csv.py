"""CSV files, read by pandas as ``pd.read_csv(path)`` reads them.

A file is read twice in batches: the first time to see what each column holds in all of it, so that all batches have the same
dtypes. Not carried over: other separators, and columns that hold numbers and text mixed, which are text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from nbml import errors
from nbml.datasets.sources import BATCH, GLANCE, Batch, check_head, rows_of

if TYPE_CHECKING:
    from nbml.datasets.sources import Source


class CsvSource:
    """One file."""

    again = True

    def __init__(self, value: str | Path) -> None:
        self.path = Path(value)
        check_head(self.path)
        self._first = self._read(nrows=GLANCE)
        self._size = self.path.stat().st_size

    def schema(self) -> pa.Schema:
        first = next(iter(self._chunks(BATCH, None)), self._first)
        return pa.Schema.from_pandas(first, preserve_index=False)

    def count(self) -> int | None:
        return None

    def size(self) -> int | None:
        return self._size

    def batches(self, columns: Sequence[str] | None = None, size: int = BATCH) -> Iterator[Batch]:
        position = 0
        for chunk in self._chunks(size, columns):
            yield Batch(position, pa.RecordBatch.from_pandas(chunk, preserve_index=False))
            position += len(chunk)

    @cached_property
    def _dtypes(self) -> dict[str, Any]:
        """What holds all values of each column."""
        found: dict[str, list[Any]] = {}
        for chunk in self._read_in(BATCH):
            for name in chunk.columns:
                found.setdefault(str(name), []).append(_kind(chunk[name]))
        return {name: _common(kinds) for name, kinds in found.items()}

    def _chunks(self, size: int, columns: Sequence[str] | None) -> Iterator[pd.DataFrame]:
        """With the dtypes of the whole file; flags of which some are missing are objects, as pandas has them."""
        flags = [name for name, kind in self._dtypes.items() if kind == FLAGS and (columns is None or name in columns)]
        for chunk in self._read_in(size, dtype=self._dtypes, usecols=columns):
            for name in flags:
                chunk[name] = chunk[name].astype(object)
            yield chunk if columns is None else chunk[list(columns)]

    def _read_in(self, size: int, **options: Any) -> Iterator[pd.DataFrame]:
        row = self.path.stat().st_size / max(self._lines, 1)
        reader = self._read(chunksize=rows_of(size // 4, row), **options)
        try:
            with reader:
                yield from reader
        except (ValueError, UnicodeDecodeError) as error:
            raise self._unreadable(error) from error

    @cached_property
    def _lines(self) -> int:
        """Lines of the file, about."""
        with self.path.open("rb") as file:
            head = file.read(1 << 20)
        return max(int(head.count(b"\n") / max(len(head), 1) * self.path.stat().st_size), 1)

    def _read(self, **options: Any) -> Any:
        try:
            return pd.read_csv(self.path, **options)
        except (ValueError, OSError, UnicodeDecodeError) as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> errors.BadInput:
        return errors.BadInput(f"{self.path} cannot be read as csv: {str(error).splitlines()[0]}")


#: true, false and nothing
FLAGS = "boolean"


def _kind(column: pd.Series) -> Any:
    """What a chunk holds: floats where it holds nothing, which goes with anything."""
    if column.isna().all():
        return None
    if column.dtype == bool or (column.dtype.kind == "O" and all(isinstance(value, bool) for value in column.dropna())):
        return np.dtype(bool) if column.dtype == bool else FLAGS
    return column.dtype


def _common(kinds: list[Any]) -> Any:
    """As pandas would have it: whole numbers with some that are missing are floats; numbers and text are text."""
    told = [kind for kind in kinds if kind is not None]
    if not told:
        return np.dtype(float)
    gaps = len(told) < len(kinds)
    if all(isinstance(kind, np.dtype) and kind.kind in "iuf" for kind in told):
        return np.result_type(*told, *([np.dtype(float)] if gaps else []))
    if all(kind in (np.dtype(bool), FLAGS) for kind in told):
        return FLAGS if gaps or FLAGS in told else np.dtype(bool)
    return told[0] if all(kind == told[0] for kind in told) else pd.Series(["a"]).dtype


if TYPE_CHECKING:
    _: Source = CsvSource("x")
