"""``profile`` against pandas and scikit-learn, and as people type it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nbml
from nbml import errors
from nbml.__main__ import main
from nbml.datasets import associating, profiling

HEADS = ["column", "dtype", "nulls", "null_share", "distinct", "min", "mean", "median", "max", "stdev", "top", "top_share", "memory"]


def people(rows: int = 600) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    age = rng.normal(40, 10, rows).round()
    age[: rows // 4] = np.nan
    return pd.DataFrame(
        {
            "id": range(rows),
            "age": age,
            "plan": rng.choice(["basic", "pro", "team"], rows, p=[0.6, 0.3, 0.1]),
            "when": pd.date_range("2024-01-01", periods=rows, freq="h", tz="Europe/Berlin"),
            "income": np.exp(rng.normal(10, 2, rows)),
            "kind": "one",
            "churned": rng.random(rows) < 0.4,
        }
    )


def codes(found: Any) -> list[str]:
    return [note.code for note in found.notes]


def test_the_figures_are_those_of_pandas(project: Path) -> None:
    df = people().assign(large=lambda f: 2**60 + f["id"], span=lambda f: pd.to_timedelta(f["id"], unit="min"), odd=[[1]] * 600)
    found = nbml.profile(df)
    columns = found.columns
    assert list(columns.columns) == HEADS
    assert columns["column"].tolist() == list(df.columns)
    rows = columns.set_index("column")
    for name in df.columns.drop("odd"):
        expected = [str(df[name].dtype), df[name].isna().sum(), df[name].nunique()]
        assert rows.loc[name, ["dtype", "nulls", "distinct"]].tolist() == expected, name
        assert rows.loc[name, "memory"] == df[name].memory_usage(index=False, deep=True)
    for name in ("id", "age", "income"):
        expected = [df[name].min(), df[name].mean(), df[name].median(), df[name].max(), df[name].std()]
        assert rows.loc[name, ["min", "mean", "median", "max", "stdev"]].tolist() == pytest.approx(expected, rel=1e-12)
    assert rows.loc["large", ["min", "max"]].tolist() == [2**60, 2**60 + 599]
    for name in ("when", "span"):
        assert rows.loc[name, ["min", "max", "median"]].tolist() == [df[name].min(), df[name].max(), df[name].median()]
    assert rows.loc["plan", ["top", "top_share"]].tolist() == ["basic", (df["plan"] == "basic").mean()]
    assert rows.loc["odd", ["distinct", "top_share"]].tolist() == [1, 1.0]
    assert (found.rows, found.duplicates, found.memory) == (600, 0, int(rows["memory"].sum()))


def test_what_is_odd_is_one_note_each(project: Path) -> None:
    df = people().assign(age2=lambda f: f["age"] * -2 + 1, mixed=pd.Series(["a", 1] * 300, dtype=object), off=np.inf)
    df = pd.concat([df, df.head(6)], ignore_index=True)
    found = nbml.profile(df)
    assert codes(found) == ["duplicates", "constant", "nulls", "infinite", "nearly-unique", "skewed", "mixed", "correlated"]
    said = dict(zip(codes(found), map(str, found.notes), strict=True))
    assert said["duplicates"] == "6 rows repeat an earlier one (1.0 %)"
    assert said["constant"] == "one value only: kind, off"
    assert said["nulls"] == "often null: age (25.7 %), age2 (25.7 %)"
    assert said["infinite"] == "infinite values: off (606)"
    assert said["nearly-unique"] == "as good as unique: id (600 of 606)"
    assert said["skewed"].startswith("a few values far from the rest: income (skewness ")
    assert said["mixed"] == "values of several kinds: mixed (mixed-integer)"
    assert said["correlated"] == "move together: age and age2 (-1.00)"
    assert found.notes[-1].columns == ("age", "age2")
    assert nbml.profile(people()[["id", "plan"]].head(10)).notes == (), "few rows say little"


def test_repeated_rows_are_counted_as_pandas_does(project: Path) -> None:
    rng = np.random.default_rng(1)
    df = pd.DataFrame({"x": rng.integers(0, 9, 300), "y": rng.choice(["a", None, "b"], 300), "z": rng.choice([0.0, -0.0, np.nan], 300)})
    assert nbml.profile(df).duplicates == int(df.duplicated().sum()) > 100
    wide = pd.DataFrame(rng.integers(0, 2, (2000, 60)))
    wide.columns = [f"c{i}" for i in range(60)]
    assert nbml.profile(wide).duplicates == 0


def test_a_column_that_holds_the_target_is_named(project: Path) -> None:
    rng = np.random.default_rng(0)
    df = people().assign(refund=lambda f: np.where(f["churned"], rng.random(600), -1.0))
    df["score"] = df["churned"] + rng.normal(0, 1, 600)
    df["reason"] = np.where(df["churned"], rng.choice(["price", "moved"], 600), None)
    found = nbml.profile(df, target="churned")
    assert found.measure == "AUC"
    values = found.columns.set_index("column")["association"]
    from sklearn.metrics import roc_auc_score

    for name in ("score", "income"):
        area = roc_auc_score(df["churned"], df[name])
        assert values[name] == pytest.approx(max(area, 1 - area), abs=1e-12)
    assert values[["refund", "reason"]].tolist() == [1.0, 1.0]
    assert np.isnan(values["churned"])
    assert values["id"] < 0.6, "what stands once tells nothing"
    assert 0.6 < values["score"] < 0.9
    assert found.notes[0].code == "target-leak"
    assert found.notes[0].columns == ("refund", "reason")
    assert str(found.notes[0]) == (
        "refund (AUC 1.000), reason (AUC 1.000): tells churned all but alone; is it known before churned is?"
    )
    assert repr(found).startswith("[look] the frame · 600 rows × 10 · ")


def test_other_targets_are_measured_by_mutual_information(project: Path) -> None:
    from sklearn.metrics import mutual_info_score

    rng = np.random.default_rng(0)
    df = people(4000).assign(copy=lambda f: f["plan"].str.upper(), near=lambda f: np.where(rng.random(4000) < 0.5, f["plan"], "x"))
    found = nbml.profile(df, target="plan")
    values = found.columns.set_index("column")["association"]
    assert found.measure == "mutual information"
    own = mutual_info_score(df["plan"], df["plan"])
    assert values["near"] == pytest.approx(mutual_info_score(df["plan"], df["near"]) / own, abs=0.005)
    assert values["copy"] == 1.0
    assert (values[["id", "age", "income", "churned"]] < 0.01).all()
    assert found.notes[0].columns == ("copy",)
    amounts = people(2000).assign(tax=lambda f: f["income"] * 0.2, noisy=lambda f: f["income"] * rng.uniform(0.5, 2, 2000))
    numbers = nbml.profile(amounts, target="income").columns.set_index("column")["association"]
    assert numbers["tax"] == pytest.approx(1.0)
    assert 0.2 < numbers["noisy"] < 0.9
    assert numbers["plan"] < 0.02


def test_what_stands_once_tells_nothing(project: Path) -> None:
    df = people().assign(code=lambda f: "c" + f["id"].astype(str))
    found = nbml.profile(df, target="churned").columns.set_index("column")["association"]
    assert found["code"] < 0.6


def test_too_little_says_nothing_of_a_target(project: Path) -> None:
    few = people(20)
    assert nbml.profile(few, target="churned").columns["association"].isna().all()
    assert nbml.profile(people(), target="kind").columns["association"].isna().all()


def test_many_rows_are_sampled(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    df = people(3000)
    whole = nbml.profile(df, target="churned").columns["association"]
    monkeypatch.setattr(associating, "SAMPLE", 1000)
    monkeypatch.setattr(profiling, "SAMPLE", 1000)
    found = nbml.profile(df.assign(same=df["income"]), target="churned")
    assert found.columns["association"][:6].tolist() == pytest.approx(whole[:6].tolist(), abs=0.06)
    assert "correlated" in codes(found)


def test_of_private_columns_only_counts_are_told(project: Path) -> None:
    (project / "nbml.toml").write_text('[data]\nprivate = ["plan", "age"]\n')
    df = people().assign(plan="secretly", age=12345.0)
    found = nbml.profile(df, target="churned")
    text = json.dumps(found._repr_mimebundle_(), allow_nan=False) + found.columns.to_csv()
    assert "secretly" not in text
    assert "12345" not in text
    assert "12,345" not in text
    assert found.columns.set_index("column").loc["plan", ["nulls", "distinct", "top"]].tolist() == [0, 1, None]


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(), pd.DataFrame({"a": []}), pd.DataFrame({"a": [None, None]}), pd.DataFrame({1: [1.0], "1": [2]}),
        pd.DataFrame({"c": [1j], "p": pd.period_range("2024", periods=1, freq="M"), "i": pd.interval_range(0, 1)}),
        pd.DataFrame({"x": [1e308, -1e308], "y": [np.inf, -np.inf], "n": pd.array([1, None], "Int64"), "k": pd.Categorical([None, "a"])}),
        pd.DataFrame({"<b>\x00": pd.Series(["<script>", "\ud800"], dtype=object)}),
    ],
)  # fmt: skip
def test_odd_frames_are_described(project: Path, frame: pd.DataFrame) -> None:
    found = nbml.profile(frame)
    assert len(found.columns) == frame.shape[1]
    text = json.dumps(found._repr_mimebundle_(), allow_nan=False)
    assert "<script>" not in found._repr_html_()
    assert text


@pytest.fixture
def book(shell: Any) -> Any:
    shell.user_ns["df"] = people()
    nbml.snapshot(shell.user_ns["df"], "people")
    return shell


REFUSED = {
    "%nbml profile df --target churnd": "no column 'churnd' in df; nearest: churned\nTry: %nbml profile df --target churned",
    "nbml.profile(df, target='churnd')": "no column 'churnd' in df; nearest: churned\nTry: %nbml profile df --target churned",
    "%nbml profile df --target zzz": "no column 'zzz' in df; there are id, age, plan, when, income",
    "%nbml profile peeple": "no dataframe, dataset or file 'peeple'; nearest: people\nTry: %nbml profile people",
    "nbml.profile([1])": "a dataframe is needed, not list",
}


@pytest.mark.parametrize("line", REFUSED)
def test_refusals_are_whole_and_their_next_line_works(book: Any, line: str) -> None:
    book.run_cell("import nbml")
    error = book.run_cell(line).error_in_exec
    assert str(error) == REFUSED[line]
    assert isinstance(error, errors.NbmlError)
    if error.next:
        assert book.run_cell(error.next).success


def test_the_magic_and_the_terminal_give_the_same(book: Any, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cell = book.run_cell("found = %nbml profile df --target churned\nfound")
    assert cell.success
    shown = repr(cell.result)
    assert shown.startswith("df · 600 rows × 7 · ")
    assert "AUC alone" in shown
    assert shown.endswith("Next: %nbml validate df --suite df")
    assert book.run_cell("%nbml validate df --suite df").success
    assert repr(nbml.profile("people@1")).endswith("Next: %nbml validate people@1 --suite people")
    capsys.readouterr()
    assert main(["profile", "people", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["title"][0]["text"] == "people@1"
    assert len(said["parts"][-1]["rows"]) == 7


def test_columns_are_completed(book: Any) -> None:
    from IPython.core.completer import provisionalcompleter

    for line, expected in (
        ("%nbml profile df --target ch", "%nbml profile df --target churned"),
        ("%nbml diff df people --key i", "%nbml diff df people --key id"),
        ("%nbml drift df --against peo", "%nbml drift df --against people"),
    ):
        with provisionalcompleter():
            found = [line[: one.start] + one.text for one in book.Completer.completions(line, len(line))]
        assert expected in found
