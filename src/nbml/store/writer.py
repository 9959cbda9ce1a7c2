"""The one thread of a process that writes to the store."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from nbml.store import schema

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], Any]

#: seconds that queued work waits for company
BATCH = 0.1
#: how many queued pieces of work go into one transaction, so that a burst never holds the interpreter for long
MOST = 500


def connect(path: Path, *, write: bool, readonly: bool = False) -> sqlite3.Connection:
    """A connection with the settings that every process of nbml uses (rollback journal, full sync, no WAL).

    One that only reads is opened "rw" all the same where the folder may be written to: what a killed process left
    half written is undone by whoever opens the file next, and a "ro" connection may not do that.
    """
    uri = f"file:{_quote(path)}?mode={'rwc' if write else 'ro' if readonly else 'rw'}"
    db = sqlite3.connect(uri, uri=True, timeout=5, isolation_level=None, check_same_thread=False)
    db.row_factory = sqlite3.Row
    if write:
        db.execute("PRAGMA journal_mode=TRUNCATE")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("PRAGMA foreign_keys=ON")
        db.execute("PRAGMA secure_delete=ON")  # what turned out to be a secret and was replaced is gone from the file too
    else:
        db.execute("PRAGMA query_only=ON")
    return db


def _quote(path: Path) -> str:
    text = str(path)
    for char, code in (("%", "%25"), ("?", "%3f"), ("#", "%23")):
        text = text.replace(char, code)
    return text


class Writer:
    """Runs work in ``BEGIN IMMEDIATE`` transactions, in the order of its coming.

    ``write`` returns when the work is durable and raises what it raised; ``later`` returns at once, and its work
    is durable within about ``BATCH`` seconds. Work is any function of the connection; a failing one is undone alone.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queue: deque[tuple[Work, Future[Any] | None]] = deque()
        self._wake = threading.Event()
        self._urgent = threading.Event()
        self._closed = False
        self.failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="nbml-store", daemon=True)
        self._thread.start()

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        future: Future[T] = Future()
        self._put(work, future)
        self._urgent.set()
        return future.result()

    def later(self, work: Work) -> None:
        self._put(work, None)

    def _put(self, work: Work, future: Future[Any] | None) -> None:
        if self._closed:
            raise RuntimeError("the store is closed")
        self._queue.append((work, future))
        self._wake.set()

    def close(self) -> None:
        """Finish what is queued and end the thread."""
        self._closed = True
        self._urgent.set()
        self._wake.set()
        self._thread.join(10)

    def _run(self) -> None:
        db: sqlite3.Connection | None = None
        while True:
            self._wake.wait()
            self._urgent.wait(BATCH)
            self._wake.clear()
            self._urgent.clear()
            while self._queue:
                count = min(len(self._queue), MOST)
                batch = [self._queue.popleft() for _ in range(count)]
                try:
                    if db is None:
                        db = connect(self._path, write=True)
                        schema.migrate(db)
                    self._commit(db, batch)
                except BaseException as error:
                    self._fail(batch, error)
            if self._closed and not self._queue:
                if db is not None:
                    db.close()
                return

    def _commit(self, db: sqlite3.Connection, batch: list[tuple[Work, Future[Any] | None]]) -> None:
        done: list[tuple[Future[Any], Any]] = []
        failed: list[tuple[Future[Any], BaseException]] = []
        _begin(db)
        try:
            for work, future in batch:
                db.execute("SAVEPOINT work")
                try:
                    value = work(db)
                except BaseException as error:
                    db.execute("ROLLBACK TO work")
                    self.failure = error
                    if future is not None:
                        failed.append((future, error))
                else:
                    if future is not None:
                        done.append((future, value))
                db.execute("RELEASE work")
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        for future, value in done:
            future.set_result(value)
        for future, cause in failed:
            future.set_exception(cause)

    def _fail(self, batch: list[tuple[Work, Future[Any] | None]], error: BaseException) -> None:
        self.failure = error
        for _, future in batch:
            if future is not None and not future.done():
                future.set_exception(error)


def _begin(db: sqlite3.Connection, patience: float = 30.0) -> None:
    """``BEGIN IMMEDIATE``, asking again for ``patience`` seconds while others write."""
    end = time.monotonic() + patience
    while True:
        try:
            db.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
