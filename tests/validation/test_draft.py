"""A draft holds for the frame that it was drafted from, and says what somebody would write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import nbml
from nbml.validation.draft import draft

FRAMES: dict[str, pd.DataFrame] = {
    "usual": pd.DataFrame(
        {
            "customer_id": range(50),
            "age": [18.5 + i for i in range(48)] + [None, None],
            "plan": ["basic", "pro"] * 25,
            "net amount": [-123.456 * i for i in range(50)],
            "since": pd.date_range("2020-03-04", periods=50),
            "class": [True, False] * 25,
        }
    ),
    "odd": pd.DataFrame(
        {
            1: [[1], {"a": 2}, None],
            "quote'\"\\": ["it's", 'a "b"', "back\\slash"],
            "kind": pd.Categorical(["a", None, "b"]),
            "tiny": [1e-300, 2e-7, 3e300],
            "big": [2**62, -(2**62), 0],
            "inf": [1.0, float("inf"), None],
            "gone": [None, None, None],
            "rows": [1, 2, 3],
            "\ufb01le": [1, 2, 3],
            "whole": pd.array([1, None, 3], dtype="Int64"),
            "zone": pd.to_datetime(["2024-01-01", None, "2024-05-05"], utc=True),
        }
    ),
    "one column": pd.DataFrame({"x": [5] * 30}),
    "no rows": pd.DataFrame({"x": pd.Series([], dtype=float)}),
    "nothing": pd.DataFrame(),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_draft_holds_for_its_own_frame(project: Path, name: str) -> None:
    frame: Any = FRAMES[name]
    text = nbml.validate(frame, "drafted").draft
    found = nbml.validate(frame, nbml.expect("drafted", text))
    assert found.success is True, (text, repr(found))


def test_a_draft_is_what_one_would_write() -> None:
    assert draft(FRAMES["usual"]).splitlines() == [
        "25 <= rows <= 100",
        "unique(customer_id)",
        'not_null(customer_id, plan, col("net amount"), since, col("class"))',
        "not_null(age), mostly=0.96",
        "18 <= age <= 66",
        "plan in {'basic', 'pro'}",
        '-6_100 <= col("net amount") <= 0',
        'since >= "2020-03-04"',
    ]


def test_of_private_columns_only_nulls_are_told() -> None:
    text = draft(FRAMES["usual"], private=["age", "plan", "net amount", "since"])
    assert text.splitlines() == [
        "25 <= rows <= 100",
        "unique(customer_id)",
        'not_null(customer_id, plan, col("net amount"), since, col("class"))',
        "not_null(age), mostly=0.96",
    ]
