"""What a written module needs besides itself: pinned distributions, and local modules that go along as files."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbml import errors
from nbml.slicing import ondisk, statements

#: what belongs to the notebook's own machinery and is in no service
_NOT_OUTSIDE = {"nbml": "nbml itself is not in a service"}


class Belongings:
    """Collects the modules that are used, and says which distributions and files these are."""

    def __init__(self, module: str, places: list[Path]) -> None:
        self.module = module
        self.places = places
        self.files: dict[str, bytes] = {}
        self.warnings: list[str] = []
        self._pins: dict[str, str] = {}
        self._known: dict[str, bool] = {}

    @property
    def requirements(self) -> tuple[str, ...]:
        return tuple(f"{name}=={version}" for name, version in sorted(self._pins.items(), key=lambda pin: pin[0].lower()))

    @property
    def known(self) -> list[str]:
        """The modules that are used."""
        return list(self._known)

    def local(self, top: str) -> bool:
        """Whether a top-level module goes along as a file."""
        return any(path == f"{top}.py" or path.startswith(f"{top}/") for path in self.files)

    def absent(self, name: str) -> bool:
        """Whether no module has this name."""
        return name.partition(".")[0] not in sys.stdlib_module_names and _spec(name) is None

    def note(self, name: str, why: str) -> None:
        """A module is used. Raises errors.SliceRefused where it cannot be had outside."""
        top = name.partition(".")[0]
        if not top or name in self._known or top in sys.stdlib_module_names or top in ("__main__", self.module):
            return
        self._known[name] = True
        if top in _NOT_OUTSIDE:
            raise errors.SliceRefused(f"{why} uses {name}, and {_NOT_OUTSIDE[top]}")
        path = _file(name)
        owner = None if path is not None and self._beside(path) and not _installed(path) else self._owner(name)
        if owner is not None:
            self._pins[owner[0]] = owner[1]
            return
        if path is None and self._file_less(name):
            return
        if path is None or not self._beside(path):
            raise errors.SliceRefused(f"{why} uses the module {name}, which no installed distribution has and which is not in the project")
        if top == self.module:
            raise errors.SliceRefused(f"{why} uses the local module {name}, and the module to be written has that name too")
        self._take(name, path, why)

    def _file_less(self, name: str) -> bool:
        """Whether it is a folder without ``__init__.py``."""
        spec = _spec(name)
        return spec is not None and spec.origin is None and bool(spec.submodule_search_locations)

    def _beside(self, path: Path) -> bool:
        return path.suffix == ".py" and any(path.is_relative_to(place) for place in self.places)

    def _take(self, name: str, path: Path, why: str) -> None:
        parts = name.split(".")
        for end in range(1, len(parts)):
            self.note(".".join(parts[:end]), why)
        package = path.name == "__init__.py"
        content = path.read_bytes()
        self.files["/".join(parts) + ("/__init__.py" if package else ".py")] = content
        text = content.decode("utf-8")
        loaded = sys.modules.get(name)
        if loaded is not None:
            self.warnings += ondisk.unchanged(loaded, text, path)
        for used, optional in _imported(text, name, package):
            if not (optional and self.absent(used)):
                self.note(used, name)

    def _owner(self, name: str) -> tuple[str, str] | None:
        """Name and version of the distribution that a module belongs to."""
        top = name.partition(".")[0]
        found = _by_name(top) or _distributions(top) or _distributions(_installed_top(name))
        if len(found) > 1:
            found = [owner for owner in found if _has(owner, name)] or found
        if not found or _editable(found[0]):
            return None
        distribution = importlib.metadata.distribution(found[0])
        return str(distribution.metadata["Name"]), distribution.version


_tops: dict[str, list[str]] = {}
#: distributions whose modules are called otherwise
_CALLED = {"sklearn": "scikit-learn", "dateutil": "python-dateutil", "yaml": "PyYAML", "PIL": "pillow", "bs4": "beautifulsoup4"}


def _installed(path: Path) -> bool:
    return not {"site-packages", "dist-packages"}.isdisjoint(path.parts)


def _by_name(top: str) -> list[str]:
    """The distribution of a module's name, where it lists the module: reading all distributions takes ten times as long."""
    for name in (_CALLED.get(top, ""), top):
        try:
            listed = importlib.metadata.distribution(name).read_text("RECORD") if name else None
        except importlib.metadata.PackageNotFoundError:
            continue
        if listed and any(f"\n{file}," in f"\n{listed}" for file in (f"{top}/__init__.py", f"{top}.py")):
            return [name]
    return []


def _distributions(top: str) -> list[str]:
    """The distributions that have a top-level module. Read once a process, and again where one is not known."""
    if top and top not in _tops:
        _tops.clear()
        _tops.update({name: list(dict.fromkeys(owners)) for name, owners in importlib.metadata.packages_distributions().items()})
        _tops.setdefault(top, [])
    return _tops.get(top, [])


def _spec(name: str) -> Any:
    loaded = sys.modules.get(name)
    if loaded is not None and getattr(loaded, "__spec__", None) is not None:
        return loaded.__spec__
    try:
        return importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return None


def _file(name: str) -> Path | None:
    spec = _spec(name)
    origin = getattr(spec, "origin", None)
    if origin is None or origin in ("built-in", "frozen"):
        origin = getattr(sys.modules.get(name), "__file__", None)
    return Path(origin).resolve() if origin else None


def _installed_top(name: str) -> str:
    """The top-level package in whose folder a module's file lies (compiled modules may call themselves otherwise)."""
    path = _file(name)
    for base in map(Path, sys.path):
        if path is not None and base.name in ("site-packages", "dist-packages") and path.is_relative_to(base.resolve()):
            return path.relative_to(base.resolve()).parts[0].partition(".")[0]
    return ""


def _has(owner: str, name: str) -> bool:
    """Whether a distribution lists the files of a module."""
    stem = name.replace(".", "/")
    files = importlib.metadata.distribution(owner).files or ()
    return any(str(f) in (f"{stem}.py", f"{stem}/__init__.py") or str(f).startswith(f"{stem}.") for f in files)


def _editable(owner: str) -> bool:
    text = importlib.metadata.distribution(owner).read_text("direct_url.json")
    return bool(text) and bool(json.loads(text or "{}").get("dir_info", {}).get("editable"))


def _imported(text: str, name: str, package: bool) -> Iterator[tuple[str, bool]]:
    """The modules that a file imports, and whether it can do without; of what ``from`` takes, the parts that are modules."""
    home = name if package else name.rpartition(".")[0]
    for node, optional in statements.imported(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, optional) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                start = home.split(".")[: len(home.split(".")) - node.level + 1]
                base = ".".join([*start, *([base] if base else [])])
            if base:
                yield base, optional
            for alias in node.names:
                if base and alias.name != "*" and f"{base}.{alias.name}" in sys.modules:
                    yield f"{base}.{alias.name}", optional
