"""Runs in the record: what a listing needs, and the points of each metric in chunks.

A chunk holds n int64 steps, n float64 times (epoch seconds) and n float64 values, little-endian. Each flush adds a small
one; at ``SMALL`` of them, at ``FULL`` points and at the run's end they become one. NaN and infinity stand in the chunks
as they are; in ``last`` (JSON has neither) as the texts "NaN", "inf" and "-inf"; in ``lo`` and ``hi`` they do not count.
"""

from __future__ import annotations

import json
import math
import sqlite3
import sys
import time
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nbml.store.listed import RunRow, listing_json, rows
from nbml.store.record import Store, Thing

__all__ = [
    "Point", "Points", "RunRow", "as_json", "begin", "bins", "by_uid", "curve", "finish", "listing_json", "names", "points",
    "put", "put_all", "put_in", "read_numbers", "resume", "rows", "set_row", "set_tags", "start", "write_numbers",
]  # fmt: skip

#: points of a chunk that is not added to any more
FULL = 4096
#: small chunks that are merged into one
SMALL = 32
#: keys of a run's body that stand in its row too, for listings
LISTED = ("seconds", "changed", "findings", "result")

#: time (epoch seconds), step (None: one after the metric's last), value of each metric
Point = tuple[float, "int | None", Mapping[str, float]]


@dataclass
class Series:
    """What the writer knows of one metric: its numbers so far, and the points that are not in a full chunk yet."""

    id: int
    count: int = 0
    step: int = -1
    low: float | None = None
    high: float | None = None
    seq: int = 0
    small: int = 0
    steps: array[int] = field(default_factory=lambda: array("q"))
    times: array[float] = field(default_factory=lambda: array("d"))
    values: array[float] = field(default_factory=lambda: array("d"))

    def add(self, when: float, step: int | None, value: float) -> None:
        """Take one point."""
        self.step = self.step + 1 if step is None else step
        self.count += 1
        self.steps.append(self.step)
        self.times.append(when)
        self.values.append(value)
        if math.isfinite(value):
            self.low = value if self.low is None else min(self.low, value)
            self.high = value if self.high is None else max(self.high, value)


class Points:
    """Writes the points of one run. Used inside the store's transactions; forget it where one fails."""

    def __init__(self, run: int) -> None:
        self.run = run
        self.series: dict[str, Series] = {}
        self.last: dict[str, float] | None = None

    def write(self, db: sqlite3.Connection, points: Sequence[Point], *, final: bool = False) -> None:
        """Add ``points``; ``final`` merges what is small."""
        if self.last is None:
            row = db.execute("SELECT last FROM run WHERE thing=?", (self.run,)).fetchone()
            self.last = read_numbers(row["last"])
        before: dict[str, int] = {}
        for when, step, values in points:
            for name, value in values.items():
                series = self.series.get(name) or self._open(db, name)
                before.setdefault(name, len(series.values))
                series.add(when, step, value)
                self.last[name] = value
        for name, start in before.items():
            self._flush(db, self.series[name], start)
        if final:
            for series in self.series.values():
                if series.small > 1:
                    self._merge(db, series)
        if points:
            db.execute("UPDATE run SET last=? WHERE thing=?", (write_numbers(self.last), self.run))

    def _open(self, db: sqlite3.Connection, name: str) -> Series:
        row = db.execute("SELECT * FROM metric WHERE run=? AND name=?", (self.run, name)).fetchone()
        if row is None:
            new = db.execute("INSERT INTO metric(run,name) VALUES(?,?)", (self.run, name)).lastrowid
            series = Series(int(new or 0))
        else:
            series = Series(row["id"], row["n"], row["last_step"], row["min"], row["max"])
            top = db.execute("SELECT max(seq) FROM chunk WHERE metric=?", (row["id"],)).fetchone()[0]
            series.seq = 0 if top is None else top + 1
        self.series[name] = series
        return series

    def _flush(self, db: sqlite3.Connection, series: Series, start: int) -> None:
        _insert(db, series.id, series.seq, series.steps[start:], series.times[start:], series.values[start:])
        series.seq += 1
        series.small += 1
        if series.small >= SMALL or len(series.values) >= FULL:
            self._merge(db, series)
        value = series.values[-1] if series.values else self._value(series)
        db.execute(
            "UPDATE metric SET n=?, last=?, last_step=?, min=?, max=? WHERE id=?",
            (series.count, value, series.step, series.low, series.high, series.id),
        )

    def _value(self, series: Series) -> float | None:
        name = next(name for name, known in self.series.items() if known is series)
        return None if self.last is None else self.last.get(name)

    def _merge(self, db: sqlite3.Connection, series: Series) -> None:
        """Make the small chunks full ones and one rest."""
        first = series.seq - series.small
        db.execute("DELETE FROM chunk WHERE metric=? AND seq>=?", (series.id, first))
        series.seq, series.small = first, 0
        for start in range(0, len(series.values), FULL):
            cut = slice(start, start + FULL)
            _insert(db, series.id, series.seq, series.steps[cut], series.times[cut], series.values[cut])
            series.seq += 1
        rest = len(series.values) % FULL
        cut = slice(len(series.values) - rest, None)
        series.steps, series.times, series.values = series.steps[cut], series.times[cut], series.values[cut]
        series.small = 1 if rest else 0


