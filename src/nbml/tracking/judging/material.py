"""What is judged, as plain numbers: the rows of train and test encoded together, and what they should have been."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nbml.tracking.judging import thresholds as at

Array = Any


@dataclass(frozen=True)
class Column:
    """A column: ``kind`` is number, word, text or time. Numbers stand as they are, words as codes, times as seconds."""

    name: str
    kind: str
    train: Array
    test: Array

    @property
    def both(self) -> Array:
        return np.concatenate([self.train, self.test])


@dataclass(frozen=True)
class Material:
    """The rows of both sides, column by column, NaN where a value is missing; ``train_rows`` and ``test_rows`` say which were taken."""

    columns: tuple[Column, ...]
    train_rows: Array
    test_rows: Array
    train_total: int
    test_total: int
    #: of a table of one kind of number: whether its columns have names of their own
    named: bool = True

    def matrix(self, side: str) -> Array:
        """The columns of one side beside each other."""
        rows = len(self.train_rows if side == "train" else self.test_rows)
        parts = [getattr(column, side) for column in self.columns]
        return np.column_stack(parts) if parts else np.empty((rows, 0))


@dataclass(frozen=True)
class Case:
    """A fitted model, what it was fitted on and what it is measured on. ``test`` may be missing: then there is no X_test.

    ``names`` are those of the notebook for the four; ``orders`` and ``groups`` are told by whoever knows where rows come from.
    """

    model: Any
    X_train: Any
    y_train: Any
    X_test: Any = None
    y_test: Any = None
    answers: Any = None
    metrics: tuple[str, ...] = ()
    orders: tuple[Order, ...] = ()
    groups: tuple[Order, ...] = ()
    #: the split is ours, made to measure the kind of model: it tells nothing of rows that both sides have
    held: bool = False
    #: what has no test set of its own was measured by folds
    folds: tuple[tuple[Array, Array], ...] = ()
    private: frozenset[str] = frozenset()
    weights: Any = field(default=None, repr=False)


@dataclass(frozen=True)
class Order:
    """A value for each row of both sides beside the features: a time, a place, or a group. ``kind``: time, order or group."""

    name: str
    kind: str
    train: Array
    test: Array


def encode(X_train: Any, X_test: Any, seed: int = 0) -> Material | None:
    """Both sides as columns; None for what is no table. ``X_test`` may be None: then that side has no rows."""
    first, second = table(X_train), table(X_test) if X_test is not None else None
    if first is None or (X_test is not None and second is None):
        return None
    n, m = length(first), length(second) if second is not None else 0
    width = max(1, _width(first))
    if second is not None and _width(second) != _width(first):
        return None
    most = max(200, min(at.ROWS, at.CELLS // width))
    rng = np.random.default_rng(seed)
    some, other = sample(n, most, rng), sample(m, most, rng)
    columns = tuple(_columns(_take(first, some), _take(second, other) if second is not None else None))
    return Material(columns, some, other, n, m, hasattr(first, "columns"))


def sample(n: int, most: int, rng: Any) -> Array:
    """At most that many of n places, in their order."""
    return np.arange(n) if n <= most else np.sort(rng.choice(n, most, replace=False))


def table(X: Any) -> Any:
    """A DataFrame, a sparse matrix or a two-dimensional array; None where X is none of these."""
    import pandas as pd

    if X is None or isinstance(X, (str, bytes)):
        return None
    if type(X).__module__.startswith("polars"):
        X = _frame_of(X)
    if isinstance(X, pd.DataFrame):
        return X
    if isinstance(X, pd.Series):
        return X.to_frame()
    if hasattr(X, "tocsr"):
        return X.tocsr()
    try:
        array = np.asarray(X)
    except Exception:
        return None
    if array.ndim == 0 or not len(array) or array.dtype.kind == "V":
        return None
    return array.reshape(len(array), -1)


def _frame_of(X: Any) -> Any:
    """A frame of polars as one of pandas, by its columns."""
    import pandas as pd

    if hasattr(X, "collect"):
        X = X.collect()
    return pd.DataFrame({name: X[name].to_list() for name in X.columns}) if hasattr(X, "columns") else X.to_list()


def length(X: Any) -> int:
    """How many rows."""
    shape = getattr(X, "shape", None)
    return int(shape[0]) if shape else len(X)


def _width(X: Any) -> int:
    return int(X.shape[1])


def _take(X: Any, rows: Array) -> Any:
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]


def take(X: Any, rows: Array) -> Any:
    """Those rows of whatever a model takes, as it takes it."""
    if hasattr(X, "iloc"):
        return X.iloc[rows]
    if isinstance(X, (list, tuple)):
        return [X[row] for row in rows]
    return X[rows]


def _columns(train: Any, test: Any) -> list[Column]:
    if hasattr(train, "columns"):
        return [
            _column(str(name), train.iloc[:, place], test.iloc[:, place] if test is not None else train.iloc[:0, place])
            for place, name in enumerate(train.columns)
        ]
    if hasattr(train, "tocsr"):
        keep = _heaviest(train)
        first = train[:, keep].toarray()
        second = test[:, keep].toarray() if test is not None else first[:0]
        return [Column(f"x{at_}", "number", first[:, k].astype(float), second[:, k].astype(float)) for k, at_ in enumerate(keep)]
    second = test if test is not None else train[:0]
    if train.dtype.kind in "iufb" and second.dtype.kind in "iufb":
        first, second = train.astype(float), second.astype(float)
        return [Column(f"x{k}", "number", first[:, k], second[:, k]) for k in range(train.shape[1])]
    import pandas as pd

    return [
        _column(f"x{k}", pd.Series(train[:, k]).infer_objects(), pd.Series(second[:, k]).infer_objects()) for k in range(train.shape[1])
    ]


def _heaviest(X: Any) -> Array:
    """The columns of a sparse matrix that are not zero most often."""
    count = np.asarray((X != 0).sum(axis=0)).ravel()
    return np.sort(np.argsort(-count, kind="stable")[: at.COLUMNS])


def _column(name: str, train: Any, test: Any) -> Column:
    import pandas as pd

    kinds = {train.dtype.kind if hasattr(train.dtype, "kind") else "O", test.dtype.kind if len(test) else train.dtype.kind}
    if isinstance(train.dtype, pd.PeriodDtype):
        train, test = train.dt.to_timestamp(), test.dt.to_timestamp()
        kinds = {"M"}
    if kinds <= set("iufb"):
        return Column(name, "number", *(_numbers(side) for side in (train, test)))
    if kinds <= {"M"} or kinds <= {"m"}:
        return Column(name, "time" if kinds == {"M"} else "number", *(_seconds(side) for side in (train, test)))
    times = _dates(train, test)
    if times is not None:
        return Column(name, "time", *times)
    codes, levels = factorized([*train, *test])
    kind = "text" if len(levels) > 20 and len(levels) > 0.5 * len(codes) else "word"
    return Column(name, kind, codes[: len(train)], codes[len(train) :])


def factorized(values: Sequence[Any]) -> tuple[Array, list[Any]]:
    """Each value's code, NaN for what is missing, and the values by code."""
    known: dict[Any, int] = {}
    codes = np.empty(len(values))
    for place, value in enumerate(values):
        if value is None or value != value:
            codes[place] = np.nan
            continue
        try:
            codes[place] = known.setdefault(value, len(known))
        except TypeError:  # a list, a dict
            codes[place] = known.setdefault(str(value)[:1000], len(known))
        except ValueError:
            codes[place] = np.nan
    return codes, list(known)


