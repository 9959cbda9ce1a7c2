"""Around a run: the machine, the libraries, Git, the cell, the pictures. None of it is ever waited for long, or missed."""

from __future__ import annotations

import functools
import io
import os
import platform
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from nbml.display.notebook import shell as running_shell

#: imported module -> distribution: the libraries on which a result hangs
STACK = {
    "numpy": "numpy", "pandas": "pandas", "polars": "polars", "pyarrow": "pyarrow", "scipy": "scipy", "sklearn": "scikit-learn",
    "statsmodels": "statsmodels", "xgboost": "xgboost", "lightgbm": "lightgbm", "catboost": "catboost", "torch": "torch",
    "tensorflow": "tensorflow", "keras": "keras", "jax": "jax", "transformers": "transformers", "imblearn": "imbalanced-learn",
    "joblib": "joblib", "optuna": "optuna", "category_encoders": "category-encoders", "nbml": "nbml",
}  # fmt: skip
#: seconds that Git may take, all together
GIT = 2.0
#: bytes of a diff that are kept
DIFF = 1_000_000
#: pictures of a run that are kept
FIGURES = 20


def environment() -> dict[str, Any]:
    """Python, platform, processors, and the versions of the libraries that are loaded."""
    packages = {dist: version for module, dist in STACK.items() if (version := _version(module, dist))}
    found: dict[str, Any] = {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "packages": packages,
    }
    return found | ({"gpu": _gpus} if _gpus else {})


def _version(module: str, dist: str) -> str:
    loaded = sys.modules.get(module)
    if loaded is None:
        return ""
    known = getattr(loaded, "__version__", None)
    if isinstance(known, str):
        return known
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(dist)
    except PackageNotFoundError:
        return ""


_gpus: list[str] = []


@functools.cache
def look_for_gpus() -> None:
    """Ask ``nvidia-smi`` where there is one, in a thread of its own; the answer is there when it is there."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return

    def ask() -> None:
        try:
            command = [program, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True, stdin=subprocess.DEVNULL)
        except (OSError, subprocess.SubprocessError):
            return
        _gpus[:] = [line.strip() for line in done.stdout.splitlines() if line.strip()]

    threading.Thread(target=ask, name="nbml-gpu", daemon=True).start()


def git(root: Path) -> dict[str, Any]:
    """Commit, whether files differ from it, and how (``diff``, not for storing as it is). {} outside Git, or where it is slow.

    Nothing that the repository's own configuration names is run.
    """
    if not any((folder / ".git").exists() for folder in (root, *root.parents)) or shutil.which("git") is None:
        return {}
    end = time.monotonic() + GIT
    try:
        commit = _git(root, end, "rev-parse", "HEAD").strip()
        dirty = bool(_git(root, end, "status", "--porcelain", "--untracked-files=no").strip())
        found: dict[str, Any] = {"commit": commit, "dirty": dirty}
        if dirty:
            found["diff"] = _git(root, end, "diff", "--no-ext-diff", "--no-textconv", "--no-color", "HEAD")[:DIFF]
        return found
    except (OSError, subprocess.SubprocessError):
        return {}


def _git(root: Path, end: float, *arguments: str) -> str:
    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false", *arguments]
    env = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    left = max(0.05, end - time.monotonic())
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, timeout=left, check=True, stdin=subprocess.DEVNULL)
    return done.stdout.decode("utf-8", "replace")


def cell(root: Path) -> dict[str, Any]:
    """The running cell and its notebook: ``source``, ``id``, ``notebook`` (relative to the project), where known."""
    shell = running_shell()
    if shell is None:
        return {}
    found = _running() or _newest(shell)
    path = notebook(shell)
    if path is not None:
        found["notebook"] = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    return found


def _running() -> dict[str, Any]:
    """The outermost cell that the recorder has seen begin and not end."""
    from nbml.slicing import recorder

    kept = recorder.current()
    info = kept.running if kept is not None else None
    if info is None:
        return {}
    return {"source": info.raw_cell, "id": info.cell_id or ""}


def _newest(shell: Any) -> dict[str, Any]:
    """Without a recorder: the newest input of the history, which is the running cell's."""
    history = getattr(shell, "history_manager", None)
    if history is None or len(history.input_hist_raw) < 2:
        return {}
    return {"source": history.input_hist_raw[-1], "id": ""}


def notebook(shell: Any) -> Path | None:
    """The notebook's path, where the front end told it."""
    told = getattr(shell, "user_ns", {}).get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME")
    if not isinstance(told, str) or not told.endswith(".ipynb"):
        return None
    path = Path(told)
    return (path if path.is_absolute() else Path.cwd() / path).resolve()


def reset_peak() -> bool:
    """Count peak memory from now on. False where the system does not."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def peak() -> int | None:
    """The most memory, in bytes, that this process held since ``reset_peak``."""
    try:
        match = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    except OSError:
        return None
    return int(match[1]) * 1024 if match else None


def figures() -> list[tuple[str, bytes]]:
    """matplotlib's open figures: title and PNG. Nothing is imported or closed."""
    if "matplotlib.pyplot" not in sys.modules:
        return []
    found = []
    managers = sys.modules["matplotlib._pylab_helpers"].Gcf.get_all_fig_managers()
    for manager in sorted(managers, key=lambda one: one.num)[:FIGURES]:
        drawn, sink = manager.canvas.figure, io.BytesIO()
        drawn.savefig(sink, format="png", bbox_inches="tight")
        title = drawn.get_suptitle() or next((axes.get_title() for axes in drawn.axes if axes.get_title()), "")
        found.append((title or f"figure {manager.num}", sink.getvalue()))
    return found
