"""``drift``: each feature of a frame held against an earlier version, by the measures of the language of expectations."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbml.display import figure, percent
from nbml.frames.distances import Comparison
from nbml.validation.distances import too_few

if TYPE_CHECKING:
    import pandas as pd

#: false discovery rate of Benjamini and Hochberg, and the psi from which a significant difference is drift
ALPHA, PSI = 0.05, 0.1
MEASURES = ("psi", "ks", "js", "wasserstein", "chi2")
#: rows from which features are measured side by side
MANY = 50_000


@dataclass(frozen=True)
class Feature:
    """What is known of one feature. ``p`` is the probability of such a difference by chance; ``reason`` says why there is
    none; ``moved`` names the bin whose share changed most, without a value where the column is private."""

    name: str
    values: tuple[float, ...]
    n: int
    p: float = math.nan
    reason: str = ""
    reference: tuple[float, ...] = ()
    now: tuple[float, ...] = ()
    moved: str = ""

    @property
    def psi(self) -> float:
        return self.values[0]


@dataclass(frozen=True)
class Drift:
    """All features that both frames have, in the order of the current one; ``drifted`` are names."""

    features: tuple[Feature, ...]
    drifted: frozenset[str]
    rows: tuple[int, int]
    called: tuple[str, str]
    only: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())


def drift(current: Any, against: Any) -> pd.DataFrame:
    """Compare each feature of ``current`` with ``against``: frames, ``name@n`` or paths.

    The frame has one row for each column of both, in the order of ``current``: feature, psi, ks, js, wasserstein, chi2, n
    (rows of ``current``), drifted. They are the measures of the language of expectations, NaN where one does not apply:
    ks and wasserstein of what is no number, all of a column that cannot be compared. chi2 is over the bins of psi, so that
    numbers have one too. ``drifted``: significant at 0.05 after Benjamini-Hochberg over the features, and psi >= 0.1; never
    with fewer than ``[validation] min_rows`` rows. Raises errors.NotADataFrame, errors.UnknownDataset, errors.BadInput.
    """
    import pandas as pd

    from nbml import datasets, settings, store
    from nbml.display.listing import shown_as
    from nbml.validation.checking import level
    from nbml.validation.drifting_report import drift_report

    sides = [datasets.take(value) for value in (current, against)]
    known = settings.load(store.chosen())
    now, reference = (level(frame) for frame, _ in sides)
    features = measured(now, reference, known["validation.min_rows"], known["data.private"])
    only = [tuple(str(name) for name in one if name not in other.columns) for one, other in ((now, reference), (reference, now))]
    called = tuple(datasets.called(value, thing) for value, (_, thing) in zip((current, against), sides, strict=True))
    found = Drift(features, drifted(features), (len(now), len(reference)), (called[0], called[1]), (only[0], only[1]))
    rows = [(f.name, *f.values, f.n, f.name in found.drifted) for f in features]
    frame = pd.DataFrame(rows, columns=["feature", *MEASURES, "n", "drifted"])
    frame = frame.astype({**dict.fromkeys(MEASURES, "float64"), "feature": "str", "n": "int64", "drifted": "bool"})
    return shown_as(frame, drift_report(found))


def measured(now: pd.DataFrame, reference: pd.DataFrame, min_rows: int, private: Sequence[str] = ()) -> tuple[Feature, ...]:
    """Each column that both frames have; names are texts."""
    names = [name for name in now.columns if name in reference.columns]
    few = too_few(len(now), len(reference), min_rows)
    if few:
        return tuple(Feature(name, (math.nan,) * len(MEASURES), len(now), reason=few) for name in names)

    def one(name: str) -> Feature:
        return _feature(name, Comparison(now[name], reference[name]), name in private)

    if max(len(now), len(reference)) < MANY or len(names) < 2:
        return tuple(one(name) for name in names)
    from concurrent.futures import ThreadPoolExecutor  # sorting and hashing run without the interpreter's lock

    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        return tuple(pool.map(one, names))


def _feature(name: str, pair: Comparison, private: bool) -> Feature:
    if pair.unlike:
        return Feature(name, (math.nan,) * len(MEASURES), len(pair.now), reason=pair.unlike)
    values = tuple(getattr(pair, word) for word in MEASURES)
    shares = pair.shares
    return Feature(name, values, len(pair.now), pair.p, "", tuple(shares["reference"]), tuple(shares["now"]), moved(pair, private))


def drifted(features: Sequence[Feature]) -> frozenset[str]:
    """The features that differ significantly (Benjamini and Hochberg, 1995) and by a psi of at least PSI."""
    tested = sorted((f for f in features if not math.isnan(f.p)), key=lambda f: f.p)
    last = max((rank for rank, f in enumerate(tested, 1) if f.p <= ALPHA * rank / len(tested)), default=0)
    return frozenset(f.name for f in tested[:last] if f.psi >= PSI)


def moved(pair: Comparison, private: bool = False) -> str:
    """The bin whose share changed most, and its shares: "above 61: 10 % → 34 %"; "" where none did."""
    shares = pair.shares
    gaps = [abs(a - b) for a, b in zip(shares["now"], shares["reference"], strict=True)]
    at = max(range(len(gaps)), key=gaps.__getitem__)
    if not gaps[at]:
        return ""
    name = "nulls" if at == len(gaps) - 1 else "a bin" if private else _bin(pair, at)
    return f"{name}: {percent(shares['reference'][at])} → {percent(shares['now'][at])}"


def _bin(pair: Comparison, at: int) -> str:
    names = pair.bins[0]
    if not pair.numeric:
        return "other values" if at == len(names) - 2 else str(names[at])[:40]
    edges = [_edge(pair.reference, edge) for edge in names[:-2]]
    return f"up to {edges[0]}" if at == 0 else f"above {edges[-1]}" if at == len(edges) else f"{edges[at - 1]} to {edges[at]}"


def _edge(column: pd.Series, edge: float) -> str:
    """An edge in the column's own terms: instants are counted in seconds."""
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        when = pd.Timestamp(round(edge * 1e6), unit="us")
        return f"{when:%Y-%m-%d}" if edge % 86400 == 0 else f"{when:%Y-%m-%d %H:%M}"
    if pd.api.types.is_timedelta64_dtype(column.dtype):
        return str(pd.Timedelta(round(edge), unit="s"))
    return figure(edge)
