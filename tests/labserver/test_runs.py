"""Runs as the panel asks for them: the list and its changes, lines with findings, pages of imported runs, comparisons."""

from __future__ import annotations

import json
import sys
import time
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import LabServer
from nbml.labserver.runs import Lists
from nbml.store import Store, bulk, runs

API = "nbml/api/v1"
KERNEL = "89abcdef"


def ended(name: str, uid: str, auc: float, **body: Any) -> bulk.Whole:
    """A run that is over and came from elsewhere."""
    now = time.time()
    point = array("q", [0]), array("d", [now]), array("d", [auc])
    return bulk.Whole(uid, name, "finished", now - 60, now, {"C": auc * 10}, ["mine"], body, {"auc": point})


def asked(lists: Lists, store: Store, since: str = "") -> dict[str, Any]:
    said: dict[str, Any] = json.loads(lists.answer(store, "p", since))
    return said


def test_only_what_changed_is_sent_again(tmp_path: Path) -> None:
    with_runs = Store(tmp_path)
    bulk.add(with_runs, [ended("a", "0000000001", 0.5), ended("b", "0000000002", 0.6)])
    lists = Lists()
    first = asked(lists, with_runs)
    assert (first["whole"], first["total"], [row[1] for row in first["rows"]]) == (True, 2, ["0000000002", "0000000001"])
    assert first["rows"][0][7:] == [["mine"], 0, "", {"auc": 0.6}]
    again = asked(lists, with_runs, first["serial"])
    assert (again["whole"], again["rows"], again["gone"], again["serial"]) == (False, [], [], first["serial"])
    runs.put(with_runs, first["rows"][1][0], "findings", [{"code": "overfit"}, {"code": "target-leak"}])
    bulk.add(with_runs, [ended("c", "0000000003", 0.7)])
    changed = asked(lists, with_runs, first["serial"])
    assert [(row[1], row[8], row[9]) for row in changed["rows"]] == [("0000000003", 0, ""), ("0000000001", 2, "overfit target-leak")]
    assert (changed["whole"], changed["total"]) == (False, 3)
    assert asked(lists, with_runs, "of another server")["whole"] is True
    with_runs.close()


@pytest.fixture
def project(work: Path, server: LabServer) -> Iterator[Store]:
    """A project in the served folder, bound to a kernel as ``%load_ext nbml`` would."""
    store = Store(work)
    server.runtime.mkdir(parents=True, exist_ok=True)
    said = {"project": str(work), "python": sys.executable, "nbml": "0.1.0", "notebook": ""}
    (server.runtime / f"nbml-{KERNEL}.json").write_text(json.dumps(said))
    yield store
    store.close()


@pytest.mark.slow
def test_the_panel_lists_opens_and_compares_runs(server: LabServer, project: Store) -> None:
    found = [{"code": "overfit", "message": "train 1.00, test 0.88", "evidence": {"gap": 0.12}, "advice": "limit the depth"}]
    bulk.add(project, [ended("a", "00000000a1", 0.5, findings=found), ended("b", "00000000b2", 0.6)])
    status, listed = server.get(f"{API}/runs?kernel={KERNEL}")
    assert (status, [row[2] for row in listed["rows"]]) == (200, ["b", "a"])
    _, state = server.get(f"{API}/state?kernel={KERNEL}")
    rows = next(section for section in state["sections"] if section["kind"] == "run")["rows"]
    assert [(row["name"], row["state"], row["findings"]) for row in rows] == [("b", "well", 0), ("a", "look", 1)]
    assert rows[1]["figure"].endswith("1 finding")
    status, page = server.get(f"{API}/run/00000000a1?kernel={KERNEL}")
    assert (status, page["ref"], page["parts"][0]["word"]) == (200, "a@1", "overfit")
    assert server.get(f"{API}/run/ffffffffff?kernel={KERNEL}")[0] == 404
    status, done = server.get(f"{API}/action?kernel={KERNEL}", body={"argv": ["compare", "a@1", "b@1"]})
    assert status == 200
    assert [part["type"] for part in done["value"]["parts"]] == ["table", "details"]
    assert done["value"]["parts"][1]["parts"][0]["type"] == "parallel"
