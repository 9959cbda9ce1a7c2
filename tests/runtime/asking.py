"""A service's manifest, and its front door asked in process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from nbml.runtime.front import Answer, Front

INPUTS = [
    {"name": "age", "kind": "integer", "dtype": "int64"},
    {"name": "charge", "kind": "number", "dtype": "float64"},
    {"name": "plan", "kind": "category", "dtype": "category", "categories": ["basic", "pro"]},
    {"name": "active", "kind": "boolean", "dtype": "bool"},
    {"name": "signup", "kind": "datetime", "dtype": "datetime64[ns]"},
    {"name": "note", "kind": "text", "dtype": "str"},
]
ROW = {"age": 30, "charge": 1.5, "plan": "pro", "active": True, "signup": "2024-05-01", "note": "x"}


def expectation(text: str, kind: str, scope: str = "row", **kwargs: Any) -> dict[str, Any]:
    more = {name: kwargs.pop(name) for name in ("where", "mostly") if name in kwargs}
    return {"text": text, "scope": scope, "type": f"expect_column_{kind}", "kwargs": kwargs, **more}


AGE = expectation("18 <= age <= 100", "values_to_be_between", column="age", min_value=18, max_value=100)
SOFT = expectation("charge >= 0, mostly=0.9", "values_to_be_between", column="charge", min_value=0, mostly=0.9)
PLAN = expectation("not_null(plan)", "values_to_not_be_null", column="plan")


def manifest(**more: Any) -> dict[str, Any]:
    fixed = {"format": 1, "service": "churn", "version": 3, "input": "frame"}
    return {**fixed, "inputs": INPUTS, "key": None, "policy": "reject", "expectations": [], **more}


def one(columns: dict[str, list[Any]]) -> Answer:
    """A model: how many values of the row are there."""
    return Answer([float(sum(value is not None for value in row)) for row in zip(*columns.values(), strict=True)])


def ask(body: Any, *, execute: Callable[[dict[str, list[Any]]], Answer] = one, **more: Any) -> tuple[int, dict[str, Any]]:
    """Status and answer of a body, JSON or bytes."""
    status, answer, _ = Front(manifest(**more), execute).answer(body if isinstance(body, bytes) else json.dumps(body).encode())
    return status, json.loads(answer)


def problems(body: Any, **more: Any) -> list[dict[str, Any]]:
    """The problems of a body that is refused with 422."""
    status, answer = ask(body, **more)
    assert status == 422, answer
    found: list[dict[str, Any]] = answer["error"]["problems"]
    return found


def request(front: Any, body: bytes | list[bytes] = b"", **scope: Any) -> tuple[int, dict[bytes, bytes], bytes]:
    """One request over ASGI: status, headers, body."""
    return asyncio.run(requested(front, body, **scope))


async def requested(front: Any, body: bytes | list[bytes] = b"", **scope: Any) -> tuple[int, dict[bytes, bytes], bytes]:
    parts = list(body) if isinstance(body, list) else [body]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not parts:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await front({"type": "http", "method": "POST", "path": "/predict", "headers": [], **scope}, receive, send)
    if not sent:
        return 0, {}, b""
    return sent[0]["status"], dict(sent[0]["headers"]), b"".join(m.get("body", b"") for m in sent[1:])
