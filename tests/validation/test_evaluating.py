"""Our evaluator: what it judges itself and what it hands over, at sizes where it looks at distinct values, and how often it asks."""

from __future__ import annotations

import datetime as dt
import decimal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import nbml
from nbml import registry
from nbml.testing.engines import EngineSuite
from nbml.validation import words
from nbml.validation.checking import check
from nbml.validation.engines.own import OwnEngine
from nbml.validation.evaluating import TYPES, dates, kernel

Json = dict[str, Any]
FORMATS = ("BOOLEAN_ONLY", "BASIC", "SUMMARY", "COMPLETE")


class TestOwn(EngineSuite):
    def engine(self) -> Any:
        return registry.adapter("nbml.engines", "nbml")()


def config(kind: str, **kwargs: Any) -> Json:
    return {"type": f"expect_{kind}", "kwargs": kwargs, "meta": {}, "severity": "critical"}


def frame(rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "id": np.arange(rows),
            "n": rng.integers(-5, 60, rows),
            "small": rng.integers(0, 9, rows).astype("int8"),
            "x": np.where(rng.random(rows) < 0.1, np.nan, rng.normal(size=rows)),
            "real": rng.normal(size=rows).astype("float32"),
            "yes": rng.random(rows) < 0.5,
            "mail": [f"user{i}@mail{i % 7}.com\n" if i % 11 == 0 else f"üser{i}@mail.com" for i in rng.integers(0, rows * 2, rows)],
            "plan": rng.choice(["basic", "pro", "Pro ", None], rows),
            "old": pd.Series(rng.choice(["basic", "pro", "x y"], rows), dtype="object").where(rng.random(rows) < 0.9, None),
            "day": rng.choice(["2024-02-29", "2023-02-29", "2024-01-31", "2024-1-5", "2024-04-31", "no"], rows),
            "json": rng.choice(['{"a": 1}', "[", "3"], rows),
            "at": pd.Series(pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 10**8, rows), unit="s")).astype("datetime64[us]"),
            "zoned": pd.Series(pd.Timestamp("2020-01-01", tz="Europe/Berlin") + pd.to_timedelta(rng.integers(0, 10**6, rows), unit="s")),
        }
    )


