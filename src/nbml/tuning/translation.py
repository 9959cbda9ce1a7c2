"""Our ranges and trials in Optuna's terms: pure functions, and Optuna kept quiet while it is used."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from nbml.tuning.ranges import Choice, Float, Int, Range, Raw, from_spec

if TYPE_CHECKING:
    from nbml.tuning.values import Trial

STATES = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}


@contextmanager
def quiet() -> Iterator[None]:
    """No log line and no experimental warning of Optuna; the caller's own settings of both are as before after it."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)


def memory(direction: str) -> Any:
    """An empty study in memory."""
    with quiet():
        return optuna.create_study(direction=direction)


def distribution(range: Range) -> BaseDistribution:
    """The distribution over the range's raw values, or, where it has steps, over their positions (steps are decimal)."""
    if isinstance(range, Choice):
        return CategoricalDistribution(tuple(range.points() or ()))
    assert isinstance(range, (Float, Int))
    if range.step is not None:
        return IntDistribution(0, len(range.points() or ()) - 1)
    kind = FloatDistribution if isinstance(range, Float) else IntDistribution
    return kind(range.low, range.high, log=range.log)


def suggest(trial: Any, key: str, range: Range) -> Raw:
    """Ask Optuna's trial for a raw value."""
    wanted = distribution(range)
    if isinstance(wanted, CategoricalDistribution):
        return int(trial.suggest_categorical(key, wanted.choices))
    if isinstance(wanted, FloatDistribution):
        return float(trial.suggest_float(key, wanted.low, wanted.high, log=wanted.log))
    assert isinstance(wanted, IntDistribution)
    found = int(trial.suggest_int(key, wanted.low, wanted.high, log=wanted.log))
    return (range.points() or [])[found] if _stepped(range) else found


def _stepped(range: Range) -> bool:
    return isinstance(range, (Float, Int)) and range.step is not None


def _internal(range: Range, raw: Raw) -> Raw:
    """A raw value as the distribution has it."""
    return (range.points() or []).index(raw) if _stepped(range) else raw


def frozen(trial: Trial) -> Any | None:
    """The trial as Optuna's; None where a value lies outside its range, which Optuna cannot hold."""
    known = {key: (from_spec(trial.ranges[key]), raw) for key, raw in trial.raw.items() if raw is not None}
    if len(known) < len(trial.raw):
        return None
    params = {key: _internal(range, raw) for key, (range, raw) in known.items()}
    kinds = {key: distribution(range) for key, (range, _) in known.items()}
    value = trial.score if trial.state == "complete" else None
    return optuna.trial.create_trial(
        state=STATES[trial.state], value=value, params=params, distributions=kinds, intermediate_values=dict(trial.reports)
    )


def reported(trial: Trial) -> Any:
    """A complete trial with its reports alone."""
    values = {step: value for step, value in trial.reports if math.isfinite(value)}
    return optuna.trial.create_trial(state=TrialState.COMPLETE, value=trial.score, intermediate_values=values)


def importances(direction: str, trials: list[Trial]) -> dict[str, float]:
    """How much each key mattered for being among the best (PED-ANOVA), greatest first; {} where too little is known."""
    done = [t for t in trials if t.state == "complete"]
    study = memory(direction)
    study.add_trials([f for f in map(frozen, done) if f is not None])
    if len(study.trials) < 10 or len({t.score for t in done}) < 2 or len({key for t in done for key in t.raw}) < 2:
        return {}
    with quiet():
        evaluator = optuna.importance.PedAnovaImportanceEvaluator()
        found = optuna.importance.get_param_importances(study, evaluator=evaluator)
    return {key: float(share) for key, share in found.items() if math.isfinite(share)}
