"""A service is linked to the run whose fit made its model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import nbml
from nbml.store import current

pytestmark = pytest.mark.slow


def test_from_data_over_the_run_to_the_service(notebook: Callable[[str], Any]) -> None:
    notebook("import nbml; nbml.snapshot(X, name='churn')")
    notebook("with nbml.track('fit') as tracked:\n    model.fit(X, y)\n    nbml.log(auc=0.9)")
    service = notebook("served = nbml.package(model, 'churn', y=y); served")
    run = nbml.run("fit")
    assert [(role, thing.ref) for role, thing in current().edges_from(service.thing) if thing.kind == "run"] == [("fitted in", "fit@1")]
    assert "lineage: churn@1 → fit@1 → churn@1" in repr(run)
