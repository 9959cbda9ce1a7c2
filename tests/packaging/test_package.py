"""``package`` through the front door: cells in a real shell, a real Bento, asked over HTTP."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import nbml
from nbml import errors
from nbml.store import current

pytestmark = pytest.mark.slow

Run = Callable[[str], Any]


def leftovers(project: Path) -> list[Path]:
    """What lies in the folder of services beside the locks."""
    home = project / ".nbml" / "services"
    return [p for p in home.rglob("*") if p.suffix != ".lock" and p.name != ".building"] if home.is_dir() else []


def test_a_model_of_cells_is_served_as_it_was_proven(notebook: Run, serve: Callable[..., Any], project: Path, tmp_path: Path) -> None:
    handlers, modules = list(logging.getLogger("bentoml").handlers), set(sys.modules)
    version = notebook("import nbml; served = nbml.package(model, 'churn', on=X, y=y); served")
    assert (str(version), version.path, version.warnings) == ("churn@1", project / ".nbml" / "services" / "churn" / "1", ())
    assert not [name for name in set(sys.modules) - modules if name.startswith("bentoml")]
    assert logging.getLogger("bentoml").handlers == handlers
    assert (version.path / "bento.yaml").is_file()
    assert [p.name for p in (project / ".nbml" / "services").iterdir()] != []
    manifest = version.manifest
    assert (manifest["input"], manifest["entry"], manifest["proof"]["rows"], manifest["proof"]["level"]) == ("frame", "model", 120, "local")
    assert [(i["name"], i["dtype"], i["kind"]) for i in manifest["inputs"]] == [("age", "int64", "integer"), ("income", "float64", "number")]
    assert manifest == json.loads((version.path / "src" / "manifest.json").read_text())
    assert "def ratio(frame):" in version.source
    assert "nbml" not in {line.partition("==")[0] for line in manifest["requirements"]}
    assert str(project) not in json.dumps(version.thing.body)

    worker = serve(version.path)
    space = notebook("{'rows': X.iloc[:7].to_dict('records'), 'want': model.predict(X.iloc[:7]), 'p': model.predict_proba(X.iloc[:7])}")
    status, answer = worker.ask(space["rows"], ids=[f"c{i}" for i in range(7)])
    assert (status, answer["version"], answer["ids"][0]) == (200, "churn@1", "c0")
    assert answer["predictions"] == list(space["want"])
    assert answer["probabilities"]["classes"] == ["leaves", "stays"]
    assert answer["probabilities"]["values"] == [pytest.approx(list(row), rel=1e-9) for row in space["p"]]
    status, refused = worker.ask([{"age": "old", "income": 3.0}])
    assert status == 422
    assert refused["error"]["problems"][0]["column"] == "age"
    for path in ("/healthz", "/readyz", "/metrics", "/docs", "/docs.json"):
        assert worker.get(path)[0] == 200, path
    assert "age" in json.dumps(json.loads(worker.get("/docs")[2])["components"])
    page = worker.get("/docs", Accept="text/html")
    assert page[1].startswith("text/html")
    assert b"http" not in page[2]
    metrics = worker.get("/metrics")[2].decode()
    assert 'request_total{endpoint="/predict",http_response_code="200"' in metrics
    assert "nbml" not in worker.log.read_text().lower().replace("nbml_runtime", "").replace(str(tmp_path).lower(), "")


def test_predict_gives_what_the_notebook_gives(notebook: Run) -> None:
    notebook("import nbml; served = nbml.package(model, 'churn')")
    got, want = notebook("(served.predict(X.iloc[10:20]), model.predict(X.iloc[10:20]))")
    assert type(got) is type(want)
    assert got.dtype == want.dtype
    assert list(got) == list(want)
    with pytest.raises(errors.BadInput) as caught:
        notebook("served.predict(X[['age']])")
    assert str(caught.value) == "the data lack 1 of the 2 columns that the model takes: 'income'"


def test_the_same_is_one_version_and_a_change_a_new_one(notebook: Run, project: Path) -> None:
    first = notebook("import nbml; nbml.package(model, 'churn', on=X)")
    made = (first.path / "bento.yaml").stat().st_mtime_ns
    again = notebook("nbml.package(model, 'churn', on=X)")
    assert (str(again), (first.path / "bento.yaml").stat().st_mtime_ns) == ("churn@1", made)
    assert repr(first).startswith("[packaged] churn@1 · proven on 120 rows of X")
    assert repr(again).startswith("[unchanged] churn@1")
    assert repr(again).endswith("Next: %nbml deploy churn")
    notebook("def ratio(frame):\n    return frame.assign(ratio=2 * frame['income'] / frame['age'])")
    notebook("model = make_pipeline(FunctionTransformer(ratio), StandardScaler(), LogisticRegression()).fit(X, y)")
    assert str(notebook("nbml.package(model, 'churn', on=X)")) == "churn@2"
    assert str(notebook("nbml.package(model, 'churn', on=X, policy='flag')")) == "churn@3"
    listing = nbml.services()
    assert listing[["name", "version", "rows", "policy"]].values.tolist() == [["churn", 3, 120, "flag"]]
    assert nbml.service("churn@1").path == first.path
    with pytest.raises(errors.UnknownService) as caught:
        nbml.service("chrun")
    assert str(caught.value) == "no service 'chrun'; nearest: churn@3\nTry: nbml.service(\"churn@3\")"
    assert str(eval(caught.value.next)) == "churn@3"


def test_what_depends_on_the_process_is_not_proven_and_leaves_nothing(run: Run, project: Path) -> None:
    run("import os, pandas as pd\ndf = pd.DataFrame({'a': [1.0, 2.0, None]})")
    run("def predict(df):\n    return [os.getpid()] * len(df)")
    with pytest.raises(errors.ProofFailed) as caught:
        run("import nbml; nbml.package(predict, 'wrong', on=df)")
    message = str(caught.value)
    assert message.startswith("wrong is not proven: row 0 of df: the notebook's model gives ")
    assert message.endswith(" (3 of 3 rows differ); nothing was built")
    assert leftovers(project) == []
    assert current().find("service", "wrong") is None


def test_code_that_fails_elsewhere_is_told_by_its_last_line(run: Run, project: Path) -> None:
    run("import sys, pandas as pd\ndf = pd.DataFrame({'a': [1.0, 2.0]})")
    run("def predict(df):\n    if 'IPython' not in sys.modules:\n        raise KeyError('only in a notebook')\n    return df['a']")
    with pytest.raises(errors.ProofFailed) as caught:
        run("import nbml; nbml.package(predict, 'wrong', on=df)")
    start, _, end = str(caught.value).partition("wrong_model.py:")
    assert start == "wrong is not proven: its code fails outside the notebook: KeyError: 'only in a notebook' ("
    assert end.partition(": ")[2] == "raise KeyError('only in a notebook')); nothing was built"
    assert leftovers(project) == []


def test_randomness_is_refused(run: Run, project: Path) -> None:
    run("import numpy as np, pandas as pd\ndf = pd.DataFrame({'a': [1.0, 2.0]})\ndef predict(df):\n    return np.random.random(len(df))")
    with pytest.raises((errors.ProofFailed, errors.SliceRefused), match="random"):
        run("import nbml; nbml.package(predict, 'wrong', on=df)")
    assert leftovers(project) == []


def test_bad_input_is_named_with_the_line_to_type(run: Run, project: Path) -> None:
    run("import nbml, numpy as np, pandas as pd\nfrom sklearn.linear_model import LogisticRegression")
    run("X = pd.DataFrame({'a': [1.0, 2.0, 3.0, 4.0]}); y = [0, 1, 0, 1]; model = LogisticRegression()")
    with pytest.raises(errors.NotFitted) as caught:
        run("nbml.package(model, 'churn', on=X)")
    assert str(caught.value) == "model is a LogisticRegression that is not fitted\nTry: model.fit(X, y)"
    run(caught.value.next)
    cases = {
        "nbml.package(model, 'churn', on=X, suite='no-such')": errors.UnknownSuite,
        "nbml.package(model, 'Churn', on=X)": errors.BadName,
        "nbml.package(model, 'churn', on=X[['a']].rename(columns={'a': 'b'}))": "DataFrame of shape (4, 1) lacks 1 of the model's columns: a",
        "nbml.package(LogisticRegression, 'churn', on=X)": "LogisticRegression is a class; a fitted model or a function predict(df) can be packaged",
        "nbml.package(X, 'churn')": "X is a DataFrame; a fitted model or a function predict(df) can be packaged",
        "nbml.package(model, 'churn', on=X.iloc[:0])": "DataFrame of shape (0, 1) has no rows to prove the model on",
        "nbml.package(model, 'churn', on=X, y=[1])": "y has 1 values for the 4 rows of X",
        "nbml.package(model, 'churn', on=X, policy='rejct')": "policy 'rejct': one of reject, flag, off is needed",
        "nbml.package(model, 'churn', on=X, proof='index')": (
            "proof='index' is not there yet: proof='local' proves with the packages that are installed here"
        ),
    }  # fmt: skip
    for line, wanted in cases.items():
        with pytest.raises(errors.NbmlError) as caught:
            run(line)
        assert (type(caught.value) if isinstance(wanted, type) else str(caught.value)) == wanted
    run("def predict(df):\n    return df['a'] * 2")
    with pytest.raises(errors.BadInput) as caught:
        run("nbml.package(predict, 'double')")
    assert caught.value.message == "no rows to prove double on: predict does not say which columns it takes"
    assert caught.value.next == "%nbml package predict --name double --on X"
    run("del X")
    with pytest.raises(errors.BadInput) as caught:
        run("nbml.package(model, 'churn')")
    assert str(caught.value) == "no rows to prove churn on: no frame of the notebook holds the columns of model: a"
    assert leftovers(project) == []


def test_a_suite_travels_along(notebook: Run, serve: Callable[..., Any]) -> None:
    notebook("import nbml; frame = X.assign(churned=y == 'leaves')")
    notebook("nbml.expect('churn', '18 <= age <= 100\\nincome >= -5, mostly=0.9\\n50 <= rows\\nnot_null(churned)', on=frame)")
    version = notebook("served = nbml.package(model, 'churn', on=X, suite='churn'); served")
    scopes = {e["text"]: e["scope"] for e in version.manifest["expectations"]}
    assert scopes == {"18 <= age <= 100": "row", "income >= -5, mostly=0.9": "row", "50 <= rows": "window", "not_null(churned)": "not served"}
    assert version.warnings == ("not served, since a request does not hold their columns: not_null(churned)",)
    assert "churn@1: 2 checked on every request, 1 checked by the monitor, 1 not served" in repr(version)
    assert [(role, thing.ref) for role, thing in current().edges_from(version.thing)] == [("checks", "churn@1")]
    with pytest.raises(nbml.RequestRejected) as caught:
        notebook("served.predict(X.iloc[:3].assign(age=[20, 17, 300]))")
    assert [(p["row"], p["column"], p["value"]) for p in caught.value.problems] == [(1, "age", 17), (2, "age", 300)]
    assert str(caught.value).startswith("churn@1 refused 2 of 3 rows: row 1, age = 17: 18 <= age <= 100")
    worker = serve(version.path)
    status, answer = worker.ask([{"age": 17, "income": 3.0}, {"age": 20, "income": -9.0}])
    assert status == 422
    assert [p["expectation"] for p in answer["error"]["problems"]] == ["18 <= age <= 100"]
    status, answer = worker.ask([{"age": 20, "income": -9.0}])
    assert (status, answer["flags"]) == (200, [["income >= -5, mostly=0.9"]])


def test_preview_shows_the_slice_and_builds_nothing(notebook: Run, project: Path) -> None:
    found = notebook("import nbml; nbml.package(model, 'churn', preview=True)")
    assert "def ratio(frame):" in found.source
    assert leftovers(project) == []


def test_a_token_is_asked_for_where_one_is_set(run: Run, serve: Callable[..., Any], tmp_path: Path) -> None:
    run("import nbml, pandas as pd\ndef predict(df):\n    return df['a'] * 2")
    version = run("nbml.package(predict, 'double', on=pd.DataFrame({'a': [1.5, 2.5]}))")
    token = tmp_path / "token"
    token.write_text("secret")
    worker = serve(version.path, NBML_TOKEN_FILE=str(token))
    body = json.dumps({"rows": [{"a": 2}]}).encode()
    assert worker.get("/predict", body, Content_Type="application/json")[0] == 401
    assert worker.get("/docs")[0] == worker.get("/metrics")[0] == 401
    status, _, answer = worker.get("/predict", body, Content_Type="application/json", Authorization="Bearer secret")
    assert (status, json.loads(answer)["predictions"]) == (200, [4.0])
