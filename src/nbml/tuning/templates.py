"""Estimators that hold ranges: find them, put values in their place, describe the whole.

``fill`` walks constructor arguments, steps, parts of a ColumnTransformer, lists and choices, and asks for a value at
each range that it meets; so a range below an option is met only where the option was chosen.
"""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

from nbml.tuning.ranges import Choice, Range, Raw

#: no default is known
MISSING = object()
#: what the choice of the whole estimator is called
WHOLE = "estimator"


@dataclass(frozen=True)
class Place:
    """A range where it stands.

    ``name`` is what get_params() of the filled estimator calls it; ``key`` is that and, in brackets, the positions of
    the options on the way to it, so that ranges of one name below different options are not one parameter.
    ``default`` is the argument's default in its class, or MISSING.
    """

    key: str
    name: str
    range: Range
    default: Any = MISSING


@dataclass(frozen=True)
class Picked:
    """A value for a place; ``raw`` is None where the value is not in the range (a default may lie outside)."""

    value: Any
    raw: Raw | None


Pick = Callable[[Place], Picked]


def is_estimator(value: Any) -> bool:
    """Whether ``value`` is a scikit-learn estimator or behaves as one."""
    return not isinstance(value, type) and hasattr(value, "get_params") and hasattr(value, "fit")


def holds_range(value: Any) -> bool:
    """Whether there is a range in ``value``, at any depth."""
    if isinstance(value, Range):
        return True
    if isinstance(value, (list, tuple)):
        return any(map(holds_range, value))
    if isinstance(value, dict):
        return any(map(holds_range, value.values()))
    if hasattr(value, "get_params") and not isinstance(value, type):
        return any(map(holds_range, value.get_params(deep=False).values()))
    return False


def fill(value: Any, pick: Pick, name: str = "", key: str = "", default: Any = MISSING) -> Any:
    """A fresh copy of ``value`` with the values of ``pick`` in place of its ranges; what is fitted is not copied."""
    from sklearn.base import clone

    if isinstance(value, Range):
        picked = pick(Place(key or WHOLE, name or WHOLE, value, default))
        if not isinstance(value, Choice) or picked.raw is None:
            return picked.value
        return fill(picked.value, pick, name, f"{key or WHOLE}[{picked.raw}]")
    if not holds_range(value):
        return clone(value, safe=False)
    if isinstance(value, (list, tuple)):
        parts = [fill(part, pick, f"{name}[{i}]", f"{key}[{i}]") for i, part in enumerate(value)]
        return type(value)(parts)
    if isinstance(value, dict):
        return {k: fill(part, pick, f"{name}[{k!r}]", f"{key}[{k!r}]") for k, part in value.items()}
    return _estimator(value, pick, name, key)


def _estimator(value: Any, pick: Pick, name: str, key: str) -> Any:
    from sklearn.base import clone

    known = set(value.get_params(deep=True))
    defaults = _defaults(type(value))
    changes = {}
    for argument, held in value.get_params(deep=False).items():
        if not holds_range(held):
            continue
        if isinstance(held, list) and any(map(_named(known), held)):
            changes[argument] = [_part(part, known, pick, name, key) for part in held]
        else:
            default = defaults.get(argument, MISSING)
            changes[argument] = fill(held, pick, _join(name, argument), _join(key, argument), default)
    return clone(value).set_params(**changes)


def _named(known: set[str]) -> Callable[[Any], bool]:
    """Whether a part of a list is (name, estimator, ...) as Pipeline, ColumnTransformer and their kin have it."""
    return lambda part: isinstance(part, tuple) and len(part) > 1 and isinstance(part[0], str) and part[0] in known


def _part(part: Any, known: set[str], pick: Pick, name: str, key: str) -> Any:
    if not _named(known)(part):
        return fill(part, pick, name, key)
    own, path = _join(name, part[0]), _join(key, part[0])
    rest = [fill(more, pick, f"{own}[{i}]", f"{path}[{i}]") for i, more in enumerate(part[2:], 2)]
    return (part[0], fill(part[1], pick, own, path), *rest)


def _join(name: str, argument: str) -> str:
    return f"{name}__{argument}" if name else argument


def _defaults(kind: type) -> dict[str, Any]:
    try:
        parameters = inspect.signature(kind).parameters.values()
    except (TypeError, ValueError):
        return {}
    return {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty}


def default(place: Place) -> Picked:
    """The default of the class as it is; the first option where there is none, or the middle of a range of numbers."""
    if place.default is MISSING:
        raw: Raw | None = place.range.middle()
        return Picked(place.range.value(raw or 0), raw)
    return Picked(place.default, place.range.raw(place.default))


def describe(value: Any) -> Any:
    """What an estimator with ranges is, as JSON that is equal in another kernel where the estimator is."""
    if isinstance(value, Choice):
        return {**value.spec(), "options": [describe(option) for option in value.options]}
    if isinstance(value, Range):
        return value.spec()
    if isinstance(value, (list, tuple)):
        return [describe(part) for part in value]
    if isinstance(value, dict):
        return {str(key): describe(part) for key, part in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(str(describe(part)) for part in value)  # their own order differs from process to process
    if hasattr(value, "get_params") and not isinstance(value, type):
        params = {k: describe(v) for k, v in sorted(value.get_params(deep=False).items())}
        return {"class": describe(type(value)), "params": params}
    if isinstance(value, FunctionType):
        return f"{value.__module__}.{value.__qualname__} {_code(value.__code__)}"
    if isinstance(value, type):
        own = [v.__code__ for v in vars(value).values() if isinstance(v, FunctionType)] if value.__module__ == "__main__" else []
        return " ".join([f"{value.__module__}.{value.__qualname__}", *map(_code, own)])
    if hasattr(value, "tobytes") and hasattr(value, "dtype"):
        return f"{value.dtype} {value.shape} {hashlib.sha256(value.tobytes()).hexdigest()}"
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


def _code(code: CodeType) -> str:
    """A digest of what a function does, not of where it stands."""
    parts = [_code(c) if isinstance(c, CodeType) else describe(c) for c in code.co_consts]
    text = repr((code.co_code, code.co_names, code.co_varnames, parts))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
