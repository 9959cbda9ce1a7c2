"""A first suite for a frame: what holds of it, a little wider, as lines to be read and corrected by whoever knows the data."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

from nbml import errors
from nbml.validation import evidence, margins
from nbml.validation.checking import OWN, check, engine_of, level
from nbml.validation.evidence import Line
from nbml.validation.words import written

if TYPE_CHECKING:
    import pandas as pd

Json = dict[str, Any]
#: columns whose name says that they identify a row
KEY = re.compile(r"(^|[_\W])(id|key|uuid|guid|code|email|number|nr|no|sku)$", re.I)
#: columns of which two may identify a row together, and most rows that are searched for such a pair
WITH = re.compile(r"(^|[_\W])(id|key|code|date|day|month|week|time|line|item|pos|position|version)($|[_\W])", re.I)
CANDIDATES, ROWS = 8, 2_000_000
#: how many pairs of rows would agree by chance before uniqueness of two columns says something
CHANCE = 5
#: names of columns of which the first is at most the second
ENDS = (
    ("start", "end"), ("begin", "end"), ("min", "max"), ("low", "high"), ("lower", "upper"), ("from", "to"), ("first", "last"),
    ("minimum", "maximum"), ("started", "ended"), ("opened", "closed"),
)  # fmt: skip
#: most columns of instants that are compared with each other
INSTANTS = 6
#: most columns in a line
NAMES = 8
WHOLE = "not_null("


def draft(df: pd.DataFrame, private: Collection[str] = ()) -> str:
    """Lines in the language of ``expect`` that hold for ``df``, with a word on why where the line does not say it.

    Of a private column only type, keys and nulls are told. Each line has been checked: what does not hold is not there.
    """
    frame = level(df)
    return written_out(holding(frame, list(candidates(frame, private))))


def written_out(lines: Sequence[Line]) -> str:
    """Lines as the text of a draft."""
    return "\n".join(f"{line}  # {why}" if why else line for line, why in joined(lines))


def candidates(frame: pd.DataFrame, private: Collection[str] = ()) -> Iterator[Line]:
    """The lines of a draft before they are checked; names of columns are texts."""
    yield rows_line(len(frame))
    kept = {name: frame[name] for name in frame.columns if frame[name].notna().any() and _writable(name)}
    keys = [name for place, (name, column) in enumerate(kept.items()) if _is_key(name, column, place)]
    yield from ((f"unique({written_safely(name)})", "") for name in keys)
    if not keys:
        pair = _pair(kept)
        if pair:
            yield f"unique({', '.join(map(written_safely, pair))})", "no pair twice"
    yield from ((f"{WHOLE}{written_safely(name)})", "") for name, column in kept.items() if column.notna().all())
    for name, column in kept.items():
        own, nulls = written_safely(name), float(column.isna().mean())
        yield from evidence.nulls(own, nulls)
        if name not in private:
            yield from evidence.values(own, column, name in keys)
    yield from _comparisons({name: column for name, column in kept.items() if name not in private})
    yield from (line for name, column in kept.items() for line in evidence.dtype(written_safely(name), column))


def rows_line(count: int) -> Line:
    """The line on how many rows there are."""
    low, high = margins.half_to_double(count)
    return f"{low} <= rows <= {high}", f"{count:,} now"


def holding(frame: pd.DataFrame, lines: Sequence[Line]) -> list[Line]:
    """Those of the lines that can be read and that hold for the frame."""
    return judged(lines, lambda configs: check(frame, configs, "BOOLEAN_ONLY", engine_of(OWN), None, 0).results)


def judged(lines: Sequence[Line], judge: Callable[[list[Json]], list[Json]]) -> list[Line]:
    """Those of the lines that can be read and of which the results of ``judge`` say that they hold."""
    from nbml.validation.grammar import parse

    found, read = [], []
    for line in lines:
        try:
            configs = [config.to_json() for config in parse(line[0])]
        except errors.BadExpectation:
            continue
        found += configs
        read += [line] * len(configs)
    if not found:
        return []
    broken = {line for line, result in zip(read, judge(found), strict=True) if not result["success"]}
    return [line for line in dict.fromkeys(read) if line not in broken]


def joined(lines: Sequence[Line]) -> list[Line]:
    """With the columns that have no nulls in lines of several."""
    names = [line[len(WHOLE) : -1] for line, why in lines if line.startswith(WHOLE) and not why]
    together = [(f"{WHOLE}{', '.join(names[start : start + NAMES])})", "") for start in range(0, len(names), NAMES)]
    at = next((place for place, (line, _) in enumerate(lines) if line.startswith(WHOLE)), 0)
    rest = [(line, why) for line, why in lines if why or not line.startswith(WHOLE)]
    return [*rest[:at], *together, *rest[at:]]


def written_safely(name: str) -> str:
    """A column as the language writes it; what cannot be printed, or turns the direction of writing, as escapes."""
    return written(name) if name.isprintable() else f"col({name!r})"


def _writable(name: str) -> bool:
    """Whether UTF-8 has the name, and Great Expectations takes it: not where it is empty."""
    try:
        return bool(name.encode())
    except UnicodeEncodeError:
        return False


# -- keys -----------------------------------------------------------------------------------------------------


def _is_key(name: str, column: pd.Series, place: int) -> bool:
    """Unique whole numbers or texts without nulls: in the first column, or where the name says it."""
    import pandas as pd

    if len(column) < evidence.MANY or column.isna().any() or not (KEY.search(name) or place == 0):
        return False
    if not (pd.api.types.is_integer_dtype(column.dtype) or evidence.is_text(column)):
        return False
    return bool(column.is_unique)


def _pair(columns: dict[str, pd.Series]) -> tuple[str, str] | None:
    """Two columns that identify a row together, where it would be a wonder if they did so by chance."""
    import pandas as pd

    rows = len(next(iter(columns.values()), ()))
    if not evidence.MANY <= rows <= ROWS:
        return None
    kinds, counts = pd.api.types, {}
    for name in [name for name in columns if KEY.search(name) or WITH.search(name)][:CANDIDATES]:
        column = columns[name]
        if column.notna().all() and not kinds.is_float_dtype(column.dtype) and (str(column.dtype) != "object" or evidence.is_text(column)):
            counts[name] = int(column.nunique())
    for first, second in combinations(counts, 2):
        few, many = sorted((counts[first], counts[second]))
        if few < 2 or many == rows or few * many < rows or rows * rows / 2 / few / many < CHANCE:
            continue
        if not pd.DataFrame({0: columns[first], 1: columns[second]}).duplicated().any():
            return first, second
    return None


# -- columns compared -----------------------------------------------------------------------------------------


def _comparisons(columns: dict[str, pd.Series]) -> Iterator[Line]:
    """Columns of instants, and columns named as ends of a range, of which one is never more than the other."""
    import pandas as pd

    kinds = pd.api.types
    instants = [name for name, column in columns.items() if kinds.is_datetime64_any_dtype(column.dtype)][:INSTANTS]
    found = [pair for one, other in combinations(instants, 2) for pair in ((one, other), (other, one)) if _ordered(columns, *pair)]
    numbers = [n for n, c in columns.items() if kinds.is_numeric_dtype(c.dtype) and not kinds.is_bool_dtype(c.dtype)]
    found += [pair for pair in _named(numbers) if _ordered(columns, *pair)]
    through = {(a, d) for a, b in found for c, d in found if b == c}
    for low, high in found:
        if (low, high) not in through:
            rows = int((columns[low].notna() & columns[high].notna()).sum())
            yield f"{written_safely(low)} <= {written_safely(high)}", f"on all {rows:,} rows that have both"


def _named(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    known = {name.lower(): name for name in names}
    for lower, name in known.items():
        words = re.split(r"([_\W]+)", lower)
        for first, last in ENDS:
            if first in words:
                other = known.get("".join(last if word == first else word for word in words))
                if other is not None:
                    yield name, other


def _ordered(columns: dict[str, pd.Series], low: str, high: str) -> bool:
    first, second = columns[low], columns[high]
    both = first.notna() & second.notna()
    if int(both.sum()) < evidence.MANY:
        return False
    try:
        return bool((first[both] <= second[both]).all() and (first[both] < second[both]).any())
    except TypeError:
        return False
