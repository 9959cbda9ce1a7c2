"""``where`` as Great Expectations 1.24 writes it in ``row_condition``, and back: the same rows on its pandas engine.

Great Expectations compares one column with a value, or asks for nulls, and joins these by "and" within "or". A condition of
ours is brought into that form. What has none (columns compared with each other, texts that match, dates that are equal)
stays ours: ``of`` gives None.
"""

from __future__ import annotations

import ast
import keyword
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise, product
from typing import Any

from nbml import errors
from nbml.validation.conditions import Condition
from nbml.validation.literals import literal
from nbml.validation.reading import Entry, callee
from nbml.validation.words import written

Json = dict[str, Any]
#: alternatives, each of conditions that hold together
Forms = list[list[Json]]
#: conditions that Great Expectations takes at most
MOST = 100
_SIGNS: Mapping[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=", ast.In: "IN", ast.NotIn: "NOT_IN",
}  # fmt: skip
_NOT = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "==", "IN": "NOT_IN", "NOT_IN": "IN"}
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
#: names that DataFrame.query can be asked for in its quotes
_QUOTABLE = re.compile(r"[\w ./()%&+:-]+")


class _NoForm(Exception):
    """A part that Great Expectations cannot express."""


def of(where: str) -> Json | None:
    """The row_condition that picks the rows of ``where``; None where there is none."""
    try:
        found = _Forms(where).forms()
    except (_NoForm, errors.BadExpectation):
        return None
    if not found or sum(map(len, found)) > MOST:
        return None
    joined = [_joined("and", together) for together in found]
    return _joined("or", joined)


def words(row_condition: Any) -> str | None:
    """The ``where`` of which ``of`` makes that row_condition; None where there is none."""
    if not isinstance(row_condition, Mapping):
        return None
    try:
        text = _alternatives(row_condition)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    return text if of(text) == row_condition else None


def _joined(kind: str, conditions: list[Json]) -> Json:
    return conditions[0] if len(conditions) == 1 else {"type": kind, "conditions": conditions}


# -- ours to theirs -------------------------------------------------------------------------------------------


class _Forms:
    """A condition as alternatives of simple ones."""

    def __init__(self, where: str) -> None:
        self.condition = Condition(Entry(where))

    def forms(self) -> Forms:
        return self._of(self.condition.root, True)

    def _of(self, node: ast.expr, holds: bool) -> Forms:
        if isinstance(node, ast.UnaryOp):
            return self._of(node.operand, not holds)
        if isinstance(node, ast.BoolOp):
            return _combined([self._of(value, holds) for value in node.values], isinstance(node.op, ast.And) == holds)
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            links = [self._link(_SIGNS.get(type(op), ""), op, a, b, holds) for op, (a, b) in zip(node.ops, pairwise(sides), strict=True)]
            return _combined(links, holds)
        if isinstance(node, ast.Call) and callee(node) in ("null", "not_null"):
            return [[self._nullity(node.args[0], (callee(node) == "null") == holds)]]
        if isinstance(node, ast.Call) and callee(node) != "col":
            raise _NoForm(callee(node))
        return [[self._comparison(node, "==", holds)]]

    def _link(self, sign: str, op: ast.cmpop, left: ast.expr, right: ast.expr, holds: bool) -> Forms:
        none = isinstance(right, ast.Constant) and right.value is None
        if none and isinstance(op, (ast.Is, ast.IsNot, ast.Eq, ast.NotEq)):
            return [[self._nullity(left, isinstance(op, (ast.Is, ast.Eq)) == holds)]]
        a, b = (self.condition.is_column(side) for side in (left, right))
        if a == b:
            raise _NoForm("columns with each other")
        sign = sign if a else _TURNED[sign]
        sign = sign if holds else _NOT[sign]
        column, other = (left, right) if a else (right, left)
        found = [self._comparison(column, sign, self.condition.value(other))]
        if sign in ("!=", "NOT_IN"):  # pandas lets nulls differ from everything
            found.append(self._nullity(column, False))
        return [found]

    def _comparison(self, column: ast.expr, sign: str, value: Any) -> Json:
        if sign in ("IN", "NOT_IN"):
            value = [one for one in value if one is not None]
            kinds = {str if isinstance(one, str) else float if type(one) in (int, float) else type(one) for one in value}
            if len(kinds) != 1 or not kinds <= {str, float}:
                raise _NoForm("values of several kinds")
        elif type(value) not in (int, float, str, bool):
            raise _NoForm("no value")
        if sign in ("==", "!=", "IN", "NOT_IN") and any(map(_is_date, value if isinstance(value, list) else [value])):
            raise _NoForm("dates that are equal")
        return {"type": "comparison", "column": self._name(column), "operator": sign, "parameter": value}

    def _nullity(self, column: ast.expr, null: bool) -> Json:
        return {"type": "nullity", "column": self._name(column), "is_null": null}

    def _name(self, column: ast.expr) -> Json:
        name = self.condition.column(column)
        bare = name.isidentifier() and not keyword.iskeyword(name) and unicodedata.normalize("NFKC", name) == name
        if not bare and not _QUOTABLE.fullmatch(name):
            raise _NoForm(name)
        return {"name": name}


def _combined(parts: list[Forms], together: bool) -> Forms:
    if not together:
        return [one for part in parts for one in part]
    count = 1
    for part in parts:
        count *= len(part)
        if count > MOST:
            raise _NoForm("too many")
    return [[condition for one in chosen for condition in one] for chosen in product(*parts)]


def _is_date(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(datetime.fromisoformat(value))
    except ValueError:
        return False


# -- theirs to ours -------------------------------------------------------------------------------------------


def _alternatives(found: Mapping[str, Any]) -> str:
    if found["type"] == "or":
        return " or ".join(_together(one) for one in found["conditions"])
    return _together(found)


def _together(found: Mapping[str, Any]) -> str:
    """Conditions that hold together; a ``!=`` has its "not null" beside it, and says it itself."""
    parts = list(found["conditions"]) if found["type"] == "and" else [found]
    said, before = [], None
    for part in parts:
        guarded = before is not None and before.get("operator") in ("!=", "NOT_IN") and part["type"] == "nullity"
        if not (guarded and before is not None and part["column"] == before["column"] and not part["is_null"]):
            said.append(_simple(part))
        before = part
    return " and ".join(said)


def _simple(found: Mapping[str, Any]) -> str:
    column = written(found["column"]["name"])
    if found["type"] == "nullity":
        return f"{'null' if found['is_null'] else 'not_null'}({column})"
    sign, value = found["operator"], found["parameter"]
    if sign == "==" and isinstance(value, bool):
        return column if value else f"not {column}"
    if sign in ("IN", "NOT_IN"):
        return f"{column} {'in' if sign == 'IN' else 'not in'} {{{', '.join(map(literal, value))}}}"
    return f"{column} {sign} {literal(value)}"
