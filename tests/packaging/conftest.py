"""A notebook whose cells run in a real shell; a Bento started as the deployment does it, by BentoML's worker on an inherited socket."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import ended, until

Run = Callable[[str], Any]

FRAME = """
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

draw = np.random.default_rng(0)
X = pd.DataFrame({"age": draw.integers(18, 90, 120), "income": draw.normal(30, 9, 120)}, index=pd.RangeIndex(500, 620, name="customer"))
y = pd.Series(np.where(X["age"] + X["income"] > 80, "stays", "leaves"), index=X.index)


def ratio(frame):
    return frame.assign(ratio=frame["income"] / frame["age"])


model = make_pipeline(FunctionTransformer(ratio), StandardScaler(), LogisticRegression()).fit(X, y)
"""


@pytest.fixture
def run(shell: Any) -> Run:
    """Runs a cell and gives its value; an error of the cell is raised."""

    def cell(source: str) -> Any:
        result = shell.run_cell(source, store_history=True)
        result.raise_error()
        return result.result

    return cell


@pytest.fixture
def notebook(run: Run) -> Run:
    """``run``, after the cells that fit ``model`` on ``X`` and ``y``."""
    for source in FRAME.split("\n\n\n"):
        run(source)
    return run


class Serving:
    """A worker at work; ``get`` and ``ask`` are HTTP."""

    def __init__(self, bento: Path, home: Path, python: str, **env: str) -> None:
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(64)
        self.socket.set_inheritable(True)
        self.base = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.log = home / "service.log"
        self.headers: dict[str, str] = {}
        number = self.socket.fileno()
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "NBML_"))}
        full = {**clean, "BENTOML_DO_NOT_TRACK": "True", "BENTOML_HOME": str(home / "bentoml"), **env}
        command = [python, "-m", "_bentoml_impl.worker.service", str(bento), "--fd", str(number), "--worker-id", "1"]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, env=full, cwd=home, pass_fds=[number], stdout=log, stderr=log)

    def get(self, path: str, data: bytes | None = None, **headers: str) -> tuple[int, str, bytes]:
        request = urllib.request.Request(self.base + path, data, {**self.headers, **{k.replace("_", "-"): v for k, v in headers.items()}})
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return reply.status, reply.headers["content-type"], reply.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers["content-type"], error.read()

    def ask(self, rows: list[dict[str, Any]], **more: Any) -> tuple[int, dict[str, Any]]:
        body = json.dumps({"rows": rows, **more}).encode()
        status, _, answer = self.get("/predict", body, Content_Type="application/json")
        return status, json.loads(answer)

    def close(self) -> None:
        ended(self.process)
        self.socket.close()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Serving]]:
    """Starts Bentos; all are ended."""
    started: list[Serving] = []

    def start(bento: Path, python: str = sys.executable, **env: str) -> Serving:
        worker = Serving(bento, tmp_path, python, **env)
        started.append(worker)
        until(lambda: worker.process.poll() is not None or worker.get("/readyz")[0] == 200, 40, "the service answers")
        assert worker.process.poll() is None, worker.log.read_text()[-3000:]
        return worker

    yield start
    for worker in started:
        worker.close()
