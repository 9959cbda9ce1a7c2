"""The conformance suite of trackers: a subclass with ``name`` and ``heard`` is the contract test of an adapter.

Everything goes the way it goes in a notebook: a run ends, the sender wakes, the adapter is called in its child.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbml.store import Store, outbox, use
from nbml.tracking import Run, log, track
from nbml.tracking.sender import wake


@dataclass(frozen=True)
class Heard:
    """A run as the tool itself reads it back. ``points`` holds (step, value) for each metric, lowest step first."""

    id: str
    name: str
    state: str
    tags: tuple[str, ...]
    params: dict[str, Any]
    points: dict[str, list[tuple[int, float]]]


class TrackerSuite(ABC):
    """Promises of ``nbml.tracking.trackers.Tracker``."""

    #: the adapter's entry point
    name: str
    #: seconds that one send may take, the loading of the tool included
    patience = 60.0
    #: seconds after which a sender is killed, one sender after the other
    moments: tuple[float, ...] = (0.8,)

    @abstractmethod
    def heard(self, root: Path) -> list[Heard]:
        """All runs that the tool has of the project ``root``, read by the tool's own reader, in another process than ours."""

    def begin(self, folder: Path, monkeypatch: Any) -> Store:
        """A project of its own, and a sender that does not stay."""
        root = folder / "a project"
        root.mkdir()
        monkeypatch.chdir(root)
        monkeypatch.setenv("NBML_PROJECT", str(root))
        monkeypatch.setenv("NBML_SENDER_IDLE", "0.2")
        store = use(root)
        assert store is not None
        return store

    def sent(self, store: Store) -> None:
        """Wait until nothing is to be sent and the sender has gone."""
        _until(lambda: not outbox.due(store) and store.holder(outbox.OFFICE) is None, self.patience, lambda: _state(store))
        assert outbox.letters(store, state="waiting") == [], _state(store)

    # -- promises ---------------------------------------------------------------------------------------------

    def test_runs_arrive_whole(self, tmp_path: Path, monkeypatch: Any) -> None:
        """Same keys, same steps, same values; NaN and infinity, steps out of order, metrics that start late, a long run, an empty one."""
        from sklearn.impute import SimpleImputer

        store = self.begin(tmp_path, monkeypatch)
        runs: list[Run] = []
        with track("first", to=self.name, tags=("a", "b c"), note="why") as run:
            runs.append(run)
            SimpleImputer(strategy="constant", fill_value=0.1 + 0.2).fit([[1.0], [2.0]])
            log({"valid/loss": math.nan, "a.b": 1e-300, "größe": 7}, step=5)
            log({"valid/loss": math.inf}, step=2)
            log({"valid/loss": -math.inf}, step=3)
            log(late=0.1 + 0.2, step=2**40)
        with track("long", to=self.name) as run:
            runs.append(run)
            for step in range(3000):
                log(loss=1 / (step + 1), acc=step / 3, step=2 * step)
        with track("empty", to=self.name) as run:
            runs.append(run)
        try:
            with track("failed", to=self.name) as run:
                runs.append(run)
                log(x=1)
                raise RuntimeError("no")
        except RuntimeError:
            pass
        self.sent(store)
        found = {one.id: one for one in self.heard(store.root)}
        assert set(found) == {run.id for run in runs}
        for ours in runs:
            one = found[ours.id]
            assert (one.name, one.state, one.tags) == (ours.name, ours.state, ours.tags)
            assert _same(one.params, ours.params), (one.params, ours.params)
            assert _same(one.points, _points(ours)), ours.name

    def test_a_run_that_goes_on_is_there_once_with_all_its_points(self, tmp_path: Path, monkeypatch: Any) -> None:
        store = self.begin(tmp_path, monkeypatch)
        with track("long", to=self.name):
            log(x=1)
        self.sent(store)
        with track("long", resume=True):
            log(x=2)
        self.sent(store)
        [one] = self.heard(store.root)
        assert one.points == {"x": [(0, 1.0), (1, 2.0)]}

    def test_a_sender_killed_in_the_middle_leaves_the_run_once(self, tmp_path: Path, monkeypatch: Any) -> None:
        store = self.begin(tmp_path, monkeypatch)
        with track("big", to=self.name) as run:
            for step in range(5000):
                log(a=step, b=-step, step=step)
        for pause in self.moments:
            if not outbox.letters(store, state="waiting"):
                break
            holder = _until(lambda: store.holder(outbox.OFFICE), self.patience, lambda: _state(store))
            time.sleep(pause)  # not a condition that is waited for: the moment of the kill
            with contextlib.suppress(ProcessLookupError):  # it had done its work
                os.kill(holder.pid, signal.SIGKILL)
            _until(lambda: store.holder(outbox.OFFICE) is None, self.patience, lambda: _state(store))
            wake(store)
        self.sent(store)
        [one] = self.heard(store.root)
        assert one.points == _points(run)


def _points(run: Run) -> dict[str, list[tuple[int, float]]]:
    found = {}
    for name in run.metrics:
        frame = run.history(name)
        found[name] = sorted(zip(frame["step"].tolist(), frame["value"].tolist(), strict=True))
    return found


def _same(one: Any, other: Any) -> bool:
    """Equal, where NaN is NaN and 1 is 1.0."""
    if isinstance(one, dict) and isinstance(other, dict):
        return set(one) == set(other) and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other or (one != one and other != other))


def _state(store: Store) -> str:
    return "; ".join(f"{x.tracker} {x.state} after {x.tries} tries {x.error}" for x in outbox.letters(store))


def _until(condition: Callable[[], Any], seconds: float, state: Callable[[], str]) -> Any:
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"not within {seconds:g} s: {state()}"
        time.sleep(0.05)
