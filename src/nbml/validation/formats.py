"""The format of a column of texts, found by evidence: every value has it."""

from __future__ import annotations

import re
from collections.abc import Sequence

#: least different values from which a format means something
DIFFERENT = 20
#: what is looked at before all values are
FIRST = 200
#: what a value is -> its pattern
KNOWN = {
    "e-mail addresses": r"^[^@\s]+@[^@\s]+\.[^@\s]+$",
    "web addresses": r"^https?://\S+$",
    "UUIDs": r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$",
}
#: dates as text -> what such a text looks like; the ones by which a text cannot be read in two ways
DATES = {
    "%Y-%m-%d": r"\d{4}-\d\d-\d\d",
    "%Y-%m-%d %H:%M:%S": r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d",
    "%Y-%m-%dT%H:%M:%S": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d",
    "%Y/%m/%d": r"\d{4}/\d\d/\d\d",
    "%d.%m.%Y": r"\d\d\.\d\d\.\d{4}",
    "%H:%M:%S": r"\d\d:\d\d:\d\d",
    "%H:%M": r"\d\d:\d\d",
}
#: most characters of a code, and most pieces of it
LONG, PIECES = 40, 9
PIECE = re.compile(r"[0-9]+|[A-Z]+|[a-z]+|[^0-9A-Za-z]")
CLASSES = {"0": "[0-9]", "A": "[A-Z]", "a": "[a-z]"}
#: what stands between the digits of a telephone number
DIALLED = set("+-()/. ")


def of_days(values: Sequence[str]) -> str | None:
    """The pattern of texts that are all days: there are always others to come, however few there are now."""
    days = {pattern: looks for pattern, looks in DATES.items() if "%d" in pattern}
    return next((pattern for pattern, looks in days.items() if values and _all(looks, values) and _dates(values, pattern)), None)


def of_texts(values: Sequence[str]) -> tuple[str, str, str] | None:
    """``matches`` or ``format``, its pattern, and what the values are; ``values`` are different from each other."""
    if len(values) < DIFFERENT:
        return None
    for pattern, looks in DATES.items():
        if _all(looks, values) and _dates(values, pattern):
            return "format", pattern, "dates" if "%d" in pattern else "times"
    for what, pattern in KNOWN.items():
        if _all(pattern, values):
            return "matches", pattern, what
    code = _code(values)
    return ("matches", code, "codes of this form") if code and _all(code, values) else None


def _all(pattern: str, values: Sequence[str]) -> bool:
    found = re.compile(pattern)
    return all(found.fullmatch(value) for value in values[:FIRST]) and all(found.fullmatch(value) for value in values)


def _dates(values: Sequence[str], pattern: str) -> bool:
    import pandas as pd

    return bool(pd.to_datetime(pd.Series(list(values), dtype=object), format=pattern, errors="coerce").notna().all())


def _code(values: Sequence[str]) -> str | None:
    """The pattern of codes: the same kinds of pieces in each, as in ``^ORD-[0-9]{5}$``. None for words and telephone numbers."""
    if any(not 2 <= len(value) <= LONG or any(char.isspace() for char in value) for value in values):
        return None
    shapes = {tuple(_kind(piece) for piece in PIECE.findall(value)) for value in values[:FIRST]}
    kinds = next(iter(shapes))
    if len(shapes) != 1 or len(kinds) > PIECES:
        return None
    pieces = [PIECE.findall(value) for value in values]
    if any(len(found) != len(kinds) for found in pieces):
        return None
    places = [{found[place] for found in pieces} for place in range(len(kinds))]
    fixed = len({len(value) for value in values}) == 1
    digits = any(kind == "0" for kind in kinds)
    if not fixed and (len(kinds) == 1 or not digits):
        return None
    if not digits and (len(kinds) == 1 and len(values[0]) > 4):
        return None
    if _dialled(kinds, values):
        return None
    return "^" + "".join(_piece(kind, seen) for kind, seen in zip(kinds, places, strict=True)) + "$"


def _kind(piece: str) -> str:
    return "0" if piece[0] in "0123456789" else "A" if "A" <= piece[0] <= "Z" else "a" if "a" <= piece[0] <= "z" else piece


def _dialled(kinds: Sequence[str], values: Sequence[str]) -> bool:
    """Whether a code may be a telephone number: nobody's country or habit is a rule for the next one."""
    return all(kind == "0" or kind in DIALLED for kind in kinds) and (len(kinds) > 1 or len(values[0]) >= 9)


def _piece(kind: str, seen: set[str]) -> str:
    if kind not in CLASSES:
        return kind if kind in "-_:/@#" else re.escape(kind)
    if len(seen) == 1 and kind != "0":
        return next(iter(seen))
    lengths = {len(piece) for piece in seen}
    low, high = min(lengths), max(lengths)
    return CLASSES[kind] + (f"{{{low}}}" if low == high else f"{{1,{high + 2}}}")

