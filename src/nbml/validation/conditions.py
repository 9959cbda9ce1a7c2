"""Conditions on rows, in the grammar of ``expect``: ``auc > 0.8 and model == "hgb"``. Read as syntax, never evaluated."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from nbml import errors
from nbml.runtime.patterns import like
from nbml.validation import sense
from nbml.validation.reading import Entry, Reader, callee
from nbml.validation.words import PATTERNS, TESTS, written

if TYPE_CHECKING:
    import pandas as pd

_OPS: Mapping[type[ast.cmpop], Any] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip
_OF_TEXTS = ("matches", "like")


def where(text: str, frame: pd.DataFrame, values: Mapping[str, Any] | None = None) -> pd.Series:
    """A boolean mask of the rows for which ``text`` holds. A comparison with a null neither holds nor fails, so neither
    it nor its ``not`` picks the row; ``null(x)`` asks for nulls. ``values`` is what ``var("name")`` reads.

    Raises errors.BadExpectation at the column of the text, naming an unknown column and the nearest one.
    """
    return Condition(Entry(text, frozen=values or {}, columns=tuple(map(str, frame.columns)))).mask(frame)


class Condition(Reader):
    """One condition, read; its form is judged at once, its columns when a frame is there."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(entry)
        self.root = self.mend(self._read)

    def _read(self) -> ast.expr:
        call = self.tree()
        if len(call.args) != 1 or call.keywords:
            raise self.bad("one condition is needed, as in auc > 0.8", call.args[1] if len(call.args) > 1 else call)
        self._check(call.args[0])
        return call.args[0]

    def place(self, line: int, column: int) -> str:
        return f"column {column}"

    def frozen(self) -> str:
        """The condition with the values of ``var`` written out."""
        found = self.entry.text
        for node in list(ast.walk(self.root)):
            if isinstance(node, ast.Call) and callee(node) == "var":
                found = found.replace(self.source(node), repr(self.value(node)))
        return self.one_line(found.strip())

    def columns(self) -> list[str]:
        """The columns that it names, in order."""
        return list(dict.fromkeys(self.column(node) for node in self._names(self.root)))

    def mask(self, frame: pd.DataFrame) -> pd.Series:
        """Which rows it picks."""
        whole = frame.reset_index(drop=True)
        mask = self._mask(self.root, whole).fillna(False).astype(bool)
        mask.index = frame.index
        return mask

    # -- form -----------------------------------------------------------------------------------------------

    def _check(self, node: ast.expr) -> None:
        if isinstance(node, ast.BoolOp):
            for value in node.values:
                self._check(value)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            self._check(node.operand)
        elif isinstance(node, ast.Compare):
            self._check_compare(node)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, (ast.BitAnd, ast.BitOr)):
            word = "and" if isinstance(node.op, ast.BitAnd) else "or"
            raise self.bad(f"conditions are joined by {word}", node, node, f"{self.source(node.left)} {word} {self.source(node.right)}")
        elif isinstance(node, ast.Call) and callee(node) in TESTS:
            self._check_test(node)
        elif self.is_column(node):
            self.column(node)
        else:
            close = errors.nearest(callee(node), TESTS) if isinstance(node, ast.Call) else None
            named = node.func if isinstance(node, ast.Call) else node
            raise self.bad(f"{ast.unparse(node)!r} is no condition" + (f"; nearest: {close}" if close else ""), node, named, close)

    def _check_test(self, node: ast.Call) -> None:
        of_texts = callee(node) in _OF_TEXTS
        if len(node.args) != 1 + of_texts or node.keywords:
            raise self.bad(f"{callee(node)} takes {'a column and a pattern' if of_texts else 'one column'}", node)
        self.column(node.args[0])
        if of_texts:
            sense.pattern(self, node.args[1], PATTERNS[callee(node)][1], self.value(node.args[1]))

    def _check_compare(self, node: ast.Compare) -> None:
        sides = [node.left, *node.comparators]
        if not any(self.is_column(side) for side in sides):
            raise self.bad("no column stands in this comparison", node)
        for op, left, right in zip(node.ops, sides, sides[1:], strict=False):
            if isinstance(op, (ast.In, ast.NotIn)):
                self.column(left)
                if not isinstance(self.value(right), list):
                    raise self.bad("after 'in' comes a set, as in {'a', 'b'}", right)
            elif isinstance(op, (ast.Is, ast.IsNot)):
                self.column(left)
                if not (isinstance(right, ast.Constant) and right.value is None):
                    raise self.bad("after 'is' comes None; values are compared by ==", right)
            else:
                for side in (left, right):
                    if self.is_column(side):
                        self.column(side)
                    else:
                        self.value(side)

    def is_column(self, node: ast.AST) -> bool:
        return isinstance(node, ast.Name) or (isinstance(node, ast.Call) and callee(node) == "col")

    def _names(self, node: ast.AST) -> Iterator[ast.expr]:
        if isinstance(node, ast.expr) and self.is_column(node):
            yield node
            return
        parts: list[ast.AST] = list(node.args) if isinstance(node, ast.Call) else list(ast.iter_child_nodes(node))
        if not (isinstance(node, ast.Call) and callee(node) == "var"):
            for part in parts:
                yield from self._names(part)

    # -- rows -----------------------------------------------------------------------------------------------

    def _mask(self, node: ast.expr, frame: pd.DataFrame) -> Any:
        """True, False or null for each row."""
        if isinstance(node, ast.BoolOp):
            masks = [self._mask(value, frame) for value in node.values]
            result = masks[0]
            for other in masks[1:]:
                result = result & other if isinstance(node.op, ast.And) else result | other
            return result
        if isinstance(node, ast.UnaryOp):
            return ~self._mask(node.operand, frame)
        if isinstance(node, ast.Compare):
            return self._compare(node, frame)
        if isinstance(node, ast.Call) and callee(node) in _OF_TEXTS:
            return self._texts(node, frame)
        if isinstance(node, ast.Call) and callee(node) in TESTS:
            nulls = self._series(node.args[0], frame).isna().astype("boolean")
            return nulls if callee(node) == "null" else ~nulls
        column = self._series(node, frame)
        try:
            return column.astype("boolean")
        except (TypeError, ValueError) as error:
            raise self.bad(f"{self.column(node)!r} is not true or false: compare it", node) from error

    def _texts(self, node: ast.Call, frame: pd.DataFrame) -> Any:
        import pandas as pd

        column, pattern = self._series(node.args[0], frame), self.value(node.args[1])
        search = re.compile(pattern).search if callee(node) == "matches" else None
        fits = like(pattern) if search is None else lambda text: search(text) is not None
        try:
            held = [pd.NA if null else fits(value) for value, null in zip(column, column.isna(), strict=True)]
        except TypeError as error:
            raise self.bad(f"{self.column(node.args[0])!r} holds values that are no texts", node.args[0]) from error
        return pd.Series(held, index=column.index, dtype="boolean")

    def _compare(self, node: ast.Compare, frame: pd.DataFrame) -> Any:
        sides, result = [node.left, *node.comparators], None
        for op, left, right in zip(node.ops, sides, sides[1:], strict=False):
            found = self._pair(op, left, right, frame, node)
            result = found if result is None else result & found
        return result

    def _pair(self, op: ast.cmpop, left: ast.expr, right: ast.expr, frame: pd.DataFrame, node: ast.expr) -> Any:
        none = isinstance(right, ast.Constant) and right.value is None
        if none and isinstance(op, (ast.Is, ast.IsNot, ast.Eq, ast.NotEq)):
            nulls = self._series(left, frame).isna().astype("boolean")
            return nulls if isinstance(op, (ast.Is, ast.Eq)) else ~nulls
        if isinstance(op, (ast.In, ast.NotIn)):
            column = self._series(left, frame)
            held = column.isin(self.value(right)).astype("boolean").mask(column.isna())
            return held if isinstance(op, ast.In) else ~held
        values = [self._series(side, frame) if self.is_column(side) else self.value(side) for side in (left, right)]
        try:
            found = _OPS[type(op)](*values)
        except (TypeError, ValueError) as error:
            raise self.bad(f"{ast.unparse(node)!r} compares values of different kinds", node) from error
        for value in values:
            if hasattr(value, "isna"):
                found = found.astype("boolean").mask(value.isna())
        return found.astype("boolean")

    def _series(self, node: ast.expr, frame: pd.DataFrame) -> Any:
        name = self.column(node)
        known = {str(label): label for label in frame.columns}
        if name not in known:
            close = errors.nearest(name, known)
            right = written(close) if close else None
            hint = f"; nearest: {close}" if close else f"; there are {', '.join(list(known)[:8])}" if known else ""
            raise self.bad(f"no column {name!r}{hint}", node, node, right)
        return frame[known[name]]
