"""Leaks that the code tells: selection, encoding, scaling and resampling that saw the test rows before they were split off."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nbml.slicing.cells import Cell
from nbml.tracking.judging.steps import Mark, Reader
from nbml.tracking.values import Finding

#: what was done -> code, what it means, what to do
SAID = {
    "selection": (
        "target-leak", "chose the features by the target of all rows, before the split",
        "choose features on the train rows only: put the selection into a Pipeline",
    ),
    "encoding": (
        "target-leak", "coded features by the target of all rows, before the split",
        "encode on the train rows only: put the encoder into a Pipeline, or fit it after the split",
    ),
    "scaling": (
        "order-leak", "was fitted on all rows before the split, test rows too; it changes little, but the test rows are no longer new",
        "split first, then fit it on the train rows: put it into a Pipeline",
    ),
    "resampling": (
        "split-overlap", "drew rows again before the split: copies or mixtures of test rows are in train",
        "split first, then resample the train rows only",
    ),
}  # fmt: skip


def before_split(cells: Iterable[Cell], seq: int, namespace: Mapping[str, Any], target: str) -> list[Finding]:
    """What the cells up to ``seq`` did to the data that its models were asked about."""
    return [_said(mark) for mark in _first(marks_of(cells, seq, namespace, target))]


def marks_of(cells: Iterable[Cell], seq: int, namespace: Mapping[str, Any], target: str) -> set[Mark]:
    """The steps that saw all rows of what was asked in the cell ``seq``."""
    lists = {
        name: value
        for name, value in namespace.items()
        if (isinstance(value, (str, list, tuple)) or hasattr(value, "dtype")) and not name.startswith("_")
    }
    reader = Reader(target, lists)
    for cell in cells:
        if cell.seq <= seq:
            reader.run(cell.seq, cell.label, cell.statements())
    return reader.asked.get(seq, set())


def _first(marks: set[Mark]) -> list[Mark]:
    """One mark of each kind, the earliest."""
    found: dict[str, Mark] = {}
    for mark in sorted(marks, key=lambda mark: (mark.cell, mark.line)):
        found.setdefault(mark.kind, mark)
    return list(found.values())


def _said(mark: Mark) -> Finding:
    code, means, advice = SAID[mark.kind]
    place = f"{mark.cell}, line {mark.line}"
    message = f"{mark.what} {means} ({place})"
    return Finding(code, message, {"step": mark.kind, "what": mark.what, "cell": mark.cell, "line": mark.line}, advice)
