"""What trackers have still to hear. Rows are written with the run, by the kernel; their state by the sender alone.

State: "waiting" (to be sent, not before ``next_at``), "sent". A row's ``body`` is what the tracker answered.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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


def put(db: sqlite3.Connection, run: int, trackers: Sequence[str]) -> None:
    """Let ``trackers`` hear of a run, once each; a run that goes on is heard of again."""
    for tracker in trackers:
        db.execute(
            "INSERT INTO outbox(run,tracker,kind,part) VALUES(?,?,'run',0) ON CONFLICT(run,tracker,kind,part)"
            " DO UPDATE SET state='waiting', tries=0, next_at=0, error=''",
            (run, tracker),
        )


def letters(store: Store, *, run: int | None = None, state: str | None = None) -> list[Letter]:
    """The rows of a run, or of a state, oldest first."""
    found = store.read(
        "SELECT * FROM outbox WHERE (? IS NULL OR run=?) AND (? IS NULL OR state=?) ORDER BY id", (run, run, state, state)
    )
    return [
        Letter(r["id"], r["run"], r["tracker"], r["state"], r["tries"], r["next_at"], r["error"], json.loads(r["body"]))
        for r in found
    ]


def sent(store: Store, letter: Letter, answer: Mapping[str, Any]) -> None:
    """Write down that a tracker has it."""
    text = json.dumps(answer)
    store.write(lambda db: db.execute("UPDATE outbox SET state='sent', error='', body=? WHERE id=?", (text, letter.id)))


def missed(store: Store, letter: Letter, error: str) -> None:
    """Write down that a try failed, and when the next is due."""
    due = time.time() + min(PATIENCE, 2.0**letter.tries)
    store.write(
        lambda db: db.execute(
            "UPDATE outbox SET tries=tries+1, next_at=?, error=? WHERE id=?", (due, error[:500], letter.id)
        )
    )
