"""Copies of what statements read, so that a recipe can be run again when it has changed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from nbml import errors
from nbml.slicing import taking
from nbml.slicing.hearing import aloud
from nbml.slicing.places import file_hash
from nbml.store import chosen, existing

if TYPE_CHECKING:
    from nbml.slicing.replayable import Input

def place_of(name: str) -> Path:
    """Where a file or folder of the project lies."""
    return Path(name) if Path(name).is_absolute() else chosen().resolve() / name


def keep(path: Path, digest: str) -> str:
    """Keep a copy of a file that bears a hash; the hash, or "" where it cannot be kept."""
    if has(digest) or aloud(lambda: taking.handed(digest, make=True)):
        return digest
    store = existing()
    if store is None:
        return ""
    try:
        if store.readonly or path.stat().st_size > taking.LARGEST:
            return ""
        content = aloud(path.read_bytes)
        import hashlib

        if hashlib.sha256(content).hexdigest() != digest:
            return ""
        return store.put_blob(content)
    except (OSError, errors.StoreError):
        return ""


def has(digest: str) -> bool:
    """Whether the store has a copy of what bears a hash."""
    store = existing()
    if store is None or len(digest) != 64:
        return False
    try:
        store.blob(digest)
    except errors.StoreError:
        return False
    return True


def unlike(said: Input) -> bool:
    """Whether a file is not, or no longer, what was read."""
    now = aloud(lambda: file_hash(str(place_of(said.name))))
    return now is None or now.hex() != said.hash


def copy_of(said: Input) -> Path | None:
    """The copy that the store has of an input."""
    store = existing()
    if store is None or not said.kept or not has(said.kept):
        return None
    return store.blob(said.kept)


def overlay(inputs: Iterable[Input]) -> dict[str, Path]:
    """Files that are not what they were -> their copies. One that was read in two states is told apart by the program itself."""
    found, known = {}, [said for said in inputs if said.kind in ("file", "module")]
    for said in known:
        if not any(other.name == said.name and other.hash != said.hash for other in known) and unlike(said):
            copy = copy_of(said)
            if copy is not None:
                found[said.name] = copy
    return found
