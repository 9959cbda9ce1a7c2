"""The log writer, fed by the runtime's own sender over a real pipe."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import until
from nbml.deploying import logwriter, traffic
from nbml.runtime.traffic import Sender
from nbml.store import Store

pytestmark = pytest.mark.slow


class Log:
    """A log writer in a process of its own, and a sender."""

    def __init__(self, root: Path, since: float = 1.0) -> None:
        self.folder = root / ".nbml" / "deployments" / "churn"
        self.folder.mkdir(parents=True, exist_ok=True)
        inner, outer = os.pipe()
        command = [sys.executable, "-m", "nbml.deploying.logwriter", str(self.folder), str(inner), repr(since)]
        self.process = subprocess.Popen(command, pass_fds=(inner,))
        os.close(inner)
        self.outer, self.sender = outer, Sender(outer)

    def send(self, id: str, status: int = 200, at: float | None = None, **more: Any) -> None:
        request = json.dumps({"rows": [{"plan": "basic", "income": 12345}], "ids": [id]}).encode()
        answer = json.dumps({"ids": [id], "predictions": [1], "version": "churn@1"} if status == 200 else more).encode()
        self.sender.send(latency_ms=2.0, status=status, version="churn@1", rows=1, request=request, response=answer, at=at)

    def sent(self) -> None:
        """What the pipe had no room for goes too: no loop says here when there is, as it does in a service."""
        until(lambda: (self.sender._flush(), self.sender._waiting == 0)[1], 20)

    def rows(self, *columns: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = traffic.table(self.folder / "traffic", 0, columns or traffic.COLUMNS).to_pylist()
        return found

    def summary(self) -> dict[str, Any]:
        path = self.folder / "summary.json"
        found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"requests": 0, "dropped": 0}
        return found

    def limit(self, most: int = resource.RLIM_INFINITY) -> None:
        """No file may be longer: writing gives an error as of a full disk, after a part was written."""
        until(lambda: (self.folder / "summary.json").exists(), 20)
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))

    def end(self) -> None:
        os.close(self.outer)
        assert self.process.wait(20) == 0


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Callable[..., Log]]:
    started: list[Log] = []

    def start(since: float = 1.0) -> Log:
        started.append(Log(tmp_path, since))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


def test_a_killed_writer_loses_nothing_that_was_written_and_the_next_goes_on(log: Callable[..., Log], tmp_path: Path) -> None:
    first = log()
    for number in range(100):
        first.send(f"a{number}")
    until(lambda: len(first.rows()) == 100, 10, "read while it grows")
    until(lambda: first.summary()["requests"] == 100, 2)
    first.process.kill()
    first.process.wait()
    (growing,) = (first.folder / "traffic").glob("*.part.arrow")
    growing.write_bytes(growing.read_bytes() + b"\xff\xff\xff\xff\x70\x00\x00\x00torn")
    assert len(first.rows()) == 100
    second = log()
    second.send("b", status=422, error={"message": "no", "problems": []})
    second.send("c", status=500)
    second.end()
    assert [row["ids"] for row in second.rows()][99:] == [["a99"], ["b"], ["c"]]
    found = second.summary()
    assert [found[key] for key in ("requests", "errors", "refused", "rows", "p50_ms", "dropped")] == [102, 1, 1, 102, 2.0, 0]
    assert (len(found["minutes"]), sum(found["minutes"])) == (60, 102)
    assert not list((first.folder / "traffic").glob("*.part.arrow")), "full files are written again as one batch"


def test_one_writes_at_a_time(log: Callable[..., Log], tmp_path: Path) -> None:
    first = log()
    first.send("a")
    until(lambda: len(first.rows()) == 1, 10)
    with contextlib.closing(Store(tmp_path)) as store:
        holder = store.holder("log:churn")
        assert holder is not None
        assert (holder.kind, holder.pid) == ("log", first.process.pid)
        second = log()
        second.send("b")
        until(lambda: len(store.processes("log")) == 2, 20, "the second has asked for the lease")
        assert [row["ids"] for row in first.rows()] == [["a"]]
        assert list((first.folder / "traffic").glob("*.part.arrow")), "the first one's growing file is left alone"
        first.end()
        until(lambda: [row["ids"] for row in second.rows()] == [["a"], ["b"]], 10)
        second.end()
        assert store.holder("log:churn") is None


def test_private_columns_are_never_logged(log: Callable[..., Log], tmp_path: Path) -> None:
    (tmp_path / "nbml.toml").write_text('[data]\nprivate = ["income"]\n')
    one = log()
    one.send("a")
    problem = {"row": 0, "column": "income", "value": 12345, "problem": "too much"}
    one.send("b", status=422, error={"message": "refused", "problems": [problem]})
    one.sender.send(latency_ms=1.0, status=400, version="churn@1", rows=0, request=b'{"rows": [{"income": 12345', response=b"{}")
    one.end()
    assert len(one.rows()) == 3
    bodies = one.rows("time", "request", "response")
    assert json.loads(bodies[0]["request"]) == {"rows": [{"plan": "basic"}], "ids": ["a"]}
    assert json.loads(bodies[1]["response"])["error"]["problems"] == [{"row": 0, "column": "income", "problem": "too much"}]
    assert b"12345" not in b"".join(body[key] for body in bodies for key in ("request", "response"))


def test_nothing_of_a_private_column_comes_by_a_refusal(log: Callable[..., Log], tmp_path: Path) -> None:
    (tmp_path / "nbml.toml").write_text('[data]\nprivate = ["income"]\n')
    one = log()

    def refused(body: Any, status: int = 422, **error: Any) -> None:
        answer = json.dumps({"error": error} if error else {"error": "income: 12345 is no number"}).encode()
        one.sender.send(latency_ms=1.0, status=status, version="churn@1", rows=1, request=json.dumps(body).encode(), response=answer)

    both = {"row": 0, "column": "plan", "value": {"plan": 3, "income": 12345}, "problem": "breaks plan < income"}
    refused({"rows": [{"plan": 3, "income": 12345}]}, message='row 0: {"income": 12345} breaks', problems=[both], count=1)
    misspelt = {"row": 0, "column": "incme", "value": 12345, "problem": "unknown column; nearest: income", "nearest": "income"}
    refused({"rows": [{"plan": 3, "incme": 12345}]}, message="row 0, column 'incme': 12345", problems=[misspelt], count=1)
    refused({"rows": [{"plan": 3, "incme": 12345}]}, message="many", problems=[], count=200)
    refused({"inputs": [{"name": "income", "data": [12345]}]})
    plain = {"row": 0, "column": "plan", "value": "x", "problem": "expected a number"}
    refused({"rows": [{"plan": "x", "income": 12345}]}, message="row 0, column 'plan': found \"x\"", problems=[plain], count=1)
    one.end()
    bodies = one.rows("time", "request", "response")
    assert b"12345" not in b"".join(body[key] for body in bodies for key in ("request", "response"))
    assert json.loads(bodies[1]["request"]) == {"rows": [{"plan": 3}]}
    assert [bodies[2]["request"], bodies[3]["request"], bodies[3]["response"]] == [b"", b"", b""]
    assert json.loads(bodies[4]["response"])["error"]["message"] == "row 0, column 'plan': found \"x\"", "what is not private is told"


def test_ids_of_a_private_key_are_hashes(log: Callable[..., Log], tmp_path: Path) -> None:
    (tmp_path / "nbml.toml").write_text('[data]\nprivate = ["income", "email"]\n')
    with contextlib.closing(Store(tmp_path)) as store:
        store.add("service", "churn", {"manifest": {"key": ["email"]}})
    one = log()
    for id in ("ada@example.org", "bob@example.org", "ada@example.org"):
        one.send(id)
    problem = {"row": 0, "id": "ada@example.org", "column": "plan", "value": "x", "problem": "no"}
    one.send("ada@example.org", status=422, error={"message": "refused", "problems": [problem], "count": 1})
    one.end()
    ids = [row["ids"][0] for row in one.rows()]
    assert ids[0] == ids[2] == ids[3] != ids[1]
    assert all(id.startswith("private-") for id in ids)
    for path in (one.folder / "traffic").iterdir():
        table = traffic.table(one.folder / "traffic", 0, tuple(traffic.schema().names)).to_pylist()
        assert "example.org" not in str(table), path
    assert (one.folder / "log.key").stat().st_mode & 0o777 == 0o600


def test_on_a_full_disk_requests_wait_and_nothing_that_was_written_is_lost(log: Callable[..., Log]) -> None:
    one = log()
    one.limit(40_000)
    one.send("first")
    until(lambda: len(one.rows()) == 1, 20)
    for number in range(600):
        one.send(f"a{number}")
    one.sent()
    until(lambda: one.summary()["requests"] == 601, 20, "the summary goes on")
    assert len(one.rows()) < 601, "a batch that does not fit is cut off whole"
    (growing,) = (one.folder / "traffic").glob("*.part.arrow")
    assert growing.stat().st_size < 40_000
    assert one.process.poll() is None
    one.limit()
    until(lambda: len(one.rows()) == 601, 20, "there is room again: what waited is written")
    one.end()
    assert [row["ids"][0] for row in one.rows()] == ["first", *(f"a{number}" for number in range(600))]
    assert one.summary()["dropped"] == 0


def test_what_could_not_be_written_is_counted(log: Callable[..., Log]) -> None:
    one = log()
    one.limit(2_000)
    for number in range(300):
        one.send(f"a{number}")
    one.sent()
    until(lambda: one.summary()["requests"] == 300, 20)
    one.end()
    assert one.rows() == []
    assert one.summary()["dropped"] == 300
    resumed = log()
    resumed.send("b")
    resumed.end()
    assert [row["ids"] for row in resumed.rows()] == [["b"]]
    assert resumed.summary()["dropped"] == 300


def test_drops_of_a_worker_are_counted_once_over_a_restart_of_the_writer(log: Callable[..., Log]) -> None:
    first = log()
    first.sender.dropped = 7
    first.send("a")
    until(lambda: first.summary()["dropped"] == 7, 20)
    first.process.kill()
    first.process.wait()
    second = log()
    second.sender.dropped = 9
    second.send("b")
    second.end()
    assert second.summary()["dropped"] == 9


def test_what_is_too_old_or_too_much_goes(tmp_path: Path) -> None:
    files = logwriter.Files(tmp_path, days=30, size=2500)
    for number in range(4):
        row = {"time": 1.0, "ids": [str(number)], "rows": 1, "latency_ms": 1.0, "status": 200, "version": "churn@1"}
        files.append(traffic.batch([{**row, "request": os.urandom(500), "response": b""}]))
        files.close()
        (path,) = (p for p in tmp_path.glob("*.arrow") if p.name[0].isdigit())
        path.rename(tmp_path / f"f{number}.arrow")
    os.utime(tmp_path / "f3.arrow", (0, time.time() - 31 * 86400))
    sizes = [path.stat().st_size for path in sorted(tmp_path.glob("*.arrow"))]
    assert sum(sizes[:2]) < 2500 < sum(sizes[:3]) or sum(sizes[:1]) < 2500 < sum(sizes[:2]), sizes
    files.sweep(time.time())
    left = sorted(path.name for path in tmp_path.glob("*.arrow"))
    assert "f0.arrow" not in left
    assert "f3.arrow" not in left
    assert "f2.arrow" in left
