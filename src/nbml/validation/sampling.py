"""A first suite for data that do not fit into memory: drafted from a sample, and checked on all rows where they can be read again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbml.datasets import sources
from nbml.validation import batches
from nbml.validation.checking import OWN, engine_of, level
from nbml.validation.draft import candidates, holding, judged, rows_line, written_out

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from nbml.datasets.sources import Source

#: most rows of a sample
ROWS = 50_000


@dataclass(frozen=True)
class Drafted:
    """``told`` says what the text was drafted from; ``none`` is the frame without rows."""

    text: str
    rows: int
    told: str
    none: pd.DataFrame


def draft(source: Source, private: Collection[str] = ()) -> Drafted:
    """As of a frame; what cannot be checked on all rows, though they can be read again, is not in it."""
    limit = batches.limit()
    part, rows, step = sample(source, limit)
    frame = level(part)
    lines = [line for line in holding(frame, list(candidates(frame, private))) if line != rows_line(len(frame))]
    lines = [rows_line(rows), *lines]
    told = f"drafted from a sample of {len(part):,} of {rows:,} rows" if step > 1 else f"drafted from all {rows:,} rows"
    if source.again and step > 1:
        how = batches.How("BOOLEAN_ONLY", engine_of(OWN), None, 0, limit)
        lines = judged(lines, lambda configs: batches.check_batches(source, configs, how).done.results)
        told += "; each line was checked on all of them"
    elif step > 1:
        told += "; a stream can be read only once, so that the others were not looked at"
    return Drafted(written_out(lines), rows, told, part.iloc[:0].copy())


def sample(source: Source, limit: int) -> tuple[pd.DataFrame, int, int]:
    """Every so many-th row of a source, the number of its rows, and how many-th: at most ``ROWS``, and half of ``limit`` bytes."""
    import pyarrow as pa

    held: list[pa.RecordBatch] = []
    step, count = 1, 0
    for batch in source.batches():
        count = batch.position + batch.count
        held.append(_every(batch.rows, -batch.position % step, step))
        while sum(part.num_rows for part in held) > ROWS or sum(part.nbytes for part in held) * 2 > limit:
            if sum(part.num_rows for part in held) < 2:
                break
            step *= 2
            held = _thinned(held)
    table = pa.Table.from_batches(held) if held else source.schema().empty_table()
    return sources.to_pandas(table), count, step


def _every(rows: pa.RecordBatch, first: int, step: int) -> pa.RecordBatch:
    import pyarrow as pa

    return rows.take(pa.array(range(first, rows.num_rows, step), pa.int64()))


def _thinned(held: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
    """Every second row of all."""
    found, first = [], 0
    for part in held:
        found.append(_every(part, first, 2))
        first = (first + part.num_rows) % 2
    return [part for part in found if part.num_rows]
