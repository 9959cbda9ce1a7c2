"""A comparison of two frames as a report, and its columns as a frame. Of private columns only counts are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbml.datasets.describing import Summary, days, span, told
from nbml.display import Column, Details, Histogram, Line, Part, Report, Table, Text, code, muted, percent, strong

if TYPE_CHECKING:
    import pandas as pd

    from nbml.datasets.comparing import Compared, Diff

#: rows of a table; values of a kind that are named
ROWS, NAMED = 20, 3
#: a distribution is told of where its psi is at least this, or its share of nulls has moved by this
MOVED, NULLS = 0.1, 0.01
FIGURES = ("nulls", "distinct", "min", "mean", "median", "max")


def diff_report(found: Diff) -> Report:
    """One line where nothing differs."""
    a, b = found.called
    rows = (len(found.frames[0]), len(found.frames[1]))
    if found.same:
        facts = [f"{rows[0]:,} row{'' if rows[0] == 1 else 's'} × {found.frames[0].shape[1]:,}"]
        facts += ["the rows stand in another order"] if found.found.reordered else []
        return Report((strong(a), " and ", strong(b), " are the same"), "well", "same", facts)
    parts: list[Part] = []
    if len(found.schema):
        parts.append(_schema(found))
    parts += [Line(text) for text in _rows(found)]
    apart, alike = _apart(found)
    if apart:
        parts.append(_columns(found, apart))
    if alike:
        said = f"{len(alike):,} column{' is' if len(alike) == 1 else 's are'} distributed alike"
        parts.append(Details(said, [_columns(found, alike)]))
    facts = [f"{rows[0]:,} rows" if rows[0] == rows[1] else f"{rows[0]:,} → {rows[1]:,} rows"]
    return Report((strong(a), " → ", strong(b), f": {_outcome(found)}"), "look", "differs", facts, parts, _next(found))


def _outcome(found: Diff) -> str:
    rows, said = found.found, []
    said += [f"{len(rows.added):,} row{'' if len(rows.added) == 1 else 's'} added"] if len(rows.added) else []
    said += [f"{len(rows.removed):,} removed"] if len(rows.removed) else []
    said += [f"{found.altered:,} changed"] if found.altered else []
    if said and not len(rows.added):
        said[0] = said[0].replace(" ", " row " if said[0].startswith("1 ") else " rows ", 1)
    if not said and rows.reordered:
        said.append("the same rows in another order")
    changes = len(found.schema)
    said += [f"{changes:,} change{'' if changes == 1 else 's'} of the columns"] if changes else []
    return ", ".join(said)


def _schema(found: Diff) -> Table:
    rows = []
    for row in found.schema.head(ROWS).itertuples(index=False):
        said = " → ".join(str(side) for side in (row.before, row.after) if side is not None)
        rows.append((code(row.column), row.change, f"place {said}" if row.change == "moved" else said))
    return Table(("column", "change", ""), rows, len(found.schema))


def _rows(found: Diff) -> list[Text]:
    """How the rows were compared, and what in them differs."""
    rows = found.found
    texts: list[Text] = []
    if not found.common:
        return [muted("no column is in both: rows cannot be compared")]
    if len(rows.removed) or len(rows.added) or found.altered:
        by = (muted("rows by "), code(", ".join(found.key))) if found.key else (muted("rows by their content"),)
        partly = max(frame.shape[1] for frame in found.frames) > len(found.common)
        over = muted(f" in the {len(found.common):,} columns of both") if partly and not found.key else ""
        same = len(rows.at) - found.altered
        texts.append((*by, over, muted(f": {same:,} {'is' if same == 1 else 'are'} equal")))
    if rows.reordered and len(rows.removed) + len(rows.added) + found.altered + len(found.schema):
        texts.append(muted("the rows of both stand in another order"))
    return texts


def _apart(found: Diff) -> tuple[list[Compared], list[Compared]]:
    """Columns of which something has to be told, worst first; the others."""
    cells = found.found.cells
    told_of = [c for c in found.compared if _moved(c) or cells.get(c.name)]
    names = {c.name for c in told_of}
    told_of.sort(key=lambda c: (-(c.psi or 0.0), -cells.get(c.name, 0)))
    return told_of, [c for c in found.compared if c.name not in names]


def _moved(c: Compared) -> bool:
    nulls = abs(c.before.null_share - c.after.null_share)
    return (c.psi or 0.0) >= MOVED or nulls >= NULLS or bool(c.appeared or c.vanished) or c.psi is None


def _columns(found: Diff, columns: list[Compared]) -> Table:
    cells = found.found.cells
    counted = any(cells.get(c.name) for c in columns)
    heads: list[Column | str] = [Column("column", format="code"), *([Column("cells changed", "right", bar="look")] if counted else []),
             Column("psi", "right", bar="look", bar_max=1.0), "before and after", "what moved"]  # fmt: skip
    rows = []
    for c in columns[:ROWS]:
        bars = Histogram(*c.shares, _alt(c)) if c.shares[0] else None
        psi = None if c.psi is None else round(c.psi, 4)  # less is noise
        rows.append((c.name, *([cells.get(c.name) or None] if counted else []), psi, bars, _words(c)))
    return Table(heads, rows, len(columns))


def _alt(c: Compared) -> str:
    return "" if c.before.private else f"{len(c.shares[0])} bins"


def _words(c: Compared) -> str:
    """What of a column moved, in a few words."""
    before, after = c.before, c.after
    said = []
    nulls = percent(before.null_share), percent(after.null_share)
    if nulls[0] != nulls[1]:
        said.append(f"nulls {nulls[0]} → {nulls[1]}")
    if before.private:
        said += [f"{len(v):,} value{'' if len(v) == 1 else 's'} {word}" for v, word in ((c.appeared, "new"), (c.vanished, "gone")) if v]
        return ", ".join([*said, "private"])
    said += [f"{_named(v)} {word}" for v, word in ((c.vanished, "gone"), (c.appeared, "new")) if v]
    if before.median is not None and after.median is not None and before.median != after.median:
        coarse = days(before) and days(after) and before.median.date() != after.median.date()
        said.append(f"median {told(before.median, coarse)} → {told(after.median, coarse)}")
    if before.low is not None and span(before) != span(after):
        said.append(f"range {span(before)} → {span(after)}")
    return ", ".join(said)


def _named(values: tuple[Any, ...]) -> str:
    more = f" and {len(values) - NAMED:,} more" if len(values) > NAMED else ""
    return ", ".join(told(value) for value in values[:NAMED]) + more


def _next(found: Diff) -> list[str]:
    """The line that says which rows changed, where a column identifies them; else the rows that are new."""
    from nbml.datasets.comparing import identifying, typed

    rows = found.found
    if found.altered:
        return ["_.changed(limit=20)"]
    if not found.key and len(rows.removed) and len(rows.added):
        fit = identifying(*found.frames)
        if fit and found.words:
            return [str(typed(found.words, f"--key {fit}"))]
    return ["_.removed(limit=20)"] if len(rows.removed) else ["_.added(limit=20)"] if len(rows.added) else []


def columns_frame(found: Diff) -> pd.DataFrame:
    """One row for each column of both: changed (cells, with a key), figures before and after, values that appeared and
    vanished, psi."""
    import pandas as pd

    heads = ["column", "changed", *(f"{name}_{side}" for name in FIGURES for side in ("before", "after")), "appeared", "vanished", "psi"]
    rows = []
    for c in found.compared:
        cells = found.found.cells.get(c.name, 0) if found.key else None
        pairs = zip(_figures(c.before), _figures(c.after), strict=True)
        named = [None if c.before.private or c.before.counts is None else list(values) for values in (c.appeared, c.vanished)]
        rows.append([c.name, cells, *(value for pair in pairs for value in pair), *named, c.psi])
    frame = pd.DataFrame(rows, columns=heads)
    kinds = {"column": "str", "changed": "Int64", "psi": "float64", "nulls_before": "float64", "nulls_after": "float64"}
    return frame.astype(kinds | {"appeared": object, "vanished": object})


def _figures(s: Summary) -> list[Any]:
    return [s.null_share, s.distinct, s.low, s.mean, s.median, s.high]


