"""``python -m nbml COMMAND ... [--json]``: the same commands in a terminal, in CI, in a scheduler.

Data are paths and ``name@n``, models ``module:attribute``. Exit codes: 0; 1 where the command failed (or a validation
did); 2 where what was typed cannot be read, or there is no suite to validate with.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shlex
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import nbml
from nbml import errors, frames, store
from nbml.commands.calls import Call, Found, bind
from nbml.commands.help import Help
from nbml.commands.parser import Word, Words, fit, read

LEAD = "python -m nbml"


class Terminal:
    """Reads words where there is no notebook: files, stored things, modules."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.place = fit(store.chosen().name) or "project"

    def text(self, word: Word, expand: bool = True) -> str:
        return word.text

    def data(self, word: Word, words: Words) -> Found:
        text = word.text
        if text.lower().endswith(frames.ENDINGS):
            if not Path(text).is_file():
                raise errors.BadInput(f"no file {text!r} in {Path.cwd()}", next=words.explained)
            return Found(text, repr(text), Path(text).stem)
        name = text.partition("@")[0]
        found = store.existing()
        if found is None or found.find("dataset", text) is None:
            raise _no_dataset(text, word, words)
        return Found(text, repr(text), name, name)

    def frame(self, word: Word, words: Words) -> Found:
        return self.data(word, words)

    def model(self, word: Word, words: Words) -> Found:
        module, colon, attribute = word.text.partition(":")
        if not colon:
            raise errors.BadArgument(f"outside a notebook a model is MODULE:NAME, found {word.text!r}", next=words.explained)
        return self._attribute(module, attribute, words)

    def served(self, word: Word, words: Words) -> Found:
        if ":" in word.text:
            return self.model(word, words)
        return Found(word.text, repr(word.text), word.text)

    def thing(self, word: Word, words: Words, of: str) -> Found:
        return Found(word.text, repr(word.text), word.text)

    def python(self, word: Word, words: Words) -> Found:
        text = word.text
        number = float(text) if text.replace(".", "", 1).isdigit() else None
        value: Any = text if number is None else int(number) if text.isdigit() else number
        return Found(value, repr(value), text)

    def _attribute(self, module: str, attribute: str, words: Words) -> Found:
        here = str(Path.cwd())
        sys.path.insert(0, here)
        try:
            value: Any = import_module(module)
            for name in attribute.split("."):
                value = getattr(value, name)
        except ModuleNotFoundError as error:
            raise errors.UnknownName(f"no module {error.name!r} in {Path.cwd()} or in this Python", next=words.explained) from error
        except AttributeError as error:
            raise errors.UnknownName(f"{module} has no {attribute!r}", next=words.explained) from error
        finally:
            sys.path.remove(here)
        return Found(value, attribute.rpartition(".")[2], attribute)


def _no_dataset(text: str, word: Word, words: Words) -> errors.UnknownDataset:
    found = store.existing()
    things = {thing.name: thing for thing in found.latest("dataset")} if found is not None else {}
    near = things.get(errors.nearest(text.partition("@")[0], things) or "")
    have = f"nearest: {near.ref}" if near else f"there are {', '.join([*things][:5])}" if things else "none is stored yet"
    return errors.UnknownDataset(f"no dataset {text!r}; {have}", next=words.instead(word, near.ref) if near else f"{LEAD} data")


def main(arguments: list[str]) -> int:
    """Run one command; returns the exit code."""
    as_json = "--json" in arguments
    if arguments == ["--version"]:
        sys.stdout.write(f"nbml {nbml.__version__}\n")
        return 0
    try:
        # what libraries print is no part of the answer
        with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
            value = run(arguments, as_json)
    except errors.NbmlError as error:
        if error.next == store.ELSEWHERE:
            error.next = f"NBML_PROJECT=~/nbml-project {LEAD} {shlex.join(arguments)}"
        none = isinstance(error, errors.UnknownSuite) or getattr(getattr(error, "validation", error), "success", False) is None
        return _failed(error, as_json, 2 if none or isinstance(error, errors.UsageError) else 1)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130
    except Exception as error:
        if not as_json:
            raise
        return _failed(error, True, 1)
    sys.stdout.write(json.dumps(jsonable(value), ensure_ascii=False) + "\n" if as_json else written(value))
    return code(value)


