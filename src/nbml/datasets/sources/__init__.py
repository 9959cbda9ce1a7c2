"""Sources: frames that lie elsewhere, read as Arrow batches. One file each, found by entry point (group ``nbml.sources``).

An adapter bears the ending of the files that it reads (``parquet``), or the name of the package whose values it takes
(``polars``). What has an ``__arrow_c_stream__`` of any other package is taken by ``pyarrow``.

How columns become pandas': text is ``str``; dictionaries are ``category``; whole numbers and flags with nulls are ``Int64`` and
``boolean``, never floats; days are ``datetime64`` at midnight; instants keep their unit and zone; decimals, lists and structs are
objects. A table that pandas wrote comes back as pandas wrote it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from nbml import errors, registry

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

GROUP = "nbml.sources"
#: bytes of a batch, about
BATCH = 16 << 20
#: rows that are read to see how large one is
GLANCE = 10_000
#: endings of files that are read as another's
ALIKE = {"pq": "parquet"}


@dataclass(frozen=True)
class Batch:
    """Rows of a source: ``position`` is that of the first, counted from 0."""

    position: int
    rows: pa.RecordBatch

    @property
    def count(self) -> int:
        return int(self.rows.num_rows)


class Source(Protocol):
    """A frame as Arrow batches. Made with the value or path; what cannot be read raises errors.BadInput.

    ``again`` is False where batches can be asked for only once.
    """

    again: bool

    def schema(self) -> pa.Schema:
        """Names and types, without reading rows where that can be."""
        ...

    def count(self) -> int | None:
        """Rows; None where only reading tells."""
        ...

    def size(self) -> int | None:
        """Bytes in memory of all columns, about; None where only reading tells."""
        ...

    def batches(self, columns: Sequence[str] | None = None, size: int = BATCH) -> Iterator[Batch]:
        """All rows in order, in batches of about ``size`` bytes; of some columns only where asked."""
        ...


def of(value: Any) -> Source | None:
    """The source that a value or path is; None where it is none. Raises errors.BadInput where it cannot be read."""
    name = _adapter(value)
    found: Source | None = None if name is None else registry.adapter(GROUP, name)(value)
    return found


def _adapter(value: Any) -> str | None:
    known = registry.names(GROUP)
    if isinstance(value, (str, Path)):
        ending = Path(value).suffix.lower().removeprefix(".")
        return ending if ALIKE.get(ending, ending) in known and ending not in ALIKE else ALIKE.get(ending)
    packages = [kind.__module__.partition(".")[0].removeprefix("_") for kind in type(value).__mro__]
    if isinstance(value, type) or packages[0] in ("builtins", "pandas", "nbml"):
        return None
    named = next((package for package in packages if package in known), None)
    return named or ("pyarrow" if hasattr(value, "__arrow_c_stream__") else None)


def frame(source: Source, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """All of a source, or some columns of it, in memory."""
    import pyarrow as pa

    schema = source.schema()
    if columns is not None:
        schema = pa.schema([schema.field(name) for name in columns], schema.metadata)
    batches = [batch.rows for batch in source.batches(columns)]
    return to_pandas(pa.Table.from_batches(batches, batches[0].schema if batches else schema))


def check_head(path: Path) -> None:
    """Of a CSV file pandas would give a column whose name stands twice another name. Raises errors.BadInput; what cannot be read
    is told by who reads all of it."""
    import pandas as pd

    try:
        names = pd.read_csv(path, header=None, nrows=1, dtype=str, keep_default_na=False).iloc[0].tolist()
    except Exception:  # any: see above
        return
    double = next((name for name in names if name and names.count(name) > 1), None)
    if double is not None:
        raise errors.BadInput(f"{path}: the column name {double!r} stands {names.count(double)} times; rename one")


def to_pandas(table: pa.Table | pa.RecordBatch) -> pd.DataFrame:
    """Arrow as pandas, as the head of this file says. Raises errors.BadInput naming what pandas cannot hold."""
    import pyarrow as pa

    whole = pa.Table.from_batches([table]) if isinstance(table, pa.RecordBatch) else table.unify_dictionaries()
    double = next((name for name in whole.column_names if whole.column_names.count(name) > 1), None)
    if double is not None:
        raise errors.BadInput(f"the column name {double!r} stands {whole.column_names.count(double)} times; rename one")
    try:
        if b"pandas" in (whole.schema.metadata or {}):
            return _as_written(whole)
        return _mapped(whole.replace_schema_metadata(None))
    except (pa.ArrowException, ValueError, OverflowError) as error:
        raise errors.BadInput(f"pandas cannot hold it: {str(error).splitlines()[0]}") from error


def _as_written(table: pa.Table) -> pd.DataFrame:
    found: pd.DataFrame = table.to_pandas()
    return found


def _mapped(table: pa.Table) -> pd.DataFrame:
    """Columns of whole numbers and flags that hold nulls are done apart."""
    import pandas as pd
    import pyarrow as pa

    kinds = {getattr(pa, low)(): getattr(pd, f"{high}Dtype")() for low, high in NULLABLE.items()}
    apart = [field.name for field in table.schema if field.type in kinds and table.column(field.name).null_count]
    plain: pd.DataFrame = table.drop_columns(apart).to_pandas(date_as_object=False)
    if not apart:
        return plain
    nullable = table.select(apart).to_pandas(types_mapper=kinds.get)
    return pd.concat([plain, nullable], axis=1)[table.column_names]


#: types of Arrow, and of pandas where nulls are among the values
NULLABLE = {
    "int8": "Int8", "int16": "Int16", "int32": "Int32", "int64": "Int64", "uint8": "UInt8", "uint16": "UInt16", "uint32": "UInt32",
    "uint64": "UInt64", "bool_": "Boolean",
}  # fmt: skip


class Begun:
    """A source of unknown size, read until it is at its end (``whole``) or ``limit`` bytes are held; what was read is given
    once, and after that the source is read again where it can be."""

    def __init__(self, source: Source, limit: int) -> None:
        self.again, self._given = source.again, False
        self._source, self._rest, self._held = source, source.batches(), list[Batch]()
        self.whole, held = False, 0
        while held <= limit:
            batch = next(self._rest, None)
            if batch is None:
                self.whole = True
                break
            self._held.append(batch)
            held += batch.rows.nbytes

    def schema(self) -> pa.Schema:
        return self._source.schema()

    def count(self) -> int | None:
        return sum(batch.count for batch in self._held) if self.whole else None

    def size(self) -> int | None:
        return sum(batch.rows.nbytes for batch in self._held) if self.whole else None

    def batches(self, columns: Sequence[str] | None = None, size: int = BATCH) -> Iterator[Batch]:
        """As they come; what was held is let go of as it is given."""
        if self._given and self.again:
            yield from self._source.batches(columns, size)
            return
        self._given = True
        while self._held:
            yield _chosen(self._held.pop(0), columns)
        yield from (_chosen(batch, columns) for batch in self._rest)


def _chosen(batch: Batch, columns: Sequence[str] | None) -> Batch:
    return batch if columns is None else Batch(batch.position, batch.rows.select(list(columns)))


def rows_of(size: int, row: float) -> int:
    """How many rows make a batch of ``size`` bytes."""
    return max(1, min(int(size / max(row, 1.0)), 1 << 20))
