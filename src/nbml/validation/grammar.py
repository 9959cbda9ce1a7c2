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
from nbml.validation.phrases import Phrase, Phrases
from nbml.validation.reading import Entry, callee
from nbml.validation.words import (
    BY_VALUE,
    DRIFT,
    KEYWORDS,
    NAMES,
    ROWLESS,
    ROWS_BY_QUERY,
    SEVERITIES,
    columns_of,
    drift_type,
    first_arguments,
)


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


def parse(
    text: str, values: Mapping[str, Any] | None = None, columns: Sequence[str] = (), kept: str = "in the notebook"
) -> list[Config]:
    """All entries of a suite. ``values`` is what ``var("name")`` reads, once, and ``kept`` where they are; ``columns`` are
    those of the frame, where one is there: another one is an error then. Raises errors.BadExpectation."""
    found: list[Config] = []
    for entry in entries(text, values or {}, columns, kept):
        found += _Expectation(entry).configs()
    return found


class _Expectation(Phrases):
    """One entry as configurations."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(entry)
        self.mostly: ast.keyword | None = None
        self.where: str | None = None
        self.chosen: ast.AST | None = None
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
        named = isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and _named(call.func.id)
        phrases = self._by_name(call) if named and isinstance(call, ast.Call) else self.phrases(call)
        text, short, found = self.one_line(self.entry.text), self.one_line(self.source(call)), []
        for kind, kwargs, own in phrases:
            if self.where and kind in ROWLESS:
                raise self._nothing("where", self.chosen or call, "it is the same in all rows")
            found.append(Config(kind, kwargs | self._mostly(kind), text, self.where, self.severity, self.entry.line, own or short))
        return found

    def _not_one(self, tree: ast.Call) -> errors.BadExpectation:
        if not tree.args and len(tree.keywords) == 1 and tree.keywords[0].arg not in KEYWORDS:
            found = self.bad("values are compared by ==", tree.keywords[0])
            found.next = self.proposal(f"{tree.keywords[0].arg} == {self.source(tree.keywords[0].value)}")
            return found
        second = tree.args[1] if len(tree.args) > 1 else tree
        return self.bad("one expression is needed, then keywords", second)

    def _nothing(self, word: str, at: ast.AST, why: str) -> errors.BadExpectation:
        """A keyword that has no meaning here; the entry without it is proposed."""
        found = self.bad(f"{word} says nothing here: {why}", at)
        tree = self.tree()
        others = [self.source(keyword) for keyword in tree.keywords if keyword.arg != word]
        found.next = self.proposal(", ".join([self.source(tree.args[0]), *others]))
        return found

    def _keywords(self, keywords: Sequence[ast.keyword]) -> None:
        for keyword in keywords:
            if keyword.arg not in KEYWORDS:
                close = errors.nearest(keyword.arg or "", KEYWORDS)
                right = f"{close}={self.source(keyword.value)}" if close else None
                raise self.bad(f"no keyword {keyword.arg!r}" + (f"; nearest: {close}" if close else ""), keyword, keyword, right)
            if keyword.arg == "where":
                self.where, self.chosen = self._where(keyword.value), keyword
                continue
            value = self.value(keyword.value)
            if keyword.arg == "mostly":
                if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
                    raise self.bad(f"mostly is a share from 0 to 1, not {value!r}", keyword.value)
                self.mostly = keyword
            else:
                self.severity = self._severity(value, keyword.value)

    def _severity(self, value: Any, at: ast.AST) -> str:
        if value not in SEVERITIES:
            close = errors.nearest(str(value), SEVERITIES)
            raise self.bad(f"severity is one of {', '.join(SEVERITIES)}, not {value!r}", at, at, repr(close) if close else None)
        return str(value)

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
            raise self._nothing("mostly", self.mostly, "the column is judged as a whole")
        return {"mostly": self.value(self.mostly.value)}

    def _by_name(self, call: ast.Call) -> list[Phrase]:
        """``expect_column_values_to_be_increasing("ts")``: GX's own name and arguments."""
        kind = callee(call)
        if kind not in NAMES and kind not in map(drift_type, DRIFT) and kind != ROWS_BY_QUERY and not _registered(kind):
            close = errors.nearest(kind, NAMES)
            raise self.bad(f"no expectation {kind!r}" + (f"; nearest: {close}" if close else ""), call, call.func, close)
        kwargs: dict[str, Any] = {}
        for keyword in call.keywords:
            if keyword.arg is None:
                raise self.bad("arguments are written out, not given by **", keyword)
            if keyword.arg == "where":
                self.where, self.chosen = self._where(keyword.value), keyword
            elif keyword.arg == "severity":
                self.severity = self._severity(self.value(keyword.value), keyword.value)
            else:
                kwargs[keyword.arg] = self._argument(keyword.arg, keyword.value)
        first = first_arguments(kind)
        if len(call.args) > len(first):
            takes = f"{len(first)} argument{'' if len(first) == 1 else 's'}"
            raise self.bad(f"{kind} takes {takes} without a name", call.args[len(first)])
        for name, argument in zip(first, call.args, strict=False):
            if name in kwargs:
                raise self.bad(f"{name} is given twice", argument)
            kwargs[name] = self._argument(name, argument)
        if not kind.startswith("expect_table_") and kind != "expect_column_to_exist":
            for column in columns_of(kwargs):
                self.known(column, call)
        sense.named(self, call, kind, kwargs)
        return [(kind, kwargs, "")]

    def _argument(self, name: str, node: ast.expr) -> Any:
        """A value, or a column as the language writes it: ``age``, ``col("net amount")``."""
        if name.startswith("column") and (isinstance(node, ast.Name) or (isinstance(node, ast.Call) and callee(node) == "col")):
            return self.column(node)
        return self.value(node)


def _named(word: str) -> bool:
    return word.startswith("expect_") or word == ROWS_BY_QUERY


def _registered(kind: str) -> bool:
    """Whether somebody has registered an expectation of that name with a Great Expectations that is loaded already."""
    registry = sys.modules.get("great_expectations.expectations.registry")
    return registry is not None and kind in registry.list_registered_expectation_implementations()
