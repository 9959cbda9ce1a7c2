"""One executed cell: the Python that it ran, the names that it binds, how it ended; and those of the shell's history.

Standard library and IPython only, since ``%load_ext nbml`` loads it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

#: cell magics of IPython whose body is Python that binds names in the notebook
BODY_RUNS = frozenset({"time", "capture", "prun"})
#: what ``%%nbml`` runs as the cell itself
NBML_RUNS = frozenset({"track", "package"})
#: the file name that ``%%time`` gives to its body
TIMED = "<timed exec>"


@dataclass(frozen=True)
class Cell:
    """One executed cell.

    ``source`` is the Python that ran, line for line where the page has it: a first line that is a magic and whose body
    ran as the cell (``%%time``, ``%%nbml track``) is a comment. ``line`` is the line of ``source`` at which it failed; 0
    where nothing of it ran. ``bound`` are the names that its statements bind. ``file`` is what its code objects call their file.
    """

    seq: int
    source: str
    raw: str
    id: str
    count: int | None
    status: str
    error: str
    line: int | None
    started: float
    ended: float
    bound: tuple[str, ...]
    file: str = ""

    @property
    def label(self) -> str:
        """How the page calls it."""
        return f"cell {self.count}" if self.count is not None else "a cell"

    def statements(self) -> list[ast.stmt]:
        """The top-level statements that ran; of a failed cell those above the failing line."""
        return ran(self.source, self.line)


def as_run(shell: Any, raw: str) -> tuple[str, int]:
    """The Python that a cell ran, line for line; and how many lines above it are not in its own code objects."""
    head, newline, body = raw.partition("\n")
    if _body_runs(head.strip()):
        first = next((place for place, line in enumerate(body.split("\n")) if line.strip()), 0)
        inner, offset = as_run(shell, body)  # which begins at the first line that is not empty
        return f"# {head.strip()}{newline}" + "\n" * first + inner, offset + first + 1
    try:
        return shell.transform_cell(raw), 0
    except SyntaxError:
        return raw, 0


def _body_runs(head: str) -> bool:
    words = head[2:].split() if head.startswith("%%") else []
    if not words:
        return False
    return words[0] in BODY_RUNS or (words[0] == "nbml" and len(words) > 1 and words[1] in NBML_RUNS)


def ran(source: str, line: int | None) -> list[ast.stmt]:
    """The top-level statements of a text that ran, given the line at which it failed."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []
    return [node for node in tree.body if line is None or (node.end_lineno or node.lineno) < line]


def bound(source: str, line: int | None = None) -> tuple[str, ...]:
    """The names that the statements of a text bind at its top level, in order."""
    return tuple(dict.fromkeys(name for node in ran(source, line) for name in binds(node)))


def binds(node: ast.AST) -> Iterator[str]:
    """The names that a statement binds where it stands; functions and classes in it are not entered."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
        return
    if isinstance(node, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
        yield from (inner.target.id for inner in ast.walk(node) if isinstance(inner, ast.NamedExpr))
        return
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names if alias.name != "*")
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
        yield node.name
    for child in ast.iter_child_nodes(node):
        yield from binds(child)


def history(shell: Any) -> Iterator[Cell]:
    """The cells that a shell ran before we listened, as its history has them."""
    manager = getattr(shell, "history_manager", None)
    if manager is None:
        return
    failed = getattr(manager, "exceptions", {})
    for count, raw in enumerate(manager.input_hist_raw):
        if count == 0 or not raw.strip():
            continue
        source, offset = as_run(shell, raw)
        error, line = _past(failed.get(count), count, offset)
        status = "error" if error else "ok"
        yield Cell(count - 1, source, raw, "", count, status, error, line, 0.0, 0.0, bound(source, line), _file_of(shell, count, raw))


def _file_of(shell: Any, count: int, raw: str) -> str:
    """What a cell of the history calls its file: a name made of its text, which the history keeps without its end."""
    known = getattr(shell.compile, "_filename_map", {})
    parsed = shell.history_manager.input_hist_parsed
    text = parsed[count] if count < len(parsed) else raw
    for end in ("", "\n", "\n\n"):
        name = shell.compile.get_code_name(raw + end, text + end, count)
        if name in known:
            return name
    return next((name for name, number in reversed(known.items()) if number == count), "")


_PAST_LINE = re.compile(r"In\[(\d+)\], line (\d+)")
_PAST_TIMED = re.compile(r"<timed exec>:(\d+)$", re.M)
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def _past(kept: Any, count: int, offset: int) -> tuple[str, int | None]:
    """Error and line of a cell of the history, from the traceback that IPython kept of it."""
    if not isinstance(kept, dict):
        return "", None
    error = f"{kept.get('ename', 'Error')}: {kept.get('evalue', '')}"
    text = _ANSI.sub("", "\n".join(map(str, kept.get("traceback", ()))))
    if kept.get("ename") in ("SyntaxError", "IndentationError") and "Traceback" not in text:
        return error, 0
    timed = _PAST_TIMED.search(text)
    if timed and offset:
        return error, int(timed[1]) + offset
    return error, next((int(line) for cell, line in _PAST_LINE.findall(text) if int(cell) == count), 0)


def outcome(result: Any, file: str, offset: int) -> tuple[str, str, int | None]:
    """Status, error and failing line of what IPython tells of a cell."""
    error = result.error_before_exec or result.error_in_exec
    if error is None:
        return "ok", "", None
    text = f"{type(error).__name__}: {error}"
    trace = error.__traceback__ if result.error_in_exec is not None else None
    line = 0
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename == TIMED and code.co_name == "<module>" and offset:
            return "error", text, trace.tb_lineno + offset  # the body counts from its own first line
        if code.co_filename == file and not line:
            line = trace.tb_lineno
        trace = trace.tb_next
    return "error", text, line
