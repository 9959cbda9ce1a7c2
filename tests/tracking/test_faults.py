"""Bad input and bad days: nothing that was stored is damaged, nothing is lost silently, and the cell goes on."""

from __future__ import annotations

import asyncio
import json
import linecache
import math
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import Ridge
from sklearn.metrics import accuracy_score

import nbml
from conftest import until
from nbml import errors, store
from nbml.store import runs
from nbml.tracking import opened


def test_nan_and_infinity_are_kept_and_shown_as_such(project: Path) -> None:
    with nbml.track("odd") as run:
        for value in (math.nan, math.inf, -math.inf):
            nbml.log(x=value)
        nbml.log(y=math.nan)
    assert str(run.history("x")["value"].tolist()) == "[nan, inf, -inf]"
    assert str(run.metrics) == "{'x': -inf, 'y': nan}"
    assert str(nbml.runs()[["x", "y"]].iloc[0].tolist()) == "[-inf, nan]"
    [said] = json.loads(runs.listing_json(store.current()))
    assert said["metrics"] == {"x": "-inf", "y": "NaN"}
    assert runs.bins(store.current(), run._thing.id, "x") == [(0, None, None), (1, None, None), (2, None, None)]
    assert "x −inf · y NaN" in repr(run)


def test_long_names_are_kept_and_endless_ones_refused(project: Path) -> None:
    with nbml.track("names") as run:
        nbml.log({"x" * 10_000: 1.0})
        with pytest.raises(errors.BadName) as caught:
            nbml.log({"y" * 1_000_000: 1.0, "z": 1.0})
    what = f"the name of a metric has 1,000,000 characters, and at most 10,000 are kept: {'y' * 40!r}..."
    assert str(caught.value) == f"{what}\nTry: nbml.log(auc=0.91)"
    assert run.metrics == {"x" * 10_000: 1.0}


def test_many_points_are_read_back_as_bins(project: Path) -> None:
    with nbml.track("long") as run:
        for i in range(200_000):
            nbml.log(loss=i)
    assert len(run.history("loss")) == 200_000
    bins = runs.bins(store.current(), run._thing.id, "loss")
    assert (len(bins), bins[0], bins[-1]) == (1000, (0, 0.0, 199.0), (199_800, 199_800.0, 199_999.0))


def test_a_thread_that_outlives_its_run_is_refused_also_while_another_run_is_open(project: Path) -> None:
    go, said = threading.Event(), []

    def work() -> None:
        nbml.log(x=1)
        for _ in range(2):
            go.wait()
            go.clear()
            try:
                nbml.log(x=2)
            except errors.NotInRun as error:
                said.append(error.message)

    with nbml.track("a") as first:
        thread = threading.Thread(target=work, name="late")
        thread.start()
        until(lambda: first.metrics)
    go.set()
    until(lambda: len(said) == 1)
    with nbml.track("b") as second:
        go.set()
        thread.join()
    assert said == ["nbml.log was called after the run a@1, which the thread late belongs to, had ended"] * 2
    assert (first.metrics, second.metrics) == ({"x": 1.0}, {})


def test_tasks_log_to_the_run_that_they_were_started_in(project: Path) -> None:
    async def work(value: float) -> None:
        await asyncio.sleep(0)
        nbml.log(x=value)

    async def main() -> str:
        with nbml.track("a"):
            task, late = asyncio.create_task(work(1)), asyncio.create_task(asyncio.sleep(0))
            with nbml.track("b"):
                await task
                await asyncio.to_thread(nbml.log, x=2)
            straggler = asyncio.create_task(work(3))
        await late
        try:
            await straggler
        except errors.NotInRun as error:
            return error.message
        return ""

    assert asyncio.run(main()) == "nbml.log was called after the run a@1, which this code belongs to, had ended"
    assert [nbml.run(name).metrics for name in "ab"] == [{"x": 1.0}, {"x": 2.0}]


def test_two_processes_log_to_one_project_at_once(project: Path) -> None:
    code = (
        "import nbml\nfor n in range(3):\n    with nbml.track('both') as run:\n"
        "        for i in range(300): nbml.log(x=i)\n    assert run.history('x')['value'].tolist() == list(range(300))"
    )
    both = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True) for _ in range(2)]
    assert [one.communicate(timeout=60)[1] for one in both] == ["", ""]
    frame = nbml.runs()
    assert (len(frame), set(frame["state"]), set(frame["x"])) == (6, {"finished"}, {299.0})
    assert [thing.version for thing in store.current().versions("run", "both")] == [1, 2, 3, 4, 5, 6]
    assert all(len(nbml.run(f"both@{n}").history("x")) == 300 for n in range(1, 7))


