"""Runs over parallel axes: one axis for each parameter and metric in which they differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

from nbml.display import PALETTE, Axis, Parallel, Strand, figure
from nbml.tracking.report import text

#: axes of parameters and of metrics
PARAMS, METRICS = 7, 4
#: words that one axis has room for
CHOICES = 10
#: largest over least from which an axis of positive numbers goes by powers
SPREAD = 100.0
FROM, TO = (128, 128, 128), (63, 127, 209)

#: what a run has not
ABSENT = object()
#: a name, and its value in each run
Values: TypeAlias = "tuple[str, Sequence[Any]]"


def parallel(refs: Sequence[str], params: Sequence[Values], metrics: Sequence[Values]) -> Parallel | None:
    """The runs as strands, their values on each axis given in the order of ``refs`` (ABSENT for none); None for fewer than two axes."""
    drawn: list[tuple[Axis, list[float | None], list[str]]] = []
    for kind, most, columns in (("param", PARAMS, params), ("metric", METRICS, metrics)):
        fitting = (one for name, values in columns if (one := _axis(kind, name, values)) is not None)
        drawn += [one for one, _ in zip(fitting, range(most), strict=False)]
    if len(drawn) < 2:
        return None
    shade = next((i for i, (axis, _, _) in enumerate(drawn) if axis.kind == "metric"), len(drawn) - 1) if len(refs) > len(PALETTE) else None
    strands = []
    for i, ref in enumerate(refs):
        colour = PALETTE[i % len(PALETTE)] if shade is None else _ramp(drawn[shade][1][i])
        strands.append(Strand(ref, [places[i] for _, places, _ in drawn], [texts[i] for _, _, texts in drawn], colour))
    axes = [axis for axis, _, _ in drawn]
    return Parallel(axes, strands, f"{len(refs)} runs over {', '.join(axis.name[:40] for axis in axes)}", shade)


def _axis(kind: str, name: str, values: Sequence[Any]) -> tuple[Axis, list[float | None], list[str]] | None:
    """The axis, each run's place on it and its value as text; None where it could tell nothing."""
    texts = ["" if value is ABSENT else text(value)[:60] for value in values]
    real = [value for value in values if value is not ABSENT]
    numbers = [value for value in real if isinstance(value, (int, float)) and not isinstance(value, bool)]
    if len(numbers) == len(real):
        finite = [float(value) for value in numbers if math.isfinite(value)]
        if not finite or min(finite) == max(finite):
            return None
        log = min(finite) > 0 and max(finite) / min(finite) >= SPREAD
        ends = (min(finite), max(finite))
        places = [_place(value, ends, log) if value is not ABSENT else None for value in values]
        return Axis(name, kind, [(0.0, figure(ends[0])), (1.0, figure(ends[1]))], log), places, texts
    words = sorted({text(value)[:60] for value in real}, key=_order)
    if not 2 <= len(words) <= CHOICES:
        return None
    at = {word: i / (len(words) - 1) for i, word in enumerate(words)}
    return Axis(name, kind, [(place, word) for word, place in at.items()]), [at.get(said) if said else None for said in texts], texts


def _place(value: float, ends: tuple[float, float], log: bool) -> float | None:
    if not math.isfinite(value):
        return None
    low, value, high = (math.log(v) if log else v / 2 for v in (ends[0], float(value), ends[1]))
    return (value - low) / (high - low)


def _order(word: str) -> tuple[bool, float, str]:
    """Numbers by their size, then words."""
    try:
        number = float(word)
    except ValueError:
        return True, 0.0, word
    return (False, number, word) if math.isfinite(number) else (True, 0.0, word)


def _ramp(place: float | None) -> str:
    red, green, blue = (round(a + (b - a) * (place or 0.0)) for a, b in zip(FROM, TO, strict=True))
    return f"#{red:02x}{green:02x}{blue:02x}"
