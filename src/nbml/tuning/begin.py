"""From what was typed to a plan and a form."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from nbml import errors
from nbml.store import check_name
from nbml.tuning import engine, forms, scoring, templates
from nbml.tuning.options import Options
from nbml.tuning.ranges import Range
from nbml.tuning.record import Plan
from nbml.tuning.values import Study

Span = tuple[int, int, int, int]
#: characters of source that a study keeps
SOURCE = 100_000


def estimator(
    template: Any, X: Any, y: Any, name: str, options: Options, *, source: str = "", file: str = "", span: Span | None = None  # noqa: N803
) -> Study:
    """Tune an estimator that holds ranges."""
    check_name(name)
    if isinstance(template, type):
        raise errors.BadArgument(f"{template.__name__} is a class; tune an estimator: {template.__name__}(...)")
    if not templates.is_estimator(template) and not isinstance(template, Range):
        raise errors.BadArgument(f"an estimator of scikit-learn or a function is tuned, not {type(template).__name__}")
    if not templates.holds_range(template):
        raise errors.BadArgument("the estimator holds no range, so there is nothing to tune: put tune.float(...) where a value stands")
    if options.direction == "minimize":
        raise errors.BadArgument(
            "direction='minimize' does not go with an estimator: scorers of scikit-learn are maximised, those of errors are called neg_..."
        )
    data = scoring.data(X, y, options.groups)
    form = forms.EstimatorForm(template, data, options.metric, options.cv)
    keep = len(source) <= SOURCE
    plan = Plan(
        name, "estimator", form.metric.name, "maximize", form.identity(), options.trials, options.timeout, options.sampler,
        options.seed, options.fresh, source if keep else "", file, span if keep else None,
        () if data.thing is None else (data.thing,), {"cv": form.cv[:200], "folds": len(form.folds)},
    )  # fmt: skip
    return engine.run(plan, form)


def function(call: Callable[..., Any], tune: Any, name: str, options: Options) -> Study:
    """Tune a function that gives a score."""
    metric, direction = _direction(options)
    return objective(forms.of_function(call, tune, metric), name, direction, options)


def objective(form: forms.ObjectiveForm, name: str, direction: str, options: Options) -> Study:
    """Tune an objective."""
    check_name(name)
    if options.groups is not None:
        raise errors.BadArgument("groups belong to an estimator's folds; an objective splits its data itself")
    keep = form.source if len(form.source) <= SOURCE else ""
    plan = Plan(
        name, "objective", form.metric, direction, form.identity(), options.trials, options.timeout, options.sampler,
        options.seed, options.fresh, keep,
    )  # fmt: skip
    return engine.run(plan, form)


def _direction(options: Options) -> tuple[str, str]:
    return named(options.metric), direction_of(options)


def named(metric: Any) -> str:
    """What the score of an objective is called."""
    if metric is None:
        return "score"
    if not isinstance(metric, str):
        raise errors.BadArgument(f"an objective gives its own score; metric is its name, not {type(metric).__name__}")
    if "," in metric:
        first = metric.split(",")[0].strip()
        raise errors.NotYet(f"several metrics ({metric!r}) are not there yet: name one", instead=("metric", first) if first else None)
    return metric


def direction_of(options: Options) -> str:
    """The direction asked for, or the one that the metric's name tells. Raises errors.BadArgument."""
    if options.direction is not None:
        return options.direction
    known = scoring.direction_of(named(options.metric)) if options.metric is not None else None
    if known is None:
        which = f"the metric {options.metric!r} does not tell it" if options.metric is not None else "nothing tells it"
        raise errors.BadArgument(
            f"an objective needs a direction, minimize or maximize; {which}", instead=("direction", "minimize")
        )
    return known


def is_function(value: Any) -> bool:
    """Whether a value is called for its score."""
    return callable(value) and not isinstance(value, (type, Range)) and not templates.is_estimator(value) and not inspect.isclass(value)
