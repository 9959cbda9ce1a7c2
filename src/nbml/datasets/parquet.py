"""Frames as Parquet, exactly; what cannot be kept is refused by column and reason before anything is written.

Columns of the file are named by their position, so labels may be of any type and stand twice; the file's metadata says
what they are (``columns``, ``objects``, ``labels`` hold the rules). Pages are cut by content and bear checksums, and the
store keeps a file page by page: a version that was appended to or edited stores the pages that changed.
"""

from __future__ import annotations

import io
import json
import mmap
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbml import errors
from nbml.datasets import columns, labels
from nbml.datasets.columns import Json, Part, Unfit
from nbml.store import Store, chunks

if TYPE_CHECKING:
    import pandas as pd

#: the key of the file's metadata under which lies what Parquet does not say
OURS = b"nbml"
#: rows of a row group: so many are made ready at once
ROWS = 1 << 20
#: bytes of a page before it is packed, of which one is chosen so that a frame has about 250
PAGES = tuple(1 << bits for bits in (14, 16, 18, 20))
#: a file up to this size is kept in one piece
SMALL = 1 << 18


@dataclass(frozen=True)
class Kept:
    """A frame that was kept: the blob that stands for it, bytes of the file, bytes that were new, and the size of a page."""

    blob: str
    size: int
    new: int
    page: int


@dataclass(frozen=True)
class Plan:
    """What is written of a frame: the file's metadata, its columns by name, and those whose values are few."""

    meta: Json
    parts: dict[str, Part]
    few: tuple[str, ...]


def keep(store: Store, frame: pd.DataFrame, called: str = "", page: int = 0) -> Kept:
    """Keep a frame in the store; ``page`` is the size of pages of an earlier version, so that pages can be shared.

    Raises errors.CannotStore naming the column and the reason, with the line that mends it where the frame is ``called``
    something, and errors.ReadOnlyStore.
    """
    plan = _planned(frame, called)
    size = _page(frame, page)
    with tempfile.TemporaryFile(dir=store.room("blobs"), prefix=".part-") as file:
        _write(plan, file, len(frame), size)
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content, memoryview(content) as view:
            kept = store.put_pieces(view, _cuts(view))
    return Kept(kept.blob, kept.size, kept.new, size)


def encode(frame: pd.DataFrame, called: str = "") -> bytes:
    """The file as bytes. Raises errors.CannotStore."""
    sink = io.BytesIO()
    _write(_planned(frame, called), sink, len(frame), _page(frame, 0))
    return sink.getvalue()


def fetch(store: Store, blob: str) -> pd.DataFrame:
    """The frame of ``keep``. Raises errors.StoreDamaged where a byte is not what was written."""
    with store.opened(blob) as file:
        return _read(file)


def decode(content: bytes) -> pd.DataFrame:
    """The frame of ``encode``, or of the blob of ``keep``. Raises errors.StoreDamaged."""
    from nbml.store import current

    pieces = chunks.listed(content)
    return _read(io.BytesIO(content) if pieces is None else chunks.Reader(current().folder / "blobs", pieces))


# -- writing --------------------------------------------------------------------------------------------------


def _planned(frame: pd.DataFrame, called: str) -> Plan:
    try:
        return plan(frame)
    except errors.CannotStore as error:
        error.next = _mending(frame, called)
        raise


def plan(frame: pd.DataFrame) -> Plan:
    """How a frame is kept. Raises errors.CannotStore."""
    try:
        meta: Json = {"rows": len(frame), "labels": labels.labels_spec(frame.columns), "columns": []}
    except Unfit as unfit:
        raise errors.CannotStore(f"the column label {unfit} cannot be kept; make it text") from unfit
    parts: dict[str, Part] = {}
    few: list[str] = []
    for position, label in enumerate(frame.columns):
        rule = _rule(label, frame.iloc[:, position].array)
        names = [f"c{position}" if at == 0 else f"c{position}.{at}" for at in range(len(rule.parts))]
        meta["columns"].append({"spec": rule.spec, "names": names})
        parts |= dict(zip(names, rule.parts, strict=True))
        few += names[:1] if rule.few else []
    try:
        meta["index"], held = labels.index_rule(frame.index)
    except Unfit as unfit:
        raise errors.CannotStore(f"the index {unfit}") from unfit
    meta["index names"] = [f"i{at}" for at in range(len(held))]
    parts |= dict(zip(meta["index names"], held, strict=True))
    return Plan(meta, parts, tuple(few))


def _rule(label: Any, array: Any) -> columns.Rule:
    """A column's rule, tried where only its values tell whether it holds. Raises errors.CannotStore."""
    import pyarrow as pa

    try:
        rule = columns.rule(array)
        if rule.spec["kind"] == "objects" and rule.spec["item"] not in ("str", "bytes", "bool", "float"):
            rule.parts[0](0, len(array))
        return rule
    except Unfit as unfit:
        raise errors.CannotStore(f"column {str(label)!r} {unfit}") from unfit
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        raise errors.CannotStore(f"column {str(label)!r} cannot be kept as Parquet: {str(error).splitlines()[0]}") from error


