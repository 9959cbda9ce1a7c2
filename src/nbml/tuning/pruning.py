"""Trials that report and fall behind are stopped: Optuna's median rule, told of every trial whatever the sampler."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from nbml.tuning import translation

if TYPE_CHECKING:
    from nbml.tuning.values import Trial


class Pruned(BaseException):
    """Ends a trial from within ``tune.report``. No Exception, so that the trial's own ``except Exception`` lets it through."""


class Median:
    """A trial is stopped at a step where its best value so far is worse than the median of the earlier trials' there.

    Nothing is stopped before five trials are complete.
    """

    def __init__(self, direction: str, trials: Iterable[Trial] = ()) -> None:
        self._study = translation.memory(direction)
        for trial in trials:
            self.tell(trial)

    def stops(self, reports: list[tuple[int, float]]) -> bool:
        """Whether the trial with these reports, in their order, is to end now."""
        import optuna

        trial = optuna.trial.create_trial(
            state=optuna.trial.TrialState.RUNNING,
            intermediate_values={step: value for step, value in reports if math.isfinite(value)},
        )
        return bool(optuna.pruners.MedianPruner().prune(self._study, trial))

    def tell(self, trial: Trial) -> None:
        """A finished trial."""
        if trial.state == "complete" and trial.reports:
            self._study.add_trial(translation.reported(trial))
