"""Words to a call: each parameter's value, and the Python that gives the same.

``%load_ext nbml`` loads this room: what takes time to import is imported where it is used.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import nbml
from nbml import errors
from nbml.commands.parser import Word, Words, fit
from nbml.commands.table import REQUIRED, Command, Param


@dataclass(frozen=True)
class Found:
    """What a word stands for: the value, the Python that gives it, and the label that a default name is made of.

    ``stored`` is the name of the stored thing that it is, or "".
    """

    value: Any
    source: str
    label: str = ""
    stored: str = ""


class Resolver(Protocol):
    """What words mean here: in a notebook, or on a command line. Errors carry no next line where none is certain."""

    #: what stands before the variable in a default name
    place: str

    def text(self, word: Word, expand: bool = True) -> str:
        """What a word says, with names expanded."""

    def data(self, word: Word, words: Words) -> Found:
        """A dataframe, or the reference or path of one."""

    def frame(self, word: Word, words: Words) -> Found:
        """The same, and no array."""

    def model(self, word: Word, words: Words) -> Found:
        """A model or a function."""

    def served(self, word: Word, words: Words) -> Found:
        """A service, else a model."""

    def thing(self, word: Word, words: Words, of: str) -> Found:
        """A stored thing's reference, or a variable that holds one."""

    def python(self, word: Word, words: Words) -> Found:
        """The value of an expression."""

    def say(self, line: str) -> None:
        """A line above the result."""


@dataclass(frozen=True)
class Arg:
    """A parameter's value and the Python that gives it."""

    param: Param
    value: Any
    source: str


@dataclass
class Call:
    """A call of a public function; ``run()`` makes it, ``python()`` writes it."""

    command: Command
    args: list[Arg] = field(default_factory=list)
    positional: tuple[str, ...] = ()
    words: Words | None = None

    def value(self, name: str) -> Any:
        """The value of a parameter; its default where it was not given."""
        found = [arg.value for arg in self.args if arg.param.name == name]
        return found[0] if found else self.command.param(name).default

    def set(self, name: str, value: Any, source: str) -> None:
        """Give a parameter, in its place."""
        order = [param.name for param in self.command.params]
        self.args = [arg for arg in self.args if arg.param.name != name] + [Arg(self.command.param(name), value, source)]
        self.args.sort(key=lambda arg: order.index(arg.param.name))

    def run(self) -> Any:
        function = getattr(nbml, self.command.function)
        places, keywords = self._split()
        with self.typed():
            return function(*[arg.value for arg in places], **{arg.param.name: arg.value for arg in keywords})

    @contextlib.contextmanager
    def typed(self) -> Iterator[None]:
        """Inside, what a stage proposes for a name that nothing bears becomes the line as typed, with the name that is meant."""
        try:
            yield
        except (errors.NotFound, errors.BadName) as error:
            if self.words is not None:
                error.next = _retyped(self, self.words, error)
            raise
        except errors.NbmlError as error:
            if self.words is not None and error.instead is not None:
                error.next = _amended(self.words, *error.instead)
            raise

    def python(self) -> str:
        """The Python form, without imports."""
        places, keywords = self._split()
        parts = [arg.source for arg in places] + [f"{arg.param.name}={arg.source}" for arg in keywords]
        return f"nbml.{self.command.function}({', '.join(parts)})"

    def options(self) -> dict[str, Any]:
        """Everything but the positional ones, by name."""
        return {arg.param.name: arg.value for arg in self._split()[1]}

    def _split(self) -> tuple[list[Arg], list[Arg]]:
        """Positional and keyword arguments: a parameter stands by place as long as all before it do."""
        places: list[Arg] = []
        for param, arg in zip(self._plain(), self.args, strict=False):
            if param is not arg.param or (param.name not in self.positional and param.form != "many"):
                break
            places.append(arg)
        if self.command.params and self.command.params[0].form == "many":
            places = list(self.args)
        return places, self.args[len(places) :]

    def _plain(self) -> list[Param]:
        return [param for param in self.command.params if param.form in ("plain", "leading")]


