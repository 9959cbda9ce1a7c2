"""The front door, over ASGI and over a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import until
from nbml.runtime import answers, arriving
from nbml.runtime import front as door
from nbml.runtime.front import Answer, Front, openapi, settle, token_from
from runtime.asking import AGE, INPUTS, ROW, SOFT, ask, manifest, one, request, requested

GOOD = json.dumps({"rows": [ROW], "ids": ["a"]}).encode()
JSON = (b"content-type", b"application/json")


def told(body: bytes) -> str:
    return str(json.loads(body)["error"]["message"])


class Log:
    """Keeps what it is handed."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def send(self, *, now: bool = True, **frame: Any) -> None:
        self.sent.append(frame)


def test_an_answer_has_its_version_in_body_and_header() -> None:
    status, headers, body = request(Front(manifest(), one), GOOD, headers=[JSON])
    assert (status, headers[b"content-type"], headers[b"x-nbml-version"]) == (200, b"application/json", b"churn@3")
    assert headers[b"content-length"] == str(len(body)).encode()
    assert json.loads(body) == {"ids": ["a"], "predictions": [6.0], "version": "churn@3"}


def test_the_probes_answer_in_json_and_need_no_token() -> None:
    for path in ("/healthz", "/readyz"):
        status, headers, body = request(Front(manifest(), one, token="s"), method="GET", path=path)
        assert (status, json.loads(body)) == (200, {"status": "ok", "version": "churn@3"})
        assert request(Front(manifest(), one), method="HEAD", path=path)[1:] == (headers, b"")


@pytest.mark.parametrize("given", [None, b"Bearer no", b"Basic c2VjcmV0", b"secret", "Bearer sécret".encode(), b""])
def test_without_the_token_there_is_no_answer_anywhere_but_at_the_probes(given: bytes | None) -> None:
    async def behind(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("asked without a token")

    front = Front(manifest(), one, token="secret").around(behind)
    headers = [JSON] if given is None else [JSON, (b"authorization", given)]
    for path in ("/predict", "/metrics"):
        status, answered, body = request(front, GOOD, headers=headers, path=path)
        assert (status, answered[b"www-authenticate"]) == (401, b"Bearer")
        assert told(body) == "a token is needed: Authorization: Bearer $NBML_TOKEN"


def test_with_the_token_there_is() -> None:
    assert request(Front(manifest(), one, token="secret"), GOOD, headers=[JSON, (b"authorization", b"bearer secret")])[0] == 200


def test_the_token_is_the_files_and_never_absent_by_accident(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("abc\n")
    assert token_from({}) == ""
    assert token_from({"NBML_TOKEN_FILE": str(path)}) == "abc"
    path.write_text("\n")
    with pytest.raises(ValueError, match="the token file is empty"):
        token_from({"NBML_TOKEN_FILE": str(path)})
    with pytest.raises(FileNotFoundError):
        token_from({"NBML_TOKEN_FILE": str(tmp_path / "none")})


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "OPTIONS"])
def test_another_method_is_405_and_says_how_to_ask(method: str) -> None:
    status, headers, body = request(Front(manifest(), one), method=method)
    assert (status, headers[b"allow"]) == (405, b"POST")
    if method == "HEAD":
        assert body == b""
        assert int(headers[b"content-length"]) > 100
    else:
        form = '{"rows": [{"age": ..., "charge": ..., ...}]}'
        assert told(body) == f"/predict is asked by POST, not {method}: POST {form} as application/json"


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ((b"content-type", b"application/json; charset=UTF-8"), 200),
        ((b"content-type", b"Application/vnd.some+json"), 200),
        ((b"x-other", b""), 200),
        ((b"content-encoding", b"identity"), 200),
        ((b"content-type", b"application/json; charset=latin-1"), 415),
        ((b"content-type", b"application/x-www-form-urlencoded"), 415),
        ((b"content-type", b"application/vnd.bentoml+pickle"), 415),
        ((b"content-encoding", b"gzip"), 415),
    ],
)
def test_what_is_not_said_to_be_json_is_415(header: tuple[bytes, bytes], status: int) -> None:
    found, _, body = request(Front(manifest(), one), GOOD, headers=[header])
    assert found == status
    if status == 415 and header[0] == b"content-type":
        assert told(body) == f"the body is {header[1].decode()}; send it with Content-Type: application/json"


