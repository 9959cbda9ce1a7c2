"""Row expectations give the verdicts of Great Expectations, nulls and pairs included; conditions pick the rows that pandas picks."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from nbml.runtime.checks import check
from nbml.runtime.columns import Column
from nbml.runtime.conditions import Unsupported, condition
from nbml.runtime.plan import Plan

NULL = None


def dates(*texts: str | None, utc: bool = False) -> pd.Series:
    return pd.to_datetime(pd.Series(texts, dtype="str"), utc=utc, format="ISO8601")


FRAME = pd.DataFrame(
    {
        "age": pd.Series([17.0, 18, 30.5, 100, 101, NULL, -0.0, 1e300], dtype="float64"),
        "floor": pd.Series([17, 18, 30, 99, 101, NULL, 0, -5], dtype="float64"),
        "whole": pd.Series([17, 18, 30, 99, 101, NULL, 0, -5], dtype="Int64"),
        "n": pd.Series([3, 3, 2, 1, 0, -1, 12345, 18], dtype="int64"),
        "on": pd.Series([True, False, True, NULL, False, True, True, False], dtype="boolean"),
        "plan": pd.Series(["basic", "pro", NULL, "Basic", "", "a\nb", "päß", "basic"], dtype="str"),
        "other": pd.Series(["basic", "a", NULL, NULL, "", "a%b", "9", "pro"], dtype="str"),
        "day": pd.Series(["2024-01-31", "2024-02-30", "31.01.2024", NULL, "", "2024-1-1", "2024-01-01 ", "x"], dtype="str"),
        "doc": pd.Series(["{}", "[1,", "1", NULL, "", "NaN", '"x"', "{'a': 1}"], dtype="str"),
        "begun": dates("2024-01-01", "2024-05-01T12:00:00", NULL, "2030-01-01", "1999-12-31", NULL, "2024-01-01", "2024-06-01"),
        "ended": dates("2024-01-01", "2024-05-02", "2024-01-01", NULL, "1999-12-30", NULL, "2025-01-01", "2024-05-01"),
        "seen": dates("2024-01-01T00:30+01:00", "2024-05-01T12:00Z", NULL, "2030-01-01T00Z", "1999-12-31T00Z", "2024-01-01T00Z",
                      "2024-06-01T00Z", "2024-01-01T00:00:00.000001+00:00", utc=True),
        "kind": pd.Series(["a", "b", NULL, "c", "a", "a", "b", "c"], dtype="category"),
    }
)  # fmt: skip
KINDS = {
    "age": "number", "floor": "number", "whole": "integer", "n": "integer", "on": "boolean", "plan": "text", "other": "text",
    "day": "text", "doc": "text", "begun": "datetime", "ended": "datetime", "seen": "datetime", "kind": "category",
}  # fmt: skip

#: entries of the grammar, and expectations by their own names
SUITE = """
18 <= age <= 100
18 < age < 100
age > 18
age <= 100.5
0 < floor <= 99
floor >= 18
0 < whole <= 99
whole in {17, 30}
matches(whole, "^1")
whole >= n
n < 18
n == 3
n != 3
on == True
plan in {"basic", "pro"}
plan not in {"basic", ""}
age in {18, 100}
n in {3, 1.0, "2"}
kind in {"a", "b"}
kind != "c"
not_null(age)
not_null(plan, kind)
not_null(begun)
null(plan)
null(age)
matches(plan, r"^[a-z]+$")
matches(plan, "(?i)BASIC")
matches(n, r"^\\d+$")
not matches(plan, "a")
matches(kind, "[ab]")
like(other, "a%")
like(plan, "_asic")
like(plan, "a%b")
2 <= length(plan) <= 5
2 < length(plan) < 5
length(plan) == 5
length(plan) <= 3
format(day, "%Y-%m-%d")
age >= floor
age > floor
floor == n
plan == other
plan < other
begun <= ended
begun < ended
begun >= "2024-01-01"
begun < "2024-05-01T12:00:00"
"1999-12-31" < begun <= "2024-06-01"
begun == "2024-01-01"
seen >= "2024-01-01"
seen <= "2024-01-01T00:00:00Z"
expect_column_pair_values_a_to_be_greater_than_b("age", "floor")
expect_column_pair_values_a_to_be_greater_than_b("age", "floor", or_equal=True, ignore_row_if="neither")
expect_column_pair_values_a_to_be_greater_than_b("begun", "ended", or_equal=True)
expect_column_pair_values_to_be_equal("plan", "other")
expect_column_pair_values_to_be_equal("plan", "other", ignore_row_if="neither")
expect_column_pair_values_to_be_in_set("plan", "other", value_pairs_set=[["basic", "basic"], ["basic", "pro"], ["", ""]],
                                       ignore_row_if="both_values_are_missing")
