"""Execute a notebook in place, as Run All would, and write it back with its outputs."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient


def execute(path: Path, timeout: int = 300) -> nbformat.NotebookNode:
    """Runs every cell in a fresh kernel in the notebook's folder; a failing cell raises."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=timeout, resources={"metadata": {"path": str(path.parent.resolve())}})
    client.execute(env=_environment(path))
    nbformat.write(notebook, path)
    return notebook


def _environment(path: Path) -> dict[str, str]:
    """What JupyterLab tells a kernel of its notebook."""
    import os

    return {**os.environ, "JPY_SESSION_NAME": str(path.resolve())}


if __name__ == "__main__":
    target = Path(sys.argv[1])
    begun = time.monotonic()
    executed = execute(target)
    cells = sum(cell.cell_type == "code" for cell in executed.cells)
    print(f"{target.name}: {cells} cells ran in {time.monotonic() - begun:.0f} s")
