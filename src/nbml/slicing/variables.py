"""The environment variables that a program reads: named in its text, by a constant, through a function, or seen when it was asked."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from nbml.slicing import carried, risks

if TYPE_CHECKING:
    from nbml.slicing.cutting import Cutter

#: gives the live value of a name
Value = Callable[[str], Any]


def of(cut: Cutter, source: str) -> tuple[str, ...]:
    """The variables that a module and its helpers read, and those that the notebook's code was seen to read."""
    helpers = [(ast.parse(text), carried.values(carried.module_of(path))) for path, text in cut.belongings.files.items()]
    found = read([(ast.parse(source), cut._live), *helpers])
    for name, stack in (cut.seen.named() if cut.seen else {}).items():
        if carried.ours(cut, stack) is not None:
            found.add(name)
    return tuple(sorted(found))


def read(trees: list[tuple[ast.AST, Value]]) -> set[str]:
    """The variables that programs name where they read them, in any way that their text and the values of their names tell."""
    found: set[str] = set()
    through: dict[str, int] = {}
    for tree, value in trees:
        for node in ast.walk(tree):
            found |= {name for key in risks.environment_keys(node) if (name := _text(key, value))}
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                through.update((node.name, place) for place in _asked(node))
    for tree, value in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                found |= {name for key in _passed(node, through, trees) if (name := _text(key, value))}
    return found


def _text(node: ast.expr, value: Value) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        one, two = _text(node.left, value), _text(node.right, value)
        return one + two if one and two else ""
    if isinstance(node, ast.JoinedStr):
        parts = [_text(v.value if isinstance(v, ast.FormattedValue) else v, value) for v in node.values]
        return "".join(parts) if all(parts) else ""
    live = value(node.id) if isinstance(node, ast.Name) else None
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        owner = value(node.value.id)
        live = getattr(owner, node.attr, None) if isinstance(owner, type) or type(owner).__name__ == "module" else None
    return live if isinstance(live, str) else ""


def _asked(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[int]:
    """The places of the parameters by which a function reads the environment."""
    names = [a.arg for a in [*function.args.posonlyargs, *function.args.args]]
    for node in ast.walk(function):
        for key in risks.environment_keys(node):
            if isinstance(key, ast.Name) and key.id in names:
                yield names.index(key.id)


def _passed(call: ast.Call, through: dict[str, int], trees: list[tuple[ast.AST, Value]]) -> Iterator[ast.expr]:
    """What a call gives to a function that reads the environment by it."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id if isinstance(call.func, ast.Name) else ""
    if name in through:
        place = through[name]
        yield from call.args[place : place + 1]
        method = isinstance(call.func, ast.Attribute) and place > 0
        yield from call.args[place - 1 : place] if method else ()
        yield from (k.value for k in call.keywords)
