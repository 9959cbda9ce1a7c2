"""``nbml.judge``: what is found, and what is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import nbml

X, Y = load_breast_cancer(return_X_y=True, as_frame=True)


def codes(model: object, parts: list) -> list[str]:
    train, test, y_train, y_test = parts
    return sorted({finding.code for finding in nbml.judge(model, train, y_train, test, y_test)})


def test_a_sound_fit_has_no_finding(no_notebook: None) -> None:
    parts = train_test_split(X, Y, random_state=0)
    assert codes(make_pipeline(StandardScaler(), LogisticRegression()).fit(parts[0], parts[2]), parts) == []


def test_lengths_that_differ_are_refused_with_both(no_notebook: None) -> None:
    model = Ridge().fit([[1.0], [2.0]], [1.0, 2.0])
    with pytest.raises(nbml.errors.BadInput) as error:
        nbml.judge(model, [[1.0], [2.0]], [1.0], [[1.0]], [1.0])
    assert error.value.message == "X_train has 2 rows, y_train 1"


def test_a_column_that_is_the_target_is_named(no_notebook: None) -> None:
    rng = np.random.default_rng(0)
    parts = train_test_split(X.assign(outcome=Y + rng.normal(0, 0.05, len(Y))), Y, random_state=0)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(parts[0], parts[2])
    found = nbml.judge(model, parts[0], parts[2], parts[1], parts[3])
    assert [finding.code for finding in found] == ["target-leak"]
    assert found[0].evidence["columns"] == ["outcome"]
    assert (
        found[0].message
        == f"'outcome' alone gives the target away: skill {found[0].evidence['skill']:.3f}, the next column {found[0].evidence['next']:.2f}"
    )


def test_rows_of_both_sides_are_counted(no_notebook: None) -> None:
    train, test, y_train, y_test = train_test_split(X, Y, random_state=0)
    train, y_train = pd.concat([train, test.iloc[:30]]), pd.concat([y_train, y_test.iloc[:30]])
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(train, y_train)
    found = nbml.judge(model, train, y_train, test, y_test)
    assert [finding.code for finding in found] == ["split-overlap"]
    assert found[0].message == "30 of 143 test rows (21%) are exactly rows of train"


def test_days_that_were_split_at_random_are_named(no_notebook: None) -> None:
    rng = np.random.default_rng(0)
    day = pd.date_range("2020-01-01", periods=800, name="day")
    walk = np.cumsum(rng.normal(size=800))
    frame = pd.DataFrame({"load": rng.normal(size=800), "n": np.arange(800.0)}, index=day)
    parts = train_test_split(frame, pd.Series(walk, index=day), random_state=0)
    found = nbml.judge(Ridge().fit(parts[0], parts[2]), parts[0], parts[2], parts[1], parts[3])
    assert "order-leak" in [finding.code for finding in found]


def test_the_future_is_one_step_away(no_notebook: None) -> None:
    data = load_diabetes()
    y = data.target
    frame = pd.DataFrame(data.data).assign(next=np.r_[y[1:], 0.0])
    frame.columns = frame.columns.astype(str)
    cut = 300
    model = Ridge().fit(frame[:cut], y[:cut])
    found = nbml.judge(model, frame[:cut], y[:cut], frame[cut:], y[cut:])
    assert ("order-leak", "'next' holds the target of 1 row later in 100% of the rows") in [(f.code, f.message) for f in found]
