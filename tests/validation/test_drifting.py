"""``drift`` against scipy, against the expectations of the same names, and as people type it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import nbml
from nbml import errors
from nbml.__main__ import main
from nbml.frames import measures
from nbml.frames.distances import Comparison
from nbml.validation.drifting import Feature, drifted, measured

HEADS = ["feature", "psi", "ks", "js", "wasserstein", "chi2", "n", "drifted"]


def frame(rows: int = 1000, seed: int = 0, shift: float = 0.0, plans: tuple[str, ...] = ("basic", "pro")) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "plan": rng.choice(plans, rows),
            "age": rng.normal(40 + shift * 10, 10, rows).round(),
            "spend": rng.exponential(30, rows),
            "member": rng.random(rows) < 0.5,
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 10**6, rows), unit="s"),
        }
    )


def test_the_frame_is_as_the_contract_says(project: Path) -> None:
    now = frame(seed=1, shift=1)
    found = nbml.drift(now, frame())
    assert list(found.columns) == HEADS
    assert list(found["feature"]) == list(now.columns), "in the order of the current frame"
    assert [str(found[head].dtype) for head in HEADS] == ["str", *["float64"] * 5, "int64", "bool"]
    assert list(found["drifted"]) == [False, True, False, False, False]
    assert found["n"].tolist() == [1000] * 5
    assert found.set_index("feature").loc[["plan", "member"], ["ks", "wasserstein"]].isna().all(axis=None)
    assert found[["psi", "js", "chi2"]].notna().all(axis=None)
    assert not nbml.drift(frame(), frame())["drifted"].any()
    assert type(found[found["drifted"]]) is pd.DataFrame


@pytest.mark.parametrize("word", ["psi", "ks", "js", "wasserstein", "chi2"])
def test_the_numbers_are_those_of_the_expectations(project: Path, word: str) -> None:
    reference, now = frame(), frame(seed=1, shift=0.3, plans=("basic", "pro", "pro"))
    columns = ["age", "spend", "when", *([] if word in ("ks", "wasserstein") else ["plan", "member"])]
    made = nbml.expect("same", "\n".join(f"{word}({column}) < 1e12" for column in columns), on=reference)
    checked = nbml.validate(now, made).to_json()["results"]
    observed = {result["expectation_config"]["kwargs"]["column"]: result["result"]["observed_value"] for result in checked}
    found = nbml.drift(now, reference).set_index("feature")[word]
    assert observed == {column: found[column] for column in columns}


def heavy(rows: int, seed: int) -> np.ndarray[Any, Any]:
    """Ties, outliers and a continuous part."""
    rng = np.random.default_rng(seed)
    return np.concatenate([np.zeros(rows // 3), rng.standard_cauchy(rows // 3), rng.normal(seed * 0.1, 1, rows - 2 * (rows // 3))])


def test_many_rows_are_measured_within_the_stated_bounds() -> None:
    reference, now = heavy(150_000, 0), heavy(120_000, 1)
    pair = Comparison(pd.Series(now), pd.Series(reference))
    exact = stats.ks_2samp(now, reference, method="asymp")
    assert 0 <= exact.statistic - pair.ks <= 1 / measures.PICKS
    bound = (now.max() - now.min()) / (2 * len(reference))
    assert abs(stats.wasserstein_distance(now, reference) - pair.wasserstein) <= bound
    edges = np.unique(np.quantile(reference, np.arange(1, 10) / 10))
    counts = [np.bincount(np.searchsorted(edges, side), minlength=len(edges) + 1) for side in (now, reference)]
    assert pair.bins[1][:-1].tolist() == counts[0].tolist(), "the bins are exact"
    assert pair.bins[2][:-1].tolist() == counts[1].tolist()
    fewer = Comparison(pd.Series(now[::2]), pd.Series(reference[::2]))
    assert fewer.ks == pytest.approx(stats.ks_2samp(now[::2], reference[::2], method="asymp").statistic, abs=1e-12), "exact below"


def test_probabilities_are_scipys() -> None:
    rng = np.random.default_rng(3)
    for rows, method, close in ((200, "exact", 1e-9), (4000, "asymp", 0.05)):
        now, reference = rng.normal(0.05, 1, rows), rng.normal(0, 1, rows + 37)
        theirs = stats.ks_2samp(now, reference, method=method)
        assert Comparison(pd.Series(now), pd.Series(reference)).p == pytest.approx(theirs.pvalue, rel=close)
    now, reference = rng.choice(["a", "b", "c"], 300), rng.choice(["a", "b", "c"], 400)
    table = [[(side == value).sum() for value in "abc"] for side in (now, reference)]
    theirs = stats.chi2_contingency(table, correction=False)
    mine = Comparison(pd.Series(now), pd.Series(reference))
    assert (mine.chi2, mine.p) == pytest.approx((theirs.statistic, theirs.pvalue))


def test_drifted_is_benjamini_hochberg_and_a_psi_of_a_tenth() -> None:
    ps = np.sort(np.random.default_rng(1).random(40)) ** 3
    features = [Feature(f"f{i}", (0.5,) * 5, 1000, float(p)) for i, p in enumerate(ps)]
    adjusted = stats.false_discovery_control(ps, method="bh")
    assert drifted(features) == {f"f{i}" for i in np.flatnonzero(adjusted <= 0.05)}
    assert 0 < len(drifted(features)) < int((ps <= 0.05).sum()), "more than one test makes a difference"
    small = [Feature(f.name, (0.0999,) * 5, 1000, f.p) for f in features]
    assert drifted(small) == set(), "significant, and too small to matter"
    assert drifted([Feature("x", (math.nan,) * 5, 10, reason="few")]) == set()


def test_chance_in_few_rows_is_no_drift(project: Path) -> None:
    rng = np.random.default_rng(0)
    now, reference = (pd.DataFrame(rng.normal(size=(200, 60))).rename(columns=str) for _ in range(2))
    found = nbml.drift(now, reference)
    assert (found["psi"] >= 0.1).sum() > 5
    assert not found["drifted"].any()
    assert repr(found).startswith("[steady] 0 of 60 features drifted · 200 rows against 200")


def test_nulls_alone_are_drift(project: Path) -> None:
    reference, now = frame(), frame(seed=1)
    now.loc[now.index[:300], ["age", "plan"]] = np.nan
    now["spend"] = now["spend"].where(now.index >= 300, np.inf)
    found = nbml.drift(now, reference).set_index("feature")
    assert found.index[found["drifted"]].tolist() == ["plan", "age", "spend"]
    assert "nulls: 0 % → 30.0 %" in repr(nbml.drift(now, reference))


def test_what_cannot_be_measured_is_told(project: Path) -> None:
    reference = frame()
    few = nbml.drift(frame(199), reference)
    assert few[HEADS[1:6]].isna().all(axis=None)
    assert not few["drifted"].any()
    assert "not enough rows: 199 where 200 are needed" in repr(few)
    assert repr(few).startswith("[not measured]")
    (project / "nbml.toml").write_text("[validation]\nmin_rows = 100\n")
    assert nbml.drift(frame(199), reference)["psi"].notna().all()
    changed = frame(seed=1).assign(age=lambda f: f["age"].astype(str), fresh=1).drop(columns="plan")
    found = nbml.drift(changed, reference)
    assert list(found["feature"]) == ["age", "spend", "member", "when"]
    assert found["psi"].isna().tolist() == [True, False, False, False]
    said = repr(found)
    assert "not measured: age: the column is str, in the reference float64" in said
    assert "only in the frame: fresh" in said
    assert "only in the reference: plan" in said


def test_a_column_of_nulls_is_of_any_kind() -> None:
    reference = pd.DataFrame({"age": [1.0, 2.0, 3.0, 4.0] * 100})
    [gone] = measured(pd.DataFrame({"age": [None] * 400}), reference, 200)
    assert (gone.reason, gone.psi > 1, math.isnan(gone.values[1])) == ("", True, True)
    assert drifted([gone]) == {"age"}


def test_many_columns_side_by_side_are_as_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    now, reference = frame(seed=1, shift=1), frame()
    alone = measured(now, reference, 200)
    monkeypatch.setattr("nbml.validation.drifting.MANY", 10)
    assert measured(now, reference, 200) == alone


def test_it_shows_what_drifted_worst_first_and_no_private_value(project: Path) -> None:
    (project / "nbml.toml").write_text('[data]\nprivate = ["plan", "age"]\n')
    reference, now = frame(), frame(seed=1, shift=1, plans=("secretly",)).assign(spend=lambda f: f["spend"] * 2)
    found = nbml.drift(now, reference)
    shown = repr(found)
    places = [shown.index(f"\n  {name} ") for name in ("plan", "age", "spend")]
    assert places == sorted(places)
    assert "3 of 5 features drifted" in shown
    bundle = found._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", "application/vnd.nbml.v1+json"}
    text = json.dumps(bundle, allow_nan=False)
    assert "secretly" not in text
    assert "basic" not in text
    assert "a bin: " in text


def test_frames_versions_and_files_are_taken(project: Path) -> None:
    reference, now = frame(), frame(seed=1, shift=1)
    nbml.snapshot(reference, "churn")
    nbml.snapshot(now, "churn")
    now.to_parquet(project / "new.parquet")
    expected = pd.DataFrame(nbml.drift(now, reference))
    for current, against in (("churn", "churn@1"), ("new.parquet", reference)):
        pd.testing.assert_frame_equal(pd.DataFrame(nbml.drift(current, against)), expected)
    found = nbml.drift(nbml.dataset("churn@2"), Path("new.parquet"))
    assert not found["drifted"].any()
    assert "churn@2 against new.parquet" in repr(found)
    with pytest.raises(errors.UnknownDataset) as unknown:
        nbml.drift(now, "chrn@1")
    assert str(unknown.value) == 'no dataset \'chrn@1\'; nearest: churn@2\nTry: nbml.dataset("churn@2")'
    with pytest.raises(errors.NotADataFrame) as no_frame:
        nbml.drift([1, 2], reference)
    assert no_frame.value.message == "a dataframe is needed, not list"


def test_the_magic_and_the_terminal_give_the_same(shell: Any, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shell.user_ns |= {"new": frame(seed=1, shift=1), "old": frame()}
    nbml.snapshot(shell.user_ns["old"], "churn")
    cell = shell.run_cell("found = %nbml drift new --against churn@1\nfound")
    assert cell.success
    assert repr(cell.result).splitlines()[0].startswith("[drifted] new against churn@1: 1 of 5 features drifted")
    assert repr(cell.result).splitlines()[-1] == "Next: %nbml diff churn@1 new"
    assert shell.run_cell("%nbml diff churn@1 new").success
    wrong = shell.run_cell("%nbml drift new --against chrn@1")
    assert str(wrong.error_in_exec) == "no dataset 'chrn@1'; nearest: churn@1\nTry: %nbml drift new --against churn@1"
    shell.user_ns["new"].to_csv(project / "new.csv", index=False)
    capsys.readouterr()
    assert main(["drift", "new.csv", "--against", "churn@1", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["feature"] for row in rows] == ["plan", "age", "spend", "member", "when"]
    assert rows[0]["ks"] is None
    assert [row["drifted"] for row in rows] == [False, True, False, False, False]
