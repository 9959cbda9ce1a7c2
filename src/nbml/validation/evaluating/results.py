"""Results in Great Expectations' own structure, key by key in its order, and values as its JSON has them."""

from __future__ import annotations

import datetime as dt
import math
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nbml.validation.evaluating import kernel
from nbml.validation.evaluating.terms import Foreign

Json = dict[str, Any]
#: values that are shown, values that are kept, distinct values that are shown
PARTIAL, RECORDS = 20, 200


@dataclass
class Outcome:
    """What an expectation found. ``broken`` is a mask of the rows that break it, where it judges rows."""

    success: bool
    result: Callable[[str], Json]
    broken: NDArray[np.bool_] | None = None


def observed(success: bool, result: Json) -> Outcome:
    """Of an expectation that is told by what was observed."""
    told: Json = plain(result)
    return Outcome(bool(success), lambda form: {} if form == "BOOLEAN_ONLY" else told)


@dataclass(frozen=True)
class Told:
    """What rows that break an expectation are told by. ``judged`` is how many rows were judged, or None where missing
    ones are not told; ``values`` gives the values of some rows; ``broken`` is a mask of all rows."""

    rows: int
    judged: int | None
    broken: NDArray[np.bool_]
    values: Callable[[NDArray[np.intp]], list[Any]]

    def result(self, form: str, count: int) -> Json:
        if form == "BOOLEAN_ONLY":
            return {}
        positions = kernel.first(self.broken, RECORDS if form == "COMPLETE" else PARTIAL) if count else np.empty(0, dtype=np.intp)
        values = self.values(positions) if count else []
        shown = listed(values)
        found = self._counted(count, shown[:PARTIAL])
        if form == "BASIC":
            return found
        counts = counted(values)
        if counts is not None:
            found["partial_unexpected_counts"] = counts
        if form == "SUMMARY":
            found["partial_unexpected_index_list"] = positions.tolist()
            return found
        places = np.flatnonzero(self.broken).tolist() if count else []
        found["partial_unexpected_index_list"] = places[:PARTIAL]
        found["unexpected_list"] = shown
        found["unexpected_index_list"] = places
        found["unexpected_index_query"] = f"df.filter(items={places}, axis=0)"
        return found

    def _counted(self, count: int, shown: list[Any]) -> Json:
        rows, judged = self.rows, self.judged
        total = count / rows * 100 if rows else None
        of_judged = total if judged is None else count / judged * 100 if rows and judged else None
        found: Json = {"element_count": rows, "unexpected_count": count, "unexpected_percent": of_judged, "partial_unexpected_list": shown}
        if judged is not None:
            found["missing_count"] = rows - judged
            found["missing_percent"] = (rows - judged) / rows * 100 if rows else None
            found["unexpected_percent_total"] = total
            found["unexpected_percent_nonmissing"] = of_judged
        return found


def by_rows(told: Told, mostly: float) -> Outcome:
    """Of an expectation that judges rows one by one."""
    count = int(np.count_nonzero(told.broken))
    among = told.rows if told.judged is None else told.judged
    success = not among or (float(among) - float(count)) / float(among) >= mostly
    return Outcome(success, lambda form: told.result(form, count), told.broken)


def counted(values: list[Any]) -> list[Json] | None:
    """How often each value stands, most frequent first; None where the values cannot be put in an order."""
    if values and isinstance(values[0], dict):
        values = [tuple(value.values()) for value in values]
    try:
        found = sorted(Counter(values).most_common(PARTIAL), key=lambda pair: (-pair[1], pair[0]))
    except TypeError:
        return None
    return [{"value": plain(value), "count": count} for value, count in found]


# -- JSON ------------------------------------------------------------------------------------------------------


def listed(values: list[Any]) -> list[Any]:
    return [plain(value) for value in values]


def plain(value: Any) -> Any:
    """As the JSON of Great Expectations has it, without NaN and infinity. Raises Foreign for what is not foreseen."""
    kind = type(value)
    if value is None or kind in (str, int, bool):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None if math.isnan(value) else str(float(value))
    if isinstance(value, dict):
        return {str(key): plain(v) for key, v in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(v) for v in value]
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    return _numpy(value)


def _numpy(value: Any) -> Any:
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, np.datetime64):
        return str(np.datetime_as_string(value))
    if isinstance(value, np.timedelta64):
        raise Foreign
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, np.floating):
        return plain(float(round(value, sys.float_info.dig)))  # type: ignore[call-overload]
    if value is pd.NA:
        return None
    if isinstance(value, Decimal):
        return plain(float(value))
    raise Foreign


def as_json(value: Any) -> Any:
    """A configuration or a result as it is told: without numpy, and without NaN and infinity, which JSON does not have."""
    if isinstance(value, dict):
        return {key: as_json(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(v) for v in value]
    if hasattr(value, "tolist"):
        return as_json(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value
