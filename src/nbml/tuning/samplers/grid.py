"""Every combination, once, in the order of the ranges. No tool; floats need a step.

Ranges below an option of a choice are varied where the option is chosen only, so nothing is tried twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbml import errors
from nbml.tuning.ranges import Range, Raw, from_spec

if TYPE_CHECKING:
    from nbml.tuning.values import Trial


@dataclass
class _Wheel:
    """One place of the odometer."""

    key: str
    points: Sequence[Raw]
    at: int = 0


class GridSampler:
    """An odometer whose wheels appear as the trials ask for them: the last one turns first."""

    def __init__(self, direction: str, seed: int | None) -> None:
        self._wheels: list[_Wheel] = []
        self._done = False

    def ask(self, number: int) -> GridDraw | None:
        return None if self._done else GridDraw(self._wheels)

    def tell(self, trial: Trial) -> None:
        if trial.defaults:
            return
        wheels = []
        for key, raw in trial.raw.items():
            points = _points(key, from_spec(trial.ranges[key]))
            at = points.index(raw if raw is not None else points[0])
            wheels.append(_Wheel(key, points, at))
        while wheels and wheels[-1].at + 1 == len(wheels[-1].points):
            wheels.pop()
        if wheels:
            wheels[-1].at += 1
        self._wheels, self._done = wheels, not wheels


class GridDraw:
    """The odometer's present reading; a key that it has no wheel for begins at its first value."""

    def __init__(self, wheels: list[_Wheel]) -> None:
        self._values = {wheel.key: wheel.points[wheel.at] for wheel in wheels}

    def suggest(self, key: str, range: Range) -> Raw:
        return self._values[key] if key in self._values else _points(key, range)[0]


def _points(key: str, range: Range) -> Sequence[Raw]:
    points = range.points()
    if points is None:
        raise errors.BadArgument(f"a grid needs steps: {key} is {range!r}; give it step=, or use --sampler optuna")
    return points


if TYPE_CHECKING:
    from nbml.tuning.samplers import Sampler

    _: type[Sampler] = GridSampler
