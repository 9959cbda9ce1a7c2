"""Answers that come from neighbours in time or from the same group: rows that belong together, on both sides of a split."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from nbml.tracking.judging import rivals
from nbml.tracking.judging import thresholds as at
from nbml.tracking.judging.material import Array, Case, Material, Order, Target, encode, sample
from nbml.tracking.values import Finding

#: words in names of columns that say whose rows they are, and when they were
WHOSE = frozenset({
    "id", "ids", "uid", "uuid", "guid", "key", "group", "groups", "grp", "patient", "subject", "user", "customer", "client", "person",
    "participant", "household", "session", "device", "machine", "speaker", "author", "writer", "family", "animal", "account", "member",
    "student", "driver", "vehicle", "player", "employee", "donor", "well", "borehole", "pid", "sid", "cid", "unit", "engine",
})  # fmt: skip
WHEN = frozenset({
    "t", "time", "timestamp", "date", "day", "week", "month", "step", "hour", "minute", "seq", "sequence", "order", "period", "year",
    "epoch", "ts", "datetime", "tick",
})  # fmt: skip
#: fewest groups, and rows of a group on the average
GROUPS, EACH = 8, 1.5


def order_leak(case: Case, material: Material, target: Target, seed: int = 0) -> Finding | None:
    """Rows of one time or one group on both sides, whose target is alike."""
    if not len(material.test_rows):
        return None
    found = future(case, material, target)
    if found is None:
        found = next(filter(None, (neighbours(case, order, material, target, seed) for order in orders(case, material))), None)
    if found is None:
        found = next(filter(None, (shared(case, order, material, target, seed) for order in groups(case, material, target))), None)
    return found


def orders(case: Case, material: Material) -> Iterator[Order]:
    """What the rows can be put in order by: times first, then what counts them."""
    for column in material.columns:
        if column.kind == "time":
            yield Order(column.name, "time", column.train, column.test)
    yield from (_taken(order, material) for order in case.orders if order.kind == "time")
    for column in material.columns:
        if column.kind == "number" and _counts(column.both, column.name):
            yield Order(column.name, "time" if _words(column.name) & WHEN else "order", column.train, column.test)
    yield from (_taken(order, material) for order in case.orders if order.kind == "order")


def _taken(order: Order, material: Material) -> Order:
    return Order(order.name, order.kind, order.train[material.train_rows], order.test[material.test_rows])


def _words(name: str) -> set[str]:
    return set(re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()))


def _counts(values: Array, name: str) -> bool:
    """Whether a column counts the rows: whole numbers, all different and nearly without holes; or a time by its name."""
    real = values[~np.isnan(values)]
    if len(real) < 0.95 * len(values) or len(real) < 30:
        return False
    different = len(np.unique(real))
    whole = bool(np.all(real == np.round(real)))
    dense = whole and different > 0.98 * len(real) and real.max() - real.min() < 1.6 * len(real)
    return dense or (bool(_words(name) & WHEN) and different > 0.3 * len(real))


def neighbours(case: Case, order: Order, material: Material, target: Target, seed: int = 0) -> Finding | None:
    """Whether the train rows just before and after a test row give its target away."""
    y, other = target.train[material.train_rows], target.test[material.test_rows]
    ok, well = ~np.isnan(order.train), ~np.isnan(order.test)
    train, test, y, other = order.train[ok], order.test[well], y[ok], other[well]
    if len(train) < 30 or len(test) < 10 or not _interleaved(train, test):
        return None
    by = np.argsort(train, kind="stable")
    place = np.searchsorted(train[by], test)
    pair = by[np.clip(np.column_stack([place - 1, place]), 0, len(by) - 1)]
    alike, z = _alike(y, other, pair, target.task, seed)
    least = at.NEIGHBOURS_TIME
    if order.kind == "order":
        if _sorted_by(np.concatenate([train, test]), np.concatenate([y, other]), target):
            return None
        least = at.NEIGHBOURS_ORDER
        if alike < at.NEIGHBOURS_RAW or _sorted_rows(material, np.concatenate([train, test]), (ok, well)):
            y, other, task = _within(material, (ok, well), y, other, target)
            alike, z = _alike(y, other, pair, task, seed)
    if alike < least or z < at.NEIGHBOURS_Z:
        return None
    said = repr(order.name) if order.name else "their order"
    message = f"test rows lie between train rows by {said}, and the neighbours tell the target: likeness {alike:.2f} (0 without order)"
    evidence = {"column": order.name, "kind": order.kind, "likeness": alike, "z": z, "rows": len(test)}
    return Finding(
        "order-leak",
        message,
        evidence,
        "split by time: train on what was before, test on what came after (TimeSeriesSplit, or a cut at a date)",
    )


def _interleaved(train: Array, test: Array) -> bool:
    """Whether the sides take turns along the order about as often as at random."""
    values = np.concatenate([train, test])
    side = np.concatenate([np.zeros(len(train)), np.ones(len(test))])
    turns = int((np.diff(side[np.lexsort((np.random.default_rng(0).random(len(values)), values))]) != 0).sum())
    within = float(((test > train.min()) & (test < train.max())).mean())
    return within > 0.5 and turns > at.INTERLEAVED * 2 * len(train) * len(test) / len(values)


def _sorted_by(order: Array, y: Array, target: Target) -> bool:
    """Whether the rows are sorted by the target: then their order is no time."""
    along = y[np.argsort(order, kind="stable")]
    if target.task == "classification":
        return int((np.diff(along) != 0).sum()) < 3 * len(target.classes)
    steps = np.diff(along)
    return bool(min((steps < 0).mean(), (steps > 0).mean()) < 0.02)


def _sorted_rows(material: Material, order: Array, sides: tuple[Array, Array]) -> bool:
    """Whether the rows are sorted by a feature, or stand in blocks of its levels."""
    place = np.argsort(order, kind="stable")
    for column in material.columns:
        along = np.concatenate([column.train[sides[0]], column.test[sides[1]]])[place]
        steps = np.diff(along[~np.isnan(along)])
        levels = len(np.unique(along))
        if len(steps) and levels > 1 and (min((steps < 0).mean(), (steps > 0).mean()) < 0.02 or (steps != 0).sum() < 3 * levels):
            return True
    return False


def _within(material: Material, sides: tuple[Array, Array], y: Array, other: Array, target: Target) -> tuple[Array, Array, str]:
    """The target less what a linear model reads from the features: rows that are only sorted by a feature are in no order of time."""
    train, test = (part[side] for part, side in zip(rivals.features(material), sides, strict=True))
    whole = [side.astype(float) for side in (y, other)]
    if target.task == "classification":
        whole = [(side == np.bincount(y[y >= 0]).argmax()).astype(float) for side in (y, other)]
    if not train.shape[1]:
        return whole[0], whole[1], "regression"
    some = sample(len(train), at.FITTED, np.random.default_rng(0))
    said = rivals.ridge(train[some], whole[0][some, None], np.vstack([train, test]))[:, 0]
    return whole[0] - said[: len(y)], whole[1] - said[len(y) :], "regression"


def _alike(y: Array, other: Array, pair: Array, task: str, seed: int) -> tuple[float, float]:
    """How much the rows of ``pair`` (places in y) tell of ``other``: 0 nothing, 1 all; and its z among shuffled ones."""
    rng = np.random.default_rng(seed)
    shuffled = [rng.permutation(len(other)) for _ in range(100)]
    if task == "regression":
        said = y[pair].mean(axis=1)
        real = np.corrcoef(said, other)[0, 1] if said.std() > 1e-12 and other.std() > 1e-12 else 0.0
        found = max(0.0, float(real))
        return found**2, found * float(np.sqrt(len(other)))
    agree = float((y[pair] == other[:, None]).mean())
    chance = np.array([float((y[pair] == other[order][:, None]).mean()) for order in shuffled])
    usual, spread = float(chance.mean()), float(chance.std())
    return (agree - usual) / max(1e-9, 1 - usual), (agree - usual) / max(1e-9, spread)


# -- groups


def groups(case: Case, material: Material, target: Target) -> Iterator[Order]:
    """What says whose rows they are: by name, as a variable of that length, or by structure."""
    yield from (_taken(order, material) for order in case.groups)
    for column in material.columns:
        if column.kind in ("number", "word", "text") and (_words(column.name) & WHOSE or _is_structure(column, material, target)):
            yield Order(column.name, "group", column.train, column.test)


def _is_structure(column: object, material: Material, target: Target) -> bool:
    """Whether a column's levels share the target and half of the other features: measurements that were taken again."""
    values, y = column.train, target.train[material.train_rows]  # type: ignore[attr-defined]
    real = ~np.isnan(values)
    if real.sum() < 50 or not np.all(values[real] == np.round(values[real])):
        return False
    codes = np.unique(values[real], return_inverse=True)[1]
    many = int(codes.max()) + 1
    if not 20 <= many <= len(codes) / 2:
        return False
    if _likeness(codes, y[real].astype(float)) < 0.9:
        return False
    others = [c.train[real] for c in material.columns if c is not column and c.kind == "number" and len(np.unique(c.train)) > 10]
    alike = [_likeness(codes, np.nan_to_num(values)) > 0.5 for values in others]
    return len(alike) >= 2 and float(np.mean(alike)) >= 0.5