def bind(words: Words, resolver: Resolver) -> Call:
    """Read each word as its parameter says. Raises errors.BadArgument, errors.UnknownName and what the resolver raises."""
    call = Call(words.command, positional=words.places, words=words)
    subject: Found | None = None
    for param in words.command.params:
        given = words.given.get(param.name)
        if given is None:
            continue
        if param.form == "many":
            call.args += [Arg(param, found.value, found.source) for found in (resolver.thing(w, words, param.of) for w in given)]
            continue
        found = _read(param, given, words, resolver)
        call.args.append(Arg(param, found.value, found.source))
        subject = subject or found
    _fill(call, subject, words, resolver)
    for line in _beforehand(words.command):
        resolver.say(line)
    return call


def _beforehand(command: Command) -> list[str]:
    """What a command that works all the same would keep to itself: settings that cannot be read."""
    from nbml import settings, store

    root, said = store.chosen(), []
    if command.name not in ("config", "status") and (root / settings.FILE).is_file():
        try:
            settings.load(root)
        except errors.BadArgument as error:
            said.append(f"not in force: {error.message} ({settings.SHOW} shows the settings)")
    return said


def _fill(call: Call, subject: Found | None, words: Words, resolver: Resolver) -> None:
    """Default names; then nothing that is required may be missing."""
    given = {arg.param.name for arg in call.args}
    served = any(arg.param.kind == "served" and not isinstance(arg.value, str) for arg in call.args)
    for param in words.command.params:
        absent = param.name not in given and (param.default is REQUIRED or served)
        made = param.kind in ("name", "suite") and param.name not in words.places
        if absent and made and subject is not None and (param.default is REQUIRED or param.kind == "name"):
            name = subject.stored or default_name(resolver.place, subject.label or subject.source)
            resolver.say(f"{param.flag[2:]}: {name} ({param.flag} gives another)")
            call.set(param.name, name, repr(name))
        elif absent and param.default is REQUIRED and _needed(param, words):
            raise missing(param, words, resolver.place)


def _needed(param: Param, words: Words) -> bool:
    return param.typed and not (words.cell and param.name in (words.command.line or ()))


def missing(param: Param, words: Words, place: str) -> errors.BadArgument:
    """A parameter that has to be given was not."""
    name = words.command.name
    what = param.help or param.name
    line = words.explained
    if param.name in words.places:
        if words.cell and param.kind == "name":
            return errors.BadArgument(f"{name} needs the {what} after it", next=words.typed(1, place, drop=0))
        return errors.BadArgument(f"{name} needs {what} after it", next=line)
    return errors.BadArgument(f"{name} needs {param.flag}: {what}", next=line)


def default_name(place: str, label: str) -> str:
    """``<notebook>-<variable>``, made to fit as the name of a stored thing."""
    return fit(f"{place}-{label}") or "data"


def _read(param: Param, given: list[Word], words: Words, resolver: Resolver) -> Found:
    if param.kind == "flag":
        return Found(True, "True")
    word = given[0]
    readers = {
        "data": resolver.data, "frame": resolver.frame, "model": resolver.model, "served": resolver.served, "python": resolver.python,
    }  # fmt: skip
    if param.kind in readers:
        return readers[param.kind](word, words)
    if param.kind in ("ref", "suite"):
        return resolver.thing(word, words, param.of)
    if param.kind == "variable":
        found = resolver.model(word, words)
        return Found(word.text, repr(word.text), found.label)
    text = resolver.text(word, expand=param.kind != "where")
    value = _value(param, text, word, words)
    return Found(value, repr(value), str(text))


