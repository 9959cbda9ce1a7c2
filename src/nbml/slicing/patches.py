"""Libraries that the notebook changed: such a change does not travel, so a slice that uses it is refused."""

from __future__ import annotations

import ast
import re
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbml.slicing import objects
from nbml.slicing import statements as texts

if TYPE_CHECKING:
    from nbml.slicing.cutting import Cutter
    from nbml.slicing.statements import Statement


@dataclass(frozen=True)
class _Patch:
    """An attribute of a library's module or class that a statement set; ``what`` is the owner as the page calls it."""

    owner: Any
    what: str
    attribute: str
    label: str


def found(cut: Cutter, tree: ast.Module) -> Iterator[str]:
    """A message for each change to a library that the module uses, or that a library which it uses may use."""
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    used |= {i.attribute for i in cut.imports.by_name.values() if i.attribute}
    seen: set[tuple[int, str]] = set()
    for patch in (p for statement in cut.statements.all for p in _patches(cut, statement)):
        seen.add((id(patch.owner), patch.attribute))
        if not _restored(patch) and (patch.attribute in used or _inner(cut, patch)):
            yield f"{patch.label} sets {patch.what}.{patch.attribute}, which the slice uses; a change to a library does not travel"
    for owner, name in _owners(cut):
        for attribute, value in list(vars(owner).items()):
            if (id(owner), attribute) not in seen and _of_notebook(cut, value) and (attribute in used or isinstance(owner, type)):
                where = _where(cut, value)
                yield f"{name}.{attribute}, which the slice uses, was replaced{where}; a change to a library does not travel"


def _patches(cut: Cutter, statement: Statement) -> Iterator[_Patch]:
    for node in ast.walk(statement.node):
        owner: ast.expr | None = None
        attribute = ""
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            owner, attribute = node.value, node.attr
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("setattr", "delattr"):
            owner, attribute = (node.args[0], texts.literal(node.args[1])) if len(node.args) > 1 else (None, "")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "object" and len(node.args) > 1:
            owner, attribute = node.args[0], texts.literal(node.args[1])  # mock.patch.object
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            owner, attribute = _of_vars(node.value), texts.literal(node.slice)
        live = cut.homes.named(owner) if owner is not None and attribute else None
        if isinstance(live, type | types.ModuleType) and not objects.homeless(live) and not _local(cut, live):
            yield _Patch(live, ast.unparse(owner), attribute, statement.label)  # type: ignore[arg-type]


def _of_vars(node: ast.expr) -> ast.expr | None:
    """The ``x`` of ``x.__dict__`` and ``vars(x)``."""
    if isinstance(node, ast.Attribute) and node.attr == "__dict__":
        return node.value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "vars" and node.args:
        return node.args[0]
    return None


def _local(cut: Cutter, owner: Any) -> bool:
    """Whether it belongs to a helper module, whose state is compared with its file."""
    name = owner.__name__ if isinstance(owner, types.ModuleType) else owner.__module__
    return name == "__main__" or cut.belongings.local(str(name).partition(".")[0])


def _restored(patch: _Patch) -> bool:
    """Whether the attribute is what its module defines, again."""
    value = vars(patch.owner).get(patch.attribute)
    home = patch.owner.__name__ if isinstance(patch.owner, types.ModuleType) else patch.owner.__module__
    function = _function(value)
    own = str(getattr(function, "__module__", None) or "").partition(".")[0] == home.partition(".")[0]
    named = getattr(function, "__name__", "") == patch.attribute
    code = getattr(function, "__code__", None)
    return own and named and (code is None or code.co_filename == getattr(sys.modules.get(function.__module__), "__file__", ""))


def _inner(cut: Cutter, patch: _Patch) -> bool:
    """Whether a library that goes along had the attribute before, so that its own code may use it."""
    home = patch.owner.__name__ if isinstance(patch.owner, types.ModuleType) else patch.owner.__module__
    top = home.partition(".")[0]
    if top in sys.stdlib_module_names or not any(known.partition(".")[0] == top for known in cut.belongings.known):
        return False
    file = getattr(sys.modules.get(home), "__file__", None)
    if not file or not file.endswith(".py"):
        return True
    return re.search(rf"\b{re.escape(patch.attribute)}\b", Path(file).read_text(encoding="utf-8", errors="replace")) is not None


def _owners(cut: Cutter) -> Iterator[tuple[Any, str]]:
    """The modules that are imported, and the classes of fitted objects with their bases."""
    for name in sorted(cut.imports.modules()):
        module = sys.modules.get(name)
        if module is not None and not _local(cut, module):
            yield module, name
    kinds: dict[type, None] = {}
    for value in cut.artifacts.values():
        kinds |= dict.fromkeys(type(value).__mro__)
    for kind in kinds:
        if kind.__module__ not in ("builtins", "__main__") and not objects.homeless(kind) and not _local(cut, kind):
            yield kind, f"{kind.__module__}.{kind.__qualname__}"


def _function(value: Any) -> Any:
    """A function as a class holds it, without what says how it is bound."""
    return value.__func__ if isinstance(value, staticmethod | classmethod) else value


def _of_notebook(cut: Cutter, value: Any) -> bool:
    """Whether a function was made in a cell."""
    function = _function(value)
    if not isinstance(function, types.FunctionType):
        return False
    record = cut.sources.record
    cell = record.cell_of(function.__code__.co_filename) if record is not None else None
    return cell is not None or function.__module__ == "__main__"


def _where(cut: Cutter, value: Any) -> str:
    function = _function(value)
    record = cut.sources.record
    cell = record.cell_of(function.__code__.co_filename) if record is not None else None
    return f" by {function.__name__} of {cell.label}" if cell is not None else f" by {function.__name__}"
