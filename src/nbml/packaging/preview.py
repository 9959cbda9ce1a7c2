"""A model of the notebook behind the service's own door, in a thread of the kernel: to be tried before it is packaged.

It follows the notebook: each request is answered by what the model's name stands for at that moment, and by the globals that its code
reads then. Only its columns, its suite and the form of its answers are those of when it was made. Nothing is built and nothing
is proven; it is gone with the kernel.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import json
import os
import secrets
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbml import errors, settings
from nbml.display import Report, Shown
from nbml.packaging import bridge, exchange
from nbml.runtime.front import Answer, Front, openapi
from nbml.store import current

if TYPE_CHECKING:
    from nbml.slicing import Slice
    from nbml.slicing.values import Artifact

PAGE = Path(__file__).parent / "bento" / "docs.html"
#: rows that are asked about for the form of the answers
FEW = 20
#: seconds for the thread to end
PATIENCE = 5.0
#: the previews of this kernel, by name
_running: dict[str, Server] = {}


@dataclass(frozen=True)
class Contract:
    """What a preview takes and gives: the manifest that the service would have, and real rows of its proof."""

    manifest: dict[str, Any]
    sample: list[dict[str, Any]]


@dataclass(frozen=True, repr=False, eq=False)
class Preview(Shown):
    """The Slice of a model, and the model itself at ``url``, as it is in the notebook now; ``why`` says why it is not served.

    A later preview of that name takes over its address. Without a server ``predict`` raises errors.UnknownDeployment.
    """

    name: str
    slice: Slice
    contract: Contract | None = None
    why: str = ""
    server: Server | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.name}@preview"

    @property
    def url(self) -> str:
        """Where it answers; "" where it does not."""
        return self.server.url if self.live and self.server is not None else ""

    @property
    def live(self) -> bool:
        """Whether it answers: it was not stopped, and no later one has taken its place."""
        return self.server is not None and self.server.alive and self.server.shown is self

    @property
    def source(self) -> str:
        return self.slice.source

    @property
    def artifacts(self) -> dict[str, Artifact]:
        return self.slice.artifacts

    @property
    def requirements(self) -> tuple[str, ...]:
        return self.slice.requirements

    @property
    def warnings(self) -> tuple[str, ...]:
        return self.slice.warnings

    @property
    def manifest(self) -> dict[str, Any]:
        """What it takes and gives: JSON. Raises errors.UnknownDeployment where it is not served."""
        if self.contract is None:
            raise self._gone()
        return self.contract.manifest

    def predict(self, df: Any) -> Any:
        """What the model gives in the notebook, asked over HTTP. Raises errors.RequestRejected with all problems."""

        def failed(status: int, answer: dict[str, Any]) -> errors.DeployError:
            return errors.DeployError(f"{self} answered {status}: {answer['error']['message']}")

        return exchange.ask(self.ask, df, self.manifest, self.__str__, failed)

    def ask(self, body: Any) -> tuple[int, dict[str, Any]]:
        """Status and JSON of ``POST /predict``."""
        if not self.live or self.server is None:
            raise self._gone()
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self.server.token}"} if self.server.token else {})
        request = urllib.request.Request(f"{self.url}/predict", json.dumps(body).encode(), headers)
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=120) as reply:
                return reply.status, json.load(reply)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)
        except OSError as error:
            raise errors.DeployError(f"{self} did not answer: {error}") from error

    def stop(self) -> Preview:
        """Close its address; what a later preview serves there goes on."""
        if self.live and self.server is not None:
            self.server.stop()
        return self

    def _gone(self) -> errors.UnknownDeployment:
        later = self.server is not None and self.server.alive
        why = self.why or ("a later preview has its place" if later else "it was stopped")
        return errors.UnknownDeployment(f"{self} does not answer: {why}", next=f"%nbml try {self}" if later else None)

    def _report(self) -> Report:
        from nbml.packaging.report import preview_report

        return preview_report(self)


def start(name: str, cut: Slice, find: Callable[[], Any], agreed: Callable[[], Contract]) -> Preview:
    """The preview of a name: its Slice, and its server where ``agreed`` gives a contract. ``find`` gives the model as it is now."""
    try:
        contract = agreed()
    except errors.BadInput as error:
        return Preview(name, cut, why=error.message)
    except errors.ProofFailed as error:
        return Preview(name, cut, why=error.why)
    server = _running.get(name)
    if server is None or not server.alive:
        server = _running[name] = Server(name)
    shown = Preview(name, cut, contract, server=server)
    manifest = contract.manifest
    server.serve(shown, Front(manifest, Live(manifest, find), token=server.token, app=Pages(manifest)))
    return shown


def running(name: str) -> Preview | None:
    """The preview of that name that answers in this process, or None."""
    server = _running.get(name)
    return server.shown if server is not None and server.alive else None


class Live:
    """Answers by the model that the notebook holds now."""

    def __init__(self, manifest: Mapping[str, Any], find: Callable[[], Any]) -> None:
        self._manifest, self._find = manifest, find

    def __call__(self, columns: dict[str, list[Any]]) -> Answer:
        return Answer(*bridge.Bridge(self._manifest, self._find()).answer(columns))


class Server:
    """A thread that listens on a free port of loopback. What it serves can be exchanged; the address stays."""

    def __init__(self, name: str) -> None:
        import uvicorn

        self.name, self.front, self.shown = name, None, None  # type: str, Front | None, Preview | None
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(128)
        self.url = "http://{}:{}".format(*self._socket.getsockname())
        self._file = current().room("previews") / f"{name}.token"
        self.token = self._secret()
        config = uvicorn.Config(
            self._app, interface="asgi3", log_config=None, access_log=False, lifespan="off", ws="none", loop="none",
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._live, name=f"nbml-preview-{name}", daemon=True)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive() and not self._server.should_exit

    def serve(self, shown: Preview, front: Front) -> None:
        """Answer by ``front`` from now on. The socket listens already: a request that comes before the thread waits in its queue."""
        self.shown, self.front = shown, front
        if not self._thread.is_alive():
            atexit.register(self.stop)
            self._thread.start()

    def stop(self) -> None:
        """Close the port, and wait until the thread has ended."""
        self._server.should_exit = True
        self._thread.join(PATIENCE)
        self._socket.close()
        self._file.unlink(missing_ok=True)
        atexit.unregister(self.stop)

    def _secret(self) -> str:
        """A token where the machine is shared or nbml.toml asks for one, in a file of the user's own; else ""."""
        if not (os.environ.get("JUPYTERHUB_USER") or settings.load(current().root)["deploy.token"]):
            return ""
        token = secrets.token_urlsafe(32)
        self._file.unlink(missing_ok=True)
        with os.fdopen(os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(token)
        return token

    def _live(self) -> None:
        with contextlib.suppress(OSError), asyncio.Runner() as runner:
            runner.run(self._server.serve([self._socket]))

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        assert self.front is not None
        await self.front(scope, receive, send)


class Pages:
    """ASGI: /docs and / as a page, /docs.json as OpenAPI."""

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        self._manifest = manifest

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        status, kind, body = 404, b"application/json", b'{"error": {"message": "nothing is here", "problems": []}}'
        if scope["path"] in ("/docs", "/"):
            status, kind, body = 200, b"text/html; charset=utf-8", PAGE.read_bytes()
        elif scope["path"] in ("/docs.json", "/openapi.json"):
            status, body = 200, json.dumps(openapi(self._manifest)).encode()
        headers = [(b"content-type", kind), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
