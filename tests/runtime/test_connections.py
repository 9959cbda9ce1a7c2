"""uvicorn's connections: slow and endless headers end, and nothing that comes over a socket is a 5xx or a hang."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from conftest import until
from nbml.runtime import arriving, connections
from nbml.runtime.front import Answer, Front
from runtime.asking import ROW, manifest, one

pytestmark = pytest.mark.slow
BODY = json.dumps({"rows": [ROW], "ids": ["a"]}).encode()


class Counted(Front):
    """Counts what it answered at once."""

    count = 0

    def at_once(self, scope: Any, body: bytes) -> Any:
        given = super().at_once(scope, body)
        self.count += given is not None
        return given


def model(columns: dict[str, list[Any]]) -> Answer:
    """Slow where somebody is 77."""
    if 77 in columns["age"]:
        time.sleep(1.2)
    return one(columns)


class Log:
    """What the traffic log was told, and what of it is on its way."""

    def __init__(self) -> None:
        self.held: list[bytes] = []
        self.told: list[bytes] = []

    def send(self, *, request: bytes, now: bool = True, **_: Any) -> None:
        self.held.append(request)
        if now:
            self.flush()

    def flush(self) -> None:
        self.told += self.held
        self.held.clear()


LOG = Log()
FRONT = Counted(manifest(), model, log=LOG)


async def behind(scope: Any, receive: Any, send: Any) -> None:
    """BentoML's app, as it were."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 299, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A front ahead of another app, under uvicorn, with little patience."""
    import uvicorn

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connections, "HEADERS", 0.6)
        patch.setattr(connections, "MAX_CONNECTIONS", 40)
        patch.setattr(arriving, "PATIENCE", 0.6)
        listening = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(behind, http=connections.protocol(FRONT), log_level="error", lifespan="off", timeout_keep_alive=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        until(lambda: server.started)
        yield int(listening.getsockname()[1])
        server.should_exit = True
        thread.join(10)
        listening.close()


def exchange(port: int, *parts: bytes, pause: float = 0.0) -> tuple[int, bytes]:
    """Status and answer of what is sent; 0 where the connection was closed without one."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        for part in parts:
            try:
                client.sendall(part)
            except OSError:
                break
            time.sleep(pause)
        answer = b""
        try:
            while b"\r\n\r\n" not in answer or len(answer.partition(b"\r\n\r\n")[2]) < _length(answer):
                more = client.recv(65536)
                if not more:
                    break
                answer += more
        except ConnectionResetError:
            pass
    return (int(answer.split(b" ")[1]) if answer else 0), answer.partition(b"\r\n\r\n")[2]


def _length(answer: bytes) -> int:
    return next((int(line.split(b":")[1]) for line in answer.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)


def post(body: bytes, *headers: str, path: str = "/predict", length: bool = True) -> bytes:
    more = [f"Content-Length: {len(body)}"] if length else []
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: x", "Content-Type: application/json", *more, *headers, "", ""]).encode() + body


def test_the_door_stands_ahead_of_the_app(port: int) -> None:
    assert exchange(port, post(BODY))[0] == 200
    assert exchange(port, b"GET /v2/health/ready HTTP/1.1\r\nHost: x\r\n\r\n") == (200, b'{"ready":true}')
    assert exchange(port, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")[0] == 299
    assert exchange(port, b"GET /v20 HTTP/1.1\r\nHost: x\r\n\r\n")[0] == 299


def received(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    """All that comes until the connection is closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        for part in parts:
            client.sendall(part)
            time.sleep(pause)
        answer = b""
        while more := client.recv(65536):
            answer += more
    return answer


CLOSE = "Connection: close"


@pytest.mark.parametrize("request_", [post(BODY, CLOSE), post(b'{"rows": 3}', CLOSE), post(BODY, CLOSE).replace(b"HTTP/1.1", b"HTTP/1.0")])
def test_a_whole_request_is_answered_at_once_and_as_any_other(port: int, request_: bytes) -> None:
    received(port, request_)  # bodies of this size are known to be quick now
    before = FRONT.count
    at_once = received(port, request_)
    assert FRONT.count == before + 1
    assert received(port, request_[:-3], request_[-3:], pause=0.1) == at_once
    assert FRONT.count == before + 1


def test_an_answer_at_once_is_on_its_way_to_the_log_when_it_goes(port: int) -> None:
    assert exchange(port, post(BODY))[0] == 200
    before = FRONT.count
    for name in "klmn":  # of one length with BODY
        body = BODY.replace(b'"a"', f'"{name}"'.encode())
        assert exchange(port, post(body))[0] == 200
        assert LOG.told[-1] == body
    assert FRONT.count == before + 4


class Wire:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.sent, self.closed = b"", False

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.sent += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


class Broken(Wire):
    """One that cannot be written to."""

    def write(self, data: bytes) -> None:
        raise OSError("broken")


@pytest.fixture
def connect(port: int) -> Iterator[Callable[[Wire], Any]]:
    """Connections by hand, of one class, to a front that knows BODY's size as quick."""
    import uvicorn
    from uvicorn.server import ServerState

    assert exchange(port, post(BODY))[0] == 200
    config = uvicorn.Config(behind, log_level="error", lifespan="off")
    config.load()
    loop, kind = asyncio.new_event_loop(), connections.protocol(FRONT)

    def made(wire: Wire) -> Any:
        connection = kind(config=config, server_state=ServerState(), app_state={}, _loop=loop)
        connection.connection_made(wire)
        return connection

    yield made
    loop.close()


@pytest.mark.parametrize("ending", ["shutdown", "garbage"])
def test_what_was_answered_goes_before_the_connection_ends(connect: Callable[[Wire], Any], ending: str) -> None:
    connection = connect(wire := Wire())
    connection.data_received(post(BODY) + (b"\x00" * 9 if ending == "garbage" else b""))
    if ending == "shutdown":
        connection.shutdown()
    assert [part[:3] for part in wire.sent.split(b"HTTP/1.1 ")[1:]] == [b"200"] + [b"400"] * (ending == "garbage")
    assert wire.closed
    connection.connection_lost(None)


def test_an_answer_that_cannot_go_holds_up_no_other(connect: Callable[[Wire], Any]) -> None:
    broken, sound = connect(Broken()), connect(wire := Wire())
    broken.data_received(post(BODY))
    with pytest.raises(OSError, match="broken"):
        broken.shutdown()
    sound.data_received(post(BODY))
    sound.shutdown()
    assert wire.sent.count(b"HTTP/1.1 200") == 1
    for connection in (broken, sound):
        connection.connection_lost(None)


def test_the_requests_of_one_packet_are_answered_in_their_order(port: int) -> None:
    asked = [post(json.dumps({"rows": [ROW], "ids": [str(i)]}).encode()) for i in range(200)]
    asked[50] = b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"
    asked[60] = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
    answers = received(port, b"".join(asked) + post(BODY, CLOSE)).split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answers] == [b"299" if i == 60 else b"200" for i in range(201)]
    ids = [json.loads(answer.partition(b"\r\n\r\n")[2]).get("ids") for i, answer in enumerate(answers) if i != 60]
    assert ids == [None if i == 50 else [str(i)] for i in range(200) if i != 60] + [["a"]]


