"""``package`` through the front door: cells in a real shell, a real Bento, asked over HTTP."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import sysconfig
import threading
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import nbml
from conftest import until
from nbml import errors
from nbml.store import current

pytestmark = pytest.mark.slow

Run = Callable[[str], Any]


def leftovers(project: Path) -> list[Path]:
    """What lies in the folder of services beside the locks."""
    home = project / ".nbml" / "services"
    return [p for p in home.rglob("*") if p.suffix != ".lock" and p.name != ".building"] if home.is_dir() else []


def test_a_model_of_cells_is_served_as_it_was_proven(notebook: Run, serve: Callable[..., Any], project: Path) -> None:
    handlers, modules = list(logging.getLogger("bentoml").handlers), set(sys.modules)
    version = notebook("import nbml; served = nbml.package(model, 'churn', y=y); served")
    assert (str(version), version.path, version.warnings) == ("churn@1", project / ".nbml" / "services" / "churn" / "1", ())
    assert repr(version).startswith("[packaged] churn@1 · proven on 120 rows of the live frame X · ")
    assert "accuracy" in repr(version)
    assert not [name for name in set(sys.modules) - modules if name.startswith("bentoml")]
    assert logging.getLogger("bentoml").handlers == handlers
    manifest = version.manifest
    assert (manifest["input"], manifest["entry"], manifest["proof"]["rows"], manifest["proof"]["level"]) == ("frame", "model", 120, "local")
    kinds = [(i["name"], i["dtype"], i["kind"]) for i in manifest["inputs"]]
    assert kinds == [("age", "int64", "integer"), ("income", "float64", "number")]
    assert manifest == json.loads((version.path / "src" / "manifest.json").read_text())
    assert "def ratio(frame):" in version.source
    assert "nbml" not in {line.partition("==")[0] for line in manifest["requirements"]}
    assert str(project) not in json.dumps(version.thing.body)
    assert sorted(p.name for p in (project / ".nbml" / "services" / ".building").iterdir()) == ["churn.lock"]

    worker = serve(version.path)
    rows, want, shares = notebook("(X.iloc[:7].to_dict('records'), model.predict(X.iloc[:7]), model.predict_proba(X.iloc[:7]))")
    status, answer = worker.ask(rows, ids=[f"c{i}" for i in range(7)])
    assert (status, answer["version"], answer["ids"][0]) == (200, "churn@1", "c0")
    assert answer["predictions"] == list(want)
    assert answer["probabilities"]["classes"] == ["leaves", "stays"]
    assert answer["probabilities"]["values"] == [pytest.approx(list(row), rel=1e-9) for row in shares]
    status, refused = worker.ask([{"age": "old", "income": 3.0}])
    assert (status, refused["error"]["problems"][0]["column"]) == (422, "age")
    for path in ("/healthz", "/readyz", "/metrics", "/docs", "/docs.json"):
        assert worker.get(path)[0] == 200, path
    assert "age" in json.dumps(json.loads(worker.get("/docs")[2])["components"])
    page = worker.get("/docs", Accept="text/html")
    assert page[1].startswith("text/html")
    assert b"http" not in page[2]
    assert 'request_total{endpoint="/predict",http_response_code="200"' in worker.get("/metrics")[2].decode()

    got, want = notebook("(served.predict(X.iloc[10:20]), model.predict(X.iloc[10:20]))")
    assert (type(got), got.dtype, list(got)) == (type(want), want.dtype, list(want))
    with pytest.raises(errors.BadInput) as caught:
        notebook("served.predict(X[['age']])")
    assert str(caught.value) == "the data lack 1 of the 2 columns that the model takes: 'income'"


def test_the_same_is_one_version_and_a_change_a_new_one(run: Run) -> None:
    run("import nbml, pandas as pd\ndf = pd.DataFrame({'a': [1.5, 2.5]})")
    run("def predict(df):\n    return df['a'] * 2")
    first = run("nbml.package(predict, 'double', on=df)")
    made = (first.path / "bento.yaml").stat().st_mtime_ns
    again = run("nbml.package(predict, 'double', on=df)")
    assert (str(again), (first.path / "bento.yaml").stat().st_mtime_ns) == ("double@1", made)
    assert repr(first).startswith("[packaged] double@1 · proven on 2 rows of df")
    assert repr(again).startswith("[unchanged] double@1")
    assert repr(again).endswith("Next: %nbml deploy double")
    run("def predict(df):\n    return df['a'] * 2 - df['a'].mean()")
    second = run("nbml.package(predict, 'double', on=df, policy='flag')")
    assert str(second) == "double@2"
    warning = "an answer depends on the other rows of its request: row 0 alone gives 1.5, among 2 rows 1.0"
    assert (second.warnings, second.thing.state) == ((warning,), "look")
    listing = nbml.services()
    assert listing[["name", "version", "rows", "policy"]].values.tolist() == [["double", 2, 2, "flag"]]
    assert nbml.service("double@1").path == first.path
    with pytest.raises(errors.UnknownService) as caught:
        nbml.service("duoble")
    assert str(caught.value) == "no service 'duoble'; nearest: double@2\nTry: nbml.service(\"double@2\")"
    assert str(run(caught.value.next)) == "double@2"


EVERY = """
import numpy as np
import pandas as pd

