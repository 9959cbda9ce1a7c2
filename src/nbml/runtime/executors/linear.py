"""Models that are a formula: linear ones, nearest centres, Gaussian naive Bayes."""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, isfinite
from operator import mul
from typing import Any

import numpy as np

from .nodes import Array, Model, Row, finite, op

Node = Mapping[str, Any]


def expit(x: Array) -> Array:
    """1 / (1 + exp(-x)), without overflow."""
    small = np.exp(-np.abs(x))
    found: Array = np.where(x >= 0, 1.0, small) / (1.0 + small)
    return found


def expit_of(x: float) -> float:
    """``expit`` of one number."""
    if x >= 0:
        return 1.0 / (1.0 + exp(-x))
    small = exp(x)
    return small / (1.0 + small)


def softmax(x: Array) -> Array:
    """Shares of exp(x), row by row."""
    found = np.exp(x - x.max(axis=1, keepdims=True))
    shares: Array = found / found.sum(axis=1, keepdims=True)
    return shares


def softmax_of(row: Row) -> Row:
    """``softmax`` of one row."""
    top = max(row)
    found = [exp(x - top) for x in row]
    total = sum(found)
    return [x / total for x in found]


def normalised(shares: Array) -> Array:
    """Rows that add up to 1; one of zeros becomes even."""
    total = shares.sum(axis=1, keepdims=True)
    found: Array = np.where(total == 0.0, 1.0 / shares.shape[1], shares / np.where(total == 0.0, 1.0, total))
    return found


def two(p: Array) -> Array:
    """The probabilities of two classes from the second's."""
    return np.stack([1 - p, p], axis=1)


@op("linear")
class Linear(Model):
    """x @ weights + bias; ``link`` says what the scores mean: value, sign, logistic, softmax, ovr (logistic, normalised), huber, exp."""

    def __init__(self, node: Node) -> None:
        self.weights, self.bias, self.link = np.ascontiguousarray(node["weights"].T), node["bias"], node["link"]
        self._rows = [(row.tolist(), float(bias)) for row, bias in zip(node["weights"], self.bias, strict=True)]
        self.single = len(self._rows) == 1
        self.gives = self.link not in ("value", "exp", "sign")

    def scores(self, x: Array) -> Array:
        finite(x)
        found: Array = x @ self.weights + self.bias
        return found[:, 0] if self.single else found

    def labels(self, x: Array) -> Array:
        return self._labels(self.scores(x))

    def _labels(self, scores: Array) -> Array:
        if self.link == "exp":
            return np.exp(scores)
        if self.link == "value":
            return scores
        return (scores > 0).astype(np.int64) if self.single else scores.argmax(axis=1)

    def shares(self, x: Array) -> Array:
        return self._shares(self.scores(x))

    def _shares(self, scores: Array) -> Array:
        if self.link == "huber":
            p = (np.clip(scores, -1, 1) + 1.0) / 2.0
            return two(p) if self.single else normalised(p)
        if self.single:
            return two(expit(scores))
        return softmax(scores) if self.link == "softmax" else normalised(expit(scores))

    def many(self, data: Array) -> tuple[list[Any], list[Any]]:
        scores = self.scores(data)
        labels = self._labels(scores).tolist()
        return labels, self._shares(scores).tolist() if self.gives else [None] * len(labels)

    def one(self, row: Row) -> tuple[Any, Any]:
        if not self.single:
            return self._several(row)
        weights, bias = self._rows[0]
        score = sum(map(mul, row, weights)) + bias
        if not isfinite(score):
            finite(np.array([row], dtype=np.float64))
        if self.link == "value":
            return score, None
        if self.link == "logistic" or self.link == "ovr":
            p = expit_of(score)
            return int(score > 0), [1.0 - p, p]
        return super().one(row) if self.link in ("huber", "exp") else (int(score > 0), None)

    def _several(self, row: Row) -> tuple[Any, Any]:
        if self.link not in ("softmax", "sign") or len(self._rows) > 20:
            return super().one(row)
        scores = [sum(map(mul, row, weights)) + bias for weights, bias in self._rows]
        if not all(map(isfinite, scores)):
            return super().one(row)
        return scores.index(max(scores)), softmax_of(scores) if self.gives else None


@op("centres")
class Centres(Model):
    """The nearest of several points."""

    def __init__(self, node: Node) -> None:
        self.points = node["points"]
        self._half = (self.points * self.points).sum(axis=1)

    def labels(self, x: Array) -> Array:
        finite(x)
        found: Array = (self._half - 2.0 * (x @ self.points.T)).argmin(axis=1)
        return found


@op("gaussian")
class Gaussian(Model):
    """Gaussian naive Bayes."""

    gives = True

    def __init__(self, node: Node) -> None:
        self.means, self.variances, self.prior = node["means"], node["variances"], node["prior"]
        self._before = np.log(self.prior) - 0.5 * np.log(2.0 * np.pi * self.variances).sum(axis=1)

    def _likelihoods(self, x: Array) -> Array:
        finite(x)
        found: Array = self._before - 0.5 * ((x[:, None, :] - self.means) ** 2 / self.variances).sum(axis=2)
        return found

    def labels(self, x: Array) -> Array:
        found: Array = self._likelihoods(x).argmax(axis=1)
        return found

    def shares(self, x: Array) -> Array:
        found = self._likelihoods(x)
        top = found.max(axis=1, keepdims=True)
        total = top + np.log(np.exp(found - top).sum(axis=1, keepdims=True))
        shares: Array = np.exp(found - total)
        return shares
