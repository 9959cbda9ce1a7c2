"""A way to a server with faults on it: a proxy on loopback that loses, delays, refuses and lies as it is told."""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Proxy(ThreadingHTTPServer):
    """A fault is one of: a status code to answer with; "hang": no answer; "lost": done, the answer is lost; "drip": one byte of
    the answer a second; "lie": answered well, not done.

    ``plan`` lists faults and what the line of a request must match to meet it, once each; ``always`` is one for all requests.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.host, self.port = re.fullmatch(r"http://([\d.]+):(\d+)", target).groups()  # type: ignore[union-attr]
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.plan: list[tuple[int | str, str]] = []
        self.always: tuple[int | str, str] | None = None
        self.answer = b"{}"
        self.over = threading.Event()

    def meets(self, line: str) -> int | str | None:
        """The fault that a request meets."""
        for place, (fault, on) in enumerate(self.plan):
            if re.search(on, line):
                del self.plan[place]
                return fault
        return self.always[0] if self.always is not None and re.search(self.always[1], line) else None

    def handle_error(self, *_: Any) -> None:
        """A client that ends early is no error here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def log_message(self, *_: Any) -> None:
        """Be quiet."""

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        operation = re.search(rb'"operationName":\s*"(\w+)"', body[:100_000])
        fault = self.server.meets(f"{self.command} {self.path} {operation[1].decode() if operation else ''}")
        if fault == "hang":
            self.server.over.wait(60)
            self.close_connection = True
        elif isinstance(fault, int):
            self._give(fault, [("Content-Type", "application/json")], b'{"error": "a fault", "msg": "a fault"}')
        elif fault == "lie":
            self._give(200, [("Content-Type", "application/json")], self.server.answer)
        else:
            status, headers, answer = self._ask(body)
            if fault == "lost":
                self.close_connection = True
                return
            self._give(status, headers, answer, slow=fault == "drip")

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _any

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self.server.host, int(self.server.port), timeout=60)
        kept = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection", "content-length")}
        connection.request(self.command, self.path, body, kept)
        reply = connection.getresponse()
        answer = reply.read()
        connection.close()
        left = ("transfer-encoding", "content-length", "connection", "server", "date")
        return reply.status, [(name, value) for name, value in reply.getheaders() if name.lower() not in left], answer

    def _give(self, status: int, headers: list[tuple[str, str]], answer: bytes, *, slow: bool = False) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if not slow:
            self.wfile.write(answer)
            return
        for place in range(len(answer)):
            self.wfile.write(answer[place : place + 1])
            if self.server.over.wait(1):
                return


@contextmanager
def proxy(target: str) -> Iterator[Proxy]:
    """A proxy on a free port of loopback."""
    server = Proxy(target)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
