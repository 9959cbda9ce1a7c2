"""The runtime as it lies in a Bento: copied as nbml_runtime, in a Python that has nothing but the standard library."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import nbml.runtime
from runtime.asking import AGE, ROW, manifest

ASK = """
import importlib, json, pkgutil, sys
sys.path.insert(0, sys.argv[1])
import nbml_runtime
for module in pkgutil.iter_modules(nbml_runtime.__path__):
    if not module.ispkg:  # executors/ is loaded where a model is translated, and needs numpy
        importlib.import_module("nbml_runtime." + module.name)
from nbml_runtime.front import Answer, Front, openapi
asked = json.load(sys.stdin)
front = Front(asked["manifest"], lambda columns: Answer([float("nan")] * len(columns["age"])))
print(json.dumps({
    "answers": [front.answer(json.dumps(body).encode())[0] for body in asked["bodies"]],
    "first": front.answer(json.dumps(asked["bodies"][0]).encode())[1].decode(),
    "foreign": sorted({m.partition(".")[0] for m in sys.modules} - set(sys.stdlib_module_names) - {"__main__"}),
    "paths": list(openapi(asked["manifest"])["paths"]),
}))
"""


def test_copied_it_needs_the_standard_library_only(tmp_path: Path) -> None:
    source = Path(nbml.runtime.__file__).parent
    shutil.copytree(source, tmp_path / "nbml_runtime", ignore=shutil.ignore_patterns("__pycache__"))
    bodies = [{"rows": [ROW], "ids": ["a"]}, {"rows": [{**ROW, "age": 1}]}, {"rows": 1}]
    asked = json.dumps({"manifest": manifest(expectations=[AGE]), "bodies": bodies})
    command = [sys.executable, "-I", "-S", "-B", "-c", ASK, str(tmp_path)]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["answers"] == [200, 422, 400]
    assert json.loads(found["first"]) == {"ids": ["a"], "predictions": [None], "version": "churn@3"}
    assert found["foreign"] == ["nbml_runtime"]
    assert found["paths"][:3] == ["/predict", "/healthz", "/readyz"]


def test_its_imports_are_its_own() -> None:
    for path in Path(nbml.runtime.__file__).parent.glob("*.py"):
        text = path.read_text()
        assert "from nbml" not in text, path.name
        assert "import nbml" not in text, path.name
