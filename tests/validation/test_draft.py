"""A draft holds for the frame that it was drafted from, says what somebody would write, and notices what goes wrong."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nbml
from nbml.validation.checking import OWN, check, engine_of, level
from nbml.validation.draft import draft, holding
from nbml.validation.formats import of_texts
from nbml.validation.grammar import parse
from nbml.validation.margins import around, half_to_double
from nbml.validation.words import columns_of
from validation.drafted import MAKERS, SPOILERS, frame_of, orders

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


@settings(max_examples=int(os.environ.get("NBML_DRAFTS", "10")), deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    kinds=st.lists(st.sampled_from(sorted(MAKERS)), min_size=1, max_size=12),
    rows=st.sampled_from([0, 1, 2, 19, 20, 60, 150]),
    seed=st.integers(0, 2**32),
)
def test_a_draft_holds_whatever_the_frame(kinds: list[str], rows: int, seed: int) -> None:
    frame = frame_of(kinds, rows, seed)
    text = draft(frame)
    assert _broken(frame, text) == []
    assert all(char.isprintable() or char == "\n" for char in text), "what turns or hides text is written as escapes"
    assert text.splitlines()[0].startswith(" <= ".join(half_to_double(rows)).replace(" <= ", " <= rows <= "))


def _broken(frame: pd.DataFrame, text: str) -> list[str]:
    """The lines of a text that fail."""
    return [result["expectation_config"]["meta"]["nbml"]["text"] for result in _failed(frame, text)]


def _failed(frame: pd.DataFrame, text: str) -> list[dict[str, Any]]:
    configs = [config.to_json() for config in parse(text)]
    results = check(level(frame), configs, "BOOLEAN_ONLY", engine_of(OWN), None, 0).results
    return [result for result in results if not result["success"]]


def test_a_draft_is_what_one_would_write() -> None:
    assert draft(FRAMES["usual"]).splitlines() == [
        "25 <= rows <= 100  # 50 now",
        "unique(customer_id)",
        'not_null(customer_id, plan, col("net amount"), since, col("class"))',
        "not_null(age), mostly=0.93  # 4.0 % are null",
        "10 <= age <= 75  # 18.5 to 65.5",
        "plan in {'basic', 'pro'}",
        '-7_000 <= col("net amount") <= 0  # −6,049 to 0',
        'since >= "2020-02-01"  # from 2020-03-04',
        "increasing(since, strictly=True)  # rows are in the order of time",
        'dtype(customer_id) == "int64"',
        'dtype(age) == "float64"',
        'dtype(plan) == "str"',
        'dtype(col("net amount")) == "float64"',
        'dtype(since) == "datetime64"',
        'dtype(col("class")) == "bool"',
    ]


def test_a_business_frame_gives_keys_formats_sets_and_comparisons() -> None:
    lines = [line.partition("  #")[0] for line in draft(orders(1)).splitlines()]
    for line in (
        "unique(order_id)", "unique(sku)", r'matches(email, r"^[^@\s]+@[^@\s]+\.[^@\s]+$")', "matches(sku, '^SKU-[0-9]{6}$')",
        "plan in {'basic', 'enterprise', 'pro'}", "rating in {1, 2, 3, 4, 5}", "returned in {0, 1}", "0 <= discount <= 1",
        "format(day, '%Y-%m-%d')", "opened_at <= closed_at", "min_price <= max_price",
    ):  # fmt: skip
        assert line in lines
    assert not [line for line in lines if "<= order_id" in line], "keys grow"
    assert not [line for line in lines if "items in" in line], "the next frame may have one more"


def test_a_change_of_sign_that_the_range_would_not_show_is_held_by_the_median() -> None:
    values = np.random.default_rng(0).normal(0.4, 0.5, 400).clip(-1.1, 1.2)
    lines = draft(pd.DataFrame({"x": [*values, -1.2, 1.2]})).splitlines()
    assert "median(x) > 0  # the range would not show a change of sign" in lines
    assert not [line for line in draft(pd.DataFrame({"x": [*values, *-values]})).splitlines() if "median" in line]


def test_two_columns_that_identify_a_row_together() -> None:
    grid = pd.DataFrame({"store_id": np.repeat(range(10), 30), "day": list(range(30)) * 10, "sold": range(300)})
    assert "unique(store_id, day)" in draft(grid)
    assert "unique(" not in draft(pd.DataFrame({"store_id": [1, 2] * 12, "day": range(24)})), "by chance"


def test_what_is_mostly_null_is_told_by_its_share() -> None:
    frame = pd.DataFrame({"n": [1] * 30 + [None] * 70, "all": [None] * 100})
    lines = draft(frame).splitlines()
    assert "null_share(n) <= 0.75  # 70.0 % are null" in lines
    assert not [line for line in lines if "all" in line]


def test_of_private_columns_only_types_keys_and_nulls_are_told() -> None:
    text = draft(FRAMES["usual"], private=["age", "plan", "net amount", "since", "customer_id"])
    assert [line for line in text.splitlines() if not line.startswith("dtype(")] == [
        "25 <= rows <= 100  # 50 now",
        "unique(customer_id)",
        'not_null(customer_id, plan, col("net amount"), since, col("class"))',
        "not_null(age), mostly=0.93  # 4.0 % are null",
    ]


@pytest.mark.parametrize(
    ("seen", "bounds"),
    [
        ((18.5, 65.5), ("10", "75")), ((0.0, 1039.0), ("0", "1_200")), ((-6049.3, 0.0), ("-7_000", "0")), ((1, 9), ("0", "10")),
        ((-3, 4), ("-4", "5")), ((-3.0, 4.0), ("-4", "5")),
        ((2**63, 2**64 - 1), ("8_000_000_000_000_000_000", "20_000_000_000_000_000_000")),
        ((0.0017, 0.0311), ("0", "0.036")), ((5.0, 5.0), None), ((1.0, float("inf")), None),
    ],
)  # fmt: skip
def test_bounds_are_wider_clean_and_do_not_cross_nothing(seen: tuple[float, float], bounds: tuple[str, str] | None) -> None:
    assert around(*seen) == bounds


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_bounds_hold_what_was_seen(one: float, other: float) -> None:
    low, high = sorted((one, other))
    found = around(low, high)
    assert found is None or float(found[0]) <= low < high <= float(found[1])


FORMATS: list[tuple[list[str], tuple[str, str] | None]] = [
    ([f"u{i}@x.org" for i in range(30)], ("matches", r"^[^@\s]+@[^@\s]+\.[^@\s]+$")),
    ([f"https://x.org/{i}" for i in range(30)], ("matches", r"^https?://\S+$")),
    ([f"2024-01-{i:02d}" for i in range(1, 31)], ("format", "%Y-%m-%d")),
    ([f"2024-02-{i:02d}" for i in range(1, 31)], None),  # no dates, and as digits and dashes they may be numbers to dial
    ([f"2024-01-{i:02d} 10:00:00" for i in range(1, 31)], ("format", "%Y-%m-%d %H:%M:%S")),
    ([f"DE{i:04d}" for i in range(30)], ("matches", "^DE[0-9]{4}$")),
    ([f"{i:05d}" for i in range(30)], ("matches", "^[0-9]{5}$")),
    ([f"{'AB'[i % 2]}-{i}" for i in range(30)], ("matches", "^[A-Z]{1}-[0-9]{1,4}$")),
    ([f"+49 30 {i:07d}" for i in range(30)], None),
    ([f"{i}" for i in range(30)], None),
    ([f"word{'s' * (i % 3)} {chr(97 + i % 26)}{i}" for i in range(30)], None),
    ([f"a{i}@x.org" for i in range(29)] + ["none"], None),
    ([f"a{i}@x.org" for i in range(10)], None),  # too few to tell
]


@pytest.mark.parametrize(("values", "found"), FORMATS)
def test_formats_are_found_by_evidence(values: list[str], found: tuple[str, str] | None) -> None:
    told = of_texts(values)
    assert (None if told is None else told[:2]) == found


def test_a_draft_notices_what_goes_wrong() -> None:
    """The share of columns gone wrong in which a line that names the column fails, by what went wrong."""
    from sklearn import datasets

    frames = {
        "breast_cancer": datasets.load_breast_cancer(as_frame=True).frame,
        "wine": datasets.load_wine(as_frame=True).frame,
        "diabetes": datasets.load_diabetes(as_frame=True).frame,
        "orders": orders(3),
    }
    hits: dict[str, list[bool]] = {kind: [] for kind in SPOILERS}
    missed = []
    for name, frame in frames.items():
        text = "\n".join(line for line in draft(frame).splitlines() if not line.startswith("dtype("))
        for kind, spoil in SPOILERS.items():
            spoilt, columns = spoil(frame, np.random.default_rng(11))
            if columns:
                broken = {column for r in _failed(spoilt, text) for column in columns_of(r["expectation_config"]["kwargs"])}
                hits[kind] += [column in broken for column in columns]
                missed += [(kind, name, column) for column in columns if column not in broken]
    rates = {kind: sum(found) / len(found) for kind, found in hits.items()}
    assert {kind: rate for kind, rate in rates.items() if kind != "signs"} == dict.fromkeys(rates.keys() - {"signs"}, 1.0), missed
    assert rates["signs"] >= 0.9, missed


def test_texts_of_few_days_are_dates_and_no_set() -> None:
    days = [f"2024-01-{1 + i % 3:02d}" for i in range(60)]
    frame = pd.DataFrame({"day": days, "plan": ["basic", "pro"] * 30, "shift": ["06:00", "14:00"] * 30})
    text = draft(frame)
    assert "format(day, '%Y-%m-%d')  # all are dates\nplan in {'basic', 'pro'}\nshift in {'06:00', '14:00'}\n" in text
    assert "day in" not in text
    tomorrow = frame.assign(day="2024-01-09")
    assert not _broken(tomorrow, text)


def test_a_line_that_does_not_hold_is_no_part_of_a_draft() -> None:
    frame = pd.DataFrame({"x": [1, 2, 3]})
    lines = [("x >= 2", ""), ("not_null(x)", ""), ("x >= 0", "all of them"), ("x >=", ""), ("mean(gone) > 1", "")]
    assert holding(frame, lines) == [("not_null(x)", ""), ("x >= 0", "all of them")]
