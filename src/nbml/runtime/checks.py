"""Row expectations of a suite as plain functions, with the verdicts of Great Expectations (1.24, on pandas).

A null is not judged (but by the expectations on nulls, and in pairs as ``ignore_row_if`` says). An expectation that
cannot be judged here is Unsupported when the plan is made, so that packaging can leave it to the monitor.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from . import instants
from .columns import Column
from .conditions import Cells, Holds, Unsupported, condition
from .patterns import PATIENCE, Pattern, TooSlow, like

Broken = Callable[[Cells], list[int]]
Kwargs = Mapping[str, Any]
Columns = Mapping[str, Column]
#: arguments that change no verdict, or are read elsewhere
_SILENT = {"mostly", "id", "meta", "description", "severity", "result_format", "catch_exceptions", "rendered_content", "notes",
           "windows", "batch_id", "unexpected_rows_query", "where"}  # fmt: skip


@dataclass(frozen=True)
class Check:
    """``broken`` gives the rows that break the expectation; ``soft`` ones (mostly < 1) mark a row and never reject it.

    ``columns`` are those it is about, ``reads`` those of its ``where`` too.
    """

    text: str
    columns: tuple[str, ...]
    reads: tuple[str, ...]
    soft: bool
    broken: Broken


def check(expectation: Mapping[str, Any], columns: Columns) -> Check:
    """The check of one expectation of the manifest. Raises Unsupported with the reason."""
    kwargs = {name: value for name, value in dict(expectation.get("kwargs") or {}).items() if value is not None}
    mostly = expectation.get("mostly")
    mostly = kwargs.get("mostly", 1.0) if mostly is None else mostly
    kind = str(expectation["type"])
    if kind not in _TYPES:
        raise Unsupported(f"{kind} is not judged row by row")
    made, taken = _TYPES[kind]
    unknown = set(kwargs) - _SILENT - set(taken)
    if unknown:
        raise Unsupported(f"the argument {min(unknown)!r}")
    names = _named(kwargs)
    for name in names:
        if name not in columns:
            raise Unsupported(f"no input {name!r}")
    broken = made(kwargs, columns)
    where = expectation.get("where")
    if where:
        judged, more = condition(where, columns)
        return Check(str(expectation["text"]), names, (*names, *more), mostly < 1, _only(broken, judged))
    return Check(str(expectation["text"]), names, names, mostly < 1, broken)


def _named(kwargs: Kwargs) -> tuple[str, ...]:
    names = [kwargs[k] for k in ("column", "column_A", "column_B") if k in kwargs] + list(kwargs.get("column_list", ()))
    return tuple(str(name) for name in names)


def _only(broken: Broken, judged: Holds) -> Broken:
    return lambda cells: [i for i in broken(cells) if judged(cells, i)]


# -- one column ---------------------------------------------------------------------------------------------


class Each:
    """A check of one column, value by value: broken by those that are there and do not hold. ``quick`` asks ``holds`` itself.

    ``longest`` is the length of the longest text that is judged; None where there is no bound.
    """

    def __init__(self, name: str, holds: Callable[[Any], Any], longest: int | None = None) -> None:
        self.name, self.holds, self.longest = name, holds, longest

    def told(self, value: Any) -> str:
        """What a refusal adds for a value that was not judged."""
        late = self.longest is not None and type(value) is str and len(value) > self.longest
        return f": it judges texts of up to {self.longest:,} characters, this one has {len(value):,}" if late else ""

    def __call__(self, cells: Cells) -> list[int]:
        holds = self.holds
        if self.longest is not None:
            return self._timed(cells[self.name])
        return [i for i, value in enumerate(cells[self.name]) if value is not None and not holds(value)]

    def _timed(self, values: Sequence[Any]) -> list[int]:
        """The same, for a while. Raises TooSlow."""
        found, until = [], time.monotonic() + PATIENCE
        for i, value in enumerate(values):
            if value is not None and not self.holds(value):
                found.append(i)
            if not i % 8 and time.monotonic() > until and i + 1 < len(values):
                raise TooSlow([*found, *range(i + 1, len(values))], i)
        return found


def _each(name: str, holds: Callable[[Any], Any]) -> Broken:
    return Each(name, holds)


def _between(kwargs: Kwargs, columns: Columns) -> Broken:
    column = columns[kwargs["column"]]
    low, high = (None if kwargs.get(k) is None else _bound(kwargs[k], column) for k in ("min_value", "max_value"))
    return _each(column.name, _range(low, high, bool(kwargs.get("strict_min")), bool(kwargs.get("strict_max"))))


def _bound(value: Any, column: Column) -> Any:
    """A bound as the column's values are; GX refuses to compare a number with a text, and so do we, before any request."""
    if column.family == "instant" and isinstance(value, str):
        try:
            return instants.bound(value, column.dtype)
        except ValueError as error:
            raise Unsupported(f"{value!r} is no instant of {column.name}") from error
    kinds = {"number": (int, float), "text": (str,)}.get(column.family, ())
    if not isinstance(value, kinds):
        raise Unsupported(f"{column.name} cannot be compared with {value!r}")
    return value


