"""A model that no run fitted, judged on what the notebook holds when it is packaged."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

#: what train and test are called, as a rule
SIDES = (("X_train", "y_train", "X_test", "y_test"), ("x_train", "y_train", "x_test", "y_test"))
WHOLE = (("X", "y"), ("x", "y"))
#: seconds that packaging waits; rows of each side that are looked at
WAIT, ROWS = 2.0, 2_000


def warnings(model: Any, on: Any = None, y: Any = None) -> list[str]:
    """A line for each finding. Empty where a run has judged the model, where its rows are not known, or where it would take too long.

    ``on`` and ``y`` are the rows and the truth that packaging was given. Never raises.
    """
    said: list[str] = []
    # a thread, because nothing else bounds what a foreign model takes to answer
    worker = threading.Thread(target=_judged, args=(model, on, y, said), daemon=True, name="nbml-judge")
    worker.start()
    worker.join(WAIT)
    return [] if worker.is_alive() else said


def _judged(model: Any, on: Any, y: Any, said: list[str]) -> None:
    from nbml.slicing import recorder
    from nbml.store import existing
    from nbml.tracking import made
    from nbml.tracking.judging import _private, verdicts
    from nbml.tracking.judging.material import Case
    from nbml.tracking.judging.witness import snapshot

    try:
        store = existing()
        if not hasattr(model, "fit") or (store is not None and made.maker(store, model) is not None):
            return
        names = snapshot(recorder.namespace())
        parts = _rows(model, on, y, names)
        if parts is None:
            return
        train, test = parts[:2], parts[2:] or [None, None]
        case = Case(model, train[0], train[1], X_test=test[0], y_test=test[1], private=_private())
        verdict = verdicts.of(case, names, seconds=WAIT / 2)
        said += [f"{finding} ({finding.advice})" for finding in verdict.findings]
    except Exception:  # whatever is odd about rows or model is no reason not to package it
        said.clear()


def _rows(model: Any, on: Any, y: Any, names: Mapping[str, Any]) -> list[Any] | None:
    """Train and test by their names, which must be what the model takes; else all rows, of which some are held out."""
    for sides in SIDES:
        values = [names.get(name) for name in sides]
        if all(value is not None for value in values) and _takes(model, values[0]) and _takes(model, values[2]):
            return [*_some(*values[:2]), *_some(*values[2:])] if _pairs(*values) else None
    whole = [(on, y)] if y is not None and hasattr(on, "shape") else []
    whole += [(names.get(X), y if y is not None else names.get(target)) for X, target in WHOLE]
    for X, target in whole:
        if X is not None and target is not None and _takes(model, X) and _pairs(X, target):
            return _some(X, target)
    return None


def _takes(model: Any, X: Any) -> bool:
    """Whether a value has the columns that a model was fitted on."""
    wanted, columns = getattr(model, "feature_names_in_", None), getattr(X, "columns", None)
    if wanted is not None:
        return columns is not None and list(columns) == list(wanted)
    return len(getattr(X, "shape", ())) == 2 and getattr(model, "n_features_in_", None) == X.shape[1]


def _pairs(*values: Any) -> bool:
    from nbml.tracking.judging.material import length

    return all(length(X) == length(y) for X, y in zip(values[::2], values[1::2], strict=True))


def _some(X: Any, y: Any) -> list[Any]:
    """Some of the rows, in their order, where there are too many."""
    import numpy as np

    from nbml.tracking.judging.material import length, sample, take

    if length(X) <= ROWS:
        return [X, y]
    rows = sample(length(X), ROWS, np.random.default_rng(0))
    return [take(X, rows), take(y, rows)]