def _insert(
    db: sqlite3.Connection, metric: int, seq: int, steps: array[int], times: array[float], values: array[float]
) -> None:
    real = [value for value in values if math.isfinite(value)]
    low, high = (min(real), max(real)) if real else (None, None)
    data = b"".join(_bytes(part) for part in (steps, times, values))
    db.execute(
        "INSERT INTO chunk(metric,seq,n,step0,step1,lo,hi,data) VALUES(?,?,?,?,?,?,?,?)",
        (metric, seq, len(values), min(steps), max(steps), low, high, data),
    )


def _bytes(part: array[Any]) -> bytes:
    if sys.byteorder == "big":
        part = part[:]
        part.byteswap()
    return part.tobytes()


def begin(db: sqlite3.Connection, name: str, uid: str, process: int, body: Mapping[str, Any], tags: Sequence[str]) -> Thing:
    """Write a new run down as running: a version of ``name``, and its row."""
    made = time.time()
    version = db.execute("SELECT ifnull(max(version),0)+1 FROM thing WHERE kind='run' AND name=?", (name,)).fetchone()[0]
    new = db.execute(
        "INSERT INTO thing(kind,name,version,state,made,body) VALUES('run',?,?,'running',?,?)", (name, version, made, as_json(body))
    ).lastrowid
    run = Thing(int(new or 0), "run", name, version, "", "running", made, dict(body))
    start(db, run, uid, process, tags)
    return run


def start(db: sqlite3.Connection, run: Thing, uid: str, process: int, tags: Sequence[str]) -> None:
    """The row of a run that is there as a thing."""
    facts = {key: run.body[key] for key in LISTED if key in run.body}
    db.execute(
        "INSERT INTO run(thing,uid,name,status,started,process,tags,facts) VALUES(?,?,?,'running',?,?,?,?)",
        (run.id, uid, run.name, run.made, process, as_json(list(tags)), as_json(facts)),
    )


def resume(db: sqlite3.Connection, run: int, process: int, body: Mapping[str, Any] = {}, tags: Sequence[str] | None = None) -> None:
    """Write an ended run down as running again."""
    db.execute("UPDATE run SET status='running', ended=NULL, process=? WHERE thing=?", (process, run))
    db.execute("UPDATE thing SET state='running' WHERE id=?", (run,))
    put_in(db, run, body)
    if tags is not None:
        set_tags(db, run, tags)


def finish(db: sqlite3.Connection, run: int, state: str, params: Mapping[str, Any]) -> None:
    """Write down how a run ended, and what it was run with."""
    db.execute("UPDATE run SET status=?, ended=?, params=? WHERE thing=?", (state, time.time(), as_json(params), run))
    db.execute("UPDATE thing SET state=? WHERE id=?", (state, run))


def by_uid(store: Store, prefix: str) -> list[int]:
    """The things of the runs whose id begins so, newest first."""
    end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    return [row["thing"] for row in store.read("SELECT thing FROM run WHERE uid>=? AND uid<? ORDER BY thing DESC", (prefix, end))]


def names(store: Store, run: int) -> dict[str, int]:
    """The metrics of a run in the order of their coming, and how many points each has."""
    return {row["name"]: row["n"] for row in store.read("SELECT name, n FROM metric WHERE run=? ORDER BY id", (run,))}


