"""What nothing refers to: files of the store that no row names any more, and parts of files that were never finished.

A hash that stands anywhere in a row, or in a suite's file, is a reference: a format that is added later cannot lose its
files here. What is younger than an hour is left alone, since another process may have put it and not yet written down
why; ``blobs`` makes a file young again that is put once more.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nbml import errors, settings
from nbml.store import blobs, chunks
from nbml.store.record import Store

#: seconds for which a file is never removed
YOUNG = 3600.0
HASH = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
OFFICE = "gc"


@dataclass(frozen=True)
class Leftover:
    """A file that nothing refers to."""

    path: Path
    bytes: int


def leftovers(store: Store, now: float | None = None) -> tuple[list[Leftover], list[Leftover]]:
    """Files that nothing refers to: the old ones, and those that are too young to tell. Files are listed before rows
    are read: whatever is put meanwhile is not among them."""
    folder = store.folder / "blobs"
    files = list(_files(folder))
    needed = references(store)
    old: list[Leftover] = []
    young: list[Leftover] = []
    for path, digest in files:
        if digest in needed:
            continue
        with contextlib.suppress(FileNotFoundError):
            said = path.stat()
            (old if _old(said.st_mtime, now) else young).append(Leftover(path, said.st_size))
    return old, young


def remove(store: Store, found: list[Leftover], now: float | None = None) -> list[Leftover]:
    """Remove what is still old, alone in its office; returns what went. Raises errors.StoreError where another is at it."""
    me = store.me()
    if not store.lease(OFFICE, me):
        raise errors.StoreError(f"another process removes files of {store.root} just now: let it finish", next="%nbml gc")
    gone = []
    try:
        with blobs.locked(store.folder / "blobs", shared=False):
            for one in found:
                with contextlib.suppress(FileNotFoundError):
                    if _old(one.path.stat().st_mtime, now):
                        one.path.unlink()
                        gone.append(one)
    finally:
        store.give_back(OFFICE, me)
    return gone


def references(store: Store) -> set[str]:
    """Every hash that stands in a row or in a suite's file, and the pieces of the files that these are lists of."""
    found: set[str] = set()
    for text in _texts(store):
        found.update(HASH.findall(text))
    for digest in list(found):
        with contextlib.suppress(errors.StoreDamaged, OSError):
            found.update(piece for piece, _ in _pieces(blobs.find(store.folder / "blobs", digest)))
    return found


def _pieces(path: Path) -> list[tuple[str, int]]:
    with path.open("rb") as file:
        return (chunks.listed(chunks.MARK + file.read()) or []) if file.read(len(chunks.MARK)) == chunks.MARK else []


def _texts(store: Store) -> Iterator[str]:
    """Every text of every row, and the suites' files."""
    for (table,) in store.read("SELECT name FROM sqlite_master WHERE type='table'"):
        columns = [row["name"] for row in store.read("SELECT name FROM pragma_table_info(?)", (table,))]
        for column in columns:
            sql = f'SELECT "{column}" FROM "{table}" WHERE typeof("{column}")=\'text\' AND length("{column}")>=64'  # noqa: S608
            yield from (row[0] for row in store.read(sql))
    with contextlib.suppress(errors.BadArgument):
        folder = settings.load(store.root)["validation.suites"]
        for path in (store.root / folder).glob("*.expect") if folder else ():
            with contextlib.suppress(OSError):
                yield path.read_text(encoding="utf-8", errors="replace")


def _files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Files and the hashes that they are named by; "" for one that was never finished."""
    for path in folder.glob("[0-9a-f][0-9a-f]/*"):
        digest = path.parent.name + path.name
        if path.name.startswith(blobs.PART) or blobs.HASH.fullmatch(digest):
            yield path, "" if path.name.startswith(blobs.PART) else digest


def _old(changed: float, now: float | None) -> bool:
    return changed < (time.time() if now is None else now) - YOUNG
