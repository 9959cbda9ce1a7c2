"""The service of this Bento: the proven model behind ``POST /predict`` and ``/v2``, answered ahead of BentoML's own app.

/predict, /v2, /healthz and /readyz are the runtime's, /docs and its OpenAPI are made here; the rest is BentoML's, and /metrics
is both: the runtime's counters follow BentoML's.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
if str(FOLDER) not in sys.path:
    sys.path.insert(0, str(FOLDER))

import bentoml  # noqa: E402
from nbml_runtime import connections  # noqa: E402
from nbml_runtime.front import Answer, Front, openapi, settle, token_from  # noqa: E402

MANIFEST = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))
#: the worker's model, once it is loaded
LOADED: list[Any] = []


def execute(columns: dict[str, list[Any]]) -> Answer:
    """Columns of checked values to predictions."""
    return Answer(*LOADED[0].answer(columns))


def log() -> Any:
    """Where the traffic goes: the pipe that the supervisor opened, or nowhere."""
    descriptor = os.environ.get("NBML_TRAFFIC_FD", "")
    if not descriptor:
        return None
    from nbml_runtime.traffic import Sender

    return Sender(int(descriptor))


FRONT = Front(MANIFEST, execute, token=token_from(), log=log())


class Pages:
    """ASGI: /docs and / as a page that asks no other server for anything, /docs.json as OpenAPI, /metrics with our own counters.

    The rest is BentoML's.
    """

    def __init__(self, app: Any) -> None:
        self.app = app
        self.page = (FOLDER / "docs.html").read_bytes()
        self.json = json.dumps(openapi(MANIFEST)).encode()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path") if scope["type"] == "http" else None
        if path == "/metrics":
            await self.app(scope, receive, counted(send))
            return
        if path not in ("/docs", "/docs.json", "/openapi.json", "/"):
            await self.app(scope, receive, send)
            return
        page = not path.endswith(".json") and any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])
        kind, body = (b"text/html; charset=utf-8", self.page) if page else (b"application/json", self.json)
        headers = [(b"content-type", kind), (b"content-length", b"%d" % len(body)), (b"vary", b"accept")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def counted(send: Any) -> Any:
    """``send`` for BentoML's /metrics, with the runtime's counters at the end."""

    async def more(message: Any) -> None:
        if message["type"] == "http.response.start":
            kept = [pair for pair in message["headers"] if pair[0].lower() != b"content-length"]
            message = {**message, "headers": kept}
        elif not message.get("more_body"):
            message = {**message, "body": message.get("body", b"") + FRONT.metrics()}
        await send(message)

    return more


def behind(app: Any) -> Any:
    """Behind BentoML's middleware: the runtime's door, our pages behind it, BentoML's routes behind these.

    It asks for the token everywhere, and answers /predict too where the server is none that ``connections`` knows.
    """
    return FRONT.around(Pages(app))


def one_worker_metrics() -> None:
    """A worker started without `bentoml serve` has no folder for the metrics of several: they are its own, in memory.

    Without this /metrics raises, and the request waits for BentoML's timeout (seen with 1.4.40).
    """
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        from bentoml._internal.configuration.containers import BentoMLContainer

        BentoMLContainer.metrics_client.get().multiproc = False


@bentoml.service(
    name=MANIFEST["service"],
    workers=1,
    traffic={"timeout": 600},
    tracing={"excluded_urls": ".*"},
    logging={"access": {"enabled": False}},
    metrics={"enabled": True},
)
class Service:
    """A model of a notebook, packaged and proven by nbml."""

    def __init__(self) -> None:
        import bridge  # type: ignore[import-not-found]

        LOADED[:] = [bridge.serving(MANIFEST, FOLDER)]
        bridge.warm(LOADED[0], MANIFEST, FOLDER)
        settle()

    @bentoml.api(route="/predict")
    def predict(self, rows: list[dict[str, Any]], ids: list[str] | None = None) -> dict[str, Any]:
        """One prediction for each row. Over HTTP the runtime answers ahead of this route, in the same way."""
        body = {"rows": rows} | ({} if ids is None else {"ids": ids})
        status, answer, _ = FRONT.answer(json.dumps(body).encode())
        if status != 200:
            raise bentoml.exceptions.InvalidArgument(answer.decode())
        return json.loads(answer)


one_worker_metrics()
Service.add_asgi_middleware(behind)  # type: ignore[attr-defined]
connections.install(FRONT)
