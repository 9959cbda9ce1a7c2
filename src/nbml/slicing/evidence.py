"""What each executed statement read and changed: the text says what it may touch, digests before and after say what it did.

Longer than most: what is done before a statement and what after it share the open statement and the state of all names.
"""

from __future__ import annotations

import ast
import builtins
import functools
import os
import re
import sys
import types
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from nbml.slicing import hearing, marks, places, texts
from nbml.slicing.digests import View, look, names_of, short
from nbml.slicing.draws import immaterial
from nbml.slicing.events import Digest, Event, Place, Statement, name_place
from nbml.slicing.manners import HIDDEN, SEEDS
from nbml.slicing.places import file_hash, in_project, is_input
from nbml.slicing.randomness import states
from nbml.slicing.surroundings import CWD, PATH, Surroundings, environment, folder, home_of, path
from nbml.slicing.taking import take
from nbml.slicing.texts import Chain, Text

_OWN = re.compile(r"_(i+\d*|\d+|h|dh|oh)?$")
#: microseconds, about, of a look beyond which a value is not looked at again where the text cannot have changed it
COSTLY = 2_000
BOUND = short(b"bound")


@dataclass
class Opened:
    """The statement that runs now."""

    statement: Statement
    text: Text
    heard: hearing.Heard
    names: set[str]
    reads: dict[Place, Digest]
    rng: dict[str, bytes]
    modules: int
    rows: dict[str, int | None]
    shown: tuple[int, bool]
    logged: int
    writes: dict[Place, Digest] = field(default_factory=dict)
    kills: set[Place] = field(default_factory=set)
    previous: dict[Place, Digest] = field(default_factory=dict)
    added: set[Place] = field(default_factory=set)
    why: set[str] = field(default_factory=set)
    imported: set[str] = field(default_factory=set)
    drawn: set[Place] = field(default_factory=set)


