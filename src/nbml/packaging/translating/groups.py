"""Models made of models as nodes: votes, stacks, calibration; searches are the model that they found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nbml.packaging.translating import steps
from nbml.packaging.translating.schema import Json, Schema, Untranslatable, floats

#: makes the nodes of a member
Inner = Callable[[Any, Schema], list[Json]]


def vote(value: Any, schema: Schema, inner: Inner) -> Json:
    classes = getattr(value, "classes_", None)
    count = 0 if classes is None else len(classes)
    kind = "mean" if classes is None else value.voting
    members = [_member(member, schema, inner, count) for member in value.estimators_]
    weights = value._weights_not_none
    weights = None if weights is None else [float(weight) for weight in weights]
    return {"op": "vote", "members": members, "kind": kind, "weights": weights, "classes": count, "matrix": schema.matrix}


def stack(value: Any, schema: Schema, inner: Inner) -> Json:
    classes = getattr(value, "classes_", None)
    count = 0 if classes is None else len(classes)
    if len(value.estimators_) != len(value.stack_method_) or isinstance(getattr(value, "_label_encoder", None), list):
        raise Untranslatable(f"{type(value).__name__} has several outputs or drops a member")
    members, width = [], 0
    for member, method in zip(value.estimators_, value.stack_method_, strict=True):
        asks = {"predict_proba": "shares", "decision_function": "scores", "predict": "labels"}[method]
        first = 1 if asks == "shares" and count == 2 else 0
        members.append({"model": _member(member, schema, inner, count), "asks": asks, "first": first})
        width += 1 if asks == "labels" or count <= 2 else count
    through = steps.one(schema.numbers("passthrough")) if value.passthrough else None
    last = value.final_estimator_
    node = _member(last, floats(width + (len(schema) if value.passthrough else 0)), inner, count)
    return {"op": "stack", "members": members, "through": through, "passes": bool(value.passthrough), "last": node,
            "gives": hasattr(last, "predict_proba"), "matrix": schema.matrix}  # fmt: skip


def calibrated(value: Any, schema: Schema, inner: Inner) -> Json:
    count = len(value.classes_)
    members = []
    for found in value.calibrated_classifiers_:
        if found.method not in ("sigmoid", "isotonic") or list(found.estimator.classes_) != list(value.classes_):
            raise Untranslatable(f"CalibratedClassifierCV by {found.method} has no exact executor")
        asks = "scores" if hasattr(found.estimator, "decision_function") else "shares"
        model = steps.one(inner(found.estimator, schema))
        members.append({"model": model, "asks": asks, "curves": [_curve(curve) for curve in found.calibrators]})
    return {"op": "calibrated", "members": members, "classes": count, "matrix": schema.matrix}


def _curve(curve: Any) -> Json:
    if hasattr(curve, "a_"):
        return {"a": float(curve.a_), "b": float(curve.b_)}
    return {"x": steps.doubles(curve.X_thresholds_), "y": steps.doubles(curve.y_thresholds_)}


def _member(value: Any, schema: Schema, inner: Inner, classes: int) -> Json:
    """A model whose classes are numbered as those of the whole are."""
    if classes and list(getattr(value, "classes_", [])) != list(range(classes)):
        raise Untranslatable(f"a member, {type(value).__name__}, has other classes")
    found = steps.one(inner(value, schema))
    if found is None:
        raise Untranslatable(f"a member, {type(value).__name__}, does nothing")
    return found


TRANSLATORS: dict[str, Callable[[Any, Schema, Inner], Json]] = {
    "VotingClassifier": vote, "VotingRegressor": vote, "StackingClassifier": stack, "StackingRegressor": stack,
    "CalibratedClassifierCV": calibrated,
}  # fmt: skip
