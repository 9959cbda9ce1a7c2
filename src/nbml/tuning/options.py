"""What can be asked of a study: read and checked once; what is not there yet is refused by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nbml import errors, settings

DIRECTIONS = ("minimize", "maximize")


@dataclass(frozen=True)
class Options:
    """Options in force; ``timeout`` in seconds."""

    metric: Any = None
    direction: str | None = None
    cv: Any = 5
    groups: Any = None
    trials: int = 100
    timeout: float | None = None
    sampler: str = "optuna"
    seed: int | None = None
    fresh: bool = False


def read(
    metric: Any = None, direction: Any = None, cv: Any = 5, groups: Any = None, trials: Any = 100, timeout: Any = None,
    trial_timeout: Any = None, sampler: Any = "optuna", workers: Any = None, cluster: Any = None, seed: Any = None,
    fresh: Any = False, background: Any = False,
) -> Options:  # fmt: skip
    """The options, numbers and durations read. Raises errors.BadArgument and errors.NotYet."""
    if isinstance(metric, (list, tuple)) and len(metric) == 1:
        metric = metric[0]
    if workers is not None and _whole("workers", workers, 1) > 1:
        raise errors.NotYet(f"workers={workers} is not there yet: trials run one after another in the kernel")
    for name, value in (("cluster", cluster), ("background", background), ("trial_timeout", trial_timeout)):
        if value not in (None, False):
            raise errors.NotYet(f"{name}={value!r} is not there yet: trials run one after another in the kernel, until they end")
    if direction is not None and direction not in DIRECTIONS:
        close = errors.nearest(str(direction), DIRECTIONS) or next((d for d in DIRECTIONS if d.startswith(str(direction)[:3])), None)
        found = f"nearest: {close}" if close else "minimize or maximize"
        raise errors.BadArgument(f"no direction {direction!r}; {found}", instead=("direction", close or "minimize"))
    return Options(
        metric, direction, cv, groups, _whole("trials", trials, 1), _seconds(timeout), str(sampler),
        None if seed is None else _whole("seed", seed, 0), bool(fresh),
    )  # fmt: skip


def _whole(name: str, value: Any, least: int) -> int:
    try:
        number = int(value)
        if isinstance(value, bool) or number != float(value) or number < least:
            raise ValueError
    except (TypeError, ValueError):
        instead = (name, str(100 if name == "trials" else least))
        raise errors.BadArgument(f"{name} is a whole number from {least} on, not {value!r}", instead=instead) from None
    return number


def _seconds(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    return settings.duration(value)
