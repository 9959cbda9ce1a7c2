"""Classes of the notebook, as the source of a module: with the attributes that they have now."""

from __future__ import annotations

import ast
import functools
import types
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nbml import errors
from nbml.slicing import constants, objects, risks
from nbml.slicing import sources as origin
from nbml.slicing import statements as texts
from nbml.slicing.program import Part
from nbml.slicing.recorder import binds
from nbml.slicing.sources import Found

if TYPE_CHECKING:
    from nbml.slicing.definitions import Definitions

_FUNCTIONS = (types.FunctionType, property, staticmethod, classmethod, functools.cached_property)


class Classes:
    """Takes classes into the cut."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions, self.cut = definitions, definitions.cut

    def take(self, value: type, why: str, want: str) -> str:
        """Take a class in; the name that the module has for it."""
        found = self._found(value, why)
        scope = self._scope(value)
        name, there = self.definitions.name(value, found, want, scope)
        self.definitions.settle(value, name)
        if there:
            return name
        text = texts.segment(found.text, found.node)
        if name != value.__name__:
            text = texts.renamed(text, value.__name__, name)
        self._surroundings(value, name, found)
        text = self._values(value, name, text, found, scope)
        part = Part(name, text + self._later(value, name, found), found.label, found.order)
        inner = next(filter(None, map(origin.underlying, vars(value).values())), None)
        self.definitions.take(part, inner, scope)
        return name

    def _found(self, value: type, why: str) -> Found:
        found = self.cut.sources.kind(value)
        if found is None:
            written = any(getattr(f.node, "name", "") == value.__name__ for text in self.cut.sources.texts_of(value) for f in text.found)
            reason = "was changed after it was defined" if written else "has no source"
            raise errors.SliceRefused(f"the class {value.__name__}, needed by {why}, {reason}; define it in one cell and run it again")
        if found.code.co_freevars and found.code.co_freevars != ("__class__",):
            variables = ", ".join(found.code.co_freevars)
            raise errors.SliceRefused(
                f"the class {value.__name__} is made inside a function and uses its {variables}; define it in a cell of its own"
            )
        return found

    def _scope(self, value: type) -> Mapping[str, Any]:
        """The globals of its methods."""
        for member in vars(value).values():
            function = origin.underlying(member)
            if function is not None and function.__module__ == "__main__" and function.__qualname__.startswith(value.__qualname__):
                return function.__globals__
        return self.cut.names

    def _surroundings(self, value: type, name: str, found: Found) -> None:
        """Bases, decorators and metaclass must be the ones that the class was made with, or come from the same text."""
        node: Any = found.node
        for written, base in zip(node.bases, value.__bases__, strict=False):
            current = self.cut.names.get(ast.unparse(written))
            if objects.homeless(base) and current is not None and current is not base and not self.definitions.twins(base, current):
                raise errors.SliceRefused(f"the class {name} was built on an older {base.__name__}; run its cell again")
        self.definitions.current(name, [*node.decorator_list, *(k.value for k in node.keywords)], found.order)
        for method in (m for m in node.body if isinstance(m, (ast.FunctionDef, ast.AsyncFunctionDef))):
            defaults = [*method.args.defaults, *filter(None, method.args.kw_defaults)]
            self.definitions.current(f"{name}.{method.name}", [*method.decorator_list, *defaults], found.order)

    def _values(self, value: type, name: str, text: str, found: Found, scope: Mapping[str, Any]) -> str:
        """The class's text with its attributes as they are now."""
        if type(value).__name__ == "EnumType":
            return text
        node: Any = ast.parse(text).body[0]
        edits: list[tuple[ast.AST, str]] = []
        for statement in node.body:
            target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
            expression = getattr(statement, "value", None)
            if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or expression is None:
                continue
            key = target.id if isinstance(target, ast.Name) else ""
            now = vars(value).get(key)
            if risks.secret(key, now) and key not in self.cut.allow:
                raise risks.refuse_secret(f"{name}.{key}", name)
            if self.definitions.gives(expression, now, scope):
                continue
            if key in vars(value) and self._differs(expression, now, found):
                if "__init_subclass__" in vars(value) or objects.homeless(type(value)):
                    raise errors.SliceRefused(f"{name}.{key} was changed since {name} was defined, perhaps by defining its subclasses")
                edits.append((expression, self.cut.value(now, f"{name}_{key}", name)))
                self.cut.warn(f"{name}.{key} is kept as it is now: {constants.literal_text(now)}")
            else:
                self.definitions.current(f"{name}.{key}", [expression], found.order)
        return texts.splice(text, edits)

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

    def _later(self, value: type, name: str, found: Found) -> str:
        """Lines that give a class the attributes that later statements gave it."""
        given: dict[str, None] = {}
        for statement in self.cut.statements.all:
            for node in ast.walk(statement.node):
                stored = isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
                if stored and isinstance(node.value, ast.Name) and self.cut.names.get(node.value.id) is value:  # type: ignore[attr-defined]
                    given[node.attr] = None  # type: ignore[attr-defined]
        body: Any = found.node
        own = {n for statement in body.body for n in binds(statement)}
        lines = ""
        for key in given:
            if key in own or key not in vars(value):
                continue
            if isinstance(vars(value)[key], _FUNCTIONS):
                raise errors.SliceRefused(f"{name}.{key} was added after the class was defined; write it in the class")
            lines += f"\n\n\n{name}.{key} = {self.cut.value(vars(value)[key], f'{name}_{key}', name)}"
        return lines
