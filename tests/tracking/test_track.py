"""``nbml.track`` and ``nbml.log``: what is recorded, unasked and asked, and what is refused."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression, Ridge

import nbml
from conftest import until
from nbml import errors, store
from nbml.labserver import view


def test_a_run_keeps_what_was_logged(project: Path) -> None:
    with nbml.track("baseline", tags="a, b", note="first try") as run:
        nbml.log(auc=0.91)
        nbml.log({"valid/loss": 0.5}, step=3)
        nbml.log({"valid/loss": math.nan}, step=4)
        nbml.log({"valid/loss": math.inf, "ü": 1}, step=2)
        assert run.metrics["auc"] == 0.91
        assert run.state == "running"
    assert (str(run), run.name, run.state, run.error) == ("baseline@1", "baseline", "finished", "")
    assert (run.tags, run.note) == (("a", "b"), "first try")
    assert run.metrics == {"auc": 0.91, "valid/loss": math.inf, "ü": 1.0}
    frame = run.history("valid/loss")
    assert list(frame.columns) == ["step", "time", "value"]
    assert frame["step"].tolist() == [3, 4, 2]
    assert str(frame["value"].tolist()) == "[0.5, nan, inf]"
    assert abs(frame["time"].iloc[0] - pd.Timestamp.now("UTC")) < pd.Timedelta("10s")
    assert 0 < run.duration < 10
    assert run.findings == []
    assert "baseline@1" in repr(run)
    assert repr(run).endswith("Next: %nbml runs")


def test_numbers_of_other_libraries_are_numbers(project: Path) -> None:
    given = {"a": np.float32(0.5), "b": np.int64(3), "c": np.array(2.0), "d": True, "e": Decimal("1.5"), "f": Fraction(1, 4)}
    given["g"] = np.bool_(False)
    with nbml.track("numbers") as run:
        nbml.log(given, step=np.int32(7))
    assert run.metrics == {"a": 0.5, "b": 3.0, "c": 2.0, "d": 1.0, "e": 1.5, "f": 0.25, "g": 0.0}
    assert run.history("a")["step"].tolist() == [7]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nbml.log(auc="0.91"), "the metric 'auc' is no number: the text '0.91'\nTry: nbml.log({'auc': 0.91})"),
        (lambda: nbml.log(good=1, bad=None), "the metric 'bad' is no number: NoneType\nTry: nbml.log({'bad': 0.91})"),
        (lambda: nbml.log(x=np.zeros(3)), "the metric 'x' is no number: ndarray of shape (3,)\nTry: nbml.log({'x': 0.91})"),
        (lambda: nbml.log(x=1j), "the metric 'x' is no number: complex\nTry: nbml.log({'x': 0.91})"),
        (lambda: nbml.log(x=10**400), "the metric 'x' is no number: an int that is too large for a float\nTry: nbml.log({'x': 0.91})"),
        (lambda: nbml.log({1: 0.5}), "a metric is named by a text, not 1\nTry: nbml.log(auc=0.91)"),
        (lambda: nbml.log({" ": 0.5}), "a metric is named by a text, not ' '\nTry: nbml.log(auc=0.91)"),
        (lambda: nbml.log(x=1, step=-1), "the step -1 is no whole number from 0\nTry: nbml.log(auc=0.91, step=0)"),
        (lambda: nbml.log(x=1, step=1.5), "the step 1.5 is no whole number from 0\nTry: nbml.log(auc=0.91, step=0)"),
        (lambda: nbml.log(x=1, step=2**63), "the step 9223372036854775808 is no whole number from 0\nTry: nbml.log(auc=0.91, step=0)"),
        (lambda: nbml.log(), "log was given no number\nTry: nbml.log(auc=0.91)"),
        (lambda: nbml.log(0.91), "log takes a dict of numbers, not float\nTry: nbml.log(auc=0.91)"),
    ],
)
def test_what_is_no_number_is_refused_by_name_and_nothing_is_logged(project: Path, call, message: str) -> None:
    with nbml.track("bad") as run:
        with pytest.raises(errors.UsageError) as caught:
            call()
        assert str(caught.value) == message
        assert run.metrics == {}
        exec(caught.value.next or "", {"nbml": nbml})
    assert list(run.metrics.values()) == [0.91]


def test_outside_a_run_log_is_an_error_whose_next_line_works(project: Path) -> None:
    with pytest.raises(errors.NotInRun) as caught:
        nbml.log(auc=0.9)
    assert caught.value.message == "nbml.log was called outside a run"
    exec(str(caught.value.next), {"nbml": nbml})
    assert nbml.run("baseline").metrics == {"auc": 0.91}
    with pytest.raises(errors.NotInRun):
        nbml.log(auc=0.9)


def test_the_inner_of_two_runs_takes_the_logs_and_the_fits(project: Path) -> None:
    X, y = load_iris(return_X_y=True)
    with nbml.track("outer") as outer:
        nbml.log(x=1)
        with nbml.track("inner") as inner:
            nbml.log(x=2)
            Ridge(alpha=7.0).fit(X, y)
        nbml.log(x=3)
        Ridge(alpha=9.0).fit(X, y)
    assert outer.history("x")["value"].tolist() == [1, 3]
    assert inner.history("x")["value"].tolist() == [2]
    assert (outer.params["alpha"], inner.params["alpha"]) == (9.0, 7.0)


def test_a_failing_block_is_a_failed_run_and_the_error_goes_on(project: Path) -> None:
    with pytest.raises(ZeroDivisionError):  # noqa: PT012, SIM117  the block is what is tested
        with nbml.track("broken") as run:
            nbml.log(auc=0.5)
            1 / 0  # noqa: B018
    assert (run.state, run.error, run.metrics) == ("failed", "ZeroDivisionError: division by zero", {"auc": 0.5})
    assert "[failed] ZeroDivisionError: division by zero" in repr(run)
    assert run._body["row"] == {"state": "bad", "figure": "auc 0.500 · failed"}
    with pytest.raises(KeyboardInterrupt), nbml.track("stopped") as run:
        raise KeyboardInterrupt
    assert run.state == "interrupted"
    with pytest.raises(errors.NotInRun):
        nbml.log(auc=0.5)


def test_resume_goes_on_with_the_last_run_of_the_name(project: Path) -> None:
    with nbml.track("long", tags="a", note="n") as first:
        nbml.log(loss=3)
        Ridge(alpha=2.0).fit([[1.0], [2.0]], [1.0, 2.0])
    with nbml.track("long", resume=True, tags="b") as second:
        nbml.log(loss=2)
        nbml.log(auc=0.5)
        with pytest.raises(errors.BadArgument) as caught:
            nbml.track("long", resume=True)
        assert str(caught.value) == "the run long@1 is still running; it can be resumed when it has ended\nTry: nbml.run(\"long@1\")"
    assert (first.id, str(second), second.state) == (second.id, "long@1", "finished")
    assert second.history("loss")["step"].tolist() == [0, 1]
    assert (second.metrics, second.params["alpha"], second.tags, second.note) == ({"loss": 2.0, "auc": 0.5}, 2.0, ("a", "b"), "n")
    assert second.duration > first._body["seconds"] * 0.99
    with nbml.track("new", resume=True) as third:
        pass
    assert str(third) == "new@1"


def test_a_block_is_entered_once(project: Path) -> None:
    with nbml.track("once") as run:
        nbml.log(x=1)
    with pytest.raises(errors.UsageError) as caught, run:
        pass
    assert caught.value.message == "the run once@1 is over; track it again"
    assert caught.value.next == 'run = nbml.track("once", resume=True)'


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        (
            {"name": "Base Line"},
            errors.BadName,
            "the name 'Base Line' does not fit: lower-case letters, digits, '.', '_' and '-', at most 63; 'base-line' would",
        ),
        ({"name": "a", "to": "wandbb"}, errors.UnknownAdapter, "no tracker 'wandbb'; nearest: wandb\nTry: %nbml track --help"),
    ],
)
def test_what_cannot_begin_is_refused_before_the_block(project: Path, arguments, kind, message: str) -> None:
    with pytest.raises(kind) as caught:
        nbml.track(**arguments)
    assert str(caught.value) == message
    assert len(nbml.runs()) == 0


def test_trackers_of_the_settings_hear_of_every_run(project: Path) -> None:
    (project / "nbml.toml").write_text('[tracking]\nto = ["wandbb"]\n')
    with pytest.raises(errors.UnknownAdapter, match="nearest: wandb"):
        nbml.track("a")
    with nbml.track("a", to=()) as run:
        pass
    assert run.mirrors == {}


def test_a_running_run_is_seen_live_and_by_another_process(project: Path) -> None:
    with nbml.track("live") as run:
        for step in range(50):
            nbml.log({"train/loss": 1 / (step + 1), "valid/loss": 2 / (step + 1)}, step=step)
        row = until(lambda: (body := store.current().find("run", "live").body)["row"].get("spark") and body["row"])
        assert row["state"] == "running"
        assert row["figure"] == "valid/loss 0.0400"
        assert (row["spark"][0], row["spark"][-1]) == (2.0, 0.04)
        [shown] = view.section(store.current(), "run", "Runs", True)["rows"]
        assert (shown["name"], shown["state"], shown["figure"]) == ("live", "running", "valid/loss 0.0400")
        picture = until(lambda: store.current().result(shown["result"]))
        assert (picture["word"], picture["ref"]) == ("running", "live@1")
    [shown] = view.section(store.current(), "run", "Runs", True)["rows"]
    assert (shown["state"], shown["result"]) == ("well", run._body["result"])
    until(lambda: store.current().result(shown["result"])["word"] == "finished")


def test_points_are_durable_within_200_ms_of_log_and_a_killed_run_is_interrupted(project: Path) -> None:
    code = (
        "import nbml, os, signal, time\n"
        "nbml.track('killed').__enter__()\n"
        "for i in range(1000): nbml.log(loss=i)\n"
        "time.sleep(0.2); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == -9, done.stderr
    run = nbml.run("killed")
    assert run.history("loss")["value"].tolist() == list(range(1000))
    assert run.state == "interrupted"
    assert nbml.runs()["state"].tolist() == ["interrupted"]
    assert "[interrupted] killed@1" in repr(run)
    [shown] = view.section(store.current(), "run", "Runs", True)["rows"]
    assert (shown["state"], shown["figure"].endswith("interrupted")) == ("look", True)
    with nbml.track("killed", resume=True) as again:
        nbml.log(loss=1000)
    assert again.state == "finished"
    assert again.history("loss")["step"].tolist() == list(range(1001))


def test_log_in_a_child_process_is_outside_the_run(project: Path) -> None:
    with nbml.track("parent") as run:
        pid = os.fork()
        if pid == 0:
            try:
                nbml.log(x=1)
            except errors.NotInRun:
                os._exit(7)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    assert run.metrics == {}


def test_the_environment_and_git_are_recorded(project: Path) -> None:
    def git(*arguments: str) -> str:
        command = ["git", "-c", "user.name=n", "-c", "user.email=e@example.org", *arguments]
        return subprocess.run(command, cwd=project, check=True, capture_output=True, text=True).stdout

    git("init", "-q")
    (project / "model.py").write_text("depth = 3\n")
    git("add", ".")
    git("commit", "-qm", "one")
    commit = git("rev-parse", "HEAD").strip()
    with nbml.track("clean") as clean:
        pass
    assert clean.environment["git"] == {"commit": commit, "dirty": False}
    (project / "model.py").write_text('depth = 4\napi_key = "sk-1234567890"\n')
    with nbml.track("dirty") as dirty:
        pass
    assert dirty.environment["git"]["dirty"] is True
    assert "+depth = 4" in dirty.diff
    assert '+api_key = "[redacted]"' in dirty.diff
    assert clean.environment["packages"]["scikit-learn"]
    assert clean.environment["python"] == ".".join(map(str, sys.version_info[:3]))
    assert clean.environment["cpus"] == os.cpu_count()


def test_a_read_only_project_is_refused_before_the_block(project: Path) -> None:
    with nbml.track("a") as run:
        pass
    assert run.environment["python"]  # and so nothing of it is still to be written
    store.current().readonly = True
    with pytest.raises(errors.ReadOnlyStore, match="can be read, not written"), nbml.track("b"):
        pytest.fail("the block ran")
    assert nbml.run("a").state == "finished"


def test_nothing_but_json_and_no_absolute_path_is_stored(project: Path) -> None:
    X, y = load_iris(return_X_y=True, as_frame=True)
    with nbml.track("paths"):
        LogisticRegression(max_iter=1000).fit(X, y)
    body = store.current().find("run", "paths").body
    assert str(project) not in json.dumps(body, allow_nan=False)
