"""REST under ``nbml/api/v1/``. Every route needs a logged-in user; what writes needs the XSRF token too."""

from __future__ import annotations

import functools
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import tornado.web as web
from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest

from nbml import errors
from nbml.labserver import actions, history, live, view
from nbml.labserver.binding import Binding, bind
from nbml.labserver.extension import Lab
from nbml.store import Store

H = TypeVar("H", bound="Handler")
Method = Callable[..., Awaitable[None]]

#: bytes of a request that the try-it form may send
LARGEST = 10_000_000
#: of our errors, those that are the asker's fault; the rest is 500
CODES = (
    (errors.UsageError, 400),
    (errors.NotFound, 404),
    (errors.StoreTooNew, 409),
    (errors.StoreError, 503),
    (errors.DeployError, 502),
)


def told(method: Method) -> Method:
    """Errors of nbml become JSON: ``{"message", "next"}`` with a status that fits."""

    @functools.wraps(method)
    async def answer(self: Handler, *args: str) -> None:
        try:
            await method(self, *args)
        except errors.NbmlError as error:
            self.set_status(next((code for kind, code in CODES if isinstance(error, kind)), 500))
            self.answer({"message": error.message, "next": error.next})

    return answer


class Handler(APIHandler):
    """What the routes share."""

    auth_resource = "nbml"

    @property
    def lab(self) -> Lab:
        found: Lab = self.settings["nbml_lab"]
        return found

    def binding(self) -> Binding | None:
        """The project that the query's ``kernel`` and ``path`` lead to."""
        kernel, path = self.get_query_argument("kernel", ""), self.get_query_argument("path", "")
        return bind(kernel, path, runtime=self.lab.runtime, served=self.lab.served)

    def bound(self) -> Binding:
        """The same, or errors.NotFound."""
        found = self.binding()
        if found is None:
            raise errors.NotFound("no nbml project here yet", next="%load_ext nbml")
        return found

    def body(self) -> dict[str, Any]:
        """The JSON object that was sent. Raises errors.BadArgument."""
        try:
            said = json.loads(self.request.body or b"{}")
        except ValueError as error:
            raise errors.BadArgument("the body is not JSON") from error
        if not isinstance(said, dict):
            raise errors.BadArgument("the body is not a JSON object")
        return said

    def answer(self, value: Any) -> None:
        self.set_header("Cache-Control", "no-store")
        self.finish(json.dumps(value, ensure_ascii=False, allow_nan=False))


class State(Handler):
    """What the panel shows."""

    @web.authenticated
    @authorized
    @told
    async def get(self) -> None:
        binding = self.binding()
        if binding is None or not (binding.root / ".nbml").is_dir():
            self.answer({"version": 1, "project": None, "sections": [], "models": [], "services": [], "next": None})
            return
        self.answer(await self.lab.watch.read(binding, lambda store: view.state(store, binding)))


