"""Runs side by side, as a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nbml.display import Column, Curves, Details, Diff, Parallel, Part, Report, Table, Text, code, muted, strong
from nbml.tracking.axes import ABSENT
from nbml.tracking.report import LONG, SHORT, cut, text

#: runs that stand beside each other as columns; more of them are rows, with this many of the differences
BESIDE, ACROSS = 5, 8
#: differences that are seen at once, curves, and lines of a difference of code
ROWS, CURVES, LINES = 30, 2, 60


@dataclass(frozen=True)
class Difference:
    """One thing in which runs differ: a value each, ABSENT for none. ``dull``: a parameter at its default that only some have."""

    kind: str
    name: str
    values: Sequence[Any]
    dull: bool = False


def comparison_report(
    refs: Sequence[str], lines: Sequence[Difference], equal: int, plot: Parallel | None, curves: Sequence[Curves], diffs: Sequence[Diff]
) -> Report:
    """What differs, how it lies over the axes, the courses of metrics, and the code."""
    told, dull = [line for line in lines if not line.dull], [line for line in lines if line.dull]
    parts: list[Part] = _table(refs, told) if told else []
    if dull:
        parts.append(Details(f"{len(dull)} more parameters stand at their defaults where there are any", [_beside(refs, dull)]))
    parts += [plot] if plot is not None and len(refs) > 2 else []
    parts += curves[:CURVES]
    if curves[CURVES:]:
        parts.append(Details(f"curves of {len(curves) - CURVES} more metrics", curves[CURVES:]))
    parts += _code(diffs)
    if plot is not None and len(refs) == 2:
        parts.append(Details("over parallel axes", [plot]))
    differ = f"{len(told)} difference" + ("" if len(told) == 1 else "s") if told else "no difference"
    title: Text = (strong(" and ".join(refs) if len(refs) == 2 else f"{len(refs)} runs"), f": {differ}")
    return Report(title, facts=[f"{equal} equal"] if equal else [], parts=parts, kind="run")


def _table(refs: Sequence[str], lines: Sequence[Difference]) -> list[Part]:
    if len(refs) > BESIDE:
        return _runs_as_rows(refs, lines)
    more = lines[ROWS:]
    parts: list[Part] = [_beside(refs, lines[:ROWS])]
    return parts + ([Details(_more(more), [_beside(refs, more)])] if more else [])


def _beside(refs: Sequence[str], lines: Sequence[Difference]) -> Table:
    heads = [Column("kind"), Column("name"), *(Column(ref, "right") for ref in refs)]
    return Table(heads, [[muted(line.kind), code(cut(line.name)), *map(_shown, line.values)] for line in lines])


def _runs_as_rows(refs: Sequence[str], lines: Sequence[Difference]) -> list[Part]:
    """Many runs: a row each, and the differences as columns; the rest of them on demand."""
    metrics = [line for line in lines if line.kind == "metric"][: ACROSS // 2]
    others = [line for line in lines if line.kind != "metric"][: ACROSS - len(metrics)]
    chosen = [*metrics, *others]
    heads = [Column("run"), *(Column(cut(line.name, SHORT), bar="well" if line in metrics[:1] else None) for line in chosen)]
    rows = [[strong(ref), *(_shown(line.values[i]) for line in chosen)] for i, ref in enumerate(refs)]
    rest = [line for line in lines if not any(line is one for one in chosen)]
    parts: list[Part] = [Table(heads, rows)]
    return parts + ([Details(_more(rest), [_beside(refs, rest)])] if rest else [])


def _more(lines: Sequence[Difference]) -> str:
    return f"{len(lines)} more difference{'' if len(lines) == 1 else 's'}"


def _code(diffs: Sequence[Diff]) -> list[Part]:
    """One difference of code is seen at once where it is short."""
    if len(diffs) == 1 and len(diffs[0].lines) <= LINES:
        return [diffs[0]]
    return [Details(f"code of {one.before} and {one.after}: {one.alt}", [one]) for one in diffs]


def _shown(value: Any) -> Any:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if number else "" if value is ABSENT else cut(text(value), LONG)
