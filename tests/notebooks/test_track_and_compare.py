"""The notebook on runs tells its story: findings, comparison, the same metrics again, why not, a mirror, foreign runs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from conftest import until
from nbml.store import Store, outbox, runs
from notebooks.execute import execute
from notebooks.reading import EXAMPLES, export, loads, rich, said

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory):
    """The executed notebook, in a folder of its own."""
    path = Path(shutil.copy(EXAMPLES / "04-track-and-compare.ipynb", tmp_path_factory.mktemp("tracking")))
    return execute(path), path


def test_it_tells_its_story(ran) -> None:
    notebook, _ = ran
    shown = said(notebook)
    for word in (
        "customers@1", "[finished] baseline@1", "overfit", "target-leak: 'refund' alone gives the target away", "split-overlap",
        "4 runs", "baseline@1 run again", "[same]", "not-reproducible", "train_test_split(X, y, test_size=0.3)",
        "2 runs imported from W&B", "forest-8@1",
    ):  # fmt: skip
        assert word in shown, word


def test_what_it_leaves_is_the_record_and_a_mirror(ran) -> None:
    _, path = ran
    store = Store(path.parent)
    try:
        assert [row.name for row in runs.rows(store)] == [
            "forest-8", "forest-2", "shared", "lucky", "doubled", "with-refunds", "boosting", "baseline",
        ]  # fmt: skip
        until(lambda: not outbox.waiting(store), 60, "W&B has the run")
    finally:
        store.close()
    assert len(list(path.parent.glob("wandb/offline-run-*/*.wandb"))) == 1


def test_every_result_says_the_same_in_each_form_and_asks_nobody(ran) -> None:
    notebook, path = ran
    for data in rich(notebook):
        assert data["text/html"]
        assert data["text/plain"]
    assert loads(export(path)) == []
