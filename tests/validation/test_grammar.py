"""The language of ``expect``: what each line means, and errors that point and propose."""

from __future__ import annotations

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
