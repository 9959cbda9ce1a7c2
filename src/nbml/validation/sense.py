"""What can be told of an expectation before any data are there: that it can never be judged, or never hold."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from nbml import errors
from nbml.validation.reading import Reader
from nbml.validation.words import AGGREGATES, DRIFT, NAMES, drift_word, first_arguments

#: words whose value is a number, whatever the column holds
NUMBERS = frozenset({*AGGREGATES, *DRIFT} - {"min", "max"})
#: types of GX whose bounds are numbers
NUMERIC = frozenset(AGGREGATES[word] for word in NUMBERS & set(AGGREGATES) if word != "quantile") | {
    "expect_table_row_count_to_be_between", "expect_table_column_count_to_be_between",
    "expect_column_proportion_of_unique_values_to_be_between",
}  # fmt: skip
BOUNDS = ("min_value", "max_value")
#: words whose value is counted
WHOLE = ("length", "n_unique")


def bounds(reader: Reader, word: str, found: Mapping[str, Any], node: ast.Compare) -> None:
    """Refuse bounds that nothing can be compared with, and between which nothing lies. Raises errors.BadExpectation."""
    for value in (found[key] for key in BOUNDS if key in found):
        at = _where(reader, node, value)
        if word in NUMBERS and not _number(value):
            raise reader.bad(f"{word}(...) is a number, and not to be compared with {value!r}", at, at, _as_number(value))
        if word in WHOLE and value != int(value):
            raise reader.bad(f"{word}(...) is a whole number, and not to be compared with {value!r}", at)
        if word == "null_share" and not 0 <= value <= 1:
            raise reader.bad(f"null_share(...) is a share from 0 to 1, and not to be compared with {value!r}", at)
        if value is None or isinstance(value, (list, dict)):
            raise reader.bad(f"{value!r} is no bound: a number, a text or a date is", at)
    why = _empty(found)
    if why:
        raise reader.bad(why, node, node, _turned(reader, node))


def named(reader: Reader, call: ast.Call, kind: str, kwargs: Mapping[str, Any]) -> None:
    """The same for an expectation by its own name. Raises errors.BadExpectation."""
    if drift_word(kind) and ("column" not in kwargs or not _number(kwargs.get("max_value"))):
        raise reader.bad(f"{kind} needs column and max_value, a number", call)
    if kind in NAMES and not kind.startswith("expect_query_") and not kind.endswith("_other_table"):
        needed = [name for name in first_arguments(kind) if name not in kwargs and name not in BOUNDS]
        if needed:
            raise reader.bad(f"{kind} needs {needed[0]}", call)
    for key in ("regex", "strftime_format"):
        if key in kwargs:
            pattern(reader, _where(reader, call, kwargs[key]), key, kwargs[key])
    if kind.endswith("_between"):
        if all(kwargs.get(key) is None for key in BOUNDS) and not kind.endswith("quantile_values_to_be_between"):
            raise reader.bad(f"{kind} needs min_value or max_value", call)
        for key in BOUNDS:
            if kind in NUMERIC and kwargs.get(key) is not None and not _number(kwargs[key]):
                at = _where(reader, call, kwargs[key])
                raise reader.bad(f"{key} of {kind} is a number, not {kwargs[key]!r}", at, at, _as_number(kwargs[key]))
        why = _empty(kwargs)
        if why:
            raise reader.bad(why, call)


def pattern(reader: Reader, at: ast.AST, key: str, value: Any) -> None:
    """Refuse a pattern that cannot be applied. Raises errors.BadExpectation."""
    if not isinstance(value, str):
        raise reader.bad(f"a pattern is a text in quotes, not {value!r}", at)
    try:
        if key == "regex":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                re.compile(value)
        elif key == "strftime_format":
            datetime.strptime(datetime(2001, 2, 3, 4, 5, 6).strftime(value), value)
    except (re.error, ValueError, RecursionError, OverflowError) as error:
        what = "regular expression" if key == "regex" else "format of dates"
        raise reader.bad(f"{value!r} is no {what}: {str(error).splitlines()[0]}", at) from error


def share(reader: Reader, at: ast.AST, value: Any) -> None:
    """Refuse what is no number from 0 to 1. Raises errors.BadExpectation."""
    if not _number(value) or not 0 <= value <= 1:
        raise reader.bad(f"a quantile is a number from 0 to 1, not {value!r}", at)


def _empty(found: Mapping[str, Any]) -> str:
    """Why nothing lies within bounds; "" where something may."""
    low, high = (found.get(key) for key in BOUNDS)
    if low is None or high is None:
        return ""
    if _number(low) != _number(high):
        return f"nothing lies between {low!r} and {high!r}: they are of different kinds"
    ends = (low, high) if _number(low) else _dates(low, high)
    if ends is None:
        return ""
    strict = found.get("strict_min") or found.get("strict_max")
    return f"nothing lies between {low!r} and {high!r}" if ends[0] > ends[1] or (strict and ends[0] == ends[1]) else ""


def _dates(low: Any, high: Any) -> tuple[Any, Any] | None:
    """Both as dates; None where they are texts of another kind, of which only the column can tell the order."""
    try:
        ends = datetime.fromisoformat(low), datetime.fromisoformat(high)
        return ends if (ends[0] > ends[1]) in (True, False) else None
    except (TypeError, ValueError):
        return None


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _as_number(value: Any) -> str | None:
    """A text that is a number, as one."""
    for kind in (int, float):
        try:
            return repr(kind(value)) if isinstance(value, str) else None
        except ValueError:
            continue
    return None


def _turned(reader: Reader, node: ast.Compare) -> str | None:
    """A range of two values with these the other way round."""
    if len(node.comparators) != 2:
        return None
    first, middle, last = (reader.source(part) for part in (node.left, *node.comparators))
    signs = [{ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}.get(type(op), "") for op in node.ops]
    return f"{last} {signs[0]} {middle} {signs[1]} {first}"


def _where(reader: Reader, node: ast.AST, value: Any) -> ast.AST:
    """Where a value stands in an expression; the expression itself where that cannot be told."""
    for part in ast.walk(node):
        if isinstance(part, ast.expr) and not isinstance(part, ast.Name) and part is not node:
            try:
                if reader.value(part) == value:
                    return part
            except errors.BadExpectation:
                continue
    return node
