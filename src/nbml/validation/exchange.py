"""Suites and results from and to Great Expectations."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from nbml import errors
from nbml.validation.grammar import Config

Json = dict[str, Any]


def suite_json(name: str, text: str, configs: list[Config]) -> Json:
    """A suite as GX stores it; our own text lies in its meta. Imports nothing of GX."""
    meta = {"great_expectations_version": version("great_expectations"), "nbml": {"text": text}}
    return {"name": name, "id": None, "expectations": [c.to_json() for c in configs], "meta": meta, "notes": None}


def is_foreign(suite: object) -> bool:
    """Whether ``suite`` is GX's: its JSON as a dict, or an ExpectationSuite."""
    kind = type(suite)
    return isinstance(suite, Mapping) or (kind.__module__.startswith("great_expectations.") and hasattr(suite, "to_json_dict"))


def read_suite(suite: Any) -> tuple[str, list[Json]]:
    """Name and expectations of a suite of GX. Raises errors.BadInput, errors.BadExpectation at the expectation's place."""
    found: Mapping[str, Any] = suite if isinstance(suite, Mapping) else suite.to_json_dict()
    expectations = found.get("expectations")
    if not isinstance(expectations, list):
        keys = ", ".join(map(repr, found)) or "nothing"
        raise errors.BadInput(f"a suite of Great Expectations has a list under 'expectations'; this has {keys}")
    return str(found.get("name") or found.get("expectation_suite_name") or "suite"), [
        _expectation(entry, place) for place, entry in enumerate(expectations, 1)
    ]


def _expectation(entry: Any, place: int) -> Json:
    kind = (entry.get("type") or entry.get("expectation_type")) if isinstance(entry, Mapping) else None
    kwargs = entry.get("kwargs", {}) if kind else None
    if not isinstance(kind, str) or not isinstance(kwargs, Mapping):
        raise errors.BadExpectation(f"expectation {place} has no type and kwargs: {str(entry)[:80]}", line=place)
    meta = copy.deepcopy(dict(entry.get("meta") or {}))
    own = meta.get("nbml")
    if not isinstance(own, dict) or "text" not in own:
        arguments = ", ".join(repr(v) if k == "column" else f"{k}={v!r}" for k, v in kwargs.items() if k != "batch_id")
        meta["nbml"] = {"text": f"{kind}({arguments})", "short": f"{kind}({arguments})", "line": place}
    clean = {key: copy.deepcopy(value) for key, value in kwargs.items() if key != "batch_id"}
    return {"type": kind, "kwargs": clean, "meta": meta, "severity": entry.get("severity") or "critical"}


def to_gx(found: Json) -> Any:
    """An ExpectationSuiteValidationResult of the JSON of ``Validation.to_json``."""
    from great_expectations.core.expectation_validation_result import ExpectationSuiteValidationResult, ExpectationValidationResult
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    results = [
        ExpectationValidationResult(
            success=result["success"],
            expectation_config=ExpectationConfiguration(
                type=result["expectation_config"]["type"],
                kwargs=result["expectation_config"]["kwargs"],
                meta=result["expectation_config"].get("meta", {}),
                severity=result["expectation_config"].get("severity"),
            ),
            result=result["result"],
            meta=result.get("meta", {}),
            exception_info=result.get("exception_info"),
        )
        for result in found["results"]
    ]
    return ExpectationSuiteValidationResult(
        success=bool(found["success"]),
        results=results,
        suite_name=found["suite_name"],
        suite_parameters=found["suite_parameters"],
        statistics=found["statistics"],
        meta=found["meta"],
    )
