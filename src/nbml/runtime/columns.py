"""One column of a request: JSON values in; the same values, of one kind, out. Nothing is guessed: "1" is not a number."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from . import instants

#: stands where a row has no value for a column
MISSING: Any = type("Missing", (), {"__repr__": lambda self: "nothing"})()
NULL = type(None)
_FLOATS = {"float16": 65504.0, "float32": 3.4028234663852886e38}


class Column:
    """A column of ``manifest["inputs"]``: name, kind, dtype. ``family`` says what it may be compared with.

    Values that come out: float, int, bool, str, or a category's own value; dates as text in one form. A null stays None.
    """

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self.name: str = spec["name"]
        self.kind: str = spec["kind"]
        self.dtype: str = str(spec.get("dtype", ""))
        self.categories: list[Any] = list(spec.get("categories") or [])
        if self.kind not in _KINDS:
            raise ValueError(f"column {self.name!r}: no kind {self.kind!r}; known: {', '.join(_KINDS)}")
        self.expected, self.family, self.plain, self._one = _KINDS[self.kind](self)
        self._low, self._high = _limits(self.dtype) if self.kind == "integer" else (0, 0)
        self._most = _FLOATS.get(self.dtype.lower(), math.inf)
        #: a list of plain values needs one more look at each
        self.look = self.kind == "integer" or self._most < math.inf

    def read(self, values: Sequence[Any]) -> tuple[list[Any], list[int]]:
        """The values, and the rows whose value is none of this column; None stands for those."""
        if self.plain.issuperset(map(type, values)) and not (self.look and not self._fit(values)):
            return list(values), []
        out: list[Any] = []
        wrong: list[int] = []
        for i, value in enumerate(values):
            try:
                out.append(None if value is None else self._one(value))
            except (ValueError, OverflowError):
                out.append(None)
                wrong.append(i)
        return out, wrong

    def comparable(self, values: Sequence[Any]) -> Sequence[Any]:
        """What checks compare: instants in place of their text."""
        if self.kind != "datetime":
            return values
        return [None if value is None else instants.instant(value) for value in values]

    def _fit(self, values: Sequence[Any]) -> bool:
        if self.kind == "integer":
            low, high = self._low, self._high
            return all(value is None or low <= value <= high for value in values)
        most = self._most
        return all(value is None or -most <= value <= most for value in values)

    # -- one value of each kind: raises ValueError or OverflowError -------------------------------------------

    def _number(self, value: Any) -> float:
        if type(value) not in (int, float):
            raise ValueError
        number = float(value)
        if not math.isfinite(number) or abs(number) > self._most:
            raise ValueError
        return number

    def _integer(self, value: Any) -> int:
        if type(value) is float and value.is_integer():
            value = int(value)
        if type(value) is not int or not self._low <= value <= self._high:
            raise ValueError
        return value

    def _datetime(self, value: Any) -> str:
        if type(value) is not str:
            raise ValueError
        return instants.canonical(value, self.dtype)


def _as(kind: type) -> Callable[[Any], Any]:
    def one(value: Any) -> Any:
        if type(value) is not kind:
            raise ValueError
        return value

    return one


_Kind = tuple[str, str, frozenset[type], Callable[[Any], Any]]


def _category(column: Column) -> _Kind:
    """A category is of the kind of its fellows; which ones the training rows had is no condition."""
    kinds = {type(category) for category in column.categories} or {str}
    if len(kinds) == 1 and kinds <= {str, bool}:
        return _KINDS["text" if kinds == {str} else "boolean"](column)
    taken = kinds | ({int, float} if kinds & {int, float} else set())
    own = {(type(category) is bool, category): category for category in column.categories}  # so that 1 and 1.0 are one

    def one(value: Any) -> Any:
        if type(value) not in taken or (type(value) is int and abs(value) > 2**64):
            raise ValueError
        return own.get((type(value) is bool, value), value)

    if kinds <= {int, float}:
        return "a number", "number", frozenset({NULL}), one
    return f"a value like {', '.join(map(repr, column.categories[:3]))}", "mixed", frozenset({NULL}), one


_KINDS: dict[str, Callable[[Column], _Kind]] = {
    "number": lambda c: ("a number", "number", frozenset({float, NULL}), c._number),
    "integer": lambda c: (_integers(c.dtype), "number", frozenset({int, NULL}), c._integer),
    "boolean": lambda c: ("true or false", "number", frozenset({bool, NULL}), _as(bool)),
    "text": lambda c: ("a text", "text", frozenset({str, NULL}), _as(str)),
    "datetime": lambda c: (_moments(c.dtype), "instant", frozenset({NULL}), c._datetime),
    "category": _category,
}


def _limits(dtype: str) -> tuple[int, int]:
    found = re.fullmatch(r"(u?)int(8|16|32|64)(\[pyarrow\])?", dtype.lower())
    unsigned, bits = (found.group(1) == "u", int(found.group(2))) if found else (False, 64)
    return (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _integers(dtype: str) -> str:
    low, high = _limits(dtype)
    return "an integer" if (low, high) == _limits("int64") else f"an integer from {low} to {high}"


def _moments(dtype: str) -> str:
    if instants.aware(dtype):
        return "an instant with its offset, as 2024-05-01T12:00:00+00:00"
    return "a date or a time without an offset, as 2024-05-01 or 2024-05-01T12:00:00"
