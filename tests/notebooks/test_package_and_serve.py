"""The notebook on packaging tells its story: preview, slice, proof, deployment, refusal, marks, a scored file, stop."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from nbml.store import Store
from notebooks.execute import execute
from notebooks.reading import EXAMPLES, export, loads, rich, said

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory):
    """The executed notebook, in a folder of its own; nothing of it runs afterwards."""
    folder = tmp_path_factory.mktemp("serving")
    path = Path(shutil.copy(EXAMPLES / "03-package-and-serve.ipynb", folder))
    try:
        yield execute(path), path
    finally:
        subprocess.run([sys.executable, "-m", "nbml", "stop", "progression"], cwd=folder, check=False, capture_output=True)


def test_it_tells_its_story(ran) -> None:
    notebook, path = ran
    shown = said(notebook)
    for word in (
        "progression@preview", "def _make_lipids(", "class Clip(", "OBESE = 30.0", "proven on", "running", "True", "hdl >= 30, mostly=0.9",
        "progression@1 refused 1 of 3 rows: row 1, age = 230", "p-001", "442 rows of patients.parquet",
        "row 200, bmi = 600", "nothing was written · written: False", "stopped",
    ):  # fmt: skip
        assert word in shown, word
    scored = pd.read_parquet(path.parent / "scored.parquet")
    assert (len(scored), scored["id"].iloc[-1], scored["prediction"].isna().sum()) == (442, "p-442", 0)
    store = Store(path.parent)
    assert [store.latest(kind) != [] for kind in ("suite", "service", "deployment")] == [True] * 3
    store.close()


def test_every_result_says_the_same_in_each_form_and_asks_nobody(ran) -> None:
    notebook, path = ran
    for data in rich(notebook):
        assert data["text/html"]
        assert data["text/plain"]
    assert "widget" not in str(notebook.metadata)
    assert loads(export(path)) == []
