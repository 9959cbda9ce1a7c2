"""Which folder is the project, and who may write to it."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = ".nbml"
SETTINGS = "nbml.toml"


def resolve(notebook: Path | None = None, *, cwd: Path | None = None) -> Path:
    """The project's folder.

    In this order: ``NBML_PROJECT``; the nearest folder at or above the notebook with ``.nbml/`` or ``nbml.toml``;
    the nearest with ``.git`` that is not the home folder; the notebook's own folder (``cwd`` where the notebook
    is not known). Nothing is created.
    """
    asked = os.environ.get("NBML_PROJECT")
    if asked:
        return Path(asked).expanduser().resolve()
    start = (notebook.parent if notebook is not None else (cwd or Path.cwd())).resolve()
    above = [start, *start.parents]
    for folder in above:
        if (folder / FOLDER).is_dir() or (folder / SETTINGS).is_file():
            return folder
    home = Path.home()
    for folder in above:
        if (folder / ".git").exists() and folder != home:
            return folder
    return start


def writable(root: Path) -> bool:
    """Whether ``prepare`` could make ``.nbml/`` here; makes nothing."""
    folder = root / FOLDER
    if folder.is_dir():
        return folder.stat().st_uid == os.getuid() and os.access(folder, os.W_OK)
    there = next(path for path in (root, *root.parents) if path.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def prepare(root: Path) -> bool:
    """Make ``.nbml/`` (0700, ignoring itself in Git). True where it may be written to.

    A folder of another user is never written to, even by root.
    """
    folder = root / FOLDER
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return False
    if folder.stat().st_uid != os.getuid() or not os.access(folder, os.W_OK):
        return False
    ignore = folder / ".gitignore"
    try:
        if not ignore.exists():
            ignore.write_text("*\n")
    except OSError:
        return False
    return True
