"""Where a value comes from, when it is not made in the notebook: the import that gives it again."""

from __future__ import annotations

import ast
import builtins
import importlib
import keyword
import sys
import types
from typing import TYPE_CHECKING, Any

from nbml import errors
from nbml.slicing import objects
from nbml.slicing import statements as texts
from nbml.slicing.program import Part

if TYPE_CHECKING:
    from nbml.slicing.cutting import Cutter

_MISSING = object()


class Homes:
    """Takes imports into the cut."""

    def __init__(self, cut: Cutter) -> None:
        self.cut = cut

    def imported(self, name: str, value: Any, why: str) -> bool:
        """Whether the name is had by an import; if so, it is taken in."""
        if isinstance(value, types.ModuleType):
            if value.__name__ == "__main__":
                raise errors.SliceRefused(f"{why} uses {name}, the notebook itself as a module")
            self.cut.belongings.note(value.__name__, why)
            self.cut.imports.module(name, value.__name__)
            return True
        for _, node in self.cut.statements.imports():
            if isinstance(node, ast.ImportFrom) and node.module and not node.level and node.module != "__future__":
                for alias in node.names:
                    attribute = name if alias.name == "*" else alias.name
                    if (alias.asname or attribute) == name and _attribute(node.module, attribute) is value:
                        return self._from(name, node.module, attribute, why)
        home = public_home(value)
        if home is not None and (self.cut.statements.last(name) is None or callable(value)):
            return self._from(name, *home, why)
        return False

    def _from(self, name: str, module: str, attribute: str, why: str) -> bool:
        self.cut.belongings.note(module, why)
        if module in sys.modules and isinstance(getattr(sys.modules[module], attribute, None), types.ModuleType):
            self.cut.belongings.note(getattr(sys.modules[module], attribute).__name__, why)
        if "." in attribute:
            head = attribute.partition(".")[0]
            known = self.cut.free(head)
            self.cut.imports.attribute(known, module, head)
            self.cut.parts[name] = Part(name, f"{name} = {known}{attribute[len(head):]}", "", self.cut.order(name))
            self.cut.parts[name].reads = texts.reads(self.cut.parts[name].text)
        else:
            self.cut.imports.attribute(name, module, attribute)
        return True

    def named(self, node: ast.AST) -> Any:
        """What a name of the notebook, or an attribute of one, stands for now; None where it is something else."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        found: Any = self.cut.names.get(node.id) if isinstance(node, ast.Name) else None
        for part in reversed(parts):
            found = getattr(found, part, None) if isinstance(found, (type, types.ModuleType)) else None
        return found

    def name_of_module(self, module: str) -> str:
        """The name by which the written module knows a module; imports it."""
        loaded = importlib.import_module(module)
        for name in self.cut.names_of(loaded):
            self.cut.need(name, module)
            return name
        simple = "." not in module and module not in self.cut.names and module not in self.cut.parts
        name = module if simple else f"_{module.replace('.', '_')}"
        if name not in self.cut.imports:
            self.cut.belongings.note(module, module)
            self.cut.imports.module(name, module)
        return name

    def expression(self, value: Any) -> str | None:
        """An expression for a value that is no plain one: something of the notebook, or something importable."""
        if id(value) in self.cut.known:
            return self.cut.known[id(value)]
        if isinstance(value, types.MethodType):
            owner = self.expression(value.__self__)
            return None if owner is None else f"{owner}.{value.__name__}"
        if any(value is one for one in self.cut.defining):
            return None
        if isinstance(value, types.ModuleType):
            return self.name_of_module(value.__name__)
        for name in self.cut.names_of(value):
            self.cut.need(name, name)
            return name
        if objects.homeless(value):
            return self.cut.definitions.code(value, "a value")
        builtin = str(getattr(value, "__name__", ""))
        if getattr(builtins, builtin, None) is value and builtin not in self.cut.names:
            return builtin
        home = public_home(value)
        if home is None:
            return None
        if self.cut.names_of(sys.modules[home[0]]) or home[1].partition(".")[0] in {*self.cut.names, *self.cut.parts}:
            return f"{self.name_of_module(home[0])}.{home[1]}"
        self._from(home[1].partition(".")[0], home[0], home[1].partition(".")[0], "a value")
        return home[1]


def _attribute(module: str, attribute: str) -> Any:
    loaded = sys.modules.get(module)
    return _MISSING if loaded is None else getattr(loaded, attribute, sys.modules.get(f"{module}.{attribute}", _MISSING))


def public_home(value: Any) -> tuple[str, str] | None:
    """Module and dotted name under which a function or class can be imported; the shortest public module that has it."""
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    module = getattr(value, "__module__", None)
    if isinstance(value, types.ModuleType) or not isinstance(name, str) or "<" in name:
        return None
    if not isinstance(module, str):  # a ufunc of numpy says no module
        module = "numpy" if type(value).__module__ == "numpy" else None
    if module is None or module == "__main__" or not all(map(_usable, name.split("."))):
        return None
    pieces = module.split(".")
    for end in range(1, len(pieces) + 1):
        if not any(piece.startswith("_") for piece in pieces[:end]) or end == len(pieces):
            found: Any = sys.modules.get(".".join(pieces[:end]))
            for part in name.split("."):
                found = getattr(found, part, None)
            if found is value:
                return ".".join(pieces[:end]), name
    return None


def _usable(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name)


def mentioned(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