FULL = """
import json, os, resource, sys, time, warnings
import nbml
from nbml.tracking import after
with nbml.track("before"):
    nbml.log(x=1)
after.wait()
size = os.path.getsize(os.path.join(os.environ["NBML_PROJECT"], ".nbml", "nbml.db"))
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    full = nbml.track("full")
    if sys.argv[1] == "begin":
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    with full:
        nbml.log(x=1)
        if sys.argv[1] != "begin":
            time.sleep(0.3)
            size = os.path.getsize(os.path.join(os.environ["NBML_PROJECT"], ".nbml", "nbml.db"))
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        for i in range(20_000):
            nbml.log({f"metric {i % 10}": i})
        went_on = True
    time.sleep(0.2)
    count = len(told)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    if sys.argv[1] != "begin":
        end = time.monotonic() + 20
        while nbml.run("full").state == "running" and time.monotonic() < end:
            time.sleep(0.1)
        after.wait()
with nbml.track("later"):
    nbml.log(x=2)
print(json.dumps([went_on, [str(one.message) for one in told]]))
"""


@pytest.mark.parametrize("when", ["begin", "middle"])
def test_a_full_disk_stops_no_cell_is_told_once_and_damages_nothing(project: Path, when: str) -> None:
    done = subprocess.run([sys.executable, "-c", FULL, when], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    went_on, told = json.loads(done.stdout)
    assert went_on
    late = "nbml: the run full@1 is not written whole, it is tried again every second: "
    wanted = "nbml: the run full is not recorded: " if when == "begin" else late
    assert [said.startswith(wanted) for said in told] == [True], told
    assert store.current().read("PRAGMA integrity_check")[0][0] == "ok"
    assert [nbml.run(name).metrics for name in ("before", "later")] == [{"x": 1.0}, {"x": 2.0}]
    if when == "middle":
        full = nbml.run("full")
        assert full.state == "finished"
        assert all(full.history(f"metric {n}")["value"].tolist() == list(range(n, 20_000, 10)) for n in range(10))


def interrupting(at: int) -> tuple[Any, list[int]]:
    """A tracer that sends the signal where the ``at``-th line of the rooms of tracking runs for the first time."""
    count, seen = [0], set()

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        if "/nbml/tracking/" not in frame.f_code.co_filename or "interrupts" in frame.f_code.co_filename:
            return None
        place = (frame.f_code.co_filename, frame.f_lineno)
        new = event == "line" and place not in seen
        if new and linecache.getline(*place).strip() != "try:":  # which looks for no signal
            seen.add(place)
            count[0] += 1
            if count[0] == at:
                signal.raise_signal(signal.SIGINT)
        return trace

    return trace, count


def test_an_interrupt_at_any_line_of_a_runs_beginning_and_end_leaves_nothing_half_done(project: Path) -> None:
    import sklearn.base

    before = dict(vars(Ridge)), accuracy_score.__code__, "__init_subclass__" in vars(BaseEstimator)
    trace, count = interrupting(-1)
    sys.settrace(trace)
    with nbml.track("whole"):
        nbml.log(x=1)
    sys.settrace(None)
    lines = count[0]
    assert lines > 100
    for at in range(1, lines, max(1, lines // 20)):
        trace, _ = interrupting(at)
        try:
            run = nbml.track("stopped")
            sys.settrace(trace)
            with run:
                nbml.log(x=1)
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(None)
        assert not opened.any_open(), at
        assert (dict(vars(Ridge)), accuracy_score.__code__, "__init_subclass__" in vars(BaseEstimator)) == before, at
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert sklearn.base.BaseEstimator is BaseEstimator
    assert set(nbml.runs()["state"]) <= {"finished", "interrupted"}
    with nbml.track("after") as run:
        nbml.log(x=1)
    assert (run.state, run.metrics) == ("finished", {"x": 1.0})


CHILD = """
import sys, time, nbml
nbml.track("killed").__enter__()
for i in range(1_000_000):
    nbml.log(loss=i)
    sys.stdout.write("%d %.6f\\n" % (i, time.monotonic()))
    sys.stdout.flush()
    time.sleep(0.0005)
"""


@pytest.mark.parametrize("seed", range(int(os.environ.get("NBML_KILLS", "3"))))
def test_points_that_are_200_ms_old_outlive_kill_9(project: Path, seed: int) -> None:
    child = subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    time.sleep(0.25 + seed * 0.037 % 0.5)  # the moment of the kill is what differs
    died = time.monotonic()
    child.kill()
    ledger = [line.split() for line in child.stdout.read().splitlines() if line.count(b" ") == 1]
    child.wait()
    owed = [int(number) for number, when in ledger if float(when) <= died - 0.2]
    kept = nbml.run("killed").history("loss")["value"].tolist()
    assert kept == list(range(len(kept)))
    assert owed
    assert owed[-1] < len(kept)
    assert store.current().read("PRAGMA integrity_check")[0][0] == "ok"
