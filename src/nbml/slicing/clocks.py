"""What a served function must not ask: the clock, and what is drawn anew at each call. The proof alone might not tell.

An answer that hangs on the time may equal the notebook's for as long as the proof takes. Only code that a prediction can
reach is judged: the methods by which an object is fitted, and what these alone use, may look at the clock, and so may lines
that only write a log.
"""

from __future__ import annotations

import ast
import importlib
import sys
import types
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

#: module -> its functions, dotted for those of a class
ASKED: Mapping[str, tuple[str, ...]] = {
    "time": (
        "time", "time_ns", "perf_counter", "perf_counter_ns", "monotonic", "monotonic_ns", "process_time", "process_time_ns",
        "localtime", "gmtime", "ctime", "asctime", "strftime",
    ),
    "datetime": ("datetime.now", "datetime.utcnow", "datetime.today", "date.today"),
    "pandas": ("Timestamp.now", "Timestamp.today", "Timestamp.utcnow"),
    "uuid": ("uuid1", "uuid4"),
    "os": ("urandom",),
    "secrets": ("token_bytes", "token_hex", "token_urlsafe", "choice", "randbelow", "randbits"),
    "random": ("Random", "SystemRandom"),
    "numpy": ("random.default_rng", "random.RandomState", "random.PCG64", "random.MT19937", "random.Philox", "random.SFC64"),
    "sklearn": ("utils.shuffle", "utils.resample", "model_selection.train_test_split"),
    "torch": ("rand", "randn", "randint", "randperm", "normal", "bernoulli", "multinomial", "rand_like", "randn_like"),
}  # fmt: skip
#: generators of random numbers, the methods of which draw, and their methods that do not
GENERATORS = {"random": "Random", "numpy.random": "RandomState Generator"}
STILL = frozenset({"seed", "getstate", "setstate", "get_state", "set_state", "spawn"})
#: methods of unknown objects that draw unless they are given a random_state: of pandas and of scipy's distributions
DRAWERS = {"sample": frozenset({"n", "frac"}), "rvs": frozenset()}
#: of those, what reads the clock only where it is given no time
TELLING = {"localtime": 1, "gmtime": 1, "ctime": 1, "asctime": 1, "strftime": 2}
#: methods that no prediction calls, unless it names them
LEARNING = frozenset({"fit", "partial_fit", "fit_transform", "fit_predict", "fit_resample", "score", "set_params", "get_params"})
#: methods of a log
LOGGING = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log"})
_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True)
class Asks:
    """A call: what is called, in which function, of which name of the module, and the call itself."""

    called: str
    function: str
    part: str
    node: ast.Call

    @property
    def why(self) -> str:
        """What is wrong with it, and what to do instead."""
        value = "give it as a column of the data, or read it in a cell and use the value"
        if self.called.partition(".")[0] in ("time", "datetime", "pandas"):
            return f"asks the clock, so that the same row gets another answer at another time; {value}"
        if self.called.partition(".")[0] in ("uuid", "os", "secrets"):
            return f"is drawn anew at each call; {value}"
        return "is drawn anew at each call; make a generator with a seed inside the function, or draw it in a cell and use the value"


