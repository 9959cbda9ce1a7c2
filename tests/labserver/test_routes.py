"""The REST routes of a real Jupyter server: who is refused, what is read, what an action runs."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from conftest import until
from lab import TOKEN, LabServer
from nbml.labserver.routes import ROUTES
from nbml.store import Store

pytestmark = pytest.mark.slow
API = "nbml/api/v1"
ID = "0123456789abcdef" * 2
#: a path that each pattern of ROUTES takes
PATHS = {
    "state": "state", "commands": "commands", "result": f"result/{ID}", "thing": "thing/run/baseline/1", "action": "action",
    "try": "try/churn", "token": "token/churn",
}  # fmt: skip


@pytest.fixture
def project(work: Path, server: LabServer) -> Iterator[Store]:
    """A project in the served folder, bound to a kernel as ``%load_ext nbml`` would."""
    store = Store(work)
    server.runtime.mkdir(parents=True, exist_ok=True)
    said = {"project": str(work), "python": sys.executable, "nbml": "0.1.0", "notebook": ""}
    (server.runtime / f"nbml-{ID[:8]}.json").write_text(json.dumps(said))
    yield store
    store.close()


def open_routes(server: LabServer, paths: list[str]) -> list[str]:
    """Those of ``paths`` that answer somebody without credentials, by GET or by POST."""
    found = []
    for path in paths:
        for body in (None, {}):
            status, _ = server.get(path, token="", body=body)
            if status not in (403, 405):
                found.append(f"{'POST' if body is not None else 'GET'} {path}: {status}")
    return found


def test_a_route_without_credentials_is_refused(server: LabServer) -> None:
    assert {pattern.partition("/")[0] for pattern, _ in ROUTES} == set(PATHS)
    assert open_routes(server, [f"{API}/{path}" for path in PATHS.values()]) == []


def test_a_missing_decorator_would_be_noticed(tmp_path: Path) -> None:
    """A handler without ``authenticated`` beside ours: the check above finds it."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "jupyter_server_config.py").write_text(
        "from jupyter_server.base.handlers import APIHandler\n"
        "class Open(APIHandler):\n"
        "    def get(self):\n"
        "        self.finish('{}')\n"
        "c.ServerApp.extra_services = []\n"
        "c.ServerApp.tornado_settings = {}\n"
        "import jupyter_server.serverapp as s\n"
        "old = s.ServerWebApplication.init_handlers\n"
        "s.ServerWebApplication.init_handlers = lambda self, *a, **k: [(r'/nbml/api/v1/open', Open), *old(self, *a, **k)]\n"
    )
    started = LabServer(tmp_path, tmp_path)
    try:
        assert open_routes(started, [f"{API}/state", f"{API}/open"]) == [f"GET {API}/open: 200"]
    finally:
        started.close()


def test_a_cookie_alone_does_not_write(server: LabServer, project: Store) -> None:
    jar = CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    browser.open(f"{server.base}/lab?token={TOKEN}").read()
    assert browser.open(f"{server.base}/{API}/state").status == 200
    action = f"{server.base}/{API}/action?kernel={ID[:8]}"
    with pytest.raises(urllib.error.HTTPError) as refused:
        browser.open(urllib.request.Request(action, b'{"argv": ["data"]}'))
    assert refused.value.code == 403
    xsrf = next(cookie.value for cookie in jar if cookie.name.startswith("_xsrf"))
    with pytest.raises(urllib.error.HTTPError) as told:
        browser.open(urllib.request.Request(action, b'{"argv": []}', {"X-XSRFToken": xsrf or ""}))
    assert told.value.code == 400


def test_state_shows_what_is_stored_and_follows_it(server: LabServer, project: Store) -> None:
    project.add("dataset", "orders", {"row": {"state": "well", "figure": "10 × 2"}})
    status, state = server.get(f"{API}/state?kernel={ID[:8]}&path=")
    assert status == 200
    assert state["project"]["by"] == "kernel"
    assert [s["title"] for s in state["sections"]] == ["Alerts", "Deployments", "Services", "Studies", "Runs", "Validations", "Data"]
    row = state["sections"][-1]["rows"][0]
    assert (row["ref"], row["state"], row["figure"]) == ("orders@1", "well", "10 × 2")
    project.add("dataset", "orders", {"row": {"state": "look", "figure": "rows-lost"}})
    _, state = server.get(f"{API}/state?kernel={ID[:8]}&path=")
    assert state["sections"][-1]["rows"][0]["ref"] == "orders@2"


