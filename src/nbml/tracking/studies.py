"""A study in a tracked block counts as one call: its trials are its own, and the run takes the parameters of its best."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from nbml import errors
from nbml.tracking import estimators, opened

F = TypeVar("F", bound=Callable[..., Any])


def as_one_call(search: F) -> F:
    """A search that returns a Study (``best``, ``best_params``, ``fitted``, ``thing``), told to the run that it is part of."""

    @functools.wraps(search)
    def told(*args: Any, **kwargs: Any) -> Any:
        with estimators.inside(search):
            study = search(*args, **kwargs)
        run = opened.here()
        fits = getattr(run, "_fits", None)
        if fits is not None and not run._ended and study.best is not None:
            fits.tuned(study.thing.name, study.best_params, study.fitted)
            try:
                run._store.link(run._thing, study.thing, "study")
            except errors.StoreError:  # the run's own end tells of it
                pass
        return study

    return told  # type: ignore[return-value]
