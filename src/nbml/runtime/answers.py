"""Bytes of requests and answers: JSON by orjson where it is installed, else by the standard library, to the same effect."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .plan import MOST_ROWS, Batch, Rejected

try:
    import orjson
except ImportError:  # the service's environment need not hold it
    orjson = None  # type: ignore[assignment]


#: the name before a value, sought in so many characters; and the values that Python writes and JSON does not have
_NEAR = 600
_BEFORE = re.compile(r'("(?:[^"\\]|\\.)*")\s*:\s*(?:"[^"]*|\[[^{}":]*|-?\w?)\Z')
_LITERAL = re.compile(r"-?(?:NaN|Infinity)")
#: objects and arrays beside those of the rows
_ROOM = 1_000


@dataclass(frozen=True)
class Answer:
    """What ``execute`` gives: a prediction for each row; probabilities are {"classes": [...], "values": [[...], ...]}."""

    predictions: list[Any]
    probabilities: dict[str, Any] | None = None


class BadAnswer(Exception):
    """The model's answer does not fit its rows, or JSON cannot carry it."""


def loads(body: bytes) -> Any:
    """Strict JSON in UTF-8. Raises ValueError: NaN, Infinity and numbers that are infinite as doubles are none."""
    if orjson is not None:
        return orjson.loads(body)
    try:
        found = json.loads(body.decode("utf-8", "strict"), parse_constant=_refuse, parse_float=_finite, parse_int=_whole)
        if b"\\ud" in body.lower():
            json.dumps(found, ensure_ascii=False).encode()  # half of a surrogate pair is no text
        return found
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def content(body: bytes) -> Any:
    """The JSON of a request's body. Raises Rejected: 400 where it is none, 413 where it holds too many rows."""
    if _crowded(body):
        raise Rejected(413, f"the body has more than {MOST_ROWS:,} rows; send at most {MOST_ROWS:,} at a time")
    try:
        return loads(body)
    except ValueError as error:
        mark = ", and begins with a byte order mark" if body.startswith(b"\xef\xbb\xbf") else ""
        raise Rejected(400, f"the body is no JSON{mark}: {_member(body, error)}{str(error)[:300]}") from error


def _member(body: bytes, error: ValueError) -> str:
    """The member whose value JSON does not have, and what to send for NaN and Infinity; "" where it is no member's value."""
    text = body.decode("utf-8", "replace")
    at = getattr(error, "pos", None)
    if at is None:
        at = text.find(getattr(error, "text", "\0"))
    before = _BEFORE.search(text[max(0, at - _NEAR) : at])
    if before is None:
        return ""
    literal = _LITERAL.match(text, at)
    return f"{before[1][:200]} holds {literal[0]}, send null: " if literal else f"in {before[1][:200]}, "


def _crowded(body: bytes) -> bool:
    """Whether a body has more objects and arrays than the most rows that are taken: seen before any of them is made."""
    if len(body) <= MOST_ROWS or body.count(b"{") + body.count(b"[") <= MOST_ROWS + _ROOM:
        return False
    bare = re.sub(rb'"(?:[^"\\]|\\.)*+"', b"", body)  # braces of texts are none
    return bare.count(b"{") + bare.count(b"[") > MOST_ROWS + _ROOM


def twice(body: bytes, content: Any, rows: list[dict[str, Any]]) -> str | None:
    """The member that an accepted body of ``rows`` names twice in one object, of which JSON's readers keep the last.

    As many colons as members: none is twice. Only where there are more (in texts, as a rule) is the body read again, slowly.
    """
    colons = body.count(b":")
    if colons == len(content) + sum(map(len, rows)):
        return None
    colons -= sum(value.count(":") for row in rows for pair in row.items() for value in pair if type(value) is str)
    colons -= sum(value.count(":") for value in content.get("ids") or () if type(value) is str)
    return None if colons == len(content) + sum(map(len, rows)) else _found_twice(body)


def _found_twice(body: bytes) -> str | None:
    found: list[str] = []

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        known = dict(pairs)
        if len(known) < len(pairs):
            names = [name for name, _ in pairs]
            found.append(next(name for i, name in enumerate(names) if name in names[:i]))
        return known

    json.loads(body, object_pairs_hook=members)
    return found[0] if found else None


def dumps(value: Any) -> bytes:
    """JSON in UTF-8. What is not finite is null. Raises BadAnswer for what JSON cannot carry."""
    try:
        if orjson is not None:
            return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS, default=_plain)
        return json.dumps(_finite_or_null(value), separators=(",", ":"), default=_plain).encode()
    except (TypeError, ValueError, RecursionError) as error:  # orjson's own error is a TypeError
        raise BadAnswer(f"the answer cannot be written as JSON: {error}") from error


def answered(batch: Batch, answer: Answer, version: str) -> bytes:
    """The body of a 200."""
    if len(answer.predictions) != batch.rows:
        raise BadAnswer(f"the model gave {len(answer.predictions)} predictions for {batch.rows} rows")
    body: dict[str, Any] = {"ids": batch.ids, "predictions": answer.predictions}
    if answer.probabilities is not None:
        body["probabilities"] = answer.probabilities
    if batch.flags is not None:
        body["flags"] = batch.flags
    body["version"] = version
    return dumps(body)


def refused(message: str, version: str, problems: Sequence[dict[str, Any]] = (), count: int = 0) -> bytes:
    """The body of every error."""
    return dumps({"error": {"message": message, "problems": list(problems), "count": count or len(problems)}, "version": version})


def rejected(error: Rejected, version: str) -> bytes:
    """The body of a refused request."""
    return refused(error.message, version, error.problems, error.count)


class _Odd(ValueError):
    """A number that JSON does not have, as it was written."""

    def __init__(self, text: str, why: str) -> None:
        super().__init__(f"{text[:50]} {why}")
        self.text = text


def _refuse(text: str) -> Any:
    raise _Odd(text, "is no JSON")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise _Odd(text, "is infinite as a double")
    return value


def _whole(text: str) -> int | float:
    """An integer of 64 bits, with or without a sign; a longer one is a double."""
    value = int(text) if len(text) < 25 else 2**64
    return value if -(2**63) <= value < 2**64 else _finite(text)


def _plain(value: Any) -> Any:
    """What neither writer knows: values of numpy and pandas, dates."""
    if hasattr(value, "tolist"):
        return _finite_or_null(value.tolist())
    if hasattr(value, "isoformat"):
        text = value.isoformat()
        return None if text == "NaT" else text
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    if type(value).__name__ == "NAType":  # pandas' missing value, without importing pandas
        return None
    raise TypeError(f"{type(value).__name__} is no JSON value")


def _finite_or_null(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite_or_null(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite_or_null(inner) for inner in value]
    return value
