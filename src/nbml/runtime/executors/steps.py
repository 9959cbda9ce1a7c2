"""Transformers of numbers, and the joints of pipelines: chains, columns, selections."""

from __future__ import annotations

from collections.abc import Mapping
from math import nan
from typing import Any

import numpy as np

from .nodes import Array, Numeric, Row, finite, made, op

Node = Mapping[str, Any]


@op("matrix")
class Matrix:
    """Cells of numbers as a matrix of doubles."""

    def __init__(self, node: Node) -> None:
        self.floats = node["floats"]

    def many(self, data: list[Row]) -> Array:
        return np.ascontiguousarray(np.array(data, dtype=np.float64).T)

    def one(self, row: Row) -> Row:
        if None in row:
            row = [nan if value is None else value for value in row]
        return row if self.floats else list(map(float, row))


@op("known")
class Known:
    """A category that the training rows had not is no value in pandas."""

    def __init__(self, node: Node) -> None:
        self.at = {int(i): frozenset(known) for i, known in node["at"].items()}

    def many(self, data: list[Row]) -> list[Row]:
        out = list(data)
        for i, known in self.at.items():
            out[i] = [value if value in known else None for value in data[i]]
        return out

    def one(self, row: Row) -> Row:
        for i, known in self.at.items():
            if row[i] not in known:
                row[i] = None
        return row


@op("chain")
class Chain:
    """Steps one after the other; the last may be a model."""

    def __init__(self, node: Node) -> None:
        self.steps = [made(step) for step in node["steps"]]
        self.many_of = [step.many for step in self.steps]
        self.one_of = [step.one for step in self.steps]

    def many(self, data: Any) -> Any:
        for step in self.many_of:
            data = step(data)
        return data

    def one(self, row: Row) -> Any:
        for step in self.one_of:
            row = step(row)
        return row

    # as a model inside others, on a matrix
    def _before(self, data: Any) -> Any:
        for step in self.many_of[:-1]:
            data = step(data)
        return data

    def labels(self, x: Any) -> Array:
        found: Array = self.steps[-1].labels(self._before(x))
        return found

    def scores(self, x: Any) -> Array:
        found: Array = self.steps[-1].scores(self._before(x))
        return found

    def shares(self, x: Any) -> Array:
        found: Array = self.steps[-1].shares(self._before(x))
        return found


@op("columns")
class Columns:
    """Blocks of columns, each through a step of its own, side by side."""

    def __init__(self, node: Node) -> None:
        self.blocks = [(_span(block["at"]), block["at"], made(block["step"]) if block["step"] else None) for block in node["blocks"]]
        self.matrix = node["matrix"]

    def many(self, data: Any) -> Any:
        parts = []
        for span, at, step in self.blocks:
            part = data[:, span or at] if isinstance(data, np.ndarray) else [data[i] for i in at]
            parts.append(part if step is None else step.many(part))
        if self.matrix:
            return np.hstack(parts)
        return [column for part in parts for column in (part.T.tolist() if isinstance(part, np.ndarray) else part)]

    def one(self, row: Row) -> Row:
        out: Row = []
        for span, at, step in self.blocks:
            part = row[span] if span else [row[i] for i in at]
            out += part if step is None else step.one(part)
        return out


def _span(at: list[int]) -> slice | None:
    """The slice that picks the same, where there is one."""
    return slice(at[0], at[-1] + 1) if at and at == list(range(at[0], at[-1] + 1)) else None


@op("pick")
class Pick:
    """Some of the columns."""

    def __init__(self, node: Node) -> None:
        self.at = [int(i) for i in node["at"]]
        self.strict = node["strict"]

    def many(self, data: Any) -> Any:
        if not isinstance(data, np.ndarray):
            return [data[i] for i in self.at]
        if self.strict:
            finite(data)
        return data[:, self.at]

    def one(self, row: Row) -> Row:
        if self.strict:
            finite(np.array(row, dtype=np.float64))
        return [row[i] for i in self.at]


@op("scale")
class Scale:
    """(x - minus) / over."""

    def __init__(self, node: Node) -> None:
        self.minus, self.over = node["minus"], node["over"]
        size = len(self.minus if self.minus is not None else self.over)
        self._minus = [0.0] * size if self.minus is None else self.minus.tolist()
        self._over = [1.0] * size if self.over is None else self.over.tolist()

    def many(self, data: Array) -> Array:
        moved = data if self.minus is None else data - self.minus
        return moved if self.over is None else moved / self.over

    def one(self, row: Row) -> Row:
        return [(x - m) / s for x, m, s in zip(row, self._minus, self._over, strict=False)]


@op("line")
class Line:
    """x * times + plus, cut at the ends where it is so asked."""

    def __init__(self, node: Node) -> None:
        self.times, self.plus, self.ends = node["times"], node["plus"], node["ends"]
        self._times, self._plus = self.times.tolist(), self.plus.tolist()

    def many(self, data: Array) -> Array:
        found: Array = data * self.times + self.plus
        return found if self.ends is None else np.clip(found, *self.ends)

    def one(self, row: Row) -> Row:
        found = [x * t + p for x, t, p in zip(row, self._times, self._plus, strict=False)]
        if self.ends is None:
            return found
        low, high = self.ends
        return [low if x < low else high if x > high else x for x in found]


@op("clip")
class Clip(Numeric):
    """Cut at the ends."""

    def __init__(self, node: Node) -> None:
        self.ends = node["ends"]

    def many(self, data: Array) -> Array:
        found: Array = np.clip(data, *self.ends)
        return found


@op("powers")
class Powers(Numeric):
    """Products of columns: each output names its factors; one past the last column is 1."""

    def __init__(self, node: Node) -> None:
        self.factors = node["factors"]

    def many(self, data: Array) -> Array:
        finite(data)
        wide = np.hstack([data, np.ones((len(data), 1))])
        found: Array = wide[:, self.factors[:, 0]]
        for place in range(1, self.factors.shape[1]):
            found = found * wide[:, self.factors[:, place]]
        return found


@op("unit")
class Unit(Numeric):
    """Rows of length 1."""

    def __init__(self, node: Node) -> None:
        self.norm = node["norm"]

    def many(self, data: Array) -> Array:
        finite(data)
        if self.norm == "l1":
            size = np.abs(data).sum(axis=1)
        elif self.norm == "l2":
            size = np.sqrt(np.einsum("ij,ij->i", data, data))
        else:
            size = np.abs(data).max(axis=1)
        found: Array = data / np.where(size == 0.0, 1.0, size)[:, None]
        return found


@op("above")
class Above(Numeric):
    """1 above the threshold, else 0."""

    def __init__(self, node: Node) -> None:
        self.threshold = node["threshold"]

    def many(self, data: Array) -> Array:
        finite(data)
        return (data > self.threshold).astype(np.float64)


@op("project")
class Project(Numeric):
    """x @ onto, moved and scaled."""

    def __init__(self, node: Node) -> None:
        self.onto, self.minus, self.over = np.ascontiguousarray(node["onto"].T), node["minus"], node["over"]

    def many(self, data: Array) -> Array:
        finite(data)
        found: Array = data @ self.onto
        if self.minus is not None:
            found = found - self.minus
        return found if self.over is None else found / self.over
