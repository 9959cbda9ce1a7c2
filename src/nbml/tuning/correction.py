"""The best of many scores is too good: what to expect of it on other data."""

from __future__ import annotations

from collections.abc import Sequence


def expected(folds: Sequence[Sequence[float]], best: int) -> float | None:
    """The best trial's mean score less its estimated optimism; scores, so greater is better.

    ``folds`` holds one row of fold scores for each complete trial, ``best`` the row of the best one. The optimism is
    the mean over the folds of how much better the fold's own winner is on it (Tibshirani & Tibshirani 2009, A bias
    correction for the minimum error rate in cross-validation, https://doi.org/10.1214/08-AOAS224). None where fewer
    than two folds were scored.
    """
    chosen = folds[best] if folds else ()
    rows = [row for row in folds if len(row) == len(chosen)]
    if len(chosen) < 2:
        return None
    mean = sum(chosen) / len(chosen)
    winners = [max(row[k] for row in rows) for k in range(len(chosen))]
    return mean - sum(winner - own for winner, own in zip(winners, chosen, strict=True)) / len(chosen)
