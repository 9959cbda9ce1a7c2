"""``%%nbml track`` and ``%%nbml package``: the body runs as the cell itself.

The first line becomes a call of ``begin`` on that very line (text only, no effect), and the last expression E becomes
``end(E)`` in the syntax tree. So line numbers, ``inspect.getsource``, top-level ``await`` and nested magics are IPython's own.
What an error leaves open is closed after the cell.
"""

from __future__ import annotations

import ast
import linecache
import re
import sys
from dataclasses import dataclass
from typing import Any

import nbml
from nbml import errors
from nbml.commands.calls import Call, bind
from nbml.commands.parser import read
from nbml.commands.table import TABLE
from nbml.magics.tokens import typed
from nbml.magics.told import Told

RUN = {command.name for command in TABLE if command.cell == "run"}
FIRST = re.compile(r"%%nbml[ \t]+(?P<line>(?P<name>[a-z]+)\b.*)$")
#: what stands where the first line stood; the syntax tree is known by it
HERE = "nbml.magics.cells"
BEGIN = f"__import__({HERE!r}, fromlist=['begin']).begin"


@dataclass
class Open:
    """A body that is running: its call, the cell that it belongs to, and what was begun for it."""

    call: Call
    info: Any
    manager: Any = None
    run: Any = None
    before: Any = None

    def finish(self, value: Any) -> Any:
        """The body has ended; returns what the cell's value is."""
        if self.call.command.name == "track":
            self.manager.__exit__(None, None, None)
            return value
        return self._package(value)

    def fail(self, error: BaseException) -> None:
        """The body was left by an error."""
        if self.manager is not None:
            self.manager.__exit__(type(error), error, error.__traceback__)

    def _package(self, value: Any) -> Any:
        from IPython.core.getipython import get_ipython
        from IPython.display import display

        shell = get_ipython()
        predict = shell.user_ns.get("predict")
        if not callable(predict) or predict is self.before:
            name = self.call.value("name")
            message = f"the cell defines no function predict(df), so there is nothing to package as {name}"
            raise errors.UnknownName(message, next="%nbml package --help")
        if value is not None:
            display(value)
        self.call.set("model_or_function", predict, "predict")
        return self.call.run()


class Cells:
    """The bodies that are running in one shell."""

    def __init__(self, shell: Any, notebook: Any) -> None:
        self.shell, self.notebook = shell, notebook
        self.infos: list[Any] = []
        self.open: list[Open] = []
        self.ended: list[Open] = []
        self.told = Told(shell)

    def begin(self, line: str, below: str = "") -> None:
        words = read(typed(line, "%%nbml"), "%%nbml")
        if below:
            raise errors.BadArgument(f"a cell is one thing, not two: {words.typed()}, or %%nbml {below}", next="%nbml --help")
        call = bind(words, self.notebook())
        opened = Open(call, self.info(), before=self.shell.user_ns.get("predict"))
        if call.command.name == "track":
            opened.manager = call.run()
            opened.run = opened.manager.__enter__()
        self.open.append(opened)

    def end(self, value: Any) -> Any:
        opened = self.open.pop()
        if opened.run is not None:
            self.ended.append(opened)
        try:
            return opened.finish(value)
        except KeyboardInterrupt as error:
            errors.shown_briefly(error, f"{opened.call.command.name} was interrupted; what was finished is kept")
            raise

    def info(self) -> Any:
        """The cell that is running, or None where it is not known."""
        return self.infos[-1] if self.infos else None

    def before(self, info: Any) -> None:
        self.infos.append(info)

    def after(self, result: Any) -> None:
        """Close what the cell left open, then show its runs."""
        info = getattr(result, "info", None)
        error = getattr(result, "error_in_exec", None) or getattr(result, "error_before_exec", None)
        while self.open and (result is None or self.open[-1].info in (info, None)):
            self.close(error)
        self.infos = self.infos[: self.infos.index(info)] if info in self.infos else []
        self.told.tell()
        self.show(info)

    def close(self, error: BaseException | None) -> None:
        """Close the innermost body as failed."""
        opened = self.open.pop()
        opened.fail(error or getattr(sys, "last_value", None) or KeyboardInterrupt())
        if opened.run is not None:
            self.ended.append(opened)

    def show(self, info: Any) -> None:
        """Show the runs of a cell that has ended."""
        ended, self.ended = self.ended, []
        for opened in ended:
            self.told.show(opened.run)

    def body(self, line: str, cell: str) -> Any:
        """Run a body here and now: the magic was called by a program, so that nothing was transformed."""
        shell = self.shell
        source = f"%%nbml {line}\n{cell}"
        text = shell.transform_cell(source)
        name = shell.compile.cache(text, shell.execution_count, raw_code=source)
        tree = shell.transform_ast(shell.compile.ast_parse(text, filename=name))
        depth = len(self.open)
        try:
            value = _run(tree, name, shell.user_ns)
        except BaseException as error:
            while len(self.open) > depth:
                self.close(error)
            raise
        finally:
            self.show(self.info())
        return value


