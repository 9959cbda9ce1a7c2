"""The language of ``%%nbml expect``: text to Great Expectations configurations.

Each entry is read as the argument list of a call (one expression, then keywords) with ``ast``, as syntax; nothing is
ever evaluated. An entry may span lines inside brackets. Comments are kept with the text.
"""

from __future__ import annotations

import ast
import io
import textwrap
import tokenize
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nbml import errors

#: word -> GX's aggregate expectation; its bounds are min_value and max_value
AGGREGATES = {
    "mean": "expect_column_mean_to_be_between",
    "median": "expect_column_median_to_be_between",
    "stdev": "expect_column_stdev_to_be_between",
    "sum": "expect_column_sum_to_be_between",
    "min": "expect_column_min_to_be_between",
    "max": "expect_column_max_to_be_between",
    "n_unique": "expect_column_unique_value_count_to_be_between",
    "length": "expect_column_value_lengths_to_be_between",
    "null_share": "expect_column_proportion_of_non_null_values_to_be_between",
    "quantile": "expect_column_quantile_values_to_be_between",
}
#: drift measures; GX has none, so these types are ours
DRIFT = ("psi", "ks", "js", "chi2", "wasserstein")
#: words that stand alone as an entry
PREDICATES = ("not_null", "null", "unique", "matches", "like", "format", "increasing", "decreasing")
WORDS = (*AGGREGATES, *DRIFT, *PREDICATES, "dtype", "rows", "columns", "col", "var")
KEYWORDS = ("mostly", "where", "severity")
SEVERITIES = ("critical", "warning", "info")
PAIR = "either_value_is_missing"


@dataclass(frozen=True)
class Config:
    """One GX expectation: type and kwargs; ``where`` is a row condition in the same grammar, ``text`` the entry it came from."""

    type: str
    kwargs: dict[str, Any]
    text: str
    where: str | None = None
    severity: str = "critical"
    line: int = 1

    def to_json(self) -> dict[str, Any]:
        meta: dict[str, Any] = {"nbml": {"text": self.text, "line": self.line, **({"where": self.where} if self.where else {})}}
        return {"type": self.type, "kwargs": self.kwargs, "meta": meta, "severity": self.severity}


@dataclass(frozen=True)
class _Entry:
    text: str
    line: int
    column: int
    frozen: Mapping[str, Any] = field(default_factory=dict)


def parse(text: str, values: Mapping[str, Any] | None = None) -> list[Config]:
    """All entries of a suite. ``values`` is what ``var("name")`` reads, once. Raises errors.BadExpectation."""
    found: list[Config] = []
    for entry in _entries(text, values or {}):
        found += _Reader(entry).configs()
    return found


def _entries(text: str, values: Mapping[str, Any]) -> list[_Entry]:
    """Logical lines, without their comments."""
    source = textwrap.dedent(text).strip("\n") + "\n"
    skipped = len(text) - len(text.lstrip("\n"))
    lines = source.splitlines(keepends=True)
    found: list[_Entry] = []
    tokens: list[tokenize.TokenInfo] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.NEWLINE:
                if tokens:
                    start, end = tokens[0].start, tokens[-1].end
                    found.append(_Entry(_between(lines, start, end), start[0] + skipped, start[1] + 1, values))
                tokens = []
            elif token.type not in (tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER):
                tokens.append(token)
    except tokenize.TokenError as error:
        line, column = error.args[1]
        raise errors.BadExpectation(f"line {line + skipped}: a bracket or quote is not closed", line=line, column=column) from error
    except IndentationError as error:
        raise errors.BadExpectation(f"line {error.lineno}: unexpected indent", line=error.lineno or 1) from error
    return found


