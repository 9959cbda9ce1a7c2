"""The closure linked from the distributions of this interpreter: offline, in half a second; POSIX.

A link to each folder that belongs to the closure alone; a folder that others share (``google``, ``opentelemetry``) is
rebuilt with what is the closure's in it. Top-level ``.pth`` files are left out: they run code and widen ``sys.path``.
Console scripts are not carried over. A distribution without RECORD does not say which files are its own: its top-level
modules are linked whole, and the environment says that it is not closed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from importlib.util import cache_from_source
from pathlib import Path

from nbml import errors
from nbml.packaging.environments import layout
from nbml.packaging.environments.closure import Closure
from nbml.packaging.environments.installed import Installed, everything, key

#: where the installer compiled nothing, as uv does, each start would; the links are nobody's place to write, the environment is
CACHE = '''"""Bytecode of what is linked here is kept beside it, since whoever installed it kept none."""
import sys

sys.pycache_prefix = sys.prefix + "/pycache"
sys.dont_write_bytecode = False
'''


def check(closure: Closure) -> list[str]:
    """What is not closed. Raises errors.ProofFailed for an editable installation, and where nothing says which modules are there."""
    notes = []
    for one in closure.members.values():
        if one.editable:
            raise errors.ProofFailed(
                f"{one.name} is needed, and it is an editable installation: what it is now is in no package",
                next=f"%pip install '{one.name} @ {one.editable}'",
            )
        if one.record is None and not one.tops:
            raise errors.ProofFailed(
                f"{one.pin} is needed, and its installation has no list of its files (RECORD)",
                next=f"%pip install --ignore-installed --no-deps {one.pin}",
            )
        if one.record is None:
            notes.append(
                f"the environment is not closed: {one.pin} has no list of its files (RECORD), and {', '.join(sorted(one.tops))} is "
                f"linked whole: %pip install --ignore-installed --no-deps {one.pin}"
            )
    return notes


def fill(work: Path, closure: Closure) -> None:
    """Make the environment in the empty folder ``work``, which may be renamed."""
    layout.skeleton(work)
    site = layout.site(work)
    for relative, target in links(closure).items():
        _link(site / relative, target)
        if target.suffix == ".py":
            compiled = Path(cache_from_source(str(target)))
            _link((site / relative).parent / "__pycache__" / compiled.name, compiled)
    if not _compiled(closure) and not (site / "sitecustomize.py").exists():
        (site / "sitecustomize.py").write_text(CACHE, encoding="utf-8")
    for one in closure.members.values():
        for path in one.files:
            if path.startswith(".."):
                _beside(work, one, path)


def links(closure: Closure) -> dict[str, Path]:
    """The fewest links that show the closure's files, and none of another distribution."""
    members = list(closure.members.values())
    others = [one for name, one in everything().items() if name not in closure.members]
    foreign = frozenset(top for one in others for top in one.tops)
    homes: dict[str, set[Path]] = {}
    for one in members:
        for top in one.tops:
            homes.setdefault(top, set()).add(one.root)
    alone = {top for top, roots in homes.items() if len(roots) == 1 and top not in foreign and top != "__pycache__"}
    chosen: dict[str, Path] = {}
    shared: list[tuple[str, Path]] = []
    for one in members:
        for top in one.tops if one.record is not None else ():
            if top in alone and not top.endswith(".pth") and top not in ("..", ""):
                chosen[top] = one.root / top
        if not one.tops <= alone:
            shared += [(path, one.root) for path in one.files if path.partition("/")[0] not in alone]
        if one.record is None:
            chosen |= _whole(one)
    return chosen | _descend(shared, others)


def _compiled(closure: Closure) -> bool:
    """Whether the installer compiled what it installed, as pip does: nine of ten packages."""
    starts = [path for one in closure.members.values() for top in one.tops if (path := one.root / top / "__init__.py").is_file()]
    return sum(Path(cache_from_source(str(path))).is_file() for path in starts) >= 0.9 * len(starts)


def _descend(paths: list[tuple[str, Path]], others: Iterable[Installed]) -> dict[str, Path]:
    """Links for files whose top-level folder is not the closure's alone: the outermost folders that are, else the files."""
    tops = {path.partition("/")[0] for path, _ in paths}
    owners: dict[str, set[Path | None]] = {}
    for path, root in paths:
        for folder in _above(path):
            owners.setdefault(folder, set()).add(root)
    for one in others:
        for path in one.files if tops & one.tops else ():
            if path.partition("/")[0] in tops:
                for folder in _above(path):
                    owners.setdefault(folder, set()).add(None)
    chosen: dict[str, Path] = {}
    for path, root in paths:
        if not path.startswith(("..", "/")) and not (path.endswith(".pth") and "/" not in path):
            shown = next((folder for folder in _above(path) if owners[folder] == {root}), path)
            chosen[shown] = root / shown
    return chosen


def _above(path: str) -> list[str]:
    """The folders above a file, the outermost first."""
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts))]


def _whole(one: Installed) -> dict[str, Path]:
    """A distribution without RECORD: its modules, in whatever form, and its metadata."""
    names = [path.name for path in one.root.iterdir() if path.name.partition(".")[0] in one.tops]
    names = [name for name in names if not name.endswith((".dist-info", ".egg-info", ".pth"))]
    return {name: one.root / name for name in [*names, one.info.name]}


def _beside(work: Path, one: Installed, path: str) -> None:
    """A file outside site-packages, a shared library or data; programs are left out."""
    target = Path(os.path.normpath(one.root / path))
    for prefix in map(Path, (sys.prefix, sys.base_prefix)):
        if one.root.is_relative_to(prefix) and target.is_relative_to(prefix):
            relative = target.relative_to(prefix)
            if relative.parts[0] not in ("bin", "Scripts") and target.is_file():
                _link(work / relative, target)
            return


def _link(link: Path, target: Path) -> None:
    if target.exists() and not link.is_symlink():
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)


def marks(closure: Closure, home: Path) -> list[Path]:
    """The files by which an upgrade below the links is noticed."""
    return [one.mark for _, one in sorted(closure.members.items())]


def facts(closure: Closure) -> list[str]:
    """What decides what the environment holds: the files of each distribution."""
    return [f"{key(one.name)} {one.version} {one.root} {one.record}" for _, one in sorted(closure.members.items())]
