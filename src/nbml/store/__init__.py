"""The project's record: SQLite for what has a name, content-addressed files for what is large."""

from __future__ import annotations

from pathlib import Path

from nbml.store.processes import Process
from nbml.store.project import resolve
from nbml.store.record import Store, Thing, check_name, split_ref

__all__ = ["Process", "Store", "Thing", "check_name", "current", "opened", "resolve", "split_ref", "use"]

_current: Store | None = None


def current() -> Store:
    """The store of this process's project; resolved once, at load or at the first call."""
    global _current
    if _current is None:
        _current = Store(resolve())
    return _current


def opened() -> Store | None:
    """The store, if one was opened; never opens one."""
    return _current


def use(root: Path | str | None) -> Store | None:
    """Make ``root`` this process's project; None forgets it."""
    global _current
    if _current is not None:
        _current.close()
    _current = None if root is None else Store(Path(root))
    return _current
