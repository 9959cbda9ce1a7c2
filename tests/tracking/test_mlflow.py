"""Real MLflow: its database in the project, and a server of its own, read back by MLflow's own client in another process."""

from __future__ import annotations

import ast
import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import nbml
from conftest import until
from nbml import store
from nbml.store import Store, outbox
from nbml.testing.trackers import Heard, TrackerSuite
from tracking import mlflow_server

pytestmark = pytest.mark.slow
READ = """
import json, sys
from mlflow import MlflowClient
from mlflow.entities import ViewType
client = MlflowClient(sys.argv[1])
for run in client.search_runs([e.experiment_id for e in client.search_experiments()], max_results=1000):
    points = {key: [(m.step, m.value, m.timestamp) for m in client.get_metric_history(run.info.run_id, key)] for key in run.data.metrics}
    experiment = client.get_experiment(run.info.experiment_id).name
    files = {a.path: len(client.list_artifacts(run.info.run_id)) for a in client.list_artifacts(run.info.run_id)}
    print(json.dumps([dict(run.info), dict(run.data.params), dict(run.data.tags), points, experiment, files]))
"""
STATES = {"FINISHED": "finished", "FAILED": "failed", "KILLED": "failed", "RUNNING": "running"}


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in os.environ if name.startswith("MLFLOW_")]:
        monkeypatch.delenv(name)
    yield
    store.use(None)


def read(uri: str) -> list[list[Any]]:
    """info, params, tags, points, experiment and files of each run."""
    env = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
    done = subprocess.run([sys.executable, "-c", READ, uri], capture_output=True, text=True, check=True, env=env)
    return [json.loads(line) for line in done.stdout.splitlines()]


def value(text: str) -> Any:
    """A parameter as it was: MLflow has texts."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return float(text) if text in ("nan", "inf", "-inf") else text


def real(found: float) -> float:
    """MLflow keeps the largest float for infinity, which the run says."""
    return math.copysign(math.inf, found) if abs(found) == sys.float_info.max else found


def heard(uri: str) -> list[Heard]:
    found = []
    for info, params, tags, points, _, _ in read(uri):
        series = {name: sorted(((step, real(x)) for step, x, _ in each), key=lambda one: one[0]) for name, each in points.items()}
        own = tuple(name for name, said in tags.items() if said == "true")
        given = {name: value(text) for name, text in params.items()}
        found.append(Heard(tags["nbml.run"], info["run_name"], STATES[info["status"]], own, given, series))
    return found


class TestMlflow(TrackerSuite):
    name = "mlflow"

    def begin(self, folder: Path, monkeypatch: Any) -> Store:
        opened = super().begin(folder, monkeypatch)
        (opened.root / "mlflow.db").write_bytes(mlflow_server.template())
        return opened

    def heard(self, root: Path) -> list[Heard]:
        return heard(f"sqlite:///{root / 'mlflow.db'}")


def test_a_project_without_a_database_gets_one(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBML_SENDER_IDLE", "0.2")
    with nbml.track("first", to="mlflow", note="why") as run:
        nbml.log(x=1, step=3)
        nbml.log(x=1, step=3)
    until(lambda: run.mirrors["mlflow"] != "waiting", 90)
    assert run.mirrors == {"mlflow": "mlflow.db"}
    [[info, _, tags, points, experiment, _]] = read(f"sqlite:///{project / 'mlflow.db'}")
    assert (experiment, tags["mlflow.note.content"], info["start_time"]) == ("project", "why", round(run.started * 1000))
    stamps = [round(when.timestamp() * 1000) for when in run.history("x")["time"]]
    found = sorted(when for _, _, when in points["x"])
    assert found[0] == stamps[0]
    assert found[1] in (stamps[1], stamps[1] + 1)
    until(lambda: store.current().holder(outbox.OFFICE) is None)
