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
#: the word must be the last: a token's pattern or a password's length is no secret
_SECRET = re.compile(
    r"(?:^|_)(?:password|passwd|passphrase|pwd|secret|token|credentials?|authorization|bearer|connection_string|(?:api|access|private|auth|secret)_?key)"
    r"(?:_(?:value|text|str|live|prod|test|dev|\d+)|\d+)?$",
    re.I,
)
#: what a vocabulary calls a token, and what stands where a secret will be
_SPECIAL = re.compile(r"^[<\[|{].*[>\]|}]$|^.?$|^(?:bearer|basic|token|UNK|PAD|EOS|BOS|CLS|SEP|MASK)\s*$", re.I | re.S)
#: texts that are secrets whatever they are called: an address with a password, and keys by the shape that services give them
_SHAPES = re.compile(
    r"\w+://[^/\s:@{]*:[^/\s@{]+@|^(?:Bearer|Basic)\s+[\w.~+/=-]{8,}$|-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|"
    r"\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}|\bsk-[A-Za-z0-9_-]{20,}|\bxox[abprs]-[A-Za-z0-9-]{10,}|"
    r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.|\bhf_[A-Za-z0-9]{20,}|\bAIza[\w-]{30,}"
)
#: calls that only wrap the text that they are given
_WRAPPERS = frozenset({"SecretStr", "SecretBytes", "str", "bytes", "field", "Field"})
#: the texts of a file of settings that name a secret and its value
_SETTING = re.compile(r"""(?<![\w.-])["']?([\w.-]{1,60})["']?\s*[:=]\s*["']?([^\s"',}]+)""")
_SETTINGS = frozenset({".json", ".toml", ".yaml", ".yml", ".ini", ".cfg", ".env", ".conf", ".properties"})


def notebook_only(name: str, value: object, *, bound: bool) -> bool:
    """Whether a name is the notebook's own; one that a cell binds is not, unless to something of IPython."""
    if name not in NOTEBOOK_ONLY and re.fullmatch(r"_i?\d+", name) is None:
        return False
    return not bound or str(getattr(value, "__module__", "")).startswith("IPython")


def secret(name: str, value: object) -> bool:
    """Whether a name and the text that it holds look like a secret."""
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if not isinstance(value, str):
        return False
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_")
    return shaped(value) or (_SECRET.search(words) is not None and _SPECIAL.match(value) is None)


def shaped(value: object) -> bool:
    """Whether a text is a secret by its shape."""
    return isinstance(value, str) and _SHAPES.search(value) is not None


def refuse_secret(name: str, why: str) -> errors.SliceRefused:
    variable = re.sub(r"\W", "_", name.rpartition(".")[2])
    return errors.SliceRefused(
        f"{name} looks like a secret and is needed by {why}; a secret is not written into files",
        next=f'{variable} = os.environ["{variable}"]',
    )


def secrets(tree: ast.AST) -> Iterator[str]:
    """Names in a program that are given a text and look like a secret; a text that no name is given goes by its shape."""
    told: set[int] = set()
    for node in ast.walk(tree):
        for name, value in _bindings(node):
            for text in _texts(value):
                told.add(id(text))
                if secret(name, text.value):
                    yield name
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in told and shaped(node.value):
            yield "URL" if "://" in node.value else "TOKEN"  # type: ignore[operator]


def _texts(value: ast.expr | None) -> Iterator[ast.Constant]:
    """The texts that an expression may give, but for what it asks the environment or another function."""
    if isinstance(value, ast.Constant):
        yield value
    elif isinstance(value, ast.Call) and environment_read(value):
        yield from (text for part in [*value.args[1:], *(k.value for k in value.keywords)] for text in _texts(part))
    elif isinstance(value, ast.Call) and _name(value.func) in _WRAPPERS:
        yield from (text for part in [*value.args, *(k.value for k in value.keywords if k.arg == "default")] for text in _texts(part))
    elif isinstance(value, ast.BoolOp):
        yield from (text for part in value.values for text in _texts(part))
    elif isinstance(value, ast.IfExp):
        yield from (text for part in (value.body, value.orelse) for text in _texts(part))
    elif isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
        yield from (text for part in (value.left, value.right) for text in _texts(part))
    elif isinstance(value, ast.JoinedStr):
        yield from (text for text in value.values if isinstance(text, ast.Constant) and len(str(text.value).strip()) > 7)


def settings_secret(path: Path, content: bytes) -> str:
    """The name of what looks like a secret in a file of settings, or ""."""
    if (path.suffix or path.name) not in _SETTINGS or len(content) > 1_000_000:
        return ""
    found = _SETTING.findall(content.decode("utf-8", "replace"))
    return next((name for name, value in found if secret(name, value) and not value.startswith(("$", "%"))), "")


