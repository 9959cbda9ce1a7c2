"""Text as dates of a strftime format, as ``datetime.strptime`` reads it.

A value of a common format that fits a narrow regular expression (ASCII digits, no day that its month may lack) is one for
certain; all others are given to ``strptime`` itself.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from nbml.validation.evaluating.facts import FEW, objects

if TYPE_CHECKING:
    import pandas as pd

    from nbml.validation.evaluating.kernel import Mask

#: directive -> what it surely takes
SURE = {
    "Y": r"(?:[1-9][0-9][0-9][0-9]|0[1-9][0-9][0-9]|00[1-9][0-9]|000[1-9])",
    "y": "[0-9][0-9]",
    "H": "(?:[01][0-9]|2[0-3])",
    "I": "(?:0[1-9]|1[0-2])",
    "M": "[0-5][0-9]",
    "S": "[0-5][0-9]",
    "f": "[0-9][0-9][0-9][0-9][0-9][0-9]",
}
MONTH = "(?:0[1-9]|1[0-2])"
#: months with days that all of them have
DAYS = (
    (MONTH, "(?:0[1-9]|1[0-9]|2[0-8])"),
    ("(?:0[13-9]|1[0-2])", "(?:29|30)"),
    ("(?:0[13578]|1[02])", "31"),
)


@lru_cache
def sure(form: str) -> str | None:
    """A regular expression of text that surely is of a format; None where the format is not a common one."""
    found = [_sure(form, month, day) for month, day in (DAYS if "%m" in form else DAYS[:1])]
    whole = [pattern for pattern in found if pattern is not None]
    return f"(?:{'|'.join(whole)})" if len(whole) == len(found) else None


def _sure(form: str, month: str, day: str) -> str | None:
    parts = re.split(r"%(.)", form, flags=re.DOTALL)
    if "%" in "".join(parts[::2]) or len(set(parts[1::2])) < len(parts[1::2]) or {"H", "I"} <= set(parts[1::2]):
        return None
    known = {**SURE, "m": month, "d": day}
    if any(part not in known for part in parts[1::2]) or any(not part.isascii() for part in parts[::2]):
        return None
    return "".join(known[part] if place % 2 else re.escape(part) for place, part in enumerate(parts))


def broken_dates(text: pd.Series, form: str) -> Mask:
    """Text that ``strptime`` does not read by the format."""
    broken = np.zeros(len(text), dtype=bool)
    pattern = sure(form)
    if pattern is None:
        rest = np.arange(len(text))
    elif len(text) <= FEW:
        fits = re.compile(pattern).fullmatch
        rest = np.array([place for place, value in enumerate(objects(text)) if fits(value) is None], dtype=np.intp)
    else:
        rest = np.flatnonzero(~text.str.fullmatch(pattern).to_numpy(dtype=bool))
    if len(rest):
        broken[rest] = [not is_date(value, form) for value in objects(text.iloc[rest])]
    return broken


def is_date(value: str, form: str) -> bool:
    try:
        dt.datetime.strptime(value, form)
    except ValueError:
        return False
    return True