_is = "column_values_to_"
#: every type that is judged here, with each of its options at least once
SUITE = [
    config(_is + "not_be_null", column="x", mostly=0.5),
    config(_is + "not_be_null", column="plan"),
    config(_is + "be_null", column="plan"),
    config(_is + "be_between", column="n", min_value=0, max_value=50, strict_max=True, mostly=0.99),
    config(_is + "be_between", column="x", min_value=-1.5, strict_min=True),
    config(_is + "be_between", column="small", max_value=5),
    config(_is + "be_between", column="real", min_value=0.1, max_value=0.5),
    config(_is + "be_between", column="at", min_value="2020-06-01", max_value=dt.datetime(2022, 1, 1, 0, 0, 1)),
    config(_is + "be_between", column="zoned", max_value="2020-01-05T12:00:00"),
    config(_is + "be_in_set", column="plan", value_set=["basic", "pro", 1, None]),
    config(_is + "be_in_set", column="n", value_set=[1, 2.0, True, "3"]),
    config(_is + "be_in_set", column="n", value_set=list(range(40))),
    config(_is + "not_be_in_set", column="x", value_set=[0]),
    config(_is + "not_be_in_set", column="old", value_set=["x y"]),
    config(_is + "be_in_set", column="yes", value_set=[1]),
    config(_is + "be_unique", column="id"),
    config(_is + "be_unique", column="mail"),
    config(_is + "be_unique", column="n"),
    config(_is + "be_unique", column="plan"),
    config(_is + "be_increasing", column="id", strictly=True),
    config(_is + "be_increasing", column="x"),
    config(_is + "be_decreasing", column="at", mostly=0.4),
    config(_is + "match_regex", column="mail", regex=r"^\w+@mail\d?\.com$"),
    config(_is + "not_match_regex", column="plan", regex="^[a-z]+$"),
    config(_is + "match_regex", column="old", regex="s|r"),
    config(_is + "match_regex_list", column="plan", regex_list=["a", "i"], match_on="all"),
    config(_is + "match_regex_list", column="plan", regex_list=["a", "P"]),
    config(_is + "not_match_regex_list", column="plan", regex_list=["a", "P"]),
    config(_is + "match_like_pattern", column="plan", like_pattern="p%"),
    config(_is + "not_match_like_pattern", column="plan", like_pattern="_ro_"),
    config(_is + "match_strftime_format", column="day", strftime_format="%Y-%m-%d"),
    config(_is + "be_json_parseable", column="json"),
    config(_is + "be_dateutil_parseable", column="day"),
    config(_is + "not_be_outliers", column="x"),
    config(_is + "not_be_outliers", column="n", method="std", multiplier=1),
    config("column_value_lengths_to_be_between", column="plan", min_value=4),
    config("column_value_lengths_to_be_between", column="mail", min_value=1, max_value=14, strict_max=True),
    config("column_value_lengths_to_equal", column="plan", value=3),
    config("column_value_z_scores_to_be_less_than", column="x", threshold=1.5, double_sided=True),
    config("column_value_z_scores_to_be_less_than", column="n", threshold=1, double_sided=False),
    config("column_mean_to_be_between", column="x", min_value=0),
    config("column_median_to_be_between", column="n", max_value=5),
    config("column_stdev_to_be_between", column="x", min_value=0.5, strict_max=True, max_value=2),
    config("column_sum_to_be_between", column="n", min_value=1),
    config("column_min_to_be_between", column="at", min_value="2020-01-01"),
    config("column_max_to_be_between", column="x", max_value=2),
    config("column_unique_value_count_to_be_between", column="plan", max_value=2),
    config("column_unique_value_count_to_be_between", column="x", min_value=9),
    config("column_proportion_of_unique_values_to_be_between", column="mail", min_value=0.9),
    config("column_proportion_of_non_null_values_to_be_between", column="x", min_value=0.95),
    config("column_quantile_values_to_be_between", column="n",
           quantile_ranges={"quantiles": [0.1, 0.5], "value_ranges": [[None, 2], [20, 40]]}),
    config("column_quantile_values_to_be_between", column="x", allow_relative_error="linear",
           quantile_ranges={"quantiles": [0.9], "value_ranges": [[0, 1]]}),
    config("column_most_common_value_to_be_in_set", column="small", value_set=[3], ties_okay=True),
    config("column_distinct_values_to_be_in_set", column="plan", value_set=["basic"]),
    config("column_distinct_values_to_contain_set", column="small", value_set=[1, 99]),
    config("column_distinct_values_to_equal_set", column="old", value_set=["basic", "pro", "new"]),
    config("column_pair_values_to_be_equal", column_A="n", column_B="small", mostly=0.1),
    config("column_pair_values_to_be_equal", column_A="x", column_B="n", ignore_row_if="neither"),
    config("column_pair_values_a_to_be_greater_than_b", column_A="x", column_B="real", or_equal=True,
           ignore_row_if="either_value_is_missing"),
    config("column_pair_values_to_be_in_set", column_A="plan", column_B="small", value_pairs_set=[["basic", 1], [None, 2], ["pro", 3]]),
    config("compound_columns_to_be_unique", column_list=["n", "plan"]),
    config("compound_columns_to_be_unique", column_list=["id", "n"]),
    config("multicolumn_sum_to_equal", column_list=["n", "x"], sum_total=3, ignore_row_if="never"),
    config("multicolumn_values_to_be_equal", column_list=["n", "small"]),
    config("select_column_values_to_be_unique_within_record", column_list=["n", "small", "x"], ignore_row_if="any_value_is_missing"),
    config("table_row_count_to_be_between", min_value=1, max_value=9),
    config("table_row_count_to_equal", value=5),
    config("table_column_count_to_be_between", min_value=2),
    config("table_column_count_to_equal", value=13),
    config("column_to_exist", column="n", column_index=1),
    config("column_to_exist", column="gone"),
    config("table_columns_to_match_ordered_list", column_list=["id", "x"]),
    config("table_columns_to_match_set", column_set=["id"], exact_match=False),
    config(_is + "be_of_type", column="n", type_="int64"),
    config(_is + "be_of_type", column="old", type_="str"),
    config(_is + "be_in_type_list", column="x", type_list=["float64", "str"]),
    config("column_type_to_be", column="plan", type_="str"),
]  # fmt: skip


class Nobody:
    """Great Expectations, where nobody may ask it."""

    def evaluate(self, frame: pd.DataFrame, configs: list[Json], result_format: str) -> list[Json]:
        raise AssertionError([c["type"] for c in configs])


