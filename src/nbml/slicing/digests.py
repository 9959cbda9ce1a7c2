"""What a value is, in a few bytes: digests of its parts, the mutable objects that it reaches, the notebook's code that it can call.

Content, never identity: the same cell run twice gives the same digests, and a comment in a function changes nothing. What is
too large to be looked at whole within about 50 ms is looked at in a sample, and says so.
"""

from __future__ import annotations

import functools
import io
import pickle
import sys
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import xxhash

from nbml.slicing.places import in_project

#: 8 bytes of a buffer, at 10 GB/s and more (ADR 0030)
short = xxhash.xxh3_64_digest
ATOMS = (int, float, complex, str, bytes, bool, type(None), type(Ellipsis), range, slice)
_FIXED = frozenset(ATOMS)
#: libraries whose objects cannot be looked at honestly: figures, connections, threads
OPAQUE = frozenset({
    "matplotlib", "plotly", "altair", "IPython", "ipykernel", "asyncio", "threading", "socket", "sqlite3", "sqlalchemy", "zmq", "_thread",
    "nbml", "seaborn", "ipywidgets", "subprocess",
})  # fmt: skip
#: objects walked for one name, columns or keys that get a place of their own, containers that are hashed by pickle
NODES, SPLIT, BIG = 20_000, 200, 5_000
#: bytes of an array, and objects of one or of a container, up to which all of it is looked at
BYTES, OBJECTS = 400_000_000, 250_000
#: values of a sample
SAMPLE = 4_096


class Opaque(Exception):
    """No honest digest exists (a figure, a lock, too large a graph): the text has to decide."""


@dataclass
class View:
    """One look at the value of a name. Holds no reference to it."""

    id: int
    parts: dict[str, bytes] = field(default_factory=dict)
    reach: set[int] = field(default_factory=set)
    #: names that the notebook's functions in it read; the code objects of these functions as (file, first line)
    code: set[str] = field(default_factory=set)
    homes: set[tuple[str, int]] = field(default_factory=set)
    opaque: bool = False
    sampled: bool = False
    #: it holds a set of texts, whose order another process has otherwise
    unordered: bool = False
    rows: int | None = None
    #: how much was looked at, in units of about a microsecond: no clock, so that it is the same each time
    cost: int = 0


def look(value: object, namespace: Mapping[str, Any]) -> View:
    """A value as it is now. Never raises: what cannot be looked at is opaque."""
    found = View(id(value))
    walk = _Walk(found, namespace)
    try:
        found.parts = walk.split(value)
    except Exception as error:  # Opaque, or a value whose own code fails: neither may break a cell
        found.opaque = True
        found.parts = {"": short(f"{type(error).__name__ if not isinstance(error, Opaque) else ''}{type(value).__qualname__}".encode())}
        found.reach.add(id(value))
    found.cost = walk.work
    return found


def digest(value: object) -> str:
    """One digest of a whole value, equal in another process for an equal value; "" for what is opaque."""
    found = look(value, vars(sys.modules["__main__"]))
    return "" if found.opaque else short(b"".join(k.encode() + d for k, d in sorted(found.parts.items()))).hex()