def _range(low: Any, high: Any, above: bool, below: bool) -> Callable[[Any], Any]:
    if low is None and high is None:
        raise Unsupported("it has no bound")
    if low is not None and high is not None:
        if low > high:
            raise Unsupported(f"{low!r} is more than {high!r}")
        if above:
            return (lambda v: low < v < high) if below else (lambda v: low < v <= high)
        return (lambda v: low <= v < high) if below else (lambda v: low <= v <= high)
    if low is not None:
        return (lambda v: v > low) if above else (lambda v: v >= low)
    return (lambda v: v < high) if below else (lambda v: v <= high)


def _in_set(kwargs: Kwargs, columns: Columns) -> Broken:
    inside = _members(kwargs, columns)
    return _each(kwargs["column"], lambda v: v in inside)


def _not_in_set(kwargs: Kwargs, columns: Columns) -> Broken:
    inside = _members(kwargs, columns)
    return _each(kwargs["column"], lambda v: v not in inside)


def _members(kwargs: Kwargs, columns: Columns) -> frozenset[Any]:
    column, values = columns[kwargs["column"]], kwargs.get("value_set")
    if not isinstance(values, (list, tuple)):
        raise Unsupported("a set of values is needed")
    try:
        return frozenset(_bound(value, column) if column.family == "instant" else value for value in values if value is not None)
    except TypeError as error:
        raise Unsupported("a set of texts or numbers is needed") from error


def _not_null(kwargs: Kwargs, columns: Columns) -> Broken:
    name = kwargs["column"]
    return lambda cells: [i for i, value in enumerate(cells[name]) if value is None]


def _null(kwargs: Kwargs, columns: Columns) -> Broken:
    name = kwargs["column"]
    return lambda cells: [i for i, value in enumerate(cells[name]) if value is not None]


def _regex(kwargs: Kwargs, columns: Columns) -> Broken:
    pattern = _compiled(kwargs["regex"])
    return _searched(kwargs, columns, [pattern], pattern.fits)


def _not_regex(kwargs: Kwargs, columns: Columns) -> Broken:
    pattern = _compiled(kwargs["regex"])
    return _searched(kwargs, columns, [pattern], lambda v: pattern.fits(v) is False)


def _regex_list(kwargs: Kwargs, columns: Columns) -> Broken:
    patterns, needed = [_compiled(regex) for regex in kwargs["regex_list"]], all if kwargs.get("match_on", "any") == "all" else any
    return _searched(kwargs, columns, patterns, lambda v: needed(pattern.fits(v) for pattern in patterns))


def _not_regex_list(kwargs: Kwargs, columns: Columns) -> Broken:
    patterns = [_compiled(regex) for regex in kwargs["regex_list"]]
    return _searched(kwargs, columns, patterns, lambda v: all(pattern.fits(v) is False for pattern in patterns))


def _searched(kwargs: Kwargs, columns: Columns, patterns: Sequence[Pattern], holds: Callable[[str], Any]) -> Broken:
    """A text that a pattern does not judge, since it is too long, does not hold."""
    longest = min((pattern.longest for pattern in patterns if pattern.longest is not None), default=None)
    return Each(kwargs["column"], _of_text(columns[kwargs["column"]], holds), longest)


