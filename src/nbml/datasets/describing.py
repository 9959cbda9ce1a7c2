"""The figures of one column, as ``diff`` and ``profile`` tell them. Of a private column only its dtype and counts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbml.display import figure, percent
from nbml.frames.distances import Ordered, by_text, numeric, ordered, tally

if TYPE_CHECKING:
    import pandas as pd

#: bars of a picture, most frequent values told, values up to which the vanished ones are looked for
BARS, TOP, NAMED = 12, 3, 1000
#: from here on a float64 no longer holds every whole number
EXACTLY = 2**53


@dataclass(frozen=True)
class Summary:
    """``low`` to ``high`` are of the column's own type, over its finite values, None where it has no order or is private;
    ``stdev`` is the sample's, of instants in seconds. ``top`` are the most frequent values of what is no number, with their
    shares of the values; ``bars`` are shares of ``BARS`` equal steps, or of the most frequent values. ``counts`` are all
    values where there are at most NAMED."""

    name: str
    dtype: str
    rows: int
    nulls: int
    distinct: int
    low: Any = None
    mean: Any = None
    median: Any = None
    high: Any = None
    stdev: float | None = None
    infinite: int = 0
    skew: float | None = None
    top: tuple[tuple[Any, float], ...] = ()
    bars: tuple[float, ...] = ()
    counts: dict[Any, int] | None = None
    private: bool = False

    @property
    def null_share(self) -> float:
        return self.nulls / self.rows if self.rows else 0.0

    def hidden(self) -> Summary:
        """What may be told of a private column."""
        return Summary(self.name, self.dtype, self.rows, self.nulls, self.distinct, infinite=self.infinite, private=True)

    @property
    def real(self) -> int:
        return self.rows - self.nulls


def summary(name: str, column: pd.Series, private: bool = False, side: Ordered | None = None) -> Summary:
    """The figures of a column; ``side`` are its values sorted, where somebody has them."""
    found = _of_numbers(name, column, side or ordered(column)) if numeric(column) else _of_others(name, column)
    return found.hidden() if private else found


def _of_numbers(name: str, column: pd.Series, side: Ordered) -> Summary:
    import numpy as np

    values, dtype = side.values, str(column.dtype)
    if not len(values):
        odd = (side.below > 0) + (side.above > 0)
        return Summary(name, dtype, side.rows, side.nulls, odd, infinite=side.below + side.above)
    distinct = 1 + int(np.count_nonzero(values[1:] != values[:-1])) + (side.below > 0) + (side.above > 0)
    if max(-values[0], values[-1]) >= EXACTLY and column.dtype.kind in "iu":
        distinct = int(column.nunique())
    low, high = _ends(column, values)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float(values.mean())
        centred = values - mean
        variance = float(np.dot(centred, centred)) / max(len(values) - 1, 1)
        skew = None
        if 0 < variance < math.inf and len(values) > 2 and column.dtype.kind not in "mM":
            skew = float(np.mean((centred / math.sqrt(variance)) ** 3))
        median = float(side.quantiles([0.5])[0])
    return Summary(
        name, dtype, side.rows, side.nulls, distinct, low, _own(column, mean), _own(column, median), high,
        math.sqrt(variance) if len(values) > 1 else None, side.below + side.above, skew, bars=_bars(values),
    )  # fmt: skip


def _ends(column: pd.Series, values: Any) -> tuple[Any, Any]:
    """The least and the largest finite value, of the column's own type."""
    import pandas as pd

    if pd.api.types.is_float_dtype(column.dtype):
        return float(values[0]), float(values[-1])
    low, high = column.min(), column.max()
    return (int(low), int(high)) if pd.api.types.is_integer_dtype(column.dtype) else (low, high)


def _own(column: pd.Series, value: float) -> Any:
    """A mean or median in the column's own terms: instants are counted in seconds."""
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return pd.Timestamp(round(value * 1e6), unit="us", tz="UTC").tz_convert(getattr(column.dtype, "tz", None))
    return pd.Timedelta(round(value * 1e6), unit="us") if pd.api.types.is_timedelta64_dtype(column.dtype) else value


def _bars(values: Any) -> tuple[float, ...]:
    """Shares of equal steps from the least to the largest value of a sorted array."""
    import numpy as np

    if values[0] == values[-1]:
        return (1.0,)
    with np.errstate(over="ignore", invalid="ignore"):
        edges = np.linspace(values[0], values[-1], BARS + 1)[1:-1]
    if not np.isfinite(edges).all():  # a range beyond float64
        return ()
    upto = np.searchsorted(values, edges, side="left")
    return tuple(float(v) for v in np.diff(np.concatenate([[0], upto, [len(values)]])) / len(values))


def _of_others(name: str, column: pd.Series) -> Summary:
    held = tally(column)
    rows, nulls = len(column), int(column.isna().sum())
    if held is None:  # values without a hash are counted by their text
        held = by_text(column)
    ranked = held.ranked(NAMED)
    every = dict(ranked) if held.distinct <= NAMED else None
    real = max(rows - nulls, 1)
    shares = [(value, count / real) for value, count in ranked[:BARS]]
    return Summary(
        name, str(column.dtype), rows, nulls, held.distinct, top=tuple(shares[:TOP]), bars=tuple(share for _, share in shares),
        counts=every,
    )  # fmt: skip


def told(value: Any, days: bool = False) -> str:
    """A value of a column as a report says it: short, text in quotes, of instants only the day where ``days``."""
    import json

    if value is None or value != value:
        return "null"
    if isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()  # half a pair cannot be written
        return text if len(text) <= 24 else text[:23] + "…"
    if hasattr(value, "isoformat"):
        text = str(value).partition(".")[0]
        return text[:10] if days else text.removesuffix(" 00:00:00")
    return figure(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)[:24]


def span(found: Summary) -> str:
    """What a column's values are, in a few words."""
    if found.private:
        return "private"
    if not found.real:
        return "no values"
    if found.low is not None:
        return told(found.low) if found.distinct == 1 else f"{told(found.low, days(found))} to {told(found.high, days(found))}"
    if found.top and (found.top[0][1] * found.real > 1.5 or found.distinct <= TOP):
        more = found.distinct - len(found.top)
        return ", ".join(f"{told(v)} {_rounded(share)}" for v, share in found.top) + (f" and {more:,} more" if more > 0 else "")
    return f"{told(found.top[0][0])} …" if found.top else ""


def days(found: Summary) -> bool:
    """Whether the instants of a column span so much that the day says enough."""
    return hasattr(found.low, "isoformat") and hasattr(found.low, "year") and (found.high - found.low).days >= 2


def _rounded(share: float) -> str:
    """A share beside others: whole per cents where it is not small."""
    said = f"{share * 100:.0f} %" if share >= 0.1 and round(share, 2) < 1 else percent(share)
    return said.replace(" ", "\N{NO-BREAK SPACE}")
