"""What of the notebook a model can be fitted on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nbml import frames

#: what features and labels are called, as a rule
PAIRS = (("X_train", "y_train"), ("X", "y"))


def pair(model: Any, namespace: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The names of the notebook to fit a model on, of as many rows each; None where that is not plain."""
    for names in PAIRS:
        values = [namespace[name] for name in names if hasattr(namespace.get(name), "__len__")]
        if len(values) == len(names) and len({len(value) for value in values}) == 1:
            return names
    plain = [name for name in list(namespace) if not name.startswith("_")]
    features = [name for name in plain if _numbers(namespace[name])]
    if len(features) != 1:
        return None
    if _unsupervised(model):
        return (features[0],)
    labels = list(_labels(plain, namespace, len(namespace[features[0]])))
    return (features[0], labels[0]) if len(labels) == 1 else None


def _numbers(value: Any) -> bool:
    """Whether a value is a table of numbers without a gap."""
    if frames.is_frame(value):
        kinds = {getattr(dtype, "kind", "O") for dtype in value.dtypes}
        return bool(len(value)) and kinds <= set("iufb") and not value.isna().any().any()
    return type(value).__module__ == "numpy" and getattr(value, "ndim", 0) == 2 and value.dtype.kind in "iufb"


def _labels(plain: list[str], namespace: Mapping[str, Any], rows: int) -> Iterator[str]:
    for name in plain:
        value = namespace[name]
        if type(value).__module__.partition(".")[0] in ("numpy", "pandas") and getattr(value, "ndim", 0) == 1 and len(value) == rows:
            yield name


def _unsupervised(model: Any) -> bool:
    from sklearn.base import is_clusterer, is_outlier_detector

    try:
        return bool(is_clusterer(model) or is_outlier_detector(model))
    except (AttributeError, TypeError):
        return False
