"""What earlier versions of a name make plausible.

Plain rules for now: a version is held against the last versions' least and greatest figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from nbml.datasets.values import Warning

#: how many earlier versions are asked
RECENT = 10
ROWS = 0.85
NULLS = 0.05
CATEGORY = 0.05
#: versions from which a range, or dates that go on, are a habit
HABIT = 3


def compare(facts: dict[str, Any], earlier: Sequence[dict[str, Any]], name: str) -> list[Warning]:
    """Warnings of a version whose facts are ``facts``, given those of the earlier versions, oldest first."""
    past = [e for e in earlier[-RECENT:] if e]
    if not past:
        return []
    found = _rows(facts["rows"], [p["rows"] for p in past], f"{name}@{len(earlier)}")
    for column, now in facts["columns"].items():
        then = [p["columns"][column] for p in past if column in p["columns"]]
        if then:
            found += _nulls(column, now, then) + _categories(column, now, then)
            found += _dates(column, now, then) if now.get("dates") else _range(column, now, then)
    return found


def _rows(now: int, then: list[int], before: str) -> list[Warning]:
    least = min(then)
    if now >= least * ROWS:
        return []
    span = f"{least:,} to {max(then):,}" if least != max(then) else f"{least:,}"
    message = f"{now:,} rows where {span} were to be expected"
    advice = f'nbml.dataset("{before}").load() is the version before'
    return [Warning("rows-lost", message, {"rows": now, "least": least, "most": max(then), "history": [*then, now]}, advice)]


def _nulls(column: str, now: dict[str, Any], then: list[dict[str, Any]]) -> list[Warning]:
    most = max(t["nulls"] for t in then)
    if now["nulls"] <= most + NULLS:
        return []
    message = f"{column} is null in {now['nulls']:.1%} of the rows; it was at most {most:.1%}"
    evidence = {"column": column, "share": now["nulls"], "most": most}
    return [Warning("nulls-up", message, evidence, f"look at the rows where {column} is null")]


def _categories(column: str, now: dict[str, Any], then: list[dict[str, Any]]) -> list[Warning]:
    have = now.get("categories")
    if have is None or not all("categories" in t for t in then):
        return []
    found = []
    for category in then[-1]["categories"]:
        shares = [t["categories"].get(category, 0.0) for t in then]
        if category not in have and min(shares) >= CATEGORY:
            span = f"{min(shares):.0%} to {max(shares):.0%}" if len(set(shares)) > 1 else f"{shares[0]:.0%}"
            message = f"{column} has no {category!r}; it was {span} of every version"
            evidence = {"column": column, "category": category, "shares": shares}
            found.append(Warning("category-gone", message, evidence, f"ask whoever delivers {column}"))
    return found


def _range(column: str, now: dict[str, Any], then: list[dict[str, Any]]) -> list[Warning]:
    """Values further outside all earlier ones than those are apart: units that changed, not keys that count on."""
    past = [t for t in then if "low" in t and not t.get("dates")]
    if "low" not in now or len(past) < HABIT:
        return []
    least, most = min(t["low"] for t in past), max(t["high"] for t in past)
    width = most - least
    if width == 0 or (now["low"] >= least - width and now["high"] <= most + width):
        return []
    message = f"{column} goes from {now['low']:g} to {now['high']:g}; it was within {least:g} to {most:g}"
    evidence = {"column": column, "low": now["low"], "high": now["high"], "least": least, "most": most}
    return [Warning("range-shift", message, evidence, f"ask whether the unit of {column} has changed")]


def _dates(column: str, now: dict[str, Any], then: list[dict[str, Any]]) -> list[Warning]:
    """The newest date stands still where it went on with every version before."""
    past = [t["high"] for t in then if t.get("dates")]
    if len(past) < HABIT:
        return []
    try:
        ends = [datetime.fromisoformat(end) for end in (*past, now["high"])]
        goes_on = [before < after for before, after in pairwise(ends)]
    except (TypeError, ValueError):  # with and without a time zone, or beyond the calendar
        return []
    if goes_on[-1] or not all(goes_on[:-1]):
        return []
    message = f"{column} ends at {now['high']}; it went on with each of the {len(past)} versions before"
    evidence = {"column": column, "newest": now["high"], "history": past}
    return [Warning("stale-dates", message, evidence, f"ask whether the delivery of {column} has stopped")]
