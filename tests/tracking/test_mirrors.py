"""Three trackers on servers with faults: what is refused, lost, killed or lied about arrives once, and no cell waits."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import nbml
from conftest import until
from nbml import store
from nbml.store import outbox
from nbml.tracking.sender import wake
from tracking import comet_server, mlflow_server, wandb_server
from tracking.faulty import Proxy, proxy
from tracking.test_mlflow import read

pytestmark = pytest.mark.slow
#: kills of one tracker's senders and children
KILLS = int(os.environ.get("NBML_TEST_KILLS", "1"))
#: whether all faults are met, those too that take their time
EVERY = "NBML_TEST_FAULTS" in os.environ
POINTS = 40


@dataclass
class Mirror:
    """A tracker behind a way with faults. ``heard`` gives run id -> name and sorted points of "x", one entry for each run it has."""

    name: str
    way: Proxy
    heard: Callable[[], list[tuple[str, str, list[tuple[int, float]]]]]
    plan: list[tuple[int | str, str]]
    lie: str


@pytest.fixture(scope="module")
def mlflow_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with mlflow_server.serving(tmp_path_factory.mktemp("mlflow")) as url:
        yield url


@pytest.fixture
def mirror(request: pytest.FixtureRequest, project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """One of the three, and a sender that is not patient."""
    for name in [name for name in os.environ if name.startswith(("WANDB_", "MLFLOW_", "COMET_"))]:
        monkeypatch.delenv(name)
    for name, value in (("IDLE", "1"), ("LIMIT", "25"), ("READ_BACK", "1")):
        monkeypatch.setenv(f"NBML_SENDER_{name}", value)
    with getattr(Ways, request.param)(request, project, monkeypatch) as found:
        yield found
    until(lambda: store.current().holder(outbox.OFFICE) is None, 60)


class Ways:
    """How each tracker is reached."""

    @staticmethod
    @contextlib.contextmanager
    def mlflow(request: pytest.FixtureRequest, project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
        url = request.getfixturevalue("mlflow_url")

        def heard() -> list[tuple[str, str, list[tuple[int, float]]]]:
            found = [one for one in read(url) if one[4] == project.parent.name]
            return [(tags["nbml.run"], info["run_name"], sorted((s, v) for s, v, _ in each["x"])) for info, _, tags, each, _, _ in found]

        with proxy(url) as way:
            monkeypatch.setenv("MLFLOW_TRACKING_URI", way.url)
            monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "3")
            monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", project.parent.name)
            plan = [(500, "search"), ("lost", "runs/create"), ("lost", "log-batch"), (429, "runs/create"), ("hang", "runs/update")]
            yield Mirror("mlflow", way, heard, plan, "log-batch|log-metric")

    @staticmethod
    @contextlib.contextmanager
    def wandb(request: pytest.FixtureRequest, project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
        with wandb_server.serving() as server, proxy(server.url) as way:

            def heard() -> list[tuple[str, str, list[tuple[int, float]]]]:
                found = []
                for id, kept in server.runs.items():
                    rows = [json.loads(line) for _, line in sorted(kept["lines"].items())]
                    found.append((id, kept["name"], [(row["_step"], row["x"]) for row in rows]))
                return found

            monkeypatch.setenv("WANDB_BASE_URL", way.url)
            monkeypatch.setenv("WANDB_API_KEY", "f" * 40)
            monkeypatch.setenv("NBML_SENDER_LIMIT", "12")
            up, rows = "UpsertBucket", "file_stream"
            plan = [(500, up), ("lost", up), ("lost", rows), (429, rows), ("hang", rows)]
            yield Mirror("wandb", way, heard, plan, "file_stream")

    @staticmethod
    @contextlib.contextmanager
    def comet(request: pytest.FixtureRequest, project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
        with comet_server.serving() as server, proxy(server.url) as way:

            def heard() -> list[tuple[str, str, list[tuple[int, float]]]]:
                return [
                    (kept["others"]["nbml.run"], kept["others"]["Name"], sorted((s, float(v)) for n, s, v, _ in kept["points"] if n == "x"))
                    for kept in server.runs.values()
                ]

            monkeypatch.setenv("COMET_URL_OVERRIDE", f"{way.url}/clientlib/")
            monkeypatch.setenv("COMET_API_KEY", "k" * 25)
            monkeypatch.setenv("COMET_TIMEOUT_API", "3")
            plan = [(500, "get-all"), ("lost", "add/run"), ("lost", "experiment/metric"), (429, "experiment/metric"), ("hang", "get-all")]
            yield Mirror("comet", way, heard, plan, "experiment/metric")


ALL = pytest.mark.parametrize("mirror", ["mlflow", "wandb", "comet"], indirect=True)


def track(mirror: Mirror, number: int) -> nbml.tracking.Run:
    """One short run, and how long it took to open and close it."""
    with nbml.track(f"r{number}", to=mirror.name) as run:
        for step in range(POINTS):
            nbml.log(x=number + step / 7, step=step)
    return run


def expected(runs: list[Any]) -> list[tuple[str, str, list[tuple[int, float]]]]:
    return sorted((run.id, run.name, [(step, number + step / 7) for step in range(POINTS)]) for number, run in enumerate(runs))


def waited(seconds: float) -> None:
    """Until nothing is to be sent; a sender that has given up is woken, as the next run would."""
    here = store.current()

    def done() -> bool:
        wake(here)
        return not outbox.waiting(here)

    until(done, seconds, "; ".join(f"{x.run} {x.error}" for x in outbox.letters(here, state="waiting")))


@ALL
def test_faults_and_kills_at_any_moment_are_outlasted_and_every_run_arrives_once(mirror: Mirror) -> None:
    dice = random.Random(KILLS)
    mirror.way.plan = plan = mirror.plan if EVERY else mirror.plan[:3]
    runs = [track(mirror, number) for number in range(len(plan))]
    here = store.current()
    for _ in range(KILLS):
        wake(here)
        holder = until(lambda: here.holder(outbox.OFFICE) or not outbox.waiting(here), 30)
        if holder is True:
            break
        time.sleep(dice.uniform(0, 4))  # not a condition that is waited for: the moment of the kill
        for pid in dice.choice([[holder.pid], children(holder.pid)]):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    waited(150)
    assert sorted(mirror.heard()) == expected(runs)
    assert mirror.way.plan == [], "a fault that was not met"


@ALL
def test_a_tracker_that_lies_is_found_out_and_told_again(mirror: Mirror) -> None:
    mirror.way.always = ("lie", mirror.lie)
    run = track(mirror, 0)
    said = until(lambda: run.mirrors[mirror.name] != "waiting" and run.mirrors[mirror.name], 60)
    what = "rows" if mirror.name == "wandb" else "points"
    assert said == f"{mirror.name} kept 0 of the {POINTS} {what} of r0@1"
    mirror.way.always = None
    waited(90)
    assert mirror.heard() == expected([run])


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(stat.parent.name))
    return found
