"""The runs of the corpus: each has its verdict and its reasons, and is the same again where it can be."""

from __future__ import annotations

import contextlib
import io
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import nbml
from slicing.recipes_models import RUNS
from slicing.recipes_state import BAD, Page
from slicing.test_recipes_corpus import Notebook, holds, provided

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.testing.globalipapp import start_ipython

    root = provided(tmp_path_factory.mktemp("runs"))
    before = sys.modules["__main__"]
    found = Notebook(start_ipython() or InteractiveShell.instance(), root)
    sys.modules["__main__"] = found.shell.user_module
    yield found
    found.shell.reset(new_session=True)
    sys.modules["__main__"] = before


@pytest.mark.parametrize("page", RUNS, ids=[page.id for page in RUNS])
def test_a_run_is_what_its_recipe_gives(page: Page, notebook: Notebook) -> None:
    folder: Path = notebook.root / page.id
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # fits of few rounds
            notebook.play(page, folder)
        run: Any = nbml.run(page.name)
        assert run.recipe is not None, run.why
        told = f"{run.reproducible}: {run.why}\n{run.recipe.source}"
        assert run.reproducible in page.verdict, told
        for pattern in page.why:
            assert any(re.search(pattern, sentence) for sentence in run.why), told
        for piece in page.has:
            assert holds(run.recipe.source, piece), f"{piece!r} is missing\n{told}"
        for piece in page.lacks:
            assert not holds(run.recipe.source, piece), f"{piece!r} is too much\n{told}"
        named = [f"{one.name} {one.ref}" for one in run.recipe.inputs]
        for piece in page.inputs:
            assert any(piece in name for name in named), f"{piece!r} is none of {named}\n{told}"
        found = nbml.reproduce(run)
        assert found.same is (run.reproducible != BAD), f"{found.differences} {found.why}\n{told}"
        assert (found.differences == {}) is found.same
    finally:
        notebook.finish()
