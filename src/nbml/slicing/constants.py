"""Plain values as Python expressions that give them again."""

from __future__ import annotations

import ast
import datetime
import decimal
import enum
import fractions
import functools
import logging
import math
import pathlib
import re
import sys
import types
import uuid
from collections.abc import Callable, Iterator
from typing import Any

#: how many leaves a container may have to be written out
LEAVES = 500
#: how wide a line may be
WIDTH = 100
_ATOMS = (int, float, complex, str, bytes, bool, type(None), type(...))

#: gives the expression of a value that is no plain one, or None where it cannot be one
Other = Callable[[Any], "str | None"]
#: gives the name by which a module is known
Module = Callable[[str], str]


class Writer:
    """Writes values as expressions; ``module`` names a module and sees to its import, ``other`` knows notebook objects."""

    def __init__(self, module: Module, other: Other) -> None:
        self._module, self._other = module, other

    def expression(self, value: Any, margin: int = 0) -> str | None:
        """An expression for ``value``, laid out for a line that has ``margin`` columns before it; None where there is none."""
        if not self.plain(value):
            return None
        return self._write(value, margin)

    def plain(self, value: Any) -> bool:
        """Whether a value is a tree of few enough parts: nothing in it stands twice, or in itself."""
        seen: set[int] = set()
        waiting, count = [value], 0
        while waiting:
            found = waiting.pop()
            count += 1
            if count > LEAVES:
                return False
            if isinstance(found, (list, set, dict)) and found:
                if id(found) in seen:
                    return False
                seen.add(id(found))
            waiting += _inner(found)
        return True

    def _write(self, value: Any, margin: int) -> str | None:
        kind = type(value)
        if kind in _ATOMS:
            return _atom(value)
        if kind in (list, tuple, set, frozenset, dict):
            return self._container(value, margin)
        known = self._known(value)
        return known if known is not None else self._other(value)

    def _container(self, value: Any, margin: int) -> str | None:
        parts: list[str] = []
        entries = value.items() if isinstance(value, dict) else [(None, v) for v in _ordered(value)]
        for key, entry in entries:
            written = self._write(entry, margin + 4)
            if isinstance(value, dict):
                label = self._write(key, margin + 4)
                written = None if written is None or label is None else f"{label}: {written}"
            if written is None:
                return None
            parts.append(written)
        open_, close, empty = _brackets(value)
        if not parts:
            return empty
        line = f"{open_}{', '.join(parts)}{',' if isinstance(value, tuple) and len(parts) == 1 else ''}{close}"
        if len(line) + margin <= WIDTH and "\n" not in line:
            return line
        inner = "".join(f"    {_indented(part)},\n" for part in parts)
        return f"{open_}\n{inner}{close}"

    def _known(self, value: Any) -> str | None:
        """Values of the standard library, and of numpy and pandas, that a short expression gives again."""
        kind = type(value)
        module, name = kind.__module__, kind.__name__
        if kind in (datetime.date, datetime.datetime, datetime.time, datetime.timedelta, datetime.timezone):
            return _checked(repr(value), value, "datetime", self._module("datetime"), datetime)
        if kind in (decimal.Decimal, fractions.Fraction, uuid.UUID):
            return f"{self._module(module)}.{value!r}"
        if isinstance(value, pathlib.PurePath) and module.startswith("pathlib"):
            return f"{self._module('pathlib')}.Path({str(value)!r})" if isinstance(value, pathlib.Path) else None
        if kind is re.Pattern:
            return self._pattern(value)
        if kind in (range, slice):
            return repr(value) if all(type(p) in (int, type(None)) for p in (value.start, value.stop, value.step)) else None
        if kind is logging.Logger:
            return f"{self._module('logging')}.getLogger({value.name!r})"
        if kind is functools.partial:
            return self._partial(value)
        if kind is types.MappingProxyType:
            inner = self._write(dict(value), 0)
            return None if inner is None else f"{self._module('types')}.MappingProxyType({inner})"
        if isinstance(value, enum.Enum):
            owner = self._other(kind)
            return f"{owner}.{value.name}" if owner and value.name and value.name.isidentifier() else None
        numpy = sys.modules.get("numpy")
        if numpy is not None and isinstance(value, numpy.generic) and module == "numpy" and value.dtype.kind in "fiub":
            real = repr(value.item()) if value.dtype.kind in "iub" or math.isfinite(value.item()) else f'"{value.item()}"'
            return f"{self._module('numpy')}.{name.rstrip('_') if name != 'bool' and name != 'bool_' else 'bool_'}({real})"
        return None

    def _pattern(self, value: re.Pattern[Any]) -> str:
        flags = re.RegexFlag(value.flags & ~(re.UNICODE if isinstance(value.pattern, str) else 0))
        module = self._module("re")
        extra = "".join(f" | {module}.{flag.name}" for flag in flags)
        return f"{module}.compile({value.pattern!r}{', ' + extra[3:] if extra else ''})"

    def _partial(self, value: functools.partial[Any]) -> str | None:
        parts = [self._write(value.func, 0), *(self._write(a, 0) for a in value.args)]
        named = {name: self._write(v, 0) for name, v in value.keywords.items()}
        if any(p is None for p in (*parts, *named.values())) or value.__dict__:
            return None
        arguments = [str(p) for p in parts] + [f"{name}={v}" for name, v in named.items()]
        return f"{self._module('functools')}.partial({', '.join(arguments)})"


