"""``package`` of models without an executor of ours: ONNX Runtime answers where it holds the contract, else the library."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nbml.packaging import translating
from nbml.runtime import executors

pytestmark = pytest.mark.slow

Run = Callable[[str], Any]

FRAME = """
import nbml, numpy as np, pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
draw = np.random.default_rng(0)
X = pd.DataFrame({"age": draw.integers(18, 90, 150), "income": draw.normal(30, 9, 150), "rent": draw.normal(9, 2, 150)})
X["plan"] = draw.choice(["basic", "plus", "pro"], 150)
y = pd.Series(np.where(X["age"] + X["income"] + 9 * (X["plan"] == "pro") > 80, "stays", "leaves"))
N = X[["age", "income", "rent"]]
columns = make_column_transformer((StandardScaler(), ["age", "income", "rent"]), (OneHotEncoder(drop="first"), ["plan"]))
"""
#: one answer, and what the process that gave it has: whether scikit-learn could be imported, its threads, its modules
ALONE = """
import importlib.util, json, os, sys
sys.path.insert(0, sys.argv[1])
import bridge
manifest = json.load(open(sys.argv[1] + "/manifest.json"))
answer = bridge.serving(manifest).answer(json.load(sys.stdin))
print(json.dumps({"answer": answer, "there": importlib.util.find_spec("sklearn") is not None, "threads": len(os.listdir("/proc/self/task")),
                  "tops": sorted({name.partition(".")[0] for name in sys.modules})}))
