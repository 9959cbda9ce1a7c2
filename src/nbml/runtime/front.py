"""The front door of a service: ASGI for /predict, /healthz and /readyz; the rest is the app behind it.

Requests are answered on the event loop while the model is fast, and in one worker thread where it is not, so that the
probes answer during a long prediction. Never are two predictions made at once: models need not be thread-safe.
"""

from __future__ import annotations

import asyncio
import gc
import hmac
import os
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

from . import answers
from .answers import Answer
from .document import openapi
from .plan import Plan, Rejected

__all__ = ["Answer", "Front", "openapi", "settle", "token_from"]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

#: bytes of a body; and how much of a longer one is read and thrown away, so that its sender can hear the refusal
MAX_BODY, MAX_IGNORED = 10 << 20, 64 << 20
#: seconds for a body to arrive
PATIENCE = 60.0
#: answers that take longer than this are made in the worker thread
QUICK = 0.003
#: requests, and bytes of them, that may wait for the worker thread
MAX_WAITING, MAX_WAITING_BYTES = 1_000, 128 << 20
PROBES = ("/healthz", "/readyz")


class Log(Protocol):
    """Takes each answered request; must not wait, must not raise. ``traffic.Sender`` is one."""

    def send(self, *, latency_ms: float, status: int, version: str, rows: int, request: bytes, response: bytes) -> None: ...


