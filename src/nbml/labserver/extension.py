"""The parts of the extension, attached to one running Jupyter server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbml.labserver.actions import Actions
from nbml.labserver.runs import Lists
from nbml.labserver.watch import Watch

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

SCHEMA_ID = "https://events.nbml.dev/store_changed/v1"
#: the doorbell: it says which project, never what
SCHEMA: dict[str, Any] = {
    "$id": SCHEMA_ID,
    "version": "1",
    "title": "The record of an nbml project has changed",
    "personal-data": False,
    "type": "object",
    "properties": {"project": {"type": "string", "description": "The project's id, as state tells it"}},
    "required": ["project"],
    "additionalProperties": False,
}


class Lab:
    """What the routes work with: where kernels' bindings lie, the folder served, the open projects."""

    def __init__(self, app: ServerApp) -> None:
        self._app = app
        self.served = Path(app.root_dir)
        self.runtime = Path(app.kernel_manager.connection_dir or app.runtime_dir)
        self.watch = Watch(self.ring)
        self.actions = Actions()
        self.runs = Lists()

    def ring(self, project: str) -> None:
        """Tell every page that a project has changed."""
        self._app.event_logger.emit(schema_id=SCHEMA_ID, data={"project": project})


def attach(app: ServerApp) -> None:
    """Add the routes, the event and the watching to ``app``."""
    from jupyter_server.utils import url_path_join

    from nbml.labserver.routes import ROUTES

    app.event_logger.register_event_schema(SCHEMA)
    lab = app.web_app.settings["nbml_lab"] = Lab(app)
    base = url_path_join(app.web_app.settings["base_url"], "nbml", "api", "v1")
    app.web_app.add_handlers(".*$", [(url_path_join(base, pattern), handler) for pattern, handler in ROUTES])
    app.log.info("nbml | side panel: reading projects below %s", lab.served)
