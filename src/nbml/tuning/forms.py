"""The two forms of a study: an estimator that holds ranges, and an objective that is called."""

from __future__ import annotations

import ast
import hashlib
import inspect
import json
import re
import textwrap
from collections.abc import Callable
from typing import Any, Protocol

from nbml import errors
from nbml.tuning import attempts, naming, scoring, templates
from nbml.tuning.attempts import Attempt
from nbml.tuning.ranges import Site
from nbml.tuning.values import Trial


class Form(Protocol):
    """How one configuration is tried."""

    #: whether trial 0 is the defaults
    defaults: bool
    #: trials after which one and the same error in all of them ends the study
    patience: int

    def score(self, attempt: Attempt) -> tuple[float, tuple[float, ...]]:
        """The score and, where there are folds, theirs. What the user's code raises comes out."""
        ...

    def refit(self, best: Trial) -> Any | None:
        """The best configuration, fitted on all data; None for an objective."""
        ...

    def instead(self, error: str) -> tuple[str, str] | None:
        """What to give instead where an error of all trials comes of what was given: a parameter and a value for it."""
        ...

    def sites(self, best: Trial, file: str) -> dict[str, list[int]]:
        """Where in ``file`` the ranges of the best configuration were written, by key; those elsewhere are left out."""
        ...


class EstimatorForm:
    """Cross-validation of a template of an estimator."""

    defaults = True
    patience = 3  # the defaults are among them

    def __init__(self, template: Any, data: scoring.Data, metric: Any, cv: Any) -> None:
        self.template, self.data = template, data
        plain = templates.fill(template, templates.default)
        if data.y is None and scoring.learns(plain):
            raise errors.BadArgument(f"{type(plain).__name__} learns from X and y; only X is given", instead=("y", "y"))
        self.metric = scoring.metric(metric, plain)
        self.folds, self.cv = scoring.splits(cv, data, plain)

    def identity(self) -> dict[str, str]:
        """What makes two of these one study."""
        groups = "" if self.data.groups is None else scoring.fingerprint(self.data.groups)
        scorer = self.metric.name if isinstance(self.metric.scoring, (str, type(None))) else templates.describe(self.metric.scoring)
        return {
            "form": "estimator",
            "space": _digest(json.dumps(templates.describe(self.template), sort_keys=True)),
            "metric": f"{self.metric.name} {scorer}",
            "data": self.data.fingerprint,
            "cv": f"{self.cv} {groups}".strip(),
        }

    def score(self, attempt: Attempt) -> tuple[float, tuple[float, ...]]:
        folds = scoring.score(templates.fill(self.template, attempt.pick), self.data, self.folds, self.metric.scoring)
        return sum(folds) / len(folds), folds

    def instead(self, error: str) -> tuple[str, str] | None:
        return ("y", "y") if self.data.y is None and re.search(r"\by(_true)?\b", error) else None

    def refit(self, best: Trial) -> Any:
        estimator = templates.fill(self.template, lambda place: _value(best, place))
        with scoring.threads(self.data):
            return estimator.fit(self.data.X) if self.data.y is None else estimator.fit(self.data.X, self.data.y)

    def sites(self, best: Trial, file: str) -> dict[str, list[int]]:
        places: list[templates.Place] = []

        def pick(place: templates.Place) -> templates.Picked:
            places.append(place)
            return _value(best, place)

        templates.fill(self.template, pick)
        written = {place.key: place.range.site for place in places}
        return {key: _corners(site) for key, site in written.items() if site is not None and site.file == file}


class ObjectiveForm:
    """A function of nothing that gives the score; ``tune`` speaks to the trial in it."""

    defaults = False
    patience = 10  # values may be what fails: so many are spread over the ranges

    def __init__(self, call: Callable[[], Any], source: str, code: str, metric: str) -> None:
        self.call, self.source, self.code, self.metric = call, source, code, metric

    def identity(self) -> dict[str, str]:
        """What makes two of these one study."""
        return {"form": "objective", "code": _digest(self.code), "metric": self.metric}

    def score(self, attempt: Attempt) -> tuple[float, tuple[float, ...]]:
        with attempts.running(attempt):
            value = self.call()
        return attempts.number(value, "an objective"), ()

    def instead(self, error: str) -> tuple[str, str] | None:
        return None

    def refit(self, best: Trial) -> None:
        return None

    def sites(self, best: Trial, file: str) -> dict[str, list[int]]:
        return {name: _corners(site) for name, site in naming.named_calls(self.source).items() if name in best.raw}


def of_function(function: Callable[..., Any], tune: Any, metric: str) -> ObjectiveForm:
    """The form of ``def function(tune): ...`` or of a function of nothing."""
    try:
        wants = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty and p.kind in (0, 1)]
    except (TypeError, ValueError):
        wants = []
    if len(wants) > 1:
        raise errors.BadArgument(f"{_name(function)} takes {len(wants)} arguments; an objective takes tune, or nothing")
    call = (lambda: function(tune)) if wants else function
    try:
        source = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        source = ""
    return ObjectiveForm(call, source, bare(source) or str(templates.describe(function)), metric)


def bare(source: str) -> str:
    """Code without its layout and comments: what is equal does the same."""
    try:
        return ast.dump(ast.parse(source)) if source else ""
    except SyntaxError:
        return source


def _value(best: Trial, place: templates.Place) -> templates.Picked:
    """What a place held in a trial."""
    if best.defaults:
        return templates.default(place)
    raw = best.raw[place.key] or 0
    return templates.Picked(place.range.value(raw), raw)


def _corners(site: Site) -> list[int]:
    return [site.line, site.column, site.end_line, site.end_column]


def _name(function: Any) -> str:
    return getattr(function, "__name__", type(function).__name__)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