def _compiled(regex: Any) -> Pattern:
    try:
        return Pattern(regex)
    except (re.error, TypeError, RecursionError, OverflowError) as error:
        raise Unsupported(f"{regex!r} is no regular expression") from error


def _like(kwargs: Kwargs, columns: Columns) -> Broken:
    return _each(kwargs["column"], _of_text(columns[kwargs["column"]], like(str(kwargs["like_pattern"]))))


def _not_like(kwargs: Kwargs, columns: Columns) -> Broken:
    fits = like(str(kwargs["like_pattern"]))
    return _each(kwargs["column"], _of_text(columns[kwargs["column"]], lambda v: not fits(v)))


def _of_text(column: Column, holds: Callable[[str], Any]) -> Callable[[Any], Any]:
    """GX looks at the text of a value; the text of a fraction or a date is pandas' affair."""
    if column.family == "text":
        return holds
    if column.kind == "integer":
        return lambda v: holds(str(v))
    raise Unsupported(f"{column.name} holds no texts")


def _length(kwargs: Kwargs, columns: Columns) -> Broken:
    holds = _range(kwargs.get("min_value"), kwargs.get("max_value"), bool(kwargs.get("strict_min")), bool(kwargs.get("strict_max")))
    return _each(kwargs["column"], _of_text(columns[kwargs["column"]], lambda v: holds(len(v))))


def _length_equal(kwargs: Kwargs, columns: Columns) -> Broken:
    wanted = kwargs["value"]
    return _each(kwargs["column"], _of_text(columns[kwargs["column"]], lambda v: len(v) == wanted))


def _strftime(kwargs: Kwargs, columns: Columns) -> Broken:
    form = str(kwargs["strftime_format"])
    if columns[kwargs["column"]].family != "text":
        raise Unsupported(f"{kwargs['column']} holds no texts")

    def holds(value: str) -> bool:
        try:
            datetime.strptime(value, form)
        except ValueError:
            return False
        return True

    return _each(kwargs["column"], holds)


def _json(kwargs: Kwargs, columns: Columns) -> Broken:
    if columns[kwargs["column"]].family != "text":
        raise Unsupported(f"{kwargs['column']} holds no texts")

    def holds(value: str) -> bool:
        try:
            json.loads(value)
        except (ValueError, RecursionError):
            return False
        return True

    return _each(kwargs["column"], holds)


# -- several columns ----------------------------------------------------------------------------------------


def _pair(kwargs: Kwargs, columns: Columns, holds: Callable[[Any, Any], Any]) -> Broken:
    a, b = kwargs["column_A"], kwargs["column_B"]
    ignore = kwargs.get("ignore_row_if", "both_values_are_missing")
    if ignore not in ("both_values_are_missing", "either_value_is_missing", "neither"):
        raise Unsupported(f"ignore_row_if={ignore!r}")
    enough = {"both_values_are_missing": 2, "either_value_is_missing": 1, "neither": 3}[ignore]

    def broken(cells: Cells) -> list[int]:
        out = []
        for i, (x, y) in enumerate(zip(cells[a], cells[b], strict=True)):
            nulls = (x is None) + (y is None)
            if nulls < enough and not holds(x, y):
                out.append(i)
        return out

    return broken


def _kindred(names: Sequence[str], columns: Columns) -> None:
    kinds = {(columns[n].family, columns[n].family == "instant" and instants.aware(columns[n].dtype)) for n in names}
    if len(kinds) > 1 or ("mixed", False) in kinds:
        raise Unsupported(f"{' and '.join(names)} are of different kinds")


def _greater(kwargs: Kwargs, columns: Columns) -> Broken:
    _kindred([kwargs["column_A"], kwargs["column_B"]], columns)
    if kwargs.get("or_equal"):
        return _pair(kwargs, columns, lambda x, y: x is not None and y is not None and x >= y)
    return _pair(kwargs, columns, lambda x, y: x is not None and y is not None and x > y)


def _equal(kwargs: Kwargs, columns: Columns) -> Broken:
    _kindred([kwargs["column_A"], kwargs["column_B"]], columns)
    return _pair(kwargs, columns, lambda x, y: x is not None and x == y)


