"""The OpenAPI description of a service, typed by its training columns, so that /docs shows what it really takes.

Ranges, values and examples are those of the training rows (``manifest["seen"]``): told, never enforced, so no ``enum`` and no
``minimum``. Of a private column none are told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import tensors
from .columns import Column
from .plan import LONGEST_ID, MOST_ROWS, Plan

_KINDS: Mapping[str, dict[str, Any]] = {
    "number": {"type": "number"}, "integer": {"type": "integer"}, "boolean": {"type": "boolean"}, "text": {"type": "string"},
    "datetime": {"type": "string"}, "category": {},
}  # fmt: skip
_STAND_INS = {"number": 0.5, "integer": 1, "boolean": True, "text": "text", "datetime": "2024-05-01T12:00:00", "category": None}
_REFUSALS = {
    "400": "No JSON, or not of this form", "401": "The token is missing or wrong", "405": "Not a POST",
    "408": "The body did not arrive in time", "413": f"Longer than 10 MB, or more than {MOST_ROWS:,} rows", "415": "Not application/json",
    "422": "Rows that the service does not take: each problem with row, column and value", "500": "The model failed",
    "503": "Too many requests wait", "504": "The model took too long",
}  # fmt: skip


def openapi(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """OpenAPI 3.1 of the service."""
    name = f"{manifest['service']}@{manifest['version']}"
    plan = Plan.of(manifest)
    seen = manifest.get("seen") or {}
    example = {spec["name"]: _example(spec, seen.get(spec["name"], {})) for spec in manifest["inputs"]}
    schemas = {
        "Row": _row(manifest, seen, example), "Rows": _rows(example), "Predictions": _predictions(name), "Refusal": _refusal(),
        "Tensors": _tensors(plan, example), "Outputs": _outputs(), "TensorRefusal": _tensor_refusal(),
        "Server": _object({"name": _TEXT, "version": _TEXT, "extensions": _list(_TEXT)}), "Model": _model(),
        "Live": _object({"live": {"type": "boolean"}}), "Ready": _object({"ready": {"type": "boolean"}}, name=_TEXT),
        "Status": _object({"status": _TEXT, "version": _TEXT}),
    }  # fmt: skip
    return {
        "openapi": "3.1.0",
        "info": {"title": str(manifest["service"]), "version": str(manifest["version"]), "description": _about(manifest, name)},
        "paths": _paths(manifest, name),
        "components": {"schemas": schemas, "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "security": [{}, {"token": []}],
    }


def _about(manifest: Mapping[str, Any], name: str) -> str:
    checked = [e["text"] for e in manifest.get("expectations") or () if e.get("scope", "row") == "row"]
    policy = {
        "reject": "refused (only marked in flags, where mostly is below 1)", "flag": "answered, and marked in flags", "off": "answered",
    }[manifest.get("policy") or "reject"]  # fmt: skip
    rules = f" Rows that break one of {len(checked)} expectations are {policy}: {'; '.join(checked)}." if checked else ""
    return f"{name}, packaged from a notebook and proven equal to it.{rules}"


def _paths(manifest: Mapping[str, Any], name: str) -> dict[str, Any]:
    model = f"/v2/models/{manifest['service']}"
    infer = _post(f"Predictions of {name} as tensors", "infer", "Tensors", "Outputs", "TensorRefusal")
    infer["responses"]["404"] = _said("No such model or version", "TensorRefusal")
    paths: dict[str, Any] = {
        "/predict": {"post": _post(f"Predictions of {name}", "predict", "Rows", "Predictions", "Refusal")},
        "/healthz": {"get": _get("Whether the process is alive", "healthz", "Status", probe=True)},
        "/readyz": {"get": _get("Whether it answers", "readyz", "Status", probe=True)},
        "/v2": {"get": _get("The server, by the Open Inference Protocol", "server", "Server")},
        "/v2/health/live": {"get": _get("Whether the process is alive", "live", "Live", probe=True)},
        "/v2/health/ready": {"get": _get("Whether it answers", "ready", "Ready", probe=True)},
    }
    for path, word in ((model, ""), (f"{model}/versions/{manifest['version']}", "_of_version")):
        paths[path] = {"get": _get("The model's inputs and outputs", f"model{word}", "Model")}
        paths[f"{path}/ready"] = {"get": _get("Whether the model answers", f"model_ready{word}", "Ready")}
        paths[f"{path}/infer"] = {"post": {**infer, "operationId": f"infer{word}"}}
    return paths


# -- operations -----------------------------------------------------------------------------------------------


def _post(summary: str, name: str, taken: str, given: str, refusal: str) -> dict[str, Any]:
    bad = {code: _said(why, refusal) for code, why in _REFUSALS.items()}
    return {
        "summary": summary, "operationId": name, "requestBody": {"required": True, "content": _json(taken)},
        "responses": {"200": _said("One prediction for each row", given), **bad},
    }  # fmt: skip


def _get(summary: str, name: str, given: str, *, probe: bool = False) -> dict[str, Any]:
    refusal = "Refusal" if not name.startswith(("server", "model", "live", "ready")) or name == "readyz" else "TensorRefusal"
    found: dict[str, Any] = {"summary": summary, "operationId": name, "responses": {"200": _said("So it is", given)}}
    if probe:
        return {**found, "security": []}
    found["responses"]["401"] = _said(_REFUSALS["401"], refusal)
    return found


def _said(why: str, schema: str) -> dict[str, Any]:
    return {"description": why, "content": _json(schema)}


def _json(schema: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}


# -- schemas --------------------------------------------------------------------------------------------------

_TEXT: dict[str, Any] = {"type": "string"}


def _list(items: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": dict(items)}


def _object(properties: dict[str, Any], **optional: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": {**properties, **optional}}


def _row(manifest: Mapping[str, Any], seen: Mapping[str, Any], example: Mapping[str, Any]) -> dict[str, Any]:
    inputs = manifest["inputs"]
    properties = {spec["name"]: _property(spec, seen.get(spec["name"], {})) for spec in inputs}
    key = manifest.get("key") or []
    for name in [key] if isinstance(key, str) else key:
        about = "Identifies the row: its id, where no ids are sent; never fed to the model"
        properties.setdefault(name, {"type": ["string", "number"], "description": about})
    required = [spec["name"] for spec in inputs]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False, "examples": [dict(example)]}


def _property(spec: Mapping[str, Any], seen: Mapping[str, Any]) -> dict[str, Any]:
    """A column: its type and null; what the training rows had as text, examples and extensions."""
    column = Column(spec)
    schema = dict(_KINDS[spec["kind"]])
    if spec["kind"] == "category":
        schema = {"text": _TEXT, "number": {"type": "number"}}.get(column.family, {})
        schema = {"type": "boolean"} if column.expected == "true or false" else dict(schema)
    told = [f"{column.expected}; dtype {spec.get('dtype', '')}"]
    if "min" in seen:
        told.append(f"in training {seen['min']} to {seen['max']}")
    values = [] if seen.get("private") else list(seen.get("values") or spec.get("categories") or [])
    if values:
        told.append("in training " + ", ".join(map(str, values[:20])) + (", ..." if len(values) > 20 else ""))
    if seen.get("nulls"):
        told.append("null in some rows of the training")
    if seen.get("private"):
        told.append("private: its training values are not told")
    found = {**({"type": [schema["type"], "null"]} if "type" in schema else {}), "description": "; ".join(told)}
    examples = seen.get("examples") or values[:3]
    training = {name: seen[name] for name in ("min", "max", "nulls") if name in seen} | ({"values": values[:20]} if values else {})
    return {**found, **({"examples": examples} if examples else {}), **({"x-training": training} if training else {})}


def _example(spec: Mapping[str, Any], seen: Mapping[str, Any]) -> Any:
    """A value that the column takes."""
    if seen.get("examples"):
        return seen["examples"][0]
    if spec.get("categories") and not seen.get("private"):
        return spec["categories"][0]
    zone = ", " in str(spec.get("dtype", ""))
    stand_in = _STAND_INS[spec["kind"]]
    return f"{stand_in}+00:00" if spec["kind"] == "datetime" and zone else stand_in


def _rows(example: Mapping[str, Any]) -> dict[str, Any]:
    ids = {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": LONGEST_ID}, "uniqueItems": True}
    row = {"$ref": "#/components/schemas/Row"}
    return {
        "type": "object", "required": ["rows"], "additionalProperties": False, "examples": [{"rows": [dict(example)]}],
        "properties": {
            "rows": {"type": "array", "minItems": 1, "maxItems": MOST_ROWS, "items": row},
            "ids": {**ids, "description": "As many as rows"},
        },
    }  # fmt: skip


def _predictions(name: str) -> dict[str, Any]:
    shares = _list(_list({"type": ["number", "null"]}))
    probabilities = _object({"classes": _list({}), "values": {**shares, "description": "One list for each row, in the order of classes"}})
    return _object(
        {"ids": _list(_TEXT), "predictions": _list({}), "version": {"type": "string", "const": name}},
        probabilities=probabilities, flags={**_list(_list(_TEXT)), "description": "The expectations that each row breaks"},
    )  # fmt: skip


def _refusal() -> dict[str, Any]:
    maybe = {"type": ["string", "null"]}
    about = {"row": {"type": "integer"}, "id": maybe, "column": maybe, "value": {}, "problem": _TEXT}
    problem = _object(about, expected=_TEXT, expectation=_TEXT, nearest=_TEXT)
    error = _object({"message": _TEXT, "problems": _list(problem), "count": {"type": "integer", "minimum": 0}})
    return _object({"error": error, "version": _TEXT})


def _tensors(plan: Plan, example: Mapping[str, Any]) -> dict[str, Any]:
    names = list(tensors.DATATYPES)
    tensor = _object(
        {"name": _TEXT, "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1, "maxItems": 2},
         "datatype": {"type": "string", "enum": names}, "data": {"type": "array"}},
        parameters={"type": "object"},
    )  # fmt: skip
    inputs = [
        {"name": c.name, "shape": [1], "datatype": tensors.datatype_of(c), "data": [example.get(c.name)]} for c in plan.inputs
    ]
    about = "One input for each column, of shape [n] or [n, 1]; or one of all columns in their order, of shape [n, columns]"
    output = _object({"name": _TEXT}, parameters={"type": "object"})
    made = _object(
        {"inputs": {**_list(tensor), "minItems": 1, "description": about}},
        id={"type": "string", "maxLength": LONGEST_ID - 7}, parameters={"type": "object"}, outputs=_list(output),
    )  # fmt: skip
    return {**made, "examples": [{"inputs": inputs}]}


def _outputs() -> dict[str, Any]:
    tensor = _object(_tensor_of(), data={"type": "array"}, parameters={"type": "object"})
    return _object({"model_name": _TEXT, "model_version": _TEXT, "id": _TEXT, "outputs": _list(tensor)}, parameters={"type": "object"})


def _model() -> dict[str, Any]:
    tensor = _object(_tensor_of(), parameters={"type": "object"})
    return _object({"name": _TEXT, "versions": _list(_TEXT), "platform": _TEXT, "inputs": _list(tensor), "outputs": _list(tensor)})


def _tensor_of() -> dict[str, Any]:
    return {"name": _TEXT, "datatype": _TEXT, "shape": _list({"type": "integer"})}


def _tensor_refusal() -> dict[str, Any]:
    return _object({"error": _TEXT}, problems=_list({"type": "object"}))
