"""Secrets are taken out before anything is stored: values of parameters that are called so, and literals in a source."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

MARK = "[redacted]"
#: the last word of a name that is called like a secret
LAST = {
    "token", "tokens", "password", "passwd", "passphrase", "pwd", "secret", "secrets", "key", "apikey", "credential", "credentials", "auth",
}  # fmt: skip
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_ASSIGNED = re.compile(r"""([\w.-]+)(["']?\]?\s*(?::\s*\w+\s*)?[=:]\s*)([rbfuRBFU]{0,2}("{3}|'{3}|"|'))((?:\\.|(?!\4).)*)\4""", re.S)
#: what is a secret whatever it is called: keys of well-known services, signed tokens, passwords in addresses, private keys
_SHAPES = re.compile(
    r"\b(?:sk|pk|rk)[-_](?:[a-z]+[-_])*[A-Za-z0-9_-]{20,}|\bgh[pousr]_[A-Za-z0-9]{30,}|\bgithub_pat_\w{22,}|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\bxox[abeoprs]-[\w-]{10,}|\bhf_[A-Za-z0-9]{30,}|\bglpat-[\w-]{20,}|\bAIza[\w-]{35}|\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]+"
    r"|(?<=://)[^\s/:@'\"]+:[^\s/@'\"]+(?=@)|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----",
    re.S,
)
#: shortest value that is a secret because of the name of a variable that holds it
SHORTEST = 8
_ENVIRONMENT = re.compile(r"(?m)^(\s*(?:%(?:set_)?env|!\s*export)\s+)([\w.-]+)([=\s]\s*)(.+)$")


def secretive(name: str) -> bool:
    """Whether a name is called like a secret: ``api_key``, ``hfToken``, ``db__password``; not ``token_pattern``, ``keys``."""
    words = [word.lower() for word in _WORDS.findall(str(name))]
    return bool(words) and (words[-1] in LAST or words[-2:] == ["key", "id"] or bool({"password", "secret"} & set(words)))


class Redaction:
    """Takes secrets out of texts and remembers them, so that they are found again where they come without a name."""

    def __init__(self) -> None:
        self.known: set[str] = set()

    def param(self, name: str, value: Any) -> Any:
        """A parameter's value, or the mark."""
        if value is None or isinstance(value, bool):
            return value
        if secretive(name):
            self._know(str(value))
            return MARK
        return self.text(value) if isinstance(value, str) else value

    def learn(self, names: Mapping[str, Any]) -> None:
        """Remember the texts that names called like a secret hold: variables of a notebook, of the environment."""
        for name, value in list(names.items()):
            if isinstance(value, str) and len(value) >= SHORTEST and secretive(name):
                self._know(value)

    def text(self, text: str) -> str:
        """A text without the secrets that are known so far, and without what is one by its looks."""
        for secret in sorted(self.known, key=len, reverse=True):
            text = text.replace(secret, MARK)
        return _SHAPES.sub(MARK, text)

    def source(self, source: str) -> str:
        """A program without the literals that are assigned to a name called like a secret."""
        try:
            spans = _Literals(source).spans
        except (SyntaxError, ValueError, RecursionError):
            return self.text(self._loosely(source))
        lines = source.encode().splitlines(keepends=True)
        starts = [0]
        for line in lines:
            starts.append(starts[-1] + len(line))
        content = b"".join(lines)
        for (row, column), (last, end), value in sorted(spans, reverse=True):
            self._know(value)
            content = content[: starts[row - 1] + column] + f'"{MARK}"'.encode() + content[starts[last - 1] + end :]
        return self.text(content.decode())

    def _loosely(self, text: str) -> str:
        """What is no Python: a cell with magics, a diff."""

        def literal(match: re.Match[str]) -> str:
            if not secretive(match[1]) or match[5] == MARK or not match[5]:
                return match[0]
            self._know(match[5])
            return f"{match[1]}{match[2]}{match[3]}{MARK}{match[4]}"

        def variable(match: re.Match[str]) -> str:
            if not secretive(match[2]):
                return match[0]
            self._know(match[4].strip().strip("\"'"))
            return f"{match[1]}{match[2]}{match[3]}{MARK}"

        return _ENVIRONMENT.sub(variable, _ASSIGNED.sub(literal, text))

    def _know(self, secret: str) -> None:
        if len(secret) >= 6 and secret != MARK:
            self.known.add(secret)


class _Literals(ast.NodeVisitor):
    """Where literals stand that are given to a name called like a secret."""

    def __init__(self, source: str) -> None:
        self.spans: list[tuple[tuple[int, int], tuple[int, int], str]] = []
        self.visit(ast.parse(source))

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self._given(target, node.value)
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._given(node.target, node.value)
        self.generic_visit(node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self._given(node.target, node.value)
        self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg is not None and secretive(node.arg):
            self._literal(node.value)
        self.generic_visit(node)

    def visit_Dict(self, node: ast.Dict) -> None:
        for key, value in zip(node.keys, node.values, strict=True):
            if key is not None:
                self._named(key, value)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        """``os.environ.setdefault("API_KEY", "...")``"""
        if len(node.args) == 2:
            self._named(node.args[0], node.args[1])
        self.generic_visit(node)

    def visit_arguments(self, node: ast.arguments) -> None:
        plain = [*node.posonlyargs, *node.args]
        usual = zip(plain[len(plain) - len(node.defaults) :], node.defaults, strict=True)
        for argument, default in [*usual, *zip(node.kwonlyargs, node.kw_defaults, strict=True)]:
            if default is not None and secretive(argument.arg):
                self._literal(default)
        self.generic_visit(node)

    def _given(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, (ast.Tuple, ast.List)) and isinstance(value, (ast.Tuple, ast.List)):
            for one, other in zip(target.elts, value.elts, strict=False):
                self._given(one, other)
        elif isinstance(target, ast.Subscript):
            self._named(target.slice, value)
        elif isinstance(target, (ast.Name, ast.Attribute)) and secretive(target.id if isinstance(target, ast.Name) else target.attr):
            self._literal(value)

    def _named(self, name: ast.expr, value: ast.expr) -> None:
        if isinstance(name, ast.Constant) and isinstance(name.value, str) and secretive(name.value):
            self._literal(value)

    def _literal(self, node: ast.expr) -> None:
        if isinstance(node, ast.BinOp):
            self._literal(node.left)
            self._literal(node.right)
        elif isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes))):
            value = node.value if isinstance(node, ast.Constant) else ""
            text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
            end = (node.end_lineno or node.lineno, node.end_col_offset or 0)
            self.spans.append(((node.lineno, node.col_offset), end, text))
