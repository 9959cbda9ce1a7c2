"""A project with packaged services, made once for a test session and copied for each test; and what is left of it."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import socket
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

COLUMNS = ["mean_radius", "mean_texture", "mean_area"]


@functools.cache
def data() -> tuple[pd.DataFrame, pd.Series]:
    """Three columns of real measurements, and which of them are benign."""
    from sklearn.datasets import load_breast_cancer

    frame = load_breast_cancer(as_frame=True).frame
    frame.columns = [name.replace(" ", "_") for name in frame.columns]
    return frame[COLUMNS], frame["target"]


@functools.cache
def model(strength: float) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=strength)).fit(*data())


@functools.cache
def packed(folder: Path) -> Path:
    """A project in which churn@1 and churn@2 are packaged."""
    import nbml
    from nbml import store

    before = store.opened()
    root = folder / "packed"
    root.mkdir(exist_ok=True)
    store.use(root)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for strength in (1.0, 1e-4):
                nbml.package(model(strength), name="churn", on=data()[0])
    finally:
        store.use(before.root if before is not None else None)
    return root


@contextlib.contextmanager
def place(folder: Path, base: Path) -> Iterator[Path]:
    """The packed project once more, as this process's project; at the end all of it is stopped, and nothing is left."""
    from nbml import registry, store

    root = folder / "project"
    shutil.copytree(packed(base), root, symlinks=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setenv("NBML_PROJECT", str(root))
        patch.setenv("JUPYTER_RUNTIME_DIR", str(folder / "runtime"))
        patch.delenv("JUPYTERHUB_USER", raising=False)
        store.use(None)
        try:
            yield root
        finally:
            for path in (root / ".nbml" / "deployments").glob("*"):
                registry.adapter("nbml.targets", "local")(store.current()).stop(path.name)
            store.use(None)
            assert processes(root) == {}


#: a Bento made by hand, which loads no model: for what concerns processes only
HAND = """
import bentoml

@bentoml.service(name="hand", workers=1, tracing={"excluded_urls": ".*"}, logging={"access": {"enabled": False}})
class Service:
    @bentoml.api
    def version(self) -> str:
        return "hand@%d"
"""


def hand(root: Path) -> None:
    """Bentos that say hand@1 and hand@2, and one that dies at start, as folders of a project."""
    for version, more in ((1, ""), (2, ""), (3, '\nraise RuntimeError("no licence")\n')):
        folder = root / "bentos" / str(version)
        folder.mkdir(parents=True)
        (folder / "service.py").write_text(HAND % version + more)


def version(url: str) -> str:
    """What a Bento made by hand answers at ``url``; "" where nothing does."""
    request = urllib.request.Request(f"{url}/version", b"{}", {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return str(reply.read().decode())
    except OSError:
        return ""


@contextlib.contextmanager
def broken(ref: str) -> Iterator[None]:
    """The worker of this packaged version dies at start, within the block."""
    import nbml

    module = nbml.service(ref).path / "src" / "bridge.py"  # where a model is translated, the service does not load its module
    sound = module.read_text()
    module.chmod(0o644)
    module.write_text(sound + '\nraise RuntimeError("no licence for this model")\n')
    yield
    module.write_text(sound)


def processes(root: Path) -> dict[int, str]:
    """The living processes whose command line names the project."""
    found = {}
    for path in Path("/proc").iterdir():
        if path.name.isdigit() and int(path.name) != os.getpid():
            try:
                line = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if f"{root}/" in line or f"{root} " in line:
                found[int(path.name)] = line.strip()
    return found


def free(port: int) -> bool:
    """Whether nobody listens on a port of loopback."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def ask(url: str, body: Any, token: str = "", timeout: float = 30.0) -> tuple[int, Any]:
    """Status and JSON of ``POST /predict``."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(f"{url}/predict", json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def rows(count: int = 1) -> list[dict[str, float]]:
    return data()[0].head(count).to_dict("records")


@pytest.fixture
def project(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project with churn@1 and churn@2 packaged."""
    with place(tmp_path, tmp_path_factory.getbasetemp()) as root:
        yield root


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The same project for all tests of a module, with churn@1 deployed."""
    import nbml

    with place(tmp_path_factory.mktemp("served"), tmp_path_factory.getbasetemp()) as root:
        nbml.deploy("churn@1")
        yield root
