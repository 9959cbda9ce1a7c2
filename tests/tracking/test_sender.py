"""The sender's promises that need no tracker's tool."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sklearn.impute import SimpleImputer

import nbml
from conftest import until
from nbml import store
from nbml.store import outbox
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
    monkeypatch.setenv("PYTHONPATH", str(site))
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
