"""Ensembles of trees as nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nbml.packaging.translating import steps
from nbml.packaging.translating.schema import Json, Schema, Untranslatable, genuine

#: categories that a feature of a tree can tell apart
CATEGORIES = 256


def histogram(value: Any, schema: Schema) -> list[Json]:
    """HistGradientBoosting: its own encoder of categories, then its trees on doubles."""
    import numpy as np

    if value._preprocessor is None:
        before, out = schema.numbers("HistGradientBoosting"), schema
    else:
        before, out = _encoded(value._preprocessor, schema)
    if len(out) != value.n_features_in_:
        raise Untranslatable(f"HistGradientBoosting was fitted on {value.n_features_in_} columns")
    classes = getattr(value, "classes_", None)
    start = np.asarray(value._baseline_prediction, dtype=np.float64).reshape(-1)
    predictors = [tree for turn in value._predictors for tree in turn]
    fields = {
        "feature": [np.where(t.nodes["is_leaf"] == 1, -1, t.nodes["feature_idx"]) for t in predictors],
        "threshold": [t.nodes["num_threshold"] for t in predictors], "left": [t.nodes["left"] for t in predictors],
        "right": [t.nodes["right"] for t in predictors], "null_left": [t.nodes["missing_go_to_left"] for t in predictors],
        "value": [t.nodes["value"] for t in predictors],
    }  # fmt: skip
    node = _node(fields, width=len(start), start=start, link=_link(value, classes), single=False, nulls=True)
    starts = node["starts"].tolist()
    for tree, at in zip(predictors, starts, strict=False):
        for i in np.flatnonzero(tree.nodes["is_categorical"] & (tree.nodes["is_leaf"] == 0)):
            bits = tree.raw_left_cat_bitsets[tree.nodes["bitset_idx"][i]].tolist()
            node["categories"][str(at + int(i))] = [c for c in range(CATEGORIES) if bits[c // 32] >> (c % 32) & 1]
    return [*before, node]


def _encoded(preprocessor: Any, schema: Schema) -> tuple[list[Json], Schema]:
    """The ColumnTransformer that HistGradientBoosting makes for itself: categories encoded, then the numbers, only checked."""
    parts, width = [], 0
    blocks: list[Json] = []
    for name, fitted, _ in preprocessor.transformers_:
        at = [int(i) for i in preprocessor._transformer_to_input_indices[name]]
        if not at or (isinstance(fitted, str) and fitted == "drop"):
            continue
        part = schema.pick(at)
        if name == "encoder":
            genuine(fitted)
            nodes, out = steps.step(fitted, part)
        else:
            nodes, out = part.numbers("HistGradientBoosting"), part
        blocks.append({"at": at, "step": steps.one(nodes)})
        parts.append(out)
        width += len(out)
    return [{"op": "columns", "blocks": blocks, "matrix": True}], Schema(tuple(c for part in parts for c in part.columns), matrix=True)


def _link(value: Any, classes: Any) -> str:
    if classes is not None:
        return "logistic" if len(classes) == 2 else "softmax"
    name = type(value._loss.link).__name__
    if name not in ("IdentityLink", "LogLink"):
        raise Untranslatable(f"HistGradientBoosting has a {name}")
    return "identity" if name == "IdentityLink" else "exp"


# -- trees on single precision ----------------------------------------------------------------------------------


def _forest(value: Any) -> Json:
    import numpy as np

    trees = list(value.estimators_) if hasattr(value, "estimators_") else [value]
    classes = getattr(value, "classes_", None)
    width = 1 if classes is None else len(classes)
    link = "mean" if classes is None else "shares"
    return _node(_fields(trees, 1.0), width=width, start=np.zeros(width), link=link, single=True, nulls=_nulls(trees[0]))


def _boosting(value: Any) -> Json:
    import numpy as np

    name = type(value).__name__
    constant = isinstance(value.init_, str) or type(value.init_).__name__ in ("DummyClassifier", "DummyRegressor")
    if not constant:
        raise Untranslatable(f"{name} starts from a {type(value.init_).__name__}")
    start = value._raw_predict_init(np.zeros((1, value.n_features_in_), dtype=np.float32))[0].astype(np.float64)
    classes = getattr(value, "classes_", None)
    link = "identity" if classes is None else "softmax" if len(classes) > 2 else "logistic2" if value.loss == "exponential" else "logistic"
    fields = _fields(value.estimators_.ravel().tolist(), float(value.learning_rate))
    return _node(fields, width=len(start), start=start, link=link, single=True, nulls=False, even=True)


def _isolation(value: Any) -> Json:
    """IsolationForest: the lengths of the paths add up, each tree on its own columns."""
    import numpy as np

    fields = _fields(value.estimators_, 1.0)
    lengths = zip(value._decision_path_lengths, value._average_path_length_per_tree, strict=True)
    fields["value"] = [depth + average - 1.0 for depth, average in lengths]
    fields["feature"] = [
        np.where(feature < 0, -1, np.asarray(columns)[np.maximum(feature, 0)])
        for feature, columns in zip(fields["feature"], value.estimators_features_, strict=True)
    ]
    node = _node(fields, width=1, start=np.zeros(1), link="isolation", single=False, nulls=True)
    n = value._max_samples
    average = 0.0 if n <= 1 else 1.0 if n == 2 else 2.0 * (np.log(n - 1.0) + np.euler_gamma) - 2.0 * (n - 1.0) / n
    if average == 0.0:
        raise Untranslatable("IsolationForest was fitted on single rows")
    return node | {"scale": float(len(value.estimators_) * average), "offset": float(value.offset_)}


def _nulls(tree: Any) -> bool:
    return bool(tree._support_missing_values([[0.0]]))


def _fields(trees: Sequence[Any], rate: float) -> dict[str, list[Any]]:
    """The arrays of each tree; thresholds are moved so that a double need not be rounded before it is compared."""
    import numpy as np

    states = [tree.tree_.__getstate__()["nodes"] for tree in trees]
    return {
        "feature": [np.where(n["left_child"] < 0, -1, n["feature"]) for n in states],
        "threshold": [_rounded(n["threshold"]) for n in states],
        "left": [n["left_child"] for n in states], "right": [n["right_child"] for n in states],
        "null_left": [n["missing_go_to_left"] for n in states],
        "value": [rate * tree.tree_.value[:, 0, :] for tree in trees],
    }  # fmt: skip


def _rounded(thresholds: Any) -> Any:
    """For each threshold t the largest double whose nearest float32 is at most t."""
    import numpy as np

    single = thresholds.astype(np.float32)
    low = np.where(single.astype(np.float64) > thresholds, np.nextafter(single, np.float32(-np.inf)), single)
    above = np.nextafter(low, np.float32(np.inf))
    middle = (low.astype(np.float64) + above.astype(np.float64)) / 2.0  # exact: neighbours have one more bit between them
    even = (low.view(np.uint32) & 1) == 0  # a tie goes to the even one
    return np.where(even, middle, np.nextafter(middle, -np.inf))


def _node(fields: dict[str, list[Any]], *, width: int, start: Any, link: str, single: bool, nulls: bool, even: bool = False) -> Json:
    """Trees one after the other in flat arrays."""
    import numpy as np

    kinds = {"feature": np.int32, "threshold": np.float64, "left": np.int32, "right": np.int32, "null_left": np.bool_}
    arrays: Json = {name: np.concatenate(fields[name]).astype(kind) for name, kind in kinds.items()}
    values = np.concatenate([np.asarray(v, dtype=np.float64).reshape(len(v), -1) for v in fields["value"]])
    starts = np.cumsum([0, *(len(v) for v in fields["value"])]).astype(np.int64)
    return {
        "op": "trees", **arrays, "values": values, "starts": starts, "categories": {}, "width": width, "start": start, "link": link,
        "single": single, "nulls": nulls, "even": even,
    }  # fmt: skip


_TREES = (
    "DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor", "RandomForestClassifier",
    "RandomForestRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor",
)  # fmt: skip
TRANSLATORS: dict[str, Callable[[Any], Json]] = {
    **dict.fromkeys(_TREES, _forest),
    "IsolationForest": _isolation,
    **dict.fromkeys(("GradientBoostingClassifier", "GradientBoostingRegressor"), _boosting),
}
