"""Models as nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nbml.packaging.translating import groups, steps, trees
from nbml.packaging.translating.schema import Json, Schema, Untranslatable, genuine

SEARCHES = ("GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV")


def head(target: Any, schema: Schema, categories: dict[str, list[Any]]) -> tuple[Json, Json]:
    """The node of a model on cells, and what it says: the form of its answer and its classes. Raises Untranslatable."""
    return dressed(target, model(target, schema), categories)


def dressed(target: Any, nodes: list[Json], categories: dict[str, list[Any]]) -> tuple[Json, Json]:
    """``head`` for a model whose nodes are made."""
    from nbml.packaging import bridge

    if categories:
        nodes = [{"op": "known", "at": categories}, *nodes]
    classes = getattr(target, "classes_", None)
    labels = None
    if classes is not None:
        if getattr(classes, "ndim", 0) != 1:
            raise Untranslatable("it has several outputs")
        labels = bridge.plain(classes)
    form = bridge.form_of(classes if classes is not None else _zero(target))
    return steps.one(nodes) or nodes[0], {"form": {k: form[k] for k in ("kind", "dtype")}, "classes": labels}


def _zero(target: Any) -> Any:
    """An answer of the dtype that a model without classes gives."""
    import numpy as np

    last = target
    while hasattr(last, "steps") or hasattr(last, "best_estimator_"):
        last = last.steps[-1][1] if hasattr(last, "steps") else last.best_estimator_
    kinds = {"KMeans": np.int32, "MiniBatchKMeans": np.int32, "IsolationForest": np.int64}
    return np.zeros(1, dtype=kinds.get(type(last).__name__, np.float64))


def model(value: Any, schema: Schema) -> list[Json]:
    """The nodes of a model, the last of which answers."""
    name = genuine(value)
    if name in SEARCHES:
        return model(value.best_estimator_, schema)
    if name == "Pipeline":
        nodes, out = steps.chain([inner for _, inner in value.steps[:-1]], schema)
        return [*nodes, *model(value.steps[-1][1], out)]
    if name.startswith("HistGradientBoosting"):
        return trees.histogram(value, schema)
    if name in groups.TRANSLATORS:
        return [groups.TRANSLATORS[name](value, schema, model)]
    if name not in _MODELS:
        raise Untranslatable(f"{name} has no exact executor")
    before = schema.numbers(name)
    if len(schema) != value.n_features_in_:
        raise Untranslatable(f"{name} was fitted on {value.n_features_in_} columns")
    if getattr(value, "n_outputs_", 1) != 1 and not name.startswith("MLP"):  # which counts its last neurons
        raise Untranslatable(f"{name} has several outputs")
    return [*before, _MODELS[name](value)]


def _linear(link: str) -> Callable[[Any], Json]:
    def made(value: Any) -> Json:
        import numpy as np

        weights = steps.doubles(value.coef_)
        if link == "value" and weights.ndim != 1:
            raise Untranslatable(f"{type(value).__name__} was fitted on a table of answers")
        weights = np.atleast_2d(weights)
        bias = np.broadcast_to(np.atleast_1d(steps.doubles(value.intercept_)), (len(weights),))
        return {"op": "linear", "weights": weights, "bias": np.ascontiguousarray(bias), "link": link}

    return made


def _logistic(value: Any) -> Json:
    way = getattr(value, "multi_class", "auto")  # of scikit-learn before 1.8
    if len(value.classes_) <= 2:
        if way == "multinomial":
            raise Untranslatable("LogisticRegression is multinomial for two classes")
        return _linear("logistic")(value)
    return _linear("ovr" if way == "ovr" or value.solver == "liblinear" else "softmax")(value)


def _sgd(value: Any) -> Json:
    return _linear({"log_loss": "ovr", "modified_huber": "huber"}.get(value.loss, "sign"))(value)


def _ridge(value: Any) -> Json:
    if getattr(getattr(value, "_label_binarizer", None), "y_type_", "").startswith("multilabel"):
        raise Untranslatable(f"{type(value).__name__} has several outputs")
    return _linear("sign")(value)


def _means(value: Any) -> Json:
    return {"op": "centres", "points": steps.doubles(value.cluster_centers_)}


def _layers(value: Any) -> Json:
    weights, biases = [steps.doubles(w) for w in value.coefs_], [steps.doubles(b) for b in value.intercepts_]
    if value.out_activation_ not in ("identity", "exp", "logistic", "softmax") or value.activation not in _ACTIVATIONS:
        raise Untranslatable(f"{type(value).__name__} ends in {value.out_activation_}")
    if value.out_activation_ in ("identity", "exp") and weights[-1].shape[1] != 1:
        raise Untranslatable("MLPRegressor was fitted on a table of answers")
    if value.out_activation_ == "logistic" and weights[-1].shape[1] != 1:
        raise Untranslatable("MLPClassifier has several outputs")
    return {"op": "layers", "weights": weights, "biases": biases, "inner": value.activation, "out": value.out_activation_}


def _gaussian(value: Any) -> Json:
    return {"op": "gaussian", "means": steps.doubles(value.theta_), "variances": steps.doubles(value.var_),
            "prior": steps.doubles(value.class_prior_)}  # fmt: skip


_ACTIVATIONS = ("identity", "logistic", "tanh", "relu")
_VALUES = (
    "LinearRegression", "Ridge", "RidgeCV", "Lasso", "LassoCV", "LassoLars", "LassoLarsCV", "LassoLarsIC", "Lars", "LarsCV", "ElasticNet",
    "ElasticNetCV", "SGDRegressor", "HuberRegressor", "BayesianRidge", "ARDRegression", "TheilSenRegressor", "OrthogonalMatchingPursuit",
    "OrthogonalMatchingPursuitCV", "QuantileRegressor", "LinearSVR", "PassiveAggressiveRegressor",
)  # fmt: skip
_MODELS: dict[str, Callable[[Any], Json]] = {
    **dict.fromkeys(_VALUES, _linear("value")),
    **dict.fromkeys(("PoissonRegressor", "GammaRegressor"), _linear("exp")),
    **dict.fromkeys(("LogisticRegression", "LogisticRegressionCV"), _logistic),
    **dict.fromkeys(("LinearSVC", "Perceptron", "PassiveAggressiveClassifier"), _linear("sign")),
    **dict.fromkeys(("RidgeClassifier", "RidgeClassifierCV"), _ridge),
    "SGDClassifier": _sgd, "KMeans": _means, "MiniBatchKMeans": _means, "GaussianNB": _gaussian, "MLPClassifier": _layers,
    "MLPRegressor": _layers, **trees.TRANSLATORS,
}  # fmt: skip
