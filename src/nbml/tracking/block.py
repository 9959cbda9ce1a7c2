"""The open run: the block of code that is tracked, and the number that is logged in it."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Literal, TypeVar

from nbml import errors
from nbml.display import keep
from nbml.slicing import recorder
from nbml.store import Store, Thing, outbox, runs
from nbml.tracking import after, context, estimators, judging, made, opened, pictures, points, proposals, reproducing
from nbml.tracking.facts import Facts
from nbml.tracking.feed import Feed
from nbml.tracking.fits import Fits
from nbml.tracking.interrupts import Deferred
from nbml.tracking.secrets import Redaction
from nbml.tracking.values import Run

T = TypeVar("T")


class Tracked(Run):
    """A run and its block, once: entering begins the run, leaving ends it. An exception ends it as failed and goes on."""

    _patience = 0.0  # its own cell is not held up

    def __init__(self, store: Store, name: str, to: Sequence[str], tags: Sequence[str], note: str, last: Run | None) -> None:
        thing = last._thing if last else Thing(0, "run", name, 0)
        super().__init__(store, thing, last.id if last else uuid.uuid4().hex[:10])
        self._to, self._tags, self._said, self._last = list(to), list(tags), note, last
        self._feed: Feed | None = None
        self._ended = self._lost = False
        self._pid = os.getpid()
        #: the block that this one is opened in
        self.around: Any = None
        self.pictures = pictures.Pictures()
        #: draws its output anew, where something shows it
        self.drawn: Callable[[], None] | None = None

    def __enter__(self) -> Tracked:
        if self._feed is not None or self._ended:
            raise errors.UsageError(f"the run {self} is over; track it again", next=f'run = nbml.track("{self.name}", resume=True)')
        try:
            with Deferred():
                self._enter()
            return self
        except KeyboardInterrupt as error:
            self._exit(KeyboardInterrupt, error)  # no block follows that would end it
            raise

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> Literal[False]:
        try:
            self._exit(kind, error)
            return False
        except KeyboardInterrupt as stopped:
            self._exit(KeyboardInterrupt, stopped)  # it may have come before anything was done
            raise

    def _exit(self, kind: type[BaseException] | None, error: BaseException | None) -> None:
        """End the run, once; what is done already is not done again."""
        with Deferred():
            estimators.unwatch(self)
            opened.leave(self)
            if self._feed is not None and not self._ended and os.getpid() == self._pid:
                self._ended = True
                self._unless("which statements log", lambda: self._count(begin=False))
                self._leave(self._feed, kind, error)

    # -- the beginning

    def _enter(self) -> None:
        namespace = recorder.namespace()
        self._redaction = Redaction()
        self._redaction.learn(os.environ)
        self._redaction.learn(namespace)
        self._mark = reproducing.mark(self.name)
        try:
            self._begin()
        except errors.ReadOnlyStore:
            raise
        except errors.StoreError as failure:
            self._lost = True
            self._warn(f"nbml: the run {self.name} is not recorded: {failure.message}")
        else:
            self._feed = Feed(self._store, self._thing, self._draw, self._redaction.text)
        self._fits, self._witness = Fits(self._redaction), judging.Witness()
        self._counts_memory = not opened.any_open() and context.reset_peak()
        self._states = self._unless("the state of the generators", context.generators) or {}
        self._before = proposals.metrics_of(namespace)
        context.look_for_gpus()
        self._clock = time.monotonic()
        self.around = opened.here()
        opened.enter(self)
        if not self._lost:
            self._unless("figures", self.pictures.begin)
            self._unless("frames", lambda: self._fits.taken.take_named(namespace, context.read))
            estimators.watch(self, self._fits, self._witness, made.Made(self._store, self._thing))
            self._unless("which statements log", lambda: self._count(begin=True))

    def _count(self, *, begin: bool) -> None:
        """The recorder is to know which statements log: it asks how many points there are."""
        kept = recorder.current()
        counters = kept.reading().counters if kept is not None else []
        if begin:
            counters.append(self._given)
        elif self._given in counters:
            counters.remove(self._given)

    def _given(self) -> int:
        return self._feed.given if self._feed is not None else 0

    def _begin(self) -> None:
        """Write the run down as running, and who is to hear of it, in one transaction."""
        owner = self._store.me().id
        text = self._redaction.text
        body: dict[str, Any] = {"uid": self.id, "process": owner, "row": {"state": "running", "figure": ""}, "cell": self._cell()}
        body["result"] = (self.id * 4)[:32]
        tags, note = [text(tag) for tag in self._tags], text(self._said)
        last = self._last
        if last is None:

            def work(db: sqlite3.Connection) -> Thing:
                thing = runs.begin(db, self.name, self.id, owner, body | {"note": note}, tags)
                outbox.put(db, thing.id, self._to)
                return thing

            self._thing = self._store.write(work)
            return
        body |= {"note": note or last.note, "error": ""}
        tags = list(dict.fromkeys([*last.tags, *tags]))
        trackers = [*self._to, *(letter.tracker for letter in outbox.letters(self._store, run=self._thing.id))]

        def again(db: sqlite3.Connection) -> None:
            runs.resume(db, self._thing.id, owner, body, tags)
            outbox.put(db, self._thing.id, trackers)

        self._store.write(again)
        self._thing = replace(self._thing, body=self._thing.body | body)

    def _cell(self) -> dict[str, Any]:
        found = self._unless("the cell", lambda: context.cell(self._store.root)) or {}
        return found | ({"source": self._redaction.source(found["source"])} if "source" in found else {})

    # -- the end

    def _leave(self, feed: Feed, kind: type[BaseException] | None, error: BaseException | None) -> None:
        """What must not be lost goes into one transaction; the rest is found out after the cell."""
        self._redaction.learn(recorder.namespace())
        self._witness.ended()
        self._unless("figures", lambda: self.pictures.end(shown=context.cell_runs() and pictures.shown_later()))
        body, params, state = self._end_of(kind, error)

        def last(db: sqlite3.Connection) -> None:
            runs.finish(db, self._thing.id, state, params)
            runs.put_in(db, self._thing.id, body | {"row": self._line(feed, state)})

        facts = Facts(self._store, self._thing.id, self._fits.taken, self._redaction, self._last._body if self._last else {})
        facts.proposed = self._proposals()
        try:
            feed.close(last)
        except errors.StoreError as failure:
            self._warn(f"nbml: the run {self} is not written whole, it is tried again every second: {failure.message}")
            feed.close_later(last, lambda: self._afterwards(facts))
        else:
            self._afterwards(facts)

    def _end_of(self, kind: type[BaseException] | None, error: BaseException | None) -> tuple[dict[str, Any], dict[str, Any], str]:
        """What is known at once: for the body, the parameters, the state."""
        fits, text = self._fits, self._redaction.text
        stopped = kind is not None and issubclass(kind, (KeyboardInterrupt, SystemExit))
        state = "finished" if kind is None else "interrupted" if stopped else "failed"
        before = self._last._body if self._last is not None else {}
        earlier = runs.rows(self._store, thing=self._thing.id)[0].params if self._last else {}
        params = {**earlier, **{name: text(value) if isinstance(value, str) else value for name, value in fits.params().items()}}
        body: dict[str, Any] = {
            "seconds": time.monotonic() - self._clock + float(before.get("seconds", 0.0)),
            "estimators": [{"type": f.type, "times": f.times, "params": f.params} for f in fits.found.values()],
            "changed": [name for name in dict.fromkeys([*before.get("changed", ()), *fits.changed()]) if name in params],
            "nested": fits.inner,
            "seeds": {
                "params": {name: value for name, value in params.items() if name.rpartition("__")[2] in ("random_state", "seed")},
                "state": self._states,
            },
        }
        body |= self._cleaned()
        self._store.learned(self._redaction.known)
        if error is not None:
            first = (str(error).splitlines() or [""])[0][:300]
            body["error"] = text(f"{kind.__name__ if kind else ''}: {first}".rstrip(": "))
        if self._counts_memory and (peak := context.peak()) is not None:
            body["peak"] = peak
        return body, params, state

    def _cleaned(self) -> dict[str, Any]:
        """The cell and the note once more, without the secrets that only its run has shown."""
        known, text = self._thing.body, self._redaction.text
        cell = dict(known.get("cell", {}))
        if "source" in cell:
            cell["source"] = text(cell["source"])
        found = {"cell": cell, "note": text(str(known.get("note", "")))}
        return {key: value for key, value in found.items() if value != known.get(key, value)}

    def _proposals(self) -> Callable[[], dict[str, float]]:
        """What finds the metrics that the cell assigned: those of the block now, those below it once the cell is over."""
        names = recorder.namespace()
        inside, serial = proposals.metrics_of(names), opened.count()
        written = self._unless("what the cell assigns", context.assigned) or ()

        def find() -> dict[str, float]:
            now = inside | (proposals.metrics_of(names) if opened.count() == serial else {})
            return proposals.proposed(self._before, now, written, self.metrics)

        return find

    def _afterwards(self, facts: Facts) -> None:
        """Hand over what takes its time."""
        thing = self._thing.id
        after.later(thing, "what it ran with", facts.write)

        def ended() -> None:
            pictures.leave(self.pictures)
            after.later(thing, "what its cell showed", lambda: facts.write_shown(self.pictures.found))

        context.after_cell(ended)
        witness, self._witness = self._witness, judging.Witness()
        then: list[tuple[str, Callable[[], object]]] = [("its picture", self._draw)]
        if witness.worthwhile:
            then.insert(0, ("the judgement", lambda: judging.conclude(self._store, thing, witness)))
        reproducing.remember(self._store, thing, self._mark, then, self._redaction)
        opened.ended.append(Run(self._store, self._thing, self.id))

    def _draw(self) -> None:
        keep(self._report(), self._store)
        if self._ended and self.drawn is not None:
            self.drawn()

    def _line(self, feed: Feed, state: str) -> dict[str, Any]:
        """The panel's line."""
        said = feed.row()
        if not said["figure"] and self._last is not None:
            said |= {key: value for key, value in self._last._body.get("row", {}).items() if key in ("figure", "spark")}
        if state != "finished":
            said["figure"] = f"{said['figure']} · {state}" if said["figure"] else state
        return said | {"state": {"finished": "well", "failed": "bad"}.get(state, "look")}

    # -- inside

    def _unless(self, what: str, ask: Callable[[], T]) -> T | None:
        """What ``ask`` says. A failing capture is left out with one warning; it never breaks the block."""
        try:
            return ask()
        except Exception as error:
            self._warn(f"nbml: {what} of the run {self.name} is not recorded: {error!r}")
            return None

    def _warn(self, said: str) -> None:
        warnings.warn(said, RuntimeWarning, stacklevel=4)

    def _sync(self) -> None:
        if self._feed is not None and not self._ended:
            self._feed.flush()
        if not self._thing.id:
            raise errors.UsageError(f"the run {self.name} has not begun", next=f'with nbml.track("{self.name}") as run: pass')


