"""Runs of other trackers, made by the tools themselves, read into the record."""

from __future__ import annotations

import math
import os
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

import nbml
from conftest import until
from nbml import errors, store

MADE = """
import math

import comet_ml
import wandb
from mlflow import MlflowClient
from mlflow.entities import Metric, Param

config = {"lr": 0.1, "net": {"deep": 3}, "key": "hidden-secret"}
run = wandb.init(mode="offline", project="p", name="Big Run #1", id="abcd1234", notes="why", tags=["a", "b"], config=config)
for step in range(300):
    row = {"loss": 1 / (step + 1), "odd": math.nan if step else math.inf, "in": {"side": step}, "text": "no number"}
    run.log(row, step=2 * step)
run.finish(exit_code=1)

run = comet_ml.OfflineExperiment(offline_directory="comet", project_name="p", experiment_key="c" * 32)
run.set_name("comets own")
run.add_tag("t")
run.log_parameters({"lr": 0.1, "kind": "x", "none": None})
for step in range(20):
    run.log_metric("loss", step / 3, step=step)
run.log_metric("odd", math.nan, step=7)
run.end()

START = 1_700_000_000_000
for kind in ("sqlite:///mlflow.db", "./mlruns"):
    client = MlflowClient(kind)
    experiment = client.create_experiment("exp")
    for name, state in (("Good one", "FINISHED"), ("bad", "FAILED"), ("gone", "FINISHED"), ("cut", None)):
        tags = {"team": "red", "mlflow.note.content": "said"}
        id = client.create_run(experiment, start_time=START, run_name=name, tags=tags).info.run_id
        points = [Metric("m/loss", 1 / (step + 1), START + step, step) for step in range(30)]
        params = [Param("lr", "0.1"), Param("n", "5"), Param("id", "007"), Param("api_key", "hidden-secret")]
        client.log_batch(id, metrics=[*points, Metric("odd", math.nan, START, 3)], params=params)
        if state:
            client.set_terminated(id, state, START + 60_000)
        if name == "gone":
            client.delete_run(id)
"""
QUIET = {
    "MLFLOW_ALLOW_FILE_STORE": "true", "MLFLOW_DISABLE_TELEMETRY": "true", "WANDB_ERROR_REPORTING": "false", "WANDB_SILENT": "true",
    "COMET_ERROR_TRACKING_ENABLE": "false", "COMET_LOGGING_CONSOLE": "ERROR",
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which each tool has left its runs."""
    folder = tmp_path_factory.mktemp("made")
    code = folder / "make.py"
    code.write_text(MADE)
    subprocess.run([sys.executable, code], cwd=folder, env={**os.environ, **QUIET}, check=True, capture_output=True)
    return folder


pytestmark = pytest.mark.slow


def test_an_offline_run_of_wandb_comes_whole_and_once(project: Path, made: Path) -> None:
    frame = nbml.import_runs(made / "wandb")
    [run] = [nbml.run(id) for id in frame.index]
    assert (run.name, run.state, run.tags, run.note) == ("big-run-1", "failed", ("a", "b"), "why; 'Big Run #1' in W&B")
    assert run.params == {"lr": 0.1, "net": {"deep": 3}, "key": "[redacted]"}
    loss, odd = run.history("loss"), run.history("odd")
    assert list(zip(loss["step"], loss["value"], strict=True)) == [(2 * step, 1 / (step + 1)) for step in range(300)]
    assert odd["value"][0] == math.inf
    assert odd["value"][1:].isna().all()
    assert sorted(run.metrics) == ["in.side", "loss", "odd"]
    assert 0 < run.duration < 600
    assert abs(loss["time"][0].timestamp() - run.started) < 60
    again = nbml.import_runs(str(next(made.glob("wandb/offline-run-*/*.wandb"))))
    assert (len(again), len(nbml.runs())) == (0, 1)
    assert "0 runs imported from W&B · 1 were here already" in repr(again)
    assert "wandb" not in sys.modules


def test_a_run_that_nbml_had_sent_to_wandb_is_here_already(project: Path) -> None:
    with nbml.track("own", to="wandb") as run:
        nbml.log(x=1)
    until(lambda: run.mirrors["wandb"].startswith("wandb/"), 60)
    assert len(nbml.import_runs("wandb")) == 0
    assert len(nbml.runs()) == 1


@pytest.mark.parametrize("place", ["mlflow.db", "mlruns"])
def test_a_store_of_mlflow_comes_whole_and_once(project: Path, made: Path, place: str) -> None:
    frame = nbml.import_runs(made / place)
    assert sorted(zip(frame["name"], frame["state"], strict=True)) == [("bad", "failed"), ("cut", "interrupted"), ("good-one", "finished")]
    run = nbml.run("good-one")
    assert (run.tags, run.note) == (("team=red",), "said; 'Good one' in MLflow")
    assert run.params == {"lr": 0.1, "n": 5, "id": "007", "api_key": "[redacted]"}
    loss = run.history("m/loss")
    assert list(zip(loss["step"], loss["value"], strict=True)) == [(step, 1 / (step + 1)) for step in range(30)]
    assert [round(when.timestamp() * 1000) for when in loss["time"]] == [1_700_000_000_000 + step for step in range(30)]
    assert math.isnan(run.metrics["odd"])
    assert (run.started, run.duration) == (1_700_000_000, 60)
    assert "lr 0.100" in repr(nbml.runs()), "what it was run with stands in the listing"
    assert len(nbml.import_runs(made / place)) == 0
    assert len(nbml.runs()) == 3
    assert "mlflow" not in sys.modules


def test_an_archive_of_comet_comes_whole_and_once(project: Path, made: Path) -> None:
    [id] = nbml.import_runs(made / "comet").index
    run = nbml.run(id)
    assert (run.name, run.state, run.tags, run.note) == ("comets-own", "finished", ("t",), "'comets own' in Comet")
    assert run.params == {"lr": 0.1, "kind": "x", "none": None}
    loss = run.history("loss")
    assert list(zip(loss["step"], loss["value"], strict=True)) == [(step, step / 3) for step in range(20)]
    assert len(nbml.import_runs(next(made.glob("comet/*.zip")))) == 0
    assert "comet_ml" not in sys.modules


def test_a_folder_with_all_three_and_the_magic(shell: Any, project: Path, made: Path) -> None:
    shell.run_cell(f"found = %nbml import {made}")
    assert len(shell.user_ns["found"]) == 8
    assert "8 runs imported from W&B and MLflow and Comet" in repr(shell.user_ns["found"])
    assert len(nbml.runs('name == "bad"')) == 2


def test_runs_that_nbml_had_sent_are_here_already(project: Path, made: Path) -> None:
    from nbml.tracking import records, trackers
    from nbml.tracking.trackers import comet

    with nbml.track("ours", to=()) as run:
        nbml.log(x=1)
    record = records.record(store.current(), run._thing.id)
    assert isinstance(record, trackers.RunRecord)
    (project / "comet").mkdir()
    (project / "comet" / "a.zip").write_bytes(comet.archive(record, []))
    assert len(nbml.import_runs("comet")) == 0
    assert len(nbml.runs()) == 1


def refused(path: Path, kind: type[errors.NbmlError] = errors.BadInput) -> str:
    """What is said of a path; nothing is imported."""
    with pytest.raises(kind) as caught:
        nbml.import_runs(path)
    assert len(nbml.runs()) == 0
    return caught.value.message


def test_what_is_damaged_is_refused_and_nothing_is_half_imported(project: Path, made: Path) -> None:
    whole = next(made.glob("wandb/offline-run-*/*.wandb")).read_bytes()
    many = project / "many"
    shutil.copytree(made / "comet", many)
    (many / "zz.wandb").write_bytes(b"x" + whole[1:])
    assert refused(many) == "zz.wandb is no file of W&B: it does not begin as one"
    (many / "zz.wandb").write_bytes(whole[:200] + bytes([whole[200] ^ 255]) + whole[201:])
    assert refused(many).startswith("zz.wandb is damaged at byte ")
    store_file = project / "m.db"
    shutil.copy(made / "mlflow.db", store_file)
    with sqlite3.connect(store_file) as db:
        db.execute("ALTER TABLE metrics RENAME COLUMN is_nan TO nan")
    assert refused(store_file) == "m.db is a store of MLflow that this version cannot read: it has no metrics.is_nan"
    store_file.write_bytes((made / "mlflow.db").read_bytes()[: 5 * 4096])
    assert refused(store_file).startswith("m.db cannot be read: ")
    shutil.copytree(made / "mlruns", project / "mlruns")
    for points in (project / "mlruns").glob("*/*/metrics/m/loss"):
        points.write_text("17 x\n")
    assert " is damaged in line 1: '17 x'" in refused(project / "mlruns")
    torn = project / "torn.wandb"
    torn.write_bytes(whole[: len(whole) // 2])
    [id] = nbml.import_runs(torn).index
    assert nbml.run(id).state == "interrupted"
    assert 0 < len(nbml.run(id).history("loss")) < 300


def test_what_is_none_of_theirs_is_refused_by_name(project: Path) -> None:
    assert refused(project / "none") == f"there is no file or folder {str(project / 'none')!r}"
    (project / "empty").mkdir()
    assert refused(project / "empty") == f"{str(project / 'empty')!r} holds no runs of W&B, MLflow or Comet"
    with zipfile.ZipFile(project / "a.zip", "w") as packed:
        packed.writestr("x", "y")
    assert refused(project / "a.zip") == "a.zip is no archive of Comet: a zip file with experiment.json and messages.json is needed"
    (project / "a.txt").write_text("x")
    assert refused(project / "a.txt") == "a.txt is no file of W&B (.wandb), MLflow (SQLite) or Comet (.zip)"
    with sqlite3.connect(project / "o.db") as db:
        db.execute("CREATE TABLE studies(x)")
        assert refused(project / "o.db") == "o.db is no store of MLflow: its tables are studies"
        db.execute("CREATE TABLE trials(x)")
    assert refused(project / "o.db", errors.NotYet) == "o.db holds studies of Optuna, which this version does not import"
