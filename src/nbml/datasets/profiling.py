"""``profile``: what each column of a frame holds, what is odd about the frame, and what each column tells of a target."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbml import errors
from nbml.datasets.describing import Summary, summary
from nbml.display import Report, Shown, figure, percent
from nbml.frames.distances import numeric
from nbml.frames.matching import Pair, each, hashes

if TYPE_CHECKING:
    import pandas as pd

#: shares and figures from which a column is noted
NULLS, UNIQUE, SKEW, TOGETHER = 0.2, 0.95, 3.0, 0.95
#: rows on which pairs of columns are correlated, columns up to which they are, and rows below which nothing is nearly unique
SAMPLE, WIDE, FEW = 100_000, 200, 20
#: names that a note says
NAMED = 5


@dataclass(frozen=True)
class Remark:
    """Something to know about a frame: ``code`` is one of target-leak, duplicates, constant, nulls, infinite, nearly-unique,
    mixed, skewed, correlated."""

    code: str
    columns: tuple[str, ...]
    message: str

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, repr=False)
class Profile(Shown):
    """A frame described: ``columns`` is a DataFrame, ``notes`` what is odd. ``duplicates`` are rows that repeat an earlier one.

    With a target ``measure`` says what ``association`` of a column is: "AUC" of the column alone for a target of two values,
    else "mutual information" as a share of what is unknown about the target.
    """

    called: str
    rows: int
    memory: int
    duplicates: int
    notes: tuple[Remark, ...]
    found: tuple[Summary, ...]
    sizes: tuple[int, ...]
    target: str | None = None
    measure: str = ""
    associations: tuple[float, ...] = ()
    line: str | None = None

    @cached_property
    def columns(self) -> pd.DataFrame:
        """One row for each column: column, dtype, nulls, null_share, distinct, min, mean, median, max, stdev, top, top_share,
        memory (bytes), and association with the target where there is one."""
        import pandas as pd

        rows = [
            (s.name, s.dtype, s.nulls, s.null_share, s.distinct, s.low, s.mean, s.median, s.high, s.stdev,
             *(s.top[0] if s.top else (None, None)), size) for s, size in zip(self.found, self.sizes, strict=True)
        ]  # fmt: skip
        heads = "column dtype nulls null_share distinct min mean median max stdev top top_share memory"
        frame = pd.DataFrame(rows, columns=heads.split())
        kinds = {"column": "str", "dtype": "str", "nulls": "int64", "distinct": "int64", "memory": "int64"}
        frame = frame.astype(kinds | dict.fromkeys(("null_share", "stdev", "top_share"), "float64"))
        return frame.assign(association=list(self.associations)) if self.associations else frame

    def _report(self) -> Report:
        from nbml.datasets.profiling_report import profile_report

        return profile_report(self)


def profile(df: Any, name: str | None = None, target: str | None = None) -> Profile:
    """Describe a frame, ``name@n`` or a path. ``name`` is what the data are called; ``target`` the column to predict.

    Raises errors.BadArgument where the target is no column.
    """
    from nbml import datasets, settings, store

    frame, thing = datasets.take(df)
    words = datasets.called(df, thing)
    labels = [str(label) for label in frame.columns]
    if target is not None and target not in labels:
        raise _no_target(str(target), labels, words)
    private = settings.load(store.chosen())["data.private"]
    places = range(frame.shape[1])
    found = tuple(each(lambda at: summary(labels[at], frame.iloc[:, at], labels[at] in private), places, len(frame)))
    sizes = tuple(int(frame.iloc[:, at].memory_usage(index=False, deep=True)) for at in places)
    double = duplicates(frame, found)
    told: tuple[str, tuple[float, ...]] = ("", ())
    if target is not None:
        from nbml.datasets.associating import associations

        told = associations(frame, labels, target)
    notes = tuple(remarks(frame, found, double, target, told))
    suite = _suite(name or (thing.name if thing is not None else Path(words).stem if words else ""))
    line = f"%nbml validate {words} --suite {suite}" if words and suite and not set(words) & set(" \"'()[]{}$") else None
    return Profile(name or words, len(frame), sum(sizes), double, notes, found, sizes, target, *told, line=line)


def _no_target(target: str, labels: Sequence[str], words: str) -> errors.BadArgument:
    close = errors.nearest(target, labels)
    have = f"; nearest: {close}" if close else f"; there are {', '.join(labels[:NAMED])}" if labels else ""
    plain = close if close and close.isidentifier() else None
    line = f"%nbml profile {words} --target {plain}" if plain and words and " " not in words else None
    message = f"no column {target!r} in {words or 'the frame'}{have}"
    return errors.BadArgument(message, next=line, instead=("target", plain) if plain else None)


def _suite(text: str) -> str:
    """A text as the name of a suite; "" where nothing of it is left."""
    import re

    return re.sub(r"[^a-z0-9._]+", "-", text.lower()).strip("-._")[:63].rstrip("-._")


def duplicates(frame: pd.DataFrame, found: Sequence[Summary]) -> int:
    """How many rows repeat an earlier one."""
    import numpy as np

    rows = len(frame)
    if rows < 2 or not frame.shape[1] or any(s.distinct == rows for s in found):
        return 0
    pairs = [Pair(frame.iloc[:, at], frame.iloc[:0, at]) for at in range(frame.shape[1])]
    codes = np.sort(hashes(pairs, np.arange(rows), np.arange(0), rows)[0])
    return int((codes[1:] == codes[:-1]).sum())


# -- notes ----------------------------------------------------------------------------------------------------


def remarks(
    frame: pd.DataFrame, found: Sequence[Summary], double: int, target: str | None, told: tuple[str, tuple[float, ...]]
) -> list[Remark]:
    """At most one for each code."""
    notes: list[Remark] = []
    if told[1]:
        from nbml.datasets.associating import LEAKS

        leaks = [(s.name, value) for s, value in zip(found, told[1], strict=True) if s.name != target and value >= LEAKS[told[0]]]
        shown = "{:.3f}".format if told[0] == "AUC" else percent
        if leaks:
            said = _some([f"{name} ({told[0]} {shown(value)})" for name, value in leaks])
            notes.append(_remark("target-leak", leaks, f"{said}: tells {target} all but alone; is it known before {target} is?"))
    if double:
        share = percent(double / len(frame))
        notes.append(Remark("duplicates", (), f"{double:,} row{' repeats' if double == 1 else 's repeat'} an earlier one ({share})"))
    few = len(frame) < FEW
    kinds: tuple[tuple[str, str, Callable[[Summary], Any], Callable[[Summary], str]], ...] = (
        ("constant", "one value only: {}", lambda s: len(frame) > 1 and s.distinct <= 1, lambda s: "" if s.distinct else "no value"),
        ("nulls", "often null: {}", lambda s: s.null_share >= NULLS and s.distinct > 1, lambda s: percent(s.null_share)),
        ("infinite", "infinite values: {}", lambda s: s.infinite, lambda s: f"{s.infinite:,}"),
        ("nearly-unique", "as good as unique: {}", lambda s: not few and _labels(s), lambda s: f"{s.distinct:,} of {s.real:,}"),
        ("skewed", "a few values far from the rest: {}",
         lambda s: s.skew is not None and abs(s.skew) >= SKEW, lambda s: f"skewness {figure(s.skew)}"),
    )
    for code, text, holds, evidence in kinds:
        held = [(s.name, evidence(s)) for s in found if holds(s)]
        if held:
            notes.append(_remark(code, held, text.format(_some([f"{n} ({e})" if e else n for n, e in held]))))
    mixed = _mixed(frame, found)
    if mixed:
        notes.append(_remark("mixed", mixed, f"values of several kinds: {_some([f'{n} ({e})' for n, e in mixed])}"))
    close = correlated(frame)
    if close:
        said = _some([f"{a} and {b} ({value:.2f})" for a, b, value in close])
        notes.append(Remark("correlated", tuple(dict.fromkeys(name for a, b, _ in close for name in (a, b))), f"move together: {said}"))
    return notes


def _remark(code: str, held: Sequence[tuple[str, Any]], message: str) -> Remark:
    return Remark(code, tuple(name for name, _ in held), message)


def _some(texts: Sequence[str]) -> str:
    return ", ".join(texts[:NAMED]) + (f" and {len(texts) - NAMED:,} more" if len(texts) > NAMED else "")


def _labels(s: Summary) -> bool:
    """Whether a column of texts or whole numbers names rows more than it describes them."""
    worded = s.dtype in ("str", "string", "object") or "int" in s.dtype.lower()
    return worded and s.real >= FEW and s.distinct >= UNIQUE * s.real


def _mixed(frame: pd.DataFrame, found: Sequence[Summary]) -> list[tuple[str, str]]:
    from pandas.api.types import infer_dtype

    kinds = [(s.name, infer_dtype(frame.iloc[:, at], skipna=True)) for at, s in enumerate(found) if s.dtype == "object"]
    return [(name, kind) for name, kind in kinds if kind.startswith("mixed")]


def correlated(frame: pd.DataFrame) -> list[tuple[str, str, float]]:
    """Pairs of columns of numbers whose Pearson correlation is at least TOGETHER either way, over at most SAMPLE rows."""
    import numpy as np
    import pandas as pd

    kept = [at for at in range(frame.shape[1]) if numeric(frame.iloc[:, at]) and pd.api.types.is_numeric_dtype(frame.dtypes.iloc[at])]
    if not 2 <= len(kept) <= WIDE or len(frame) < FEW:
        return []
    some = frame.iloc[:: max(1, len(frame) // SAMPLE), kept].astype("float64")
    with np.errstate(all="ignore"):
        values = some.set_axis(range(len(kept)), axis=1).replace([np.inf, -np.inf], np.nan).corr(min_periods=FEW).to_numpy()
    pairs = [(i, j) for i, j in zip(*np.nonzero(np.triu(np.abs(values) >= TOGETHER, 1)), strict=True)]
    pairs.sort(key=lambda at: -abs(values[at]))
    names = [str(frame.columns[at]) for at in kept]
    return [(names[i], names[j], float(values[i, j])) for i, j in pairs]
