"""What the estimators of a block say: the parameters of each that was fitted."""

from __future__ import annotations

import functools
import inspect
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nbml.tracking.secrets import Redaction
from nbml.tracking.used import Taken

#: longest text of a parameter that is kept
LONGEST = 500
#: different sets of parameters of one class, and of all, that are kept; fits beyond are counted
EACH, ALL = 20, 200


@dataclass
class Fit:
    """Fits of one class of estimator with the same parameters."""

    type: str
    params: dict[str, Any]
    changed: list[str]
    times: int = 1


@dataclass
class Fits:
    """Listens to the estimators of one run."""

    redaction: Redaction
    taken: Taken = field(default_factory=Taken)
    found: dict[tuple[str, str], Fit] = field(default_factory=dict)
    #: fits inside others, and fits with parameters that are not kept
    inner: int = 0
    left: int = 0
    #: estimators that learn piece by piece, held so that no other gets their id
    _partial: dict[int, tuple[Any, Fit]] = field(default_factory=dict)

    def nested(self) -> None:
        """A fit inside another call ended."""
        self.inner += 1

    def fitted(self, estimator: Any, args: tuple[Any, ...], kwargs: dict[str, Any], method: str) -> None:
        """Write down an outer fit, and the frame that it was given."""
        known = self._partial.get(id(estimator)) if method == "partial_fit" else None
        if known is not None:
            known[1].times += 1
            return
        fit = self._describe(estimator)
        if fit is not None and method == "partial_fit":
            self._partial[id(estimator)] = (estimator, fit)
        self.taken.take(args[0] if args else kwargs.get("X"))

    def called(self, estimator: Any, method: str, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        """The frame that was predicted or transformed is a frame used, too."""
        if method not in ("fit_transform", "fit_predict"):
            self.taken.take(args[0] if args else kwargs.get("X"))

    def validated(self, function_name: str, estimator: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        """A cross-validation fits, be it in other processes."""
        if hasattr(estimator, "get_params"):
            self._describe(estimator)
        self.taken.take(args[1] if len(args) > 1 else kwargs.get("X"))

    def tuned(self, name: str, params: Mapping[str, Any], best: Any) -> None:
        """A study found its best: the estimator that was fitted with it, or the parameters alone."""
        if hasattr(best, "get_params"):
            self._describe(best)
        else:
            given = {key: self.redaction.param(key, simple(value)) for key, value in params.items()}
            self._found(name, given, list(given))

    def split(self, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        """What is split is a frame used."""
        self.taken.take(args[0] if args else None)

    def scored(self, metric_name: str, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        """The user logs what counts."""

    def _describe(self, estimator: Any) -> Fit | None:
        return self._found(type(estimator).__name__, *describe(estimator, self.redaction))

    def _found(self, name: str, params: dict[str, Any], changed: list[str]) -> Fit | None:
        key = (name, json.dumps(params, sort_keys=True))
        known = self.found.get(key)
        if known is not None:
            known.times += 1
            return known
        if len(self.found) >= ALL or sum(name == key[0] for name, _ in self.found) >= EACH:
            self.left += 1
            return None
        self.found[key] = fit = Fit(key[0], params, changed)
        return fit

    def params(self) -> dict[str, Any]:
        """All parameters under their own names; where two estimators differ in one, each under ``class__name``.

        Several of one class are ``class-1``, ``class-2``, in the order of their fits, as ``make_pipeline`` calls its steps.
        """
        values: dict[str, list[Any]] = {}
        for fit in self.found.values():
            for name, value in fit.params.items():
                known = values.setdefault(name, [])
                if not any(_same(value, one) for one in known):
                    known.append(value)
        return {
            name if len(values[name]) == 1 else f"{owner}__{name}": value
            for owner, fit in self._named()
            for name, value in fit.params.items()
        }

    def changed(self) -> list[str]:
        """Those of ``params`` that are not the default."""
        params = self.params()
        return [name if name in params else f"{owner}__{name}" for owner, fit in self._named() for name in fit.changed]

    def _named(self) -> list[tuple[str, Fit]]:
        """Each estimator with what it is called by among the others."""
        fits = list(self.found.values())
        types = [fit.type.lower() for fit in fits]
        seen: dict[str, int] = {}
        named = []
        for kind, fit in zip(types, fits, strict=True):
            seen[kind] = seen.get(kind, 0) + 1
            named.append((f"{kind}-{seen[kind]}" if types.count(kind) > 1 else kind, fit))
        return named


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def describe(estimator: Any, redaction: Redaction) -> tuple[dict[str, Any], list[str]]:
    """The parameters of an estimator and of those in it as JSON values, and the names of those that are not the default.

    Left out: lists of estimators, whose parameters stand on their own, and what scikit-learn itself calls "deprecated".
    """
    deep = estimator.get_params(deep=True)
    found: dict[str, Any] = {}
    changed: list[str] = []
    for name, value in deep.items():
        if _parts(value) or (isinstance(value, str) and value == "deprecated"):
            continue
        owner, _, leaf = name.rpartition("__")
        holder = deep.get(owner, estimator) if owner else estimator
        found[name] = said = redaction.param(name, simple(value))
        if not hasattr(value, "get_params") and _default(type(holder), leaf) != said:
            changed.append(name)
    best = getattr(estimator, "__dict__", {}).get("best_params_")  # what a search found
    if isinstance(best, Mapping):
        chosen = {f"best__{name}": redaction.param(str(name), simple(value)) for name, value in best.items()}
        found |= chosen
        changed += chosen
    return found, changed


def _parts(value: Any) -> bool:
    """Whether a value is a list of named estimators, whose parameters stand on their own."""
    return isinstance(value, (list, tuple)) and any(
        hasattr(part, "get_params") or (isinstance(part, tuple) and any(hasattr(p, "get_params") for p in part)) for part in value
    )


def _default(cls: type, name: str) -> Any:
    """The default of a parameter, as ``simple`` has it."""
    return _defaults(cls).get(name)


@functools.lru_cache(maxsize=200)
def _defaults(cls: type) -> dict[str, Any]:
    try:
        parameters = inspect.signature(cls.__init__).parameters.values()  # type: ignore[misc]
    except (TypeError, ValueError):
        return {}
    return {one.name: simple(one.default) for one in parameters if one.default is not one.empty}


def simple(value: Any) -> Any:
    """A value as JSON. Numbers that JSON has not are ``{"float": "nan"}``; what is no plain value stands as its name."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, str):
        return value[:LONGEST]
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        value = value.item()
    if isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, (list, tuple)) and len(value) <= 100:
        return [simple(part) for part in value]
    if isinstance(value, Mapping) and len(value) <= 100:
        return {str(key): simple(part) for key, part in value.items()}
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple):
        return f"{type(value).__name__} of shape {shape}"
    if isinstance(value, type) or callable(value):
        return str(getattr(value, "__qualname__", type(value).__name__))
    return type(value).__name__


def plain(value: Any) -> Any:
    """A value of ``simple`` as it was."""
    if isinstance(value, dict):
        return float(value["float"]) if set(value) == {"float"} else {key: plain(part) for key, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, list) else value
