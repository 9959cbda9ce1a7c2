"""One deployment, asked from all sides; at the end its worker is killed, and it is stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import nbml
import serving
from conftest import until
from nbml import errors, store

pytestmark = pytest.mark.slow


def test_it_answers_as_the_model_does(served: Path) -> None:
    X, _ = serving.data()
    found = nbml.deployment("churn")
    assert (str(found), found.state, found.service) == ("churn", "running", "churn@1")
    answers = found.predict(X)
    assert (answers == serving.model(1.0).predict(X)).all()
    assert type(answers) is type(serving.model(1.0).predict(X))
    status, answer = serving.ask(found.url, {"rows": serving.rows(2), "ids": ["a", "b"]})
    assert (status, answer["ids"], answer["version"]) == (200, ["a", "b"], "churn@1")


def test_it_shows_itself_and_is_listed(served: Path) -> None:
    found = nbml.deployment("churn")
    lines = repr(found).splitlines()
    assert lines[0].startswith("[running] churn@1 on this machine · ready in ")
    assert lines[1:] == [f"  {found.url}/predict · docs", "Next: %nbml try churn or %nbml monitor churn"]
    listing = nbml.deployments()
    assert listing.loc[0, ["name", "service", "state", "url"]].tolist() == ["churn", "churn@1", "running", found.url]
    assert [role for role, _ in store.current().edges_from(found.thing)] == ["runs"]
    again = nbml.deploy("churn@1")
    assert (again.status.worker, "already running" in repr(again)) == (found.status.worker, True)


def test_refused_rows_come_with_their_positions(served: Path) -> None:
    found = nbml.deployment("churn")
    bad = serving.data()[0].astype(object).head(4)
    bad.iloc[2, 0] = "wide"
    with pytest.raises(errors.RequestRejected) as caught:
        found.predict(bad)
    assert [(p["row"], p["column"], p["value"]) for p in caught.value.problems] == [(2, "mean_radius", "wide")]
    with pytest.raises(errors.BadInput, match="the data lack 1 of the 3 columns that the model takes: 'mean_area'"):
        found.predict(serving.data()[0].drop(columns="mean_area"))


def test_the_form_asks_and_is_static_html(served: Path) -> None:
    form = nbml.try_form("churn")
    assert '"mean_radius"' in form.asked
    report = form.ask(form.asked)
    assert (report.state, report.word) == ("well", "answered")
    html = form._repr_html_()
    assert "prediction" in html
    assert "churn@1" in html
    assert "<script" not in html
    assert form.ask('{"rows": [{"mean_radius": "wide"}]}').word == "refused"
    assert "mean_radius" in form._repr_html_()
    assert repr(form.ask("{")).count("not JSON") == 1


def test_only_one_process_changes_a_deployment_at_a_time(served: Path) -> None:
    holder = store.current().join("kernel")
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        from nbml.store.processes import begun

        known = (other.pid, begun(other.pid), holder.id)
        store.current().write(lambda db: db.execute("UPDATE process SET pid=?, begun=? WHERE id=?", known))
        assert store.current().lease("deploy:churn", holder)
        with pytest.raises(errors.DeployFailed) as caught:
            nbml.stop("churn")
        assert str(caught.value) == f"churn is being changed by process {other.pid}; wait until it is done\nTry: %nbml deployments"
    finally:
        other.communicate(b"\n")
    assert nbml.deployment("churn").state == "running"


def test_a_killed_worker_is_back_within_five_seconds(served: Path) -> None:
    found = nbml.deployment("churn")
    url, worker = found.url, found.status.worker
    os.kill(worker, signal.SIGKILL)
    began = time.monotonic()
    status, _ = serving.ask(url, {"rows": serving.rows()}, timeout=20)  # it waits in the socket's queue
    assert (status, time.monotonic() - began < 5.0) == (200, True)
    after = until(lambda: found.status if found.state == "running" else None, 5)
    assert (after.worker != worker, after.restarts, found.url) == (True, 1, url)
    assert "restarted 1 time" in repr(found)


def test_after_stop_nothing_is_left(served: Path) -> None:
    found = nbml.deployment("churn")
    port = found.status.port
    assert len(serving.processes(served)) == 4, "supervisor, log writer, what is loaded, and the worker"
    assert repr(nbml.stop("churn")).splitlines() == ["[stopped] churn@1", "Next: %nbml deploy churn@1"]
    assert serving.processes(served) == {}
    assert serving.free(port)
    assert nbml.deployments()["state"].tolist() == ["stopped"]
    assert found.thing.state == "stopped"
    with pytest.raises(errors.UnknownDeployment) as caught:
        found.predict(serving.data()[0])
    assert str(caught.value) == "churn is not running\nTry: %nbml deploy churn"
    assert nbml.stop("churn").state == "stopped"
    assert len(found.traffic(last="1h")) > 3
