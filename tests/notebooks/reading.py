"""What an executed notebook says, and what its static export would fetch."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat

EXAMPLES = Path(__file__).resolve().parents[2] / "example-notebooks"


def outputs(notebook: nbformat.NotebookNode) -> list[Any]:
    """The outputs of its code cells, in order."""
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def said(notebook: nbformat.NotebookNode) -> str:
    """All outputs as plain text."""
    return "\n".join(str(o.get("text", "")) + str(o.get("data", {}).get("text/plain", "")) for o in outputs(notebook))


def rich(notebook: nbformat.NotebookNode) -> list[dict[str, Any]]:
    """The bundles of its results."""
    return [o["data"] for o in outputs(notebook) if "application/vnd.nbml.v1+json" in o.get("data", {})]


def export(path: Path) -> str:
    """The notebook as static HTML, written beside it by nbconvert."""
    command = [
        sys.executable, "-m", "nbconvert", "--to", "html", "--HTMLExporter.mathjax_url=", "--HTMLExporter.require_js_url=",
        "--output", "export", str(path),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    return (path.parent / "export.html").read_text()


def loads(page: str) -> list[str]:
    """Addresses that a page would fetch."""
    return re.findall(r"""<(?:script|img|link|iframe)[^>]+(?:src|href)=["'](?!data:|#)([^"']+)""", page)
