"""The Jupyter server extension: it reads the record for the side panel, and never a kernel.

It writes nothing. What acts on the project runs in the project's own Python, as ``python -m nbml ...``; so this
process imports the standard library, Jupyter's server and floors 1 to 4 of nbml only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

__all__: list[str] = []


def _load_jupyter_server_extension(app: ServerApp) -> None:
    """Called by Jupyter's server at its start."""
    from nbml.labserver.extension import attach

    attach(app)
