"""What executed statements read and changed, as the record keeps it: places, and the digests that were found there.

A place is ``("n", name, part)``, where part is "" for the binding (and for a value that has no parts), ``.'x'`` for a column or
key, ``#index``, ``#columns`` or ``#keys``; or ``("rng", "numpy")``, ``("file", path)``, ``("env", name)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import EllipsisType

Place = tuple[str, ...]
#: of a read: ``...`` is "which object, not what is in it", None is nothing there or not known
Digest = bytes | EllipsisType | None


def name_place(name: str, part: str = "") -> Place:
    return ("n", name, part)


@dataclass(frozen=True)
class Statement:
    """A top-level statement of a cell as it was compiled.

    ``text`` is its normal form, by which it is known again; ``source`` the text that it was compiled from, in which it stands at
    ``span`` (first line and column, last line and column). ``block`` is the key of the ``with nbml.track(...)`` around it, or -1.
    """

    key: int
    text: str
    source: str = ""
    span: tuple[int, int, int, int] = (1, 0, 1, 0)
    block: int = -1


@dataclass(frozen=True)
class Event:
    """One execution of one top-level statement.

    ``reads`` are digests before it, ``writes`` after it; of the written places ``kills`` were replaced, the others changed.
    ``rows`` are the rows of each frame that it read or wrote, before and after. ``evidence`` tells that digests were taken;
    else the text alone speaks. ``why`` are causes for which it may give something else next time.
    """

    number: int
    cell: int
    id: str
    count: int | None
    statement: Statement
    reads: Mapping[Place, Digest] = field(default_factory=dict)
    writes: Mapping[Place, Digest] = field(default_factory=dict)
    kills: frozenset[Place] = frozenset()
    failed: bool = False
    displayed: bool = False
    evidence: bool = True
    why: tuple[str, ...] = ()
    rows: Mapping[str, tuple[int | None, int | None]] = field(default_factory=dict)
    #: of ``#keys`` and ``#columns``, which grow: what they were, and the parts that came
    previous: Mapping[Place, Digest] = field(default_factory=dict)
    added: frozenset[Place] = frozenset()
    #: path -> how the code named it
    given: Mapping[str, str] = field(default_factory=dict)
    #: files that are modules of the project
    modules: frozenset[str] = frozenset()
    #: numbers were logged to a run
    logged: bool = False
    #: names whose large values were compared by a sample
    sampled: tuple[str, ...] = ()
    #: states of generators that it drew from without using what it drew
    idle: frozenset[Place] = frozenset()

    @property
    def text(self) -> str:
        return self.statement.text

    @property
    def needs(self) -> dict[Place, Digest]:
        """What it read and what has a part in what it gave."""
        return {place: digest for place, digest in self.reads.items() if place not in self.idle}

    @property
    def label(self) -> str:
        """How the page calls its cell."""
        return f"cell {self.count}" if self.count is not None else "a cell"

    @property
    def head(self) -> str:
        """The first line of the statement, shortened."""
        return self.statement.text.partition("\n")[0][:80]

    def names(self) -> set[str]:
        """The names that it wrote."""
        return {place[1] for place in self.writes if place[0] == "n"}
