"""The sender's promises that need no tracker's tool."""

from __future__ import annotations

import math
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from sklearn.impute import SimpleImputer

import nbml
from conftest import until
from nbml import store
from nbml.store import bulk, outbox
from nbml.tracking import sender
from nbml.tracking.trackers import RunRecord


def tracked(name: str = "a") -> int:
    with nbml.track(name, to=(), tags="t", note="n") as run:
        SimpleImputer().fit([[1.0], [2.0]])
        nbml.log(x=1, y=5)
        nbml.log(x=2)
    return run._thing.id


def test_a_record_holds_what_the_settings_let_leave(project: Path) -> None:
    run = tracked()
    whole = sender.record(store.current(), run)
    assert (whole.name, whole.version, whole.project, whole.state, whole.tags, whole.note) == ("a", 1, "project", "finished", ("t",), "n")
    assert math.isnan(whole.params["missing_values"])
    assert [list(part) for part in whole.series["x"][::2]] == [[0, 1], [1.0, 2.0]]
    (project / "nbml.toml").write_text('[tracking]\nsend = ["metrics"]\n')
    assert (sender.record(store.current(), run).params, set(sender.record(store.current(), run).series)) == ({}, {"x", "y"})
    (project / "nbml.toml").write_text('[tracking]\nsend = ["params"]\n')
    assert (sender.record(store.current(), run).series, bool(sender.record(store.current(), run).params)) == ({}, True)


def test_rows_are_put_together_by_step_lowest_first() -> None:
    series = {"a": ([3, 1, 3], [10.0, 11.0, 12.0], [0.1, 0.2, 0.3]), "b": ([1], [20.0], [9.0])}
    record = RunRecord("u", "n", 1, "p", "finished", 0.0, 1.0, (), "", {}, series)
    assert list(record.rows()) == [(1, 20.0, {"a": 0.2, "b": 9.0}), (3, 12.0, {"a": 0.3})]


def test_no_sender_starts_where_nothing_is_to_be_sent(project: Path) -> None:
    tracked()
    assert sender.wake(store.current()) is False
    assert store.current().processes("sender") == []


def test_a_sender_with_nothing_to_do_ends_and_a_second_one_leaves_at_once(project: Path) -> None:
    tracked()
    opened = store.current()
    me = opened.join("sender")
    assert opened.lease(outbox.OFFICE, me)
    command = [sys.executable, "-m", "nbml.tracking.sender", str(project)]
    subprocess.run(command, check=True, timeout=30, env={**os.environ, "NBML_SENDER_IDLE": "60"})
    opened.leave(me)
    subprocess.run(command, check=True, timeout=30, env={**os.environ, "NBML_SENDER_IDLE": "0"})
    assert opened.processes("sender") == []


