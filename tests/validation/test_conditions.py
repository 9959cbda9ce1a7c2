"""Conditions on rows: what they pick, and what they say when they cannot."""

from __future__ import annotations

import functools
import json
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nbml import errors
from nbml.runtime.columns import Column
from nbml.runtime.conditions import condition
from nbml.validation import row_conditions, where

FRAME = pd.DataFrame(
    {
        "auc": [0.9, 0.7, None, 0.8],
        "model": ["hgb", "svm", "hgb", None],
        "valid/loss": [1.0, 2.0, 3.0, 4.0],
        "ok": pd.array([True, False, None, True], dtype="boolean"),
        "at": pd.to_datetime(["2024-01-01", "2024-02-01", None, "2024-03-01"], utc=True),
        "kind": pd.Categorical(["a", "b", "a", None]),
    },
    index=["p", "q", "q", "r"],
)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("auc > 0.75", [0, 3]),
        ("not auc > 0.75", [1]),
        ("auc != 0.9", [1, 3]),
        ('auc > 0.6 and model == "hgb"', [0]),
        ('model == "svm" or auc >= 0.9', [0, 1]),
        ('model in {"svm", "lr"}', [1]),
        ('model not in {"svm"}', [0, 2]),
        ("null(auc) or null(model)", [2, 3]),
        ("model is not None", [0, 1, 2]),
        ("0.7 <= auc < 0.9", [1, 3]),
        ('col("valid/loss") > 2', [2, 3]),
        ("ok", [0, 3]),
        ("not ok", [1]),
        ('at >= "2024-02-01"', [1, 3]),
        ('kind == "a"', [0, 2]),
        ('auc > var("least")', [0]),
        ("auc * 0 == 0", None),
    ],
)
def test_which_rows_are_picked(text: str, rows: list[int] | None) -> None:
    if rows is None:
        with pytest.raises(errors.BadExpectation):
            where(text, FRAME, {"least": 0.85})
        return
    mask = where(text, FRAME, {"least": 0.85})
    assert mask.dtype == bool
    assert list(mask.index) == list(FRAME.index)
    assert list(mask.to_numpy().nonzero()[0]) == rows


@pytest.mark.parametrize(
    ("text", "message", "following"),
    [
        ("acu > 0.8", "column 1: no column 'acu'; nearest: auc", "auc > 0.8"),
        ("auc > 0.8 and valid_loss < 2", "column 15: no column 'valid_loss'; nearest: valid/loss", 'auc > 0.8 and col("valid/loss") < 2'),
        ("auc > 0.8 & ok", "column 7: '0.8 & ok' is no value: write it out, or as var(\"name\")", None),
        ('model > 3', "column 1: 'model > 3' compares values of different kinds", None),
        ("zzz > 3", "column 1: no column 'zzz'; there are auc, model, valid/loss, ok, at, kind", None),
        ("model", "column 1: 'model' is not true or false: compare it", None),
        ("auc >", "column 6: cannot be read: invalid syntax", None),
        ("", "column 1: one condition is needed, as in auc > 0.8", None),
        ("open('x')", "column 1: \"open('x')\" is no condition", None),
    ],
)
def test_errors_point_and_propose(text: str, message: str, following: str | None) -> None:
    with pytest.raises(errors.BadExpectation) as found:
        where(text, FRAME)
    assert (found.value.message, found.value.next) == (message, following)
    if following is not None:
        assert where(following, FRAME).dtype == bool


TEXTS = ['model in {"hgb"}', "ok and not null(auc)", 'matches(model, "^h")', 'like(model, "s%")', "not like(model, '%b')",
         'at < "2024-02-15"']  # fmt: skip


@pytest.mark.parametrize(("text", "rows"), list(zip(TEXTS, [[0, 2], [0, 3], [0, 2], [1], [1], [0, 1]], strict=True)))
def test_texts_are_matched_and_nulls_are_neither(text: str, rows: list[int]) -> None:
    assert list(where(text, FRAME).to_numpy().nonzero()[0]) == rows


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("matches(model)", "column 1: matches takes a column and a pattern"),
        ("matches(model, '[')", "column 16: '[' is no regular expression: unterminated character set at position 0"),
        ("like(model, 3)", "column 13: a pattern is a text in quotes, not 3"),
        ("matches(auc, 'a')", "column 9: 'auc' holds values that are no texts"),
        ("matces(model, 'a')", "column 1: \"matces(model, 'a')\" is no condition; nearest: matches"),
    ],
)
def test_patterns_that_cannot_be_looked_for(text: str, message: str) -> None:
    with pytest.raises(errors.BadExpectation) as found:
        where(text, FRAME)
    assert found.value.message == message


