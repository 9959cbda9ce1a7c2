"""One trial while it runs: hands out values, hears reports, becomes a Trial."""

from __future__ import annotations

import math
import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from nbml import errors
from nbml.tuning import templates
from nbml.tuning.pruning import Median, Pruned
from nbml.tuning.ranges import Choice, Range, Raw, label
from nbml.tuning.values import Trial

if TYPE_CHECKING:
    from nbml.tuning.samplers import Draw

#: the trial that runs in this thread, for ``tune.float`` and ``tune.report`` in it
active: ContextVar[Attempt | None] = ContextVar("nbml_trial", default=None)


class SpaceChanged(BaseException):
    """A trial of an objective asks for a range that is not the one its study knows under that name."""


class Attempt:
    """A trial that runs. With ``draw`` None its values are the defaults."""

    def __init__(self, number: int, draw: Draw | None, known: dict[str, dict[str, Any]], pruner: Median) -> None:
        self.number, self.draw = number, draw
        self.started = time.time()
        self.reports: list[tuple[int, float]] = []
        self._known, self._pruner = known, pruner
        self._params: dict[str, Any] = {}
        self._names: dict[str, str] = {}
        self._raw: dict[str, Raw | None] = {}
        self._ranges: dict[str, Range] = {}

    def pick(self, place: templates.Place) -> templates.Picked:
        """The value for a place in an estimator."""
        if self.draw is None:
            picked = templates.default(place)
        else:
            raw = self.draw.suggest(place.key, place.range)
            picked = templates.Picked(place.range.value(raw), raw)
        self._note(place.key, place.name, place.range, picked.value, picked.raw)
        return picked

    def suggest(self, name: str, range: Range) -> Any:
        """The value of ``name`` in an objective; asked again, the same."""
        if name in self._ranges:
            if self._ranges[name] != range:
                raise errors.BadArgument(f"two ranges are called {name!r}: {self._ranges[name]!r} and {range!r}; give one a name=")
            return range.value(self._raw[name] or 0)
        if self._known.get(name, range.spec()) != range.spec():
            raise SpaceChanged(name)
        assert self.draw is not None
        raw = self.draw.suggest(name, range)
        self._note(name, name, range, range.value(raw), raw)
        return range.value(raw)

    def report(self, score: float, step: int | None) -> None:
        """Hear a score on the way; ends the trial where it falls behind."""
        value = number(score, "tune.report")
        at = (self.reports[-1][0] + 1 if self.reports else 0) if step is None else step
        if not isinstance(at, int) or at < 0:
            raise errors.BadArgument(f"tune.report: step is a whole number from 0 on, not {step!r}")
        if math.isfinite(value):
            self.reports = [*(r for r in self.reports if r[0] != at), (at, value)]
            if self._pruner.stops(self.reports):
                raise Pruned

    def done(self, state: str, score: float | None, folds: tuple[float, ...] = (), error: str = "") -> Trial:
        """What became of it."""
        return Trial(
            self.number, state, score, self.started, time.time(), self._params, self._raw,
            {key: found.spec() for key, found in self._ranges.items()}, self._names, folds, tuple(self.reports),
            self.draw is None, error,
        )  # fmt: skip

    def _note(self, key: str, name: str, range: Range, value: Any, raw: Raw | None) -> None:
        self._raw[key], self._ranges[key], self._names[key] = raw, range, name
        self._params[name] = range.label(raw) if raw is not None and isinstance(range, Choice) else label(value)


def number(value: Any, what: str) -> float:
    """``value`` as a float: a number, or an array or tensor that holds one. Raises errors.BadArgument."""
    try:
        if isinstance(value, (str, bytes)) or not hasattr(value, "__float__"):
            raise TypeError
        return float(value)
    except (TypeError, ValueError) as error:
        raise errors.BadArgument(f"{what} takes a number, not {type(value).__name__}") from error


@contextmanager
def running(attempt: Attempt) -> Iterator[None]:
    """``tune.float`` and the like speak to ``attempt`` inside."""
    token = active.set(attempt)
    try:
        yield
    finally:
        active.reset(token)


@contextmanager
def seeded(seed: int | None, number: int) -> Iterator[None]:
    """The generators of ``random`` and numpy begin the same way for a trial's number; afterwards they are as before.

    With no seed they are left alone.
    """
    if seed is None:
        yield
        return
    numpy = sys.modules.get("numpy")
    plain, array = random.getstate(), None if numpy is None else numpy.random.get_state()
    random.seed(seed * 1_000_003 + number)
    if numpy is not None:
        numpy.random.seed((seed * 1_000_003 + number) % 2**32)
    try:
        yield
    finally:
        random.setstate(plain)
        if numpy is not None:
            numpy.random.set_state(array)
