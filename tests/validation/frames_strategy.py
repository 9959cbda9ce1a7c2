"""Frames and expectations for the differential test: every kind of column that pandas has, every type with its options."""

from __future__ import annotations

import datetime as dt
import decimal
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

Json = dict[str, Any]
Draw = Callable[[st.SearchStrategy[Any]], Any]

TEXTS = (
    "a", "b", "A", "aa", "abab", "ab", "", " ", "é", "ß", "日本", "１２", "12", "-3", "1.5", "1e3", "True", "None", "nan", "NaN", "a\n",
    "a\nb", "\n", "a b",
    "x" * 25, "a@b.c", "a@", "😀", "\x00", "<b>", "a.b", "2024-01-31", "2024-02-29", "2023-02-29", "2024-1-3", " 2024-01-01",
    "2024-01-01 ",
    "0000-01-01", "0001-01-01", "２０２４-01-01", "2024-01-01\n", "20240101", "31/12/1999", "12:30:59", "24:00:00", "23:59:61",
    "2024-01-31T10:00:00",
    "2024-01-31 10:00:00", "2024-01-31T10:00:00.5", "Jan 5 2024", "24-01-05", "366", '{"a": 1}', "[1, 2]", "null", '"a"', "{a: 1}",
    "1_000",
)  # fmt: skip
REGEXES = (
    "^a", "a$", "^a$", "(?=a)", "(?!a)", r"(a)(b)?\1", r"\d+$", r"^\w+$", r"\W", "(?i)A", "^$", ".", "(?s)^.$", r"\bA\b",
    r"[^@]+@[^@]+", "é", r"^\d{4}-\d{2}-\d{2}$",
    r"(?<=a)b", "^.*$", "", r"\Aa\Z", "[a-z]{2,}", "a|b", r"\s", r"^(?P<x>a)(?P=x)", r"[^\x00-\x7f]", "(?m)^b$", r"\.", "a{,2}b", "(",
)  # fmt: skip
DATES = (
    "%Y-%m-%d", "%H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%d/%m/%Y", "%m/%d/%Y", "%Y%m%d", "%b %d %Y", "%y-%m-%d", "%j",
    "%Y", "%Y-%m-%dT%H:%M:%S.%f",
    " %Y-%m-%d", "%Y-%m-%d ", "%%", "", "a", "%Q",
)  # fmt: skip
SCHEMAS: tuple[Json, ...] = ({"type": "object"}, {"type": "integer"}, {"type": "array", "items": {"type": "integer"}})
TYPES = (
    "int", "int64", "int8", "INTEGER", "float", "float64", "FLOAT", "str", "string", "object", "object_", "bool", "boolean",
    "datetime64", "datetime64[ns]", "Timestamp",
    "category", "CategoricalDtype", "StringDtype", "Int64", "Int64Dtype", "int64[pyarrow]", "list", "nonsense", "",
)  # fmt: skip
INSTANTS = (
    dt.datetime(1999, 12, 31, 23, 59, 59), dt.datetime(2020, 1, 1), dt.datetime(2020, 2, 29), dt.datetime(2020, 2, 29, 0, 0, 1),
    dt.datetime(2024, 5, 5, 12, 30, 15, 123456),
    dt.datetime(2100, 1, 1),
)  # fmt: skip
ODD: tuple[Any, ...] = (
    1, 1.0, True, False, 0, -1, 2.5, "a", "1", "", None, float("nan"), float("inf"), dt.date(2020, 1, 1), dt.datetime(2020, 1, 1),
    decimal.Decimal("1"), (1, 2), b"a",
    2**70, np.int64(3), pd.Timestamp("2020-01-01"), pd.NaT, pd.NA,
)  # fmt: skip

