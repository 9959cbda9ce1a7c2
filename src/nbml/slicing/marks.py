"""One call before each top-level statement, and one in each branch: what tells the record where a cell is.

The calls stand on the lines of what follows them, bind no name and have no value, so that a cell behaves as without them:
tracebacks, ``inspect.getsource``, ``await``, what is displayed, the speed of loops. Light: ``%load_ext nbml`` loads it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

HERE = "nbml.slicing.marks"
#: magics whose bodies are statements of the cell
ENTERED = frozenset({"time", "capture", "nbml", "run"})
_LOOPS = (ast.For, ast.AsyncFor, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_APART = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)

_listener: Callable[[int], None] | None = None
_taken: set[int] = set()


def listen(listener: Callable[[int], None] | None) -> None:
    """Who hears of each statement, by its key; -1 is the end of a block."""
    global _listener
    _listener = listener


def step(key: int) -> None:
    """A statement begins. False, so that ``step(1) or E`` is E."""
    if _listener is not None:
        _listener(key)


def branch(key: int) -> None:
    """A branch is taken."""
    _taken.add(key)


def taken() -> set[int]:
    """The branches taken since it was asked last."""
    global _taken
    found, _taken = _taken, set()
    return found


def _call(function: str, key: int, at: ast.AST) -> ast.Call:
    """``__import__("nbml.slicing.marks", fromlist=["x"]).step(3)``, which no name of the notebook can hide."""
    here, load = _place(at), ast.Load()
    names = ast.List([ast.Constant("x", **here)], load, **here)
    module = ast.Call(
        ast.Name("__import__", load, **here), [ast.Constant(HERE, **here)], [ast.keyword("fromlist", names, **here)], **here
    )
    return ast.Call(ast.Attribute(module, function, load, **here), [ast.Constant(key, **here)], [], **here)


def _place(at: ast.AST) -> dict[str, Any]:
    line, column = getattr(at, "lineno", 1), getattr(at, "col_offset", 0)
    return {"lineno": line, "col_offset": column, "end_lineno": line, "end_col_offset": column}


def _stands(call: ast.Call, at: ast.AST) -> ast.stmt:
    """A call as a statement that IPython never displays, in no mode of its."""
    here = _place(at)
    return ast.If(call, [ast.Pass(**here)], [], **here)


def opens_run(node: ast.AST) -> bool:
    """Whether a statement is ``with nbml.track(...)``."""
    if not isinstance(node, ast.With):
        return False
    for item in node.items:
        function = item.context_expr.func if isinstance(item.context_expr, ast.Call) else None
        if isinstance(function, ast.Attribute) and function.attr == "track" and isinstance(function.value, ast.Name):
            return function.value.id in ("nbml", "nb")
        if isinstance(function, ast.Name) and function.id == "track":
            return True
    return False


def header(node: ast.With) -> ast.With:
    """A ``with`` without its body."""
    return ast.With(node.items, [ast.copy_location(ast.Pass(), node)], None, lineno=node.lineno, col_offset=node.col_offset)


def ours(node: ast.stmt) -> ast.expr | bool | None:
    """Of the calls that ``%%nbml track`` puts around a body: the value that its end is given, None for the others, False for no such."""
    value = node.value if isinstance(node, ast.Expr) else None
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Attribute):
        return False
    inner = value.func.value
    if not (isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id == "__import__" and inner.args):
        return False
    said = inner.args[0]
    if not isinstance(said, ast.Constant) or not str(said.value).startswith("nbml."):
        return False
    return value.args[0] if value.func.attr == "end" and value.args else None


class Marks:
    """The transformer of one shell. ``new`` writes a statement down and gives its key."""

    def __init__(self, new: Callable[[ast.stmt, int], int], wanted: Callable[[], bool]) -> None:
        self.new, self.wanted = new, wanted
        #: statement -> name -> where it is read: each time the branches around it
        self.branches: dict[int, dict[str, list[tuple[int, ...]]]] = {}
        self._count = 0

    def visit(self, tree: ast.AST) -> ast.AST:
        """The tree with its marks; as it was where nobody wants them."""
        if not isinstance(tree, ast.Module) or not tree.body or not self.wanted():
            return tree
        try:
            tree.body = list(self.marked(tree.body, -1))
        except Exception:  # a transformer that raises is taken away by IPython, with a warning in the user's cell
            return tree
        return tree

    def marked(self, body: list[ast.stmt], block: int) -> Iterator[ast.stmt]:
        alone = len(body) == 1 and block < 0
        for node in body:
            end = ours(node)
            if end is None:  # the beginning of a body, which is no statement of the notebook
                yield from (_stands(_call("step", -1, node), node), node)
                continue
            told = ast.copy_location(ast.Expr(end), node) if isinstance(end, ast.expr) else node
            key = self.new(told, block)
            if opens_run(node):
                assert isinstance(node, ast.With)
                last = node.body[-1]
                node.body = [*self.marked(node.body, key), _stands(_call("step", -1, last), last)]
            elif any(isinstance(part, (ast.If, ast.IfExp)) for part in ast.walk(told)):
                self.branches[key] = {}
                self.enter(told, (), self.branches[key], marking=True)
            if isinstance(node, ast.Expr) and alone:  # stays one expression: %time looks at that
                node.value = _either(_call("step", key, node), node.value)
                yield node
            else:
                yield from (_stands(_call("step", key, node), node), node)

    def enter(self, node: ast.AST, path: tuple[int, ...], where: dict[str, list[tuple[int, ...]]], *, marking: bool) -> None:
        """Write down in which branches names are read; mark the branches that are no part of a loop or a function."""
        marking = marking and not isinstance(node, (*_LOOPS, *_APART))
        if isinstance(node, ast.Name):
            where.setdefault(node.id, []).append(path)
        if not marking or not isinstance(node, (ast.If, ast.IfExp)):
            for part in list(ast.iter_child_nodes(node)):
                self.enter(part, path, where, marking=marking)
            return
        self.enter(node.test, path, where, marking=True)
        for side in ("body", "orelse"):
            inner = getattr(node, side)
            if not inner:
                continue
            self._count += 1
            key = self._count
            for part in list(inner) if isinstance(inner, list) else [inner]:
                self.enter(part, (*path, key), where, marking=True)
            if isinstance(inner, list):
                inner.insert(0, _stands(_call("branch", key, inner[0]), inner[0]))
            else:
                setattr(node, side, _either(_call("branch", key, inner), getattr(node, side)))


def _either(call: ast.Call, value: ast.expr) -> ast.BoolOp:
    """``call or value``: the value, since the call has none."""
    return ast.copy_location(ast.BoolOp(ast.Or(), [call, value]), value)
