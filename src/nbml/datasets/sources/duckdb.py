"""Relations of DuckDB (1.0 and later), run anew for each reading and taken by their Arrow batches: never in memory as a whole.

Not carried over: types that Arrow does not have (unions, bit strings as text).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from nbml import errors
from nbml.datasets.sources import BATCH, GLANCE, Batch, rows_of

if TYPE_CHECKING:
    from nbml.datasets.sources import Source


class DuckdbSource:
    """A relation; a connection or a result of one is refused."""

    again = True

    def __init__(self, value: Any) -> None:
        if not isinstance(value, duckdb.DuckDBPyRelation):
            raise errors.NotADataFrame(f"a relation of DuckDB is needed, as con.sql(...) gives it, not {type(value).__name__}")
        self._relation = value
        first = self._whole(value.limit(GLANCE))
        self._schema = first.schema
        self._row = first.nbytes / max(first.num_rows, 1)

    def schema(self) -> pa.Schema:
        return self._schema

    def count(self) -> int | None:
        try:
            return int(self._relation.aggregate("count(*)").fetchall()[0][0])
        except duckdb.Error as error:
            raise _refused(error) from error

    def size(self) -> int | None:
        return int((self.count() or 0) * self._row)

    def batches(self, columns: Sequence[str] | None = None, size: int = BATCH) -> Iterator[Batch]:
        relation, position = self._relation, 0
        if columns is not None:
            relation = relation.project(", ".join('"' + name.replace('"', '""') + '"' for name in columns))
        try:
            reader = relation.to_arrow_reader(rows_of(size, self._row))
            try:
                for batch in reader:
                    yield Batch(position, batch)
                    position += batch.num_rows
            finally:
                reader.close()  # an open result would keep the connection
        except (duckdb.Error, pa.ArrowException) as error:
            raise _refused(error) from error

    def _whole(self, relation: Any) -> pa.Table:
        try:
            return relation.to_arrow_table()
        except (duckdb.Error, pa.ArrowException) as error:
            raise _refused(error) from error


def _refused(error: Exception) -> errors.BadInput:
    return errors.BadInput(f"DuckDB cannot run it: {str(error).splitlines()[0]}")


if TYPE_CHECKING:
    _: Source = DuckdbSource(None)