ints = st.one_of(st.integers(-3, 5), st.sampled_from([0, 1, 100, -128, 127, 2**31 - 1, 2**53, 2**53 + 1]))
floats = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, 1.5, 2.0, -1.0, 0.1, 0.2, 0.3, 1e16, 1e-9, float("inf"), float("-inf"), 1e308]),
    st.floats(-100, 100, width=32), st.integers(-3, 5).map(float),
)  # fmt: skip
plain_floats = st.one_of(st.sampled_from([0.0, 1.0, 1.5, 2.0, -1.0, 0.1, 0.2, 0.3]), st.floats(-100, 100, width=32))
texts = st.one_of(st.sampled_from(TEXTS), st.sampled_from(TEXTS[:7]), st.text(max_size=3))
days = st.dates(dt.date(2019, 12, 30), dt.date(2020, 1, 3))
instants = st.one_of(st.sampled_from(INSTANTS), st.datetimes(dt.datetime(1980, 1, 1), dt.datetime(2030, 1, 1)))


def _within(kind: str) -> st.SearchStrategy[int]:
    low, high = int(np.iinfo(kind).min), int(np.iinfo(kind).max)
    return st.one_of(ints.filter(lambda v: low <= v <= high), st.sampled_from([low, high]))


def _instants(values: list[Any]) -> pd.Series:
    return pd.to_datetime(pd.Series(values, dtype="object"))


def _encodes(value: str) -> bool:
    """Lone surrogates have no place in Arrow."""
    return not any("\ud800" <= char <= "\udfff" for char in value)


def _arrow(values: list[Any], kind: str) -> pd.Series:
    if kind.startswith("timestamp"):
        values = [None if pd.isna(v) else v for v in values]
    return pd.Series(values, dtype=f"{kind}[pyarrow]" if kind != "date32" else "date32[day][pyarrow]")


