"""What must not slip into a written module: secrets, the notebook's own functions, files that are not there elsewhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbml import errors

#: names that exist in the notebook only
NOTEBOOK_ONLY = frozenset(
    {"get_ipython", "display", "In", "Out", "exit", "quit", "_", "__", "___", "_ih", "_oh", "_dh", "_i", "_ii", "_iii"}
)
#: globals that every module has
OF_MODULES = frozenset({"__name__", "__doc__", "__builtins__", "__spec__", "__loader__", "__package__", "__annotations__"})
_SECRET = re.compile(
    r"(?:^|_)(?:password|passwd|passphrase|pwd|secret|token|credentials?|(?:api|access|private|auth|secret)_?key)(?:$|_)", re.I
)
#: what a vocabulary calls a token
_SPECIAL = re.compile(r"^[<\[|{].*[>\]|}]$|^.?$")
_URL = re.compile(r"\w+://[^/\s:@]+:[^/\s@]+@")
_READERS = frozenset(
    {"open", "read_csv", "read_parquet", "read_json", "read_excel", "read_pickle", "read_feather", "load", "loadtxt", "genfromtxt"}
)


def notebook_only(name: str, value: object, *, bound: bool) -> bool:
    """Whether a name is the notebook's own; one that a cell binds is not, unless to something of IPython."""
    if name not in NOTEBOOK_ONLY and re.fullmatch(r"_i?\d+", name) is None:
        return False
    return not bound or str(getattr(value, "__module__", "")).startswith("IPython")


def secret(name: str, value: object) -> bool:
    """Whether a name and the text that it holds look like a secret."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    if not isinstance(value, str):
        return False
    return _URL.search(value) is not None or (_SECRET.search(words) is not None and _SPECIAL.match(value) is None)


def refuse_secret(name: str, why: str) -> errors.SliceRefused:
    variable = re.sub(r"\W", "_", name.rpartition(".")[2])
    return errors.SliceRefused(
        f"{name} looks like a secret and is needed by {why}; a secret is not written into files",
        next=f'{variable} = os.environ["{variable}"]',
    )


def secrets(tree: ast.AST) -> Iterator[str]:
    """Names in a program that are given a text and look like a secret."""
    for node in ast.walk(tree):
        for name, value in _bindings(node):
            if isinstance(value, ast.Call) and environment_read(value) and len(value.args) > 1:
                value = value.args[1]
            if isinstance(value, ast.Constant) and secret(name, value.value):
                yield name


def _bindings(node: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield _target(target), node.value
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                yield from ((_target(t), v) for t, v in zip(target.elts, node.value.elts, strict=False))
    elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)):
        yield _target(node.target), node.value
    elif isinstance(node, ast.keyword) and node.arg:
        yield node.arg, node.value
    elif isinstance(node, ast.Dict):
        yield from ((str(k.value), v) for k, v in zip(node.keys, node.values, strict=True) if isinstance(k, ast.Constant))
    elif isinstance(node, ast.arguments):
        names = [a.arg for a in [*node.posonlyargs, *node.args]]
        yield from zip(names[len(names) - len(node.defaults) :], node.defaults, strict=True)
        yield from zip([a.arg for a in node.kwonlyargs], node.kw_defaults, strict=True)


def _target(node: ast.AST) -> str:
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return str(node.slice.value)
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def state_secrets(value: Any) -> Iterator[str]:
    """Attributes of an object that hold a text and look like a secret."""
    if not isinstance(value, type):
        state = getattr(value, "__dict__", None)
        if type(state) is dict:
            yield from (name for name, part in state.items() if isinstance(name, str) and secret(name, part))


def environment(tree: ast.AST) -> set[str]:
    """The environment variables that a program names where it reads them."""
    return {name for node in ast.walk(tree) if (name := environment_read(node))}


def environment_read(node: ast.AST) -> str:
    """The variable that ``os.environ[...]``, ``os.environ.get(...)`` or ``os.getenv(...)`` reads, or ""."""
    found: ast.AST | None = None
    if isinstance(node, ast.Subscript) and _ends(node.value, "environ"):
        found = node.slice
    elif isinstance(node, ast.Call) and node.args:
        getting = isinstance(node.func, ast.Attribute) and node.func.attr == "get" and _ends(node.func.value, "environ")
        found = node.args[0] if getting or _ends(node.func, "getenv") else None
    return found.value if isinstance(found, ast.Constant) and isinstance(found.value, str) else ""


def only_environment(node: ast.expr) -> bool:
    """Whether an expression is an environment variable, perhaps turned into a number, and nothing else."""
    if isinstance(node, ast.Call) and len(node.args) == 1 and _name(node.func) in ("int", "float", "str", "bool"):
        return only_environment(node.args[0])
    return bool(environment_read(node))


def _ends(node: ast.AST, word: str) -> bool:
    return (isinstance(node, ast.Attribute) and node.attr == word) or (isinstance(node, ast.Name) and node.id == word)


def files_read(tree: ast.AST, folder: Path) -> Iterator[str]:
    """Files that functions of a program open by a name that is relative to the notebook."""
    for function in ast.walk(tree):
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and node.args and _name(node.func) in (*_READERS, "Path"):
                path = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
                if isinstance(path, str) and path and "\n" not in path and (folder / path).is_file():
                    yield path


def _name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
