"""What scikit-learn does in a block, seen by wrapping the methods of its classes while it runs; its functions: ``taps``.

Only the outermost calls are told of: the fit of a pipeline, not of its steps; a search, not its 53 candidates; a
cross-validation, not its folds, which may run in other processes. The classes are as before once the last block is left. A
class made inside the block is seen too, and so is scikit-learn when it is loaded inside it.
"""

from __future__ import annotations

import functools
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import FunctionType, MethodType, ModuleType
from typing import Any, Protocol

from nbml.tracking import after, opened, taps

FITS = ("fit", "fit_transform", "fit_predict", "partial_fit")
CALLS = ("predict", "predict_proba", "decision_function", "score", "transform")
BASE = "sklearn.base"
HOOK = "__init_subclass__"


class Listener(Protocol):
    """Hears of outermost calls in a block, from any thread. What it raises ends its hearing, never the call.

    Only ``fitted`` and ``nested`` hear of calls that failed too.
    """

    def fitted(self, estimator: Any, args: tuple[Any, ...], kwargs: dict[str, Any], method: str) -> None:
        """A fit ended, well or not."""

    def nested(self) -> None:
        """A fit inside another call ended."""

    def called(self, estimator: Any, method: str, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        """An estimator answered: ``CALLS``, and after ``fitted`` what ``fit_transform`` and ``fit_predict`` gave."""

    def validated(self, function_name: str, estimator: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        """A cross-validation ended (``taps.VALIDATION``)."""

    def split(self, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        """``train_test_split`` was called."""

    def scored(self, metric_name: str, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        """A function of ``sklearn.metrics`` compared true values with answers."""


class Seen:
    """A method that tells of its calls.

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
        __tracebackhide__ = True
        function = _function(self)
        return _call(function, estimator, (estimator, *args), kwargs, _told_of(function.__name__))


def _function(seen: Seen) -> FunctionType:
    found: FunctionType = object.__getattribute__(seen, "_function")
    return found


#: tells one listener of a call: listener, positional arguments (the estimator first), others, result, whether it failed
Tell = Callable[[Any, tuple[Any, ...], dict[str, Any], Any, bool], None]


@functools.cache
def _told_of(method: str) -> Tell:
    fits = method in FITS

    def tell(listener: Listener, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any, failed: bool) -> None:
        if fits:
            listener.fitted(args[0], args[1:], kwargs, method)
        if not failed and method not in ("fit", "partial_fit"):
            listener.called(args[0], method, args[1:], kwargs, result)

    return tell


class _Group:
    """The listeners of one block, and how deep in calls its thread was when it was opened."""

    def __init__(self, block: Any, listeners: Sequence[Listener]) -> None:
        self.block, self.listeners, self.thread = block, list(listeners), threading.get_ident()
        self.base = len(_inside.get(self.thread, ()))

    def tell(self, tell: Callable[[Listener], None]) -> None:
        for listener in list(self.listeners):
            try:
                tell(listener)
            except Exception as error:
                self.listeners.remove(listener)
                said = f"nbml: estimators of this run are not recorded any more: {error!r}"
                warnings.warn(said, RuntimeWarning, stacklevel=5)


_lock = threading.RLock()
_groups: list[_Group] = []
#: class or descriptor, its attribute, what stands there
_wrapped: list[tuple[Any, str, Seen]] = []
_done: set[type] = set()
_hooked: list[tuple[type, Any]] = []
#: classes that are being made
_making: set[Any] = set()
#: thread -> what it is inside of: estimators and functions
_inside: dict[int, list[Any]] = {}


def watch(block: Any, *listeners: Listener) -> None:
    """From now on ``listeners`` hear of what the open ``block`` does, until ``unwatch``."""
    with _lock:
        if not _groups:
            _inside.clear()
        _groups.append(_Group(block, listeners))
        if len(_groups) == 1:
            _begin()


def unwatch(block: Any) -> None:
    """The listeners of ``block`` hear no more. After the last one everything is as it was."""
    with _lock:
        _groups[:] = [group for group in _groups if group.block is not block]
        if not _groups:
            _end()


def _begin() -> None:
    if not all(name in sys.modules for name in _Arrival.NAMES):
        sys.meta_path.insert(0, _arrival)
    _wrap_loaded()


def _end() -> None:
    """Undo everything; an interrupt on the way leaves what is not undone to the next call."""
    if _arrival in sys.meta_path:
        sys.meta_path.remove(_arrival)
    taps.untap()
    while _hooked:
        base, before = _hooked[-1]
        if before is not None:
            setattr(base, HOOK, before)
        elif HOOK in base.__dict__:
            delattr(base, HOOK)
        _hooked.pop()
    while _wrapped:
        holder, name, seen = _wrapped[-1]
        if vars(holder).get(name) is seen:
            setattr(holder, name, _function(seen))
        _wrapped.pop()
    _done.clear()


def _wrap_loaded() -> None:
    """Wrap what there is and is not wrapped yet."""
    base = sys.modules.get(BASE)
    if base is not None and hasattr(base, "BaseEstimator") and not _hooked:
        for cls in _hookable(base):
            _hook(cls)
        todo, known = [base.BaseEstimator], set()
        while todo:
            cls = todo.pop()
            if cls not in known:
                known.add(cls)
                _wrap(cls)
                todo += type.__subclasses__(cls)
    taps.tap({"scored": _scored, "validated": _validated, "split": _split})


def _hookable(base: ModuleType) -> Iterator[type]:
    """The classes in whose name a new estimator class is set up: the base class, and those that change methods of new ones."""
    yield base.BaseEstimator
    mixins = [value for name, value in vars(base).items() if name.endswith("Mixin") and isinstance(value, type)]
    for cls in dict.fromkeys(cls for mixin in mixins for cls in mixin.__mro__):
        if HOOK in cls.__dict__ and cls is not object and not issubclass(base.BaseEstimator, cls):
            yield cls


def _hook(base: type) -> None:
    before = base.__dict__.get(HOOK)

    def hook(cls: Any, /, **kwargs: Any) -> None:
        outermost = cls not in _making
        _making.add(cls)
        try:
            if before is None:
                super(base, cls).__init_subclass__(**kwargs)  # type: ignore[arg-type]
            else:
                before.__get__(None, cls)(**kwargs)
        finally:
            if outermost:
                _making.discard(cls)
        if outermost and _groups and hasattr(cls, "get_params"):
            _wrap(cls)

    _hooked.append((base, before))
    setattr(base, HOOK, classmethod(hook))


def _wrap(cls: type) -> None:
    for own in cls.__mro__:
        if own in _done or own is object:
            continue
        _done.add(own)
        attributes = own.__dict__
        for name in (*FITS, *CALLS):
            method: Any = attributes.get(name)
            if type(method) is FunctionType:
                _replace(own, name, method)
            elif type(getattr(method, "fn", None)) is FunctionType:  # available_if
                _replace(method, "fn", method.fn)


def _replace(holder: Any, name: str, function: FunctionType) -> None:
    seen = Seen(function)
    _wrapped.append((holder, name, seen))
    setattr(holder, name, seen)


def _call(function: FunctionType, subject: Any, args: tuple[Any, ...], kwargs: dict[str, Any], tell: Tell) -> Any:
    """Call, and tell of it where it is the outermost: ``subject`` is what the thread is inside of meanwhile."""
    __tracebackhide__ = True
    group = _group()
    me = threading.get_ident()
    if me == after.thread():  # a judgement of an earlier run is no part of this one
        return function(*args, **kwargs)
    inside = _inside.setdefault(me, [])
    if group is None or (inside and inside[-1] is subject):  # a fit that calls its base class's, or fit_transform that calls fit
        return function(*args, **kwargs)
    # a worker thread's call is part of the call in which the block's own thread waits for it
    nested = len(_inside.get(group.thread, ())) > group.base or bool(inside and me != group.thread)
    inside.append(subject)
    result, failed = None, True
    try:
        result = function(*args, **kwargs)
        failed = False
        return result
    finally:
        inside.pop()
        if not inside:
            _inside.pop(me, None)
        if not nested:
            group.tell(lambda listener: tell(listener, args, kwargs, result, failed))
        elif function.__name__ in FITS:
            group.tell(lambda listener: listener.nested())


@contextmanager
def inside(subject: Any) -> Iterator[None]:
    """What this thread does within is part of one call."""
    mine = _inside.setdefault(threading.get_ident(), [])
    mine.append(subject)
    try:
        yield
    finally:
        mine.pop()
        if not mine:
            _inside.pop(threading.get_ident(), None)


def _group() -> _Group | None:
    """The listeners to whom the running code belongs."""
    if not _groups:
        return None
    block = opened.here()
    return next((group for group in reversed(_groups) if group.block is block), _groups[-1])


def _scored(name: str) -> taps.Ask:
    def tell(listener: Listener, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any, failed: bool) -> None:
        if not failed:
            listener.scored(name, args, kwargs, result)

    return lambda function, args, kwargs: _call(function, function, args, kwargs, tell)


def _validated(name: str) -> taps.Ask:
    def tell(listener: Listener, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any, failed: bool) -> None:
        if not failed:
            listener.validated(name, args[0] if args else kwargs.get("estimator"), args, kwargs, result)

    return lambda function, args, kwargs: _call(function, function, args, kwargs, tell)


def _split(name: str) -> taps.Ask:
    def tell(listener: Listener, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any, failed: bool) -> None:
        if not failed:
            listener.split(args, kwargs, result)

    return lambda function, args, kwargs: _call(function, function, args, kwargs, tell)


class _Arrival(MetaPathFinder):
    """Wraps scikit-learn's classes and functions as soon as there are any."""

    NAMES = (BASE, taps.METRICS, taps.SELECTION)

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name not in self.NAMES:
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
            if _groups:
                _wrap_loaded()


_arrival = _Arrival()
