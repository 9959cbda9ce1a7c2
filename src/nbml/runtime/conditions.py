"""``where``: which rows an expectation judges, in the grammar of ``expect``. Read as syntax, never evaluated.

Comparisons (chained too), ``in``, ``is None``, ``and``, ``or``, ``not``, ``null(c)``, ``not_null(c)``, ``matches(c, "...")``,
``like(c, "...")``, column names, ``col("any name")`` and literals. A comparison with a null neither holds nor fails, so
neither it nor its ``not`` picks the row: three values, as SQL has them.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from . import instants
from .columns import Column
from .patterns import Pattern, like

Cells = Mapping[str, Sequence[Any]]
Holds = Callable[[Cells, int], Any]  # a value of the row; of a condition: True, False or None

_OPS: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip


class Unsupported(Exception):
    """What cannot be judged on one request, and why; never raised while a request is answered."""


def condition(text: str, columns: Mapping[str, Column]) -> tuple[Holds, tuple[str, ...]]:
    """Whether a row is one that ``text`` means, and the columns that it reads. Raises Unsupported."""
    reader = _Reader(columns)
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Unsupported(f"where {text!r} cannot be read") from error
    return reader.holds(tree), tuple(reader.read)


class _Reader:
    def __init__(self, columns: Mapping[str, Column]) -> None:
        self.columns = columns
        self.read: list[str] = []

    def holds(self, node: ast.expr) -> Holds:
        if isinstance(node, ast.BoolOp):
            parts = [self.holds(value) for value in node.values]
            decided = isinstance(node.op, ast.Or)  # one such part decides, whatever the others are
            return lambda cells, i: _joined([part(cells, i) for part in parts], decided)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            inner = self.holds(node.operand)
            return lambda cells, i: None if (found := inner(cells, i)) is None else not found
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            links = [self._link(op, a, b) for op, a, b in zip(node.ops, sides, sides[1:], strict=False)]
            return links[0] if len(links) == 1 else lambda cells, i: _joined([link(cells, i) for link in links], False)
        if isinstance(node, ast.Call) and _callee(node) in ("null", "not_null") and len(node.args) == 1:
            return self._null(node.args[0], _callee(node) == "null")
        if isinstance(node, ast.Call) and _callee(node) in ("matches", "like") and len(node.args) == 2:
            return self._texts(node)
        name = self._column(node)
        if self.columns[name].kind != "boolean":
            raise Unsupported(f"{name!r} is not true or false")
        return lambda cells, i: cells[name][i]

    def _link(self, op: ast.cmpop, left: ast.expr, right: ast.expr) -> Holds:
        if isinstance(right, ast.Constant) and right.value is None and isinstance(op, (ast.Is, ast.IsNot, ast.Eq, ast.NotEq)):
            return self._null(left, isinstance(op, (ast.Is, ast.Eq)))
        if isinstance(op, (ast.In, ast.NotIn)):
            return self._membership(left, right, isinstance(op, ast.In))
        a, b = self._side(left, right), self._side(right, left)
        if type(op) not in _OPS or a is None or b is None:
            raise Unsupported(f"{ast.unparse(left)!r} and {ast.unparse(right)!r} cannot be compared")
        compare = _OPS[type(op)]

        def holds(cells: Cells, i: int) -> bool | None:
            x, y = a(cells, i), b(cells, i)
            return None if x is None or y is None else bool(compare(x, y))

        return holds

    def _membership(self, left: ast.expr, right: ast.expr, inside: bool) -> Holds:
        name = self._column(left)
        column, values = self.columns[name], _literal(right)
        if not isinstance(values, (list, tuple, set)) or column.kind == "datetime":
            raise Unsupported(f"{ast.unparse(right)!r} after 'in'")
        members = list(values)
        return lambda cells, i: None if (value := cells[name][i]) is None else (value in members) == inside

    def _null(self, node: ast.expr, null: bool) -> Holds:
        name = self._column(node)
        return lambda cells, i: (cells[name][i] is None) == null

    def _texts(self, node: ast.Call) -> Holds:
        name, pattern = self._column(node.args[0]), _literal(node.args[1])
        if self.columns[name].family != "text":
            raise Unsupported(f"{name!r} holds no texts")
        try:
            fits = Pattern(pattern).fits if _callee(node) == "matches" else like(pattern)
        except (re.error, TypeError, RecursionError, OverflowError) as error:
            raise Unsupported(f"{pattern!r} is no pattern") from error
        return lambda cells, i: None if (value := cells[name][i]) is None else fits(value)

    def _side(self, node: ast.expr, other: ast.expr) -> Holds | None:
        """How a side of a comparison is read; None where it cannot stand against the other."""
        if isinstance(node, ast.Name) or _callee(node) == "col":
            name = self._column(node)
            unlike = (isinstance(other, ast.Name) or _callee(other) == "col") and self._family(other) != self._family(node)
            return None if unlike or self.columns[name].family == "mixed" else lambda cells, i: cells[name][i]
        value = _literal(node)
        column = self.columns[self._column(other)]
        if column.family == "instant":
            try:
                moment = instants.bound(value if isinstance(value, str) else "", column.dtype)
            except ValueError:
                return None
            return lambda cells, i: moment
        if not isinstance(value, str if column.family == "text" else (int, float)):
            return None
        return lambda cells, i: value

    def _family(self, node: ast.expr) -> str:
        column = self.columns[self._column(node)]
        return column.family + (str(instants.aware(column.dtype)) if column.family == "instant" else "")

    def _column(self, node: ast.expr) -> str:
        if isinstance(node, ast.Name):
            name = node.id
        elif _callee(node) == "col" and isinstance(node, ast.Call) and len(node.args) == 1:
            name = str(_literal(node.args[0]))
        else:
            raise Unsupported(f"{ast.unparse(node)!r} is no condition")
        if name not in self.columns:
            raise Unsupported(f"no input {name!r}")
        if name not in self.read:
            self.read.append(name)
        return name


def _joined(parts: Sequence[bool | None], decided: bool) -> bool | None:
    """``and`` where ``decided`` is False, ``or`` where it is True."""
    if decided in parts:
        return decided
    return None if None in parts else not decided


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise Unsupported(f"{ast.unparse(node)!r} is no value") from error


def _callee(node: ast.expr) -> str:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
