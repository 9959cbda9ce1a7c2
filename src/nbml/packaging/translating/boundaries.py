"""Rows where a model that is computed in single precision, or by another formula, is told from one that is not.

``probing`` asks for what no training row has. Here it is what lies between the rows of a proof: at the places where the answer
changes, cut until the two sides differ in the tenth digit, at the middles between two values, far outside, and one by one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nbml.packaging.translating import probing

Rows = list[dict[str, Any]]
#: pairs of rows between which boundaries are sought, in how many parts the distance is cut, and how often: 6e-11 of it is left
PAIRS, PARTS, CUTS = 24, 8, 11
_PARTS = [part / PARTS for part in range(1, PARTS)]
#: rows asked one by one, as the proof does with more of them, and rows with a middle
ALONE, MIDDLES = 8, 64
#: how far apart the two rows lie of which every other value is taken
CROSSED = (1, 7, 31)
#: times all numbers of a row
FAR = (3.0, -2.0, 100.0, -1e4)


def difference(target: Any, manifest: Mapping[str, Any], answer: Callable[[Any], Any], sent: Sequence[Mapping[str, Any]]) -> str:
    """Where the executor's ``answer`` is not the model's on rows between and beyond ``sent``; "" where they agree."""
    theirs, ours = probing.both(target, manifest, answer)
    rows = [dict(row) for row in sent]
    numbers = [spec["name"] for spec in manifest["inputs"] if spec["kind"] == "number"]

    def differ(asked: Rows) -> bool:
        columns = probing.columns_of(asked)
        return not probing.same(probing.asked(theirs, columns), probing.asked(ours, columns))

    if differ(rows):
        return "rows of the proof are answered otherwise"
    if any(differ([row]) for row in rows[:ALONE]):
        return "a row alone is answered otherwise"
    if numbers and any(differ([_times(row, numbers, factor) for row in rows]) for factor in FAR):
        return "rows far off are answered otherwise"
    if any(differ(_crossed(rows, step)) for step in CROSSED):
        return "rows of values from two known ones are answered otherwise"
    middles = _middles(rows, numbers)
    if middles and differ(middles):
        return "rows with a number halfway between two known ones are answered otherwise"
    close = _close(theirs, ours, rows, numbers) or _close(*_fractions(target, manifest, answer), rows, _whole(manifest, numbers))
    return "rows close to where the answer changes are answered otherwise" if close else ""


def _fractions(target: Any, manifest: Mapping[str, Any], answer: Callable[[Any], Any]) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """Both, where columns of whole numbers may hold others: only between them lies where the answer of such a model changes."""
    inputs = [spec | {"kind": "number", "dtype": "float64"} if spec["kind"] == "integer" else spec for spec in manifest["inputs"]]
    return probing.both(target, {**manifest, "inputs": inputs}, answer)


def _whole(manifest: Mapping[str, Any], numbers: list[str]) -> list[str]:
    """All columns of numbers where some of them are whole; none where it was looked for with all of them before."""
    whole = [spec["name"] for spec in manifest["inputs"] if spec["kind"] == "integer"]
    return [*numbers, *whole] if whole else []


def _close(theirs: Callable[[Any], Any], ours: Callable[[Any], Any], rows: Rows, numbers: list[str]) -> bool:
    """Whether they differ on the way to where the answer changes, between rows that are answered differently."""
    said = probing.asked(theirs, probing.columns_of(rows)) if numbers else ""
    if isinstance(said, str):
        return False
    pairs = [(i, j) for i in range(len(rows)) if (j := _other(said[0], i)) is not None][:PAIRS]
    ends = [(0.0, 1.0)] * len(pairs)
    for _ in range(CUTS if pairs else 0):
        shares = [[low + (high - low) * part for part in _PARTS] for low, high in ends]
        asked = [_between(rows[i], rows[j], numbers, one) for (i, j), some in zip(pairs, shares, strict=True) for one in some]
        want = probing.asked(theirs, probing.columns_of(asked))
        if isinstance(want, str):
            return False
        if not probing.same(want, probing.asked(ours, probing.columns_of(asked))):
            return True
        for at, (i, _) in enumerate(pairs):
            answers = want[0][at * len(_PARTS) :][: len(_PARTS)]
            changed = next((k for k, answer in enumerate(answers) if answer != said[0][i]), len(_PARTS))
            known = [ends[at][0], *shares[at], ends[at][1]]
            ends[at] = (known[changed], known[changed + 1])
    return False


def _other(said: list[Any], i: int) -> int | None:
    """The next row that is answered differently."""
    return next((j % len(said) for j in range(i + 1, i + len(said)) if said[j % len(said)] != said[i]), None)


def _between(one: dict[str, Any], two: dict[str, Any], numbers: list[str], share: float) -> dict[str, Any]:
    both = {name for name in numbers if one[name] is not None and two[name] is not None}
    return {name: value + (two[name] - value) * share if name in both else value for name, value in one.items()}


def _times(row: dict[str, Any], numbers: list[str], factor: float) -> dict[str, Any]:
    return row | {name: row[name] * factor for name in numbers if row[name] is not None}


def _crossed(rows: Rows, step: int) -> Rows:
    """Rows that nobody has seen, of values that were: whole numbers far from the rest are rare, and neighbours equally far are not."""
    names = list(rows[0])[1::2]
    return [row | {name: rows[(i + step) % len(rows)][name] for name in names} for i, row in enumerate(rows)]


def _middles(rows: Rows, numbers: list[str]) -> Rows:
    """Rows of which one number is the middle of two neighbours, as the thresholds of trees are."""
    found: Rows = []
    for at in range(MIDDLES if numbers else 0):
        name = numbers[at % len(numbers)]
        known = sorted({row[name] for row in rows if row[name] is not None and math.isfinite(row[name])})
        if len(known) > 1:
            i = (at * 7) % (len(known) - 1)
            found.append(rows[at % len(rows)] | {name: (known[i] + known[i + 1]) / 2})
    return found