def _pair_in_set(kwargs: Kwargs, columns: Columns) -> Broken:
    try:
        pairs = {(x, y) for x, y in kwargs["value_pairs_set"]}
    except (TypeError, ValueError, KeyError) as error:
        raise Unsupported("pairs of texts or numbers are needed") from error
    if "instant" in (columns[kwargs["column_A"]].family, columns[kwargs["column_B"]].family):
        raise Unsupported("pairs of texts or numbers are needed")
    return _pair(kwargs, columns, lambda x, y: (x, y) in pairs)


def _record(kwargs: Kwargs, holds: Callable[[tuple[Any, ...]], Any]) -> Broken:
    names = [str(name) for name in kwargs["column_list"]]
    ignore = kwargs.get("ignore_row_if", "all_values_are_missing")
    if ignore not in ("all_values_are_missing", "any_value_is_missing", "never"):
        raise Unsupported(f"ignore_row_if={ignore!r}")
    enough = {"all_values_are_missing": len(names), "any_value_is_missing": 1, "never": len(names) + 1}[ignore]

    def broken(cells: Cells) -> list[int]:
        rows = enumerate(zip(*(cells[name] for name in names), strict=True))
        return [i for i, row in rows if row.count(None) < enough and not holds(row)]

    return broken


def _unique_within(kwargs: Kwargs, columns: Columns) -> Broken:
    _kindred(kwargs["column_list"], columns)
    return _record(kwargs, lambda row: len(set(row)) == len(row))


def _record_equal(kwargs: Kwargs, columns: Columns) -> Broken:
    _kindred(kwargs["column_list"], columns)
    return _record(kwargs, lambda row: len(set(row)) == 1)


def _record_sum(kwargs: Kwargs, columns: Columns) -> Broken:
    if {columns[name].family for name in kwargs["column_list"]} != {"number"}:
        raise Unsupported("a sum of texts")
    total = kwargs.get("sum_total")
    return _record(kwargs, lambda row: None not in row and sum(row) == total)


_RANGE = ("min_value", "max_value", "strict_min", "strict_max")
_PAIR = ("column_A", "column_B", "ignore_row_if")
_LIST = ("column_list", "ignore_row_if")
_TYPES: Mapping[str, tuple[Callable[[Kwargs, Columns], Broken], tuple[str, ...]]] = {
    "expect_column_values_to_be_between": (_between, ("column", *_RANGE)),
    "expect_column_values_to_be_in_set": (_in_set, ("column", "value_set")),
    "expect_column_values_to_not_be_in_set": (_not_in_set, ("column", "value_set")),
    "expect_column_values_to_not_be_null": (_not_null, ("column",)),
    "expect_column_values_to_be_null": (_null, ("column",)),
    "expect_column_values_to_match_regex": (_regex, ("column", "regex")),
    "expect_column_values_to_not_match_regex": (_not_regex, ("column", "regex")),
    "expect_column_values_to_match_regex_list": (_regex_list, ("column", "regex_list", "match_on")),
    "expect_column_values_to_not_match_regex_list": (_not_regex_list, ("column", "regex_list")),
    "expect_column_values_to_match_like_pattern": (_like, ("column", "like_pattern")),
    "expect_column_values_to_not_match_like_pattern": (_not_like, ("column", "like_pattern")),
    "expect_column_value_lengths_to_be_between": (_length, ("column", *_RANGE)),
    "expect_column_value_lengths_to_equal": (_length_equal, ("column", "value")),
    "expect_column_values_to_match_strftime_format": (_strftime, ("column", "strftime_format")),
    "expect_column_values_to_be_json_parseable": (_json, ("column",)),
    "expect_column_pair_values_a_to_be_greater_than_b": (_greater, (*_PAIR, "or_equal")),
    "expect_column_pair_values_to_be_equal": (_equal, _PAIR),
    "expect_column_pair_values_to_be_in_set": (_pair_in_set, (*_PAIR, "value_pairs_set")),
    "expect_select_column_values_to_be_unique_within_record": (_unique_within, _LIST),
    "expect_multicolumn_values_to_be_equal": (_record_equal, _LIST),
    "expect_multicolumn_sum_to_equal": (_record_sum, (*_LIST, "sum_total")),
}