expect_select_column_values_to_be_unique_within_record(column_list=["plan", "other", "day"])
expect_select_column_values_to_be_unique_within_record(column_list=["plan", "other"], ignore_row_if="any_value_is_missing")
expect_select_column_values_to_be_unique_within_record(column_list=["plan", "other"], ignore_row_if="never")
expect_multicolumn_values_to_be_equal(column_list=["plan", "other"])
expect_multicolumn_sum_to_equal(column_list=["n", "floor"], sum_total=20)
expect_multicolumn_sum_to_equal(column_list=["n", "floor"], sum_total=20, ignore_row_if="any_value_is_missing")
expect_column_values_to_be_json_parseable("doc")
expect_column_values_to_match_regex_list("plan", regex_list=["^b", "o$"])
expect_column_values_to_match_regex_list("plan", regex_list=["^b", "c$"], match_on="all")
expect_column_values_to_not_match_regex_list("plan", regex_list=["^b", "o$"])
age > 50, where=plan == "basic" and not on
"""


def rows() -> dict[str, list[Any]]:
    """The frame as a request's columns."""
    out: dict[str, list[Any]] = {}
    for name in FRAME:
        dates = KINDS[name] == "datetime"
        out[name] = [None if pd.isna(v) else v.isoformat() if dates else v for v in FRAME[name].astype(object)]
    return out


def columns() -> dict[str, Column]:
    specs = [{"name": n, "kind": k, "dtype": str(FRAME[n].dtype), "categories": ["a", "b", "c"] * (n == "kind")} for n, k in KINDS.items()]
    return {spec["name"]: Column(spec) for spec in specs}


@pytest.mark.slow
def test_verdicts_are_those_of_great_expectations() -> None:
    from nbml.validation import grammar
    from nbml.validation.serving import scopes

    configs = [c if isinstance(c, dict) else c.to_json() for c in grammar.parse(SUITE)]
    expectations = scopes({"name": "s", "expectations": configs, "meta": {}}, KINDS)
    assert [e["text"] for e in expectations if e["scope"] != "row"] == []
    assert len(expectations) >= 65
    checked = _gx(configs)
    inputs, cells = columns(), {}
    for name, values in rows().items():
        read, wrong = inputs[name].read(values)
        assert wrong == []
        cells[name] = inputs[name].comparable(read)
    unlike = []
    for expectation, wanted in zip(expectations, checked, strict=True):
        found = check(json.loads(json.dumps(expectation)), inputs).broken(cells)
        if found != wanted:
            unlike.append((expectation["text"], found, wanted))
    assert unlike == []
    assert sum(map(bool, checked)) > len(checked) * 0.8, "the frame breaks most of them"


def _gx(configs: list[dict[str, Any]]) -> list[list[int] | str]:
    """The failing rows of each expectation as GX finds them, or why it could not judge. The last has a ``where``."""
    from nbml import registry
    from nbml.validation.conditions import where

    engine = registry.adapter("nbml.engines", "gx")()
    picked = where(configs[-1]["meta"]["nbml"]["where"], FRAME).to_numpy().nonzero()[0].tolist()
    results = engine.evaluate(FRAME, configs[:-1], "COMPLETE")
    results += engine.evaluate(FRAME.iloc[picked].reset_index(drop=True), configs[-1:], "COMPLETE")
    out: list[list[int] | str] = []
    for place, result in enumerate(results):
        failed = "'raised_exception': True" in str(result["exception_info"])
        rows = result["result"].get("unexpected_index_list") or []
        last = place == len(configs) - 1
        out.append(str(result["exception_info"])[-300:] if failed else sorted(picked[row] if last else row for row in rows))
    return out


