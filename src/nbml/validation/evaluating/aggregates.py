"""Expectations of a column as a whole: figures and sets of distinct values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from nbml.validation.evaluating import terms
from nbml.validation.evaluating.each import BOUNDS, COLUMN, SET, STRICT, Arguments
from nbml.validation.evaluating.facts import Column, Frame
from nbml.validation.evaluating.results import Outcome, observed
from nbml.validation.evaluating.terms import Absent, Foreign

#: distinct values that are shown
SHOWN = 20


def figure(measure: Callable[[Frame, Column], Any]) -> Callable[[Frame, Arguments], Outcome]:
    """An expectation that a figure of a column is within bounds."""

    def evaluate(frame: Frame, asked: Arguments) -> Outcome:
        column = frame.column(asked["column"])
        bounds = [terms.moment(v, column.dtype) if isinstance(v, str) and column.dated else v
                  for v in (asked["min_value"], asked["max_value"])]  # fmt: skip
        return bounded(measure(frame, column), bounds[0], bounds[1], asked["strict_min"], asked["strict_max"])

    return evaluate


def bounded(value: Any, low: Any, high: Any, strict_min: bool, strict_max: bool) -> Outcome:
    """Whether a figure is within bounds, where both are numbers or both instants."""
    if value is None or (not isinstance(value, dt.datetime) and pd.isnull(value)):
        return observed(False, {"observed_value": None})
    an_instant = isinstance(value, dt.datetime)
    if any(isinstance(v, str) or (v is not None and isinstance(v, dt.datetime) != an_instant) for v in (low, high)):
        raise Foreign
    above = low is None or bool(value > low if strict_min else value >= low)
    below = high is None or bool(value < high if strict_max else value <= high)
    return observed(above and below, {"observed_value": value})


def moment_of(method: str) -> Callable[[Frame, Column], Any]:
    """A figure of numbers, as pandas computes it."""

    def measure(frame: Frame, column: Column) -> Any:
        if column.kind in ("text", "instant") or (method != "median" and not column.numeric):
            raise Foreign
        if method == "median":
            return column.once("median", lambda: column.filled.median())
        return column.said(method)

    return measure


def end(place: int) -> Callable[[Frame, Column], Any]:
    """The least or the greatest value."""

    def measure(frame: Frame, column: Column) -> Any:
        if column.kind == "text":
            raise Foreign
        if column.kind in ("instant", "other") or not column.held or column.dtype not in (np.int64, np.float64):
            return column.said(("min", "max")[place])
        assert column.extent is not None
        return column.extent[place]

    return measure


def unique_count(frame: Frame, column: Column) -> int:
    return column.distinct_count


def unique_share(frame: Frame, column: Column) -> Any:
    return column.distinct_count / column.held if column.held else 0


def held_share(frame: Frame, column: Column) -> Any:
    return column.held / column.rows if column.rows else 0


def quantiles(frame: Frame, asked: Arguments) -> Outcome:
    column = frame.column(asked["column"])
    if column.kind in ("text", "instant"):
        raise Foreign
    wanted, ranges = asked["quantile_ranges"]["quantiles"], asked["quantile_ranges"]["value_ranges"]
    how = asked["allow_relative_error"]
    values = column.once(("quantiles", tuple(wanted), how), lambda: column.series.quantile(wanted, interpolation=how).tolist())
    held = [_near(value, low, high) for value, (low, high) in zip(values, ranges, strict=True)]
    return observed(all(held), {"observed_value": {"quantiles": wanted, "values": values}, "details": {"success_details": held}})


def _near(value: Any, low: Any, high: Any) -> bool:
    low, high = -np.inf if low is None else low, np.inf if high is None else high
    ends = (np.isclose(np.float64(value), np.float64(bound), rtol=1e-4, atol=1e-8) for bound in (low, high))
    return bool(any(ends) or low <= value <= high)


def mode(frame: Frame, asked: Arguments) -> Outcome:
    column = frame.column(asked["column"])
    values = column.once("mode", lambda: list(column.series.mode().values))
    met = len(set(moments(column, asked["value_set"])).intersection(values))
    success = met > 0 if asked["ties_okay"] else len(values) == 1 and met == 1
    return observed(success, {"observed_value": values})


def moments(column: Column, chosen: list[Any]) -> list[Any]:
    """A set of values with its texts as instants where the column holds instants."""
    return [terms.moment(v, column.dtype) if isinstance(v, str) and column.dated else v for v in chosen]


# -- distinct values -------------------------------------------------------------------------------------------


def distinct(column: Column) -> set[Any]:
    """The distinct values, as pandas gives them."""

    def collect() -> set[Any]:
        return set(column.encoded[1]) if column.kind == "text" and column.repeats else set(column.filled.unique())

    found: set[Any] = column.once("distinct", collect)
    return found


def wanted(column: Column, chosen: list[Any]) -> set[Any]:
    """A set of values in the type of the distinct ones, where these are days or instants."""
    chosen, kinds = moments(column, chosen), column.once("kinds", lambda: set(map(type, distinct(column))))
    if not any(issubclass(kind, (dt.date, np.datetime64)) for kind in kinds):
        return set(chosen)
    if len(kinds) > 1:
        raise Foreign
    if np.datetime64 in kinds:
        return {pd.Timestamp(v).to_datetime64() if v is not None else v for v in chosen}
    return {_day_or_moment(v, day=not issubclass(next(iter(kinds)), dt.datetime)) if isinstance(v, str) else v for v in chosen}


def _day_or_moment(text: str, *, day: bool) -> Any:
    from dateutil.parser import parse  # type: ignore[import-untyped]

    try:
        return parse(text).date() if day else parse(text)
    except (ValueError, TypeError):
        return text


def distinct_in_set(frame: Frame, asked: Arguments) -> Outcome:
    extra = _extra(frame, asked)
    return observed(not extra, {"observed_value": None, "unexpected_count": len(extra), "partial_unexpected_list": _sorted(extra)})


def distinct_contain(frame: Frame, asked: Arguments) -> Outcome:
    lacking = _lacking(frame, asked)
    return observed(not lacking, {"observed_value": None, "missing_count": len(lacking), "partial_missing_list": list(lacking)[:SHOWN]})


def distinct_equal(frame: Frame, asked: Arguments) -> Outcome:
    extra, lacking = _extra(frame, asked), _lacking(frame, asked)
    return observed(
        not extra and not lacking,
        {
            "observed_value": None,
            "unexpected_count": len(extra),
            "missing_count": len(lacking),
            "partial_unexpected_list": _sorted(extra),
            "partial_missing_list": list(lacking)[:SHOWN],
        },
    )


def _extra(frame: Frame, asked: Arguments) -> set[Any]:
    column = frame.column(asked["column"])
    return distinct(column) - wanted(column, asked["value_set"])


def _lacking(frame: Frame, asked: Arguments) -> set[Any]:
    column = frame.column(asked["column"])
    return wanted(column, asked["value_set"]) - distinct(column)


def _sorted(values: set[Any]) -> list[Any]:
    found = list(values)
    try:
        return sorted(found)[:SHOWN]
    except TypeError:
        return found[:SHOWN]


# -- the table of them -----------------------------------------------------------------------------------------

NUMBERS = {"min_value": (terms.number, None), "max_value": (terms.number, None), **STRICT}
WHOLE = {"min_value": (terms.whole, None), "max_value": (terms.whole, None), **STRICT}
QUANTILES = {"quantile_ranges": (terms.quantiles, Absent), "allow_relative_error": (terms.relative, "nearest")}

TYPES: dict[str, tuple[Callable[[Frame, Arguments], Outcome], dict[str, Any]]] = {
    "expect_column_mean_to_be_between": (figure(moment_of("mean")), {**COLUMN, **BOUNDS}),
    "expect_column_median_to_be_between": (figure(moment_of("median")), {**COLUMN, **BOUNDS}),
    "expect_column_sum_to_be_between": (figure(moment_of("sum")), {**COLUMN, **BOUNDS}),
    "expect_column_stdev_to_be_between": (figure(moment_of("std")), {**COLUMN, **NUMBERS}),
    "expect_column_min_to_be_between": (figure(end(0)), {**COLUMN, **BOUNDS}),
    "expect_column_max_to_be_between": (figure(end(1)), {**COLUMN, **BOUNDS}),
    "expect_column_unique_value_count_to_be_between": (figure(unique_count), {**COLUMN, **WHOLE}),
    "expect_column_proportion_of_unique_values_to_be_between": (figure(unique_share), {**COLUMN, **NUMBERS}),
    "expect_column_proportion_of_non_null_values_to_be_between": (figure(held_share), {**COLUMN, **NUMBERS}),
    "expect_column_quantile_values_to_be_between": (quantiles, {**COLUMN, **QUANTILES}),
    "expect_column_most_common_value_to_be_in_set": (mode, {**COLUMN, **SET, "ties_okay": (terms.flag, None)}),
    "expect_column_distinct_values_to_be_in_set": (distinct_in_set, {**COLUMN, "value_set": (terms.some_values, Absent)}),
    "expect_column_distinct_values_to_contain_set": (distinct_contain, {**COLUMN, **SET}),
    "expect_column_distinct_values_to_equal_set": (distinct_equal, {**COLUMN, **SET}),
}
