"""uvicorn's connections as a service has them: no slow or endless headers, and the service's door ahead of every other app.

uvicorn waits for headers without a limit of time or length (0.54; with httptools), and asks the app only when they are there:
what is to be limited before can be limited in its protocol class alone. A request that is here whole and can be answered at
once is answered where it is read: without a task, an event and two messages for each, a third of a request's CPU. uvicorn is
imported when a class is made.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Any, Protocol

#: seconds for the headers of a request, also of the first; and for the rest of it after its refusal
HEADERS = 20.0
#: bytes of a request's headers
MAX_HEADERS = 64 << 10
#: connections that are open at the same time
MAX_CONNECTIONS = 2_000


class Door(Protocol):
    """What stands before the app (``front.Front``): ``ahead`` makes an app of it, ``at_once`` answers what needs no waiting, or None.

    ``flush`` is called before such answers go.
    """

    def ahead(self, app: Any) -> Any: ...

    def at_once(self, scope: Any, body: bytes) -> tuple[int, Sequence[tuple[bytes, bytes]], bytes] | None: ...

    def flush(self) -> None: ...


def protocol(door: Door | None = None) -> type[Any]:
    """uvicorn's protocol class for HTTP with these limits; ``door`` is put before the app.

    Give it as ``uvicorn.Config(app, http=protocol(front))``.
    """
    from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

    given: list[tuple[Any, bytes, bool]] = []  # answers of this turn of the loop: transport, bytes, whether it is the last

    def go() -> None:
        """They are flushed together, and go."""
        turn = given.copy()
        given.clear()  # first: a turn that fails must not hold up the next ones
        if turn and door is not None:
            door.flush()
        for transport, answer, last in turn:
            if not transport.is_closing():
                transport.write(answer)
                if last:
                    transport.close()

    class Connection(HttpToolsProtocol):
        """Counts the headers that have come, and looks after a while whether they are whole."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.begun = self.loop.time()  # of the headers that are awaited; 0.0 where none are
            self.head = 0
            self.watch: Any = None
            self.held: Any = None  # a request whose body may be here, too
            self.reading = False
            self.access_log: bool = self.access_logger.hasHandlers() and self.access_logger.isEnabledFor(logging.INFO)  # BentoML: no
            if door is not None:
                self.app = door.ahead(self.app)  # type: ignore[has-type]

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
            self.reading = True
            super().data_received(data)
            self.reading = False
            if self.held is not None:  # the rest of its body is to be waited for
                self.release()
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

        def _start_asgi_task(self, cycle: Any, app: Any) -> None:
            self._unset_keepalive_if_required()  # of an answer to the request before, given at once
            if self.reading and door is not None and app is self.app and not self.access_log and not cycle.waiting_for_100_continue:
                self.held = (cycle, app)
            else:
                super()._start_asgi_task(cycle, app)

        def release(self) -> None:
            """Give the request to the app, as uvicorn does."""
            (cycle, app), self.held = self.held, None
            super()._start_asgi_task(cycle, app)

        def on_message_complete(self) -> None:
            super().on_message_complete()
            if self.held is not None and not self.answered(self.held[0]):
                self.release()

        def answered(self, cycle: Any) -> bool:
            """Whether the whole request was answered at once, as a cycle of uvicorn's would have."""
            if cycle is not self.cycle or cycle.more_body or self.flow.write_paused or self.transport.is_closing():
                return False
            found = door.at_once(self.scope, bytes(cycle.body)) if door is not None else None
            if found is None:
                return False
            status, headers, body = found
            parts = [STATUS_LINE[status]]
            for name, value in (*self.server_state.default_headers, *headers):
                parts += (name, b": ", value, b"\r\n")
            parts += (b"\r\n", body) if cycle.keep_alive else (b"connection: close\r\n\r\n", body)
            self.held = None
            if not given:
                self.loop.call_soon(go)
            given.append((self.transport, b"".join(parts), not cycle.keep_alive))
            cycle.response_started = cycle.response_complete = True
            self.on_response_complete()
            return True

        def look(self) -> None:
            """Called once in a while: are headers awaited for too long?"""
            left = HEADERS - (self.loop.time() - self.begun) if self.begun else HEADERS
            if left <= 0.0:
                self.refuse(408, f"the headers did not arrive within {HEADERS:g} s")
            else:
                self.watch = self.loop.call_later(left, self.look)

        def refuse(self, status: int, message: str) -> None:
            """The last answer of a connection; nothing where it is closing already."""
            go()
            if self.transport.is_closing():
                return
            body = json.dumps({"error": {"message": message, "problems": [], "count": 0}}).encode()
            head = f"HTTP/1.1 {status} {_REASONS[status]}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
            self.transport.write(head.encode() + b"connection: close\r\n\r\n" + body)
            self.transport.close()

        def shutdown(self) -> None:
            go()
            super().shutdown()

        def send_400_response(self, msg: str) -> None:
            self.refuse(400, "this is no HTTP request")

    return Connection


_REASONS = {400: "Bad Request", 408: "Request Timeout", 431: "Request Header Fields Too Large", 503: "Service Unavailable"}


def install(door: Door) -> bool:
    """Make it the class that uvicorn takes by itself, for whoever starts the server (BentoML); False where that cannot be."""
    try:
        from uvicorn.protocols.http import auto

        auto.AutoHTTPProtocol = protocol(door)
    except ImportError:
        return False
    return True
