"""The nodes of a plan by their names, and what goes between them.

Data are *cells* (a list of columns, each a list of JSON values) or a *matrix* (doubles, a null is NaN). Each step has two
ways through it with the same results: ``many`` for cells or a matrix, and ``one`` for a single row as a list, because a
call of numpy costs as much as some twenty operations on Python's own floats.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Row = list[Any]
#: the largest double that a float32 can stand for: what is larger is rounded to infinity
SINGLE = float(np.nextafter(float(np.finfo(np.float32).max) + 2.0**103, 0.0))


class Step(Protocol):
    """A transformer: data of one kind in, of one kind out."""

    def many(self, data: Any) -> Any: ...

    def one(self, row: Row) -> Row: ...


class Head(Protocol):
    """A model at the end: numbers of classes or values, one for each row, and rows of probabilities or None."""

    def many(self, data: Any) -> tuple[list[Any], list[Any]]: ...

    def one(self, row: Row) -> tuple[Any, Any]: ...


class Estimator(Protocol):
    """A model inside others: matrix in; class numbers or values, scores and probabilities out."""

    def labels(self, x: Array) -> Array: ...

    def scores(self, x: Array) -> Array: ...

    def shares(self, x: Array) -> Array: ...


_OPS: dict[str, Callable[[Mapping[str, Any]], Any]] = {}


def op(name: str) -> Callable[[Any], Any]:
    """Registers the class of a node."""

    def keep(kind: Any) -> Any:
        _OPS[name] = kind
        return kind

    return keep


def made(node: Mapping[str, Any]) -> Any:
    """The object of a node. Raises ValueError for a name that this runtime does not know."""
    from . import encoders, linear, meta, sessions, steps, trees  # noqa: F401 - they register their nodes

    if node["op"] not in _OPS:
        raise ValueError(f"this runtime has no executor {node['op']!r}")
    return _OPS[node["op"]](node)


def finite(x: Array, *, nulls: bool = False, single: bool = False) -> None:
    """Raises ValueError in scikit-learn's words for a NaN (unless ``nulls``) or an infinity; ``single``: as a float32 too."""
    if single:
        wrong = np.abs(x) > SINGLE
    else:
        if np.isfinite(x).all():
            return
        wrong = np.isinf(x)
    if not nulls and np.isnan(x).any():
        raise ValueError("Input X contains NaN.")
    if wrong.any():
        raise ValueError(f"Input X contains infinity or a value too large for dtype('{'float32' if single else 'float64'}').")


class Numeric:
    """A step from matrix to matrix; one row goes as a matrix of one row."""

    def many(self, data: Array) -> Array:
        raise NotImplementedError

    def one(self, row: Row) -> Row:
        return list(self.many(np.array([row], dtype=np.float64))[0].tolist())


class Model:
    """A model on a matrix: ``values`` of a regressor, or ``scores`` and ``shares`` of a classifier with its labels."""

    #: whether it gives probabilities
    gives = False

    def labels(self, x: Array) -> Array:
        raise NotImplementedError

    def scores(self, x: Array) -> Array:
        raise NotImplementedError

    def shares(self, x: Array) -> Array:
        raise NotImplementedError

    def many(self, data: Array) -> tuple[list[Any], list[Any]]:
        labels = self.labels(data).tolist()
        return labels, self.shares(data).tolist() if self.gives else [None] * len(labels)

    def one(self, row: Row) -> tuple[Any, Any]:
        labels, shares = self.many(np.array([row], dtype=np.float64))
        return labels[0], shares[0]
