"""What earlier versions of a name make plausible.

Plain rules for now: a version is held against the last versions' least and greatest figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nbml.datasets.values import Warning

#: how many earlier versions are asked
RECENT = 10
ROWS = 0.85
NULLS = 0.05
CATEGORY = 0.05


def compare(facts: dict[str, Any], earlier: Sequence[dict[str, Any]], name: str) -> list[Warning]:
    """Warnings of a version whose facts are ``facts``, given those of the earlier versions, oldest first."""
    past = [e for e in earlier[-RECENT:] if e]
    if not past:
        return []
    found = _rows(facts["rows"], [p["rows"] for p in past], name)
    for column, now in facts["columns"].items():
        then = [p["columns"][column] for p in past if column in p["columns"]]
        if then:
            found += _nulls(column, now, then) + _categories(column, now, then)
    return found


def _rows(now: int, then: list[int], name: str) -> list[Warning]:
    least = min(then)
    if now >= least * ROWS:
        return []
    span = f"{least:,} to {max(then):,}" if least != max(then) else f"{least:,}"
    message = f"{now:,} rows where {span} were to be expected"
    advice = f"%nbml diff {name} shows what is gone"
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
