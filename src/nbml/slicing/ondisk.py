"""Whether a helper module's file is what runs in the kernel: code by code objects, values by what the file's text gives."""

from __future__ import annotations

import ast
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbml import errors
from nbml.slicing import constants, sources

#: what an expression may be made of to be evaluated here
_PLAIN = (
    ast.Expression, ast.Constant, ast.UnaryOp, ast.BinOp, ast.Tuple, ast.List, ast.Set, ast.Dict, ast.Name, ast.Load,
    ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.UAdd, ast.USub, ast.Not, ast.Invert,
)  # fmt: skip


def unchanged(module: types.ModuleType, text: str, path: Path) -> list[str]:
    """Warnings about a loaded module's state. Raises errors.SliceRefused where the file is not what runs in the kernel."""
    written = sources.Text(text, path.name, 0)
    reload = f"import importlib, {module.__name__}; importlib.reload({module.__name__})"
    for name, function in _functions(module):
        found = [one for one in written.found if sources.same(one.code, function.__code__)]
        if not found:
            raise errors.SliceRefused(f"{module.__name__}.{name} in the kernel is not what {path.name} says now", next=reload)
        others = [list(_other_defaults(one.node, function)) for one in found]
        if all(others):
            raise errors.SliceRefused(f"{module.__name__}.{name} has the default {others[0][0]} in {path.name}", next=reload)
    warnings: list[str] = []
    for owner, label, body in _bodies(module, ast.parse(text)):
        for name, value in _values(body).items():
            live = vars(owner).get(name)
            if constants.equal(live, value) or type(live) is not type(value):
                continue
            if isinstance(value, (list, dict, set)) and not value:
                warnings.append(f"{label}.{name} was filled in the kernel; outside it starts empty")
                continue
            raise errors.SliceRefused(f"{label}.{name} is {live!r:.60} in the kernel and {value!r:.60} in {path.name}", next=reload)
    return warnings


def _bodies(module: types.ModuleType, tree: ast.Module) -> Iterator[tuple[Any, str, list[ast.stmt]]]:
    """The module and its classes, with the statements that make them."""
    yield module, module.__name__, tree.body
    for node in tree.body:
        kind = vars(module).get(node.name) if isinstance(node, ast.ClassDef) else None
        if isinstance(kind, type) and kind.__module__ == module.__name__ and type(kind) is type:
            yield kind, f"{module.__name__}.{kind.__name__}", node.body  # type: ignore[attr-defined]


def _other_defaults(node: Any, function: types.FunctionType) -> Iterator[str]:
    """The defaults that a function has in the kernel and not in its text: "by=2 in the kernel and 3"."""
    arguments = getattr(node, "args", None)
    if arguments is None:
        return
    names = [a.arg for a in [*arguments.posonlyargs, *arguments.args]]
    live = function.__defaults__ or ()
    pairs = list(zip(names[len(names) - len(live) :], arguments.defaults, live, strict=False))
    named = function.__kwdefaults__ or {}
    pairs += [(a.arg, d, named.get(a.arg)) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is not None]
    for name, expression, now in pairs:
        known, value = constants.literal(ast.unparse(expression))
        if known and not constants.equal(now, value):
            yield f"{name}={now!r:.40} in the kernel and {value!r:.40}"


def _functions(module: types.ModuleType) -> Iterator[tuple[str, types.FunctionType]]:
    """The functions and methods that a module defines in its own file."""
    for name, value in vars(module).items():
        members = vars(value).items() if isinstance(value, type) and value.__module__ == module.__name__ else [("", value)]
        for member, part in members:
            function = sources.underlying(part)
            if function is not None and function.__code__.co_filename == module.__file__:
                yield (f"{name}.{member}" if member else name), function


def _values(body: list[ast.stmt]) -> dict[str, Any]:
    """The names that statements bind once, to what literals, arithmetic and such names give."""
    found: dict[str, Any] = {}
    often: set[str] = set()
    for node in body:
        target = node.targets[0] if isinstance(node, ast.Assign) and len(node.targets) == 1 else getattr(node, "target", None)
        expression = getattr(node, "value", None)
        if not isinstance(node, ast.Assign | ast.AnnAssign) or not isinstance(target, ast.Name) or expression is None:
            continue
        name = target.id
        if name in often or name in found:
            often.add(name)
            found.pop(name, None)
            continue
        known, value = _value(expression, found)
        if known:
            found[name] = value
        else:
            often.add(name)
    return found


def _value(expression: ast.expr, names: dict[str, Any]) -> tuple[bool, Any]:
    parts = list(ast.walk(expression))
    plain = all(isinstance(part, _PLAIN) for part in parts) and all(p.id in names for p in parts if isinstance(p, ast.Name))
    if not plain:
        return False, None
    try:
        return True, eval(compile(ast.Expression(expression), "<helper>", "eval"), {"__builtins__": {}}, dict(names))  # noqa: S307 - no calls
    except Exception:
        return False, None
