"""Histories of a dataset, made from a seed, and faults of a given strength: what silent loss is measured on.

A history is a list of frames with the time at which each was made. The kind says how its row counts go; the columns are the
same in all: ids that grow, dates that go on, categories of which rare ones come and go, nulls that wander a little, measures with
light and heavy tails, and birthdays, whose newest date means nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

DAY = 86_400.0
#: rows go: about the same, growing, by the week, wandering as a random walk does, the whole table each time
KINDS = ("stable", "growing", "weekly", "weekly growing", "business days", "wandering", "accumulating")
START = 1_704_067_200.0  # 2024-01-01, a Monday


@dataclass(frozen=True)
class Nature:
    """What a seed decides of a history."""

    kind: str
    rows: float
    #: of a version's row count, as a share
    noise: float
    growth: float
    #: rows of Saturday and Sunday, of those of a working day
    weekend: tuple[float, float]
    start: int
    #: whether the versions are stored day by day, or all at once later
    daily: bool
    tail: float
    nulls: float
    wander: float
    plans: tuple[float, ...]


def nature(kind: str, seed: int) -> Nature:
    """A kind of history with the figures of a seed."""
    draw = np.random.default_rng([seed, KINDS.index(kind)])
    big, small = draw.uniform(0.3, 0.6), draw.uniform(0.04, 0.3)
    return Nature(
        kind=kind, rows=float(np.exp(draw.uniform(np.log(300), np.log(3000)))), noise=float(draw.uniform(0.0, 0.05)),
        growth=float(draw.uniform(0.002, 0.03)), weekend=(float(draw.uniform(0.3, 0.9)), float(draw.uniform(0.2, 0.8))),
        start=int(draw.integers(0, 7)), daily=bool(draw.random() < 0.7), tail=float(draw.uniform(0.5, 2.5)),
        nulls=float(draw.choice([0.0, 0.01, 0.05, 0.2])), wander=float(draw.uniform(0.0, 0.01)),
        plans=(big, 1 - big - small - 0.004, small, 0.003, 0.001),
    )  # fmt: skip


def history(kind: str, seed: int, length: int) -> list[tuple[pd.DataFrame, float]]:
    """So many versions, oldest first, each with the time at which it was made (0 where that says nothing)."""
    own = nature(kind, seed)
    draw = np.random.default_rng([seed, KINDS.index(kind), 1])
    level, day, made, before = np.log(own.rows), own.start, [], 0
    for at in range(length):
        while kind == "business days" and day % 7 >= 5:
            day += 1
        if kind == "wandering":
            level += draw.normal(0, own.noise)
        rows = _rows(own, level, at, day, draw)
        made.append((_frame(own, rows, before, day, draw), START + DAY * day + 3600 * 4 if own.daily else 0.0))
        before += 0 if kind == "accumulating" else rows
        day += 1
    return made


def _rows(own: Nature, level: float, at: int, day: int, draw: np.random.Generator) -> int:
    if own.kind == "accumulating":
        return int(own.rows * (1 + own.growth * at * float(np.exp(draw.normal(0, 0.02)))))
    noise = 0.0 if own.kind == "wandering" else draw.normal(0, own.noise)
    if own.kind.endswith("growing"):
        level += own.growth * at
    factor = own.weekend[day % 7 - 5] if own.kind.startswith("weekly") and day % 7 >= 5 else 1.0
    return max(int(factor * np.exp(level + noise)), 5)


def _frame(own: Nature, rows: int, before: int, day: int, draw: np.random.Generator) -> pd.DataFrame:
    today = np.datetime64("2024-01-01") + np.timedelta64(day, "D")
    whole = own.kind == "accumulating"
    span = day + 60 if whole else 1
    ordered = np.sort(draw.integers(0, span * 86_400, rows)) - (span - 1) * 86_400
    ordered[-1:] = 86_000 + draw.integers(0, 400)
    plans = np.array(own.plans) * np.exp(draw.normal(0, 0.05, len(own.plans)))
    shares = max(own.nulls + draw.normal(0, own.wander), 0.0) if own.nulls else 0.0
    income: Any = np.exp(draw.normal(3, own.tail, rows))
    income[draw.random(rows) < shares] = np.nan
    balance = draw.standard_t(2.5, rows) * 100 + draw.normal(0, 1)
    balance[draw.random(rows) < 0.02 + abs(draw.normal(0, 0.003))] = np.nan
    birthday = np.datetime64("1950-01-01") + draw.integers(0, 20_000, rows).astype("timedelta64[D]")
    return pd.DataFrame(
        {
            "id": before + np.arange(1, rows + 1) if not whole else np.arange(1, rows + 1),
            "customer": draw.integers(1, 5000 + 20 * day, rows),
            "plan": draw.choice(["basic", "pro", "team", "trial", "legacy"], rows, p=plans / plans.sum()),
            "active": draw.random(rows) < 0.7,
            "age": np.clip(draw.normal(45, 15, rows), 18, 95).round(),
            "income": income,
            "balance": balance,
            "visits": draw.poisson(3, rows),
            "ordered": (today + ordered.astype("timedelta64[s]")).astype("datetime64[us]"),
            "birthday": birthday.astype("datetime64[s]"),
        }
    )


# -- faults ---------------------------------------------------------------------------------------------------

#: fault -> the code that has to tell it, and its strengths
FAULTS: dict[str, tuple[str, tuple[float, ...]]] = {
    "rows": ("rows-lost", (0.1, 0.2, 0.3, 0.4)),
    "nulls": ("nulls-up", (0.02, 0.05, 0.1, 0.3)),
    "category": ("category-gone", (0.5, 0.95, 1.0)),
    "unit": ("range-shift", (1.6, 2.2, 10.0, 0.001)),
    "sentinel": ("range-shift", (0.005, 0.02, 0.05)),
    "stale": ("stale-dates", (1.0, 3.0)),
}


def spoil(frame: pd.DataFrame, fault: str, strength: float, seed: int, before: pd.DataFrame) -> pd.DataFrame:
    """The version with a fault in it.

    rows: so large a share is gone. nulls: of ``age``, so large a share is null. category: of ``plan`` "team", so large a share of
    its rows is gone. unit: ``income`` times so much. sentinel: so large a share of ``age`` is 9999. stale: the newest date of
    ``ordered`` is that of the version before, and so many days less one older.
    """
    draw = np.random.default_rng([seed, 99])
    if fault == "rows":
        return frame[draw.random(len(frame)) >= strength].reset_index(drop=True)
    if fault == "nulls":
        return frame.assign(age=frame["age"].mask(draw.random(len(frame)) < strength))
    if fault == "category":
        return frame[~((frame["plan"] == "team") & (draw.random(len(frame)) < strength))].reset_index(drop=True)
    if fault == "unit":
        return frame.assign(income=frame["income"] * strength)
    if fault == "sentinel":
        return frame.assign(age=frame["age"].mask(draw.random(len(frame)) < strength, 9999.0))
    newest = before["ordered"].max() - pd.Timedelta(days=strength - 1)
    moved = frame["ordered"] - (frame["ordered"].max() - newest)
    return frame.assign(ordered=moved)
