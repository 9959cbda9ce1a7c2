"""Expectations of a column that judge its values one by one. Each gives a mask of the rows that break it.

Where a column is of no kind that is judged by numpy, the pandas expression of Great Expectations' metric judges it.
"""

from __future__ import annotations

import datetime as dt
import json
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from nbml.validation.evaluating import kernel, terms
from nbml.validation.evaluating.dates import broken_dates, is_date
from nbml.validation.evaluating.facts import FEW, Column, Frame, mask_of, objects
from nbml.validation.evaluating.kernel import Mask
from nbml.validation.evaluating.results import Outcome, Told, by_rows
from nbml.validation.evaluating.terms import Absent, Foreign

Arguments = dict[str, Any]
COLUMN = {"column": (terms.name, Absent)}
MOSTLY = {**COLUMN, "mostly": (terms.share, 1)}
STRICT = {"strict_min": (terms.flag, False), "strict_max": (terms.flag, False)}
NUMBERS = ("int", "float", "bool")


def judged(judge: Callable[[Column, Arguments], Mask]) -> Callable[[Frame, Arguments], Outcome]:
    """An expectation from what marks the rows that break it."""

    def evaluate(frame: Frame, asked: Arguments) -> Outcome:
        column = frame.column(asked["column"])
        broken = judge(column, asked)
        return by_rows(Told(column.rows, column.held, broken, column.shown), asked["mostly"])

    return evaluate


def nulls(*, wanted: bool) -> Callable[[Frame, Arguments], Outcome]:
    def evaluate(frame: Frame, asked: Arguments) -> Outcome:
        column = frame.column(asked["column"])
        null = np.zeros(column.rows, dtype=bool) if column.nulls is None else column.nulls
        return by_rows(Told(column.rows, None, ~null if wanted else null, column.shown), asked["mostly"])

    return evaluate


def none(column: Column) -> Mask:
    return np.zeros(column.rows, dtype=bool)


# -- bounds ----------------------------------------------------------------------------------------------------


def between(column: Column, asked: Arguments) -> Mask:
    low, high = asked["min_value"], asked["max_value"]
    if low is None and high is None:
        raise Foreign
    if column.dated:
        low, high = (terms.moment(v, column.dtype) if isinstance(v, str) else v for v in (low, high))
    if low is not None and high is not None and low > high:
        raise Foreign
    strict = (asked["strict_min"], asked["strict_max"])
    if column.kind == "instant":
        low, high, strict = instants(column, low, high, strict)
        return within(column, low, high, strict)
    if any(isinstance(v, str) for v in (low, high)) or column.kind == "text":
        raise Foreign
    if column.kind == "other":
        return between_others(column, low, high, strict)
    if any(isinstance(v, dt.datetime) for v in (low, high)):
        raise Foreign
    if not column.held and column.dtype not in (np.int64, np.float64):
        raise Foreign
    return within(column, low, high, strict)


def between_others(column: Column, low: Any, high: Any, strict: tuple[bool, bool]) -> Mask:
    """Each value compared by Python; numbers are by numpy where that is the same."""
    if column.twin is not None and column.held and not any(isinstance(v, dt.datetime) for v in (low, high)):
        return column.everywhere(within(column.twin, low, high, strict))

    def holds(value: Any) -> Any:
        above = low is None or (value > low if strict[0] else value >= low)
        return above and (high is None or (value < high if strict[1] else value <= high))

    return column.each(holds)


def within(column: Column, low: Any, high: Any, strict: tuple[bool, bool]) -> Mask:
    """A mask of the values out of bounds; the extent alone may tell that there are none."""
    extent = column.extent
    if extent is None:
        return none(column)
    ends = np.array(extent, dtype=column.values.dtype)
    if column.dtype != np.int64 and column.kind in NUMBERS:
        if column.large:
            raise Foreign
        ends = ends.astype(np.float64)
    if not kernel.outside(ends, low, high, strict).any():
        return none(column)
    values = column.values.astype(np.float64, copy=False) if ends.dtype == np.float64 else column.values
    found = kernel.outside(values, low, high, strict)
    return found if column.nulls is None else np.logical_and(found, ~column.nulls, out=found)