class Counting:
    """An engine that counts how often it is asked."""

    def __init__(self, engine: Any) -> None:
        self.engine = engine
        self.asked: list[list[str]] = []

    def evaluate(self, frame: pd.DataFrame, configs: list[Json], result_format: str) -> list[Json]:
        self.asked.append([c["type"] for c in configs])
        found: list[Json] = self.engine.evaluate(frame, configs, result_format)
        return found


def alone(monkeypatch: pytest.MonkeyPatch, engine: Any) -> None:
    """``engine`` takes the place of Great Expectations."""
    real = registry.adapter
    monkeypatch.setattr(registry, "adapter", lambda group, name: (lambda: engine) if name == "gx" else real(group, name))


SIZES = [(0, "COMPLETE"), (1, "SUMMARY"), (300, "BOOLEAN_ONLY"), (300, "BASIC"), (300, "COMPLETE")]


@pytest.mark.parametrize(("rows", "result_format"), SIZES)
def test_results_equal_those_of_great_expectations(rows: int, result_format: str) -> None:
    data = frame(rows)
    theirs = registry.adapter("nbml.engines", "gx")().evaluate(data, SUITE, result_format)
    for mine, real in zip(OwnEngine().evaluate(data, SUITE, result_format), theirs, strict=True):
        if real["exception_info"].get("raised_exception") is False:
            assert mine == real
            assert list(mine["result"]) == list(real["result"])
        else:
            assert mine["success"] is False


def test_long_columns_are_judged_as_short_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    data = frame(4_000)
    theirs = registry.adapter("nbml.engines", "gx")().evaluate(data, SUITE, "SUMMARY")
    alone(monkeypatch, Nobody())
    assert OwnEngine().evaluate(data, SUITE, "SUMMARY") == theirs


def test_most_types_need_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    alone(monkeypatch, Nobody())
    assert len(OwnEngine().evaluate(frame(50), SUITE, "COMPLETE")) == len(SUITE)
    judged = {c["type"] for c in SUITE}
    assert set(TYPES) <= judged <= set(words.NAMES)
    assert len(judged) >= 50


def other_frame(rows: int) -> pd.DataFrame:
    """Columns of dtypes that are not numpy's, each with nulls, and two without."""
    plain = frame(rows)
    holes = np.random.default_rng(8).random(rows) < 0.2
    whole, part = pd.Series(np.arange(rows) % 7), pd.Series(np.arange(rows) % 5 / 2)
    days = [dt.date(2020, 1, 1 + place % 9) for place in range(rows)]
    return pd.DataFrame(
        {
            "plan": plain["plan"].astype("category"),
            "grade": pd.Series(pd.Categorical(whole.where(~holes), categories=range(7))),
            "n": whole.astype("Int64").mask(holes),
            "m": (whole + 1).astype("Int64"),
            "x": part.astype("Float64").mask(holes),
            "yes": (whole > 3).astype("boolean").mask(holes),
            "arrow": whole.astype("int64[pyarrow]").mask(holes),
            "word": plain["day"].astype("string[pyarrow]").mask(holes),
            "old": plain["day"].astype(pd.StringDtype("python")).mask(holes),
            "mail": plain["mail"].astype(pd.ArrowDtype(pa.string())).mask(holes),
            "at": plain["at"].astype("timestamp[us][pyarrow]").mask(holes),
            "day": pd.Series(days, dtype="object").mask(holes, None),
            "price": pd.Series([decimal.Decimal(place % 29) / 4 for place in range(rows)], dtype="object").mask(holes, None),
            "count": whole.astype("object").mask(holes, None),
        }
    )


