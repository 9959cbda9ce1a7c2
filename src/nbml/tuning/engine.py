"""The loop of a study: ask, try, tell, write down, show; it ends as done, interrupted or failed."""

from __future__ import annotations

import math
import time
import warnings
from collections import Counter
from dataclasses import replace
from typing import Any

from nbml import errors, registry
from nbml.display import Live
from nbml.display.notebook import cell
from nbml.store import current
from nbml.tracking.studies import as_one_call
from nbml.tuning import attempts, record, report
from nbml.tuning.attempts import Attempt, SpaceChanged
from nbml.tuning.forms import Form
from nbml.tuning.pruning import Median, Pruned
from nbml.tuning.record import Opened, Plan
from nbml.tuning.samplers import Draw, Sampler
from nbml.tuning.values import Study, Trial

#: seconds between two pictures of the live view
PAUSE = 0.5
#: trials after which one and the same error ends a study of which nothing else is known, whatever values they had
SAME = 3


@as_one_call
def run(plan: Plan, form: Form) -> Study:
    """Carry a plan out, going on with the study of its name where nothing else changed.

    Raises errors.TrialFailed where all trials failed. A KeyboardInterrupt goes on after what was finished is kept.
    """
    registry.adapter("nbml.samplers", plan.sampler)
    with record.held(plan.name), Live(report.beginning(plan), 0.0) as live:
        before = current().find("study", plan.name)
        opened = record.opened(plan, live.report.key)
        try:
            return Session(plan, form, opened, live).run()
        except SpaceChanged:
            assert before is not None
            current().update(before, before.body, before.state)
        return Session(plan, form, record.opened(plan, live.report.key, record.CHANGED["range"]), live).run()


