"""Where a virtual environment keeps what: made here of two files and two links, in a millisecond."""

from __future__ import annotations

import platform
import sys
import sysconfig
from pathlib import Path


def base() -> Path:
    """The program that this interpreter's own environment was made from."""
    return Path(getattr(sys, "_base_executable", "") or sys.executable)


def site(home: Path) -> Path:
    """The site-packages of an environment."""
    return Path(sysconfig.get_path("purelib", "venv", {"base": str(home), "platbase": str(home)}))


def python(home: Path) -> Path:
    return home / "bin" / "python"


def skeleton(home: Path) -> None:
    """An environment without packages in the empty folder ``home``. It holds no path of its own and may be moved."""
    site(home).mkdir(parents=True)
    (home / "bin").mkdir()
    python(home).symlink_to(base())
    (home / "bin" / "python3").symlink_to("python")
    said = f"home = {base().parent}\ninclude-system-site-packages = false\nversion = {platform.python_version()}\n"
    (home / "pyvenv.cfg").write_text(said, encoding="utf-8")
