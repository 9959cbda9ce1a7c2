"""What the text of one statement can say: names read and bound, what may be changed, and what comes from outside."""

from __future__ import annotations

import ast
import re
import symtable
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from nbml.slicing.manners import CHANCE, CLOCK, FLEETING, MUTATING_CALLS, PURE_CALLS, PURE_METHODS, SEEDS, SHELL, SHELL_MAGICS, UNSEEDED

#: how a name is read: None is all of it, ("k", key) a key or column, ("a", attribute), ("bind", None) which object it is
Chain = tuple[str, object] | None
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
MAGIC = re.compile(r"run_(?:line|cell)_magic$")
#: magics of one line that run it as code
LINES = frozenset({"time", "prun", "timeit"})


@dataclass
class Text:
    """One statement. ``maybe`` are names whose values it may change, ``full`` the parts that it replaces, ``over`` names
    whose whole content it replaces (``a[:] = ...``)."""

    node: ast.stmt
    reads: dict[str, set[Chain]] = field(default_factory=dict)
    binds: set[str] = field(default_factory=set)
    deletes: set[str] = field(default_factory=set)
    maybe: set[str] = field(default_factory=set)
    full: set[tuple[str, object]] = field(default_factory=set)
    over: set[str] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)
    why: set[str] = field(default_factory=set)
    env: set[str] = field(default_factory=set)
    #: (name, magic, rest) of a call of a magic, else None
    magic: tuple[str, str, str] | None = None

    @cached_property
    def imports(self) -> bool:
        return any(isinstance(part, (ast.Import, ast.ImportFrom)) for part in ast.walk(self.node))

    @cached_property
    def prints(self) -> bool:
        return isinstance(self.node, ast.Expr) or bool(self.calls & {"print", "display"})

    @cached_property
    def seeds(self) -> bool:
        node = self.node
        return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and called(node.value) in SEEDS

    @cached_property
    def awaits(self) -> bool:
        return any(isinstance(part, (ast.Await, ast.AsyncFor, ast.AsyncWith)) for part in now(self.node))

    @cached_property
    def harmless(self) -> bool:
        """It changes nothing by its text: all calls are known to be pure."""
        return not self.maybe and self.calls <= PURE_CALLS | PURE_METHODS

    @cached_property
    def dynamic(self) -> bool:
        """It runs code that its text does not show."""
        return bool(self.calls & {"exec", "eval", "run_line_magic", "run_cell_magic"})

    @cached_property
    def files(self) -> tuple[str, ...]:
        """Texts in it that may name files: readers in C++ tell nobody what they open."""
        found = (part.value for part in ast.walk(self.node) if isinstance(part, ast.Constant) and isinstance(part.value, str))
        return tuple(dict.fromkeys(text for text in found if 0 < len(text) < 300 and "\n" not in text and "\0" not in text))


@lru_cache(maxsize=4096)
def text(source: str) -> Text:
    """The statement, read. Raises SyntaxError."""
    return _read(ast.parse(source).body[0], source)


def _read(node: ast.stmt, source: str) -> Text:
    found = Text(node)
    parents = {child: parent for parent in ast.walk(node) for child in ast.iter_child_nodes(parent)}
    read, bound = scopes(source)
    reading = _Reading(found, parents, read, bound)
    for part in now(node):
        reading.look(part)
    for part in now(node):
        _outside(part, found.why)
    for part in ast.walk(node):
        _environment(part, found)
    if "Out" in found.reads:  # Out[3] is _3
        found.reads |= {f"_{chain[1]}": {None} for chain in found.reads["Out"] if chain and chain[0] == "k"}
    found.magic = magic(node)
    if found.magic is not None:
        _inner(found)
    return found


def magic(node: ast.AST) -> tuple[str, str, str] | None:
    """(bound name or "", magic, line and body) where a statement calls a magic of IPython."""
    value = node.value if isinstance(node, (ast.Expr, ast.Assign)) else None
    if not isinstance(value, ast.Call) or not MAGIC.search(called(value)) or not all(isinstance(a, ast.Constant) for a in value.args):
        return None
    words = [str(arg.value) for arg in value.args if isinstance(arg, ast.Constant)]
    target = node.targets[0] if isinstance(node, ast.Assign) else None
    name = target.id if isinstance(target, ast.Name) else ""
    return (name, words[0], "\n".join(words[1:])) if words else None


def timed(node: ast.stmt) -> list[ast.stmt]:
    """The statements of a bare ``%time``; else the statement itself."""
    said = magic(node)
    if said is None or said[0] or said[1] != "time":
        return [node]
    try:
        return ast.parse(said[2].strip()).body
    except SyntaxError:
        return [node]


