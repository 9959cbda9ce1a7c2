"""How an estimator is judged: metric, folds, data; all checked before the first trial."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from nbml import datasets, errors, frames
from nbml.store import Thing

#: rows up to which a fit takes one thread
FEW = 20_000
#: the line that lists the metrics
METRICS = "from sklearn.metrics import get_scorer_names; get_scorer_names()"
#: words in a metric's name that tell its direction
LESS = ("loss", "error", "mse", "rmse", "mae", "mape", "msle", "deviance", "perplexity", "brier", "logloss", "nll", "latency")
MORE = ("accuracy", "acc", "auc", "f1", "r2", "precision", "recall", "score", "kappa", "mcc", "ndcg", "map", "iou", "dice", "gain")


@dataclass(frozen=True)
class Metric:
    """A metric of scikit-learn: ``scoring`` is what cross_validate takes; greater is always better."""

    name: str
    scoring: Any


@dataclass(frozen=True)
class Data:
    """What a study learns from. ``thing`` is the dataset version that X is, where it is one."""

    X: Any
    y: Any
    groups: Any
    thing: Thing | None

    @property
    def fingerprint(self) -> str:
        return fingerprint((self.X, self.y, self.groups))


def metric(asked: Any, estimator: Any) -> Metric:
    """A scorer by name or as it is; the estimator's own ``score`` where none is asked. Raises errors.BadArgument, errors.NotYet."""
    if isinstance(asked, (list, tuple)) or (isinstance(asked, str) and "," in asked):
        first = asked.split(",")[0].strip() if isinstance(asked, str) else asked[0] if asked and isinstance(asked[0], str) else ""
        raise errors.NotYet(f"several metrics ({asked!r}) are not there yet: name one", instead=("metric", first) if first else None)
    if asked is None:
        from sklearn.base import is_classifier, is_regressor

        name = "accuracy" if is_classifier(estimator) else "r2" if is_regressor(estimator) else "score"
        return Metric(name, None)
    if callable(asked):
        name = getattr(asked, "__name__", None) or re.sub(r"\W+", "_", str(asked)).strip("_")
        return Metric(name, asked)
    from sklearn.metrics import get_scorer_names

    if asked not in get_scorer_names():
        close = _closest(str(asked), get_scorer_names())
        if close is None:
            raise errors.BadArgument(f"no metric {asked!r}; for instance accuracy, roc_auc, r2", next=METRICS)
        raise errors.BadArgument(f"no metric {asked!r}; nearest: {close}", instead=("metric", close))
    return Metric(str(asked), str(asked))


def learns(estimator: Any) -> bool:
    """Whether an estimator says that it learns from y."""
    from sklearn.base import is_classifier, is_regressor

    return bool(is_classifier(estimator) or is_regressor(estimator))


def _closest(word: str, names: list[str]) -> str | None:
    """The nearest name; the short names of errors lead to scikit-learn's negated scorers."""
    short = {"mse": "neg_mean_squared_error", "rmse": "neg_root_mean_squared_error", "mae": "neg_mean_absolute_error"}
    return short.get(word.lower()) or errors.nearest(word, names)


def direction_of(name: str) -> str | None:
    """The direction that a metric's name tells; None where it tells none."""
    words = re.split(r"[^a-z0-9]+", name.lower())
    if words[0] == "neg":
        return "maximize"
    if any(word in LESS for word in words):
        return "minimize"
    return "maximize" if any(word in MORE for word in words) else None


def data(X: Any, y: Any, groups: Any) -> Data:  # noqa: N803
    """X as a frame or array as it is, or from ``name@n`` or a path; y may name a column of X. Raises errors.BadInput."""
    thing = None
    if isinstance(X, (str, datasets.DatasetVersion)) or hasattr(X, "__fspath__"):
        X, thing = datasets.take(X)  # noqa: N806
    elif frames.is_frame(X):
        thing = datasets.version_of(X)
    if isinstance(y, str):
        if not frames.is_frame(X) or y not in X.columns:
            close = errors.nearest(y, map(str, X.columns)) if frames.is_frame(X) else None
            instead = ("y", repr(close)) if close else None
            raise errors.BadInput(f"X has no column {y!r}" + (f"; nearest: {close}" if close else ""), instead=instead)
        X, y = X.drop(columns=y), X[y]  # noqa: N806
    for what, other in (("y", y), ("groups", groups)):
        if other is not None and _length(other) != _length(X):
            raise errors.BadInput(f"X has {_length(X):,} rows, {what} has {_length(other):,}")
    return Data(X, y, groups, thing)


def _length(value: Any) -> int:
    shape = getattr(value, "shape", None)
    if shape:
        return int(shape[0])
    try:
        return len(value)
    except TypeError:
        raise errors.BadInput(f"data are a frame, an array or a list, not {frames.describe(value)}") from None


def splits(cv: Any, given: Data, estimator: Any) -> tuple[list[Any], str]:
    """The folds, the same for all trials, as cross_validate would make them; and what they are, to be compared."""
    from sklearn.base import is_classifier
    from sklearn.model_selection import check_cv

    cv = int(cv) if isinstance(cv, str) and cv.isdigit() else cv
    text = re.sub(r" at 0x[0-9a-f]+", "", repr(cv))
    if isinstance(cv, (bool, str)) or (isinstance(cv, int) and cv < 2):
        raise errors.BadArgument(f"cv is a number of folds from 2 on, or a splitter of scikit-learn, not {cv!r}", instead=("cv", "5"))
    if not isinstance(cv, int) and not hasattr(cv, "split"):
        cv = list(cv)
        text = hashlib.sha256(repr([[list(map(int, part)) for part in pair] for pair in cv]).encode()).hexdigest()
    try:
        splitter = check_cv(cv, given.y, classifier=is_classifier(estimator))
        return list(splitter.split(given.X, given.y, given.groups)), text
    except ValueError as error:
        raise errors.BadInput(f"the data cannot be split by cv={cv!r}: {error}") from error


def fingerprint(value: Any) -> str:
    """A SHA-256 over data of any of the forms that scikit-learn takes; equal data have equal ones."""
    digest = hashlib.sha256(type(value).__name__.encode())
    if value is None:
        return digest.hexdigest()
    if isinstance(value, tuple):
        for part in value:
            digest.update(fingerprint(part).encode())
    elif frames.is_frame(value):
        digest.update(frames.fingerprint(value).encode())
    elif hasattr(value, "to_frame"):
        digest.update(frames.fingerprint(value.to_frame(name="" if value.name is None else value.name)).encode())
    elif hasattr(value, "tocsr"):
        matrix = value.tocsr()
        digest.update(fingerprint((matrix.data, matrix.indices, matrix.indptr, list(matrix.shape))).encode())
    else:
        import numpy as np

        array = value if isinstance(value, np.ndarray) else np.asarray(value)
        digest.update(f"{array.dtype} {array.shape}".encode())
        digest.update("\x00".join(map(repr, array.ravel())).encode() if array.dtype == object else np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def threads(given: Data) -> Any:
    """A context in which few rows are fitted by one thread.

    Threads of OpenMP that spin for each other on busy cores are up to fifty times slower than one thread alone.
    """
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1 if _length(given.X) <= FEW else None)


def score(estimator: Any, given: Data, folds: list[Any], scoring: Any) -> tuple[float, ...]:
    """One score for each fold, by cross_validate; what the estimator raises comes out."""
    from sklearn.model_selection import cross_validate

    with threads(given):
        found = cross_validate(estimator, given.X, given.y, scoring=scoring, cv=folds, error_score="raise")
    return tuple(float(value) for value in found["test_score"])


