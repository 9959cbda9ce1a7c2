"""How many rows a version should have, given how many the earlier ones had.

Several simple predictors (the last count, a median, a robust trend, the same day of the week before) are tried on the history
itself: the one that would have told it best is believed, within what it was wrong by (``SIGMAS`` of its robust error, which is
mixed with a prior error while there are few versions). All is done on logarithms, so that growth is a straight line.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean, median

#: with fewer earlier versions plain rules hold: rows below this share of the least are lost
FEW, PLAIN = 3, 0.87
#: versions that are looked at
WINDOW = 42
#: backtests, at most, and at least for a predictor to be believed over the plain ones
TESTS, ENOUGH = 14, 1
#: a loss is more than so many errors, and never less than this share (as a logarithm)
SIGMAS, FLOOR = 2.7, 0.08
#: error that is supposed before anything is known, and how many backtests it weighs
PRIOR, WEIGHT = 0.05, 2.0
#: differences from a week before, from which growth is told
WEEKS = 1
#: what a growing count may be expected to gain over the most rows seen lately
GAIN = 0.05
#: a first weekend of daily versions may have less than half of the rows of a working day
WEEKEND = 0.4
DAY = 86_400.0

Predictor = Callable[[Sequence[float], Sequence[float], float], "float | None"]


@dataclass(frozen=True)
class Expected:
    """Rows to be expected, and the least that is plausible."""

    rows: int
    least: int


def expected(past: Sequence[int], made: Sequence[float], now: float, weekend: float = WEEKEND) -> Expected:
    """``past`` are row counts, oldest first, ``made`` when (seconds; all 0 where unknown), ``now`` when the new version was;
    a first weekend may have a share of ``weekend`` of the rows."""
    counts, times = [math.log(max(rows, 1)) for rows in past[-WINDOW:]], list(made[-WINDOW:])
    if len(counts) < FEW:
        base = min(counts)
        return _plausible(base, -math.log(min(PLAIN, weekend) if first_weekend(times, now) else PLAIN))
    best, error = _last(counts, times, now) or 0.0, math.inf
    for predictor in (_level, _last, _trend, _week, _weekday):
        found = predictor(counts, times, now)
        wrong = _error(predictor, counts, times)
        if found is not None and wrong is not None and wrong < error * 0.95:
            best, error = found, wrong
    best = min(best, max(counts[-7:]) + GAIN)
    if len(counts) == 7:  # whether there is a rhythm is not seen yet: this day of the week may be as low again
        best = min(best, counts[0])
    margin = max(FLOOR, SIGMAS * (PRIOR if math.isinf(error) else error))
    if first_weekend(times, now):
        margin = max(margin, -math.log(weekend))
    return _plausible(best, margin)


def _plausible(middle: float, margin: float) -> Expected:
    return Expected(round(math.exp(middle)), math.ceil(math.exp(middle - margin) - 1e-9))


def _error(predictor: Predictor, counts: Sequence[float], times: Sequence[float]) -> float | None:
    """What a predictor was wrong by on the history; None where it could not tell often enough.

    Two figures of the misses: the median, and the one that four of five stay below, so that days which are always missed count
    while one accident does not.
    """
    misses: list[float] = []
    for at in range(max(2, len(counts) - TESTS), len(counts)):
        found = predictor(counts[:at], times[:at], times[at])
        if found is not None:
            misses.append(abs(counts[at] - found))
    if len(misses) < ENOUGH:
        return None
    misses.sort()
    place = len(misses) - 1 if len(misses) < 5 else int(0.8 * len(misses)) - (1 if predictor in (_week, _weekday) else 0)
    high = misses[place] / 1.2816
    robust = max(1.4826 * median(misses), high)
    return math.sqrt((WEIGHT * PRIOR**2 + len(misses) * robust**2) / (WEIGHT + len(misses)))


# -- predictors -----------------------------------------------------------------------------------------------


def _last(counts: Sequence[float], times: Sequence[float], now: float) -> float | None:
    return counts[-1]


def _level(counts: Sequence[float], times: Sequence[float], now: float) -> float | None:
    return median(counts[-9:])


def _trend(counts: Sequence[float], times: Sequence[float], now: float) -> float | None:
    """Theil and Sen's line through the last ten."""
    recent = counts[-10:]
    slopes = [(b - a) / (j - i) for i, a in enumerate(recent) for j, b in enumerate(recent) if j > i]
    if not slopes:
        return None
    slope = median(slopes)
    return median(value + slope * (len(recent) - i) for i, value in enumerate(recent))


def _week(counts: Sequence[float], times: Sequence[float], now: float) -> float | None:
    """The seventh version before, and those of the weeks before that."""
    return _same(counts, [len(counts) - 7 * week for week in (1, 2, 3, 4) if len(counts) >= 7 * week])


def _weekday(counts: Sequence[float], times: Sequence[float], now: float) -> float | None:
    """Versions made on the same day of the week, where days tell versions apart."""
    if not now or now - times[0] < 7 * DAY:
        return None
    days = [int(time // DAY) for time in times]
    today = int(now // DAY)
    places = [i for i, day in enumerate(days) if (today - day) % 7 == 0 and day != today]
    return _same(counts, places[::-1][:4])


def _same(counts: Sequence[float], places: Sequence[int]) -> float | None:
    """What the counts at places (the latest first) come to, moved by what the last seven moved from those of a week before."""
    if not places:
        return None
    weeks = [counts[i] - counts[i - 7] for i in range(max(7, len(counts) - 7), len(counts))]
    now = median(weeks) if len(weeks) >= WEEKS else 0.0
    step = median([*(counts[later] - counts[earlier] for later, earlier in pairwise(places)), now])
    moved = [counts[place] + now + step * week for week, place in enumerate(places)]
    return mean(moved) if len(moved) < 3 else median(moved)


def first_weekend(times: Sequence[float], now: float) -> bool:
    """Whether daily versions come to a Saturday or Sunday for the first time."""
    if not now or not times or not all(times):
        return False
    gaps = [b - a for a, b in zip(times, [*times[1:], now], strict=True)]
    if not 0.5 * DAY <= median(gaps) <= 1.5 * DAY:
        return False
    weekdays = [(int(time // DAY) + 3) % 7 for time in times]  # 1970-01-01 was a Thursday: Monday is 0
    today = (int(now // DAY) + 3) % 7
    return today >= 5 and today not in weekdays
