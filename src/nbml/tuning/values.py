"""A study and its trials."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from nbml import errors
from nbml.display import Report, Shown
from nbml.display.notebook import cell, shell
from nbml.store import Thing, current
from nbml.tuning.correction import expected
from nbml.tuning.ranges import Raw

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Trial:
    """One configuration tried. ``state`` is complete, pruned or failed; ``params`` are named as in get_params().

    ``raw`` holds the sampler's values by key (None where a default lies outside its range), ``ranges`` their ranges as
    JSON, ``names`` their parameters. ``score`` of a pruned trial is the last one reported, of a failed one None.
    """

    number: int
    state: str
    score: float | None
    started: float
    finished: float
    params: Mapping[str, Any] = field(default_factory=dict)
    raw: Mapping[str, Raw | None] = field(default_factory=dict)
    ranges: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    folds: Sequence[float] = ()
    reports: Sequence[tuple[int, float]] = ()
    defaults: bool = False
    error: str = ""

    @property
    def inside(self) -> bool:
        """Whether all its values lie in the ranges: defaults that do not are a yardstick, and never the best."""
        return all(raw is not None for raw in self.raw.values())


@dataclass(frozen=True, repr=False)
class Study(Shown):
    """One tuning, with the trials that were finished when it was asked for. ``str()`` is ``name@n``."""

    name: str
    version: int
    thing: Thing
    records: tuple[Trial, ...]
    fitted: Any = None
    #: the result in whose output this study was shown live, and the cell in which that was
    seen: tuple[str, int | None] | None = None

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"

    @property
    def state(self) -> str:
        """running, done, interrupted or failed. One whose kernel is gone while it ran is interrupted."""
        if self.thing.state == "running" and not current().alive(self.thing.body.get("process")):
            return "interrupted"
        return self.thing.state

    @property
    def metric(self) -> str:
        """The metric's name; "score" where it was not named."""
        return str(self.thing.body["metric"])

    @property
    def direction(self) -> str:
        """minimize or maximize."""
        return str(self.thing.body["direction"])

    @property
    def best(self) -> Trial | None:
        """The complete trial inside the ranges with the best score, the earliest of equal ones; None where there is none."""
        done = self.candidates
        sign = 1 if self.direction == "minimize" else -1
        return min(done, key=lambda t: (sign * (t.score or 0.0), t.number)) if done else None

    @property
    def candidates(self) -> list[Trial]:
        """The complete trials of which one is the best."""
        return [t for t in self.records if t.state == "complete" and t.inside]

    @property
    def best_params(self) -> dict[str, Any]:
        """The best trial's values, named as in get_params(); {} where no trial inside the ranges is complete."""
        return {} if self.best is None else {k: _again(v) for k, v in self.best.params.items()}

    @property
    def best_score(self) -> float | None:
        """The best trial's score: the mean over the folds, or what the objective gave."""
        return None if self.best is None else self.best.score

    @property
    def expected_score(self) -> float | None:
        """The best score, corrected for having picked the best of many; None for an objective, which has no folds."""
        done = [t for t in self.candidates if t.folds]
        if self.best is None or self.best not in done:
            return None
        return expected([t.folds for t in done], done.index(self.best))

    @cached_property
    def best_estimator(self) -> Any:
        """The best configuration, fitted on all data. Raises errors.NotFitted, errors.StoreError."""
        return self.fitted if self.fitted is not None else load_estimator(self)

    @property
    def trials(self) -> pd.DataFrame:
        """number, state, score, started, finished (UTC), and one column for each parameter."""
        from nbml.display.listing import shown_as
        from nbml.tuning.report import frame, trials_report

        return shown_as(frame(self), trials_report(self))

    def apply(self) -> None:
        """Put the cell with the best values in place of its ranges below. Raises errors.UsageError outside a notebook."""
        from nbml.tuning.applying import text

        running = shell()
        if running is None:
            raise errors.UsageError("apply() puts a cell into the notebook; there is none here")
        running.set_next_input(text(self), replace=False)

    def _report(self) -> Report:
        from nbml.tuning.report import study_report

        return study_report(self)

    def _ipython_display_(self) -> None:
        """Nothing, in the cell whose live output ended as this very picture; else IPython goes on as usual."""
        now = cell()
        if now is None or self.seen is None or self.seen[1] != now:
            raise NotImplementedError


def _again(value: Any) -> Any:
    """A parameter as it was: JSON has no tuples."""
    return tuple(map(_again, value)) if isinstance(value, list) else value


def missing(study: Study) -> str:
    """Why a study that has ended has no best trial."""
    if all(t.state == "failed" for t in study.records):
        return "all its trials failed" if study.records else "no trial was finished"
    if any(t.state == "complete" and not t.inside for t in study.records):
        rest = "nothing else was tried: more --trials are needed" if len(study.records) == 1 else "no other trial is complete"
        return f"the defaults lie outside the ranges, and {rest}"
    return "no trial is complete"


def _not_fitted(study: Study) -> errors.NotFitted:
    """Why there is no estimator, and what there is instead."""
    ref = f'nbml.study("{study}")'
    if study.state == "running":
        return errors.NotFitted(f"study {study} has no estimator: it is still running", next=ref)
    if study.best is None:
        return errors.NotFitted(f"study {study} has no estimator: {missing(study)}", next=f"{ref}.trials")
    stopped = "it was interrupted before the best trial was fitted on all data"
    unkept = study.thing.body.get("unkept") if study.thing.body.get("refitted") == study.best.number else None
    why = unkept or (stopped if study.state == "interrupted" else "the best trial was not fitted on all data")
    again = f"; run the cell again with --trials {len(study.records)} to fit the best so far"
    return errors.NotFitted(f"study {study} has no estimator: {why}{again}", next=f"{ref}.best_params")


def load_estimator(study: Study) -> Any:
    """The stored estimator of a study. Raises errors.NotFitted where there is none, errors.StoreError where it cannot be read."""
    body = study.thing.body
    if body.get("form") == "objective":
        raise errors.NotFitted(f"study {study} tuned an objective, so it has no estimator", next=f'nbml.study("{study.name}").best_params')
    if "blob" not in body or study.best is None or body.get("refitted") != study.best.number:
        raise _not_fitted(study)
    store = current()
    if store.folder.stat().st_uid != os.getuid():
        raise errors.StoreError(f"the estimator of study {study} is not loaded: the store is another user's, and a pickle is a program")
    import cloudpickle

    try:
        return cloudpickle.loads(store.read_blob(body["blob"]))
    except errors.NbmlError:
        raise
    except Exception as error:
        made = ", ".join(f"{tool} {version}" for tool, version in body.get("versions", {}).items())
        raise errors.StoreError(
            f"the estimator of study {study} cannot be loaded here ({type(error).__name__}: {error}); it was made with {made}: "
            "load it there, or tune again"
        ) from error
