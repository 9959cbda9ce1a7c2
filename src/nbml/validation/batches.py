"""A check of data that do not fit into memory: batch by batch where an expectation allows it, and of the columns that it names
where these fit; the rest has failed, with the reason.

Each batch is checked by the engine, and what it told is put together to what it would have told of the whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbml import errors
from nbml.datasets import sources
from nbml.validation.checking import Checked, check, condition_of, label_of, level, types
from nbml.validation.conditions import Condition, where
from nbml.validation.engines import Engine, failed
from nbml.validation.merging import Each, mergeable
from nbml.validation.reading import Entry
from nbml.validation.words import columns_of

if TYPE_CHECKING:
    import pandas as pd

    from nbml.datasets.sources import Source

Json = dict[str, Any]
#: of each expectation so many rows that break it are kept
KEPT = 2_000
#: rows of the first batch on which names and types are judged
HEAD = 1_000
#: what part of the memory that is free a frame may take
PART = 4
#: types that ask only for names and types of columns
TABLE = frozenset((
    "expect_column_to_exist", "expect_table_columns_to_match_ordered_list", "expect_table_columns_to_match_set",
    "expect_table_column_count_to_be_between", "expect_table_column_count_to_equal",
))  # fmt: skip


@dataclass(frozen=True)
class How:
    """How a check is made: GX's result format, the engine, what drift compares with, and how many bytes may be in memory."""

    form: str
    engine: Engine
    reference: pd.DataFrame | None
    min_rows: int
    limit: int

    def check(self, frame: pd.DataFrame, configs: list[Json], form: str = "") -> Checked:
        return check(frame, configs, form or self.form, self.engine, self.reference, self.min_rows)


@dataclass(frozen=True)
class Large:
    """A check of a frame or a source: ``failing`` are rows that break something, of a source at most ``KEPT`` for each
    expectation, which ``most`` says where there are more; ``columns`` are types by name."""

    done: Checked
    failing: pd.DataFrame
    rows: int
    columns: dict[str, str]
    most: int | None = None


@dataclass
class _Pass:
    """One reading of all batches: ``sizes`` are bytes of columns, ``kept`` rows that break something, by position."""

    each: dict[int, Each]
    first: pd.DataFrame
    rows: int = 0
    sizes: dict[str, int] = field(default_factory=dict)
    kept: list[tuple[list[int], pd.DataFrame]] = field(default_factory=list)


def limit() -> int:
    """How many bytes a frame may take before it is read in batches: a quarter of the memory that is free now."""
    free = [_number(Path("/sys/fs/cgroup/memory.max")) or 0]
    try:
        told = Path("/proc/meminfo").read_text(encoding="ascii")
        free.append(next(int(line.split()[1]) * 1024 for line in told.splitlines() if line.startswith("MemAvailable:")))
    except (OSError, StopIteration, ValueError):  # not Linux
        free.append(8 << 30)
    return min(size for size in free if size) // PART


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def check_frame(frame: pd.DataFrame, configs: list[Json], how: How) -> Large:
    """The same of a frame in memory: all rows that break something are there."""
    done = how.check(frame, configs)
    return Large(done, frame.iloc[done.rows].copy(), len(frame), types(frame))


def check_batches(source: Source, configs: list[Json], how: How) -> Large:
    """Evaluate ``configs`` on a source of which at most about ``how.limit`` bytes may be in memory."""
    empty = sources.to_pandas(source.schema().empty_table())
    how.check(empty, [])  # a form that there is not, names that collide
    known = types(empty)
    there = list(known)
    read = _Pass({p: Each(c) for p, c in enumerate(configs) if mergeable(c) and _needed(c) <= set(there)}, empty)
    for batch in source.batches():
        _batch(read, batch, how)
    none = level(empty)
    merged = {place: each for place, each in read.each.items() if not each.unfit}
    results = {place: each.result(how.form, how.engine, none) for place, each in merged.items()}
    shown = {place: each.result("SUMMARY", how.engine, none) for place, each in merged.items()}
    broken = {row for place, each in merged.items() if not results[place]["success"] for row in each.positions}
    more: set[int] = set()
    cut = False
    rest = {place: config for place, config in enumerate(configs) if place not in merged}
    for names, group in _by_columns(rest, there).items():
        done = _rest(source, names, group, read, how)
        results |= dict(zip(group, done.results, strict=True))
        shown |= {list(group)[at]: result for at, result in done.failures.items()}
        more |= set(done.rows[: KEPT * len(group)])
        cut = cut or len(done.rows) > KEPT * len(group)
    ordered = [results[place] for place in range(len(configs))]
    bad = {place: shown[place] for place, result in enumerate(ordered) if not result["success"]}
    cut = cut or any((shown[place]["result"].get("unexpected_count") or 0) > KEPT for place in merged if place in bad)
    return Large(Checked(ordered, bad, []), _failing(source, read, broken, more), read.rows, known, KEPT if cut else None)