def _inner(found: Text) -> None:
    """A magic that runs its line as code reads and binds what the code does."""
    assert found.magic is not None
    bound, name, line = found.magic
    if name in SHELL_MAGICS:
        found.why.add(f"a shell command (%{name})")
    if name not in LINES or (name == "time" and not bound):  # the statements of a bare %time are recorded themselves
        return
    try:
        parts = [text(ast.unparse(node)) for node in ast.parse(line).body]
    except (SyntaxError, ValueError):
        return
    for part in parts:
        for key, chains in part.reads.items():
            found.reads.setdefault(key, set()).update(chains)
        for own, other in ((found.maybe, part.maybe), (found.calls, part.calls), (found.why, part.why), (found.env, part.env)):
            own |= other
        if name != "timeit":
            found.binds |= part.binds


def scopes(source: str) -> tuple[set[str], set[str]]:
    """(names read while the statement runs, names that it binds), by Python's own table of names."""
    top = symtable.symtable(source, "<cell>", "exec")
    read = {s.get_name() for s in top.get_symbols() if s.is_referenced()}
    bound = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}
    for table in _inside(top):
        for symbol in table.get_symbols():
            if symbol.is_global() and symbol.is_referenced():
                read.add(symbol.get_name())
            if symbol.is_declared_global() and symbol.is_assigned() and table.get_type() == "class":
                bound.add(symbol.get_name())
    return read, bound


