"""Answers to many rows as Arrow tables of one schema, and the file that they become: Parquet or CSV, whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from nbml import errors
from nbml.packaging import exchange

if TYPE_CHECKING:
    import pyarrow as pa

#: endings of files that are written
ENDINGS = (".parquet", ".pq", ".csv")


def table(ids: Sequence[Any], answer: Mapping[str, Any], manifest: Mapping[str, Any], schema: pa.Schema | None = None) -> pa.Table:
    """Columns ``id``, ``prediction`` (or one for each that the model gives), ``probability_CLASS`` and ``flags``, one row an answer.

    Types are those that the model gives in the notebook. With ``schema`` they are that one's; raises errors.BadInput where
    answers do not fit it.
    """
    import pyarrow as pa

    columns: dict[str, Any] = {"id": pa.array(ids)}
    columns |= _predictions(answer["predictions"], manifest)
    chances = answer.get("probabilities")
    if chances is not None:
        columns |= {f"probability_{name}": pa.array(values, pa.float64()) for name, values in _by_class(chances)}
    if answer.get("flags") is not None:
        columns["flags"] = pa.array(answer["flags"], pa.list_(pa.string()))
    names = list(columns)
    if schema is None:
        fields = [pa.field(name, _told(columns[name].type)) for name in names]
        schema = pa.schema(fields)
    try:
        return pa.table([columns[name].cast(schema.field(name).type) for name in schema.names], schema=schema)
    except (KeyError, pa.ArrowException) as error:
        raise errors.BadInput(f"the answers have other types than those before them: {str(error).splitlines()[0]}") from error


def _told(kind: pa.DataType) -> pa.DataType:
    """The type of a column whose first answers all lack a value; categories grow from part to part, and are their values."""
    import pyarrow as pa

    if pa.types.is_null(kind):
        return pa.string()
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _by_class(chances: Mapping[str, Any]) -> Iterator[tuple[Any, list[Any]]]:
    for i, name in enumerate(chances["classes"]):
        yield name, [row[i] for row in chances["values"]]


def _predictions(predictions: list[Any], manifest: Mapping[str, Any]) -> dict[str, pa.Array]:
    """As the model gives them: a column of its own for each column of a frame or of an array of two dimensions."""
    found = exchange.answer_to(predictions, None, manifest)
    form = manifest["output"]
    if form["kind"] == "frame":
        return {f"prediction_{c['name']}": _array(found.iloc[:, i]) for i, c in enumerate(form["columns"])}
    if form["kind"] == "array" and found.ndim == 2:
        return {f"prediction_{i}": _array(found[:, i]) for i in range(found.shape[1])}
    return {"prediction": _array(found)}


def _array(values: Any) -> pa.Array:
    import pyarrow as pa

    try:
        found = pa.array(values.tolist() if getattr(getattr(values, "dtype", None), "kind", "") == "U" else values, from_pandas=True)
    except pa.ArrowException as error:
        raise errors.BadInput(f"the predictions have no one type that a column could hold: {str(error).splitlines()[0]}") from error
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


# -- files ----------------------------------------------------------------------------------------------------


def check(output: str | Path, data: Any) -> Path:
    """The file to write. Raises errors.BadArgument for one that cannot be: before anything is scored."""
    path = Path(output).expanduser()
    if path.suffix.lower() not in ENDINGS:
        right = f"{path.stem or 'scored'}.parquet"
        raise errors.BadArgument(f"{str(output)!r} is no Parquet or CSV file", instead=("output", right))
    if not path.parent.is_dir():
        raise errors.BadArgument(f"no folder {str(path.parent)!r} to write {path.name} to", instead=("output", path.name))
    if path.is_dir():
        raise errors.BadArgument(f"{str(output)!r} is a folder", instead=("output", f"{path.stem}-scored{path.suffix}"))
    if isinstance(data, (str, Path)) and path.exists() and Path(data).exists() and path.samefile(data):
        raise errors.BadArgument(
            f"{path.name} is what is to be scored; it would be replaced", instead=("output", f"{path.stem}-scored{path.suffix}")
        )
    return path


class Written:
    """A file beside its place until it is whole. As a context manager: without ``done`` nothing is left, and what was there stays."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer: Any = None
        try:
            number, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        except OSError as error:
            raise errors.BadArgument(f"{path} cannot be written: {error.strerror or error}") from error
        os.close(number)
        self._part = Path(name)

    def add(self, part: pa.Table) -> None:
        """Append answers; the first ones decide the schema. Raises errors.BadInput for what the file cannot hold, a full disk."""
        import pyarrow as pa

        try:
            if self._writer is None:
                self._writer = self._open(part)
            self._writer.write_table(part if self.path.suffix.lower() != ".csv" else _flat(part))
        except (OSError, pa.ArrowException) as error:
            raise errors.BadInput(f"{self.path} cannot be written: {str(error).splitlines()[0]}; nothing is there") from error

    def done(self) -> None:
        """Put the file in its place."""
        try:
            self._writer.close()
            self._writer = None
            with self._part.open("rb") as file:
                os.fsync(file.fileno())
            self._part.chmod(0o666 & ~_umask())
            self._part.replace(self.path)
        except OSError as error:
            raise errors.BadInput(f"{self.path} cannot be written: {error.strerror or error}; nothing is there") from error

    def __enter__(self) -> Written:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with contextlib.suppress(Exception):
            if self._writer is not None:
                self._writer.close()
        self._part.unlink(missing_ok=True)

    def _open(self, part: pa.Table) -> Any:
        if self.path.suffix.lower() == ".csv":
            from pyarrow import csv

            return csv.CSVWriter(str(self._part), _flat(part).schema, write_options=csv.WriteOptions(quoting_style="needed"))
        import pyarrow.parquet as pq

        return pq.ParquetWriter(str(self._part), part.schema, compression="zstd")


def _flat(part: pa.Table) -> pa.Table:
    """Lists as JSON text and nothing for none: CSV has neither."""
    import json

    import pyarrow as pa

    columns = []
    for column in part.columns:
        if pa.types.is_nested(column.type):
            values = [json.dumps(value, ensure_ascii=False) if value else None for value in column.to_pylist()]
            columns.append(pa.chunked_array([pa.array(values, pa.string())]))
        else:
            columns.append(column)
    return pa.table(columns, names=part.column_names)


def _umask() -> int:
    found = os.umask(0o077)
    os.umask(found)
    return found
