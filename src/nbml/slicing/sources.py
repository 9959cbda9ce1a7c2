"""Where a live function or class is written: its syntax tree, found by comparing code objects, not names."""

from __future__ import annotations
import __future__

import ast
import bisect
import dis
import linecache
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from nbml.slicing.cells import TIMED
from nbml.slicing.recorder import Recorder

Definition: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef"
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
FUTURE = __future__.annotations.compiler_flag


@dataclass(frozen=True)
class Found:
    """A definition: its node, the text it stands in, where that is, and the code object that the node compiles to."""

    node: Definition
    text: str
    label: str
    order: tuple[int, int]
    code: types.CodeType
    enclosing: tuple[str, ...]

    @property
    def nested(self) -> bool:
        """Whether it stands in a function."""
        return bool(self.enclosing)


class Text:
    """A text of statements, compiled so that each code object is known by the node it came from."""

    def __init__(self, text: str, label: str, seq: int, flags: int = 0) -> None:
        self.text, self.label, self.seq = text, label, seq
        self.found: list[Found] = []
        try:
            tree = ast.parse(text)
        except SyntaxError:
            return
        self._fill(tree, flags)

    def _fill(self, tree: ast.Module, flags: int) -> None:
        """Give every definition a line number of its own, compile, and read the numbers off the code objects."""
        nodes: dict[int, tuple[Definition, int, tuple[str, ...]]] = {}
        for node, enclosing in _definitions(tree, ()):
            nodes[1_000_000 + len(nodes)] = (node, node.lineno, enclosing)
        marked = ast.parse(self.text)
        for mark, (twin, _) in zip(nodes, _definitions(marked, ()), strict=True):
            decorators = getattr(twin, "decorator_list", None)
            first = decorators[0] if decorators else twin
            first.lineno = first.end_lineno = mark
            first.end_col_offset = first.col_offset + 1
        try:
            code = compile(marked, "<slice>", "exec", flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        except (SyntaxError, ValueError):
            return
        for inner in codes(code):
            if inner.co_firstlineno in nodes:
                node, line, enclosing = nodes[inner.co_firstlineno]
                self.found.append(Found(node, self.text, self.label, (self.seq, line), inner, enclosing))


def _definitions(tree: ast.AST, enclosing: tuple[str, ...]) -> Iterator[tuple[Definition, tuple[str, ...]]]:
    for child in ast.iter_child_nodes(tree):
        inner = enclosing
        if isinstance(child, _DEFINITIONS):
            yield child, enclosing
            if not isinstance(child, ast.ClassDef):
                inner = (*enclosing, getattr(child, "name", "<lambda>"))
        yield from _definitions(child, inner)


def codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """A code object and all that it holds."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes(constant)


def same(one: types.CodeType, other: types.CodeType, *, named: bool = True) -> bool:
    """Whether two code objects do the same, wherever they stand."""
    if named and one.co_name != other.co_name:
        return False
    for part in ("co_names", "co_varnames", "co_freevars", "co_cellvars", "co_argcount", "co_kwonlyargcount", "co_posonlyargcount"):
        if getattr(one, part) != getattr(other, part):
            return False
    if one.co_code != other.co_code and _steps(one) != _steps(other):
        return False
    return len(one.co_consts) == len(other.co_consts) and all(map(_same_constant, one.co_consts, other.co_consts))


def _steps(code: types.CodeType) -> list[tuple[str, Any]]:
    """The instructions, but for how a method is called: that depends on whether the module's text imports the name before it."""
    found = [i for i in dis.get_instructions(code) if i.opname not in ("PUSH_NULL", "NOP", "CACHE", "PRECALL")]
    places = {i.offset: place for place, i in enumerate(found)}
    after = sorted(places)

    def value(i: dis.Instruction) -> Any:
        if i.opcode in dis.hasjrel or i.opcode in dis.hasjabs:
            return places.get(i.argval, bisect.bisect_left(after, i.argval or 0))
        return None if i.opname == "LOAD_CONST" else i.argval

    return [("LOAD_ATTR" if i.opname == "LOAD_METHOD" else i.opname, value(i)) for i in found]


def _same_constant(one: Any, other: Any) -> bool:
    if isinstance(one, types.CodeType) and isinstance(other, types.CodeType):
        return same(one, other)
    if type(one) is not type(other):
        return False
    if isinstance(one, frozenset):
        return bool(one == other)
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(_same_constant, one, other))
    # qualified names of nested functions differ where their surroundings do
    if isinstance(one, str) and "<locals>" in one and "<locals>" in other:
        return one.rpartition(".")[2] == other.rpartition(".")[2]
    return repr(one) == repr(other)


def underlying(value: object) -> types.FunctionType | None:
    """The function under a method, property, cached property, static or class method, or ``functools.wraps``."""
    for _ in range(20):
        if isinstance(value, types.FunctionType):
            inner = getattr(value, "__wrapped__", None)
            if inner is None:
                return value
            value = inner
            continue
        for part in ("__wrapped__", "__func__", "fget", "func"):
            inner = part_of(value, part)
            if inner is not None:
                value = inner
                break
        else:
            return None
    return None


def part_of(value: object, part: str) -> Any:
    try:
        return getattr(value, part, None)
    except Exception:  # a user's descriptor may raise anything
        return None