def _bindings(node: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield _target(target), node.value
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                yield from ((_target(t), v) for t, v in zip(target.elts, node.value.elts, strict=False))
    elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)):
        yield _target(node.target), node.value
    elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq):
        yield from ((_target(one), other) for one, other in ((node.left, node.comparators[0]), (node.comparators[0], node.left)))
    elif isinstance(node, ast.keyword) and node.arg:
        yield node.arg, node.value
    elif isinstance(node, ast.Dict):
        yield from ((str(k.value), v) for k, v in zip(node.keys, node.values, strict=True) if isinstance(k, ast.Constant))
    elif isinstance(node, ast.Tuple | ast.List) and len(node.elts) == 2 and isinstance(node.elts[0], ast.Constant):
        yield str(node.elts[0].value), node.elts[1]  # headers as pairs
    elif isinstance(node, ast.arguments):
        names = [a.arg for a in [*node.posonlyargs, *node.args]]
        yield from zip(names[len(names) - len(node.defaults) :], node.defaults, strict=True)
        yield from zip([a.arg for a in node.kwonlyargs], node.kw_defaults, strict=True)


def _target(node: ast.AST) -> str:
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return str(node.slice.value)
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def state_secrets(value: Any) -> Iterator[str]:
    """Attributes of an object, and what its containers hold, that are a text and look like a secret."""
    state = value if type(value) is dict else None if isinstance(value, type) else getattr(value, "__dict__", None)
    if type(state) is not dict:
        return
    waiting: list[tuple[str, Any]] = [(name, part) for name, part in state.items() if isinstance(name, str)]
    for name, part in waiting:
        if len(waiting) > 10_000:
            return
        if type(part) is dict:
            waiting += [(key if isinstance(key, str) else name, inner) for key, inner in list(part.items())[:1_000]]
        elif type(part) in (list, tuple, set):
            pair = type(part) is not set and len(part) == 2 and isinstance(part[0], str)
            waiting += [(part[0] if pair and place else name, inner) for place, inner in enumerate(list(part)[:1_000])]
        elif secret(name, part):
            yield name


def environment_read(node: ast.AST) -> str:
    """The variable that ``os.environ[...]``, ``os.environ.get(...)`` or ``os.getenv(...)`` names in its text, or ""."""
    return next((k.value for k in environment_keys(node) if isinstance(k, ast.Constant) and isinstance(k.value, str)), "")


def environment_keys(node: ast.AST) -> Iterator[ast.expr]:
    """The expressions by which a node asks the environment for a variable."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and _environ(node.value):
        yield node.slice
    elif isinstance(node, ast.Call):
        method = isinstance(node.func, ast.Attribute) and node.func.attr in ("get", "pop", "setdefault") and _environ(node.func.value)
        if method or _ends(node.func, "getenv"):
            yield from [*node.args[:1], *(k.value for k in node.keywords if k.arg == "key")][:1]
    elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn) and _environ(node.comparators[0]):
        yield node.left


def _environ(node: ast.AST) -> bool:
    return _ends(node, "environ") or _ends(node, "environb")


def only_environment(node: ast.expr) -> bool:
    """Whether an expression is what the environment says, perhaps compared or turned into something plain, and nothing else."""
    return any(True for inner in ast.walk(node) for _ in environment_keys(inner)) and _plain(node)


def _plain(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant) or any(True for _ in environment_keys(node)):
        return True
    if isinstance(node, ast.Call):
        known = isinstance(node.func, ast.Name) and node.func.id in ("int", "float", "str", "bool", "Path")
        known = known or (isinstance(node.func, ast.Attribute) and hasattr(str, node.func.attr) and _plain(node.func.value))
        return known and all(map(_plain, node.args)) and not node.keywords
    if isinstance(node, ast.Compare):
        return all(map(_plain, [node.left, *node.comparators]))
    if isinstance(node, ast.BoolOp):
        return all(map(_plain, node.values))
    if isinstance(node, ast.BinOp):
        return _plain(node.left) and _plain(node.right)
    if isinstance(node, ast.IfExp):
        return all(map(_plain, [node.test, node.body, node.orelse]))
    if isinstance(node, ast.UnaryOp):
        return _plain(node.operand)
    return isinstance(node, ast.Tuple | ast.List | ast.Set) and all(map(_plain, node.elts))


def _ends(node: ast.AST, word: str) -> bool:
    return (isinstance(node, ast.Attribute) and node.attr == word) or (isinstance(node, ast.Name) and node.id == word)


def _name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
