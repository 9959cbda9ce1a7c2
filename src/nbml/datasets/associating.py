"""What one column alone tells of a target.

- a target of two values: the area under the ROC curve (AUC) of the column as a score, either way round. Values of a column
  that has no order, or few values, are scored by the target's rate in the other half of the rows, so that a value that
  stands once tells nothing; null or not is a score too. The best of these counts.
- any other: mutual information of the column and the target, both in bins, with Miller and Madow's correction, as a share
  of the target's entropy. Numbers are in twenty quantile bins (a target of numbers in ten), other values are the fifty most
  frequent and "other"; nulls are a bin.

At most SAMPLE rows are looked at, evenly spread; rows without a target are left out.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from nbml.frames.distances import CATEGORIES, floats, numeric
from nbml.frames.matching import each

if TYPE_CHECKING:
    import pandas as pd

SAMPLE = 200_000
#: bins of a column and of a target; values up to which a target of numbers is one of classes
BINS, PARTS, CLASSES = 20, 10, 20
#: rows, and rows of the rarer value, below which nothing is said
LEAST, RARE = 30, 5
#: what a column has to reach to be suspected of holding the target
LEAKS = {"AUC": 0.99, "mutual information": 0.95}


def associations(frame: pd.DataFrame, labels: list[str], target: str) -> tuple[str, tuple[float, ...]]:
    """The measure, and its value for each column: NaN for the target itself, and for all where there is too little to say."""
    import numpy as np

    at = labels.index(target)
    rows = frame.iloc[:: max(1, math.ceil(len(frame) / SAMPLE))]
    truth = rows.iloc[:, at]
    rows = rows[truth.notna().to_numpy()]
    truth = rows.iloc[:, at]
    codes = _codes(truth, PARTS, CLASSES)
    sizes = np.bincount(codes) if len(codes) else np.zeros(1, int)
    held = np.sort(sizes[sizes > 0])
    two = len(held) == 2
    measure = "AUC" if two else "mutual information"
    if len(rows) < LEAST or len(held) < 2 or (two and held[0] < RARE):
        return measure, (math.nan,) * len(labels)
    flags = codes == np.flatnonzero(sizes)[-1]
    half = np.random.default_rng(0).random(len(rows)) < 0.5

    def one(place: int) -> float:
        column = rows.iloc[:, place]
        return math.nan if place == at else _auc_of(column, flags, half) if two else _information(_codes(column, BINS, CATEGORIES), codes)

    return measure, tuple(each(one, range(len(labels)), len(rows)))


def _codes(column: pd.Series, bins: int, few: int) -> Any:
    """A column as small whole numbers: its values where there are at most ``few``, else bins; nulls are the last."""
    import numpy as np

    if not numeric(column):
        codes = _factors(column)
        counts = np.bincount(codes[codes >= 0], minlength=1)
        kept = np.argsort(-counts, kind="stable")[:CATEGORIES]
        places = np.full(len(counts) + 1, len(kept))
        places[kept] = np.arange(len(kept))
        places[-1] = len(kept) + 1
        return places[codes]
    values = floats(column)
    null = np.isnan(values)
    real = values[~null]
    found = np.zeros(len(values), np.int64)
    if len(real):
        distinct = np.unique(real)
        edges = distinct if len(distinct) <= few else np.unique(np.quantile(real, np.arange(1, bins) / bins, method="lower"))
        found[~null] = np.searchsorted(edges, real, side="left")
    found[null] = found.max(initial=0) + 1
    return found


def _factors(column: pd.Series) -> Any:
    import pandas as pd

    try:
        return pd.factorize(column)[0]
    except TypeError:  # values without a hash
        return pd.factorize(column.map(repr, na_action="ignore"))[0]


def _information(codes: Any, truth: Any) -> float:
    import numpy as np

    wide = int(truth.max()) + 1
    table = np.bincount(codes * wide + truth, minlength=(int(codes.max()) + 1) * wide).reshape(-1, wide).astype(float)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    rows = table.sum()
    share = table / rows
    even = share.sum(axis=1, keepdims=True) * share.sum(axis=0, keepdims=True)
    held = share > 0
    found = float(np.sum(share[held] * np.log(share[held] / even[held])))
    sides = share.sum(axis=0)
    entropy = float(-np.sum(sides * np.log(sides)))
    free = (table.shape[0] - 1) + (table.shape[1] - 1) - (int(held.sum()) - 1)  # Miller and Madow, of three entropies
    return min(1.0, max(0.0, (found + free / (2 * rows)) / entropy))


def _auc_of(column: pd.Series, flags: Any, half: Any) -> float:
    import numpy as np

    if numeric(column):
        values = floats(column)
        null = np.isnan(values)
        scores = [np.where(null, -np.inf, values)]
        scores += [null.astype(float)] if null.any() else []
        few = len(np.unique(values[~null])) <= CATEGORIES
    else:
        scores, few = [], True
    found = [abs(auc(score, flags) - 0.5) + 0.5 for score in scores]
    if few:
        found.append(_crossed(_factors(column) + 1, flags, half))
    return max(found)


def _crossed(codes: Any, flags: Any, half: Any) -> float:
    """AUC of the target's rate per value, learnt in the other half of the rows."""
    import numpy as np

    wide, areas = int(codes.max()) + 1, []
    for part in (half, ~half):
        counts, hits = np.bincount(codes[~part], minlength=wide), np.bincount(codes[~part], flags[~part], minlength=wide)
        rate = (hits + flags.mean()) / (counts + 1)
        areas.append(auc(rate[codes[part]], flags[part]))
    return max(0.5, float(np.mean(areas)))


def auc(scores: Any, flags: Any) -> float:
    """The share of pairs of a true and a false one in which the true one has the higher score; ties are halves."""
    import numpy as np

    _, codes = np.unique(scores, return_inverse=True)
    true = np.bincount(codes, flags)
    false = np.bincount(codes) - true
    pairs = true.sum() * false.sum()
    before = np.concatenate([[0.0], np.cumsum(false)[:-1]])
    return float(np.sum(true * (before + false / 2)) / pairs) if pairs else 0.5
