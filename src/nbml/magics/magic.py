"""``%nbml`` and ``%%nbml``: words to a call, and the call's value."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_cell_magic, magics_class, needs_local_scope, no_var_expand
from IPython.display import display

from nbml import errors
from nbml.commands import not_yet
from nbml.commands.calls import Call, bind
from nbml.commands.parser import Words, read
from nbml.magics.python import cell_form, with_body
from nbml.magics.resolve import Notebook
from nbml.magics.tokens import typed
from nbml.store import existing

if TYPE_CHECKING:
    from nbml.magics.session import Session


@magics_class
class NbmlMagics(Magics):
    """The one magic, of which every command is a word."""

    def __init__(self, session: Session) -> None:
        super().__init__(session.shell)
        self.session = session

    @no_var_expand
    @needs_local_scope
    @line_cell_magic
    def nbml(self, line: str, cell: str | None = None, local_ns: dict[str, Any] | None = None) -> Any:
        """``%nbml COMMAND ...``; ``%nbml --help`` lists the commands, ``%nbml COMMAND --help`` explains one."""
        try:
            return self._run(line, cell, local_ns)
        except errors.NbmlError as error:
            if isinstance(error, errors.ProofFailed) and error.proof is not None:
                display(error.proof)
            if error.next and error.next.startswith("nbml.") and not self._imported():
                error.next = f"import nbml; {error.next}"
            raise
        except KeyboardInterrupt as error:
            errors.shown_briefly(error, f"{line.split(maxsplit=1)[0]} was interrupted; what was finished is kept")
            raise

    def _run(self, line: str, cell: str | None, local_ns: dict[str, Any] | None) -> Any:
        words = read(typed(line, lead := "%nbml" if cell is None else "%%nbml"), lead)
        if words.help:
            from nbml.commands.help import Help

            return Help(words.command if len(words.tokens) > 1 else None)
        if words.command.name == "deploy" and not words.given:
            raise _form()
        notebook = self.session.notebook(local_ns)
        if cell is not None:
            return self._cell(words, line, cell, notebook)
        call = bind(words, notebook)
        if words.form:
            return self._edit(call)
        return self._next(call.python()) if words.as_python else call.run()

    def _cell(self, words: Words, line: str, cell: str, notebook: Notebook) -> Any:
        kind = words.command.cell
        if words.as_python:
            call = bind(words, notebook)
            return self._next(cell_form(call, cell))
        if kind == "run":
            return self.session.cells.body(line, cell)
        call = bind(words, notebook)
        if kind == "text":
            with_body(call, cell)
            return call.run()
        return self._code(call, cell)

    def _edit(self, call: Call) -> Any:
        """The form of a suite."""
        editor = import_module("nbml.validation.editor")
        assert call.words is not None
        if call.words.as_python:
            message = f"{call.words.form} of {call.command.name} opens a form, which has no Python form"
            raise errors.BadArgument(message, next=call.words.without("--as-python"))
        on = next((arg for arg in call.args if arg.param.name == "on"), None)
        label = call.words.given["on"][0].raw if on is not None else ""
        with call.typed():
            return editor.edit(call.value("name"), on.value if on is not None else None, label)

    def _code(self, call: Call, cell: str) -> Any:
        """Hand the body on as source whose line numbers are the cell's."""
        source = "\n" + cell
        name = self.shell.compile.cache(source, self.shell.execution_count, raw_code=source)
        options = call.options()
        on = tuple(options.pop(key) for key in ("X", "y") if key in options)
        stage = import_module(f"nbml.{ROOMS[call.command.name]}")
        with call.typed():
            return stage.cell(source, self.shell.user_ns, name=call.value("name"), on=on, filename=name, **_without(options, "name"))

    def _next(self, text: str) -> None:
        """Put Python into the next cell."""
        lead = "" if self._imported() else "import nbml\n\n"
        self.shell.set_next_input(lead + text, replace=False)

    def _imported(self) -> bool:
        """Whether the notebook knows the name nbml."""
        return getattr(self.shell.user_ns.get("nbml"), "__name__", "") == "nbml"


#: command whose body is handed on as source -> its stage
ROOMS = {"tune": "tuning"}


def _without(options: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in options.items() if key != name}


def _form() -> errors.NotYet:
    """``%nbml deploy`` alone."""
    store = existing()
    services = store.latest("service") if store is not None else []
    error = not_yet("the form that %nbml deploy opens")
    line = f"%nbml deploy {services[0].name}" if services else "%nbml services"
    return errors.NotYet(f"{error.message}; the notebook's Deploy button has one", next=line)
