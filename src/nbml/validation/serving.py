"""Where each expectation of a suite can be checked once a model is served."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from nbml.validation import row_conditions
from nbml.validation.conditions import Condition
from nbml.validation.reading import Entry
from nbml.validation.words import ACROSS_ROWS, BY_VALUE, columns_of

if TYPE_CHECKING:
    from nbml.validation.values import Suite

Json = dict[str, Any]


def scopes(suite: Suite | Mapping[str, Any], inputs: Iterable[str]) -> list[Json]:
    """For each expectation ``{"text", "scope", "type", "kwargs", "where"?, "mostly"?, "severity"}``.

    ``scope`` is "row" (judged value by value, or between columns of one row), "window" (aggregates, drift, unique,
    increasing, types, rows, columns) or "not served" (it, or its ``where``, names a column that is not an input).
    ``suite`` is a Suite or GX's JSON of one; ``inputs`` are the names of the service's inputs.
    """
    from nbml.validation.exchange import read_suite

    _, expectations = read_suite(suite if isinstance(suite, Mapping) else suite.to_json())
    known = {str(name) for name in inputs}
    return [_scope(config, known) for config in expectations]


def _scope(config: Json, inputs: set[str]) -> Json:
    own = config["meta"]["nbml"]
    kind, kwargs = config["type"], dict(config["kwargs"])
    condition = own.get("where") or row_conditions.words(kwargs.get("row_condition"))
    if condition:
        kwargs.pop("row_condition", None)
    named = [*columns_of(kwargs), *(Condition(Entry(condition)).columns() if condition else ())]
    if kind.startswith("expect_table_"):
        named = []
    if any(column not in inputs for column in named):
        scope = "not served"
    else:
        alone = kind.startswith(BY_VALUE) and kind not in ACROSS_ROWS and "row_condition" not in kwargs
        scope = "row" if alone else "window"
    found: Json = {"text": own["text"], "scope": scope, "type": kind, "kwargs": kwargs, "severity": config["severity"]}
    if condition:
        found["where"] = condition
    if "mostly" in kwargs:
        found["mostly"] = kwargs["mostly"]
    return found
