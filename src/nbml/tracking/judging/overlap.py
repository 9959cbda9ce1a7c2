"""Rows that train and test have both, exactly or nearly.

Twins are natural where a table has little room (few levels, few columns), so what is expected by chance is taken off: by the
collision entropy of the columns, and by how many rows have a twin a little farther off. Where rows are drawn from one
distribution, those within 2r of a train row are at least twice those within r, for small r, since their number grows with a
power of r that is 1 or more; copies break this rule.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nbml.tracking.judging import thresholds as at
from nbml.tracking.judging.material import Array, Case, Column, Material, filled, sample
from nbml.tracking.values import Finding


def split_overlap(case: Case, material: Material) -> Finding | None:
    """Whether more of the test rows stand in train too than chance would have it."""
    if case.held or not len(material.test_rows):
        return None
    columns = _telling(material)
    if not columns:
        return None
    train, test = (np.column_stack([getattr(column, side) for column in columns]) for side in ("train", "test"))
    seen = len(train) / material.train_total
    twins = exact(train, test)
    share = float(twins.mean()) / seen
    if _enough(twins.sum(), share) and _more_than_chance(columns, train, test, twins):
        return _found("exactly", int(twins.sum()), share, material, 0.0)
    near = nearly(columns, train, test, twins)
    if near is not None:
        return _found("nearly", near[0], near[1] / seen, material, near[2])
    return None


def _enough(rows: int, share: float) -> bool:
    return rows >= at.SHARED_ROWS and share > at.SHARED


def _found(how: str, rows: int, share: float, material: Material, distance: float) -> Finding:
    part = (
        f"{rows:,} of {len(material.test_rows):,} test rows ({min(1.0, share):.0%})"
        if share >= 0.02
        else f"{rows:,} of {len(material.test_rows):,} test rows ({share:.1%})"
    )
    message = (
        f"{part} are {how} rows of train" if how == "exactly" else f"{part} are rows of train but for {distance:g} standard deviations"
    )
    evidence = {"rows": rows, "share": share, "distance": distance, "test_rows": material.test_total, "train_rows": material.train_total}
    return Finding(
        "split-overlap",
        message,
        evidence,
        "remove duplicates before the split, or keep rows that belong together on one side (GroupShuffleSplit)",
    )


def _telling(material: Material) -> list[Column]:
    """The columns that tell a row from another without being its number."""
    found = []
    for column in material.columns:
        both = column.both
        real = both[~np.isnan(both)]
        whole = column.kind != "number" or bool(np.all(real == np.round(real)))
        if len(real) > 20 and whole and column.kind != "text" and len(np.unique(real)) >= 0.999 * len(both):
            continue  # a number of the row
        if len(real) and (real != real[0]).any():
            found.append(column)
    return found


def exact(train: Array, test: Array) -> Array:
    """Which rows of test stand in train."""
    return np.isin(hashes(test), hashes(train))


def hashes(rows: Array) -> Array:
    """64 bits for each row: the same for the same values, -0 and 0, and every NaN."""
    mixed = np.full(len(rows), 0x9E3779B97F4A7C15, dtype=np.uint64)
    for column in np.ascontiguousarray((np.where(np.isnan(rows), np.nan, rows) + 0.0).T):
        bits = column.view(np.uint64)
        with np.errstate(over="ignore"):
            mixed = (mixed ^ (bits ^ (bits >> np.uint64(29)))) * np.uint64(0xBF58476D1CE4E5B9)
            mixed ^= mixed >> np.uint64(32)
    return mixed


def _more_than_chance(columns: list[Column], train: Array, test: Array, twins: Array) -> bool:
    """Whether equal rows are more than few levels explain."""
    room = sum(_collision_bits(column.both) for column in columns)
    expected = len(train) * 2.0 ** -min(room, 1000)
    share = float(twins.mean())
    if share <= 0 or expected > at.BY_CHANCE * share:
        return False
    return share - _one_off(columns, train, test, twins) > max(at.SHARED, at.BY_CHANCE * share)


def _collision_bits(values: Array) -> float:
    """Minus the logarithm of the chance that two rows agree in a column."""
    _, counts = np.unique(values, return_counts=True)
    n = len(values)
    return float(-np.log2(max((counts * (counts - 1.0)).sum() / (n * (n - 1.0)), 1.0 / n**2))) if n > 1 else 0.0


def _one_off(columns: list[Column], train: Array, test: Array, twins: Array) -> float:
    """The share of test rows without a twin that differ from a train row in one column only, of columns with few levels."""
    discrete = [k for k, column in enumerate(columns) if len(np.unique(column.both)) <= max(20, 0.02 * len(train))]
    if len(discrete) < len(columns):
        return 0.0  # a measure with many values makes equal rows unlikely in themselves
    rest = test[~twins]
    near = np.zeros(len(rest), dtype=bool)
    for k in range(len(columns)):
        others = [j for j in range(len(columns)) if j != k]
        near |= exact(train[:, others], rest[:, others]) if others else True
    return float(near.sum() / len(test))


def nearly(columns: list[Column], train: Array, test: Array, twins: Array) -> tuple[int, float, float] | None:
    """Rows, share and distance of test rows that are a train row but for a small change, more than chance has them.

    Small is measured by how far a train row's nearest neighbour in train is, as a rule.
    """
    from scipy.spatial import cKDTree

    many = [k for k, column in enumerate(columns) if column.kind in ("number", "time") and len(np.unique(column.both)) > 20]
    if not many or len(train) < 20:
        return None
    rng = np.random.default_rng(0)
    some, rest = sample(len(train), at.NEAR_TRAIN, rng), np.flatnonzero(~twins)
    rest = rest[sample(len(rest), at.ASKED, rng)]
    if not len(rest):
        return None
    first, second = _placed(columns, many, train[some], test[rest])
    tree = cKDTree(first, leafsize=32)
    usual = float(np.median(tree.query(first[sample(len(first), 200, rng)], k=2, p=np.inf)[0][:, 1]))
    reach = 2 * at.NEAR[-1] * usual
    distance = tree.query(second, p=np.inf, distance_upper_bound=max(reach, 1e-12))[0]
    seen = len(some) / len(train) * (1 - float(twins.mean()))
    for part in at.NEAR:
        radius = part * usual
        near, beyond = int((distance <= radius).sum()), int(((distance > radius) & (distance <= 2 * radius)).sum())
        extra = near - 2.0 * beyond
        share = near / len(rest) * (1 - float(twins.mean())) / (len(some) / len(train))
        if seen and near >= at.SHARED_ROWS and extra > 3 * np.sqrt(near + 2.0 * beyond) * (near > 9) and extra > at.SHARED * len(rest):
            return near, share, radius
    return None


def _placed(columns: list[Column], many: list[int], train: Array, test: Array) -> tuple[Array, Array]:
    """Both sides as points: measures by their spread, everything else so that what differs in it lies far apart."""
    other = [k for k in range(len(columns)) if k not in many]
    whole = np.vstack([train[:, many], test[:, many]])  # scaled together: what is rare on one side would have no spread there
    both = filled(whole, whole[:0])[0]
    first, second = both[: len(train)], both[len(train) :]
    if not other:
        return first, second
    codes = hashes(np.vstack([train[:, other], test[:, other]]))
    places = np.unique(codes, return_inverse=True)[1].astype(float) * 50.0
    return np.column_stack([first, places[: len(train)]]), np.column_stack([second, places[len(train) :]])


def same(X: Any, other: Any) -> bool:
    """Whether two tables hold the same rows in the same order."""
    if X is other:
        return True
    try:
        return getattr(X, "shape", ()) == getattr(other, "shape", None) and bool((np.asarray(X) == np.asarray(other)).all())
    except Exception:
        return False
