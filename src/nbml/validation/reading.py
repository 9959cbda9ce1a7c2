"""Reading one entry of the language: its names, values and places. Syntax only; nothing is ever evaluated.

What an error proposes is read before it is proposed, so that it works as it stands.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from nbml import errors
from nbml.validation import mending
from nbml.validation.words import WORDS, written

#: values that a ``var`` of many may hold
MANY = 10_000
Result = TypeVar("Result")


@dataclass(frozen=True)
class Entry:
    """One entry of a suite, where it begins (from 1), what ``var("name")`` reads and where that is, and the columns of the
    frame where one is there; ``proposed`` where it is read to see whether it can be proposed."""

    text: str
    line: int = 1
    column: int = 1
    frozen: Mapping[str, Any] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    proposed: bool = False
    kept: str = "in the notebook"


class Reader:
    """Names and values of one entry, and errors that point into it."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.lines = re.findall(r"[^\n]*\n|[^\n]+", f"f({entry.text}\n)")

    def tree(self) -> ast.Call:
        """The entry as the arguments of a call. Raises errors.BadExpectation."""
        try:
            tree = ast.parse("".join(self.lines), mode="eval").body
        except SyntaxError as error:
            raise self._unreadable(error) from error
        except (ValueError, RecursionError, MemoryError) as error:  # a NUL; brackets within brackets without end
            raise self.bad(f"cannot be read: {str(error).splitlines()[0] if str(error) else 'it is too deep'}", (1, 0)) from error
        if not isinstance(tree, ast.Call) or ast.unparse(tree.func) != "f":  # a bracket too many closed the call
            raise self.bad("cannot be read: a bracket is closed that was not opened", (1, len(self.entry.text.partition("\n")[0])))
        return tree

    def whole(self) -> object:
        """Read all of the entry. Raises errors.BadExpectation."""
        return self.tree()

    def mend(self, read: Callable[[], Result]) -> Result:
        """What ``read`` gives; where it fails without a proposal, a column that is not written as one is told."""
        try:
            return read()
        except errors.BadExpectation as error:
            found = None if error.next or self.entry.proposed else self._mended(mending.columns(self.entry.text, self.entry.columns))
            if found is None:
                raise
            raise found from error

    def _unreadable(self, error: SyntaxError) -> errors.BadExpectation:
        text = self.entry.text
        for wrong, right in (("=>", ">="), ("=<", "<="), ("&&", "and"), ("||", "or")):
            if wrong in text and not text.startswith(wrong):
                line = text[: text.index(wrong)]
                place = (line.count("\n") + 1, len(line) - (line.rfind("\n") + 1))
                found = self.bad(f"{wrong} is written {right}", place)
                found.next = self.proposal(text.replace(wrong, right))
                return found
        if not self.entry.proposed:
            mended = self._mended(mending.columns(text, self.entry.columns)) or self._mended(mending.words(text, self.entry.columns))
            if mended is not None:
                return mended
        stray = mending.stray(text)
        if stray is not None:
            return self.bad(f"cannot be read: {stray.what!r} does not belong here", stray.place)
        line_no = min(error.lineno or 1, len(self.lines) - 1)
        ends = len(self.lines[line_no - 1].rstrip("\n"))
        offset = ends if (error.lineno or 1) > line_no else min((error.offset or 1) - 1, ends)
        reason = error.msg.partition(". Perhaps")[0]
        return self.bad(f"cannot be read: {reason}", (line_no, offset - 2 if line_no == 1 else offset))

    def _mended(self, candidates: Iterable[mending.Mended]) -> errors.BadExpectation | None:
        """The error of the first change after which the entry can be read."""
        for candidate in candidates:
            right = self.proposal(candidate.text)
            if right is not None:
                found = self.bad(candidate.why, candidate.place)
                found.next = right
                return found
        return None

    def proposal(self, text: str) -> str | None:
        """``text`` in one line, where it can be read; else None."""
        if self.entry.proposed:
            return None
        line = self.one_line(text)
        try:
            type(self)(replace(self.entry, text=line, proposed=True)).whole()
        except errors.BadExpectation:
            return None
        return line

    def column(self, node: ast.expr) -> str:
        """A column: a name, or ``col("any name")``."""
        if isinstance(node, ast.Name):
            return self.known(node.id, node)
        if callee(node) == "col" and isinstance(node, ast.Call) and len(node.args) == 1:
            return self.known(str(self.value(node.args[0])), node)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            right = written(node.value)
            raise self.bad(f"a column is written {right}, not in quotes", node, node, right)
        raise self.bad(f"a column is needed where {ast.unparse(node)!r} stands", node)

    def known(self, name: str, node: ast.expr) -> str:
        """``name``, which the frame has where one is there. Raises errors.BadExpectation with the nearest that it has."""
        if self.entry.columns and name not in self.entry.columns:
            close = errors.nearest(name, self.entry.columns)
            hint = f"; nearest: {close}" if close else f"; there are {', '.join(self.entry.columns[:8])}"
            raise self.bad(f"no column {name!r}{hint}", node, node, written(close) if close else None)
        return name

    def word(self, call: ast.expr) -> str:
        """The word that is called; an unknown one is an error with the nearest."""
        name = callee(call)
        if name not in WORDS:
            close = errors.nearest(name, WORDS)
            named = call.func if isinstance(call, ast.Call) else call
            raise self.bad(f"no expectation {name!r}" + (f"; nearest: {close}" if close else ""), call, named, close)
        return name

    def value(self, node: ast.expr) -> Any:
        """A literal as JSON, or ``var("name")``: a value of the notebook, read now."""
        if isinstance(node, ast.Call) and callee(node) == "var":
            return self._variable(node)
        if isinstance(node, (ast.Set, ast.List, ast.Tuple)):
            return [self.value(element) for element in node.elts]
        try:
            value = json.loads(json.dumps(ast.literal_eval(node), allow_nan=False))
            json.dumps(value, ensure_ascii=False).encode()  # half of a character has no place in the record
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
            fixed = json.dumps(node.id) if isinstance(node, ast.Name) else None
            hint = f": a text is written {fixed}" if fixed else ': write it out, or as var("name")'
            raise self.bad(f"{ast.unparse(node)!r} is no value{hint}", node, node, fixed) from error
        return value

    def _variable(self, node: ast.Call) -> Any:
        argument = node.args[0] if node.args else node
        name = argument.value if isinstance(argument, ast.Constant) else None
        if not isinstance(name, str):
            raise self.bad('var takes the name of a variable in quotes, as in var("limit")', node)
        if name not in self.entry.frozen:
            close = errors.nearest(name, _own(self.entry.frozen))
            fixed = json.dumps(close) if close else None
            raise self.bad(f"no name {name!r} {self.entry.kept}" + (f"; nearest: {close}" if close else ""), node, argument, fixed)
        value = plain(self.entry.frozen[name])
        try:
            json.dumps(value, allow_nan=False)
            if isinstance(value, list) and len(value) > MANY:
                raise ValueError(len(value))
        except (TypeError, ValueError) as error:
            kind = type(self.entry.frozen[name]).__name__
            why = f"{name!r} is a {kind}; a suite holds numbers, texts, dates and lists of up to {MANY:,} of them"
            raise self.bad(why, node) from error
        return value

    # -- errors ---------------------------------------------------------------------------------------------

    def bad(self, why: str, at: ast.AST | tuple[int, int], wrong: ast.AST | None = None, right: str | None = None) -> errors.BadExpectation:
        """The error at its line and column; ``next`` is the entry with ``right`` in place of the node ``wrong``."""
        line, offset = at if isinstance(at, tuple) else self._start(at)
        column = max(1, (offset + self.entry.column) if line == 1 else offset + 1)
        line = self.entry.line + line - 1
        fixed = None if wrong is None or right is None else self.proposal(self._replaced(wrong, right))
        return errors.BadExpectation(f"{self.place(line, column)}: {why}", line=line, column=column, next=fixed)

    def place(self, line: int, column: int) -> str:
        """How a message names the place."""
        return f"line {line}, column {column}"

    def _start(self, node: ast.AST) -> tuple[int, int]:
        line = getattr(node, "lineno", 1)
        offset = len(self.lines[line - 1].encode()[: getattr(node, "col_offset", 2)].decode())
        return line, offset - 2 if line == 1 else offset

    def _replaced(self, node: ast.AST, right: str) -> str:
        first, last = getattr(node, "lineno", 1) - 1, getattr(node, "end_lineno", 1) - 1
        before = self.lines[first].encode()[: getattr(node, "col_offset", 0)].decode()
        after = self.lines[last].encode()[getattr(node, "end_col_offset", 0) :].decode()
        text = "".join([*self.lines[:first], before, right, after, *self.lines[last + 1 :]])
        return text[2 : text.rindex("\n)")]

    def source(self, node: ast.AST) -> str:
        """A node as it is written."""
        return ast.get_source_segment("".join(self.lines), node) or ""

    @staticmethod
    def one_line(text: str) -> str:
        """An entry in one line, as it is where it stands in one."""
        if "\n" not in text:
            return text
        try:
            return ast.unparse(ast.parse(f"f({text}\n)", mode="eval").body)[2:-1]
        except SyntaxError:
            return " ".join(text.split())


