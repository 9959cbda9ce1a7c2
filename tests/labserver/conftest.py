"""One Jupyter server for the tests of its extension."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import LabServer


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the server serves."""
    return tmp_path_factory.mktemp("work").resolve()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, work: Path) -> Iterator[LabServer]:
    """A real server under a base URL, as JupyterHub gives one."""
    started = LabServer(tmp_path_factory.mktemp("home").resolve(), work, base_url="/user/ada/")
    yield started
    started.close()
