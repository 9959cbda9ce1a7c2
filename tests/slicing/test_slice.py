"""The Slice as a value: the verb, what it writes, how it shows itself, and where there is no notebook."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import nbml
from nbml import errors
from nbml.slicing import Slice, cut, recorder

LOAD = "import sys; sys.path.insert(0, sys.argv[1]); "
MODEL = """import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
class Mean(RegressorMixin, BaseEstimator):
    def fit(self, X, y):
        self.mean_ = np.mean(y)
        return self
    def predict(self, X):
        return np.full(len(X), self.mean_)
model = Mean().fit(np.zeros((3, 1)), [1.0, 2.0, 3.0])"""


@pytest.fixture
def sliced(notebook: Any) -> Slice:
    recorder.attach(notebook)
    notebook.run_cell(MODEL, store_history=True).raise_error()
    return nbml.slice("model")


def python(code: str, *arguments: str, cwd: str = "/") -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=cwd, check=False)


def test_what_it_holds(sliced: Slice) -> None:
    assert (sliced.name, sliced.module) == ("model", "model")
    assert list(sliced.artifacts) == ["model"]
    artifact = sliced.artifacts["model"]
    assert (artifact.path, artifact.format) == ("artifacts/model.skops", "skops")
    assert sliced.hashes["artifacts/model.skops"] == artifact.sha256
    pinned = dict(line.split("==") for line in sliced.requirements)
    assert set(pinned) == {"numpy", "scikit-learn", "skops"}
    import sklearn

    assert pinned["scikit-learn"] == sklearn.__version__
    assert sliced.warnings == ()
    compile(sliced.source, "model.py", "exec")


def test_the_imports_are_in_order(notebook: Any) -> None:
    recorder.attach(notebook)
    cell = (
        "import pandas as pd, re, numpy as np\nfrom sklearn.svm import SVC\nfrom collections import Counter, OrderedDict as OD\nimport os\n"
        "def predict(x):\n    return pd, re, np, SVC, Counter, OD, os"
    )
    notebook.run_cell(cell, store_history=True).raise_error()
    head = nbml.slice("predict").source.split("\n\n\n")[0]
    assert head.splitlines()[2:] == [
        "import os",
        "import re",
        "from collections import Counter",
        "from collections import OrderedDict as OD",
        "",
        "import numpy as np",
        "import pandas as pd",
        "from sklearn.svm import SVC",
    ]
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "I,E9,F821", "-"]
    ordered = subprocess.run(command, input=nbml.slice("predict").source, capture_output=True, text=True, check=False)
    assert ordered.returncode == 0, ordered.stdout


def test_written_it_loads_anywhere_and_refuses_another_artifact(sliced: Slice, project: Path) -> None:
    path = sliced.write(project / "out")
    assert path == project / "out" / "model.py"
    load = LOAD + "import model; print(model.model.predict([[1]])[0], type(model.model).__module__, 'nbml' in sys.modules)"
    done = python(load, str(path.parent))
    assert done.stdout == "2.0 model False\n", done.stderr
    artifact = project / "out" / "artifacts" / "model.skops"
    content = bytearray(artifact.read_bytes())
    content[-3] ^= 1
    artifact.write_bytes(content)
    done = python(load, str(path.parent))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "ValueError: artifacts/model.skops is not the file that was written with this module"


def test_it_shows_source_files_needs_and_the_next_line(sliced: Slice) -> None:
    text = repr(sliced)
    assert text.splitlines()[0].startswith("[slice] model as model.py · ")
    assert "class Mean(RegressorMixin, BaseEstimator):" in text
    assert "artifacts/model.skops" in text
    assert "needs numpy==" in text
    assert text.splitlines()[-1] == "Next: %nbml package model --name model"
    assert "class Mean" in sliced._repr_html_()


def test_a_name_that_is_not_there_names_the_nearest(sliced: Slice) -> None:
    with pytest.raises(errors.UnknownName) as unknown:
        nbml.slice("modle")
    assert str(unknown.value) == "no name 'modle' in the notebook; nearest: model\nTry: nbml.slice(\"model\")"


def test_a_name_that_another_module_has_is_another_module(notebook: Any) -> None:
    notebook.user_ns["pandas"] = 3
    assert nbml.slice("pandas").module == "pandas_slice"


def test_two_targets_share_what_they_need(notebook: Any) -> None:
    recorder.attach(notebook)
    notebook.run_cell(MODEL + "\ndef score(X):\n    return model.predict(X) * 2", store_history=True).raise_error()
    names = notebook.user_ns
    made = cut({"estimator": names["model"], "predict": names["score"]}, names, module="both")
    assert list(made.artifacts) == ["estimator"]
    assert "model = estimator" in made.source
    assert "predict = score" in made.source


def test_a_script_is_cut_from_its_file(project: Path) -> None:
    (project / "helper_script.py").write_text("def add(x):\n    return x + 1\n")
    (project / "script.py").write_text(
        "import json, sys\nfrom dataclasses import dataclass\nimport helper_script\n\nRATE = 2  # kept\n\n\n"
        "@dataclass\nclass Box:\n    k: int\n\n\n"
        "def predict(x):\n    return helper_script.add(x) * RATE * box.k\n\n\nbox = Box(3)\nif __name__ == '__main__':\n    import nbml\n\n"
        "    made = nbml.slice('predict')\n    made.write('out')\n    print(json.dumps([made.source, sorted(made.files)]))\n"
    )  # fmt: skip
    done = subprocess.run([sys.executable, "script.py"], cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    source, files = json.loads(done.stdout)
    assert "RATE = 2  # kept" in source
    assert "# script.py" in source
    assert files == ["helper_script.py"]
    assert python(LOAD + "import predict; print(predict.predict(1))", str(project / "out")).stdout == "12\n"


def test_an_attribute_of_a_module_is_cut_with_its_file(project: Path) -> None:
    (project / "churn_parts.py").write_text("LIMIT = 3\n\n\ndef predict(x):\n    return min(x, LIMIT)\n")
    code = "import nbml; made = nbml.slice('churn_parts:predict'); made.write('out'); print(sorted(made.files), made.module)"
    done = python(code, cwd=str(project))
    assert done.stdout == "['churn_parts.py'] predict\n", done.stderr
    assert python(LOAD + "import predict; print(predict.predict(9))", str(project / "out")).stdout == "3\n"


def test_a_bad_module_name_is_an_error(notebook: Any) -> None:
    with pytest.raises(errors.BadArgument) as bad:
        cut({"a": 1}, {"a": 1}, module="no-name")
    assert bad.value.message == "a module name and at least one target are needed, not 'no-name' and ['a']"
