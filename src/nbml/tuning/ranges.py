"""Ranges: what may stand where a value would. Frozen, without any tool.

A sampler knows a range by its *raw* values: the number itself, or for a choice the position of the option.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from nbml import errors

Raw = int | float
#: what JSON keeps as it is
PLAIN = (bool, int, float, str, type(None))


@dataclass(frozen=True)
class Site:
    """Where a range was written: columns count bytes from 0, as in ``ast``."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, repr=False, kw_only=True)
class Range:
    """A set of values. ``name`` and ``site`` say where it was written and are no part of what it is."""

    name: str | None = field(default=None, compare=False)
    site: Site | None = field(default=None, compare=False)

    def value(self, raw: Raw) -> Any:
        """The value that a raw one stands for."""
        raise NotImplementedError

    def raw(self, value: Any) -> Raw | None:
        """The raw value of ``value``, or None where it is not in the range."""
        raise NotImplementedError

    def label(self, raw: Raw) -> Any:
        """The value as a record shows it: JSON."""
        return self.value(raw)

    def spec(self) -> dict[str, Any]:
        """The range as JSON; ``from_spec`` gives one with the same raw values."""
        raise NotImplementedError

    def middle(self) -> Raw:
        """The raw value that stands for the range where nothing says more."""
        raise NotImplementedError

    def points(self) -> Sequence[Raw] | None:
        """All raw values in order, or None where they cannot be counted."""
        raise NotImplementedError


