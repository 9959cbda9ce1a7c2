"""Drift measures against scipy's and against the definition, and what is not enough to measure."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nbml
from nbml import errors
from nbml.validation.distances import distance


def value(word: str, now: pd.Series, reference: pd.Series) -> float:
    found = distance(word, now, reference, 1)
    assert found.value is not None, found.reason
    return found.value


def psi_by_the_book(now: pd.Series, reference: pd.Series) -> float:
    """Ten quantile bins of the reference, one for nulls, floor 1e-4."""
    edges = np.unique(np.quantile(reference.dropna(), np.arange(1, 10) / 10))
    total = 0.0
    bounds = [-np.inf, *edges, np.inf]
    masks = [(lambda s, a=a, b=b: (s > a) & (s <= b)) for a, b in pairwise(bounds)] + [lambda s: s.isna()]
    for mask in masks:
        share, expected = (max(mask(side).mean(), 1e-4) for side in (now, reference))
        total += (share - expected) * np.log(share / expected)
    return float(total)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.floats(-2, 2), st.floats(0.3, 3), st.floats(0, 0.3), st.integers(1, 60))
def test_measures_of_numbers_equal_independent_ones(seed: int, shift: float, scale: float, nulls: float, digits: int) -> None:
    from scipy import stats

    rng = np.random.default_rng(seed)
    reference = pd.Series(np.round(rng.normal(size=400) * 10, 0 if digits < 10 else 3))
    now = pd.Series(np.round((rng.normal(size=300) * scale + shift) * 10, 0 if digits < 10 else 3))
    now[rng.random(300) < nulls] = np.nan
    if now.isna().all():
        return
    assert value("ks", now, reference) == pytest.approx(stats.ks_2samp(now.dropna(), reference).statistic, abs=1e-12)
    assert value("wasserstein", now, reference) == pytest.approx(stats.wasserstein_distance(now.dropna(), reference), abs=1e-9)
    assert value("psi", now, reference) == pytest.approx(psi_by_the_book(now, reference), abs=1e-9)


def test_measures_of_categories_equal_independent_ones() -> None:
    from scipy.spatial.distance import jensenshannon
    from scipy.stats import chi2_contingency

    reference = pd.Series(["a"] * 50 + ["b"] * 30 + ["c"] * 20)
    now = pd.Series(["a"] * 20 + ["b"] * 20 + ["d"] * 5 + [None] * 5)
    theirs, mine = np.array([50, 30, 20, 0, 0]) / 100, np.array([20, 20, 0, 5, 5]) / 50
    assert value("js", now, reference) == pytest.approx(jensenshannon(mine, theirs, base=2))
    assert value("chi2", now, reference) == pytest.approx(chi2_contingency([mine * 50, theirs * 100], correction=False).statistic)
    floored = [(max(m, 1e-4), max(t, 1e-4)) for m, t in zip(mine, theirs, strict=True)]
    assert value("psi", now, reference) == pytest.approx(sum((m - t) * np.log(m / t) for m, t in floored))


def test_the_fifty_most_frequent_and_other() -> None:
    reference = pd.Series([f"v{i}" for i in range(60) for _ in range(60 - i)])
    found = distance("psi", reference, reference, 1)
    assert found.value == 0
    assert found.details["bins"] == [*(f"v{i}" for i in range(50)), "other", None]
    swapped = reference.replace({f"v{i}": f"w{i}" for i in range(50, 60)})
    assert value("psi", swapped, reference) == 0, "rare values are one bin"


def test_nulls_are_a_bin_and_a_constant_is_noticed_both_ways() -> None:
    reference = pd.Series([1.0] * 300)
    assert value("psi", pd.Series([1.0] * 150 + [None] * 150), reference) > 1
    assert value("psi", reference - 1, reference) > 1
    assert value("psi", reference + 1, reference) > 1
    assert value("psi", reference, reference) == 0


@pytest.mark.parametrize("column", ["number", "whole", "text", "flag", "when", "odd", "kind", "span"])
def test_every_kind_of_column_can_be_compared_with_itself(column: str) -> None:
    frame = pd.DataFrame(
        {
            "number": [1.0, np.inf, np.nan, -np.inf] * 60,
            "whole": pd.array([1, None, 3, 4] * 60, dtype="Int64"),
            "text": ["a", "b", None, "c"] * 60,
            "flag": [True, False] * 120,
            "when": pd.to_datetime(["2024-01-01", None] * 120, utc=True),
            "odd": [[1], {"a": 2}, None, 3] * 60,
            "kind": pd.Categorical(["a", "b", None, "a"] * 60),
            "span": pd.to_timedelta([1, 2] * 120, unit="s"),
        }
    )
    assert distance("psi", frame[column], frame[column], 200).value == 0
    assert distance("js", frame[column], frame[column], 200).value == 0
    assert distance("chi2", frame[column], frame[column], 200).value == pytest.approx(0)


def test_too_few_rows_are_not_a_pass(project: Path) -> None:
    frame = pd.DataFrame({"age": range(300)})
    nbml.expect("few", "psi(age) < 0.2", on=frame)
    assert nbml.validate(frame, "few").success is True
    found = nbml.validate(frame.head(199), "few")
    assert found.success is False
    assert "not enough rows: 199 where 200 are needed" in repr(found)
    (project / "nbml.toml").write_text("[validation]\nmin_rows = 100\n")
    assert "not enough" not in repr(nbml.validate(frame.head(199), "few"))


def test_the_order_of_references(project: Path) -> None:
    young, old = pd.DataFrame({"age": range(300)}), pd.DataFrame({"age": range(1000, 1300)})
    nbml.expect("ages", "psi(age) < 0.2")
    with pytest.raises(errors.BadArgument) as found:
        nbml.validate(young, "ages")
    assert found.value.message == (
        "psi(age) < 0.2: nothing to compare with: no reference is pinned (%%nbml expect ... --on), and --against is not given"
    )
    nbml.expect("ages", "psi(age) < 0.2", on=young)
    assert nbml.validate(young, "ages").success is True
    assert nbml.validate(old, "ages").success is False
    nbml.snapshot(old, "elders")
    assert nbml.validate(old, "ages", against="elders@1").success is True, "against= comes first"
    assert nbml.validate(young, "ages", against=old).success is False
    assert list(nbml.data()["name"]) == ["elders"], "a pinned reference is in no dataset's history"


def test_what_cannot_be_compared_fails_with_its_reason(project: Path) -> None:
    frame = pd.DataFrame({"age": range(300), "plan": ["a", "b", "c"] * 100})
    nbml.expect("odd", "ks(plan) < 0.1\npsi(agee) < 0.1\npsi(age) < 0.1", on=frame.assign(agee=1))
    found = nbml.validate(frame.astype({"age": str}), "odd")
    reasons = [f.reason for f in found.failures]
    assert reasons[0].startswith("ks compares numbers, and the column is ")
    assert reasons[1] == "no column 'agee' in the frame; nearest: age"
    assert reasons[2] == f"the column is {frame.astype({'age': str})['age'].dtype}, in the reference int64"


def test_quantiles_of_sorted_values_are_numpys_to_the_last_bit() -> None:
    from nbml.frames.distances import ordered

    rng = np.random.default_rng(0)
    shares = np.arange(1, 10) / 10
    for rows in (1, 2, 3, 10, 399, 1000, 12_345):
        values = rng.lognormal(3, 2, rows)
        assert ordered(pd.Series(values)).quantiles(shares).tolist() == np.quantile(values, shares).tolist()
