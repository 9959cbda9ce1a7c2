"""The language of ``expect``: what each line means, and errors that point and propose."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nbml
from nbml import errors
from nbml.slicing import recorder
from nbml.validation.grammar import parse
from nbml.validation.words import HELP, KEYWORDS, NAMES, ROWS_BY_QUERY, WORDS

EITHER = "either_value_is_missing"
MEANINGS: list[tuple[str, str, dict[str, Any]]] = [
    ("1_000 <= rows <= 100_000", "expect_table_row_count_to_be_between", {"min_value": 1000, "max_value": 100000}),
    ("rows > 10", "expect_table_row_count_to_be_between", {"min_value": 11}),
    ("rows == 569", "expect_table_row_count_to_be_between", {"min_value": 569, "max_value": 569}),
    ("unique(customer_id)", "expect_column_values_to_be_unique", {"column": "customer_id"}),
    ("unique(shop, day)", "expect_compound_columns_to_be_unique", {"column_list": ["shop", "day"]}),
    ("18 <= age <= 100, mostly=0.99", "expect_column_values_to_be_between",
     {"column": "age", "min_value": 18, "max_value": 100, "mostly": 0.99}),
    ("100 > age", "expect_column_values_to_be_between", {"column": "age", "max_value": 100, "strict_max": True}),
    ("age > -1", "expect_column_values_to_be_between", {"column": "age", "min_value": -1, "strict_min": True}),
    ('plan in {"basic", "pro"}', "expect_column_values_to_be_in_set", {"column": "plan", "value_set": ["basic", "pro"]}),
    ('plan not in ["x"]', "expect_column_values_to_not_be_in_set", {"column": "plan", "value_set": ["x"]}),
    ('plan == "pro"', "expect_column_values_to_be_in_set", {"column": "plan", "value_set": ["pro"]}),
    ('plan != "pro"', "expect_column_values_to_not_be_in_set", {"column": "plan", "value_set": ["pro"]}),
    ('matches(email, r"[^@]+@[^@]+")', "expect_column_values_to_match_regex", {"column": "email", "regex": "[^@]+@[^@]+"}),
    ('not like(email, "%@x")', "expect_column_values_to_not_match_like_pattern", {"column": "email", "like_pattern": "%@x"}),
    (
        "signup_date <= last_login",
        "expect_column_pair_values_a_to_be_greater_than_b",
        {"column_A": "last_login", "column_B": "signup_date", "or_equal": True, "ignore_row_if": EITHER},
    ),
    ("a == b", "expect_column_pair_values_to_be_equal", {"column_A": "a", "column_B": "b", "ignore_row_if": EITHER}),
    ('col("net amount") >= 0', "expect_column_values_to_be_between", {"column": "net amount", "min_value": 0}),
    ('tenure <= var("max_tenure")', "expect_column_values_to_be_between", {"column": "tenure", "max_value": 70}),
    ('since >= var("start")', "expect_column_values_to_be_between", {"column": "since", "min_value": "2024-01-01T00:00:00"}),
    ('plan in var("plans")', "expect_column_values_to_be_in_set", {"column": "plan", "value_set": ["a", "b"]}),
    ("0.2 <= mean(churned) <= 0.4", "expect_column_mean_to_be_between", {"column": "churned", "min_value": 0.2, "max_value": 0.4}),
    ("null_share(x) < 0.1", "expect_column_proportion_of_non_null_values_to_be_between",
     {"column": "x", "min_value": 0.9, "strict_min": True}),
    ("quantile(x, 0.5) <= 3", "expect_column_quantile_values_to_be_between",
     {"column": "x", "quantile_ranges": {"quantiles": [0.5], "value_ranges": [[None, 3]]}}),
    ("length(x) == 5", "expect_column_value_lengths_to_equal", {"column": "x", "value": 5}),
    ('dtype(x) in {"int64", "Int64"}', "expect_column_values_to_be_in_type_list", {"column": "x", "type_list": ["int64", "Int64"]}),
    ("psi(age) < 0.2", "expect_column_psi_to_be_less_than", {"column": "age", "max_value": 0.2, "strict_max": True}),
    ("0.2 >= ks(age)", "expect_column_ks_to_be_less_than", {"column": "age", "max_value": 0.2, "strict_max": False}),
    ("0 < x", "expect_column_values_to_be_between", {"column": "x", "min_value": 0, "strict_min": True}),
    ("100 > age >= 18", "expect_column_values_to_be_between",
     {"column": "age", "min_value": 18, "max_value": 100, "strict_max": True}),
    ("'2020-01-01' <= signup < '2021-01-01T12:00'", "expect_column_values_to_be_between",
     {"column": "signup", "min_value": "2020-01-01", "max_value": "2021-01-01T12:00", "strict_max": True}),
    ("a > b", "expect_column_pair_values_a_to_be_greater_than_b",
     {"column_A": "a", "column_B": "b", "or_equal": False, "ignore_row_if": EITHER}),
    ('not matches(x, "a")', "expect_column_values_to_not_match_regex", {"column": "x", "regex": "a"}),
    ('format(x, "%Y")', "expect_column_values_to_match_strftime_format", {"column": "x", "strftime_format": "%Y"}),
    ("3 <= length(x) < 5", "expect_column_value_lengths_to_be_between",
     {"column": "x", "min_value": 3, "max_value": 5, "strict_max": True}),
    ("decreasing(x, strictly=True)", "expect_column_values_to_be_decreasing", {"column": "x", "strictly": True}),
    ("sum(x) == 1", "expect_column_sum_to_be_between", {"column": "x", "min_value": 1, "max_value": 1}),
    ("n_unique(x) <= 9", "expect_column_unique_value_count_to_be_between", {"column": "x", "max_value": 9}),
    ("dtype(x) == 'int64'", "expect_column_values_to_be_of_type", {"column": "x", "type_": "int64"}),
    ("columns == {'a', 'b'}", "expect_table_columns_to_match_set", {"column_set": ["a", "b"], "exact_match": True}),
    ("x >= 0, mostly=1", "expect_column_values_to_be_between", {"column": "x", "min_value": 0, "mostly": 1}),
    ('expect_compound_columns_to_be_unique(["a", "b"], ignore_row_if="never", mostly=0.5)', "expect_compound_columns_to_be_unique",
     {"column_list": ["a", "b"], "ignore_row_if": "never", "mostly": 0.5}),
    ('expect_column_kl_divergence_to_be_less_than(col("a b"), partition_object={"values": [1, (2, 3)], "weights": None})',
     "expect_column_kl_divergence_to_be_less_than", {"column": "a b", "partition_object": {"values": [1, [2, 3]], "weights": None}}),
    ('unexpected_rows_expectation(unexpected_rows_query="SELECT 1")', "unexpected_rows_expectation",
     {"unexpected_rows_query": "SELECT 1"}),
    ("columns == ['a', 'b']", "expect_table_columns_to_match_ordered_list", {"column_list": ["a", "b"]}),
    ("columns >= {'a'}", "expect_table_columns_to_match_set", {"column_set": ["a"], "exact_match": False}),
    ('expect_column_values_to_be_increasing("ts")', "expect_column_values_to_be_increasing", {"column": "ts"}),
    ("expect_column_max_to_be_between(x, 1, max_value=2)", "expect_column_max_to_be_between",
     {"column": "x", "min_value": 1, "max_value": 2}),
]  # fmt: skip
VALUES = {"max_tenure": np.int64(70), "start": pd.Timestamp("2024-01-01"), "plans": {"b", "a"}, "frame": pd.DataFrame()}


@pytest.mark.parametrize(("text", "kind", "kwargs"), MEANINGS)
def test_what_a_line_means(text: str, kind: str, kwargs: dict[str, Any]) -> None:
    assert [(c.type, c.kwargs) for c in parse(text, VALUES)] == [(kind, kwargs)]


def test_an_entry_may_span_lines_and_carry_comments_and_keywords() -> None:
    text = """
        # what was agreed
        plan in {       # three plans
            "basic",
            "pro",
        }, mostly=0.5, severity="warning"

        not_null(a, b), where=plan == "pro" and tenure < var("max_tenure")
    """
    first, second, third = parse(text, VALUES)
    assert (first.line, first.kwargs["value_set"], first.kwargs["mostly"], first.severity) == (3, ["basic", "pro"], 0.5, "warning")
    assert [(c.line, c.short, c.where) for c in (second, third)] == [
        (8, "not_null(a)", 'plan == "pro" and tenure < 70'),
        (8, "not_null(b)", 'plan == "pro" and tenure < 70'),
    ]


WRONG = [
    ("rows > 1\nuniqe(x)", "line 2, column 1: no expectation 'uniqe'; nearest: unique", "unique(x)"),
    ("0 <= meen(meen_age) <= 1", "line 1, column 6: no expectation 'meen'; nearest: mean", "0 <= mean(meen_age) <= 1"),
    ("not_null(x), mostli=0.9", "line 1, column 14: no keyword 'mostli'; nearest: mostly", "not_null(x), mostly=0.9"),
    ("é > 0, mstly=0.5", "line 1, column 8: no keyword 'mstly'; nearest: mostly", "é > 0, mostly=0.5"),
    ("x > 3, severity='warnng'", "line 1, column 17: severity is one of critical, warning, info, not 'warnng'",
     "x > 3, severity='warning'"),
    ("18 => age", "line 1, column 4: => is written >=", "18 >= age"),
    ("age = 5", "line 1, column 1: values are compared by ==", "age == 5"),
    ("plan in {basic}", "line 1, column 10: 'basic' is no value: a text is written \"basic\"", 'plan in {"basic"}'),
    ("plan in {'a',\n    basic}", "line 2, column 5: 'basic' is no value: a text is written \"basic\"", "plan in {'a', 'basic'}"),
    ("x is None", "line 1, column 1: nulls are asked for by null(...)", "null(x)"),
    ("not null(x)", "line 1, column 1: not null(...) is written not_null(...)", "not_null(x)"),
    ("rows >= 10, mostly=0.5", "line 1, column 13: mostly says nothing here: the column is judged as a whole", "rows >= 10"),
    ("quantile(x, 0.5) < 3", "line 1, column 1: a quantile is held with <= and >=", "quantile(x, 0.5) <= 3"),
    ('x < var("max_tenur")', "line 1, column 5: no name 'max_tenur' in the notebook; nearest: max_tenure", 'x < var("max_tenure")'),
    (
        "expect_column_values_to_be_incresing('ts')",
        "line 1, column 1: no expectation 'expect_column_values_to_be_incresing'; nearest: expect_column_values_to_be_increasing",
        "expect_column_values_to_be_increasing('ts')",
    ),
    ("x > 0, where=a > 1 & b < 2", "line 1, column 14: where: '1 & b' is no value: write it out, or as var(\"name\")", None),
    ("x > 0, where=nul(a)", "line 1, column 14: where: 'nul(a)' is no condition; nearest: null", "x > 0, where=null(a)"),
    ("mean(x)", "line 1, column 1: mean(...) has to be compared, as in mean(x) <= 1", None),
    ("x >", "line 1, column 4: cannot be read: invalid syntax", None),
    ("(x > 1", "line 1, column 1: brackets or quotes do not match", None),
    ("rows > 1\n  x > 1", "line 2, column 1: unexpected indent", None),
    ("x > 1; y > 1", "line 1, column 6: cannot be read: invalid syntax", None),
    ("a and b", "line 1, column 7: each expectation stands in a line of its own", None),
    ("__import__('os')", "line 1, column 1: no expectation '__import__'", None),
    ("x < var('frame')",
     "line 1, column 5: 'frame' is a DataFrame; a suite holds numbers, texts, dates and lists of up to 10,000 of them", None),
    ("x < 1e999", "line 1, column 5: '1e309' is no value: write it out, or as var(\"name\")", None),
    ("not x == 3", "line 1, column 1: 'not' stands before matches and like; a comparison is turned round", "x != 3"),
    ("not x <= 3", "line 1, column 1: 'not' stands before matches and like; a comparison is turned round", "x > 3"),
    ("not unique(x)", "line 1, column 1: Great Expectations has nothing for not unique(...)", None),
    ("a != b", "line 1, column 1: two columns are compared by <, <=, >, >= or ==", None),
    ("0 < a < b", "line 1, column 9: compare a column with values, or columns with each other", None),
    ("length(x) <= 2.5", "line 1, column 14: length(...) is a whole number, and not to be compared with 2.5", None),
    ("n_unique(x) == 0.5", "line 1, column 16: n_unique(...) is a whole number, and not to be compared with 0.5", None),
    ("null_share(x) < 5", "line 1, column 17: null_share(...) is a share from 0 to 1, and not to be compared with 5", None),
    ("mean(x, by=y) < 5", "line 1, column 9: mean takes no keyword inside its brackets", None),
    ("increasing(x, strictly=1)", "line 1, column 24: strictly is True or False, not 1", None),
    ("dtype(x) in {int64}", "line 1, column 14: 'int64' is no value: a text is written \"int64\"", 'dtype(x) in {"int64"}'),
    ("dtype(x) in {1}", "line 1, column 13: a type is a text in quotes, not 1", None),
    ("columns == {1}", "line 1, column 12: columns are compared with a set or list of names, as in columns == {'a', 'b'}", None),
    ("columns >= {'a'}, where=x > 1", "line 1, column 19: where says nothing here: it is the same in all rows", "columns >= {'a'}"),
    ("mean(x) < 1, severity='info', mostly=0.5", "line 1, column 31: mostly says nothing here: the column is judged as a whole",
     "mean(x) < 1, severity='info'"),
    ("expect_column_to_exist('x', severity='hi')", "line 1, column 38: severity is one of critical, warning, info, not 'hi'", None),
    ("expect_column_max_to_be_between('x', 1, min_value=2)", "line 1, column 38: min_value is given twice", None),
    ("expect_column_values_to_be_of_type('x', int64)", "line 1, column 41: 'int64' is no value: a text is written \"int64\"",
     'expect_column_values_to_be_of_type(\'x\', "int64")'),
    ("expect_column_psi_to_be_less_than('x')",
     "line 1, column 1: expect_column_psi_to_be_less_than needs column and max_value, a number", None),
    ("x in {'\\ud800'}", "line 1, column 7: \"'\\\\ud800'\" is no value: write it out, or as var(\"name\")", None),
    ("psi(age) > 0.2", "line 1, column 1: psi is held below a value, as in psi(age) < 0.2", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message", "following"), WRONG)
def test_an_error_points_and_proposes_and_the_proposal_works(text: str, message: str, following: str | None) -> None:
    with pytest.raises(errors.BadExpectation) as found:
        parse(text, VALUES)
    assert (found.value.message, found.value.next) == (message, following)
    assert message.startswith(f"line {found.value.line}, column {found.value.column}: ")
    if following is not None:
        assert parse(following, VALUES)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="abxyz <>=!&|()[]{}'\"#,.0159_-+\n\\ü@:;", max_size=40))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    place = (1, 1)
    try:
        parse(text)
    except errors.BadExpectation as error:
        place = (error.line, error.column)
    assert min(place) >= 1


def test_var_is_frozen_when_written(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(recorder.namespace(), "limit_of_age", 40)
    first = nbml.expect("ages", "age <= var('limit_of_age')")
    monkeypatch.setitem(recorder.namespace(), "limit_of_age", 50)
    assert first.to_json()["expectations"][0]["kwargs"]["max_value"] == 40
    assert nbml.suite("ages").to_json()["expectations"][0]["kwargs"]["max_value"] == 40
    second = nbml.expect("ages", "age <= var('limit_of_age')")
    assert (str(second), second.to_json()["expectations"][0]["kwargs"]["max_value"]) == ("ages@2", 50)


def test_columns_in_a_row_are_compared_each_with_the_next() -> None:
    found = parse('a <= col("b c") < d == e, mostly=0.5, where=f > 1')
    assert [(c.short, c.kwargs.get("column_A"), c.kwargs.get("column_B"), c.kwargs.get("or_equal")) for c in found] == [
        ('a <= col("b c")', "b c", "a", True), ('col("b c") < d', "d", "b c", False), ("d == e", "d", "e", None),
    ]  # fmt: skip
    assert {(c.where, c.kwargs["mostly"], c.text) for c in found} == {
        ("f > 1", 0.5, 'a <= col("b c") < d == e, mostly=0.5, where=f > 1')
    }


def test_each_of_the_names_of_great_expectations_is_an_entry_with_its_arguments() -> None:
    import great_expectations.expectations  # noqa: F401
    from great_expectations.expectations.registry import get_expectation_impl

    values = {"regex": "a", "strftime_format": "%Y", "min_value": 1, "max_value": 2, "value": 3, "quantile_ranges": {"quantiles": [0.5]}}
    for kind in (*NAMES, ROWS_BY_QUERY):
        fields = get_expectation_impl(kind).__fields__
        own = [name for name in fields if name in {"column", *get_expectation_impl(kind).args_keys} and name in fields]
        kwargs = {name: values.get(name, ["a"] if name.endswith(("_list", "_set")) else "a") for name in own}
        text = f"{kind}({', '.join(f'{name}={value!r}' for name, value in kwargs.items())})"
        (found,) = parse(text)
        assert (found.type, found.kwargs) == (kind, {k: v for k, v in kwargs.items() if k != "severity"})


FRAME = pd.DataFrame({"age": [1, 2], "net amount": [3, 4]})
MISSED = [
    ("agee > 3", "line 1, column 1: no column 'agee'; nearest: age", "age > 3"),
    ("not_null(age)\nnot_null(age, net)", "line 2, column 15: no column 'net'; there are age, net amount", None),
    ('col("net amout") > 3', 'line 1, column 1: no column \'net amout\'; nearest: net amount', 'col("net amount") > 3'),
    ("mean(agee) > 3", "line 1, column 6: no column 'agee'; nearest: age", "mean(age) > 3"),
    ("age > 3, where=agee > 1", "line 1, column 16: where: no column 'agee'; nearest: age", "age > 3, where=age > 1"),
    ("expect_column_values_to_be_null('agee')", "line 1, column 1: no column 'agee'; nearest: age", None),
]


@pytest.mark.parametrize(("text", "message", "following"), MISSED)
def test_a_column_that_the_frame_has_not_is_told_at_once(project: Path, text: str, message: str, following: str | None) -> None:
    with pytest.raises(errors.BadExpectation) as found:
        nbml.expect("missed", text, on=FRAME)
    assert (found.value.message, found.value.next) == (message, following)
    assert following is None or nbml.expect("missed", following, on=FRAME)
    assert nbml.expect("missed", text), "without a frame nobody knows"


def test_columns_that_may_be_missing_may_be_asked_for(project: Path) -> None:
    found = nbml.expect("asked", "expect_column_to_exist('zzz')\ncolumns >= {'zzz'}\nage > 0", on=FRAME)
    assert found.validation is not None
    assert [r["success"] for r in found.validation.results] == [False, False, True]


DEEP = ["x > " + "-" * 5000 + "1", "x in " + "[" * 300 + "]" * 300, "(" * 5000 + "x" + ")" * 5000 + " > 1"]


@pytest.mark.parametrize("text", ["x > 1\x00", *DEEP])
def test_what_python_itself_cannot_read_is_refused(text: str) -> None:
    with pytest.raises(errors.BadExpectation) as found:
        parse(text)
    assert found.value.message.startswith("line 1, column ")


def test_line_ends_of_any_kind_and_characters_that_look_like_some() -> None:
    found = parse("x > 1\r\ny in {'a\u2028b',\r 'c'}\r\n\r\nz > 2")
    assert [(c.line, c.kwargs.get("value_set")) for c in found] == [(1, None), (2, ["a\u2028b", "c"]), (5, None)]
    with pytest.raises(errors.BadExpectation) as caught:
        parse("x in {'\u2028'}\ny in {'\u2028', q}")
    assert caught.value.message == "line 2, column 12: 'q' is no value: a text is written \"q\""


# -- the page ---------------------------------------------------------------------------------------------------

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "expectations.md"


def test_the_page_of_the_language_is_true() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| (?:`(\w+)`|[^|]*) \| `([^`]+)` \|", PAGE.read_text(), re.M)
    values = {"max_tenure": 70}
    for word, kind, example in rows:
        assert word in example
        (found, *_) = parse(example, values)
        assert kind in ("", found.type), example
    assert {word for word, _, _ in rows} >= {*WORDS, *KEYWORDS, "<=", "==", "in", "not in", "!="}
    blocks = re.findall(r"```\n(.*?)```", PAGE.read_text(), re.S)
    assert len(blocks) >= 2
    for block in blocks:
        assert parse(block.removeprefix("%%nbml expect churn --on df\n"), values)
    assert set(HELP) == {*WORDS, *KEYWORDS}
    for word, line in HELP.items():
        example = line.partition(": ")[2].split("; ")[0]
        assert word in example
        assert parse(example, values), line
