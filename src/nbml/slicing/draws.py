"""Draws from a global generator that change nothing: some estimators ask for a seed that they then do not use.

Read from the statement and from estimators that it names; what is not known to be so counts as a draw that matters.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import types
from collections.abc import Callable, Mapping
from typing import Any

from nbml.slicing import texts

#: rows up to which ``early_stopping="auto"`` of histogram boosting holds none back (scikit-learn's own limit)
HELD_BACK = 10_000
#: methods and functions that draw nothing of their own
_QUIET = frozenset({
    "fit", "predict", "predict_proba", "decision_function", "score", "transform", "mean", "std", "min", "max", "sum", "log", "float",
    "round", "int", "len", "range", "print", "append", "items", "cross_val_score", "cross_validate", "cross_val_predict", "make_pipeline",
    "make_column_transformer", "zip", "enumerate", "dict", "list",
})  # fmt: skip


def _without_probabilities(params: Mapping[str, Any], rows: int | None) -> bool:
    return params.get("probability", False) in (False, "deprecated")


def _without_holding_back(params: Mapping[str, Any], rows: int | None) -> bool:
    stops = params.get("early_stopping", "auto")
    few = rows is not None and rows <= HELD_BACK
    return (stops is False or (stops == "auto" and few)) and params.get("max_features", 1.0) == 1.0


#: class -> whether the seed that it draws is not used with these parameters and so many rows
_UNUSED: dict[str, Callable[[Mapping[str, Any], int | None], bool]] = {
    "SVC": _without_probabilities, "NuSVC": _without_probabilities, "HistGradientBoostingClassifier": _without_holding_back,
    "HistGradientBoostingRegressor": _without_holding_back,
}  # fmt: skip


def immaterial(node: ast.stmt, names: Mapping[str, Any]) -> bool:
    """Whether a statement that has just drawn from a global generator gives the same whatever it drew; ``names`` are the notebook's."""
    shapes = [getattr(names.get(part.id), "shape", None) for part in ast.walk(node) if isinstance(part, ast.Name)]
    most = max((shape[0] for shape in shapes if isinstance(shape, tuple) and shape), default=None)
    if any(isinstance(part, (ast.Lambda, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) for part in ast.walk(node)):
        return False
    bound = {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load)}
    found = False
    for part in ast.walk(node):
        if isinstance(part, ast.Call):
            unused = _call(part, names, most)
            if unused is None:
                return False
            found |= unused
        elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
            value = names.get(part.id)
            if _fits(value):
                looped = part.id in bound and not isinstance(node, (ast.Assign, ast.Expr)) and not _made_inside(node, part.id)
                if looped or not _tree(value, most):
                    return False
                found = True
            elif not _plain(value, part.id):
                return False
    return found


def _made_inside(node: ast.stmt, name: str) -> bool:
    """Whether a compound statement binds a name by calls alone, which are looked at themselves."""
    assigned = [part for part in ast.walk(node) if isinstance(part, ast.Assign)]
    made = [part for part in assigned if any(isinstance(target, ast.Name) and target.id == name for target in part.targets)]
    stored = sum(isinstance(part, ast.Name) and part.id == name and not isinstance(part.ctx, ast.Load) for part in ast.walk(node))
    return len(made) == stored and all(isinstance(part.value, ast.Call) for part in made)


def _plain(value: Any, name: str) -> bool:
    """Whether a value holds no estimator that could draw: data, numbers, texts, what libraries define."""
    if value is None:
        return hasattr(builtins, name)
    if isinstance(value, (bool, int, float, str, bytes, types.ModuleType)) or hasattr(value, "shape"):
        return True
    return str(getattr(value, "__module__", "")).partition(".")[0] in ("sklearn", "nbml", "builtins", "numpy", "pandas")


def _call(call: ast.Call, names: Mapping[str, Any], rows: int | None) -> bool | None:
    """Whether a call makes an estimator whose draw is not used; None for a call that may draw what matters."""
    given = {one.arg: one.value for one in call.keywords}
    if None in given:
        return None
    target = names.get(call.func.id) if isinstance(call.func, ast.Name) else None
    if inspect.isclass(target) and str(target.__module__).startswith("sklearn."):
        if target.__name__ in _UNUSED:
            params = {str(name): value.value for name, value in given.items() if isinstance(value, ast.Constant)}
            known = not call.args or target.__name__ == "SVC"
            return True if known and len(params) >= len(given.keys() & _LOOKED_AT) and _UNUSED[target.__name__](params, rows) else None
        takes = "random_state" in inspect.signature(target).parameters
        seeded = isinstance(seed := given.get("random_state"), ast.Constant) and seed.value is not None
        return False if not takes or seeded else None
    called = texts.called(call)
    metric = target is not None and str(getattr(target, "__module__", "")).startswith("sklearn.metrics")
    return False if called in _QUIET or metric else None


#: parameters on which it hangs whether a seed is used
_LOOKED_AT = frozenset({"probability", "early_stopping", "max_features"})


def _fits(value: Any) -> bool:
    return hasattr(type(value), "get_params") and hasattr(type(value), "fit")


def _tree(estimator: Any, rows: int | None) -> bool:
    """Whether no part of an estimator uses a seed that it draws."""
    parts = [estimator, *(value for value in estimator.get_params(deep=True).values() if _fits(value))]
    for part in parts:
        params = part.get_params(deep=False)
        unseeded = "random_state" in params and params["random_state"] is None
        if unseeded and not (type(part).__name__ in _UNUSED and _UNUSED[type(part).__name__](params, rows)):
            return False
    return True