def _batch(read: _Pass, batch: sources.Batch, how: How) -> None:
    frame = _frame(batch)
    if not len(read.first):
        read.first = frame.iloc[:HEAD].copy()
    read.rows += len(frame)
    for name, column in zip(batch.rows.schema.names, batch.rows.columns, strict=True):
        read.sizes[name] = read.sizes.get(name, 0) + column.nbytes
    own, start = frame.index, batch.position
    rowwise = [each for each in read.each.values() if not each.figure]
    done = how.check(frame.set_axis(range(start, start + len(frame)), axis=0), [each.config for each in rowwise], "COMPLETE")
    wanted: set[int] = set()
    for each, result in zip(rowwise, done.results, strict=True):
        wanted |= set(each.add(result, lambda row: label_of(own[row - start]), KEPT))
    for each in read.each.values():
        if each.figure and each.stopped is None and not each.unfit:
            _collect(each, frame)
    if wanted:
        rows = sorted(wanted)
        read.kept.append((rows, frame.iloc[[row - start for row in rows]]))


def _frame(batch: sources.Batch) -> pd.DataFrame:
    import pandas as pd

    frame = sources.to_pandas(batch.rows)
    if isinstance(frame.index, pd.RangeIndex):
        frame.index = pd.RangeIndex(batch.position, batch.position + len(frame))
    return frame


def _collect(each: Each, frame: pd.DataFrame) -> None:
    condition = condition_of(each.config)
    try:
        each.collect(frame[where(condition, frame)] if condition else frame)
    except errors.BadExpectation as error:
        each.stopped = failed(each.config, f"where {condition}: {error.message}")


# -- the rest -------------------------------------------------------------------------------------------------


def _needed(config: Json) -> set[str]:
    """The columns that an expectation names."""
    condition = condition_of(config)
    try:
        return {*columns_of(config["kwargs"]), *(Condition(Entry(condition)).columns() if condition else ())}
    except errors.BadExpectation:
        return {*columns_of(config["kwargs"])}


#: no column: names and types are asked for, or a column that is not there
HEADS = ("",)


def _by_columns(configs: dict[int, Json], there: list[str]) -> dict[tuple[str, ...], dict[int, Json]]:
    """Expectations by the columns that they need; all of them where none is named."""
    found: dict[tuple[str, ...], dict[int, Json]] = {}
    for place, config in configs.items():
        names = _needed(config) if "row_condition" not in config["kwargs"] else {*there}
        needed = tuple(name for name in there if name in names) or tuple(there)
        found.setdefault(HEADS if config["type"] in TABLE or not names <= set(there) else needed, {})[place] = config
    return found


def _rest(source: Source, names: tuple[str, ...], group: dict[int, Json], read: _Pass, how: How) -> Checked:
    configs = list(group.values())
    if names == HEADS:
        return how.check(read.first, configs)
    size = sum(read.sizes.get(name, 0) for name in names)
    if size <= how.limit and source.again:
        return how.check(sources.frame(source, names), configs)
    what = repr(names[0]) if len(names) == 1 else f"{len(names)} columns"
    why = f"{_megabytes(size)} where {_megabytes(how.limit)} may be" if source.again else "and a stream can be read only once"
    lost = [failed(config, f"not evaluated: it needs all of {what} in memory, {why}") for config in configs]
    return Checked(lost, dict(enumerate(lost)), [])


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB" if size >= 1e6 else f"{size / 1e3:,.0f} kB"


# -- rows that break something --------------------------------------------------------------------------------


def _failing(source: Source, read: _Pass, broken: set[int], more: set[int]) -> pd.DataFrame:
    """The rows at these places, in order: those that were kept on the way, and others by reading once more."""
    import pandas as pd

    held = {row for rows, _ in read.kept for row in rows}
    parts = _picked(read.kept, broken | (more & held)) + _again(source, sorted(more - held))
    if not parts:
        return read.first.iloc[:0].copy()
    places = [row for rows, _ in parts for row in rows]
    return pd.concat([frame for _, frame in parts]).iloc[sorted(range(len(places)), key=places.__getitem__)]


def _picked(kept: list[tuple[list[int], pd.DataFrame]], wanted: set[int]) -> list[tuple[list[int], pd.DataFrame]]:
    found = []
    for rows, frame in kept:
        at = [i for i, row in enumerate(rows) if row in wanted]
        if at:
            found.append(([rows[i] for i in at], frame.iloc[at]))
    return found


def _again(source: Source, rows: list[int]) -> list[tuple[list[int], pd.DataFrame]]:
    found, at = [], 0
    for batch in source.batches() if rows else ():
        end, here = batch.position + batch.count, []
        while at < len(rows) and rows[at] < end:
            here.append(rows[at])
            at += 1
        if here:
            found.append((here, _frame(batch).iloc[[row - batch.position for row in here]]))
        if at == len(rows):
            break
    return found