@pytest.mark.parametrize(
    ("body", "limit"),
    [("import time; time.sleep(60)", "0.5"), ("import os, sys; print('no memory', file=sys.stderr, flush=True); os._exit(3)", "30")],
)
def test_a_tracker_that_hangs_or_crashes_is_ended_and_asked_again(
    project: Path, monkeypatch: pytest.MonkeyPatch, body: str, limit: str
) -> None:
    """An adapter of somebody else's, by its entry point."""
    site = project.parent / "site"
    (site / "slow-1.0.dist-info").mkdir(parents=True)
    (site / "slow-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: slow\nVersion: 1.0\n")
    (site / "slow-1.0.dist-info" / "entry_points.txt").write_text("[nbml.trackers]\nslow = slow_tracker:Slow\n")
    (site / "slow_tracker.py").write_text(
        f"class Slow:\n    def __init__(self, root): pass\n    def send(self, record):\n        {body}\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])]))
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("NBML_SENDER_IDLE", "0.1")
    monkeypatch.setenv("NBML_SENDER_LIMIT", limit)
    with nbml.track("a", to="slow") as run:
        pass
    until(lambda: run.mirrors["slow"] != "waiting")
    assert run.mirrors["slow"] == "slow did not answer" + (": no memory" if "memory" in body else "")
    [letter] = outbox.letters(store.current())
    assert (letter.state, letter.tries >= 1) == ("waiting", True)
    holder = store.current().holder(outbox.OFFICE)
    if holder is not None:
        os.kill(holder.pid, 15)
    until(lambda: store.current().holder(outbox.OFFICE) is None)


def adapter(project: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """A tracker "own" of somebody's, whose ``send(self, record)`` does ``body``; it writes down in "told" what it is told."""
    site = project.parent / "site"
    (site / "own-1.0.dist-info").mkdir(parents=True)
    (site / "own-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: own\nVersion: 1.0\n")
    (site / "own-1.0.dist-info" / "entry_points.txt").write_text("[nbml.trackers]\nown = own_tracker:Own\n")
    (site / "own_tracker.py").write_text(
        "from nbml.errors import TrackerFailed\nclass Own:\n    def __init__(self, root): self.root = root\n"
        "    def send(self, record):\n        with open(self.root / 'told', 'a') as file: print(record.name, file=file)\n"
        f"        {body}\n        return {{'where': record.name}}\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])]))
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("NBML_SENDER_IDLE", "0.3")


def full(count: int) -> list[int]:
    """Many runs that wait for "own"."""
    here = store.current()
    none: dict[str, Any] = {}
    things = bulk.add(here, [bulk.Whole(f"{i:010x}", "old", "finished", 1.0 + i, 2.0 + i, {}, (), {}, none) for i in range(count)])

    def work(db: sqlite3.Connection) -> None:
        for thing in things:
            outbox.put(db, thing, ["own"])

    here.write(work)
    return things


def test_a_full_outbox_does_not_ask_a_tracker_that_takes_nothing_run_by_run(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    adapter(project, monkeypatch, "if (self.root / 'down').exists(): raise TrackerFailed('down')")
    (project / "down").touch()
    full(300)
    here = store.current()
    assert sender.wake(here)
    until(lambda: not outbox.due(here), 30)
    assert len((project / "told").read_text().splitlines()) <= 10
    assert {letter.error for letter in outbox.letters(here, state="waiting")} == {"", "down"}
    (project / "down").unlink()

    def done() -> bool:
        sender.wake(here)
        return not outbox.waiting(here)

    until(done, 90)
    assert len(outbox.letters(here, state="sent")) == 300
    until(lambda: here.holder(outbox.OFFICE) is None)


def test_one_run_that_a_tracker_never_takes_holds_up_no_other(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    adapter(project, monkeypatch, "if record.name == 'bad': raise ValueError('cannot')")
    with nbml.track("bad", to="own") as bad:
        pass
    until(lambda: bad.mirrors["own"] == "own: ValueError: cannot")
    with nbml.track("good", to="own") as good:
        pass
    until(lambda: good.mirrors["own"] == "good")
    store.current().write(lambda db: db.execute("DELETE FROM outbox"))
    until(lambda: store.current().holder(outbox.OFFICE) is None)


def test_a_tracker_that_is_busy_holds_up_no_other(project: Path) -> None:
    [old, *_] = full(3)
    here = store.current()
    here.write(lambda db: outbox.put(db, old, ["other"]))
    assert [letter.tracker for letter in outbox.due(here, 3)] == ["own"] * 3
    assert [letter.tracker for letter in outbox.due(here, 3, ["own"])] == ["other"]


def test_a_run_that_goes_on_while_it_is_sent_is_sent_again(project: Path) -> None:
    [run] = full(1)
    here = store.current()
    [letter] = outbox.due(here)
    here.write(lambda db: outbox.put(db, run, ["own"]))
    outbox.sent(here, letter, {"where": "there"})
    [again] = outbox.due(here)
    assert (again.state, again.asked) == ("waiting", 1)
    outbox.sent(here, again, {"where": "there", "left": ["half"]})
    assert outbox.due(here) == []
    assert [outbox.told(one) for one in outbox.letters(here)] == ["there · half"]


def test_pauses_grow_and_another_clock_holds_nothing_up(project: Path) -> None:
    full(2)
    here = store.current()
    for _ in range(12):
        outbox.missed(here, outbox.letters(here)[0], "no")
    first, second = outbox.letters(here)
    assert 0 < first.next_at - time.time() <= outbox.PATIENCE
    assert [letter.id for letter in outbox.due(here)] == [second.id]
    here.write(lambda db: db.execute("UPDATE outbox SET next_at=?", (time.time() + 30 * 24 * 3600,)))
    assert [letter.id for letter in outbox.due(here)] == [second.id, first.id], "those that were never refused come first"


def test_secrets_of_the_environment_leave_no_error_and_no_text(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    adapter(project, monkeypatch, "raise TrackerFailed('refused: canary-key-1234 at http://me:canary@host/x')")
    monkeypatch.setenv("OWN_API_KEY", "canary-key-1234")
    with nbml.track("a", to="own", note="canary-key-1234", tags=["x-canary-key-1234"]) as run:
        pass
    until(lambda: run.mirrors["own"] == "refused: [redacted] at http://[redacted]@host/x")
    found = sender.record(store.current(), run._thing.id)
    assert (found.note, found.tags) == ("[redacted]", ("x-[redacted]",))
    store.current().write(lambda db: db.execute("DELETE FROM outbox"))
    until(lambda: store.current().holder(outbox.OFFICE) is None)
