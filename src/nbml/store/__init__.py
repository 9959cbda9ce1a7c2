"""The project's record: SQLite for what has a name, content-addressed files for what is large."""

from __future__ import annotations

from pathlib import Path

from nbml.store.processes import Process
from nbml.store.project import FOLDER, resolve, writable
from nbml.store.record import ELSEWHERE, Store, Thing, check_name, split_ref

__all__ = [
    "ELSEWHERE", "Process", "Store", "Thing", "check_name", "choose", "chosen", "current", "existing", "opened", "resolve",
    "split_ref", "use", "writable",
]  # fmt: skip

_current: Store | None = None
_chosen: Path | None = None


def current() -> Store:
    """The store of this process's project; resolved once, at load or at the first call."""
    global _current
    if _current is None:
        _current = Store(chosen())
    return _current


def opened() -> Store | None:
    """The store, if one was opened; never opens one."""
    return _current


def choose(root: Path | None) -> None:
    """Make ``root`` this process's project, to be opened at the first use: nothing is written for it now."""
    global _chosen
    if _current is not None and root != _current.root:
        use(None)
    _chosen = root


def chosen() -> Path:
    """The folder of this process's project; opens nothing."""
    if _current is not None:
        return _current.root
    return resolve() if _chosen is None else _chosen


def existing() -> Store | None:
    """The store where there is one: a mere look does not make it."""
    return current() if _current is not None or (chosen() / FOLDER).is_dir() else None


def use(root: Path | str | None) -> Store | None:
    """Make ``root`` this process's project; None forgets it."""
    global _current, _chosen
    if _current is not None:
        _current.close()
    _chosen = None
    _current = None if root is None else Store(Path(root))
    return _current
