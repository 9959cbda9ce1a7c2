"""The frames that a block uses: held as they are when they are used, and looked at once the cell is over."""

from __future__ import annotations

import hashlib
import sys
import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nbml import frames
from nbml.store import Store, Thing

#: cells of a frame up to which it is held and its content fingerprinted, and of all frames of a run
CELLS, TOGETHER = 5_000_000, 20_000_000
#: different frames of one run that are looked at
FRAMES = 20
#: bytes of a stored version up to which a frame is looked for inside it
PART = 20_000_000


@dataclass
class Used:
    """A frame or array. ``value`` is as it was when it was used, whatever became of the frame; None where it was too large."""

    value: Any
    rows: int
    columns: int
    kind: str
    fingerprint: str = ""
    thing: Thing | None = None
    part: bool = False

    def body(self) -> dict[str, Any]:
        """For the run's body."""
        found = {"rows": self.rows, "columns": self.columns, "kind": self.kind, "fingerprint": self.fingerprint}
        return found | ({"ref": self.thing.ref, "part": self.part} if self.thing else {})


@dataclass
class Taken:
    """The frames of one run, each once."""

    found: list[Used] = field(default_factory=list)
    _known: dict[int, Any] = field(default_factory=dict)
    _cells: int = 0

    def take_named(self, namespace: Mapping[str, Any], names: Callable[[], Iterable[str]]) -> None:
        """Hold the frames of a namespace that a cell names, as they are before it changes them."""
        if "pandas" in sys.modules and any(frames.is_frame(value) for value in list(namespace.values())):
            for name in sorted(names()):
                if frames.is_frame(namespace.get(name)):
                    self.take(namespace[name])

    def take(self, data: Any) -> None:
        """Hold a frame, Series or array; anything else is passed over. Takes about 20 us, whatever its size."""
        if data is None or len(self.found) >= FRAMES:
            return
        known = self._known.get(id(data))
        if known is not None and known() is data:
            return
        shape = getattr(data, "shape", None)
        if not isinstance(shape, tuple) or not 1 <= len(shape) <= 2 or not all(isinstance(n, int) for n in shape):
            return
        try:
            self._known[id(data)] = weakref.ref(data)
        except TypeError:
            return
        rows, columns = shape[0], shape[1] if len(shape) == 2 else 1
        self._cells += rows * columns
        small = rows * columns <= CELLS and self._cells <= TOGETHER
        self.found.append(Used(_hold(data) if small else None, rows, columns, type(data).__name__))


def _hold(data: Any) -> Any:
    """The data as it is now, safe from changes in place: copied only where a copy is the one way."""
    if frames.is_frame(data):
        return data.copy(deep=not _copies_on_write())
    if type(data).__module__ == "numpy" and not data.dtype.hasobject:
        return data.copy()
    return None


def _copies_on_write() -> bool:
    """Whether pandas makes the copy where one of two frames that share their data is changed."""
    pandas: Any = sys.modules["pandas"]
    return int(pandas.__version__.partition(".")[0]) >= 3 or bool(pandas.options.mode.copy_on_write)


def find_versions(store: Store, used: list[Used]) -> None:
    """Fingerprint each frame, and find the dataset version that it is, or of whose rows and columns it is a part.

    Claims nothing that is not so; lets go of the frames.
    """
    for one in used:
        one.fingerprint = _fingerprint(one.value)
    if "pandas" in sys.modules and store.read("SELECT 1 FROM thing WHERE kind='dataset' LIMIT 1"):
        opened: dict[int, Any] = {}
        for one in used:
            if one.fingerprint and frames.is_frame(one.value):
                one.thing = store.by_hash("dataset", one.fingerprint) or _part(store, one, opened)
                one.part = one.thing is not None and one.thing.hash != one.fingerprint
    for one in used:
        one.value = None


def _fingerprint(value: Any) -> str:
    if value is None:
        return ""
    if frames.is_frame(value):
        return frames.fingerprint(value)
    return hashlib.sha256(f"nbml-array-1 {value.dtype} {value.shape}".encode() + value.tobytes()).hexdigest()


def _part(store: Store, one: Used, opened: dict[int, Any]) -> Thing | None:
    """The newest version that holds the frame's rows, by their index, and its columns, with equal values."""
    from nbml.datasets.parquet import fetch

    frame = one.value
    names = [str(column) for column in frame.columns]
    for thing in store.latest("dataset"):
        body = thing.body
        if one.rows > body["rows"] or body["bytes"] > PART or not set(names) <= set(body["columns"]):
            continue
        if thing.id not in opened:
            opened[thing.id] = fetch(store, body["blob"])
        whole = opened[thing.id]
        inside = whole.index.is_unique and set(frame.columns) <= set(whole.columns) and bool(frame.index.isin(whole.index).all())
        if inside and whole.loc[frame.index, list(frame.columns)].equals(frame):
            return thing
    return None
