"""What the text of a program says: its statements, the names that they bind, read and change, and their source."""

from __future__ import annotations

import ast
import copy
import re
import symtable
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from nbml.slicing.cells import Cell, binds

#: methods that change a list, dict or set in place
CHANGERS = frozenset(
    {"append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse", "update", "add", "discard", "setdefault", "popitem"}
)
_AT = re.compile(r"@([^\W\d]\w*)")
#: scopes of the symbol table that run where they stand
_INLINE = frozenset({"listcomp", "setcomp", "dictcomp", "genexpr"})


@dataclass(frozen=True)
class Statement:
    """One top-level statement that ran; ``label`` says where, ``order`` when."""

    node: ast.stmt
    text: str
    label: str
    order: tuple[int, int]

    @property
    def source(self) -> str:
        """Its source as written, decorators included."""
        return segment(self.text, self.node)


@dataclass(frozen=True)
class Reads:
    """The global names of a piece of source: ``now`` are read when it runs, ``later`` when its functions are called."""

    now: frozenset[str]
    later: frozenset[str]
    written: frozenset[str]


class Statements:
    """All statements that ran, and what the last of them to bind a name is."""

    def __init__(self, found: Iterable[Statement]) -> None:
        self.all = list(found)
        self._binders: dict[str, list[Statement]] = {}
        for statement in self.all:
            for name in dict.fromkeys(binds(statement.node)):
                self._binders.setdefault(name, []).append(statement)

    def binders(self, name: str) -> list[Statement]:
        return self._binders.get(name, [])

    def last(self, name: str) -> Statement | None:
        found = self._binders.get(name)
        return found[-1] if found else None

    def changed(self, name: str) -> bool:
        """Whether different statements gave the name a value, or one changed the value in place."""
        if len({ast.dump(s.node) for s in self.binders(name)}) > 1:
            return True
        return any(changes(statement.node, name) for statement in self.all)

    def changed_since(self, name: str, order: tuple[int, int]) -> bool:
        """Whether a later statement gave the name another value than the text that was in force at ``order``."""
        before = [s for s in self.binders(name) if s.order <= order]
        then = ast.dump(before[-1].node) if before else ""
        later = [s for s in self.all if s.order > order]
        return any(ast.dump(s.node) != then for s in self.binders(name) if s.order > order) or any(changes(s.node, name) for s in later)

    def accessors(self) -> dict[str, str]:
        """Attribute -> class, of the accessors that were registered with pandas."""
        found: dict[str, str] = {}
        for statement in self.all:
            for decorator in statement.node.decorator_list if isinstance(statement.node, ast.ClassDef) else ():
                called = decorator.func if isinstance(decorator, ast.Call) else None
                word = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
                key = decorator.args[0] if isinstance(decorator, ast.Call) and len(decorator.args) == 1 else None
                if word.startswith("register_") and word.endswith("_accessor") and isinstance(key, ast.Constant):
                    found[str(key.value)] = statement.node.name  # type: ignore[attr-defined]
        return found

    def imports(self) -> Iterator[tuple[Statement, ast.Import | ast.ImportFrom]]:
        """Every import that stands outside a function or class, the latest first."""
        for statement in reversed(self.all):
            for node in _outside(statement.node):
                if isinstance(node, (ast.Import, ast.ImportFrom)):
                    yield statement, node


def of_cells(cells: Iterable[Cell]) -> Iterator[Statement]:
    for cell in cells:
        for node in cell.statements():
            yield Statement(node, cell.source, cell.label, (cell.seq, node.lineno))


def of_file(text: str, label: str, seq: int) -> Iterator[Statement]:
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return
    for node in tree.body:
        yield Statement(node, text, label, (seq, node.lineno))


