"""The recipe of a name: a backward walk over what was executed, and what it says about doing it again."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from nbml import errors
from nbml.slicing import hearing, keeping, recorder, texts
from nbml.slicing.emission import program
from nbml.slicing.events import Digest, Event, Place, name_place
from nbml.slicing.evidence import Evidence
from nbml.slicing.places import file_hash
from nbml.slicing.replayable import Input, Recipe, relative
from nbml.slicing.surroundings import environment
from nbml.store import chosen, existing

_DATASET = re.compile(r"\bdataset\(\s*['\"]([^'\"]+)['\"]")


@dataclass
class Chosen:
    """The events that are needed, each with the names that are needed of it; and the places that nobody wrote."""

    events: list[Event] = field(default_factory=list)
    wanted: dict[int, set[str]] = field(default_factory=dict)
    left: set[Place] = field(default_factory=set)


def backward(events: Iterable[Event], need: Iterable[Place], sinks: Iterable[Event] = ()) -> Chosen:
    """What of ``events`` (oldest first) made the needed places, and the events ``sinks`` themselves."""
    places, always, found = set(need), {event.number for event in sinks}, Chosen()
    events, unseeded = list(events), set[Place]()
    seeds = {place: event.number for event in reversed(events) for place in event.kills if place[0] == "rng"}
    for event in reversed(events):
        names = {place[1] for place in places if place[0] == "n"}
        hits = [p for p in event.writes if p in places or (p[0] == "n" and p[1] in names and _all_of(p, event, places))]
        sink = event.number in always
        if not sink and (not hits or _only_deletes(event, hits)):
            continue
        found.events.append(event)
        found.wanted[event.number] = {p[1] for p in hits if p[0] == "n"}
        for place in event.kills:
            if place[0] == "n" and place[2] == "":  # a new binding takes all its parts
                places -= {other for other in places if other[:2] == place[:2]}
            places.discard(place)
        places |= set(event.reads if any(place[0] == "rng" for place in hits) else event.needs)
        drawn = {place for place in event.needs if place[0] == "rng" and seeds.get(place, event.number) >= event.number}
        unseeded |= drawn  # no seed stands above it: what was drawn before has no part in it
        places -= drawn
    found.events.reverse()
    found.left = places | unseeded
    return found


def _all_of(place: Place, event: Event, places: set[Place]) -> bool:
    return (place[2] == "" and place in event.kills) or name_place(place[1], "*") in places


def _only_deletes(event: Event, hits: list[Place]) -> bool:
    if any(event.writes[place] is not None for place in hits) or not event.evidence:
        return False
    return event.statement.key >= 0 and isinstance(texts.text(event.text).node, ast.Delete)


def recipe(name: str) -> Recipe:
    """The recipe of a name of the notebook. Raises errors.UnknownName, errors.UsageError where nothing was recorded."""
    evidence = _evidence()
    if name not in evidence.namespace:
        close = errors.nearest(name, [known for known in evidence.namespace if not known.startswith("_")])
        nearest = f"; nearest: {close}" if close else ""
        raise errors.UnknownName(f"no name {name!r} in the notebook{nearest}", next=f"%nbml recipe {close}" if close else None)
    need = evidence.needed(name)
    return _Reader(evidence, name, need, backward(evidence.events, need)).recipe()


def recipe_of(events: Sequence[Event], name: str, *, nth: int = -1) -> Recipe:
    """The recipe of the run ``name`` whose block executed ``events``: what computed the numbers that it logged.

    Where nothing was logged all of the block is kept. ``nth`` tells which run of that name it is in the program, from its end.
    """
    evidence = _evidence()
    sinks = [event for event in events if logs(event, evidence)] or list(events)
    last = max((event.number for event in events), default=-1)
    need = {place for event in sinks for place in event.needs}
    keys = {event.statement.block for event in events} - {-1}
    sinks += [event for event in evidence.events if event.statement.key in keys and event not in sinks]  # the lines of the with
    chosen = backward([event for event in evidence.events if event.number <= last], (), sinks)
    reader = _Reader(evidence, name, need, chosen, [event.number for event in events], [event.number for event in sinks])
    return replace(reader.recipe(), logs=True, nth=nth)


def logs(event: Event, evidence: Evidence) -> bool:
    """Whether a statement logged numbers to a run: it was counted, or its text and the functions that it reaches say so."""
    if event.logged:
        return True
    text = texts.text(event.text)
    if ("nbml" in text.reads or "nb" in text.reads) and "log" in text.calls:
        return True
    read = {place[1] for place in event.reads if place[0] == "n"}
    if any(getattr(evidence.namespace.get(name), "__module__", "") == "nbml.tracking.block" and name in text.calls for name in read):
        return True
    return any(name in evidence.views and "log" in evidence.views[name].code and "nbml" in evidence.views[name].code for name in read)


def _evidence() -> Evidence:
    kept = recorder.current()
    if kept is None:
        raise errors.UsageError("no cells are recorded: nbml is not loaded in a notebook", next="%load_ext nbml")
    return kept.reading()


@dataclass
class _Reader:
    """Makes a Recipe of what was chosen. ``block`` and ``sinks`` are numbers of events of a run's block."""

    evidence: Evidence
    name: str
    need: set[Place]
    chosen: Chosen
    block: list[int] = field(default_factory=list)
    sinks: list[int] = field(default_factory=list)
    why: list[str] = field(default_factory=list)
    inputs: list[Input] = field(default_factory=list)
    #: event -> path as it names it -> the copy
    rebound: dict[int, dict[str, str]] = field(default_factory=dict)

    def recipe(self) -> Recipe:
        from nbml.slicing.pages import hidden
        from nbml.slicing.proving import ordered

        pins = {event.number: pin for event in self.chosen.events if (pin := self.pinned(event))}
        for event in self.chosen.events:
            self.outside(event, pins.get(event.number))
        datasets = self.datasets(pins)
        source, refused = program(self.chosen, self.evidence, self.name, self.block, pins, datasets, self.rebound)
        self.why += refused
        sentences = list(dict.fromkeys(self.why))
        verdict = "not-reproducible"
        if not sentences:
            sentences = hidden(self.evidence, self.chosen.events, self.need, self.sinks)
            verdict = "hidden-state" if sentences else "reproducible"
        sampled = sorted({name for event in self.chosen.events for name in event.sampled})
        notes = tuple(f"{name} is large: it was compared by a sample of its values" for name in sampled)
        folder = relative(self.evidence.folder, chosen().resolve())
        known = (self.name, source, tuple(dict.fromkeys(self.inputs)), verdict, tuple(sentences), folder)
        found = Recipe(*known, notes=notes)  # type: ignore[arg-type]
        return ordered(found, self.chosen.events, self.evidence) if verdict != "not-reproducible" and not self.block else found

    def outside(self, event: Event, pin: str | None) -> None:
        """What an event read from outside, and what of it is another now."""
        cell = event.label
        for place, digest in event.reads.items():
            if place[0] == "file" and place in self.chosen.left and not pin:
                self.file(event, place[1], digest)
            elif place[0] == "env" and place in self.chosen.left:
                self.inputs.append(Input("environment", place[1]))
                if environment(place[1]) != digest:
                    self.why.append(f"{cell}: the environment variable {place[1]} has changed since it was read, in `{event.head}`")
            elif place[0] == "rng" and place in self.chosen.left and place not in event.idle:
                told = f"draws from the global random state of {place[1]}, which no seed had set: randomness without a seed"
                self.why.append(f"{cell}: `{event.head}` {told} (a random_state is missing?)")
        at = f", in `{event.head}`" if event.statement.key >= 0 or not event.evidence else ""
        self.why += [f"{cell}: {why}{at}" for why in event.why if not (pin and "whose answer is not kept" in why)]

    def file(self, event: Event, path: str, digest: Digest) -> None:
        """A file that was read: an input, bound to its hash."""
        name = relative(path, chosen().resolve())
        then = digest.hex() if isinstance(digest, bytes) else ""
        now = hearing.aloud(lambda: file_hash(path))
        kept = keeping.keep(Path(path), then) if then else ""
        kind = "module" if path.endswith(".py") or path in event.modules else "file"
        self.inputs.append(Input(kind, name, then, kept))  # type: ignore[arg-type]
        if now == digest:
            return
        given = event.given.get(path, path)
        states = {digest for other in self.chosen.events for place, digest in other.reads.items() if place == ("file", path)}
        if len(states) > 1 and repr(given) not in event.text:
            self.why.append(f"{event.label}: {name} was read in {len(states)} states, and the text does not name it, in `{event.head}`")
        if not kept:
            gone = "is gone" if now is None else "has changed"
            self.why.append(f"{event.label}: {name} {gone} since it was read, and no copy was kept, in `{event.head}`")
        elif kind == "file" and (store := existing()) is not None:
            self.rebound.setdefault(event.number, {})[given] = os.path.relpath(store.blob(kept), self.evidence.folder)

    def pinned(self, event: Event) -> str | None:
        """The dataset version that a statement which read a frame from outside had made."""
        names = event.names()
        reads = any(p[0] == "file" for p in event.reads) or any("whose answer is not kept" in why for why in event.why)
        if len(names) != 1 or not reads or self.chosen.wanted[event.number] != names:
            return None
        parts = ((place[2], digest) for place, digest in event.writes.items() if place[0] == "n" and place[2])
        return self.evidence.pins.get(frozenset((part, digest) for part, digest in parts if isinstance(digest, bytes)))

    def datasets(self, pins: dict[int, str]) -> dict[str, str]:
        """What the program calls a dataset -> the version that it was then."""
        found = {ref: ref for ref in pins.values()}
        store = existing()
        cells = {cell.seq: cell for cell in (recorder.current() or recorder.Recorder(None, "")).cells}
        for event in self.chosen.events:
            for said in _DATASET.findall(event.text):
                name, at, _ = said.partition("@")
                ended = cells[event.cell].ended if event.cell in cells else 0.0
                versions = store.versions("dataset", name) if store is not None and not at else []
                then = [thing for thing in versions if not ended or thing.made <= ended]
                found[said] = then[-1].ref if then else said
        for ref in dict.fromkeys(found.values()):
            thing = store.find("dataset", ref) if store is not None else None
            self.inputs.append(Input("dataset", ref, thing.hash if thing else "", ref=ref))
        return found
