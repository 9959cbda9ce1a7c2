"""Random search, by Optuna's sampler (5.x). Nothing is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import optuna

from nbml.tuning.samplers.asking import Asking


class RandomSampler(Asking):
    """Every value is drawn by itself, whatever the trials gave."""

    def _engine(self, seed: int) -> Any:
        return optuna.samplers.RandomSampler(seed=seed)


if TYPE_CHECKING:
    from nbml.tuning.samplers import Sampler

    _: type[Sampler] = RandomSampler
