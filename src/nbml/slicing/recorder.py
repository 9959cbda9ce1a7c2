"""The cells of this notebook as they were run: what the Slice and the Recipe read.

Standard library and IPython only, since ``%load_ext nbml`` loads it. Nothing here may break a cell: a hook that fails
takes itself away, with one warning.
"""

from __future__ import annotations

import ast
import sys
import threading
import time
import uuid
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nbml.slicing import marks
from nbml.slicing.cells import BODY_RUNS, TIMED, Cell, as_run, bound, history, outcome
from nbml.slicing.events import Event, Statement

if TYPE_CHECKING:
    from nbml.slicing.evidence import Evidence


@dataclass
class Recorder:
    """Keeps the cells of one shell, in the order in which they ran."""

    shell: Any
    session: str
    cells: list[Cell] = field(default_factory=list)
    _open: list[tuple[Any, float]] = field(default_factory=list)
    _files: dict[str, int] = field(default_factory=dict)
    _inner: tuple[str, str, int | None] = ("ok", "", None)
    _evidence: Evidence | None = None
    _listening: bool = False
    _waiting: list[Callable[[], None]] = field(default_factory=list)
    _thread: int = field(default_factory=threading.get_ident)

    def __post_init__(self) -> None:
        self._marks = marks.Marks(self._statement, self._wanted)

    @property
    def events(self) -> list[Event]:
        """The top-level statements as they were executed, oldest first; one that still runs will be the next."""
        return [] if self._evidence is None else self._evidence.events

    def when_done(self, callback: Callable[[], None]) -> None:
        """Call back once the cell that runs has ended and is recorded; at once where none runs."""
        if self._open:
            self._waiting.append(callback)
        else:
            callback()

    @property
    def namespace(self) -> dict[str, Any]:
        """The notebook's names."""
        return self.shell.user_ns

    def attach(self) -> None:
        """Listen, and take what ran before from the shell's history."""
        self.cells = list(history(self.shell))
        self._files = {cell.file: cell.seq for cell in self.cells if cell.file}
        self.listen()

    def listen(self) -> None:
        """Hear of cells and of their statements from now on."""
        self._listening = True
        self.shell.events.register("pre_run_cell", self._before)
        self.shell.events.register("post_run_cell", self._after)
        self.shell.ast_transformers.append(self._marks)
        marks.listen(self._step)

    def detach(self) -> None:
        """Listen no more; the cells stay."""
        self._unmark()
        for event, hook in (("pre_run_cell", self._before), ("post_run_cell", self._after)):
            try:
                self.shell.events.unregister(event, hook)
            except ValueError:  # never registered, or gone already
                pass

    def cell_of(self, file: str) -> Cell | None:
        """The cell whose code objects call their file so; the last where its text ran more than once."""
        seq = self._files.get(file)
        return None if seq is None else next((cell for cell in reversed(self.cells) if cell.seq == seq), None)

    @property
    def running(self) -> Any:
        """The outermost cell that has begun and not ended, as IPython's ExecutionInfo; None between cells."""
        return self._open[0][0] if self._open else None

    def seen(self) -> list[Cell]:
        """The cells, and the one that is running now, as if all of it had run."""
        found = list(self.cells)
        if self._open:
            info, started = self._open[0]
            count = self.shell.execution_count - 1 if info.store_history else None
            source, _ = as_run(self.shell, info.raw_cell)
            file = self.shell.compile.get_code_name(info.raw_cell, info.transformed_cell or info.raw_cell, count or 0)
            known = (self._next(), source, info.raw_cell, info.cell_id or "", count)
            found.append(Cell(*known, "ok", "", None, started, started, bound(source), file))
        return found

    def _before(self, info: Any) -> None:
        self._open.append((info, time.time()))
        if len(self._open) == 1 and self._listening:
            self._guarded(self._begin)

    def _after(self, result: Any) -> None:
        failed = (result.error_before_exec or result.error_in_exec) is not None
        if self._evidence is not None and self._listening:
            evidence = self._evidence
            self._guarded(lambda: evidence.end(failed=failed))
        try:
            self._record(result)
        except Exception as error:
            self.detach()
            told = f"nbml no longer records cells: {type(error).__name__}: {error}; %reload_ext nbml starts again"
            warnings.warn(told, RuntimeWarning, stacklevel=2)
        if not self._open:
            waiting, self._waiting = self._waiting, []
            for callback in waiting:
                callback()

    # -- statements

    def _begin(self) -> None:
        """A cell begins."""
        self.reading().begin()

    def reading(self) -> Evidence:
        """What the names hold now. Made at the first cell after the load, of what the text of those before tells."""
        if self._evidence is None:
            from nbml.slicing.evidence import Evidence
            from nbml.slicing.past import events

            evidence = Evidence(self.namespace, self._where, self._marks)
            evidence.events += events(self.cells)
            evidence.look_at_all()
            self._evidence = evidence
        return self._evidence

    def _where(self) -> tuple[int, str, int | None]:
        """The cell that runs: its number, id and execution count."""
        info = self._open[0][0]
        return self._next(), info.cell_id or "", self.shell.execution_count - 1 if info.store_history else None

    def _wanted(self) -> bool:
        """Whether what is compiled now are statements of the cell: it itself, or the body of a magic that runs as one."""
        if self._evidence is None or not self._open:
            return False
        opened = self._evidence.open
        if opened is None:
            return True
        magic = opened.text.magic
        return magic is not None and not magic[0] and magic[1] in marks.ENTERED and (magic[1] != "run" or ".ipynb" in magic[2])

    def _statement(self, node: ast.stmt, block: int) -> int:
        """Write down a statement that is compiled; its key."""
        assert self._evidence is not None
        from nbml.slicing.texts import bodies, causes, functions

        info, opened = self._open[-1][0], self._evidence.open
        source = info.transformed_cell or info.raw_cell
        file = self.shell.compile.get_code_name(info.raw_cell, source, self._where()[2] or 0)
        if opened is not None and opened.text.magic is not None and opened.text.magic[1] in BODY_RUNS - {"capture"}:
            source, file = self.shell.transform_cell(opened.text.magic[2].partition("\n")[2]), TIMED
        told = marks.header(node) if isinstance(node, ast.With) and marks.opens_run(node) else node
        span = (node.lineno, node.col_offset, node.end_lineno or node.lineno, node.end_col_offset or 0)
        key = len(self._evidence.statements)
        self._evidence.statements[key] = Statement(key, ast.unparse(told), source, span, block)
        if functions(node):
            self._evidence.bodies |= {(file, line): body for line, body in bodies(node).items()}
            self._evidence.causes |= {(file, line): cause for line, cause in causes(node).items()}
        return key

    def _step(self, key: int) -> None:
        evidence = self._evidence
        if evidence is not None and self._open and threading.get_ident() == self._thread:
            self._guarded(lambda: evidence.step(key))

    def _guarded(self, work: Callable[[], None]) -> None:
        """Do what must not break a cell: where it fails, statements are recorded no more, with one warning."""
        try:
            work()
        except Exception as error:
            self._unmark()
            told = f"nbml no longer records statements: {type(error).__name__}: {error}; %reload_ext nbml starts again"
            warnings.warn(told, RuntimeWarning, stacklevel=3)

    def _unmark(self) -> None:
        if self._marks in self.shell.ast_transformers:
            self.shell.ast_transformers.remove(self._marks)
        self._listening = False
        marks.listen(None)
        if self._evidence is not None:
            self._evidence.stop()

    def _record(self, result: Any) -> None:
        info = result.info
        if not info.raw_cell or info.raw_cell.isspace():
            return  # IPython tells of an empty cell's end, not of its beginning
        started = self._close(info)
        count = result.execution_count if info.store_history else None
        transformed = info.transformed_cell or info.raw_cell
        file = self.shell.compile.get_code_name(info.raw_cell, transformed, result.execution_count or 0)
        if self._open:  # the body of %%capture, or a cell that a cell runs
            outer = self._open[0][0].raw_cell
            if info.raw_cell.strip() in outer:
                self._files[file] = self._next()
                above = outer[: outer.index(info.raw_cell.strip())].count("\n")
                status, error, line = outcome(result, file, 0)
                self._inner = (status, error, None if line is None else line + above)
                return
        seq = self._next()
        if self.cells and count is not None and self.cells[-1].count == count and self.cells[-1].raw == info.raw_cell.rstrip("\n"):
            seq = self.cells.pop().seq  # the cell that attached us was in the history already
        source, offset = as_run(self.shell, info.raw_cell)
        inner, self._inner = self._inner, ("ok", "", None)
        status, error, line = outcome(result, file, offset)
        if status == "ok":  # %%capture succeeds where its body fails
            status, error, line = inner
        names = bound(source, line)
        cell = Cell(seq, source, info.raw_cell, info.cell_id or "", count, status, error, line, started, time.time(), names, file)
        self.cells.append(cell)
        self._files[file] = seq
        self._keep(cell)

    def _next(self) -> int:
        return self.cells[-1].seq + 1 if self.cells else 0

    def _close(self, info: Any) -> float:
        """When the cell began; forgets it and whatever it left open."""
        for place, (known, started) in enumerate(self._open):
            if known is info or known.raw_cell == info.raw_cell:
                del self._open[place:]
                return started
        return time.time()

    def _keep(self, cell: Cell) -> None:
        from nbml.store import opened

        store = opened()
        if store is None or store.readonly:
            return
        body = {"line": cell.line, "raw": cell.raw} if cell.raw != cell.source else {"line": cell.line}
        store.add_cell(
            self.session, cell.seq, cell.source, cell=cell.id, count=cell.count, bound=cell.bound, status=cell.status,
            error=cell.error, started=cell.started, ended=cell.ended, body=body,
        )  # fmt: skip


