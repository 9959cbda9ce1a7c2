"""Requests as rows of the log, without the values of private columns."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
from functools import cached_property
from pathlib import Path
from typing import Any

from nbml import errors
from nbml.packaging import exchange
from nbml.runtime.traffic import Frame
from nbml.store import Store

#: the key of the hashes that stand for private ids, in the deployment's folder
KEY = "log.key"
#: what is written of a message that tells a private value
UNTOLD = "a value of a private column is not fit; it is not told here"


class Private:
    """What of a deployment's traffic must not be written down. Private are columns by name."""

    def __init__(self, folder: Path, columns: frozenset[str]) -> None:
        self._folder, self._columns = folder, columns
        self._keyed: dict[str, bool] = {}

    def row(self, frame: Frame) -> dict[str, Any]:
        """A frame as a row of the log."""
        request, response = frame.request, frame.response
        ids = frame.ids or _ids(request)
        if self._columns:
            hidden = self._hides(frame.version)
            asked, answered = _object(request), _object(response)
            strange = _strange(answered)
            request, response = self._request(asked, strange, hidden), self._response(answered, hidden)
            ids = [self._mask(value) for value in ids] if hidden else ids
        return {
            "time": frame.time, "ids": ids, "rows": frame.rows, "latency_ms": frame.latency_ms, "status": frame.status,
            "version": frame.version, "request": request, "response": response,
        }  # fmt: skip

    def _request(self, said: dict[str, Any] | None, strange: set[str] | None, hidden: bool) -> bytes:
        """Rows without private columns, and without columns that the service does not know: one may be private, misspelt.

        Empty where that cannot be told apart: tensors that were refused, no JSON, more problems than were listed.
        """
        if said is None or "inputs" in said or strange is None:
            return b""
        rows = said.get("rows")
        for row in rows if isinstance(rows, list) else []:
            if isinstance(row, dict):
                for column in (self._columns | strange) & row.keys():
                    del row[column]
        if hidden and isinstance(said.get("ids"), list):
            said["ids"] = [self._mask(str(value)) for value in said["ids"]]
        return _bytes(said)

    def _response(self, said: dict[str, Any] | None, hidden: bool) -> bytes:
        if said is None or not isinstance(said.get("error", {}), dict):
            return b""
        if hidden and isinstance(said.get("ids"), list):
            said["ids"] = [self._mask(str(value)) for value in said["ids"]]
        error = said.get("error", {})
        told = False
        for problem in exchange.problems(said):
            value, column = problem.get("value"), problem.get("column")
            within = isinstance(value, dict) and bool(self._columns & value.keys())
            if column in self._columns or within or _unknown(problem) or (hidden and column == "ids"):
                problem.pop("value", None)
                told = True
            if hidden and problem.get("id") is not None:
                problem["id"] = self._mask(str(problem["id"]))
        if told or (error and not exchange.problems(said)):
            error["message"] = UNTOLD if told else str(error.get("message", "")).partition(":")[0]
        return _bytes(said)

    def _hides(self, version: str) -> bool:
        """Whether ids are values of a private key."""
        if version not in self._keyed:
            thing = None
            with contextlib.suppress(errors.NbmlError), contextlib.closing(Store(self._folder.parent.parent.parent)) as store:
                thing = store.find("service", version)
            key = thing.body["manifest"].get("key") or [] if thing is not None else []
            self._keyed[version] = bool(self._columns & set([key] if isinstance(key, str) else key))
        return self._keyed[version]

    def _mask(self, value: str) -> str:
        """The same text for the same id, of which nobody without the key can tell the id."""
        return "private-" + hmac.new(self._key, value.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:32]

    @cached_property
    def _key(self) -> bytes:
        path = self._folder / KEY
        if not path.exists():
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
                file.write(secrets.token_bytes(32))
        return path.read_bytes()


def _strange(answered: dict[str, Any] | None) -> set[str] | None:
    """The columns that an answer calls unknown; None where it does not list all of its problems."""
    if answered is None:
        return None
    found = exchange.problems(answered)
    error = answered.get("error")
    count = error.get("count", 0) if isinstance(error, dict) else 0
    if isinstance(count, int) and count > len(found):
        return None
    return {str(problem.get("column")) for problem in found if _unknown(problem)}


def _unknown(problem: dict[str, Any]) -> bool:
    return str(problem.get("problem", "")).startswith("unknown column")


def _ids(request: bytes) -> list[str]:
    """The ids that a refused request bore."""
    said = _object(request)
    ids = said.get("ids") if said is not None else None
    return [str(value) for value in ids] if isinstance(ids, list) else []


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _bytes(said: dict[str, Any]) -> bytes:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