def test_a_body_over_ten_megabytes_is_413_and_one_of_ten_is_taken() -> None:
    front = Front(manifest(), one)
    fits = GOOD + b" " * (arriving.MAX_BODY - len(GOOD))
    assert request(front, [fits[:-5], fits[-5:]])[0] == 200
    for body in (fits + b" ", [fits, b" "], [b" " * (1 << 20)] * 11):
        status, headers, out = request(front, body)
        assert (status, told(out)) == (413, "the body is longer than 10 MB (10,485,760 bytes); send fewer rows at a time")
        assert headers[b"connection"] == b"close"


def test_a_body_that_never_comes_is_408_and_a_client_that_goes_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arriving, "PATIENCE", 0.05)
    front = Front(manifest(), one)
    sent: list[Any] = []

    async def never() -> None:
        parts = [{"type": "http.request", "body": b"{", "more_body": True}]

        async def receive() -> Any:
            return parts.pop() if parts else await asyncio.Event().wait()

        async def send(message: Any) -> None:
            sent.append(message)

        await front({"type": "http", "method": "POST", "path": "/predict", "headers": []}, receive, send)

    asyncio.run(never())
    assert sent[0]["status"] == 408

    async def gone() -> list[Any]:
        out: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            out.append(message)

        await front({"type": "http", "method": "POST", "path": "/predict", "headers": []}, receive, send)
        return out

    assert asyncio.run(gone()) == []


def test_every_answered_request_is_logged_as_it_was_and_no_probe() -> None:
    log = Log()
    front = Front(manifest(expectations=[AGE]), one, token="t", log=log)
    headers = [JSON, (b"authorization", b"Bearer t")]
    old = json.dumps({"rows": [{**ROW, "age": 1}] * 2}).encode()
    bodies = [request(front, body, headers=headers)[2] for body in (GOOD, old, b"{")]
    refused = request(front, GOOD, headers=[JSON])[2]
    request(front, method="GET", path="/readyz")
    assert [(f["status"], f["rows"], f["version"], f["request"], f["response"]) for f in log.sent] == [
        (200, 1, "churn@3", GOOD, bodies[0]),
        (422, 2, "churn@3", old, bodies[1]),
        (400, 0, "churn@3", b"{", bodies[2]),
        (401, 0, "churn@3", b"", refused),
    ]
    assert all(0 < f["latency_ms"] < 10_000 for f in log.sent)


def test_a_request_is_handed_to_the_log_before_its_answer_goes() -> None:
    log = Log()
    front = Front(manifest(), one, log=log)
    seen: list[int] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": GOOD}

    async def send(message: Any) -> None:
        seen.append(len(log.sent))

    asyncio.run(front({"type": "http", "method": "POST", "path": "/predict", "headers": [JSON]}, receive, send))
    assert seen == [1, 1]


