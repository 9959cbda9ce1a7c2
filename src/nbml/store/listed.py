"""All runs at once, from what stands in their rows: no body is read."""

from __future__ import annotations

import gc
import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from nbml.store.record import Store


@dataclass(frozen=True)
class RunRow:
    """A run as listings need it. ``state`` is running, finished, failed, or interrupted (also where its process is gone).

    ``seconds`` is how long its blocks ran, None where none has ended; ``changed`` are the parameters that are not the default.
    """

    thing: int
    uid: str
    name: str
    version: int
    state: str
    started: float
    ended: float | None
    params: dict[str, Any]
    metrics: dict[str, float]
    tags: tuple[str, ...]
    seconds: float | None
    changed: tuple[str, ...]


def rows(store: Store, *, thing: int | None = None, limit: int = -1) -> list[RunRow]:
    """All runs, newest first, or the one of ``thing``."""
    one = "" if thing is None else " WHERE r.thing=?"
    found = store.read(
        "SELECT r.thing, r.uid, r.name, t.version, r.status, r.started, r.ended, r.params, r.last, r.tags, r.process,"  # noqa: S608
        f" {_facts(store)} FROM run r JOIN thing t ON t.id=r.thing{one} ORDER BY r.thing DESC LIMIT ?",
        (limit,) if thing is None else (thing, limit),
    )
    living = _living(store)
    collecting = gc.isenabled()
    gc.disable()  # so many new values would make it look at all of them again and again: half of the time
    try:
        return [_row(row, living, read) for row, read in zip(found, _read_all(found), strict=True)]
    finally:
        if collecting:
            gc.enable()


def _row(row: sqlite3.Row, living: set[int], read: tuple[Any, Any, Any, Any]) -> RunRow:
    id, uid, name, version, state, started, ended, _, _, _, process, _ = row
    params, last, tags, facts = read
    if state == "running" and process not in living:
        state = "interrupted"
    metrics = {name: float(value) for name, value in last.items()}
    seconds = facts.get("seconds", None if ended is None else ended - started)
    return RunRow(id, uid, name, version, state, started, ended, params, metrics, tuple(tags), seconds, tuple(facts.get("changed", params)))


def _read_all(found: Sequence[sqlite3.Row]) -> Iterable[tuple[Any, Any, Any, Any]]:
    """Params, last, tags and facts of each row; each column is read as one JSON text."""
    loads: Callable[[str], Any] = json.loads
    if len(found) > 100:
        import orjson

        loads = orjson.loads
    columns = [[row[place] for row in found] for place in (7, 8, 9, 11)]
    try:
        read = [loads(f"[{','.join(texts)}]") for texts in columns]
    except ValueError:  # a whole number of more than 64 bits
        read = [[json.loads(text) for text in texts] for texts in columns]
    return zip(*read, strict=True)


def _facts(store: Store) -> str:
    """The SQL of a run's facts: of its body where the record was last written by an earlier version, and may not be changed here."""
    if store.read("SELECT 1 FROM pragma_table_info('run') WHERE name='facts'"):
        return "r.facts"
    return "json_object('seconds',t.body->'$.seconds','changed',json(ifnull(t.body->'$.changed','[]')),'result',t.body->>'$.result')"


def _living(store: Store) -> set[int]:
    """The processes that are at work, of those that have runs that are not ended."""
    found = store.read("SELECT DISTINCT process FROM run WHERE status='running' AND process IS NOT NULL")
    return {row["process"] for row in found if store.alive(row["process"])}


def listing_json(store: Store, limit: int = -1) -> str:
    """What ``rows`` gives as the text of a JSON list, newest first, put together by SQLite: for faces that only hand it on.

    Each is {thing, uid, name, version, state, started, ended, params, metrics, tags, facts}; ``facts`` has ``seconds``, ``changed``,
    ``findings`` (as in the body) and ``result``, each where it is known. NaN and infinity are texts.
    """
    living = ",".join(str(int(process)) for process in _living(store))
    found = store.read(
        "SELECT '['||ifnull(group_concat('{\"thing\":'||r.thing||',\"uid\":'||json_quote(r.uid)||',\"name\":'||json_quote(r.name)"  # noqa: S608
        "||',\"version\":'||t.version||',\"state\":'||json_quote(CASE WHEN r.status='running' AND ifnull(r.process,0) NOT IN ("
        f"{living}) THEN 'interrupted' ELSE r.status END)||',\"started\":'||r.started||',\"ended\":'||ifnull(r.ended,'null')"
        f"||',\"params\":'||r.params||',\"metrics\":'||r.last||',\"tags\":'||r.tags||',\"facts\":'||{_facts(store)}||'}}'),'')||']' text"
        " FROM (SELECT * FROM run ORDER BY thing DESC LIMIT ?) r JOIN thing t ON t.id=r.thing",
        (limit,),
    )
    return found[0]["text"] if found else "[]"
