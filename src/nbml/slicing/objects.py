"""Values as files: what of the notebook an object holds, pickling it under its new home, and naming what cannot leave."""

from __future__ import annotations

import functools
import importlib
import io
import operator
import pickle
import pickletools
import socket
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from nbml import errors

PROTOCOL = 5
#: types whose values are pickled by the name under which their module has them
_BY_NAME = (types.FunctionType, type, functools._lru_cache_wrapper)
#: types whose subclasses other formats take for the plain type
_PLAIN = (int, float, complex, str, bytes, list, dict, tuple, set, frozenset)

#: hears of every object that is pickled; answers as ``reducer_override`` does
Visit = Callable[[Any], Any]


def homeless(value: object) -> bool:
    """Whether a value is pickled by name and the name is the notebook's."""
    return isinstance(value, _BY_NAME) and getattr(value, "__module__", None) == "__main__"


class _Pickler(pickle.Pickler):
    def __init__(self, file: Any, visit: Visit, **options: Any) -> None:
        super().__init__(file, PROTOCOL, **options)
        self._visit = visit

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, types.ModuleType) and value.__name__ != "__main__":
            return importlib.import_module, (value.__name__,)
        if isinstance(value, types.MethodType) and getattr(value.__self__, value.__name__, None) != value:
            # pickle would look for it in the object under the function's own name
            return operator.methodcaller("__get__", value.__self__), (value.__func__,)
        return self._visit(value)


def walk(value: object, visit: Visit) -> None:
    """Let ``visit`` see every object in the graph of ``value``. Raises errors.SliceRefused naming what cannot be pickled."""
    _Pickler(_Nowhere(), visit, buffer_callback=lambda _: False).dump(value)


class _Nowhere(io.RawIOBase):
    def write(self, content: Any) -> int:
        return len(content)


def placeholder(value: Any) -> Any:
    """A visit that lets pass what the notebook defines."""
    return (str, ("",)) if homeless(value) else NotImplemented


def travels(value: object) -> bool:
    """Whether a value can be pickled, but for what the notebook defines."""
    try:
        walk(value, placeholder)
    except Exception:  # pickling runs any code
        return False
    return True


def culprit(value: object, path: str) -> tuple[str, object]:
    """The innermost part of ``value`` that cannot be pickled, and where it is."""
    seen: set[int] = set()
    while id(value) not in seen:
        seen.add(id(value))
        for step, part in _parts(value):
            if id(part) not in seen and not travels(part):
                path, value = path + step, part
                break
    return path, value


