"""Every kind of input and of answer, from the notebook to the Bento and back: ``predict`` gives what the notebook gives."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nbml import errors
from nbml.packaging import bridge

pytestmark = pytest.mark.slow

Run = Callable[[str], Any]
START = """
import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

draw = np.random.default_rng(0)
n = 40
N = pd.DataFrame(draw.normal(size=(n, 2)), columns=["a", "b"])
texts = ["a good day", "bad ü day", "fine", "awful thing"] * 10
good = np.array([1, 0, 1, 0] * 10)
"""
MIXED = """
words = draw.choice(["x", "y", None], n)
X = pd.DataFrame({
    "cat": pd.Categorical(words, categories=["x", "y", "z"]), "Int64": pd.array(draw.choice([1, 2, None], n), dtype="Int64"),
    "str": pd.array(words, dtype="str"), "python": pd.array(words, dtype="string[python]"),
    "arrow": pd.array(words, dtype="string[pyarrow]"),
    "object": pd.Series(words, dtype=object), "when": pd.date_range("2020", periods=n, freq="h", tz="Europe/Berlin"),
    "flag": draw.random(n) > 0.5, "f8": np.where(draw.random(n) > 0.8, np.nan, draw.normal(size=n)), 7: draw.normal(size=n),
    "int64": pd.array(draw.choice([1, 2, None], n), dtype="int64[pyarrow]"), "text": pd.array(words, dtype=pd.ArrowDtype(pa.string())),
    "yes": pd.array(draw.choice([True, False, None], n), dtype="bool[pyarrow]"),
})
def plain(df):
    parts = [df["flag"], df["f8"].fillna(0), df[7], df["when"].dt.hour, df["cat"] == "x", df["object"] == "x"]
    return np.column_stack(parts).astype(float)
inner = LogisticRegression().fit(plain(X), np.where(X[7] > 0, "no", "yes"))
def told(df):
    return [f"{dict(df.dtypes)} {row}" for row in df.itertuples(index=False)]
def predict(df):
    assert all(len(text) > 99 for text in told(df))
    return inner.predict(plain(df))
"""
#: what is packaged, the rows it is proven on, and the cells that make them
KINDS = {
    "frame": ("predict", "X", MIXED),
    "told": ("told", "X.head(6)", MIXED),
    "array": ("model", "A", "A = N.to_numpy()\nmodel = DecisionTreeClassifier(max_depth=3).fit(A, A[:, 0] > 0)"),
    "series": (
        "model", "T", "T = pd.Series(texts, name='text')\nmodel = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(T, good)",
    ),
    "listed": ("model", "texts", "model = make_pipeline(TfidfVectorizer(), LinearSVC()).fit(texts, np.where(good, 'yes', 'no'))"),
    "own": (
        "model", "N",
        "class Rule:\n    def __init__(self, by):\n        self.by = by\n    def predict(self, df):\n"
        "        return (df['a'] * self.by > df['b']).to_numpy()\nmodel = Rule(2)",
    ),
    "gives-series": ("predict", "N", "N.index += 5\ndef predict(df):\n    return (df['a'] * 2).rename('score')"),
    "gives-objects": (
        "predict", "N",
        "def predict(df):\n    return [{'score': row.a, 'tags': ['x', None], 'more': {'b': row.b > 1}} for row in df.itertuples()]",
    ),
    "gives-frame": (
        "predict", "N",
        "N.index = pd.Index([f'r{i}' for i in range(n)], name='id')\ndef predict(df):\n    return pd.DataFrame({'score': df['a'] * 2, "
        "'label': np.where(df['b'] > 0, 'hi', 'lo'), 'when': pd.Timestamp('2020-01-01', tz='UTC')}, index=df.index)",
    ),
    "gives-labels": (
        "predict", "N", "def predict(df):\n    return pd.DataFrame(np.c_[df['a'], df['b']]).rename_axis(columns='what')",
    ),
    "texts": (
        "model", "U",
        "U = np.array([['yes', 'no'], ['no', 'yes']] * 4)\nclass Joined:\n    def predict(self, rows):\n"
        "        return np.array([f'{one}-{two}' for one, two in rows], dtype=object)\nmodel = Joined()",
    ),
    "gives-nan": (
        "predict", "N", "def predict(df):\n    return [float('nan') if a > 0 else float(a) for a in df['a']]",
    ),
    "outputs": ("model", "N", "model = RandomForestClassifier(3, random_state=0).fit(N, np.where(N > 0, 'long', 'x'))"),
    "numbers": ("model", "N", "model = LinearRegression().fit(N, N.to_numpy() @ np.ones((2, 3)))"),
}  # fmt: skip
SAME = """
def same(one, two):
    assert type(one) is type(two)
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, two)
    elif isinstance(one, pd.Series):
        pd.testing.assert_series_equal(one, two)
    elif isinstance(one, list):
        assert [type(a) for a in one] == [type(b) for b in two]
        assert [a if a == a else 'nan' for a in one] == [b if b == b else 'nan' for b in two]
    else:
        assert (one.dtype, one.shape) == (two.dtype, two.shape)
        assert one.tolist() == two.tolist() if one.dtype.kind != "f" else np.allclose(one, two, rtol=1e-9, atol=0)
