"""Expectations of a table's shape, and of a column's type."""

from __future__ import annotations

from collections.abc import Callable
from itertools import zip_longest
from typing import Any

import numpy as np
import pandas as pd

from nbml.validation.evaluating import terms
from nbml.validation.evaluating.aggregates import WHOLE, bounded
from nbml.validation.evaluating.each import COLUMN, MOSTLY, Arguments
from nbml.validation.evaluating.facts import Column, Frame
from nbml.validation.evaluating.results import Outcome, Told, by_rows, observed
from nbml.validation.evaluating.terms import Absent, Foreign

#: names of Python's own types
NATIVE: dict[str, tuple[type, ...]] = {
    "none": (type(None),), "bool": (bool,), "int": (int,), "long": (int,), "float": (float,), "bytes": (bytes,), "complex": (complex,),
    "str": (str,), "string_types": (str,), "list": (list,), "dict": (dict,),
}  # fmt: skip


def rows_between(frame: Frame, asked: Arguments) -> Outcome:
    low, high = asked["min_value"], asked["max_value"]
    if low is not None and high is not None and low > high:
        raise Foreign
    return bounded(frame.rows, low, high, asked["strict_min"], asked["strict_max"])


def rows_equal(frame: Frame, asked: Arguments) -> Outcome:
    return observed(frame.rows == asked["value"], {"observed_value": frame.rows})


def columns_between(frame: Frame, asked: Arguments) -> Outcome:
    return bounded(len(frame.names), asked["min_value"], asked["max_value"], False, False)


def columns_equal(frame: Frame, asked: Arguments) -> Outcome:
    return observed(len(frame.names) == asked["value"], {"observed_value": len(frame.names)})


def exists(frame: Frame, asked: Arguments) -> Outcome:
    place = asked["column_index"]
    if place:
        success = -len(frame.names) <= place < len(frame.names) and frame.names[place] == asked["column"]
    else:
        success = asked["column"] in frame.names
    return observed(success, {})


def ordered(frame: Frame, asked: Arguments) -> Outcome:
    wanted, found = asked["column_list"], frame.names
    if wanted is None or wanted == found:
        return observed(True, {"observed_value": found})
    pairs = zip_longest(range(max(len(wanted), len(found))), wanted, found)
    apart = [{"Expected Column Position": i, "Expected": want, "Found": have} for i, want, have in pairs if want != have]
    return observed(False, {"observed_value": found, "details": {"mismatched": apart}})


def a_set(frame: Frame, asked: Arguments) -> Outcome:
    wanted, found = set(asked["column_set"] or ()), set(frame.names)
    if wanted == found:
        return observed(True, {"observed_value": sorted(found)})
    apart = {word: sorted(names) for word, names in (("unexpected", found - wanted), ("missing", wanted - found)) if names}
    success = not asked["exact_match"] and wanted <= found
    return observed(success, {"observed_value": sorted(found), "details": {"mismatched": apart}})


# -- types -----------------------------------------------------------------------------------------------------


def of_type(frame: Frame, asked: Arguments) -> Outcome:
    column, wanted = frame.column(asked["column"]), asked["type_"]
    if column.dtype == object and wanted not in ("object", "object_", "O"):
        return _each(column, [wanted], asked)
    return _whole(column, column.dtype.type in _types([wanted]))


def in_type_list(frame: Frame, asked: Arguments) -> Outcome:
    column, wanted = frame.column(asked["column"]), asked["type_list"]
    if column.dtype == object:
        return _each(column, wanted, asked)
    return _whole(column, column.dtype in _types(wanted, dtypes=True))


def _whole(column: Column, success: bool) -> Outcome:
    return observed(success, {"observed_value": column.dtype.type.__name__})


def _each(column: Column, wanted: list[str], asked: Arguments) -> Outcome:
    types = tuple(_types(wanted))
    if not types or not column.held:
        raise Foreign
    kinds = [type(value) for value in column.filled.to_numpy()]
    fits = {kind: issubclass(kind, types) for kind in set(kinds)}
    broken = column.everywhere(np.array([not fits[kind] for kind in kinds], dtype=bool))
    return by_rows(Told(column.rows, column.held, broken, column.shown), asked["mostly"])


def _types(names: list[str], *, dtypes: bool = False) -> list[Any]:
    """What types (and dtypes) a name stands for, as Great Expectations resolves it."""
    found: list[Any] = []
    for name in names:
        try:
            found.append(np.dtype(name).type)
            if dtypes:
                found.append(np.dtype(name))
        except TypeError:
            for room in (pd, pd.core.dtypes.dtypes):  # type: ignore[attr-defined]
                kind = getattr(room, name, None)
                if isinstance(kind, type):
                    found.append(kind)
                    if dtypes and room is pd and issubclass(kind, pd.api.extensions.ExtensionDtype):
                        found += _made(kind)
        found += NATIVE.get(name.lower(), ())
    return found


def _made(kind: Any) -> list[Any]:
    try:
        return [kind()]
    except TypeError:
        return []


def column_type(frame: Frame, asked: Arguments) -> Outcome:
    column, wanted = frame.column(asked["column"]), asked["type_"]
    dtype = column.dtype
    try:
        parsed = pd.api.types.pandas_dtype(wanted)
    except Exception:
        raise Foreign from None
    if isinstance(parsed, np.dtype) and parsed.kind in "mM" and np.datetime_data(parsed)[0] == "generic":  # type: ignore[arg-type]
        success = isinstance(dtype, np.dtype) and dtype.kind == parsed.kind
    elif isinstance(dtype, pd.StringDtype) and isinstance(parsed, pd.StringDtype):
        success = str(dtype) == str(parsed)
    else:
        success = dtype in (parsed, wanted)
    return observed(success, {"observed_value": str(dtype)})


# -- the table of them -----------------------------------------------------------------------------------------

COUNT = {"value": (terms.whole, Absent)}
NUMBERS = {"min_value": (terms.number, None), "max_value": (terms.number, None)}
NAMES: dict[str, Any] = {"column_set": (terms.texts, None), "exact_match": (terms.flag, True)}

TYPES: dict[str, tuple[Callable[[Frame, Arguments], Outcome], dict[str, Any]]] = {
    "expect_table_row_count_to_be_between": (rows_between, WHOLE),
    "expect_table_row_count_to_equal": (rows_equal, COUNT),
    "expect_table_column_count_to_be_between": (columns_between, NUMBERS),
    "expect_table_column_count_to_equal": (columns_equal, COUNT),
    "expect_column_to_exist": (exists, {**COLUMN, "column_index": (terms.whole, None)}),
    "expect_table_columns_to_match_ordered_list": (ordered, {"column_list": (terms.texts, None)}),
    "expect_table_columns_to_match_set": (a_set, NAMES),
    "expect_column_values_to_be_of_type": (of_type, {**MOSTLY, "type_": (terms.text, Absent)}),
    "expect_column_values_to_be_in_type_list": (in_type_list, {**MOSTLY, "type_list": (terms.texts, Absent)}),
    "expect_column_type_to_be": (column_type, {**COLUMN, "type_": (terms.text, Absent)}),
}
