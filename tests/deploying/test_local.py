"""A real Bento, deployed on this machine: it answers, survives what it must, and leaves nothing."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import nbml
import serving
from conftest import until
from nbml import errors, store
from nbml.deploying import state

pytestmark = pytest.mark.slow


def gone(pid: int) -> bool:
    return pid not in serving.processes(store.current().root)


def where(name: str = "churn") -> Path:
    return store.current().folder / "deployments" / name


def test_it_answers_as_the_model_does_and_after_stop_nothing_is_left(project: Path) -> None:
    X, _ = serving.data()
    found = nbml.deploy("churn@1")
    assert (str(found), found.state, found.service) == ("churn", "running", "churn@1")
    answers = found.predict(X)
    assert (answers == serving.model(1.0).predict(X)).all()
    assert type(answers) is type(serving.model(1.0).predict(X))
    status, answer = serving.ask(found.url, {"rows": serving.rows(2), "ids": ["a", "b"]})
    assert (status, answer["ids"], answer["version"]) == (200, ["a", "b"], "churn@1")
    lines = repr(found).splitlines()
    assert lines[0].startswith("[running] churn@1 on this machine · ready in ")
    assert lines[1:] == [f"  {found.url}/predict · docs", "Next: %nbml try churn or %nbml monitor churn"]
    listing = nbml.deployments()
    assert listing.loc[0, ["name", "service", "state", "url"]].tolist() == ["churn", "churn@1", "running", found.url]
    assert [role for role, _ in store.current().edges_from(found.thing)] == ["runs"]
    again = nbml.deploy("churn@1")
    assert (again.status.worker, "already running" in repr(again)) == (found.status.worker, True)

    port = found.status.port
    assert len(serving.processes(project)) == 3
    assert repr(nbml.stop("churn")).splitlines() == ["[stopped] churn@1", "Next: %nbml deploy churn@1"]
    assert serving.processes(project) == {}
    assert serving.free(port)
    assert nbml.deployments()["state"].tolist() == ["stopped"]
    assert found.thing.state == "stopped"
    with pytest.raises(errors.UnknownDeployment) as caught:
        found.predict(X)
    assert str(caught.value) == "churn is not running\nTry: %nbml deploy churn"
    assert nbml.stop("churn").state == "stopped"


def test_refused_rows_come_with_their_positions(project: Path) -> None:
    found = nbml.deploy("churn@1")
    bad = serving.data()[0].astype(object).head(4)
    bad.iloc[2, 0] = "wide"
    with pytest.raises(errors.RequestRejected) as caught:
        found.predict(bad)
    assert [(p["row"], p["column"], p["value"]) for p in caught.value.problems] == [(2, "mean_radius", "wide")]
    with pytest.raises(errors.BadInput, match="the data lack 1 of the 3 columns that the model takes: 'mean_area'"):
        found.predict(serving.data()[0].drop(columns="mean_area"))
    one = found.traffic(last="1h")
    until(lambda: len(found.traffic(last="1h")) == 1, 2)
    assert list(one.columns) == ["time", "ids", "rows", "latency_ms", "status", "version"]


def test_a_killed_worker_is_back_within_five_seconds(project: Path) -> None:
    found = nbml.deploy("churn@1")
    url, worker = found.url, found.status.worker
    os.kill(worker, signal.SIGKILL)
    began = time.monotonic()
    status, _ = serving.ask(url, {"rows": serving.rows()}, timeout=20)  # it waits in the socket's queue
    assert (status, time.monotonic() - began < 5.0) == (200, True)
    after = until(lambda: found.status if found.state == "running" else None, 5)
    assert (after.worker != worker, after.restarts, found.url) == (True, 1, url)
    assert "restarted 1 time" in repr(found)


def test_it_survives_the_death_of_the_kernel(project: Path, kernels: Callable[..., Any]) -> None:
    kernel = kernels()
    outcome = kernel.run("import nbml\ndeployment = nbml.deploy('churn')\ndeployment")
    assert outcome.ok, outcome.error
    first, last = outcome.outputs[0]["text/plain"], outcome.updates[-1]["text/plain"]
    assert first.startswith("[deploying] churn@2 on this machine")
    assert last.startswith("[running] churn@2 on this machine · ready in ")
    assert len(outcome.outputs) == 1, "the line of the deploy is shown once"
    os.kill(kernel.pid, signal.SIGKILL)
    until(lambda: not Path(f"/proc/{kernel.pid}/cmdline").exists() or not Path(f"/proc/{kernel.pid}/cmdline").read_bytes(), 10)
    found = nbml.deployment("churn")
    assert found.state == "running"
    assert serving.ask(found.url, {"rows": serving.rows()})[0] == 200


def test_a_killed_supervisor_takes_everything_with_it_and_the_state_tells(project: Path) -> None:
    found = nbml.deploy("churn@1")
    before = found.status
    os.kill(before.pid, signal.SIGKILL)
    until(lambda: serving.processes(project) == {}, 5, "worker and log writer are gone")
    assert serving.free(before.port)
    assert found.state == "failed"
    assert repr(found).splitlines() == [
        "[not running] churn@1", f"  its supervisor (process {before.pid}) is gone: killed, or the machine was restarted",
        "Next: %nbml deploy churn@1",
    ]  # fmt: skip
    again = nbml.deploy("churn@1")
    assert (again.state, again.url) == ("running", found.url)
    assert serving.ask(again.url, {"rows": serving.rows()})[0] == 200


def test_a_service_that_dies_at_start_shows_its_last_lines_and_leaves_nothing(project: Path) -> None:
    with pytest.raises(errors.ServiceDied) as caught:
        nbml.deploy("broken")
    first, *lines = caught.value.message.splitlines()
    assert first == "broken@1 ended before it was ready (exit code 1); its last log lines:"
    assert lines[-1] == "  RuntimeError: no licence for this model"
    assert caught.value.next == 'nbml.service("broken@1")'
    assert not where("broken").exists()
    assert serving.processes(project) == {}
    assert len(nbml.deployments()) == 0


def test_another_version_at_the_same_address_and_back(project: Path) -> None:
    X, _ = serving.data()
    found = nbml.deploy("churn@1")
    url = found.url
    newer = nbml.deploy("churn")
    assert (newer.service, newer.url, serving.ask(url, {"rows": serving.rows()})[1]["version"]) == ("churn@2", url, "churn@2")
    with pytest.raises(errors.ServiceDied):
        nbml.deploy("broken@1", name="churn")
    until(lambda: found.state == "running", 15, "the version before is back")
    assert (found.service, found.url) == ("churn@2", url)
    assert (found.predict(X) == serving.model(1e-4).predict(X)).all()
    back = found.rollback()
    assert (back.service, back.url) == ("churn@1", url)
    assert serving.ask(url, {"rows": serving.rows()})[1]["version"] == "churn@1"
    with pytest.raises(errors.DeployFailed) as caught:
        nbml.rollback("churn")
    assert str(caught.value) == "churn runs churn@1; no other version ran before it\nTry: %nbml deployments"
    assert [(t.body["service"], t.body["by"], t.state) for t in store.current().versions("deployment", "churn")] == [
        ("churn@1", "deploy", "replaced"), ("churn@2", "deploy", "replaced"), ("churn@1", "rollback", "running"),
    ]  # fmt: skip


def interrupt_when(condition: Callable[[], bool]) -> threading.Thread:
    """Ctrl-C to this process, once."""

    def press() -> None:
        end = time.monotonic() + 20
        while not condition() and time.monotonic() < end:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    return thread


def test_an_interrupted_deploy_leaves_what_was_before(project: Path) -> None:
    def started(service: str) -> Callable[[], bool]:
        def look() -> bool:
            said = state.read_json(where() / state.STATE)
            return bool(said.get("worker")) and said.get("service") == service

        return look

    thread = interrupt_when(started("churn@1"))
    with pytest.raises(KeyboardInterrupt):
        nbml.deploy("churn@1")
    thread.join()
    assert not where().exists()
    assert serving.processes(project) == {}
    assert len(nbml.deployments()) == 0

    running = nbml.deploy("churn@1")
    thread = interrupt_when(started("churn@2"))
    with pytest.raises(KeyboardInterrupt):
        nbml.deploy("churn@2")
    thread.join()
    until(lambda: running.state == "running", 15)
    assert serving.ask(running.url, {"rows": serving.rows()})[1]["version"] == "churn@1"
    assert len(store.current().versions("deployment", "churn")) == 1


def test_a_port_in_use_names_who_has_it(project: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        (project / "nbml.toml").write_text(f"[deploy]\nport = {port}\n")
        with pytest.raises(errors.PortInUse) as caught:
            nbml.deploy("churn")
        name = Path("/proc/self/comm").read_text().strip()
        assert str(caught.value) == f"port {port} (deploy.port in nbml.toml) is in use by process {os.getpid()} ({name})"
    assert not where().exists()
    found = nbml.deploy("churn@1")
    assert found.url == f"http://127.0.0.1:{port}"
    with pytest.raises(errors.PortInUse) as caught:
        nbml.deploy("churn@2", name="other")
    assert str(caught.value) == f"port {port} (deploy.port in nbml.toml) is in use by the deployment churn\nTry: %nbml stop churn"


def test_on_a_hub_a_token_is_required_found_and_never_shown(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_USER", "ada")
    found = nbml.deploy("churn@1")
    file = where() / "token"
    token = file.read_text()
    assert (len(token) > 30, file.stat().st_mode & 0o777) == (True, 0o600)
    assert serving.ask(found.url, {"rows": serving.rows()})[0] == 401
    assert serving.ask(found.url, {"rows": serving.rows()}, token)[0] == 200
    assert len(found.predict(serving.data()[0].head(3))) == 3
    form = nbml.try_form("churn")
    shown = [repr(found), found._repr_html_(), found.logs(), repr(form), form._repr_html_(), repr(nbml.deployments())]
    shown += [(where() / name).read_text() for name in ("state.json", "wish.json", "summary.json", "service.log")]
    assert not [text for text in shown if token in text]
    assert "token in the panel" in repr(found)
    assert "$NBML_TOKEN" in form._repr_html_()
    nbml.stop("churn")
    assert not file.exists()


def test_a_command_that_ends_leaves_the_service_and_another_stops_it(project: Path) -> None:
    """As ``python -m nbml deploy`` and ``python -m nbml stop`` do, each in a process of its own."""
    for code in ("print(nbml.deploy('churn@1').url)", "print(nbml.stop('churn').state)"):
        done = subprocess.run([sys.executable, "-c", f"import nbml\n{code}"], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout == "stopped\n"
    assert serving.processes(project) == {}