def _likeness(codes: Array, values: Array) -> float:
    """The share of the variance that lies between groups, less what chance gives (ω²)."""
    count = np.bincount(codes).astype(float)
    means = np.bincount(codes, weights=values) / count
    total = ((values - values.mean()) ** 2).sum()
    inside = ((values - means[codes]) ** 2).sum()
    free = len(values) - len(count)
    if total <= 1e-12 or free <= 0:
        return 0.0
    return float(1 - (inside / free) / (total / (len(values) - 1)))


def shared(case: Case, group: Order, material: Material, target: Target, seed: int = 0) -> Finding | None:
    """Whether rows of one group are on both sides, and the group tells their target."""
    y, other = target.train[material.train_rows], target.test[material.test_rows]
    ok, well = ~np.isnan(group.train), ~np.isnan(group.test)
    train, test, y, other = group.train[ok], group.test[well], y[ok], other[well]
    if len(train) < 20 or len(test) < 10:
        return None
    levels = np.unique(np.concatenate([train, test]))
    if len(levels) < GROUPS or (len(train) + len(test)) / len(levels) < EACH:
        return None
    both = np.isin(test, train)
    if both.mean() < at.GROUPED:
        return None
    rng = np.random.default_rng(seed)
    by = np.lexsort((rng.random(len(train)), train))
    first = np.searchsorted(train[by], test[both], side="left")
    last = np.searchsorted(train[by], test[both], side="right") - 1
    pair = by[np.column_stack([first, last])]
    alike, z = _alike(y, other[both], pair, target.task, seed)
    if alike < at.ALIKE or z < at.ALIKE_Z:
        return None
    message = (
        f"{both.mean():.0%} of the test rows are of a group of {group.name!r} that train has too,"
        f" and rows of a group are alike in the target: likeness {alike:.2f}"
    )
    evidence = {"column": group.name, "kind": "group", "share": float(both.mean()), "groups": len(levels), "likeness": alike, "z": z}
    return Finding(
        "order-leak", message, evidence, "keep the rows of a group on one side: GroupShuffleSplit, GroupKFold, StratifiedGroupKFold"
    )


