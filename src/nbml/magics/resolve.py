"""What a word means in a notebook: a variable, something stored, a file, an expression."""

from __future__ import annotations

import ast
import builtins
import re
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbml import errors, frames, store
from nbml.commands.calls import Found
from nbml.commands.names import entry, fitted
from nbml.commands.parser import Word, Words
from nbml.commands.table import Param
from nbml.magics.expand import expand
from nbml.store.record import NAME

#: kinds of which a stored one wins over a variable of that name
STORED_FIRST = ("service", "deployment")
#: kind -> the line that lists what there is
LISTED = {"dataset": "%nbml data", "service": "%nbml services"}


class Notebook:
    """Reads words against the notebook's names and the project's record."""

    def __init__(self, names: Mapping[str, Any], hidden: Mapping[str, Any], place: str) -> None:
        self.names, self.hidden, self.place = names, hidden, place

    def say(self, line: str) -> None:
        sys.stdout.write(line + "\n")

    def text(self, word: Word, expand: bool = True) -> str:
        return self._expanded(word) if expand else word.text

    def data(self, word: Word, words: Words) -> Found:
        for text in dict.fromkeys((word.text, self._expanded(word, quiet=True))):
            found = self._variable(text) or _stored("dataset", text) or _file(text)
            if found is not None:
                return found
        text = self.text(word)
        head, at, number = text.partition("@")
        meant = number.isdigit() or (head not in self.names and _stored("dataset", head) is not None)
        if at and NAME.fullmatch(head) and meant:
            raise self._no_version(text, word, words)
        if text.lower().endswith(frames.ENDINGS) and not text.isidentifier():
            raise no_file(text, word, words, "%ls")
        return self._expression(word, words, "no dataframe, dataset or file {!r}", self._frames(), "%whos DataFrame")

    def frame(self, word: Word, words: Words) -> Found:
        found = self.data(word, words)
        value = found.value
        if not (frames.is_frame(value) or isinstance(value, (str, Path)) or _holds(value)):
            known = self._frames()
            message = f"{word.text!r} is {frames.describe(value)}, not a dataframe"
            raise errors.NotADataFrame(message, next=words.instead(word, known[-1]) if known else "%nbml data")
        return found

    def model(self, word: Word, words: Words) -> Found:
        found = self._variable(self.text(word))
        return found or self._expression(word, words, "no name {!r} in this notebook", self._fitting(words.param_of(word)))

    def served(self, word: Word, words: Words) -> Found:
        text = self.text(word)
        stored, variable = _stored("service", text), self._variable(text)
        if stored is not None:
            if variable is not None:
                self.say(f"{text}: the service, not the variable of that name")
            return stored
        services = [thing.name for thing in _latest("service")]
        if "@" in text and "(" not in text and variable is None:
            raise _unknown("service", text, services, words, word)
        near = [*services, *self._fitting(words.param_of(word))]
        return variable or self._expression(word, words, "no service and no name {!r} in this notebook", near, "%nbml services")

    def thing(self, word: Word, words: Words, of: str) -> Found:
        text = self.text(word)
        stored, variable = _stored(of, text), self._variable(text)
        held = variable if variable is not None and _holds(variable.value) else None
        found = stored or held if of in STORED_FIRST else held or stored
        if stored is not None and variable is not None:
            chosen = (f"the {of}", "the variable") if found is stored else ("the variable", f"the {of}")
            self.say(f"{text}: {chosen[0]}, not {chosen[1]} of that name")
        return found or Found(text, repr(text), text)

    def python(self, word: Word, words: Words) -> Found:
        near = self._fitting(words.param_of(word))
        return self._variable(word.text) or self._expression(word, words, "no name {!r} in this notebook", near)

    def _expanded(self, word: Word, quiet: bool = False) -> str:
        if word.literal:
            return word.text
        try:
            return expand(word.text, self.names)
        except errors.UnknownName:
            if quiet:
                return word.text
            raise

    def _variable(self, text: str) -> Found | None:
        return Found(self.names[text], text, text) if text.isidentifier() and text in self.names else None

    def _expression(self, word: Word, words: Words, nothing: str, near: list[str], look: str = "%whos") -> Found:
        """The value of an expression over the notebook's names."""
        text = word.raw
        try:
            value = eval(compile(text, "<%nbml>", "eval"), dict(self.names))  # noqa: S307 - the user's own expression
        except NameError as error:
            name = text if text.isidentifier() or NAME.fullmatch(text) else error.name or text
            close = errors.nearest(name, near)
            if close is None:
                raise errors.UnknownName(nothing.format(name), next=look) from None
            right = close if name == text else re.sub(rf"\b{re.escape(name)}\b", close, text)
            line = words.instead(word, right) if name == text or self._readable(right) else look
            raise errors.UnknownName(f"{nothing.format(name)}; nearest: {close}", next=line) from None
        except Exception as error:
            raise errors.BadArgument(f"{text!r} cannot be evaluated: {type(error).__name__}: {error}", next=look) from error
        return Found(value, text, text)

    def _no_version(self, text: str, word: Word, words: Words) -> errors.UnknownDataset:
        names = [thing.name for thing in _latest("dataset")]
        return errors.UnknownDataset(_message("dataset", text, names), next=_right("dataset", text, word, words))

    def _shown(self) -> list[str]:
        return [name for name in self.names if not name.startswith("_") and self.hidden.get(name, self) is not self.names[name]]

    def _readable(self, text: str) -> bool:
        """Whether the notebook knows each name of an expression."""
        names = [node.id for node in ast.walk(ast.parse(text, mode="eval")) if isinstance(node, ast.Name)]
        return all(name in self.names or hasattr(builtins, name) for name in names)

    def _fitting(self, param: Param | None) -> list[str]:
        """The names of the notebook whose values a parameter takes."""
        takes = TAKES.get(param.name if param is not None and param.kind == "python" else param.kind if param is not None else "", _shown)
        return [name for name in self._shown() if takes(self.names[name])]

    def _frames(self) -> list[str]:
        return [name for name in self._shown() if frames.is_frame(self.names[name])] + [t.name for t in _latest("dataset")]