class Sources:
    """Finds definitions in the cells that ran, and in the files that the notebook ran."""

    def __init__(self, record: Recorder | None) -> None:
        self.record = record
        shell_flags = getattr(getattr(record, "shell", None), "compile", None)
        self.flags = getattr(shell_flags, "flags", 0) & FUTURE
        self._by_file: dict[tuple[str, int], Text | None] = {}
        self._cells: dict[int, Text] = {}

    def function(self, function: types.FunctionType) -> Found | None:
        """Where a function is written, or None. What is found compiles to what runs."""
        code = function.__code__
        text = self.file(code.co_filename, code.co_flags & FUTURE)
        if text is not None:
            near = [f for f in text.found if not isinstance(f.node, ast.ClassDef) and same(f.code, code)]
            exact = [f for f in near if first(f.node) == code.co_firstlineno]
            if exact:
                return _at_columns(exact, code)
        if text is None or code.co_filename == TIMED:
            for text in self.cells():
                near = [f for f in text.found if not isinstance(f.node, ast.ClassDef) and same(f.code, code)]
                if near:
                    return near[-1]
        return None

    def own(self, function: types.FunctionType) -> bool:
        """Whether a function is the notebook's. A library may say so of what it gives to a class, and even make its text, as attrs."""
        name = function.__code__.co_filename
        known = self.record is not None and self.record.cell_of(name) is not None
        made = name.startswith("<") and name != TIMED and not known and bool(linecache.getlines(name))
        return function.__module__ == "__main__" and function.__globals__.get("__name__") == "__main__" and not made

    def cells(self) -> Iterator[Text]:
        """The recorded cells, the latest first."""
        for cell in reversed(self.record.cells if self.record else []):
            if cell.seq not in self._cells:
                self._cells[cell.seq] = Text(cell.source, cell.label, cell.seq, self.flags)
            yield self._cells[cell.seq]

    def file(self, name: str, flags: int = 0) -> Text | None:
        """The text that code objects call ``name``; None where there is none."""
        key = (name, flags)
        if key not in self._by_file:
            lines = linecache.getlines(name)
            cell = self.record.cell_of(name) if self.record else None
            if not lines and cell is None:
                self._by_file[key] = None
            else:
                text = "".join(lines) if lines else cell.source if cell else ""
                label = cell.label if cell else name.replace("\\", "/").rpartition("/")[2]
                self._by_file[key] = Text(text, label, cell.seq if cell else -1 if self.record else 0, flags)
        return self._by_file[key]

    def texts_of(self, kind: type) -> Iterator[Text]:
        """The texts in which a class may be written: those of its methods, then all cells."""
        seen: set[int] = set()
        for member in vars(kind).values():
            function = underlying(member)
            if function is not None and function.__qualname__.startswith(kind.__qualname__ + "."):
                text = self.file(function.__code__.co_filename, function.__code__.co_flags & FUTURE)
                if text is not None and id(text) not in seen:
                    seen.add(id(text))
                    yield text
        yield from self.cells()
        if self.record is None:
            text = self.file(getattr(__import__("__main__"), "__file__", None) or "")
            if text is not None and id(text) not in seen:
                yield text

    def kind(self, kind: type) -> Found | None:
        """Where a class is written: the class statement whose methods compile to the live ones; the latest of these."""
        for text in self.texts_of(kind):
            for found in reversed(text.found):
                if isinstance(found.node, ast.ClassDef) and found.node.name == kind.__name__ and self._fits(kind, found, text):
                    return found
        return None

    def _fits(self, kind: type, found: Found, text: Text) -> bool:
        return not any(self.replaced(kind, found, text))

    def replaced(self, kind: type, found: Found, text: Text) -> Iterator[str]:
        """Methods of a class statement that are not what the live class has."""
        by_node = {f.node: f for f in text.found}
        live = vars(kind)
        body = [node for node in getattr(found.node, "body", ()) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
        for name, node in {node.name: node for node in body}.items():
            private = name.startswith("__") and not name.endswith("__")
            known = f"_{kind.__name__.lstrip('_')}{name}" if private else name
            value = live.get(known)
            if known not in live or (underlying(value) is not None and node in by_node and not holds(value, by_node[node].code)):
                yield name


def holds(value: object, code: types.CodeType) -> bool:
    """Whether a function, or one under its decorators, has this code."""
    waiting: list[object] = [value]
    seen: set[int] = set()
    while waiting:
        value = waiting.pop()
        if id(value) in seen or len(seen) > 200:
            continue
        seen.add(id(value))
        if isinstance(value, property):
            waiting += [value.fget, value.fset, value.fdel]
        elif not isinstance(value, types.FunctionType):
            value = underlying(value)
        if isinstance(value, types.FunctionType):
            if same(value.__code__, code):
                return True
            waiting.append(part_of(value, "__wrapped__"))
            for cell in value.__closure__ or ():
                try:
                    waiting.append(cell.cell_contents)
                except ValueError:
                    continue
    return False


def first(node: ast.AST) -> int:
    decorators = getattr(node, "decorator_list", ())
    return decorators[0].lineno if decorators else node.lineno  # type: ignore[attr-defined]


def _at_columns(found: list[Found], code: types.CodeType) -> Found:
    """Of equal definitions on one line (they compute the same) the one whose columns the code object has."""
    if len(found) == 1:
        return found[0]
    places = [p for p in code.co_positions() if p[0] is not None and p[2] is not None and p[2] != p[3]]
    for one in found:
        start, end = one.node.col_offset, one.node.end_col_offset or 0
        if places and all(p[2] >= start and p[3] <= end for p in places if p[0] == one.node.lineno):  # type: ignore[operator]
            return one
    return found[0]
