"""Names and texts made to fit what a tool takes, and the sentences that say so."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

#: names that a sentence lists before it says how many more there are
LISTED = 5


def fitted(names: Iterable[str], fit: Callable[[str], str], longest: int) -> dict[str, str]:
    """Each name -> its name there: as it is where it fits. Two names never become one.

    The same names give the same answer, and a name that comes later does not change the others': what has been sent is
    found again. ``fit`` replaces what a name may not hold.
    """
    found: dict[str, str] = {}
    for name in names:
        there = fit(name)
        if there != name or len(there) > longest:
            mark = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:6]
            there = f"{there[: longest - 7]}_{mark}"
        found[name] = there
    return found


def renamed(what: str, names: Mapping[str, str]) -> list[str]:
    """One sentence for the names that are others there."""
    other = [f"{short(name)} is {short(there)}" for name, there in names.items() if name != there]
    return [f"{what}: {listed(other)} there"] if other else []


def listed(parts: list[str]) -> str:
    """The first few, and how many more."""
    more = f" and {len(parts) - LISTED} more" if len(parts) > LISTED else ""
    return ", ".join(parts[:LISTED]) + more


def short(text: str, most: int = 40) -> str:
    """A name as a sentence can hold it: how it begins and ends."""
    return text if len(text) <= most else f"{text[: most - 15]}...{text[-12:]}"


def cut(what: str, value: str, longest: int, left: list[str]) -> str:
    """A text that is not too long; what is cut is said in ``left``."""
    if len(value) <= longest:
        return value
    left.append(f"{what} is cut to {longest:,} of its {len(value):,} characters")
    return value[: longest - 3] + "..."


def infinities(series: Mapping[str, tuple[Any, Any, Any]]) -> dict[str, int]:
    """Metric -> how many of its values are infinite, where any is."""
    counts = {name: sum(map(math.isinf, values)) for name, (_, _, values) in series.items()}
    return {name: count for name, count in counts.items() if count}
