"""Real W&B offline runs, written by the sender and read back by wandb's own reader in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import nbml
from conftest import until
from nbml import store
from nbml.store import outbox
from nbml.testing.trackers import Heard, TrackerSuite
from tracking.wandb_server import serving

pytestmark = pytest.mark.slow
WANDB = str(Path(sys.executable).with_name("wandb"))
OWN = {"_step", "_timestamp", "_runtime"}


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    yield
    store.use(None)


def inspect(file: Path) -> list[dict[str, Any]]:
    """The records of a run's file, as ``wandb leet inspect`` reads them."""
    command = [WANDB, "leet", "inspect", "--json", str(file)]
    env = {**os.environ, "WANDB_ERROR_REPORTING": "false"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env, cwd=file.parent)
    return [json.loads(line) for line in done.stdout.splitlines()]


def real(value: Any) -> Any:
    """wandb's JSON has NaN and infinity as texts."""
    return float(value) if value in ("NaN", "Infinity", "-Infinity") else value


def read(file: Path) -> Heard:
    found: dict[str, Any] = {"config": {}, "points": {}, "exit": None}
    for record in inspect(file):
        kind = record["type"]
        if kind == "run":
            run = record["run"]
            found["config"] |= run["config"].get("update", {}) if "config" in run else {}
        elif kind == "history":
            item = record["history"]["item"]
            for name, value in item.items():
                if name not in OWN:
                    found["points"].setdefault(name, []).append((item["_step"], real(value)))
        elif kind == "exit":
            found["exit"] = record["exit"].get("exit_code", 0)
    config = {name: real(value) for name, value in found["config"].items() if name != "_wandb"}
    state = {None: "running", 0: "finished"}.get(found["exit"], "failed")
    return Heard(run["run_id"], run["display_name"], state, tuple(run.get("tags", ())), config, found["points"])


def files(root: Path) -> list[Path]:
    return sorted(root.glob("wandb/offline-run-*/*.wandb"))


class TestWandb(TrackerSuite):
    name = "wandb"

    def heard(self, root: Path) -> list[Heard]:
        return [read(file) for file in files(root)]

    def test_the_folder_is_wandbs_own_and_times_are_ours(self, tmp_path: Path, monkeypatch: Any) -> None:
        opened = self.begin(tmp_path, monkeypatch)
        with nbml.track("one", to="wandb", note="why") as run:
            nbml.log(x=1)
        assert "wandb" not in sys.modules
        assert run.mirrors == {"wandb": "waiting"}
        self.sent(opened)
        [file] = files(opened.root)
        assert run.mirrors == {"wandb": f"wandb/{file.parent.name}"}
        assert file.parent.name.endswith(f"-{run.id}")
        records = inspect(file)
        [row] = [record["history"]["item"] for record in records if record["type"] == "history"]
        assert row["_timestamp"] == pytest.approx(run.history("x")["time"].iloc[0].timestamp(), abs=1e-4)
        [head] = [record["run"] for record in records if record["type"] == "run"]
        assert (head["project"], head["notes"]) == ("a project", "why")
        assert [path.name for path in (opened.root / "wandb").iterdir()] == [file.parent.name]
        assert "wandb/offline-run-" in str(opened.result(run._body["result"])), "the detail view says where it is"

    def test_the_run_of_a_killed_kernel_is_sent_by_the_next_and_wandbs_variables_hold(self, tmp_path: Path, monkeypatch: Any) -> None:
        monkeypatch.setenv("WANDB_DIR", str(tmp_path / "elsewhere"))
        monkeypatch.setenv("WANDB_PROJECT", "given")
        opened = self.begin(tmp_path, monkeypatch)
        code = "import nbml, os; run = nbml.track('killed', to='wandb').__enter__(); nbml.log(x=1); run.metrics; os._exit(9)"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
        with nbml.track("next", to="wandb") as run:
            nbml.log(x=2)
        self.sent(opened)
        found = files(tmp_path / "elsewhere")
        assert {(one.name, one.state) for one in map(read, found)} == {("killed", "failed"), ("next", "finished")}
        assert [record["run"]["project"] for file in found for record in inspect(file) if record["type"] == "run"] == ["given", "given"]
        assert run.mirrors["wandb"] in {f"WANDB_DIR/wandb/{file.parent.name}" for file in found}


def test_a_tracker_that_cannot_take_a_run_is_asked_again_and_the_cell_never_waits(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBML_SENDER_IDLE", "0.2")
    (project / "wandb").write_text("a file where the folder should be")
    with nbml.track("later", to="wandb") as run:
        nbml.log(x=1)
    said = until(lambda: run.mirrors["wandb"] != "waiting" and run.mirrors["wandb"], 60)
    assert said.startswith("wandb did not take later@1: ")
    until(lambda: store.current().holder(outbox.OFFICE) is None)
    (project / "wandb").unlink()
    with nbml.track("now", to="wandb"):
        pass
    until(lambda: not outbox.letters(store.current(), state="waiting"), 60)
    assert sorted(read(file).name for file in files(project)) == ["later", "now"]
    until(lambda: store.current().holder(outbox.OFFICE) is None)


def test_online_a_run_and_its_continuation_arrive_once(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as server:
        monkeypatch.setenv("WANDB_BASE_URL", server.url)
        monkeypatch.setenv("WANDB_API_KEY", "f" * 40)
        monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
        monkeypatch.setenv("NBML_SENDER_IDLE", "0.2")
        with nbml.track("online", to="wandb", tags="a") as run:
            for step in range(50):
                nbml.log(x=step, y=float("nan"), step=step)
        until(lambda: run.mirrors["wandb"] != "waiting", 60)
        assert run.mirrors["wandb"] == f"{server.url}/team/project/runs/{run.id}"
        with nbml.track("online", resume=True):
            nbml.log(x=50, step=50)
        until(lambda: not outbox.letters(store.current(), state="waiting"), 60)
        until(lambda: store.current().holder(outbox.OFFICE) is None)
        [(id, kept)] = server.runs.items()
    rows = [json.loads(kept["lines"][number]) for number in sorted(kept["lines"])]
    assert (id, kept["name"], kept["project"], kept["state"], kept["tags"]) == (run.id, "online", "project", "finished", ["a"])
    assert [(row["_step"], row["x"]) for row in rows] == [(step, step) for step in range(51)]
    assert all(row["y"] != row["y"] for row in rows[:50])
    assert files(project) == []