def run(arguments: list[str], as_json: bool) -> Any:
    """The command's value."""
    words = read([Word(argument, plain=True) for argument in arguments if argument != "--json"], LEAD)
    if words.help:
        return Help(words.command if len(words.tokens) > 1 else None)
    out = sys.stderr if as_json else sys.stdout
    call = bind(words, Terminal(lambda line: print(line, file=out)))
    if words.command.cell == "text":
        _body(call)
    return call.python() if words.as_python else call.run()


def _body(call: Call) -> None:
    """What would stand in the cell comes from standard input."""
    if sys.stdin is None or sys.stdin.isatty():
        message = f"{call.command.name} reads its lines from standard input, and there are none"
        raise errors.BadArgument(message, next=f"{LEAD} {call.command.name} --help")
    text = sys.stdin.read()
    call.set("text", text, repr(text))


def code(value: Any) -> int:
    """The exit code that a value stands for: a validation's, a broken installation's; else 0."""
    if hasattr(value, "success"):
        return {True: 0, False: 1}.get(value.success, 2)
    return int(getattr(value, "healthy", True) is False)


def written(value: Any) -> str:
    """A value for a terminal; what it proposes as its lines, without those on the notebook's last value."""
    from nbml.display import Shown, plain

    if isinstance(value, Shown) and type(value).__repr__ is Shown.__repr__:
        report = value._report()
        following = [_typed(line) for line in report.next if not line.startswith("_")]
        return f"{plain.text(dataclasses.replace(report, next=following))}\n"
    return "" if value is None else f"{value if isinstance(value, str) else repr(value)}\n"


def jsonable(value: Any) -> Any:
    """A value as JSON: records of a frame, the payload of a result; of a listing too where the asker draws results."""
    from nbml.display import Shown, payload
    from nbml.display.payload import scalar

    listed = getattr(value, "__dict__", {}).get("_shown")
    if listed is not None and os.environ.get("NBML_JSON") == "shown":
        return payload(listed, None)
    if frames.is_frame(value):
        frame = value.reset_index() if value.index.name else value
        return [{str(key): _cell(entry) for key, entry in row.items()} for row in frame.to_dict("records")]
    if isinstance(value, Shown):
        found = payload(value._report(), None)
        known = {word: getattr(value, word) for word in ("success", "same", "differences", "why") if hasattr(value, word)}
        return found | {word: jsonable(entry) for word, entry in known.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(entry) for entry in value]
    if isinstance(value, dict):
        return {str(key): jsonable(entry) for key, entry in value.items()}
    return scalar(value)


def _cell(value: Any) -> Any:
    from nbml.display.payload import scalar

    if isinstance(value, (list, tuple)) or getattr(value, "ndim", False):
        return [_cell(entry) for entry in value]
    if isinstance(value, dict):
        return {str(key): _cell(entry) for key, entry in value.items()}
    return None if value is not value or type(value).__name__ in ("NaTType", "NAType") else scalar(value)


def _failed(error: Exception, as_json: bool, status: int) -> int:
    message = getattr(error, "message", None) or str(error)
    next_ = getattr(error, "next", None)
    if as_json:
        line = next_.replace(LEAD, "%nbml", 1) if next_ else None
        said = {"error": {"type": type(error).__name__, "message": message, "next": line}}
        sys.stdout.write(json.dumps(said, ensure_ascii=False) + "\n")
    sys.stderr.write(f"{type(error).__name__}: {message}\n")
    if next_:
        sys.stderr.write(f"Try: {_typed(next_)}\n")
    return status


def _typed(line: str) -> str:
    """A notebook's line as one of a terminal."""
    if line.startswith(("nbml.", "import nbml;")):
        return f"python -c {shlex.quote('import nbml; ' + line.removeprefix('import nbml; '))}"
    return line.replace("%nbml", LEAD, 1) if line.startswith("%nbml") else line


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
