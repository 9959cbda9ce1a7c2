"""The way of a point from ``log`` into the record: a queue, and one thread that empties it every ``BATCH`` seconds."""

from __future__ import annotations

import math
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from nbml import errors
from nbml.display import figure
from nbml.store import Store, Thing, runs
from nbml.store.runs import Point
from nbml.tracking.interrupts import Deferred

#: seconds that points wait for company; with the time of a commit they are durable within 200 ms
BATCH = 0.1
#: points that go into one transaction, so that a burst never holds the interpreter for long
MOST = 5000
#: least time between two lines of the running run in the panel, and between two pictures of the whole, seconds
PAUSE, PICTURE = 0.25, 1.0
#: seconds after which a store that did not take the points is asked again
AGAIN = 1.0
#: values of a curve that are kept, at most twice as many
CURVE = 40
#: what a metric of unseen rows is called by most
HELD = ("valid/", "val/", "test/")


class Curve:
    """A thinned series: never more than ``2 * CURVE`` values, evenly spaced, and the last one."""

    def __init__(self) -> None:
        self.values: list[float] = []
        self.count, self.stride, self.last = 0, 1, math.nan

    def add(self, value: float) -> None:
        """Take the next value."""
        if self.count % self.stride == 0:
            self.values.append(value)
            if len(self.values) > 2 * CURVE:
                self.values, self.stride = self.values[::2], 2 * self.stride
        self.count += 1
        self.last = value


class Feed:
    """Writes the points of one open run, and the panel's line of it at most four times a second.

    ``picture`` draws the detail view, at most once a second; ``clean`` takes secrets out of a metric's name. ``put`` may be
    called from any thread and never waits. Points that the store did not take stay queued.
    """

    def __init__(self, store: Store, thing: Thing, picture: Callable[[], None], clean: Callable[[str], str]) -> None:
        self.store, self.thing, self.picture, self.clean = store, thing, picture, clean
        self.queue: deque[Point] = deque()
        self.curves: dict[str, Curve] = {}
        #: name as given -> as it is stored
        self.names: dict[str, str] = {}
        self.headline = ""
        self.given = 0
        self.failure: BaseException | None = None
        #: points that are on their way: out of the queue, not in the store
        self._batch: list[Point] = []
        self._points = runs.Points(thing.id)
        self._lock = threading.Lock()
        self._wake, self._stop = threading.Event(), threading.Event()
        #: whether ``_wake`` is set: asked for each point, which must cost next to nothing
        self._awake = False
        self._shown, self._dirty = time.monotonic(), False
        self._drawn = -PICTURE
        self._thread = threading.Thread(target=self._work, name="nbml-run", daemon=True)
        self._thread.start()

    def put(self, point: Point) -> None:
        """Queue one point."""
        self.queue.append(point)
        self.given += 1
        if not self._awake:
            self._awake = True
            self._wake.set()

    def flush(self) -> None:
        """Wait until all that was put before is durable. Raises errors.StoreError."""
        with Deferred(), self._lock:
            while self.queue or self._batch:
                self._send(len(self.queue), None)

    def close(self, last: Callable[[sqlite3.Connection], None]) -> None:
        """Write what is queued, then, in the transaction of the last points, what ``last`` writes. Raises errors.StoreError."""
        self._stop.set()
        self._wake.set()
        self._thread.join()
        with self._lock:
            while len(self.queue) > MOST or self._batch:
                self._send(MOST, None)
            self._send(MOST, last)

    def close_later(self, last: Callable[[sqlite3.Connection], None], then: Callable[[], None]) -> None:
        """After a ``close`` that failed: try again every second while the process lives; afterwards ``then``."""

        def work() -> None:
            while True:
                time.sleep(AGAIN)
                try:
                    self.close(last)
                except errors.StoreError as error:
                    self.failure = error
                else:
                    then()
                    return

        threading.Thread(target=work, name="nbml-run-late", daemon=True).start()

    def row(self) -> dict[str, Any]:
        """The panel's line: the figure that matters, and a curve."""
        curve = self.curves.get(self.headline)
        found: dict[str, Any] = {"state": "running", "figure": ""}
        if curve is not None:
            found["figure"] = f"{self.headline} {figure(curve.last)}"
            longest = max(self.curves.values(), key=lambda c: c.count)
            shown = curve if curve.count > 1 else longest
            if shown.count > 1:
                found["spark"] = runs.curve([*shown.values, shown.last], CURVE)
        return found

    def _work(self) -> None:
        while not self._stop.is_set():
            late = max(0.0, self._shown + PAUSE - time.monotonic()) if self._dirty else None
            self._wake.wait(late)
            if self._wake.is_set():
                self._stop.wait(BATCH)
            if self._stop.is_set():
                return
            self._wake.clear()
            self._awake = False
            try:
                with self._lock:
                    self._send(MOST, None)
                if not (self.queue or self._batch) and time.monotonic() - self._drawn >= PICTURE:
                    self.picture()
                    self._drawn = time.monotonic()
            except (errors.StoreError, RuntimeError) as error:
                self.failure = error
                self._stop.wait(AGAIN)
            if self.queue or self._batch:
                self._wake.set()

    def _send(self, most: int, last: Callable[[sqlite3.Connection], None] | None) -> None:
        if not self._batch:
            self._batch = [self._noted(self.queue.popleft()) for _ in range(min(len(self.queue), most))]
        batch = self._batch
        now = time.monotonic()
        show = last is None and (self._dirty or bool(batch)) and now - self._shown >= PAUSE

        def work(db: sqlite3.Connection) -> None:
            if batch or last is not None:
                self._points.write(db, batch, final=last is not None)
            if show:
                runs.set_row(db, self.thing.id, self.row())
            if last is not None:
                last(db)

        if not (batch or show or last):
            return
        try:
            self.store.write(work)
        except BaseException:
            self._points = runs.Points(self.thing.id)
            raise
        self._batch = []
        self._dirty = not show and (self._dirty or bool(batch))
        if show:
            self._shown = now

    def _noted(self, point: Point) -> Point:
        """Draw the curves on; the point with the names under which it is stored."""
        when, step, values = point
        names = self.names
        if not all(name in names and names[name] == name for name in values):
            names |= {name: self.clean(name) for name in values if name not in names}
            values = {names[name]: value for name, value in values.items()}
        new = [name for name in values if name not in self.curves]
        if new:
            self.headline = next((name for name in new if name.startswith(HELD)), new[0])
            self.curves |= {name: Curve() for name in new}
        for name, value in values.items():
            self.curves[name].add(value)
        return when, step, values
