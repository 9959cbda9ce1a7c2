"""Dates and times as ISO 8601 text, the only form in which JSON carries them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

_FORM = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ]((?:[01]\d|2[0-3]):[0-5]\d)(?::([0-5]\d)(?:[.,](\d{1,9}))?)?\s?(Z|z|[+-]\d\d(?::?\d\d)?)?)?", re.ASCII
)
#: what 64 bits of nanoseconds hold
_NS = (datetime(1677, 9, 22), datetime(2262, 4, 11))
#: what every zone can name
_CALENDAR = (datetime(1, 1, 2), datetime(9999, 12, 30))


def canonical(text: str, dtype: str) -> str:
    """``text`` in one form: ``2024-05-01T12:00:00[.fraction][+00:00]``, at most nine digits of a second, nothing rounded.

    Raises ValueError where it is no instant, has an offset that a column of ``dtype`` has not (or the other way), or
    lies outside what the dtype holds.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(text)
    day, minute, second, fraction, offset = found.groups()
    if (offset is not None) != aware(dtype):
        raise ValueError(text)
    out = f"{day}T{minute or '00:00'}:{second or '00'}"
    if offset is not None:
        digits = "+0000" if offset in "Zz" else offset.replace(":", "").ljust(5, "0")
        zone = f"{digits[:3]}:{digits[3:]}"
    else:
        zone = ""
    moment = datetime.fromisoformat(out + zone)
    if zone:
        if not _CALENDAR[0] <= moment.replace(tzinfo=None) <= _CALENDAR[1]:
            raise ValueError(text)
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    if "[ns" in dtype and not _NS[0] <= moment <= _NS[1]:
        raise ValueError(text)
    return f"{out}.{fraction}{zone}" if fraction else out + zone


def aware(dtype: str) -> bool:
    """Whether a column of this dtype holds instants with a time zone, as ``datetime64[ns, UTC]``."""
    return "," in dtype


def instant(text: str) -> tuple[datetime, int]:
    """What two canonical texts are compared by: the moment, and the nanoseconds below its microsecond."""
    found = re.search(r"\.(\d+)", text)
    if found is None:
        return datetime.fromisoformat(text), 0
    digits = found.group(1).ljust(9, "0")
    return datetime.fromisoformat(f"{text[: found.start()]}.{digits[:6]}{text[found.end() :]}"), int(digits[6:])


def bound(text: str, dtype: str) -> tuple[datetime, int]:
    """A bound of an expectation, written as text, as an instant of a column of ``dtype``.

    Without an offset it is meant in the column's zone. Raises ValueError where it cannot be compared with the column.
    """
    try:
        return instant(canonical(text, dtype))
    except ValueError:
        if not aware(dtype):
            raise
    moment, rest = instant(canonical(text, "datetime64[ns]"))
    return moment.replace(tzinfo=_zone(dtype.partition(",")[2].rstrip("] ").strip())), rest


def _zone(name: str) -> tzinfo:
    """The zone of a pandas dtype. Raises ValueError where this machine does not know it."""
    if name == "UTC":
        return UTC
    fixed = re.fullmatch(r"UTC([+-])(\d\d):(\d\d)", name)
    if fixed:
        sign, hours, minutes = fixed.groups()
        away = timedelta(hours=int(hours), minutes=int(minutes))
        return timezone(-away if sign == "-" else away)
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError as error:
        raise ValueError(name) from error
