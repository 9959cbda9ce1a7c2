"""Frames to draft suites for, of every dtype and of a business, and what goes wrong with them; all from seeds."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

Random = np.random.Generator

NAMES = (
    "age", "Age", "age ", "net amount", "class", "rows", "\ufb01le", "<b>bold</b>", "a\nb", "\x00", "\u202egnp.exe", "it's", 'say "x"',
    "back\\slash", "start", "end", "order_id", "day", "", "col", "\u2028", "#", "min price", "max price", "\U0001f600", "1",
)  # fmt: skip


def _numbers(random: Random, rows: int) -> np.ndarray:
    scale = float(random.choice([1e-300, 1e-9, 0.1, 1, 40, 1e6, 1e18, 1e300]))
    found = random.normal(float(random.choice([0, 3])), 1, rows) * scale
    return found.round(2) if scale < 1e9 and random.random() < 0.5 else found


def _some(random: Random, values: Any, dtype: Any = None) -> pd.Series:
    """With nulls in a few, in most or in no places."""
    found = pd.Series(values, dtype=dtype)
    share = float(random.choice([0, 0, 0.02, 0.2, 0.6, 0.9]))
    return found.mask(random.random(len(found)) < share) if share else found


def _stamps(random: Random, rows: int, unit: str = "s", zone: str | None = None) -> pd.Series:
    first = pd.Timestamp(str(random.choice(["1971-03-05", "2020-02-29", "2261-01-01" if unit == "ns" else "3000-01-01"])))
    gaps = np.sort(random.integers(0, 9_000_000, rows)) if random.random() < 0.5 else random.integers(0, 9_000_000, rows)
    found = (pd.Series(np.datetime64(first, "s") + gaps.astype("timedelta64[s]"))).astype(f"datetime64[{unit}]")
    return found.dt.tz_localize(zone) if zone else found


def _words(random: Random, rows: int, many: int) -> list[str]:
    odd = ["", " ", "a", "\u00e4\u00f6", "x'y", 'x"y', "\\d", "line\nbreak", "\u202e", "\x00", "<i>", "\U0001f600", "#", "a, b"]
    known = [*odd, *(f"w{i}" for i in range(many))][-max(many, 2) :] if random.random() < 0.5 else [*odd, *(f"w{i}" for i in range(many))]
    return [known[i] for i in random.integers(0, len(known), rows)]


MAKERS: dict[str, Callable[[Random, int], Any]] = {
    "int64": lambda r, n: r.integers(-5, 2 ** int(r.integers(3, 62)), n),
    "uint64": lambda r, n: r.integers(2**63, 2**64 - 1, n, dtype="uint64"),
    "int8": lambda r, n: r.integers(-128, 127, n).astype("int8"),
    "flag": lambda r, n: r.integers(0, 2, n),
    "rating": lambda r, n: _some(r, r.integers(1, 6, n)),
    "range": lambda r, n: np.arange(n) + 7,
    "float": lambda r, n: _some(r, _numbers(r, n)),
    "float32": lambda r, n: _some(r, np.clip(_numbers(r, n), -1e30, 1e30).astype("float32")),
    "share": lambda r, n: r.random(n),
    "inf": lambda r, n: np.where(r.random(n) < 0.1, np.inf, _numbers(r, n)),
    "constant": lambda r, n: np.full(n, 0.1),
    "Int64": lambda r, n: _some(r, r.integers(0, 4, n), "Int64"),
    "Float64": lambda r, n: _some(r, _numbers(r, n), "Float64"),
    "boolean": lambda r, n: _some(r, r.random(n) < 0.5, "boolean"),
    "bool": lambda r, n: r.random(n) < 0.5,
    "str": lambda r, n: _some(r, _words(r, n, 4)),
    "names": lambda r, n: _some(r, _words(r, n, 400)),
    "object": lambda r, n: _some(r, _words(r, n, 40), object),
    "string": lambda r, n: _some(r, _words(r, n, 4), "string[python]"),
    "mixed": lambda r, n: pd.Series([(1, "a", None, 2.5, b"x")[i] for i in r.integers(0, 5, n)], dtype=object),
    "lists": lambda r, n: pd.Series([[1]] * n, dtype=object),
    "dates": lambda r, n: pd.Series([datetime.date(2020, 1, 1 + int(i)) for i in r.integers(0, 28, n)], dtype=object),
    "iso": lambda r, n: _stamps(r, n).dt.strftime("%Y-%m-%d"),
    "uuid": lambda r, n: [str(uuid.UUID(int=int(i), version=4)) for i in r.integers(0, 2**62, n)],
    "code": lambda r, n: [f"AB-{i:05d}" for i in r.integers(0, 90_000, n)],
    "category": lambda r, n: pd.Categorical(_some(r, _words(r, n, 3)).astype(object)),
    "grades": lambda r, n: pd.Categorical(r.integers(1, 5, n), ordered=True),
    "seconds": lambda r, n: _some(r, _stamps(r, n)),
    "ns": lambda r, n: _some(r, _stamps(r, n, "ns")),
    "zoned": lambda r, n: _some(r, _stamps(r, n, "us", "Europe/Berlin" if r.random() < 0.1 else "UTC")),
    "span": lambda r, n: pd.Series(r.integers(0, 9, n).astype("timedelta64[s]")),
    "period": lambda r, n: pd.Series(pd.period_range("2020-01", periods=n, freq="M")),
    "complex": lambda r, n: r.normal(size=n) + 1j,
    "null": lambda r, n: pd.Series([None] * n, dtype=object),
    "nan": lambda r, n: np.full(n, np.nan),
}


def frame_of(kinds: list[str], rows: int, seed: int) -> pd.DataFrame:
    """A frame with a column of each of the kinds, under odd names, with an index of its own."""
    random = np.random.default_rng(seed)
    names = random.permutation(len(NAMES))
    columns = {NAMES[names[place]]: _made(random, kind, rows) for place, kind in enumerate(kinds[: len(NAMES)])}
    return pd.DataFrame(columns, index=pd.Index(random.integers(0, 9, rows)))


def _made(random: Random, kind: str, rows: int) -> Any:
    try:
        found = MAKERS[kind](random, rows)
    except (pd.errors.OutOfBoundsDatetime, ValueError):  # an hour that a time zone skips
        found = np.zeros(rows)
    return found.to_numpy() if isinstance(found, pd.Series) and found.dtype.kind in "iufb" and not _extension(found) else _bare(found)


def _extension(found: pd.Series) -> bool:
    return not isinstance(found.dtype, np.dtype)


def _bare(found: Any) -> Any:
    return found.array if isinstance(found, pd.Series) else found


def orders(seed: int, rows: int = 1500) -> pd.DataFrame:
    """What a shop would have."""
    random = np.random.default_rng(seed)
    start = pd.Timestamp("2023-01-01") + pd.to_timedelta(random.integers(0, 365 * 86400, rows), unit="s")
    return pd.DataFrame(
        {
            "order_id": np.arange(10_000, 10_000 + rows),
            "email": [f"user{i % 700}@example{i % 7}.org" for i in range(rows)],
            "sku": [f"SKU-{i:06d}" for i in random.permutation(rows)],
            "plan": random.choice(["basic", "pro", "enterprise"], rows, p=[0.6, 0.3, 0.1]),
            "country": random.choice(["de", "fr", "us", "jp"], rows),
            "rating": random.choice([1, 2, 3, 4, 5], rows),
            "returned": random.integers(0, 2, rows),
            "discount": np.where(random.random(rows) < 0.04, np.nan, random.random(rows)),
            "amount": np.exp(random.normal(3, 1, rows)).round(2),
            "items": random.poisson(2, rows) + 1,
            "balance": random.normal(400, 300, rows).round(2),
            "change": random.normal(0.3, 1, rows),
            "opened_at": start,
            "closed_at": start + pd.to_timedelta(random.integers(60, 100_000, rows), unit="s"),
            "min_price": random.random(rows) * 10,
            "max_price": 10 + random.random(rows) * 10,
            "day": [(pd.Timestamp("2024-01-01") + pd.Timedelta(days=int(d))).strftime("%Y-%m-%d") for d in random.integers(0, 365, rows)],
        }
    )


# -- what goes wrong ------------------------------------------------------------------------------------------

Spoilt = tuple[pd.DataFrame, list[str]]


def nulls(frame: pd.DataFrame, random: Random) -> Spoilt:
    """A fifth of each column is null."""
    return frame.apply(lambda column: column.mask(random.random(len(column)) < 0.2)), list(frame.columns)


def signs(frame: pd.DataFrame, random: Random) -> Spoilt:
    """Each measure has the other sign."""
    names = _measures(frame)
    return frame.assign(**{name: -frame[name] for name in names}), names


def units(frame: pd.DataFrame, random: Random) -> Spoilt:
    """Each measure is in a thousandth of its unit."""
    names = _measures(frame)
    return frame.assign(**{name: frame[name] * 1000 for name in names}), names


def categories(frame: pd.DataFrame, random: Random) -> Spoilt:
    """Each column of a few texts has a new one in a hundredth of its rows; numbers of a few kinds likewise."""
    names = [name for name in frame.columns if frame[name].nunique() <= 10]
    hit = random.random(len(frame)) < 0.01
    hit[0] = True
    changed = {n: frame[n].where(~hit, 77 if frame[n].dtype.kind in "iuf" else "Pro ") for n in names}
    return frame.assign(**changed), names


def keys(frame: pd.DataFrame, random: Random) -> Spoilt:
    """A fiftieth of the rows have the key of another row."""
    names = [name for name in ("order_id", "sku") if name in frame.columns]
    hit = random.random(len(frame)) < 0.02
    other = frame[names].sample(frac=1, random_state=7).reset_index(drop=True)
    return frame.assign(**{name: frame[name].where(~hit, other[name]) for name in names}), names


def swapped(frame: pd.DataFrame, random: Random) -> Spoilt:
    """Ends are swapped in a hundredth of the rows."""
    pairs = [pair for pair in (("opened_at", "closed_at"), ("min_price", "max_price")) if pair[0] in frame.columns]
    hit = random.random(len(frame)) < 0.01
    hit[0] = True
    changed = {}
    for low, high in pairs:
        changed |= {low: frame[low].where(~hit, frame[high]), high: frame[high].where(~hit, frame[low])}
    return frame.assign(**changed), [low for low, _ in pairs]


def _measures(frame: pd.DataFrame) -> list[str]:
    """Columns of numbers that are neither keys nor marks."""
    return [n for n in frame.columns if frame[n].dtype.kind in "iuf" and frame[n].nunique() > 5 and not n.endswith("_id")]


SPOILERS: dict[str, Callable[[pd.DataFrame, Random], Spoilt]] = {
    "nulls": nulls, "signs": signs, "units": units, "categories": categories, "keys": keys, "swapped": swapped,
}  # fmt: skip