def _numbers(side: Any) -> Array:
    return side.to_numpy(dtype=float, na_value=np.nan)


def _seconds(side: Any) -> Array:
    import pandas as pd

    missing = side.isna().to_numpy()
    if isinstance(side.dtype, pd.DatetimeTZDtype):
        side = side.dt.tz_convert("UTC").dt.tz_localize(None)
    unit = "datetime64[ns]" if side.dtype.kind == "M" else "timedelta64[ns]"
    return np.where(missing, np.nan, side.to_numpy(dtype=unit).astype("int64") / 1e9)


def _dates(train: Any, test: Any) -> tuple[Array, Array] | None:
    """Texts that are dates, and objects of datetime, as seconds; None for what is neither."""
    import pandas as pd

    some = list(train.dropna().head(50)) if len(train) else []
    if not some or not all(_like_date(value) for value in some):
        return None
    found = [pd.to_datetime(side, errors="coerce", utc=True, format="ISO8601") for side in (train, test)]
    if found[0].isna().mean() > 0.2 + float(train.isna().mean()):
        return None
    return _seconds(found[0]), _seconds(found[1])


def _like_date(value: Any) -> bool:
    import datetime

    if isinstance(value, datetime.date):
        return True
    return isinstance(value, str) and 8 <= len(value) <= 32 and value[:4].isdigit() and value[4:5] in "-/" and value[5:7].isdigit()


