"""From what a block's calls showed to what is judged: each model with the rows it was fitted on and those it is measured on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from nbml.tracking.judging import thresholds as at
from nbml.tracking.judging.material import Case, column_of, estimator_kind, length, sample, take
from nbml.tracking.judging.overlap import same
from nbml.tracking.judging.witness import Asked, Fitted, Folded, Kept, Witness

#: models of one block that are judged, the last ones
MODELS = 6
TEST_WORDS = ("test", "te", "valid", "val", "dev", "holdout", "hold", "eval", "new", "oos")


def cases(witness: Witness, metrics: tuple[str, ...], private: frozenset[str]) -> list[Case]:
    """What is to be judged, the models that came last first."""
    names = tuple(dict.fromkeys([*metrics, *(score.metric for score in witness.scores)]))
    found: list[Case] = []
    last: dict[int, Fitted] = {}
    for fit in witness.fits:
        if fit.y is not None and hasattr(fit.estimator, "predict") and not fit.X.changed and not fit.y.changed:
            last[id(fit.estimator)] = fit
    chosen = sorted(last.values(), key=lambda fit: -fit.order)
    if len(chosen) > 1 or witness.folded:
        chosen = [fit for fit in chosen if "Dummy" not in type(fit.estimator).__name__]
    for fit in chosen[:MODELS]:
        found.append(_of_fit(fit, witness, names, private))
    folded = {id(fold.estimator): fold for fold in witness.folded if fold.y is not None and not fold.X.changed}
    for fold in list(folded.values())[-MODELS:]:
        case = _of_folds(fold, names, private)
        if case is not None:
            found.append(case)
    return found


def _of_fit(fit: Fitted, witness: Witness, metrics: tuple[str, ...], private: frozenset[str]) -> Case:
    assert fit.y is not None
    case = Case(fit.estimator, fit.X.value, fit.y.value, metrics=metrics, private=private, weights=fit.weights)
    asked = [one for one in witness.asked if one.estimator is fit.estimator and one.order > fit.order and not one.X.changed]
    for one in reversed([one for one in asked if not _is_train(one, fit)]):
        truth = _truth(one, fit, witness)
        if truth is not None:
            answers = one.answer if one.method == "predict" else None
            return replace(case, X_test=one.X.value, y_test=truth, answers=answers)
    if any(not _is_train(one, fit) for one in asked):
        one = next(one for one in reversed(asked) if not _is_train(one, fit))
        return replace(case, X_test=one.X.value)
    pair = None if asked else _pair(fit, witness.names)
    if pair is not None:
        return replace(case, X_test=pair[0], y_test=pair[1])
    on_train = any(_is_train(one, fit) for one in asked) and not hasattr(fit.estimator, "best_score_") and not witness.folded
    if on_train and metrics and not any("train" in name.lower() or "fit" in name.lower() for name in metrics):
        return replace(case, X_test=fit.X.value, y_test=fit.y.value)
    return case


def _is_train(asked: Asked, fit: Fitted) -> bool:
    return asked.X.origin is fit.X.origin or same(asked.X.value, fit.X.value)


def _truth(asked: Asked, fit: Fitted, witness: Witness) -> Any:
    """What is true of the rows that a model was asked about; None where nobody knows."""
    if asked.y is not None:
        return asked.y.value
    for score in witness.scores:
        if score.answer is asked.answer or _equal(score.answer, asked.answer):
            return score.true
    others = [one for one in witness.asked if one.estimator is asked.estimator and one.X.origin is asked.X.origin]
    for one in others:
        if one.y is not None:
            return one.y.value
        for score in witness.scores:
            if score.answer is one.answer or _equal(score.answer, one.answer) or _is_part(score.answer, one.answer):
                return score.true
    m = length(asked.X.value)
    same_length = [score.true for score in witness.scores if _length(score.true) == m]
    return same_length[-1] if same_length else _by_name(asked, fit, witness.names)


def _equal(a: Any, b: Any) -> bool:
    try:
        return np.shape(a) == np.shape(b) and bool((np.asarray(a) == np.asarray(b)).all())
    except Exception:
        return False


def _is_part(part: Any, whole: Any) -> bool:
    """Whether something is a column of probabilities."""
    return np.ndim(whole) == 2 and any(_equal(part, np.asarray(whole)[:, k]) for k in range(np.shape(whole)[1]))


def _length(value: Any) -> int:
    try:
        return len(value)
    except TypeError:
        return -1


def _by_name(asked: Asked, fit: Fitted, names: Mapping[str, Any]) -> Any:
    """A variable of that length that is the target by its index, or by its name and values."""
    X, y = asked.X.value, fit.y.value if fit.y is not None else None
    ours = next((name for name, value in names.items() if value is asked.X.origin or _shares(value, asked.X.origin)), "")
    wanted = re.sub(r"^X|^x", "y", ours) if ours[:1] in "Xx" else f"y_{ours}"
    ranked: list[tuple[int, Any]] = []
    for name, value in names.items():
        flat = column_of(value) if not isinstance(value, str) and _length(value) == length(X) else None
        if flat is None or not _fits(flat, y):
            continue
        by_index = hasattr(value, "index") and hasattr(X, "index") and not isinstance(value, (list, tuple)) and value.index.equals(X.index)
        named = getattr(value, "name", None) is not None and getattr(value, "name", None) == getattr(y, "name", None)
        like = name == wanted or name.lower().startswith(("y", "target", "label"))
        rank = 4 * (name == wanted) + 3 * (by_index and named) + 2 * like + by_index
        answer = any(_equal(value, one.answer) for one in [asked])
        if rank >= 2 and not answer and not re.search(r"pred|hat|prob", name):
            ranked.append((rank, value))
    return max(ranked, key=lambda pair: pair[0])[1] if ranked else None


def _shares(value: Any, other: Any) -> bool:
    return (
        hasattr(value, "iloc")
        and hasattr(other, "iloc")
        and type(value) is type(other)
        and value.index is other.index
        and value.shape == other.shape
        and value.columns.equals(other.columns)
        if hasattr(value, "columns") and hasattr(other, "columns")
        else False
    )


def _fits(flat: Any, y: Any) -> bool:
    """Whether values may be more of the same target."""
    known = column_of(y)
    if known is None:
        return False
    if known.dtype.kind in "OUSb" or len(np.unique(known[:1000])) <= 20:
        try:
            return set(np.unique(flat).tolist()) <= set(np.unique(known).tolist())
        except TypeError:
            return False
    return flat.dtype.kind in "iuf"


def _pair(fit: Fitted, names: Mapping[str, Any]) -> tuple[Any, Any] | None:
    """X_test and y_test beside X_train and y_train, by their names."""
    ours = [name for name, value in names.items() if value is fit.X.origin or _shares(value, fit.X.origin)]
    for name in ours:
        for word in TEST_WORDS:
            other = re.sub(r"train|tr$", word, name)
            X = names.get(other) if other != name else None
            y = names.get(re.sub(r"^[Xx]", "y", other))
            if X is not None and y is not None and _length(X) == _length(y) and y is not X:
                return X, y
    return None


def _of_folds(fold: Folded, metrics: tuple[str, ...], private: frozenset[str]) -> Case | None:
    """The first fold as a case: a clone of the model is fitted on some of its rows."""
    from sklearn.model_selection import check_cv

    assert fold.y is not None
    X, y = fold.X.value, fold.y.value
    flat = column_of(y)
    if flat is None:
        return None
    splitter = check_cv(fold.cv, flat, classifier=estimator_kind(fold.estimator) == "classifier")
    train, test = next(iter(splitter.split(np.zeros(len(flat)), flat, fold.groups)))
    case = Case(fold.estimator, take(X, train), take(y, train), take(X, test), take(y, test), metrics=metrics, private=private)
    return replace(case, folds=((train, test),), model=refitted(case))


def refitted(case: Case) -> Any:
    """A clone of the model, fitted on some of the train rows; None where that cannot be done."""
    from sklearn.base import clone

    rows = sample(length(case.X_train), at.FITTED, np.random.default_rng(0))
    try:
        copy = clone(case.model)
        # what it draws must not come from the notebook's own generator
        params = copy.get_params(deep=True)
        unseeded = [name for name, value in params.items() if name.rpartition("__")[2] == "random_state" and value is None]
        copy.set_params(**dict.fromkeys(unseeded, 0))
        return copy.fit(take(case.X_train, rows), take(case.y_train, rows))
    except Exception:
        return None


def held_out(case: Case) -> Case:
    """The train rows of a case without a test set, split at random, and a clone fitted on one side."""
    n = length(case.X_train)
    order = np.random.default_rng(0).permutation(n)
    test, train = np.sort(order[: n // 4]), np.sort(order[n // 4 :])
    parts = (take(case.X_train, train), take(case.y_train, train), take(case.X_train, test), take(case.y_train, test))
    model = getattr(case.model, "best_estimator_", case.model)
    found = replace(case, model=model, X_train=parts[0], y_train=parts[1], X_test=parts[2], y_test=parts[3], held=True, answers=None)
    return replace(found, model=refitted(found))


__all__ = ["Iterator", "Kept", "cases", "held_out", "refitted"]