@dataclass(frozen=True, repr=False)
class Float(Range):
    """The floats from ``low`` to ``high``, both included."""

    low: float
    high: float
    log: bool = False
    step: float | None = None

    def __post_init__(self) -> None:
        _check(self)

    def __repr__(self) -> str:
        return f"tune.float({_ends(self)})"

    def value(self, raw: Raw) -> float:
        return float(raw)

    def raw(self, value: Any) -> Raw | None:
        if not _number(value) or not self.low <= value <= self.high:
            return None
        if self.step is None:
            return float(value)
        return next((point for point in self.points() or () if math.isclose(point, value)), None)

    def spec(self) -> dict[str, Any]:
        return {"kind": "float", "low": self.low, "high": self.high, "log": self.log, "step": self.step}

    def middle(self) -> Raw:
        if self.step is not None:
            points = self.points() or [self.low]
            return points[len(points) // 2]
        return math.sqrt(self.low * self.high) if self.log else (self.low + self.high) / 2

    def points(self) -> Sequence[Raw] | None:
        if self.step is None:
            return [self.low] if self.low == self.high else None
        low, high, step = (Decimal(repr(end)) for end in (self.low, self.high, self.step))
        return [float(low + i * step) for i in range(int((high - low) // step) + 1)]  # decimal: 0.1, 0.2, 0.3


@dataclass(frozen=True, repr=False)
class Int(Range):
    """The whole numbers from ``low`` to ``high``, both included."""

    low: int
    high: int
    log: bool = False
    step: int | None = None

    def __post_init__(self) -> None:
        _check(self)

    def __repr__(self) -> str:
        return f"tune.int({_ends(self)})"

    def value(self, raw: Raw) -> int:
        return int(raw)

    def raw(self, value: Any) -> Raw | None:
        if not _number(value) or value != int(value) or not self.low <= value <= self.high:
            return None
        return int(value) if (int(value) - self.low) % (self.step or 1) == 0 else None

    def spec(self) -> dict[str, Any]:
        return {"kind": "int", "low": self.low, "high": self.high, "log": self.log, "step": self.step}

    def middle(self) -> int:
        middle = round(math.sqrt(self.low * self.high)) if self.log else (self.low + self.high) // 2
        return middle - (middle - self.low) % (self.step or 1)

    def points(self) -> Sequence[Raw] | None:
        return range(self.low, self.high + 1, self.step or 1)


@dataclass(frozen=True, repr=False)
class Choice(Range):
    """One of ``options``, whatever they are; estimators among them may hold ranges."""

    options: tuple[Any, ...]

    def __post_init__(self) -> None:
        if not self.options:
            raise errors.BadArgument("tune.choice([]): there is nothing to choose from")

    def __repr__(self) -> str:
        return f"tune.choice({list(self.options)!r})"

    def value(self, raw: Raw) -> Any:
        return self.options[int(raw)]

    def raw(self, value: Any) -> Raw | None:
        for position, option in enumerate(self.options):
            if option is value or (type(option) is type(value) and isinstance(option, (*PLAIN, tuple)) and option == value):
                return position
        return None

    def label(self, raw: Raw) -> Any:
        return self.labels[int(raw)]

    @property
    def labels(self) -> list[Any]:
        """A readable JSON value for each option; the same one is never given twice."""
        found = [label(option) for option in self.options]
        counts, seen = Counter(map(repr, found)), Counter[str]()
        out = []
        for one in found:
            seen[repr(one)] += 1
            out.append(f"{one} ({seen[repr(one)]})" if counts[repr(one)] > 1 else one)
        return out

    def spec(self) -> dict[str, Any]:
        return {"kind": "choice", "labels": self.labels}

    def middle(self) -> int:
        return 0

    def points(self) -> Sequence[Raw] | None:
        return range(len(self.options))


def choice(options: Any, **where: Any) -> Choice:
    """A Choice of a list, tuple or other sequence. Raises errors.BadArgument."""
    listed = isinstance(options, (Sequence, set, frozenset)) or hasattr(options, "tolist")
    if isinstance(options, (str, bytes)) or not listed:
        raise errors.BadArgument(f"tune.choice({options!r}): a list is needed, as in tune.choice([1, 2, 3])")
    return Choice(tuple(options.tolist() if hasattr(options, "tolist") else options), **where)


def from_spec(spec: dict[str, Any]) -> Range:
    """A range with the same raw values as the one that ``spec`` is of; a choice's options are its labels."""
    if spec["kind"] == "choice":
        return Choice(tuple(spec["labels"]))
    kind = {"float": Float, "int": Int}[spec["kind"]]
    return kind(spec["low"], spec["high"], spec["log"], spec["step"])


def label(value: Any) -> Any:
    """Any value as readable JSON."""
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, (list, tuple)):
        return [label(part) for part in value]
    if isinstance(value, dict):
        return {str(key): label(part) for key, part in value.items()}
    if hasattr(value, "get_params") and not isinstance(value, type):
        return type(value).__name__
    named = getattr(value, "__name__", None)
    return named if isinstance(named, str) else str(value)[:80]


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _ends(found: Float | Int) -> str:
    text = f"{found.low!r}, {found.high!r}"
    text += ", log=True" if found.log else ""
    return text + (f", step={found.step!r}" if found.step is not None else "")


def _check(found: Float | Int) -> None:
    """Numbers of the right kind, in order, with a scale that they can have."""
    whole = isinstance(found, Int)
    for end in (found.low, found.high, *(() if found.step is None else (found.step,))):
        if not _number(end) or (whole and end != int(end)):
            raise errors.BadArgument(f"{found!r}: {end!r} is no {'whole ' if whole else ''}number")
    if found.low > found.high:
        raise errors.BadArgument(f"{found!r}: the lower end lies above the upper", next=_turned(found))
    if found.log and found.low <= 0:
        raise errors.BadArgument(f"{found!r}: a logarithmic range begins above 0")
    if found.step is not None and (found.log or found.step <= 0):
        raise errors.BadArgument(f"{found!r}: " + ("log and step exclude each other" if found.log else "a step is above 0"))
    object.__setattr__(found, "low", int(found.low) if whole else float(found.low))
    object.__setattr__(found, "high", int(found.high) if whole else float(found.high))
    if found.step is not None:
        object.__setattr__(found, "step", int(found.step) if whole else float(found.step))


def _turned(found: Float | Int) -> str:
    word = "int" if isinstance(found, Int) else "float"
    return f"nbml.tune.{word}({found.high!r}, {found.low!r})"
