"""What can be shown: frozen values that say nothing of how they are drawn."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

STATES = ("well", "look", "bad", "running", "idle")
STYLES = ("plain", "strong", "code", "muted", "link", "chip")


@dataclass(frozen=True)
class Span:
    """A piece of text in one style; ``state`` colours a chip, ``url`` leads a link."""

    text: str
    style: str = "plain"
    state: str = "idle"
    url: str = ""

    def __str__(self) -> str:
        return self.text


Text: TypeAlias = "str | Span | tuple[str | Span, ...]"


def strong(text: object) -> Span:
    """The thing that the line is about."""
    return Span(str(text), "strong")


def code(text: object) -> Span:
    """Something to type, or a name from the data."""
    return Span(str(text), "code")


def muted(text: object) -> Span:
    """What matters less."""
    return Span(str(text), "muted")


def link(text: object, url: str) -> Span:
    """A link; only http and https lead anywhere."""
    return Span(str(text), "link", url=url if url.startswith(("http://", "https://")) else "")


def chip(text: object, state: str = "idle") -> Span:
    """A word on the colour of a state."""
    return Span(str(text), "chip", state)


def spans(text: Text) -> tuple[Span, ...]:
    """Any text as spans."""
    parts = text if isinstance(text, tuple) else (text,)
    return tuple(part if isinstance(part, Span) else Span(str(part)) for part in parts)


def plain_text(text: Text) -> str:
    """Any text without its styles."""
    return "".join(span.text for span in spans(text))


@dataclass(frozen=True)
class Line:
    """One line of text."""

    text: Text


@dataclass(frozen=True)
class Note:
    """A chip and what it means."""

    state: str
    word: str
    text: Text


@dataclass(frozen=True)
class Spark:
    """A small curve; ``alt`` says the same in words."""

    values: Sequence[float | None]
    alt: str = ""
    state: str = "running"


@dataclass(frozen=True)
class Histogram:
    """Two histograms over each other, as shares of the same bins; ``now`` may be empty."""

    reference: Sequence[float]
    now: Sequence[float] = ()
    alt: str = ""


@dataclass(frozen=True)
class Gauge:
    """Where a value lies against the bounds that it should lie within; None is no bound. ``alt`` says the same in words."""

    at: float | None
    low: float | None = None
    high: float | None = None
    alt: str = ""


@dataclass(frozen=True)
class Column:
    """How a column of a table is drawn.

    ``format``: None (by type), "percent", "number", "exact", "time" (epoch seconds), "bytes", "code". ``bar`` is the state
    in whose colour the cell's own background shows its share of ``bar_max`` (the largest value where that is None), and
    ``mark`` the name of the column whose value is marked on it.
    """

    name: str
    align: str = "auto"
    format: str | None = None
    bar: str | None = None
    bar_max: float | None = None
    mark: str = ""


@dataclass(frozen=True)
class Table:
    """Rows to be compared. ``total`` is how many there are where these are only the first."""

    columns: Sequence[Column | str]
    rows: Sequence[Sequence[Any]]
    total: int | None = None
    caption: str = ""

    @property
    def heads(self) -> tuple[Column, ...]:
        return tuple(c if isinstance(c, Column) else Column(c) for c in self.columns)


@dataclass(frozen=True)
class Progress:
    """How far something is."""

    done: float
    total: float
    label: Text = ""


@dataclass(frozen=True)
class Code:
    """A block of source."""

    source: str
    language: str = "python"


@dataclass(frozen=True)
class Details:
    """What is shown on demand."""

    summary: Text
    parts: Sequence[Part]


Part: TypeAlias = "Line | Note | Spark | Histogram | Table | Progress | Code | Details"


@dataclass(frozen=True)
class Report:
    """One result: a line that says the outcome, what has to be compared, and the line to type next.

    ``state`` is one of STATES, ``word`` the chip's text, ``facts`` are muted figures of the first line, ``id`` the
    32-digit hex id under which the store keeps it, ``kind`` and ``ref`` the thing that it shows.
    """

    title: Text
    state: str = "idle"
    word: str = ""
    facts: Sequence[str] = ()
    parts: Sequence[Part] = ()
    next: Sequence[str] = ()
    id: str | None = None
    kind: str = ""
    ref: str = ""

    @property
    def key(self) -> str:
        """The id, which every report has."""
        return str(self.id)

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise ValueError(f"no state {self.state!r}; one of {', '.join(STATES)}")
        if self.id is None:
            object.__setattr__(self, "id", uuid.uuid4().hex)