class Result(Handler):
    """A stored bundle with the first rows of its tables."""

    @web.authenticated
    @authorized
    @told
    async def get(self, id: str) -> None:
        self.answer(await self.looked_up(id, history.first))

    async def looked_up(self, id: str, look: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
        """Of a bundle of the project asked for, else of any open one (ids are random 128 bits)."""

        def read(store: Store) -> dict[str, Any] | None:
            bundle = store.result(id)
            return None if bundle is None else look(bundle)

        binding = self.binding()
        found = await self.lab.watch.read(binding, read) if binding else None
        found = found or await self.lab.watch.anywhere(read)
        if found is None:
            raise errors.NotFound(f"no result {id}")
        return found


class Rows(Result):
    """Further rows of a table: ``part`` says which, ``from`` and ``count`` which of its rows."""

    @web.authenticated
    @authorized
    @told
    async def get(self, id: str) -> None:
        part = self.get_query_argument("part", "")
        start, count = (self.number(name, least) for name, least in (("from", 0), ("count", 1)))
        self.answer(await self.looked_up(id, lambda bundle: history.page(bundle, part, start, count)))

    def number(self, name: str, least: int) -> int:
        """A whole number of the query. Raises errors.BadArgument."""
        said = self.get_query_argument(name, "")
        if not (said.isascii() and said.isdigit() and len(said) < 10 and int(said) >= least):
            raise errors.BadArgument(f"{name!r} is a whole number from {least}, found {said[:40]!r}")
        return int(said)


class Runs(Handler):
    """All runs, or those that changed ``since`` an earlier answer."""

    @web.authenticated
    @authorized
    @told
    async def get(self) -> None:
        binding, since = self.bound(), self.get_query_argument("since", "")
        text = await self.lab.watch.read(binding, lambda store: self.lab.runs.answer(store, binding.id, since))
        self.set_header("Cache-Control", "no-store")
        self.finish(text)


class Versions(Handler):
    """The versions of a dataset."""

    @web.authenticated
    @authorized
    @told
    async def get(self, name: str) -> None:
        binding = self.bound()
        found = await self.lab.watch.read(binding, lambda store: history.dataset(store, name))
        if found is None:
            raise errors.NotFound(f"no dataset {name!r}")
        self.answer({"project": binding.id, **found})


class Checks(Handler):
    """The checks by a suite of what the query's ``data`` names."""

    @web.authenticated
    @authorized
    @told
    async def get(self, name: str) -> None:
        binding, data = self.bound(), self.get_query_argument("data", "", strip=False)
        found = await self.lab.watch.read(binding, lambda store: history.checks(store, name, data))
        if found is None:
            raise errors.NotFound(f"{data[:80]!r} was never checked by {name!r}")
        self.answer({"project": binding.id, **found})


class Thing(Handler):
    """One stored thing with its lineage."""

    @web.authenticated
    @authorized
    @told
    async def get(self, kind: str, name: str, version: str) -> None:
        binding = self.bound()
        if kind not in view.KINDS:
            raise errors.BadArgument(f"no kind {kind[:40]!r}")
        found = await self.lab.watch.read(binding, lambda store: view.thing(store, kind, name, int(version)))
        if found is None:
            raise errors.NotFound(f"no {kind} {name}@{version}")
        self.answer(found)


class RunPage(Handler):
    """The page of a run of which no result is stored: one that was imported."""

    @web.authenticated
    @authorized
    @told
    async def get(self, uid: str) -> None:
        self.answer(await self.lab.actions.page(self.bound(), uid))


class Action(Handler):
    """A command of the table, run by the project's own Python."""

    @web.authenticated
    @authorized
    @told
    async def post(self) -> None:
        binding, argv = self.bound(), actions.checked(self.body().get("argv"))
        done = await self.lab.actions.run(binding, argv)
        self.lab.ring(binding.id)
        self.set_status(200 if done["code"] == 0 else 422)
        self.answer(done)


class Commands(Handler):
    """The command table of the project's nbml."""

    @web.authenticated
    @authorized
    @told
    async def get(self) -> None:
        self.answer({"commands": await self.lab.actions.table(self.bound())})


class Try(Handler):
    """One request to a running local deployment; the browser never sees its token."""

    @web.authenticated
    @authorized
    @told
    async def post(self, name: str) -> None:
        binding = self.bound()
        if len(self.request.body) > LARGEST:
            raise errors.BadArgument("the request is larger than 10 MB")
        if not isinstance(self.body().get("rows"), list):
            raise errors.BadArgument('the request is {"rows": [{...}, ...]}')
        target = await self.lab.watch.read(binding, lambda store: live.target(store, name))
        status, said = await ask(target, self.request.body)
        self.answer({"status": status, "answer": said})


class Token(Handler):
    """The token of a running deployment, for the panel's "Copy token"; it is shown nowhere."""

    @web.authenticated
    @authorized
    @told
    async def post(self, name: str) -> None:
        target = await self.lab.watch.read(self.bound(), lambda store: live.target(store, name))
        self.answer({"token": target.token})


async def ask(target: live.Target, body: bytes) -> tuple[int, Any]:
    """POST to ``/predict``; the status and the JSON that came back. Raises errors.DeployFailed."""
    headers = {"Content-Type": "application/json"}
    if target.token:
        headers["Authorization"] = f"Bearer {target.token}"
    request = HTTPRequest(
        f"{target.url}/predict", "POST", headers, body, follow_redirects=False, connect_timeout=5, request_timeout=60
    )
    try:
        reply = await AsyncHTTPClient().fetch(request, raise_error=False)
    except (OSError, HTTPClientError) as error:
        raise errors.DeployFailed(f"the service does not answer: {error}") from error
    if reply.code == 599:
        raise errors.DeployFailed(f"the service does not answer: {reply.error}")
    try:
        return reply.code, json.loads(reply.body or b"null")
    except ValueError:
        return reply.code, {"message": (reply.body or b"").decode(errors="replace")[:2000]}


#: pattern below nbml/api/v1/ -> handler. Whatever else a path holds is a 404 of the server.
ROUTES: tuple[tuple[str, type[Handler]], ...] = (
    (r"state", State),
    (r"commands", Commands),
    (r"result/([0-9a-f]{32})", Result),
    (r"rows/([0-9a-f]{32})", Rows),
    (r"runs", Runs),
    (r"run/([0-9a-f]{3,32})", RunPage),
    (r"versions/([a-z0-9][a-z0-9._-]{0,62})", Versions),
    (r"checks/([a-z0-9][a-z0-9._-]{0,62})", Checks),
    (r"thing/([a-z]+)/([a-z0-9][a-z0-9._-]{0,62})/([1-9][0-9]{0,8})", Thing),
    (r"action", Action),
    (r"try/([a-z0-9][a-z0-9._-]{0,62})", Try),
    (r"token/([a-z0-9][a-z0-9._-]{0,62})", Token),
)
