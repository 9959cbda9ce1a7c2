"""Models made of models: votes, stacks, calibration; and layers of neurons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .linear import expit, normalised, softmax, two
from .nodes import Array, Model, Row, finite, made, op

Node = Mapping[str, Any]


class Group(Model):
    """A model on the data that its members take: cells or a matrix."""

    def __init__(self, node: Node) -> None:
        self.matrix = node["matrix"]

    def one(self, row: Row) -> tuple[Any, Any]:
        data = np.array([row], dtype=np.float64) if self.matrix else [[value] for value in row]
        labels, shares = self.many(data)  # type: ignore[arg-type]
        return labels[0], shares[0]


@op("vote")
class Vote(Group):
    """The mean of values or of probabilities, or the most votes; with weights where there are some."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self.members, self.kind, self.weights = [made(member) for member in node["members"]], node["kind"], node["weights"]
        self.classes = node["classes"]
        self.gives = self.kind == "soft"

    def shares(self, x: Array) -> Array:
        found: Array = np.average(np.array([member.shares(x) for member in self.members]), axis=0, weights=self.weights)
        return found

    def labels(self, x: Array) -> Array:
        if self.kind == "soft":
            return self.shares(x).argmax(axis=1)
        said = np.array([member.labels(x) for member in self.members]).T
        if self.kind == "mean":
            mean: Array = np.average(said, axis=1, weights=self.weights)
            return mean
        return np.array([np.bincount(row, weights=self.weights, minlength=self.classes).argmax() for row in said])

    def many(self, data: Array) -> tuple[list[Any], list[Any]]:
        if self.kind != "soft":
            return super().many(data)
        shares = self.shares(data)
        return shares.argmax(axis=1).tolist(), shares.tolist()


@op("stack")
class Stack(Group):
    """What the members say is what the last model is asked."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self.members = [(made(member["model"]), member["asks"], member["first"]) for member in node["members"]]
        self.through, self.last = made(node["through"]) if node["through"] else None, made(node["last"])
        self.passes = node["passes"]
        self.gives = node["gives"]

    def _said(self, data: Any) -> Array:
        parts = []
        for member, asks, first in self.members:
            said = getattr(member, asks)(data)
            parts.append(said[:, None] if said.ndim == 1 else said[:, first:])
        if self.passes:
            parts.append(data if self.through is None else self.through.many(data))
        return np.hstack(parts)

    def labels(self, x: Array) -> Array:
        found: Array = self.last.labels(self._said(x))
        return found

    def scores(self, x: Array) -> Array:
        found: Array = self.last.scores(self._said(x))
        return found

    def shares(self, x: Array) -> Array:
        found: Array = self.last.shares(self._said(x))
        return found

    def many(self, data: Array) -> tuple[list[Any], list[Any]]:
        labels, shares = self.last.many(self._said(data))
        return labels, shares


@op("calibrated")
class Calibrated(Group):
    """Scores of each member through curves of its own; the mean of them."""

    gives = True

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self.members = [(made(member["model"]), member["asks"], member["curves"]) for member in node["members"]]
        self.classes = node["classes"]

    def shares(self, x: Array) -> Array:
        total: Any = 0.0
        for model, asks, curves in self.members:
            said = getattr(model, asks)(x)
            if self.classes == 2:
                found = two(_curve(curves[0], said if said.ndim == 1 else said[:, 1]))
            else:
                found = normalised(np.stack([_curve(curve, said[:, i]) for i, curve in enumerate(curves)], axis=1))
            found[(found > 1.0) & (found <= 1.0 + 1e-5)] = 1.0
            total = total + found
        shares: Array = total / len(self.members)
        return shares

    def labels(self, x: Array) -> Array:
        return self.shares(x).argmax(axis=1)

    def many(self, data: Array) -> tuple[list[Any], list[Any]]:
        shares = self.shares(data)
        return shares.argmax(axis=1).tolist(), shares.tolist()


def _curve(curve: Node, scores: Array) -> Array:
    """A sigmoid, or straight lines between points."""
    if "a" in curve:
        return expit(-(curve["a"] * scores + curve["b"]))
    found: Array = np.interp(scores, curve["x"], curve["y"])
    return found


@op("layers")
class Layers(Model):
    """A network of dense layers; ``out`` is identity, exp, logistic or softmax."""

    def __init__(self, node: Node) -> None:
        self.layers = list(zip(node["weights"], node["biases"], strict=True))
        self.inner, self.out = node["inner"], node["out"]
        self.gives = self.out not in ("identity", "exp")

    def scores(self, x: Array) -> Array:
        finite(x)
        for weights, bias in self.layers[:-1]:
            x = _INNER[self.inner](x @ weights + bias)
        weights, bias = self.layers[-1]
        found: Array = x @ weights + bias
        return found

    def _given(self, scores: Array) -> tuple[Array, Any]:
        if self.out == "identity":
            return scores[:, 0], None
        if self.out == "exp":
            return np.exp(scores[:, 0]), None
        if self.out == "softmax":
            shares = softmax(scores)
            return shares.argmax(axis=1), shares
        p = expit(scores[:, 0])
        return (p > 0.5).astype(np.int64), two(p)

    def labels(self, x: Array) -> Array:
        return self._given(self.scores(x))[0]

    def shares(self, x: Array) -> Array:
        found: Array = self._given(self.scores(x))[1]
        return found

    def many(self, data: Array) -> tuple[list[Any], list[Any]]:
        labels, shares = self._given(self.scores(data))
        return labels.tolist(), [None] * len(labels) if shares is None else shares.tolist()


_INNER: dict[str, Any] = {"identity": lambda x: x, "logistic": expit, "tanh": np.tanh, "relu": lambda x: np.maximum(x, 0.0)}
