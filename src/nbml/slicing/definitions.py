"""Functions and classes of the notebook, as the source of a module."""

from __future__ import annotations

import ast
import builtins
import functools
import types
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from nbml import errors
from nbml.slicing import constants, objects, risks
from nbml.slicing import sources as origin
from nbml.slicing import statements as texts
from nbml.slicing.classes import Classes
from nbml.slicing.closures import Closures, stored
from nbml.slicing.program import Part
from nbml.slicing.sources import FUTURE, Found

if TYPE_CHECKING:
    from nbml.slicing.cutting import Cutter

#: calls that make a class, or what cannot be pickled and is nothing but its arguments: their statement is their source
_MAKERS = frozenset(
    {"namedtuple", "NamedTuple", "TypedDict", "NewType", "TypeVar", "ParamSpec", "Enum", "IntEnum", "StrEnum", "Flag", "IntFlag",
     "make_dataclass", "create_model", "make_class", "new_class", "cmp_to_key", "frompyfunc", "Struct", "ContextVar"}
)


class Definitions:
    """Takes functions and classes into the cut."""

    def __init__(self, cut: Cutter) -> None:
        self.cut = cut
        self._homes: dict[int, str] = {}
        self._owners: dict[str, Any] = {}
        self.classes = Classes(self)
        self.closures = Closures(self)

    def home(self, value: Any) -> str:
        """The dotted name under which the module has a function or class that was taken in."""
        return self._homes[id(value)]

    def owner(self, name: str) -> Any:
        """The function or class that the module has under a plain name."""
        return self._owners[name]

    def named(self, name: str, value: Any, why: str) -> bool:
        """Whether a name of the notebook is a function or class of it, or what a decorator made of one; if so, it is taken in."""
        if self._decorated(name, value):
            return True
        if id(value) not in self.cut.known and self._made(name, value):
            return True
        if not objects.homeless(value):
            return False
        found = self.code(value, why, want=name)
        if found != name:
            self.cut.add(Part(name, f"{name} = {found}", "", self.cut.order(name)), name)
        return True

    def code(self, value: Any, why: str, want: str = "") -> str:
        """Take a function or class in; the name (dotted for what a class holds) that the module has for it."""
        if id(value) in self._homes:
            return self._homes[id(value)]
        member = self._member(value, why)
        if member:
            return member
        if not want:
            for name in self.cut.names_of(value):
                self.cut.need(name, why)
                return self._homes.get(id(value), name)
        if isinstance(value, type):
            return self.classes.take(value, why, want)
        if isinstance(value, types.FunctionType):
            return self._function(value, why, want)
        raise errors.SliceRefused(
            f"{why} holds {value.__qualname__} as an older cell made it, wrapped by {type(value).__name__}; run the fit again"
        )

    def settle(self, value: Any, name: str) -> None:
        self._homes[id(value)] = self.cut.known[id(value)] = name
        self._owners[name] = value
        self.cut._kept.append(value)

    def _member(self, value: Any, why: str) -> str:
        """The dotted name of a method, or of a class in a class."""
        owner_name, _, rest = value.__qualname__.partition(".")
        if not rest or "<locals>" in value.__qualname__:
            return ""
        scope = getattr(value, "__globals__", self.cut.names)
        found: Any = scope.get(owner_name)
        owner = found
        for part in rest.split("."):
            found = vars(found).get(part) if isinstance(found, type) else None
            found = getattr(found, "__func__", found)
        if found is not value or not objects.homeless(owner):
            return ""
        name = f"{self.code(owner, why)}.{rest}"
        self.settle(value, name)
        return name

    # -- decorated and called ----------------------------------------------------------------------------------

    def _decorated(self, name: str, value: Any) -> bool:
        """Take in a decorated ``def`` whose result the name still is."""
        statement = self.cut.statements.last(name)
        node = statement.node if statement else None
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or not node.decorator_list or statement is None:
            return False
        code = self._code_of(statement, node)
        if code is None or (isinstance(value, types.FunctionType) and origin.same(value.__code__, code)):
            return False  # the decorator gave the function back: what else it did is in the values that it changed
        if not origin.holds(value, code) and isinstance(value, (type, types.FunctionType)):
            return False
        dispatching = hasattr(value, "registry") and hasattr(value, "dispatch")
        made_with = [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]
        older = self.older(made_with, statement.order)
        if older and isinstance(value, types.FunctionType) and value.__closure__ and not dispatching and self.cut.sources.function(value):
            self.cut.warn(f"{name} is kept as the older {older} made it")
            return False
        if isinstance(value, types.FunctionType) and stored(value.__code__) and not dispatching and self.cut.sources.function(value):
            return False  # a counter of its decorator: kept as it is now
        self.current(name, made_with, statement.order)
        self.settle(value, name)
        info: Any = getattr(value, "cache_info", None) if isinstance(value, functools._lru_cache_wrapper) else None
        if info is not None and info().currsize:
            self.cut.warn(f"{name} has a filled cache; the module starts with an empty one")
        inner = origin.underlying(value)
        scope = inner.__globals__ if inner else None
        self.take(Part(name, statement.source, statement.label, statement.order), inner, scope)
        if dispatching:
            self.cut.later.registered(name, value)
        else:
            self._closure_state(name, value)
        return True

    def current(self, name: str, made_with: list[ast.expr], order: tuple[int, int]) -> None:
        """Refuse a definition that ran with another value of a name than the notebook has now."""
        used = self.older(made_with, order)
        if used:
            raise errors.SliceRefused(f"{name} was made with an older {used} than the notebook has now; run its cell again")

    def older(self, made_with: list[ast.expr], order: tuple[int, int]) -> str:
        """A name that these expressions read and whose value has changed since, or "" (a file's names are its own)."""
        used = sorted({n for expression in made_with for n in texts.loaded_now(expression)}) if order[0] >= 0 else []
        return next((name for name in used if self.cut.statements.changed_since(name, order)), "")

    def _code_of(self, statement: texts.Statement, node: ast.FunctionDef | ast.AsyncFunctionDef) -> types.CodeType | None:
        text = origin.Text(statement.text, "", 0, self.cut.sources.flags)
        line = origin.first(node)
        return next((f.code for f in text.found if origin.first(f.node) == line and getattr(f.node, "name", "") == node.name), None)

    def _closure_state(self, name: str, value: Any) -> None:
        for cell in getattr(value, "__closure__", None) or ():
            try:
                content = cell.cell_contents
            except ValueError:
                continue
            if isinstance(content, (list, dict, set)) and content:
                self.cut.warn(f"{name} holds state in its decorator; the module starts without it")

    def _made(self, name: str, value: Any) -> bool:
        """Take in what a statement made for types: ``Point = namedtuple("Point", "x y")``, ``Row = dict[str, int]``."""
        statement = self.cut.statements.last(name)
        node = statement.node if statement else None
        if statement is None or not isinstance(node, ast.Assign) or len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
            return False
        called = node.value.func if isinstance(node.value, ast.Call) else None
        word = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        alias = isinstance(value, (types.GenericAlias, types.UnionType)) or type(value).__module__ == "typing"
        by_type = word == "type" and isinstance(value, type) and len(node.value.args) == 3  # type: ignore[attr-defined]
        if not alias and not by_type and word not in _MAKERS:
            return False
        self.current(name, [node.value], statement.order)
        self.settle(value, name)
        self.cut.add(Part(name, statement.source, statement.label, statement.order), name)
        return True

    # -- names of definitions ----------------------------------------------------------------------------------

    def name(self, value: Any, found: Found, want: str, scope: Mapping[str, Any]) -> tuple[str, bool]:
        """The name that a definition gets, and whether it is there already under it."""
        simple = value.__name__
        if want and (not simple.isidentifier() or found.code.co_freevars):
            return want, False
        if not simple.isidentifier():
            return self.cut.free("lambda"), False
        current = scope.get(simple, self.cut.names.get(simple))
        if current is value or (current is None and simple not in scope and not hasattr(builtins, simple)):
            return (simple, False) if simple not in self.cut.parts else (self.cut.free(simple), False)
        if found.code.co_freevars:
            return want or self.cut.free(simple), False
        if self.twins(value, current):
            self.cut.need(simple, simple, scope)
            return simple, True
        if not want:
            self.cut.warn(f"{simple} is held in an older definition than the notebook has now; it is kept as {self.cut.free(simple)}")
        return want or self.cut.free(simple), False

    def twins(self, one: Any, other: Any) -> bool:
        """Whether two functions or classes came from the same text, as when a cell was run again."""
        if one is other:
            return True
        if type(one) is not type(other) or not objects.homeless(one) or not objects.homeless(other):
            return False
        if isinstance(one, type):
            first, second = self.cut.sources.kind(one), self.cut.sources.kind(other)
            same = len(one.__bases__) == len(other.__bases__) and all(map(self._same_base, one.__bases__, other.__bases__))
            same = same and all(_same_value(v, vars(other).get(n)) for n, v in vars(one).items() if not n.startswith("__"))
        else:
            if not isinstance(one, types.FunctionType) or one.__closure__ or other.__closure__:
                return False
            first, second = self.cut.sources.function(one), self.cut.sources.function(other)
            same = _same_value(one.__defaults__, other.__defaults__) and _same_value(one.__kwdefaults__, other.__kwdefaults__)
        return same and first is not None and second is not None and ast.dump(first.node) == ast.dump(second.node)

    def _same_base(self, one: type, other: type) -> bool:
        return one is other or self.twins(one, other)

    # -- functions ---------------------------------------------------------------------------------------------

    def _function(self, value: types.FunctionType, why: str, want: str) -> str:
        found = self.found(value, why)
        group = self.closures.group(value)
        if group:
            self.closures.write(group, why)
            return self._homes[id(value)]
        name, there = self.name(value, found, want, value.__globals__)
        self.settle(value, name)
        if there:
            return name
        lifted = self._lifted(value, found, name)
        extra = self.attributes(value, name)
        part = Part(name, lifted + extra, found.label, found.order)
        self.verify(part, value, why)
        self.take(part, value, value.__globals__)
        return name

    def found(self, value: types.FunctionType, why: str) -> Found:
        """Where a function is written."""
        found = self.cut.sources.function(value)
        if found is None:
            raise errors.SliceRefused(
                f"{_called(value)}, needed by {why}, has no source: it was made by exec or eval, or its code was replaced"
            )
        return found

    def take(self, part: Part, function: types.FunctionType | None, scope: Mapping[str, Any] | None) -> None:
        part.future = part.future or (function is not None and bool(function.__code__.co_flags & FUTURE))
        self.cut.add(part, part.name, scope)
        node = ast.parse(part.text).body[0]
        if isinstance(node, ast.FunctionDef) and node.name.startswith("_make_") and node.name != part.name:
            # the factory runs at once: what it reads must be there
            reads = part.reads
            part.reads = texts.Reads(reads.now | reads.later, reads.later, reads.written)

    def _lifted(self, value: types.FunctionType, found: Found, name: str) -> str:
        """The source of a function under its new name; a closure as a factory and its call."""
        own = "" if isinstance(found.node, ast.Lambda) else value.__code__.co_name
        if value.__code__.co_freevars:
            return self.closures.alone(value, self.inner(value, found, name, own), name)
        text = self.text(value, found, name)
        return text if own else f"{name} = {text}"

    def inner(self, value: types.FunctionType, found: Found, name: str, called: str) -> str:
        """The source of a function as it stands in a factory, where it is ``called`` so."""
        text = texts.segment(found.text, found.node)
        return self._defaults(value, text, name, found, called)

    def text(self, value: types.FunctionType, found: Found, name: str) -> str:
        """The source of a function that stands on its own, with its defaults."""
        return self._defaults(value, texts.segment(found.text, found.node, decorators=False), name, found, name)

    def _defaults(self, value: types.FunctionType, text: str, name: str, found: Found, called: str) -> str:
        """The text with each default as it was when the function was made, and with the function's name."""
        is_lambda = isinstance(found.node, ast.Lambda)
        node: Any = ast.parse(text, mode="eval").body if is_lambda else ast.parse(text).body[0]
        edits = list(self.defaults(value, node, name, found.order))
        if not is_lambda and called != node.name:
            text = texts.splice(text, edits)
            return texts.renamed(text, node.name, called)
        return texts.splice(text, edits)

    def defaults(self, value: types.FunctionType, node: Any, name: str, order: tuple[int, int]) -> Iterator[tuple[ast.AST, str]]:
        """The defaults of a function's node that would be others now, and what they were when the function was made."""
        live: list[tuple[ast.expr, Any]] = list(zip(node.args.defaults, value.__defaults__ or (), strict=False))
        named = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
        live += [(d, (value.__kwdefaults__ or {}).get(a.arg)) for a, d in named if d is not None]
        if len(node.args.defaults) != len(value.__defaults__ or ()):
            raise errors.SliceRefused(f"the defaults of {name} were replaced after it was defined")
        for default, now in live:
            if not self.gives(default, now, value.__globals__):
                yield default, self.cut.value(now, f"{name.replace('.', '_')}_default", name)
                names = texts.loaded_now(default)
                if not names or any(self.cut.statements.changed_since(n, order) for n in names):
                    self.cut.warn(f"a default of {name} is kept as it was when {name} was defined: {constants.literal_text(now)}")

    def gives(self, node: ast.expr, value: Any, scope: Mapping[str, Any]) -> bool:
        """Whether evaluating an expression of literals, names and attributes now gives a value again."""
        known, written = constants.literal(ast.unparse(node))
        if known:
            return constants.equal(written, value)
        if isinstance(node, ast.Lambda):
            return self._gives_function(node, value, scope)
        inner: ast.AST = node
        while isinstance(inner, ast.Attribute):
            inner = inner.value
        if not isinstance(inner, ast.Name):
            return False
        found: Any = scope.get(inner.id, getattr(builtins, inner.id, None))
        for part in ast.unparse(node).split(".")[1:]:
            found = getattr(found, part, None)
        return found is value or (isinstance(value, constants._ATOMS) and constants.equal(found, value))

    def _gives_function(self, node: ast.Lambda, value: Any, scope: Mapping[str, Any]) -> bool:
        """Whether a lambda gives a function again: it holds nothing, and its defaults give what the function's are."""
        if not isinstance(value, types.FunctionType) or value.__closure__ or value.__globals__ is not scope:
            return False
        code = next(c for c in origin.codes(compile(ast.Expression(node), "<slice>", "eval")) if c.co_name == "<lambda>")
        named = [d for d in node.args.kw_defaults if d is not None]
        live = [*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()]
        given = [*node.args.defaults, *named]
        alike = len(given) == len(live) and all(self.gives(d, v, scope) for d, v in zip(given, live, strict=True))
        return alike and origin.same(code, value.__code__)

    def attributes(self, value: types.FunctionType, name: str) -> str:
        """Lines that give a function the attributes that it was given."""
        own = {key: part for key, part in vars(value).items() if key != "__wrapped__"}
        for key, part in own.items():
            if risks.secret(key, part) and key not in self.cut.allow:
                raise risks.refuse_secret(key, name)
        return "".join(f"\n\n\n{name}.{key} = {self.cut.value(part, f'{name}_{key}', name)}" for key, part in own.items())

    def verify(self, part: Part, value: types.FunctionType, why: str) -> None:
        """The written function compiles to the one that runs, or it is refused."""
        flags = (value.__code__.co_flags & FUTURE) | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        compiled = compile(part.text, "<slice>", "exec", flags, dont_inherit=True)
        if not any(origin.same(code, value.__code__, named=False) for code in origin.codes(compiled)):
            raise errors.SliceRefused(f"{_called(value)}, needed by {why}, cannot be taken out of the code around it")


def _called(value: types.FunctionType) -> str:
    return "a lambda" if value.__name__ == "<lambda>" else f"the function {value.__name__}"


def _same_value(one: Any, other: Any) -> bool:
    if one is other:
        return True
    if isinstance(one, (types.FunctionType, property, staticmethod, classmethod, types.MemberDescriptorType, types.GetSetDescriptorType)):
        return type(one) is type(other)
    return constants.equal(one, other) if type(one).__module__ == "builtins" else type(one) is type(other)
