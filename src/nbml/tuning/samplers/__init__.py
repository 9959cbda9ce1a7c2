"""Samplers: what proposes the next values. One file each, found by entry point (group ``nbml.samplers``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from nbml.tuning.ranges import Range, Raw

if TYPE_CHECKING:
    from nbml.tuning.values import Trial


class Draw(Protocol):
    """The values of one trial, proposed one by one as the trial asks for them."""

    def suggest(self, key: str, range: Range) -> Raw:
        """A raw value of ``range`` (see ranges.py): asked at most once for a key."""
        ...


class Sampler(Protocol):
    """Proposes values, one trial at a time, in the thread that made it.

    The range of a key is the same in all trials of a study; a trial may ask for some of the keys only. With a seed
    the proposal depends on the seed, the trial's number and the trials told, and on nothing else: who is told the
    trials of a study again, in their order, goes on as if it had never stopped.
    """

    def __init__(self, direction: str, seed: int | None) -> None:
        """``direction`` is "minimize" or "maximize"."""
        ...

    def ask(self, number: int) -> Draw | None:
        """Begin the trial of that number; None where every combination was tried. One that is never told is forgotten."""
        ...

    def tell(self, trial: Trial) -> None:
        """A finished trial: the one that was asked for last, one from the record, or one that nobody proposed
        (``trial.defaults``, whose values may lie outside their ranges)."""
        ...
