"""How many losses of a fifth could be noticed at all by row counts, at one false alarm in 100 versions.

    python benchmarks/silent_loss_limit.py 400-499

An oracle that knows how the histories of ``tests/datasets/histories.py`` are drawn (all but the figures of this one) weighs 100,000
natures by how well they explain the earlier counts, and tells a loss by the ratio of the likelihoods with and without it. Its
threshold is the one that gives one false alarm in 100 on the same versions: no method can do better on counts and days alone.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from datasets.histories import KINDS, history, spoil

DRAWN, PLACES, ALARMS = 100_000, (2, 4), 0.01
STABLE, GROWING, WEEKLY, WEEKLY_GROWING, BUSINESS, WANDERING, ACCUMULATING = range(7)


class Oracle:
    """Natures drawn as ``nature`` draws them."""

    def __init__(self) -> None:
        draw = np.random.default_rng(5)
        self.kind = draw.integers(0, 7, DRAWN)
        self.noise, self.growth = draw.uniform(0, 0.05, DRAWN), draw.uniform(0.002, 0.03, DRAWN)
        self.weekend = draw.uniform([0.3, 0.2], [0.9, 0.8], (DRAWN, 2))

    def ratio(self, counts: list[int], days: list[int], now: int) -> float:
        """Of the likelihood of ``now`` after a loss to that without one, as a logarithm; ``days`` are also that of ``now``."""
        x, y, before = np.log(counts), np.log(now), len(counts)
        mean, error = self._means(days), np.hypot(self._errors(before + 1), 0.4 / np.mean(counts))
        rest, weight = x - mean[:, :before], 1 / error[:, :before] ** 2
        level = (weight * rest).sum(1) / weight.sum(1)
        likely = (-np.log(error[:, :before]) - 0.5 * weight * (rest - level[:, None]) ** 2).sum(1) - 0.5 * np.log(weight.sum(1))
        middle, spread = level + mean[:, before], error[:, before] ** 2 + 1 / weight.sum(1)
        likely[(level < np.log(300) - 0.1) | (level > np.log(3000) + 0.1)] = -np.inf
        walks, step = self.kind == WANDERING, np.hypot(self.noise, 0.4 / np.mean(counts))
        walked = (-np.log(step)[:, None] - 0.5 * (np.diff(x) / step[:, None]) ** 2).sum(1)
        likely, middle, spread = np.where(walks, walked, likely), np.where(walks, x[-1], middle), np.where(walks, step**2, spread)
        if any(day % 7 >= 5 for day in days):
            likely[self.kind == BUSINESS] = -np.inf
        share = np.exp(likely - likely.max())

        def density(middle: np.ndarray, spread: np.ndarray) -> float:
            return float((share * np.exp(-0.5 * (y - middle) ** 2 / spread) / np.sqrt(spread)).sum()) + 1e-300

        return float(np.log(density(middle + np.log(0.8), spread + 0.25 / now)) - np.log(density(middle, spread)))

    def _means(self, days: list[int]) -> np.ndarray:
        at = np.arange(len(days))
        grown = np.where(np.isin(self.kind, [GROWING, WEEKLY_GROWING])[:, None], self.growth[:, None] * at, 0.0)
        grown = np.where((self.kind == ACCUMULATING)[:, None], np.log1p(self.growth[:, None] * at), grown)
        for place, day in enumerate(days):
            if day % 7 >= 5:
                grown[:, place] += np.where(np.isin(self.kind, [WEEKLY, WEEKLY_GROWING]), np.log(self.weekend[:, day % 7 - 5]), 0.0)
        return grown

    def _errors(self, versions: int) -> np.ndarray:
        gained = self.growth[:, None] * np.arange(versions)
        return np.where((self.kind == ACCUMULATING)[:, None], 0.02 * gained / (1 + gained), self.noise[:, None])


def main(seeds: str) -> None:
    first, _, last = seeds.partition("-")
    oracle, start = Oracle(), np.datetime64("2024-01-01")
    kept: dict[int, list[float]] = {at: [] for at in PLACES}
    lost: dict[int, list[float]] = {at: [] for at in PLACES}
    for seed in range(int(first), int(last) + 1):
        for kind in (KINDS[(seed + step) % len(KINDS)] for step in (0, 2, 4)):
            frames = [frame for frame, _ in history(kind, seed, max(PLACES) + 1)]
            days = [int((np.datetime64(frame["ordered"].max(), "D") - start).astype(int)) for frame in frames]
            for at in PLACES:
                counts = [len(frame) for frame in frames[:at]]
                kept[at].append(oracle.ratio(counts, days[: at + 1], len(frames[at])))
                lost[at].append(oracle.ratio(counts, days[: at + 1], len(spoil(frames[at], "rows", 0.2, seed, frames[at - 1]))))
    for at in PLACES:
        hits = np.mean(np.array(lost[at]) > np.quantile(kept[at], 1 - ALARMS))
        print(f"{at} versions: {100 * hits:.0f} of 100 losses of a fifth")


if __name__ == "__main__":
    main(sys.argv[1])
