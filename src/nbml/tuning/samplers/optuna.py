"""Optuna's TPE (5.x): multivariate, conditional parameters in groups of their own.

Not carried over: constraints, several objectives, and Optuna's storages (the record is nbml's own).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import optuna

from nbml.tuning.samplers.asking import Asking


class OptunaSampler(Asking):
    """Learns from the trials told which values are good; the first ten trials are random."""

    def _engine(self, seed: int) -> Any:
        return optuna.samplers.TPESampler(seed=seed, group=True)


if TYPE_CHECKING:
    from nbml.tuning.samplers import Sampler

    _: type[Sampler] = OptunaSampler
