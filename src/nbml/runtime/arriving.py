"""What arrives: the headers that matter, the body within its limits of bytes and time."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Awaitable, Callable, Generator, Mapping, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]
Headers = dict[bytes, bytes]

#: bytes of a body; and how much of a longer one is read and thrown away, so that its sender can hear the refusal
MAX_BODY, MAX_IGNORED = 10 << 20, 64 << 20
#: seconds for a body to arrive
PATIENCE = 60.0
_WANTED = frozenset(
    {b"content-type", b"content-encoding", b"authorization", b"content-length", b"expect", b"inference-header-content-length"}
)
_JSON = frozenset({b"", b"application/json"})


def headers(scope: Mapping[str, Any]) -> Headers:
    """The headers that decide anything here."""
    return {key: value for key, value in scope["headers"] if key in _WANTED}


def path_of(scope: Mapping[str, Any]) -> str:
    """The path below the server's own root."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path[len(root) :] if root and path.startswith(root) else path


def unread(found: Headers, *, tensors: bool = False) -> tuple[int, str] | None:
    """The refusal of a body that need not be read: its type, its packing, its length. ``tensors``: may be binary after its JSON."""
    kind = found.get(b"content-type", b"")
    binary = tensors and b"inference-header-content-length" in found
    if kind not in _JSON and not _is_json(kind) and not (binary and kind.lower().startswith(b"application/octet-stream")):
        return 415, f"the body is {kind[:80].decode('latin-1')}; send it with Content-Type: application/json"
    if found.get(b"content-encoding", b"") not in (b"", b"identity"):
        return 415, "the body is compressed; send it as it is, without Content-Encoding"
    if b"expect" in found and int(found.get(b"content-length", b"0") or b"0") > MAX_BODY:
        return 413, too(413)  # its sender waits to hear whether to send
    return None


def too(status: int) -> str:
    """What is said of a body that is too long or too slow."""
    if status == 413:
        return f"the body is longer than {MAX_BODY >> 20} MB ({MAX_BODY:,} bytes); send fewer rows at a time"
    return f"the body did not arrive within {PATIENCE:g} s"


async def body(receive: Receive) -> tuple[int, bytes] | None:
    """200 and the whole body; 413 or 408 and nothing; None where the client went away."""
    asked: Any = receive()
    try:
        waits = asked.send(None)
    except StopIteration as at_once:  # as a rule: the body came with its headers, and no clock is needed
        message = at_once.value
        if message["type"] == "http.request" and not message.get("more_body"):
            whole: bytes = message.get("body", b"")
            return (200, whole) if len(whole) <= MAX_BODY else (413, b"")
        asked = None
    try:
        async with asyncio.timeout(PATIENCE):
            if asked is not None:
                message = await _resumed(asked, waits)
            return await _parts(message, receive)
    except TimeoutError:
        return 408, b""


async def _parts(message: Message, receive: Receive) -> tuple[int, bytes] | None:
    """The body of several messages, of which the first is there."""
    whole, size = bytearray(), 0
    while message["type"] == "http.request":
        part = message.get("body", b"")
        size += len(part)
        if size <= MAX_BODY:
            whole += part
        if not message.get("more_body") or size > MAX_IGNORED:
            return (200, bytes(whole)) if size <= MAX_BODY else (413, b"")
        message = await receive()
    return None


@types.coroutine
def _resumed(asked: Any, waits: Any) -> Generator[Any, Any, Message]:
    """The rest of a coroutine that was begun by hand and waits for ``waits``."""
    while True:
        try:
            given = yield waits
        except BaseException as error:
            step, value = asked.throw, error
        else:
            step, value = asked.send, given
        try:
            waits = step(value)
        except StopIteration as done:
            message: Message = done.value
            return message


def _is_json(kind: bytes) -> bool:
    """A body without a type is taken for JSON; a charset other than UTF-8 is none."""
    name, _, more = kind.lower().partition(b";")
    name = name.strip()
    known = name in _JSON or (name.startswith(b"application/") and name.endswith(b"+json"))
    charset = more.replace(b" ", b"").replace(b'"', b"").partition(b"charset=")[2]
    return known and charset in (b"", b"utf-8", b"utf8")
