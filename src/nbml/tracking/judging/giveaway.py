"""Features that give the target away: what one column alone tells of it (Kaufman et al. 2012 on leakage).

A column's skill is that of its neighbours: each row is answered by the rows whose values are next to its own, itself left out. It is
0 for a dummy and 1 where nothing is left to tell.
"""

from __future__ import annotations

import numpy as np

from nbml.tracking.judging import thresholds as at
from nbml.tracking.judging.material import Array, Case, Column, Material, Target
from nbml.tracking.values import Finding

#: rows on each side of a row that answer for it; levels up to which a number is one
SIDE, LEVELS = 4, 30
ADVICE = "leave the column out, or show that it is known before the target is"


def target_leak(case: Case, material: Material, target: Target, seed: int = 0) -> Finding | None:
    """The column that tells the target, where no honest one comes near it."""
    y = target.train[material.train_rows]
    rng = np.random.default_rng(seed)
    some = np.sort(rng.permutation(len(y))[: at.ASKED])
    y = y[some]
    if len(y) < 20 or (y == y[0]).all():
        return None
    columns = _promising(material.columns, some, y)
    told = {place: skill(columns[place], some, y, target, rng) for place in range(len(columns))}
    ranked = sorted(told, key=lambda place: -told[place])
    if not ranked or _is_persistence(told[ranked[0]], y, target):
        return None
    found = _leaking(ranked, told, columns, some, y, target)
    if not found:
        return None
    names = [columns[place].name for place in found]
    best = told[found[0]]
    rest = [told[place] for place in ranked if place not in found]
    what = "R²" if target.task == "regression" else "skill"
    said = f"{', '.join(map(repr, names[:3]))} alone {'give' if len(names) > 1 else 'gives'} the target away: {what} {best:.3f}"
    message = said + (f", the next column {rest[0]:.2f}" if rest else "")
    return Finding("target-leak", message, {"columns": names, "skill": best, "next": rest[0] if rest else None, "rows": len(y)}, ADVICE)


def _promising(columns: tuple[Column, ...], some: Array, y: Array) -> list[Column]:
    """All columns; of very many those that go with the target in some way."""
    usable = [column for column in columns if column.kind != "text"]
    if len(usable) <= at.COLUMNS:
        return usable
    level = y - y.mean()
    strength = []
    for column in usable:
        values = np.nan_to_num(column.train[some])
        ranks = np.argsort(np.argsort(values)).astype(float)
        strength.append(max(abs(_correlation(ranks, level)), abs(_correlation(np.abs(ranks - ranks.mean()), level))))
    keep = sorted(np.argsort(-np.array(strength), kind="stable")[: at.COLUMNS])
    return [usable[k] for k in keep]


def _correlation(a: Array, b: Array) -> float:
    spread = a.std() * b.std()
    return float(((a - a.mean()) * (b - b.mean())).mean() / spread) if spread > 1e-12 else 0.0


def skill(column: Column, some: Array, y: Array, target: Target, rng: np.random.Generator) -> float:
    """What a column alone tells of the target."""
    values = column.train[some]
    goals = np.eye(len(target.classes))[y] if target.task == "classification" else y[:, None]
    real = values[~np.isnan(values)]
    few = column.kind == "word" or len(np.unique(real)) <= LEVELS
    said = _by_levels(values, goals) if few else _by_neighbours(values, goals, rng)
    return worth(said, y, target)


def worth(said: Array, y: Array, target: Target) -> float:
    """Skill of what was said of each row: (rows, classes) or (rows, 1)."""
    if target.task == "regression":
        return float(1 - ((said[:, 0] - y) ** 2).mean() / max(1e-300, y.var()))
    share = np.bincount(y, minlength=said.shape[1]) / len(y)
    got = np.where(share > 0, said / np.where(share > 0, share, 1.0), -1.0).argmax(axis=1)
    recall = [float((got[y == code] == code).mean()) for code in np.flatnonzero(share)]
    return (float(np.mean(recall)) - 1 / len(recall)) / (1 - 1 / len(recall)) if len(recall) > 1 else 0.0


