"""Runs: ``track``, ``log``, ``runs``, ``run``, ``compare``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nbml import errors, registry, settings
from nbml.store import Store, Thing, check_name, current, existing, outbox
from nbml.store import runs as record
from nbml.tracking.block import Tracked, log
from nbml.tracking.replaying import Replayed, replaying
from nbml.tracking.values import Picture, Run, Unversioned

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Picture", "Run", "Unversioned", "compare", "log", "run", "runs", "track"]

GROUP = "nbml.trackers"


def track(
    name: str, to: str | Sequence[str] | None = None, tags: str | Sequence[str] = (), note: str = "", resume: bool = False
) -> Tracked:
    """``with nbml.track("baseline") as run:`` records the block as a run of that name.

    ``to`` are trackers that hear of it once it has ended (``[tracking] to`` of nbml.toml where it is None); ``resume`` goes
    on with the last run of that name. Raises errors.BadName, errors.UnknownAdapter, errors.NotYet, errors.ReadOnlyStore.
    """
    check_name(name)
    if replaying():
        return Replayed(name, resume)  # type: ignore[return-value]  # stands in for a run that is not to be recorded again
    store = current()
    trackers = _words(settings.load(store.root)["tracking.to"] if to is None else to)
    for tracker in trackers:
        registry.check(GROUP, tracker)
    last = store.find("run", name) if resume else None
    earlier = None if last is None else _value(store, last)
    if earlier is not None and earlier.state == "running":
        raise errors.BadArgument(f"the run {earlier} is still running; it can be resumed when it has ended", next=f'nbml.run("{earlier}")')
    return Tracked(store, name, trackers, _words(tags), note, earlier)


def runs(where: str | None = None) -> pd.DataFrame:
    """All runs, newest first: index run (its id); name, state, started (UTC), duration (seconds), each metric's last value, each parameter.

    ``where`` is a condition on these columns, in the grammar of ``expect``. Raises errors.BadExpectation.
    """
    from nbml.tracking.listing import listing

    store = existing()
    if store is not None and outbox.waiting(store):
        from nbml.tracking.sender import wake

        wake(store)  # what a killed kernel, or days without a network, left to be sent
    return listing(where)


def run(ref: str | Run) -> Run:
    """A run by its id or the beginning of it, by name (the latest), or by ``name@n``. Raises errors.UnknownRun."""
    if isinstance(ref, Run):
        return ref
    store, text = existing(), str(ref)
    if store is None:
        raise _none(text)
    thing = _by_id(store, text) if "@" not in text else None
    if thing is None:
        try:
            thing = store.find("run", text)
        except errors.BadName:
            thing = None
    if thing is None:
        raise _unknown(store, text)
    return _value(store, thing)


def compare(*runs: str | Run) -> pd.DataFrame:
    """What differs between runs in metrics, parameters, data, code and packages: index name; kind, then one column a run.

    Raises errors.UnknownRun; errors.BadArgument for fewer than two.
    """
    if len(runs) < 2:
        raise errors.BadArgument(f"compare needs two runs or more, not {len(runs)}", next="nbml.runs()")
    from nbml.tracking.comparing import comparison

    return comparison(list(dict.fromkeys(run(ref) for ref in runs)))


def _words(given: str | Sequence[str]) -> list[str]:
    """A comma list, which is a text or a sequence of them."""
    parts = given.split(",") if isinstance(given, str) else list(given)
    return list(dict.fromkeys(str(part).strip() for part in parts if str(part).strip()))


def _value(store: Store, thing: Thing) -> Run:
    return Run(store, thing, record.rows(store, thing=thing.id)[0].uid)


def _by_id(store: Store, text: str) -> Thing | None:
    """The run of that id, or the one whose id begins so where no run has that name. Raises errors.UnknownRun where several do."""
    if not 3 <= len(text) <= 32 or set(text) - set("0123456789abcdef"):
        return None
    found = record.by_uid(store, text)
    if not found or (len(text) < 10 and _named(store, text)):
        return None
    if len(found) > 1:
        ids = [record.rows(store, thing=thing)[0].uid for thing in found[:5]]
        raise errors.UnknownRun(f"{len(found)} runs have an id that begins with {text!r}: {', '.join(ids)}", next=f'nbml.run("{ids[0]}")')
    return store.by_id(found[0])


def _named(store: Store, text: str) -> bool:
    return store.find("run", text) is not None


def _unknown(store: Store, text: str) -> errors.UnknownRun:
    names = [thing.name for thing in store.latest("run")]
    if not names:
        return _none(text)
    name, at, _ = text.partition("@")
    if at and name in names:
        last = len(store.versions("run", name))
        return errors.UnknownRun(f"no run {text!r}; the latest is {name}@{last}", next=f'nbml.run("{name}@{last}")')
    close = errors.nearest(name, names)
    if close is not None:
        return errors.UnknownRun(f"no run {text!r}; nearest: {close}", next=f'nbml.run("{close}")')
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return errors.UnknownRun(f"no run {text!r}; there are {', '.join(names[:5])}{more}", next="nbml.runs()")


def _none(text: str) -> errors.UnknownRun:
    return errors.UnknownRun(f"no run {text!r}; none is recorded yet", next='with nbml.track("baseline") as run: pass')