EPOCH = dt.datetime(1970, 1, 1)
#: microseconds in one of the unit, and units in one microsecond
SCALES = {"s": (1_000_000, 1), "ms": (1_000, 1), "us": (1, 1), "ns": (1, 1_000)}


def instants(column: Column, low: Any, high: Any, strict: tuple[bool, bool]) -> tuple[Any, Any, tuple[bool, bool]]:
    """Bounds as whole numbers of the column's unit; one between two units excludes neither."""
    bounds: list[int | None] = []
    open_ends = []
    for value, is_open, up in ((low, strict[0], True), (high, strict[1], False)):
        if value is None:
            bounds.append(None)
            open_ends.append(False)
            continue
        many, few = SCALES.get(column.unit, (0, 0))
        micros = _micros(value, getattr(column.dtype, "tz", None)) * few
        if not many or abs(micros) >= 2**63 - 1:
            raise Foreign
        whole, rest = divmod(micros, many)
        bounds.append(whole + 1 if rest and up else whole)
        open_ends.append(is_open and not rest)
    return bounds[0], bounds[1], (open_ends[0], open_ends[1])


def _micros(value: Any, zone: Any) -> int:
    """Microseconds since 1970. Raises Foreign for what cannot be compared with the column."""
    if not isinstance(value, dt.datetime) or (value.tzinfo is None) != (zone is None):
        raise Foreign
    if value.tzinfo is not None:
        value = value.astimezone(dt.UTC).replace(tzinfo=None)
    return (value - EPOCH) // dt.timedelta(microseconds=1)


# -- sets ------------------------------------------------------------------------------------------------------


def in_set(column: Column, asked: Arguments) -> Mask:
    broken = ~member(column, asked["value_set"])
    return broken if column.nulls is None else broken & ~column.nulls


def not_in_set(column: Column, asked: Arguments) -> Mask:
    broken = member(column, asked["value_set"])
    return broken if column.nulls is None else broken & ~column.nulls


def member(column: Column, chosen: list[Any]) -> Mask:
    """Which rows hold a value of a set; of nulls it says nothing."""
    if column.kind in NUMBERS:
        return kernel.among(column.values, [v for v in chosen if isinstance(v, (int, float))])
    if column.kind == "text":
        words = [v for v in chosen if isinstance(v, str)]
        if column.held <= FEW:
            known = set(words)
            return column.everywhere(np.array([v in known for v in column.words], dtype=bool))
        return mask_of(column.series.isin(words))
    if column.dated:
        chosen = [terms.moment(v, column.dtype) if isinstance(v, str) else v for v in chosen]
        if any(isinstance(v, str) for v in chosen):
            raise Foreign
    return column.everywhere(mask_of(column.filled.isin(chosen)))


def unique(column: Column, asked: Arguments) -> Mask:
    return column.repeated


# -- order -----------------------------------------------------------------------------------------------------


def in_order(*, rising: bool) -> Callable[[Column, Arguments], Mask]:
    def judge(column: Column, asked: Arguments) -> Mask:
        if column.kind in ("other", "bool"):
            return in_order_others(column, rising, bool(asked["strictly"]))
        if column.kind not in ("int", "float", "instant") or column.dtype in (np.uint8, np.uint16, np.uint32, np.uint64):
            raise Foreign
        values = column.real.astype(np.int64) if column.dtype in (np.int8, np.int16) else column.real
        return column.everywhere(kernel.out_of_order(values, rising, bool(asked["strictly"])))

    return judge


def in_order_others(column: Column, rising: bool, strictly: bool) -> Mask:
    step = column.filled.diff()
    zero: Any = pd.Timedelta(0) if pd.api.types.is_timedelta64_dtype(step.dtype) else 0
    holds = (operator.gt if strictly else operator.ge) if rising else (operator.lt if strictly else operator.le)
    return column.everywhere(~mask_of(holds(step, zero) | step.isna()))