CONDITIONS = [
    'plan == "basic"', "age > 18", "age > 18 and not floor > 99", "not age > 18", "not (age > 18 or on)", "not (age > 18 and on)",
    "on", "not on", "not not on", "on == True",
    'not (plan in {"basic", "pro"}) or null(age)', 'plan not in ["basic"]', "18 <= n <= 30 or on",
    "begun < ended", 'begun < ended < "2026-01-01"', 'begun >= "2024-01-01" and kind is not None', 'seen == "2024-01-01"',
    'seen > "2024-01-01T00:00:00+00:00"', 'col("plan") == other', "plan != other", "age == None", "age is None", "not_null(age)",
    "n == 3", "3 != n", "n in {3, 1}", 'kind == "a"', "whole >= n", "whole > 18 or n > 2", 'plan < "c"',
]  # fmt: skip


def test_conditions_pick_the_rows_that_pandas_picks() -> None:
    from nbml.validation.conditions import where

    inputs, given = columns(), rows()
    cells = {name: inputs[name].comparable(inputs[name].read(values)[0]) for name, values in given.items()}
    picks = {}
    for text in CONDITIONS:
        holds, _ = condition(text, inputs)
        found = [i for i in range(len(FRAME)) if holds(cells, i)]
        assert found == where(text, FRAME).to_numpy().nonzero()[0].tolist(), text
        picks[text] = tuple(found)
    assert len(set(picks.values())) > 20


@pytest.mark.parametrize(
    ("kind", "kwargs", "why"),
    [
        ("expect_column_values_to_be_unique", {"column": "age"}, "expect_column_values_to_be_unique is not judged row by row"),
        ("expect_column_values_to_be_increasing", {"column": "n"}, "expect_column_values_to_be_increasing is not judged row by row"),
        ("expect_column_values_to_be_between", {"column": "age"}, "it has no bound"),
        ("expect_column_values_to_be_between", {"column": "age", "min_value": "a"}, "age cannot be compared with 'a'"),
        ("expect_column_values_to_be_between", {"column": "plan", "min_value": 1}, "plan cannot be compared with 1"),
        ("expect_column_values_to_be_between", {"column": "age", "min_value": 5, "max_value": 4}, "5 is more than 4"),
        ("expect_column_values_to_be_between", {"column": "begun", "min_value": "soon"}, "'soon' is no instant of begun"),
        ("expect_column_values_to_be_between",
         {"column": "begun", "max_value": "2024-01-01T00:00Z"}, "'2024-01-01T00:00Z' is no instant of begun"),
        ("expect_column_values_to_be_between", {"column": "agee", "min_value": 5}, "no input 'agee'"),
        ("expect_column_values_to_be_between", {"column": "age", "min_value": 5, "row_condition": "n > 1"}, "the argument 'row_condition'"),
        ("expect_column_values_to_match_regex", {"column": "age", "regex": "1"}, "age holds no texts"),
        ("expect_column_values_to_match_regex", {"column": "plan", "regex": "("}, "'(' is no regular expression"),
        ("expect_column_pair_values_to_be_equal", {"column_A": "plan", "column_B": "n"}, "plan and n are of different kinds"),
        ("expect_column_pair_values_to_be_equal", {"column_A": "begun", "column_B": "seen"}, "begun and seen are of different kinds"),
    ],
)
def test_what_cannot_be_judged_is_known_when_the_plan_is_made(kind: str, kwargs: dict[str, Any], why: str) -> None:
    with pytest.raises(Unsupported) as caught:
        check({"text": "t", "type": kind, "kwargs": kwargs}, columns())
    assert str(caught.value) == why
    inputs = [{"name": n, "kind": k, "dtype": str(FRAME[n].dtype)} for n, k in KINDS.items()]
    one = {"text": "the line", "scope": "row", "type": kind, "kwargs": kwargs}
    plan = Plan.of({"inputs": inputs, "expectations": [one, {**one, "text": "another", "scope": "window"}]})
    assert (plan.checks, plan.unsupported, plan.reasons) == ((), ("the line",), (why,))


@pytest.mark.parametrize(
    "text",
    ["__import__('os').system('true')", "age.real > 1", "age > n + 1", "[x for x in age]", "age > 'a'", "age in 5", "agee > 1", "lambda: 1",
     "age >", "plan", "begun > 5", "begun < seen", "age is 1", "null(age, n)", "(" * 300 + "age" + ")" * 300],
)  # fmt: skip
def test_conditions_are_read_and_never_run(text: str) -> None:
    with pytest.raises(Unsupported):
        condition(text, columns())
