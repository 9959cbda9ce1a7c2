"""Runs side by side: what differs in metrics, parameters, data, code and surroundings. Imports pandas: ask for it at use."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Any

import pandas as pd

from nbml.display import PALETTE, Curves, Diff, Series
from nbml.display.listing import shown_as
from nbml.store import runs
from nbml.tracking import axes
from nbml.tracking.axes import ABSENT
from nbml.tracking.comparing_report import Difference, comparison_report
from nbml.tracking.fits import plain
from nbml.tracking.report import course, points
from nbml.tracking.values import Run

#: metrics whose curves are drawn, equal lines around a change, programs beside the first
CURVES, AROUND, DIFFS = 8, 3, 5
#: what a Recipe says of where its statements stood
_COUNT = re.compile(r"^[ \t]*# cell \d+\n", re.MULTILINE)


def comparison(chosen: Sequence[Run]) -> pd.DataFrame:
    """See ``compare``."""
    rows, told = [run._row for run in chosen], [run._told for run in chosen]
    refs = [str(run) for run in chosen]
    metrics, params = [dict(row.metrics) for row in rows], [plain(row.params) for row in rows]
    data = [", ".join(map(str, run.datasets)) for run in chosen]
    sides: list[tuple[str, list[dict[str, Any]]]] = [
        ("metric", metrics), ("param", params), ("data", [{"data": said} if said else {} for said in data]),
        ("environment", [_environment(body.get("environment") or {}) for body in told]),
    ]  # fmt: skip
    lines, equal = _differences(sides, {name for row in rows for name in row.changed})
    programs = [_bare(str((body.get("recipe") or {}).get("source", "")), run) for run, body in zip(chosen, told, strict=True)]
    if not all(programs):
        programs = [run.source for run in chosen]
    diffs = _diffs(refs, programs)
    if len(set(programs)) > 1:
        lines.append(Difference("code", "code", _sizes(programs, diffs, refs)))
    plot = axes.parallel(refs, *([(x.name, x.values) for x in lines if x.kind == kind and not x.dull] for kind in ("param", "metric")))
    return shown_as(_frame(refs, lines), comparison_report(refs, lines, equal, plot, _curves(chosen, refs), diffs))


def _differences(sides: Sequence[tuple[str, list[dict[str, Any]]]], changed: set[str]) -> tuple[list[Difference], int]:
    """What is not the same in all runs, those of ``changed`` before the others of their kind, and how much is."""
    lines: list[Difference] = []
    equal = 0
    for kind, each in sides:
        for name in _names(each, changed):
            values = [side.get(name, ABSENT) for side in each]
            if all(_same(values[0], value) for value in values[1:]):
                equal += 1
            else:
                lines.append(Difference(kind, name, values, dull=kind == "param" and ABSENT in values and name not in changed))
    return lines, equal


def _frame(refs: Sequence[str], lines: Sequence[Difference]) -> pd.DataFrame:
    frame = pd.DataFrame({"kind": [line.kind for line in lines]}, dtype="str")
    for place, ref in enumerate(refs):
        frame[ref] = pd.Series([None if line.values[place] is ABSENT else line.values[place] for line in lines], dtype=object)
    frame.index = pd.Index([line.name for line in lines], name="name", dtype="str")
    return frame


def _bare(program: str, run: Run) -> str:
    """A Recipe without what differs between any two runs: the counts of its cells, and what the run is called."""
    named = re.escape(run.name)
    return re.sub(rf"(with nbml\.track\()(['\"]){named}\2", r"\1...", _COUNT.sub("", program))


def _names(each: Sequence[dict[str, Any]], first: set[str]) -> list[str]:
    """All names, those of ``first`` before the others."""
    names = list(dict.fromkeys(name for values in each for name in values))
    return sorted(names, key=lambda name: name not in first)


def _environment(said: dict[str, Any]) -> dict[str, Any]:
    found = {key: said[key] for key in ("python", "platform") if said.get(key)}
    return found | {str(name): str(version) for name, version in (said.get("packages") or {}).items()}


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other or (one != one and other != other))


def _curves(chosen: Sequence[Run], refs: Sequence[str]) -> list[Curves]:
    """The metrics that have steps, those of most runs first."""
    counts = [runs.names(run._store, run._thing.id) for run in chosen]
    names = {name: sum(count.get(name, 0) > 1 for count in counts) for count in counts for name in count}
    drawn = sorted((name for name, many in names.items() if many), key=lambda name: -names[name])[:CURVES]
    found = []
    for name in drawn:
        having = [i for i, count in enumerate(counts) if count.get(name)]
        series = [Series(refs[i], points(chosen[i], name), PALETTE[i % len(PALETTE)]) for i in having]
        if any(value is not None for one in series for _, value in one.points):
            found.append(Curves(name, series, f"{name}: " + "; ".join(course(one) for one in series[:8])))
    return found


def _diffs(refs: Sequence[str], programs: Sequence[str]) -> list[Diff]:
    """The first program beside each other one that differs from it and from those before."""
    found: list[Diff] = []
    seen = {programs[0]}
    for ref, program in zip(refs[1:], programs[1:], strict=True):
        if program not in seen and len(found) < DIFFS:
            found.append(Diff(refs[0], ref, diff(programs[0], program)))
        seen.add(program)
    return found


def diff(before: str, after: str) -> list[tuple[str, str]]:
    """Two programs line by line; equal stretches are cut down to what stands around a change."""
    old, new = before.splitlines(), after.splitlines()
    lines: list[tuple[str, str]] = []
    for word, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if word != "equal":
            lines += [("-", text) for text in old[a:b]] + [("+", text) for text in new[c:d]]
            continue
        head, tail = (AROUND if a else 0), (AROUND if b < len(old) or d < len(new) else 0)
        if b - a <= head + tail + 1:
            lines += [("=", text) for text in old[a:b]]
        else:
            gap = ("…", f"{b - a - head - tail} equal lines")
            lines += [("=", text) for text in old[a : a + head]] + [gap] + [("=", text) for text in old[b - tail : b]]
    return lines


def _sizes(programs: Sequence[str], diffs: Sequence[Diff], refs: Sequence[str]) -> list[str]:
    """The first as its length, the others as what was added to it and removed."""
    count = len(programs[0].splitlines())
    by = {one.after: one for one in diffs}
    said = [f"{count} line{'' if count == 1 else 's'}" if programs[0] else ""]
    for ref, program in zip(refs[1:], programs[1:], strict=True):
        lines = by[ref].lines if ref in by else diff(programs[0], program)
        signs = [sign for sign, _ in lines]
        said.append("the same" if program == programs[0] else f"+{signs.count('+')} −{signs.count('-')}")
    return said
