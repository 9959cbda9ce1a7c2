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
    "nbml.sources": "source",
}
#: group of entry points -> adapters of a later version; one that somebody installs under that name is taken all the same
LATER = {
    "nbml.samplers": ("hyperopt",),
    "nbml.targets": ("container", "kubernetes"),
    "nbml.executors": ("dask", "ray"),
}
#: group of entry points -> the line that explains what takes an adapter
HELP = {
    "nbml.trackers": "%nbml track --help",
    "nbml.samplers": "%nbml tune --help",
    "nbml.targets": "%nbml deploy --help",
    "nbml.executors": "%nbml package --help",
    "nbml.engines": "%nbml validate --help",
    "nbml.sources": "%nbml snapshot --help",
}


def names(group: str) -> list[str]:
    """The names of all installed adapters of a group, sorted."""
    return sorted({point.name for point in entry_points(group=group)})


def adapter(group: str, name: str) -> Any:
    """The adapter's class.

    Raises errors.UnknownAdapter, errors.NotYet for one of a later version, or errors.MissingExtra where its tool is not installed.
    """
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


def check(group: str, name: str) -> None:
    """Raises errors.UnknownAdapter, or errors.NotYet for one of a later version; loads nothing."""
    _point(group, name)


#: what was found; reading all that is installed takes tens of milliseconds, and a check of a small frame less
_FOUND: dict[tuple[str, str], EntryPoint] = {}


def _point(group: str, name: str) -> EntryPoint:
    """What is not found is looked for again: it may have been installed meanwhile."""
    if (group, name) in _FOUND:
        return _FOUND[group, name]
    for point in entry_points(group=group):
        if point.name == name:
            return _FOUND.setdefault((group, name), point)
    known = names(group)
    if name in LATER.get(group, ()):
        there = " and ".join(part for part in (", ".join(known[:-1]), *known[-1:]) if part)
        verb = "is" if len(known) == 1 else "are"
        raise errors.NotYet(f"the {GROUPS[group]} {name!r} is not there yet; {there or 'none'} {verb}", next=HELP[group])
    close = errors.nearest(name, known)
    have = f"nearest: {close}" if close else f"known: {', '.join(known) or 'none'}"
    raise errors.UnknownAdapter(f"no {GROUPS[group]} {name!r}; {have}", next=HELP[group])
