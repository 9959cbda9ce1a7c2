"""What trackers have still to hear. Rows are written with the run, by the kernel; their state by the sender alone.

State: "waiting" (to be sent once the run has ended, not before ``next_at``), "sent". A row's ``body`` is what the tracker answered
last; ``part`` is 0.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nbml.store.processes import Process
from nbml.store.record import Store

#: the office that one sender of a project holds
OFFICE = "sender"
#: longest pause between two tries, seconds
PATIENCE = 600.0


@dataclass(frozen=True)
class Letter:
    """One thing that one tracker has to hear of one run."""

    id: int
    run: int
    tracker: str
    state: str
    tries: int
    next_at: float
    error: str
    body: dict[str, Any]
    asked: int = 0


def put(db: sqlite3.Connection, run: int, trackers: Sequence[str]) -> None:
    """Let ``trackers`` hear of a run, once each; a run that goes on is heard of again."""
    for tracker in trackers:
        db.execute(
            "INSERT INTO outbox(run,tracker,kind,part) VALUES(?,?,'run',0) ON CONFLICT(run,tracker,kind,part) DO UPDATE SET"
            " state='waiting', tries=0, next_at=0, error='', body=json_set(body,'$.asked',ifnull(json_extract(body,'$.asked'),0)+1)",
            (run, tracker),
        )


def letters(store: Store, *, run: int | None = None, state: str | None = None) -> list[Letter]:
    """The rows of a run, or of a state, oldest first."""
    found = store.read(
        "SELECT * FROM outbox WHERE (? IS NULL OR run=?) AND (? IS NULL OR state=?) ORDER BY id", (run, run, state, state)
    )
    return [_letter(row) for row in found]


def waiting(store: Store) -> bool:
    """Whether a tracker has something to hear, now or later."""
    return bool(store.read("SELECT 1 FROM outbox WHERE state='waiting' LIMIT 1"))


def sent(store: Store, letter: Letter, answer: Mapping[str, Any]) -> None:
    """Write down that a tracker has it, and ask it for the others at once. A run that went on meanwhile is still to be sent."""
    text = json.dumps({**answer, "asked": letter.asked})

    def work(db: sqlite3.Connection) -> None:
        same = "WHERE id=? AND ifnull(json_extract(body,'$.asked'),0)=?"
        db.execute(f"UPDATE outbox SET state='sent', error='', body=? {same}", (text, letter.id, letter.asked))  # noqa: S608
        db.execute("UPDATE outbox SET next_at=0 WHERE state='waiting' AND tracker=? AND tries=0 AND next_at>0", (letter.tracker,))

    store.write(work)


def missed(store: Store, letter: Letter, error: str) -> None:
    """Write down that a try failed, and when the next is due."""
    due = time.time() + min(PATIENCE, 2.0 ** min(letter.tries, 30))
    store.write(
        lambda db: db.execute(
            "UPDATE outbox SET tries=tries+1, next_at=?, error=? WHERE id=?", (due, error[:500], letter.id)
        )
    )


def postpone(store: Store, tracker: str, seconds: float) -> None:
    """Let what a tracker has still to hear rest: it takes nothing now, and thousands of runs would ask it one after the other."""
    now = time.time()
    store.write(
        lambda db: db.execute(
            "UPDATE outbox SET next_at=? WHERE state='waiting' AND tracker=? AND next_at<=?", (now + min(PATIENCE, seconds), tracker, now)
        )
    )


def due(store: Store, most: int = -1, without: Collection[str] = ()) -> list[Letter]:
    """What can be sent now: of runs that have ended, or whose process has. Those that were never refused come first, oldest first.
    Trackers ``without`` are left out.

    A ``next_at`` that is further off than any pause was written by another clock, and holds nothing up.
    """
    now = time.time()
    found = store.read(
        "SELECT o.*, r.status, r.process FROM outbox o JOIN run r ON r.thing=o.run"
        " WHERE o.state='waiting' AND (o.next_at<=? OR o.next_at>?) AND o.tracker NOT IN (SELECT value FROM json_each(?))"
        " ORDER BY o.tries, o.id LIMIT ?",
        (now, now + 2 * PATIENCE, json.dumps(list(without)), most),
    )
    living: dict[int | None, bool] = {}
    for row in found:
        if row["status"] == "running" and row["process"] not in living:
            living[row["process"]] = store.alive(row["process"])
    return [_letter(row) for row in found if row["status"] != "running" or not living[row["process"]]]


def retire(store: Store, sender: Process, idle: float) -> bool:
    """Give back the sender's office, unless something is to be sent within ``idle`` seconds.

    One transaction: a run that ends meanwhile either is seen here, or its kernel sees that the office is empty.
    """
    now = time.time()

    def work(db: sqlite3.Connection) -> bool:
        soon = db.execute(
            "SELECT 1 FROM outbox o JOIN run r ON r.thing=o.run WHERE o.state='waiting' AND r.status!='running' AND o.next_at<=? LIMIT 1",
            (now + idle,),
        ).fetchone()
        if soon is None:
            db.execute("DELETE FROM lease WHERE office=? AND process=?", (OFFICE, sender.id))
            db.execute("UPDATE process SET ended=? WHERE id=?", (now, sender.id))
        return soon is None

    return store.write(work)


def told(letter: Letter) -> str:
    """What people are told of a letter: where the run is and what is not held there, "waiting", or why it has not arrived."""
    if letter.state != "sent":
        return letter.error or "waiting"
    return " · ".join([str(letter.body.get("where") or "sent"), *map(str, letter.body.get("left", ()))])


def _letter(r: sqlite3.Row) -> Letter:
    body = json.loads(r["body"])
    asked = int(body.pop("asked", 0))
    return Letter(r["id"], r["run"], r["tracker"], r["state"], r["tries"], r["next_at"], r["error"], body, asked)
