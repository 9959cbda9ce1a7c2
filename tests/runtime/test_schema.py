"""schemathesis asks a service whatever its OpenAPI allows, and what it does not: never a 5xx, and every answer is as it is described."""

from __future__ import annotations

import json
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import GenerationConfig, SchemathesisConfig
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


generation = GenerationConfig(modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
schema = schemathesis.openapi.from_dict(openapi(MANIFEST), config=SchemathesisConfig())
schema.app = app
schema.config.generation.modes = generation.modes
seen: dict[str, set[int]] = {}


@schema.parametrize()
@settings(
    max_examples=15, deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
def test_every_request_is_answered_as_described(case: Any) -> None:
    response = case.call()
    seen.setdefault(case.operation.label, set()).add(response.status_code)
    case.validate_response(response, checks=list(CHECKS))


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