# -- the future


def future(case: Case, material: Material, target: Target) -> Finding | None:
    """Whether a column holds the target of a later row."""
    order = next(orders(case, material), None)
    y, rows = target.train[material.train_rows].astype(float), material.train_rows
    if len(y) < 30:
        return None
    along = np.argsort(order.train, kind="stable") if order is not None else np.arange(len(rows))
    if order is not None and order.kind in ("time", "order") and _interleaved(order.train, order.test):
        return None  # rows in between are on the other side
    y = y[along]
    values = [float(v) if isinstance(v, (int, float)) else np.nan for v in target.classes]
    real = np.array(values)[y.astype(int)] if target.task == "classification" else y
    if len(np.unique(real)) < 5 and (np.diff(real) != 0).mean() < 0.2:
        return None
    for column in material.columns:
        own = column.train[along]
        for step in (1, 2, 3):
            later, before = _equal(own[:-step], real[step:]), _equal(own[step:], real[:-step])
            if later > 0.95 and before < 0.9 and _equal(own, real) < 0.9:
                message = f"{column.name!r} holds the target of {step} row{'s' * (step > 1)} later in {later:.0%} of the rows"
                evidence = {"column": column.name, "kind": "future", "steps": step, "share": later}
                return Finding("order-leak", message, evidence, "use what was known at the time: shift by a positive number of rows")
    return None


def _equal(a: Array, b: Array) -> float:
    both = ~np.isnan(a) & ~np.isnan(b)
    return float((a[both] == b[both]).mean()) if both.sum() > 20 else 0.0


__all__ = ["encode", "groups", "neighbours", "order_leak", "orders", "shared"]
