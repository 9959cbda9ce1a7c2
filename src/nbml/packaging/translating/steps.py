"""Transformers of numbers and the joints of pipelines as nodes."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from nbml.packaging.translating import encoders
from nbml.packaging.translating.schema import Json, Schema, Translator, Untranslatable, floats, genuine


def step(value: Any, schema: Schema) -> tuple[list[Json], Schema]:
    """The nodes of a transformer, and what comes out. Raises Untranslatable."""
    if value is None or (isinstance(value, str) and value == "passthrough"):
        return [], schema
    name = genuine(value)
    if name == "Pipeline":
        return chain([inner for _, inner in value.steps], schema)
    if name in _JOINTS:
        joint, out = _JOINTS[name](value, schema)
        return [joint], out
    if name == "FunctionTransformer":
        if value.func is not None:
            raise Untranslatable("FunctionTransformer runs a function of its own")
        return [], schema
    if name in encoders.TRANSLATORS:
        return encoders.TRANSLATORS[name](value, schema)
    if name not in _NUMERIC:
        raise Untranslatable(f"{name} has no exact executor")
    before = schema.numbers(name)
    if len(schema) != value.n_features_in_:
        raise Untranslatable(f"{name} was fitted on {value.n_features_in_} columns")
    node, out = _NUMERIC[name](value, schema)
    return [*before, *([node] if node else [])], out


def chain(values: list[Any], schema: Schema) -> tuple[list[Json], Schema]:
    """Steps one after the other."""
    nodes: list[Json] = []
    for value in values:
        more, schema = step(value, schema)
        nodes += more
    return nodes, schema


def one(nodes: list[Json]) -> Json | None:
    """Several nodes as one."""
    return None if not nodes else nodes[0] if len(nodes) == 1 else {"op": "chain", "steps": nodes}


# -- joints -----------------------------------------------------------------------------------------------------


def _column_transformer(value: Any, schema: Schema) -> tuple[Json, Schema]:
    if value.transformer_weights:
        raise Untranslatable("ColumnTransformer has weights")
    if len(schema) != value.n_features_in_:
        raise Untranslatable(f"ColumnTransformer was fitted on {value.n_features_in_} columns")
    parts = []
    for name, fitted, _ in value.transformers_:
        at = [int(i) for i in value._transformer_to_input_indices[name]]
        if at and not (isinstance(fitted, str) and fitted == "drop"):
            parts.append((at, fitted))
    return _side_by_side(parts, schema)


def _union(value: Any, schema: Schema) -> tuple[Json, Schema]:
    if value.transformer_weights:
        raise Untranslatable("FeatureUnion has weights")
    every = list(range(len(schema)))
    fitted = [inner for _, inner in value.transformer_list if not (isinstance(inner, str) and inner == "drop")]
    return _side_by_side([(every, inner) for inner in fitted], schema)


def _side_by_side(parts: list[tuple[list[int], Any]], schema: Schema) -> tuple[Json, Schema]:
    blocks, made = [], []
    for at, fitted in parts:
        nodes, out = step(fitted, schema.pick(at))
        made.append((at, nodes, out))
    columns = tuple(column for _, _, out in made for column in out.columns)
    matrix = bool(columns) and all(column.kind != "cell" for column in columns)
    for at, nodes, out in made:
        blocks.append({"at": at, "step": one([*nodes, *(out.numbers("ColumnTransformer") if matrix else [])])})
    return {"op": "columns", "blocks": blocks, "matrix": matrix}, Schema(columns, matrix)


# -- numbers ----------------------------------------------------------------------------------------------------


def _standard(value: Any, schema: Schema) -> tuple[Json | None, Schema]:
    return _scale(value.mean_ if value.with_mean else None, value.scale_ if value.with_std else None, schema)


def _robust(value: Any, schema: Schema) -> tuple[Json | None, Schema]:
    return _scale(value.center_ if value.with_centering else None, value.scale_ if value.with_scaling else None, schema)


def _scale(minus: Any, over: Any, schema: Schema) -> tuple[Json | None, Schema]:
    out = floats(len(schema))
    return ({"op": "scale", "minus": doubles(minus), "over": doubles(over)} if minus is not None or over is not None else None), out


def _minmax(value: Any, schema: Schema) -> tuple[Json, Schema]:
    ends = list(map(float, value.feature_range)) if value.clip else None
    return {"op": "line", "times": doubles(value.scale_), "plus": doubles(value.min_), "ends": ends}, floats(len(schema))


def _maxabs(value: Any, schema: Schema) -> tuple[Json | None, Schema]:
    scale, out = _scale(None, value.scale_, schema)
    if getattr(value, "clip", False) and scale:
        return {"op": "chain", "steps": [scale, {"op": "clip", "ends": [-1.0, 1.0]}]}, out
    return scale, out


def _powers(value: Any, schema: Schema) -> tuple[Json, Schema]:
    import numpy as np

    if all(column.kind != "float" for column in schema.columns):
        raise Untranslatable("PolynomialFeatures of whole numbers")  # they overflow as whole numbers do
    width = len(schema)
    factors = [list(itertools.chain.from_iterable([i] * int(n) for i, n in enumerate(row))) for row in value.powers_]
    most = max(1, max(map(len, factors)))
    filled = np.array([row + [width] * (most - len(row)) for row in factors], dtype=np.int64)
    return {"op": "powers", "factors": filled}, floats(len(factors))


def _unit(value: Any, schema: Schema) -> tuple[Json, Schema]:
    return {"op": "unit", "norm": value.norm}, floats(len(schema))


def _above(value: Any, schema: Schema) -> tuple[Json, Schema]:
    return {"op": "above", "threshold": float(value.threshold)}, floats(len(schema))


def _selected(value: Any, schema: Schema) -> tuple[Json, Schema]:
    at = [int(i) for i in value.get_support(indices=True)]
    if not at:
        raise Untranslatable(f"{type(value).__name__} selects nothing")
    strict = not value.__sklearn_tags__().input_tags.allow_nan
    return {"op": "pick", "at": at, "strict": strict}, schema.pick(at) if schema.matrix else floats(len(at))


def _pca(value: Any, schema: Schema) -> tuple[Json, Schema]:
    import numpy as np

    over = None
    if value.whiten:
        over = np.sqrt(value.explained_variance_)
        over[over < np.finfo(over.dtype).eps] = np.finfo(over.dtype).eps
    onto = doubles(value.components_)
    minus = doubles(value.mean_.reshape(1, -1) @ value.components_.T)
    return {"op": "project", "onto": onto, "minus": minus, "over": doubles(over)}, floats(len(onto))


def _svd(value: Any, schema: Schema) -> tuple[Json, Schema]:
    onto = doubles(value.components_)
    return {"op": "project", "onto": onto, "minus": None, "over": None}, floats(len(onto))


def doubles(values: Any) -> Any:
    """Fitted values as doubles. Raises Untranslatable for single precision, which rounds otherwise."""
    import numpy as np

    if values is None:
        return None
    found = np.asarray(values)
    if found.dtype.kind not in "fiu" or found.dtype.itemsize < 8:
        raise Untranslatable(f"it was fitted in {found.dtype}")
    return found.astype(np.float64)


_JOINTS: dict[str, Translator] = {"ColumnTransformer": _column_transformer, "FeatureUnion": _union}
_SELECTORS = (
    "SelectKBest", "SelectPercentile", "SelectFpr", "SelectFdr", "SelectFwe", "GenericUnivariateSelect", "VarianceThreshold", "RFE",
    "RFECV", "SelectFromModel", "SequentialFeatureSelector",
)  # fmt: skip
_NUMERIC: dict[str, Callable[[Any, Schema], tuple[Json | None, Schema]]] = {
    "StandardScaler": _standard, "RobustScaler": _robust, "MinMaxScaler": _minmax, "MaxAbsScaler": _maxabs,
    "PolynomialFeatures": _powers, "Normalizer": _unit, "Binarizer": _above, "PCA": _pca, "TruncatedSVD": _svd,
    **dict.fromkeys(_SELECTORS, _selected),
}  # fmt: skip
