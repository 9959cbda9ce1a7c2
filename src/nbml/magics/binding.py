"""Where a kernel's project is, written beside its connection file: so the side panel never guesses."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbml import __version__, store

if TYPE_CHECKING:
    from nbml.magics.session import Session


def connection_file() -> Path | None:
    """The connection file of this process's kernel; None where it is none."""
    module = sys.modules.get("ipykernel.kernelapp")
    app: Any = getattr(module, "IPKernelApp", None)
    if app is None or not app.initialized():
        return None
    return Path(app.instance().abs_connection_file)


def kernel_id() -> str:
    """As the Jupyter server calls the kernel; "" outside one."""
    file = connection_file()
    return "" if file is None else file.stem.removeprefix("kernel-")


def path_of(kernel: str) -> Path | None:
    file = connection_file()
    return None if file is None else file.with_name(f"nbml-{kernel}.json")


def tell(session: Session) -> None:
    """Say where the project is, which Python and which nbml. A folder that cannot be written to is left alone."""
    path = path_of(session.kernel)
    if path is None:
        return
    said = {
        "project": str(store.chosen()), "python": sys.executable, "nbml": __version__,
        "notebook": str(session.path) if session.path else "",
    }  # fmt: skip
    try:
        _tidy(path.parent)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(said, file)
    except OSError:
        return


def forget(session: Session) -> None:
    """Take it back."""
    path = path_of(session.kernel)
    if path is not None:
        path.unlink(missing_ok=True)


def _tidy(folder: Path) -> None:
    """Remove what kernels left that are gone: a restarted kernel keeps its id, and its file."""
    for path in folder.glob("nbml-*.json"):
        if not path.with_name("kernel-" + path.name.removeprefix("nbml-")).exists():
            path.unlink(missing_ok=True)
