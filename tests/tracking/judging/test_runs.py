"""Runs of a real shell: what is said of them unasked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import nbml

LOAD = """
import numpy as np, pandas as pd
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.model_selection import train_test_split, cross_val_score, GridSearchCV
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.tree import DecisionTreeClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.feature_selection import SelectKBest
from sklearn.pipeline import make_pipeline
from sklearn.metrics import accuracy_score, roc_auc_score
import nbml
rng = np.random.default_rng(0)
df = load_breast_cancer(as_frame=True).frame
X, y = df.drop(columns="target"), df["target"]
"""
FIT = """%%nbml track x
model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X_train, y_train)
nbml.log(acc=accuracy_score(y_test, model.predict(X_test)))
"""
TREE = FIT.replace("LogisticRegression()", "DecisionTreeClassifier()")
SPLIT = "X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)"


def findings(shell: Any, *cells: str) -> list[nbml.tracking.judging.Finding]:
    for cell in (LOAD, *cells):
        shell.run_cell(cell, store_history=True).raise_error()
    return nbml.run("x").findings


def codes(shell: Any, *cells: str) -> list[str]:
    return sorted({finding.code for finding in findings(shell, *cells)})


def test_a_sound_run_has_none(shell: Any) -> None:
    assert findings(shell, SPLIT, FIT) == []
    assert nbml.run("x")._body["judged"] == {"models": 1, "skipped": {}}


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        (["X = X.assign(outcome=y * 2.0 + rng.normal(0, 0.05, len(y)))", SPLIT, FIT], "target-leak"),
        ([SPLIT, "X_train, y_train = pd.concat([X_train, X_test[:40]]), pd.concat([y_train, y_test[:40]])", FIT], "split-overlap"),
        (["y = pd.Series(rng.permutation(y), name='target')", SPLIT, FIT], "below-baseline"),
        (["X = StandardScaler().fit_transform(X)", SPLIT, FIT], "order-leak"),
        (["X = SelectKBest(k=5).fit_transform(X, y)", SPLIT, FIT], "target-leak"),
        (["y = y.where(rng.random(len(y)) > 0.25, 1 - y)", SPLIT, TREE], "overfit"),
        (["y = (rng.random(len(y)) < 0.06).astype(int)", SPLIT, FIT], "empty-metric"),
        (["%%nbml track x\nnbml.log(cv=cross_val_score(DecisionTreeClassifier(), X, rng.permutation(y)).mean())"], "below-baseline"),
        (["%%nbml track x\nnbml.log(acc=DecisionTreeClassifier().fit(X, y).score(X, y))"], "split-overlap"),
        (["df['plan'] = rng.integers(0, 9, len(df))\nplans = pd.DataFrame({'plan': range(7)})",
          "df = df.merge(plans)\nX, y = df.drop(columns='target'), df['target']", SPLIT, FIT], "rows-lost"),
    ],
    ids=["leak", "shared", "shuffled", "scaled", "selected", "deep", "rare", "folds", "own-rows", "merge"],
)  # fmt: skip
def test_what_ruins_a_run_is_said(shell: Any, cells: list[str], code: str) -> None:
    assert code in codes(shell, *cells)


def test_a_search_is_judged_by_rows_of_its_own(shell: Any) -> None:
    search = "GridSearchCV(LogisticRegression(), {'C': [0.1, 1]}).fit(StandardScaler().fit(X).transform(X), rng.permutation(y))"
    cell = f"%%nbml track x\nsearch = {search}"
    assert "below-baseline" in codes(shell, cell + "\nnbml.log(best=search.best_score_)")


def test_the_line_of_a_loss_is_told_and_a_split_by_time_is_none(shell: Any) -> None:
    filtered = "df = df[df['mean area'] > 400]\nX, y = df.drop(columns='target'), df['target']"
    found = findings(shell, filtered, SPLIT, FIT)
    assert [one.code for one in found] == ["rows-lost"]
    assert "a filter in cell 2, line 1, loses" in found[0].message
    halves = "a, b = None, None\npart = df.index < 400\ntrain = df[part]\ntest = df[~part]"
    sides = "X_train, y_train = train.drop(columns='target'), train['target']\nX_test, y_test = test.drop(columns='target'), test['target']"
    assert "rows-lost" not in codes(shell, halves, sides, FIT)


def test_values_of_a_private_column_are_never_told(shell: Any, project: Path) -> None:
    (project / "nbml.toml").write_text('[data]\nprivate = ["outcome"]\n')
    fit = FIT.replace("(X_train", "(X_train.drop(columns='outcome')").replace("(X_test", "(X_test.drop(columns='outcome')")
    found = findings(shell, "X = X.assign(outcome=np.where(y, 'canary-yes', 'canary-no'))", SPLIT, fit)
    assert "canary" not in str(found)
