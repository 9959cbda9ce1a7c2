"""Fits of many kinds, sound and with one planted fault, by seed and strength. They go round by the seed; all else is drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
    make_classification,
    make_friedman1,
    make_regression,
)
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GroupShuffleSplit, train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

FAULTS = ("overfit", "split-overlap", "target-leak", "order-leak", "groups", "below-baseline", "empty-metric")
#: fault -> the code that tells it
CODES = {"groups": "order-leak"}


@dataclass(frozen=True)
class Fit:
    """A fitted model and its two sides."""

    what: str
    model: Any
    X_train: Any
    y_train: Any
    X_test: Any
    y_test: Any


def _classification(kind: int, seed: int) -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(seed)
    bundled = (load_breast_cancer, load_wine, load_iris, load_digits)
    if kind < 4:
        X, y = bundled[kind](return_X_y=True, as_frame=True)
        return X, y
    if kind == 4:  # wide, few rows tell
        X, y = make_classification(400, 60, n_informative=6, n_redundant=4, class_sep=1.2, flip_y=0.05, random_state=seed)
    elif kind == 5:  # easy
        X, y = make_classification(800, 10, n_informative=6, class_sep=2.5, flip_y=0.0, random_state=seed)
    elif kind == 6:  # rare
        X, y = make_classification(3000, 8, n_informative=5, weights=[0.93], class_sep=2.0, flip_y=0.005, random_state=seed)
    elif kind == 7:  # noisy, honest and weak
        X, y = make_classification(2000, 12, n_informative=4, class_sep=0.7, flip_y=0.4, random_state=seed)
    elif kind == 8:  # several classes
        X, y = make_classification(900, 15, n_informative=8, n_classes=4, n_clusters_per_class=1, class_sep=1.3, random_state=seed)
    else:  # few levels: equal rows are natural
        X = rng.integers(0, 4, (1500, 6))
        y = (X[:, 0] + X[:, 1] - X[:, 2] + rng.normal(0, 1.0, 1500) > 1.5).astype(int)
    return pd.DataFrame(X, columns=[f"f{k}" for k in range(X.shape[1])]), pd.Series(y, name="y")


def _regression(kind: int, seed: int) -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(seed)
    if kind == 0:
        X, y = load_diabetes(return_X_y=True, as_frame=True)
        return X, y
    if kind == 1:
        X, y = make_regression(500, 20, n_informative=8, noise=30.0, random_state=seed)
    elif kind == 2:
        X, y = make_friedman1(800, noise=1.0, random_state=seed)
    elif kind == 3:  # one strong feature, honestly
        X = rng.normal(size=(600, 5))
        y = 3 * X[:, 0] + X[:, 1] + rng.normal(0, 1.0, 600)
    else:  # weak
        X = rng.normal(size=(1500, 8))
        y = 0.4 * X[:, 0] + 0.3 * X[:, 1] + rng.normal(0, 1.0, 1500)
    return pd.DataFrame(X, columns=[f"f{k}" for k in range(X.shape[1])]), pd.Series(y, name="y")


def _classifier(kind: int, seed: int) -> Any:
    return (
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
        RandomForestClassifier(100, min_samples_leaf=3, random_state=seed),
        make_pipeline(StandardScaler(), SVC()), GradientBoostingClassifier(n_estimators=40, max_depth=2, random_state=seed),
        make_pipeline(StandardScaler(), KNeighborsClassifier(15)), GaussianNB(),
        DecisionTreeClassifier(max_depth=5, min_samples_leaf=8, random_state=seed),
    )[kind % 7]  # fmt: skip


def _regressor(kind: int, seed: int) -> Any:
    return (
        make_pipeline(StandardScaler(), Ridge()), RandomForestRegressor(100, min_samples_leaf=3, random_state=seed),
        make_pipeline(StandardScaler(), SVR(C=100.0)), GradientBoostingRegressor(n_estimators=60, max_depth=2, random_state=seed),
        make_pipeline(StandardScaler(), KNeighborsRegressor(15)),
        DecisionTreeRegressor(max_depth=4, min_samples_leaf=10, random_state=seed),
    )[kind % 6]  # fmt: skip


def _words(X: pd.DataFrame, rng: Any) -> pd.DataFrame:
    return X.assign(**{f"n{k}": rng.normal(size=len(X)) for k in range(3)})


def _fitted(what: str, model: Any, X: Any, y: Any, seed: int, *, arrays: bool = False, split: Any = None) -> Fit:
    train, test, y_train, y_test = split if split is not None else train_test_split(X, y, random_state=seed)
    sides = [np.asarray(side) if arrays else side for side in (train, y_train, test, y_test)]
    return Fit(what, model.fit(sides[0], sides[1]), *sides)


def _series(rng: Any, n: int) -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    """A series that remembers, its days, and features of its past."""
    y = np.zeros(n)
    for t in range(1, n):
        y[t] = 0.95 * y[t - 1] + rng.normal()
    s = pd.Series(y, name="y")
    X = pd.DataFrame({"lag1": s.shift(1), "lag7": s.shift(7), "dow": np.arange(n) % 7, "other": rng.normal(size=n)})
    day = pd.Series(pd.date_range("2021-01-01", periods=n))
    return X.iloc[7:], s.iloc[7:], day.iloc[7:]


def _patients(rng: Any, many: int = 120, each: int = 6) -> tuple[pd.DataFrame, pd.Series, Any]:
    who = np.repeat(np.arange(many), each)
    base, ill = rng.normal(size=(many, 6)), rng.random(many) < 0.5
    X = pd.DataFrame(base[who] + rng.normal(0, 0.3, (len(who), 6)), columns=[f"m{k}" for k in range(6)])
    X["m0"] += 2.0 * ill[who]
    return X, pd.Series(ill[who].astype(int), name="ill"), who


def sound(seed: int) -> Fit:
    """A fit without a fault."""
    rng = np.random.default_rng(10_000 + seed)
    kind = seed % 10
    if kind < 5:
        which = int(rng.integers(0, 10))
        X, y = _classification(which, seed)
        model = int(rng.integers(0, 7))
        if which == 6:
            model = int(rng.choice([1, 2, 3, 4]))
        split = train_test_split(X, y, random_state=seed, stratify=y)
        return _fitted(f"class {which} model {model}", _classifier(model, seed), X, y, seed, arrays=bool(rng.random() < 0.4), split=split)
    if kind < 8:
        which, model = int(rng.integers(0, 5)), int(rng.integers(0, 6))
        X, y = _regression(which, seed)
        return _fitted(f"regr {which} model {model}", _regressor(model, seed), X, y, seed, arrays=bool(rng.random() < 0.4))
    if kind == 8:  # time, done right
        X, y, day = _series(rng, 800)
        X = X.set_index(pd.DatetimeIndex(day))
        y.index = X.index
        return _fitted("series", make_pipeline(StandardScaler(), Ridge()), X, y, seed, split=(X[:600], X[600:], y[:600], y[600:]))
    X, y, who = _patients(rng)
    train, test = next(GroupShuffleSplit(1, test_size=0.3, random_state=seed).split(X, y, who))
    X = X.assign(patient_id=who)
    drop = X.drop(columns="patient_id")
    return _fitted("patients", _classifier(0, seed), X, y, seed, split=(drop.iloc[train], drop.iloc[test], y.iloc[train], y.iloc[test]))


def faulty(fault: str, seed: int, strength: float = 1.0) -> Fit:
    """A fit with one fault; ``strength`` 1 is plain to see, less is less."""
    rng = np.random.default_rng(20_000 + seed)
    regression = bool(rng.random() < 0.4)
    which = int(rng.choice([1, 2, 3, 4, 0])) if regression else int(rng.choice([0, 1, 3, 4, 5, 7, 8]))
    X, y = _regression(which, seed) if regression else _classification(which, seed)
    X, y = X.reset_index(drop=True), y.reset_index(drop=True)
    model = _regressor(int(rng.integers(0, 6)), seed) if regression else _classifier(int(rng.integers(0, 7)), seed)
    arrays = bool(rng.random() < 0.3)
    what = f"{fault} {'regr' if regression else 'class'} {which}"
    if fault == "overfit":
        return _overfit(rng, seed, strength, what)
    if fault == "split-overlap":
        train, test, y_train, y_test = train_test_split(X, y, random_state=seed)
        some = rng.choice(len(test), max(2, int(0.2 * strength * len(test))), replace=False)
        copies = test.iloc[some].astype(float)
        if rng.random() < 0.5:
            copies = copies + rng.normal(0, 1, copies.shape) * 0.01 * X.std().to_numpy()
        split = (
            pd.concat([train.astype(float), copies], ignore_index=True),
            test.astype(float),
            pd.concat([y_train, y_test.iloc[some]], ignore_index=True),
            y_test,
        )
        return _fitted(what, model, X, y, seed, arrays=arrays, split=split)
    if fault == "target-leak":
        return _fitted(what, model, _leaking(X, y, rng, strength, regression), y, seed, arrays=arrays)
    if fault == "order-leak":
        X, y, day = _series(rng, 800)
        style = int(rng.integers(0, 3))
        X = X[["dow", "other"]] if rng.random() < 0.5 else X
        if style == 0:
            X, y = X.set_index(pd.DatetimeIndex(day)), y.set_axis(day)
        elif style == 1:
            X = X.assign(t=np.arange(len(X)))
        if rng.random() < 0.4:
            return _fitted(what, _classifier(int(rng.integers(0, 7)), seed), X, (y > 0).astype(int), seed)
        return _fitted(what, _regressor(int(rng.integers(0, 6)), seed), X, y, seed)
    if fault == "groups":
        X, y, who = _patients(rng)
        return _fitted(what, _classifier(int(rng.integers(0, 7)), seed), X.assign(patient_id=who), y, seed)
    if fault == "below-baseline":
        shuffled = y.copy()
        some = rng.random(len(y)) < strength
        shuffled[some] = rng.permutation(y[some])
        return _fitted(what, model, X, shuffled, seed, arrays=arrays)
    X, y = make_classification(2000, 10, n_informative=2, weights=[0.95], class_sep=0.1, flip_y=0.02, random_state=seed)
    return _fitted(what, make_pipeline(StandardScaler(), LogisticRegression()), X, y, seed)


def _leaking(X: pd.DataFrame, y: pd.Series, rng: Any, strength: float, regression: bool) -> pd.DataFrame:
    noise = 0.05 / strength
    if regression:
        ways = [y + rng.normal(0, noise * y.std(), len(y)), np.exp((y - y.mean()) / y.std()), -3 * y + 7]
        return X.assign(after=ways[int(rng.integers(0, 3))])
    flip = rng.random(len(y)) < 0.01 / strength - 0.005
    coded = y.where(~flip, rng.permutation(y)).astype(float)
    return X.assign(after=[coded, coded + rng.normal(0, noise, len(y)), 5 - 2 * coded][int(rng.integers(0, 3))])


def _overfit(rng: Any, seed: int, strength: float, what: str) -> Fit:
    noise = 0.25 * strength
    if rng.random() < 0.5:
        X, y = make_classification(600, 30, n_informative=5, n_redundant=0, class_sep=1.2, flip_y=2 * noise * 0.8, random_state=seed)
        model = [DecisionTreeClassifier(random_state=seed), KNeighborsClassifier(1), SVC(gamma=2.0, C=100)][int(rng.integers(0, 3))]
    else:
        X = rng.normal(size=(400, 20))
        y = 2 * X[:, 0] - X[:, 1] + rng.normal(0, 1.5 * strength, 400)
        model = [DecisionTreeRegressor(random_state=seed), KNeighborsRegressor(1), SVR(gamma=2.0, C=1000)][int(rng.integers(0, 3))]
    return _fitted(what, model, X, y, seed)


def weaker(fit: Fit, **changed: Any) -> Fit:
    """A fit with something else in it."""
    return replace(fit, **changed)
