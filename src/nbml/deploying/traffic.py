"""The files of a deployment's traffic: their columns, and reading them while they grow."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbml.deploying import state

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

#: the file by which a reader asks the log writer for what it holds back
ASK = "traffic.ask"
#: how the name of a growing file ends, and of a full one
OPEN, FULL = ".part.arrow", ".arrow"
#: what a listing of requests needs; the bodies are read only where they are asked for
COLUMNS = ("time", "ids", "rows", "latency_ms", "status", "version")


@functools.cache
def schema() -> pa.Schema:
    """One row is one answered request; ``time`` is seconds since the epoch, bodies are as they were on the wire."""
    import pyarrow as pa

    return pa.schema([
        ("time", pa.float64()), ("ids", pa.list_(pa.string())), ("rows", pa.int64()), ("latency_ms", pa.float64()),
        ("status", pa.int64()), ("version", pa.string()), ("request", pa.binary()), ("response", pa.binary()),
    ])  # fmt: skip


def batch(rows: Sequence[dict[str, Any]]) -> pa.RecordBatch:
    """Rows as a batch. An id that is no text of Unicode is written with a question mark."""
    import pyarrow as pa

    for row in rows:
        row["ids"] = [value.encode("utf-8", "replace").decode() for value in row["ids"]]
    return pa.RecordBatch.from_pylist(list(rows), schema())


def batches(path: Path) -> Iterator[pa.RecordBatch]:
    """The whole batches of a file; a torn one at its end is left out."""
    import pyarrow as pa

    try:
        with pa.OSFile(str(path), "rb") as file, pa.ipc.open_stream(file) as stream:
            yield from stream
    except (pa.ArrowInvalid, OSError, EOFError):
        return


def compact(path: Path) -> None:
    """Write a growing file again as a full one: one batch, compressed. What cannot be read is left out."""
    import pyarrow as pa

    table = pa.Table.from_batches(list(batches(path)), schema()).combine_chunks()
    if table.num_rows:
        part = path.with_name(f"{path.name}.new")
        with pa.OSFile(str(part), "wb") as file, pa.ipc.new_stream(file, schema(), options=_options()) as stream:
            stream.write_table(table)
        part.replace(path.with_name(path.name.removesuffix(OPEN) + FULL))
    path.unlink()


def caught_up(deployment: Path, seconds: float = 2.0) -> None:
    """Let the log writer write what was answered so far; waits for it at most so long, and not where none is at work."""
    found = state.status(deployment)
    if found is None or not found.live:
        return
    ask, end = deployment / ASK, time.monotonic() + seconds
    try:
        ask.touch(mode=0o600)
        while ask.exists() and time.monotonic() < end:
            time.sleep(0.01)
        ask.unlink(missing_ok=True)
    except OSError:  # a folder that can only be read shows what is there
        return


def table(folder: Path, since: float, columns: Sequence[str] = COLUMNS) -> pa.Table:
    """The requests from ``since`` (epoch seconds) on, oldest first, in the columns asked for."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found: dict[str, list[pa.RecordBatch]] = {}
    for path in sorted(folder.glob("*" + FULL)) if folder.is_dir() else []:
        if path.name.endswith(OPEN) or path.stat().st_mtime >= since:
            key = path.name.removesuffix(OPEN).removesuffix(FULL)
            read = [part.select(list(columns)) for part in batches(path)]
            if sum(map(len, read)) >= sum(map(len, found.get(key, []))):  # one file may be there twice while it is compacted
                found[key] = read
    narrow = pa.schema([schema().field(name) for name in columns])
    whole = pa.Table.from_batches([part for parts in found.values() for part in parts], narrow)
    return whole.filter(pc.greater_equal(whole["time"], since)).sort_by("time")


def requests(folder: Path, since: float, columns: Sequence[str] = COLUMNS) -> pd.DataFrame:
    """The requests as a frame; ``time`` in UTC, ``ids`` as lists."""
    import pandas as pd

    frame = table(folder, since, columns).to_pandas()
    frame["time"] = pd.to_datetime(frame["time"], unit="s", utc=True)
    if "ids" in frame:
        frame["ids"] = [list(ids) for ids in frame["ids"]]
    return frame


def _options() -> Any:
    import pyarrow as pa

    return pa.ipc.IpcWriteOptions(compression="zstd")
