"""Words to parameters: which command, which options, which words belong to which. Says what is wrong, and the line that is right."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from nbml import errors
from nbml.commands import not_yet
from nbml.commands.table import LATER, REQUIRED, TABLE, Command, Param

#: options that every command has
COMMON = ("--help", "--as-python")
#: how a word ends in the plural -> in the singular
PLURAL = (("ies", "y"), ("s", ""))
QUOTED = re.compile(r"""(?P<quote>["'])(?P<text>(?:\\(?P=quote)|(?!(?P=quote)).)*)(?P=quote)""", re.S)


@dataclass(frozen=True)
class Word:
    """A word as typed. ``text`` is what it says: without quotes around all of it. ``literal``: nothing in it expands.

    ``plain`` words come from an argument list, where a quote is a character like others.
    """

    raw: str
    plain: bool = False

    @property
    def text(self) -> str:
        found = None if self.plain else QUOTED.fullmatch(self.raw)
        return self.raw if found is None else found["text"].replace("\\" + found["quote"], found["quote"])

    @property
    def literal(self) -> bool:
        return self.plain or (self.raw.startswith("'") and QUOTED.fullmatch(self.raw) is not None)

    def after(self, start: int) -> Word:
        """The word that begins at ``start``."""
        return replace(self, raw=self.raw[start:])


def fit(text: str) -> str:
    """A text as the name of a stored thing."""
    return re.sub(r"[^a-z0-9._]+", "-", text.lower()).strip("-._")[:63].rstrip("-._")


@dataclass
class Words:
    """A command and the words of each parameter. ``lead`` is how it was called: ``%nbml``, ``%%nbml``, ``python -m nbml``."""

    command: Command
    tokens: list[Word]
    lead: str
    given: dict[str, list[Word]] = field(default_factory=dict)
    help: bool = False
    as_python: bool = False
    form: str = ""

    @property
    def cell(self) -> bool:
        return self.lead.startswith("%%")

    @property
    def places(self) -> tuple[str, ...]:
        """Parameters that stand without an option."""
        return self.command.made if self.cell or self.command.line is None else self.command.line

    def typed(self, at: int | None = None, *words: str, drop: int = 1) -> str:
        """The line as typed; from word ``at`` on, ``drop`` words are replaced by ``words``."""
        raws = [word.raw for word in self.tokens]
        if at is not None:
            raws[at : at + drop] = words
        return " ".join([self.lead, *raws])

    def instead(self, word: Word, text: str) -> str:
        """The line as typed, with ``text`` where ``word`` stands, alone or after an option's ``=``."""
        for at, token in enumerate(self.tokens):
            if token is word:
                return self.typed(at, text)
            name, equals, rest = token.raw.partition("=")
            if equals and rest == word.raw and _is_option(token):
                return self.typed(at, f"{name}={text}")
        return self.typed()

    def param_of(self, word: Word) -> Param | None:
        """The parameter that a word is the value of."""
        return next((self.command.param(name) for name, found in self.given.items() if any(one is word for one in found)), None)

    def without(self, *flags: str) -> str:
        """The line as typed, without these options and their values."""
        raws, skip = [], False
        for token in self.tokens:
            name, equals, _ = token.raw.partition("=")
            if skip and not _is_option(token):
                skip = False
                continue
            skip = name in flags and not equals
            if name not in flags:
                raws.append(token.raw)
        return " ".join([self.lead, *raws])

    @property
    def explained(self) -> str:
        """The line that explains this command."""
        return f"{self.lead.replace('%%', '%')} {self.command.name} --help"

    def options(self) -> dict[str, Param]:
        """The options of this form of the command."""
        absent = set(self.places) | (set(self.command.line or ()) if self.cell else set())
        return {param.flag: param for param in self.command.params if param.typed and param.name not in absent}


def lookup(tokens: Sequence[Word], lead: str) -> Words:
    """The command that the first word names. Raises errors.UnknownCommand, errors.NotYet."""
    if not tokens or tokens[0].raw in ("--help", "-h"):
        return Words(_status(), list(tokens), lead, help=bool(tokens))
    if tokens[0].raw == "--as-python":
        return Words(_status(), list(tokens), lead, as_python=True)
    word = tokens[0].raw
    known = {command.name: command for command in TABLE if command.magic}
    if word in known:
        return Words(known[word], list(tokens), lead)
    words = Words(_status(), list(tokens), lead)
    for command in TABLE:
        if command.name == word:
            raise errors.UnknownCommand(f"{word!r} is no command, it is a function: nbml.{word}", next=f"import nbml; help(nbml.{word})")
    close = _close(word, known)
    every = f"{lead.replace('%%', '%')} --help"
    if close is None:
        raise errors.UnknownCommand(f"no command {word!r}", next=every)
    if close.since == LATER:
        raise errors.UnknownCommand(f"no command {word!r}; nearest: {close.name}, which comes with a later version", next=every)
    raise errors.UnknownCommand(f"no command {word!r}; nearest: {close.name}", next=_meant(words, close))


def _close(word: str, known: dict[str, Command]) -> Command | None:
    """The command nearest to a word: its singular or plural, else one that this version has, else a later one."""
    forms = [word.removesuffix(many) + one for many, one in PLURAL if word.endswith(many)]
    same = next((name for name in [*forms, f"{word}s"] if name in known), None)
    there = [name for name, command in known.items() if command.since != LATER]
    close = same or errors.nearest(word, there) or errors.nearest(word, known)
    return None if close is None else known[close]


def _meant(words: Words, command: Command) -> str:
    """The line as typed with that command, where it can stand so; else the line that explains it."""
    cell, lead = words.cell and bool(command.cell), words.lead
    places = command.made if cell or command.line is None else command.line
    needed = sum(command.param(name).default is REQUIRED for name in places)
    free = sum(not _is_option(token) for token in words.tokens[1:])
    if (command.line is None and not words.cell) or free < needed or (lead.startswith("%") and words.cell and not command.cell):
        return f"{lead.replace('%%', '%')} {command.name} --help"
    return words.typed(0, command.name)


def read(tokens: Sequence[Word], lead: str) -> Words:
    """The command and the words of each parameter.

    Raises errors.UnknownCommand, errors.UnknownOption, errors.BadArgument and, for what comes later, errors.NotYet.
    """
    words = lookup(tokens, lead)
    if words.help:
        return words
    if any(token.raw in ("--help", "-h") for token in words.tokens[1:]):
        words.help = True
        return words
    if words.command.since == LATER:
        raise not_yet(f"the command {words.command.name}")
    if words.as_python:  # alone, for the project's state
        words.tokens = words.tokens[1:]
        words.tokens.insert(0, Word(words.command.name))
    _check_form(words)
    _sort(words)
    _not_yet(words)
    return words


def _not_yet(words: Words) -> None:
    """Options of a later version."""
    for param in words.options().values():
        if param.since == LATER and param.name in words.given:
            error = not_yet(f"{param.flag} of {words.command.name}")
            raise errors.NotYet(error.message, next=words.without(param.flag))


def _status() -> Command:
    return next(command for command in TABLE if command.name == "status")


def _check_form(words: Words) -> None:
    command, name = words.command, words.command.name
    if words.lead == "python -m nbml":
        if command.cell and command.line is None and command.cell != "text":
            raise errors.BadArgument(f"{name} runs a cell, so it needs a notebook: {_first(command)}", next=words.explained)
        return
    coming = [token.raw for token in words.tokens if token.raw.partition("=")[0] in command.coming]
    if coming:
        raise not_yet(f"{coming[0]} of {name}")
    asked = next((token.raw for token in words.tokens if token.raw in command.forms), "")
    if asked and words.cell:
        drawn = any(token.raw.partition("=")[0] == "--on" for token in words.tokens)  # else there may be nothing to draw
        right = words.typed().replace("%%nbml", "%nbml", 1) if drawn else words.without(asked)
        raise errors.BadArgument(f"{asked} of {name} opens a form: it is one line and takes no body", next=right)
    if asked:
        words.form = asked
        return
    if words.cell and not command.cell:
        raise errors.BadArgument(f"{name} is one line and takes no body", next=words.typed().replace("%%nbml", "%nbml", 1))
    if not words.cell and command.line is None:
        message = f"{name} needs a body: it stands on the first line of a cell, as {_first(command)}"
        raise errors.BadArgument(message, next=f"%nbml {name} --help")


def _first(command: Command) -> str:
    return command.example.partition("\n")[0]


def _sort(words: Words) -> None:
    """Give each word to its parameter."""
    tokens, options = words.tokens, words.options()
    command_line = words.lead == "python -m nbml"
    free: list[int] = []
    at = 1
    while at < len(tokens):
        word = tokens[at]
        name, equals, _ = word.raw.partition("=")
        if not _is_option(word):
            free.append(at)
            at += 1
            continue
        name = name if name in options else name.replace("_", "-")
        if words.form and word.raw == words.form:
            at += 1
        elif name in COMMON or (name == "--json" and command_line):
            words.as_python |= name == "--as-python"
            at += 1
        elif name not in options:
            raise _unknown(words, at, name, bool(equals))
        else:
            at = _take(words, options[name], at, word.after(len(word.raw.partition("=")[0]) + 1) if equals else None)
    _place(words, free)


def _is_option(word: Word) -> bool:
    return re.match(r"--?[A-Za-z]", word.raw) is not None


def _take(words: Words, param: Param, at: int, value: Word | None) -> int:
    """The words of one option, which stands at ``at``; returns where the next one begins."""
    if param.name in words.given:
        raise errors.BadArgument(f"{param.flag} is given twice", next=words.typed(at, drop=1 if value or param.kind == "flag" else 2))
    if param.kind == "flag":
        if value is not None:
            raise errors.BadArgument(f"{param.flag} takes no value, found {value.raw!r}", next=words.typed(at, param.flag))
        words.given[param.name] = []
        return at + 1
    if value is not None and not value.raw:
        raise errors.BadArgument(f"{param.flag} needs a value: {param.help}", next=words.typed(at))
    if value is not None:
        words.given[param.name] = [value]
        return at + 1
    most = 2 if param.pair else 1
    found = []
    for word in words.tokens[at + 1 : at + 1 + most]:
        if _is_option(word):
            break
        found.append(word)
    if not found:
        raise errors.BadArgument(f"{param.flag} needs a value: {param.help}", next=words.typed(at))
    words.given[param.name] = found[:1]
    if len(found) == 2:
        words.given[param.pair] = found[1:]
    return at + 1 + len(found)


def _place(words: Words, free: list[int]) -> None:
    """Give the words without an option to the parameters that stand so."""
    params = [words.command.param(name) for name in words.places]
    if params and params[-1].form == "many":
        if free:
            words.given[params[-1].name] = [words.tokens[at] for at in free]
        return
    for param, at in zip(params, free, strict=False):
        words.given[param.name] = [words.tokens[at]]
    if len(free) > len(params):
        raise _too_many(words, free, len(params))


def _too_many(words: Words, free: list[int], takes: int) -> errors.BadArgument:
    """More words than places: most often a text without quotes."""
    first = free[takes]
    before = words.tokens[first - 1]
    option = words.tokens[first - 2].raw if first >= 2 else ""
    param = words.options().get(option)
    if param is not None and param.kind in ("text", "where") and not _is_option(before):
        rest = [before.raw]
        while first - 1 + len(rest) < len(words.tokens) and not _is_option(words.tokens[first - 1 + len(rest)]):
            rest.append(words.tokens[first - 1 + len(rest)].raw)
        text = " ".join(rest)
        quoted = f'"{text}"' if '"' not in text else f"'{text}'"
        right = words.typed(first - 1, quoted, drop=len(rest))
        return errors.BadArgument(f"a text with spaces stands in quotes: {option} {text}", next=right)
    last = words.command.param(words.places[-1]) if words.places else None
    if last is not None and last.kind == "name" and (name := fit(" ".join(words.tokens[at].raw for at in free[takes - 1 :]))):
        right = _instead_of(words, free[takes - 1 :], name)
        return errors.BadArgument(f"a name is one word: {' '.join(words.tokens[at].raw for at in free[takes - 1 :])}", next=right)
    places = "nothing" if takes == 0 else "one thing" if takes == 1 else f"{takes} things"
    message = f"{words.command.name} takes {places} without an option; {words.tokens[first].raw!r} is too much"
    return errors.BadArgument(message, next=_instead_of(words, free[takes:]))


def _instead_of(words: Words, gone: list[int], *text: str) -> str:
    """The line as typed, with ``text`` where the first of some words stands, and without the others."""
    raws = [list(text) if at == gone[0] else [] if at in gone else [word.raw] for at, word in enumerate(words.tokens)]
    return " ".join([words.lead, *[raw for part in raws for raw in part]])


def _unknown(words: Words, at: int, name: str, joined: bool) -> errors.UnknownOption:
    known = {option.lstrip("-"): option for option in (*words.options(), *COMMON)}  # dashes are like dashes: they say nothing
    close = known.get(errors.nearest(name.lstrip("-"), known) or "")
    title = words.command.name
    if close is None:
        return errors.UnknownOption(f"{title} has no option {name}", next=f"{words.lead.replace('%%', '%')} {title} --help")
    param = words.options().get(close)
    takes = param is not None and param.kind != "flag"
    right = close + words.tokens[at].raw[len(words.tokens[at].raw.partition("=")[0]) :] if joined and takes else close
    return errors.UnknownOption(f"{title} has no option {name}; nearest: {close}", next=words.typed(at, right))
