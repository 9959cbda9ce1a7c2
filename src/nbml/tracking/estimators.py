"""Which estimators are fitted in a block, seen by wrapping the fit methods of scikit-learn's classes while it runs.

Only outer fits are told of: a pipeline, not its steps; a search, not its 53 candidates. The classes are as before once
the last block is left. A class made inside the block is seen too, and so is scikit-learn when it is loaded inside it.
"""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import FunctionType, MethodType, ModuleType
from typing import Any, Protocol

METHODS = ("fit", "fit_transform", "fit_predict", "partial_fit")
BASE = "sklearn.base"
HOOK = "__init_subclass__"


class Listener(Protocol):
    """Hears of fits, from any thread. What it raises ends the watching, never the fit."""

    thread: int

    def fitted(self, estimator: Any, args: tuple[Any, ...], kwargs: dict[str, Any], method: str) -> None:
        """An outer fit ended, well or not."""

    def nested(self) -> None:
        """A fit inside another one ended."""


class Seen:
    """A fit method that tells of its calls.

    It answers for the function that it stands for in everything but its call: scikit-learn's metadata routing asks
    whether ``cls.fit`` is a function, and cloudpickle, which sends a notebook's own class to workers, then takes the
    original apart. So a class that leaves this process carries nothing of ours.
    """

    __slots__ = ("_function",)

    def __init__(self, function: FunctionType) -> None:
        object.__setattr__(self, "_function", function)

    def __getattribute__(self, name: str) -> Any:
        function = object.__getattribute__(self, "_function")
        if name == "__wrapped__":
            return function
        if name in ("__reduce__", "__reduce_ex__"):
            return lambda *_: function.__qualname__
        return getattr(function, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(_function(self), name, value)

    def __get__(self, estimator: Any, owner: type | None = None) -> Any:
        return self if estimator is None else MethodType(self, estimator)

    def __call__(self, estimator: Any, *args: Any, **kwargs: Any) -> Any:
        return _call(_function(self), estimator, args, kwargs)


def _function(seen: Seen) -> FunctionType:
    found: FunctionType = object.__getattribute__(seen, "_function")
    return found


_lock = threading.RLock()
_listeners: list[Listener] = []
_wrapped: list[tuple[type, str, Seen]] = []
_hooked: list[tuple[type, Any]] = []
#: thread -> the estimators whose fits it is inside of
_inside: dict[int, list[Any]] = {}


def watch(listener: Listener) -> None:
    """From now on ``listener`` hears of fits, until ``unwatch``. Of several the last one hears."""
    with _lock:
        _listeners.append(listener)
        if len(_listeners) == 1:
            _begin()


def unwatch(listener: Listener) -> None:
    """``listener`` hears no more. After the last one all classes are as they were."""
    with _lock:
        if listener in _listeners:
            _listeners.remove(listener)
        if not _listeners:
            _end()


def _begin() -> None:
    base = sys.modules.get(BASE)
    if base is not None and hasattr(base, "BaseEstimator"):
        _wrap_all(base.BaseEstimator)
    else:
        sys.meta_path.insert(0, _arrival)


def _end() -> None:
    if _arrival in sys.meta_path:
        sys.meta_path.remove(_arrival)
    while _wrapped:
        cls, name, seen = _wrapped.pop()
        if cls.__dict__.get(name) is seen:
            setattr(cls, name, _function(seen))
    while _hooked:
        base, before = _hooked.pop()
        if before is None:
            delattr(base, HOOK)
        else:
            setattr(base, HOOK, before)


def _wrap_all(base: Any) -> None:
    before = base.__dict__.get(HOOK)

    def hook(cls: Any, /, **kwargs: Any) -> None:
        if before is None:
            super(base, cls).__init_subclass__(**kwargs)
        else:
            before.__get__(None, cls)(**kwargs)
        if _listeners:
            _wrap(cls)

    _hooked.append((base, before))
    setattr(base, HOOK, classmethod(hook))
    todo, done = [base], set()
    while todo:
        cls = todo.pop()
        if cls not in done:
            done.add(cls)
            _wrap(cls)
            todo += type.__subclasses__(cls)


def _wrap(cls: type) -> None:
    for name in METHODS:
        function = cls.__dict__.get(name)
        if type(function) is FunctionType:
            seen = Seen(function)
            setattr(cls, name, seen)
            _wrapped.append((cls, name, seen))


def _call(function: FunctionType, estimator: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if not _listeners:
        return function(estimator, *args, **kwargs)
    listener, me = _listeners[-1], threading.get_ident()
    fitting = _inside.setdefault(me, [])
    if fitting and fitting[-1] is estimator:  # a fit that calls its base class's, or fit_transform that calls fit
        return function(estimator, *args, **kwargs)
    # a worker thread's fit is part of the fit in which the block's own thread waits for it
    nested = bool(fitting or _inside.get(listener.thread))
    fitting.append(estimator)
    try:
        return function(estimator, *args, **kwargs)
    finally:
        fitting.pop()
        if not fitting:
            _inside.pop(me, None)
        try:
            if nested:
                listener.nested()
            else:
                listener.fitted(estimator, args, kwargs, function.__name__)
        except Exception as error:
            unwatch(listener)
            warnings.warn(f"nbml: estimators of this run are not recorded any more: {error!r}", RuntimeWarning, stacklevel=2)


class _Arrival(MetaPathFinder):
    """Wraps scikit-learn's classes as soon as there are any."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != BASE:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Arriving(spec.loader)
                return spec
        return None


class _Arriving(Loader):
    def __init__(self, loader: Any) -> None:
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        found: ModuleType | None = self.loader.create_module(spec)
        return found

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self.loader
        module.__loader__ = self.loader
        self.loader.exec_module(module)
        with _lock:
            if _listeners and not _hooked:
                _wrap_all(module.BaseEstimator)


_arrival = _Arrival()