def test_the_models_failure_is_500_and_the_service_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    failures: list[BaseException] = [KeyError("tenure"), SystemExit(1), RuntimeError("first\nlast line")]

    def execute(columns: dict[str, list[Any]]) -> Answer:
        if failures:
            raise failures.pop(0)
        return one(columns)

    front = Front(manifest(), execute)
    assert [told(request(front, GOOD)[2]) for _ in range(3)] == ["KeyError: 'tenure'", "SystemExit: 1", "last line"]
    err = capsys.readouterr().err
    assert "Traceback (most recent call last)" in err
    assert "RuntimeError: first" in err
    assert request(front, GOOD)[0] == 200


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Answer([1.0, 2.0]), "the model gave 2 predictions for 1 rows"),
        (Answer([object()]), "the answer cannot be written as JSON: "),
    ],
)
def test_an_answer_that_does_not_fit_is_500(answer: Answer, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, found = ask({"rows": [ROW]}, execute=lambda columns: answer)
    assert status == 500
    assert found["error"]["message"].startswith(message)
    assert "Traceback" in capsys.readouterr().err


def test_a_null_that_the_model_takes_not_is_the_clients_affair() -> None:
    def execute(columns: dict[str, list[Any]]) -> Answer:
        raise ValueError("Input X contains NaN.\nLogisticRegression does not accept missing values")

    status, answer = ask({"rows": [ROW, {**ROW, "charge": None}], "ids": ["a", "b"]}, execute=execute)
    assert (status, answer["error"]["message"]) == (422, "the model takes no null in 'charge': row 1")
    about = {"row": 1, "id": "b", "column": "charge", "value": None, "problem": "the model takes no null here"}
    assert answer["error"]["problems"] == [about]
    assert ask({"rows": [ROW]}, execute=execute)[0] == 500


def test_values_of_numpy_and_what_is_not_finite_are_json() -> None:
    import numpy as np

    values = {"classes": ["a", "b"], "values": np.array([[0.25, 0.75]])}
    answer = ask({"rows": [ROW]}, execute=lambda c: Answer([np.int64(3)], values))[1]
    assert (answer["predictions"], answer["probabilities"]) == ([3], {"classes": ["a", "b"], "values": [[0.25, 0.75]]})
    assert ask({"rows": [ROW]}, execute=lambda c: Answer([float("nan")]))[1]["predictions"] == [None]


def test_probes_answer_during_a_long_prediction_and_one_is_made_at_a_time() -> None:
    begun, go = threading.Event(), threading.Event()
    at_work: list[int] = []

    def execute(columns: dict[str, list[Any]]) -> Answer:
        at_work.append(1)
        most.append(len(at_work))
        begun.set()
        assert go.wait(20)
        at_work.pop()
        return one(columns)

    most: list[int] = []
    front = Front(manifest(), execute)

    async def both() -> None:
        long = [asyncio.create_task(requested(front, GOOD)) for _ in range(4)]
        while not begun.is_set():
            await asyncio.sleep(0.001)
        assert (await requested(front, method="GET", path="/healthz"))[0] == 200
        assert not any(task.done() for task in long)
        go.set()
        assert [(await task)[0] for task in long] == [200] * 4

    asyncio.run(asyncio.wait_for(both(), 30))
    assert most == [1] * 4


def test_a_model_that_is_quick_is_asked_on_the_loop_and_one_that_becomes_slow_is_not() -> None:
    threads: list[str] = []
    slow = [0.0]

    def execute(columns: dict[str, list[Any]]) -> Answer:
        threads.append(threading.current_thread().name)
        threading.Event().wait(slow[0])
        return one(columns)

    front = Front(manifest(), execute)
    request(front, GOOD)
    until(lambda: request(front, GOOD)[0] == 200 and threads[-1] == "MainThread")
    assert threads[0].startswith("predict")
    slow[0] = 0.02
    request(front, GOOD)
    assert threads[-1] == "MainThread"
    request(front, GOOD)
    assert threads[-1].startswith("predict")


def test_too_many_that_wait_are_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "MAX_WAITING", 2)
    go = threading.Event()

    def execute(columns: dict[str, list[Any]]) -> Answer:
        assert go.wait(20)
        return one(columns)

    front = Front(manifest(), execute)

    async def crowd() -> list[tuple[int, Any, Any]]:
        tasks = [asyncio.create_task(requested(front, GOOD)) for _ in range(3)]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        assert [(t.result()[0], t.result()[1][b"retry-after"], told(t.result()[2])) for t in done] == [
            (503, b"1", "2 requests wait already; try again in a second")
        ]
        go.set()
        return [await task for task in tasks]

    assert sorted(answer[0] for answer in asyncio.run(crowd())) == [200, 200, 503]


