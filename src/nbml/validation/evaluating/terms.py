"""Arguments of an expectation, as Great Expectations' models take them; what they take in other ways is not read here."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

#: arguments that hold values of a column
VALUES = ("min_value", "max_value", "value_set")


class Foreign(Exception):
    """This expectation is for Great Expectations itself: an argument, a type or a value that is not judged here."""


Reader = Callable[[Any], Any]


def flag(value: Any) -> bool:
    if type(value) is not bool:
        raise Foreign
    return value


def number(value: Any) -> float:
    """A float field; whole numbers become floats."""
    if type(value) not in (int, float) or value != value:
        raise Foreign
    try:
        return float(value)
    except OverflowError:
        raise Foreign from None


def share(value: Any) -> float:
    found = number(value)
    if not 0 <= found <= 1:
        raise Foreign
    return found


def whole(value: Any) -> int:
    if type(value) is not int:
        raise Foreign
    return value


def bound(value: Any) -> Any:
    """A number or an instant."""
    return value if type(value) is dt.datetime else number(value)


def bound_or_text(value: Any) -> Any:
    """A number, an instant, or text that may be an instant."""
    return value if type(value) is str else bound(value)


def text(value: Any) -> str:
    if type(value) is not str:
        raise Foreign
    return value


def name(value: Any) -> str:
    if not text(value):
        raise Foreign
    return str(value)


def texts(value: Any) -> list[str]:
    if type(value) is not list:
        raise Foreign
    return [text(v) for v in value]


def some_texts(value: Any) -> list[str]:
    if not value:
        raise Foreign
    return texts(value)


def some_names(value: Any) -> list[str]:
    found = texts(value)
    if len(found) < 2 or len(set(found)) < len(found):
        raise Foreign
    return found


def values(value: Any) -> list[Any]:
    """A set of plain values."""
    if type(value) is not list or any(type(v) not in (str, int, float, bool, type(None), dt.datetime) for v in value):
        raise Foreign
    return value


def some_values(value: Any) -> list[Any]:
    if not value:
        raise Foreign
    return values(value)


def pairs(value: Any) -> list[tuple[Any, Any]]:
    if type(value) is not list or any(type(pair) not in (list, tuple) or len(pair) != 2 for pair in value):
        raise Foreign
    return [(values([pair[0]])[0], values([pair[1]])[0]) for pair in value]


def quantiles(value: Any) -> dict[str, Any]:
    """Quantiles with a range of numbers each."""
    if type(value) is not dict or set(value) != {"quantiles", "value_ranges"}:
        raise Foreign
    asked, ranges = value["quantiles"], value["value_ranges"]
    if type(asked) is not list or type(ranges) is not list or not asked or len(asked) != len(ranges):
        raise Foreign
    for pair in ranges:
        if type(pair) is not list or len(pair) != 2 or any(type(v) not in (int, float, type(None)) or v != v for v in pair):
            raise Foreign
        if None not in pair and pair[0] > pair[1]:
            raise Foreign
    for quantile in asked:
        share(quantile)
    return value


def relative(value: Any) -> str:
    """How pandas chooses a quantile between two values."""
    if value is False:
        return "nearest"
    return one_of("linear", "lower", "higher", "midpoint", "nearest")(value)


def one_of(*words: str) -> Reader:
    def read(value: Any) -> str:
        if type(value) is not str or value not in words:
            raise Foreign
        return value

    return read


def multiplier(value: Any) -> float:
    found = number(value)
    if found < 0:
        raise Foreign
    return found


def strftime(value: Any) -> str:
    """A format that Python writes and reads back."""
    form = text(value)
    try:
        dt.datetime.strptime(dt.datetime.now(tz=dt.UTC).strftime(form), form)
    except Exception:
        raise Foreign from None
    return form


class Absent:
    """An argument that has to be given."""


def read(kwargs: Mapping[str, Any], readers: Mapping[str, tuple[Reader, Any]]) -> dict[str, Any]:
    """All arguments, with their defaults. None stands for the default where there is one. Raises Foreign."""
    found = {}
    for key, value in kwargs.items():
        if key in ("row_condition", "condition_parser") and value is None:
            continue
        if key not in readers:
            raise Foreign
        if value is None and readers[key][1] is not None:
            raise Foreign
    for key, (reader, default) in readers.items():
        value = kwargs.get(key)
        if value is None:
            if default is Absent:
                raise Foreign
            found[key] = default
        else:
            found[key] = reader(value)
    return found


# -- what is brought into GX's form ----------------------------------------------------------------------------


def like_to_regex(pattern: str) -> str:
    """SQL's LIKE as a regular expression: % is anything, _ one character."""
    parts = {"%": ".*", "_": "."}
    return "^(?s:" + "".join(parts.get(char, re.escape(char)) for char in pattern) + r")\Z"


def instant(value: Any, column: str | None, frame: pd.DataFrame) -> Any:
    """A bound written as text becomes an instant where its column holds instants."""
    if isinstance(value, list):
        return [instant(v, column, frame) for v in value]
    if not isinstance(value, str) or column not in frame.columns:
        return value
    import pandas as pd

    dtype = frame[column].dtype
    return moment(value, dtype) if pd.api.types.is_datetime64_any_dtype(dtype) else value


def moment(value: str, dtype: Any) -> Any:
    """Text as an instant, in the time zone of a column of instants; text that is none stays."""
    import pandas as pd

    try:
        found = pd.Timestamp(value)
    except ValueError:
        return value
    zone = getattr(dtype, "tz", None)
    if zone is not None and found.tzinfo is None:
        found = found.tz_localize(zone)
    return found.to_pydatetime()


def finite(value: Any) -> bool:
    return not isinstance(value, float) or math.isfinite(value)