def _value(param: Param, text: str, word: Word, words: Words) -> Any:
    if param.kind == "int":
        if not re.fullmatch(r"[+-]?\d[\d_]*", text):
            raise errors.BadArgument(f"{param.flag} takes a whole number, found {text!r}", next=words.instead(word, "10"))
        return int(text)
    if param.kind == "duration":
        from nbml import settings

        try:
            settings.duration(text)
        except errors.BadArgument as error:
            raise errors.BadArgument(f"{param.flag}: {error.message}", next=words.instead(word, "60s")) from error
    if param.kind == "name":
        _check_name(text, word, words)
    if param.adapters:
        _check_adapters(param, text, word, words)
    if param.kind == "list":
        parts = [part.strip() for part in text.split(",") if part.strip()]
        return parts if len(parts) != 1 else parts[0]
    if param.choices and text not in param.choices:
        close = errors.nearest(text, param.choices)
        hint = f"; nearest: {close}" if close else ""
        raise errors.BadArgument(
            f"{param.flag} is one of {', '.join(param.choices)}, found {text!r}{hint}",
            next=words.instead(word, close or param.choices[0]),
        )
    return text


def _check_name(text: str, word: Word, words: Words) -> None:
    from nbml.store import check_name

    try:
        check_name(text)
    except errors.BadName as error:
        error.next = words.instead(word, fit(text)) if fit(text) else words.explained
        raise


def _check_adapters(param: Param, text: str, word: Word, words: Words) -> None:
    """Each adapter that is named is there; else the error proposes the line with one that is."""
    from nbml import registry

    parts = [part.strip() for part in text.split(",") if part.strip()] if param.kind == "list" else [text]
    for part in parts:
        if part == param.default:
            continue
        try:
            registry.check(param.adapters, part)
        except (errors.UnknownAdapter, errors.NotYet) as error:
            close = errors.nearest(part, adapters(param))
            others = ",".join(one for one in parts if one != part)
            right = ",".join(close if one == part and close else one for one in parts) if close else others
            error.next = words.instead(word, right) if right else words.without(param.flag)
            raise


#: kind of a stored thing -> the command that lists what there is; of the others the project's state names the newest
LISTED = {"dataset": "data", "service": "services", "run": "runs", "deployment": "deployments"}


def _retyped(call: Call, words: Words, error: errors.NbmlError) -> str | None:
    """The line as typed, with the name that a stage proposes as ``nbml.VERB("name")``; where it proposes none, the line that lists."""
    refs = [(p, w) for p in words.command.params if p.of and p.of != "column" for w in words.given.get(p.name, [])]
    meant = [(param, word) for param, word in refs if repr(word.text) in error.message] or refs[:1]
    if not meant:
        return error.next
    param, word = meant[0]
    found = re.fullmatch(r"(?:import nbml; )?nbml\.\w+\(([\"'])([^\"']+)\1\)", error.next or "")
    if found is not None:
        return words.instead(word, found[2])
    if isinstance(error, errors.BadName) and (near := _stored(param.of, fit(word.text.partition("@")[0]))):
        return words.instead(word, near)
    if isinstance(error, errors.BadName) and words.command.name == "validate" and fit(word.text):
        return words.instead(word, fit(word.text))  # of which a suite is drafted
    return error.next or " ".join([words.lead.replace("%%", "%"), LISTED.get(param.of, "")]).rstrip()


def _amended(words: Words, name: str, text: str) -> str:
    """The line as typed, with ``text`` for a parameter: in its place, else behind the one that it is a pair with, else at the end."""
    owner = next((param for param in words.command.params if param.pair == name and param.name in words.given), None)
    if name in words.given:
        return words.instead(words.given[name][0], text)
    if owner is None:
        return words.typed(len(words.tokens), words.command.param(name).flag, text, drop=0)
    first = words.given[owner.name][0]
    at = next(at for at, token in enumerate(words.tokens) if token is first or token.raw == f"{owner.flag}={first.raw}")
    return words.typed(at, *([] if words.tokens[at] is first else [owner.flag]), first.raw, text)


def _stored(kind: str, name: str) -> str:
    from nbml.store import existing

    found = existing()
    thing = found.find(kind, name) if found is not None and name else None
    return thing.ref if thing is not None and kind != "deployment" else thing.name if thing is not None else ""


def adapters(param: Param) -> list[str]:
    """The adapters that an option may name, and what it is where it is not given."""
    from nbml import registry

    own = [param.default] if isinstance(param.default, str) else []
    return list(dict.fromkeys([*own, *registry.names(param.adapters)])) if param.adapters else list(param.choices)