#: kind of column -> values of it, and how a list of them (None is null) becomes a Series
KINDS: dict[str, tuple[st.SearchStrategy[Any], bool, Callable[[list[Any]], pd.Series]]] = {
    **{k: (_within(k), False, lambda v, k=k: pd.Series(v, dtype=k)) for k in ("int8", "int16", "int32", "int64", "uint8", "uint64")},
    "float64": (floats, True, lambda v: pd.Series(v, dtype="float64")),
    "tame": (plain_floats, True, lambda v: pd.Series(v, dtype="float64")),
    "float32": (floats.filter(lambda v: abs(v) < 1e30 or v in (float("inf"), float("-inf"))), True, lambda v: pd.Series(v,
    dtype="float32")),
    "str": (texts, True, lambda v: pd.Series(v, dtype="str")),
    "text": (texts, True, lambda v: pd.Series(v, dtype="object")),
    "text-nan": (texts, True, lambda v: pd.Series([float("nan") if x is None else x for x in v], dtype="object")),
    **{
        f"datetime[{u}]": (instants, True, lambda v, u=u: _instants(v).astype(f"datetime64[{u}]"))
        for u in ("s", "ms", "us", "ns")
    },
    "utc": (instants, True, lambda v: _instants(v).astype("datetime64[us]").dt.tz_localize("UTC")),
    "berlin": (instants, True, lambda v: pd.to_datetime(pd.Series(v,
    dtype="object")).astype("datetime64[ns]").dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin")),
    "bool": (st.booleans(), False, lambda v: pd.Series(v, dtype="bool")),
    "category": (st.sampled_from(TEXTS[:7]), True, lambda v: pd.Series(v, dtype="object").astype("category")),
    "ordered": (st.sampled_from("abc"), True, lambda v: pd.Series(pd.Categorical(v, categories=["c", "b", "a", "unused"],
    ordered=True))),
    "category-int": (st.integers(0, 3), True, lambda v: pd.Series(pd.Categorical(v, categories=[3, 2, 1, 0]))),
    "Int64": (ints, True, lambda v: pd.Series(v, dtype="Int64")),
    "Float64": (plain_floats, True, lambda v: pd.Series(v, dtype="Float64")),
    "boolean": (st.booleans(), True, lambda v: pd.Series(v, dtype="boolean")),
    "string[python]": (texts, True, lambda v: pd.Series(v, dtype=pd.StringDtype("python"))),
    "string[pyarrow]": (texts.filter(lambda v: v.isprintable() or v == "a\n"), True, lambda v: pd.Series(v,
    dtype=pd.StringDtype("pyarrow"))),
    "int64[pyarrow]": (ints, True, lambda v: pd.Series(v, dtype="int64[pyarrow]")),
    "Int32": (_within("int32"), True, lambda v: pd.Series(v, dtype="Int32")),
    "UInt64": (_within("uint64"), True, lambda v: pd.Series(v, dtype="UInt64")),
    "Float32": (plain_floats, True, lambda v: pd.Series(v, dtype="Float32")),
    "Float64-wild": (floats, True, lambda v: pd.Series(v, dtype="Float64")),
    "Float64-nan": (plain_floats, True, lambda v: pd.Series(v, dtype="Float64") / 0),
    "str[python]": (texts, True, lambda v: pd.Series(v, dtype=pd.StringDtype("python", na_value=np.nan))),
    "double[pyarrow]": (floats, True, lambda v: pd.Series(v, dtype="double[pyarrow]")),
    "bool[pyarrow]": (st.booleans(), True, lambda v: pd.Series(v, dtype="bool[pyarrow]")),
    **{k: (texts.filter(_encodes), True, lambda v, k=k: _arrow(v, k)) for k in ("string", "large_string")},
    "date32": (days, True, lambda v: _arrow(v, "date32")),
    "timestamp[us]": (instants, True, lambda v: _arrow(v, "timestamp[us]")),
    "timestamp[ns]": (instants, True, lambda v: _arrow(v, "timestamp[ns]")),
    "timestamp[us, utc]": (instants, True, lambda v: _arrow(_instants(v).dt.tz_localize("UTC").tolist(), "timestamp[us, tz=UTC]")),
    "category-str": (texts, True, lambda v: pd.Series(v, dtype="str").astype("category")),
    "category-float": (plain_floats, True, lambda v: pd.Series(v, dtype="float64").astype("category")),
    "category-instant": (instants, True, lambda v: _instants(v).astype("category")),
    "category-bool": (st.booleans(), True, lambda v: pd.Series(v, dtype="object").astype("category")),
    "decimals": (st.sampled_from([decimal.Decimal(v) for v in ("0", "1", "1.10", "-2.5", "0.1", "12345678901234567.125")]), True,
                 lambda v: pd.Series(v, dtype="object")),
    "ints": (st.integers(-2, 3), True, lambda v: pd.Series(v, dtype="object")),
    "bools": (st.booleans(), True, lambda v: pd.Series(v, dtype="object")),
    "moments": (instants, True, lambda v: pd.Series(v, dtype="object")),
    "mixed": (st.sampled_from(ODD), True, lambda v: pd.Series(v, dtype="object")),
    "numbers": (st.one_of(st.integers(-2, 3), st.sampled_from([1.0, 2.5, True])), True, lambda v: pd.Series(v, dtype="object")),
    "dates": (days, True, lambda v: pd.Series(v, dtype="object")),
    "timedelta": (st.integers(-2, 3), True, lambda v: pd.to_timedelta(pd.Series(v, dtype="object"), unit="D")),
    "lists": (st.sampled_from([[1], [1, 2], []]), True, lambda v: pd.Series(v, dtype="object")),
    "none": (st.none(), True, lambda v: pd.Series(v, dtype="object")),
    "nan": (st.none(), True, lambda v: pd.Series(v, dtype="float64")),
    "nat": (st.none(), True, lambda v: _instants(v).astype("datetime64[us]")),
}  # fmt: skip
COMMON = (*KINDS, "int64", "float64", "tame", "tame", "str", "str", "text", "datetime[us]", "datetime[ns]", "bool", "category")


@st.composite
def columns(draw: Draw, rows: int, times: int) -> pd.Series:
    """One column: ``rows`` drawn values, the whole of them ``times`` times."""
    values, nullable, make = KINDS[draw(st.sampled_from(COMMON))]
    drawn = draw(st.lists(values, min_size=rows, max_size=rows))
    if nullable and draw(st.booleans()):
        holes = draw(st.lists(st.booleans(), min_size=rows, max_size=rows))
        drawn = [None if hole else value for hole, value in zip(holes, drawn, strict=True)]
    if draw(st.sampled_from([False, False, False, True])):
        try:
            drawn = sorted(drawn)
        except TypeError:
            pass
    return make(drawn * times)


@st.composite
def frames(draw: Draw) -> pd.DataFrame:
    """Three to six columns; no row, one, a few, some hundreds (results are cut at 20 and at 200), some thousands (text that
    repeats itself is judged by its distinct values)."""
    rows = draw(st.sampled_from([0, 1, 2, 4, 6, 6, 8, 8, 12]))
    times = draw(st.sampled_from([1, 1, 1, 1, 3, 30, 400]))
    made = {f"c{place}": draw(columns(rows, times)) for place in range(draw(st.integers(3, 6)))}
    if rows and draw(st.booleans()):
        made["key"] = pd.Series(range(rows * times))
    if draw(st.booleans()):
        made[draw(st.sampled_from(NAMES))] = made.pop("c1")
    return pd.DataFrame(made)


NAMES = ("net amount", 'a"b', "C0", "'c0'", "`c0`", "é", "", "index", "class", "1", "c0 ", "<b>")


# -- expectations ---------------------------------------------------------------------------------------------

STRICT = (None, None, True, False)


SUITS: dict[str, Callable[[pd.Series], bool]] = {
    "text": lambda s: all(isinstance(v, str) for v in s.dropna()),
    "number": lambda s: pd.api.types.is_numeric_dtype(s.dtype) and not pd.api.types.is_bool_dtype(s.dtype),
}


class Asker:
    """Draws expectations that suit a frame, and some that do not."""

    def __init__(self, seed: str, frame: pd.DataFrame) -> None:
        self.random = random.Random(seed)
        self.frame = frame

    def pick(self, *options: Any) -> Any:
        return self.random.choice(options)

    def column(self, suits: str = "") -> str:
        """A column, mostly one of the kind that the expectation is about; seldom one that is not there."""
        fits = [name for name in self.frame.columns if suits and SUITS[suits](self.frame[name])]
        return str(self.pick(*(fits if fits and self.pick(*[True] * 7, False) else [*self.frame.columns] * 8 + ["gone"])))

    def values(self, column: str) -> list[Any]:
        held = self.frame[column].tolist()[:12] if column in self.frame.columns else []
        return [v for v in held if isinstance(v, (str, int, float, bool, dt.datetime, dt.date)) and v == v]

    def near(self, column: str) -> Any:
        """A bound: a value of the column, one beside it, or something else."""
        held = [v for v in self.values(column) if not isinstance(v, (str, bool))]
        if not held or self.pick(*[False] * 6, True):
            return self.pick(0, 1, -1.5, 2, 100, dt.datetime(2020, 1, 1), "2020-01-01")
        value = self.pick(*held)
        if isinstance(value, pd.Timestamp):
            moved = value + dt.timedelta(seconds=self.pick(-1, 0, 0, 1))
            moved = self.pick(moved, moved, moved.tz_localize(None)).to_pydatetime(warn=False)
            return self.pick(moved, moved, moved.isoformat())
        if isinstance(value, dt.date):
            return value
        return value + self.pick(-1, 0, 0, 0, 1, 0.5) if abs(value) < 1e18 else value

    def bounds(self, column: str) -> Json:
        return self.between(lambda: self.near(column))

    def between(self, bound: Callable[[], Any], strict: bool = True) -> Json:
        which = self.pick("both", "both", "low", "high")
        found: Json = {}
        if which != "high":
            found["min_value"] = bound()
        if which != "low":
            found["max_value"] = bound()
        low, high = found.get("min_value"), found.get("max_value")
        if isinstance(low, (int, float)) and isinstance(high, (int, float)) and low > high:
            found |= {"min_value": high, "max_value": low}
        for key in ("strict_min", "strict_max"):
            value = self.pick(*STRICT)
            if strict and value is not None:
                found[key] = value
        return found

    def a_set(self, column: str) -> list[Any]:
        held = self.values(column) or [1]
        found = [self.pick(*held) for _ in range(self.pick(0, 1, 2, 3, 6))]
        found = [v.isoformat() if isinstance(v, dt.date) and self.pick(True, False) else v for v in found]
        return found + self.pick([], [], [], [None], ["a", "1"], [1, 2.0], [True], [float("nan")], ["2020-01-01"], list(held[:30]),
            list(range(-5, 40)))

    def several(self) -> list[str]:
        names = list(self.frame.columns)
        found = [names[(self.pick(*range(len(names))) + place) % len(names)] for place in range(self.pick(2, 2, 3))]
        if self.pick(*[True] * 12, False):
            found = list(dict.fromkeys(found))
            return found if len(found) > 1 else names[:2]
        return [*found, "gone"]


def _map(make: Callable[[Asker, str], Json], suits: str = "") -> Callable[[Asker], Json]:
    def ask(asker: Asker) -> Json:
        column = asker.column(suits)
        found = {"column": column, **make(asker, column)}
        mostly = asker.pick(None, None, None, 0, 0.3, 0.5, 0.75, 0.99, 1, 1.0)
        return found if mostly is None else {**found, "mostly": mostly}

    return ask


def _whole(make: Callable[[Asker, str], Json], suits: str = "") -> Callable[[Asker], Json]:
    def ask(asker: Asker) -> Json:
        column = asker.column(suits)
        return {"column": column, **make(asker, column)}

    return ask


def _optional(asker: Asker, **options: tuple[Any, ...]) -> Json:
    drawn = {key: asker.pick(*values) for key, values in options.items()}
    return {key: value for key, value in drawn.items() if value is not None}


def _pair(make: Callable[[Asker, str, str], Json]) -> Callable[[Asker], Json]:
    def ask(asker: Asker) -> Json:
        a, b = asker.column(), asker.column()
        found = {"column_A": a, "column_B": b, **make(asker, a, b)}
        return found | _optional(asker, mostly=(None, None, 0.5, 1), ignore_row_if=(None, "both_values_are_missing",
            "either_value_is_missing", "neither"))

    return ask


def _multi(make: Callable[[Asker], Json]) -> Callable[[Asker], Json]:
    def ask(asker: Asker) -> Json:
        found = {"column_list": asker.several(), **make(asker)}
        return found | _optional(asker, mostly=(None, None, 0.5, 1), ignore_row_if=(None, "all_values_are_missing",
            "any_value_is_missing", "never"))

    return ask


def _pairs(asker: Asker, a: str, b: str) -> Json:
    held = list(zip(asker.values(a) or [1], asker.values(b) or [1], strict=False))
    return {"value_pairs_set": [asker.pick(*held, (1, 2), ("a", None)) for _ in range(asker.pick(1, 2, 5))]}


def _quantiles(asker: Asker, column: str) -> Json:
    quantiles = sorted({asker.pick(0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0) for _ in range(asker.pick(1, 2, 3))})
    ranges = [asker.pick([None, None], [0, 10], [None, 1], [-1, None], [0.5, 1.5]) for _ in quantiles]
    return {"quantile_ranges": {"quantiles": quantiles, "value_ranges": ranges}} | _optional(
        asker, allow_relative_error=(None, None, None, False, "lower", "higher", "nearest", "midpoint", "linear")
    )


def _counts(asker: Asker) -> int:
    return int(asker.pick(0, 1, 2, len(asker.frame), len(asker.frame) - 1, len(asker.frame.columns)))


def _regexes(asker: Asker) -> list[str]:
    return [asker.pick(*REGEXES) for _ in range(asker.pick(1, 2, 3))]


def _partition(asker: Asker, column: str) -> Json:
    parts: Json = asker.pick(
        {"values": ["a", "b"], "weights": [0.5, 0.5]}, {"bins": [-200, 0, 1, 200], "weights": [0.2, 0.3, 0.5]}, {"values": [True,
            False], "weights": [0.6, 0.4]}
    )
    return {"partition_object": parts, "threshold": asker.pick(0.1, 1, None)}


def _names(asker: Asker) -> list[str]:
    names = list(asker.frame.columns)
    return asker.pick(names, names[::-1], names[:-1], [*names, "gone"], ["gone"], [])


_is = "expect_column_values_to_"
OPTIONS: dict[str, Callable[[Asker], Json]] = {
    _is + "be_between": _map(lambda k, c: k.bounds(c)),
    _is + "be_in_set": _map(lambda k, c: {"value_set": k.a_set(c)}),
    _is + "not_be_in_set": _map(lambda k, c: {"value_set": k.a_set(c)}),
    _is + "be_null": _map(lambda k, c: {}),
    _is + "not_be_null": _map(lambda k, c: {}),
    _is + "be_unique": _map(lambda k, c: {}),
    _is + "be_increasing": _map(lambda k, c: _optional(k, strictly=STRICT)),
    _is + "be_decreasing": _map(lambda k, c: _optional(k, strictly=STRICT)),
    _is + "be_of_type": _map(lambda k, c: {"type_": k.pick(*TYPES, str(k.frame.dtypes.iloc[0]))}),
    _is + "be_in_type_list": _map(lambda k, c: {"type_list": [k.pick(*TYPES) for _ in range(k.pick(0, 1, 3, 6))]}),
    _is + "be_json_parseable": _map(lambda k, c: {}, "text"),
    _is + "be_dateutil_parseable": _map(lambda k, c: {}, "text"),
    _is + "match_json_schema": _map(lambda k, c: {"json_schema": k.pick(*SCHEMAS)}, "text"),
    _is + "match_regex": _map(lambda k, c: {"regex": k.pick(*REGEXES)}, "text"),
    _is + "not_match_regex": _map(lambda k, c: {"regex": k.pick(*REGEXES)}, "text"),
    _is + "match_regex_list": _map(lambda k, c: {"regex_list": _regexes(k), **_optional(k, match_on=(None, "any", "all"))}, "text"),
    _is + "not_match_regex_list": _map(lambda k, c: {"regex_list": _regexes(k)}, "text"),
    _is + "match_like_pattern": _map(lambda k, c: {"like_pattern": k.pick("a%", "_", "%b", "a_b", "%", "", "a.b", "2024-__-%")},
        "text"),
    _is + "not_match_like_pattern": _map(lambda k, c: {"like_pattern": k.pick("a%", "_", "%b", "a_b", "%", "")}, "text"),
    _is + "match_like_pattern_list": _map(lambda k, c: {"like_pattern_list": ["a%", "_"], **_optional(k, match_on=(None, "any",
        "all"))}, "text"),
    _is + "not_match_like_pattern_list": _map(lambda k, c: {"like_pattern_list": ["a%", "_"]}, "text"),
    _is + "match_strftime_format": _map(lambda k, c: {"strftime_format": k.pick(*DATES, *DATES[:7])}, "text"),
    _is + "not_be_outliers": _map(lambda k, c: _optional(k, method=(None, "iqr", "std"), multiplier=(None, 0.5, 1, 1.5, 3)), "number"),
    "expect_column_value_lengths_to_be_between": _map(lambda k, c: k.between(lambda: k.pick(0, 1, 2, 3, 10, 25)), "text"),
    "expect_column_value_lengths_to_equal": _map(lambda k, c: {"value": k.pick(0, 1, 2, 10, 1.0, 1.5)}, "text"),
    "expect_column_value_z_scores_to_be_less_than": _map(lambda k, c: {"threshold": k.pick(0, 0.5, 1, 2, 3.5),
        "double_sided": k.pick(True, False)}, "number"),
    "expect_column_distinct_values_to_be_in_set": _whole(lambda k, c: {"value_set": k.a_set(c)}),
    "expect_column_distinct_values_to_contain_set": _whole(lambda k, c: {"value_set": k.a_set(c)}),
    "expect_column_distinct_values_to_equal_set": _whole(lambda k, c: {"value_set": k.a_set(c)}),
    "expect_column_most_common_value_to_be_in_set": _whole(lambda k, c: {"value_set": k.a_set(c), **_optional(k, ties_okay=STRICT)}),
    "expect_column_max_to_be_between": _whole(lambda k, c: k.bounds(c)),
    "expect_column_min_to_be_between": _whole(lambda k, c: k.bounds(c)),
    "expect_column_mean_to_be_between": _whole(lambda k, c: k.bounds(c), "number"),
    "expect_column_median_to_be_between": _whole(lambda k, c: k.bounds(c), "number"),
    "expect_column_stdev_to_be_between": _whole(lambda k, c: k.between(lambda: k.pick(0, 0.5, 1, 2.5, 100)), "number"),
    "expect_column_sum_to_be_between": _whole(lambda k, c: k.bounds(c), "number"),
    "expect_column_unique_value_count_to_be_between": _whole(lambda k, c: k.between(lambda: _counts(k))),
    "expect_column_proportion_of_unique_values_to_be_between": _whole(lambda k, c: k.between(lambda: k.pick(0, 0.25, 0.5, 1))),
    "expect_column_proportion_of_non_null_values_to_be_between": _whole(lambda k, c: k.between(lambda: k.pick(0, 0.25, 0.5, 1))),
    "expect_column_quantile_values_to_be_between": _whole(_quantiles, "number"),
    "expect_column_kl_divergence_to_be_less_than": _whole(_partition),
    "expect_column_pair_values_to_be_equal": _pair(lambda k, a, b: {}),
    "expect_column_pair_values_a_to_be_greater_than_b": _pair(lambda k, a, b: _optional(k, or_equal=STRICT)),
    "expect_column_pair_values_to_be_in_set": _pair(_pairs),
    "expect_compound_columns_to_be_unique": _multi(lambda k: {}),
    "expect_select_column_values_to_be_unique_within_record": _multi(lambda k: {}),
    "expect_multicolumn_sum_to_equal": _multi(lambda k: {"sum_total": k.pick(0, 1, 2.5, 3)}),
    "expect_multicolumn_values_to_be_equal": _multi(lambda k: {}),
    "expect_column_to_exist": lambda k: {"column": k.column(), **_optional(k, column_index=(None, None, 0, 1, 9))},
    "expect_column_type_to_be": _whole(lambda k, c: {"type_": k.pick(*TYPES)}),
    "expect_table_column_count_to_be_between": lambda k: k.between(lambda: _counts(k), strict=False),
    "expect_table_column_count_to_equal": lambda k: {"value": _counts(k)},
    "expect_table_columns_to_match_ordered_list": lambda k: {"column_list": _names(k)},
    "expect_table_columns_to_match_set": lambda k: {"column_set": _names(k), **_optional(k, exact_match=STRICT)},
    "expect_table_row_count_to_be_between": lambda k: k.between(lambda: _counts(k)),
    "expect_table_row_count_to_equal": lambda k: {"value": _counts(k)},
}  # fmt: skip
#: what Great Expectations has for databases only
NOT_PANDAS = ("expect_query_results_to_match_comparison", "expect_table_row_count_to_equal_other_table")


def expectations(seed: str, frame: pd.DataFrame, count: int) -> list[Json]:
    """``count`` expectations about ``frame``, of as many types. A seed draws them, as hypothesis would repeat itself."""
    asker = Asker(seed, frame)
    found = []
    for place, kind in enumerate(asker.random.sample([*OPTIONS, *OPTIONS], count)):
        kwargs = OPTIONS[kind](asker)
        if "_table_" not in kind and kind != "expect_column_to_exist" and asker.pick(*[False] * 30, True):
            kwargs |= {"row_condition": "c0 == c0", "condition_parser": "pandas"}
        found.append({"type": kind, "kwargs": kwargs, "meta": {"mine": place}, "severity": asker.pick("critical", "critical",
            "warning", "info")})
    return found
