"""Comet's archives, written by the sender, read as comet's own uploader reads them; and its back end, with faults."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import nbml
from conftest import until
from nbml import store
from nbml.store import outbox
from nbml.testing.trackers import Heard, TrackerSuite
from tracking.comet_server import serving

pytestmark = pytest.mark.slow
COMET = str(Path(sys.executable).with_name("comet"))


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in os.environ if name.startswith("COMET_")]:
        monkeypatch.delenv(name)
    yield
    store.use(None)


def real(found: Any) -> Any:
    """A parameter or value as it was: comet's JSON has NaN and infinity as texts."""
    return float(found) if found in ("NaN", "Infinity", "-Infinity") else found


def read(packed: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """``experiment.json`` and ``messages.json`` of an archive."""
    with zipfile.ZipFile(packed) as found:
        assert found.testzip() is None
        lines = found.read("messages.json").decode().splitlines()
        return json.loads(found.read("experiment.json")), [json.loads(line) for line in lines]


def heard(packed: Path) -> Heard:
    head, messages = read(packed)
    params, others, points = {}, {}, {}
    for message in messages:
        said = message["payload"]
        if message["type"] == "log_other":
            others[said["key"]] = said["value"]
        elif message["type"] == "parameter_msg":
            params[said["param"]["paramName"]] = real(said["param"]["paramValue"])
        elif message["type"] == "metric_msg":
            one = said["metric"]
            points.setdefault(one["metricName"], []).append((one["step"], real(one["metricValue"])))
    series = {name: sorted(each, key=lambda one: one[0]) for name, each in points.items()}
    state = "failed" if head["customer_error_reported"] else "finished"
    return Heard(others["nbml.run"], others["Name"], state, tuple(head["tags"]), params, series)


def archives(root: Path) -> list[Path]:
    return sorted(root.glob("comet/*.zip"))


class TestComet(TrackerSuite):
    name = "comet"

    def heard(self, root: Path) -> list[Heard]:
        return [heard(packed) for packed in archives(root)]


def upload(packed: Path, url: str) -> str:
    """What ``comet upload`` says."""
    env = {**os.environ, "COMET_URL_OVERRIDE": f"{url}/clientlib/", "COMET_API_KEY": "k" * 25, "COMET_ERROR_TRACKING_ENABLE": "false"}
    done = subprocess.run([COMET, "upload", str(packed)], capture_output=True, text=True, check=False, env=env, cwd=packed.parent)
    return done.stdout + done.stderr


def test_comets_own_uploader_takes_an_archive_whole_and_once(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBML_SENDER_IDLE", "0.2")
    with nbml.track("up", to="comet", tags="a,b", note="why") as run:
        for step in range(100):
            nbml.log({"x": step / 3, "valid/y": float("nan")}, step=2 * step)
    until(lambda: run.mirrors["comet"] != "waiting", 60)
    [packed] = archives(project)
    assert run.mirrors["comet"] == f"comet/{packed.name}"
    with serving() as server:
        said = upload(packed, server.url)
        assert list(server.runs) == [packed.stem], said
        upload(packed, server.url)
        [kept] = server.runs.values()
    assert [(step, float(value)) for name, step, value, _ in kept["points"] if name == "x"] == [(2 * i, i / 3) for i in range(100)]
    assert [value for name, _, value, _ in kept["points"] if name == "valid/y"] == ["NaN"] * 100
    stamps = [round(when.timestamp() * 1000) for when in run.history("x")["time"]]
    assert [stamp for name, _, _, stamp in kept["points"] if name == "x"] == stamps
    assert (kept["project"], kept["tags"], kept["others"]["Name"], kept["others"]["note"]) == ("project", ["a", "b"], "up", "why")
    assert kept["times"][0] == round(run.started * 1000)


def test_online_a_run_and_its_continuation_arrive_once(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as server:
        monkeypatch.setenv("COMET_URL_OVERRIDE", f"{server.url}/clientlib/")
        monkeypatch.setenv("COMET_API_KEY", "k" * 25)
        monkeypatch.setenv("NBML_SENDER_IDLE", "1")
        with nbml.track("on", to="comet", tags="a") as run:
            for step in range(20):
                nbml.log(x=step / 3, step=step)
        until(lambda: not outbox.waiting(store.current()), 90)
        assert run.mirrors["comet"] == f"{server.url}/me/p/{(run.id * 4)[:32]}"
        with nbml.track("on", resume=True):
            nbml.log(x=7, step=20)
        until(lambda: not outbox.waiting(store.current()), 90)
        until(lambda: store.current().holder(outbox.OFFICE) is None)
        [kept] = server.runs.values()
    assert [(step, float(value)) for name, step, value, _ in kept["points"]] == [*((step, step / 3) for step in range(20)), (20, 7.0)]
    assert (kept["tags"], kept["others"]["nbml.state"]) == (["a"], "finished")
    assert archives(project) == []
