"""Each notebook of the corpus is cut, and its slice behaves the same in a fresh process elsewhere."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from nbml.slicing import Slice, cut, recorder
from slicing.corpus import CASES, FILES, Case

#: turns an answer into text that is equal only for equal answers
CANON = '''
def canon(value):
    kind = type(value).__module__.partition(".")[0]
    if isinstance(value, (list, tuple)):
        return type(value).__name__ + "[" + ", ".join(map(canon, value)) + "]"
    if kind == "numpy" and hasattr(value, "tolist"):
        return f"{value.dtype} {value.tolist()!r}"
    if kind == "pandas":
        return f"{type(value).__name__} {getattr(value, 'name', '')} {value.index.tolist()!r} {canon(value.to_numpy())}"
    return repr(value)
'''
RUNNER = (
    CANON
    + """
import importlib, json, sys, traceback
answers = {}
for number, (folder, module, name, call) in enumerate(json.loads(sys.stdin.read())):
    sys.path.insert(0, folder)
    names = {}
    try:
        if "np." in call:
            exec("import numpy as np, pandas as pd", names)
        names["value"] = getattr(importlib.import_module(module), name)
        answers[module] = canon(eval(call, names))
    except BaseException as error:
        answers[module] = "".join(traceback.format_exception(error)[-3:])
    sys.path.remove(folder)
print(json.dumps([answers, "nbml" in sys.modules]))
"""
)


@dataclass
class Outcome:
    slice: Slice | None
    error: BaseException | None
    there: str
    answer: str = ""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """Every case run in a real shell and cut; then all slices asked in one process with another working folder."""
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.testing.globalipapp import start_ipython

    from nbml import store

    root = tmp_path_factory.mktemp("corpus")
    for path, text in FILES.items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text)
    before = sys.modules["__main__"]
    shell = start_ipython() or InteractiveShell.instance()
    monkey = pytest.MonkeyPatch()
    monkey.chdir(root)
    monkey.syspath_prepend(str(root))
    store.use(None)
    names: dict[str, Any] = {}
    exec(CANON + "\nimport numpy as np, pandas as pd", names)
    found: dict[str, Outcome] = {}
    jobs = []
    for number, case in enumerate(CASES):
        found[case.id] = _run(shell, case, names, root / "out" / str(number), jobs)
    recorder.detach()
    shell.reset(new_session=True)
    sys.modules["__main__"] = before
    monkey.undo()
    done = subprocess.run(
        [sys.executable, "-c", RUNNER], input=json.dumps(jobs), capture_output=True, text=True, cwd="/", check=False, timeout=200
    )
    assert done.returncode == 0, done.stderr
    answers, loaded = json.loads(done.stdout.splitlines()[-1])
    assert not loaded, "a slice loads nbml"
    for case in CASES:
        found[case.id].answer = answers.get(_module(case), "")
    return found


def _module(case: Case) -> str:
    return "made_" + case.id.replace("-", "_")


def _run(shell: Any, case: Case, names: dict[str, Any], folder: Path, jobs: list[Any]) -> Outcome:
    recorder.detach()
    shell.reset(new_session=True)
    shell.compile.reset_compiler_flags()
    # every other case is attached only after its cells ran, as by a late %load_ext
    late = len(jobs) % 2 == 1
    if not late:
        recorder.attach(shell)
    for cell in case.cells:
        shell.run_cell(cell, store_history=True)
    if late:
        recorder.attach(shell)
    try:
        made = cut({case.name: shell.user_ns[case.name]}, module=_module(case))
    except Exception as error:
        return Outcome(None, error, "")
    made.write(folder)
    jobs.append([str(folder), _module(case), case.name, case.call])
    return Outcome(made, None, names["canon"](eval(case.call, {**names, "value": shell.user_ns[case.name]})))


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_a_slice_behaves_as_the_notebook_does(case: Case, outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[case.id]
    if outcome.error is not None:
        raise outcome.error
    made = outcome.slice
    assert made is not None
    assert outcome.answer == outcome.there, made.source
    for text in case.has:
        assert text in made.source, made.source
    for text in case.lacks:
        assert text not in made.source, made.source
    for warning in case.warns:
        assert any(warning in w for w in made.warnings), made.warnings
    if not case.warns:
        assert made.warnings == ()
    assert set(case.files) <= set(made.files)
    assert "__main__" not in made.source
