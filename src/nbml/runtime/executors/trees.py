"""Ensembles of decision trees.

Small trees go by bit vectors, as QuickScorer does (Lucchese, Nardini, Orlando, Perego, Tonellotto, Venturini: QuickScorer:
a fast algorithm to rank documents with additive ensembles of regression trees, SIGIR 2015): a tree of at most 64 leaves is
one word, a test that fails clears the leaves on its left, and the first leaf that is left over is the answer. For one
feature the tests that fail are those whose threshold is below the value, so that all they clear, in all trees at once,
lies ready in a table: one search and one ``or`` for each feature of a row, in whole numbers of Python as long as the
ensemble. Larger trees are walked. Sums go tree by tree, as scikit-learn's do, so that ties fall to the same side.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import exp
from typing import Any

import numpy as np

from .linear import expit, expit_of, softmax, softmax_of, two
from .nodes import SINGLE, Array, Model, Row, finite, op
from .words import Words

Node = Mapping[str, Any]
#: leaves of a tree that is one word
MOST = 64
#: bytes that the tables of an ensemble may take
ROOM = 48 << 20


class Walk:
    """Trees of any size, node by node."""

    def __init__(self, node: Node) -> None:
        sizes = np.diff(node["starts"])
        shift = np.repeat(node["starts"][:-1], sizes)
        self.roots, self.feature, self.threshold = node["starts"][:-1].astype(np.int64), node["feature"].astype(np.int64), node["threshold"]
        self.left, self.right = node["left"] + shift, node["right"] + shift
        self.nulls = node["null_left"]
        self.values = node["values"]
        self._trees = self._nested()

    def _nested(self) -> list[Any]:
        """Each tree as its first test: (feature, threshold, left, right, whether a null goes left); a leaf is its number.

        Children come after their parents in scikit-learn's arrays, so all are there when a parent is made from the end.
        """
        nodes: list[Any] = list(range(len(self.feature)))
        columns = (self.feature.tolist(), self.threshold.tolist(), self.left.tolist(), self.right.tolist(), self.nulls.tolist())
        for i, (f, t, left, right, null) in reversed(list(enumerate(zip(*columns, strict=True)))):
            if f >= 0:
                nodes[i] = (f, t, nodes[left], nodes[right], null)
        return [nodes[root] for root in self.roots.tolist()]

    def one(self, row: Row) -> Array:
        """The values of the leaves, one row for each tree."""
        leaves = []
        total = sum(row)
        nulls = total != total
        for node in self._trees:
            while node.__class__ is tuple:
                f, t, left, right, null = node
                x = row[f]
                node = left if x <= t or (nulls and null and x != x) else right
            leaves.append(node)
        found: Array = self.values.take(leaves, axis=0)
        return found

    def many(self, x: Array) -> Array:
        """The same for rows of a matrix: trees x rows x values."""
        at = np.repeat(self.roots[:, None], len(x), axis=1)
        rows = np.broadcast_to(np.arange(len(x)), at.shape)
        active = np.flatnonzero(self.feature[at.ravel()] >= 0)
        flat, rows = at.ravel(), rows.ravel()
        while len(active):
            here = flat[active]
            value = x[rows[active], self.feature[here]]
            goes = (value <= self.threshold[here]) | (np.isnan(value) & self.nulls[here])
            here = np.where(goes, self.left[here], self.right[here])
            flat[active] = here
            active = active[self.feature[here] >= 0]
        found: Array = self.values[flat.reshape(at.shape)]
        return found


@op("trees")
class Trees(Model):
    """The sum over trees, then the link: mean, shares (of a forest), identity, exp, logistic, logistic2, softmax, isolation."""

    def __init__(self, node: Node) -> None:
        leaves = _leaves(node)
        words = leaves.max() <= MOST and (Words.size(node, leaves) <= ROOM or node["categories"])
        if node["categories"] and not words:
            raise ValueError("trees of more than 64 leaves with categories have no executor")
        self.trees: Any = Words(node, leaves) if words else Walk(node)
        self.width, self.link, self.start = node["width"], node["link"], node["start"]
        self.nulls, self.single, self.count = node["nulls"], node["single"], len(node["starts"]) - 1
        self.strict = self.single or not self.nulls  # what takes doubles and nulls takes infinities too
        self.even = node["even"]  # whether a score of 0 is the second of two classes
        self.gives = self.link in ("shares", "logistic", "logistic2", "softmax")
        self.scale, self.offset = node.get("scale", 1.0), node.get("offset", 0.0)

    # -- scores: what the trees add up to ---------------------------------------------------------------------

    def raw(self, x: Array) -> Array:
        """rows x width"""
        if self.strict:
            finite(x, nulls=self.nulls, single=self.single)
        found = np.empty((len(x), self.width))
        step = max(1, (1 << 22) // (8 * self.count * self.width))
        for first in range(0, len(x), step):
            part = x[first : first + step]
            found[first : first + step] = self._sums(self.trees.many(part), len(part))
        return found

    def _sums(self, values: Array, rows: int) -> Array:
        """trees x rows x (1 or width) added in the order of the trees, one after the other."""
        if values.shape[2] == 1:  # a tree for each score, turn by turn
            values = values.reshape(-1, self.width, rows).transpose(0, 2, 1)
        total = np.repeat(self.start[None, :], rows, axis=0)
        for part in values:
            total += part
        return total

    def _raw_of(self, row: Row) -> Row:
        total = sum(row) if self.strict else 0.0
        if total != total or (self.strict and (min(row) < -SINGLE or max(row) > SINGLE)):
            finite(np.array([row], dtype=np.float64), nulls=self.nulls, single=self.single)
        values = self.trees.one(row)
        # one after the other, which sum() of Python 3.12 does not do
        if self.width == 1:
            turns = values.ravel()
            turns[0] += self.start[0]
            return [float(np.add.accumulate(turns)[-1])]
        turns = values.reshape(-1, self.width)
        turns[0] += self.start
        return list(np.add.accumulate(turns, axis=0)[-1].tolist())

    # -- links ------------------------------------------------------------------------------------------------

    def scores(self, x: Array) -> Array:
        raw = self.raw(x)
        return raw[:, 0] if self.width == 1 else raw

    def labels(self, x: Array) -> Array:
        return self._labels(self.raw(x))

    def shares(self, x: Array) -> Array:
        return self._shares(self.raw(x))

    def _labels(self, raw: Array) -> Array:
        if self.link == "identity":
            return raw[:, 0]
        if self.link == "mean":
            return raw[:, 0] / self.count
        if self.link == "exp":
            return np.exp(raw[:, 0])
        if self.link == "isolation":
            return np.where(-np.exp2(-raw[:, 0] / self.scale) - self.offset < 0, -1, 1)
        if self.width == 1:
            return (raw[:, 0] >= 0 if self.even else raw[:, 0] > 0).astype(np.int64)
        return (raw / self.count if self.link == "shares" else raw).argmax(axis=1)

    def _shares(self, raw: Array) -> Array:
        if self.link == "shares":
            return raw / self.count
        if self.link == "softmax":
            return softmax(raw)
        return two(expit(2.0 * raw[:, 0] if self.link == "logistic2" else raw[:, 0]))

    def many(self, data: Array) -> tuple[list[Any], list[Any]]:
        raw = self.raw(data)
        labels = self._labels(raw).tolist()
        return labels, self._shares(raw).tolist() if self.gives else [None] * len(labels)

    def one(self, row: Row) -> tuple[Any, Any]:
        raw = self._raw_of(row)
        if self.link == "shares":
            shares = [x / self.count for x in raw]
            return shares.index(max(shares)), shares
        if self.link == "softmax":
            return raw.index(max(raw)), softmax_of(raw)
        x = raw[0]
        if self.link == "identity":
            return x, None
        if self.link == "mean":
            return x / self.count, None
        if self.link == "exp":
            return exp(x), None
        if self.link == "isolation":
            return -1 if -(2.0 ** (-x / self.scale)) - self.offset < 0 else 1, None
        p = expit_of(2.0 * x if self.link == "logistic2" else x)
        return int(x >= 0 if self.even else x > 0), [1.0 - p, p]


def _leaves(node: Node) -> Array:
    """How many leaves each tree has."""
    ends = np.concatenate([[0], np.cumsum(node["feature"] < 0)])
    found: Array = ends[node["starts"][1:]] - ends[node["starts"][:-1]]
    return found
