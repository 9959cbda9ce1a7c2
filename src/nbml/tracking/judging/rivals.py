"""Plain models that a good one should not lose against: a ridge and a shallow tree, chosen on the train rows alone.

They are computed here, so that nothing warns and nothing takes long.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nbml.tracking.judging import thresholds as at
from nbml.tracking.judging.material import Array, Material, Target, filled

#: strengths of the ridge, in units of rows
STRENGTHS = (1e-4, 1e-2, 0.1, 0.3, 1.0, 3.0)
#: levels of a word that get a column of their own; folds
LEVELS, FOLDS = 12, 4

#: from what to fit on, its target and what to answer for, to scores (rows, classes) or numbers (rows, 1)
Plain = Callable[[Array, Array, Array], Array]


def features(material: Material) -> tuple[Array, Array]:
    """Both sides as numbers that a plain model can take: words as columns of zeros and ones, missing values told."""
    first: list[Array] = []
    second: list[Array] = []
    for column in material.columns[: at.COLUMNS]:
        if column.kind == "text":
            continue
        if column.kind == "word":
            real = column.train[~np.isnan(column.train)].astype(int)
            top: Sequence[int] = np.argsort(-np.bincount(real), kind="stable")[:LEVELS].tolist() if len(real) else []
            first += [(column.train == level).astype(float) for level in top]
            second += [(column.test == level).astype(float) for level in top]
            continue
        first.append(column.train)
        second.append(column.test)
        gone = np.isnan(column.train)
        if 0.01 < gone.mean() < 0.99:
            first.append(gone.astype(float))
            second.append(np.isnan(column.test).astype(float))
    if not first:
        return np.empty((len(material.train_rows), 0)), np.empty((len(material.test_rows), 0))
    return filled(np.column_stack(first), np.column_stack(second))


def answers(material: Material, target: Target, seed: int = 0) -> tuple[str, Array] | None:
    """The name and the answers for the test rows of the plain model that does best on folds of the train rows."""
    train, test = features(material)
    y = _scores(target.train[material.train_rows], target)
    if not train.shape[1] or len(train) < 10:
        return None
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(train))[: at.FITTED]
    train, y = train[order], y[order]
    plain: dict[str, Plain] = {"a linear model": ridge, "a tree of depth 3": tree}
    loss = {name: _folded(plain[name], train, y, target) for name in plain}
    best = min(loss, key=lambda name: loss[name])
    return best, decided(plain[best](train, y, test), target)


def _scores(y: Array, target: Target) -> Array:
    return np.eye(len(target.classes))[y] if target.task == "classification" else y[:, None]


def decided(scores: Array, target: Target) -> Array:
    """Scores as answers."""
    return scores.argmax(axis=1) if target.task == "classification" else scores[:, 0]


def _folded(plain: Plain, X: Array, y: Array, target: Target) -> float:
    lost = []
    for fold in range(FOLDS):
        out = np.arange(len(X)) % FOLDS == fold
        got, true = decided(plain(X[~out], y[~out], X[out]), target), decided(y[out], target)
        lost.append(np.mean(got != true) if target.task == "classification" else np.mean((got - true) ** 2))
    return float(np.mean(lost))


def ridge(X: Array, y: Array, other: Array) -> Array:
    """A ridge whose strength is chosen by generalised cross-validation (Golub, Heath & Wahba 1979)."""
    middle, level = X.mean(axis=0), y.mean(axis=0)
    u, s, v = np.linalg.svd(X - middle, full_matrices=False)
    turned, centred, n = u.T @ (y - level), y - level, len(X)
    best, coefficients = np.inf, np.zeros((X.shape[1], y.shape[1]))
    for strength in STRENGTHS:
        shrink = s**2 / (s**2 + strength * n)
        rest = centred - u @ (shrink[:, None] * turned)
        score = float((rest**2).sum()) / max(1e-9, (1 - (shrink.sum() + 1) / n)) ** 2
        if score < best:
            best = score
            coefficients = v.T @ ((shrink / np.where(s > 0, s, 1.0))[:, None] * turned)
    found: Array = level + (other - middle) @ coefficients
    return found


def tree(X: Array, y: Array, other: Array, depth: int = 3, leaf: int = 5) -> Array:
    """A shallow tree."""
    from sklearn.tree import DecisionTreeRegressor

    found: Any = DecisionTreeRegressor(max_depth=depth, min_samples_leaf=leaf, random_state=0).fit(X, y).predict(other)
    return found.reshape(len(other), -1)
