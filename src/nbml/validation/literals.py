"""Values as the language writes them."""

from __future__ import annotations

import json
from typing import Any


def literal(value: Any) -> str:
    """A value of JSON as Python writes it, in one line: texts in double quotes, lists in brackets."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{literal(key)}: {literal(one)}' for key, one in value.items())}}}"
    return repr(value)


def text(value: str) -> str:
    """A text in double quotes: raw where it holds backslashes and can be, characters that are not seen as escapes."""
    if "\\" in value and value.isprintable() and '"' not in value and not value.endswith("\\"):
        return f'r"{value}"'
    shown = json.dumps(value, ensure_ascii=False)
    return "".join(char if char.isprintable() else _escaped(char) for char in shown)


def _escaped(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"


def members(values: list[Any]) -> str:
    """Values as a set, or as a list where they are none."""
    return f"{{{', '.join(map(literal, values))}}}" if values else "[]"
