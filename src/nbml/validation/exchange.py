"""Suites and results from and to Great Expectations.

Within nbml a ``where`` is text in an expectation's meta and bounds stand as they are written. Outside, in a suite's JSON, the
``where`` is Great Expectations' own ``row_condition`` too, where it has a form there, and a bound that is a day is its first
instant: what Great Expectations reads as a date it compares with no timestamp.
"""

from __future__ import annotations

import decimal
import re
import sys
import uuid
import warnings
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from nbml import errors
from nbml.validation import row_conditions, writing
from nbml.validation.grammar import Config
from nbml.validation.reading import plain
from nbml.validation.sense import BOUNDS
from nbml.validation.words import drift_word

Json = dict[str, Any]
DAY = re.compile(r"\d{4}-\d\d-\d\d")
MIDNIGHT = "T00:00:00"
#: types whose bounds may be instants
OF_INSTANTS = ("expect_column_values_to_be_between", "expect_column_min_to_be_between", "expect_column_max_to_be_between")


def suite_json(name: str, text: str, configs: list[Config]) -> Json:
    """A suite as GX stores it; our own text lies in its meta. Imports nothing of GX."""
    meta = {"great_expectations_version": version("great_expectations"), "nbml": {"text": text}}
    return {"name": name, "id": None, "expectations": [outward(c.to_json()) for c in configs], "meta": meta, "notes": None}


def outward(config: Json) -> Json:
    """An expectation as Great Expectations judges the same rows by it; ``notes`` says where it cannot."""
    found = {**config, "kwargs": dict(config["kwargs"])}
    own = dict(found["meta"]["nbml"])
    days = [key for key in BOUNDS if found["type"] in OF_INSTANTS and _is_day(found["kwargs"].get(key))]
    if days:
        found["kwargs"] |= {key: found["kwargs"][key] + MIDNIGHT for key in days}
        found["meta"] = {**found["meta"], "nbml": {**own, "days": days}}
    if own.get("where"):
        condition = row_conditions.of(own["where"])
        if condition is None:
            found["notes"] = f"{unsaid(config)}: Great Expectations judges all rows"
        else:
            found["kwargs"]["row_condition"] = condition
    return found


def inward(config: Json) -> Json:
    """The same as it is within nbml. A row_condition that is not what our ``where`` says is Great Expectations' own affair."""
    kwargs, meta = dict(config["kwargs"]), dict(config["meta"])
    own = dict(meta["nbml"])
    for key in own.pop("days", ()):
        if str(kwargs.get(key)).endswith(MIDNIGHT):
            kwargs[key] = kwargs[key].removesuffix(MIDNIGHT)
    if own.get("where") and "row_condition" in kwargs:
        if row_conditions.of(own["where"]) == kwargs["row_condition"]:
            del kwargs["row_condition"]
        else:
            del own["where"]
    return {**config, "kwargs": kwargs, "meta": {**meta, "nbml": own}}


def unsaid(config: Json) -> str:
    """What Great Expectations cannot express of an expectation; "" where it can."""
    where = str((config["meta"].get("nbml") or {}).get("where") or "")
    lost = where and "row_condition" not in config["kwargs"] and row_conditions.of(where) is None
    return f"where={where} has no form of Great Expectations" if lost else ""


def _is_day(value: object) -> bool:
    return isinstance(value, str) and DAY.fullmatch(value) is not None


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
    meta = _json(dict(entry.get("meta") or {}), place)
    clean = {str(key): _json(value, place, str(key)) for key, value in kwargs.items() if key != "batch_id"}
    severity = entry.get("severity") or "critical"
    found: Json = {"type": kind, "kwargs": clean, "meta": meta, "severity": str(getattr(severity, "value", severity))}
    own = meta.get("nbml")
    if isinstance(own, dict) and "text" in own:
        return inward(found)
    text, short = writing.written_as({**found, "kwargs": writing.plain(clean), "meta": {}})
    condition = row_conditions.words(clean.get("row_condition"))
    short += f" where {condition}" if condition else ""
    meta["nbml"] = {"text": text, "short": short, "line": place}
    return found


def _json(value: Any, place: int, key: str = "meta") -> Any:
    """A value as JSON, as Great Expectations makes it: dates as text, sets as lists, decimals as floats.

    Raises errors.BadExpectation for what has no form there.
    """
    if isinstance(value, Mapping):
        return {str(name): _json(one, place, key) for name, one in value.items()}
    made = plain(value)
    if isinstance(made, list):
        return [_json(one, place, key) for one in made]
    if isinstance(made, decimal.Decimal):
        return float(made)
    if isinstance(made, uuid.UUID):
        return str(made)
    if made is None or isinstance(made, (str, int, float)):
        return made
    raise errors.BadExpectation(f"expectation {place}: {key} holds a {type(value).__name__}, which JSON cannot hold", line=place)


def to_gx(found: Json) -> Any:
    """An ExpectationSuiteValidationResult of the JSON of ``Validation.to_json``. Warns of conditions that it cannot express."""
    from great_expectations.core.expectation_validation_result import ExpectationSuiteValidationResult, ExpectationValidationResult
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    lost = [config for result in found["results"] if unsaid(config := result["expectation_config"])]
    if lost:
        others = f", and {len(lost) - 1} more" if len(lost) > 1 else ""
        warnings.warn(f"{unsaid(lost[0])}{others}: it stays in meta, and the results are of these rows", UserWarning, stacklevel=3)
    if any(drift_word(result["expectation_config"]["type"]) for result in found["results"]):
        known_to_gx()
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


def known_to_gx() -> None:
    """Make our drift expectations known to a Great Expectations that is loaded."""
    if "great_expectations" in sys.modules:
        from nbml.validation import expectations  # noqa: F401