def _by_levels(values: Array, goals: Array) -> Array:
    """The mean of the other rows of the same level; missing is a level."""
    codes = np.unique(np.where(np.isnan(values), np.inf, values), return_inverse=True)[1]
    count = np.bincount(codes).astype(float)
    total = np.column_stack([np.bincount(codes, weights=goals[:, k]) for k in range(goals.shape[1])])
    others = (count[codes] - 1)[:, None]
    prior = goals.mean(axis=0)
    found: Array = (total[codes] - goals + prior * 0.5) / (others + 0.5)
    return found


def _by_neighbours(values: Array, goals: Array, rng: np.random.Generator) -> Array:
    """The mean of the rows next in value, itself left out; equal values in any order. Missing rows answer for each other."""
    said = np.empty_like(goals, dtype=float)
    gone = np.isnan(values)
    if gone.any():
        said[gone] = _by_levels(values[gone], goals[gone]) if gone.sum() > 1 else goals.mean(axis=0)
    places = np.flatnonzero(~gone)
    order = places[np.lexsort((rng.random(len(places)), values[places]))]
    sums = np.vstack([np.zeros(goals.shape[1]), np.cumsum(goals[order], axis=0)])
    at_ = np.arange(len(order))
    low, high = np.maximum(0, at_ - SIDE), np.minimum(len(order), at_ + SIDE + 1)
    said[order] = (sums[high] - sums[low] - goals[order]) / np.maximum(1, high - low - 1)[:, None]
    return said


def _is_persistence(best: float, y: Array, target: Target) -> bool:
    """Whether the row before tells as much: then a column that does is its lag, and no leak."""
    changes = int((y[1:] != y[:-1]).sum())
    if target.task == "classification" and changes < 3 * len(target.classes):
        return False  # rows sorted by the target
    if target.task == "regression" and min((np.diff(y) < 0).mean(), (np.diff(y) > 0).mean()) < 0.02:
        return False
    goals = np.eye(len(target.classes))[y] if target.task == "classification" else y[:, None]
    before = worth(np.vstack([goals[:1], goals[:-1]]), y, target)
    return before > 0.5 and (1 - best) >= 0.5 * (1 - before)


def _leaking(ranked: list[int], told: dict[int, float], columns: list[Column], some: Array, y: Array, target: Target) -> list[int]:
    """The columns that stand out, best first."""
    best = ranked[0]
    if len(ranked) == 1:
        return [best] if _is_target(columns[best].train[some], y, told[best]) else []
    top = [place for place in ranked if told[place] >= at.SKILL]
    rest = [place for place in ranked if place not in top and not _twins(columns[best], columns[place], some)]
    after = told[rest[0]] if rest else 0.0
    if top and len(top) <= max(2, 0.25 * len(ranked)) and told[best] - after >= at.SKILL_LEAD:
        return top
    if top and len(top) <= 2 and told[best] > 1 - 1e-9 and len(ranked) > 2 and after < at.SKILL:
        return top
    others = [place for place in ranked[1:] if not _twins(columns[best], columns[place], some)]
    after = told[others[0]] if others else 0.0
    if told[best] >= at.SKILL_LOWER and others and told[best] - after >= at.LOWER_LEAD:
        return [place for place in ranked if place not in others]
    return []


def _twins(a: Column, b: Column, some: Array) -> bool:
    one, other = a.train[some], b.train[some]
    both = ~np.isnan(one) & ~np.isnan(other)
    if both.sum() < 10:
        return False
    ranks = [np.argsort(np.argsort(values[both])).astype(float) for values in (one, other)]
    return max(abs(_correlation(one[both], other[both])), abs(_correlation(*ranks))) >= at.TWIN


def _is_target(values: Array, y: Array, told: float) -> bool:
    """Whether the only column is the target itself, or a scale of it."""
    return told >= at.SKILL and not np.isnan(values).any() and abs(_correlation(values, y.astype(float))) > 1 - 1e-9
