"""The language of ``%%nbml expect``: text to Great Expectations configurations.

Each entry is read as the argument list of a call (one expression, then keywords) with ``ast``, as syntax; nothing is
ever evaluated. An entry may span lines inside brackets. Comments are kept with the text.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nbml import errors
from nbml.validation import sense
from nbml.validation.conditions import Condition
from nbml.validation.entries import entries
from nbml.validation.reading import Entry, Reader, callee
from nbml.validation.words import (
    AGGREGATES,
    BY_VALUE,
    DRIFT,
    EITHER,
    KEYWORDS,
    NAMES,
    NOT_PATTERNS,
    PATTERNS,
    PREDICATES,
    SEVERITIES,
    drift_type,
    first_arguments,
)

Pairs = list[tuple[str, dict[str, Any]]]


@dataclass(frozen=True)
class Config:
    """One GX expectation: type and kwargs; ``where`` is a row condition in the same grammar, ``text`` the entry it came
    from, ``short`` its expression alone."""

    type: str
    kwargs: dict[str, Any]
    text: str
    where: str | None = None
    severity: str = "critical"
    line: int = 1
    short: str = ""

    def to_json(self) -> dict[str, Any]:
        own: dict[str, Any] = {"text": self.text, "short": self.short or self.text, "line": self.line}
        meta = {"nbml": {**own, **({"where": self.where} if self.where else {})}}
        return {"type": self.type, "kwargs": self.kwargs, "meta": meta, "severity": self.severity}


def parse(text: str, values: Mapping[str, Any] | None = None, columns: Sequence[str] = ()) -> list[Config]:
    """All entries of a suite. ``values`` is what ``var("name")`` reads, once; ``columns`` are those of the frame, where one
    is there, so that an error can propose them. Raises errors.BadExpectation."""
    found: list[Config] = []
    for entry in entries(text, values or {}, columns):
        found += _Expectation(entry).configs()
    return found


class _Expectation(Reader):
    """One entry as configurations."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(entry)
        self.mostly: ast.keyword | None = None
        self.where: str | None = None
        self.severity = "critical"

    def configs(self) -> list[Config]:
        return self.mend(self._configs)

    whole = configs

    def _configs(self) -> list[Config]:
        tree = self.tree()
        if len(tree.args) != 1:
            raise self._not_one(tree)
        call = tree.args[0]
        self._keywords(tree.keywords)
        named = isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id.startswith("expect_")
        pairs = self._by_name(call) if named and isinstance(call, ast.Call) else self._expression(call)
        text, short, found = self.one_line(self.entry.text), self.one_line(self.source(call)), []
        for kind, kwargs in pairs:
            own = short if len(pairs) == 1 else f"{callee(call)}({kwargs['column']})"
            found.append(Config(kind, kwargs | self._mostly(kind), text, self.where, self.severity, self.entry.line, own))
        return found

    def _not_one(self, tree: ast.Call) -> errors.BadExpectation:
        if not tree.args and len(tree.keywords) == 1 and tree.keywords[0].arg not in KEYWORDS:
            found = self.bad("values are compared by ==", tree.keywords[0])
            found.next = self.proposal(f"{tree.keywords[0].arg} == {self.source(tree.keywords[0].value)}")
            return found
        second = tree.args[1] if len(tree.args) > 1 else tree
        return self.bad("one expression is needed, then keywords", second)

    def _keywords(self, keywords: Sequence[ast.keyword]) -> None:
        for keyword in keywords:
            if keyword.arg not in KEYWORDS:
                close = errors.nearest(keyword.arg or "", KEYWORDS)
                right = f"{close}={self.source(keyword.value)}" if close else None
                raise self.bad(f"no keyword {keyword.arg!r}" + (f"; nearest: {close}" if close else ""), keyword, keyword, right)
            if keyword.arg == "where":
                self.where = self._where(keyword.value)
                continue
            value = self.value(keyword.value)
            if keyword.arg == "mostly":
                if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
                    raise self.bad(f"mostly is a share from 0 to 1, not {value!r}", keyword.value)
                self.mostly = keyword
            elif value not in SEVERITIES:
                close = errors.nearest(str(value), SEVERITIES)
                right = repr(close) if close else None
                raise self.bad(f"severity is one of {', '.join(SEVERITIES)}, not {value!r}", keyword.value, keyword.value, right)
            else:
                self.severity = str(value)

    def _where(self, node: ast.expr) -> str:
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else self.source(node)
        try:
            return Condition(replace(self.entry, text=text, line=1, column=1)).frozen()
        except errors.BadExpectation as error:
            found = self.bad(f"where: {error.message.partition(': ')[2]}", node)
            found.next = self.proposal(self.entry.text.replace(text, error.next, 1)) if error.next else None
            raise found from error

    def _mostly(self, kind: str) -> dict[str, float]:
        if self.mostly is None:
            return {}
        if not kind.startswith(BY_VALUE):
            found = self.bad("mostly says nothing here: the column is judged as a whole", self.mostly)
            before = self.entry.text[: self.entry.text.rindex("mostly")].rstrip().removesuffix(",")
            found.next = self.proposal(before)
            raise found
        return {"mostly": float(self.value(self.mostly.value))}

    # -- expressions ----------------------------------------------------------------------------------------

    def _by_name(self, call: ast.Call) -> Pairs:
        """``expect_column_values_to_be_increasing("ts")``: GX's own name and arguments."""
        kind = callee(call)
        if kind not in NAMES and not kind.startswith(tuple(map(drift_type, DRIFT))) and not _registered(kind):
            close = errors.nearest(kind, NAMES)
            raise self.bad(f"no expectation {kind!r}" + (f"; nearest: {close}" if close else ""), call, call.func, close)
        kwargs: dict[str, Any] = {}
        for keyword in call.keywords:
            if keyword.arg is None:
                raise self.bad("arguments are written out, not given by **", keyword)
            kwargs[keyword.arg] = self.value(keyword.value)
        first = first_arguments(kind)
        if len(call.args) > len(first):
            takes = f"{len(first)} argument{'' if len(first) == 1 else 's'}"
            raise self.bad(f"{kind} takes {takes} without a name", call.args[len(first)])
        for name, argument in zip(first, call.args, strict=False):
            kwargs[name] = argument.id if isinstance(argument, ast.Name) else self.value(argument)
        self.severity = str(kwargs.pop("severity", self.severity))
        sense.named(self, call, kind, kwargs)
        return [(kind, kwargs)]

    def _expression(self, node: ast.expr) -> Pairs:
        if isinstance(node, ast.Compare):
            return self._compare(node)
        if isinstance(node, ast.Call):
            return self._predicate(node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not) and isinstance(node.operand, ast.Call):
            word = self.word(node.operand)
            if word in NOT_PATTERNS:
                kind, key = NOT_PATTERNS[word]
                column, pattern = self._two(node.operand)
                sense.pattern(self, node.operand.args[1], key, pattern)
                return [(kind, {"column": column, key: pattern})]
            if word in ("null", "not_null"):
                other = "not_null" if word == "null" else "null"
                raise self.bad(f"not {word}(...) is written {other}(...)", node, node, f"{other}({self.source(node.operand.args[0])})")
        if isinstance(node, ast.Name) and node.id in PREDICATES:
            raise self.bad(f"{node.id} needs a column, as in {node.id}(age)", node)
        if isinstance(node, ast.BoolOp):
            raise self.bad("each expectation stands in a line of its own", node.values[1])
        raise self.bad(f"{ast.unparse(node)!r} is no expectation: a comparison or one of {', '.join(PREDICATES)}", node)

    def _predicate(self, call: ast.Call) -> Pairs:
        word = self.word(call)
        strictly = {str(k.arg): self.value(k.value) for k in call.keywords}
        if set(strictly) - ({"strictly"} if word in ("increasing", "decreasing") else set()):
            raise self.bad(f"{word} takes no keyword {next(iter(strictly))!r} inside its brackets", call.keywords[0])
        if word in ("not_null", "null"):
            kind = "expect_column_values_to_not_be_null" if word == "not_null" else "expect_column_values_to_be_null"
            return [(kind, {"column": column}) for column in self._columns(call)]
        if word == "unique":
            columns = self._columns(call)
            if len(columns) == 1:
                return [("expect_column_values_to_be_unique", {"column": columns[0]})]
            return [("expect_compound_columns_to_be_unique", {"column_list": columns})]
        if word in ("increasing", "decreasing"):
            return [(f"expect_column_values_to_be_{word}", {"column": c, **strictly}) for c in self._columns(call)]
        if word in PATTERNS:
            kind, key = PATTERNS[word]
            column, pattern = self._two(call)
            sense.pattern(self, call.args[1], key, pattern)
            return [(kind, {"column": column, key: pattern})]
        if word in ("col", "var", "rows", "columns"):
            raise self.bad(f"{ast.unparse(call)} has to be compared", call)
        argument = self.source(call.args[0]) if call.args else "age"
        raise self.bad(f"{word}(...) has to be compared, as in {word}({argument}) <= 1", call)

    def _compare(self, node: ast.Compare) -> Pairs:
        sides = [node.left, *node.comparators]
        if any(isinstance(op, (ast.In, ast.NotIn)) for op in node.ops):
            if len(node.ops) != 1:
                raise self.bad("'in' stands alone, as in plan in {'a', 'b'}", node)
            return [self._membership(node)]
        if any(isinstance(op, (ast.Is, ast.IsNot)) for op in node.ops):
            word = "null" if isinstance(node.ops[0], ast.Is) else "not_null"
            raise self.bad(f"nulls are asked for by {word}(...)", node, node, f"{word}({self.source(node.left)})")
        for word, reader in (("rows", self._rows), ("columns", self._table_columns)):
            if any(isinstance(side, ast.Name) and side.id == word for side in sides):
                return [reader(node)]
        subjects = [i for i, side in enumerate(sides) if not self._is_value(side)]
        if not subjects:
            raise self.bad("no column stands in this comparison", node)
        if len(subjects) == 2 and len(sides) == 2:
            return [self._pair(node)]
        if len(subjects) != 1:
            raise self.bad("compare a column with values, or two columns with each other", sides[subjects[1]])
        return [self._range(node, sides[subjects[0]], subjects[0])]

    def _membership(self, node: ast.Compare) -> tuple[str, dict[str, Any]]:
        values = self.value(node.comparators[0])
        if not isinstance(values, list):
            raise self.bad("after 'in' comes a set, as in {'a', 'b'}", node.comparators[0])
        inside = isinstance(node.ops[0], ast.In)
        if isinstance(node.left, ast.Call) and callee(node.left) == "dtype" and inside:
            return "expect_column_values_to_be_in_type_list", {"column": self._columns(node.left)[0], "type_list": values}
        kind = "expect_column_values_to_be_in_set" if inside else "expect_column_values_to_not_be_in_set"
        return kind, {"column": self.column(node.left), "value_set": values}

    def _rows(self, node: ast.Compare) -> tuple[str, dict[str, Any]]:
        sides = [node.left, *node.comparators]
        place = next(i for i, side in enumerate(sides) if isinstance(side, ast.Name) and side.id == "rows")
        bounds = self._bounds(node, place)
        found: dict[str, Any] = {}
        for key, step in (("min_value", 1), ("max_value", -1)):
            if key in bounds:
                value = bounds[key]
                if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
                    raise self.bad(f"rows are counted in whole numbers, not {value!r}", node)
                found[key] = int(value) + (step if bounds.get(f"strict_{key[:3]}") else 0)
        sense.bounds(self, "", found, node)
        return "expect_table_row_count_to_be_between", found

    def _table_columns(self, node: ast.Compare) -> tuple[str, dict[str, Any]]:
        if len(node.ops) != 1 or not isinstance(node.ops[0], (ast.Eq, ast.GtE)) or not isinstance(node.left, ast.Name):
            raise self.bad("columns are compared as in columns == {'a', 'b'}", node)
        other = node.comparators[0]
        names = self.value(other)
        if not isinstance(names, list):
            raise self.bad("columns are compared with a set or list of names, as in columns == {'a', 'b'}", other)
        if isinstance(other, (ast.List, ast.Tuple)) and isinstance(node.ops[0], ast.Eq):
            return "expect_table_columns_to_match_ordered_list", {"column_list": names}
        return "expect_table_columns_to_match_set", {"column_set": names, "exact_match": isinstance(node.ops[0], ast.Eq)}

    def _pair(self, node: ast.Compare) -> tuple[str, dict[str, Any]]:
        left, right = self.column(node.left), self.column(node.comparators[0])
        op = node.ops[0]
        if isinstance(op, ast.Eq):
            return "expect_column_pair_values_to_be_equal", {"column_A": left, "column_B": right, "ignore_row_if": EITHER}
        if isinstance(op, (ast.Lt, ast.LtE)):
            left, right = right, left
        elif not isinstance(op, (ast.Gt, ast.GtE)):
            raise self.bad("two columns are compared by <, <=, >, >= or ==", node)
        kwargs = {"column_A": left, "column_B": right, "or_equal": isinstance(op, (ast.LtE, ast.GtE)), "ignore_row_if": EITHER}
        return "expect_column_pair_values_a_to_be_greater_than_b", kwargs

    def _range(self, node: ast.Compare, subject: ast.expr, place: int) -> tuple[str, dict[str, Any]]:
        word = self.word(subject) if isinstance(subject, ast.Call) and callee(subject) != "col" else ""
        if any(isinstance(op, (ast.Eq, ast.NotEq)) for op in node.ops):
            if len(node.ops) != 1:
                raise self.bad("== and != stand alone", node)
            value = self.value([node.left, *node.comparators][1 - place])
            if value is None and not word:
                right = "null" if isinstance(node.ops[0], ast.Eq) else "not_null"
                raise self.bad(f"nulls are asked for by {right}(...)", node, node, f"{right}({self.source(subject)})")
            if isinstance(node.ops[0], ast.NotEq):
                if word:
                    raise self.bad(f"{word}(...) is compared by <, <=, >, >= or ==", node)
                return "expect_column_values_to_not_be_in_set", {"column": self.column(subject), "value_set": [value]}
            if not word:
                return "expect_column_values_to_be_in_set", {"column": self.column(subject), "value_set": [value]}
            bounds: dict[str, Any] = {"min_value": value, "max_value": value}
        else:
            bounds = self._bounds(node, place)
        sense.bounds(self, word, bounds, node)
        if not word:
            return "expect_column_values_to_be_between", {"column": self.column(subject), **bounds}
        assert isinstance(subject, ast.Call)
        return self._aggregate(word, subject, bounds, node)

    def _aggregate(self, word: str, call: ast.Call, bounds: dict[str, Any], node: ast.expr) -> tuple[str, dict[str, Any]]:
        if word == "quantile":
            if "strict_min" in bounds or "strict_max" in bounds:
                raise self.bad("a quantile is held with <= and >=", node, node, self.source(node).replace("<", "<=").replace(">", ">="))
            column, q = self._two(call)
            sense.share(self, call.args[1], q)
            ranges = {"quantiles": [q], "value_ranges": [[bounds.get("min_value"), bounds.get("max_value")]]}
            return AGGREGATES[word], {"column": column, "quantile_ranges": ranges}
        columns = self._columns(call)
        if len(columns) != 1:
            raise self.bad(f"{word} takes one column", call.args[1])
        column = columns[0]
        if word == "dtype":
            if bounds.get("min_value") != bounds.get("max_value") or not isinstance(bounds["min_value"], str):
                raise self.bad(f'dtype is compared as in dtype({column}) == "int64"', call)
            return "expect_column_values_to_be_of_type", {"column": column, "type_": bounds["min_value"]}
        if word in DRIFT:
            if "max_value" not in bounds or "min_value" in bounds:
                raise self.bad(f"{word} is held below a value, as in {word}({column}) < 0.2", call)
            return drift_type(word), {"column": column, **bounds}
        if word not in AGGREGATES:
            raise self.bad(f"{word}(...) is not compared; it stands alone", call)
        if word == "null_share":
            turned = {"min_value": "max_value", "max_value": "min_value", "strict_min": "strict_max", "strict_max": "strict_min"}
            flipped = {turned[key]: value if key.startswith("strict") else round(1 - value, 12) for key, value in bounds.items()}
            return AGGREGATES[word], {"column": column, **flipped}
        if word == "length" and bounds.get("min_value") == bounds.get("max_value"):
            return "expect_column_value_lengths_to_equal", {"column": column, "value": bounds["min_value"]}
        return AGGREGATES[word], {"column": column, **bounds}

    # -- parts ----------------------------------------------------------------------------------------------

    def _bounds(self, node: ast.Compare, place: int) -> dict[str, Any]:
        """min_value and max_value around the subject at ``place``, with strict_min and strict_max where they are open."""
        sides = [node.left, *node.comparators]
        found: dict[str, Any] = {}
        for i, op in enumerate(node.ops):
            if isinstance(op, ast.Eq) and len(node.ops) == 1:
                value = self.value(sides[1 - place])
                return {"min_value": value, "max_value": value}
            if not isinstance(op, (ast.Lt, ast.LtE, ast.Gt, ast.GtE)):
                raise self.bad("a range is written with <, <=, > and >=", node)
            low, high = (i, i + 1) if isinstance(op, (ast.Lt, ast.LtE)) else (i + 1, i)
            strict = isinstance(op, (ast.Lt, ast.Gt))
            side = "min" if high == place else "max" if low == place else ""
            if not side or f"{side}_value" in found:
                raise self.bad("a range has one column and a value on either side, as in 0 <= x <= 1", node)
            found |= {f"{side}_value": self.value(sides[low if side == "min" else high])} | ({f"strict_{side}": True} if strict else {})
        return found

    def _columns(self, call: ast.Call) -> list[str]:
        if not call.args:
            raise self.bad(f"{callee(call)} needs a column, as in {callee(call)}(age)", call)
        return [self.column(argument) for argument in call.args]

    def _two(self, call: ast.Call) -> tuple[str, Any]:
        if len(call.args) != 2:
            raise self.bad(f"{callee(call)} takes a column and a value", call)
        return self.column(call.args[0]), self.value(call.args[1])

    def _is_value(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Call):
            return callee(node) == "var"
        return not isinstance(node, ast.Name)


def _registered(kind: str) -> bool:
    """Whether somebody has registered an expectation of that name with a Great Expectations that is loaded already."""
    registry = sys.modules.get("great_expectations.expectations.registry")
    return registry is not None and kind in registry.list_registered_expectation_implementations()
