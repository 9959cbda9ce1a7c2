"""Closed environments: a Python that sees the closure of pinned requirements, and nothing else of this one.

They lie in ``.nbml/environments/``, each under a hash of what it holds, and are found again by what was asked for. A
level is a file of this folder: ``local`` links what is installed here, ``index`` installs from the package index. Each has

    check(closure) -> list of what is not closed     raises errors.ProofFailed where it cannot be made
    fill(work, closure)                              makes it in an empty folder, which is renamed afterwards
    marks(closure, home) -> files                    whose change means that it is no longer what it was
    facts(closure) -> texts                          what its hash is over
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbml import errors
from nbml.packaging.environments import layout
from nbml.store.small import read_json, write_json

if TYPE_CHECKING:
    from nbml.store import Store

LEVELS = ("local", "index")
#: of environment.json
FORMAT = 1
#: seconds after which what a killed process left half made is cleared away
STALE = 3600.0
SAID = "environment.json"


@dataclass(frozen=True)
class Environment:
    """A closed environment. ``pins`` is version by name of all that is visible in it, ``notes`` what is not as it should be."""

    folder: Path
    level: str
    pins: dict[str, str]
    notes: tuple[str, ...]
    closed: bool

    @property
    def python(self) -> str:
        """Its interpreter, to be started with ``-I -B``: a virtual environment alone keeps out neither PYTHONPATH nor the folder."""
        return str(layout.python(self.folder))


def make(store: Store, requirements: Iterable[str], level: str = "local") -> Environment:
    """The environment of pinned requirements; found again where it was made before, in some milliseconds.

    Raises errors.ProofFailed naming what stands in the way and the line to type.
    """
    from nbml.packaging.environments.installed import stamps

    asked = sorted(requirements)
    room = store.room("environments")
    pointer = room / "asked" / f"{_hash([level, *_interpreter(), *asked])[:32]}.json"
    now = stamps()
    said = read_json(pointer)
    if said.get("stamps") == now:
        found = load(room / str(said.get("folder")))
        if found is not None:
            return found
    found = _made(room, asked, level)
    pointer.parent.mkdir(mode=0o700, exist_ok=True)
    write_json(pointer, {"folder": found.folder.name, "stamps": now})
    return found


def of(store: Store, body: Mapping[str, Any]) -> Environment | None:
    """The environment that a stored service version was proven in, made again where it is gone; None where it has none.

    Raises errors.DeployError where what is installed now is not what the version was proven with.
    """
    if not body.get("environment"):
        return None
    found = load(store.root / body["environment"])
    if found is not None:
        return found
    manifest = body["manifest"]
    name = f"{manifest['service']}@{manifest['version']}"
    try:
        found = make(store, manifest["requirements"], manifest["proof"]["level"])
    except errors.ProofFailed as error:
        raise errors.DeployError(f"the environment of {name} cannot be made again: {error.why}", next=error.next) from error
    other = {name: (version, found.pins.get(name)) for name, version in manifest["pins"].items() if found.pins.get(name) != version}
    if other:
        told = ", ".join(f"{one} {was} ({f'{now} is' if now else 'not'} installed now)" for one, (was, now) in list(other.items())[:3])
        pins = " ".join(f"{one}=={was}" for one, (was, _) in other.items())
        raise errors.DeployError(f"{name} was proven with {told}: package it again, or", next=f"%pip install {pins}")
    return found


def load(folder: Path) -> Environment | None:
    """An environment that was made before; None where it is gone, or no longer what it was."""
    said = read_json(folder / SAID)
    if said.get("format") != FORMAT or not layout.python(folder).exists():
        return None
    for path, size, changed in said["marks"]:
        try:
            now = Path(path).stat()
        except OSError:
            return None
        if (now.st_size, now.st_mtime_ns) != (size, changed):
            return None
    return Environment(folder, said["level"], said["pins"], tuple(said["notes"]), said["closed"])


def _made(room: Path, asked: list[str], level: str) -> Environment:
    from nbml.packaging.environments.closure import close

    maker = import_module(f"{__name__}.{level}")
    closure = close(asked)
    whole = maker.check(closure)
    home = room / (_hash([level, *_interpreter(), *maker.facts(closure)])[:16] + ("" if level == "local" else f"-{level}"))
    found = load(home)
    if found is not None:
        return found
    _sweep(room)
    work = room / f".making-{os.getpid()}-{home.name}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(mode=0o700)
    try:
        maker.fill(work, closure)
        marks = [(str(path), (now := path.stat()).st_size, now.st_mtime_ns) for path in maker.marks(closure, home)]
        said = {
            "format": FORMAT, "level": level, "pins": closure.pins, "notes": [*whole, *closure.notes], "closed": not whole, "marks": marks,
        }  # fmt: skip
        write_json(work / SAID, said)
        _place(work, home)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return Environment(home, level, closure.pins, tuple(said["notes"]), not whole)  # type: ignore[arg-type]


def _place(work: Path, home: Path) -> None:
    """Rename; of two processes that make the same the second takes what the first made."""
    if home.exists() and load(home) is None:
        old = home.with_name(f".making-{os.getpid()}-old-{home.name}")
        with contextlib.suppress(OSError):
            home.rename(old)
        shutil.rmtree(old, ignore_errors=True)
    try:
        work.rename(home)
    except OSError:
        if load(home) is None:
            raise


def _sweep(room: Path) -> None:
    """What a killed process left half made."""
    for path in room.glob(".making-*"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > STALE:
                shutil.rmtree(path, ignore_errors=True)


def _interpreter() -> list[str]:
    return [str(FORMAT), sys.version, sys.prefix, str(layout.base())]


def _hash(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()