n = 260
draw = np.random.default_rng(0)
words = np.where(draw.random(n) > 0.5, "x", "yy")
when = pd.Timestamp("2020-01-01") + pd.to_timedelta(draw.integers(0, 10**9, n), unit="s")
df = pd.DataFrame({
    "f8": draw.normal(size=n), "f4": draw.normal(size=n).astype("f4"), "i8": draw.integers(0, 9, n),
    "u1": draw.integers(0, 255, n).astype("u1"),
    "b": draw.random(n) > 0.5, "str": words, "obj": words.astype(object), "string": pd.array(words, dtype="string"),
    "cat": pd.Categorical(words), "rank": pd.Categorical(draw.integers(1, 4, n), categories=[3, 2, 1], ordered=True),
    "when": when, "zone": when.tz_localize("UTC").tz_convert("Europe/Berlin"), "Int64": pd.array(draw.integers(0, 9, n), dtype="Int64"),
    "boolean": pd.array(draw.random(n) > 0.5, dtype="boolean"), "Float64": pd.array(draw.normal(size=n), dtype="Float64"),
    7: draw.normal(size=n),
}, index=pd.Index(draw.permutation(n) + 5, name="k"))
df["obj"] = df["obj"].astype(object)
gaps = ["f8", "f4", "str", "obj", "string", "cat", "rank", "when", "zone", "Int64", "boolean", "Float64"]
df.loc[df.index[::7], gaps] = None
"""  # fmt: skip


ECHO = """
def predict(df):
    told = [repr((list(map(str, df.dtypes)), list(df.columns), row)) for row in df.itertuples(index=False, name=None)]
    return df.rename(columns=str).assign(told=told)
