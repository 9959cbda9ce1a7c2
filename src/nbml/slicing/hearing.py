"""What a statement opens and runs that its text does not name: files, folders, code of ``exec``, connections.

An audit hook of Python cannot be taken away: it is set once a process, and does nothing while no statement is open.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import get_ident
from types import CodeType
from typing import Any

from nbml.slicing import taking
from nbml.slicing.places import is_input
from nbml.slicing.taking import take
from nbml.store.project import FOLDER

_WRITES = os.O_WRONLY | os.O_RDWR
#: events of connections to elsewhere, and what they are called
_ELSEWHERE = {"socket.connect": "the network", "sqlite3.connect": "a database"}


@dataclass
class Heard:
    """What was heard while one statement ran. ``files``: path -> (how it was named, hash when it was opened, None where large)."""

    files: dict[str, tuple[str, bytes | None]] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)
    code: list[CodeType] = field(default_factory=list)
    elsewhere: set[str] = field(default_factory=set)
    dynamic: bool = False

    def hear(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            if isinstance(args[0], (str, os.PathLike)):
                self.opened(os.fspath(args[0]), args[1], args[2])
        elif event == "exec":
            if self.dynamic and isinstance(args[0], CodeType):
                self.code.append(args[0])
        else:
            self.connected(event, args)

    def opened(self, given: Any, mode: Any, flags: Any) -> None:
        path = os.path.abspath(os.fsdecode(given))  # noqa: PTH100 - on the cell's path
        if not is_input(path):
            return
        given = os.fsdecode(given)
        writes = any(c in mode for c in "wax+") if isinstance(mode, str) else isinstance(flags, int) and bool(flags & _WRITES)
        if writes:
            self.written.setdefault(path, given)
        elif path not in self.files and path not in self.written:
            digest = take(path)
            if digest is not None:
                self.files[path] = (given, digest)

    def connected(self, event: str, args: tuple[Any, ...]) -> None:
        target = args[-1] if event == "socket.connect" else args[0]
        if event == "socket.connect" and (isinstance(target, (str, bytes)) or _is_here(target)):
            return
        if event == "sqlite3.connect" and (os.fsdecode(target) in (":memory:", "") or f"/{FOLDER}/" in os.fsdecode(target)):
            return  # the project's own record: what is read of it has its own names
        self.elsewhere.add(_ELSEWHERE[event])


def _is_here(target: Any) -> bool:
    """An address of this machine: a cluster of workers, no source of data."""
    return isinstance(target, tuple) and str(target[0]).startswith(("127.", "::1", "localhost"))


_now: Heard | None = None
_set = False
_quiet = False


def hear(heard: Heard | None) -> None:
    """Hear for ``heard`` from now on; None hears nothing."""
    global _now, _set
    _now = heard
    if heard is not None and not _set:
        sys.addaudithook(_hook)
        _set = True


def _hook(event: str, args: tuple[Any, ...]) -> None:
    global _quiet
    if _now is None or _quiet or get_ident() in taking.own or (event != "open" and event != "exec" and event not in _ELSEWHERE):
        return
    _quiet = True  # reading a file here is an open too
    try:
        _now.hear(event, args)
    except Exception:  # what a hook raises would stop the opening
        pass
    finally:
        _quiet = False


def aloud(work: Callable[[], Any]) -> Any:
    """What ``work`` gives, done without being heard."""
    global _quiet
    before, _quiet = _quiet, True
    try:
        return work()
    finally:
        _quiet = before
