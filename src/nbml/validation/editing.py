"""A suite's text under edit: what a form can say of a column is lifted out of it, the rest stays as it is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nbml import errors
from nbml.validation.draft import written_safely
from nbml.validation.entries import entries
from nbml.validation.grammar import Config, parse

#: what a form can say ("null", "unique", "range" or "set"), and of which column
Aspect = tuple[str, str]
#: type -> aspect, and the arguments that it may have beside the column
HELD = {
    "expect_column_values_to_not_be_null": ("null", {"mostly"}),
    "expect_column_values_to_be_unique": ("unique", set[str]()),
    "expect_column_values_to_be_between": ("range", {"min_value", "max_value"}),
    "expect_column_values_to_be_in_set": ("set", {"value_set"}),
}


@dataclass(frozen=True)
class Part:
    """Some lines of the text as they are written, and what they say that the form holds: nothing for comments and the rest."""

    raw: str
    says: tuple[tuple[Aspect, Any], ...] = ()


def read(text: str, columns: Sequence[str]) -> list[Part]:
    """The parts of a suite's text, in order; of columns that are not there the form says nothing."""
    lines, found, at, said = text.splitlines(), [], 0, set[Aspect]()
    for entry in entries(text, {}):
        first, last = entry.line - 1, entry.line + entry.text.count("\n")
        found += [Part(line) for line in lines[at:first]]
        says = tuple(_says(entry.text, columns))
        fresh = all(says) and not said & {aspect for aspect, _ in says if aspect}
        kept = tuple((aspect, value) for aspect, value in says if aspect is not None) if fresh else ()
        said |= {aspect for aspect, _ in kept}
        found.append(Part("\n".join(lines[first:last]), kept))
        at = last
    return found + [Part(line) for line in lines[at:]]


def _says(text: str, columns: Sequence[str]) -> Iterator[tuple[Aspect | None, Any]]:
    """What an entry says, aspect by aspect; (None, None) where the form has no place for it."""
    try:
        configs = parse(text)
    except errors.BadExpectation:  # a value of the notebook, or what an older nbml wrote
        yield None, None
        return
    for config in configs:
        yield _aspect(config, columns)


def _aspect(config: Config, columns: Sequence[str]) -> tuple[Aspect | None, Any]:
    word, allowed = HELD.get(config.type, ("", set[str]()))
    kwargs = {key: value for key, value in config.kwargs.items() if key != "column"}
    column = config.kwargs.get("column")
    if not word or config.where or config.severity != "critical" or set(kwargs) - allowed or column not in columns:
        return None, None
    if word == "range":
        ends = (kwargs.get("min_value"), kwargs.get("max_value"))
        fits = all(end is None or (isinstance(end, (int, float)) and not isinstance(end, bool)) for end in ends)
        return ((word, str(column)), ends) if fits else (None, None)
    if word == "set":
        values = tuple(kwargs["value_set"])
        alike = len({type(value) for value in values}) == 1 and isinstance(values[0], (str, int, float)) and not isinstance(values[0], bool)
        return ((word, str(column)), frozenset(values)) if alike else (None, None)
    return (word, str(column)), float(kwargs.get("mostly", 1)) if word == "null" else True


def said(parts: Sequence[Part]) -> dict[Aspect, Any]:
    """All that the form holds."""
    return {aspect: value for part in parts for aspect, value in part.says}


def rest(parts: Sequence[Part]) -> str:
    """What the form does not hold, as text."""
    return "\n".join(part.raw for part in parts if not part.says)


def compose(parts: Sequence[Part], now: Mapping[Aspect, Any], text: str) -> str:
    """The suite's text: lines that say what they said stay as they are written, in their place; what is new comes last.

    ``text`` is the rest; where it was not changed each of its lines stays in its place too.
    """
    lines, done, same = [], set[Aspect](), text == rest(parts)
    for part in parts:
        if not part.says:
            lines += [part.raw] if same else []
            continue
        done |= {aspect for aspect, _ in part.says}
        if all(now.get(aspect) == value for aspect, value in part.says):
            lines.append(part.raw)
        else:
            lines += [line(aspect, now[aspect]) for aspect, _ in part.says if aspect in now]
    lines += [line(aspect, value) for aspect, value in now.items() if aspect not in done]
    return "\n".join(lines + ([] if same or not text.strip() else [text]))


def line(aspect: Aspect, value: Any) -> str:
    """An aspect as an entry of the language."""
    word, column = aspect[0], written_safely(aspect[1])
    if word == "null":
        return f"not_null({column})" + (f", mostly={value:g}" if value < 1 else "")
    if word == "unique":
        return f"unique({column})"
    if word == "set":
        return f"{column} in {{{', '.join(map(repr, sorted(value)))}}}"
    low, high = value
    if low is not None and high is not None:
        return f"{number(low)} <= {column} <= {number(high)}"
    return f"{column} >= {number(low)}" if high is None else f"{column} <= {number(high)}"


def number(value: float) -> str:
    """A number as the language writes it."""
    return f"{value:_}" if isinstance(value, int) else f"{int(value):_}" if value == int(value) and abs(value) < 1e15 else f"{value:.12g}"