def test_the_doorbell_rings_when_another_process_writes(server: LabServer, project: Store) -> None:
    import websocket

    _, state = server.get(f"{API}/state?kernel={ID[:8]}")
    address = f"{server.base.replace('http', 'ws', 1)}/api/events/subscribe"
    bell = websocket.create_connection(address, header=[f"Authorization: token {TOKEN}"], timeout=10)
    try:
        project.add("dataset", "bell", {"row": {"state": "well", "figure": "1 × 1"}})
        event = until(lambda: _ours(json.loads(bell.recv())), 10, "an event of ours")
        assert event["project"] == state["project"]["id"]
        assert set(event) - {"schema_id", "schema_version", "metadata", "__timestamp__", "__schema__", "__schema_version__",
                             "__metadata_version__"} == {"project"}  # fmt: skip
    finally:
        bell.close()


def _ours(event: dict[str, object]) -> dict[str, object] | None:
    return event if "store_changed" in str(event.get("schema_id")) else None


def test_a_killed_writers_thing_turns_to_interrupted(server: LabServer, project: Store) -> None:
    import subprocess

    code = (
        "import sys\n"
        "from nbml.store import Store\n"
        "store = Store(__import__('pathlib').Path(sys.argv[1]))\n"
        "store.add('study', 'half', {'process': store.me().id, 'row': {'state': 'running', 'figure': '8 of 40'}})\n"
        "print('there', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(project.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"there\n"
        assert _study(server)["state"] == "running"
        child.kill()
        child.wait()
    assert (_study(server)["state"], _study(server)["figure"]) == ("look", "8 of 40 · interrupted")


def _study(server: LabServer) -> dict[str, str]:
    _, state = server.get(f"{API}/state?kernel={ID[:8]}")
    found: dict[str, str] = next(s for s in state["sections"] if s["kind"] == "study")["rows"][0]
    return found


def test_a_result_is_found_by_its_id_only(server: LabServer, project: Store) -> None:
    project.put_result(ID, {"id": ID, "title": "kept", "state": "well"}, "well")
    assert server.get(f"{API}/result/{ID}?kernel={ID[:8]}") == (200, {"id": ID, "title": "kept", "state": "well"})
    assert server.get(f"{API}/result/{'f' * 32}?kernel={ID[:8]}")[0] == 404
    assert server.get(f"{API}/result/../../api/contents")[0] == 404


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ("path=../../etc/passwd", 400, "that path leads out of the folder that Jupyter serves"),
        ("kernel=no/kernel", 400, "that is no id of a kernel: hexadecimal digits and dashes"),
    ],
)
def test_a_path_or_kernel_that_cannot_be_one(server: LabServer, query: str, status: int, message: str) -> None:
    assert server.get(f"{API}/state?{query}") == (status, {"message": message, "next": None})


def test_an_action_runs_the_projects_own_python(server: LabServer, project: Store) -> None:
    ask = f"{API}/action?kernel={ID[:8]}"
    status, said = server.get(ask, body={"argv": ["config"]})
    assert (status, said["code"]) == (200, 0)
    status, said = server.get(ask, body={"argv": ["deploi", "churn"]})
    assert (status, said["message"]) == (400, "no command 'deploi'; nearest: deploy")
    status, said = server.get(ask, body={"argv": ["deploy", "churn"]})
    assert status == 422
    assert "churn" in said["message"]
    assert server.get(ask, body={"argv": "data; ls"})[0] == 400
    assert server.get(ask, body=b"{")[0] == 400


def test_nothing_is_asked_of_what_does_not_run(server: LabServer, project: Store) -> None:
    status, said = server.get(f"{API}/try/churn?kernel={ID[:8]}", body={"rows": [{}]})
    assert (status, said) == (404, {"message": "nothing of the name 'churn' is running", "next": "%nbml deploy churn"})
    folder = project.room("deployments", "far")
    (folder / "state.json").write_text(json.dumps({"state": "running", "url": "http://192.0.2.1:80", "service": "far@1"}))
    status, said = server.get(f"{API}/try/far?kernel={ID[:8]}", body={"rows": [{}]})
    assert (status, said["message"]) == (502, "far does not run on this machine; the form asks local deployments only")
