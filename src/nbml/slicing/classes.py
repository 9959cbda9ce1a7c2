"""Classes of the notebook, as the source of a module: with the attributes that they have now."""

from __future__ import annotations

import ast
import dataclasses
import types
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from nbml import errors
from nbml.slicing import constants, objects, risks
from nbml.slicing import sources as origin
from nbml.slicing import statements as texts
from nbml.slicing.cells import binds
from nbml.slicing.program import Part, factory
from nbml.slicing.sources import Found

if TYPE_CHECKING:
    from nbml.slicing.definitions import Definitions

_UNKNOWN = object()
#: nodes of a text, and what is to stand in their place
Edits: TypeAlias = "Iterator[tuple[ast.AST, str]]"


class Classes:
    """Takes classes into the cut."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions, self.cut = definitions, definitions.cut

    def take(self, value: type, why: str, want: str) -> str:
        """Take a class in; the name that the module has for it."""
        found, replaced = self._found(value, why)
        scope = self._scope(value)
        name, there = self.definitions.name(value, found, want, scope)
        self.definitions.settle(value, name)
        if there:
            return name
        text = texts.segment(found.text, found.node)
        if name != value.__name__:
            text = texts.renamed(text, value.__name__, name)
        node: Any = ast.parse(text).body[0]
        kept = set(replaced)
        edits = [*self._surroundings(value, name, found, node), *self._values(value, name, node, found, scope, kept)]
        text = self._freed(value, name, texts.splice(text, edits), found)
        part = Part(name, text, found.label, found.order, future=bool(found.code.co_flags & origin.FUTURE))
        self.definitions.take(part, next(self._functions(value), None), scope)
        self.cut.later.attributes(value, name, found, kept)
        return name

    def _found(self, value: type, why: str) -> tuple[Found, list[str]]:
        """Where a class is written, and those of its methods that later statements replaced."""
        found = self.cut.sources.kind(value)
        if found is not None:
            return found, []
        written = False
        for text in self.cut.sources.texts_of(value):
            for found in reversed(text.found):
                if not isinstance(found.node, ast.ClassDef) or found.node.name != value.__name__:
                    continue
                written = True
                replaced = list(self.cut.sources.replaced(value, found, text))
                if all(self.cut.later.outside(value, name) for name in replaced):
                    return found, replaced
        reason = "was changed after it was defined" if written else "has no source"
        raise errors.SliceRefused(f"the class {value.__name__}, needed by {why}, {reason}; define it in one cell and run it again")

    def _freed(self, value: type, name: str, text: str, found: Found) -> str:
        """The text of a class; one that was made in a function, and uses what is there, in a factory that is called once."""
        read = texts.reads(text)
        free = [variable for variable in found.code.co_freevars if variable in read.now | read.later]
        if not free:
            return text
        cells = {variable: cell for member in vars(value).values() for variable, cell in _closed(member)}
        variables: dict[str, str] = {}
        for variable in free:
            try:
                content = cells[variable].cell_contents
            except (KeyError, ValueError):
                raise errors.SliceRefused(
                    f"the class {value.__name__} is made inside a function and uses its {variable}; define it in a cell of its own"
                ) from None
            if risks.secret(variable, content) and variable not in self.cut.allow:
                raise risks.refuse_secret(variable, name)
            self.definitions.closures.used(cells[variable], value, variable)
            variables[variable] = self.cut.value(content, f"{name}_{variable}", name)
        return factory(name, variables, text, name)

    def _scope(self, value: type) -> Mapping[str, Any]:
        """The globals of its methods."""
        return next((function.__globals__ for function in self._functions(value)), self.cut.names)

    def _functions(self, value: type) -> Iterator[types.FunctionType]:
        """The functions of the notebook in a class."""
        for member in vars(value).values():
            function = origin.underlying(member)
            if function is not None and self.cut.sources.own(function) and function.__qualname__.startswith(value.__qualname__):
                yield function

    def _surroundings(self, value: type, name: str, found: Found, node: Any) -> Edits:
        """Bases and defaults of methods as they were when the class was made; decorators and metaclass must be the same still."""
        bases = getattr(value, "__orig_bases__", value.__bases__)
        for written, base in zip(node.bases, bases, strict=False):
            current = self.cut.homes.named(written)
            if objects.homeless(base) and current is not None and current is not base and not self.definitions.twins(base, current):
                yield written, self.definitions.code(base, name)
        self.definitions.current(name, [*node.decorator_list, *(k.value for k in node.keywords)], found.order)
        for method in (m for m in node.body if isinstance(m, (ast.FunctionDef, ast.AsyncFunctionDef))):
            self.definitions.current(f"{name}.{method.name}", method.decorator_list, found.order)
            member: Any = vars(value).get(method.name)
            function = getattr(member, "__func__", member)
            plain = isinstance(function, types.FunctionType) and function.__code__.co_name == method.name
            if plain and len(method.args.defaults) == len(function.__defaults__ or ()):
                yield from self.definitions.defaults(function, method, f"{name}.{method.name}", found.order)
            else:
                defaults = [*method.args.defaults, *filter(None, method.args.kw_defaults)]
                self.definitions.current(f"{name}.{method.name}", defaults, found.order)

    def _values(self, value: type, name: str, node: Any, found: Found, scope: Mapping[str, Any], kept: set[str]) -> Edits:
        """The class's attributes as they are now; ``kept`` gets the names of those that are given after it is made."""
        if type(value).__name__ == "EnumType":
            return
        own = {name for statement in node.body for name in binds(statement)}
        hooked = "__init_subclass__" in vars(value) or objects.homeless(type(value))
        for statement in node.body:
            target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
            expression = getattr(statement, "value", None)
            if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or expression is None:
                continue
            key = target.id if isinstance(target, ast.Name) else ""
            now, expression = _field(value, key, expression)
            if risks.secret(key, now) and key not in self.cut.allow:
                raise risks.refuse_secret(f"{name}.{key}", name)
            if isinstance(expression, ast.Name) and expression.id in own and vars(value).get(expression.id) is now:
                continue  # __radd__ = __add__
            closed = bool(texts.loaded_now(expression) & set(found.code.co_freevars))
            if key in kept or (not closed and self.definitions.gives(expression, now, scope)):
                continue
            if closed and key in vars(value) and now is not _UNKNOWN:
                yield expression, self.cut.value(now, f"{name}_{key}", name)
            elif key not in vars(value) or now is _UNKNOWN or not self._differs(expression, now, found):
                if self.cut.later.gave(value, key):
                    kept.add(key)
                self.definitions.current(f"{name}.{key}", [expression], found.order)
            elif any(other is not statement and (key in binds(other) or texts.changes(other, key)) for other in node.body):
                kept.add(key)
            else:
                self.cut.warn(f"{name}.{key} is kept as it is now: {constants.literal_text(now)}")
                if hooked:
                    kept.add(key)
                else:
                    yield expression, self.cut.value(now, f"{name}_{key}", name)

    def _differs(self, expression: ast.expr, now: Any, found: Found) -> bool:
        """Whether the live value must stand in place of an attribute's expression."""
        known, written = constants.literal(ast.unparse(expression))
        if known:
            return type(written) is type(now)  # else the metaclass made something of it
        if isinstance(expression, (ast.Name, ast.Attribute)):
            return objects.homeless(now) or self.cut.writer.plain(now)
        if not self.cut.writer.plain(now) or callable(now):
            return False
        return any(self.cut.statements.changed_since(n, found.order) for n in texts.loaded(expression))


def _field(value: type, key: str, expression: ast.expr) -> tuple[Any, ast.expr]:
    """An attribute of a class now, and the expression that made it: a dataclass keeps the defaults of its fields apart."""
    now = vars(value).get(key)
    known = vars(value).get("__dataclass_fields__", {}).get(key)
    if known is not None and known.default is not dataclasses.MISSING:
        now = known.default
    if isinstance(now, types.MemberDescriptorType):
        return _UNKNOWN, expression
    if known is not None and isinstance(expression, ast.Call):
        return now, next((k.value for k in expression.keywords if k.arg == "default"), expression)
    return now, expression


def _closed(member: Any) -> Iterator[tuple[str, types.CellType]]:
    """The variables of functions around it that a method uses."""
    function = origin.underlying(member)
    if function is not None:
        yield from zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
