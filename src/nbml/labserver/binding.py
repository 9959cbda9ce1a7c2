"""Which project belongs to a kernel or to a notebook, and which Python runs its commands."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from nbml import errors
from nbml.store import resolve

KERNEL_ID = re.compile(r"[0-9a-fA-F][0-9a-fA-F-]{7,63}")


@dataclass(frozen=True)
class Binding:
    """A project as one notebook sees it. ``by`` says how it was found: "kernel" or "path"."""

    root: Path
    python: str
    by: str
    kernel: str = ""
    notebook: str = ""

    @property
    def id(self) -> str:
        """Names the project in events, without telling its path."""
        return hashlib.sha256(str(self.root).encode()).hexdigest()[:16]


def bind(kernel: str, path: str, *, runtime: Path, served: Path) -> Binding | None:
    """The project of a kernel; where the kernel has not said, that of the notebook at ``path`` below ``served``.

    None where neither leads to a project. Raises errors.BadArgument for an id or a path that cannot be one.
    """
    return of_kernel(kernel, runtime) or of_path(path, served)


def of_kernel(kernel: str, runtime: Path) -> Binding | None:
    """What ``%load_ext nbml`` wrote down beside the kernel's connection file; None where it did not."""
    if not kernel:
        return None
    if not KERNEL_ID.fullmatch(kernel):
        raise errors.BadArgument("that is no id of a kernel: hexadecimal digits and dashes")
    file = runtime / f"nbml-{kernel}.json"
    try:
        if file.stat().st_uid != os.getuid():
            return None
        said = json.loads(file.read_text())
        root, python = Path(said["project"]), str(said["python"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not root.is_absolute() or not root.is_dir() or not Path(python).is_absolute():
        return None
    return Binding(root.resolve(), python, "kernel", kernel, str(said.get("notebook") or ""))


def of_path(path: str, served: Path) -> Binding | None:
    """The project that holds the notebook, where one was begun; ``path`` stays below ``served``."""
    notebook = contained(path, served)
    root = resolve(notebook)
    return Binding(root, sys.executable, "path", notebook=str(notebook)) if (root / ".nbml").is_dir() else None


def contained(path: str, served: Path) -> Path:
    """``path`` below ``served``, links followed. Raises errors.BadArgument where it leads outside."""
    if "\0" in path:
        raise errors.BadArgument("a path holds no NUL")
    base = served.resolve()
    full = (base / path.lstrip("/")).resolve()
    if full != base and base not in full.parents:
        raise errors.BadArgument("that path leads out of the folder that Jupyter serves")
    return full if path else base / "untitled"
