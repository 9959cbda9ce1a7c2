"""What an entry that cannot be read may have meant: a column that has to be written as ``col("...")``, a misspelt word."""

from __future__ import annotations

import io
import keyword
import re
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from nbml import errors
from nbml.validation.words import written

#: words between names
BETWEEN = ("in", "not", "and", "or", "is")
#: reserved words that may stand in an entry
SPOKEN = frozenset({*BETWEEN, "None", "True", "False"})
_OPENING = ("{",)  # after a name, ( and [ go on with it
_CLOSING = (")", "]", "}")


@dataclass(frozen=True)
class Mended:
    """A change of an entry: where it begins (line from 1, offset from 0), why, and the entry after it."""

    place: tuple[int, int]
    why: str
    text: str


@dataclass(frozen=True)
class Stray:
    """A word that stands where none can."""

    what: str
    place: tuple[int, int]


def columns(text: str, known: Sequence[str]) -> Iterator[Mended]:
    """With a column of the frame, whose name is no identifier, written as one, the longest name first; then with all of them."""
    changed, places, names = text, [], []
    for name in sorted({name for name in known if written(name) != name and name.strip()}, key=lambda n: (-len(n), n)):
        found = _bare(text, name)
        if found:
            yield Mended(_place(text, found[0]), f"the column {name!r} is written {written(name)}", _written(text, name))
            changed = _written(changed, name)
            places.append(found[0])
            names.append(name)
    if len(names) > 1:
        why = f"the columns {' and '.join(map(repr, names))} are written {' and '.join(map(written, names))}"
        yield Mended(_place(text, min(places)), why, changed)


def _bare(text: str, name: str) -> list[int]:
    """Where a name stands outside of quotes."""
    quoted = [_span(text, token) for token in _tokens(text) if token.type == tokenize.STRING]
    places = [found.start() for found in re.finditer(rf"(?<![\w\"']){re.escape(name)}(?![\w\"'])", text)]
    return [at for at in places if not any(start <= at < end for start, end in quoted)]


def _written(text: str, name: str) -> str:
    for at in reversed(_bare(text, name)):
        text = text[:at] + written(name) + text[at + len(name) :]
    return text


def words(text: str, known: Sequence[str]) -> Iterator[Mended]:
    """With a misspelt word between names put right, a reserved word or several words as one column."""
    tokens = _tokens(text)
    for token in _strays(tokens):
        close = errors.nearest(token.string, BETWEEN)
        if close is not None and token.type == tokenize.NAME:
            yield Mended(_at(token), f"no word {token.string!r}; nearest: {close}", _put(text, token, token, close))
    for token in tokens:
        if token.type == tokenize.NAME and keyword.iskeyword(token.string) and token.string not in SPOKEN:
            right = written(token.string)
            why = f"{token.string!r} is a reserved word: a column of this name is written {right}"
            yield Mended(_at(token), why, _put(text, token, token, right))
    for first, last in _runs(tokens):
        name = text[_span(text, first)[0] : _span(text, last)[1]]
        close = errors.nearest(name, [column for column in known if written(column) != column])
        if close is not None:
            why = f"no column {name!r}; nearest: {close}, written {written(close)}"
            yield Mended(_at(first), why, _put(text, first, last, written(close)))
        elif not known:
            yield Mended(_at(first), f"a column of this name is written {written(name)}", _put(text, first, last, written(name)))


def stray(text: str) -> Stray | None:
    """The first word that stands right after another one."""
    found = next(_strays(_tokens(text)), None)
    return None if found is None else Stray(found.string, _at(found))


def _strays(tokens: list[tokenize.TokenInfo]) -> Iterator[tokenize.TokenInfo]:
    """What begins a value right after one has ended; then what ended it."""
    for before, after in pairwise(tokens):
        if before.type == after.type == tokenize.STRING:
            continue
        if _ends(before) and _begins(after):
            yield after
            yield before


def _runs(tokens: list[tokenize.TokenInfo]) -> Iterator[tuple[tokenize.TokenInfo, tokenize.TokenInfo]]:
    """Names that stand side by side in a line: the first and the last of each run."""
    names: list[tokenize.TokenInfo] = []
    for token in [*tokens, None]:
        if token is not None and _name(token) and (not names or names[-1].end[0] == token.start[0]):
            names.append(token)
            continue
        if len(names) > 1:
            yield names[0], names[-1]
        names = [token] if token is not None and _name(token) else []


def _name(token: tokenize.TokenInfo) -> bool:
    return token.type == tokenize.NAME and token.string not in SPOKEN


def _begins(token: tokenize.TokenInfo) -> bool:
    return token.type in (tokenize.NUMBER, tokenize.STRING) or _name(token) or token.string in _OPENING


def _ends(token: tokenize.TokenInfo) -> bool:
    return token.type in (tokenize.NUMBER, tokenize.STRING) or _name(token) or token.string in _CLOSING


def _tokens(text: str) -> list[tokenize.TokenInfo]:
    """The tokens of an entry, as far as it has some."""
    found: list[tokenize.TokenInfo] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type in (tokenize.NAME, tokenize.NUMBER, tokenize.STRING, tokenize.OP):
                found.append(token)
    except (tokenize.TokenError, SyntaxError):
        pass
    return found


def _at(token: tokenize.TokenInfo) -> tuple[int, int]:
    return token.start


def _span(text: str, token: tokenize.TokenInfo) -> tuple[int, int]:
    starts = [0]
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        starts.append(starts[-1] + len(line))
    return starts[token.start[0] - 1] + token.start[1], starts[token.end[0] - 1] + token.end[1]


def _put(text: str, first: tokenize.TokenInfo, last: tokenize.TokenInfo, right: str) -> str:
    return text[: _span(text, first)[0]] + right + text[_span(text, last)[1] :]


def _place(text: str, at: int) -> tuple[int, int]:
    before = text[:at]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1)
