"""uvicorn's connections as a service has them: no slow or endless headers, and the service's door ahead of every other app.

uvicorn waits for headers without a limit of time or length (0.54; with httptools), and asks the app only when they are there:
what is to be limited before can be limited in its protocol class alone. uvicorn is imported when a class is made.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

#: seconds for the headers of a request, also of the first; and for the rest of it after its refusal
HEADERS = 20.0
#: bytes of a request's headers
MAX_HEADERS = 64 << 10
#: connections that are open at the same time
MAX_CONNECTIONS = 2_000


def protocol(ahead: Callable[[Any], Any] | None = None) -> type[Any]:
    """uvicorn's protocol class for HTTP with these limits; ``ahead`` puts a door before the app (``front.Front.ahead``).

    Give it as ``uvicorn.Config(app, http=protocol(front.ahead))``.
    """
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    class Connection(HttpToolsProtocol):
        """Counts the headers that have come, and looks after a while whether they are whole."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.begun = self.loop.time()  # of the headers that are awaited; 0.0 where none are
            self.head = 0
            self.watch: Any = None
            if ahead is not None:
                self.app = ahead(self.app)  # type: ignore[has-type]

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self.watch = self.loop.call_later(HEADERS, self.look)
            if len(self.connections) > MAX_CONNECTIONS:
                self.refuse(503, f"{MAX_CONNECTIONS:,} connections are open already")

        def connection_lost(self, exc: Exception | None) -> None:
            if self.watch is not None:
                self.watch.cancel()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.begun:
                self.head += len(data)
                if self.head > MAX_HEADERS:
                    self.refuse(431, f"the headers are longer than {MAX_HEADERS >> 10} kB")
            elif self.timeout_keep_alive_task is None and self.cycle is not None and self.cycle.response_complete:
                self.begun = self.loop.time()  # empty lines between two requests, which end uvicorn's own patience

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self.begun = self.loop.time()
            self.head = 0

        def on_headers_complete(self) -> None:
            self.begun = 0.0
            super().on_headers_complete()

        def look(self) -> None:
            """Called once in a while: are headers awaited for too long?"""
            left = HEADERS - (self.loop.time() - self.begun) if self.begun else HEADERS
            if left <= 0.0:
                self.refuse(408, f"the headers did not arrive within {HEADERS:g} s")
            else:
                self.watch = self.loop.call_later(left, self.look)

        def refuse(self, status: int, message: str) -> None:
            """The last answer of a connection; nothing where it is closing already."""
            if self.transport.is_closing():
                return
            body = json.dumps({"error": {"message": message, "problems": [], "count": 0}}).encode()
            head = f"HTTP/1.1 {status} {_REASONS[status]}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
            self.transport.write(head.encode() + b"connection: close\r\n\r\n" + body)
            self.transport.close()

        def send_400_response(self, msg: str) -> None:
            self.refuse(400, "this is no HTTP request")

    return Connection


_REASONS = {400: "Bad Request", 408: "Request Timeout", 431: "Request Header Fields Too Large", 503: "Service Unavailable"}


def install(ahead: Callable[[Any], Any]) -> bool:
    """Make it the class that uvicorn takes by itself, for whoever starts the server (BentoML); False where that cannot be."""
    try:
        from uvicorn.protocols.http import auto

        auto.AutoHTTPProtocol = protocol(ahead)
    except ImportError:
        return False
    return True
