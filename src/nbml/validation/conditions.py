"""Conditions on rows, in the grammar of ``expect``: ``auc > 0.8 and model == "hgb"``. Read as syntax, never evaluated."""

from __future__ import annotations

import ast
import operator
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nbml import errors
from nbml.validation.grammar import _callee, _Entry, _Reader

if TYPE_CHECKING:
    import pandas as pd

_OPS: Mapping[type[ast.cmpop], Any] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip


def where(text: str, frame: pd.DataFrame) -> pd.Series:
    """A boolean mask of the rows for which ``text`` holds; a comparison with a null does not.

    Raises errors.BadExpectation at line and column, naming an unknown column and the nearest one.
    """
    reader = _Condition(text, frame)
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise errors.BadExpectation(f"{text!r} cannot be read: {error.msg}", column=error.offset or 1) from error
    mask: pd.Series = reader.mask(tree)
    return mask.fillna(False).astype(bool)


class _Condition:
    def __init__(self, text: str, frame: pd.DataFrame) -> None:
        self.text, self.frame = text, frame
        self.reader = _Reader(_Entry(text, 1, 1))

    def mask(self, node: ast.expr) -> Any:
        if isinstance(node, ast.BoolOp):
            masks = [self.mask(value) for value in node.values]
            result = masks[0]
            for other in masks[1:]:
                result = result & other if isinstance(node.op, ast.And) else result | other
            return result
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return ~self.mask(node.operand)
        if isinstance(node, ast.Compare):
            return self._compare(node)
        if isinstance(node, ast.Call) and _callee(node) in ("not_null", "null"):
            nulls = self.column(node.args[0]).isna()
            return ~nulls if _callee(node) == "not_null" else nulls
        if isinstance(node, ast.Name) or _callee(node) == "col":
            return self.column(node).fillna(False).astype(bool)
        raise self._bad(f"{ast.unparse(node)!r} is no condition", node)

    def _compare(self, node: ast.Compare) -> Any:
        sides, result = [node.left, *node.comparators], None
        for op, left, right in zip(node.ops, sides, sides[1:], strict=False):
            if isinstance(op, (ast.In, ast.NotIn)):
                held = self.column(left).isin(self.reader.value(right))
                found = held if isinstance(op, ast.In) else ~held
            elif isinstance(op, (ast.Is, ast.IsNot)):
                nulls = self.column(left).isna()
                found = nulls if isinstance(op, ast.Is) else ~nulls
            else:
                found = self._apply(_OPS[type(op)], left, right, node)
            result = found if result is None else result & found
        return result

    def _apply(self, op: Any, left: ast.expr, right: ast.expr, node: ast.expr) -> Any:
        values = [self.column(side) if isinstance(side, ast.Name) or _callee(side) == "col" else self.reader.value(side) for side in (left, right)]
        try:
            return op(*values)
        except TypeError as error:
            raise self._bad(f"{ast.unparse(node)!r} compares values of different kinds", node) from error

    def column(self, node: ast.expr) -> pd.Series:
        name = self.reader.column(node)
        known = {str(label): label for label in self.frame.columns}
        if name not in known:
            close = errors.nearest(name, known)
            fixed = self.text.replace(name, close, 1) if close else None
            hint = f"; nearest: {close}" if close else f"; there are {', '.join(list(known)[:8])}"
            raise self._bad(f"no column {name!r}{hint}", node, fixed)
        found: pd.Series = self.frame[known[name]]
        return found

    def _bad(self, why: str, node: ast.expr, fixed: str | None = None) -> errors.BadExpectation:
        column = node.col_offset + 1
        return errors.BadExpectation(f"column {column}: {why}", column=column, next=fixed)
