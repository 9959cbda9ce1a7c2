"""Each notebook of the corpus is cut, and its slice behaves the same in a fresh process elsewhere."""

from __future__ import annotations

import ast
import gc
import json
import re
import subprocess
import sys
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from nbml.slicing import Slice, cut, recorder
from slicing import corpus_inputs, corpus_pages
from slicing.corpus import CASES, FILES, FRAME, Case

#: every notebook, with the kind of input that it gets
ALL = tuple(CASES) + tuple(Case(p.id, p.cells, p.name, p.call, p.has, warns=("any",)) for p in corpus_pages.PAGES)
KINDS = {page.id: page.kind for page in corpus_pages.PAGES} | {"string-annotations": "nothing"}  # its literal is no input

#: asks all slices; run with corpus_inputs before it, so that it needs nothing of ours
RUNNER = """
import importlib, json, sys, traceback
told = {}
for folder, module, name, call, kind, seed in json.loads(sys.stdin.read()):
    sys.path.insert(0, folder)
    before = set(sys.modules)
    try:
        told[seed] = answers(getattr(importlib.import_module(module), name), call, kind, seed)
    except BaseException as error:
        told[seed] = ["".join(traceback.format_exception(error)[-3:])]
    for loaded in set(sys.modules) - before:
        if (getattr(sys.modules[loaded], "__file__", None) or "").startswith(folder):
            del sys.modules[loaded]
    sys.path.remove(folder)
print(json.dumps([told, "nbml" in sys.modules]))
"""


@dataclass
class Outcome:
    slice: Slice | None
    error: BaseException | None
    there: list[str]
    answer: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """Every case run in a real shell and cut; then all slices asked in one process with another working folder."""
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.testing.globalipapp import start_ipython

    from nbml import store

    root = tmp_path_factory.mktemp("corpus")
    for path, text in (FILES | corpus_pages.FILES).items():
        (root / path).parent.mkdir(exist_ok=True, parents=True)
        (root / path).write_text(text)
    before = sys.modules["__main__"]
    shell = start_ipython() or InteractiveShell.instance()
    sys.modules["__main__"] = shell.user_module  # as in a kernel
    monkey = pytest.MonkeyPatch()
    monkey.chdir(root)
    monkey.syspath_prepend(str(root))
    store.use(None)
    found: dict[str, Outcome] = {}
    jobs = []
    for number, case in enumerate(ALL):
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            found[case.id] = _run(shell, case, root / "out" / str(number), jobs)
    recorder.detach()
    shell.reset(new_session=True)
    sys.modules["__main__"] = before
    monkey.undo()
    gc.unfreeze()
    done = subprocess.run(
        [sys.executable, "-c", Path(corpus_inputs.__file__).read_text() + RUNNER],
        input=json.dumps(jobs), capture_output=True, text=True, cwd="/", check=False, timeout=400,
    )
    assert done.returncode == 0, done.stderr
    answers, loaded = json.loads(done.stdout.splitlines()[-1])
    assert not loaded, "a slice loads nbml"
    for case in ALL:
        found[case.id].answer = answers.get(case.id, [])
    return found


def _module(case: Case) -> str:
    return "made_" + case.id.replace("-", "_")


def _asked(case: Case) -> tuple[str, str]:
    """What is asked, and of which kind of input: the one literal, or frame, that a case calls its function with gives way to it."""
    if case.id in KINDS:
        return case.call, KINDS[case.id]
    if FRAME in case.call:
        return case.call.replace(FRAME, "x"), "frame"
    called = re.search(r"(?<=\()('[^']*'|\[[^]]*\]|[\d.]+)(?=\))", case.call)
    if called is None:
        return case.call, "nothing"
    kind = {str: "text", list: "numbers"}.get(type(ast.literal_eval(called[0])), "number")
    return case.call.replace(called[0], "x"), kind


def _run(shell: Any, case: Case, folder: Path, jobs: list[Any]) -> Outcome:
    recorder.detach()
    gc.freeze()  # each reset collects garbage, and would look at all notebooks before
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
        return Outcome(None, error, [])
    made.write(folder)
    call, kind = _asked(case)
    jobs.append([str(folder), _module(case), case.name, call, kind, case.id])
    return Outcome(made, None, corpus_inputs.answers(shell.user_ns[case.name], call, kind, case.id))


@pytest.mark.parametrize("case", ALL, ids=[case.id for case in ALL])
def test_a_slice_behaves_as_the_notebook_does(case: Case, outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[case.id]
    if outcome.error is not None:
        raise outcome.error
    made = outcome.slice
    assert made is not None
    assert len(outcome.there) == corpus_inputs.COUNT
    assert outcome.answer == outcome.there, made.source
    for text in case.has:
        assert text in made.source, made.source
    for text in case.lacks:
        assert text not in made.source, made.source
    if case.warns == ("any",):
        return
    for warning in case.warns:
        assert any(warning in w for w in made.warnings), made.warnings
    if not case.warns:
        assert made.warnings == ()
    assert set(case.files) <= set(made.files)
    assert "__main__" not in made.source