class Session:
    """One run of the loop, in this thread."""

    def __init__(self, plan: Plan, form: Form, opened: Opened, live: Live) -> None:
        self.plan, self.form, self.live = plan, form, live
        self.store = current()
        self.thing, self.trials, self.earlier = opened.thing, list(opened.trials), len(opened.trials)
        self.known = {key: spec for trial in self.trials for key, spec in trial.ranges.items()}
        self.began, self.shown = time.monotonic(), time.monotonic()
        self.spent = float(opened.thing.body.get("elapsed", 0.0)) if opened.trials else 0.0
        self.warned: Counter[str] = Counter(opened.thing.body.get("warned", {}) if opened.trials else {})
        self.cause: BaseException | None = None
        self.late = False

    def run(self) -> Study:
        """All trials, then the fit on all data."""
        try:
            self._loop(*self._taught())
            if self.trials and not any(trial.inside and trial.state != "failed" for trial in self.trials) and self._failed():
                raise self._all_failed()
            study = self._study()
            fitted = self._refit(study) if study.best is not None else None
            return self._end("done", fitted)
        except SpaceChanged:
            raise
        except BaseException as error:
            if isinstance(error, errors.UsageError) and not self.earlier and all(trial.defaults for trial in self.trials):
                record.discard(self.store, self.thing)  # what was asked cannot be read, so nothing was begun
            else:
                self._end("interrupted" if isinstance(error, KeyboardInterrupt) else "failed")
            raise

    def _taught(self) -> tuple[Sampler, Median]:
        """Sampler and pruner that know the earlier trials."""
        sampler: Sampler = registry.adapter("nbml.samplers", self.plan.sampler)(self.plan.direction, self.plan.seed)
        for trial in self.trials:
            sampler.tell(trial)
        return sampler, Median(self.plan.direction, self.trials)

    def _loop(self, sampler: Sampler, pruner: Median) -> None:
        end = math.inf if self.plan.timeout is None else self.began + self.plan.timeout
        while len(self.trials) < self.plan.trials:
            if self.trials and time.monotonic() >= end:
                self.late = True
                return
            number = len(self.trials)
            draw: Draw | None = None
            if number > 0 or not self.form.defaults:
                draw = sampler.ask(number)
                if draw is None:
                    return
            trial = self._try(Attempt(number, draw, self.known, pruner))
            record.write(self.store, self.thing, trial)
            self.trials.append(trial)
            self.known.update(trial.ranges)
            sampler.tell(trial)
            pruner.tell(trial)
            self._picture()
            if self._doomed():
                return

    def _failed(self) -> list[Trial]:
        return [trial for trial in self.trials if trial.state == "failed"]

    def _doomed(self) -> bool:
        """Whether all trials until now failed with one error, so many that the others will too."""
        few = self.form.patience if self.trials[-1].raw else SAME
        return len(self.trials) >= few and all(t.state == "failed" and t.error == self.trials[0].error for t in self.trials)

    def _try(self, attempt: Attempt) -> Trial:
        """One trial; what the user's code raises fails this trial only."""
        with warnings.catch_warnings(record=True) as heard:
            try:
                with attempts.seeded(self.plan.seed, attempt.number):
                    score, folds = self.form.score(attempt)
            except Pruned:
                return attempt.done("pruned", attempt.reports[-1][1])
            except errors.UsageError:
                raise
            except Exception as error:
                self.cause = error
                return attempt.done("failed", None, error=f"{type(error).__name__}: {first_line(error)}")
            finally:
                self.warned.update({f"{w.category.__name__}: {first_line(w.message)}" for w in heard})
        if not math.isfinite(score) or not all(map(math.isfinite, folds)):
            return attempt.done("failed", None, error=f"the score is {score}")
        return attempt.done("complete", score, folds)

    def _all_failed(self) -> errors.TrialFailed:
        failed, ref = self._failed(), self.thing.ref
        count = f"all {len(failed)} trials" if len(failed) != 1 else "the only trial"
        if len(failed) < len(self.trials):
            count += " inside the ranges"
        said = f"{count} of study {ref} failed; the last: {failed[-1].error}"
        if len(self.trials) < self.plan.trials and self._doomed():
            said = f"the first {len(failed)} trials of study {ref} failed with one error, so it was stopped: {failed[-1].error}"
        failure = errors.TrialFailed(said, next=f'nbml.study("{ref}").trials', instead=self.form.instead(failed[-1].error))
        failure.__cause__ = self.cause
        return failure

    def _refit(self, study: Study) -> Any:
        assert study.best is not None
        if self.thing.body.get("refitted") == study.best.number and "blob" in self.thing.body and len(self.trials) == self.earlier:
            return None  # nothing was tried since it was fitted and kept
        with warnings.catch_warnings(record=True), attempts.seeded(self.plan.seed, study.best.number):
            try:
                fitted = self.form.refit(study.best)
            except Exception as error:
                raise errors.TrialFailed(f"the best trial of study {study} could not be fitted on all data: {error}") from error
        if fitted is not None:
            self._keep(fitted, study.best.number)
        return fitted

    def _keep(self, fitted: Any, number: int) -> None:
        """The estimator as a file of the store; notebook code in it goes by value."""
        import cloudpickle

        body: dict[str, Any] = {"refitted": number, "versions": versions(), "unkept": None}
        try:
            body["blob"] = self.store.put_blob(cloudpickle.dumps(fitted))
        except Exception as error:
            body["unkept"] = f"its estimator cannot be kept ({type(error).__name__}: {first_line(error)})"
        self.thing = self.store.update(self.thing, body)

    def _study(self) -> Study:
        body = {**self.thing.body, "elapsed": self.spent + time.monotonic() - self.began, "warned": dict(self.warned), "late": self.late}
        return Study(self.thing.name, self.thing.version, replace(self.thing, body=body), tuple(self.trials))

    def _picture(self) -> None:
        """The live view and the panel's row, at most twice a second."""
        if time.monotonic() - self.shown < PAUSE:
            return
        self.shown = time.monotonic()
        study = self._study()
        self.live.update(report.running(study, self._left()))
        self.thing = self.store.update(self.thing, {"row": report.row(study)})

    def _left(self) -> float | None:
        """Seconds that the rest will take, judged by this run's trials."""
        done = len(self.trials) - self.earlier
        if not done:
            return None
        passed = time.monotonic() - self.began
        rest = passed / done * (self.plan.trials - len(self.trials))
        return rest if self.plan.timeout is None else max(0.0, min(rest, self.plan.timeout - passed))

    def _end(self, state: str, fitted: Any = None) -> Study:
        study = self._study()
        study = replace(study, thing=replace(study.thing, state=state), fitted=fitted)
        keys = ("elapsed", "warned", "late")
        body = {key: study.thing.body[key] for key in keys} | {"row": report.row(study), "best": report.best(study)}
        if study.best is not None:
            body["sites"] = self.form.sites(study.best, self.plan.file)
        if state == "done":
            body["importances"] = report.importances(study)
        self.thing = self.store.update(self.thing, body, state)
        seen = (self.live.report.key, cell())
        study = replace(study, thing=self.thing, seen=seen)
        self.live.finish(study._report())
        return study


def first_line(error: object) -> str:
    """The first line of an error's text, cut at 200 characters."""
    return (str(error).strip().splitlines() or [""])[0][:200]


def versions() -> dict[str, str]:
    """What an estimator was made with."""
    import platform
    from importlib.metadata import version

    return {"Python": platform.python_version(), "scikit-learn": version("scikit-learn"), "cloudpickle": version("cloudpickle")}