def _inner(value: Any) -> list[Any]:
    if isinstance(value, (dict, types.MappingProxyType)):
        return [*value.keys(), *value.values()]
    if isinstance(value, (list, tuple, set, frozenset)):
        return list(value)
    if isinstance(value, functools.partial):
        return [*value.args, *value.keywords.values()]
    return []


def _atom(value: Any) -> str:
    if isinstance(value, float) and not isinstance(value, bool) and not math.isfinite(value):
        return f'float("{value}")'
    if isinstance(value, complex) and not (math.isfinite(value.real) and math.isfinite(value.imag)):
        return f"complex({_atom(value.real)}, {_atom(value.imag)})"
    if value is ...:
        return "..."
    return text(value) if isinstance(value, str) else repr(value)


def text(value: str) -> str:
    """A str as a literal, in double quotes where that needs no escaping; several lines as such."""
    if "\n" in value.strip("\n") and value.isprintable() is False:
        block = '"""' + value.replace("\\", "\\\\").replace('"""', '\\"\\"\\"') + '"""'
        if not value.endswith('"') and all(c == "\n" or c.isprintable() for c in value) and ast.literal_eval(block) == value:
            return block
    plain = repr(value)
    if plain.startswith("'") and '"' not in value and "\\'" not in plain:
        return f'"{plain[1:-1]}"'
    return plain


def _indented(part: str) -> str:
    """A part on its own line; the lines of a text in three quotes are left where they are."""
    return part if '"""' in part else part.replace("\n", "\n    ")


def _ordered(value: Any) -> Iterator[Any]:
    if not isinstance(value, (set, frozenset)):
        return iter(value)
    return iter(sorted(value, key=lambda v: (type(v).__name__, repr(v))))


def _brackets(value: Any) -> tuple[str, str, str]:
    if isinstance(value, dict):
        return "{", "}", "{}"
    if isinstance(value, list):
        return "[", "]", "[]"
    if isinstance(value, tuple):
        return "(", ")", "()"
    return ("frozenset({", "})", "frozenset()") if isinstance(value, frozenset) else ("{", "}", "set()")


def _checked(text: str, value: Any, name: str, known_as: str, module: types.ModuleType) -> str | None:
    """``text`` where evaluating it gives an equal value (a time with a foreign time zone does not)."""
    try:
        if eval(text, {name: module}) != value:  # noqa: S307 - the repr of a value of the standard library
            return None
    except Exception:
        return None
    return re.sub(rf"\b{name}\.", f"{known_as}.", text)


def literal(source: str) -> tuple[bool, Any]:
    """Whether an expression is a literal, and its value."""
    try:
        return True, ast.literal_eval(source)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False, None


def equal(one: Any, other: Any) -> bool:
    """Whether two plain values are alike in type, order and value, throughout."""
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, dict):
        return len(one) == len(other) and all(equal(a, b) and equal(one[a], other[b]) for a, b in zip(one, other, strict=True))
    if isinstance(one, (set, frozenset)):
        return bool(one == other) and sorted(map(repr, one)) == sorted(map(repr, other))
    return repr(one) == repr(other)


def literal_text(value: Any) -> str:
    """A value in a few words."""
    return short(repr(value))


def short(text: str) -> str:
    """A text on one line, of at most 60 characters."""
    found = " ".join(text.split())
    return found if len(found) <= 60 else found[:57] + "..."
