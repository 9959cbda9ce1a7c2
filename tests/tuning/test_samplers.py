"""The contract of the three samplers, each by its public name."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from nbml import errors, registry
from nbml.testing.samplers import SamplerSuite
from nbml.tuning.ranges import Float


class TestOptuna(SamplerSuite):
    def sampler(self, direction: str = "minimize", seed: int | None = 0) -> Any:
        return registry.adapter("nbml.samplers", "optuna")(direction, seed)

    def test_learns(self) -> None:
        best = min(t.score or 0.0 for t in self.trials(self.sampler(), 30))
        lucky = min(t.score or 0.0 for t in self.trials(registry.adapter("nbml.samplers", "random")("minimize", 0), 30))
        assert best < lucky

    def test_says_nothing_and_leaves_the_users_settings(self, capfd: pytest.CaptureFixture[str]) -> None:
        import optuna

        before = optuna.logging.get_verbosity()
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            self.trials(self.sampler(), 12)
        assert (optuna.logging.get_verbosity(), heard, capfd.readouterr()) == (before, [], ("", ""))


class TestRandom(SamplerSuite):
    def sampler(self, direction: str = "minimize", seed: int | None = 0) -> Any:
        return registry.adapter("nbml.samplers", "random")(direction, seed)


class TestGrid(SamplerSuite):
    counted, seeded = True, False

    def sampler(self, direction: str = "minimize", seed: int | None = 0) -> Any:
        return registry.adapter("nbml.samplers", "grid")(direction, seed)

    def test_a_range_that_cannot_be_counted_is_refused(self) -> None:
        draw = self.sampler().ask(0)
        with pytest.raises(errors.BadArgument) as caught:
            draw.suggest("lr", Float(0.1, 0.5, log=True))
        assert str(caught.value) == "a grid needs steps: lr is tune.float(0.1, 0.5, log=True); give it step=, or use --sampler optuna"
