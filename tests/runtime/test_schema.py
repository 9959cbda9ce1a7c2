"""schemathesis asks a service whatever its OpenAPI allows, and what it does not: never a 5xx, and every answer is as it is described."""

from __future__ import annotations

import json
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from nbml.runtime.front import Front, openapi
from runtime.asking import AGE, SOFT, manifest, one

SEEN = {"age": {"nulls": False, "min": 18, "max": 99, "examples": [30]}, "plan": {"nulls": True, "values": ["basic", "pro"]}}
MANIFEST = manifest(key="customer", expectations=[AGE, SOFT], seen=SEEN, output={"kind": "array", "dtype": "float64"})
CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
FRONT = Front(MANIFEST, one)


async def app(scope: Any, receive: Any, send: Any) -> None:
    await FRONT(scope, receive, send)


schema = schemathesis.openapi.from_dict(openapi(MANIFEST))
schema.app = app
OPERATIONS = {operation.label: operation for operation in (found.ok() for found in schema.get_all_operations())}
seen: dict[str, set[int]] = {}


def cases(operation: Any) -> Any:
    """Requests that the document allows, and those that it does not, where any are."""
    good = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    asks = bool(operation.body) or any(parameters.items for parameters in (operation.query, operation.headers, operation.path_parameters))
    return st.one_of(good, operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)) if asks else good


@pytest.mark.parametrize("label", sorted(OPERATIONS))  # schemathesis' own way gives all of them one id, of which xdist runs one
def test_every_request_is_answered_as_described(label: str) -> None:
    @settings(
        max_examples=30, deadline=None, derandomize=True, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(case=cases(OPERATIONS[label]))
    def ask(case: Any) -> None:
        response = case.call()
        seen.setdefault(label, set()).add(response.status_code)
        case.validate_response(response, checks=list(CHECKS))

    ask()


def test_both_good_and_bad_ones_were_asked() -> None:
    assert len(seen) == 12
    assert 200 in seen["POST /predict"]
    assert seen["POST /predict"] & {400, 422}
    assert seen["POST /v2/models/churn/infer"] & {400, 422}


def test_the_examples_are_taken() -> None:
    document = openapi(MANIFEST)
    status, answer, _ = FRONT.answer(json.dumps(document["components"]["schemas"]["Rows"]["examples"][0]).encode())
    assert status == 200, answer
    asked = FRONT.inference.read(json.dumps(document["components"]["schemas"]["Tensors"]["examples"][0]).encode(), None)
    assert asked.batch.rows == 1


@pytest.mark.parametrize("kind", ["number", "integer", "boolean", "text", "datetime", "category"])
def test_an_example_of_every_kind_is_taken_though_none_was_seen(kind: str) -> None:
    for dtype in ("object", "datetime64[ns, UTC]") if kind == "datetime" else ("object",):
        found = manifest(inputs=[{"name": "x", "kind": kind, "dtype": dtype, "categories": [1.5, 2.5] if kind == "category" else None}])
        body = openapi(found)["components"]["schemas"]["Rows"]["examples"][0]
        assert Front(found, one).answer(json.dumps(body).encode())[0] == 200
