"""What a prediction reads that no name carries, seen while it is asked: files, folders, environment variables.

An audit hook of Python cannot be taken away: it is set once, at the first watch, and does nothing outside of one.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

#: events of files, and the place of the path among their arguments
_EVENTS = {"open": 0, "os.listdir": 0, "os.scandir": 0, "sqlite3.connect": 0}
_WRITES = os.O_WRONLY | os.O_RDWR
#: modules whose reading of source files is not the prediction's
_MACHINERY = ("importlib", "linecache", "tokenize", "traceback", "inspect", "zipimport")
_ENVIRON = ("<frozen os>", "<frozen _collections_abc>", os.__file__)
#: who reads so many variables at once copies the environment
_MANY = 20

#: (file, line, function) of the code that was running, innermost first
Stack = tuple[tuple[str, int, str], ...]


@dataclass(frozen=True)
class Reading:
    """A file or folder that was opened: the path as given and made absolute, and by what."""

    given: str
    path: str
    event: str
    stack: Stack


@dataclass
class Seen:
    """What was read while watching: files, and variables with the code that asked for them."""

    files: list[Reading] = field(default_factory=list)
    variables: dict[str, Stack] = field(default_factory=dict)
    _written: set[str] = field(default_factory=set)
    _thread: int = field(default_factory=threading.get_ident)

    def hear(self, event: str, args: tuple[Any, ...]) -> None:
        given = args[_EVENTS[event]]
        if isinstance(given, int) or given is None:
            return
        text = os.fsdecode(given)
        path = os.path.abspath(text)  # noqa: PTH100 - Path.resolve would ask the disk
        if event == "open" and isinstance(args[2], int) and args[2] & _WRITES:
            self._written.add(path)
            return
        if path not in self._written and not any(known.path == path and known.event == event for known in self.files):
            stack = _stack(sys._getframe(2))
            if not any(word in file for file, _, _ in stack[:4] for word in _MACHINERY):
                self.files.append(Reading(text, path, event, stack))

    def variable(self, key: Any) -> None:
        stack = tuple(place for place in _stack(sys._getframe(2)) if place[0] not in _ENVIRON)
        self.variables.setdefault(os.fsdecode(key), stack[:1])

    def named(self) -> dict[str, Stack]:
        """The variables, but for those of a copy of the whole environment."""
        places = list(self.variables.values())
        return {name: stack for name, stack in self.variables.items() if places.count(stack) < _MANY}


_seen: Seen | None = None
_set = False


def _heard(event: str, args: tuple[Any, ...]) -> None:
    if _seen is None or event not in _EVENTS or threading.get_ident() != _seen._thread:
        return
    try:
        _seen.hear(event, args)
    except Exception:  # what a hook raises would stop the reading
        pass


def _stack(frame: Any) -> Stack:
    found: list[tuple[str, int, str]] = []
    while frame is not None and len(found) < 60:
        found.append((frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name))
        frame = frame.f_back
    return tuple(found)


class _Environment(dict[Any, Any]):
    """The data of ``os.environ``, which tells what is read of it."""

    def __getitem__(self, key: Any) -> Any:
        if _seen is not None and threading.get_ident() == _seen._thread:
            _seen.variable(key)
        return super().__getitem__(key)


@contextmanager
def watching() -> Iterator[Seen]:
    """What this thread reads within, in the yielded value."""
    global _seen, _set
    if _seen is not None:
        yield _seen
        return
    if not _set:
        sys.addaudithook(_heard)
        _set = True
    environ: Any = os.environ
    data = getattr(environ, "_data", None)
    _seen = seen = Seen()
    if type(data) is dict:
        environ._data = _Environment(data)
    try:
        yield seen
    finally:
        _seen = None
        if type(data) is dict:
            now = dict(environ._data)
            data.clear()
            data.update(now)
            environ._data = data
