"""Many whole runs at once, as an import brings them: a few transactions, each of which leaves no half of a run."""

from __future__ import annotations

import itertools
import json
import math
import sqlite3
import sys
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nbml.store.record import Store
from nbml.store.runs import FULL, LISTED, curve, write_numbers

#: runs of one transaction: others write in between
BATCH = 2000
#: values of the curve in the panel's line
CURVE = 40

#: steps, times (epoch seconds) and values of a metric, in the order of their coming
Columns = tuple["array[int]", "array[float]", "array[float]"]


@dataclass(frozen=True)
class Whole:
    """A run that is over. ``params`` are JSON values; ``uid`` is new."""

    uid: str
    name: str
    state: str
    started: float
    ended: float
    params: Mapping[str, Any]
    tags: Sequence[str]
    body: Mapping[str, Any]
    series: Mapping[str, Columns]


def known(store: Store, uids: Sequence[str]) -> set[str]:
    """Those that the record has."""
    found: set[str] = set()
    for start in range(0, len(uids), 500):
        part = uids[start : start + 500]
        rows = store.read(f"SELECT uid FROM run WHERE uid IN ({','.join('?' * len(part))})", part)  # noqa: S608
        found |= {row["uid"] for row in rows}
    return found


def add(store: Store, wholes: Sequence[Whole]) -> list[int]:
    """Write them down, in their order; returns their things. One that another process added meanwhile is left out."""
    found: list[int] = []
    for start in range(0, len(wholes), BATCH):
        found += store.write(lambda db, part=wholes[start : start + BATCH]: _add(db, part))  # type: ignore[misc]
    return found


def _add(db: sqlite3.Connection, wholes: Sequence[Whole]) -> list[int]:
    there = {row[0] for row in db.execute("SELECT uid FROM run")}
    new = [whole for whole in wholes if whole.uid not in there]
    versions = {row[0]: row[1] for row in db.execute("SELECT name, max(version) FROM thing WHERE kind='run' GROUP BY name")}
    thing = itertools.count(_top(db, "thing") + 1)
    metric = itertools.count(_top(db, "metric") + 1)
    things, rows, metrics = [], [], []
    chunks: list[tuple[Any, ...]] = []
    for whole in new:
        id, version = next(thing), versions.get(whole.name, 0) + 1
        versions[whole.name] = version
        last = {name: values[-1] for name, (_, _, values) in whole.series.items()}
        body = _body(whole, last)
        things.append((id, whole.name, version, whole.state, whole.started, _json(body)))
        facts = {key: body[key] for key in LISTED if key in body}
        texts = _json(whole.params), write_numbers(last), _json(list(whole.tags)), _json(facts)
        rows.append((id, whole.uid, whole.name, whole.state, whole.started, whole.ended, *texts))
        for name, (steps, times, values) in whole.series.items():
            number = next(metric)
            low, high = _range(values)
            metrics.append((number, id, name, len(values), last[name], steps[-1], low, high))
            chunks += _chunks(number, steps, times, values)
    db.executemany("INSERT INTO thing(id,kind,name,version,state,made,body) VALUES(?,'run',?,?,?,?,?)", things)
    db.executemany("INSERT INTO run(thing,uid,name,status,started,ended,params,last,tags,facts) VALUES(?,?,?,?,?,?,?,?,?,?)", rows)
    db.executemany("INSERT INTO metric(id,run,name,n,last,last_step,min,max) VALUES(?,?,?,?,?,?,?,?)", metrics)
    db.executemany("INSERT INTO chunk(metric,seq,n,step0,step1,lo,hi,data) VALUES(?,?,?,?,?,?,?,?)", chunks)
    return [row[0] for row in things]


def _body(whole: Whole, last: Mapping[str, float]) -> dict[str, Any]:
    """With what the panel's line needs."""
    word = {"finished": "well", "failed": "bad"}.get(whole.state, "look")
    row: dict[str, Any] = {"state": word, "figure": whole.state if whole.state != "finished" else ""}
    if last:
        name = next(iter(last))
        row["figure"] = f"{name} {last[name]:.4g}" + (f" · {whole.state}" if whole.state != "finished" else "")
        values = whole.series[name][2]
        if len(values) > 1:
            row["spark"] = curve(values, CURVE)
    return {**whole.body, "uid": whole.uid, "row": row, "seconds": max(0.0, whole.ended - whole.started)}


def _chunks(metric: int, steps: array[int], times: array[float], values: array[float]) -> Iterator[tuple[Any, ...]]:
    for seq, start in enumerate(range(0, len(values), FULL)):
        cut = slice(start, start + FULL)
        part: Columns = steps[cut], times[cut], values[cut]
        low, high = _range(part[2])
        yield metric, seq, len(part[2]), min(part[0]), max(part[0]), low, high, b"".join(_bytes(one) for one in part)


def _bytes(part: array[Any]) -> bytes:
    if sys.byteorder == "big":
        part = part[:]
        part.byteswap()
    return part.tobytes()


def _range(values: array[float]) -> tuple[float | None, float | None]:
    real = [value for value in values if math.isfinite(value)]
    return (min(real), max(real)) if real else (None, None)


def _top(db: sqlite3.Connection, table: str) -> int:
    return int(db.execute(f"SELECT ifnull(max(id),0) FROM {table}").fetchone()[0])  # noqa: S608


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace").decode()