def _others() -> list[Json]:
    numbers, texts = ["grade", "n", "x", "yes", "arrow", "count"], ["plan", "word", "old", "mail"]
    found = [config(_is + "be_unique", column=name) for name in [*numbers, *texts, "at", "day"]]
    found += [config(_is + "not_be_null", column=name) for name in ("plan", "n", "arrow", "day")]
    found += [config(_is + "be_between", column=name, min_value=1, max_value=2, strict_max=True) for name in numbers]
    found += [config(_is + "be_in_set", column=name, value_set=[1, 0]) for name in numbers]
    found += [config("column_distinct_values_to_equal_set", column=name, value_set=[1, 9]) for name in numbers]
    found += [config("column_unique_value_count_to_be_between", column=name, max_value=2) for name in ("plan", "n", "arrow", "day")]
    for name in ("n", "count"):
        found += [config(f"column_{kind}_to_be_between", column=name, min_value=9) for kind in ("mean", "median", "sum", "stdev", "min")]
        found += [config(_is + "be_increasing", column=name), config(_is + "not_be_outliers", column=name, multiplier=0.1)]
        found += [config("column_value_z_scores_to_be_less_than", column=name, threshold=1, double_sided=True)]
        wanted = {"quantiles": [0.1, 0.5], "value_ranges": [[0, 1], [9, 9]]}
        found += [config("column_quantile_values_to_be_between", column=name, quantile_ranges=wanted)]
    for name in texts:
        found += [config(_is + "match_regex", column=name, regex="^[bp2]"), config(_is + "not_match_like_pattern", column=name,
            like_pattern="%o%"), config("column_value_lengths_to_be_between", column=name, max_value=4), config(_is + "be_in_set",
            column=name, value_set=["pro", "no"]), config(_is + "match_strftime_format", column=name, strftime_format="%Y-%m-%d"),
            config("column_most_common_value_to_be_in_set", column=name, value_set=["pro"])]  # fmt: skip
    either = {"ignore_row_if": "either_value_is_missing"}
    return [
        *found,
        config(_is + "be_between", column="at", min_value="2020-06-01", max_value=dt.datetime(2022, 1, 1)),
        config(_is + "be_in_set", column="at", value_set=["2020-06-01"]),
        config("column_max_to_be_between", column="at", max_value="2020-06-01"),
        config("column_distinct_values_to_contain_set", column="day", value_set=["2020-01-02", "2021-01-01"]),
        config(_is + "be_between", column="price", min_value=0.25),  # Great Expectations takes long to write a Decimal: few of them
        config(_is + "be_in_type_list", column="count", type_list=["str"]),
        config("column_type_to_be", column="plan", type_="category"),
        config("column_pair_values_to_be_equal", column_A="n", column_B="arrow", **either),
        config("column_pair_values_a_to_be_greater_than_b", column_A="n", column_B="x", **either),
        config("column_pair_values_to_be_in_set", column_A="plan", column_B="n", value_pairs_set=[["pro", 1], [None, 2]]),
        config("compound_columns_to_be_unique", column_list=["plan", "n", "day"]),
        config("multicolumn_sum_to_equal", column_list=["m", "m2"], sum_total=8),
        config("multicolumn_values_to_be_equal", column_list=["m", "m2"]),
        config("select_column_values_to_be_unique_within_record", column_list=["n", "arrow", "m"]),
    ]


