"""How far two sides are apart: of counts in the same bins, or of sorted values.

- psi: sum of (now - reference) * ln(now / reference), shares floored at 1e-4
- js: Jensen-Shannon distance, base 2, from 0 (equal) to 1
- chi2: Pearson's statistic of the two rows of counts
- ks: the largest distance of the two empirical distribution functions. Exact where both sides have fewer than EXACT
  values; else read at PICKS quantiles of each side, which is at most 1 / PICKS less than the exact one: between two
  neighbouring quantiles neither function rises by more.
- wasserstein: the first Wasserstein distance, in the column's own unit (seconds for instants). Exact below EXACT; else
  each value of the larger side is held against the one of its rank, off by at most the range of the smaller side
  divided by twice the number of values of the larger; exact again where both sides have as many.
"""

from __future__ import annotations

import math
from typing import Any

FLOOR = 1e-4
#: values from which ks and wasserstein are bounded instead of exact
EXACT = 100_000
PICKS = 4096
#: values up to which the probability of a ks is counted out instead of approached
SMALL = 1000


def psi(counts: Any, expected: Any) -> float:
    """Population stability index of two rows of counts."""
    import numpy as np

    now, then = (np.maximum(c / max(c.sum(), 1.0), FLOOR) for c in (counts, expected))
    return float(np.sum((now - then) * np.log(now / then)))


def js(counts: Any, expected: Any) -> float:
    """Jensen-Shannon distance of two rows of counts, base 2."""
    import numpy as np

    now, then = (c / max(c.sum(), 1.0) for c in (counts, expected))
    middle = (now + then) / 2
    total = 0.0
    for side in (now, then):
        held = side > 0
        total += float(np.sum(side[held] * np.log2(side[held] / middle[held]))) / 2
    return float(np.sqrt(max(total, 0.0)))


def chi2(counts: Any, expected: Any) -> float:
    """Pearson's statistic of two rows of counts."""
    import numpy as np

    table = np.vstack([counts, expected])
    table = table[:, table.sum(axis=0) > 0]
    even = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / max(table.sum(), 1.0)
    return float(np.sum((table - even) ** 2 / np.where(even > 0, even, 1.0)))


def chi2_p(counts: Any, expected: Any) -> float:
    """The probability of a statistic as large by chance."""
    from scipy.special import chdtrc

    free = int(((counts + expected) > 0).sum()) - 1
    return float(chdtrc(free, chi2(counts, expected))) if free > 0 else 1.0


def ks(now: Any, then: Any) -> float:
    """The largest distance of the distribution functions of two sorted arrays."""
    import numpy as np

    at = np.concatenate([now, then] if max(len(now), len(then)) < EXACT else [_picked(now), _picked(then)])
    at.sort()
    gaps = np.searchsorted(now, at, side="right") / len(now) - np.searchsorted(then, at, side="right") / len(then)
    return float(np.max(np.abs(gaps)))


def _picked(values: Any) -> Any:
    """Every so many-th value, and the last: fewer than 1 / PICKS of all lie strictly between two of them."""
    import numpy as np

    step = max(1, len(values) // PICKS)
    return np.append(values[::step], values[-1])


def ks_p(distance: float, now: Any, then: Any) -> float:
    """The probability of a distance as large by chance: exact for few values, else by the limit with Stephens' correction."""
    from scipy.special import kolmogorov

    if max(len(now), len(then)) <= SMALL:
        import warnings

        from scipy.stats import ks_2samp

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # where it cannot count, it approaches, and says so
            return float(ks_2samp(now, then, method="exact").pvalue)
    root = math.sqrt(len(now) * len(then) / (len(now) + len(then)))
    return float(kolmogorov((root + 0.12 + 0.11 / root) * distance))


def wasserstein(now: Any, then: Any) -> float:
    """The first Wasserstein distance of two sorted arrays."""
    import numpy as np

    with np.errstate(over="ignore", invalid="ignore"):  # a range beyond float64 is infinitely far
        few, many = sorted((now, then), key=len)
        if len(few) == len(many):
            return float(np.mean(np.abs(many - few)))
        if len(many) >= EXACT:
            rank = (np.arange(len(many)) * 2 + 1) * len(few) // (2 * len(many))
            return float(np.mean(np.abs(many - few[rank])))
        both = np.sort(np.concatenate([now, then]))
        steps = np.diff(both)
        mine = np.searchsorted(now, both[:-1], side="right") / len(now)
        theirs = np.searchsorted(then, both[:-1], side="right") / len(then)
        return float(np.sum(np.abs(mine - theirs) * steps))
