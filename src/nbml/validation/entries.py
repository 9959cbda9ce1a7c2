"""The text of a suite as its entries: logical lines, without their comments."""

from __future__ import annotations

import io
import re
import textwrap
import tokenize
from collections.abc import Mapping, Sequence
from typing import Any

from nbml import errors
from nbml.validation.reading import Entry


def entries(text: str, values: Mapping[str, Any], columns: Sequence[str] = (), kept: str = "in the notebook") -> list[Entry]:
    """All entries of a suite, each with its place. ``values`` is what ``var`` reads, ``kept`` says where, ``columns`` are
    those of the frame, where one is there. Raises errors.BadExpectation where lines do not belong together."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    level = textwrap.dedent(text)
    source = level.strip("\n") + "\n"
    skipped = len(level) - len(level.lstrip("\n"))
    first = next((line for line in text.split("\n") if line.strip()), "")
    margin = len(first) - len(source.partition("\n")[0])
    lines = re.findall(r"[^\n]*\n", source)  # as the tokenizer counts; U+2028 ends no line of code
    found: list[Entry] = []
    tokens: list[tokenize.TokenInfo] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.NEWLINE:
                if tokens:
                    start, end = tokens[0].start, tokens[-1].end
                    entry = _between(lines, start, end)
                    found.append(Entry(entry, start[0] + skipped, start[1] + margin + 1, values, tuple(columns), kept=kept))
                tokens = []
            elif token.type == tokenize.INDENT:
                line = token.start[0] + skipped
                raise errors.BadExpectation(f"line {line}, column 1: unexpected indent", line=line)
            elif token.type not in (tokenize.COMMENT, tokenize.NL, tokenize.DEDENT, tokenize.ENDMARKER):
                tokens.append(token)
    except tokenize.TokenError as error:
        at = tokens[0].start if tokens else (1, 0)
        line, column = at[0] + skipped, at[1] + margin + 1
        message = f"line {line}, column {column}: brackets or quotes do not match"
        raise errors.BadExpectation(message, line=line, column=column) from error
    except IndentationError as error:
        line = (error.lineno or 1) + skipped
        raise errors.BadExpectation(f"line {line}, column 1: unexpected indent", line=line) from error
    return found


def _between(lines: Sequence[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    if start[0] == end[0]:
        return lines[start[0] - 1][start[1] : end[1]]
    middle = lines[start[0] : end[0] - 1]
    return "".join([lines[start[0] - 1][start[1] :], *middle, lines[end[0] - 1][: end[1]]])
