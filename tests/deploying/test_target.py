"""The local target keeps the promises of all targets, with two Bentos made by hand and one that dies at start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import serving
from nbml import registry, store
from nbml.deploying.targets import Order
from nbml.testing.targets import TargetSuite

pytestmark = pytest.mark.slow


class TestLocal(TargetSuite):
    @pytest.fixture(autouse=True)
    def place(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
        monkeypatch.setenv("NBML_PROJECT", str(tmp_path))
        store.use(None)
        serving.hand(tmp_path)
        yield tmp_path
        store.use(None)
        assert serving.processes(tmp_path) == {}

    @pytest.fixture
    def target(self, place: Path) -> object:
        return registry.adapter("nbml.targets", "local")(store.current())

    @pytest.fixture
    def order(self) -> Order:
        return Order("hand", "hand@1", "bentos/1")

    @pytest.fixture
    def newer(self) -> Order:
        return Order("hand", "hand@2", "bentos/2")

    @pytest.fixture
    def broken(self) -> Order:
        return Order("hand", "hand@3", "bentos/3")

    def answers(self, url: str) -> str:
        return serving.version(url)
