"""The open run: the block of code that is tracked, and the number that is logged in it."""

from __future__ import annotations

import os
import sqlite3
import time
import uuid
import warnings
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, TypeVar

from nbml import errors
from nbml.display import keep
from nbml.store import Store, Thing, outbox, runs
from nbml.tracking import context, estimators, opened, points
from nbml.tracking.feed import Feed
from nbml.tracking.fits import Fits
from nbml.tracking.secrets import Redaction
from nbml.tracking.used import find_versions
from nbml.tracking.values import Run

T = TypeVar("T")


class Tracked(Run):
    """A run and its block, once: entering begins the run, leaving ends it. An exception ends it as failed and goes on."""

    def __init__(self, store: Store, name: str, to: Sequence[str], tags: Sequence[str], note: str, last: Run | None) -> None:
        thing = last._thing if last else Thing(0, "run", name, 0)
        super().__init__(store, thing, last.id if last else uuid.uuid4().hex[:10])
        self._to, self._tags, self._said, self._last = list(to), list(tags), note, last
        self._feed: Feed | None = None
        self._ended = False
        self._pid = os.getpid()
        #: the block that this one is opened in
        self.around: Any = None

    def __enter__(self) -> Tracked:
        if self._feed is not None or self._ended:
            raise errors.UsageError(f"the run {self} is over; track it again", next=f'run = nbml.track("{self.name}", resume=True)')
        self._redaction = Redaction()
        self._fits = Fits(self._redaction)
        self._begin()
        self._feed = Feed(self._store, self._thing, self._draw)
        self._counts_memory = not opened.any_open() and context.reset_peak()
        context.look_for_gpus()
        self._clock = time.monotonic()
        self.around = opened.here()
        opened.enter(self)
        estimators.watch(self, self._fits)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> Literal[False]:
        estimators.unwatch(self)
        opened.leave(self)
        feed = self._feed
        if feed is None or self._ended or os.getpid() != self._pid:
            return False
        self._ended = True
        try:
            self._finish(feed, kind, error)
        except errors.StoreError as failure:
            if error is None:
                raise
            warnings.warn(f"nbml: the run {self} is not written whole: {failure.message}", RuntimeWarning, stacklevel=2)
        return False

    # -- inside

    def _begin(self) -> None:
        """Write the run down as running, and who is to hear of it."""
        owner = self._store.me().id
        body: dict[str, Any] = {"uid": self.id, "process": owner, "row": {"state": "running", "figure": ""}, "cell": self._cell()}
        body["result"] = (self.id * 4)[:32]
        if self._last is not None:
            body |= {"note": self._said or self._last.note, "error": ""}
            self._thing = self._store.update(self._thing, body, state="running")
            tags = [*self._last.tags, *(tag for tag in self._tags if tag not in self._last.tags)]
            self._store.write(lambda db: self._again(db, owner, tags))
            return
        body |= {"note": self._said}
        self._thing = thing = self._store.add("run", self.name, body, state="running")

        def work(db: sqlite3.Connection) -> None:
            runs.start(db, thing, self.id, owner, self._tags)
            outbox.put(db, thing.id, self._to)

        self._store.write(work)

    def _again(self, db: sqlite3.Connection, owner: int, tags: list[str]) -> None:
        runs.resume(db, self._thing.id, owner)
        runs.set_tags(db, self._thing.id, tags)
        outbox.put(db, self._thing.id, [*self._to, *(letter.tracker for letter in outbox.letters(self._store, run=self._thing.id))])

    def _cell(self) -> dict[str, Any]:
        found = self._unless("the cell", lambda: context.cell(self._store.root)) or {}
        return found | ({"source": self._redaction.source(found["source"])} if "source" in found else {})

    def _finish(self, feed: Feed, kind: type[BaseException] | None, error: BaseException | None) -> None:
        """First what must not be lost, in one transaction; then what is good to know."""
        seconds = time.monotonic() - self._clock + float(self._body.get("seconds", 0.0))
        stopped = kind is not None and issubclass(kind, (KeyboardInterrupt, SystemExit))
        state = "finished" if kind is None else "interrupted" if stopped else "failed"
        params = {**(runs.rows(self._store, thing=self._thing.id)[0].params if self._last else {}), **self._fits.params()}

        def last(db: sqlite3.Connection) -> None:
            runs.finish(db, self._thing.id, state, params)
            runs.set_row(db, self._thing.id, self._line(feed, state))

        feed.close(last)
        body: dict[str, Any] = {"seconds": seconds} | self._facts(params)
        if error is not None:
            first = (str(error).splitlines() or [""])[0][:300]
            body["error"] = self._redaction.text(f"{kind.__name__ if kind else ''}: {first}".rstrip(": "))
        self._thing = self._store.update(self._thing, body, state=state)
        for one in self._fits.taken.found:
            if one.thing is not None:
                self._store.link(self._thing, one.thing, "data")
        self._draw()
        if outbox.letters(self._store, state="waiting"):
            from nbml.tracking.sender import wake

            self._unless("what trackers have to hear", lambda: wake(self._store))

    def _draw(self) -> None:
        keep(self._report(), self._store)

    def _line(self, feed: Feed, state: str) -> dict[str, Any]:
        said = feed.row()
        if not said["figure"] and self._last is not None:
            said |= {key: value for key, value in self._last._body.get("row", {}).items() if key in ("figure", "spark")}
        if state != "finished":
            said["figure"] = f"{said['figure']} · {state}" if said["figure"] else state
        return said | {"state": {"finished": "well", "failed": "bad"}.get(state, "look")}

    def _facts(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """What was captured unasked, for the body."""
        fits = self._fits
        used = fits.taken.found
        self._unless("data versions", lambda: find_versions(self._store, used))
        git = self._unless("Git", lambda: context.git(self._store.root)) or {}
        diff = git.pop("diff", "")
        if diff:
            git["diff"] = self._store.put_blob(self._redaction.source(diff).encode())
        pictures = self._unless("figures", context.figures) or []
        before = self._last._body if self._last is not None else {}
        found: dict[str, Any] = {
            "environment": self._unless("the environment", context.environment) or {},
            "git": git,
            "estimators": [{"type": f.type, "times": f.times, "params": f.params} for f in fits.found.values()],
            "changed": [name for name in dict.fromkeys([*before.get("changed", ()), *fits.changed()]) if name in params],
            "nested": fits.inner,
            "data": [
                *before.get("data", ()),
                *(one.body() for one in used),
            ],
            "figures": [*before.get("figures", ()), *({"title": title, "blob": self._store.put_blob(png)} for title, png in pictures)],
        }
        return found | ({"peak": context.peak()} if self._counts_memory else {})

    def _unless(self, what: str, ask: Callable[[], T]) -> T | None:
        """What ``ask`` says. A failing capture is left out with one warning; it never breaks the block."""
        try:
            return ask()
        except Exception as error:
            warnings.warn(f"nbml: {what} of the run {self.name} is not recorded: {error!r}", RuntimeWarning, stacklevel=2)
            return None

    def _sync(self) -> None:
        if self._feed is not None and not self._ended:
            self._feed.flush()
        if not self._thing.id:
            raise errors.UsageError(f"the run {self.name} has not begun", next=f'with nbml.track("{self.name}") as run: pass')


def log(values: Mapping[str, Any] | None = None, /, step: int | None = None, **metrics: Any) -> None:
    """Log numbers of the innermost open run: ``log(auc=0.91)``, ``log({"valid/loss": 0.3}, step=3)``.

    Without ``step`` each metric counts its own. Returns at once; a point is durable within 200 ms. Raises errors.NotInRun,
    and errors.BadArgument naming what is no number.
    """
    run = opened.here()
    if run is None or run._feed is None or run._ended or run._pid != os.getpid():
        raise errors.NotInRun("nbml.log was called outside a run", next='with nbml.track("baseline"): nbml.log(auc=0.91)')
    found = points.checked(values, metrics)
    run._feed.put((time.time(), None if step is None else points.place(step), found))