@dataclass(frozen=True)
class Target:
    """What should have been answered: ``task`` is classification or regression; classes stand as codes 0..k-1 of ``classes``."""

    task: str
    train: Array
    test: Array
    classes: tuple[Any, ...] = ()

    def coded(self, answers: Any) -> Array:
        """Answers as the target stands: codes (-1 for a class that nobody knows) or numbers."""
        flat = column_of(answers)
        if flat is None:
            raise ValueError("answers have more than one column")
        if self.task == "regression":
            return np.asarray(flat, dtype=float)
        known = {value: code for code, value in enumerate(self.classes)}
        return np.array([known.get(_plain(value), -1) for value in flat], dtype=int)


def target(y_train: Any, y_test: Any, model: Any = None) -> Target | None:
    """The target of both sides; None where it has several columns, or there is none."""
    first, second = column_of(y_train), column_of(y_test) if y_test is not None else []
    if first is None or second is None or not len(first):
        return None
    if _is_regression(first, model):
        try:
            return Target("regression", np.asarray(first, dtype=float), np.asarray(second, dtype=float))
        except (TypeError, ValueError):
            pass
    values = [_plain(value) for value in [*first, *second]]
    classes = tuple(dict.fromkeys(value for value in values if value == value))
    if len(classes) > max(50, len(values) // 3):
        return None
    known = {value: code for code, value in enumerate(classes)}
    codes = np.array([known.get(value, -1) for value in values], dtype=int)
    return Target("classification", codes[: len(first)], codes[len(first) :], classes)


def column_of(y: Any) -> Any:
    """One value a row as a list or array; None where there is more than one column."""
    if y is None:
        return None
    if hasattr(y, "to_numpy"):
        y = y.to_numpy()
    elif hasattr(y, "toarray"):
        y = y.toarray()
    if isinstance(y, (list, tuple)):
        y = np.asarray(y, dtype=object) if y and not np.isscalar(y[0]) else np.asarray(y)
    array = np.asarray(y)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array.ravel()
    return array if array.ndim == 1 else None


def _plain(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    return int(value) if isinstance(value, (bool, float)) and value == value and float(value).is_integer() else value


def _is_regression(y: Array, model: Any) -> bool:
    kind = estimator_kind(model)
    if kind:
        return kind == "regressor"
    if y.dtype.kind not in "iuf":
        return False
    real = y[np.isfinite(y)] if y.dtype.kind == "f" else y
    different = len(np.unique(real))
    return different > 20 or (y.dtype.kind == "f" and bool(np.any(real != np.round(real))))


def estimator_kind(model: Any) -> str:
    """classifier, regressor, or "" where the model does not say."""
    if model is None:
        return ""
    try:
        from sklearn.base import is_classifier, is_regressor

        if is_classifier(model):
            return "classifier"
        return "regressor" if is_regressor(model) else ""
    except Exception:
        kind = getattr(model, "_estimator_type", "")
        return kind if kind in ("classifier", "regressor") else ""


def filled(matrix: Array, other: Array) -> tuple[Array, Array]:
    """Both scaled by the first's spread, missing values at its middle, what is infinite or far off at 10 spreads."""
    with np.errstate(all="ignore"):
        wide = np.where(np.isfinite(matrix), matrix, np.nan)
        full = np.isfinite(wide).any(axis=0) if len(wide) else np.zeros(matrix.shape[1], bool)
        middle = np.zeros(matrix.shape[1])
        spread = np.ones(matrix.shape[1])
        if full.any():
            middle[full] = np.nanmean(wide[:, full], axis=0)
            spread[full] = np.nanstd(wide[:, full], axis=0)
        spread[~(spread > 1e-12 * (1 + np.abs(middle)))] = 1.0
        found = [np.clip(np.nan_to_num((side - middle) / spread, nan=0.0, posinf=10.0, neginf=-10.0), -10, 10) for side in (matrix, other)]
    return found[0], found[1]