def test_what_is_elsewhere_is_the_app_behind() -> None:
    async def behind(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 299, "headers": []})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    front = Front(manifest(), one)
    status, _, body = request(front, method="GET", path="/docs")
    assert (status, told(body)) == (404, "nothing is at /docs; POST /predict, GET /healthz, /readyz, /v2")
    assert request(front.around(behind), method="GET", path="/docs")[::2] == (299, b"/docs")
    assert request(front, GOOD, path="/user/me/predict", root_path="/user/me")[0] == 200


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"rows": [{"age": 1, "age": 2}]}', "the body has a member 'age' twice in one object"),
        (b'{"rows": [], "rows": [{"age": 1}]}', "the body has a member 'rows' twice in one object"),
        (b'{"rows": [{"age": 1}, {"age": 2, "a\\u0067e": 3}]}', "the body has a member 'age' twice in one object"),
        (b'{"rows": [{"age": NaN}]}', None), (b'{"rows": [{"age": Infinity}]}', None), (b'{"rows": [{"age": 1}]} x', None),
        (b"\xff\xfe{\x00", None), (b"", None), (b"{'rows': []}", None), (b'{"rows": [{"age": 1e999}]}', None),
        (b'\xef\xbb\xbf{"rows": [{"age": 1}]}', "the body is no JSON, and begins with a byte order mark: "),
    ],
)  # fmt: skip
@pytest.mark.parametrize("writer", ["orjson", "json"])
def test_what_json_leaves_open_is_400(body: bytes, message: str | None, writer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if writer == "json":
        monkeypatch.setattr(answers, "orjson", None)
    status, answer = ask(body, inputs=INPUTS[:1])
    assert (status, answer["error"]["message"].startswith(message or "the body is no JSON: ")) == (400, True)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (b"NaN", '"age" holds NaN, send null: '), (b"-Infinity", "send null: "), (b"1e999", 'in "age", '), (b"007", 'in "age", '),
        (b"[1, NaN]", '"age" holds NaN, send null: '), (b"'x'", 'in "age", '), (b'"a\x01"', 'in "age", '), (b"", 'in "age", '),
    ],
)  # fmt: skip
@pytest.mark.parametrize("writer", ["orjson", "json"])
def test_what_is_no_json_is_told_with_its_member(value: bytes, told: str, writer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if writer == "json":
        monkeypatch.setattr(answers, "orjson", None)
    status, answer = ask(b'{"rows": [{"charge": 1, "age": ' + value + b"}]}", inputs=INPUTS[:2])
    assert (status, told in answer["error"]["message"]) == (400, True), answer["error"]["message"]


def test_colons_in_texts_and_names_are_no_second_members() -> None:
    inputs = [{"name": "at: x", "kind": "text", "dtype": "str"}, INPUTS[4]]
    rows = [{"at: x": "a: b: c", "signup": "2024-05-01T12:30:00"}, {"at: x": ":", "signup": "2024-05-01"}]
    for ids in (None, ["a:b", "c:d"]):
        assert ask({"rows": rows} | ({} if ids is None else {"ids": ids}), inputs=inputs)[0] == 200
    assert ask(b'{"rows": [{"at: x": ":", "at: x": "", "signup": "2024-05-01"}]}', inputs=inputs)[0] == 400


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"rows":' + b"[" * 100_000, b'{"rows":[' + b'{"age":' * 100_000])
@pytest.mark.parametrize("path", ["/predict", "/v2/models/churn/infer"])
def test_no_depth_of_nesting_is_too_deep(body: bytes, path: str) -> None:
    assert request(Front(manifest(), one), body, headers=[JSON], path=path)[0] in (400, 413)


def test_a_crowd_of_rows_is_413_before_they_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    many = b'{"rows":[' + b",".join([b"{}"] * 300_000) + b"]}"
    monkeypatch.setattr(answers, "loads", lambda body: pytest.fail("it was parsed"))
    status, answer = ask(many)
    assert (status, answer["error"]["message"]) == (413, "the body has more than 100,000 rows; send at most 100,000 at a time")
    monkeypatch.undo()
    status, answer = ask({"rows": [{"note": 1}] * 100_001}, inputs=INPUTS[5:])
    assert (status, answer["error"]["message"]) == (413, "100,001 rows; send at most 100,000 at a time")
    assert ask({"rows": [{"note": "{" * 200_000}]}, inputs=INPUTS[5:])[0] == 200  # braces of a text are no rows


def test_a_body_whose_first_byte_never_comes_is_408_and_one_that_comes_late_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arriving, "PATIENCE", 0.2)
    front = Front(manifest(), one)

    async def asked(comes: bool) -> int:
        sent: list[Any] = []

        async def receive() -> Any:
            await (asyncio.sleep(0.01) if comes else asyncio.Event().wait())
            return {"type": "http.request", "body": GOOD}

        async def send(message: Any) -> None:
            sent.append(message)

        await front({"type": "http", "method": "POST", "path": "/predict", "headers": []}, receive, send)
        return int(sent[0]["status"])

    assert asyncio.run(asked(False)) == 408
    assert asyncio.run(asked(True)) == 200


def test_a_long_body_is_not_even_asked_for_where_its_sender_waits() -> None:
    headers = [JSON, (b"expect", b"100-continue"), (b"content-length", str(arriving.MAX_BODY + 1).encode())]
    assert request(Front(manifest(), one), [], headers=headers)[0] == 413


def test_a_model_that_never_answers_is_504(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "LONGEST", 0.05)
    go = threading.Event()
    status, _, body = request(Front(manifest(), lambda columns: (go.wait(20), one(columns))[1]), GOOD)
    go.set()
    assert (status, told(body)) == (504, "there is no answer after 0.05 s")


def test_one_usual_row_goes_the_short_way_to_the_same_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    changes: list[dict[str, Any]] = [
        {}, {"age": 1}, {"charge": 3}, {"charge": -1}, {"plan": None}, {"age": 2**63}, {"x": 1}, {"signup": "no"}, {"age": 1.0},
    ]  # fmt: skip
    rows = [*({**ROW, **change} for change in changes), {"age": 1}, dict(reversed(ROW.items()))]
    bodies = [{"rows": [row], "ids": [name]} for row in rows for name in ("a", "")]
    for key in (None, "age", "customer"):
        front = Front(manifest(expectations=[AGE, SOFT], key=key), one)
        short = [front.answer(json.dumps(body).encode()) for body in bodies]
        monkeypatch.setattr(type(front.plan), "_one", lambda *_: None)
        assert [front.answer(json.dumps(body).encode()) for body in bodies] == short
        monkeypatch.undo()
    keyed = {"rows": [{**ROW, "customer": 7.0}]}
    assert ask(keyed, key="customer")[1]["ids"] == ["7"]
    ids = [ask({"rows": [ROW]})[1]["ids"][0] for _ in range(50)]
    assert len(set(ids)) == 50
    assert {len(name) for name in ids} == {32}


def test_metrics_count_what_was_answered() -> None:
    front = Front(manifest(), one)
    for body in (GOOD, GOOD, b"{"):
        request(front, body)
    lines = front.metrics().decode().splitlines()
    assert 'nbml_request_total{endpoint="/predict",http_response_code="200",service_version="churn@3"} 2' in lines
    assert 'nbml_request_total{endpoint="/predict",http_response_code="400",service_version="churn@3"} 1' in lines
    assert 'nbml_rows_total{service_version="churn@3"} 2' in lines
    assert 'nbml_request_duration_seconds_bucket{le="+Inf",service_version="churn@3"} 3' in lines


def test_the_document_is_openapi_of_what_is_really_taken() -> None:
    seen = {"age": {"nulls": False, "min": 18, "max": 99, "examples": [30, 41]}, "plan": {"private": True}}
    document = openapi(manifest(key="customer", seen=seen))
    row = document["components"]["schemas"]["Row"]
    assert row["required"] == list(ROW)
    assert list(row["properties"]) == [*ROW, "customer"]
    assert row["properties"]["age"] == {
        "type": ["integer", "null"], "description": "an integer; dtype int64; in training 18 to 99", "examples": [30, 41],
        "x-training": {"min": 18, "max": 99, "nulls": False},
    }  # fmt: skip
    assert row["properties"]["plan"] == {
        "type": ["string", "null"], "description": "a text; dtype category; private: its training values are not told",
    }  # fmt: skip
    assert row["properties"]["customer"]["type"] == ["string", "number"]
    assert "enum" not in json.dumps(row)
    assert "pro" not in json.dumps(row["examples"])
    assert set(document["paths"]["/predict"]["post"]["responses"]) == {
        "200", "400", "401", "405", "408", "413", "415", "422", "500", "503", "504",
    }  # fmt: skip
    texts = json.dumps(document)
    named = {part.split('"')[0] for part in texts.split('"#/components/schemas/')[1:]}
    assert named == set(document["components"]["schemas"])
    example = document["components"]["schemas"]["Rows"]["examples"][0]
    assert ask(example)[0] == 200


def test_settled_the_collector_seldom_runs() -> None:
    import gc

    before = gc.get_threshold()
    try:
        settle()
        assert (gc.get_threshold(), gc.get_freeze_count() > 0) == ((50_000, 50, 1_000), True)
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


# -- a real socket --------------------------------------------------------------------------------------------


@pytest.fixture
def served() -> Iterator[Callable[[Front], int]]:
    """Serves fronts by uvicorn, each on a free port of loopback."""
    import uvicorn

    running: list[tuple[Any, threading.Thread, socket.socket]] = []

    def serve(front: Front) -> int:
        listening = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(front, log_level="warning", lifespan="on"))  # type: ignore[arg-type, unused-ignore]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        running.append((server, thread, listening))
        until(lambda: server.started)
        return int(listening.getsockname()[1])

    yield serve
    for server, thread, listening in running:
        server.should_exit = True
        thread.join(10)
        listening.close()


def http_ask(
    port: int, body: bytes = b"", method: str = "POST", path: str = "/predict", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


@pytest.mark.slow
def test_over_a_socket_it_is_the_same(served: Callable[[Front], int]) -> None:
    log = Log()
    port = served(Front(manifest(expectations=[AGE, SOFT]), one, token="s", log=log))
    token = {"Authorization": "Bearer s"}
    status, headers, body = http_ask(port, GOOD, **token)
    assert (status, headers["x-nbml-version"]) == (200, "churn@3")
    assert json.loads(body) == {"ids": ["a"], "predictions": [6.0], "flags": [[]], "version": "churn@3"}
    assert http_ask(port, GOOD)[0] == 401
    assert http_ask(port, method="GET", **token)[0] == 405
    assert http_ask(port, method="HEAD", **token)[::2] == (405, b"")
    assert http_ask(port, method="GET", path="/readyz")[0] == 200
    assert http_ask(port, GOOD, **{**token, "Content-Type": "text/plain"})[0] == 415
    status, _, body = http_ask(port, b" " * (25 << 20), **token)
    assert (status, told(body)) == (413, "the body is longer than 10 MB (10,485,760 bytes); send fewer rows at a time")
    assert [f["status"] for f in log.sent] == [200, 401, 405, 405, 415, 413]


@pytest.mark.slow
def test_one_connection_asks_many_times_and_many_ask_at_once(served: Callable[[Front], int]) -> None:
    port = served(Front(manifest(), one))
    answers: list[list[str]] = []

    def client(name: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        with contextlib.closing(connection):
            for i in range(50):
                connection.request("POST", "/predict", json.dumps({"rows": [ROW], "ids": [f"{name}{i}"]}))
                answers.append([f"{name}{i}", *json.loads(connection.getresponse().read())["ids"]])

    threads = [threading.Thread(target=client, args=(name,)) for name in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(answers) == 400
    assert all(asked == answered for asked, answered in answers)


@pytest.mark.slow
def test_half_a_request_and_no_http_at_all_do_no_harm(served: Callable[[Front], int]) -> None:
    port = served(Front(manifest(inputs=INPUTS[:1]), one))
    for data in (b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{", b"\x16\x03\x01\x00", b"GET"):
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(data)
    assert http_ask(port, b'{"rows": [{"age": 5}]}')[0] == 200
