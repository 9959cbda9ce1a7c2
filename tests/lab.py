"""A real JupyterLab server of its own: folders, token, free loopback port; ended by its pid."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from conftest import ended, until

TOKEN = "token-of-the-tests"
#: kept out of Lab's way: its news toast covers ours
SETTINGS = {"@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False}}


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class LabServer:
    """JupyterLab over ``work``; all its own files lie below ``home``."""

    def __init__(self, home: Path, work: Path, *, base_url: str = "/", extra: list[str] | None = None) -> None:
        self.home, self.work, self.port, self.token = home, work, free_port(), TOKEN
        self.runtime = home / "runtime"
        self.base = f"http://127.0.0.1:{self.port}{base_url.rstrip('/')}"
        for name, value in SETTINGS.items():
            file = home / "settings" / f"{name}.jupyterlab-settings"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(value))
        self.log = home / "server.log"
        arguments = [
            sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={self.port}", "--ServerApp.port_retries=0", f"--ServerApp.base_url={base_url}",
            f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={work}", "--LabApp.news_url=None",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", "--LabApp.extension_manager=readonly",
            "--LabApp.expose_app_in_browser=True", *(extra or []),
        ]  # fmt: skip
        with self.log.open("w") as log:
            self.process = subprocess.Popen(arguments, env=self.env(), stdout=log, stderr=log, start_new_session=True)
        until(self.answers, 60, "Jupyter's server answers")

    def env(self) -> dict[str, str]:
        home = str(self.home)
        own = {
            "HOME": home, "JUPYTER_CONFIG_DIR": f"{home}/config", "JUPYTER_DATA_DIR": f"{home}/data",
            "JUPYTER_RUNTIME_DIR": str(self.runtime), "IPYTHONDIR": f"{home}/ipython",
            "JUPYTERLAB_SETTINGS_DIR": f"{home}/settings", "JUPYTERLAB_WORKSPACES_DIR": f"{home}/workspaces",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "PYTHONWARNINGS": "ignore",
        }  # fmt: skip
        return {**{k: v for k, v in os.environ.items() if k != "NBML_PROJECT"}, **own}

    def answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()[-3000:]
        with contextlib.suppress(OSError):
            return self.get("api/status")[0] == 200
        return False

    def get(self, path: str, *, token: str = TOKEN, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        """Status and JSON (or text) of a request; a ``body`` makes it a POST."""
        full = dict(headers or {})
        if token:
            full["Authorization"] = f"token {token}"
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.base}/{path}", data, full)
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return reply.status, _value(reply.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _value(error.read())

    def close(self) -> None:
        """End the server; it ends its kernels."""
        ended(self.process)


def _value(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode(errors="replace")
