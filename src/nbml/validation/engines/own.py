"""nbml's own evaluator: the results of Great Expectations' pandas engine, without Great Expectations.

What it does not judge (a type or an argument that it does not know, values that pandas objects to) goes to the engine
``gx``, expectation by expectation and all at once. Not carried over: tracebacks are only those of Great Expectations.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from nbml import registry
from nbml.validation.engines import REPEATED, Judged, answer, judged
from nbml.validation.evaluating import outcomes
from nbml.validation.evaluating.results import as_json
from nbml.validation.evaluating.terms import Foreign

if TYPE_CHECKING:
    import pandas as pd

    from nbml.validation.engines import Judging
    from nbml.validation.evaluating.results import Outcome

Json = dict[str, Any]


class OwnEngine:
    """Judges column by column, and learns each thing about a column once."""

    def evaluate(self, frame: pd.DataFrame, configs: list[Json], result_format: str) -> list[Json]:
        return [found.result for found in self._judge(frame, configs, result_format, whole=False)]

    def judge(self, frame: pd.DataFrame, configs: list[Json], result_format: str) -> list[Judged]:
        return self._judge(frame, configs, result_format, whole=True)

    def _judge(self, frame: pd.DataFrame, configs: list[Json], result_format: str, *, whole: bool) -> list[Judged]:
        found: dict[int, Judged] = {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for place, outcome in outcomes(frame, configs):
                own = None if outcome is None else _judged(configs[place], outcome, result_format, whole=whole)
                if own is not None:
                    found[place] = own
        left = [place for place in range(len(configs)) if place not in found]
        if left:
            gx, foreign = registry.adapter("nbml.engines", "gx")(), [configs[place] for place in left]
            if whole:
                told = judged(gx, frame, foreign, result_format)
            else:
                told = [Judged(result, result) for result in gx.evaluate(frame, foreign, result_format)]
            found |= dict(zip(left, told, strict=True))
        return [found[place] for place in range(len(configs))]


def _judged(config: Json, outcome: Outcome, result_format: str, *, whole: bool) -> Judged | None:
    """None where a value that has to be told has no JSON of its own."""
    try:
        result = outcome.result(result_format)
        told = _result(config, outcome.success, result)
        if outcome.success or not whole:
            return Judged(told, told, None)
        full = told if result_format != "BOOLEAN_ONLY" else _result(config, False, outcome.result("SUMMARY"))
    except Foreign:
        return None
    return Judged(told, full, None if outcome.broken is None else np.flatnonzero(outcome.broken))


def _result(config: Json, success: bool, result: Json) -> Json:
    return answer({key: as_json(config[key]) for key in REPEATED if key in config}, success, result)


if TYPE_CHECKING:
    _: Judging = OwnEngine()