class Front:
    """The ASGI app. ``execute`` takes columns (``plan.Batch.columns``) and gives an Answer; ``app`` is what stands behind."""

    def __init__(
        self,
        manifest: Mapping[str, Any],
        execute: Callable[[dict[str, list[Any]]], Answer],
        *,
        token: str = "",
        log: Log | None = None,
        app: App | None = None,
    ) -> None:
        self.plan = Plan.of(manifest)
        self.version = f"{manifest['service']}@{manifest['version']}"
        self.execute, self.log, self.app = execute, log, app
        self._token = token.encode()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="predict")
        self._pace: dict[int, float] = {}  # seconds that bodies of about this size take
        self._waiting = self._waiting_bytes = 0
        self._json = [(b"content-type", b"application/json"), (b"x-nbml-version", self.version.encode("latin-1", "replace"))]
        self._probe = answers.dumps({"status": "ok", "version": self.version})

    def around(self, app: App) -> App:
        """This door with ``app`` behind it: what ``add_asgi_middleware`` wants."""
        self.app = app
        return self

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._otherwise(scope, receive, send)
            return
        path = _path(scope)
        if path in PROBES and scope["method"] in ("GET", "HEAD"):
            await self._send(send, 200, b"" if scope["method"] == "HEAD" else self._probe, length=len(self._probe))
        elif path == "/predict":
            await self._predict(scope, receive, send)
        elif not self._may(scope):
            await self._send(send, *self._no_token(), [(b"www-authenticate", b"Bearer")])
        elif self.app is not None:
            await self.app(scope, receive, send)
        else:
            await self._send(send, 404, answers.refused(f"nothing is at {path[:200]}; POST /predict, GET /healthz, /readyz", self.version))

    # -- /predict ---------------------------------------------------------------------------------------------

    async def _predict(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        body, rows, more = b"", 0, []  # type: bytes, int, list[tuple[bytes, bytes]]
        early = self._early(scope)
        if early is None:
            taken = await _body(receive)
            if taken is None:
                return  # the client is gone
            status, body = taken
            if status == 200:
                status, out, rows = await self._answer(body)
                more = [(b"retry-after", b"1")] if status == 503 else []
            else:
                out = answers.refused(_TOO[status], self.version)
                more = [(b"connection", b"close")]
        else:
            status, out, more = early
        if self.log is not None:  # before the answer goes: nobody has an answer that is not on its way to the log
            took = (time.perf_counter() - started) * 1e3
            self.log.send(latency_ms=took, status=status, version=self.version, rows=rows, request=body, response=out)
        await self._send(send, status, b"" if scope["method"] == "HEAD" else out, more, length=len(out))

    def _early(self, scope: Mapping[str, Any]) -> tuple[int, bytes, list[tuple[bytes, bytes]]] | None:
        """The refusal of a request whose body need not be read."""
        if not self._may(scope):
            return *self._no_token(), [(b"www-authenticate", b"Bearer")]
        if scope["method"] != "POST":
            message = f"/predict is asked by POST, not {scope['method'][:20]}: POST {self.plan.example()} as application/json"
            return 405, answers.refused(message, self.version), [(b"allow", b"POST")]
        kind, packed = _header(scope, b"content-type"), _header(scope, b"content-encoding")
        if not _is_json(kind):
            message = f"the body is {kind[:80].decode('latin-1')}; send it with Content-Type: application/json"
            return 415, answers.refused(message, self.version), []
        if packed not in (b"", b"identity"):
            return 415, answers.refused("the body is compressed; send it as it is, without Content-Encoding", self.version), []
        return None

    async def _answer(self, body: bytes) -> tuple[int, bytes, int]:
        """On the loop where a body of this size was quick before and nothing is in work, else in the worker thread."""
        size = len(body).bit_length()
        if not self._waiting and self._pace.get(size, QUICK) < QUICK:
            return self._timed(size, body)
        if self._waiting >= MAX_WAITING or self._waiting_bytes + len(body) > MAX_WAITING_BYTES:
            return 503, answers.refused(f"{self._waiting} requests wait already; try again in a second", self.version), 0
        self._waiting += 1
        self._waiting_bytes += len(body)
        work = asyncio.get_running_loop().run_in_executor(self._pool, self._timed, size, body)
        work.add_done_callback(lambda _: self._done(len(body)))
        return await asyncio.shield(work)

    def _done(self, size: int) -> None:
        self._waiting -= 1
        self._waiting_bytes -= size

    def _timed(self, size: int, body: bytes) -> tuple[int, bytes, int]:
        started = time.perf_counter()
        given = self.answer(body)
        took = time.perf_counter() - started
        before = self._pace.get(size, took)
        self._pace[size] = took if took > before else 0.8 * before + 0.2 * took  # slow is believed at once, quick by and by
        return given

    def answer(self, body: bytes) -> tuple[int, bytes, int]:
        """Status, answer and number of rows of a request's body; no server is needed to ask."""
        try:
            content = answers.loads(body)
        except ValueError as error:
            return 400, answers.refused(f"the body is no JSON: {str(error)[:300]}", self.version), 0
        rows = 0
        batch = None
        try:
            rows = len(content["rows"]) if isinstance(content, dict) and isinstance(content.get("rows"), list) else 0
            batch = self.plan.read(content)
            return 200, answers.answered(batch, self.execute(batch.columns), self.version), rows
        except Rejected as refused:
            return refused.status, answers.rejected(refused, self.version), rows
        except answers.BadAnswer as error:
            return 500, self._failed(str(error)), rows
        except (Exception, SystemExit) as error:
            nulls = _nulls(error, batch.columns, batch.ids) if batch is not None else []
            if nulls:
                message = f"the model takes no null in {nulls[0]['column']!r}: row {nulls[0]['row']}"
                return 422, answers.refused(message, self.version, nulls[:100], len(nulls)), rows
            last = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
            return 500, self._failed(last), rows

    def _failed(self, message: str) -> bytes:
        """The model failed on rows that it should take: told to the client in a line, to the service's log in full."""
        traceback.print_exc(file=sys.stderr)
        return answers.refused(message[:500], self.version)

    # -- around it --------------------------------------------------------------------------------------------

    def _may(self, scope: Mapping[str, Any]) -> bool:
        if not self._token:
            return True
        scheme, _, given = _header(scope, b"authorization").partition(b" ")
        return scheme.lower() == b"bearer" and hmac.compare_digest(given.strip(), self._token)

    def _no_token(self) -> tuple[int, bytes]:
        return 401, answers.refused("a token is needed: Authorization: Bearer $NBML_TOKEN", self.version)

    async def _send(
        self, send: Send, status: int, body: bytes, more: list[tuple[bytes, bytes]] | None = None, *, length: int | None = None
    ) -> None:
        headers = [*self._json, (b"content-length", b"%d" % (len(body) if length is None else length)), *(more or ())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _otherwise(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if self.app is not None:
            await self.app(scope, receive, send)
        elif scope["type"] == "lifespan":
            while True:
                kind = (await receive())["type"]
                await send({"type": f"{kind}.complete"})
                if kind == "lifespan.shutdown":
                    return
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})


def settle() -> None:
    """After the model is loaded: the collector leaves alone what is there, and seldom runs (stalls of 180 ms become 2 ms)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 1_000)


def token_from(environ: Mapping[str, str] = os.environ) -> str:
    """The token that requests must bear: the content of the file NBML_TOKEN_FILE; "" where there is none to be borne.

    Raises OSError or ValueError where a token is wanted and cannot be read: a service never starts open by accident.
    """
    path = environ.get("NBML_TOKEN_FILE", "")
    if not path:
        return ""
    token = Path(path).read_text(encoding="utf-8").strip()
    if not token:
        raise ValueError("the token file is empty")
    return token


_TOO = {
    413: f"the body is longer than {MAX_BODY >> 20} MB ({MAX_BODY:,} bytes); send fewer rows at a time",
    408: f"the body did not arrive within {PATIENCE:g} s",
}


async def _body(receive: Receive) -> tuple[int, bytes] | None:
    """200 and the whole body; 413 or 408 and nothing; None where the client went away."""
    message = await receive()
    if message["type"] == "http.disconnect":
        return None
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return (200, body) if len(body) <= MAX_BODY else (413, b"")
    whole, size = bytearray(body), len(body)
    try:
        async with asyncio.timeout(PATIENCE):
            while message.get("more_body") and size <= MAX_IGNORED:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                size += len(message.get("body", b""))
                if size <= MAX_BODY:
                    whole += message.get("body", b"")
    except TimeoutError:
        return 408, b""
    return (200, bytes(whole)) if size <= MAX_BODY else (413, b"")


def _path(scope: Mapping[str, Any]) -> str:
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path[len(root) :] if root and path.startswith(root) else path


def _header(scope: Mapping[str, Any], name: bytes) -> bytes:
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return b""


def _is_json(kind: bytes) -> bool:
    """A body without a type is taken for JSON; a charset other than UTF-8 is none."""
    name, _, more = kind.lower().partition(b";")
    name = name.strip()
    known = name in (b"", b"application/json") or (name.startswith(b"application/") and name.endswith(b"+json"))
    charset = more.replace(b" ", b"").replace(b'"', b"").partition(b"charset=")[2]
    return known and charset in (b"", b"utf-8", b"utf8")


def _nulls(error: BaseException, columns: Mapping[str, list[Any]], ids: list[str]) -> list[dict[str, Any]]:
    """The nulls that a model refuses in so many words (scikit-learn: "Input X contains NaN"); none for any other error."""
    text = str(error).lower()
    if not isinstance(error, ValueError) or not ("contains nan" in text or "missing value" in text):
        return []
    return [
        {"row": i, "id": ids[i], "column": name, "value": None, "problem": "the model takes no null here"}
        for name, values in columns.items()
        for i, value in enumerate(values)
        if value is None
    ]
