"""The page as it stands, from top to bottom, over digests: whether it would give what the kernel holds. Runs nothing.

Each statement of the page is looked up among the executed ones: where one of the same text found the same, it gives the same; else
its result is unknown, and equal to itself only.
"""

from __future__ import annotations

import ast
import itertools
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbml.slicing import hearing, marks, recorder, texts
from nbml.slicing.cells import Cell, as_run
from nbml.slicing.digests import look, short
from nbml.slicing.events import Digest, Event, Place, Statement, name_place
from nbml.slicing.evidence import Evidence, parts_of
from nbml.slicing.past import Aliases
from nbml.slicing.surroundings import environment

UNKNOWN = b"?"


def hidden(evidence: Evidence, chosen: Sequence[Event], need: Iterable[Place], sinks: Sequence[int]) -> list[str]:
    """Why the page would give something else; nothing where it would not, or where no page is known."""
    kept = recorder.current()
    if kept is None:
        return []
    cells = kept.seen()
    page = saved(cells)
    world = World(evidence, kept.shell)
    for key, source in page:
        world.cell(key, source)
    if sinks:
        wanted = [event for event in chosen if event.number in set(sinks)]
        same = all(any(text == event.text and _agree(event.needs, found) for text, found in world.steps) for event in wanted)
    else:
        same = all(world.get(p) == evidence.state.get(p) for p in need if p[0] == "n" and p in evidence.state)
    return [] if same else _reasons(page, chosen, kept.shell)


def _agree(reads: Any, found: dict[Place, Digest]) -> bool:
    """Whether a statement would read the same; a file that no statement of the page wrote is no matter of the page."""
    outside = {place for place in reads if place[0] == "file" and found.get(place) is None}
    return all(digest is None or digest is ... or place in outside or found.get(place) == digest for place, digest in reads.items())


def saved(cells: Sequence[Cell]) -> list[tuple[str, str]]:
    """(id, source) of the code cells of the page, from top to bottom.

    What ran after the page was saved last is on it as it ran: front ends save every few minutes. Where no page is known, or it
    knows none of the cells, the page is what was run: each cell's last text, in the order in which they ran first.
    """
    ran: dict[str, Cell] = {}
    for cell in cells:
        ran[cell.id or f"#{cell.seq}"] = cell
    path = notebook()
    try:
        if path is None:
            raise FileNotFoundError
        told = hearing.aloud(lambda: json.loads(path.read_text(encoding="utf-8")))
        when = path.stat().st_mtime
        page = {str(cell.get("id", i)): "".join(cell["source"]) for i, cell in enumerate(told["cells"]) if cell["cell_type"] == "code"}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        page, when = {}, 0.0
    if not ran.keys() & page.keys():
        return [(key, cell.raw) for key, cell in ran.items()]
    since = min((cell.started for cell in cells if cell.started), default=0.0)
    if when >= since:
        page |= {key: cell.raw for key, cell in ran.items() if cell.started > when and key in page}
        page |= {key: cell.raw for key, cell in ran.items() if cell.started > when and key not in page}
    past = {key: cell.raw for key, cell in ran.items() if not cell.id and not cell.started and cell.raw not in page.values()}
    return [*past.items(), *page.items()]  # cells before the load have no ids: they are taken to stand above


def notebook() -> Path | None:
    """The notebook's file, where its front end says it."""
    told = recorder.namespace().get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME")
    return Path(told) if isinstance(told, str) and told.endswith(".ipynb") else None


def statements(shell: Any, source: str) -> Iterator[str]:
    """The statements of a cell in their normal form, as they are recorded."""
    text, _ = as_run(shell, source)
    try:
        body = ast.parse(text).body
    except SyntaxError:
        return
    yield from _normal(body, shell)


def _normal(body: Iterable[ast.stmt], shell: Any) -> Iterator[str]:
    for node in body:
        called = texts.magic(node)
        if called is not None and not called[0] and called[1] in marks.ENTERED:
            if called[1] == "time":
                yield from statements(shell, called[2])
            elif called[1] == "run":
                yield ast.unparse(node)
            continue
        if called is not None and not called[0] and called[1] in ("load_ext", "reload_ext"):
            continue
        if isinstance(node, ast.With) and marks.opens_run(node):
            yield ast.unparse(marks.header(node))
            yield from _normal(node.body, shell)
            continue
        yield ast.unparse(node)