def _inside(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _inside(child)


def now(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of a statement whose code runs when it runs: bodies of functions do not, nor those of lambdas bound to a name."""
    direct = node.value if isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda) else None
    todo: list[ast.AST] = [node]
    while todo:
        part = todo.pop()
        yield part
        if isinstance(part, FUNCTIONS):
            todo += [*part.decorator_list, part.args, *([part.returns] if part.returns else [])]
        elif part is direct and isinstance(part, ast.Lambda):
            todo.append(part.args)
        else:
            todo += ast.iter_child_nodes(part)


def functions(node: ast.AST) -> bool:
    """Whether a statement holds a function."""
    return any(isinstance(part, (*FUNCTIONS, ast.Lambda)) for part in ast.walk(node))


def bodies(node: ast.AST) -> dict[int, dict[str, set[Chain]]]:
    """First line of each function in a statement -> how its body reads each name."""
    found: dict[int, dict[str, set[Chain]]] = {}
    parents: dict[ast.AST, ast.AST] = {}
    for function in ast.walk(node):
        if not isinstance(function, (*FUNCTIONS, ast.Lambda)):
            continue
        parents = parents or {child: parent for parent in ast.walk(node) for child in ast.iter_child_nodes(parent)}
        body = found.setdefault(_first_line(function), {})
        for part in ast.walk(function):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
                body.setdefault(part.id, set()).add(_chain(part, parents)[0])
    return found


def _chain(node: ast.Name, parents: dict[ast.AST, ast.AST]) -> tuple[Chain, ast.AST]:
    """What of a name is read, and the node that reads it."""
    parent = parents.get(node)
    if isinstance(parent, ast.Subscript) and parent.value is node and isinstance(parent.slice, ast.Constant):
        return ("k", parent.slice.value), parent
    if isinstance(parent, ast.Attribute) and parent.value is node:
        return ("a", parent.attr), parent
    return None, node


class _Reading:
    """One walk over a statement."""

    def __init__(self, found: Text, parents: dict[ast.AST, ast.AST], read: set[str], bound: set[str]) -> None:
        self.found, self.parents, self.read, self.bound = found, parents, read, bound

    def look(self, node: ast.AST) -> None:
        found = self.found
        if isinstance(node, ast.Name):
            self.name(node)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found.binds |= {alias.asname or alias.name.partition(".")[0] for alias in node.names if alias.name != "*"}
        elif isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
            found.binds |= {node.name} & self.bound if node.name else set()
        elif isinstance(node, ast.Call):
            self.call(node)

    def name(self, node: ast.Name) -> None:
        found, parent = self.found, self.parents.get(node)
        if isinstance(node.ctx, ast.Del):
            found.deletes.add(node.id)
        elif isinstance(node.ctx, ast.Store):
            if node.id in self.bound:
                found.binds.add(node.id)
            if isinstance(parent, ast.AugAssign):
                found.reads.setdefault(node.id, set()).add(None)
                found.maybe.add(node.id)
        elif node.id in self.read:
            found.reads.setdefault(node.id, set()).add(self.chain(node))

    def chain(self, node: ast.Name) -> Chain:
        """What of a name is read; what is stored into is noted on the way."""
        found = self.found
        chain, place = _chain(node, self.parents)
        context, above = getattr(place, "ctx", None), self.parents.get(place)
        if place is not node and isinstance(context, (ast.Store, ast.Del)):  # t["price"] = ..., box.size = ...
            found.maybe.add(node.id)
            if isinstance(context, ast.Del):
                return None
            if chain and isinstance(above, ast.Assign):
                found.full.add((node.id, chain[1]))
                return ("bind", None)
            return chain
        parent = self.parents.get(node)
        if isinstance(parent, ast.Subscript) and parent.value is node and isinstance(parent.ctx, ast.Store):
            found.maybe.add(node.id)
            cut = parent.slice
            whole = isinstance(cut, ast.Slice) and not (cut.lower or cut.upper or cut.step)
            if whole and isinstance(self.parents.get(parent), ast.Assign):
                found.over.add(node.id)
                return ("bind", None)
            return chain
        deep: ast.AST = place
        while isinstance(above := self.parents.get(deep), (ast.Subscript, ast.Attribute)) and above.value is deep:
            deep = above
        if isinstance(getattr(deep, "ctx", None), (ast.Store, ast.Del)):  # t.loc[...] = , a.b.c = , a["b"]["c"] =
            found.maybe.add(node.id)
        return chain

    def call(self, node: ast.Call) -> None:
        found, function, name = self.found, node.func, called(node)
        found.calls.add(name)
        keywords = {keyword.arg: keyword.value for keyword in node.keywords}
        said = keywords.get("inplace")
        inplace = isinstance(said, ast.Constant) and said.value is True
        if isinstance(function, ast.Attribute) and (name not in PURE_METHODS or inplace):
            found.maybe |= _roots(function.value)
        known = name in PURE_CALLS | PURE_METHODS or name[:1].isupper()
        if (not known or name in MUTATING_CALLS) and _roots(function) != {"nbml"}:
            for value in (*node.args, *keywords.values()):
                found.maybe |= _roots(value)
        if "out" in keywords:
            found.maybe |= _roots(keywords["out"])


def called(node: ast.Call) -> str:
    """The name by which a call calls."""
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""


def _roots(node: ast.AST) -> set[str]:
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred)):
        node = node.value
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        return set().union(*map(_roots, node.elts))
    return {node.id} if isinstance(node, ast.Name) else set()


def causes(node: ast.AST) -> dict[int, tuple[str, set[str]]]:
    """First line of each function in a statement -> its name, and the clocks, chances and shells in its body."""
    found: dict[int, tuple[str, set[str]]] = {}
    for function in ast.walk(node):
        if isinstance(function, (*FUNCTIONS, ast.Lambda)):
            why: set[str] = set()
            for part in ast.walk(function):
                _outside(part, why)
            if why:
                found[_first_line(function)] = (getattr(function, "name", "<lambda>"), why)
    return found


def _first_line(function: ast.AST) -> int:
    """The line of a function's code object: that of its first decorator."""
    return min([function.lineno, *(part.lineno for part in getattr(function, "decorator_list", ()))])  # type: ignore[attr-defined]


def _outside(node: ast.AST, found: set[str]) -> None:
    """Clock, chance and shell, as the text names them."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, (ast.Name, ast.Attribute)):
        owner = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
        if (owner, node.attr) in CLOCK:
            found.add(f"the clock ({owner}.{node.attr})")
    if isinstance(node, ast.Call):
        name = called(node)
        if name in CHANCE:
            found.add(f"randomness without a seed ({name})")
        if name in UNSEEDED and _no_seed(node):
            found.add(f"randomness without a seed ({name}())")
        if name == "seed" and _no_seed(node):
            found.add("randomness without a seed (seed())")
        if name in FLEETING:
            found.add(f"something of this process ({name})")
        if name in SHELL or (name == "run" and _roots(node.func) == {"subprocess"}):
            found.add(f"a shell command ({name})")


def _environment(node: ast.AST, found: Text) -> None:
    """Environment variables that are read, as the text names them."""
    key = _variable(node)
    if isinstance(key, ast.Constant) and isinstance(key.value, str) and isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        found.env.add(key.value)


def _no_seed(node: ast.Call) -> bool:
    said: Iterable[ast.expr] = [*node.args, *(k.value for k in node.keywords if k.arg in ("seed", "entropy"))]
    return all(isinstance(value, ast.Constant) and value.value is None for value in said)


def _variable(node: ast.AST) -> ast.expr | None:
    """The key of a read of the environment: ``os.environ[K]``, ``os.environ.get(K)``, ``os.getenv(K)``."""
    if isinstance(node, ast.Subscript):
        return node.slice if _is_environ(node.value) else None
    if isinstance(node, ast.Call) and node.args:
        name = called(node)
        reads = name == "getenv" or (name in ("get", "pop", "setdefault") and _is_environ(getattr(node.func, "value", None)))
        return node.args[0] if reads else None
    return None


def _is_environ(node: ast.AST | None) -> bool:
    return getattr(node, "attr", getattr(node, "id", None)) == "environ"
