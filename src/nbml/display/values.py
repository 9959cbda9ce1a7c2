"""What can be shown: frozen values that say nothing of how they are drawn."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

STATES = ("well", "look", "bad", "running", "idle")
#: what tells things apart that have no state, in this order
PALETTE = ("#3f7fd1", "#2a9d75", "#c98a0b", "#9a5fd0", "#d64f5c", "#1b9aaa", "#b8577f", "#7a8b2a")
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
    """Rows to be compared. ``total`` is how many there are where these are only the first, ``still`` how many of them stand
    in the static forms: where rows can be sorted and filtered, all are there."""

    columns: Sequence[Column | str]
    rows: Sequence[Sequence[Any]]
    total: int | None = None
    caption: str = ""
    still: int | None = None

    @property
    def heads(self) -> tuple[Column, ...]:
        return tuple(c if isinstance(c, Column) else Column(c) for c in self.columns)

    @property
    def static(self) -> Table:
        """The table as it stands where nothing can be scrolled."""
        if self.still is None or self.still >= len(self.rows):
            return self
        return replace(self, rows=self.rows[: self.still], total=max(self.total or 0, len(self.rows)), still=None)


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


@dataclass(frozen=True)
class Series:
    """One curve: ``points`` are (step, value), the steps ascending; None is a gap."""

    name: str
    points: Sequence[tuple[float, float | None]]
    colour: str


@dataclass(frozen=True)
class Curves:
    """Curves over the same steps. ``alt`` says the same in words."""

    name: str
    series: Sequence[Series]
    alt: str = ""
    x: str = "step"


@dataclass(frozen=True)
class Axis:
    """One axis of parallel coordinates; ``ticks`` are (place from 0 to 1, text), ``kind`` what its values are."""

    name: str
    kind: str
    ticks: Sequence[tuple[float, str]]
    log: bool = False


@dataclass(frozen=True)
class Strand:
    """One thing's line over the axes: its place on each from 0 to 1, None where it has no such value, and the values as texts."""

    name: str
    places: Sequence[float | None]
    texts: Sequence[str]
    colour: str


@dataclass(frozen=True)
class Parallel:
    """Parallel coordinates. ``shade`` is the axis whose places chose the colours; None where each strand has its own."""

    axes: Sequence[Axis]
    strands: Sequence[Strand]
    alt: str = ""
    shade: int | None = None


@dataclass(frozen=True)
class Diff:
    """Two texts line by line: ``lines`` are (sign, text) with = in both, - before only, + after only, … left out."""

    before: str
    after: str
    lines: Sequence[tuple[str, str]]

    @property
    def alt(self) -> str:
        """What changed, in words."""
        gone, new = (sum(1 for sign, _ in self.lines if sign == wanted) for wanted in "-+")
        return f"{gone} line{'' if gone == 1 else 's'} only in {self.before}, {new} only in {self.after}"


Part: TypeAlias = "Line | Note | Spark | Histogram | Table | Progress | Code | Details | Curves | Parallel | Diff"


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
