"""Great Expectations' JSON as the language writes it: the shortest entry that is read as the same expectation.

What a candidate means is read by ``parse`` before it is given, so that text and JSON cannot come apart. What has no word is
its call by name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from nbml import errors
from nbml.validation.grammar import Config, parse
from nbml.validation.literals import literal, members, text
from nbml.validation.row_conditions import words
from nbml.validation.sense import BOUNDS
from nbml.validation.words import (
    AGGREGATES,
    BY_VALUE,
    EITHER,
    NOT_PATTERNS,
    PATTERNS,
    columns_of,
    drift_word,
    first_arguments,
    written,
)

Json = dict[str, Any]
_BETWEEN = {kind: word for word, kind in AGGREGATES.items() if word not in ("null_share", "quantile")}
_PATTERNS = {
    **{kind: (word, key) for word, (kind, key) in PATTERNS.items()},
    **{kind: (f"not {word}", key) for word, (kind, key) in NOT_PATTERNS.items()},
}
#: arguments that say what is so without them; what a suite of Great Expectations writes out for nothing
DEFAULTS: Mapping[str, Any] = {
    "mostly": 1, "strict_min": False, "strict_max": False, "min_value": None, "max_value": None, "row_condition": None,
    "condition_parser": None, "strictly": None, "allow_relative_error": False, "ties_okay": None, "windows": None,
}  # fmt: skip


def text_of(config: Config | Mapping[str, Any]) -> str:
    """The shortest entry that ``parse`` reads as the type, kwargs, condition and severity of ``config``, which is a Config or
    the JSON of an expectation."""
    return written_as(config)[0]


def written_as(config: Config | Mapping[str, Any]) -> tuple[str, str]:
    """The entry of a configuration, and its expression alone."""
    kind, kwargs, where, severity = _facts(config)
    mostly, rest = kwargs.get("mostly"), {key: value for key, value in kwargs.items() if key != "mostly"}
    said = f", mostly={literal(mostly)}" if "mostly" in kwargs else ""
    more = (f", where={where}" if where else "") + (f", severity={text(severity)}" if severity != "critical" else "")
    if kind.startswith(BY_VALUE) or "mostly" not in kwargs:
        for short in _candidates(kind, rest):
            if _same(short + said + more, kind, kwargs, where, severity):
                return short + said + more, short
    named = call(kind, kwargs)
    return named + more, named


def call(kind: str, kwargs: Mapping[str, Any]) -> str:
    """An expectation by its own name."""
    first = []
    for name in first_arguments(kind):
        if name not in kwargs:
            break
        first.append(name)
    keep = first[:1] if first[:1] in (["column"], ["column_list"]) else first
    named = [f"{key}={literal(value)}" for key, value in kwargs.items() if key not in keep]
    return f"{kind}({', '.join([*(literal(kwargs[name]) for name in keep), *named])})"


def plain(kwargs: Mapping[str, Any]) -> Json:
    """Arguments as a person writes them: without those that say what is so without them, bounds of 18.0 as 18."""
    said = {key: value for key, value in kwargs.items() if key not in DEFAULTS or value != DEFAULTS[key] or value is True}
    return {key: int(value) if key in BOUNDS and isinstance(value, float) and value.is_integer() else value for key, value in said.items()}


def _facts(config: Config | Mapping[str, Any]) -> tuple[str, Json, str | None, str]:
    if isinstance(config, Config):
        return config.type, dict(config.kwargs), config.where, config.severity
    kwargs, own = dict(config.get("kwargs") or {}), (config.get("meta") or {}).get("nbml")
    where = own.get("where") if isinstance(own, dict) else None
    if where is None and "row_condition" in kwargs:
        where = words(kwargs["row_condition"])
        if where is not None:
            del kwargs["row_condition"]
    return str(config["type"]), kwargs, where, str(config.get("severity") or "critical")


def _same(entry: str, kind: str, kwargs: Json, where: str | None, severity: str) -> bool:
    try:
        found = parse(entry)
    except errors.BadExpectation:
        return False
    if len(found) != 1 or (found[0].type, found[0].where, found[0].severity) != (kind, where, severity):
        return False
    try:
        return json.dumps(found[0].kwargs, sort_keys=True) == json.dumps(kwargs, sort_keys=True)
    except (TypeError, ValueError):
        return False


# -- expressions ----------------------------------------------------------------------------------------------


def _candidates(kind: str, kwargs: Json) -> Iterator[str]:
    """What may say it, the shortest first; whether it does is for the reader to find out."""
    try:
        names = columns_of(kwargs)
        columns = [written(name) for name in names]
        for make in (_values, _aggregates, _several, _tables):
            yield from make(kind, kwargs, columns)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        return


def _values(kind: str, kwargs: Json, columns: list[str]) -> Iterator[str]:
    """One column, value by value."""
    match kind:
        case "expect_column_values_to_be_between":
            yield from _range(columns[0], kwargs)
        case "expect_column_values_to_be_in_set" | "expect_column_values_to_not_be_in_set":
            values, no = kwargs["value_set"], "_not_" in kind
            if len(values) == 1:
                yield f"{columns[0]} {'!=' if no else '=='} {literal(values[0])}"
            yield f"{columns[0]} {'not in' if no else 'in'} {members(values)}"
        case "expect_column_values_to_not_be_null" | "expect_column_values_to_be_null":
            yield f"{'not_null' if '_not_' in kind else 'null'}({columns[0]})"
        case "expect_column_values_to_be_increasing" | "expect_column_values_to_be_decreasing":
            strictly = f", strictly={kwargs['strictly']!r}" if "strictly" in kwargs else ""
            yield f"{kind.rpartition('_')[2]}({columns[0]}{strictly})"
        case "expect_column_values_to_be_of_type":
            yield f"dtype({columns[0]}) == {literal(kwargs['type_'])}"
        case "expect_column_values_to_be_in_type_list":
            yield f"dtype({columns[0]}) in {members(kwargs['type_list'])}"
        case "expect_column_values_to_be_unique":
            yield f"unique({columns[0]})"
        case "expect_column_value_lengths_to_equal":
            yield f"length({columns[0]}) == {literal(kwargs['value'])}"
    if kind in _PATTERNS:
        word, key = _PATTERNS[kind]
        yield f"{word}({columns[0]}, {literal(kwargs[key])})"


def _aggregates(kind: str, kwargs: Json, columns: list[str]) -> Iterator[str]:
    """One column as a whole."""
    if kind in _BETWEEN:
        yield from _range(f"{_BETWEEN[kind]}({columns[0]})", kwargs)
    elif kind == AGGREGATES["null_share"]:
        turned = {"min_value": "max_value", "max_value": "min_value", "strict_min": "strict_max", "strict_max": "strict_min"}
        share = {turned[k]: v if k.startswith("strict") else _rest(v) for k, v in kwargs.items() if k in turned}
        yield from _range(f"null_share({columns[0]})", share)
    elif kind == AGGREGATES["quantile"]:
        ranges = kwargs["quantile_ranges"]
        (q,), ((low, high),) = ranges["quantiles"], ranges["value_ranges"]
        bounds = {key: value for key, value in (("min_value", low), ("max_value", high)) if value is not None}
        yield from _range(f"quantile({columns[0]}, {literal(q)})", bounds)
    elif drift_word(kind):
        yield f"{drift_word(kind)}({columns[0]}) {'<' if kwargs['strict_max'] else '<='} {literal(kwargs['max_value'])}"


def _rest(share: float) -> float | int:
    """What is missing to 1, without the dust of binary fractions."""
    return round(1 - share, 12)


def _several(kind: str, kwargs: Json, columns: list[str]) -> Iterator[str]:
    """Columns with each other."""
    if kind == "expect_compound_columns_to_be_unique":
        yield f"unique({', '.join(columns)})"
    if kwargs.get("ignore_row_if") != EITHER or len(columns) != 2:
        return
    if kind == "expect_column_pair_values_to_be_equal":
        yield f"{columns[0]} == {columns[1]}"
    elif kind == "expect_column_pair_values_a_to_be_greater_than_b":
        yield f"{columns[1]} {'<=' if kwargs['or_equal'] else '<'} {columns[0]}"


def _tables(kind: str, kwargs: Json, columns: list[str]) -> Iterator[str]:
    """The table."""
    if kind == "expect_table_row_count_to_be_between":
        yield from _range("rows", kwargs)
    elif kind == "expect_table_columns_to_match_ordered_list":
        yield f"columns == {literal(kwargs['column_list'])}"
    elif kind == "expect_table_columns_to_match_set":
        sign = "==" if kwargs["exact_match"] else ">="
        yield f"columns {sign} {members(kwargs['column_set'])}"


def _range(subject: str, kwargs: Mapping[str, Any]) -> Iterator[str]:
    low, high = (kwargs.get(key) for key in ("min_value", "max_value"))
    above, below = ("<" if kwargs.get(f"strict_{side}") else "<=" for side in ("min", "max"))
    if low is not None and low == high:
        yield f"{subject} == {literal(low)}"
    if low is not None and high is not None:
        yield f"{literal(low)} {above} {subject} {below} {literal(high)}"
    elif low is not None:
        yield f"{subject} {above.replace('<', '>')} {literal(low)}"
    elif high is not None:
        yield f"{subject} {below} {literal(high)}"