def no_file(text: str, word: Word, words: Words, look: str) -> errors.BadInput:
    """The error for a file that is not there, with the nearest beside it that can be read."""
    path = Path(text).expanduser()
    folder = path.parent
    there = sorted(p.name for p in folder.iterdir() if p.name.lower().endswith(frames.ENDINGS)) if folder.is_dir() else []
    close = errors.nearest(path.name, there)
    have = f"; nearest: {close}" if close else ""
    right = words.instead(word, text.removesuffix(path.name) + close) if close and not set(close) & set(" \"'()[]{}$") else look
    return errors.BadInput(f"no file {text!r} in {Path.cwd()}{have}", next=right)


def _shown(value: object) -> bool:
    """What can be named and shown: anything but a module."""
    return not isinstance(value, types.ModuleType)


def _packable(value: object) -> bool:
    """A fitted model, or a function that is one by its name or by what it takes."""
    if isinstance(value, types.FunctionType):
        code = value.__code__
        return value.__name__.startswith("predict") or (code.co_argcount == 1 and code.co_varnames[0] in ROWS)
    model = not isinstance(value, (type, types.ModuleType)) and hasattr(value, "predict")
    return model and (not hasattr(value, "get_params") or fitted(value))


def _splits(value: object) -> bool:
    return not isinstance(value, (type, types.ModuleType, str)) and hasattr(value, "get_n_splits") and hasattr(value, "split")


def _column(value: object) -> bool:
    """Values that stand beside the rows of a frame."""
    said = entry("", value)
    return isinstance(value, (list, tuple)) or (said is not None and said["kind"] in ("series", "array", "frame"))


#: what the one parameter of a function that predicts is called
ROWS = ("df", "X", "x", "data", "rows", "frame", "features")
#: kind of a parameter, or name of one that takes an expression -> whether a value is one that it takes
TAKES = {"model": _packable, "served": _packable, "cv": _splits, "groups": _column, "y": _column, "variable": _shown}


def _holds(value: object) -> bool:
    """Whether a variable holds a thing itself: a value of nbml, or a suite of Great Expectations."""
    kind = type(value)
    suite = kind.__name__ == "ExpectationSuite" or (isinstance(value, dict) and "expectations" in value)
    return suite or kind.__module__.startswith("nbml.")


def _latest(kind: str) -> list[store.Thing]:
    found = store.existing()
    return found.latest(kind) if found is not None else []


def _stored(kind: str, text: str) -> Found | None:
    name, at, number = text.partition("@")
    found = store.existing()
    if found is None or not NAME.fullmatch(name) or (at and not number.isdigit()):
        return None
    thing = found.find(kind, text)
    return None if thing is None else Found(text, repr(text), text, thing.name)


def _file(text: str) -> Found | None:
    if not text.lower().endswith(frames.ENDINGS) or not Path(text).expanduser().is_file():
        return None
    path = str(Path(text).expanduser())
    return Found(path, repr(path), Path(path).stem)


def _near(kind: str, text: str, names: list[str]) -> store.Thing | None:
    close = errors.nearest(text.partition("@")[0], names)
    return next((thing for thing in _latest(kind) if thing.name == close), None)


def _message(kind: str, text: str, names: list[str]) -> str:
    near = _near(kind, text, names)
    have = f"; nearest: {near.ref}" if near else f"; there are {', '.join(names[:5])}" if names else "; none is stored yet"
    return f"no {kind} {text!r}{have}"


def _right(kind: str, text: str, word: Word, words: Words) -> str:
    near = _near(kind, text, [thing.name for thing in _latest(kind)])
    return LISTED[kind] if near is None else words.instead(word, near.ref)


def _unknown(kind: str, text: str, names: list[str], words: Words, word: Word) -> errors.UnknownService:
    return errors.UnknownService(_message(kind, text, names), next=_right(kind, text, word, words))
