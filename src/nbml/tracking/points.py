"""What may be logged: names, numbers and a step, checked before they are queued."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from typing import Any

from nbml import errors

#: a step fits into 64 bits
HIGHEST = 2**63 - 1
#: characters of a metric's name
LONGEST = 10_000

#: names that were found to be in order
_known: set[str] = set()


def checked(values: Mapping[str, Any] | None, metrics: Mapping[str, Any]) -> dict[str, float]:
    """All values as floats. Raises errors.BadArgument naming what is no number, errors.BadName for a name that is none."""
    given: Mapping[str, Any]
    if values is None:
        given = metrics
    elif not metrics and type(values) is dict:
        given = values.copy()
    elif isinstance(values, Mapping):
        given = {**values, **metrics}
    else:
        raise errors.BadArgument(f"log takes a dict of numbers, not {type(values).__name__}", next="nbml.log(auc=0.91)")
    if not given:
        raise errors.BadArgument("log was given no number", next="nbml.log(auc=0.91)")
    for name, value in given.items():
        if type(value) is not float or name not in _known:
            break
    else:
        return given if type(given) is dict else dict(given)
    return {_name(name): value if type(value) is float else number(name, value) for name, value in given.items()}


def number(name: str, value: Any) -> float:
    """One value as a float: Python's and numpy's numbers, 0-d arrays and tensors. Raises errors.BadArgument."""
    if not isinstance(value, (str, bytes, bytearray)) and getattr(value, "shape", ()) == () and hasattr(value, "__float__"):
        try:
            return float(value)
        except (TypeError, ValueError, OverflowError):
            pass
    shape = getattr(value, "shape", None)
    if isinstance(value, int):
        what = "an int that is too large for a float"
    elif isinstance(value, str):
        what = f"the text {value[:40]!r}"
    else:
        what = type(value).__name__ + (f" of shape {tuple(shape)}" if isinstance(shape, tuple) and shape else "")
    said = _said(value)
    raise errors.BadArgument(f"the metric {name!r} is no number: {what}", next=f"nbml.log({{{str(name)!r}: {said}}})")


def _said(value: Any) -> str:
    """The number that a text says, else an example."""
    try:
        return repr(float(value)) if isinstance(value, str) and math.isfinite(float(value)) else "0.91"
    except ValueError:
        return "0.91"


def place(step: Any) -> int | None:
    """A step, or None. Raises errors.BadArgument."""
    if step is None:
        return None
    try:
        found = operator.index(step)
    except TypeError:
        found = int(step) if isinstance(step, float) and step.is_integer() else -1
    if isinstance(step, bool) or not 0 <= found <= HIGHEST:
        raise errors.BadArgument(f"the step {step!r} is no whole number from 0", next="nbml.log(auc=0.91, step=0)")
    return found


def _name(name: Any) -> str:
    if type(name) is not str or not name.strip():
        raise errors.BadName(f"a metric is named by a text, not {name!r}", next="nbml.log(auc=0.91)")
    if len(name) > LONGEST:
        what = f"the name of a metric has {len(name):,} characters, and at most {LONGEST:,} are kept: {name[:40]!r}..."
        raise errors.BadName(what, next="nbml.log(auc=0.91)")
    if len(_known) < 10_000:
        _known.add(name)
    return name
