"""Patterns on texts that anybody may send. ``re`` tries again from every place: the time of a pattern that any text of 30 characters
meets can grow with the square of a text's length, or faster, and nothing else is answered meanwhile.

So a search begins only where its first repeat can begin, and a pattern whose time may grow faster than the text judges texts up
to a length, and the texts of one request for a while: those beyond are refused, never judged. Repeats within repeats, as in
``(a+)+``, may take long at any length.
"""

from __future__ import annotations

import re
from collections.abc import Callable

#: how fast the time may grow, as a power of the length -> characters of a text that is still judged: about a second
LONGEST = {2: 10_000, 3: 1_000}
STEEPER = 250
#: seconds for the texts of one request
PATIENCE = 2.0
#: one character of a kind, any number of times, at the beginning
_FIRST = re.compile(r"(\[(?:\\.|[^\]\\])+\]|\\[wWdDsS]|\.|[\w@-])[+*](?!\+)")
_ONE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_REPEAT = re.compile(r"[+*](?!\+)|\{\d*,\}")


class TooSlow(Exception):
    """The time for the texts of a request was over after row ``at``; ``broken`` are the rows that do not hold, or were not judged."""

    def __init__(self, broken: list[int], at: int) -> None:
        super().__init__(broken, at)
        self.broken, self.at = broken, at


class Pattern:
    """A regular expression. ``longest`` is the length of the longest text that it judges, None where there is no bound."""

    def __init__(self, regex: str) -> None:
        re.compile(regex)  # an error tells of the pattern as it was written
        first = _FIRST.match(regex)
        self._search = re.compile(f"(?<!{first[1]}){regex}" if first else regex).search
        self.longest = _longest(regex, anchored=first is not None or regex.startswith(("^", r"\A")))

    def fits(self, text: str) -> bool | None:
        """Whether there is a place in the text that fits; None for a text that is too long to be judged."""
        if self.longest is not None and len(text) > self.longest:
            return None
        return self._search(text) is not None


def _longest(regex: str, *, anchored: bool) -> int | None:
    """Each repeat without an end is a power, and so is a beginning that may be anywhere; a pattern without repeats has none."""
    bare = _ONE.sub("x", regex)
    repeats = len(_REPEAT.findall(bare))
    power = repeats + (not anchored or "|" in bare) if repeats else 1
    return None if power <= 1 else LONGEST.get(power, STEEPER)


def like(pattern: str) -> Callable[[str], bool]:
    """SQL's LIKE: % is anything, _ one character. What stands between two % is sought once, where it is first: no text takes long."""
    parts = ["".join("." if char == "_" else re.escape(char) for char in part) for part in pattern.split("%")]
    middle = "".join(f"(?>.*?{part})" for part in parts[1:-1] if part)
    fits = re.compile(f"{parts[0]}{middle}.*{parts[-1]}" if len(parts) > 1 else parts[0], re.DOTALL).fullmatch
    return lambda text: fits(text) is not None