"""


def test_every_dtype_reaches_the_model_as_in_the_notebook_and_comes_back(run: Run) -> None:
    run(EVERY)
    run(ECHO)
    version = run("import nbml; served = nbml.package(predict, 'echo', on=df); served")
    assert 190 <= version.manifest["proof"]["rows"] <= 200
    assert [i for i in version.manifest["inputs"] if i["name"] == "7"] == [{"name": "7", "dtype": "float64", "kind": "number", "label": 7}]
    run("got, want = served.predict(df.iloc[3:12]), predict(df.iloc[3:12])\npd.testing.assert_frame_equal(got, want)")
    run("odd = df.iloc[:2].assign(cat='new')\ngot = served.predict(odd)")
    assert run("got['cat'].isna().all() and got['cat'].dtype == df['cat'].dtype")


def test_it_is_served_where_nbml_is_not_installed(notebook: Run, serve: Callable[..., Any], tmp_path: Path) -> None:
    version = notebook("import nbml; nbml.package(model, 'churn')")
    venv.create(tmp_path / "alone", with_pip=False)
    python = str(tmp_path / "alone" / "bin" / "python")
    (packages,) = (tmp_path / "alone" / "lib").glob("python*/site-packages")
    # all that is installed here but nbml: an editable install is a .pth, which counts in a folder of its own only
    (packages / "others.pth").write_text(sysconfig.get_path("purelib"))
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    found = subprocess.run([python, "-c", "import bentoml, nbml"], env=clean, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert "No module named 'nbml'" in found.stderr
    rows, want = notebook("(X.iloc[:5].to_dict('records'), model.predict(X.iloc[:5]))")
    status, answer = serve(version.path, python).ask(rows)
    assert (status, answer["predictions"]) == (200, list(want))


def test_an_array_and_a_regressor(run: Run) -> None:
    run("import numpy as np\nfrom sklearn.linear_model import LinearRegression")
    run("A = np.random.default_rng(0).normal(size=(50, 3)).astype('f4'); t = A @ np.ones((3, 2)) + 1")
    run("fit = LinearRegression().fit(A, t)")
    version = run("import nbml; served = nbml.package(fit, 'plane', on=A, y=t); served")
    assert [i["name"] for i in version.manifest["inputs"]] == ["x0", "x1", "x2"]
    assert version.manifest["score"]["metric"] == "r2"
    got, want = run("(served.predict(A[5:9]), fit.predict(A[5:9]))")
    assert (got.dtype, got.shape) == (want.dtype, want.shape)
    assert got == pytest.approx(want, rel=1e-6)  # single precision


def test_a_list_is_one_field_and_a_series_bears_its_name(run: Run) -> None:
    run("import nbml, pandas as pd\ntexts = ['a', 'bcd', 'ef']\ndef predict(texts):\n    return [len(text) for text in texts]")
    version = run("served = nbml.package(predict, 'lengths', on=texts); served")
    assert [i["name"] for i in version.manifest["inputs"]] == ["input"]
    assert run("served.predict(['xyz', ''])") == [3, 0]
    run("said = pd.Series(texts, name='said', index=[3, 1, 2])\ndef upper(said):\n    return said.str.upper()")
    version = run("served = nbml.package(upper, 'upper', on=said); served")
    assert [i["name"] for i in version.manifest["inputs"]] == ["said"]
    run("pd.testing.assert_series_equal(served.predict(said[:2]), upper(said[:2]))")


def test_what_depends_on_the_process_is_not_proven_and_leaves_nothing(run: Run, project: Path) -> None:
    run("import os, pandas as pd\ndf = pd.DataFrame({'a': [1.0, 2.0, None]})")
    run("def predict(df):\n    return [os.getpid()] * len(df)")
    with pytest.raises(errors.ProofFailed) as caught:
        run("import nbml; nbml.package(predict, 'wrong', on=df)")
    message = str(caught.value)
    assert message.startswith("wrong is not proven: row 0 of df: the notebook's model gives ")
    assert message.endswith(
        " (3 of 3 rows differ); likely cause: another process gives other answers again: randomness without a seed, or something of "
        "the process itself; nothing was built\nTry: %nbml slice predict"
    )
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


def test_an_interrupt_leaves_nothing(run: Run, project: Path) -> None:
    run("import nbml, pandas as pd\ndf = pd.DataFrame({'a': [1.0, 2.0]})\ndef predict(df):\n    return df['a'] * 2")
    written = project / ".nbml" / "services" / ".building" / "double" / "src" / "manifest.json"

    def stop() -> None:
        until(written.exists, 30)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=stop)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        run("nbml.package(predict, 'double', on=df)")
    thread.join()
    assert leftovers(project) == []
    assert current().find("service", "double") is None


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("[1]", "predict(...) gave 1 answers for 2 rows"),
        ("{'a': 1}", "predict(...) gave what cannot be served: a dict is no answer: a Series, an array, a list or a DataFrame is needed, "
         "one entry a row"),
        ("df['a'] / 0", "predict(...) gave what cannot be served: inf cannot travel: JSON has no infinity"),
        ("pd.to_timedelta(df['a'])", "predict(...) gives a series of timedelta64[ns], which does not come back from JSON as it is"),
        ("df['b']", "predict(...) fails in this notebook: KeyError: 'b' (return df['b'])"),
    ],
)  # fmt: skip
def test_an_answer_that_cannot_be_served_is_named(run: Run, project: Path, answer: str, message: str) -> None:
    run(f"import nbml, pandas as pd\ndf = pd.DataFrame({{'a': [1.0, 2.0]}})\ndef predict(df):\n    return {answer}")
    with pytest.raises(errors.ProofFailed) as caught:
        run("nbml.package(predict, 'wrong', on=df)")
    assert str(caught.value) == f"{message}; nothing was built"
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
    packable = "a fitted model or a function predict(df) can be packaged"
    cases: dict[str, Any] = {
        "nbml.package(model, 'churn', on=X, suite='no-such')": errors.UnknownSuite,
        "nbml.package(model, 'Churn', on=X)": errors.BadName,
        "nbml.package(model, 'churn', on=X.rename(columns={'a': 'b'}))": "DataFrame of shape (4, 1) lacks 1 of the model's columns: a",
        "nbml.package(LogisticRegression, 'churn', on=X)": f"LogisticRegression is a class; {packable}",
        "nbml.package(X, 'churn')": f"X is a DataFrame; {packable}",
        "nbml.package(model, 'churn', on=X.iloc[:0])": "DataFrame of shape (0, 1) has no rows to prove the model on",
        "nbml.package(model, 'churn', on=X, y=[1])": "y has 1 values for the 4 rows of X",
        "nbml.package(model, 'churn', on=X, policy='rejct')": "policy 'rejct': one of reject, flag, off is needed",
        "nbml.package(model, 'churn', on=X, proof='indx')": "proof 'indx': one of local, index is needed",
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


def test_a_suite_travels_along_and_a_token_is_asked_for(run: Run, serve: Callable[..., Any], tmp_path: Path) -> None:
    run("import nbml, pandas as pd\ndf = pd.DataFrame({'age': [20, 30, 40], 'income': [1.0, 2.0, 3.0]})")
    run("frame = df.assign(churned=[True, False, True])")
    run("nbml.expect('churn', '18 <= age <= 100\\nincome >= -5, mostly=0.9\\n2 <= rows\\nnot_null(churned)', on=frame)")
    run("def predict(df):\n    return df['age'] * df['income']")
    version = run("served = nbml.package(predict, 'churn', on=df, suite='churn'); served")
    assert {e["text"]: e["scope"] for e in version.manifest["expectations"]} == {
        "18 <= age <= 100": "row", "income >= -5, mostly=0.9": "row", "2 <= rows": "window", "not_null(churned)": "not served",
    }  # fmt: skip
    assert version.warnings == ()
    assert "churn@1: 2 checked on every request, 1 checked by the monitor, 1 not served" in repr(version)
    assert [(role, thing.kind, thing.ref) for role, thing in current().edges_from(version.thing)] == [("checks", "suite", "churn@1")]
    with pytest.raises(nbml.RequestRejected) as caught:
        run("served.predict(df.assign(age=[20, 17, 300]))")
    assert [(p["row"], p["column"], p["value"]) for p in caught.value.problems] == [(1, "age", 17), (2, "age", 300)]
    assert str(caught.value) == "churn@1 refused 2 of 3 rows: row 1, age = 17: 18 <= age <= 100; row 2, age = 300: 18 <= age <= 100"
    token = tmp_path / "token"
    token.write_text("secret")
    worker = serve(version.path, NBML_TOKEN_FILE=str(token))
    assert [worker.get(path)[0] for path in ("/docs", "/metrics", "/predict", "/healthz")] == [401, 401, 401, 200]
    worker.headers["Authorization"] = "Bearer secret"
    status, answer = worker.ask([{"age": 17, "income": 3.0}, {"age": 20, "income": -9.0}])
    assert (status, [p["expectation"] for p in answer["error"]["problems"]]) == (422, ["18 <= age <= 100"])
    status, answer = worker.ask([{"age": 20, "income": -9.0}])
    assert (status, answer["predictions"], answer["flags"]) == (200, [-180.0], [["income >= -5, mostly=0.9"]])


def test_preview_shows_the_slice_and_builds_nothing(notebook: Run, project: Path) -> None:
    found = notebook("import nbml; nbml.package(model, 'churn', preview=True)")
    assert "def ratio(frame):" in found.source
    assert leftovers(project) == []