def _outside(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
        for child in ast.iter_child_nodes(node):
            yield from _outside(child)


def changes(node: ast.AST, name: str) -> bool:
    """Whether a statement changes the value of a name in place: an augmented assignment, an item, an attribute, a method."""
    for found in ast.walk(node):
        if isinstance(found, ast.AugAssign) and isinstance(found.target, ast.Name) and found.target.id == name:
            return True
        if isinstance(found, (ast.Attribute, ast.Subscript)) and isinstance(found.ctx, (ast.Store, ast.Del)) and _is(found.value, name):
            return True
        called = found.func if isinstance(found, ast.Call) else None
        if isinstance(called, ast.Attribute) and called.attr in CHANGERS and _is(called.value, name):
            return True
    return False


def _is(node: ast.AST, name: str) -> bool:
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return isinstance(node, ast.Name) and node.id == name


def reads(source: str, *, future: bool = False) -> Reads:
    """The global names that a piece of module source reads; with ``future`` its annotations read nothing."""
    now: set[str] = set()
    later: set[str] = set()
    written: set[str] = set()

    def walk(table: symtable.SymbolTable, inline: bool) -> None:
        # symtable takes a function called top for a module: its own variables are both global and local there
        top = table.get_type() == "module"
        for symbol in table.get_symbols():
            if top:
                now.update([symbol.get_name()] if symbol.is_referenced() else [])
            elif symbol.is_declared_global() or (symbol.is_global() and not symbol.is_local()):
                target = now if inline else later
                target.update([symbol.get_name()] if symbol.is_referenced() else [])
                written.update([symbol.get_name()] if symbol.is_assigned() else [])
        for child in table.get_children():
            same = top or child.get_type() == "class" or child.get_name() in _INLINE
            walk(child, inline and (child.get_type() == "class" or child.get_name() in _INLINE) and same)

    head = "from __future__ import annotations\n" if future else ""
    walk(symtable.symtable(head + source, "<slice>", "exec"), True)
    now.discard("annotations" if future else "")
    tree = ast.parse(source)
    now |= set(_read_before_bound(tree))
    bound_here = {name for node in tree.body for name in binds(node)}
    return Reads(frozenset(now - bound_here), frozenset(later - bound_here), frozenset(written))


def _read_before_bound(tree: ast.AST) -> Iterator[str]:
    """Names that a class body reads before it binds them, ``rule = rule``: these are global, though the class has them too."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            done: set[str] = set()
            for statement in node.body:
                value = getattr(statement, "value", None)
                yield from (loaded(value) - done if isinstance(value, ast.expr) and set(binds(statement)) & loaded(value) else ())
                done.update(binds(statement))
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield from _read_before_bound(node)


def imported(tree: ast.AST) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    """The imports in a program, and whether it goes on where one fails; not those that only a type checker reads."""
    caught: set[int] = set()
    checked: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).rpartition(".")[2] == "TYPE_CHECKING":
            checked.update(id(inner) for part in node.body for inner in ast.walk(part))
        if isinstance(node, ast.Try) and any(_catches(handler.type) for handler in node.handlers):
            caught.update(id(inner) for part in node.body for inner in ast.walk(part))
        if isinstance(node, (ast.Import, ast.ImportFrom)) and id(node) not in checked:
            yield node, id(node) in caught


def _catches(kind: ast.expr | None) -> bool:
    return kind is None or not {"ImportError", "ModuleNotFoundError", "Exception"}.isdisjoint(loaded(kind))


def hints(source: str) -> set[str]:
    """Names that stand in annotations, those written as text included, and ``@names`` in what ``query`` and ``eval`` get."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("query", "eval"):
            found.update(name for part in ast.walk(node) if isinstance(part, ast.Constant) for name in _AT.findall(str(part.value)))
        for hint in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            found |= _names(hint) if isinstance(hint, ast.expr) else set()
    return found


def _names(hint: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(hint):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                found |= _names(ast.parse(node.value, mode="eval"))
            except SyntaxError:
                continue
    return found


def chains(source: str) -> set[tuple[str, ...]]:
    """Attribute chains of names, ``("np", "linalg", "norm")``, with all their beginnings."""
    found: set[tuple[str, ...]] = set()
    for node in ast.walk(ast.parse(source)):
        parts: list[str] = []
        inner: ast.AST = node
        while isinstance(inner, ast.Attribute):
            parts.append(inner.attr)
            inner = inner.value
        if isinstance(inner, ast.Name) and parts:
            found.add((inner.id, *reversed(parts)))
    return found


def first_line(node: ast.AST) -> int:
    """The line at which a definition begins, its first decorator included."""
    decorators = getattr(node, "decorator_list", ())
    return min([node.lineno, *(d.lineno for d in decorators)])  # type: ignore[attr-defined]


def segment(text: str, node: ast.AST, *, decorators: bool = True) -> str:
    """The source of a node as it is written, comments included, moved to the left margin."""
    if isinstance(node, ast.expr):
        return ast.get_source_segment(text, node) or ast.unparse(node)
    lines = text.split("\n")
    start = first_line(node) if decorators else node.lineno  # type: ignore[attr-defined]
    end, column = node.end_lineno, node.col_offset  # type: ignore[attr-defined]
    chosen = lines[start - 1 : end]
    last = chosen[-1]
    chosen[-1] = _bytes(last, 0, node.end_col_offset) + _comment(_bytes(last, node.end_col_offset, None))  # type: ignore[attr-defined]
    if start == node.lineno and column:  # type: ignore[attr-defined]
        chosen[0] = " " * column + _bytes(chosen[0], column, None)
    kept = _inside_text(node)
    moved = [line if number in kept else line[column:] if not line[:column].strip() else line for number, line in enumerate(chosen, start)]
    found = "\n".join(moved).rstrip()
    try:
        plain = ast.parse(found).body
    except SyntaxError:
        plain = []
    twin = copy.deepcopy(node)
    if not decorators:
        twin.decorator_list = []  # type: ignore[attr-defined]
    return found if len(plain) == 1 and ast.dump(plain[0]) == ast.dump(twin) else ast.unparse(twin)


def _inside_text(node: ast.AST) -> set[int]:
    """The lines that begin inside a text of several lines."""
    found: set[int] = set()
    for inner in ast.walk(node):
        text = isinstance(inner, ast.JoinedStr) or (isinstance(inner, ast.Constant) and isinstance(inner.value, (str, bytes)))
        if text and inner.end_lineno:  # type: ignore[attr-defined]
            found.update(range(inner.lineno + 1, inner.end_lineno + 1))  # type: ignore[attr-defined]
    return found


def indented(source: str) -> str:
    """Statements moved four columns to the right; texts of several lines keep what is in them."""
    kept = _inside_text(ast.parse(source))
    lines = enumerate(source.split("\n"), 1)
    return "\n".join(line if number in kept or not line.strip() else f"    {line}" for number, line in lines)


def _bytes(line: str, start: int, end: int | None) -> str:
    return line.encode()[start:end].decode()


def _comment(rest: str) -> str:
    """What follows a statement on its last line, where it is a comment."""
    return rest.rstrip() if rest.lstrip().startswith("#") else ""


def splice(text: str, edits: Iterable[tuple[ast.AST, str]]) -> str:
    """``text`` with the sources of some of its nodes replaced."""
    lines = text.encode().splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    content = text.encode()
    places = [
        (starts[n.lineno - 1] + n.col_offset, starts[n.end_lineno - 1] + n.end_col_offset, new)  # type: ignore[attr-defined]
        for n, new in edits
    ]
    for start, end, new in sorted(places, reverse=True):
        content = content[:start] + new.encode() + content[end:]
    return content.decode()


def renamed(source: str, old: str, new: str) -> str:
    """A definition under another name."""
    return re.sub(rf"^(\s*(?:async\s+)?(?:def|class)\s+){re.escape(old)}\b", rf"\g<1>{new}", source, count=1, flags=re.M)


def loaded(node: ast.AST) -> set[str]:
    """The names that an expression mentions."""
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def loaded_now(node: ast.AST) -> set[str]:
    """The names that an expression reads when it is evaluated: not those in the body of a lambda."""
    if isinstance(node, ast.Name):
        return {node.id}
    parts = [*node.args.defaults, *filter(None, node.args.kw_defaults)] if isinstance(node, ast.Lambda) else ast.iter_child_nodes(node)
    return {name for part in parts for name in loaded_now(part)}


def literal(node: ast.expr | None) -> str:
    """The text that an expression writes out; "" where it is something else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def under_head(text: str, block: str, space: int) -> str:
    """A text with ``block`` below its docstring and imports, ``space`` empty lines below these."""
    lines = text.split("\n")
    start = last = _head(text)
    while start < len(lines) and not lines[start].strip():
        start += 1
    return "\n".join([*lines[:last], *[""] * space, *block.split("\n"), "", "", *lines[start:]])


def _head(text: str) -> int:
    """The number of lines that the docstring and the imports at the beginning of a text take."""
    last = 0
    for place, node in enumerate(ast.parse(text).body):
        doc = place == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not doc and not isinstance(node, ast.Import | ast.ImportFrom):
            break
        last = node.end_lineno or last
    return last
