"""The Python form of a cell: what ``--as-python`` puts into the next one."""

from __future__ import annotations

import ast
import io
import tokenize

from nbml import errors
from nbml.commands.calls import Call


def quoted(text: str) -> str:
    """A text as a literal, over several lines where it has them."""
    plain = '"""' not in text and "\\" not in text and not text.endswith('"')
    return f'"""{text}"""' if "\n" in text and plain else repr(text)


def with_body(call: Call, body: str) -> None:
    """Give the body to the parameter that takes it."""
    call.set("text", body, quoted(body))
    call.positional = (*call.positional, "text")


def cell_form(call: Call, body: str) -> str:
    """What gives the same as the call over this body."""
    kind = call.command.name
    if call.command.cell == "text":
        with_body(call, body)
        return call.python()
    if kind == "track":
        return f"with {call.python()} as run:\n{indented(body)}"
    if kind == "package":
        call.set("model_or_function", None, "predict")
        call.positional = ("model_or_function",)
        return f"{body.rstrip()}\n\n{call.python()}"
    return _tune(call, body)


def indented(body: str) -> str:
    """``body`` as a block: lines inside a text keep their beginning."""
    inside: set[int] = set()
    try:
        for token in tokenize.generate_tokens(io.StringIO(body).readline):
            if token.type == tokenize.STRING:
                inside |= set(range(token.start[0] + 1, token.end[0] + 1))
    except (tokenize.TokenError, SyntaxError):
        inside = set()  # magics in the body: no Python, and no text over several lines that could be told
    lines = [line if n in inside or not line.strip() else "    " + line for n, line in enumerate(body.splitlines(), 1)]
    return "\n".join(lines or ["    pass"])


def _tune(call: Call, body: str) -> str:
    """With data an estimator is searched, else a function that gives a number."""
    try:
        tree = ast.parse(body)
    except SyntaxError as error:
        message = f"line {error.lineno} of the body is not plain Python, so it has no Python form"
        raise errors.BadArgument(message, next="%nbml tune --help") from error
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr):
        raise errors.BadArgument("the body ends with no expression, so there is nothing to tune", next="%nbml tune --help")
    before = "\n".join(body.splitlines()[: last.lineno - 1]).strip("\n")
    final = ast.get_source_segment(body, last) or ""
    call.positional = ("estimator_or_function", "X", "y")
    if any(arg.param.name == "X" for arg in call.args):
        call.set("estimator_or_function", None, final)
        return "\n".join(["from nbml import tune", "", *([before] if before else []), call.python()])
    call.set("estimator_or_function", None, "objective")
    block = f"{before}\nreturn {final}" if before else f"return {final}"
    return f"def objective(tune):\n{indented(block)}\n\n\n{call.python()}"
