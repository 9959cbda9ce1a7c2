"""Each notebook of the corpus has the recipe, the verdict and the reasons that it should, and a fresh process gives its values."""

from __future__ import annotations

import ast
import gc
import json
import random
import re
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nbml
from nbml import store
from slicing import recipes_models, recipes_state, recipes_values, recipes_world
from slicing.recipes_state import BAD, GOOD, Page, Write

PAGES = (*recipes_state.PAGES, *recipes_world.PAGES, *recipes_models.PAGES)


@dataclass
class Outcome:
    """What came of a page: its recipe or the error, what its name was in the notebook, what it is in a fresh process."""

    recipe: Any = None
    error: BaseException | None = None
    there: str = ""
    fresh: str = ""


class Notebook:
    """One shell that plays page after page, each in a project folder of its own."""

    def __init__(self, shell: Any, root: Path) -> None:
        self.shell, self.root = shell, root

    def play(self, page: Page, folder: Path) -> None:
        """Run the page's cells in a new project; ``finish`` has to follow."""
        gc.freeze()  # each reset collects garbage, and would look at all notebooks before
        self.shell.reset(new_session=True)
        self.shell.compile.reset_compiler_flags()
        self.modules, self.path = set(sys.modules), list(sys.path)
        _furnish(folder, page)
        self.monkey = pytest.MonkeyPatch()
        self.monkey.chdir(folder)
        self.monkey.setenv("NBML_PROJECT", str(folder))
        self.monkey.setenv("JPY_SESSION_NAME", str(folder / "page.ipynb"))
        for name, value in page.env:
            self.monkey.setenv(name, value)
        self.monkey.syspath_prepend(str(folder))
        store.use(None)
        random.seed()
        np.random.seed()
        self.shell.run_line_magic("load_ext", "nbml")
        for number, step in enumerate(page.steps, 1):
            if isinstance(step, Write):
                _write(folder, step)
            else:
                key, text = step if isinstance(step, tuple) else (f"c{number}", step)
                self.shell.run_cell(text, store_history=True, cell_id=key)
        for change in page.then:
            _write(folder, change)

    def finish(self) -> None:
        self.shell.run_line_magic("unload_ext", "nbml")
        store.use(None)
        self.monkey.undo()
        sys.path[:] = self.path
        for name in set(sys.modules) - self.modules:
            if (getattr(sys.modules[name], "__file__", None) or "").startswith(str(self.root)):
                del sys.modules[name]


def _write(folder: Path, change: Write) -> None:
    path = folder / change.path
    if change.text is None:
        path.unlink()
    else:
        path.write_text(change.text)


def _furnish(folder: Path, page: Page) -> None:
    """The files that lie in the notebook's folder, and the notebook as it was saved."""
    for path in ("lib", "sub"):
        (folder / path).mkdir(parents=True)
    for name in ("wine.csv", "iris.parquet"):
        (folder / name).write_bytes((folder.parent / name).read_bytes())
    (folder / "settings.json").write_text('{"k": 21}')
    (folder / "helper.py").write_text(recipes_world.HELPER)
    (folder / "script.py").write_text(recipes_world.SCRIPT)
    (folder / "lib" / "deep.py").write_text("def low(x):\n    return -x\n")
    (folder / "sub" / "inner.txt").write_text("inner\n")
    if page.id.startswith("big-file"):
        with (folder / "big.bin").open("wb") as file:
            file.truncate(51 << 20)  # a hole: it takes no place
    cells = page.page
    if not cells:
        last: dict[str, str] = {}
        for number, step in enumerate(page.steps, 1):
            if not isinstance(step, Write):
                key, text = step if isinstance(step, tuple) else (f"c{number}", step)
                last[key] = text
        cells = tuple(last.items())
    blank = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    saved = [{**blank, "id": key, "source": text} for key, text in cells]
    (folder / "page.ipynb").write_text(json.dumps({"cells": saved, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))


def provided(root: Path) -> Path:
    """Put the real data that all pages read into a folder."""
    from sklearn.datasets import load_iris, load_wine

    load_wine(as_frame=True).frame[["alcohol", "hue", "target"]].to_csv(root / "wine.csv", index=False)
    load_iris(as_frame=True).frame.to_parquet(root / "iris.parquet")
    return root


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """Every page played in a real shell and its recipe asked for; then all sources run in processes in which nothing ran."""
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.testing.globalipapp import start_ipython

    root = provided(tmp_path_factory.mktemp("recipes"))
    before = sys.modules["__main__"]
    notebook = Notebook(start_ipython() or InteractiveShell.instance(), root)
    sys.modules["__main__"] = notebook.shell.user_module  # as in a kernel
    found: dict[str, Outcome] = {}
    jobs: list[Any] = []
    for page in PAGES:
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            found[page.id] = _outcome(notebook, page, jobs)
    notebook.shell.reset(new_session=True)
    sys.modules["__main__"] = before
    gc.unfreeze()
    done = subprocess.run(
        [sys.executable, recipes_values.__file__], input=json.dumps(jobs), capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    for key, text in json.loads(done.stdout.splitlines()[-1]).items():
        found[key].fresh = text
    return found


def _outcome(notebook: Notebook, page: Page, jobs: list[Any]) -> Outcome:
    folder = notebook.root / page.id
    try:
        notebook.play(page, folder)
        outcome = Outcome(there=recipes_values.encode(notebook.shell.user_ns[page.name]))
        outcome.recipe = nbml.recipe(page.name)
        if outcome.recipe.verdict == BAD:
            return outcome
        if page.replay:
            outcome.fresh = recipes_values.encode(outcome.recipe.run())
        else:
            jobs.append([page.id, str(folder), dict(page.env), outcome.recipe.source, page.name])
        return outcome
    except Exception as error:
        return Outcome(error=error)
    finally:
        notebook.finish()


def holds(source: str, piece: str) -> bool:
    """Whether a piece stands in the source, whatever its quotes and blanks."""
    try:
        return piece in source or piece in ast.unparse(ast.parse(source)) or ast.unparse(ast.parse(piece)) in ast.unparse(ast.parse(source))
    except SyntaxError:
        return False


@pytest.mark.parametrize("page", PAGES, ids=[page.id for page in PAGES])
def test_a_recipe_is_what_computed_the_name(page: Page, outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[page.id]
    if outcome.error is not None:
        raise outcome.error
    recipe = outcome.recipe
    told = f"{recipe.verdict}: {recipe.why}\n{recipe.source}"
    assert recipe.verdict in page.verdict, told
    for pattern in page.why if recipe.verdict != GOOD else ():
        assert any(re.search(pattern, sentence) for sentence in recipe.why), told
    for piece in page.has:
        assert holds(recipe.source, piece), f"{piece!r} is missing\n{told}"
    for piece in page.lacks:
        assert not holds(recipe.source, piece), f"{piece!r} is too much\n{told}"
    named = [f"{one.name} {one.ref}" for one in recipe.inputs]
    for piece in page.inputs:
        assert any(piece in name for name in named), f"{piece!r} is none of {named}\n{told}"
    if recipe.verdict != BAD:
        assert outcome.fresh == outcome.there, told
