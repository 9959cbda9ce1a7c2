"""A run of another tool, as it is read."""

from __future__ import annotations

import hashlib
import re
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbml.store.bulk import Columns

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf|NaN|Infinity)")
_WORDS = {"True": True, "False": False, "None": None}


@dataclass
class Foreign:
    """One run of ``tool``. ``id`` is the tool's own, ``uid`` ours where nbml had sent it there; times are epoch seconds."""

    tool: str
    id: str
    name: str
    project: str
    state: str
    started: float
    ended: float | None
    uid: str = ""
    note: str = ""
    commit: str = ""
    tags: list[str] = field(default_factory=list)
    params: dict[str, Any] = field(default_factory=dict)
    series: dict[str, Columns] = field(default_factory=dict)

    @property
    def own(self) -> str:
        """The id that it has with us for good."""
        return self.uid or hashlib.sha256(f"{self.tool}\0{self.id}".encode()).hexdigest()[:10]

    def add(self, metric: str, step: int, when: float, value: float) -> None:
        """Take one point."""
        columns = self.series.get(metric)
        if columns is None:
            columns = self.series[metric] = (array("q"), array("d"), array("d"))
        columns[0].append(step)
        columns[1].append(when)
        columns[2].append(value)


@dataclass(frozen=True)
class Source:
    """Files of one tool, and what reads their runs. ``read`` raises errors.BadInput where they are damaged."""

    tool: str
    path: Path
    read: Callable[[Path], list[Foreign]]


def typed(text: str) -> Any:
    """A parameter that was kept as a text, as it was: a number, a truth value, None or the text."""
    if text in _WORDS:
        return _WORDS[text]
    if not _NUMBER.fullmatch(text):
        return text
    if re.fullmatch(r"[+-]?\d+", text):
        return int(text) if str(int(text)) == text else text
    return float(text)


def flat(values: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a row, those in it too, under names with dots."""
    found: dict[str, float] = {}
    for name, value in values.items():
        if isinstance(value, bool) or value is None:
            continue
        if isinstance(value, (int, float)) or value in ("NaN", "Infinity", "-Infinity"):
            found[name] = float(value)
        elif isinstance(value, Mapping) and "_type" not in value:
            found |= flat({f"{name}.{inner}": part for inner, part in value.items()})
    return found
