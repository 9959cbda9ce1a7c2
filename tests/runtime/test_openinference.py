"""The Open Inference Protocol, version 2: by hand as its specification writes it, and by Triton's own client."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest

from nbml.runtime.front import Answer, Front
from runtime.asking import AGE, INPUTS, PLAN, ROW, SOFT, ask, manifest, one, request

TYPES = {"age": "INT64", "charge": "FP64", "plan": "BYTES", "active": "BOOL", "signup": "BYTES", "note": "BYTES"}
JSON = (b"content-type", b"application/json")
PATH = "/v2/models/churn/infer"
NUMBERS = [{"name": "a", "kind": "integer", "dtype": "int32"}, {"name": "b", "kind": "number", "dtype": "float32"},
           {"name": "c", "kind": "boolean", "dtype": "bool"}]  # fmt: skip


def tensors(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"name": name, "shape": [len(rows)], "datatype": kind, "data": [row[name] for row in rows]} for name, kind in TYPES.items()]


def infer(body: Any, front: Front | None = None, path: str = PATH, **more: Any) -> tuple[int, Any]:
    status, _, out = request(front or Front(manifest(**more), one), json.dumps(body).encode(), headers=[JSON], path=path)
    return status, json.loads(out)


def refused(asked: Any, body: Any = None, **more: Any) -> str:
    """The message of a refusal, which is a text."""
    status, answer = infer({"inputs": asked, **(body or {})}, **more)
    assert 400 <= status < 500, answer
    assert isinstance(answer["error"], str)
    return str(answer["error"])


def get(path: str, method: str = "GET", **front: Any) -> tuple[int, Any]:
    status, _, body = request(Front(manifest(**front), one), method=method, path=path)
    return status, json.loads(body) if body else None


def test_it_says_what_it_is() -> None:
    assert get("/v2") == get("/v2/") == (200, {"name": "churn", "version": "churn@3", "extensions": ["binary_tensor_data"]})
    assert get("/v2/health/live") == (200, {"live": True})
    assert get("/v2/health/ready") == (200, {"ready": True})
    assert get("/v2/models/churn/ready") == get("/v2/models/churn/versions/3/ready") == (200, {"name": "churn", "ready": True})
    output = {"kind": "array", "dtype": "int64", "classes": ["a", "b"]}
    assert get("/v2/models/churn/versions/3", output=output) == (200, {
        "name": "churn", "versions": ["3"], "platform": "nbml",
        "inputs": [{"name": name, "datatype": kind, "shape": [-1]} for name, kind in TYPES.items()],
        "outputs": [
            {"name": "predictions", "datatype": "INT64", "shape": [-1]},
            {"name": "probabilities", "datatype": "FP64", "shape": [-1, 2], "parameters": {"classes": '["a","b"]'}},
            {"name": "ids", "datatype": "BYTES", "shape": [-1]},
        ],
    })  # fmt: skip
    assert get("/v2/models/other") == (404, {"error": "no model 'other' is here; this is 'churn', version 3"})
    assert get("/v2/models/churn/versions/2/infer") == (404, {"error": "churn has version 3 here, not '2'"})
    assert get("/v2/nothing")[0] == 404
    assert get("/v2", "POST") == (405, {"error": "/v2 is asked by GET, not POST; POST /v2/models/churn/infer for predictions"})
    assert get(PATH)[0] == 405
    assert get("/v2", "HEAD") == (200, None)


def test_only_its_probes_need_no_token() -> None:
    front = Front(manifest(), one, token="s")
    for path in ("/v2", "/v2/models/churn", "/v2/models/churn/ready", "/v2/models/other", PATH):
        status, headers, body = request(front, method="POST" if path == PATH else "GET", path=path)
        assert (status, headers[b"www-authenticate"]) == (401, b"Bearer")
        assert json.loads(body) == {"error": "a token is needed: Authorization: Bearer $NBML_TOKEN"}
    assert request(front, method="GET", path="/v2/health/ready")[0] == 200


def test_columns_are_answered_as_by_predict() -> None:
    def shares(columns: dict[str, list[Any]]) -> Answer:
        found = one(columns)
        return Answer(found.predictions, {"classes": ["a", "b"], "values": [[0.25, 0.75]] * len(found.predictions)})

    front = Front(manifest(expectations=[AGE, SOFT]), shares)
    low = {**ROW, "charge": -1.0, "note": None}
    status, answer = infer({"id": "r", "inputs": tensors(ROW, low)}, front)
    assert (status, answer) == (200, {
        "model_name": "churn", "model_version": "3", "id": "r",
        "parameters": {"version": "churn@3", "flags": '[[],["charge >= 0, mostly=0.9"]]'},
        "outputs": [
            {"name": "predictions", "datatype": "FP64", "shape": [2], "data": [6.0, 5.0]},
            {"name": "probabilities", "datatype": "FP64", "shape": [2, 2], "parameters": {"classes": '["a","b"]'},
             "data": [0.25, 0.75] * 2},
        ],
    })  # fmt: skip
    asked = json.loads(front.answer(json.dumps({"rows": [ROW, low], "ids": ["r/0", "r/1"]}).encode())[1])
    assert asked["predictions"] == answer["outputs"][0]["data"]
    nested = [{**t, "shape": [2, 1], "data": [[value] for value in t["data"]]} for t in tensors(ROW, low)]
    wanted = [{"name": "ids"}, {"name": "predictions"}]
    again = infer({"inputs": list(reversed(nested)), "outputs": wanted, "id": "r"}, front, "/v2/models/churn/versions/3/infer")[1]
    assert [(o["name"], o["data"]) for o in again["outputs"]] == [("ids", ["r/0", "r/1"]), ("predictions", [6.0, 5.0])]
    made = infer({"inputs": tensors(ROW), "outputs": [{"name": "ids"}]}, front)[1]
    assert made["outputs"][0]["data"] == [made["id"]]


def test_one_tensor_of_all_columns_is_taken_in_their_order() -> None:
    seen: list[dict[str, list[Any]]] = []

    def keep(columns: dict[str, list[Any]]) -> Answer:
        seen.append(columns)
        return one(columns)

    front = Front(manifest(inputs=NUMBERS), keep)
    for data in ([1, 2.5, 0, 4, 5, 1], [[1, 2.5, 0], [4, 5, 1]]):
        assert infer({"inputs": [{"name": "input-0", "shape": [2, 3], "datatype": "FP32", "data": data}]}, front)[0] == 200
        assert seen.pop() == {"a": [1, 4], "b": [2.5, 5.0], "c": [False, True]}
    wide = {"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]}
    assert refused([wide], inputs=NUMBERS) == "input 'x' has shape [1, 2]; the model takes 3 columns: a, b, c"
    assert refused([{**wide, "shape": [1, 6], "data": [0] * 6}]) == "column 'plan' is no number; send one input for each column"
    texts = [{"name": "anything", "shape": [1, 1], "datatype": "BYTES", "data": ["a"]}]
    assert infer({"inputs": texts}, inputs=INPUTS[5:])[0] == 200


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "agee"}, "unknown input 'agee'; nearest: age"),
        ({"name": 1}, "an input is to be an object with name, shape, datatype and data"),
        ({"shape": []}, "input 'age' has shape []; expected whole numbers, as [1]"),
        ({"shape": [-1]}, "input 'age' has shape [-1]; expected whole numbers, as [1]"),
        ({"shape": [2]}, "input 'age' has 1 values for shape [2]"),
        ({"shape": [1, 1, 1]}, "input 'age' has shape [1, 1, 1]; a column has [n] or [n, 1]"),
        ({"shape": [0], "data": []}, "input 'charge' has 1 rows, and 'age' has 0"),
        ({"shape": [2], "data": [1, 2]}, "input 'charge' has 1 rows, and 'age' has 2"),
        ({"datatype": "FP128"}, 'input \'age\' has datatype "FP128"; there are BOOL, INT8, INT16, '),
        ({"data": ["x"]}, "input 'age' is INT64, and value 0 is \"x\""),
        ({"data": [True]}, "input 'age' is INT64, and value 0 is true"),
        ({"datatype": "INT8", "data": [128]}, "input 'age' is INT8, and value 0 is 128"),
        ({"data": None}, "input 'age' has no data; expected an array"),
        ({"data": [[1], [2, 3]]}, "the rows of input 'age' are not of one length"),
        ({"datatype": "FP64", "data": [1.5]}, "row 0, column 'age': found 1.5, expected an integer"),
        ({"parameters": {"binary_data_size": 8}}, "input 'age' has binary_data_size 8; 0 bytes are left in the body"),
    ],
)
def test_a_tensor_that_does_not_fit_is_named(change: dict[str, Any], message: str) -> None:
    first, *rest = tensors(ROW)
    assert refused([{**first, **change}, *rest]).startswith(message)


def test_what_else_is_wrong_is_named() -> None:
    all_of_them = tensors(ROW)
    assert refused(all_of_them[1:]) == "input 'age' is missing; the model takes age, charge, plan, active, signup and 1 more"
    assert refused([*all_of_them, all_of_them[0]]) == "input 'age' is there twice"
    assert refused([]).startswith('the body has no inputs; expected {"inputs": [{"name": "age", "shape": [1], "datatype": "INT64"')
    outputs = {"outputs": [{"name": "scores"}]}
    assert refused(all_of_them, body=outputs) == 'no output "scores"; there are predictions, ids'
    assert refused(all_of_them, body={"id": 5}) == "id is to be a text of at most 249 characters"
    assert refused(all_of_them, body={"parameters": []}) == "the parameters of the request are to be an object"
    status, answer = infer({"inputs": tensors({**ROW, "age": 17, "plan": None})}, expectations=[AGE, PLAN])
    assert (status, [p["expectation"] for p in answer["problems"]]) == (422, ["18 <= age <= 100", "not_null(plan)"])
    assert answer["error"] == "2 problems in 1 of 1 rows; first: row 0, column 'age': 17 breaks 18 <= age <= 100"
    assert infer("x")[0] == 400
    assert request(Front(manifest(), one), b"{", headers=[JSON], path=PATH)[0] == 400
    pickle = [(b"content-type", b"application/vnd.bentoml+pickle")]
    status, _, body = request(Front(manifest(), one), b"{}", headers=pickle, path=PATH)
    assert (status, list(json.loads(body))) == (415, ["error"])


def test_a_key_gives_the_ids_and_the_log_has_the_rows() -> None:
    frames: list[dict[str, Any]] = []

    class Log:
        def send(self, *, now: bool = True, **frame: Any) -> None:
            frames.append(frame)

    front = Front(manifest(key="customer"), one, log=Log())
    customer = {"name": "customer", "shape": [1], "datatype": "INT64", "data": [7]}
    status, answer = infer({"inputs": [*tensors(ROW), customer], "outputs": [{"name": "ids"}]}, front)
    assert (status, answer["outputs"][0]["data"]) == (200, ["7"])
    assert json.loads(frames[0]["request"]) == {"rows": [{**ROW, "signup": "2024-05-01T00:00:00", "customer": 7}], "ids": ["7"]}
    assert json.loads(frames[0]["response"]) == {"ids": ["7"], "predictions": [6.0], "version": "churn@3"}
    infer({"inputs": []}, front)
    assert [(f["status"], f["rows"]) for f in frames] == [(200, 1), (400, 0)]


def test_predictions_of_every_form_are_tensors() -> None:
    def outputs(*values: Any) -> Any:
        rows = [ROW] * len(values)
        return infer({"inputs": tensors(*rows)}, Front(manifest(), lambda columns: Answer(list(values))))[1]["outputs"]

    assert outputs(1, None) == [{"name": "predictions", "datatype": "INT64", "shape": [2], "data": [1, None]}]
    assert outputs(True)[0]["datatype"] == "BOOL"
    assert outputs("a", "b")[0] == {"name": "predictions", "datatype": "BYTES", "shape": [2], "data": ["a", "b"]}
    assert outputs([1.0, 2.0], [3.0, 4.0])[0] == {"name": "predictions", "datatype": "FP64", "shape": [2, 2], "data": [1.0, 2.0, 3.0, 4.0]}
    assert [o["name"] for o in outputs({"x": 1, "y": "b"})] == ["predictions.x", "predictions.y"]
    assert outputs(2**64 - 1)[0]["datatype"] == "FP64"
    assert outputs([1], [1, 2])[0]["data"] == ["[1]", "[1,2]"]


def test_tensors_travel_in_binary_too() -> None:
    data = {
        "age": struct.pack("<q", 30), "charge": struct.pack("<d", 1.5), "plan": b"\x03\0\0\0pro", "active": b"\1",
        "signup": b"\x0a\0\0\x002024-05-01", "note": b"\2\0\0\0\xc3\xa9",
    }  # fmt: skip
    entries = [
        {"name": name, "shape": [1], "datatype": kind, "parameters": {"binary_data_size": len(data[name])}} for name, kind in TYPES.items()
    ]
    head = json.dumps({"inputs": entries, "parameters": {"binary_data_output": True}}).encode()

    def sent(tail: bytes, size: int = len(head)) -> tuple[int, dict[bytes, bytes], bytes]:
        headers = [(b"content-type", b"application/octet-stream"), (b"inference-header-content-length", str(size).encode())]
        return request(Front(manifest(), one), head + tail, headers=headers, path=PATH)

    status, headers, body = sent(b"".join(data.values()))
    size = int(headers[b"inference-header-content-length"])
    assert (status, headers[b"content-type"], struct.unpack("<d", body[size:])) == (200, b"application/octet-stream", (6.0,))
    assert json.loads(body[:size])["outputs"][0]["parameters"] == {"binary_data_size": 8}
    assert json.loads(sent(b"".join(data.values()) + b"x")[2]) == {"error": "1 bytes follow the last tensor"}
    assert json.loads(sent(b"", 9_999)[2])["error"].startswith("Inference-Header-Content-Length is '9999'; the body has ")
    broken = {**data, "note": b"\2\0\0\0\xff\xff"}
    assert json.loads(sent(b"".join(broken.values()))[2]) == {"error": "input 'note': text 0 is no UTF-8"}
    infinite = {**data, "charge": struct.pack("<d", float("inf"))}
    assert json.loads(sent(b"".join(infinite.values()))[2]) == {"error": "input 'charge' has an infinite value 0"}


def test_both_ways_refuse_the_same_values() -> None:
    for change in ({"age": 2**40}, {"plan": "other"}, {"signup": "May"}, {"charge": None}):
        row = {**ROW, **change}
        assert infer({"inputs": tensors(row)})[0] == ask({"rows": [row]})[0]
