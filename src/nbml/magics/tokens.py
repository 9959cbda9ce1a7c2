"""A line of text to words: a word ends at a space outside brackets and quotes, and inner quotes stay."""

from __future__ import annotations

import re

from nbml import errors
from nbml.commands.parser import Word

OPEN, CLOSE = "([{", ")]}"
#: letters that may stand before the quote of a string; after any other letter a quote is an apostrophe
PREFIX = re.compile(r"(?:^|[^A-Za-z0-9_])(?:[rbfuRBFU]{1,2})$")


def split(line: str) -> list[Word]:
    """The words of a line. Raises errors.BadArgument for a quote or bracket that is never closed."""
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
                raise errors.BadArgument(f"column {at + 1}: {char!r} closes nothing: {_near(line, at)}")
            brackets.pop()
        if start is None:
            start = at
    if quote:
        raise errors.BadArgument(f"column {since + 1}: the quote {quote} is never closed: {_near(line, since)}")
    if brackets:
        raise errors.BadArgument(f"column {brackets[-1][1] + 1}: {brackets[-1][0]!r} is never closed: {_near(line, brackets[-1][1])}")
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
