"""The paths that a program opens, as far as its text and the live values of its names tell."""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from nbml.slicing import clocks

#: functions and classes that open what they are given first
READERS = frozenset(
    {
        "open", "read_csv", "read_table", "read_fwf", "read_parquet", "read_json", "read_excel", "read_pickle", "read_feather", "read_orc",
        "read_xml", "read_html", "read_hdf", "read_stata", "read_sas", "read_ipc", "read_ndjson", "scan_csv", "scan_parquet", "load",
        "loadtxt", "genfromtxt", "fromfile", "memmap", "loadmat", "load_npz", "load_model", "from_file", "imread", "ZipFile", "File",
        "FileIO", "parse", "connect", "isfile", "exists", "getsize", "getmtime", "stat", "read", "unpack_archive", "FileInput", "input",
    }
)  # fmt: skip
#: methods of a path that open it
METHODS = frozenset({"read_text", "read_bytes", "open", "exists", "is_file", "stat"})
#: what lists a folder
LISTERS = frozenset({"listdir", "scandir", "walk", "glob", "iglob", "rglob", "iterdir"})
_KEYWORDS = frozenset({"file", "filename", "path", "fname", "source", "io", "filepath_or_buffer", "path_or_buf", "fp", "name", "database"})
_MAKERS = frozenset({"join", "joinpath", "Path", "PurePath", "print", "warn", "startswith", "endswith"})
_FOLDED = frozenset({"str", "fspath", "abspath", "realpath", "expanduser", "normpath", "PathLike"})
_SAME = frozenset({"resolve", "absolute", "as_posix", "expanduser", "__str__"})


@dataclass(frozen=True)
class Opening:
    """A place where a path is opened: its expression; the path, "*" standing for what is not known, or None; the functions around it."""

    node: ast.expr
    path: str | None
    functions: tuple[str, ...]
    #: whether it is made from the place of a module, so that it is good wherever the module lies
    homed: bool
    lists: bool = False
    sure: bool = True


def openings(tree: ast.Module, value: Callable[[str], Any], module: str = "") -> Iterator[Opening]:
    """The openings of a program; ``value`` gives a name's live value, ``module`` is what the program is loaded as."""
    yield from _within(tree, (), _Reader(value, module, {}))


def _within(node: ast.AST, functions: tuple[str, ...], reader: _Reader) -> Iterator[Opening]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        functions = (*functions, getattr(node, "name", "<lambda>"))
        reader = reader.inside(node)
    elif isinstance(node, ast.ClassDef):
        functions = (*functions, node.name)
    if isinstance(node, ast.Call):
        yield from _opened(node, functions, reader)
    for child in ast.iter_child_nodes(node):
        yield from _within(child, functions, reader)


def _opened(call: ast.Call, functions: tuple[str, ...], reader: _Reader) -> Iterator[Opening]:
    name = _name(call.func)
    method = isinstance(call.func, ast.Attribute) and not reader.owner_is_module(call.func.value)
    if name == "open" and not method and _writes(call, 1):
        return
    if isinstance(call.func, ast.Attribute) and method and (name in METHODS or name in LISTERS):
        if name == "open" and _writes(call, 0):
            return
        path = reader.text(call.func.value)
        if path is not None or name in METHODS:
            yield Opening(call.func.value, path, functions, reader.homed(call.func.value), name in LISTERS, path is not None)
    given = [*call.args[:1], *(k.value for k in call.keywords if k.arg in _KEYWORDS)]
    known = name in READERS or name in LISTERS
    for node in given if known else () if name in _MAKERS else call.args:
        path = reader.text(node)
        if known or (path is not None and not method and isinstance(node, ast.Constant) and os.path.splitext(path)[1]):  # noqa: PTH122
            yield Opening(node, path, functions, reader.homed(node), name in LISTERS, known)


def _writes(call: ast.Call, place: int) -> bool:
    modes = [*call.args[place : place + 1], *(k.value for k in call.keywords if k.arg == "mode")]
    return any(isinstance(m, ast.Constant) and isinstance(m.value, str) and set(m.value) & set("wax") for m in modes)


def _name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


