"""The OpenAPI description of /predict, so that a service's /docs page shows what it really takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_KINDS: Mapping[str, dict[str, Any]] = {
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "text": {"type": "string"},
    "datetime": {"type": "string", "description": "ISO 8601"},
    "category": {},
}


def openapi(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """OpenAPI 3.0 of the service; ``paths`` and ``components`` are to be merged into BentoML's own."""
    name = f"{manifest['service']}@{manifest['version']}"
    refusals = {
        "400": "No JSON, or not of this form", "401": "The token is missing or wrong", "405": "Not a POST", "413": "Longer than 10 MB",
        "415": "Not application/json", "422": "Rows that the service does not take: each problem with row, column and value",
        "500": "The model failed", "503": "Too many requests wait",
    }  # fmt: skip
    bad = {code: {"description": why, "content": _json({"$ref": "#/components/schemas/Refusal"})} for code, why in refusals.items()}
    good = {"description": "A prediction for each row", "content": _json({"$ref": "#/components/schemas/Predictions"})}
    predict = {
        "summary": f"Predictions of {name}",
        "operationId": "predict",
        "requestBody": {"required": True, "content": _json({"$ref": "#/components/schemas/Rows"})},
        "responses": {"200": good, **bad},
    }
    schemas = {"Rows": _rows(manifest), "Predictions": _predictions(), "Refusal": _refusal()}
    return {
        "openapi": "3.0.3",
        "info": {"title": str(manifest["service"]), "version": str(manifest["version"])},
        "paths": {"/predict": {"post": predict}},
        "components": {"schemas": schemas},
    }


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _rows(manifest: Mapping[str, Any]) -> dict[str, Any]:
    inputs = manifest["inputs"]
    properties = {spec["name"]: _property(spec) for spec in inputs}
    key = manifest.get("key") or []
    for name in [key] if isinstance(key, str) else key:
        properties.setdefault(name, {"description": "Identifies the row: its id, where no ids are sent"})
    row = {"type": "object", "properties": properties, "required": [spec["name"] for spec in inputs], "additionalProperties": False}
    ids = {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 256}, "uniqueItems": True}
    return {
        "type": "object", "required": ["rows"], "additionalProperties": False,
        "properties": {"rows": {"type": "array", "minItems": 1, "items": row}, "ids": {**ids, "description": "As many as rows"}},
    }  # fmt: skip


def _property(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Ranges and categories of the training rows are told, never enforced: they are examples, not an ``enum``."""
    told = [f"dtype {spec.get('dtype', '')}"] if spec.get("dtype") else []
    if spec.get("categories"):
        told.append("in training: " + ", ".join(map(str, spec["categories"][:20])))
    kind = _KINDS[spec["kind"]]
    return {**kind, "nullable": True, "description": "; ".join([*([kind["description"]] if "description" in kind else []), *told])}


def _predictions() -> dict[str, Any]:
    texts = {"type": "array", "items": {"type": "string"}}
    values = {"type": "array", "items": {"type": "array", "items": {"type": "number"}}}
    probabilities = {"type": "object", "properties": {"classes": {"type": "array", "items": {}}, "values": values}}
    return {
        "type": "object", "required": ["ids", "predictions", "version"],
        "properties": {
            "ids": texts, "predictions": {"type": "array", "items": {}}, "probabilities": probabilities,
            "flags": {"type": "array", "items": texts, "description": "The expectations that each row breaks"},
            "version": {"type": "string"},
        },
    }  # fmt: skip


def _refusal() -> dict[str, Any]:
    problem = {
        "type": "object",
        "properties": {
            "row": {"type": "integer"}, "id": {"type": "string", "nullable": True}, "column": {"type": "string", "nullable": True},
            "value": {}, "problem": {"type": "string"}, "expected": {"type": "string"}, "expectation": {"type": "string"},
        },
    }  # fmt: skip
    error = {
        "type": "object", "required": ["message", "problems"],
        "properties": {"message": {"type": "string"}, "problems": {"type": "array", "items": problem}, "count": {"type": "integer"}},
    }  # fmt: skip
    return {"type": "object", "required": ["error"], "properties": {"error": error, "version": {"type": "string"}}}
