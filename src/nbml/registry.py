"""Adapters by name. Ours come in by the same entry points as anybody else's; no other code knows their names."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from nbml import errors

#: group of entry points -> what one of it is called in a message
GROUPS = {
    "nbml.trackers": "tracker",
    "nbml.samplers": "sampler",
    "nbml.targets": "target",
    "nbml.executors": "executor",
    "nbml.engines": "engine",
}


def names(group: str) -> list[str]:
    """The names of all installed adapters of a group, sorted."""
    return sorted({point.name for point in entry_points(group=group)})


def adapter(group: str, name: str) -> Any:
    """The adapter's class. Raises errors.UnknownAdapter, or errors.MissingExtra where its tool is not installed."""
    point = _point(group, name)
    try:
        return point.load()
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "nbml":
            raise
        raise errors.MissingExtra(
            f"the {GROUPS[group]} {name!r} needs {error.name}, which is not installed",
            next=f"%pip install 'nbml[{name}]'",
        ) from error


def _point(group: str, name: str) -> EntryPoint:
    for point in entry_points(group=group):
        if point.name == name:
            return point
    known = names(group)
    close = errors.nearest(name, known)
    raise errors.UnknownAdapter(
        f"no {GROUPS[group]} {name!r}; " + (f"nearest: {close}" if close else f"known: {', '.join(known) or 'none'}")
    )
