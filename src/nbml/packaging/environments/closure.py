"""The closure of requirements: every distribution that they need, told from what is installed here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nbml import errors
from nbml.packaging.environments.installed import Installed, everything, key


@dataclass(frozen=True)
class Closure:
    """``members`` by key; ``notes`` tell what their metadata ask for and is not so here."""

    members: Mapping[str, Installed]
    notes: tuple[str, ...] = ()

    @property
    def pins(self) -> dict[str, str]:
        """Version by name."""
        return {one.name: one.version for _, one in sorted(self.members.items())}


@dataclass
class _Walk:
    here: Mapping[str, Installed]
    members: dict[str, Installed] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    seen: set[tuple[str, str]] = field(default_factory=set)


def close(requirements: Iterable[str]) -> Closure:
    """Follow what each distribution requires, with markers and extras.

    Raises errors.ProofFailed where a requirement itself is not what is installed. What a distribution asks of another and
    is not so (missing, out of range) is a note with the line that mends it: the proof tells whether it matters.
    """
    from packaging.markers import default_environment
    from packaging.requirements import Requirement

    walk, marks = _Walk(everything()), {name: str(value) for name, value in default_environment().items()}
    todo: list[tuple[Any, str]] = [(Requirement(line), "") for line in requirements]
    while todo:
        wanted, asker = todo.pop()
        one = _found(walk, wanted, asker)
        if one is None:
            continue
        name = key(one.name)
        walk.members[name] = one
        for extra in ("", *sorted(wanted.extras)):
            if (name, extra) not in walk.seen:
                walk.seen.add((name, extra))
                todo += [(child, one.name) for line in one.requires if (child := _applies(line, extra, marks)) is not None]
    return Closure(walk.members, tuple(sorted(walk.notes)))


def _found(walk: _Walk, wanted: Any, asker: str) -> Installed | None:
    one = walk.here.get(key(wanted.name))
    fits = one is not None and wanted.specifier.contains(one.version, prereleases=True)
    if fits:
        return one
    state = "is not installed" if one is None else f"{one.version} is installed"
    bare = f"{wanted.name}{wanted.specifier}"
    if not asker:
        raise errors.ProofFailed(f"{bare} is needed, and {wanted.name} {state}", next=f"%pip install '{bare}'")
    walk.notes.append(f"{asker} asks for {bare}, and {wanted.name} {state}: %pip install '{bare}'")
    return one


def _applies(line: str, extra: str, marks: Mapping[str, str]) -> Any:
    """The requirement of a line of metadata, None where its marker says that it is none here. Most lines are of extras."""
    from packaging.requirements import Requirement

    if not extra and "extra" in line.partition(";")[2] and " or " not in line:
        return None
    found = Requirement(line)
    if found.marker is None:
        return found if not extra else None
    return found if found.marker.evaluate({**marks, "extra": extra}) else None
