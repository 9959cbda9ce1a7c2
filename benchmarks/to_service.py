"""How long it takes from a fitted model to a proven Bento that answers: slice, package, start. Ratios of one run on one machine.

    python benchmarks/to_service.py [--rounds 5]

Models are made in cells of an IPython shell. Peers: ``bentoml.sklearn.save_model`` and ``bentoml build`` of the service that BentoML's
documentation teaches (which proves nothing), and ``bentoml.bentos.serve``'s worker for that Bento. The first package of a model's
requirements makes its environment; that one is named, and not in the medians.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

DATA = """
import numpy as np, pandas as pd
from sklearn.datasets import load_breast_cancer
X, y = load_breast_cancer(as_frame=True, return_X_y=True)
"""
OWN = """
from sklearn.base import BaseEstimator, TransformerMixin

class Ratios(BaseEstimator, TransformerMixin):
    def fit(self, X, y=None):
        self.means_ = X.mean()
        return self

    def transform(self, X):
        return (X / self.means_).assign(more=X.iloc[:, 0] / X.iloc[:, 1])
"""
#: a model as cells make it, by title; the last line of each defines ``model``
MODELS = {
    "LogisticRegression": [
        "from sklearn.linear_model import LogisticRegression",
        "model = LogisticRegression(max_iter=10_000).fit(X, y)",
    ],
    "scaler and LogisticRegression": [
        "from sklearn.pipeline import make_pipeline\nfrom sklearn.preprocessing import StandardScaler",
        "from sklearn.linear_model import LogisticRegression",
        "model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)",
    ],
    "HistGradientBoosting(100)": [
        "from sklearn.ensemble import HistGradientBoostingClassifier",
        "model = HistGradientBoostingClassifier(max_iter=100).fit(X, y)",
    ],
    "RandomForest(100)": [
        "from sklearn.ensemble import RandomForestClassifier",
        "model = RandomForestClassifier(100, random_state=1).fit(X, y)",
    ],
    "own transformer and HGB": [
        OWN,
        "from sklearn.pipeline import make_pipeline\nfrom sklearn.ensemble import HistGradientBoostingClassifier",
        "model = make_pipeline(Ratios(), HistGradientBoostingClassifier(max_iter=100)).fit(X, y)",
    ],
    "predict(df) in cells": [
        "LIMIT = 15.0",
        "def scaled(df):\n    return df['mean radius'] / LIMIT",
        "def model(df):\n    return np.where(scaled(df) > 1, 'large', 'small')",
    ],
}
DOCUMENTED = """
import bentoml, numpy as np

@bentoml.service(workers=1)
class Model:
    def __init__(self) -> None:
        self.model = bentoml.sklearn.load_model("peer:latest")

    @bentoml.api
    def predict(self, x: np.ndarray) -> np.ndarray:
        return self.model.predict(x)
"""


def seconds(work: Callable[..., Any], *args: Any, **kwargs: Any) -> tuple[float, Any]:
    began = time.perf_counter()
    found = work(*args, **kwargs)
    return time.perf_counter() - began, found


def started(bento: Path, python: str, home: Path) -> float:
    """Seconds from the start of a worker until it is ready."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    command = [python, "-m", "_bentoml_impl.worker.service", str(bento), "--fd", str(listening.fileno()), "--worker-id", "1"]
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "NBML_"))} | {"BENTOML_DO_NOT_TRACK": "True"}
    began = time.perf_counter()
    with (home / "worker.log").open("w") as log:
        worker = subprocess.Popen(command, pass_fds=(listening.fileno(),), env=env, stdout=log, stderr=log, cwd=home)
    try:
        while True:  # the connection waits in the socket's queue until the worker takes it
            assert worker.poll() is None, (home / "worker.log").read_text()[-2000:]
            with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=60):
                return time.perf_counter() - began
    finally:
        worker.terminate()
        worker.wait(20)
        listening.close()


def peer(model: Any, home: Path, rounds: int) -> tuple[float, float]:
    """Seconds of saving and building, and of starting, as BentoML's documentation does it."""
    import bentoml

    context = home / "documented"
    context.mkdir()
    (context / "service.py").write_text(DOCUMENTED)

    def build() -> Any:
        bentoml.sklearn.save_model("peer", model)
        return bentoml.bentos.build("service:Model", name="peer", build_ctx=str(context), models=["peer:latest"])

    built, ready = [], []
    for _ in range(rounds):
        took, bento = seconds(build)
        built.append(took)
        ready.append(started(Path(bento.path), sys.executable, home))
    return statistics.median(built), statistics.median(ready)


def shell() -> Any:
    from IPython.core.interactiveshell import InteractiveShell

    made = InteractiveShell.instance()
    made.run_line_magic("load_ext", "nbml")
    return made


def run(home: Path, rounds: int) -> None:
    import nbml

    cells = shell()
    cells.run_cell(DATA).raise_error()
    frame, y = cells.user_ns["X"], cells.user_ns["y"]
    built, waited = peer(documented(frame.to_numpy(), y), home, rounds)
    print("| model | runs by | slice, s: median (min) | package, s | the first | ready, s: median (min) | x BentoML's start |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for number, (title, body) in enumerate(MODELS.items()):
        for cell in body:
            cells.run_cell(cell).raise_error()
        model, name = cells.user_ns["model"], f"model{number}"
        slices = [seconds(nbml.slice, "model")[0] for _ in range(rounds)]
        first, version = seconds(nbml.package, model, name=name, on=frame)
        # another name each time: what is packaged already is not packaged again
        packages = [seconds(nbml.package, model, name=f"{name}-{i}", on=frame)[0] for i in range(rounds)]
        ready = [started(Path(version.path), version.python(), home) for _ in range(rounds)]
        kind = version.manifest["execution"]["kind"]
        ratio = statistics.median(ready) / waited
        print(f"| {title} | {kind} | {of(slices, 3)} | {of(packages)} | {first:.2f} | {of(ready)} | {ratio:.2f} |", flush=True)
    print(f"\nBentoML as documented (LogisticRegression; nothing proven): built in {built:.2f} s, ready in {waited:.2f} s.")


def of(found: list[float], places: int = 2) -> str:
    return f"{statistics.median(found):.{places}f} ({min(found):.{places}f})"


def documented(x: Any, y: Any) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=10_000).fit(x, y)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}\n")
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"NBML_PROJECT": folder, "BENTOML_HOME": str(Path(folder, "bentoml")), "BENTOML_DO_NOT_TRACK": "True"}
        start = Path.cwd()
        os.chdir(folder)
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            run(Path(folder), asked.rounds)
        os.chdir(start)


if __name__ == "__main__":
    main()