"""


def rows_of(frame: Any) -> list[dict[str, Any]]:
    return [dict(zip(frame.columns, row, strict=True)) for row in frame.astype(object).to_numpy().tolist()]


def interpreter(version: Any) -> str:
    """The Python of the environment that a version was proven in."""
    from nbml import store
    from nbml.packaging import environments

    found = environments.of(store.current(), version.thing.body)
    assert found is not None
    return found.python


def test_a_pipeline_of_our_steps_and_a_model_of_onnx(run: Run, serve: Callable[..., Any], tmp_path: Path) -> None:
    run(FRAME)
    version = run("model = make_pipeline(columns, QuadraticDiscriminantAnalysis(reg_param=.1)).fit(X, y)\n"
                  "served = nbml.package(model, 'churn'); served")  # fmt: skip
    execution, folder = version.manifest["execution"], version.path / "src"
    assert (execution["kind"], execution["computes"]) == ("onnx", "QuadraticDiscriminantAnalysis")
    assert execution["why"] == "QuadraticDiscriminantAnalysis has no exact executor"
    assert [node["op"] for node in json.loads((folder / "executor.json").read_text())["model"]["steps"]] == ["columns", "onnx"]

    names = [pin.partition("==")[0] for pin in version.manifest["requirements"]]
    assert "onnxruntime" in names
    assert not {"scikit-learn", "pandas", "skops", "skl2onnx", "onnx"} & set(names)
    assert {"scikit-learn", "pandas"} <= {pin.partition("==")[0] for pin in execution["library"]}, "with which the module was proven"

    frame, want, shares = run("(X.iloc[:40], model.predict(X.iloc[:40]), model.predict_proba(X.iloc[:40]))")
    python, home = interpreter(version), tmp_path / "home"
    home.mkdir()
    worker = serve(version.path, python, HOME=str(home), OMP_NUM_THREADS="1")
    status, answer = worker.ask(rows_of(frame))
    assert (status, answer["predictions"]) == (200, list(want))
    assert answer["probabilities"]["values"] == [pytest.approx(list(row), rel=1e-9, abs=1e-15) for row in shares]
    for i in range(5):
        assert worker.ask(rows_of(frame)[i : i + 1])[1]["predictions"] == [want[i]]
    status, answer = worker.ask([{**rows_of(frame)[0], "income": None}])
    assert (status, answer["error"]["message"]) == (422, "the model takes no null in 'income': row 0")
    assert not (home / ".cache").exists(), "ONNX Runtime keeps no number of this machine and no queue for its maker"
    loaded = Path(f"/proc/{worker.process.pid}/maps")
    if loaded.exists():
        assert "onnxruntime" in loaded.read_text()
        assert "sklearn" not in loaded.read_text()

    one = json.dumps({name: [value] for name, value in rows_of(frame)[0].items()})
    clean = {"HOME": str(home), "OMP_NUM_THREADS": "1", "PATH": os.environ["PATH"]}
    done = subprocess.run([python, "-I", "-B", "-c", ALONE, str(folder)], input=one, capture_output=True, text=True, env=clean, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    said = json.loads(done.stdout)
    assert (said["answer"][0], said["there"], said["threads"], done.stderr) == ([want[0]], False, 1, "")
    assert not {"pandas", "scipy", "skl2onnx", "onnx"} & set(said["tops"])

    assert list(run("served.predict(X)")) == list(run("model.predict(X)"))
    same = run("nbml.package(model, 'churn')")
    assert (same.version, same.same) == (1, True)


def test_the_proof_has_the_last_word(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from nbml.packaging.translating import boundaries, converting, probing

    for module in (boundaries, probing):
        monkeypatch.setattr(module, "difference", lambda *asked: "")
    monkeypatch.setattr(converting, "slower", lambda *asked: "")
    run(FRAME)
    # skl2onnx gives other probabilities for two classes
    version = run("A = N.to_numpy(); nbml.package(LinearDiscriminantAnalysis().fit(A, y), 'lda', on=A)")
    execution = version.manifest["execution"]
    assert execution["kind"] == "library"
    before = "LinearDiscriminantAnalysis has no exact executor; the translated model is not equal: "
    assert execution["why"].startswith(before), execution["why"]
    names = {pin.partition("==")[0] for pin in version.manifest["requirements"]}
    assert "scikit-learn" in names
    assert "onnxruntime" not in names
    assert not list((version.path / "src").glob("executor.*"))


def manifest_of(model: Any, frame: Any) -> tuple[Any, dict[str, Any], list[dict[str, Any]]]:
    """A fitted model, its manifest and real rows, as they are handed to ``translate``."""
    from nbml.packaging import inputs, proof

    rows = inputs._frame(frame, None, "rows", None)
    want = proof.expected(proof.Model(model, "model", "model"), rows)
    return model, {"entry": "model", "input": "frame", "inputs": rows.inputs, "output": want.form}, want.sent


def test_what_onnx_computes_in_single_precision_stays_with_the_library(asked: Any) -> None:
    import pandas as pd
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    frame = pd.DataFrame(asked[2])
    model = make_pipeline(StandardScaler(), SVC()).fit(frame, frame["a"].gt(frame["b"]).map({True: "more", False: "less"}))
    why = "SVC has no exact executor; ONNX is not equal: rows close to where the answer changes are answered otherwise"
    found = translating.translate(*manifest_of(model, frame))
    assert (found.execution, found.files, found.needs) == ({"kind": "library", "why": why}, {}, ())


def test_boundaries_are_sought_between_whole_numbers_too() -> None:
    import numpy as np
    import pandas as pd
    from sklearn.svm import SVC

    frame = pd.DataFrame(np.random.default_rng(2).integers(0, 40, (200, 4)), columns=list("abcd"))
    model = SVC().fit(frame, frame["a"] * frame["b"] > 300)
    why = "SVC has no exact executor; ONNX has no bool as a class"
    assert translating.translate(*manifest_of(model, frame)).execution == {"kind": "library", "why": why}
    model = SVC().fit(frame, np.where(frame["a"] * frame["b"] > 300, "more", "less"))
    why = "SVC has no exact executor; ONNX is not equal: rows close to where the answer changes are answered otherwise"
    assert translating.translate(*manifest_of(model, frame)).execution == {"kind": "library", "why": why}


@pytest.fixture(scope="module")
def asked() -> tuple[Any, dict[str, Any], list[dict[str, Any]]]:
    """A fitted model, its manifest and real rows."""
    import numpy as np
    import pandas as pd
    from sklearn.naive_bayes import MultinomialNB

    draw = np.random.default_rng(1)
    frame = pd.DataFrame(draw.random((60, 3)), columns=["a", "b", "c"])
    model = MultinomialNB().fit(frame, np.where(frame["a"] > frame["b"], 1, 0))
    return manifest_of(model, frame)


def test_a_changed_file_is_refused(asked: Any, tmp_path: Path) -> None:
    found = translating.translate(*asked)
    found.write(tmp_path)
    executor = executors.load(tmp_path, found.execution)
    assert executor.answer({"a": [0.9], "b": [0.1], "c": [0.5]})[0] == [1]
    file = tmp_path / "executor.onnx"
    sound = file.read_bytes()
    file.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
    with pytest.raises(RuntimeError, match=r"^executor\.onnx is not the file that was packaged$"):
        executors.load(tmp_path, found.execution)


def test_without_the_extra_it_is_the_library_and_the_manifest_says_so(asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from nbml.packaging.translating import converting

    assert translating.translate(*asked).execution["kind"] == "onnx"
    monkeypatch.setattr(converting, "NEEDED", ("not_installed_here", *converting.NEEDED))
    found = translating.translate(*asked)
    why = "MultinomialNB has no exact executor; ONNX was not tried: not_installed_here is not installed (%pip install 'nbml[onnx]')"
    assert (found.execution, found.files, found.needs) == ({"kind": "library", "why": why}, {}, ())


def test_what_is_slower_is_not_taken_and_is_the_same_model_nevertheless(asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    from nbml.runtime.executors.sessions import Session

    fast = translating.translate(*asked)
    right = Session.many

    def late(self: Session, data: Any) -> Any:
        if len(data) >= 1000:
            time.sleep(0.1)
        return right(self, data)

    monkeypatch.setattr(Session, "many", late)
    slow = translating.translate(*asked)
    assert slow.execution["kind"] == "library"
    assert slow.execution["why"].startswith("MultinomialNB has no exact executor; 1,000 rows take ")
    assert slow.execution["why"].endswith(" times as long by ONNX as by the library")
    assert (slow.files, slow.needs) == ({}, ())
    assert slow.identity == fast.identity


def test_code_of_a_stranger_inside_is_not_converted(asked: Any) -> None:
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.naive_bayes import MultinomialNB
    from sklearn.neighbors import KNeighborsClassifier

    class Mine(MultinomialNB):  # type: ignore[misc]
        def predict(self, X: Any) -> Any:
            return 1 - super().predict(X)

    _, manifest, sent = asked
    import pandas as pd

    frame = pd.DataFrame(sent)
    truth = (frame["a"] > frame["b"]).astype(int)
    for model, word in ((KNeighborsClassifier(weights=lambda far: far), "<lambda> is not of scikit-learn"),
                        (OneVsRestClassifier(Mine()), "Mine is no class of scikit-learn")):  # fmt: skip
        found = translating.translate(model.fit(frame, truth), manifest, sent)
        assert found.execution == {"kind": "library", "why": f"{type(model).__name__} has no exact executor; {word}"}


def test_it_is_imported_silently_and_the_environment_is_as_before(tmp_path: Path) -> None:
    program = ("import os; os.environ.update(ASKED='1'); before = dict(os.environ); from nbml.runtime.executors import sessions; "
               "sessions.library(); print(before == dict(os.environ), len(os.listdir('/proc/self/task')))")  # fmt: skip
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH")}
    env = kept | {"OMP_NUM_THREADS": "1", "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=env, check=False)
    assert (done.stdout, done.stderr) == ("True 1\n", "")
    assert not list(tmp_path.iterdir())
