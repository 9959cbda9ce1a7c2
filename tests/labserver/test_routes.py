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
    "try": "try/churn", "token": "token/churn", "rows": f"rows/{ID}", "versions": "versions/churn", "checks": "checks/churn",
    "runs": "runs", "run": "run/0123456789",
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


def test_the_versions_of_a_dataset_oldest_first(server: LabServer, project: Store) -> None:
    warning = {"code": "rows-lost", "message": "8 rows where 10 were to be expected", "evidence": {}, "advice": ""}
    project.add("dataset", "parcels", {"rows": 10, "columns": ["a", "b"], "bytes": 900, "note": "first", "result": ID, "warnings": []})
    project.add("dataset", "parcels", {"rows": 8, "columns": ["a"], "bytes": 700, "warnings": [warning, "junk"], "note": 3})
    status, said = server.get(f"{API}/versions/parcels?kernel={ID[:8]}")
    assert (status, said["name"], said["total"]) == (200, "parcels", 2)
    assert said["project"] == server.get(f"{API}/state?kernel={ID[:8]}")[1]["project"]["id"]
    assert [(v["ref"], v["rows"], v["columns"], v["bytes"], v["note"], v["result"]) for v in said["versions"]] == [
        ("parcels@1", 10, 2, 900, "first", ID), ("parcels@2", 8, 1, 700, "", ""),
    ]  # fmt: skip
    assert [v["warnings"] for v in said["versions"]] == [[], [{"code": "rows-lost", "message": warning["message"]}]]
    assert server.get(f"{API}/versions/parcel?kernel={ID[:8]}") == (404, {"message": "no dataset 'parcel'", "next": None})


def _check(project: Store, data: str, *held: tuple[str, bool, float | None]) -> None:
    """A check as the record keeps it."""
    results = [
        {"success": success, "result": {"unexpected_percent": percent}, "expectation_config": {"meta": {"nbml": {"text": text}}}}
        for text, success, percent in held
    ]
    failed = sum(not success for _, success, _ in held)
    state = "bad" if failed else "well"
    body = {"data": data, "suite": "parcels@1", "rows": 10, "results": results, "row": {"state": state, "figure": "x"}}
    project.add("validation", "parcels", body, state=state)


def test_checks_are_grouped_by_suite_and_data_and_say_since_when_a_line_fails(server: LabServer, project: Store) -> None:
    project.add("suite", "parcels", {"text": "rows > 0", "result": ID})
    _check(project, "parcels@1", ("rows > 0", True, None), ("weight > 0", True, 0.0))
    _check(project, "other", ("rows > 0", False, None))
    _check(project, "parcels@2", ("rows > 0", True, None), ("weight > 0", False, 10.0))
    _check(project, "parcels@3", ("rows > 0", False, None), ("weight > 0", False, 20.0), ("late > 0", True, 0.0))
    _, state = server.get(f"{API}/state?kernel={ID[:8]}")
    section = next(s for s in state["sections"] if s["kind"] == "validation")
    assert section["count"] == 2
    assert [(r["label"], r["data"], r["state"], r["strip"]) for r in section["rows"]] == [
        ("parcels", "parcels", "bad", ["well", "bad", "bad"]), ("parcels on other", "other", "bad", ["bad"]),
    ]  # fmt: skip
    status, said = server.get(f"{API}/checks/parcels?kernel={ID[:8]}&data=parcels")
    assert (status, said["suite"]) == (200, {"ref": "parcels@1", "version": 1, "text": "rows > 0", "result": ID})
    assert [(c["data"], c["state"], c["failed"], c["count"]) for c in said["checks"]] == [
        ("parcels@1", "well", 0, 2), ("parcels@2", "bad", 1, 2), ("parcels@3", "bad", 2, 3),
    ]  # fmt: skip
    assert said["lines"] == [
        {"text": "weight > 0", "held": [True, False, False], "since": 1, "share": 0.2},
        {"text": "rows > 0", "held": [True, True, False], "since": 2, "share": None},
        {"text": "late > 0", "held": [None, None, True], "since": None, "share": 0.0},
    ]
    assert server.get(f"{API}/checks/parcels?kernel={ID[:8]}&data=nothing")[0] == 404


def test_a_long_table_comes_page_by_page(server: LabServer, project: Store) -> None:
    rows = [json.dumps([i, "x" * 90]) for i in range(7000)]
    table = {"type": "table", "columns": ["n", "x"], "rows": rows, "total": 9000}
    inside = {"type": "details", "summary": "all", "parts": [{"type": "line", "text": "."}, table]}
    id = "fedcba9876543210" * 2
    project.put_result(id, {"id": id, "title": "long", "state": "idle", "parts": [inside]}, "idle")
    _, said = server.get(f"{API}/result/{id}?kernel={ID[:8]}")
    first = said["parts"][0]["parts"][1]
    assert first["total"] == 9000
    assert first["rows"] == rows[: len(first["rows"])]
    assert 190_000 < sum(map(len, first["rows"])) < 210_000
    ask = f"{API}/rows/{id}?kernel={ID[:8]}&part=.0.1"
    assert server.get(f"{ask}&from=1000&count=2") == (200, {"rows": rows[1000:1002], "stored": 7000})
    _, page = server.get(f"{ask}&from=0&count=999999")
    assert len(page["rows"]) == 5000
    assert server.get(f"{ask}&from=-1&count=2")[1]["message"] == "'from' is a whole number from 0, found '-1'"
    for part, status in ((".0.0", 404), (".7", 404), ("x", 400), (".0.1.0", 404)):
        assert server.get(f"{API}/rows/{id}?kernel={ID[:8]}&part={part}&from=0&count=1")[0] == status, part
