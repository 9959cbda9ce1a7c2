"""Search for good values: ``tune`` an estimator that holds ranges or a function, and its ``study``."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeAlias

from nbml import errors
from nbml.tuning import attempts, naming, ranges
from nbml.tuning.ranges import Range
from nbml.tuning.values import Study, Trial

__all__ = ["Study", "Trial", "Tune", "cell", "study", "tune"]

#: inside the class below the names of these types are its methods
Real: TypeAlias = float
Whole: TypeAlias = int
Flag: TypeAlias = bool


class Tune:
    """Tune an estimator whose arguments hold ranges, or a function that gives a score.

    ``nbml.tune(estimator, X, y, name=...)`` cross-validates; ``nbml.tune(function, name=..., direction="minimize")``
    calls ``function(tune)``. Running it again goes on with the study of that name, up to ``trials`` in all, where
    estimator, data, metric and folds are the same; else it begins a new version of it.

    ``tune.float``, ``.int``, ``.choice`` and ``.bool`` are ranges. In an objective each gives the trial's value, whose
    name is the variable or keyword that it is assigned to, else ``name=``; one name asked for twice gives one value.
    """

    __name__ = "tune"

    def __call__(
        self, estimator_or_function: Any, X: Any = None, y: Any = None, *, name: str, metric: Any = None, direction: str | None = None,  # noqa: N803
        cv: Any = 5, groups: Any = None, trials: Whole = 100, timeout: str | Real | None = None,
        trial_timeout: str | Real | None = None, sampler: str = "optuna", workers: Whole | None = None, cluster: str | None = None,
        seed: Whole | None = None, fresh: Flag = False, background: Flag = False,
    ) -> Study:  # fmt: skip
        """Raises errors.BadArgument, BadInput and NotYet before the first trial, errors.TrialFailed where all trials failed."""
        from nbml.tuning import begin, options

        frame = sys._getframe(1)
        with _proposing(frame, X):
            asked = options.read(
                metric, direction, cv, groups, trials, timeout, trial_timeout, sampler, workers, cluster, seed, fresh, background
            )
            if begin.is_function(estimator_or_function):
                if X is not None or y is not None:
                    raise errors.BadArgument("an objective reads its data itself: leave X and y out")
                return begin.function(estimator_or_function, self, name, asked)
            if X is None and not isinstance(estimator_or_function, type):
                raise errors.BadArgument("an estimator is tuned on data: nbml.tune(estimator, X, y, name=...)")
            source, file, span = _argument(frame)
            return begin.estimator(estimator_or_function, X, y, name, asked, source=source, file=file, span=span)

    def float(self, lo: Real, hi: Real, log: Flag = False, step: Real | None = None, *, name: str | None = None) -> Any:
        """A float from ``lo`` to ``hi``, both included; on a logarithmic scale, or in steps from ``lo``."""
        return _given(lambda **where: ranges.Float(lo, hi, log, step, **where), name, sys._getframe(1))

    def int(self, lo: Whole, hi: Whole, log: Flag = False, step: Whole | None = None, *, name: str | None = None) -> Any:
        """A whole number from ``lo`` to ``hi``, both included."""
        return _given(lambda **where: ranges.Int(lo, hi, log, step, **where), name, sys._getframe(1))

    def choice(self, options: Sequence[Any], *, name: str | None = None) -> Any:
        """One of the options. Estimators among them may hold ranges, which exist where the estimator is chosen."""
        return _given(lambda **where: ranges.choice(options, **where), name, sys._getframe(1))

    def bool(self, *, name: str | None = None) -> Any:
        """False or True."""
        return _given(lambda **where: ranges.Choice((False, True), **where), name, sys._getframe(1))

    def report(self, score: Real, step: Whole | None = None) -> None:
        """Say how a trial does so far; it ends here where it has fallen behind. Outside a trial nothing happens."""
        attempt = attempts.active.get()
        if attempt is not None:
            attempt.report(score, step)

    def __repr__(self) -> str:
        return "<nbml.tune>"


tune = Tune()


def study(name: str) -> Study:
    """The study ``name``, or ``name@n``, with all trials that were finished. Raises errors.UnknownStudy."""
    from nbml.tuning import record

    return record.load(name)


def cell(source: str, namespace: dict[str, Any], *, name: str, on: Sequence[Any] = (), filename: str = "", **options: Any) -> Study:
    """``%%nbml tune NAME``: tune what the cell's last expression gives.

    ``on`` holds X, or X and y. Line numbers are those of ``source``, which tracebacks know as ``filename``.
    """
    __tracebackhide__ = True  # what the user's own code raises shows the user's own lines
    from nbml.tuning import cells

    try:
        return cells.run(source, namespace, tune, name, on, filename, options)
    except errors.NbmlError as error:
        if error.instead is not None:
            error.instead = naming.meant(error.instead, namespace, on[0] if on else None)
        if isinstance(error, (errors.UsageError, errors.BadInput)) and error.next is None:
            error.next = "%nbml tune --help"
        raise


@contextmanager
def _proposing(frame: FrameType, X: Any) -> Iterator[None]:  # noqa: N803
    """Inside, an error proposes the call at ``frame`` with what is meant instead, else the help."""
    try:
        yield
    except errors.NbmlError as error:
        meant = None if error.instead is None else naming.meant(error.instead, {**frame.f_globals, **frame.f_locals}, X)
        error.next = (naming.amended(frame, *meant) if meant is not None else None) or error.next
        if isinstance(error, (errors.UsageError, errors.BadInput)) and error.next is None:
            error.next = "import nbml; help(nbml.tune)"
        raise


def _given(make: Any, name: str | None, frame: FrameType) -> Any:
    """The range, or in a trial of an objective the value for it."""
    where = naming.site(frame)
    found: Range = make(name=name, site=where)
    attempt = attempts.active.get()
    if attempt is None:
        return found
    called = name or naming.name_at(where)
    if called is None:
        line = f" in line {where.line}" if where is not None else ""
        raise errors.BadArgument(
            f'{found!r}{line} has no name: assign it to a variable, pass it by keyword, or give it name="..."'
        )
    return attempt.suggest(called, found)


def _argument(frame: FrameType) -> tuple[str, str, tuple[Whole, Whole, Whole, Whole] | None]:
    """The source in which ``nbml.tune(...)`` was called, its file, and the corners of the first argument."""
    where = naming.site(frame)
    call = naming.node_at(where)
    if where is None or call is None:
        return "", "", None
    first: ast.expr | None = call.args[0] if call.args else next((k.value for k in call.keywords if k.arg == "estimator_or_function"), None)
    if first is None or first.end_lineno is None or first.end_col_offset is None:
        return "", "", None
    corners = (first.lineno, first.col_offset, first.end_lineno, first.end_col_offset)
    return naming.source_of(where.file), where.file, corners
