"""Marks that a loss leaves inside a frame, and the clock that its dates are.

Rows that are gone leave holes in numbers that counted every row. That is seen from the second version on, whatever the row counts
do; a count alone cannot tell a first Sunday from a loss.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median
from typing import Any

DAY = 86_400.0
#: ids name every row where they fill so much of their range; fewer rows than this say nothing of it
DENSE, ROWS = 0.8, 40
#: holes are a loss from this share on, and from so many errors of chance
HOLES, CHANCE = 0.12, 4.0
#: with fewer earlier versions ids may come to have as many more holes as they have
FEW = 3
#: between these quantiles (places, and the share of the values in between) density is looked at
PARTS = ((1, 2, 0.2), (2, 3, 0.25), (3, 4, 0.25), (4, 5, 0.2))
#: ids are whole where they fill so much of their range
WHOLE = 0.98
#: a version of one day holds dates of so many days at most
ALONE = 2.0

Facts = dict[str, Any]


@dataclass(frozen=True)
class Holes:
    """Rows that ids say are missing: the column, the share of its numbers that is there now, the least so far, and the rows there were."""

    column: str
    filled: float
    usual: float
    rows: int


def holes(now: Facts, past: Sequence[Facts]) -> Holes | None:
    """The ids with the most holes where each earlier version had hardly any."""
    found = [hole for column in now["columns"] if (hole := _hole(column, now, past)) is not None]
    return min(found, key=lambda hole: hole.filled / hole.usual, default=None)


def _hole(column: str, now: Facts, past: Sequence[Facts]) -> Holes | None:
    own, then = _filled(now, column), [_filled(p, column) for p in past]
    if own is None or any(share is None for share in then):
        return None
    before = [share for share in then if share is not None]
    least = min(before)
    if least < DENSE:
        return None
    chance = math.sqrt(least * (1 - least) / now["rows"]) / least
    steps = max((abs(b - a) for a, b in pairwise(before)), default=0.0)
    margin = max(HOLES, CHANCE * chance, steps, (1 - least) if len(before) < FEW else 0.0)
    if own >= least * (1 - margin):
        return None
    return Holes(column, own, least, round(now["rows"] * least / own))


def _filled(facts: Facts, column: str) -> float | None:
    """The share of the whole numbers in the range of ids that is there; None of what are no ids.

    The median of four parts of the range: one leap of a counter, a few ids from elsewhere or -1 for "unknown" are no holes.
    """
    own = facts["columns"].get(column, {})
    if not own.get("ids") or "quantiles" not in own or facts["rows"] < ROWS:
        return None
    steps, at = facts["rows"] * (1 - own["nulls"]) - 1, own["quantiles"]
    widths = [(at[b] - at[a], share) for a, b, share in PARTS]
    if any(width <= 0 for width, _ in widths):
        return None
    return min(median(share * steps / width for width, share in widths), 1.0)


def whole(now: Facts, past: Sequence[Facts]) -> bool:
    """Whether numbers that go on from each version to the next have no holes: nothing but the first or last rows can be missing."""
    every = [*past, now]
    for column in now["columns"]:
        if all((_filled(one, column) or 0.0) >= WHOLE for one in every) and all(
            b["columns"][column]["low"] > a["columns"][column]["high"] for a, b in pairwise(every)
        ):
            return True
    return False


# -- the clock ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Clock:
    """The days that versions are of (seconds, the new one's last), and whether each holds that day alone."""

    times: list[float]
    single: bool


def clock(now: Facts, past: Sequence[Facts]) -> Clock | None:
    """What a column of dates that goes on day by day tells; None where none does.

    It is better than when versions were stored: a month of days may be stored in one go.
    """
    for column, own in now["columns"].items():
        if not own.get("dates"):
            continue
        each = [p["columns"].get(column, {}) for p in (*past, now)]
        if not all(e.get("dates") for e in each):
            continue
        try:
            days = [_seconds(e["high"]) // DAY for e in each]
            spans = [_seconds(e["high"]) - _seconds(e["low"]) for e in each]
        except (TypeError, ValueError, OverflowError):
            continue
        gaps = [b - a for a, b in pairwise(days)]
        if all(1 <= gap <= 7 for gap in gaps) and median(gaps) == 1:
            return Clock([day * DAY + DAY / 2 for day in days], median(spans) <= ALONE * DAY)
    return None


def _seconds(text: str) -> float:
    """Days are those of the dates as they are written, whatever the time zone."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