def callee(node: ast.AST) -> str:
    """What is called, where it is a plain name; else the node as text."""
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ast.unparse(node)


def _own(names: Mapping[str, Any]) -> list[str]:
    """Names whose values a suite may hold; not the functions and modules of a notebook."""
    kinds = ("function", "builtin_function_or_method", "method", "module", "type")
    return [name for name in names if not name.startswith("_") and type(names[name]).__name__ not in kinds]


def plain(value: Any) -> Any:
    """Values of numpy and pandas, dates and sets as what JSON holds; others as they are."""
    if isinstance(value, (str, bool, int, float)) or value is None:
        return value if type(value) in (str, bool, int, float, type(None)) else _item(value)
    if isinstance(value, (set, frozenset)):
        return sorted((plain(v) for v in value), key=str)
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    listed: Callable[[], Iterable[Any]] | None = getattr(value, "tolist", None)
    if listed is not None and getattr(value, "ndim", 0) == 1 and len(value) <= MANY:
        return [plain(v) for v in (value.astype(str) if getattr(value.dtype, "kind", "") == "M" else value).tolist()]
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return _item(value)


def _item(value: Any) -> Any:
    """A scalar of numpy as Python's own."""
    if getattr(getattr(value, "dtype", None), "kind", "") == "M":
        return str(value)
    item: Callable[[], Any] | None = getattr(value, "item", None)
    return item() if item is not None and getattr(value, "ndim", 1) == 0 else value