# -- the same rows in Great Expectations --------------------------------------------------------------------------

JUDGED = pd.DataFrame(
    {
        "a": [1.0, 2.0, None, 4.0, -1.0],
        "b": pd.array([1, None, 3, 4, 4], dtype="Int64"),
        "s": ["x", "it's", None, 'q"', ""],
        "net amount": [1, 2, 3, 4, 5],
        "class": [True, False, True, False, True],
        "ok": pd.array([True, None, False, True, None], dtype="boolean"),
        "at": pd.to_datetime(["2024-01-01", None, "2024-03-01", "2024-01-02", "2023-01-01"]),
    }
)
SIGNS = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
NUMBERS = st.sampled_from(["-1", "0", "1", "2.5", "4"])
NUMBERED = st.sampled_from(["a", "b", 'col("net amount")'])
STRINGS = st.sampled_from(['"x"', '"it\'s"', '"q\\""', '""', '"zz"'])
LEAVES = st.one_of(
    st.builds("{} {} {}".format, NUMBERED, SIGNS, NUMBERS),
    st.builds("{} {} {}".format, NUMBERS, SIGNS, NUMBERED),
    st.builds("{} <= {} < {}".format, NUMBERS, NUMBERED, NUMBERS),
    st.builds("s {} {}".format, SIGNS, STRINGS),
    st.builds("s {} {{{}, {}}}".format, st.sampled_from(["in", "not in"]), STRINGS, STRINGS),
    st.builds("{} {} [{}, {}]".format, NUMBERED, st.sampled_from(["in", "not in"]), NUMBERS, NUMBERS),
    st.builds("{}({})".format, st.sampled_from(["null", "not_null"]), st.sampled_from(["a", "b", "s", "at", "ok"])),
    st.builds("at {} '2024-01-02'".format, st.sampled_from(["<", "<=", ">", ">="])),
    st.sampled_from(["ok", 'col("class")', "not ok", "ok == True", "ok != True", "a is None", "s is not None"]),
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds("({}) and ({})".format, inner, inner), st.builds("({}) or ({})".format, inner, inner), st.builds("not ({})".format, inner)
    ),
    max_leaves=4,
)


@functools.cache
def engine() -> Any:
    from great_expectations.execution_engine import PandasExecutionEngine

    return PandasExecutionEngine()


@settings(max_examples=50, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(CONDITIONS)
def test_great_expectations_picks_the_same_rows_by_its_own_condition(text: str) -> None:
    made = row_conditions.of(text)
    assert made is not None
    assert made == json.loads(json.dumps(made))
    theirs = engine()._apply_row_condition_filter(JUDGED, made, {})
    assert list(theirs.index) == list(where(text, JUDGED).to_numpy().nonzero()[0])
    back = row_conditions.words(made)
    assert back is not None
    assert row_conditions.of(back) == made


@pytest.mark.parametrize(
    "text",
    ["a < b", "matches(s, 'x')", "like(s, 'x%')", "at == '2024-01-01'", "at in {'2024-01-01'}", "ok in {True}", "a in {1, 'x'}",
     'col("a`b") > 1', "a in []", "not (" + " or ".join(f"a == {i} and b == {i}" for i in range(9)) + ")"],
)  # fmt: skip
def test_what_great_expectations_cannot_express_has_no_form(text: str) -> None:
    assert row_conditions.of(text) is None


@pytest.mark.parametrize("found", [
    "age > 3", None, 3, {}, {"type": "pass_through", "pass_through_filter": "a > 1"},
    {"type": "comparison", "column": {"name": "a"}, "operator": "!=", "parameter": 1},
    {"type": "comparison", "column": {"name": "a"}, "operator": "~", "parameter": 1},
    {"type": "and", "conditions": [{"type": "or", "conditions": []}]},
])  # fmt: skip
def test_conditions_of_great_expectations_that_mean_other_rows_stay_theirs(found: object) -> None:
    assert row_conditions.words(found) is None


def test_a_service_picks_the_same_rows() -> None:
    specs = {"s": {"name": "s", "dtype": "str", "kind": "text"}}
    for text in ("matches(s, '^i')", "like(s, 'x%')", "not matches(s, 'x')", "matches(s, 'x') or null(s)"):
        holds, read = condition(text, {name: Column(spec) for name, spec in specs.items()})
        cells = {"s": [None if value is None or value != value else value for value in JUDGED["s"]]}
        assert [i for i in range(5) if holds(cells, i)] == list(where(text, JUDGED).to_numpy().nonzero()[0])
        assert read == ("s",)