def test_the_patience_after_an_answer_does_not_end_the_next_request(port: int) -> None:
    slow = post(json.dumps({"rows": [{**ROW, "age": 77}] * 8}).encode(), CLOSE)
    for body in (slow, post(BODY)):  # from now on one size is known to be slow, one to be quick
        assert exchange(port, body)[0] == 200
    assert received(port, post(BODY) + slow).count(b"HTTP/1.1 200") == 2


@pytest.mark.parametrize("parts", [[], [b"POST /pre"], [b"POST /predict HTTP/1.1\r\n", *[b"X-A: b\r\n"] * 40]])
def test_headers_that_do_not_come_are_408(port: int, parts: list[bytes]) -> None:
    began = time.monotonic()
    status, body = exchange(port, *parts, pause=0.05)
    assert (status, json.loads(body)["error"]["message"]) == (408, "the headers did not arrive within 0.6 s")
    assert 0.5 < time.monotonic() - began < 6


@pytest.mark.parametrize("between", [b"\r\n", b"POST /predict HTTP/1.1\r\n"])
def test_a_connection_is_not_held_open_after_its_first_answer(port: int, between: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(post(BODY))
        assert client.recv(65536).startswith(b"HTTP/1.1 200")
        client.sendall(between)
        rest = b""
        while more := client.recv(65536):
            rest += more
        assert rest.startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize("sent", [0, 1, 20])
def test_a_body_that_does_not_come_is_408(port: int, sent: int) -> None:
    status, body = exchange(port, post(BODY)[: -len(BODY) + sent])
    assert (status, json.loads(body)["error"]["message"]) == (408, "the body did not arrive within 0.6 s")


def test_a_body_that_comes_byte_by_byte_is_408_at_last(port: int) -> None:
    head = post(BODY)[: -len(BODY)]
    assert exchange(port, head, *[bytes([b]) for b in BODY], pause=0.03)[0] == 408


def test_endless_headers_are_431(port: int) -> None:
    status, body = exchange(port, b"GET / HTTP/1.1\r\n", *[b"X-A: " + b"b" * 1000 + b"\r\n"] * 80)
    assert (status, json.loads(body)["error"]["message"]) == (431, "the headers are longer than 64 kB")


def test_more_connections_than_are_allowed_are_503(port: int) -> None:
    held = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(45)]
    answers = [client.recv(100) for client in held]
    assert sum(answer.startswith(b"HTTP/1.1 503") for answer in answers) >= 5
    for client in held:
        client.close()
    until(lambda: exchange(port, post(BODY))[0] == 200)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (post(b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY), "Transfer-Encoding: chunked", length=False), 200),
        (post(b"".join(b"1\r\n%c\r\n" % b for b in BODY) + b"0\r\n\r\n", "Transfer-Encoding: chunked", length=False), 200),
        (post(b"zz\r\n", "Transfer-Encoding: chunked", length=False), 400),
        (post(b"", length=False), 400),
        (post(b"x", "Content-Length: 2"), 400),
        (post(gzip.compress(BODY), "Content-Encoding: gzip"), 415),
        (post(b"\xef\xbb\xbf" + BODY), 400),
        (post(BODY.decode().encode("utf-16")), 400),
        (post(BODY, path="/predict?x=%00%ff"), 200),
        (post(BODY, path="/v2/models/%ff%00/infer"), 404),
        (post(BODY, path="/v2/models/churn/../infer"), 404),
        (post(BODY, path="//predict"), 299),
        (b"BREW /predict HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"DELETE /predict HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        (b"TRACE /v2 HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        (b"GET /predict HTTP/9.9\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01", 400),
        (b"\x00" * 100, 400),
        (post(BODY, "Upgrade: websocket", "Connection: Upgrade"), 400),  # uvicorn drops the body of these
        (post(BODY, "Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings"), 400),  # uvicorn drops the body of these
    ],
)  # fmt: skip
def test_whatever_comes_is_answered_and_never_by_a_5xx(port: int, request_: bytes, status: int) -> None:
    assert exchange(port, request_)[0] == status
    assert exchange(port, post(BODY))[0] == 200


def test_pipelined_requests_are_answered_in_their_order(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        bodies = [json.dumps({"rows": [ROW], "ids": [f"r{i}"]}).encode() for i in range(5)]
        client.sendall(b"".join(post(body) for body in bodies))
        answer = b""
        while b"r4" not in answer:
            answer += client.recv(65536)
    places = [answer.index(f"r{i}".encode()) for i in range(5)]
    assert places == sorted(places)
