"""Batch scoring: frames and files through one process of the Bento, answers as they are served, files whole or not at all."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nbml
from conftest import until
from nbml import errors
from nbml.display import text
from nbml.packaging import scoring
from nbml.packaging.report import refused_report

pytestmark = pytest.mark.slow

Run = Callable[[str], Any]


@pytest.fixture
def churn(project: Path, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The notebook with churn@1, a suite and a key, packaged once for all tests; parts are small."""
    kept = tmp_path_factory.getbasetemp() / "scored"
    if kept.is_dir():
        shutil.copytree(kept, project / ".nbml")
    run: Run = request.getfixturevalue("notebook")
    run("import nbml\nrows = X.assign(customer=[f'c{i}' for i in range(len(X))])")
    if not kept.is_dir():
        run("nbml.expect('adults', '18 <= age <= 90\\nincome > 20, mostly=0.5', on=X)")
        run("nbml.package(model, 'churn', on=rows, suite='adults', key='customer')")
        shutil.copytree(project / ".nbml", kept)
    run("made = nbml.service('churn')")
    monkeypatch.setattr(scoring, "FEWEST", 32)
    monkeypatch.setattr(scoring, "MOST", 32)
    return run


def answers(run: Run) -> pd.DataFrame:
    """What the model of the notebook gives for ``rows``."""
    found: pd.DataFrame = run(
        "pd.DataFrame({'id': rows['customer'], 'prediction': model.predict(X), 'probability_leaves': model.predict_proba(X)[:, 0],"
        " 'probability_stays': model.predict_proba(X)[:, 1],"
        " 'flags': [[] if i > 20 else ['income > 20, mostly=0.5'] for i in X['income']]})"
    )
    return found


def same(got: pd.DataFrame, want: pd.DataFrame, *, index: bool = True) -> None:
    got = got.assign(flags=[list(flags) for flags in got["flags"]])
    want = want if index else want.reset_index(drop=True)
    pd.testing.assert_frame_equal(got, want, rtol=1e-9, check_dtype=False)


def test_a_frame_and_files_are_answered_as_the_model_answers(churn: Run, project: Path) -> None:
    want = answers(churn)
    same(churn("nbml.predict('churn', rows)"), want)
    churn("rows.to_parquet('in.parquet'); rows.to_csv('in.csv', index=False)")
    written = churn("nbml.predict(made, 'in.parquet', output='out.parquet')")
    assert (written.path, written.rows) == (Path("out.parquet"), 120)
    assert written.flags == {"income > 20, mostly=0.5": sum(map(len, want["flags"]))}
    same(written.load(), want, index=False)
    assert repr(written).startswith("[scored] churn@1 into out.parquet · 120 rows of in.parquet · ")
    churn("nbml.predict('churn', 'in.csv', output='out.csv')")
    table = pd.read_csv("out.csv")
    assert table["prediction"].tolist() == want["prediction"].tolist()
    assert table["flags"].dropna().unique().tolist() == ['["income > 20, mostly=0.5"]']
    assert table["probability_stays"].to_numpy() == pytest.approx(want["probability_stays"].to_numpy(), rel=1e-9)
    same(churn("nbml.predict('churn', rows.drop(columns='customer'))").drop(columns="id"), want.drop(columns="id"))
    assert churn("nbml.predict('churn', X)")["id"].tolist() == list(range(120)), "without its key a row is known by its position"
    assert not [p for p in project.iterdir() if p.name.endswith(".part")]