def _page(frame: pd.DataFrame, before: int) -> int:
    """The size of a page: as before while a frame has 30 to 2,000 of them."""
    size = int(frame.memory_usage(index=True).sum())
    if before in PAGES and (size < 2000 * before or before == PAGES[-1]) and (size > 30 * before or before == PAGES[0]):
        return before
    return next((page for page in PAGES if size <= 512 * page), PAGES[-1])


def _write(plan: Plan, sink: Any, rows: int, page: int) -> None:
    """Write row group after row group: of objects and texts no more than one is held twice."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = list(plan.parts)

    def table(start: int, stop: int) -> Any:
        return pa.table([plan.parts[name](start, stop) for name in names], names=names)

    first = table(0, min(rows, ROWS))
    schema = first.schema.with_metadata({OURS: json.dumps(plan.meta).encode()})
    options = {"min_chunk_size": page // 2, "max_chunk_size": page * 2, "norm_level": 0}
    with pq.ParquetWriter(
        sink, schema, compression="zstd", use_dictionary=list(plan.few), write_statistics=False, write_page_checksum=True,
        data_page_size=page * 4, use_content_defined_chunking=options,
    ) as writer:  # fmt: skip
        for start in range(0, max(rows, 1), ROWS):
            part = first if start == 0 else table(start, min(rows, start + ROWS))
            writer.write_table(part.replace_schema_metadata(schema.metadata), row_group_size=ROWS)


def _cuts(content: memoryview) -> list[int]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from nbml.datasets import pages

    if len(content) <= SMALL:
        return [0, len(content)]
    with pa.BufferReader(pa.py_buffer(content)) as file:
        metadata = pq.read_metadata(file)
    return pages.cuts(content, metadata)


# -- reading --------------------------------------------------------------------------------------------------


def _read(file: Any) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(file, page_checksum_verification=True, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise errors.StoreDamaged(f"a dataset's file is not what was written: {str(error).splitlines()[0]}") from error
    meta = json.loads((table.schema.metadata or {}).get(OURS, b"{}"))
    if "columns" not in meta:
        raise errors.StoreDamaged("a dataset's file is not what was written: it does not say what its columns are")
    return _frame(table, meta)


def _frame(table: Any, meta: Json) -> pd.DataFrame:
    import pandas as pd

    index = labels.index_of(meta["index"], [table.column(name) for name in meta["index names"]])
    if len(index) != meta["rows"]:
        raise errors.StoreDamaged(f"a dataset's file has {len(index):,} rows where {meta['rows']:,} were written")
    made: dict[int, Any] = {}
    for position, held in enumerate(meta["columns"]):
        array = columns.restored(held["spec"], [table.column(name) for name in held["names"]])
        objects = held["spec"]["kind"] == "objects"
        made[position] = pd.Series(array, index=index, dtype=object if objects else None, copy=False)
    frame = pd.DataFrame(made, index=index, copy=False)
    frame.columns = labels.labels_of(meta["labels"])
    return frame


# -- the line that mends --------------------------------------------------------------------------------------


def _mending(frame: pd.DataFrame, called: str) -> str | None:
    """The line after which all of the frame can be kept; None where no one line does."""
    if not called:
        return None
    tries: list[tuple[str, Callable[[], pd.DataFrame]]] = [
        ("{0}.columns = {0}.columns.map(str)", lambda: frame.set_axis(frame.columns.map(str), axis=1)),
        ("{0} = {0}.reset_index()", frame.reset_index),
    ]
    unfit = [label for position, label in enumerate(frame.columns) if not _fits(frame.iloc[:, [position]].reset_index(drop=True))]
    if unfit and all(isinstance(label, str) for label in unfit):
        which = repr(unfit[0] if len(unfit) == 1 else unfit)
        if len(unfit) == 1 and hasattr(frame[unfit[0]], "sparse"):
            dense: Any = frame[unfit[0]]
            line = f"{{0}}[{which}] = {{0}}[{which}].sparse.to_dense()"
            tries.insert(0, (line, lambda: frame.assign(**{unfit[0]: dense.sparse.to_dense()})))
        else:
            tries.insert(0, (f"{{0}}[{which}] = {{0}}[{which}].map(str)", lambda: frame.assign(**{u: frame[u].map(str) for u in unfit})))
    for line, change in tries:
        try:
            if _fits(change()):
                return line.replace("{0}", called)
        except (TypeError, ValueError, AttributeError, RecursionError):  # of a label that is there already, of values without a text
            continue
    return None


def _fits(frame: pd.DataFrame) -> bool:
    if not frame.columns.is_unique:
        return False
    try:
        return bool(plan(frame))
    except errors.CannotStore:
        return False