def _parts(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        yield from ((f"[{key!r}]", part) for key, part in value.items())
    elif isinstance(value, (list, tuple)):
        yield from ((f"[{place}]", part) for place, part in enumerate(value))
    elif isinstance(value, (set, frozenset)):
        yield from (("", part) for part in value)
    elif isinstance(value, functools.partial):
        yield from [(".func", value.func), (".args", value.args), (".keywords", value.keywords)]
    elif isinstance(value, types.MethodType):
        yield ".__self__", value.__self__
    if not isinstance(value, (type, types.ModuleType)):
        yield from ((f".{name}", part) for name, part in getattr(value, "__dict__", {}).items())
        for kind in type(value).__mro__:
            slots = vars(kind).get("__slots__", ())
            for name in (slots,) if isinstance(slots, str) else slots:
                if hasattr(value, name):
                    yield f".{name}", getattr(value, name)


def describe(value: object) -> str:
    """What a value is, for a message."""
    kind = type(value)
    module = kind.__module__
    if isinstance(value, io.IOBase):
        name = getattr(value, "name", None)
        return f"an open file ({name!r})" if isinstance(name, str) else "an open file"
    if module == "_thread" or (module == "threading" and "Lock" in kind.__name__):
        return "a lock"
    if isinstance(value, socket.socket):
        return "a socket"
    if isinstance(value, types.GeneratorType):
        return "a generator that has begun" if value.gi_frame is None or value.gi_frame.f_lasti > 0 else "a generator"
    if isinstance(value, (types.CoroutineType, types.AsyncGeneratorType)):
        return "a coroutine"
    if kind.__name__ in ("Connection", "Cursor", "Engine"):
        return f"a database connection ({module.partition('.')[0]}.{kind.__name__})"
    if isinstance(value, types.FunctionType) and value.__globals__.get("__name__") is None:
        return "a function made by exec or eval"
    if isinstance(value, types.FunctionType):
        # wraps() gives a function another's name; its code and its globals know where it was made
        made = getattr(value.__code__, "co_qualname", value.__qualname__).partition(".<locals>")[0]
        return f"a function made inside {value.__globals__.get('__name__', value.__module__)}.{made}"
    if isinstance(value, type):
        return f"the class {module_name(value)}.{value.__qualname__}, which its module no longer has"
    article = "an" if kind.__name__[:1].lower() in "aeiou" else "a"
    return f"{article} {kind.__name__}" if module in ("builtins", "__main__") else f"{article} {module}.{kind.__name__}"


def module_name(value: object) -> str:
    return str(getattr(value, "__module__", "") or "")


def user(why: str) -> str:
    """Where to make what cannot travel: in the function that needs it."""
    return f"{why}, when it is called" if why.isidentifier() else "the function that uses it"


def refuse(value: object, path: str, why: str, cause: BaseException | None = None) -> errors.SliceRefused:
    """The error that names the part of a value that cannot leave the notebook, and who needs it."""
    where, part = culprit(value, path)
    told = f"{where} is {describe(part)}, which cannot leave the notebook; needed by {why}"
    place = "the method that uses it" if where != path and why == path else user(why)
    found = errors.SliceRefused(f"{told}: make it inside {place}")
    found.__cause__ = cause
    return found


@contextmanager
def housed(module: str) -> Iterator[Callable[[Any, str], None]]:
    """Within this, ``module`` exists; what is given to the yielded function lives there under a name. All is put back after."""
    shim = types.ModuleType(module)
    before = sys.modules.get(module)
    moved: dict[int, tuple[Any, str, str, str]] = {}

    def house(value: Any, name: str) -> None:
        head, _, rest = name.partition(".")
        if not rest:
            setattr(shim, head, value)
        if id(value) not in moved:
            moved[id(value)] = (value, value.__module__, value.__qualname__, value.__name__)
            value.__module__, value.__qualname__ = module, name
            if not rest:
                value.__name__ = name  # skops goes by this one

    sys.modules[module] = shim
    try:
        yield house
    finally:
        for value, home, qualname, plain in moved.values():
            value.__module__, value.__qualname__, value.__name__ = home, qualname, plain
        if before is None:
            del sys.modules[module]
        else:
            sys.modules[module] = before


@dataclass(frozen=True)
class Pickled:
    """A value as a pickle; ``odd`` where it holds a subclass of a plain type."""

    content: bytes
    odd: bool


@contextmanager
def rehomed(
    value: object, module: str, name_of: Callable[[Any], str], named: Callable[[str], Any], why: str
) -> Iterator[Pickled]:
    """Within this, what the notebook defines and ``value`` holds lives in ``module``; given is ``value`` as a pickle of that.

    ``name_of`` gives the dotted name of such a thing, ``named`` the thing that has a plain name. Raises errors.SliceRefused
    where the pickle would name ``__main__``.
    """
    buffer = io.BytesIO()
    odd = False
    with housed(module) as house:

        def visit(found: Any) -> Any:
            nonlocal odd
            if homeless(found) or (isinstance(found, _BY_NAME) and found.__module__ == module):
                name = name_of(found)
                owner = name.partition(".")[0]
                if owner != name:
                    house(named(owner), owner)
                house(found, name)
            odd = odd or (isinstance(found, _PLAIN) and type(found).__module__ != "numpy")
            return NotImplemented

        _Pickler(buffer, visit).dump(value)
        content = buffer.getvalue()
        for home, name in names_in(content):
            if home == "__main__":
                raise errors.SliceRefused(f"{why} holds {name}, which only the notebook has and whose source is not known")
        yield Pickled(content, odd)


def flat(value: object, visit: Visit) -> bytes:
    """``value`` as bytes in which nothing is told twice by reference: they are for comparing."""
    buffer = io.BytesIO()
    pickler = _Pickler(buffer, visit)
    pickler.fast = True
    pickler.dump(value)
    return buffer.getvalue()


def names_in(content: bytes) -> set[tuple[str, str]]:
    """The (module, name) pairs that a pickle imports."""
    found: set[tuple[str, str]] = set()
    memo: list[object] = []
    last: list[object] = [None, None]
    for code, argument, _ in pickletools.genops(content):
        name = code.name
        if name == "MEMOIZE":
            memo.append(last[-1])
        elif name in ("BINGET", "LONG_BINGET"):
            last = [last[-1], memo[argument]]  # type: ignore[index]
        elif name == "STACK_GLOBAL":
            if isinstance(last[0], str) and isinstance(last[1], str):
                found.add((last[0], last[1]))
            last = [last[-1], None]
        elif "UNICODE" in name:
            last = [last[-1], argument]
        elif name not in ("FRAME", "PROTO", "MARK"):
            last = [last[-1], None]
    return found
