"""The project of these tests holds packaged services; after each test nothing of it runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import serving


@pytest.fixture()
def project(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project with churn@1, churn@2 and broken@1 packaged."""
    from nbml import deploying, store

    root = tmp_path / "project"
    serving.copied(tmp_path_factory.getbasetemp(), root)
    monkeypatch.chdir(root)
    monkeypatch.setenv("NBML_PROJECT", str(root))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.delenv("JUPYTERHUB_USER", raising=False)
    store.use(None)
    yield root
    for thing in store.current().latest("deployment"):
        deploying.stop(thing.name)
    store.use(None)
    assert serving.processes(root) == {}
