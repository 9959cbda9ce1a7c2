"""Scalars that the cell assigns and whose names are metrics: they are proposed, never taken."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

#: what a metric is called by, and what makes the same word a setting or a count
METRIC = {
    "auc", "auroc", "aucpr", "auprc", "acc", "accuracy", "f1", "f2", "fbeta", "precision", "recall", "specificity", "sensitivity", "mcc",
    "kappa", "jaccard", "iou", "dice", "loss", "logloss", "brier", "perplexity", "ppl", "rmse", "mse", "mae", "mape", "smape", "rmsle",
    "msle", "medae", "r2", "score", "bleu", "rouge", "wer", "cer", "ndcg", "mrr", "gini", "silhouette", "crps", "elbo", "nll",
    "psnr", "ssim", "error", "err", "deviance",
}  # fmt: skip
SETTING = {"weight", "weights", "threshold", "alpha", "lr", "lambda", "tol", "target", "coef", "penalty", "n", "num", "count", "goal"}
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+\d*")
#: metrics of one run that are proposed
MOST = 20


def called_like_a_metric(name: str) -> bool:
    """``auc``, ``test_rmse``, ``valAccuracy``; not ``loss_weight``, ``n_errors``, ``_score``."""
    words = {word.lower() for word in _WORDS.findall(name)}
    return not name.startswith("_") and bool(words & METRIC) and not words & SETTING


def metrics_of(namespace: Mapping[str, Any]) -> dict[str, Any]:
    """The names of a namespace that are called like metrics and hold a number, with the very objects."""
    return {name: value for name, value in list(namespace.items()) if _scalar(value) and called_like_a_metric(name)}


def _scalar(value: Any) -> bool:
    """A float of Python or numpy; a whole number counts something."""
    return isinstance(value, float) or (type(value).__module__ == "numpy" and getattr(getattr(value, "dtype", None), "kind", "") == "f"
                                        and getattr(value, "shape", None) == ())  # fmt: skip


def proposed(
    before: Mapping[str, Any], now: Mapping[str, Any], assigned: Iterable[str], logged: Mapping[str, float]
) -> dict[str, float]:
    """What was assigned since ``before`` or by the cell's own statements, and is not among what was logged, by name or by value."""
    written = set(assigned)
    new = {name: float(value) for name, value in now.items() if name in written or before.get(name) is not value}
    values = list(logged.values())
    return dict([(name, value) for name, value in new.items() if name not in logged and value not in values][:MOST])


def line(found: Mapping[str, float]) -> str:
    """The line that logs them."""
    return f"nbml.log({', '.join(f'{name}={name}' for name in found)})"
