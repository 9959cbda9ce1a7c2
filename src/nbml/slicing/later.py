"""What was done to a definition after it was made, as lines that follow it: attributes, registered functions, filled registries."""

from __future__ import annotations

import ast
import functools
import types
from abc import ABCMeta, _get_dump  # type: ignore[attr-defined]
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nbml.slicing import objects
from nbml.slicing import sources as origin
from nbml.slicing import statements as texts
from nbml.slicing.cells import binds
from nbml.slicing.program import Part
from nbml.slicing.sources import FUTURE, Found

if TYPE_CHECKING:
    from nbml.slicing.cutting import Cutter
    from nbml.slicing.statements import Statement

_FUNCTIONS = (types.FunctionType, property, staticmethod, classmethod, functools.cached_property)


class Later:
    """Takes into the cut what later statements did to what is in it."""

    def __init__(self, cut: Cutter) -> None:
        self.cut = cut

    def add(self, owner: str, key: str, text: str, statement: Statement | Found | None) -> Part:
        """Lines that change the part ``owner`` when it is there; what uses ``owner`` uses them."""
        name = f"{owner}.{key}"
        label, order = (statement.label, statement.order) if statement is not None else ("", (1_000_000, len(self.cut.parts)))
        part = Part(name, text, label, order)
        self.cut.parts[owner].gains.add(name)
        self.cut.add(part, owner)
        return part

    # -- classes -----------------------------------------------------------------------------------------------

    def attributes(self, value: type, name: str, found: Found, kept: set[str]) -> None:
        """What a class was given since; ``kept`` are the names of its body whose values now are not what the body gives."""
        body: Any = found.node
        own = {n for statement in body.body for n in binds(statement)} - kept
        given: dict[str, Statement | None] = {}
        given |= {key: statement for key, statement in self._given(value) if key not in own and key in vars(value)}
        for key in [*kept, *self._attached(value, own)]:
            given.setdefault(key, None)
        for key, statement in given.items():
            self.add(name, key, f"{name}.{key} = {self._member(vars(value)[key], f'{name}_{key}', name)}", statement or found)
        for kind in _virtual(value):
            if objects.homeless(kind) and self.cut.names_of(kind) and not _registers(self.cut.statements.last(kind.__name__)):
                self.add(name, f"register_{kind.__name__}", f"{name}.register({self.cut.value(kind, name, name)})", found)

    def gave(self, value: type, key: str) -> bool:
        """Whether a statement set an attribute of a class."""
        return any(known == key for known, _ in self._given(value))

    def _given(self, value: type) -> Iterator[tuple[str, Statement]]:
        """The attributes of a class that statements set, with the last of these."""
        for statement in self.cut.statements.all:
            for node in ast.walk(statement.node):
                key, owner = _stored(node)
                if key and self.cut.homes.named(owner) is value:
                    yield key, statement

    def _attached(self, value: type, own: set[str]) -> list[str]:
        """Functions of the notebook that a class has and its body does not: what a ``setattr`` of some function gave it."""
        if type(value) not in (type, ABCMeta):
            return []
        found = []
        for key, member in vars(value).items():
            function = origin.underlying(member) if isinstance(member, _FUNCTIONS) else None
            if key not in own and function is not None and objects.homeless(function) and self.outside(value, key):
                found.append(key)
        return found

    def outside(self, value: type, key: str) -> bool:
        """Whether a class's attribute is a function that was written outside of the class, and outside of every function."""
        function = origin.underlying(vars(value).get(key))
        if function is None or not self.cut.sources.own(function):
            return False
        home = getattr(function.__code__, "co_qualname", function.__qualname__).rpartition(".")[0]
        return home != value.__qualname__ and "<locals>" not in home

    def _member(self, value: Any, hint: str, why: str) -> str:
        """An expression for what a class holds."""
        if isinstance(value, property):
            parts = [self._member(f, hint, why) if f is not None else "None" for f in (value.fget, value.fset, value.fdel)]
            while parts[-1] == "None":
                parts.pop()
            return f"property({', '.join(parts)})"
        if isinstance(value, (staticmethod, classmethod)):
            return f"{type(value).__name__}({self._member(value.__func__, hint, why)})"
        found = self.cut.sources.function(value) if isinstance(value, types.FunctionType) else None
        if found is not None and isinstance(found.node, ast.Lambda) and not value.__code__.co_freevars and not self.cut.names_of(value):
            return self.cut.definitions.text(value, found, hint)
        return self.cut.value(value, hint, why)

    # -- single dispatch ---------------------------------------------------------------------------------------

    def registered(self, name: str, value: Any) -> None:
        """The functions that were registered for types, as they stand in the notebook or as a call of ``register``."""
        done: set[int] = set()
        for kind, function in value.registry.items():
            if id(function) in done or (kind is object and not self._replaced(value)):
                continue
            found = self.cut.sources.function(function) if objects.homeless(function) else None
            if found is not None and self._decorates(found, value) and id(function) not in self.cut.known:
                done.add(id(function))
                self._written(name, function, found)
            else:
                kinds = [k for k, f in value.registry.items() if f is function]
                target = self.cut.value(function, f"{name}_{kind.__name__}", name)
                for one in kinds:
                    self.add(name, f"{one.__name__}", f"{name}.register({self.cut.value(one, name, name)}, {target})", found)
                done.add(id(function))

    def _replaced(self, value: Any) -> bool:
        return value.registry[object] is not getattr(value, "__wrapped__", None)

    def _decorates(self, found: Found, value: Any) -> bool:
        """Whether all decorators of a definition register it, and nothing in it is read only when it is registered."""
        node = found.node
        if isinstance(node, (ast.Lambda, ast.ClassDef)) or found.nested or found.code.co_flags & FUTURE or not node.decorator_list:
            return False
        for decorator in node.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            if not isinstance(called, ast.Attribute) or called.attr != "register" or not isinstance(called.value, ast.Name):
                return False
            if self.cut.names.get(called.value.id) is not value or (isinstance(decorator, ast.Call) and len(decorator.args) != 1):
                return False
        return True

    def _written(self, name: str, function: types.FunctionType, found: Found) -> None:
        text = texts.segment(found.text, found.node)
        plain = function.__name__
        if self.cut.names.get(plain) is function and plain not in self.cut.parts:
            self.cut.definitions.settle(function, plain)
            self.cut.values[plain] = function
            self.cut.parts[name].gains.add(plain)
            self.cut.add(Part(plain, text, found.label, found.order), name, function.__globals__)
        else:
            key = f"register_{len(self.cut.parts[name].gains) + 1}"
            self.add(name, key, text, found)

    # -- registries --------------------------------------------------------------------------------------------

    def refill(self, name: str, value: Any, statement: Statement) -> None:
        """A container as its statement makes it, and its content now when all that may change it has run."""
        self.cut.add(Part(name, statement.source, statement.label, statement.order), name)
        self.cut.known[id(value)] = name
        self.cut.defining.append(value)
        content = self.cut.writer.expression(value, len(name) + 12)
        self.cut.defining.pop()
        text = f"{name}[:] = {content}" if isinstance(value, list) else f"{name}.clear()\n{name}.update({content})"
        part = self.add(name, "content", text, statement)
        part.order, part.label = (2_000_000, len(self.cut.parts)), ""


def _stored(node: ast.AST) -> tuple[str, ast.expr]:
    """The attribute that a piece of a statement sets, and of what: ``a.b = ...`` or ``setattr(a, "b", ...)``."""
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
        return node.attr, node.value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "setattr" and len(node.args) == 3:
        key = node.args[1]
        return str(key.value) if isinstance(key, ast.Constant) else "", node.args[0]
    return "", ast.Constant(None)


def _virtual(value: type) -> list[type]:
    """The classes that were registered with an abstract one."""
    known = _get_dump(value)[0] if isinstance(value, ABCMeta) else ()
    return sorted(filter(None, (reference() for reference in known)), key=lambda kind: kind.__qualname__)


def _registers(statement: Statement | None) -> bool:
    """Whether a class is registered by a decorator of its own."""
    return any("register" in ast.unparse(decorator) for decorator in getattr(statement.node, "decorator_list", ())) if statement else False
