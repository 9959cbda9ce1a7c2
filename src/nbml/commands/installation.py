"""The installation: what is there, what is missing, and the line that repairs it."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import nbml
from nbml import store
from nbml.commands.overview import home
from nbml.display import Note, Report, Shown, strong

LAB = Path("share/jupyter/labextensions/@nbml/labextension/package.json")
SERVER = Path("etc/jupyter/jupyter_server_config.d/nbml.json")


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. ``state`` is well, look (works with less) or bad."""

    name: str
    state: str
    found: str
    next: str = ""


@dataclass(frozen=True, repr=False)
class Doctor(Shown):
    """What was looked at; ``healthy`` where nothing is bad."""

    checks: tuple[Check, ...]

    @property
    def healthy(self) -> bool:
        return all(check.state != "bad" for check in self.checks)

    def _report(self) -> Report:
        worst = next((state for state in ("bad", "look") if any(c.state == state for c in self.checks)), "well")
        words = {"bad": "broken", "look": "look", "well": "well"}
        marks = {"well": "ok", "look": "look", "bad": "bad"}
        notes = [Note(check.state, marks[check.state], (strong(check.name), " ", check.found)) for check in self.checks]
        steps = [check.next for check in self.checks if check.next][:2]
        facts = [f"nbml {nbml.__version__}", f"Python {sys.version.split()[0]}"]
        return Report((strong("installation"),), worst, words[worst], facts, notes, steps)


def doctor() -> Doctor:
    """Look at Python, libraries, store, JupyterLab extension and server extension; nothing is imported or changed."""
    return Doctor((_libraries(), _store(), *_jupyter()))


def _libraries() -> Check:
    """Everything that nbml's metadata requires, in the versions that it asks for."""
    missing = [*_unmet()]
    if missing:
        install = "%pip install " + " ".join(f"'{name}'" for name in missing)
        return Check("libraries", "bad", "missing or too old: " + ", ".join(missing), install)
    return Check("libraries", "well", f"{len([*_needs()])} as required")


def _needs() -> Iterator[str]:
    try:
        lines = metadata.requires("nbml") or []
    except metadata.PackageNotFoundError:
        return
    yield from (line for line in lines if "extra ==" not in line)


def _unmet() -> Iterator[str]:
    from packaging.requirements import Requirement

    for line in _needs():
        need = Requirement(line)
        if need.marker is not None and not need.marker.evaluate():
            continue
        try:
            there = metadata.version(need.name)
        except metadata.PackageNotFoundError:
            yield f"{need.name}{need.specifier}"
            continue
        if not need.specifier.contains(there, prereleases=True):
            yield f"{need.name}{need.specifier}"


def _store() -> Check:
    """Whether the project's folder takes a file; the store itself is not made for it."""
    root = store.chosen()
    folder = root / ".nbml" if (root / ".nbml").is_dir() else root
    own = folder.stat().st_uid == os.getuid() if folder.exists() else False
    try:
        with tempfile.NamedTemporaryFile(dir=folder):
            pass
    except OSError as error:
        return Check("store", "look", f"{home(root)} can be read, not written: {error.strerror}", "%nbml status")
    return Check("store", "well" if own else "look", home(root) + ("" if own else " belongs to another user, so it is only read"))


def _jupyter() -> tuple[Check, Check]:
    """The two parts of the JupyterLab extension, where Jupyter looks for them."""
    lab = next((path for folder in _folders("JUPYTER_PATH") if (path := folder / LAB).is_file()), None)
    server = next((path for folder in _folders("JUPYTER_CONFIG_PATH") if (path := folder / SERVER).is_file()), None)
    version = json.loads(lab.read_text()).get("version", "") if lab else ""
    reinstall = "%pip install --force-reinstall --no-deps nbml"
    if lab is None:
        first = Check("side panel", "look", "JupyterLab does not find the extension; %nbml works without it", reinstall)
    elif version != nbml.__version__:
        first = Check("side panel", "look", f"version {version}, but nbml is {nbml.__version__}", reinstall)
    else:
        first = Check("side panel", "well", f"version {version}")
    if server is None:
        enable = "!jupyter server extension enable nbml"
        return first, Check("server extension", "look", "Jupyter's server does not load it; the panel needs it", enable)
    return first, Check("server extension", "well", "enabled")


def _folders(variable: str) -> list[Path]:
    """The prefixes below which Jupyter looks."""
    said = [Path(text).parent.parent for text in os.environ.get(variable, "").split(os.pathsep) if text]
    return [*said, Path(sys.prefix), Path.home() / ".local", Path("/usr/local"), Path("/usr"), Path("/")]