def test_a_file_is_read_in_batches_and_never_held_as_a_whole(churn: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    churn("rows.to_parquet('in.parquet'); rows.to_csv('in.csv', index=False)")
    monkeypatch.setattr(scoring, "LIMIT", 10)
    monkeypatch.setattr(pd, "read_parquet", lambda *a, **k: pytest.fail("the whole file was read"))
    want = answers(churn)
    same(nbml.predict("churn", "in.parquet"), want, index=False)
    same(nbml.predict("churn", Path("in.csv")), want, index=False)


def test_rows_that_break_the_suite_are_all_named_and_nothing_is_written(churn: Run, project: Path) -> None:
    churn("bad = rows.copy(); bad.loc[bad.index[[3, 70, 119]], 'age'] = [7, 200, 300]; bad.to_parquet('in.parquet')")
    Path("out.parquet").write_text("what was there")
    with pytest.raises(errors.RequestRejected) as caught:
        nbml.predict("churn", "in.parquet", output="out.parquet")
    assert caught.value.message == (
        "churn@1 refused 3 of 120 rows: row 3, age = 7: 18 <= age <= 90; row 70, age = 200: 18 <= age <= 90; "
        "row 119, age = 300: 18 <= age <= 90; nothing was written"
    )
    assert [(p["row"], p["id"], p["value"]) for p in caught.value.problems] == [(3, "c3", 7), (70, "c70", 200), (119, "c119", 300)]
    assert Path("out.parquet").read_text() == "what was there"
    assert not [p for p in project.iterdir() if p.name.endswith(".part")]
    (project / "nbml.toml").write_text('[data]\nprivate = ["age"]\n')
    with pytest.raises(errors.RequestRejected) as caught:
        nbml.predict("churn", "in.parquet")
    assert "200" not in caught.value.message
    assert [p["value"] for p in caught.value.problems] == [None] * 3
    churn("many = rows.assign(age=1)")
    with pytest.raises(errors.RequestRejected) as caught:
        churn("nbml.predict('churn', many)")
    assert len(caught.value.problems) == 100
    assert caught.value.message.endswith("120 problems in all, the first 100 are in .problems; nothing was written")


def test_what_cannot_be_scored_or_written_is_told_before_anything_runs(churn: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: pytest.fail("a process was started"))
    churn("rows.to_parquet('in.parquet')")
    for line, message in {
        "nbml.predict('chrun', rows)": "no service 'chrun'; nearest: churn@1",
        "nbml.predict('churn', rows, output='out.txt')": "'out.txt' is no Parquet or CSV file",
        "nbml.predict('churn', rows, output='nowhere/out.csv')": "no folder 'nowhere' to write out.csv to",
        "nbml.predict('churn', 'in.parquet', output='in.parquet')": "in.parquet is what is to be scored; it would be replaced",
    }.items():
        with pytest.raises(errors.NbmlError) as caught:
            churn(line)
        assert caught.value.message == message
    monkeypatch.undo()
    with pytest.raises(errors.BadInput) as caught:
        churn("nbml.predict('churn', rows[['income']])")
    assert caught.value.message == "the data lack 1 of the 2 columns that the model takes: 'age'"
    with pytest.raises(errors.BadInput) as caught:
        churn("nbml.predict('churn', rows.head(0))")
    assert caught.value.message == "no rows for churn@1 to answer"


def test_a_model_that_fails_names_the_rows_and_one_that_dies_is_told(run: Run, monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    run("import nbml, os, pandas as pd\ndf = pd.DataFrame({'a': range(100)})")
    run("def predict(df):\n    if (df['a'] == 70).any():\n        raise ValueError('70 is too much')\n    return df['a'] * 2")
    run("nbml.package(predict, 'double', on=df.head(50))")
    monkeypatch.setattr(scoring, "FEWEST", 32)
    monkeypatch.setattr(scoring, "MOST", 32)
    with pytest.raises(errors.DeployError) as caught:
        run("nbml.predict('double', df, output='out.csv')")
    assert caught.value.message == (
        "double@1 fails on rows 64 to 95 of df: ValueError: 70 is too much (double_model.py:7: raise ValueError('70 is too much')); "
        "nothing was written"
    )
    run("def predict(df):\n    if (df['a'] == 70).any():\n        os.kill(os.getpid(), 9)\n    return df['a'] * 2")
    run("nbml.package(predict, 'double', on=df.head(50))")
    with pytest.raises(errors.DeployError) as caught:
        run("nbml.predict('double', df, output='out.csv')")
    assert caught.value.message.startswith("the process of double@2 ended with -9 (killed: is there too little memory?)")
    assert not list(project.glob("*out.csv*"))


KINDS = """
import nbml, numpy as np, pandas as pd
df = pd.DataFrame({"a": [1.5, np.nan, 3.0], "b": ["x", None, "y"]}, index=[5, 6, 7])
def table(df): return pd.DataFrame({"twice": df["a"] * 2, "text": df["b"].fillna("none")}, index=df.index)
def pair(df): return np.stack([df["a"].fillna(0), df["a"].fillna(0) + 1], axis=1)
def objects(df): return [None if a != a else a for a in df["a"]]
def lengths(texts): return np.array([len(text) for text in texts])
"""


def test_every_kind_of_answer_and_of_input(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run(KINDS)
    monkeypatch.setattr(scoring, "FEWEST", 2)
    monkeypatch.setattr(scoring, "MOST", 2)
    run("nbml.package(table, 'table', on=df); nbml.package(pair, 'pair', on=df); nbml.package(objects, 'objects', on=df)")
    found = run("nbml.predict('table', df)")
    assert (list(found.columns), list(found.index)) == (["id", "prediction_twice", "prediction_text"], [5, 6, 7])
    assert found["prediction_twice"].tolist() == [3.0, pytest.approx(np.nan, nan_ok=True), 6.0]
    assert found["prediction_text"].tolist() == ["x", "none", "y"]
    assert run("nbml.predict('pair', df)")[["prediction_0", "prediction_1"]].to_numpy().tolist() == [[1.5, 2.5], [0.0, 1.0], [3.0, 4.0]]
    assert run("nbml.predict('objects', df)")["prediction"].isna().tolist() == [False, True, False]
    run("nbml.package(lengths, 'lengths', on=['a', 'bb', 'ccc'])")
    run("pd.DataFrame({'words': ['aa', 'b', 'cccc']}).to_csv('w.csv', index=False)")
    assert run("nbml.predict('lengths', ['aaaa', 'b', ''])")["prediction"].tolist() == [4, 1, 0]
    assert run("nbml.predict('lengths', 'w.csv')")["prediction"].tolist() == [2, 1, 4]


def test_the_terminal_writes_a_file_and_a_killed_one_leaves_nothing(churn: Run, project: Path) -> None:
    churn("rows.to_parquet('in.parquet')")
    line = [sys.executable, "-m", "nbml", "predict", "churn", "in.parquet", "-o", "out.parquet"]
    done = subprocess.run([*line, "--json"], capture_output=True, text=True, timeout=120, check=True)
    assert "churn@1" in json.dumps(json.loads(done.stdout))
    assert len(pd.read_parquet("out.parquet")) == 120
    shown = subprocess.run([*line[:-2], "--json"], capture_output=True, text=True, timeout=120, check=True)
    assert [type(row["flags"]) for row in json.loads(shown.stdout)] == [list] * 120
    process = subprocess.Popen([*line[:-1], "second.parquet"], stdout=subprocess.DEVNULL)
    until(lambda: list(project.glob(".second.parquet.*")), 60, "it is at work")
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    assert sorted(p.name for p in project.glob("*second*")) == []
    assert subprocess.run(["pgrep", "-f", f"score.py {project}"], capture_output=True, check=False).stdout == b""


def test_the_magic_takes_a_service_before_a_variable_of_that_name(churn: Run, capsys: pytest.CaptureFixture[str]) -> None:
    churn("churn = 1")
    found = churn("%nbml predict churn rows")
    assert len(found) == 120
    assert capsys.readouterr().out.startswith("churn: the service, not the variable of that name\n")
    churn("scored = %nbml predict churn rows -o out.parquet")
    assert churn("scored.rows") == 120


def test_a_refused_batch_shows_rows_and_reasons() -> None:
    found = [{"row": 200, "column": "bmi", "value": 600.0, "problem": "breaks 10 <= bmi <= 60", "expectation": "10 <= bmi <= 60"}]
    shown = text(refused_report("progression@1", 442, found, 12, "odd.csv")).splitlines()
    assert shown[0] == "[refused] progression@1 refuses odd.csv · 12 problems in 442 rows · nothing was written"
    assert [line.split() for line in shown[1:]] == [
        ["row", "column", "value", "expected"], ["200", "bmi", "600", "10", "<=", "bmi", "<=", "60"], ["…", "11", "more", "rows"],
    ]  # fmt: skip
