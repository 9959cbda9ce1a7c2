"""What the expression of an entry means: a comparison or a word, as types and kwargs of Great Expectations."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from nbml.validation import sense
from nbml.validation.reading import Reader, callee
from nbml.validation.words import AGGREGATES, DRIFT, EITHER, NOT_PATTERNS, PATTERNS, PREDICATES, drift_type

Json = dict[str, Any]
#: type, kwargs, and the part of the expression that says it; "" where all of it does
Phrase = tuple[str, Json, str]
_ORDER = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}


class Phrases(Reader):
    """Expressions of the language."""

    def phrases(self, node: ast.expr) -> list[Phrase]:
        """What an expression asks for. Raises errors.BadExpectation."""
        if isinstance(node, ast.Compare):
            return self._compare(node)
        if isinstance(node, ast.Call):
            return self._predicate(node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return self._negated(node, node.operand)
        if isinstance(node, ast.Name) and node.id in PREDICATES:
            raise self.bad(f"{node.id} needs a column, as in {node.id}(age)", node)
        if isinstance(node, ast.BoolOp):
            raise self.bad("each expectation stands in a line of its own", node.values[1])
        raise self.bad(f"{ast.unparse(node)!r} is no expectation: a comparison or one of {', '.join(PREDICATES)}", node)

    # -- words that stand alone -----------------------------------------------------------------------------

    def _negated(self, node: ast.UnaryOp, inner: ast.expr) -> list[Phrase]:
        if isinstance(inner, ast.Compare) and len(inner.ops) == 1:
            turned = {ast.In: "not in", ast.NotIn: "in", ast.Eq: "!=", ast.NotEq: "==",
                      ast.Lt: ">=", ast.LtE: ">", ast.Gt: "<=", ast.GtE: "<"}.get(type(inner.ops[0]))  # fmt: skip
            right = f"{self.source(inner.left)} {turned} {self.source(inner.comparators[0])}" if turned else None
            raise self.bad("'not' stands before matches and like; a comparison is turned round", node, node, right)
        if not isinstance(inner, ast.Call):
            raise self.bad(f"{ast.unparse(node)!r} is no expectation: 'not' stands before matches and like", node)
        word = self.word(inner)
        if word in NOT_PATTERNS:
            return [self._pattern(inner, *NOT_PATTERNS[word])]
        if word in ("null", "not_null") and inner.args:
            other = "not_null" if word == "null" else "null"
            raise self.bad(f"not {word}(...) is written {other}(...)", node, node, f"{other}({self.source(inner.args[0])})")
        raise self.bad(f"Great Expectations has nothing for not {word}(...)", node)

    def _predicate(self, call: ast.Call) -> list[Phrase]:
        word = self.word(call)
        strictly = {str(k.arg): self.value(k.value) for k in call.keywords}
        if set(strictly) - ({"strictly"} if word in ("increasing", "decreasing") else set()):
            raise self.bad(f"{word} takes no keyword {next(iter(strictly))!r} inside its brackets", call.keywords[0])
        if not isinstance(strictly.get("strictly", True), bool):
            raise self.bad(f"strictly is True or False, not {strictly['strictly']!r}", call.keywords[0].value)
        if word in ("not_null", "null"):
            kind = "expect_column_values_to_not_be_null" if word == "not_null" else "expect_column_values_to_be_null"
            return self._each(call, kind, {})
        if word == "unique":
            columns = self._columns(call)
            if len(columns) == 1:
                return [("expect_column_values_to_be_unique", {"column": columns[0]}, "")]
            return [("expect_compound_columns_to_be_unique", {"column_list": columns}, "")]
        if word in ("increasing", "decreasing"):
            return self._each(call, f"expect_column_values_to_be_{word}", strictly)
        if word in PATTERNS:
            return [self._pattern(call, *PATTERNS[word])]
        if word in ("col", "var", "rows", "columns"):
            raise self.bad(f"{ast.unparse(call)} has to be compared", call)
        argument = self.source(call.args[0]) if call.args else "age"
        raise self.bad(f"{word}(...) has to be compared, as in {word}({argument}) <= 1", call)

    def _each(self, call: ast.Call, kind: str, more: Json) -> list[Phrase]:
        """One expectation for each column of a word."""
        inside = "".join(f", {self.source(k)}" for k in call.keywords)
        found = zip(self._columns(call), call.args, strict=True)
        one = len(call.args) == 1
        return [(kind, {"column": c, **more}, "" if one else f"{callee(call)}({self.source(node)}{inside})") for c, node in found]

    def _pattern(self, call: ast.Call, kind: str, key: str) -> Phrase:
        if len(call.args) != 2 or call.keywords:
            raise self.bad(f"{callee(call)} takes a column and a value", call)
        column, pattern = self.column(call.args[0]), self.value(call.args[1])
        sense.pattern(self, call.args[1], key, pattern)
        return kind, {"column": column, key: pattern}, ""

    # -- comparisons ----------------------------------------------------------------------------------------

    def _compare(self, node: ast.Compare) -> list[Phrase]:
        sides = [node.left, *node.comparators]
        if any(isinstance(op, (ast.In, ast.NotIn)) for op in node.ops):
            if len(node.ops) != 1:
                raise self.bad("'in' stands alone, as in plan in {'a', 'b'}", node)
            return [(*self._membership(node), "")]
        if any(isinstance(op, (ast.Is, ast.IsNot)) for op in node.ops):
            word = "null" if isinstance(node.ops[0], ast.Is) else "not_null"
            raise self.bad(f"nulls are asked for by {word}(...)", node, node, f"{word}({self.source(node.left)})")
        for word, reader in (("rows", self._rows), ("columns", self._table_columns)):
            if any(isinstance(side, ast.Name) and side.id == word for side in sides):
                return [(*reader(node), "")]
        subjects = [i for i, side in enumerate(sides) if not self._is_value(side)]
        if not subjects:
            quoted = next((s for s in sides if isinstance(s, ast.Constant) and s.value in self.entry.columns), None)
            if quoted is not None:
                self.column(quoted)  # which says how a column is written
            raise self.bad("no column stands in this comparison", node)
        if len(subjects) == len(sides):
            return self._pairs(node, sides)
        if len(subjects) != 1:
            raise self.bad("compare a column with values, or columns with each other", sides[subjects[1]])
        return [(*self._range(node, sides[subjects[0]], subjects[0]), "")]

    def _membership(self, node: ast.Compare) -> tuple[str, Json]:
        values = self.value(node.comparators[0])
        if not isinstance(values, list):
            raise self.bad("after 'in' comes a set, as in {'a', 'b'}", node.comparators[0])
        inside = isinstance(node.ops[0], ast.In)
        if isinstance(node.left, ast.Call) and callee(node.left) == "dtype":
            if not inside:
                raise self.bad("Great Expectations has nothing for dtype(...) not in", node)
            wrong = next((value for value in values if not isinstance(value, str)), None)
            if wrong is not None:
                raise self.bad(f"a type is a text in quotes, not {wrong!r}", node.comparators[0])
            return "expect_column_values_to_be_in_type_list", {"column": self._columns(node.left)[0], "type_list": values}
        kind = "expect_column_values_to_be_in_set" if inside else "expect_column_values_to_not_be_in_set"
        return kind, {"column": self.column(node.left), "value_set": values}

    def _rows(self, node: ast.Compare) -> tuple[str, Json]:
        sides = [node.left, *node.comparators]
        place = next(i for i, side in enumerate(sides) if isinstance(side, ast.Name) and side.id == "rows")
        bounds = self._bounds(node, place)
        found: Json = {}
        for key, step in (("min_value", 1), ("max_value", -1)):
            if key in bounds:
                value = bounds[key]
                if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
                    raise self.bad(f"rows are counted in whole numbers, not {value!r}", node)
                found[key] = int(value) + (step if bounds.get(f"strict_{key[:3]}") else 0)
        sense.bounds(self, "", found, node)
        return "expect_table_row_count_to_be_between", found

    def _table_columns(self, node: ast.Compare) -> tuple[str, Json]:
        if len(node.ops) != 1 or not isinstance(node.ops[0], (ast.Eq, ast.GtE)) or not isinstance(node.left, ast.Name):
            raise self.bad("columns are compared as in columns == {'a', 'b'}", node)
        other = node.comparators[0]
        names = self.value(other)
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise self.bad("columns are compared with a set or list of names, as in columns == {'a', 'b'}", other)
        if isinstance(other, (ast.List, ast.Tuple)) and isinstance(node.ops[0], ast.Eq):
            return "expect_table_columns_to_match_ordered_list", {"column_list": names}
        return "expect_table_columns_to_match_set", {"column_set": names, "exact_match": isinstance(node.ops[0], ast.Eq)}

    def _pairs(self, node: ast.Compare, sides: Sequence[ast.expr]) -> list[Phrase]:
        """Columns with each other, each with the next."""
        found: list[Phrase] = []
        for op, (first, second) in zip(node.ops, pairwise(sides), strict=True):
            left, right = self.column(first), self.column(second)
            if isinstance(op, ast.Eq):
                kind, kwargs = "expect_column_pair_values_to_be_equal", {"column_A": left, "column_B": right, "ignore_row_if": EITHER}
                short = f"{self.source(first)} == {self.source(second)}"
            else:
                if type(op) not in _ORDER:
                    raise self.bad("two columns are compared by <, <=, >, >= or ==", node)
                short = f"{self.source(first)} {_ORDER[type(op)]} {self.source(second)}"
                if isinstance(op, (ast.Lt, ast.LtE)):
                    left, right = right, left
                equal = isinstance(op, (ast.LtE, ast.GtE))
                kind = "expect_column_pair_values_a_to_be_greater_than_b"
                kwargs = {"column_A": left, "column_B": right, "or_equal": equal, "ignore_row_if": EITHER}  # type: ignore[dict-item]
            found.append((kind, kwargs, "" if len(sides) == 2 else short))
        return found

    def _range(self, node: ast.Compare, subject: ast.expr, place: int) -> tuple[str, Json]:
        word = self.word(subject) if isinstance(subject, ast.Call) and callee(subject) != "col" else ""
        if isinstance(subject, ast.Call) and subject.keywords:
            raise self.bad(f"{callee(subject)} takes no keyword inside its brackets", subject.keywords[0])
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
            bounds: Json = {"min_value": value, "max_value": value}
        else:
            bounds = self._bounds(node, place)
        sense.bounds(self, word, bounds, node)
        if not word:
            return "expect_column_values_to_be_between", {"column": self.column(subject), **bounds}
        assert isinstance(subject, ast.Call)
        return self._aggregate(word, subject, bounds, node)

    def _aggregate(self, word: str, call: ast.Call, bounds: Json, node: ast.expr) -> tuple[str, Json]:
        if word == "quantile":
            return self._quantile(call, bounds, node)
        columns = self._columns(call)
        if len(columns) != 1:
            raise self.bad(f"{word} takes one column", call.args[1])
        column = columns[0]
        if word == "dtype":
            if bounds.get("min_value") != bounds.get("max_value") or not isinstance(bounds["min_value"], str):
                raise self.bad(f'dtype is compared as in dtype({self.source(call.args[0])}) == "int64"', call)
            return "expect_column_values_to_be_of_type", {"column": column, "type_": bounds["min_value"]}
        if word in DRIFT:
            if "max_value" not in bounds or "min_value" in bounds:
                raise self.bad(f"{word} is held below a value, as in {word}({self.source(call.args[0])}) < 0.2", call)
            return drift_type(word), {"column": column, "max_value": bounds["max_value"], "strict_max": "strict_max" in bounds}
        if word not in AGGREGATES:
            raise self.bad(f"{word}(...) is not compared; it stands alone", call)
        if word == "null_share":
            turned = {"min_value": "max_value", "max_value": "min_value", "strict_min": "strict_max", "strict_max": "strict_min"}
            flipped = {turned[key]: value if key.startswith("strict") else round(1 - value, 12) for key, value in bounds.items()}
            return AGGREGATES[word], {"column": column, **flipped}
        if word == "length" and bounds.get("min_value") == bounds.get("max_value"):
            return "expect_column_value_lengths_to_equal", {"column": column, "value": bounds["min_value"]}
        return AGGREGATES[word], {"column": column, **bounds}

    def _quantile(self, call: ast.Call, bounds: Json, node: ast.expr) -> tuple[str, Json]:
        if "strict_min" in bounds or "strict_max" in bounds:
            source = self.source(node)
            right = source.replace("<=", "<").replace(">=", ">").replace("<", "<=").replace(">", ">=")
            raise self.bad("a quantile is held with <= and >=", node, node, right)
        if len(call.args) != 2:
            raise self.bad("quantile takes a column and a number, as in quantile(age, 0.9) <= 70", call)
        column, q = self.column(call.args[0]), self.value(call.args[1])
        sense.share(self, call.args[1], q)
        ranges = {"quantiles": [q], "value_ranges": [[bounds.get("min_value"), bounds.get("max_value")]]}
        return AGGREGATES["quantile"], {"column": column, "quantile_ranges": ranges}

    # -- parts ----------------------------------------------------------------------------------------------

    def _bounds(self, node: ast.Compare, place: int) -> Json:
        """min_value and max_value around the subject at ``place``, with strict_min and strict_max where they are open."""
        sides = [node.left, *node.comparators]
        found: Json = {}
        for i, op in enumerate(node.ops):
            if isinstance(op, ast.Eq) and len(node.ops) == 1:
                value = self.value(sides[1 - place])
                return {"min_value": value, "max_value": value}
            if type(op) not in _ORDER:
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

    def _is_value(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Call):
            return callee(node) == "var"
        return not isinstance(node, ast.Name)
