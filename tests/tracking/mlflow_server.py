"""A real MLflow server on loopback; its database is made once."""

from __future__ import annotations

import functools
import os
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conftest import ended, until


@functools.cache
def template() -> bytes:
    """An empty database of MLflow: to make one takes several seconds."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "empty.db"
        code = f"from mlflow import MlflowClient; MlflowClient('sqlite:///{made}').search_experiments()"
        env = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
        subprocess.run([sys.executable, "-c", code], cwd=folder, env=env, check=True, capture_output=True)
        return made.read_bytes()


def up(url: str) -> bool:
    """Whether a server answers."""
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=2) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Its address."""
    (folder / "server.db").write_bytes(template())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
        "--backend-store-uri", f"sqlite:///{folder}/server.db", "--artifacts-destination", str(folder / "artifacts"),
    ]  # fmt: skip
    env = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log, start_new_session=True)
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: up(url), 90, "MLflow's server")
        yield url
    finally:
        ended(server)
