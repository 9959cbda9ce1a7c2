"""A profile as a report: what is odd, then the columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbml.datasets.describing import Summary, days, span, told
from nbml.display import Column, Histogram, Note, Part, Report, Table, Text, percent, size, strong

if TYPE_CHECKING:
    from nbml.datasets.profiling import Profile

#: columns that are shown
ROWS = 50


def profile_report(found: Profile) -> Report:
    """One line, one note for each thing that is odd, and a row for each column."""
    title: Text = (strong(found.called),) if found.called else "the frame"
    count = len(found.found)
    facts = [f"{found.rows:,} row{'' if found.rows == 1 else 's'} × {count:,}", size(found.memory)]
    facts += [f"target {found.target}"] if found.target is not None else []
    parts: list[Part] = [Note("bad" if note.code == "target-leak" else "look", note.code, note.message) for note in found.notes]
    if found.found:
        parts.append(_table(found))
    worst = "bad" if any(note.code == "target-leak" for note in found.notes) else "idle"
    return Report(title, worst, "look" if worst == "bad" else "", facts, parts, [found.line] if found.line else [])


def _table(found: Profile) -> Table:
    heads: list[Column | str] = [Column("column", format="code"), "type"]
    nulls = any(s.nulls for s in found.found)
    heads += [Column("nulls", "right", "percent")] if nulls else []
    heads += ["distinct", "values", Column("median", "right"), Column("mean", "right"), ""]
    if found.associations:
        said = "AUC alone" if found.measure == "AUC" else f"tells of {found.target}"
        heads.append(Column(said, "right") if found.measure == "AUC" else Column(said, "right", "percent", "running", 1.0))
    rows = []
    for at, s in enumerate(found.found[:ROWS]):
        row: list[Any] = [s.name, s.dtype, *([s.null_share if s.nulls else None] if nulls else []), s.distinct, span(s), *_middle(s)]
        row.append(Histogram(s.bars, (), _alt(s)) if s.bars else None)
        if found.associations:
            value = found.associations[at]
            row.append("target" if s.name == found.target else None if value != value else value)
        rows.append(row)
    return Table(heads, rows, len(found.found))


def _middle(s: Summary) -> tuple[Any, Any]:
    """Median and mean of what has one; the mean of instants says little."""
    if s.median is None or s.distinct <= 1:
        return None, None
    plain = isinstance(s.median, (int, float))
    return (s.median, s.mean) if plain else (told(s.median, days(s)), None)


def _alt(s: Summary) -> str:
    """The picture in words: where most of the values are."""
    most = max(range(len(s.bars)), key=s.bars.__getitem__)
    if s.low is None:
        return f"the most frequent: {percent(s.bars[most])}"
    if s.distinct == 1:
        return "all the same"
    if s.bars[most] * len(s.bars) < 1.5:
        return "even"
    place = ("in the lowest third", "in the middle third", "in the highest third")[min(2, most * 3 // len(s.bars))]
    return f"fullest {place}"