class _Walk:
    """The walk over one value; ends with it, and what it held with it."""

    def __init__(self, found: View, namespace: Mapping[str, Any]) -> None:
        self.found, self.namespace = found, namespace
        self.seen: dict[int, bytes] = {}
        self.held: list[object] = []  # until the walk ends, so that no id is used twice
        self.nodes = self.work = 0

    def split(self, v: Any) -> dict[str, bytes]:
        """Columns of a frame and keys of a dict stand for themselves; anything else is one part."""
        pd = sys.modules.get("pandas")
        reach = self.found.reach
        if pd is not None and isinstance(v, pd.DataFrame):
            self.found.rows = len(v)
            if type(v) is pd.DataFrame and v.columns.is_unique and len(v.columns) <= SPLIT:
                reach.add(id(v))  # copy on write: no other object can change this frame
                parts = {f".{c!r}": self.column(s) for c, s in v.items()}
                return {**parts, "#index": self.column(v.index), "#columns": short(repr(list(v.columns)).encode())}
        if type(v) is dict and 0 < len(v) <= SPLIT:
            reach.add(id(v))
            self.seen[id(v)] = b"self"
            keys = {f".{k!r}": self.look(x) for k, x in v.items() if isinstance(k, ATOMS)}
            return {**keys, "#keys": short(b"".join(self.look(k) for k in v))}
        return {"": self.look(v)}

    # -- columns and buffers

    def column(self, s: Any) -> bytes:
        array = getattr(s, "array", s)
        self.work += 5 + len(array) // 50
        arrow = getattr(array, "_pa_array", None)  # strings of pandas 3
        if arrow is not None:
            pieces = [str(arrow.type).encode()]
            for chunk in arrow.chunks:
                pieces += [short(buffer) if buffer is not None else b"-" for buffer in chunk.buffers()]
                pieces.append(f"{chunk.offset},{len(chunk)}".encode())
            return short(b"".join(pieces))
        if type(array).__name__ == "NumpyExtensionArray":
            values = s.to_numpy()
            if values.dtype != object:
                return self.buffer(values)
            if len(values) > OBJECTS:
                return short(b"object" + self.sample(values.tolist()))
        return short(str(getattr(s, "dtype", "")).encode() + short(pickle.dumps(array, 5)))

    def buffer(self, a: Any) -> bytes:
        np = sys.modules["numpy"]
        head = f"{a.dtype}{a.shape}".encode()
        self.work += a.nbytes // 8_000
        if a.dtype.hasobject:
            values = a.ravel().tolist()
            return short(head + (self.sample(values) if len(values) > OBJECTS else b"".join(map(self.look, values))))
        if a.nbytes > BYTES:
            self.found.sampled = True
            flat = a.reshape(-1) if a.flags.c_contiguous else a.ravel(order="K")
            return short(head + flat[:: max(1, flat.size // SAMPLE)].tobytes())
        flat = np.ascontiguousarray(a).reshape(-1)  # a copy only where it is not contiguous
        return short(head + short(flat.view(np.uint8).data if flat.size else b""))

    def sample(self, values: Any) -> bytes:
        self.found.sampled = True
        few = values[:: max(1, len(values) // SAMPLE)]
        return str(len(values)).encode() + b"".join(map(self.look, few))

    # -- the walk

    def look(self, v: Any) -> bytes:
        kind = type(v)
        self.work += 1
        if kind in _FIXED:
            return short(b"s" + v.encode("utf-8", "surrogatepass") if kind is str else f"{kind.__name__}{v!r}".encode())
        if id(v) in self.seen:
            return self.seen[id(v)]
        self.nodes += 1
        if self.nodes > NODES:
            raise Opaque
        self.seen[id(v)] = b"loop"
        self.held.append(v)
        found = self.seen[id(v)] = short(kind.__qualname__.encode() + self.inside(v, kind))
        return found

    def inside(self, v: Any, kind: type) -> bytes:
        for accepts, look in _KINDS:
            if accepts(v):
                return look(self, v)
        if (kind.__module__ or "").partition(".")[0] in OPAQUE:
            raise Opaque
        self.found.reach.add(id(v))
        if kind.__module__ == "__main__":
            self.look(kind)  # its methods may be called, and read globals
        if hasattr(kind, "__next__"):
            return self.iterator(v, kind)
        state = getattr(v, "__dict__", None)
        if isinstance(state, dict):
            slots = [getattr(v, name) for name in getattr(kind, "__slots__", ()) if name != "__dict__" and hasattr(v, name)]
            return self.look(kind) + b"".join(k.encode() + self.look(x) for k, x in list(state.items())) + b"".join(map(self.look, slots))
        try:
            return pickle.dumps(v, 5)
        except Exception:
            raise Opaque from None

    def iterator(self, v: Any, kind: type) -> bytes:
        if kind.__module__ not in ("builtins", "itertools"):
            state = getattr(v, "__dict__", None)
            if not isinstance(state, dict):
                raise Opaque
            return self.look(kind) + b"".join(k.encode() + self.look(x) for k, x in list(state.items()))
        _, args, *state = v.__reduce__()
        return self.look([*args, *state])

    def container(self, v: Any) -> bytes:
        kind = type(v)
        if kind not in (tuple, frozenset):
            self.found.reach.add(id(v))
        if len(v) > BIG and kind in (list, dict, tuple, set) and set(map(type, v.values() if kind is dict else v)) <= _FIXED:
            if len(v) > 4 * OBJECTS or (len(v) > OBJECTS and any(type(x) in (str, bytes) for x in _few(v))):
                return self.sample(list(v.items()) if kind is dict else v if kind in (list, tuple) else sorted(v, key=repr))
            self.work += len(v) // 20
            return short(pickle.dumps(sorted(v, key=repr) if kind is set else v, 5))
        if isinstance(v, dict):
            return short(b"".join(self.look(k) + self.look(x) for k, x in list(v.items())))
        if isinstance(v, (set, frozenset)):
            self.found.unordered |= any(isinstance(x, (str, bytes)) or not isinstance(x, ATOMS) for x in v)
            return short(b"".join(sorted(self.look(x) for x in v)))
        return short(b"".join(self.look(x) for x in v))

    def array(self, v: Any) -> bytes:
        np = sys.modules["numpy"]
        root = v
        while isinstance(root.base, np.ndarray):
            root = root.base
        self.found.reach.add(id(root))  # views and their base are one place
        return self.buffer(v)

    def pandas(self, v: Any) -> bytes:
        self.found.reach.add(id(v))
        if hasattr(v, "columns"):
            columns = [self.column(v.iloc[:, i]) for i in range(v.shape[1])]
            return b"".join([self.column(v.index), repr(list(v.columns)).encode(), *columns])
        index = getattr(v, "index", None)
        return repr(getattr(v, "name", "")).encode() + self.column(v) + (self.column(index) if index is not None else b"")

    def generator(self, v: Any) -> bytes:
        bits = v.bit_generator if hasattr(v, "bit_generator") else v._bit_generator
        self.found.reach.add(id(bits))
        return self.look(bits.state)

    def function(self, v: types.FunctionType) -> bytes:
        home = sys.modules.get(v.__module__ or "")
        library = home is not None and v.__globals__ is not self.namespace and not in_project(getattr(home, "__file__", None) or "")
        if library and getattr(home, v.__qualname__, None) is v:  # its code is exchanged while a run listens
            return f"{v.__module__}.{v.__qualname__}".encode()
        if v.__globals__ is self.namespace:
            self.found.code |= names_of(v.__code__)
            self.found.homes.add((v.__code__.co_filename, v.__code__.co_firstlineno))
        self.found.reach.add(id(v))
        inner = [*(v.__defaults__ or ()), *(v.__kwdefaults__ or {}).values()]
        inner += [cell.cell_contents for cell in v.__closure__ or () if _full(cell)]
        return code_digest(v.__code__) + b"".join(map(self.look, inner)) + self.look(v.__dict__ or None)

    def cached(self, v: Any) -> bytes:
        self.found.reach.add(id(v))
        return f"{v.cache_info().currsize}".encode() + self.look(v.__wrapped__)

    def type(self, v: type) -> bytes:
        if v.__module__ != "__main__":
            return f"{v.__module__}.{v.__qualname__}".encode()
        self.found.reach.add(id(v))
        out = v.__qualname__.encode() + b"".join(map(self.look, v.__bases__))
        for key, x in list(vars(v).items()):
            if not (key.startswith("__") and key.endswith("__")) or callable(x):
                out += key.encode() + self.look(getattr(x, "__func__", getattr(x, "fget", x)))
        return out

    def running(self, v: types.GeneratorType[Any, Any, Any]) -> bytes:
        self.found.reach.add(id(v))
        frame = v.gi_frame
        if frame is None:
            return v.__qualname__.encode() + b"end"
        if frame.f_globals is self.namespace:
            self.found.code |= names_of(frame.f_code)
            self.found.homes.add((frame.f_code.co_filename, frame.f_code.co_firstlineno))
        return v.__qualname__.encode() + f"{frame.f_lasti}".encode() + b"".join(map(self.look, frame.f_locals.values()))

    def file(self, v: Any) -> bytes:
        self.found.reach.add(id(v))
        return repr((getattr(v, "name", ""), v.closed or (v.seekable() and v.tell()))).encode()

    def module(self, v: types.ModuleType) -> bytes:
        out = v.__name__.encode()
        if in_project(getattr(v, "__file__", None) or ""):  # a helper beside the notebook: its state counts
            self.found.reach.add(id(v))
            for key, x in list(vars(v).items()):
                if not key.startswith("__") and not isinstance(x, types.ModuleType):
                    out += key.encode() + self.look(x)
        return out


def _few(v: Any) -> Iterable[Any]:
    return list(v.values() if isinstance(v, dict) else v)[:100]


def _is_pandas(v: Any) -> bool:
    pd = sys.modules.get("pandas")
    return pd is not None and isinstance(v, (pd.Series, pd.DataFrame, pd.Index))


def _is_numpy(name: str) -> Callable[[Any], bool]:
    def accepts(v: Any) -> bool:
        np = sys.modules.get("numpy")
        return np is not None and isinstance(v, getattr(np, name))

    return accepts


def _is_random(v: Any) -> bool:
    np = sys.modules.get("numpy") if "numpy.random" in sys.modules else None
    return np is not None and isinstance(v, (np.random.Generator, np.random.RandomState))


def _is(*kinds: type) -> Callable[[Any], bool]:
    return lambda v: isinstance(v, kinds)


#: kinds of values in the order in which they are tried, and how each is looked at
_KINDS: tuple[tuple[Callable[[Any], bool], Callable[[_Walk, Any], bytes]], ...] = (
    (lambda v: type(v) in (tuple, frozenset, set, list, dict) or isinstance(v, (list, dict)), _Walk.container),
    (_is_numpy("ndarray"), _Walk.array),
    (_is_numpy("generic"), lambda walk, v: repr(v).encode()),
    (_is_pandas, _Walk.pandas),
    (_is_random, _Walk.generator),
    (_is(types.FunctionType), _Walk.function),
    (_is(functools._lru_cache_wrapper), _Walk.cached),
    (_is(types.MethodType), lambda walk, v: walk.look(v.__func__) + walk.look(v.__self__)),
    (_is(types.BuiltinFunctionType, types.CodeType), lambda walk, v: repr(getattr(v, "__qualname__", v)).encode()),
    (_is(type), _Walk.type),
    (_is(types.ModuleType), _Walk.module),
    (_is(types.GeneratorType), _Walk.running),
    (_is(io.IOBase), _Walk.file),
)


def _full(cell: types.CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - an empty cell raises
    except ValueError:
        return False
    return True


def names_of(code: types.CodeType) -> set[str]:
    """The global and attribute names of a code object and of those in it."""
    found = set(code.co_names)
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            found |= names_of(const)
    return found


def code_digest(code: types.CodeType) -> bytes:
    """What code does, without its lines and comments."""
    consts = b"".join(code_digest(x) if isinstance(x, types.CodeType) else repr(x).encode() for x in code.co_consts)
    return short(code.co_code + repr(code.co_names).encode() + consts)
