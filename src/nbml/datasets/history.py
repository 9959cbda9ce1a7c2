"""What earlier versions of a name make plausible: rows, nulls, categories, ranges, freshness of dates.

Thresholds know how many versions there are: with one or two plain rules hold; with more, what the figures did so far says what
they may do. They were chosen on generated histories, and judged on others: ``benchmarks/README-silent-loss.md``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby, pairwise
from statistics import median
from typing import Any

from nbml.datasets import history_lines as lines
from nbml.datasets import history_marks as marks
from nbml.datasets.history_rows import WEEKEND, expected, first_weekend
from nbml.datasets.values import Warning

#: how many earlier versions are asked of a column
RECENT = 14
#: what a share of nulls may gain over the most there was: with up to 2, up to 5, and more earlier versions
NULLS = ((2, 0.05), (5, 0.03), (math.inf, 0.02))
#: and so many errors of what it did so far
NULL_SIGMAS = 4.0
#: a category was there when each version had it, and so many rows of it are to be expected now; with few versions at least a share
ROWS_OF, SHARE_OF = 10.0, 0.05
#: a category is as good as gone where its share fell to this of the least
NEAR = 0.15
#: versions from which a range, or dates that go on, are a habit
HABIT = 3
#: a median moved where it did by so many of its errors, and by a factor or a part of the spread of the middle half
MOVED, FACTOR, SPREAD = 6.0, 1.4, 1.0
#: with fewer versions than a habit has, numbers have another unit where they are so many times what they were
UNIT = 8.0
#: versions from which the least and the greatest value are looked at
MANY = 5
#: versions from which the last of the dates alone tells that they go on, whatever their middle does
SURE = 8

#: a first weekend may be as low where ids have no holes
WEEKEND_WHOLE = 0.15

Facts = dict[str, Any]


def compare(facts: Facts, earlier: Sequence[Facts], made: Sequence[float] = (), now: float = 0.0) -> list[Warning]:
    """Warnings of a version whose facts are ``facts``, given those of the earlier versions, oldest first.

    ``made`` says when each of those was made (seconds), ``now`` when this one was; without them nothing is known of weekdays.
    """
    times = [*made] if len(made) == len(earlier) else [0.0] * len(earlier)
    kept = [(past, time) for past, time in zip(earlier, times, strict=True) if past]
    if not kept:
        return []
    past, times = [p for p, _ in kept], [t for _, t in kept]
    told = marks.clock(facts, past)
    if told is not None:
        times, now = told.times[:-1], told.times[-1]
    recent = past[-RECENT:]
    found = _rows(facts, past, times, now, told is None or told.single) or _holes(facts, recent)
    for column, own in facts["columns"].items():
        then = [{**p["columns"][column], "rows": p["rows"]} for p in recent if column in p["columns"]]
        if not then:
            continue
        own = {**own, "rows": facts["rows"]}
        found += _nulls(column, own, then)
        found += _categories(column, own, then)
        if own.get("dates"):
            found += [] if first_weekend(times, now) else _dates(column, own, then)
        elif own["nulls"] < 1:
            found += _range(column, own, then)
    return found


def _warning(code: str, message: str, line: str, **evidence: Any) -> Warning:
    return Warning(code, message, {**evidence, "expectation": line}, f"a line of %%nbml expect that notices it: {line}")


# -- rows -----------------------------------------------------------------------------------------------------


def _rows(facts: Facts, past: list[Facts], made: list[float], time: float, single: bool) -> list[Warning]:
    """``single`` where versions may be of one day each, so that a first weekend may be low: lower still where no id is missing."""
    now, then = facts["rows"], [p["rows"] for p in past]
    weekend = (WEEKEND_WHOLE if marks.whole(facts, past[-RECENT:]) else WEEKEND) if single else 1.0
    told = expected(then, made, time, weekend)
    if now >= told.least:
        return []
    message = f"{now:,} rows where about {told.rows:,} were to be expected, and {told.least:,} at least"
    figures = {"rows": now, "expected": told.rows, "least": told.least, "history": [*then[-RECENT:], now]}
    return [_warning("rows-lost", message, lines.rows(told.least, now), **figures)]


def _holes(facts: Facts, recent: list[Facts]) -> list[Warning]:
    """Fewer rows than ids count, however plausible their number is."""
    hole = marks.holes(facts, recent)
    if hole is None:
        return []
    now, least = facts["rows"], math.ceil(hole.rows * (1 - marks.HOLES))
    message = (
        f"{now:,} rows where {hole.column} counts about {hole.rows:,}: {1 - hole.filled:.0%} of its numbers are left out; "
        f"it was at most {1 - hole.usual:.0%}"
    )
    figures = {"rows": now, "expected": hole.rows, "least": least, "history": [*(p["rows"] for p in recent), now]}
    holes = {"column": hole.column, "filled": hole.filled, "usual": hole.usual}
    return [_warning("rows-lost", message, lines.rows(least, now), **figures, **holes)]


# -- nulls ----------------------------------------------------------------------------------------------------


def _nulls(column: str, own: Facts, then: list[Facts]) -> list[Warning]:
    shares, now = [t["nulls"] for t in then], own["nulls"]
    usual, most = median(shares), max(shares)
    spread = 1.4826 * median(abs(share - usual) for share in shares)
    seen = sum(t["rows"] for t in then)
    plain = (usual * seen + 0.5) / (seen + 1)
    chance = math.sqrt(plain * (1 - plain) / max(own["rows"], 1))
    floor = next(margin for upto, margin in NULLS if len(then) <= upto)
    allowed = most + max(floor, NULL_SIGMAS * spread, NULL_SIGMAS * chance)
    if now <= allowed:
        return []
    message = f"{column} is null in {now:.1%} of the rows; it was at most {most:.1%}"
    figures = {"column": column, "share": now, "most": most, "history": [*shares, now]}
    return [_warning("nulls-up", message, lines.nulls(column, allowed, now), **figures)]


# -- categories -----------------------------------------------------------------------------------------------


def _categories(column: str, own: Facts, then: list[Facts]) -> list[Warning]:
    have = own.get("categories")
    if have is None or not all("categories" in t for t in then):
        return []
    kind = own.get("kind", "str")
    usual: dict[str, float] = {}
    for category in then[-1]["categories"]:
        least = min(t["categories"].get(category, 0.0) * (1 - t["nulls"]) for t in then)
        rows = least * own["rows"]
        if least > 0 and rows >= ROWS_OF and (len(then) >= 5 or least >= SHARE_OF):
            usual[category] = least
    gone = [category for category in usual if category not in have]
    found = []
    if gone:
        each = [[float(t["categories"][category]) for t in then] for category in gone]
        named = " and no ".join(repr(category) for category in gone[:3]) + (f", nor {len(gone) - 3} more" if len(gone) > 3 else "")
        was = "; ".join(_span(shares) for shares in each[:3])
        figures = {"column": column, "category": gone[0], "categories": gone, "shares": each[0]}
        line = lines.categories(column, gone, kind)
        found.append(_warning("category-gone", f"{column} has no {named}; it was {was} of every version", line, **figures))
    for category, least in usual.items():
        share = have.get(category, 0.0) * (1 - own["nulls"])
        if 0 < share < NEAR * least and least * own["rows"] >= 5 * ROWS_OF:
            shares = [t["categories"][category] for t in then]
            message = f"{column} is {category!r} in {share:.2%} of the rows; it was {_span(shares)} of every version"
            line = lines.rare(column, category, kind, math.ceil(least * own["rows"] / 2))
            figures = {"column": column, "category": category, "share": share, "shares": shares}
            found.append(_warning("category-gone", message, line, **figures))
    return found


def _span(shares: list[float]) -> str:
    low, high = f"{min(shares):.0%}", f"{max(shares):.0%}"
    return low if low == high else f"{low} to {high}"


# -- ranges ---------------------------------------------------------------------------------------------------


def _range(column: str, own: Facts, then: list[Facts]) -> list[Warning]:
    """A middle, or a tail, that is elsewhere than what it did so far makes plausible: units that changed, marks for "unknown"."""
    past = [t for t in then if "quantiles" in t and not t.get("dates")]
    if len(past) < len(then) or "quantiles" not in own:
        return []
    if all(t.get("ids") for t in past):  # what values name rows means nothing
        return []
    if len(past) < HABIT:
        return _other_unit(column, own, past)
    if _counts_on([t["quantiles"][3] for t in past], own["quantiles"][3]) and _counts_on([t["high"] for t in past], own["high"]):
        return []
    scale = _Scale([*past, own])
    was, now = [scale.all(_figures(t)) for t in past], scale.all(_figures(own))
    for place, word in PLACES.items():
        limits = _limits([w[place] for w in was], was, own["rows"], place, scale)
        if limits[0] <= now[place] <= limits[1] or (place in ENDS and len(past) < MANY):
            continue
        history = [*(_figures(t)[place] for t in past), _figures(own)[place]]
        if not _by_one(history):
            least, most = min(t["low"] for t in past), max(t["high"] for t in past)
            message = f"{column} goes from {own['low']:g} to {own['high']:g}; it was within {least:g} to {most:g}"
            if least <= own["low"] and own["high"] <= most:
                message += f", but its {word.replace(' ', ' of ')} went from {median(history[:-1]):g} to {history[-1]:g}"
            line = lines.between(column, word, scale.back(limits[0]), scale.back(limits[1]))
            figures = {"column": column, "low": own["low"], "high": own["high"], "least": least, "most": most, "of": word}
            return [_warning("range-shift", message, line, **figures, history=history)]
    return []


def _other_unit(column: str, own: Facts, past: list[Facts]) -> list[Warning]:
    """With one or two versions before: all three quarters are many times what they were, or a small part of it."""
    was, now = [t["quantiles"][2:5] for t in past], own["quantiles"][2:5]
    if min(min(now), *(min(w) for w in was)) <= 0:
        return []
    ratios = [n / w for each in was for n, w in zip(now, each, strict=True)]
    if not (min(ratios) >= UNIT or max(ratios) <= 1 / UNIT):
        return []
    middles = [w[1] for w in was]
    message = f"{column} has a median of {now[1]:g}; it was {min(middles):g}" + (f" to {max(middles):g}" if len(was) > 1 else "")
    line = lines.between(column, "median", min(middles) / math.sqrt(UNIT), max(middles) * math.sqrt(UNIT))
    figures = {"column": column, "low": own["low"], "high": own["high"], "of": "median", "history": [*middles, now[1]]}
    least, most = min(t["low"] for t in past), max(t["high"] for t in past)
    return [_warning("range-shift", message, line, **figures, least=least, most=most)]


def _by_one(history: list[float]) -> bool:
    """Whether whole numbers went on by no more than one: of small counts a quantile does that by chance."""
    return all(value == round(value) for value in history) and min(abs(history[-1] - value) for value in history[:-1]) <= 1


#: places in ``_figures``, and what the language calls them: the middle first, then the tails, then the ends
PLACES = {
    4: "median", 5: "quantile 0.75", 3: "quantile 0.25", 7: "quantile 0.99", 1: "quantile 0.01", 8: "max", 0: "min",
}  # fmt: skip
MIDDLE, ENDS = (3, 4, 5), (0, 8)


def _figures(facts: Facts) -> list[float]:
    return [facts["low"], *facts["quantiles"], facts["high"]]


def _counts_on(past: list[float], now: float) -> bool:
    """Whether figures only ever grew, and do now: ids, counters, clocks; a unit that changed is more than that."""
    steps = [b - a for a, b in pairwise(past)]
    return all(step > 0 for step in steps) and now > past[-1] and now - past[-1] <= 100 * max(steps)


class _Scale:
    """Logarithms where all values are above 0; else the inverse hyperbolic sine, which is nearly that."""

    def __init__(self, facts: list[Facts]) -> None:
        self.logs = all(t["low"] > 0 for t in facts)
        widths = [t["quantiles"][4] - t["quantiles"][2] for t in facts[:-1]]
        self.unit = median(widths) / 1.349 or max(abs(q) for t in facts for q in t["quantiles"]) or 1.0

    def all(self, values: list[float]) -> list[float]:
        return [math.log(v) if self.logs else math.asinh(v / self.unit) for v in values]

    def back(self, value: float) -> float:
        capped = max(-700.0, min(700.0, value))
        return math.exp(capped) if self.logs else math.sinh(capped) * self.unit


def _limits(line: list[float], was: list[list[float]], rows: int, place: int, scale: _Scale) -> tuple[float, float]:
    """Between what values a quantile may lie, given where it and its neighbours lay."""
    spread = median(w[5] - w[3] for w in was) / 1.349
    tail = median(abs(w[7] - w[6]) + abs(w[2] - w[1]) for w in was) / 2
    chance = (1.2533 * spread if place in MIDDLE else 2.5 * max(spread, tail)) / math.sqrt(max(rows, 1))
    steps = [abs(b - a) for a, b in pairwise(line)]
    error = math.hypot(chance, 1.4826 * median(steps) / math.sqrt(2))
    least = math.log(FACTOR) if scale.logs else SPREAD * spread
    if place not in MIDDLE:  # a tail is left where it goes further than the whole range is wide
        least = max(median(w[7] - w[1] for w in was), math.log(FACTOR) if scale.logs else 0.0)
    margin = max(least, MOVED * error, max(steps))
    drift = median(b - a for a, b in pairwise(line))
    return min(line) - margin + min(drift, 0.0), max(line) + margin + max(drift, 0.0)


# -- dates ----------------------------------------------------------------------------------------------------


def _dates(column: str, own: Facts, then: list[Facts]) -> list[Warning]:
    """The newest date stands still, or goes back, for longer than it ever did, where it went on with most versions."""
    past = [t for t in then if t.get("dates")]
    if len(past) < HABIT or len(past) < len(then):
        return []
    try:
        ends = [datetime.fromisoformat(t["high"]) for t in (*past, own)]
        goes_on = _records(ends)
        middle = _records([datetime.fromisoformat(t["middle"]) for t in past if "middle" in t])
    except (TypeError, ValueError):  # with and without a time zone, or beyond the calendar
        return []
    before = goes_on[:-1]
    sure = len(past) >= SURE or (all(middle) and len(middle) == len(before))
    if goes_on[-1] or not sure or not all(before[: HABIT - 1]) or sum(before) < 0.6 * len(before):
        return []
    still = next(len(list(run)) for on, run in groupby(reversed(goes_on)) if not on)
    longest = max((len(list(run)) for on, run in groupby(goes_on[: len(goes_on) - still]) if not on), default=0)
    if still <= longest:
        return []
    newest = past[max(range(len(past)), key=ends.__getitem__)]["high"]
    with_each = "each" if longest == 0 else "most"
    message = f"{column} ends at {own['high']}; it went on with {with_each} of the {len(past)} versions before"
    figures = {"column": column, "newest": own["high"], "history": [t["high"] for t in past]}
    return [_warning("stale-dates", message, lines.newer(column, newest), **figures)]


def _records(ends: list[datetime]) -> list[bool]:
    """Of each but the first, whether it is later than all before: dates of which only the newest means nothing seldom are."""
    return [end > max(ends[:at]) for at, end in enumerate(ends) if at]