@dataclass
class World:
    """A namespace of digests, filled from top to bottom."""

    evidence: Evidence
    shell: Any
    state: dict[Place, Digest] = field(default_factory=dict)
    #: (text, what it found) of each statement
    steps: list[tuple[str, dict[Place, Digest]]] = field(default_factory=list)
    known: dict[str, list[Event]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for event in list(self.evidence.events):
            self.known.setdefault(event.text, []).append(event)

    def get(self, place: Place) -> Digest:
        if place in self.state:
            return self.state[place]
        if place[0] == "env":
            return environment(place[1])
        if place[0] != "n":
            return self.evidence.loaded.get(place)
        whole = self.state.get(name_place(place[1]))
        return UNKNOWN + short(whole + repr(place).encode()) if isinstance(whole, bytes) and whole[:1] == UNKNOWN else None

    def cell(self, key: str, source: str) -> None:
        for text in statements(self.shell, source):
            found, writes, kills, failed = self.statement(text)
            self.steps.append((text, found))
            for place in sorted(writes, key=lambda p: (p[-1] != "", str(p))):
                self.put(place, writes[place], kill=place in kills)
            if failed:
                break  # what stands below did not run

    def put(self, place: Place, digest: Digest, *, kill: bool) -> None:
        if kill and place[0] == "n" and place[2] == "":
            for other in [other for other in self.state if other[:2] == place[:2]]:
                del self.state[other]
        self.state[place] = digest

    def statement(self, text: str) -> tuple[dict[Place, Digest], dict[Place, Digest], frozenset[Place], bool]:
        """(what it finds, what it writes, what of that is replaced, whether it fails)."""
        known = sorted(self.known.get(text, []), key=self.unlike, reverse=True)
        for event in reversed(known):
            found = {place: digest if digest is ... else self.get(place) for place, digest in event.reads.items()}
            if all(self.fits(event, place, digest, found[place]) for place, digest in event.needs.items()):
                return found, self.grown(event, self.written(event), text), event.kills, event.failed
        event = known[-1] if known else self.by_text(text)
        found = {place: digest if digest is ... else self.get(place) for place, digest in event.reads.items()}
        value = _literal(text)
        if value is not None:  # x = 10: no need to run it
            return found, value, frozenset(place for place in value if place[2] == ""), False
        token = short(text.encode() + repr(sorted(found.items(), key=str)).encode())
        alone = {p for p in event.writes if not (p[0] == "n" and p[2] and name_place(p[1]) in event.kills)}
        writes: dict[Place, Digest] = {place: UNKNOWN + short(token + repr(place).encode()) for place in alone}
        return found, self.grown(event, writes, text), event.kills, False

    def fits(self, event: Event, place: Place, then: Digest, now: Digest) -> bool:
        """Whether a statement would find what it found. Files that the page does not write are bound to what was read."""
        if place[0] == "file" and place not in self.state:
            return True
        return then is ... or (then is None and not event.evidence) or then == now

    def written(self, event: Event) -> dict[Place, Digest]:
        """What an event wrote; of one from before the record what the names held when it began."""
        if event.evidence:
            return dict(event.writes)
        found: dict[Place, Digest] = {}
        for place in event.writes:
            found |= {other: d for other, d in self.evidence.loaded.items() if other[:2] == place[:2]} or {place: None}
        return found

    def unlike(self, event: Event) -> int:
        """A run that added a column is no model for one that found it there."""
        had = [p for p in event.writes if p[0] == "n" and p[2][:1] == "." and name_place(p[1]) not in event.kills and p not in event.added]
        return sum(place in self.state for place in event.added) + sum(place not in self.state for place in had)

    def grown(self, event: Event, writes: dict[Place, Digest], text: str) -> dict[Place, Digest]:
        """df["y"] = ... a second time adds no column: ``#columns`` and ``#keys`` follow from what is there."""
        for place, was in event.previous.items():
            now = self.get(place)
            if place in writes and now == was:
                writes[place] = event.writes[place]
            elif place in writes:
                there = event.added and all(other in self.state for other in event.added if other[1] == place[1])
                writes[place] = now if there else UNKNOWN + short(text.encode() + repr((place, now)).encode())
        return writes

    def by_text(self, text: str) -> Event:
        """What a statement that never ran would read and write, by its text."""
        said, aliases = texts.text(text), Aliases()
        reads: dict[Place, Digest] = {}
        for name in said.reads:
            around = {name, *(self.evidence.views[name].code if name in self.evidence.views else ())}
            reads |= {place: None for place in self.state if place[0] == "n" and place[1] in around}
        kills = frozenset(name_place(name) for name in said.binds)
        writes: dict[Place, Digest] = dict.fromkeys(kills)
        for name in aliases.may_change(said):
            writes |= dict.fromkeys([place for place in self.state if place[:2] == ("n", name)] or [name_place(name)])
        return Event(-1, -1, "", None, Statement(-1, text), reads, writes, kills)


def _literal(text: str) -> dict[Place, Digest] | None:
    """The digests of ``x = 10``."""
    node = texts.text(text).node
    if not isinstance(node, ast.Assign) or len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
        return None
    try:
        view = look(ast.literal_eval(node.value), {})
    except (ValueError, TypeError, SyntaxError, MemoryError):
        return None
    return {name_place(node.targets[0].id, part): digest for part, digest in parts_of(view).items()}


def _reasons(page: Sequence[tuple[str, str]], chosen: Sequence[Event], shell: Any) -> list[str]:
    """Which of the chosen cells the page has no more, has otherwise, or has in another order."""
    there = {key: list(statements(shell, source)) for key, source in page}
    order = [key for key, _ in page]
    found: list[str] = []
    ran: dict[tuple[str, str], list[Event]] = {}
    for event in chosen:
        ran.setdefault((event.id, event.text), []).append(event)
        what = ", ".join(sorted(name for name in event.names() if not name.startswith("_"))) or "a value"
        if event.statement.key < 0 or not event.id:
            continue
        if event.id not in there:
            found.append(f"{what} came from {event.label}, which is no longer on the page: it was deleted")
        elif event.text not in there[event.id]:
            found.append(f"{what} came from an earlier text of {event.label}, which was edited since: `{event.head}`")
    for (key, text), events in ran.items():
        on_page = max(1, there.get(key, []).count(text))
        if key and len(events) > on_page:
            again = ", ".join(event.label for event in events[1:])
            found.append(f"{events[0].label} ran {len(events)} times (again as {again}): `{events[0].head}`")
    seen = [event for event in chosen if event.id in there and event.statement.key >= 0]
    for before, after in itertools.pairwise(seen):
        if order.index(after.id) < order.index(before.id):
            found.append(f"{before.label} ran before {after.label} and stands below it on the page: out of order")
    rest = "the page from top to bottom gives another value: a cell that is not in the recipe changes something, or stands in another order"
    return list(dict.fromkeys(found)) or [_other(page, chosen, order) or rest]


def _other(page: Sequence[tuple[str, str]], chosen: Sequence[Event], order: Sequence[str]) -> str:
    """A cell on the page that was run after what was chosen, or never, and stands above it."""
    kept = recorder.current()
    if kept is None or not chosen:
        return ""
    counts = {cell.id: cell for cell in kept.seen() if cell.id}
    last = max((order.index(event.id) for event in chosen if event.id in order), default=-1)
    names = {place[1] for event in chosen for place in (*event.reads, *event.writes) if place[0] == "n"}
    for key, source in page[: last + 1]:
        if key in {event.id for event in chosen}:
            continue
        writes = {name for text in statements(kept.shell, source) for name in texts.text(text).binds | texts.text(text).maybe} & names
        if writes and key not in counts:
            return f"a cell that stands above on the page and was not run writes {', '.join(sorted(writes))}"
        if writes:
            return f"{counts[key].label} writes {', '.join(sorted(writes))} and ran in another order than it stands in on the page"
    return ""
