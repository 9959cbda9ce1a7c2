"""The local target keeps the promises of all targets, with two Bentos made by hand and one that dies at start."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

import serving
from nbml import registry, store
from nbml.deploying.targets import Order
from nbml.testing.targets import TargetSuite

pytestmark = pytest.mark.slow

SERVICE = """
import bentoml

@bentoml.service(name="hand", workers=1, tracing={"excluded_urls": ".*"}, logging={"access": {"enabled": False}})
class Service:
    @bentoml.api
    def version(self) -> str:
        return "hand@%d"
"""


class TestLocal(TargetSuite):
    @pytest.fixture(autouse=True)
    def place(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
        monkeypatch.setenv("NBML_PROJECT", str(tmp_path))
        store.use(None)
        for version, more in ((1, ""), (2, ""), (3, '\nraise RuntimeError("no licence")\n')):
            folder = tmp_path / "bentos" / str(version)
            folder.mkdir(parents=True)
            (folder / "service.py").write_text(SERVICE % version + more)
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
        request = urllib.request.Request(f"{url}/version", b"{}", {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return str(reply.read().decode())
        except OSError:
            return ""