class _Reader:
    """Evaluates expressions of paths. ``local`` are names of the functions around: their only expression, or None."""

    def __init__(self, value: Callable[[str], Any], module: str, local: Mapping[str, ast.expr | None]) -> None:
        self.value, self.module, self.local = value, module, local

    def inside(self, function: Any) -> _Reader:
        found: dict[str, ast.expr | None] = dict.fromkeys(clocks._locals(function))
        for node in clocks._within(function):
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                name = node.targets[0].id
                times = sum(isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store) and n.id == name for n in clocks._within(function))
                given = {a.arg for a in ast.walk(function) if isinstance(a, ast.arg)}
                found[name] = node.value if times == 1 and name not in given else None
        return _Reader(self.value, self.module, {**self.local, **found})

    def owner_is_module(self, node: ast.expr) -> bool:
        named = isinstance(node, ast.Name) and node.id in sys.modules and self._unknown(node)
        return named or type(self._live(node)).__name__ == "module"

    def _unknown(self, node: ast.Name) -> bool:
        return self.local.get(node.id) is None and self.value(node.id) is None

    def homed(self, node: ast.expr) -> bool:
        names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        known = {n for name in names if (e := self.local.get(name)) is not None for n in _names(e)}
        live = [self.value(name) for name in names - self.local.keys()]
        home = str(Path(getattr(sys.modules.get(self.module), "__file__", None) or os.devnull).parent)
        placed = any(isinstance(v, str | PurePath) and PurePath(v).is_absolute() and str(v).startswith(home) for v in live)
        calls = {_name(n.func) for n in ast.walk(node) if isinstance(n, ast.Call)}
        return "__file__" in names | known or "files" in calls or (bool(self.module) and placed)

    def _live(self, node: ast.expr) -> Any:
        """The value of a name, an attribute of a module or class, or an item of a dict."""
        if isinstance(node, ast.Name):
            return None if node.id in self.local else self.value(node.id)
        if isinstance(node, ast.Attribute):
            owner = self._live(node.value)
            known = isinstance(owner, type) or type(owner).__name__ in ("module", "SimpleNamespace")
            return getattr(owner, node.attr, None) if known else None
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            owner = self._live(node.value)
            return owner.get(node.slice.value) if type(owner) is dict else None
        return None

    def text(self, node: ast.AST) -> str | None:
        """The path that an expression gives, "*" in it for what is not known; None where nothing of it is."""
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) and node.value and "\n" not in node.value else None
        if isinstance(node, ast.JoinedStr):
            parts = [self.text(v.value if isinstance(v, ast.FormattedValue) else v) or "*" for v in node.values]
            return "".join(parts)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.Add):
            one, two = self.text(node.left), self.text(node.right)
            if one is None:
                return None
            return os.path.join(one, two or "*") if isinstance(node.op, ast.Div) else one + (two or "*")  # noqa: PTH118
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.Name) and self.local.get(node.id) is not None:
            return _Reader(self.value, self.module, {**self.local, node.id: None}).text(self.local[node.id])  # type: ignore[arg-type]
        if isinstance(node, ast.Name) and node.id == "__file__" and self.module:
            return getattr(sys.modules.get(self.module), "__file__", None)
        if isinstance(node, ast.Attribute) and node.attr == "parent":
            inner = self.text(node.value)
            return None if inner is None else os.path.dirname(inner)  # noqa: PTH120
        live = self._live(node)  # type: ignore[arg-type]
        return str(live) if isinstance(live, str | PurePath) and str(live) and "\n" not in str(live) else None

    def _call(self, node: ast.Call) -> str | None:
        name = _name(node.func)
        arguments = [self.text(argument) for argument in node.args]
        if name in ("Path", "PurePath", "join", "PosixPath") and arguments and (arguments[0] is not None or name == "join"):
            return None if arguments[0] is None else os.path.join(*(a or "*" for a in arguments))  # noqa: PTH118
        if name in _FOLDED and arguments:
            return arguments[0] and os.path.expanduser(arguments[0])  # noqa: PTH111
        if name in ("cwd", "getcwd"):
            return str(Path.cwd())
        if name == "dirname" and arguments:
            return arguments[0] and os.path.dirname(arguments[0])  # noqa: PTH120
        if name == "files" and node.args:
            package = arguments[0] or (self.module if isinstance(node.args[0], ast.Name) else "")
            found = getattr(sys.modules.get(package), "__path__", None)
            return str(next(iter(found), "")) or None if found else None
        if isinstance(node.func, ast.Attribute):
            inner = self.text(node.func.value)
            if inner is not None and name in _SAME:
                return inner
            if inner is not None and name in ("joinpath", "with_name", "with_suffix"):
                return str(getattr(PurePath(inner), name)(*(a or "*" for a in arguments)))
            if name == "format":
                return inner and re.sub(r"\{[^{}]*\}", "*", inner)
        return None


def _names(node: ast.AST) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