class Reach:
    """What a prediction can reach in a written module. ``parts`` are its names' source; ``value`` gives a name's live value."""

    def __init__(self, parts: Mapping[str, str], holds: Mapping[str, Collection[str]], value: Callable[[str], Any]) -> None:
        self.trees = {name: ast.parse(text) for name, text in parts.items()}
        self.holds, self.value = holds, value

    def asks(self, targets: Collection[str]) -> Iterator[Asks]:
        """The calls that are reached from these names."""
        waiting, seen = list(targets), set(targets)
        while waiting:
            name = waiting.pop(0)
            found = set(self.holds.get(name, ()))
            for node, function in self._bodies(name):
                yield from (Asks(called, function, name, call) for call, called in self._calls(node))
                found |= {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
            waiting += sorted(found & set(self.trees) - seen)
            seen |= found

    def _bodies(self, name: str) -> Iterator[tuple[ast.AST, str]]:
        """What of a name runs in a prediction, with the name of the function; what runs when the module is loaded has run once."""
        for statement in self.trees[name].body:
            if isinstance(statement, ast.ClassDef):
                yield from _methods(statement)
            elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                yield statement, statement.name
                yield from ((decorator, name) for decorator in statement.decorator_list)
            else:
                yield statement, name

    def _calls(self, node: ast.AST) -> Iterator[tuple[ast.Call, str]]:
        for function in _outermost(node):
            idle = {id(call) for call in _idle(function)}
            local, imported = _locals(function), _imported(function)
            seeded: list[Any] = []
            for call in sorted((n for n in _within(function) if isinstance(n, ast.Call)), key=lambda c: (c.lineno, c.col_offset)):
                live = self._live(call.func, local, imported)
                drawn = _drawn(live)
                if drawn == "seed" and _given(call, "a"):
                    seeded.append(live.__self__)
                if drawn and drawn not in STILL and not any(live.__self__ is one for one in seeded):
                    if id(call) not in idle or drawn == "shuffle":
                        yield call, _drawer(live, call.func)
                elif id(call) not in idle:
                    called = _name_of(live) if live is not None else _samples(call)
                    if called and not _told(called, call):
                        yield call, called

    def _live(self, node: ast.expr, local: Collection[str], imported: Mapping[str, Any]) -> Any:
        """What an expression of names and attributes stands for; None where only a call could tell."""
        if isinstance(node, ast.Attribute):
            owner = self._live(node.value, local, imported)
            known = isinstance(owner, type | types.ModuleType) or _generator(owner)
            return getattr(owner, node.attr, None) if known else None
        if not isinstance(node, ast.Name):
            return None
        if node.id in imported:
            return imported[node.id]
        return None if node.id in local else self.value(node.id)


def _generator(value: Any) -> bool:
    """Whether a value is a generator of random numbers."""
    return any(type(value).__name__ in names.split() and _home(type(value), module) for module, names in GENERATORS.items())


def _home(kind: type, module: str) -> bool:
    return kind.__module__ == module or kind.__module__.startswith(f"{module}.")


def _drawn(value: Any) -> str:
    """The name of a method of a generator of random numbers, "" for any other value."""
    return value.__name__ if callable(value) and _generator(getattr(value, "__self__", None)) else ""


def _drawer(value: Any, node: ast.expr) -> str:
    """What is called: a function of a module that has a generator of its own, or a method of one of the notebook's."""
    for module in GENERATORS:
        if getattr(getattr(sys.modules.get(module), value.__name__, None), "__self__", None) is value.__self__:
            return f"{module}.{value.__name__}"
    return ast.unparse(node)


def _given(call: ast.Call, *names: str) -> bool:
    """Whether a call gets a first argument, or one of these, that is not None."""
    found = [*call.args[:1], *(k.value for k in call.keywords if k.arg is None or k.arg in names)]
    return any(not (isinstance(value, ast.Constant) and value.value is None) for value in found)


def _told(called: str, call: ast.Call) -> bool:
    """Whether a call is given what it would ask for else: the time, or a seed."""
    top, _, leaf = called.partition(".")
    if top == "time":
        return len(call.args) + len(call.keywords) >= TELLING.get(leaf, sys.maxsize)
    if called == "random.Random" or top == "numpy":
        return _given(call, "seed", "x")
    if top == "torch":
        return any(k.arg == "generator" for k in call.keywords)
    return top == "sklearn" and _given(ast.Call(call.func, [], call.keywords), "random_state")


def _samples(call: ast.Call) -> str:
    """The name of a method that draws, of an object that only a call could tell."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    named = {k.arg for k in call.keywords}
    if name not in DRAWERS or (DRAWERS[name] and not named & DRAWERS[name]) or "random_state" in named:
        return ""
    return ast.unparse(call.func)


def _methods(node: ast.ClassDef) -> Iterator[tuple[ast.AST, str]]:
    """The methods of a class that a prediction may call: public ones and those of the language, and what they name."""
    methods = {m.name: m for m in node.body if isinstance(m, ast.FunctionDef | ast.AsyncFunctionDef)}
    waiting = [name for name in methods if name not in LEARNING and (not name.startswith("_") or name.endswith("__"))]
    reached = dict.fromkeys(waiting)
    while waiting:
        named = {inner.attr for inner in ast.walk(methods[waiting.pop()]) if isinstance(inner, ast.Attribute)}
        new = [name for name in methods if name in named and name not in reached]
        reached |= dict.fromkeys(new)
        waiting += new
    yield from ((methods[name], f"{node.name}.{name}") for name in methods if name in reached)
    yield from ((part, node.name) for part in [*node.bases, *node.decorator_list, *node.body] if part not in methods.values())


def _outermost(node: ast.AST) -> Iterator[_Function]:
    """The functions in a piece of source that are in no other one."""
    if isinstance(node, _Function):
        yield node
        return
    for child in ast.iter_child_nodes(node):
        yield from _outermost(child)


def _within(function: _Function) -> Iterator[ast.AST]:
    """What runs when a function is called: not its defaults and decorators."""
    for part in function.body if isinstance(function.body, list) else [function.body]:
        yield from ast.walk(part)


def _locals(function: _Function) -> set[str]:
    arguments = {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
    return arguments | {node.id for node in _within(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def _imported(function: _Function) -> dict[str, Any]:
    """What a function imports for itself, of the modules that matter here."""
    found: dict[str, Any] = {}
    for node in _within(function):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                if top in ASKED:
                    found[alias.asname or top] = _module(alias.name if alias.asname else top)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level and node.module.partition(".")[0] in ASKED:
            home = _module(node.module)
            found |= {alias.asname or alias.name: getattr(home, alias.name, None) for alias in node.names}
    return found


def _module(name: str) -> Any:
    return sys.modules.get(name) or importlib.import_module(name)


def _idle(function: _Function) -> Iterator[ast.AST]:
    """Calls whose result goes nowhere but into a log: alone in a line, in a line that logs, or by a name that only such lines read."""
    logged: set[int] = set()
    for node in _within(function):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and _logs(node.value):
            logged |= {id(inner) for inner in ast.walk(node.value)}
        elif isinstance(node, ast.Expr):
            logged.add(id(node.value))
    read = {name: False for node in _within(function) if isinstance(node, ast.Global | ast.Nonlocal) for name in node.names}
    for node in _within(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            read[node.id] = read.get(node.id, True) and id(node) in logged
    for node in _within(function):
        plain = isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
        if plain and read.get(node.targets[0].id, True):  # type: ignore[attr-defined]
            logged |= {id(inner) for inner in ast.walk(node.value)}  # type: ignore[attr-defined]
    yield from (node for node in _within(function) if id(node) in logged)


def _logs(call: ast.Call) -> bool:
    if isinstance(call.func, ast.Name):
        return call.func.id == "print"
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in LOGGING:
        return False
    return not (isinstance(call.func.value, ast.Name) and call.func.value.id == "self")


def _name_of(value: Any) -> str:
    """The name under which a function is asked for; "" for any other value."""
    if not callable(value):
        return ""
    known = [(f"{module}.{name}", _found(module, name)) for module, names in ASKED.items() for name in names]
    exact = (name for name, found in known if found is value or _same(found, value, exact=True))
    return next(exact, None) or next((name for name, found in known if _same(found, value, exact=False)), "")


def _found(module: str, name: str) -> Any:
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def _same(one: Any, other: Any, *, exact: bool) -> bool:
    """Whether two methods of classes are one, each look-up of which makes another object; a subclass' is its base's."""
    owner, mine = getattr(one, "__self__", None), getattr(other, "__self__", None)
    if not isinstance(owner, type) or not isinstance(mine, type) or getattr(one, "__name__", 1) != getattr(other, "__name__", 2):
        return False
    return mine is owner if exact else issubclass(mine, owner)
