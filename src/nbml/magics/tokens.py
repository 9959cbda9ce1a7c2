"""A line of text to words: a word ends at a space outside brackets and quotes, and inner quotes stay."""

from __future__ import annotations

import re

from nbml import errors
from nbml.commands.parser import Word

OPEN, CLOSE = "([{", ")]}"
#: letters that may stand before the quote of a string; after any other letter a quote is an apostrophe
PREFIX = re.compile(r"(?:^|[^A-Za-z0-9_])(?:[rbfuRBFU]{1,2})$")


def typed(line: str, lead: str) -> list[Word]:
    """The words of a line after ``lead``. Raises errors.BadArgument, with the line that is whole, for what is never closed."""
    try:
        return split(line)
    except errors.BadArgument as error:
        whole = _whole(line)
        right = f"{lead} {whole.strip()}" if whole else f"{lead.replace('%%', '%')} --help"
        raise errors.BadArgument(error.message, next=right) from None


def _whole(line: str) -> str:
    """The line with its quotes and brackets closed at its end, and without what closes nothing; "" where that is no line."""
    closed = line.rstrip()
    for _ in range(len(line)):
        try:
            split(closed)
        except Unclosed as error:
            closed = closed[: error.at] + closed[error.at + 1 :] if error.text == "" else closed + error.text
        else:
            return closed
    return ""


class Unclosed(errors.BadArgument):
    """A quote or bracket that is never closed: ``text`` would; or, where that is "", one at ``at`` that closes nothing."""

    def __init__(self, message: str, at: int, text: str = "") -> None:
        super().__init__(message)
        self.at, self.text = at, text


def split(line: str) -> list[Word]:
    """The words of a line; a lone # begins a comment. Raises errors.BadArgument for a quote or bracket that is never closed."""
    words: list[Word] = []
    start: int | None = None
    brackets: list[tuple[str, int]] = []
    quote, since = "", 0
    for at, char in enumerate(line):
        if quote:
            if char == quote and line[at - 1] != "\\":
                quote = ""
        elif char.isspace() and not brackets:
            if start is not None:
                words.append(Word(line[start:at]))
            start = None
            continue
        elif char in "\"'" and not _apostrophe(line, at, start):
            quote, since = char, at
        elif char in OPEN:
            brackets.append((char, at))
        elif char in CLOSE:
            if not brackets or OPEN.index(brackets[-1][0]) != CLOSE.index(char):
                raise Unclosed(f"column {at + 1}: {char!r} closes nothing: {_near(line, at)}", at)
            brackets.pop()
        if start is None and char == "#" and not brackets and line[at + 1 : at + 2].strip() == "":
            return words
        if start is None:
            start = at
    if quote:
        raise Unclosed(f"column {since + 1}: the quote {quote} is never closed: {_near(line, since)}", since, quote)
    if brackets:
        char, at = brackets[-1]
        raise Unclosed(f"column {at + 1}: {char!r} is never closed: {_near(line, at)}", at, CLOSE[OPEN.index(char)])
    if start is not None:
        words.append(Word(line[start:]))
    return words


def last_word(text: str) -> tuple[list[Word], str]:
    """The finished words of a line being typed, and the one that the cursor stands at the end of."""
    for cut in range(len(text), -1, -1):
        if cut and not text[cut - 1].isspace():
            continue
        try:
            return split(text[:cut]), text[cut:]
        except errors.BadArgument:
            continue
    return [], text


def _apostrophe(line: str, at: int, start: int | None) -> bool:
    """Whether the quote stands within a word, as in don't."""
    if start is None or at == start or not (line[at - 1].isalnum() or line[at - 1] == "_"):
        return False
    return PREFIX.search(line[start:at]) is None


def _near(line: str, at: int) -> str:
    return line[at : at + 20].strip()
