"""The project of these tests holds packaged services; after each test nothing of it runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import serving


@pytest.fixture
def project(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project with churn@1 and churn@2 packaged."""
    with serving.place(tmp_path, tmp_path_factory.getbasetemp()) as root:
        yield root


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The same project for all tests of a module, with churn@1 deployed."""
    import nbml

    with serving.place(tmp_path_factory.mktemp("served"), tmp_path_factory.getbasetemp()) as root:
        nbml.deploy("churn@1")
        yield root
