"""Around a run: the machine, the libraries, the seeds, Git, the cell. None of it is ever waited for long, or missed."""

from __future__ import annotations

import ast
import functools
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
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
#: calls that seed a generator
SEEDING = re.compile(
    r"\b(?:\w+\.)*(?:seed|manual_seed|manual_seed_all|set_seed|set_random_seed|seed_everything|default_rng|RandomState|PRNGKey)"
    r"\(\s*(?:seed\s*=\s*)?(?:\d[\d_]*|[A-Za-z_]\w*)?\s*\)"
)


def environment(modules: Iterable[str]) -> dict[str, Any]:
    """Python, platform, processors, and the versions of the libraries that are loaded or that ``modules`` belong to."""
    found: dict[str, Any] = {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "packages": packages(modules),
    }
    if processor := _processor():
        found["cpu"] = processor
    return found | ({"gpu": _gpus} if _gpus else {})


def packages(modules: Iterable[str]) -> dict[str, str]:
    """Distribution -> version, for top-level modules and what of ``STACK`` is loaded. Modules of no distribution are left out."""
    wanted = [name for name in STACK if name in sys.modules]
    wanted += sorted({name for name in modules if name not in STACK and name not in sys.stdlib_module_names})
    known = _installed()
    found = {}
    for name in wanted:
        dist = STACK.get(name) or (name if _normal(name) in known else _distributions().get(name, ""))
        version = known.get(_normal(dist)) or str(getattr(sys.modules.get(name), "__version__", "") if name in STACK else "")
        if version:
            found[dist] = version
    return found


def modules_of(namespace: Mapping[str, Any]) -> set[str]:
    """The top-level modules that the values of a namespace come from."""
    found = set()
    for name, value in list(namespace.items()):
        if not name.startswith("_"):
            home = getattr(value, "__name__", "") if isinstance(value, type(sys)) else getattr(value, "__module__", None)
            home = home if isinstance(home, str) else type(value).__module__
            found.add(home.partition(".")[0])
    return found - {"builtins", "__main__", "IPython", ""}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _installed() -> dict[str, str]:
    """Normalised distribution -> version, as the names of the ``.dist-info`` folders say: no file is opened."""
    found: dict[str, str] = {}
    for folder in sys.path:
        try:
            entries = os.listdir(folder or ".")  # noqa: PTH208 - names only, in a third of the time
        except OSError:
            continue
        for entry in entries:
            if entry.endswith(".dist-info"):
                name, _, version = entry[: -len(".dist-info")].partition("-")
                found.setdefault(_normal(name), version)
    return found


@functools.cache
def _distributions() -> dict[str, str]:
    """Module -> distribution, for those whose names differ. Slow (opens a file of each distribution)."""
    from importlib.metadata import packages_distributions

    return {module: dists[0] for module, dists in packages_distributions().items()}


@functools.cache
def _processor() -> str:
    """What the processor calls itself."""
    try:
        match = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        match = None
    return match[1].strip() if match else platform.processor()


def generators() -> dict[str, str]:
    """Digests of the states of the global generators, as they are now."""
    found = {}
    if "random" in sys.modules:
        found["random"] = _digest(repr(sys.modules["random"].getstate()).encode())
    numpy = sys.modules.get("numpy.random")
    if numpy is not None:
        state = numpy.get_state(legacy=False)
        found["numpy"] = _digest(repr((state["bit_generator"], state["state"].get("pos"), state["gauss"])).encode() + _key(state))
    return found


def _key(state: Mapping[str, Any]) -> bytes:
    key = state["state"].get("key")
    return b"" if key is None else bytes(key.tobytes())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def seeding(sources: Iterable[str]) -> list[str]:
    """The calls that seed a generator, as they stand in the sources: the last of each kind."""
    calls = [match[0] for source in sources for match in SEEDING.finditer(source)]
    return list({call.partition("(")[0]: call for call in calls}.values())


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


def after_cell(job: Callable[[], None]) -> None:
    """Do ``job`` once the running cell has ended and is recorded; at once where none runs."""
    from nbml.slicing import recorder

    kept, shell = recorder.current(), running_shell()
    if kept is not None:
        kept.when_done(job)
    elif shell is not None and in_cell(shell):

        def ended(*_: Any) -> None:
            shell.events.unregister("post_run_cell", ended)
            job()

        shell.events.register("post_run_cell", ended)
    else:
        job()


def cell_runs() -> bool:
    """Whether a cell of a notebook is running."""
    from nbml.slicing import recorder

    kept, shell = recorder.current(), running_shell()
    return kept.running is not None if kept is not None else shell is not None and in_cell(shell)


def in_cell(shell: Any) -> bool:
    """Whether the running code is, or was called by, a cell."""
    frame = sys._getframe(1)
    names = shell.user_ns
    while frame is not None:
        if frame.f_locals is names or (frame.f_code.co_name == "<module>" and frame.f_globals is shell.user_global_ns):
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


def cells() -> list[str]:
    """The sources of the cells that ran in this notebook, the running one included."""
    from nbml.slicing import recorder

    kept, shell = recorder.current(), running_shell()
    if kept is not None:
        running = kept.running
        return [cell.source for cell in kept.cells] + ([running.raw_cell] if running is not None else [])
    history = getattr(shell, "history_manager", None)
    return [] if history is None else list(history.input_hist_raw)


def assigned() -> tuple[str, ...]:
    """The names that the statements of the running cell bind."""
    from nbml.slicing.cells import bound

    return bound(_as_run())


def read() -> set[str]:
    """The names that the running cell reads."""
    try:
        tree = ast.parse(_as_run())
    except SyntaxError:
        return set()
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def _as_run() -> str:
    """The Python of the running cell."""
    from nbml.slicing.cells import as_run

    shell = running_shell()
    source = str((_running() or _newest(shell)).get("source", "")) if shell is not None else ""
    return as_run(shell, source)[0] if source else ""


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
