"""One look every 250 ms at each open project: has anything changed that the panel shows?

What is compared: SQLite's ``data_version``, the times of the deployments' small files, and which processes still
live; so a killed kernel's study turns to "interrupted" though nobody wrote anything. All reads run in one thread of
their own: the server's loop never waits for a disk.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from nbml import errors
from nbml.labserver.binding import Binding
from nbml.store import Store

if TYPE_CHECKING:
    from tornado.ioloop import PeriodicCallback

T = TypeVar("T")

#: seconds between two looks
PAUSE = 0.25
#: seconds without a question after which a project is closed; the panel asks every 30 s
IDLE = 120.0
#: the deployments' files that change without the database
FILES = ("state.json", "summary.json", "traffic/summary.json")


@dataclass
class Open:
    """A project that is being watched."""

    store: Store
    asked: float
    file: tuple[int, int] | None
    seen: tuple[Any, ...] = ()
    owners: list[int] = field(default_factory=list)


class Watch:
    """The open projects. ``changed(project id)`` is called in the loop's thread."""

    def __init__(self, changed: Callable[[str], None]) -> None:
        self._changed = changed
        self._open: dict[str, Open] = {}
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="nbml-read")
        self._clock: PeriodicCallback | None = None

    async def read(self, binding: Binding, look: Callable[[Store], T]) -> T:
        """``look`` at the project's store, in the reading thread."""
        self._begin()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: look(self._opened(binding).store))

    async def anywhere(self, look: Callable[[Store], T | None]) -> T | None:
        """The first answer among the open projects, the one asked for last first."""

        def search() -> T | None:
            for entry in sorted(self._open.values(), key=lambda e: -e.asked):
                found = look(entry.store)
                if found is not None:
                    return found
            return None

        return await asyncio.get_running_loop().run_in_executor(self._pool, search)

    def _begin(self) -> None:
        """The clock starts with the first question; it ends with the server's loop."""
        from tornado.ioloop import PeriodicCallback

        if self._clock is None:
            self._clock = PeriodicCallback(self._tick, PAUSE * 1000)
            self._clock.start()

    def _opened(self, binding: Binding) -> Open:
        entry = self._open.get(binding.id)
        if entry is not None and entry.file != _file(entry.store):
            self._shut(binding.id)  # the folder was removed, or another one took its place
            entry = None
        if entry is None:
            store = Store(binding.root)
            entry = self._open[binding.id] = Open(store, 0.0, _file(store))
            entry.seen = _seen(entry)
        entry.asked = time.monotonic()
        return entry

    def _shut(self, key: str) -> None:
        self._open.pop(key).store.close()

    async def _tick(self) -> None:
        for key in await asyncio.get_running_loop().run_in_executor(self._pool, self._look):
            self._changed(key)

    def _look(self) -> list[str]:
        """Which projects have changed since the last look."""
        moved = []
        for key, entry in list(self._open.items()):
            if time.monotonic() - entry.asked > IDLE:
                self._shut(key)
                continue
            try:
                gone = entry.file is not None and entry.file != _file(entry.store)
                seen = () if gone else _seen(entry)
            except (errors.StoreError, OSError):
                continue  # busy or in mid-replacement: the next look tells
            if gone:
                self._shut(key)
            if entry.file is None:
                entry.file = _file(entry.store)
            if seen != entry.seen:
                entry.seen = seen
                moved.append(key)
        return moved


def _file(store: Store) -> tuple[int, int] | None:
    try:
        found = store.path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _seen(entry: Open) -> tuple[Any, ...]:
    """What a change of it is worth telling."""
    store = entry.store
    change = store.change()
    if not entry.seen or entry.seen[0] != change:
        rows = store.read(
            "SELECT process FROM result WHERE state='running' AND process IS NOT NULL"
            " UNION SELECT process FROM run WHERE status='running' AND process IS NOT NULL"
        )
        entry.owners = [int(row["process"]) for row in rows]
    alive = tuple(number for number in entry.owners if store.alive(number))
    folder = store.folder / "deployments"
    times: list[int] = []
    if folder.is_dir():
        for name in sorted(folder.iterdir()):
            times.extend(_mtime(name / file) for file in FILES)
    return change, alive, tuple(times)


def _mtime(path: Path) -> int:
    try:
        return int(path.stat().st_mtime_ns)
    except OSError:
        return 0
