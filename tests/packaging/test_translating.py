"""``package`` of models that are translated: an executor of ours answers over HTTP as the notebook's model does, without its libraries."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

Run = Callable[[str], Any]

FRAME = """
import nbml, numpy as np, pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
draw = np.random.default_rng(0)
X = pd.DataFrame({"age": draw.integers(18, 90, 150), "income": draw.normal(30, 9, 150)})
X["plan"] = pd.Categorical(draw.choice(["basic", "plus", "pro"], 150))
X.loc[::7, "income"] = np.nan
y = pd.Series(np.where(X["age"] + X["income"].fillna(25) + 9 * (X["plan"] == "pro") > 80, "stays", "leaves"))
"""
WITHOUT = """
import importlib.abc, json, sys
class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("sklearn", "pandas", "scipy", "joblib", "skops", "nbml"):
            raise ImportError(name + " is not to be had here")
sys.meta_path.insert(0, Refuse())
sys.path.insert(0, sys.argv[1])
import bridge
manifest = json.load(open(sys.argv[1] + "/manifest.json"))
print(json.dumps(bridge.serving(manifest).answer(json.load(sys.stdin))))
"""


def without_libraries(folder: Path, columns: dict[str, list[Any]]) -> Any:
    """What a Bento's folder answers in a process that can import neither scikit-learn nor pandas."""
    command = [sys.executable, "-I", "-B", "-c", WITHOUT, str(folder)]
    done = subprocess.run(command, input=json.dumps(columns), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def columns_of(frame: Any) -> dict[str, list[Any]]:
    found = {str(name): frame[name].astype(object).tolist() for name in frame}
    return {name: [None if isinstance(v, float) and math.isnan(v) else v for v in values] for name, values in found.items()}


def test_a_translated_model_answers_without_its_libraries(run: Run, serve: Callable[..., Any]) -> None:
    run(FRAME)
    version = run("model = HistGradientBoostingClassifier(max_iter=20).fit(X, y); served = nbml.package(model, 'churn'); served")
    execution = version.manifest["execution"]
    assert (execution["kind"], sorted(execution["files"])) == ("exact", ["executor.bin", "executor.json"])
    frame, want, shares = run("(X.iloc[:40], model.predict(X.iloc[:40]), model.predict_proba(X.iloc[:40]))")
    labels, found = without_libraries(version.path / "src", columns_of(frame))
    assert labels == list(want)
    assert found["values"] == [pytest.approx(list(row), rel=1e-9) for row in shares]
    got = run("served.predict(X.iloc[:40])")
    assert (type(got), got.dtype, list(got)) == (type(want), want.dtype, list(want))

    worker = serve(version.path)
    rows = [dict(zip(columns_of(frame), row, strict=True)) for row in zip(*columns_of(frame).values(), strict=True)]
    status, answer = worker.ask(rows)
    assert (status, answer["predictions"]) == (200, list(want))
    assert answer["probabilities"]["values"] == [pytest.approx(list(row), rel=1e-9) for row in shares]
    for i in range(5):
        assert worker.ask([rows[i]])[1]["predictions"] == [want[i]]
    loaded = Path(f"/proc/{worker.process.pid}/maps")
    if loaded.exists():
        assert "sklearn" not in loaded.read_text()


def test_a_null_is_refused_as_the_model_refuses_it(run: Run, serve: Callable[..., Any]) -> None:
    run(FRAME)
    run("N = X[['age', 'income']].dropna()")
    version = run("nbml.package(make_pipeline(StandardScaler(), LogisticRegression()).fit(N, y[N.index]), 'n')")
    assert version.manifest["execution"]["kind"] == "exact"
    worker = serve(version.path)
    for rows in ([{"age": 30, "income": None}], [{"age": 30, "income": 4.5}, {"age": 30, "income": None}]):
        status, answer = worker.ask(rows)
        at = len(rows) - 1
        assert (status, answer["error"]["message"]) == (422, f"the model takes no null in 'income': row {at}")


def test_what_cannot_be_translated_is_served_by_its_library_and_the_manifest_says_why(run: Run) -> None:
    run(FRAME)
    run("class Mine(LogisticRegression):\n    pass")
    version = run("N = X[['age', 'income']].dropna()\nnbml.package(make_pipeline(StandardScaler(), Mine()).fit(N, y[N.index]), 'mine')")
    assert version.manifest["execution"] == {"kind": "library", "why": "Mine is no class of scikit-learn"}
    assert not (version.path / "src" / "executor.bin").exists()


@pytest.mark.parametrize("tried", [True, False])
def test_an_executor_that_is_not_equal_does_not_serve(run: Run, monkeypatch: pytest.MonkeyPatch, tried: bool) -> None:
    """The trial sees it at once; where it did not, the proof does."""
    from nbml.packaging.translating import models, probing

    if not tried:
        monkeypatch.setattr(probing, "difference", lambda *_: "")
    right = models._MODELS["LogisticRegression"]

    def wrong(value: Any) -> Any:
        node = right(value)
        return node | {"bias": node["bias"] + 1e-7}

    monkeypatch.setitem(models._MODELS, "LogisticRegression", wrong)
    run(FRAME)
    run("N = X[['age', 'income']].dropna()")
    version = run("nbml.package(make_pipeline(StandardScaler(), LogisticRegression()).fit(N, y[N.index]), 'w')")
    assert version.manifest["execution"]["kind"] == "library"
    assert version.manifest["execution"]["why"].startswith("the translated model is not equal: ")
    assert not (version.path / "src" / "executor.json").exists()


def test_a_changed_executor_is_refused_by_name(run: Run, tmp_path: Path) -> None:
    run(FRAME)
    version = run("N = X[['age', 'income']].dropna()\nnbml.package(LogisticRegression().fit(N, y[N.index]), 'changed')")
    folder = tmp_path / "copy"
    shutil.copytree(version.path / "src", folder)
    content = bytearray((folder / "executor.bin").read_bytes())
    content[3] ^= 1
    (folder / "executor.bin").write_bytes(content)
    command = [sys.executable, "-I", "-B", "-c", WITHOUT, str(folder)]
    done = subprocess.run(command, input=json.dumps({"age": [3], "income": [4.0]}), capture_output=True, text=True, check=False)
    assert done.stderr.strip().splitlines()[-1] == "RuntimeError: executor.bin is not the file that was packaged"