_current: Recorder | None = None
#: the one that was detached last, and when: ``%reload_ext`` goes on with it
_parked: tuple[Recorder, Any] | None = None


def current() -> Recorder | None:
    """The recorder of this process's notebook."""
    return _current


def attach(shell: Any) -> Recorder:
    """Record ``shell`` from now on, and what it ran before; one recorder a shell."""
    global _current, _parked
    if _current is not None and _current.shell is shell:
        return _current
    detach()
    if _parked is not None and _parked[0].shell is shell and _parked[1] == _moment(shell):
        _current, _parked = _parked[0], None
        _current.listen()
        return _current
    recorder = Recorder(shell, uuid.uuid4().hex)
    recorder.attach()
    _current = recorder
    return recorder


def detach() -> None:
    """Record no more."""
    global _current, _parked
    if _current is not None:
        _current.detach()
        _parked = (_current, _moment(_current.shell))
    _current = None


def _moment(shell: Any) -> Any:
    """The cell and the session that a shell is in."""
    return shell.execution_count, getattr(shell.history_manager, "session_number", 0)


def pin(frame: object, ref: str) -> None:
    """A frame was kept as a dataset version: a recipe may begin with that."""
    kept = _current
    if kept is not None and kept._evidence is not None and kept._listening:
        evidence = kept._evidence
        kept._guarded(lambda: evidence.pin(frame, ref))


def namespace() -> dict[str, Any]:
    """The names of the notebook, or of the program where there is none."""
    shell = _current.shell if _current is not None else _running()
    return shell.user_ns if shell is not None else vars(sys.modules["__main__"])


def reader() -> Recorder | None:
    """What was recorded; without a recorder what the shell's history holds; None where there is no notebook."""
    if _current is not None:
        return _copy(_current.shell, _current.seen())
    shell = _running()
    if shell is None:
        return None
    return _copy(shell, list(history(shell)))


def _copy(shell: Any, cells: list[Cell]) -> Recorder:
    """A recorder that does not listen."""
    files = {cell.file: cell.seq for cell in cells if cell.file}
    inner = _current._files if _current is not None and _current.shell is shell else {}
    return Recorder(shell, "", cells, [], inner | files)


def _running() -> Any:
    from nbml.display.notebook import shell  # at use: loading the extension needs no display

    return shell()
