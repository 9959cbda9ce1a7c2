"""Trees as words of bits: see ``trees``."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np

from .nodes import Array, Row

Node = Mapping[str, Any]
#: categories that a feature of a tree can tell apart
CATEGORIES = 256


class Words:
    """The ensemble as tables: for each feature, what a value clears in all trees at once.

    A table has a line for each place of a value among the feature's thresholds and one for a null; of categories, a line
    for each category and one for a null.
    """

    def __init__(self, node: Node, leaves: Array) -> None:
        self.bits = _bits(int(leaves.max()))
        self.count = len(leaves)
        self.bytes = self.bits // 8 * self.count
        self.kind = np.dtype(f"<u{self.bits // 8}")
        self.all = (1 << (8 * self.bytes)) - 1
        order, tests = _laid_out(node)
        self.base = np.arange(self.count) * self.bits - 1023  # of the exponent of a double, too
        self.values = np.zeros((self.count * self.bits, node["values"].shape[1]))
        self.values[_places(order, self.bits)] = node["values"][np.concatenate(order)]
        self.flat = self.values.shape[1] == 1
        numbers, categories = _tables(node, tests, self.bits)
        self.numbers, self.categories = numbers, categories
        self._arrays = [(f, np.array(th), self._lines([*lines, null])) for f, th, lines, null in numbers]
        self._category_arrays = [(f, self._lines([*lines, null])) for f, lines, null in categories]

    @staticmethod
    def size(node: Node, leaves: Array) -> int:
        """Bytes that the tables of thresholds take, at most."""
        return int((node["feature"] >= 0).sum()) * len(leaves) * _bits(int(leaves.max())) // 8

    def _lines(self, lines: list[int]) -> Array:
        return np.frombuffer(b"".join(line.to_bytes(self.bytes, "little") for line in lines), dtype=self.kind).reshape(len(lines), -1)

    def one(self, row: Row) -> Array:
        """The values of the leaves, one row for each tree."""
        cleared = 0
        for feature, thresholds, lines, null in self.numbers:
            x = row[feature]
            cleared |= lines[bisect_left(thresholds, x)] if x == x else null
        for feature, lines, null in self.categories:
            x = row[feature]
            cleared |= lines[int(x)] if 0.0 <= x < CATEGORIES else null
        words = np.frombuffer((cleared ^ self.all).to_bytes(self.bytes, "little"), dtype=self.kind)
        found: Array = self.values.take(self._first(words) + self.base, axis=0)
        return found

    @staticmethod
    def _first(words: Array) -> Array:
        """The lowest bit of each word, plus 1023: a power of two is a double whose exponent says which."""
        found: Array = (words & -words).astype(np.float64).view(np.int64) >> 52
        return found

    def many(self, x: Array) -> Array:
        """The same for rows of a matrix: trees x rows x values."""
        cleared = np.zeros((len(x), self.count), dtype=self.kind)
        for feature, thresholds, lines in self._arrays:
            values = x[:, feature]
            at = np.searchsorted(thresholds, values, side="left")
            at[np.isnan(values)] = len(lines) - 1
            cleared |= lines[at]
        for feature, lines in self._category_arrays:
            values = x[:, feature]
            known = (values >= 0) & (values < CATEGORIES)
            cleared |= lines[np.where(known, values, CATEGORIES).astype(np.int64)]
        places = self._first(~cleared) + self.base
        found: Array = self.values[np.ascontiguousarray(places.T)]
        return found


def _bits(leaves: int) -> int:
    """Bits of a word for so many leaves."""
    return next(bits for bits in (8, 16, 32, 64) if leaves <= bits)


def _laid_out(node: Node) -> tuple[list[list[int]], list[tuple[int, int, int, int]]]:
    """The leaves of each tree from left to right, as nodes; and each test: node, tree, the first leaf on its left and how many."""
    feature, left, right = node["feature"].tolist(), node["left"].tolist(), node["right"].tolist()
    order: list[list[int]] = []
    tests: list[tuple[int, int, int, int]] = []
    for tree, start in enumerate(node["starts"].tolist()[:-1]):
        leaves: list[int] = []
        stack = [(start, -1)]
        while stack:
            i, first = stack.pop()
            if feature[i] < 0:
                leaves.append(i)
            elif first < 0:  # the test itself comes between its two sides
                stack += [(start + right[i], -1), (i, len(leaves)), (start + left[i], -1)]
            else:
                tests.append((i, tree, first, len(leaves) - first))
        order.append(leaves)
    return order, tests


def _places(order: list[list[int]], bits: int) -> Array:
    """Where the value of each leaf stands."""
    return np.concatenate([np.arange(len(leaves)) + tree * bits for tree, leaves in enumerate(order)])


def _tables(node: Node, tests: list[tuple[int, int, int, int]], bits: int) -> tuple[list[Any], list[Any]]:
    """(feature, thresholds, lines, null) of numbers and (feature, lines, null) of categories."""
    feature, threshold, nulls = node["feature"].tolist(), node["threshold"].tolist(), node["null_left"].tolist()
    bitsets = {int(i): frozenset(known) for i, known in node["categories"].items()} if node["categories"] else {}
    numbers: dict[int, list[tuple[float, int]]] = defaultdict(list)
    categories: dict[int, list[int]] = {}
    null: dict[int, int] = defaultdict(int)
    for i, tree, first, many in tests:
        clears = ((1 << many) - 1) << (tree * bits + first)
        f = feature[i]
        if not nulls[i]:
            null[f] |= clears
        if i in bitsets:
            lines = categories.setdefault(f, [0] * CATEGORIES)
            for c in range(CATEGORIES):
                if c not in bitsets[i]:
                    lines[c] |= clears
        else:
            numbers[f].append((threshold[i], clears))
    made = []
    for f, pairs in sorted(numbers.items()):
        pairs.sort()
        thresholds: list[float] = []
        lines = [0]
        for value, clears in pairs:
            if thresholds and thresholds[-1] == value:
                lines[-1] |= clears
            else:
                thresholds.append(value)
                lines.append(lines[-1] | clears)
        made.append((f, thresholds, lines, null[f]))
    return made, [(f, lines, null[f]) for f, lines in sorted(categories.items())]