def log(values: Mapping[str, Any] | None = None, /, step: int | None = None, **metrics: Any) -> None:
    """Log numbers of the run that the code belongs to: ``log(auc=0.91)``, ``log({"valid/loss": 0.3}, step=3)``.

    Without ``step`` each metric counts its own. Returns at once; a point is durable within 200 ms. Raises errors.NotInRun,
    and errors.BadArgument naming what is no number.
    """
    run = opened.inside.get() or opened.here()
    if run is None or run._ended or opened.is_child():
        raise _outside(run)
    found = points.checked(values, metrics)
    if step is not None and (type(step) is not int or step < 0 or step > points.HIGHEST):
        step = points.place(step)
    if run._feed is not None:
        run._feed.put((time.time(), step, found))


def _outside(run: Any) -> errors.NotInRun:
    """Why a number has no run to go to."""
    example = 'with nbml.track("baseline"): nbml.log(auc=0.91)'
    if run is None or opened.is_child():
        where = " (this is a process of its own: log what it returns)" if run is not None else ""
        return errors.NotInRun(f"nbml.log was called outside a run{where}", next=example)
    who = "this code" if threading.current_thread() is threading.main_thread() else f"the thread {threading.current_thread().name}"
    return errors.NotInRun(f"nbml.log was called after the run {run}, which {who} belongs to, had ended", next=example)