@dataclass
class Evidence:
    """The events of one notebook, and what its names hold now, in digests."""

    namespace: dict[str, Any]
    #: (seq, id, execution count) of the cell that runs
    where: Callable[[], tuple[int, str, int | None]]
    marks: marks.Marks
    events: list[Event] = field(default_factory=list)
    statements: dict[int, Statement] = field(default_factory=dict)
    views: dict[str, View] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    state: dict[Place, Digest] = field(default_factory=dict)
    #: (file, first line) of a function of the notebook -> how it reads each name
    bodies: dict[tuple[str, int], dict[str, set[Chain]]] = field(default_factory=dict)
    #: the same -> its name, and what its body asks of clock, chance or shell
    causes: dict[tuple[str, int], tuple[str, set[str]]] = field(default_factory=dict)
    around: Surroundings = field(default_factory=Surroundings)
    #: the folder in which the record began
    folder: str = field(default_factory=os.getcwd)
    #: source file of a module of the project -> its SHA-256 when it was loaded
    loads: dict[str, bytes | None] = field(default_factory=dict)
    #: how many numbers the open runs were given; tracking puts one in for each
    counters: list[Callable[[], int]] = field(default_factory=list)
    #: digests of a frame -> the dataset version that it is
    pins: dict[frozenset[tuple[str, bytes]], str] = field(default_factory=dict)
    #: what the names held when the record began
    loaded: dict[Place, Digest] = field(default_factory=dict)
    unchecked: set[str] = field(default_factory=set)
    #: no statement of the cell has begun
    fresh: bool = True
    #: the states of the generators after the last statement
    drawn: dict[str, bytes] = field(default_factory=dict)
    open: Opened | None = None

    # -- what is called

    def begin(self) -> None:
        """A cell begins: what threads and widgets changed since the last one is looked for."""
        self.unchecked, self.fresh = set(self.views), True

    def step(self, key: int) -> None:
        """A statement begins, and the one before it has ended; -1 begins none."""
        hearing.hear(None)
        self.close()
        if key >= 0:
            self.before(self.statements[key])
            assert self.open is not None
            hearing.hear(self.open.heard)

    def end(self, *, failed: bool) -> None:
        """The cell has ended."""
        hearing.hear(None)
        self.close(failed=failed)

    def stop(self) -> None:
        """What is open is not followed any more."""
        hearing.hear(None)
        self.open = None

    def look_at_all(self) -> None:
        """What the names hold before the first statement."""
        for name in list(self.namespace):
            if visible(name):
                self.note(name, self.look(name))
        self.state |= {("rng", key): value for key, value in states().items()}
        self.loaded = self.state | {CWD: folder(), PATH: path()}
        self.around.note()
        places.roots[:] = [self.folder]

    def pin(self, frame: object, ref: str) -> None:
        """A frame was kept as a dataset version."""
        parts = look(frame, self.namespace).parts
        self.pins[frozenset(parts.items())] = ref

    def needed(self, name: str) -> set[Place]:
        """All places of a name's value, and of what its code reads."""
        text = texts.text(name)
        return set(self.read(self.reading(text, [name]), text)) | {name_place(name)}

    # -- before a statement

    def before(self, statement: Statement) -> None:
        text = texts.text(statement.text)
        marks.taken()
        names = self.reading(text, text.reads)
        for name in sorted(names & self.unchecked):
            self.check(name)
        self.unchecked -= names
        heard = hearing.Heard(dynamic=text.dynamic)
        rows = {name: self.views[name].rows for name in names if name in self.views}
        logged = sum(count() for count in self.counters)
        self.open = Opened(statement, text, heard, names, self.read(names, text), self.rng(), len(sys.modules), rows, self.shown(), logged)

    def rng(self) -> dict[str, bytes]:
        """The states of the global generators; within a cell they are what the statement before left."""
        if self.fresh:
            self.fresh = False
            return states()
        return self.drawn

    def reading(self, text: Text, wanted: Iterable[str]) -> set[str]:
        """Names read by the statement, and by the notebook's code that it can reach."""
        found: set[str] = set()
        todo = list(wanted)
        while todo:
            name = todo.pop()
            if name in found or not visible(name):
                continue
            if name not in self.namespace and (name not in text.reads or hasattr(builtins, name)):
                continue
            found.add(name)
            view = self.views.get(name)
            if view is not None and not (name in text.reads and text.reads[name] <= {("bind", None)}):
                todo += [other for other in view.code if other in self.namespace and visible(other)]
        return found

    def chains(self, name: str, names: set[str], text: Text) -> set[Chain]:
        """How a name is read by the statement and by the functions that it reaches; {None} where that is not known."""
        found = set(text.reads.get(name, ()))
        for other in names:
            view = self.views.get(other)
            if view is None or name not in view.code:
                continue
            known = [self.bodies.get(home) for home in view.homes]
            if any(body is None for body in known):
                return {None}
            for body in known:
                assert body is not None
                found |= body.get(name, set())
        return found or {None}

    def read(self, names: set[str], text: Text) -> dict[Place, Digest]:
        """Places read and what is there, as narrow as the text allows: df["x"] is one column and the index."""
        past = [name for name in text.reads if _OWN.match(name)]
        found: dict[Place, Digest] = {name_place(name): self.state.get(name_place(name)) for name in past}
        for name in names:
            parts: dict[str, bytes] = self.views[name].parts if name in self.views else {}
            whole = self.state.get(name_place(name))
            found[name_place(name)] = whole
            for chain in (chains := self.chains(name, names, text)):
                kind, key = chain or (None, None)
                if kind == "bind":  # a[:] = ..., t["net"] = ...: which object, not what is in it
                    if "" in parts and chains == {chain}:
                        found[name_place(name)] = ...
                    found |= {name_place(name, p): parts[p] for p in ("#index",) if p in parts}
                    continue
                part = f".{key!r}"
                if kind and (part in parts or (kind == "k" and isinstance(self.namespace.get(name), dict))):
                    found[name_place(name, part)] = self.state.get(name_place(name, part))
                    found |= {name_place(name, p): parts[p] for p in ("#index",) if p in parts}
                    continue
                found |= {name_place(name, p): self.state.get(name_place(name, p)) for p in parts}
                if not parts:
                    found[name_place(name, "*")] = None
        return found

    def check(self, name: str) -> None:
        """Whether something else than a statement changed a name since the last cell."""
        old = self.views.get(name)
        if old is None or old.cost > COSTLY or old.opaque or name not in self.namespace:
            return
        new = self.look(name)
        if new.parts == old.parts or new.opaque:
            return
        place = {name_place(name, part): digest for part, digest in parts_of(new).items()}
        why = (f"{name} was changed outside of any cell: by a thread, a widget or a background task",)
        statement = Statement(-1, "pass")
        self.note(name, new)
        self.events.append(Event(len(self.events), *self.where(), statement, {}, place, frozenset(place), why=why))

    # -- after it

    def close(self, *, failed: bool = False) -> None:
        """Write the open statement down as an event."""
        now, self.open = self.open, None
        if now is None:
            return
        self.late(now)
        self.changed(now)
        self.random(now)
        self.files(now)
        self.surroundings(now)
        now.why |= self.called(now)
        displayed = self.displayed(now)
        for key in now.text.env:
            now.reads[("env", key)] = environment(key)
        self.untaken(now)
        touched = now.names | _names(now.writes)
        sampled = tuple(sorted(name for name in touched if name in self.views and self.views[name].sampled))
        rows = {n: (now.rows.get(n), self.views[n].rows if n in self.views else None) for n in {*now.rows, *_names(now.writes)}}
        if _only_ours(now):
            return
        given = {file: said for file, (said, _) in now.heard.files.items()} | now.heard.written
        idle = frozenset(now.drawn) if now.drawn and immaterial(now.text.node, self.namespace) else frozenset()
        self.events.append(Event(
            len(self.events), *self.where(), now.statement, now.reads, now.writes, frozenset(now.kills), failed, displayed, True,
            tuple(sorted(now.text.why | now.why)), {n: r for n, r in rows.items() if r != (None, None)}, now.previous, frozenset(now.added),
            given, frozenset(now.imported), sum(count() for count in self.counters) > now.logged, sampled, idle,
        ))  # fmt: skip

    def late(self, now: Opened) -> None:
        """Names that code of ``exec``, ``eval`` or a magic read, which no text named before."""
        if "run" in (now.text.magic or ("", "", ""))[1]:
            return
        for code in now.heard.code:
            for name in names_of(code):
                if name in self.namespace and visible(name) and name not in now.names:
                    now.names.add(name)
                    parts = self.views[name].parts if name in self.views else {}
                    now.reads |= {name_place(name, part): self.state.get(name_place(name, part)) for part in ("", *parts)}

    def changed(self, now: Opened) -> None:
        text, bound = now.text, now.text.binds
        touched = set(now.names) | {name for name in bound if name in self.namespace and visible(name)}
        for name, value in list(self.namespace.items()):
            if self.ids.get(name) != id(value):
                if name != "_" and visible(name):
                    touched.add(name)
                else:
                    self.ids[name] = id(value)  # IPython's own, of which there are two for each cell
        touched -= {"_"} - bound
        gone = [name for name in self.views if name not in self.namespace]
        reach: set[int] = set().union(*(self.views[name].reach for name in touched if name in self.views))
        touched |= {name for name, view in self.views.items() if not view.reach.isdisjoint(reach)}  # the same objects under other names
        harmless = not (text.maybe & touched) and text.harmless and not text.dynamic
        for name in gone:
            self.forget(name)
            now.writes[name_place(name)] = None
            now.kills.add(name_place(name))
        for name in sorted(touched):
            if name in self.namespace:
                self.compare(name, now, harmless=harmless)

    def compare(self, name: str, now: Opened, *, harmless: bool) -> None:
        """What a statement did to one name."""
        text, value, old = now.text, self.namespace[name], self.views.get(name)
        same = self.ids.get(name) == id(value) and name not in text.binds
        if old and old.cost > COSTLY and same and harmless:
            return  # costly to look at, and the text cannot have changed it
        new = self.look(name)
        kept = not (name in text.binds or old is None or self.ids.get(name) != new.id)
        module = issubclass(type(value), types.ModuleType)
        if name in text.maybe and kept:
            patched = issubclass(type(value), (types.ModuleType, type)) and any(key == name for key, _ in text.full)
            unseen = patched and old is not None and new.parts == old.parts
            if (new.opaque and not module) or unseen:  # believe the text
                new.opaque = True
                new.parts = {"": short((old.parts.get("", b"") if old else b"") + now.statement.text.encode())}
        parts, was = parts_of(new), parts_of(old) if old else {}
        if old is not None and not kept and name not in text.binds and parts == was:
            kept = True  # the same value under another identity
        self.note(name, new)
        for part in sorted(parts.keys() | was.keys()):
            self.part(name, part, parts.get(part), was, now, kept=kept)

    def part(self, name: str, part: str, digest: Digest, was: dict[str, bytes], now: Opened, *, kept: bool) -> None:
        place, text = name_place(name, part), now.text
        direct = name in text.over or any(owner == name and f".{key!r}" == part for owner, key in text.full)
        if kept and digest == was.get(part) and not direct:
            return
        now.writes[place] = digest
        if kept and part in ("#keys", "#columns"):
            now.previous[place] = was.get(part)
        elif kept and part not in was:
            now.added.add(place)
        if not kept or direct:
            now.kills.add(place)  # all of the place is new; else a change of what was there

    def random(self, now: Opened) -> None:
        """Draws from the global generators, and their seeds."""
        after = states()
        reached = set().union(*(self.views[name].code for name in now.names if name in self.views))
        seeds = bool((now.text.calls | reached) & SEEDS)
        loads = isinstance(now.text.node, (ast.Import, ast.ImportFrom))  # what libraries draw when they are loaded is no draw of the page
        for key, digest in after.items():
            if now.rng.get(key) not in (None, digest) and not loads:
                now.writes[("rng", key)] = digest
                if seeds:
                    now.kills.add(("rng", key))
                else:
                    now.reads[("rng", key)] = now.rng.get(key)
                    now.drawn.add(("rng", key))
            self.state[("rng", key)] = digest
        self.drawn = after

    def files(self, now: Opened) -> None:
        """Files that were read and written, modules of the project that were imported."""
        heard = now.heard
        if now.text.imports or len(sys.modules) != now.modules:
            for file in self.modules(now):
                now.imported.add(file)
                if file not in self.loads or "reload" in now.text.calls or file in heard.files:
                    self.loads[file] = take(file)
                heard.files[file] = (file, self.loads[file])  # a module that is there already is not read again
        for said in now.text.files:  # readers in C++ tell nobody
            file = os.path.abspath(said)  # noqa: PTH100
            if file not in heard.files and file not in heard.written and os.path.isfile(file) and is_input(file):  # noqa: PTH113
                heard.files[file] = (said, take(file))
        for file, (_, digest) in heard.files.items():
            if file not in heard.written:
                now.reads["file", file] = digest
        for file in heard.written:
            now.writes["file", file] = self.state["file", file] = file_hash(file)
            now.kills.add(("file", file))
        now.why |= {f"{where}, whose answer is not kept" for where in heard.elsewhere}

    def surroundings(self, now: Opened) -> None:
        """Environment, folder, search path and switches: what of them was changed, and what has a part in what was done."""
        now.reads |= self.around.read(now.text, now.names, self.namespace)
        writes = self.around.changed()
        switched = self.around.switched(now.text, now.statement.text, self.namespace)
        now.kills |= set(writes)
        now.writes |= writes | switched
        if any(not os.path.isabs(said) for said, _ in now.heard.files.values()):  # noqa: PTH117
            now.reads[CWD] = folder()
        if any(os.path.dirname(file) != self.folder for file in now.imported):  # noqa: PTH120
            now.reads[PATH] = path()

    def called(self, now: Opened) -> set[str]:
        """What functions that the statement may have called ask of clock, chance or shell."""
        text, found = now.text, set[str]()
        if not self.causes or isinstance(text.node, (*texts.FUNCTIONS, ast.ClassDef)):
            return found
        views = [self.views[name] for name in now.names if name in self.views]
        alias = isinstance(text.node, ast.Assign) and isinstance(text.node.value, ast.Name)
        named = text.calls.union(*(view.code for view in views), () if alias else text.reads)
        for home in set[tuple[str, int]]().union(*(view.homes for view in views)):
            name, why = self.causes.get(home, ("", set[str]()))
            if why and not alias and (name in named or name.startswith(("__", "<"))):
                found |= {f"{name}() asks {cause}" for cause in why}
        return found

    def modules(self, now: Opened) -> Iterable[str]:
        """Source files of the project's modules behind the names that a statement bound."""
        for name in now.text.binds | set(_names(now.writes)):
            home = sys.modules.get(home_of(self.namespace.get(name)))
            if home is None:
                continue
            top = home.__name__.partition(".")[0]
            for key, module in list(sys.modules.items()):
                file = getattr(module, "__file__", None) if key == top or key.startswith(top + ".") else None
                if file and in_project(file):
                    yield os.path.abspath(file)  # noqa: PTH100
        for key in list(sys.modules)[now.modules :]:
            file = getattr(sys.modules.get(key), "__file__", None)
            if file and in_project(file):
                yield os.path.abspath(file)  # noqa: PTH100

    def displayed(self, now: Opened) -> bool:
        """Whether the statement's value is ``_`` now."""
        if not isinstance(now.text.node, ast.Expr) or self.shown() == now.shown:
            return False
        token = short(now.statement.text.encode() + repr(sorted(now.reads.items(), key=str)).encode())
        for name in ("_", f"_{self.where()[2]}"):
            place = name_place(name)
            now.writes[place] = self.state[place] = token
            now.kills.add(place)
        return True

    def untaken(self, now: Opened) -> None:
        """What only branches that were not taken read was not read."""
        where = self.marks.branches.get(now.statement.key)
        if not where:
            return
        took = marks.taken()
        wanted = [name for name in now.text.reads if any(took.issuperset(path) for path in where.get(name, [()]))]
        names = self.reading(now.text, wanted) | {name for name in now.names if name not in self.reading(now.text, now.text.reads)}
        now.reads = {place: digest for place, digest in now.reads.items() if place[0] != "n" or place[1] in names}

    def shown(self) -> tuple[int, bool]:
        """What ``_`` is, and whether the cell has an output; both are IPython's."""
        return id(self.namespace.get("_")), self.where()[2] in self.namespace.get("_oh", ())

    # -- the state

    def look(self, name: str) -> View:
        return look(self.namespace[name], self.namespace)

    def note(self, name: str, view: View) -> None:
        """What a name holds from now on."""
        old = self.views.get(name)
        for part in parts_of(old) if old else ():
            self.state.pop(name_place(name, part), None)
        self.views[name], self.ids[name] = view, view.id
        self.state |= {name_place(name, part): digest for part, digest in parts_of(view).items()}

    def forget(self, name: str) -> None:
        for part in parts_of(self.views.pop(name)):
            self.state.pop(name_place(name, part), None)
        self.ids.pop(name, None)


@functools.cache
def visible(name: str) -> bool:
    """Whether a name is the notebook's own."""
    return name not in HIDDEN and not (_OWN.match(name) and name != "_")


def parts_of(view: View) -> dict[str, bytes]:
    """The parts of a value, and its binding."""
    return view.parts if "" in view.parts else {"": BOUND, **view.parts}


def _names(places: Iterable[Place]) -> set[str]:
    return {place[1] for place in places if place[0] == "n"}


def _only_ours(now: Opened) -> bool:
    """A magic of ours, or one whose body was entered, that changed nothing of the notebook."""
    magic = now.text.magic
    return magic is not None and magic[0] == "" and magic[1] in (*marks.ENTERED, "load_ext", "reload_ext") and not now.writes
