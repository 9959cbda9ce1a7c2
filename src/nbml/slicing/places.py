"""Which files are the user's: those that a recipe has to name. Files of Python, of its libraries and of the system are not."""

from __future__ import annotations

import functools
import hashlib
import os
import sys
import sysconfig
import tempfile
from pathlib import Path

from nbml.store.project import SETTINGS

_SYSTEM = ("/proc/", "/dev/", "/sys/", "/etc/", "/usr/", "/lib", "/bin/", "/run/", "/opt/")
#: bytes of a file up to which it is read and hashed while a statement runs
AT_ONCE = 8 << 20
#: nbml's own files, wherever it is installed
_OURS = str(Path(__file__).resolve().parents[1]) + os.sep

#: folders in which a record began
roots: list[str] = []


@functools.cache
def _libraries() -> tuple[str, ...]:
    found = {sys.prefix, sys.base_prefix, sys.exec_prefix, *sysconfig.get_paths().values()}
    return tuple(folder.rstrip(os.sep) + os.sep for folder in found if folder)


def in_project(path: str) -> bool:
    """Whether a file lies below the notebook's folder (the working folder), and is no library's."""
    if not path:
        return False
    full = os.path.abspath(path)  # noqa: PTH100 - Path.resolve would ask the disk
    return bool(_base(full)) and "site-packages" not in full and not full.startswith(_OURS)


def _base(path: str) -> str:
    """The folder of the notebook (where the record began, or the working folder) that a path lies below; "" where in none."""
    for folder in (*roots, os.getcwd()):  # noqa: PTH109 - a text, on the cell's path
        if path.startswith(folder + os.sep):
            return folder
    return ""


def is_input(path: str) -> bool:
    """Whether a file that was opened is something of the user's that a result can hang on; our settings are not."""
    if path.endswith((".pyc", ".pyo", ".so", os.sep + SETTINGS)) or "site-packages" in path or path.startswith(_OURS):
        return False
    if in_project(path):
        inside = path[len(_base(path)) :]
        return f"{os.sep}." not in inside and "__pycache__" not in inside
    if path.startswith(_SYSTEM) or path.startswith(_libraries()):
        return False
    home = str(Path.home())
    inside = path[len(home) :] if path.startswith(home + os.sep) else path
    if path.startswith(tempfile.gettempdir() + os.sep) and ("joblib" in path or "pip-" in path):
        return False
    return f"{os.sep}." not in inside


def file_hash(path: str) -> bytes | None:
    """The SHA-256 of a file, None where there is none."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - on the cell's path
            return hashlib.file_digest(file, "sha256").digest()
    except (OSError, ValueError):
        return None