def _between(lines: Sequence[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    if start[0] == end[0]:
        return lines[start[0] - 1][start[1] : end[1]]
    middle = lines[start[0] : end[0] - 1]
    return "".join([lines[start[0] - 1][start[1] :], *middle, lines[end[0] - 1][: end[1]]])


class _Reader:
    """Reads one entry."""

    def __init__(self, entry: _Entry) -> None:
        self.entry = entry
        self.mostly: float | None = None
        self.where: str | None = None
        self.severity = "critical"

    def configs(self) -> list[Config]:
        try:
            tree = ast.parse(f"f({self.entry.text}\n)", mode="eval").body
        except SyntaxError as error:
            raise self.bad(f"cannot be read: {error.msg}", (error.lineno or 1, (error.offset or 3) - 3)) from error
        assert isinstance(tree, ast.Call)
        if len(tree.args) != 1:
            raise self.bad("one expression is needed, then keywords", tree)
        call = tree.args[0]
        own = isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id.startswith("expect_")
        self._keywords(tree.keywords)
        pairs = self._by_name(call) if own else self._expression(call)  # type: ignore[arg-type]
        mostly = {} if self.mostly is None else {"mostly": self.mostly}
        return [
            Config(kind, {**kwargs, **mostly}, self.entry.text, self.where, self.severity, self.entry.line) for kind, kwargs in pairs
        ]

    def _keywords(self, keywords: Sequence[ast.keyword]) -> None:
        for keyword in keywords:
            if keyword.arg not in KEYWORDS:
                close = errors.nearest(keyword.arg or "", KEYWORDS)
                raise self.bad(f"no keyword {keyword.arg!r}" + (f"; nearest: {close}" if close else ""), keyword, keyword.arg, close)
            if keyword.arg == "where":
                where = keyword.value
                self.where = where.value if isinstance(where, ast.Constant) and isinstance(where.value, str) else ast.unparse(where)
                continue
            value = self.value(keyword.value)
            if keyword.arg == "mostly":
                if not isinstance(value, (int, float)) or not 0 <= value <= 1:
                    raise self.bad(f"mostly is a share from 0 to 1, not {value!r}", keyword.value)
                self.mostly = float(value)
            elif value not in SEVERITIES:
                raise self.bad(f"severity is one of {', '.join(SEVERITIES)}, not {value!r}", keyword.value)
            else:
                self.severity = str(value)

    # -- expressions ----------------------------------------------------------------------------------------

    def _by_name(self, call: ast.Call) -> list[tuple[str, dict[str, Any]]]:
        """``expect_column_values_to_be_increasing("ts")``: GX's own name and arguments."""
        assert isinstance(call.func, ast.Name)
        kind = call.func.id
        kwargs = {str(k.arg): self.value(k.value) for k in call.keywords}
        first = _first_arguments(kind)
        if len(call.args) > len(first):
            raise self.bad(f"{kind} takes {len(first)} arguments without a name", call.args[len(first)])
        for name, argument in zip(first, call.args, strict=False):
            kwargs[name] = argument.id if isinstance(argument, ast.Name) else self.value(argument)
        return [(kind, kwargs)]

    def _expression(self, node: ast.expr) -> list[tuple[str, dict[str, Any]]]:
        if isinstance(node, ast.Compare):
            return self._compare(node)
        if isinstance(node, ast.Call):
            return self._predicate(node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not) and isinstance(node.operand, ast.Call):
            word = self.word(node.operand)
            if word == "matches":
                column, regex = self._two(node.operand)
                return [("expect_column_values_to_not_match_regex", {"column": column, "regex": regex})]
        if isinstance(node, ast.Name) and node.id in PREDICATES:
            raise self.bad(f"{node.id} needs a column: {node.id}(COLUMN)", node, node.id, f"{node.id}(COLUMN)")
        raise self.bad(f"{ast.unparse(node)!r} is no expectation: a comparison or one of {', '.join(PREDICATES)}", node)

    def _predicate(self, call: ast.Call) -> list[tuple[str, dict[str, Any]]]:
        word = self.word(call)
        strictly = {str(k.arg): self.value(k.value) for k in call.keywords}
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
        if word in ("matches", "like", "format"):
            column, pattern = self._two(call)
            key, kind = {
                "matches": ("regex", "expect_column_values_to_match_regex"),
                "like": ("like_pattern", "expect_column_values_to_match_like_pattern"),
                "format": ("strftime_format", "expect_column_values_to_match_strftime_format"),
            }[word]
            return [(kind, {"column": column, key: pattern})]
        raise self.bad(f"{word}(...) has to be compared, as in {word}({ast.unparse(call.args[0]) if call.args else 'COLUMN'}) <= 1", call)

    def _compare(self, node: ast.Compare) -> list[tuple[str, dict[str, Any]]]:
        sides = [node.left, *node.comparators]
        if len(node.ops) == 1 and isinstance(node.ops[0], (ast.In, ast.NotIn)):
            return [self._membership(node)]
        for word, reader in (("rows", self._rows), ("columns", self._table_columns)):
            if any(isinstance(side, ast.Name) and side.id == word for side in sides):
                return [reader(node)]
        subjects = [i for i, side in enumerate(sides) if not self._is_value(side)]
        if not subjects:
            raise self.bad("no column stands in this comparison", node)
        if len(subjects) == 2 and len(sides) == 2:
            return [self._pair(node)]
        if len(subjects) != 1:
            raise self.bad("compare a column with values, or two columns with each other", node)
        return [self._range(node, sides[subjects[0]], subjects[0])]

    def _membership(self, node: ast.Compare) -> tuple[str, dict[str, Any]]:
        values = self.value(node.comparators[0])
        if not isinstance(values, list):
            raise self.bad("after 'in' comes a set, as in {'a', 'b'}", node.comparators[0])
        inside = isinstance(node.ops[0], ast.In)
        kind = "expect_column_values_to_be_in_set" if inside else "expect_column_values_to_not_be_in_set"
        return kind, {"column": self.column(node.left), "value_set": values}

    def _rows(self, node: ast.Compare) -> tuple[str, dict[str, Any]]:
        sides = [node.left, *node.comparators]
        place = next(i for i, side in enumerate(sides) if isinstance(side, ast.Name) and side.id == "rows")
        bounds = self._bounds(node, place)
        low, high = bounds.get("min_value"), bounds.get("max_value")
        low = low if low is None else low + int(bounds.get("strict_min", False))
        high = high if high is None else high - int(bounds.get("strict_max", False))
        return "expect_table_row_count_to_be_between", _some(min_value=low, max_value=high)

    def _table_columns(self, node: ast.Compare) -> tuple[str, dict[str, Any]]:
        if len(node.ops) != 1 or not isinstance(node.ops[0], (ast.Eq, ast.GtE)):
            raise self.bad("columns is compared as in columns == {'a', 'b'}", node)
        other = node.comparators[0]
        names = self.value(other)
        if isinstance(other, (ast.List, ast.Tuple)):
            return "expect_table_columns_to_match_ordered_list", {"column_list": names}
        return "expect_table_columns_to_match_set", {"column_set": names, "exact_match": isinstance(node.ops[0], ast.Eq)}

    def _pair(self, node: ast.Compare) -> tuple[str, dict[str, Any]]:
        left, right = self.column(node.left), self.column(node.comparators[0])
        op = node.ops[0]
        if isinstance(op, ast.Eq):
            kwargs = {"column_A": left, "column_B": right, "ignore_row_if": PAIR}
            return "expect_column_pair_values_to_be_equal", kwargs
        if isinstance(op, (ast.Lt, ast.LtE)):
            left, right = right, left
        elif not isinstance(op, (ast.Gt, ast.GtE)):
            raise self.bad("two columns are compared by <, <=, >, >= or ==", node)
        kwargs = {"column_A": left, "column_B": right, "or_equal": isinstance(op, (ast.LtE, ast.GtE)), "ignore_row_if": PAIR}
        return "expect_column_pair_values_a_to_be_greater_than_b", kwargs

    def _range(self, node: ast.Compare, subject: ast.expr, place: int) -> tuple[str, dict[str, Any]]:
        word = self.word(subject) if isinstance(subject, ast.Call) and _callee(subject) != "col" else ""
        equal = len(node.ops) == 1 and isinstance(node.ops[0], (ast.Eq, ast.NotEq))
        if word == "dtype":
            assert isinstance(subject, ast.Call)
            return "expect_column_values_to_be_of_type", {"column": self._columns(subject)[0], "type_": str(self._other(node, place))}
        if equal and isinstance(node.ops[0], ast.NotEq):
            return "expect_column_values_to_not_be_in_set", {"column": self.column(subject), "value_set": [self._other(node, place)]}
        if equal and not word:
            return "expect_column_values_to_be_in_set", {"column": self.column(subject), "value_set": [self._other(node, place)]}
        if equal:
            value = self._other(node, place)
            bounds: dict[str, Any] = {"min_value": value, "max_value": value}
        else:
            bounds = self._bounds(node, place)
        if not word:
            return "expect_column_values_to_be_between", {"column": self.column(subject), **bounds}
        assert isinstance(subject, ast.Call)
        return self._aggregate(word, subject, bounds)

    def _aggregate(self, word: str, call: ast.Call, bounds: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        if word == "quantile":
            column, q = self._two(call)
            ranges = {"quantiles": [q], "value_ranges": [[bounds.get("min_value"), bounds.get("max_value")]]}
            return AGGREGATES[word], {"column": column, "quantile_ranges": ranges}
        column = self._columns(call)[0]
        if word in DRIFT:
            if "max_value" not in bounds or "min_value" in bounds:
                raise self.bad(f"{word} is held below a value, as in {word}({column}) < 0.2", call)
            return f"expect_column_{word}_to_be_less_than", {"column": column, **bounds}
        if word not in AGGREGATES:
            raise self.bad(f"{word}(...) is not compared; it stands alone", call)
        if word == "null_share":
            turned = _some(
                min_value=None if "max_value" not in bounds else 1 - bounds["max_value"],
                max_value=None if "min_value" not in bounds else 1 - bounds["min_value"],
                strict_min=bounds.get("strict_max"),
                strict_max=bounds.get("strict_min"),
            )
            return AGGREGATES[word], {"column": column, **turned}
        if word == "length" and bounds.get("min_value") == bounds.get("max_value"):
            return "expect_column_value_lengths_to_equal", {"column": column, "value": bounds["min_value"]}
        return AGGREGATES[word], {"column": column, **bounds}

    # -- parts ----------------------------------------------------------------------------------------------

    def _bounds(self, node: ast.Compare, place: int) -> dict[str, Any]:
        """min_value and max_value around the subject at ``place``, with strict_min and strict_max where they are open."""
        sides, found = [node.left, *node.comparators], {}
        for i, op in enumerate(node.ops):
            low, high = (i, i + 1) if isinstance(op, (ast.Lt, ast.LtE)) else (i + 1, i)
            strict = isinstance(op, (ast.Lt, ast.Gt))
            if not isinstance(op, (ast.Lt, ast.LtE, ast.Gt, ast.GtE)):
                if isinstance(op, ast.Eq):
                    value = self.value(sides[1 - place])
                    return {"min_value": value, "max_value": value}
                raise self.bad("a range is written with <, <=, > and >=", node)
            if high == place:
                found |= {"min_value": self.value(sides[low])} | ({"strict_min": True} if strict else {})
            elif low == place:
                found |= {"max_value": self.value(sides[high])} | ({"strict_max": True} if strict else {})
            else:
                raise self.bad("a range has one column and a value on either side, as in 0 <= x <= 1", node)
        return found

    def _other(self, node: ast.Compare, place: int) -> Any:
        return self.value([node.left, *node.comparators][1 - place])

    def _columns(self, call: ast.Call) -> list[str]:
        if not call.args:
            raise self.bad(f"{_callee(call)} needs a column", call)
        return [self.column(argument) for argument in call.args]

    def _two(self, call: ast.Call) -> tuple[str, Any]:
        if len(call.args) != 2:
            raise self.bad(f"{_callee(call)} takes a column and a value", call)
        return self.column(call.args[0]), self.value(call.args[1])

    def column(self, node: ast.expr) -> str:
        """A column: a name, or ``col("any name")``."""
        if isinstance(node, ast.Name):
            return node.id
        if isinstance(node, ast.Call) and _callee(node) == "col" and len(node.args) == 1:
            return str(self.value(node.args[0]))
        raise self.bad(f"a column is needed where {ast.unparse(node)!r} stands", node)

    def word(self, call: ast.expr) -> str:
        """The word that is called; an unknown one is an error with the nearest."""
        name = _callee(call)
        if name not in WORDS:
            close = errors.nearest(name, WORDS)
            raise self.bad(f"no expectation {name!r}" + (f"; nearest: {close}" if close else ""), call, name, close)
        return name

    def _is_value(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Call):
            return _callee(node) == "var"
        return not isinstance(node, ast.Name)

    def value(self, node: ast.expr) -> Any:
        """A literal as JSON, or ``var("name")``: a value of the notebook, read now."""
        if isinstance(node, ast.Call) and _callee(node) == "var":
            return self._variable(node)
        if isinstance(node, (ast.Set, ast.List, ast.Tuple)):
            return [self.value(element) for element in node.elts]
        try:
            value = ast.literal_eval(node)
        except ValueError as error:
            raise self.bad(f"{ast.unparse(node)!r} is no value: write it out, or as var(\"name\")", node) from error
        if not isinstance(value, (str, int, float, bool, dict, type(None))):
            raise self.bad(f"{ast.unparse(node)!r} is no value that a suite can hold", node)
        return value

    def _variable(self, node: ast.Call) -> Any:
        name = str(ast.literal_eval(node.args[0])) if node.args else ""
        if name not in self.entry.frozen:
            close = errors.nearest(name, [n for n in self.entry.frozen if not n.startswith("_")])
            raise self.bad(f"no name {name!r} in the notebook" + (f"; nearest: {close}" if close else ""), node, name, close)
        value = self.entry.frozen[name]
        item: Callable[[], Any] | None = getattr(value, "item", None)
        value = item() if item is not None and getattr(value, "ndim", 1) == 0 else value
        value = sorted(value, key=str) if isinstance(value, (set, frozenset)) else list(value) if isinstance(value, tuple) else value
        if hasattr(value, "isoformat"):
            return value.isoformat()
        if not isinstance(value, (str, int, float, bool, list)):
            raise self.bad(f"{name!r} is a {type(value).__name__}; a suite holds numbers, texts, dates and lists of them", node)
        return value

    def bad(self, why: str, where: Any, wrong: str | None = None, right: str | None = None) -> errors.BadExpectation:
        """The error, at its line and column; ``next`` is the entry with ``right`` in place of ``wrong``."""
        line, column = where if isinstance(where, tuple) else (getattr(where, "lineno", 1), getattr(where, "col_offset", 2) - 2)
        column = column + self.entry.column if line == 1 else column + 3
        line = self.entry.line + line - 1
        fixed = self.entry.text.replace(wrong, right, 1) if wrong and right else None
        return errors.BadExpectation(f"line {line}, column {column}: {why}", line=line, column=column, next=fixed)


def _callee(node: ast.expr) -> str:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ast.unparse(node)


def _some(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _first_arguments(kind: str) -> tuple[str, ...]:
    """What the unnamed arguments of a GX expectation are called."""
    if kind.startswith("expect_column_pair_"):
        return ("column_A", "column_B")
    if kind.startswith(("expect_compound_columns_", "expect_multicolumn_", "expect_select_column_")):
        return ("column_list",)
    if kind.startswith("expect_table_columns_to_match_ordered_list"):
        return ("column_list",)
    if kind.startswith("expect_table_columns_to_match_set"):
        return ("column_set",)
    if kind.startswith("expect_table_"):
        return ("value",)
    second = {"_in_set": "value_set", "regex": "regex", "_of_type": "type_", "strftime_format": "strftime_format"}
    return ("column", *(name for end, name in second.items() if kind.endswith(end)))
