"""What a block's calls showed: what was fitted on which rows, and what was asked about which.

It is told of each call on the cell's path, so it only keeps references, and a probe of each array by which a later change is noticed.
"""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass, field
from typing import Any

#: calls of each kind that are kept, the last ones; bytes up to which an array is copied; places of a probe
MOST, COPIED, PROBED = 40, 200_000, 64


@dataclass(frozen=True)
class Kept:
    """A value as it was: a shallow copy of a frame, a copy of a small array, or a reference with a probe. ``name`` is the notebook's."""

    value: Any
    origin: Any
    probe: bytes | None = None

    @property
    def changed(self) -> bool:
        """Whether the array is another now."""
        return self.probe is not None and _probe(self.value) != self.probe


def kept(value: Any) -> Kept:
    """Keep a value so that a later change in place does no harm."""
    if hasattr(value, "iloc"):
        return Kept(value.copy(deep=False), value)
    if is_array(value):
        if value.nbytes <= COPIED and not value.dtype.hasobject:
            return Kept(value.copy(), value)
        return Kept(value, value, _probe(value))
    if isinstance(value, list) and len(value) <= 10_000:
        return Kept(list(value), value)
    return Kept(value, value)


def _probe(value: Any) -> bytes:
    """The bytes at some places of an array."""
    if value.dtype.hasobject or not value.size:
        return b""
    flat = value.flat
    step = max(1, value.size // PROBED)
    return b"".join(flat[place].tobytes() for place in range(0, value.size, step))


def is_array(value: Any) -> bool:
    """Whether a value is an array of numpy; imports nothing, since a run that fits nothing needs none."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray)


@dataclass(frozen=True)
class Fitted:
    """A fit: ``state`` are the learned attributes' identities, by which another fit is noticed."""

    estimator: Any
    X: Kept
    y: Kept | None
    weights: Any
    groups: Any
    order: int


@dataclass(frozen=True)
class Asked:
    """A prediction or a score."""

    estimator: Any
    method: str
    X: Kept
    y: Kept | None
    answer: Any
    order: int


@dataclass(frozen=True)
class Folded:
    """A cross-validation."""

    function: str
    estimator: Any
    X: Kept
    y: Kept | None
    cv: Any
    groups: Any
    order: int


@dataclass(frozen=True)
class Scored:
    """A call of a metric."""

    metric: str
    true: Any
    answer: Any


@dataclass
class Witness:
    """Listens in one block. Nothing that it does raises or takes long."""

    thread: int = field(default_factory=threading.get_ident)
    fits: list[Fitted] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    folded: list[Folded] = field(default_factory=list)
    scores: list[Scored] = field(default_factory=list)
    transformed: list[Asked] = field(default_factory=list)
    #: the notebook's arrays and frames by name, as they were at the block's end
    names: dict[str, Any] = field(default_factory=dict)
    #: the cell that runs the block, as the recorder counts; -1 where there is none
    cell: int = -1
    _count: int = 0

    def nested(self) -> None:
        """A fit inside another one tells nothing."""

    def fitted(self, estimator: Any, args: tuple[Any, ...], kwargs: dict[str, Any], method: str) -> None:
        """A fit that ended."""
        X, y = _argument(args, kwargs, 0, "X"), _argument(args, kwargs, 1, "y")
        if X is None or method == "partial_fit":
            return
        weights, groups = kwargs.get("sample_weight"), kwargs.get("groups")
        self._add(self.fits, Fitted(estimator, kept(X), None if y is None else kept(y), weights, groups, self._next()))

    def called(self, estimator: Any, method: str, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        """A prediction, a score or a transformation that ended."""
        X, y = _argument(args, kwargs, 0, "X"), _argument(args, kwargs, 1, "y")
        if X is None:
            return
        scored = method == "score" and y is not None
        found = Asked(estimator, method, kept(X), kept(y) if scored else None, result, self._next())
        self._add(self.transformed if "transform" in method else self.asked, found)

    def validated(self, function_name: str, estimator: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        """A cross-validation that ended. ``args`` are those of the function, the estimator among them or not."""
        rest = args[1:] if args and args[0] is estimator else args
        X, y = _argument(rest, kwargs, 0, "X"), _argument(rest, kwargs, 1, "y")
        if X is not None:
            given = None if y is None else kept(y)
            self._add(self.folded, Folded(function_name, estimator, kept(X), given, kwargs.get("cv"), kwargs.get("groups"), self._next()))

    def split(self, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        """A call of train_test_split: its parts are seen where they are used."""

    def scored(self, metric_name: str, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        """A metric that was computed."""
        true, answer = _argument(args, kwargs, 0, "y_true"), _argument(args, kwargs, 1, "y_pred", "y_score", "y_proba", "y_prob")
        average = kwargs.get("average")
        if true is not None and answer is not None:
            self._add(self.scores, Scored(f"{metric_name}_{average}" if average else metric_name, true, answer))

    def ended(self) -> None:
        """The block is over: take what the notebook's names stand for. Copies nothing."""
        from nbml.slicing import recorder

        current = recorder.current()
        if current is not None and current.running is not None:
            self.cell = current.cells[-1].seq + 1 if current.cells else 0
        self.names = snapshot(recorder.namespace()) if self.fits or self.folded else {}

    @property
    def worthwhile(self) -> bool:
        """Whether there is something to judge."""
        return bool(self.fits or self.folded)

    def _next(self) -> int:
        self._count += 1
        return self._count

    def _add(self, kind: list[Any], one: Any) -> None:
        kind.append(one)
        del kind[:-MOST]


def snapshot(namespace: Any) -> dict[str, Any]:
    """The arrays, frames, columns and lists among names, by reference; and texts and lists of texts, that may name columns."""
    pandas = sys.modules.get("pandas")
    found: dict[str, Any] = {}
    for name, value in list(namespace.items()):
        if name.startswith("_") or isinstance(value, type):
            continue
        if is_array(value) and value.ndim in (1, 2):
            found[name] = value
        elif pandas is not None and isinstance(value, (pandas.DataFrame, pandas.Series)):
            found[name] = value.copy(deep=False)
        elif isinstance(value, (str, list, tuple)) or (pandas is not None and isinstance(value, pandas.Index)):
            found[name] = value
    return found


def _argument(args: tuple[Any, ...], kwargs: dict[str, Any], place: int, *names: str) -> Any:
    if len(args) > place:
        return args[place]
    return next((kwargs[name] for name in names if name in kwargs), None)
