"""Expectations of several columns, row by row."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nbml.validation.evaluating import kernel, terms
from nbml.validation.evaluating.each import Arguments
from nbml.validation.evaluating.facts import Column, Frame, mask_of
from nbml.validation.evaluating.kernel import Mask
from nbml.validation.evaluating.results import Outcome, Told, by_rows
from nbml.validation.evaluating.terms import Absent, Foreign

NUMBERS = ("int", "float", "bool")
#: so many columns are summed from left to right, as numpy does; more are summed in another order
SUMMED = 7


def nowhere(column: Column) -> Mask:
    return np.zeros(column.rows, dtype=bool) if column.nulls is None else column.nulls


def ignored(columns: list[Column], rule: str) -> Mask | None:
    """Rows that are not judged; None where all are."""
    if rule in ("neither", "never") or all(column.nulls is None for column in columns):
        return None
    join = np.logical_or if rule in ("either_value_is_missing", "any_value_is_missing") else np.logical_and
    found = nowhere(columns[0])
    for column in columns[1:]:
        found = join(found, nowhere(column))
    return found if found.any() else None


def judged(broken: Mask, skipped: Mask | None, values: Callable[[Any], list[Any]], mostly: float) -> Outcome:
    rows = len(broken)
    if skipped is not None:
        broken = broken & ~skipped
    return by_rows(Told(rows, rows - (0 if skipped is None else int(np.count_nonzero(skipped))), broken, values), mostly)


# -- pairs -----------------------------------------------------------------------------------------------------


def pair(judge: Callable[[Column, Column, Mask | None, Arguments], Mask]) -> Callable[[Frame, Arguments], Outcome]:
    """An expectation from what marks the rows that break it; those ignored are given too."""

    def evaluate(frame: Frame, asked: Arguments) -> Outcome:
        if asked["column_A"] == asked["column_B"]:  # Great Expectations shows pairs of pairs then
            raise Foreign
        a, b = frame.column(asked["column_A"]), frame.column(asked["column_B"])
        skipped = ignored([a, b], asked["ignore_row_if"])
        broken = judge(a, b, skipped, asked)
        return judged(broken, skipped, lambda rows: list(zip(a.cells(rows), b.cells(rows), strict=True)), asked["mostly"])

    return evaluate


def sides(a: Column, b: Column) -> tuple[NDArray[Any], NDArray[Any]]:
    """Two columns of numbers, or of instants in one unit and zone, as arrays that are compared as they stand."""
    return a.values, b.values


def _sided(a: Column, b: Column) -> bool:
    return (a.kind == b.kind == "instant" and a.dtype == b.dtype) or (a.kind in NUMBERS and b.kind in NUMBERS)


def with_nulls(broken: Mask, a: Column, b: Column) -> Mask:
    """A comparison with a null does not hold."""
    for column in (a, b):
        if column.kind == "instant" and column.nulls is not None:
            broken = broken | column.nulls
    return broken


def equal(a: Column, b: Column, skipped: Mask | None, asked: Arguments) -> Mask:
    if not _sided(a, b):
        return compared(a, b, skipped, operator.eq)
    left, right = sides(a, b)
    return with_nulls(left != right, a, b)


def greater(a: Column, b: Column, skipped: Mask | None, asked: Arguments) -> Mask:
    if not _sided(a, b):
        return compared(a, b, skipped, operator.ge if asked["or_equal"] else operator.gt)
    left, right = sides(a, b)
    return with_nulls(~(left >= right) if asked["or_equal"] else ~(left > right), a, b)


def compared(a: Column, b: Column, skipped: Mask | None, holds: Callable[[Any, Any], Any]) -> Mask:
    """Two columns, compared by pandas on the rows that are judged."""
    left, right = (a.series, b.series) if skipped is None else (a.series[~skipped], b.series[~skipped])
    return _on_all(~mask_of(holds(left, right)), skipped)


def _on_all(broken: Mask, skipped: Mask | None) -> Mask:
    """A mask of the rows that are judged as one of all rows."""
    if skipped is None:
        return broken
    found = np.zeros(len(skipped), dtype=bool)
    found[~skipped] = broken
    return found


def judged_frame(columns: list[Column], skipped: Mask | None) -> pd.DataFrame:
    """Some columns as a frame of the rows that are judged."""
    frame = pd.DataFrame({place: column.series for place, column in enumerate(columns)})
    return frame if skipped is None else frame[~skipped]


def pair_in_set(a: Column, b: Column, skipped: Mask | None, asked: Arguments) -> Mask:
    for column in (a, b):
        if column.large:
            raise Foreign
    chosen = set(asked["value_pairs_set"])
    codes, pairs = _pairs(a, b)
    return np.array([pair not in chosen for pair in pairs], dtype=bool)[codes]


def _pairs(a: Column, b: Column) -> tuple[NDArray[Any], list[tuple[Any, Any]]]:
    """A code for each row, and the pair of values of each code; null is None."""
    (left, lefts), (right, rights) = coded(a), coded(b)
    both = left * (len(rights) + 1) + right
    distinct, codes = np.unique(both, return_inverse=True)
    halves = ([*lefts, None], [*rights, None])
    return codes, [(halves[0][code // (len(rights) + 1)], halves[1][code % (len(rights) + 1)]) for code in distinct.tolist()]


def coded(column: Column) -> tuple[NDArray[Any], list[Any]]:
    """A code for each row (nulls have the last one), and the distinct values."""

    def encode() -> tuple[NDArray[Any], list[Any]]:
        codes, distinct = pd.factorize(column.series)
        return np.where(codes < 0, len(distinct), codes).astype(np.int64), list(distinct.tolist())

    found: tuple[NDArray[Any], list[Any]] = column.once("coded", encode)
    return found


# -- more ------------------------------------------------------------------------------------------------------


def many(judge: Callable[[list[Column], Mask | None, Arguments], Mask]) -> Callable[[Frame, Arguments], Outcome]:
    def evaluate(frame: Frame, asked: Arguments) -> Outcome:
        names = asked["column_list"]
        columns = [frame.column(name) for name in names]
        skipped = ignored(columns, asked["ignore_row_if"])
        broken = judge(columns, skipped, asked)
        return judged(broken, skipped, lambda rows: frame.frame[names].iloc[rows].to_dict("records"), asked["mostly"])

    return evaluate


def compound_unique(columns: list[Column], skipped: Mask | None, asked: Arguments) -> Mask:
    if any(column.nulls is None and column.__dict__.get("distinct_count") == column.rows for column in columns):
        return np.zeros(columns[0].rows, dtype=bool)
    joined = _joined(columns)
    if joined is None:
        return _on_all(mask_of(judged_frame(columns, skipped).duplicated(keep=False)), skipped)
    broken = np.zeros(len(joined), dtype=bool)
    held = joined if skipped is None else joined[~skipped]
    if kernel.distinct_count(np.sort(held)) == len(held):
        return broken
    return _on_all(mask_of(pd.Series(held).duplicated(keep=False)), skipped)


def _joined(columns: list[Column]) -> NDArray[Any] | None:
    """One whole number for each row, equal where all columns are; None where they do not fit into one."""
    found, size = np.zeros(columns[0].rows, dtype=np.int64), 1
    for column in columns:
        if column.kind == "int" and column.extent is not None and column.dtype != np.uint64:
            low, span = int(column.extent[0]), int(column.extent[1]) - int(column.extent[0]) + 1
            codes = column.values.astype(np.int64) - low if span < 2**40 else None
        elif column.kind in ("bool", "text", "other", "float", "instant"):
            parts, distinct = coded(column)
            codes, span = parts, len(distinct) + 1
        else:
            return None
        if codes is None or size * span >= 2**62:
            return None
        found, size = found * span + codes, size * span
    return found


def sum_equal(columns: list[Column], skipped: Mask | None, asked: Arguments) -> Mask:
    if len(columns) > SUMMED or any(column.dtype not in (np.int64, np.float64) for column in columns):
        found = judged_frame(columns, skipped).sum(axis=1, skipna=False) == asked["sum_total"]
        return _on_all(~mask_of(found), skipped)
    together = np.result_type(*(column.dtype for column in columns))
    total = columns[0].values.astype(together)
    with np.errstate(all="ignore"):
        for column in columns[1:]:
            total += column.values
        return total != asked["sum_total"]  # type: ignore[no-any-return]


def values_equal(columns: list[Column], skipped: Mask | None, asked: Arguments) -> Mask:
    first, broken = columns[0], np.zeros(columns[0].rows, dtype=bool)
    for column in columns[1:]:
        if not _sided(first, column):
            frame = judged_frame([first, column], skipped)
            held = (frame[1] == frame[0]) | (frame[1].isna() & frame[0].isna())
            broken |= _on_all(~mask_of(held), skipped)
            continue
        left, right = sides(first, column)
        broken |= with_nulls(left != right, first, column) & ~(nowhere(first) & nowhere(column))
    return broken


def unique_within(columns: list[Column], skipped: Mask | None, asked: Arguments) -> Mask:
    if not all(column.kind in NUMBERS and not column.large for column in columns):
        found = judged_frame(columns, skipped).nunique(dropna=False, axis=1) >= len(columns)
        return _on_all(~mask_of(found), skipped)
    broken = np.zeros(columns[0].rows, dtype=bool)
    for place, column in enumerate(columns):
        for other in columns[:place]:
            broken |= (column.values == other.values) | (nowhere(column) & nowhere(other))
    return broken


# -- the table of them -----------------------------------------------------------------------------------------

PAIR: dict[str, Any] = {
    "column_A": (terms.name, Absent),
    "column_B": (terms.name, Absent),
    "mostly": (terms.share, 1),
    "ignore_row_if": (terms.one_of("both_values_are_missing", "either_value_is_missing", "neither"), "both_values_are_missing"),
}
MANY: dict[str, Any] = {
    "column_list": (terms.some_names, Absent),
    "mostly": (terms.share, 1),
    "ignore_row_if": (terms.one_of("all_values_are_missing", "any_value_is_missing", "never"), "all_values_are_missing"),
}

TYPES: dict[str, tuple[Callable[[Frame, Arguments], Outcome], dict[str, Any]]] = {
    "expect_column_pair_values_to_be_equal": (pair(equal), PAIR),
    "expect_column_pair_values_a_to_be_greater_than_b": (pair(greater), {**PAIR, "or_equal": (terms.flag, None)}),
    "expect_column_pair_values_to_be_in_set": (pair(pair_in_set), {**PAIR, "value_pairs_set": (terms.pairs, Absent)}),
    "expect_compound_columns_to_be_unique": (many(compound_unique), MANY),
    "expect_multicolumn_sum_to_equal": (many(sum_equal), {**MANY, "sum_total": (terms.number, Absent)}),
    "expect_multicolumn_values_to_be_equal": (many(values_equal), MANY),
    "expect_select_column_values_to_be_unique_within_record": (many(unique_within), MANY),
}
