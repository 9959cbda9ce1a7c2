"""``package(preview=True)``: the notebook's own model behind the service's door, in the kernel, before anything is built."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nbml import errors
from nbml.packaging import preview
from nbml.store import current

pytestmark = pytest.mark.slow

Run = Callable[[str], Any]


@pytest.fixture
def book(notebook: Run) -> Iterator[Run]:
    notebook("import nbml")
    yield notebook
    for server in list(preview._running.values()):
        if server.alive:
            server.stop()


def post(url: str, body: Any, **headers: str) -> tuple[int, Any]:
    request = urllib.request.Request(f"{url}/predict", json.dumps(body).encode(), {"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as reply:
        return bytes(reply.read())


def test_it_answers_at_once_by_the_services_own_door(book: Run, project: Path) -> None:
    book("nbml.expect('adults', '18 <= age <= 90\\nincome > 20, mostly=0.5', on=X)")
    shown = book("shown = nbml.package(model, 'churn', suite='adults', preview=True); shown")
    began = time.perf_counter()
    book("again = nbml.package(model, 'churn', suite='adults', preview=True)")
    assert time.perf_counter() - began < 3 * 0.3, "0.12 to 0.2 s where nothing else runs"
    assert not shown.live
    shown = book("again")
    want, shares = book("(list(model.predict(X)), model.predict_proba(X)[:2].tolist())")
    assert list(book("again.predict(X)")) == want
    rows = book("X.head(2).to_dict('records')")
    status, answer = post(shown.url, {"rows": rows, "ids": ["a", "b"]})
    assert (status, answer["ids"], answer["predictions"], answer["version"]) == (200, ["a", "b"], want[:2], "churn@preview")
    assert answer["probabilities"]["values"] == [pytest.approx(row, rel=1e-9) for row in shares]
    assert [len(flags) for flags in answer["flags"]] == [int(row["income"] <= 20) for row in rows]
    assert [post(shown.url, {"rows": [{"age": age, "income": 30.0}]})[0] for age in (7, "x", None)] == [422, 422, 422]
    with pytest.raises(errors.RequestRejected) as caught:
        book("again.predict(X.head(2).assign(age=[30, 200]))")
    assert caught.value.message == "churn@preview refused 1 of 2 rows: row 1, age = 200: 18 <= age <= 90"
    assert "age" in json.loads(get(f"{shown.url}/docs.json"))["components"]["schemas"]["Row"]["properties"]
    assert b"<html" in get(f"{shown.url}/docs")
    assert json.loads(get(f"{shown.url}/readyz"))["version"] == "churn@preview"
    assert (current().find("service", "churn"), list(project.glob(".nbml/services/*"))) == (None, [])


def test_it_shows_the_code_the_address_and_a_line_for_the_terminal(book: Run) -> None:
    shown = book("nbml.package(model, 'churn', preview=True)")
    text = repr(shown)
    assert text.startswith("[preview] churn@preview as churn_model.py · ")
    assert text.endswith("Next: %nbml package model --name churn")
    assert f"{shown.url}/predict" in text
    assert "def ratio(frame):" in text
    assert "def ratio(frame):" in shown.source
    assert {line.partition("==")[0] for line in shown.requirements} >= {"numpy", "scikit-learn"}
    assert (list(shown.artifacts), shown.warnings) == (list(shown.slice.artifacts), shown.slice.warnings)
    html = shown._repr_html_()
    assert "curl -s" in html
    assert "<script" not in html


def test_it_follows_the_notebook(book: Run) -> None:
    book("factor = 2")
    book("def predict(df):\n    return df['age'] * factor")
    book("shown = nbml.package(predict, 'times', on=X, preview=True)")
    ages = book("X['age'].head(2).tolist()")
    asked = "list(shown.predict(X.head(2)))"
    assert book(asked) == [age * 2 for age in ages]
    book("factor = 3")
    assert book(asked) == [age * 3 for age in ages], "a global of the notebook"
    book("def predict(df):\n    return df['age'] * 0 + 7")
    assert book(asked) == [7, 7], "another definition of that name"
    book("predict = 5")
    assert book(asked) == [age * 3 for age in ages], "what is no model any more does not serve: the one before does"
    book("del predict")
    assert book(asked) == [age * 3 for age in ages]


def test_a_second_one_takes_over_the_address_and_only_it_can_close_it(book: Run) -> None:
    first = book("first = nbml.package(model, 'churn', preview=True); first")
    url, threads = first.url, threading.active_count()
    book("def predict(df):\n    return df['age'] * 2")
    second = book("second = nbml.package(predict, 'churn', on=X, preview=True); second")
    assert (second.url, first.url, first.live, second.live, threading.active_count()) == (url, "", False, True, threads)
    first.stop()
    assert post(url, {"rows": [{"age": 30, "income": 3.0}]})[1]["predictions"] == [60]
    with pytest.raises(errors.UnknownDeployment) as caught:
        book("first.predict(X)")
    assert str(caught.value) == "churn@preview does not answer: a later preview has its place\nTry: %nbml try churn@preview"
    second.stop()
    assert (second.live, second.url) == (False, "")
    with pytest.raises(errors.UnknownDeployment) as caught:
        book("second.predict(X)")
    assert caught.value.message == "churn@preview does not answer: it was stopped"
    with pytest.raises(OSError, match="refused"):
        get(f"{url}/readyz")
    assert book("nbml.package(predict, 'churn', on=X, preview=True)").live


def test_stop_ends_it_where_nothing_is_deployed_under_its_name(book: Run) -> None:
    for name in ("churn", "churn@preview"):
        shown = book("shown = nbml.package(model, 'churn', on=X, preview=True); shown")
        assert book(f"nbml.stop({name!r})") is shown
        assert not shown.live
        assert repr(shown).splitlines()[0] == "[stopped] churn@preview"
    with pytest.raises(errors.UnknownDeployment, match=r"^no preview of 'churn' answers in this kernel"):
        book("nbml.stop('churn@preview')")
    with pytest.raises(errors.UnknownDeployment, match=r"^nothing of the name 'churn' is deployed; nothing is deployed yet"):
        book("nbml.stop('churn')")


def test_without_rows_it_shows_the_code_and_says_why_it_is_not_served(book: Run) -> None:
    book("del X, y")
    shown = book("nbml.package(model, 'churn', preview=True)")
    assert (shown.url, shown.live) == ("", False)
    assert shown.why.startswith("no rows to prove churn on: ")
    assert "def ratio(frame):" in repr(shown)
    assert f"[not served] {shown.why}" in repr(shown)


def test_a_model_that_would_not_be_packaged_is_told(book: Run) -> None:
    book("import threading\nlock = threading.Lock()\ndef predict(df):\n    with lock:\n        return df['age']")
    with pytest.raises(errors.SliceRefused):
        book("nbml.package(predict, 'odd', on=X, preview=True)")
    book("calls = []\ndef predict(df):\n    calls.append(1)\n    return df['age'] * len(calls)")
    shown = book("nbml.package(predict, 'odd', on=X, preview=True)")
    assert "answers differently when asked again" in shown.why


def test_a_token_is_needed_where_the_machine_is_shared(book: Run, monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    monkeypatch.setenv("JUPYTERHUB_USER", "ada")
    shown = book("shown = nbml.package(model, 'churn', preview=True); shown")
    (path,) = (project / ".nbml" / "previews").glob("*.token")
    token = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    rows = {"rows": [{"age": 30, "income": 3.0}]}
    assert [post(shown.url, rows)[0], post(shown.url, rows, Authorization=f"Bearer {token}")[0]] == [401, 200]
    assert len(book("shown.predict(X)")) == 120
    assert token not in repr(shown) + shown._repr_html_() + json.dumps(shown._repr_mimebundle_())
    shown.stop()
    assert not path.exists()
