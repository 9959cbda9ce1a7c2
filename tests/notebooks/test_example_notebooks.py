"""Each example notebook runs from top to bottom in a fresh kernel, and its static export needs no network."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from nbml.store import Store
from notebooks.execute import execute
from notebooks.reading import EXAMPLES, export, loads, rich, said

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory: pytest.TempPathFactory):
    """The executed quickstart, in a folder of its own; its service is stopped at the end."""
    folder = tmp_path_factory.mktemp("quickstart")
    path = Path(shutil.copy(EXAMPLES / "01-quickstart.ipynb", folder))
    try:
        yield execute(path), path
    finally:
        subprocess.run([sys.executable, "-m", "nbml", "stop", "breast-cancer"], cwd=folder, check=False)


def test_the_notebook_in_the_repository_has_no_outputs() -> None:
    for path in EXAMPLES.glob("*.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code":
                assert cell.outputs == []
                assert cell.execution_count is None
                assert cell.source.count("\n") < 30, "a cell is no longer than a screen"


def test_the_quickstart_runs_and_tells_its_story(quickstart) -> None:
    notebook, path = quickstart
    shown = said(notebook)
    for word in ("biopsies@1", "9 of 9 expectations hold", "failed", "baseline", "biopsies-boosting", "proven", "running", "True"):
        assert word in shown, word
    assert "patient-1" in shown
    store = Store(path.parent)
    kinds = ["dataset", "suite", "validation", "run", "study", "service", "deployment"]
    assert all(store.latest(kind) for kind in kinds), [kind for kind in kinds if not store.latest(kind)]
    store.close()


def test_every_result_says_the_same_without_html(quickstart) -> None:
    notebook, _ = quickstart
    results = rich(notebook)
    assert len(results) >= 8
    for data in results:
        assert data["text/html"]
        assert data["text/plain"]
    assert "widget" not in str(notebook.metadata)


def test_the_static_export_asks_nobody(quickstart) -> None:
    _, path = quickstart
    page = export(path)
    assert loads(page) == []
    assert "9 of 9 expectations hold" in page
