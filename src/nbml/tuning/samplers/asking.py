"""What samplers of Optuna have in common: a study in memory that is asked and told."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Any

from nbml.tuning import translation
from nbml.tuning.ranges import Range, Raw

if TYPE_CHECKING:
    from nbml.tuning.values import Trial


class Draw:
    """A trial of Optuna that hands out raw values."""

    def __init__(self, trial: Any) -> None:
        self.trial = trial

    def suggest(self, key: str, range: Range) -> Raw:
        return translation.suggest(self.trial, key, range)


class Asking:
    """Fill in ``_engine``, which makes Optuna's sampler from a seed.

    Each trial gets a sampler of its own, seeded with the study's seed and the trial's number, so that what is proposed
    does not depend on what this process proposed before.
    """

    def __init__(self, direction: str, seed: int | None) -> None:
        self._seed = secrets.randbits(32) if seed is None else seed
        self._study = translation.memory(direction)
        self._open: tuple[int, Draw] | None = None

    def _engine(self, seed: int) -> Any:
        raise NotImplementedError

    def ask(self, number: int) -> Draw | None:
        digest = hashlib.sha256(f"{self._seed} {number}".encode()).digest()
        with translation.quiet():
            self._study.sampler = self._engine(int.from_bytes(digest[:4], "big"))
        if self._open is not None:  # never told: Optuna has no word for "forget it" but failed
            self._study.tell(self._open[1].trial, state=translation.STATES["failed"])
        draw = Draw(self._study.ask())
        self._open = (number, draw)
        return draw

    def tell(self, trial: Trial) -> None:
        if self._open is None or self._open[0] != trial.number:
            known = translation.frozen(trial)
            if known is not None:
                self._study.add_trial(known)
            return
        mine, self._open = self._open[1].trial, None
        for step, value in trial.reports:
            mine.report(value, step)
        complete = trial.state == "complete"
        self._study.tell(mine, trial.score if complete else None, None if complete else translation.STATES[trial.state])