# -- numbers ---------------------------------------------------------------------------------------------------


def z_scores(column: Column, asked: Arguments) -> Mask:
    if not column.numeric:
        raise Foreign
    mean, deviation = column.said("mean"), column.said("std")
    if deviation == 0:
        return none(column)
    if column.dtype not in (np.int64, np.float64):
        score = (column.filled - mean) / deviation
        under = score.abs() < abs(asked["threshold"]) if asked["double_sided"] else score < asked["threshold"]
        return column.everywhere(~mask_of(under | score.isna()))
    with np.errstate(all="ignore"):
        score = (column.real - mean) / deviation
        under = np.abs(score) < abs(asked["threshold"]) if asked["double_sided"] else score < asked["threshold"]
    return column.everywhere(~(under | np.isnan(score)))


def outliers(column: Column, asked: Arguments) -> Mask:
    if column.dtype not in (np.int64, np.float64) and (column.kind != "other" or not column.numeric):
        raise Foreign
    filled = column.filled
    if asked["method"] == "iqr":
        low, high = (column.once(("quantile", q), lambda q=q: float(filled.quantile(q))) for q in (0.25, 0.75))  # type: ignore[misc]
        if not (np.isfinite(low) and np.isfinite(high)):
            return none(column)
        reach = asked["multiplier"] * (high - low)
        if column.kind == "other":
            return column.everywhere(~mask_of((filled >= low - reach) & (filled <= high + reach)))
        return within(column, low - reach, high + reach, (False, False))
    mean, spread = float(column.said("mean")), float(column.said("std"))
    if not (np.isfinite(mean) and np.isfinite(spread)):
        return none(column)
    reach = asked["multiplier"] * spread
    if column.kind == "other":
        return column.everywhere(~mask_of(filled == mean if reach <= 0 else (filled - mean).abs() < reach))
    with np.errstate(all="ignore"):
        good = column.real == mean if reach <= 0 else np.abs(column.real - mean) < reach
    return column.everywhere(~good)


# -- text ------------------------------------------------------------------------------------------------------


def textual(column: Column) -> None:
    if column.kind != "text":
        raise Foreign


def regex(*, wanted: bool) -> Callable[[Column, Arguments], Mask]:
    def judge(column: Column, asked: Arguments) -> Mask:
        found = column.judged(lambda text: contains(text, asked["regex"]))
        return column.everywhere(np.ones(column.held, dtype=bool)) & ~found if wanted else found

    return judge


def contains(text: pd.Series, pattern: str) -> Mask:
    return mask_of(text.str.contains(pattern))


def regexes(*, wanted: bool) -> Callable[[Column, Arguments], Mask]:
    def judge(column: Column, asked: Arguments) -> Mask:
        join = np.logical_and if asked.get("match_on") == "all" else np.logical_or
        found = column.judged(lambda text: join.reduce([contains(text, pattern) for pattern in asked["regex_list"]]))
        return column.everywhere(np.ones(column.held, dtype=bool)) & ~found if wanted else found

    return judge


def lengths(column: Column) -> Mask:
    """The length of each value."""

    def measure() -> Any:
        if column.kind == "text" and column.held <= FEW:
            return np.fromiter(map(len, column.words), dtype=np.int64, count=column.held)
        return column.text.str.len().to_numpy()

    found = column.once("lengths", measure)
    if not column.held or found.dtype.kind not in "iu":
        raise Foreign
    return found  # type: ignore[no-any-return]


def length_between(column: Column, asked: Arguments) -> Mask:
    low, high = asked["min_value"], asked["max_value"]
    if low is None and high is None:
        raise Foreign
    return column.everywhere(kernel.outside(lengths(column), low, high, (asked["strict_min"], asked["strict_max"])))


def length_equal(column: Column, asked: Arguments) -> Mask:
    return column.everywhere(lengths(column) != asked["value"])


