"""Frames of polars (1.30 and later), by their Arrow buffers.

Not carried over: lazy frames, which are plans and are refused with the line that runs them; objects and categories' physical order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

from nbml import errors
from nbml.datasets.sources import BATCH, Batch, rows_of

if TYPE_CHECKING:
    from nbml.datasets.sources import Source


class PolarsSource:
    """A DataFrame. A LazyFrame raises errors.NotADataFrame whose ``instead`` is how it is collected."""

    again = True

    def __init__(self, value: Any) -> None:
        if isinstance(value, pl.LazyFrame):
            raise errors.NotADataFrame("a polars LazyFrame is a plan, not data yet: .collect() runs it")
        if not isinstance(value, pl.DataFrame):
            raise errors.NotADataFrame(f"a dataframe is needed, not {type(value).__name__} of polars")
        self._frame = value

    def schema(self) -> pa.Schema:
        return self._table(self._frame.clear()).schema

    def count(self) -> int | None:
        return self._frame.height

    def size(self) -> int | None:
        return int(self._frame.estimated_size())

    def batches(self, columns: Sequence[str] | None = None, size: int = BATCH) -> Iterator[Batch]:
        frame = self._frame if columns is None else self._frame.select(list(columns))
        rows = rows_of(size, self._frame.estimated_size() / max(self._frame.height, 1))
        for position in range(0, frame.height, rows):
            table = self._table(frame.slice(position, rows)).combine_chunks()
            yield from (Batch(position, batch) for batch in table.to_batches())

    def _table(self, frame: pl.DataFrame) -> pa.Table:
        try:
            return pa.table(frame)
        except (pa.ArrowException, TypeError, ValueError, pl.exceptions.PolarsError) as error:
            raise errors.BadInput(f"polars does not give it as Arrow: {str(error).splitlines()[0]}") from error


if TYPE_CHECKING:
    _: Source = PolarsSource(None)