def points(store: Store, run: int, metric: str) -> tuple[array[int], array[float], array[float]]:
    """Steps, times (epoch seconds) and values of a metric, in the order of their coming; empty where there is none."""
    found = store.read(
        "SELECT c.n, c.data FROM chunk c JOIN metric m ON m.id=c.metric WHERE m.run=? AND m.name=? ORDER BY c.seq",
        (run, metric),
    )
    steps, times, values = array("q"), array("d"), array("d")
    for row in found:
        width, data = 8 * row["n"], row["data"]
        steps.frombytes(data[:width])
        times.frombytes(data[width : 2 * width])
        values.frombytes(data[2 * width :])
    if sys.byteorder == "big":
        for part in (steps, times, values):
            part.byteswap()
    return steps, times, values


def bins(store: Store, run: int, metric: str, most: int = 1000) -> list[tuple[int, float | None, float | None]]:
    """A metric for a plot: (first step, least, greatest) of at most ``most`` equal stretches; None where no number is finite."""
    import numpy as np

    steps, _, values = points(store, run, metric)
    if not values:
        return []
    size = -(-len(values) // most)
    numbers = np.full(-(-len(values) // size) * size, np.nan)
    numbers[: len(values)] = np.frombuffer(values)
    numbers[~np.isfinite(numbers)] = np.nan
    rows = numbers.reshape(-1, size)
    low, high = np.fmin.reduce(rows, axis=1).tolist(), np.fmax.reduce(rows, axis=1).tolist()
    ends = zip(steps[::size], low, high, strict=True)
    return [(step, None, None) if a != a else (step, a, b) for step, a, b in ends]


def curve(values: Sequence[float], most: int = 40) -> list[float | None]:
    """At most ``most`` of the values, the first and the last among them; None for what is no finite number."""
    if len(values) > most:
        values = [values[round(i * (len(values) - 1) / (most - 1))] for i in range(most)]
    return [value if math.isfinite(value) else None for value in values]


def write_numbers(numbers: Mapping[str, float]) -> str:
    """Numbers as JSON; NaN and infinity as texts."""
    return json.dumps({k: v if math.isfinite(v) else _word(v) for k, v in numbers.items()}, ensure_ascii=False)


def read_numbers(text: str) -> dict[str, float]:
    """The numbers of ``write_numbers``."""
    return {name: float(value) for name, value in json.loads(text).items()}


def put(store: Store, run: int, key: str, value: Any) -> None:
    """Set one key of a run's body to a JSON value and leave the others alone, whoever else writes to it meanwhile.

    Numbers that JSON has not become the texts "NaN", "inf" and "-inf". Raises errors.StoreError.
    """
    put_all(store, run, {key: value})


def put_all(store: Store, run: int, values: Mapping[str, Any]) -> None:
    """``put`` of several keys, in one transaction."""
    store.write(lambda db: put_in(db, run, values))


def put_in(db: sqlite3.Connection, run: int, values: Mapping[str, Any]) -> None:
    """``put_all`` inside a transaction."""
    for key, value in values.items():
        place = (f'$."{key}"', as_json(value), run)
        db.execute("UPDATE thing SET body=json_set(body,?,json(?)) WHERE id=?", place)
        if key in LISTED:
            db.execute("UPDATE run SET facts=json_set(facts,?,json(?)) WHERE thing=?", place)


def as_json(value: Any) -> str:
    """A value as JSON text that every reader takes: no NaN, no infinity, no half of a surrogate pair."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:
        text = json.dumps(_finite(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "replace").decode()


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return _word(value)
    if isinstance(value, Mapping):
        return {key: _finite(part) for key, part in value.items()}
    return [_finite(part) for part in value] if isinstance(value, (list, tuple)) else value


def _word(value: float) -> str:
    """NaN and infinity as texts, which ``float`` reads."""
    return "NaN" if value != value else repr(value)


def set_row(db: sqlite3.Connection, run: int, row: Mapping[str, Any]) -> None:
    """Replace the panel's line of a run."""
    put_in(db, run, {"row": row})


def set_tags(db: sqlite3.Connection, run: int, tags: Iterable[str]) -> None:
    """Replace a run's tags."""
    db.execute("UPDATE run SET tags=? WHERE thing=?", (json.dumps(list(tags), ensure_ascii=False), run))
