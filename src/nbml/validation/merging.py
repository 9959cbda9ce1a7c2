"""What an engine told of the batches of some data, put together to what it would have told of all of them.

Expectations that judge rows one by one are merged by their counts and lists; sums, means, ends and shares of nulls by figures of
each batch. What depends on the order of rows, on all values at once or on dtypes is not merged.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nbml.validation.engines import REPEATED, answer
from nbml.validation.evaluating.results import PARTIAL, RECORDS

if TYPE_CHECKING:
    import pandas as pd

    from nbml.validation.engines import Engine

Json = dict[str, Any]
#: judge rows one by one
ROWWISE = frozenset((
    "expect_column_values_to_be_between", "expect_column_values_to_be_in_set", "expect_column_values_to_not_be_in_set",
    "expect_column_values_to_be_null", "expect_column_values_to_not_be_null", "expect_column_value_lengths_to_be_between",
    "expect_column_value_lengths_to_equal", "expect_column_values_to_match_regex", "expect_column_values_to_not_match_regex",
    "expect_column_values_to_match_regex_list", "expect_column_values_to_not_match_regex_list",
    "expect_column_values_to_match_like_pattern", "expect_column_values_to_not_match_like_pattern",
    "expect_column_values_to_match_strftime_format", "expect_column_values_to_be_dateutil_parseable",
    "expect_column_values_to_be_json_parseable", "expect_column_values_to_match_json_schema",
    "expect_column_pair_values_a_to_be_greater_than_b", "expect_column_pair_values_to_be_equal",
    "expect_column_pair_values_to_be_in_set", "expect_multicolumn_sum_to_equal", "expect_multicolumn_values_to_be_equal",
    "expect_select_column_values_to_be_unique_within_record",
))  # fmt: skip
#: one figure of all rows, which comes of the figures of batches
FIGURES = {
    "expect_column_min_to_be_between": "min", "expect_column_max_to_be_between": "max", "expect_column_sum_to_be_between": "sum",
    "expect_column_mean_to_be_between": "mean", "expect_column_proportion_of_non_null_values_to_be_between": "share",
    "expect_table_row_count_to_be_between": "rows", "expect_table_row_count_to_equal": "rows",
}  # fmt: skip


def mergeable(config: Json) -> bool:
    """Whether results of batches come to that of the whole. A row_condition of Great Expectations' own is not looked into."""
    return config["type"] in ROWWISE | FIGURES.keys() and "row_condition" not in config["kwargs"]