@pytest.mark.parametrize(("rows", "result_format"), [(60, "COMPLETE"), (3_500, "SUMMARY")])
def test_columns_of_other_dtypes_need_nobody_else(rows: int, result_format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = other_frame(rows).assign(m2=lambda f: f["m"])
    asked = _others() if rows < 1_000 else [c for c in _others() if c["kwargs"].get("column") in ("plan", "mail", "n")]
    theirs = registry.adapter("nbml.engines", "gx")().evaluate(data, asked, result_format)
    alone(monkeypatch, Nobody())
    for mine, real in zip(OwnEngine().evaluate(data, asked, result_format), theirs, strict=True):
        assert mine == real


def test_what_pandas_cannot_say_of_other_dtypes_is_great_expectations_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    data = pd.DataFrame(
        {
            "two": pd.Series(pd.Categorical([1, 2, 1])),
            "price": pd.Series([decimal.Decimal("1.5"), decimal.Decimal("2"), None], dtype="object"),
            "n": pd.Series([1, None, 3], dtype="Int64"),
            "m": pd.Series([1, 2, 4], dtype="Int64"),
            "wide": pd.Series([2**53, 2**53 + 1, None], dtype="Int64"),
        }
    )
    asked = [
        config(_is + "be_between", column="two", min_value=2),  # two categories of one answer each cannot be negated
        config("column_mean_to_be_between", column="price", min_value=1),
        config("column_pair_values_to_be_equal", column_A="n", column_B="m"),
    ]
    gx = Counting(registry.adapter("nbml.engines", "gx")())
    exact = [config(_is + "be_between", column="wide", max_value=2**53)]
    assert OwnEngine().evaluate(data, exact, "BASIC") == gx.engine.evaluate(data, exact, "BASIC")
    theirs = gx.evaluate(data, asked, "BASIC")
    alone(monkeypatch, gx)
    assert [r["success"] for r in OwnEngine().evaluate(data, asked, "BASIC")] == [r["success"] for r in theirs] == [False] * 3
    assert gx.asked[1] == gx.asked[0]


def test_what_is_not_judged_here_goes_to_great_expectations_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    gx = Counting(registry.adapter("nbml.engines", "gx")())
    alone(monkeypatch, gx)
    asked = [
        config(_is + "be_between", column="n", min_value=0, row_condition="n < 3", condition_parser="pandas"),
        config(_is + "be_unique", column="id"),
        config(_is + "match_json_schema", column="json", json_schema={"type": "object"}),
        config(_is + "be_between", column="plan", min_value=3),
        config("column_mean_to_be_between", column="gone", min_value=0),
    ]
    found = OwnEngine().evaluate(frame(30), asked, "BASIC")
    assert [r["expectation_config"] for r in found] == asked
    assert [r["success"] for r in found] == [False, True, False, False, False]
    assert gx.asked == [[c["type"] for c in asked if "unique" not in c["type"]]]


def test_a_column_that_answers_to_the_same_name_is_great_expectations_to_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    data = pd.DataFrame({"Age": [1, 2], "age": [3, 4]})
    asked = [config(_is + "be_between", column="age", min_value=3)]
    assert OwnEngine().evaluate(data, asked, "BASIC") == registry.adapter("nbml.engines", "gx")().evaluate(data, asked, "BASIC")


def test_a_check_asks_once_and_knows_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    gx = Counting(registry.adapter("nbml.engines", "gx")())
    alone(monkeypatch, gx)
    data = frame(200).set_index(pd.Index([f"r{i}" for i in range(200)]))
    where = {"nbml": {"where": "n > 40", "text": "small < 3"}}
    asked = [
        config(_is + "not_be_null", column="plan"),
        {**config(_is + "be_between", column="small", max_value=3, strict_max=True), "meta": where},
        config("column_mean_to_be_between", column="x", min_value=9),
    ]
    done = check(data, asked, "BOOLEAN_ONLY", OwnEngine(), None, 200)
    broken = data["plan"].isna() | ((data["n"] > 40) & (data["small"] >= 3))
    assert done.rows == np.flatnonzero(broken).tolist()
    assert [r["result"] for r in done.results] == [{}, {}, {}]
    assert done.failures[0]["result"]["unexpected_count"] == int(data["plan"].isna().sum())
    assert done.failures[2]["result"]["observed_value"] == data["x"].mean()
    assert gx.asked == []
    told = check(data, asked, "COMPLETE", OwnEngine(), None, 200).results[1]["result"]
    assert told["unexpected_index_list"] == list(data.index[(data["n"] > 40) & (data["small"] >= 3)])


def test_an_engine_that_only_evaluates_is_asked_once_more_for_the_rows() -> None:
    class Plain:
        evaluate = OwnEngine().evaluate

    data, asked = frame(100), [config(_is + "not_be_null", column="plan")]
    done = check(data, asked, "BASIC", Plain(), None, 200)
    assert done.rows == np.flatnonzero(data["plan"].isna()).tolist()
    assert done.results == check(data, asked, "BASIC", OwnEngine(), None, 200).results


def test_great_expectations_is_not_loaded_for_what_is_judged_here(project: Path) -> None:
    script = (
        "import sys, pandas as pd, nbml\n"
        "nbml.expect('s', 'a >= 0\\nunique(a)\\nmean(a) < 9')\n"
        "assert nbml.validate(pd.DataFrame({'a': [1, 2]}), 's').success\n"
        "assert 'great_expectations' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_frame_that_great_expectations_cannot_take_fails_its_expectations_alone() -> None:
    data = pd.DataFrame({"odd": pd.Series([(1, 2), 1], dtype="object"), "n": [1, 2], "for": pd.to_timedelta([1, 2], unit="D")})
    asked = [
        config(_is + "be_unique", column="n"),
        config(_is + "be_between", column="n", min_value=9, row_condition="n < 3", condition_parser="pandas"),
    ]
    found = OwnEngine().evaluate(data, asked, "BASIC")
    assert [r["success"] for r in found] == [True, False]
    assert found[1]["exception_info"]["exception_message"] == "setting an array element with a sequence"
    asked = [config(_is + "be_null", column="for"), config(_is + "match_json_schema", column="n", json_schema={}), asked[0]]
    told = OwnEngine().evaluate(data.drop(columns="odd"), asked, "BASIC")
    assert [r["success"] for r in told] == [False, False, True]
    assert "cannot be serialized" in told[0]["exception_info"]["exception_message"]


# -- parts -----------------------------------------------------------------------------------------------------

FORMS = (
    "%Y-%m-%d", "%d/%m/%Y", "%H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y%m%d", "%m/%d/%y", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S.%f", "%d", "%m-%d",
    "%b %Y",
)  # fmt: skip
#: what is nearly a date
ODD = (
    "", " 2024-01-01", "2024-01-01 ", "2024-01-01\n", "2024-1-1", "２０２４-01-01", "24-01-01", "2024-01-01T1:2:3", "2024-01-01T10:00:00.5",
    "Jan 2024", "31/1/2024",
)  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_dates_are_those_that_strptime_reads(form: str) -> None:
    days = [f"{y:04}-{m:02}-{d:02}" for y in (0, 1, 1900, 2000, 2023, 2024) for m in range(14) for d in (0, 1, 9, 28, 29, 30, 31, 32)]
    times = [f"{h:02}:{m:02}:{s:02}" for h in (0, 19, 23, 24) for m in (0, 59, 60) for s in (0, 59, 60, 61, 62)]
    texts = [*days, *times, *ODD, *(f"{d}T{t}" for d in days[::17] for t in times[::7]), *(f"{d} 10:30" for d in days[::9])]
    texts += [f"{t[8:10]}/{t[5:7]}/{t[:4]}" for t in days] + [t.replace("-", "") for t in days]
    texts += [f"{t[5:7]}/{t[8:]}/{t[2:4]}" for t in days] + [t[5:] for t in days] + [t[8:] for t in days] + ["2024-01-31T10:00:00.123456"]

    def reads(value: str) -> bool:
        try:
            dt.datetime.strptime(value, form)
        except ValueError:
            return False
        return True

    for text in (pd.Series(texts, dtype="str"), pd.Series(texts * 4, dtype="str")):
        assert dates.broken_dates(text, form).tolist() == [not reads(value) for value in text]


def test_numbers_are_members_as_python_compares_them() -> None:
    chosen = [1, 2.0, True, 2**53 + 1, 2**70, 0.5, float("inf"), -7]
    for values in (np.array([1, 2, 3, 2**53, 2**53 + 1, -7]), np.array([1.0, 0.5, 2.0**53, np.inf, np.nan]), np.array([True, False]),
                   np.array([1, 255], dtype="uint8"), np.array([0.1, 0.5], dtype="float32")):  # fmt: skip
        for more in ([], list(range(30, 60))):
            assert kernel.among(values, chosen + more).tolist() == [v in chosen + more for v in values.tolist()]


def test_equal_pieces_have_equal_hashes_and_others_do_not() -> None:
    pieces = ["", "a", "b", "a\x00", "abcdefgh", "abcdefghi", "abcdefgh\x00", "é", "x" * 100, "x" * 101, "日本語" * 9]
    data = "".join(pieces * 2).encode()
    offsets = np.cumsum([0, *(len(p.encode()) for p in pieces * 2)])
    found = kernel.hashes(np.frombuffer(data, dtype=np.uint8), offsets).tolist()
    assert found[: len(pieces)] == found[len(pieces) :]
    assert len(set(found)) == len(pieces)


def test_first_positions_are_found_wherever_they_are() -> None:
    mask = np.zeros(100_000, dtype=bool)
    assert kernel.first(mask, 20).tolist() == []
    mask[[3, 4_095, 4_096, 70_000, 99_999]] = True
    assert kernel.first(mask, 3).tolist() == [3, 4_095, 4_096]
    assert kernel.first(mask, 20).tolist() == np.flatnonzero(mask).tolist()


def test_failing_rows_are_right_where_many_fail(project: Path) -> None:
    rows = 50_000
    data = pd.DataFrame({"n": np.arange(rows)}, index=np.arange(rows)[::-1])
    nbml.expect("many", "n < 100\nn >= 0, where=n < 10\nn < 5, where=n < 10")
    found = nbml.validate(data, "many")
    assert found.failing_rows().equals(data[(data["n"] >= 100) | data["n"].between(5, 9)])
