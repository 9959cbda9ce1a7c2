"""The notebook on validation and versions tells its story, each result in every form, with nothing from elsewhere."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from nbml.store import Store
from notebooks.execute import execute
from notebooks.reading import EXAMPLES, export, loads, outputs, rich, said

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory):
    """The executed notebook, in a folder of its own."""
    folder = tmp_path_factory.mktemp("versions")
    path = Path(shutil.copy(EXAMPLES / "02-validate-and-version.ipynb", folder))
    return execute(path), path


def test_it_tells_its_story(ran) -> None:
    notebook, _ = ran
    shown = said(notebook)
    for word in (
        "not validated: draft of", "13 of 13 expectations hold", "3 of 13 expectations fail", '"Barolo" (12 rows)', "deliveries@8",
        "rows-lost", "664 removed", "1 of 5 features drifted", "1 of 9 expectations fail", "psi(amount) < 0.1", "'mostly': 0.95",
        "ExpectationSuiteValidationResult", "2 datasets",
    ):  # fmt: skip
        assert word in shown, word
    assert [o for o in outputs(notebook) if o.output_type in ("stream", "error")] == [], "nothing but results"


def test_what_it_leaves_in_the_record(ran) -> None:
    _, path = ran
    store = Store(path.parent)
    try:
        nights = store.versions("dataset", "deliveries")
        assert [[w["code"] for w in night.body["warnings"]] for night in nights] == [[]] * 8 + [["rows-lost"]]
        checks = store.versions("validation", "deliveries")
        assert [check.state for check in checks[-9:]] == ["well"] * 8 + ["bad"]
    finally:
        store.close()


def test_every_result_says_the_same_in_each_form_and_asks_nobody(ran) -> None:
    notebook, path = ran
    results = rich(notebook)
    assert len(results) >= 10
    for data in results:
        assert data["text/html"]
        assert data["text/plain"]
    assert "widget" not in str(notebook.metadata)
    page = export(path)
    assert loads(page) == []
    for word in ("13 of 13 expectations hold", "rows-lost", "1 of 5 features drifted"):
        assert word in page
