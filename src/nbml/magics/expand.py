"""``{name}`` and ``$name`` in a word: the value of a name in the notebook, as text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nbml import errors

NAME = re.compile(r"\{\{|\}\}|\$\$|\{([A-Za-z_]\w*)\}|\$([A-Za-z_]\w*)")
KEPT = {"{{": "{", "}}": "}", "$$": "$"}


def expand(text: str, names: Mapping[str, Any]) -> str:
    """``text`` with the values of names. Raises errors.UnknownName; single quotes around a word keep it as typed."""

    def value(found: re.Match[str]) -> str:
        if found[0] in KEPT:
            return KEPT[found[0]]
        name = found[1] or found[2]
        if name not in names:
            message = f"no name {name!r} in this notebook for {found[0]} of {text!r}; single quotes keep it as typed"
            raise errors.UnknownName(message, next="%whos")
        return str(names[name])

    return NAME.sub(value, text)
