"""What is installed for this interpreter: names, versions, what each distribution needs and which files it has."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path


@dataclass(frozen=True)
class Installed:
    """One distribution. ``root`` is the folder that its files are relative to, ``info`` its ``.dist-info`` or ``.egg-info``."""

    name: str
    version: str
    root: Path
    info: Path
    requires: tuple[str, ...]

    @property
    def pin(self) -> str:
        return f"{self.name}=={self.version}"

    @property
    def mark(self) -> Path:
        """The file that every other installation writes anew."""
        return next((path for name in ("RECORD", "METADATA", "PKG-INFO") if (path := self.info / name).is_file()), self.info)

    @cached_property
    def record(self) -> str | None:
        """The text of RECORD; None where the installer wrote none, as those of a Linux distribution do."""
        return self._text("RECORD")

    @cached_property
    def files(self) -> tuple[str, ...]:
        """The paths that RECORD lists; parsing it here takes a tenth of what ``Distribution.files`` takes."""
        return tuple(path for line in (self.record or "").splitlines() if (path := line.rsplit(",", 2)[0].strip('"')))

    @cached_property
    def tops(self) -> frozenset[str]:
        """The first parts of its files' paths; without a RECORD what ``top_level.txt`` says."""
        if self.record is None:
            return frozenset((self._text("top_level.txt") or "").split())
        return frozenset(path.partition("/")[0] for path in self.files)

    @cached_property
    def editable(self) -> str:
        """Where the project lies that this is a link to; "" where it is a real installation."""
        text = self._text("direct_url.json")
        said = json.loads(text) if text else {}
        if said.get("dir_info", {}).get("editable"):
            return str(said.get("url", ""))
        return self.root.as_uri() if self.info.suffix == ".egg-info" and (self.root / "setup.py").is_file() else ""

    def _text(self, name: str) -> str | None:
        return Distribution.at(self.info).read_text(name)


def key(name: str) -> str:
    """A distribution's name as it is compared: ``Foo.bar_baz`` is ``foo-bar-baz``."""
    return re.sub(r"[-_.]+", "-", name).lower()


def stamps() -> dict[str, int]:
    """The folders of ``sys.path`` that hold distributions, each with the time of its last change: an installation changes it."""
    found: dict[str, int] = {}
    for place in dict.fromkeys(sys.path):
        try:
            if place and any(entry.suffix in (".dist-info", ".egg-info") for entry in Path(place).iterdir()):
                found[place] = Path(place).stat().st_mtime_ns
        except OSError:
            continue
    return found


_known: dict[str, object] = {}


def everything() -> dict[str, Installed]:
    """All distributions by key, the first of each name on ``sys.path``, as import would find it. Read anew after an installation."""
    now = stamps()
    if _known.get("stamps") != now:
        found: dict[str, Installed] = {}
        for place in now:
            for one in _of(Path(place)):
                found.setdefault(key(one.name), one)
        _known.update(stamps=now, found=found)
    return _known["found"]  # type: ignore[return-value]


def _of(place: Path) -> Iterator[Installed]:
    for entry in sorted(place.iterdir()):
        if entry.suffix not in (".dist-info", ".egg-info"):
            continue
        distribution = PathDistribution(entry)
        text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or distribution.read_text("") or ""
        head = re.split(r"\r?\n\r?\n", text, maxsplit=1)[0]
        name, version = (_field(head, word) for word in ("Name", "Version"))
        if name and version:
            yield Installed(name[0], version[0], place, entry, tuple(_field(head, "Requires-Dist")))


def _field(head: str, word: str) -> list[str]:
    return [line.partition(":")[2].strip() for line in head.splitlines() if line.startswith(f"{word}:")]


def provider(module: str) -> Installed | None:
    """The distribution that has a module, or the nearest package above it; None where none has."""
    parts = module.split(".")
    for depth in range(len(parts), 0, -1):
        stem = "/".join(parts[:depth])
        exact, inside = (f"{stem}/__init__.py", f"{stem}.py"), (f"{stem}.", f"{stem}/") if depth == 1 else (f"{stem}.",)
        for one in everything().values():
            if parts[0] not in {top.partition(".")[0] for top in one.tops}:
                continue
            if one.record is None or any(path in exact or path.startswith(inside) for path in one.files):
                return one
    return None