def _run(tree: ast.Module, name: str, names: dict[str, Any]) -> Any:
    last = tree.body[-1]
    exec(compile(ast.Module(tree.body[:-1], []), name, "exec"), names)  # noqa: S102 - the user's own cell
    if not isinstance(last, ast.Expr):
        exec(compile(ast.Module([last], []), name, "exec"), names)  # noqa: S102
        return None
    return eval(compile(ast.Expression(last.value), name, "eval"), names)  # noqa: S307


def transform(lines: list[str]) -> list[str]:
    """The first line of a ``run`` cell as a call; the rest as IPython would read it without that line."""
    found = FIRST.match(lines[0].rstrip("\n")) if lines else None
    if found is None or found["name"] not in RUN or {"--help", "-h", "--as-python"} & set(found["line"].split()):
        return lines
    from IPython.core.inputtransformer2 import cell_magic

    rest = lines[1:]
    at = next((i for i, line in enumerate(rest) if line.strip()), len(rest))
    below = FIRST.match(rest[at].rstrip("\n")) if at < len(rest) else None
    second = f", {below['line']!r}" if below is not None and below["name"] in RUN else ""
    return [f"{BEGIN}({found['line']!r}{second})\n", *rest[:at], *([] if second else cell_magic(rest[at:]))]


class Ends(ast.NodeTransformer):
    """The last expression E of a ``run`` cell becomes ``end(E)``."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell

    def visit(self, node: ast.AST) -> ast.AST:
        if not isinstance(node, ast.Module) or not node.body or not _begins(node.body[0]):
            return node
        last = node.body[-1]
        value = _shown(last, self.shell.ast_node_interactivity) if len(node.body) > 1 else None
        function = ast.parse(f"__import__({HERE!r}, fromlist=['end']).end", mode="eval").body
        call = ast.Expr(ast.Call(function, [value] if value is not None else [], []))
        for part in ast.walk(call):
            if part is value:
                continue
            if not hasattr(part, "lineno"):
                ast.copy_location(part, last)
        for part in ast.walk(function):
            ast.copy_location(part, last)
        ast.copy_location(call.value, last)
        ast.copy_location(call, last)
        if isinstance(last, ast.Expr) and value is not None:
            node.body[-1] = call
        else:
            node.body.append(call)
        return node


def _begins(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and ast.unparse(node).startswith(BEGIN + "(")


def _shown(last: ast.stmt, interactivity: str) -> ast.expr | None:
    """The expression whose value the cell shows."""
    if isinstance(last, ast.Expr):
        return last.value
    target = last.targets[0] if isinstance(last, ast.Assign) and len(last.targets) == 1 else None
    if interactivity == "last_expr_or_assign" and isinstance(target, ast.Name):
        return ast.copy_location(ast.Name(target.id, ast.Load()), last)
    return None


_cells: Cells | None = None


def use(cells: Cells | None) -> None:
    """The shell that bodies run in."""
    global _cells
    _cells = cells


def begin(line: str, below: str = "") -> None:
    """Stands where the first line of the cell stood; ``below`` is a second such line under it."""
    _show_typed(sys._getframe(1).f_code.co_filename, line)
    _require().begin(line, below)


def _show_typed(file: str, line: str) -> None:
    """What tracebacks show of the cell's first line is what was typed, as a comment: the rest stays readable as Python."""
    for cache in (linecache.cache, getattr(linecache, "_ipython_cache", {})):
        entry: Any = cache.get(file)
        if entry is not None and len(entry) == 4 and entry[2] and entry[2][0].startswith(BEGIN):
            lines = [f"# %%nbml {line}\n", *entry[2][1:]]
            cache[file] = (sum(map(len, lines)), entry[1], lines, entry[3])


def end(value: Any = None) -> Any:
    """Stands around the last expression of the cell."""
    return _require().end(value)


def _require() -> Cells:
    if _cells is None:
        raise errors.UsageError(f"nbml {nbml.__version__} is not loaded", next="%load_ext nbml")
    return _cells
