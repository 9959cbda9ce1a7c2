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

pytestmark = pytest.mark.slow


@pytest.fixture
def hands(project: Path) -> Path:
    """The project, with hand@1 and hand@2, which load no model."""
    serving.hand(project)
    for version in (1, 2):
        store.current().add("service", "hand", {"path": f"bentos/{version}", "manifest": {}})
    return project


def where(name: str = "churn") -> Path:
    return store.current().folder / "deployments" / name


def test_it_survives_the_death_of_the_kernel(project: Path, kernels: Callable[..., Any]) -> None:
    kernel = kernels()
    outcome = kernel.run("import nbml\ndeployment = nbml.deploy('churn')\ndeployment")
    assert outcome.ok, outcome.error
    first, last = outcome.outputs[0]["text/plain"], outcome.updates[-1]["text/plain"]
    assert first.startswith("[deploying] churn@2 on this machine")
    assert last.startswith("[running] churn@2 on this machine · ready in ")
    assert len(outcome.outputs) == 1, "the line of the deploy is shown once"
    tried = kernel.run("nbml.try_form('churn')")
    (both,) = tried.outputs
    assert {"text/plain", "text/html", "application/vnd.jupyter.widget-view+json"} == set(both)
    press = (
        "import ipywidgets\nfor w in list(ipywidgets.Widget._instances.values()) if hasattr(ipywidgets.Widget, '_instances')"
        " else list(ipywidgets.widgets.widget._instances.values()):\n"
        "    if isinstance(w, ipywidgets.Button) and w.description == %r:\n        w.click()"
    )
    assert kernel.run(press % "Predict").ok
    closed = kernel.run(press % "Close")
    assert closed.ok, closed.error
    assert "application/vnd.jupyter.widget-view+json" not in closed.updates[-1]
    assert "answered" in closed.updates[-1]["text/plain"]
    os.killpg(kernel.pid, signal.SIGKILL)  # its whole group, as Jupyter does
    until(lambda: not Path(f"/proc/{kernel.pid}/cmdline").exists() or not Path(f"/proc/{kernel.pid}/cmdline").read_bytes(), 10)
    found = nbml.deployment("churn")
    assert found.state == "running"
    assert serving.ask(found.url, {"rows": serving.rows()})[0] == 200


def test_a_killed_supervisor_takes_everything_with_it_and_the_state_tells(hands: Path) -> None:
    found = nbml.deploy("hand@1")
    before = found.status
    os.kill(before.pid, signal.SIGKILL)
    until(lambda: serving.processes(hands) == {}, 5, "worker and log writer are gone")
    assert serving.free(before.port)
    assert found.state == "failed"
    assert repr(found).splitlines() == [
        "[not running] hand@1", f"  its supervisor (process {before.pid}) is gone: killed, or the machine was restarted",
        "Next: %nbml deploy hand@1",
    ]  # fmt: skip
    again = nbml.deploy("hand@1")
    assert (again.state, again.url) == ("running", found.url)
    assert serving.version(again.url) == "hand@1"


def test_a_service_that_dies_at_start_shows_its_last_lines_and_leaves_nothing(project: Path) -> None:
    with serving.broken("churn@2"), pytest.raises(errors.ServiceDied) as caught:
        nbml.deploy("churn@2")
    first, *lines = caught.value.message.splitlines()
    assert first == "churn@2 ended before it was ready (exit code 1); its last log lines:"
    assert lines[-1] == "  RuntimeError: no licence for this model"
    assert caught.value.next == 'nbml.service("churn@2")'
    assert not where().exists()
    assert serving.processes(project) == {}
    assert len(nbml.deployments()) == 0


def test_another_version_at_the_same_address_and_back(project: Path) -> None:
    X, _ = serving.data()
    found = nbml.deploy("churn@1")
    url = found.url
    newer = nbml.deploy("churn")
    assert (newer.service, newer.url, serving.ask(url, {"rows": serving.rows()})[1]["version"]) == ("churn@2", url, "churn@2")
    assert (found.predict(X) == serving.model(1e-4).predict(X)).all()
    back = found.rollback()
    assert (back.service, back.url) == ("churn@1", url)
    assert serving.ask(url, {"rows": serving.rows()})[1]["version"] == "churn@1"
    with pytest.raises(errors.DeployFailed) as caught:
        nbml.rollback("churn")
    assert str(caught.value) == (
        "churn runs churn@1, the first that was deployed; a rollback goes back, never forth to churn@2 again\nTry: %nbml deploy churn@2"
    )
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


def test_an_interrupted_deploy_leaves_what_was_before(hands: Path) -> None:
    def loads(version: int) -> Callable[[], bool]:
        return lambda: any(f"bentos/{version} " in line for line in serving.processes(hands).values())

    thread = interrupt_when(loads(1))
    with pytest.raises(KeyboardInterrupt):
        nbml.deploy("hand@1")
    thread.join()
    assert not where("hand").exists()
    assert serving.processes(hands) == {}
    assert len(nbml.deployments()) == 0

    running = nbml.deploy("hand@1")
    thread = interrupt_when(loads(2))
    with pytest.raises(KeyboardInterrupt):
        nbml.deploy("hand@2")
    thread.join()
    assert running.state == "running"
    assert serving.version(running.url) == "hand@1"
    assert len(store.current().versions("deployment", "hand")) == 1


def test_a_port_in_use_names_who_has_it(hands: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        (hands / "nbml.toml").write_text(f"[deploy]\nport = {port}\n")
        with pytest.raises(errors.PortInUse) as caught:
            nbml.deploy("hand@2")
        name = Path("/proc/self/comm").read_text().strip()
        assert str(caught.value) == f"port {port} (deploy.port in nbml.toml) is in use by process {os.getpid()} ({name})\nTry: %nbml config"
    assert not where("hand").exists()
    found = nbml.deploy("hand@1")
    assert found.url == f"http://127.0.0.1:{port}"
    with pytest.raises(errors.PortInUse) as caught:
        nbml.deploy("hand@2", name="other")
    assert str(caught.value) == f"port {port} (deploy.port in nbml.toml) is in use by the deployment hand\nTry: %nbml stop hand"


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


def test_a_command_that_ends_leaves_the_service_and_another_stops_it(hands: Path) -> None:
    """As ``python -m nbml deploy`` and ``python -m nbml stop`` do, each in a process of its own."""
    for code in ("print(nbml.deploy('hand@1').url)", "print(nbml.stop('hand').state)"):
        done = subprocess.run([sys.executable, "-c", f"import nbml\n{code}"], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout == "stopped\n"
    assert serving.processes(hands) == {}
