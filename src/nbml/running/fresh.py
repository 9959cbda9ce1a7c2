"""A program in a fresh process, in a copy of the folder that it was written for: whatever it writes, the project stays as it is."""

from __future__ import annotations

import contextlib
import json
import math
import os
import pickle
import shutil
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbml import running

#: a file of the project that is larger is linked, not copied; so are all after so many bytes and so many files
LARGE, BYTES, FILES = 50 << 20, 500 << 20, 5_000
#: what no program reads by its name
LEFT_OUT = frozenset({".nbml", ".git", ".ipynb_checkpoints", "__pycache__", "node_modules"})
#: the file to which a replayed run writes what it logged, by the environment
REPLAY = "NBML_REPLAY"
#: what a fresh process does not take over: the notebook that this one runs
OWN = ("JPY_SESSION_NAME", "JPY_PARENT_PID", "PYTHONHASHSEED", "PYTHONSTARTUP")


@dataclass(frozen=True)
class Logged:
    """A run of the program: the last value of each metric, and all its points as (steps, values)."""

    name: str
    metrics: dict[str, float]
    points: dict[str, tuple[list[int], list[float]]]


@dataclass(frozen=True)
class Fresh:
    """What came of a program.

    ``values`` are the names that were asked for. ``error`` is the last line of what stopped it ("" where nothing did) and
    ``where`` the line of the program at which it stopped. ``runs`` are in the order in which they began.
    """

    values: dict[str, Any] = field(default_factory=dict)
    runs: tuple[Logged, ...] = ()
    error: str = ""
    where: str = ""
    timed_out: bool = False
    seconds: float = 0.0


def play(
    source: str, names: Iterable[str] = (), *, root: Path, folder: Path, files: Mapping[str, bytes | Path] | None = None,
    timeout: float = 600.0, hashseed: int | None = None, through: str = "", executor: str = "process",
) -> Fresh:
    """Run ``source`` and give back the values of ``names``; ``folder`` is its working folder, ``root`` the project.

    Both are copied; ``files`` are contents by path, relative to the project, that lie in the copy in place of what is there
    now. The process may read the project's record, and may change nothing else of it. ``through`` is ``module:function``, by
    which values go before they come back. What cannot be pickled does not come back: it is named in ``error``. An interrupt
    ends the process. A program that fails is no exception here.
    """
    with tempfile.TemporaryDirectory(prefix="nbml-fresh-") as scratch:
        place = Path(scratch).resolve()
        cwd = copied(root.resolve(), folder.resolve(), place / "project", files or {})
        (place / "recipe.py").write_text(source, encoding="utf-8")
        told = {"source": str(place / "recipe.py"), "names": list(names), "through": through, "keep": str(root.resolve())}
        told["result"] = str(place / "result")
        env = {key: value for key, value in os.environ.items() if key not in OWN}
        env |= {"NBML_PROJECT": str(root.resolve()), REPLAY: str(place / "runs"), "PYTHONDONTWRITEBYTECODE": "1", "MPLBACKEND": "agg"}
        env |= {} if hashseed is None else {"PYTHONHASHSEED": str(hashseed)}
        limit = timeout if timeout > 0 else math.inf
        job = running.Job(("-m", "nbml.running.driver"), cwd, env, json.dumps(told).encode(), limit, sys.executable)
        done = running.run(job, executor)
        return _read(place, done)


def _read(place: Path, done: running.Done) -> Fresh:
    """What the process wrote down, and how it ended where it wrote nothing."""
    runs = _runs(place / "runs")
    try:
        told = pickle.loads((place / "result").read_bytes())  # noqa: S301 - written by the process that we started
    except (OSError, EOFError, pickle.UnpicklingError):
        last = (done.errors.strip().splitlines() or ["it said nothing"])[-1]
        why = f"it did not end within {done.seconds:.0f} s" if done.timed_out else f"the process ended with {done.code}: {last}"
        return Fresh(runs=runs, error=why, timed_out=done.timed_out, seconds=done.seconds)
    values, error = {}, told["error"]
    for name, kept in told["values"].items():
        try:
            values[name] = pickle.loads(kept)  # noqa: S301 - as above
        except Exception as failure:
            error = error or f"{name} cannot come back from its process: {type(failure).__name__}: {failure}"
    return Fresh(values, runs, error, told["where"], False, done.seconds)


def _runs(path: Path) -> tuple[Logged, ...]:
    if not path.exists():
        return ()
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    found = {line["order"]: Logged(line["run"], line["metrics"], {n: (p[0], p[1]) for n, p in line["points"].items()}) for line in lines}
    return tuple(found[order] for order in sorted(found))


def copied(root: Path, folder: Path, target: Path, files: Mapping[str, bytes | Path]) -> Path:
    """Copy a project to ``target``, with ``files`` in their places; returns where ``folder`` lies in it.

    A folder outside the project is the only one that is copied then.
    """
    base = root if folder.is_relative_to(root) else folder
    budget = _Budget()
    if base != folder:
        budget.copy(folder, target / folder.relative_to(base))  # the nearest first: they are the likeliest to be written to
    budget.copy(base, target)
    if (base / ".nbml").is_dir():
        (target / ".nbml").symlink_to(base / ".nbml")  # where kept copies lie
    for path, content in files.items():
        inside = Path(path) if not Path(path).is_absolute() else Path(path).relative_to(base) if Path(path).is_relative_to(base) else None
        if inside is None or ".." in inside.parts:
            continue  # lies outside: it is read where it is
        place = target / inside
        _own(place.parent, target)
        place.unlink(missing_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.read_bytes())
    return target / folder.relative_to(base)


def _own(folder: Path, target: Path) -> None:
    """Make sure that no part of a folder's path is a link into the project."""
    for part in [*reversed(folder.relative_to(target).parents), folder.relative_to(target)]:
        place = target / part
        if place.is_symlink():
            behind = place.resolve()
            place.unlink()
            place.mkdir()
            for entry in behind.iterdir():
                (place / entry.name).symlink_to(entry)
        place.mkdir(exist_ok=True)


class _Budget:
    """Copies files as long as they are not too many, and links the rest."""

    def __init__(self) -> None:
        self.bytes, self.files = BYTES, FILES

    def copy(self, source: Path, target: Path) -> None:
        target.mkdir(parents=True, exist_ok=True)
        for entry in sorted(os.scandir(source), key=lambda entry: entry.name):
            place = target / entry.name
            if entry.name in LEFT_OUT or place.is_file() or place.is_symlink():
                continue
            if entry.is_dir(follow_symlinks=False):
                self._folder(Path(entry.path), place)
            elif entry.is_file(follow_symlinks=False):
                with contextlib.suppress(FileNotFoundError):  # gone meanwhile
                    self._file(entry, place)
            elif entry.is_symlink():
                place.symlink_to(Path(entry.path).resolve())

    def _folder(self, source: Path, place: Path) -> None:
        if self.files <= 0 or source.name.startswith(".") or (source / "pyvenv.cfg").exists():
            if not place.exists():
                place.symlink_to(source)
            return
        with contextlib.suppress(PermissionError):  # the program could not read it either
            self.copy(source, place)

    def _file(self, entry: os.DirEntry[str], place: Path) -> None:
        size = entry.stat(follow_symlinks=False).st_size
        if size > min(LARGE, self.bytes) or self.files <= 0 or not os.access(entry.path, os.R_OK):
            place.symlink_to(entry.path)
            return
        self.bytes -= size
        self.files -= 1
        shutil.copyfile(entry.path, place)