@dataclass
class Each:
    """One expectation over the batches. ``rows`` are those judged so far, ``positions`` the first that break it; ``stopped``
    is the result of a batch on which it could not be evaluated, which is then that of the whole; ``unfit`` where it turned
    out that figures of batches do not come to one of the whole."""

    config: Json
    rows: int = 0
    positions: list[int] = field(default_factory=list)
    stopped: Json | None = None
    unfit: bool = False
    counts: Json = field(default_factory=dict)
    values: list[Any] = field(default_factory=list)
    labels: list[Any] = field(default_factory=list)
    figures: list[Any] = field(default_factory=list)
    there: int = 0
    one_null: bool = False

    @property
    def figure(self) -> str:
        """Which figure of all rows it asks for; "" where it judges rows."""
        return FIGURES.get(self.config["type"], "")

    def add(self, result: Json, labels: Callable[[int], Any], most: int) -> list[int]:
        """The result of a batch, in COMPLETE form with positions for labels. Answers with the positions that are kept: at
        most ``most`` in all."""
        own = result["result"]
        if self.stopped is not None or "element_count" not in own:
            self.stopped = self.stopped or result
            return []
        self.rows += own["element_count"]
        for key in SUMS:
            if key in own:
                self.counts[key] = self.counts.get(key, 0) + own[key]
        self._alike(own.get("partial_unexpected_counts") or [])
        self.values += own["unexpected_list"][: RECORDS - len(self.values)]
        places = own["unexpected_index_list"]
        self.labels += [labels(place) for place in places]
        kept = places[: most - len(self.positions)]
        self.positions += kept
        return kept

    def _alike(self, counts: list[Json]) -> None:
        """Whether the engine counts missing values as one, as of None, or each apart, as of the NaN of an array of floats."""
        nothing = [entry["count"] for entry in counts if "value" in entry and entry["value"] is None]
        self.one_null = self.one_null or any(count > 1 for count in nothing)

    def collect(self, frame: pd.DataFrame) -> None:
        """The figure of a batch."""
        import pandas as pd

        self.rows += len(frame)
        if self.figure == "rows":
            return
        column = frame[self.config["kwargs"]["column"]]
        self.there += int(column.count())
        if self.figure == "share":
            return
        kinds = pd.api.types
        number = kinds.is_numeric_dtype(column.dtype) and not kinds.is_bool_dtype(column.dtype)
        if not number and not (kinds.is_datetime64_any_dtype(column.dtype) and self.figure in ("min", "max")):
            self.unfit = True
        elif self.figure in ("sum", "mean"):
            self.figures.append(pd.Series([column.sum()]))
        elif column.count():
            self.figures.append(pd.Series([getattr(column, self.figure)()], dtype=column.dtype))

    def result(self, form: str, engine: Engine, empty: pd.DataFrame) -> Json:
        """What the engine would have told of the whole; ``empty`` is the data without their rows."""
        if self.stopped is not None:
            return self.stopped
        if not self.rows and self.figure != "rows":
            return engine.evaluate(empty, [self.config], form)[0]
        return self._observed(form, engine, empty) if self.figure else self._merged(form)

    def _observed(self, form: str, engine: Engine, empty: pd.DataFrame) -> Json:
        import pandas as pd

        if self.figure in ("rows", "share"):
            value = self.rows if self.figure == "rows" else self.there / self.rows
            return self._answer(_between(value, self.config["kwargs"]), {} if form == "BOOLEAN_ONLY" else {"observed_value": value})
        name = self.config["kwargs"]["column"]
        whole = empty[name] if not self.figures else pd.concat(self.figures, ignore_index=True)
        if self.figure == "mean" and self.figures:
            whole = pd.Series([float(whole.sum()) / self.there if self.there else float("nan")])
        return engine.evaluate(whole.to_frame(name), [self.config], form)[0]

    def _answer(self, success: bool, result: Json) -> Json:
        return answer({key: self.config[key] for key in REPEATED if key in self.config}, success, result)

    def _merged(self, form: str) -> Json:
        count, missing = self.counts["unexpected_count"], self.counts.get("missing_count")
        judged = self.rows if missing is None else self.rows - missing
        success = not judged or (float(judged) - float(count)) / float(judged) >= self.config["kwargs"].get("mostly", 1.0)
        if form == "BOOLEAN_ONLY":
            return self._answer(success, {})
        of_judged = count / judged * 100 if judged else None
        found: Json = {
            "element_count": self.rows, "unexpected_count": count, "unexpected_percent": of_judged,
            "partial_unexpected_list": self.values[:PARTIAL],
        }  # fmt: skip
        if missing is not None:
            found["missing_count"], found["missing_percent"] = missing, missing / self.rows * 100
            found["unexpected_percent_total"], found["unexpected_percent_nonmissing"] = count / self.rows * 100, of_judged
        return self._answer(success, found if form == "BASIC" else found | self._long(form))

    def _long(self, form: str) -> Json:
        found: Json = {}
        counts = _counted(self.values if form == "COMPLETE" else self.values[:PARTIAL], self.one_null)
        if counts is not None:
            found["partial_unexpected_counts"] = counts
        found["partial_unexpected_index_list"] = self.labels[:PARTIAL]
        if form == "COMPLETE":
            found["unexpected_list"], found["unexpected_index_list"] = self.values, self.labels
            found["unexpected_index_query"] = f"df.filter(items={self.labels}, axis=0)"
        return found


SUMS = ("unexpected_count", "missing_count")


def _between(value: float, kwargs: Json) -> bool:
    if "value" in kwargs:
        return bool(value == kwargs["value"])
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    above = low is None or (value > low if kwargs.get("strict_min") else value >= low)
    return bool(above and (high is None or (value < high if kwargs.get("strict_max") else value <= high)))


def _counted(values: list[Any], one_null: bool) -> list[Json] | None:
    """How often each stands, most frequent first; None where they cannot be put in an order."""
    lists = [list(v.values()) if isinstance(v, dict) else v if isinstance(v, list) else [v] for v in values]
    numbers = any(isinstance(part, (int, float)) for each in lists for part in each)
    keys: list[Any] = []
    for value, each in zip(values, lists, strict=True):
        parts = tuple(_part(part, numbers, one_null) for part in each)
        keys.append(parts if isinstance(value, (dict, list)) else parts[0])
    try:
        found = sorted(Counter(keys).most_common(PARTIAL), key=lambda pair: (-pair[1], pair[0]))
    except TypeError:
        return None
    return [{"value": _written(value), "count": count} for value, count in found]


def _part(value: Any, numbers: bool, one_null: bool) -> Any:
    """As it was before it was JSON, which has neither infinity nor NaN."""
    if value is None:
        return None if one_null else float("nan")
    return float(value) if numbers and value in ("inf", "-inf") else value


def _written(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_written(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value