"""


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_notebook_gives_comes_back(kind: str, run: Run) -> None:
    target, rows, cells = KINDS[kind]
    for cell in (START, cells, SAME):
        run(cell)
    version = run(f"import nbml; served = nbml.package({target}, 'kind', on={rows}); served")
    ask = target if target != "model" else "model.predict"
    for some in (f"{rows}[5:9]", f"{rows}[3:4]") if kind != "told" else (f"{rows}[2:4]",):
        run(f"same(served.predict({some}), {ask}({some}))")
    inputs = version.manifest["inputs"]
    if kind in ("frame", "told"):
        assert [spec["dtype"] for spec in inputs] == run("[str(dtype) for dtype in X.dtypes]")
        assert any(line.startswith("pyarrow==") for line in version.manifest["requirements"])
    if kind == "array":
        assert [spec["name"] for spec in inputs] == ["x0", "x1"]
    if kind in ("series", "listed"):
        assert [spec["name"] for spec in inputs] == ["text" if kind == "series" else "input"]


def test_what_a_column_never_held_is_neither_cut_nor_made_up(run: Run) -> None:
    for cell in (START, KINDS["texts"][2], "from sklearn.tree import DecisionTreeRegressor\nI = np.arange(40).reshape(-1, 2)"):
        run(cell)
    served = run("import nbml; served = nbml.package(model, 'joined', on=U); served")
    assert run("served.predict(np.array([['yesterday', 'no']])).tolist()") == ["yesterday-no"]
    columns = {"x0": [None], "x1": ["no"]}
    with pytest.raises(bridge.Unfit, match=r"column 'x0' \(<U3\): an array of texts has no missing value"):
        bridge.build(columns, served.manifest)
    run("numbers = nbml.package(DecisionTreeRegressor().fit(I, I[:, 0]), 'numbers', on=I)")
    built = bridge.build({"x0": [None, 3], "x1": [1, 2]}, run("numbers").manifest)
    assert (str(built.dtype), built[1].tolist(), str(built[0, 0])) == ("float64", [3.0, 2.0], "nan")


@pytest.mark.parametrize(
    ("gives", "message"),
    [
        ("[pd.Timestamp('2024').date() for _ in df['a']]", "a list"),
        ("pd.Series([pd.Timestamp('2024').date()] * len(df), df.index)", "a series of object"),
        ("df['a'].rename(pd.Timestamp('2024'))", "a series of float64 named 2024-01-01T00:00:00"),
    ],
)
def test_what_would_come_back_as_something_else_is_refused(gives: str, message: str, run: Run) -> None:
    run(START)
    run(f"def predict(df):\n    return {gives}")
    told = rf"^predict\(\.\.\.\) gives {message}, which does not come back from JSON as it is; nothing was built$"
    with pytest.raises(errors.ProofFailed, match=told):
        run("import nbml; nbml.package(predict, 'dates', on=N)")
    run("def predict(df):\n    return pd.DataFrame({('x', 'y'): df['a']})")
    with pytest.raises(errors.ProofFailed, match=r"the label \('x', 'y'\) of a column cannot travel as JSON; rename it"):
        run("nbml.package(predict, 'labels', on=N)")


def test_objects_and_texts_are_served(run: Run, serve: Callable[..., Any]) -> None:
    run(START)
    run(KINDS["gives-objects"][2])
    worker = serve(run("import nbml; nbml.package(predict, 'objects', on=N)").path)
    status, answer = worker.ask([{"a": 0.5, "b": 2.0}])
    assert (status, answer["predictions"]) == (200, [{"score": 0.5, "tags": ["x", None], "more": {"b": True}}])
    run(KINDS["series"][2])
    worker = serve(run("nbml.package(model, 'texts', on=T)").path)
    status, answer = worker.ask([{"text": "a good day"}, {"text": "awful thing"}])
    want = run("model.predict_proba(T[[0, 3]])")
    assert (status, answer["predictions"], answer["probabilities"]["classes"]) == (200, [1, 0], [0, 1])
    assert answer["probabilities"]["values"] == [pytest.approx(list(row), rel=1e-9) for row in want]


def test_a_folder_that_is_not_as_it_was_packaged_is_refused_and_nothing_of_it_is_loaded(run: Run, project: Path) -> None:
    import os
    import pickle

    class Trap:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(project / "executed"),)

    run("import nbml, pandas as pd\nX = pd.DataFrame({'a': [1.0, 2.0]})\nlimits = pd.DataFrame({'at': [(1, 2)]})")
    version = run("def predict(df):\n    return df['a'] * limits['at'][0][1]\nserved = nbml.package(predict, 'limits', on=X)\nserved")
    (artifact,) = version.manifest["artifacts"]
    assert (artifact["format"], artifact["why"]) == ("pickle", "it holds pandas objects, which skops does not write")
    assert "pandas.DataFrame" in artifact["types"]
    path = version.path / "src" / artifact["path"]
    sound = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(pickle.dumps(Trap()))
    again = "package the model again, or put .nbml/services back from a copy"
    for line in ("served.predict(X)", "nbml.deploy('limits')"):
        with pytest.raises(errors.StoreDamaged) as caught:
            run(line)
        assert str(caught.value) == f"{artifact['path']} in the folder of limits@1 is not the file that was packaged: {again}"
    path.write_bytes(sound)
    manifest = version.path / "src" / "manifest.json"
    manifest.chmod(0o644)
    manifest.write_text(json.dumps(version.manifest | {"policy": "off"}))
    with pytest.raises(errors.StoreDamaged) as caught:
        run("served.predict(X)")
    assert str(caught.value) == f"manifest.json in the folder of limits@1 is not the file that was packaged: {again}"
    assert not (project / "executed").exists()


def test_the_service_itself_refuses_a_manifest_and_files_that_are_not_its_own(run: Run) -> None:
    from nbml.packaging import bridge

    run("import nbml, pandas as pd\nX = pd.DataFrame({'a': [1.0, 2.0]})\nlimits = pd.DataFrame({'at': [(1, 2)]})")
    version = run("def predict(df):\n    return df['a'] * limits['at'][0][1]\nnbml.package(predict, 'limits', on=X)")
    folder, manifest = version.path / "src", version.manifest
    bridge.check(manifest, folder)
    with pytest.raises(RuntimeError, match=r"^manifest\.json is none that nbml wrote: its format is 2, not 1$"):
        bridge.check(manifest | {"format": 2}, folder)
    other = [manifest["artifacts"][0] | {"sha256": "0" * 64}]
    with pytest.raises(RuntimeError, match=r"^artifacts/limits\.pkl is not the file that was packaged$"):
        bridge.check(manifest | {"artifacts": other}, folder)
