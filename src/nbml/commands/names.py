"""What a namespace holds: names, kinds, shapes, fitted estimators. Never a value, and nothing is imported for it."""

from __future__ import annotations

import sys
import types
from collections.abc import Mapping
from typing import Any

#: names of one namespace that are looked at, the newest first
MOST = 400


def entries(names: Mapping[str, Any], hidden: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is worth showing, in the order of its making."""
    own = [name for name in names if not name.startswith("_") and not (name in hidden and hidden[name] is names[name])]
    return [found for name in own[-MOST:] if (found := entry(name, names[name])) is not None]


def entry(name: str, value: object) -> dict[str, Any] | None:
    """One name; None for modules and for plain constants."""
    kind = type(value)
    if isinstance(value, types.ModuleType):
        return None
    found: dict[str, Any] = {"name": name, "kind": "", "type": kind.__name__}
    if is_a(value, "pandas", "DataFrame"):
        found |= {"kind": "frame", "shape": list(value.shape)}  # type: ignore[attr-defined]
    elif is_a(value, "pandas", "Series"):
        found |= {"kind": "series", "shape": list(value.shape)}  # type: ignore[attr-defined]
    elif is_a(value, "numpy", "ndarray"):
        found |= {"kind": "array", "shape": list(value.shape)}  # type: ignore[attr-defined]
    elif is_a(value, "sklearn.base", "BaseEstimator"):
        found |= {"kind": "model", "fitted": fitted(value)}
    elif isinstance(value, types.FunctionType):
        found["kind"] = "function"
    elif isinstance(value, type):
        found["kind"] = "class"
    return found if found["kind"] else None


def is_a(value: object, module: str, name: str) -> bool:
    """Whether ``value`` is of a class of a module that somebody else has loaded."""
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and issubclass(type(value), kind)


def fitted(model: Any) -> bool:
    """Whether an estimator has learnt something: an attribute that ends in ``_``. A pipeline is what its last step is."""
    state = getattr(model, "__dict__", {})
    steps = state.get("steps")
    if isinstance(steps, list) and steps and isinstance(steps[-1], tuple):
        steps = [step for _, step in steps if not isinstance(step, str) and step is not None]
        return bool(steps) and fitted(steps[-1])
    return any(name.endswith("_") and not name.startswith("_") for name in state)
