"""Fixtures that every test may use: a project, a shell, a kernel."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("JUPYTER_PLATFORM_DIRS", "1")
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that starts tests in the background lets it be ignored
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def ended(process: subprocess.Popen[Any], seconds: float = 20.0) -> None:
    """Ask a process that a test started to end, and make it."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def until(condition: Callable[[], Any], seconds: float = 20.0, what: str = "") -> Any:
    """The first true value of ``condition``; fails after ``seconds``. Tests wait with this, never by sleeping."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            pytest.fail(f"not within {seconds:g} s: {what or condition}")
        time.sleep(0.02)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """PyTorch's tests come last: they may have to install it first."""
    items.sort(key=lambda item: item.get_closest_marker("torch") is not None)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty project folder: the working folder, and this process's project."""
    from nbml import store

    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.chdir(root)
    monkeypatch.setenv("NBML_PROJECT", str(root))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    store.use(None)
    yield root
    after = sys.modules.get("nbml.tracking.after")
    if after is not None:  # what is found out about runs after their blocks needs the project
        after.wait(timeout=30)
    store.use(None)


@pytest.fixture
def shell(project: Path) -> Iterator[Any]:
    """A real InteractiveShell with nbml loaded; ``shell.user_ns`` is the notebook."""
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.testing.globalipapp import start_ipython

    before = sys.modules.get("__main__")
    ip = start_ipython() or InteractiveShell.instance()
    ip.reset(new_session=True)
    ip.run_line_magic("load_ext", "nbml")
    yield ip
    ip.run_line_magic("unload_ext", "nbml")
    ip.reset(new_session=True)
    if before is not None:
        sys.modules["__main__"] = before


@pytest.fixture
def no_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a plain script, though another test may have made a shell in this process."""
    from IPython.core.interactiveshell import InteractiveShell

    monkeypatch.setattr(InteractiveShell, "initialized", classmethod(lambda cls: False))


@dataclass
class Outcome:
    """What a cell gave: ``text`` of streams, ``error`` (name, message, traceback text) or None, ``outputs`` as MIME bundles."""

    text: str = ""
    error: tuple[str, str, str] | None = None
    outputs: list[dict[str, Any]] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)
    payload: list[dict[str, Any]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return self.error is None

    @property
    def shown(self) -> str:
        """All that a terminal would show."""
        return self.text + "\n".join(str(out.get("text/plain", "")) for out in self.outputs)


class Kernel:
    """A real ipykernel in ``folder``, over jupyter_client."""

    def __init__(self, folder: Path, env: dict[str, str] | None = None, name: str = "test.ipynb") -> None:
        from jupyter_client.manager import KernelManager

        self.manager = KernelManager(kernel_name="python3")
        self.manager.kernel_spec.argv[0] = sys.executable
        full = {**os.environ, "JPY_SESSION_NAME": str(folder / name), **(env or {})}
        self.manager.start_kernel(cwd=str(folder), env=full)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    @property
    def pid(self) -> int:
        return int(self.manager.provisioner.pid)

    def run(self, code: str, timeout: float = 120.0) -> Outcome:
        outcome = Outcome()
        reply = self.client.execute_interactive(
            code, timeout=timeout, store_history=True, allow_stdin=False, output_hook=lambda m: _collect(m, outcome)
        )
        content = reply["content"]
        outcome.payload = content.get("payload", [])
        if content["status"] == "error" and outcome.error is None:
            outcome.error = (content["ename"], content["evalue"], "")
        return outcome

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def _collect(message: dict[str, Any], outcome: Outcome) -> None:
    kind, content = message["msg_type"], message["content"]
    if kind == "stream":
        outcome.text += content["text"]
    elif kind == "error":
        outcome.error = (content["ename"], content["evalue"], ANSI.sub("", "\n".join(content["traceback"])))
    elif kind in ("display_data", "execute_result"):
        outcome.outputs.append(content["data"])
    elif kind == "update_display_data":
        outcome.updates.append(content["data"])


@pytest.fixture
def kernels(project: Path) -> Iterator[Callable[..., Kernel]]:
    """Starts kernels in the project; all are ended."""
    started: list[Kernel] = []

    def start(env: dict[str, str] | None = None, name: str = "test.ipynb") -> Kernel:
        started.append(Kernel(project, env, name))
        return started[-1]

    yield start
    for kernel in started:
        kernel.close()


@pytest.fixture
def kernel(kernels: Callable[..., Kernel]) -> Kernel:
    """A real kernel with nbml loaded."""
    started = kernels()
    assert started.run("%load_ext nbml").ok
    return started