def strftime(column: Column, asked: Arguments) -> Mask:
    if column.kind == "other":
        return column.each(lambda value: is_date(value, asked["strftime_format"]))
    textual(column)
    return column.judged(lambda text: broken_dates(text, asked["strftime_format"]), dear=True)


def json_parseable(column: Column, asked: Arguments) -> Mask:
    if column.kind == "other":
        return column.each(_is_json)
    textual(column)
    return column.judged(lambda text: [not _is_json(value) for value in objects(text)], dear=True)


def _is_json(value: Any) -> bool:
    try:
        json.loads(value)
    except Exception:
        return False
    return True


def dateutil_parseable(column: Column, asked: Arguments) -> Mask:
    if column.kind == "other":
        return column.each(_is_date)
    textual(column)
    return column.judged(lambda text: [not _is_date(value) for value in objects(text)], dear=True)


def _is_date(value: Any) -> bool:
    from dateutil.parser import parse  # type: ignore[import-untyped]

    if type(value) is not str:
        raise Foreign
    try:
        parse(value)
    except (ValueError, OverflowError):
        return False
    return True


# -- the table of them -----------------------------------------------------------------------------------------

_is = "expect_column_values_to_"
BOUNDS = {"min_value": (terms.bound_or_text, None), "max_value": (terms.bound_or_text, None), **STRICT}
LENGTHS = {"min_value": (terms.whole, None), "max_value": (terms.whole, None), **STRICT}
SET = {"value_set": (terms.values, Absent)}
REGEX = {"regex": (terms.text, "(?s).*")}
REGEXES = {"regex_list": (terms.some_texts, Absent)}
MATCH_ON = {"match_on": (terms.one_of("any", "all"), "any")}
ORDER = {"strictly": (terms.flag, None)}
OUTLIERS = {"method": (terms.one_of("iqr", "std"), "iqr"), "multiplier": (terms.multiplier, 1.5)}
Z_SCORES = {"threshold": (terms.number, Absent), "double_sided": (terms.flag, Absent)}

#: type -> what judges it, and its arguments
TYPES: dict[str, tuple[Callable[[Frame, Arguments], Outcome], dict[str, Any]]] = {
    _is + "not_be_null": (nulls(wanted=False), MOSTLY),
    _is + "be_null": (nulls(wanted=True), MOSTLY),
    _is + "be_between": (judged(between), {**MOSTLY, **BOUNDS}),
    _is + "be_in_set": (judged(in_set), {**MOSTLY, **SET}),
    _is + "not_be_in_set": (judged(not_in_set), {**MOSTLY, **SET}),
    _is + "be_unique": (judged(unique), MOSTLY),
    _is + "be_increasing": (judged(in_order(rising=True)), {**MOSTLY, **ORDER}),
    _is + "be_decreasing": (judged(in_order(rising=False)), {**MOSTLY, **ORDER}),
    _is + "match_regex": (judged(regex(wanted=True)), {**MOSTLY, **REGEX}),
    _is + "not_match_regex": (judged(regex(wanted=False)), {**MOSTLY, **REGEX}),
    _is + "match_regex_list": (judged(regexes(wanted=True)), {**MOSTLY, **REGEXES, **MATCH_ON}),
    _is + "not_match_regex_list": (judged(regexes(wanted=False)), {**MOSTLY, **REGEXES}),
    _is + "match_strftime_format": (judged(strftime), {**MOSTLY, "strftime_format": (terms.strftime, Absent)}),
    _is + "be_json_parseable": (judged(json_parseable), MOSTLY),
    _is + "be_dateutil_parseable": (judged(dateutil_parseable), MOSTLY),
    _is + "not_be_outliers": (judged(outliers), {**MOSTLY, **OUTLIERS}),
    "expect_column_value_lengths_to_be_between": (judged(length_between), {**MOSTLY, **LENGTHS}),
    "expect_column_value_lengths_to_equal": (judged(length_equal), {**MOSTLY, "value": (terms.number, Absent)}),
    "expect_column_value_z_scores_to_be_less_than": (judged(z_scores), {**MOSTLY, **Z_SCORES}),
}
