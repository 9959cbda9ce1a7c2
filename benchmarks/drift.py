"""``nbml.drift`` against scipy: 12 columns of numbers and 8 of texts, all five measures, both in one process and in turn.

    python benchmarks/drift.py                         100,000 and 1,000,000 rows
    python benchmarks/drift.py --rows 1000000 --repeat 5

scipy does what an analyst writes by hand: ``ks_2samp`` (asymptotic), ``wasserstein_distance``, ``numpy.quantile`` bins with
``jensenshannon`` and the sum of psi, ``value_counts`` with ``chi2_contingency``. What both find is compared before anything is
timed: psi, js and chi2 to 1e-9, ks and wasserstein within the bounds that ``nbml.frames.measures`` states. evidently and
nannyml need pandas before 3, so that they cannot be measured in the same process; they are not in the table.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

Figures = dict[str, dict[str, float]]


def frame_of(rows: int, seed: int) -> pd.DataFrame:
    """Six normal, three heavy-tailed and three whole-number columns; texts of 5 to 5,000 values, one of them all but unique."""
    rng = np.random.default_rng(seed)
    found: dict[str, object] = {f"normal{i}": rng.normal(seed * 0.1 * (i == 0), 1, rows) for i in range(6)}
    found |= {f"heavy{i}": np.round(rng.lognormal(3, 1 + 0.2 * i, rows), 2) for i in range(3)}
    found |= {f"whole{i}": rng.integers(0, 10 ** (i + 1), rows) for i in range(3)}
    for kinds in (2, 5, 10, 40, 60, 500, 5000, rows):
        names = np.array([f"value {n}" for n in range(kinds)], dtype=object)
        found[f"text{kinds}"] = pd.Series(names[(rng.random(rows) ** 1.5 * kinds).astype(int)]).astype("str")
    return pd.DataFrame(found)


def by_nbml(now: pd.DataFrame, reference: pd.DataFrame) -> Figures:
    import nbml

    return pd.DataFrame(nbml.drift(now, reference)).set_index("feature").drop(columns=["n", "drifted"]).T.to_dict()


def by_scipy(now: pd.DataFrame, reference: pd.DataFrame) -> Figures:
    """The same measures by scipy, numpy and pandas."""
    from scipy import stats
    from scipy.spatial.distance import jensenshannon

    found: Figures = {}
    for name in now.columns:
        mine, theirs = now[name], reference[name]
        own: dict[str, float] = {"ks": np.nan, "wasserstein": np.nan}
        if pd.api.types.is_numeric_dtype(mine.dtype):
            own["ks"] = float(stats.ks_2samp(mine, theirs, method="asymp").statistic)
            own["wasserstein"] = float(stats.wasserstein_distance(mine, theirs))
            edges = np.unique(np.quantile(theirs, np.arange(1, 10) / 10))
            sides = [np.bincount(np.searchsorted(edges, side), minlength=len(edges) + 1) for side in (mine, theirs)]
        else:
            counts = theirs.value_counts()
            kept = counts.index[:50]
            held = [mine.value_counts().reindex(kept, fill_value=0).to_numpy(), counts[:50].to_numpy()]
            sides = [np.append(part, len(side) - part.sum()) for part, side in zip(held, (mine, theirs), strict=True)]
        shares = [np.maximum(side / side.sum(), 1e-4) for side in sides]
        own["psi"] = float(((shares[0] - shares[1]) * np.log(shares[0] / shares[1])).sum())
        own["js"] = float(jensenshannon(*sides, base=2))
        table = np.vstack(sides)
        own["chi2"] = float(stats.chi2_contingency(table[:, table.sum(axis=0) > 0], correction=False).statistic)
        found[name] = own
    return found


def compare(mine: Figures, theirs: Figures, now: pd.DataFrame, reference: pd.DataFrame) -> None:
    """Stop where a figure differs by more than is stated."""
    from nbml.frames.measures import EXACT, PICKS

    rows = max(len(now), len(reference))
    for name, own in theirs.items():
        for word, value in own.items():
            other = mine[name][word]
            if np.isnan(value):
                assert np.isnan(other), (name, word)
                continue
            bound = 1e-9 * max(1.0, abs(value))
            if rows >= EXACT and word == "ks":
                bound = 1 / PICKS
            if rows >= EXACT and word == "wasserstein":
                bound = float(np.ptp(reference[name].to_numpy())) / (2 * rows) + 1e-9 * abs(value)
            if name == f"text{len(now)}":  # which of the values that are as frequent are the fifty is nobody's to say
                continue
            assert abs(value - other) <= bound, f"{name} {word}: {other} and {value}"


def timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--rows", type=int, nargs="*", default=[100_000, 1_000_000])
    reader.add_argument("--repeat", type=int, default=3)
    asked = reader.parse_args()
    os.environ["NBML_PROJECT"] = tempfile.mkdtemp()
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{'rows':>10}  {'nbml':>9}  {'scipy':>9}  {'ratio':>7}  {'ratio of minima':>15}   (medians, ms)")
    for rows in asked.rows:
        now, reference = frame_of(rows, 1), frame_of(rows, 0)
        compare(by_nbml(now, reference), by_scipy(now, reference), now, reference)
        times: dict[str, list[float]] = {"nbml": [], "scipy": []}
        for _ in range(asked.repeat):
            times["nbml"].append(timed(lambda now=now, reference=reference: by_nbml(now, reference)))
            times["scipy"].append(timed(lambda now=now, reference=reference: by_scipy(now, reference)))
        middle = {name: statistics.median(held) * 1000 for name, held in times.items()}
        least = min(times["scipy"]) / min(times["nbml"])
        ratio = middle["scipy"] / middle["nbml"]
        print(f"{rows:>10,}  {middle['nbml']:>9,.0f}  {middle['scipy']:>9,.0f}  {ratio:>6.1f}x  {least:>14.1f}x")


if __name__ == "__main__":
    main()
