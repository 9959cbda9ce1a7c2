"""A Slice: the program that recreates a name, and the files that go with it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from nbml.display import Report, Shown


@dataclass(frozen=True)
class Artifact:
    """A value that travels as a file. ``path`` is relative to the module.

    ``format`` is npy, parquet, json, skops or pickle (protocol 5); ``why`` says of a pickle why it is no safer one; ``types``
    are the names of what loading may make beyond what the format always may.
    """

    path: str
    content: bytes = field(repr=False)
    sha256: str
    format: str
    why: str = ""
    types: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class Slice(Shown):
    """The program that recreates ``name`` from live values.

    ``source`` is the text of the module ``module``; ``artifacts`` the values that it loads, by name; ``files`` the local
    modules that it imports, by relative path; ``requirements`` the pinned distributions that all of this needs;
    ``environment`` the environment variables that it reads.
    """

    name: str
    module: str
    source: str
    artifacts: dict[str, Artifact]
    requirements: tuple[str, ...]
    warnings: tuple[str, ...]
    files: dict[str, bytes]
    environment: tuple[str, ...] = ()
    #: the line that leads on from it, or ""
    following: str = field(default="", compare=False)

    @property
    def hashes(self) -> dict[str, str]:
        """SHA-256 of every file that ``write`` makes, by relative path."""
        found = {f"{self.module}.py": self.source.encode(), **self.files}
        return {path: hashlib.sha256(content).hexdigest() for path, content in found.items()} | {
            artifact.path: artifact.sha256 for artifact in self.artifacts.values()
        }

    def write(self, folder: Path | str) -> Path:
        """Write the module, its artifacts and the local modules it imports into ``folder``; returns the module's path."""
        root = Path(folder)
        path = root / f"{self.module}.py"
        contents = {f"{self.module}.py": self.source.encode(), **self.files}
        contents |= {artifact.path: artifact.content for artifact in self.artifacts.values()}
        for relative, content in contents.items():
            target = root / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        return path

    def _report(self) -> Report:
        from nbml.slicing.report import slice_report

        return slice_report(self)
