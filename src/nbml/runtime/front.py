"""The front door of a service: ASGI for /predict, /v2 (Open Inference Protocol), /healthz and /readyz; the rest is the app behind it.

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
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from . import answers, arriving, openinference
from .answers import Answer
from .arriving import App, Headers, Receive, Send
from .counts import Counts
from .document import openapi
from .plan import Batch, Plan, Rejected

__all__ = ["Answer", "Front", "openapi", "settle", "token_from"]

#: answers that take longer than this are made in the worker thread
QUICK = 0.003
#: seconds that an answer may take
LONGEST = 300.0
#: requests, and bytes of them, that may wait for the worker thread
MAX_WAITING, MAX_WAITING_BYTES = 1_000, 128 << 20
PROBES = ("/healthz", "/readyz")
More = Sequence[tuple[bytes, bytes]]


class Log(Protocol):
    """Takes each answered request; must not wait, must not raise. ``traffic.Sender`` is one."""

    def send(
        self, *, latency_ms: float, status: int, version: str, rows: int, request: bytes, response: bytes, now: bool = True
    ) -> None: ...

    def flush(self) -> None: ...


class Given(NamedTuple):
    """An answer: status, body, rows that were asked about, more headers; what is logged, where that is something else."""

    status: int
    body: bytes
    rows: int = 0
    more: More = ()
    logged: tuple[bytes, bytes] | None = None


class Failed(Exception):
    """The model failed on rows that it should take."""


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
        self.inference = openinference.Inference(manifest, self.plan)
        self.counts = Counts()
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

    def ahead(self, app: App) -> App:
        """An app whose requests come here first; what is not answered here goes to ``app``, whole."""

        async def door(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and ((path := arriving.path_of(scope)) == "/predict" or path in PROBES or _is_v2(path)):
                await self(scope, receive, send)
            else:
                await app(scope, receive, send)

        return door

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._otherwise(scope, receive, send)
            return
        path = arriving.path_of(scope)
        if path == "/predict":
            await self._asked(scope, receive, send, path)
        elif path in PROBES and scope["method"] in ("GET", "HEAD"):
            await self._send(send, 200, b"" if scope["method"] == "HEAD" else self._probe, length=len(self._probe))
        elif _is_v2(path):
            await self._v2(scope, receive, send, path)
        elif not self._may(arriving.headers(scope)):
            await self._send(send, 401, answers.refused(_NO_TOKEN, self.version), _BEARER)
        elif self.app is not None:
            await self.app(scope, receive, send)
        else:
            message = f"nothing is at {path[:200]}; POST /predict, GET /healthz, /readyz, /v2"
            await self._send(send, 404, answers.refused(message, self.version))

    # -- /predict and /v2/models/.../infer --------------------------------------------------------------------

    async def _asked(self, scope: Mapping[str, Any], receive: Receive, send: Send, path: str) -> None:
        """A request with a body: its headers, its body, its answer, in this order."""
        started = time.perf_counter()
        tensors = path != "/predict"
        found = arriving.headers(scope)
        body = b""
        given = self._early(scope["method"], found, tensors)
        if given is None:
            taken = await arriving.body(receive)
            if taken is None:
                return  # the client is gone
            status, body = taken
            if status == 200:
                given = await self._answer(body, partial(self._infer, found) if tensors else self._predict, tensors)
            else:
                given = self._refused(status, arriving.too(status), tensors, _CLOSE)
        self._told(path if not tensors else self.inference.endpoint, given, body, time.perf_counter() - started)
        await self._send(send, given.status, b"" if scope["method"] == "HEAD" else given.body, given.more, length=len(given.body))

    def at_once(self, scope: Mapping[str, Any], body: bytes) -> tuple[int, More, bytes] | None:
        """Status, headers and body of the answer to a whole request, where nothing is to be waited for.

        None where it may be, or where it is not a POST of /predict as it should be: then it is asked as every ASGI app is.
        ``flush`` must be called before the answer goes.
        """
        started = time.perf_counter()
        if scope["method"] != "POST" or arriving.path_of(scope) != "/predict" or not self._is_quick(len(body).bit_length()):
            return None
        if len(body) > arriving.MAX_BODY or self._early("POST", arriving.headers(scope), False) is not None:
            return None
        given = self._timed(len(body).bit_length(), self._predict, body)
        self._told("/predict", given, body, time.perf_counter() - started, now=False)
        return given.status, self._headers(len(given.body), given.more), given.body

    def flush(self) -> None:
        """The log has what was answered at once."""
        if self.log is not None:
            self.log.flush()

    def _told(self, where: str, given: Given, body: bytes, took: float, *, now: bool = True) -> None:
        """Logged and counted, before the answer goes: nobody has an answer that is not on its way to the log."""
        if self.log is not None:
            asked, told = given.logged or (body, given.body)
            self.log.send(
                latency_ms=took * 1e3, status=given.status, version=self.version, rows=given.rows, request=asked, response=told, now=now
            )
        self.counts.add(where, given.status, given.rows, took)

    def _early(self, method: str, found: Headers, tensors: bool) -> Given | None:
        """The refusal of a request whose body need not be read."""
        if not self._may(found):
            return self._refused(401, _NO_TOKEN, tensors, _BEARER)
        if method != "POST":
            where, form = (self.inference.endpoint, self.inference.example()) if tensors else ("/predict", self.plan.example())
            message = f"{where} is asked by POST, not {method[:20]}: POST {form} as application/json"
            return self._refused(405, message, tensors, [(b"allow", b"POST")])
        refusal = arriving.unread(found, tensors=tensors)
        return None if refusal is None else self._refused(*refusal, tensors, _CLOSE if refusal[0] == 413 else ())

    def _refused(self, status: int, message: str, tensors: bool, more: More = ()) -> Given:
        return Given(status, openinference.refused(message) if tensors else answers.refused(message, self.version), 0, more)

    async def _answer(self, body: bytes, work: Callable[[bytes], Given], tensors: bool) -> Given:
        """On the loop where a body of this size was quick before and nothing is in work, else in the worker thread."""
        size = len(body).bit_length() + (64 if tensors else 0)
        if self._is_quick(size):
            return self._timed(size, work, body)
        if self._waiting >= MAX_WAITING or self._waiting_bytes + len(body) > MAX_WAITING_BYTES:
            return self._refused(503, f"{self._waiting} requests wait already; try again in a second", tensors, _LATER)
        self._waiting += 1
        self._waiting_bytes += len(body)
        done = asyncio.get_running_loop().run_in_executor(self._pool, self._timed, size, work, body)
        done.add_done_callback(lambda _: self._done(len(body)))
        try:
            return await asyncio.wait_for(asyncio.shield(done), LONGEST)
        except TimeoutError:
            return self._refused(504, f"there is no answer after {LONGEST:g} s", tensors)

    def _is_quick(self, size: int) -> bool:
        return not self._waiting and self._pace.get(size, QUICK) < QUICK

    def _done(self, size: int) -> None:
        self._waiting -= 1
        self._waiting_bytes -= size

    def _timed(self, size: int, work: Callable[[bytes], Given], body: bytes) -> Given:
        started = time.perf_counter()
        given = work(body)
        took = time.perf_counter() - started
        before = self._pace.get(size, took)
        self._pace[size] = took if took > before else 0.8 * before + 0.2 * took  # slow is believed at once, quick by and by
        return given

    def answer(self, body: bytes) -> tuple[int, bytes, int]:
        """Status, answer and number of rows of a body of /predict; no server is needed to ask."""
        given = self._predict(body)
        return given.status, given.body, given.rows

    def _predict(self, body: bytes) -> Given:
        rows = 0
        try:
            content = answers.content(body)
            found = content.get("rows") if type(content) is dict else None
            rows = len(found) if type(found) is list else 0
            batch = self.plan.read(content)
            double = answers.twice(body, content, found or [])
            if double is not None:
                raise Rejected(400, f"the body has a member {double[:200]!r} twice in one object")
            return Given(200, answers.answered(batch, self._run(batch), self.version), rows)
        except Rejected as refused:
            return Given(refused.status, answers.rejected(refused, self.version), rows)
        except Exception as error:  # Failed and BadAnswer, as a rule
            return Given(500, answers.refused(_failed(error), self.version), rows)

    def _infer(self, found: Headers, body: bytes) -> Given:
        rows = 0
        try:
            asked = self.inference.read(body, found.get(b"inference-header-content-length"))
            rows = asked.batch.rows
            answer = self._run(asked.batch)
            out, more = self.inference.write(asked, answer)
            return Given(200, out, rows, more, self.inference.logged(asked, answer) if self.log is not None else None)
        except Rejected as refused:
            return Given(refused.status, openinference.refused(refused.message, refused.problems), rows)
        except Exception as error:
            return Given(500, openinference.refused(_failed(error)), rows)

    def _run(self, batch: Batch) -> Answer:
        """The model's answer. Raises Rejected for nulls that it does not take, Failed for all else."""
        try:
            return self.execute(batch.columns)
        except (Exception, SystemExit) as error:
            nulls = _nulls(error, batch.columns, batch.ids)
            if nulls:
                message = f"the model takes no null in {nulls[0]['column']!r}: row {nulls[0]['row']}"
                raise Rejected(422, message, nulls[:100], len(nulls)) from error
            raise Failed("".join(traceback.format_exception_only(error)).strip().splitlines()[-1]) from error

    async def _v2(self, scope: Mapping[str, Any], receive: Receive, send: Send, path: str) -> None:
        """The Open Inference Protocol: what it says of itself, and inference."""
        place, why = self.inference.place(path)
        if place == "infer":
            await self._asked(scope, receive, send, path)
        elif place not in ("live", "ready") and not self._may(arriving.headers(scope)):
            await self._send(send, 401, openinference.refused(_NO_TOKEN), _BEARER)
        elif why is not None:
            await self._send(send, 404, openinference.refused(why))
        elif scope["method"] not in ("GET", "HEAD"):
            message = f"{path[:200]} is asked by GET, not {scope['method'][:20]}; POST {self.inference.endpoint} for predictions"
            await self._send(send, 405, openinference.refused(message), [(b"allow", b"GET, HEAD")])
        else:
            said = self.inference.said(place)
            await self._send(send, 200, b"" if scope["method"] == "HEAD" else said, length=len(said))

    # -- around it --------------------------------------------------------------------------------------------

    def metrics(self) -> bytes:
        """What is to be added to /metrics."""
        return self.counts.text(self.version, getattr(self.log, "dropped", None))

    def _may(self, found: Headers) -> bool:
        if not self._token:
            return True
        scheme, _, given = found.get(b"authorization", b"").partition(b" ")
        return scheme.lower() == b"bearer" and hmac.compare_digest(given.strip(), self._token)

    async def _send(self, send: Send, status: int, body: bytes, more: More = (), *, length: int | None = None) -> None:
        headers = self._headers(len(body) if length is None else length, more)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _headers(self, length: int, more: More) -> list[tuple[bytes, bytes]]:
        headers = [*self._json, (b"content-length", b"%d" % length)]
        if more:
            known = {name for name, _ in more}
            headers = [pair for pair in headers if pair[0] not in known] + list(more)
        return headers

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


_NO_TOKEN = "a token is needed: Authorization: Bearer $NBML_TOKEN"
_BEARER: More = [(b"www-authenticate", b"Bearer")]
_CLOSE: More = [(b"connection", b"close")]
_LATER: More = [(b"retry-after", b"1")]


def _is_v2(path: str) -> bool:
    return path.startswith("/v2") and path[3:4] in ("", "/")


def _failed(error: BaseException) -> str:
    """A line for the client; the service's log has it in full."""
    traceback.print_exception(error.__cause__ or error, file=sys.stderr)
    return str(error)[:500]


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
