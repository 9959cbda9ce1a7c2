"""What the fits of a block say: the parameters of each estimator, and the frames that it was given."""

from __future__ import annotations

import hashlib
import inspect
import math
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nbml import frames
from nbml.store import Thing, current
from nbml.tracking.secrets import Redaction

#: longest text of a parameter that is kept
LONGEST = 500
#: cells of a frame up to which its content is fingerprinted (about half a second)
CELLS = 5_000_000
#: different frames of one run that are looked at
FRAMES = 20
#: bytes of a stored version up to which a frame is looked for inside it
PART = 20_000_000


@dataclass
class Fit:
    """The last fit of one class of estimator."""

    type: str
    params: dict[str, Any]
    changed: list[str]
    times: int = 1


@dataclass
class Used:
    """A frame that a fit was given."""

    value: Any
    rows: int
    columns: int
    kind: str
    fingerprint: str
    thing: Thing | None = None
    part: bool = False


@dataclass
class Fits:
    """Listens to the fits of one run."""

    redaction: Redaction
    thread: int = field(default_factory=threading.get_ident)
    found: dict[type, Fit] = field(default_factory=dict)
    used: dict[int, Used] = field(default_factory=dict)
    inner: int = 0
    #: estimators that learn piece by piece, held so that no other gets their id
    _partial: dict[int, Any] = field(default_factory=dict)

    def nested(self) -> None:
        """A fit inside another one ended."""
        self.inner += 1

    def fitted(self, estimator: Any, args: tuple[Any, ...], kwargs: dict[str, Any], method: str) -> None:
        """Write down an outer fit."""
        before = self.found.get(type(estimator))
        if before is not None and method == "partial_fit" and id(estimator) in self._partial:
            before.times += 1
            return
        if method == "partial_fit":
            self._partial[id(estimator)] = estimator
        params, changed = describe(estimator, self.redaction)
        self.found[type(estimator)] = Fit(type(estimator).__name__, params, changed, before.times + 1 if before else 1)
        data = args[0] if args else kwargs.get("X")
        if data is not None and id(data) not in self.used and len(self.used) < FRAMES:
            seen = look(data)
            if seen is not None:
                self.used[id(data)] = seen

    def params(self) -> dict[str, Any]:
        """All parameters under their own names; where two classes differ in one, each under ``class__name``."""
        fits = list(self.found.values())
        values: dict[str, list[Any]] = {}
        for fit in fits:
            for name, value in fit.params.items():
                known = values.setdefault(name, [])
                if value not in known:
                    known.append(value)
        return {
            name if len(values[name]) == 1 else f"{fit.type.lower()}__{name}": value
            for fit in fits
            for name, value in fit.params.items()
        }

    def changed(self) -> list[str]:
        """Those of ``params`` that are not the default."""
        params = self.params()
        return [name if name in params else f"{fit.type.lower()}__{name}" for fit in self.found.values() for name in fit.changed]


def describe(estimator: Any, redaction: Redaction) -> tuple[dict[str, Any], list[str]]:
    """The parameters of an estimator and of those in it as JSON values, and the names of those that are not the default.

    Left out: lists of estimators, whose parameters stand on their own, and what scikit-learn itself calls "deprecated".
    """
    deep = estimator.get_params(deep=True)
    found: dict[str, Any] = {}
    changed: list[str] = []
    for name, value in deep.items():
        if _parts(value) or (isinstance(value, str) and value == "deprecated"):
            continue
        owner, _, leaf = name.rpartition("__")
        holder = deep.get(owner, estimator) if owner else estimator
        found[name] = redaction.param(name, simple(value))
        if not hasattr(value, "get_params") and simple(_default(type(holder), leaf)) != simple(value):
            changed.append(name)
    return found, changed


def _parts(value: Any) -> bool:
    """Whether a value is a list of named estimators, whose parameters stand on their own."""
    return isinstance(value, (list, tuple)) and any(
        hasattr(part, "get_params") or (isinstance(part, tuple) and any(hasattr(p, "get_params") for p in part)) for part in value
    )


def _default(cls: type, name: str) -> Any:
    try:
        parameter = inspect.signature(cls.__init__).parameters.get(name)  # type: ignore[misc]
    except (TypeError, ValueError):
        return None
    return None if parameter is None or parameter.default is parameter.empty else parameter.default


def simple(value: Any) -> Any:
    """A value as JSON. Numbers that JSON has not are ``{"float": "nan"}``; what is no plain value stands as its name."""
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        value = value.item()
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, str):
        return value[:LONGEST]
    if isinstance(value, (list, tuple)) and len(value) <= 100:
        return [simple(part) for part in value]
    if isinstance(value, Mapping) and len(value) <= 100:
        return {str(key): simple(part) for key, part in value.items()}
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple):
        return f"{type(value).__name__} of shape {shape}"
    if isinstance(value, type) or callable(value):
        return str(getattr(value, "__qualname__", type(value).__name__))
    return type(value).__name__


def plain(value: Any) -> Any:
    """A value of ``simple`` as it was."""
    if isinstance(value, dict):
        return float(value["float"]) if set(value) == {"float"} else {key: plain(part) for key, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, list) else value


def look(data: Any) -> Used | None:
    """A frame or array as it is now, or None for what is neither."""
    shape = getattr(data, "shape", None)
    if not isinstance(shape, tuple) or not 1 <= len(shape) <= 2 or not all(isinstance(n, int) for n in shape):
        return None
    rows, columns = shape[0], shape[1] if len(shape) == 2 else 1
    digest = ""
    if rows * columns <= CELLS:
        if frames.is_frame(data):
            digest = frames.fingerprint(data)
        elif type(data).__module__ == "numpy" and not data.dtype.hasobject:
            digest = hashlib.sha256(f"nbml-array-1 {data.dtype} {shape}".encode() + data.tobytes()).hexdigest()
    return Used(data, rows, columns, type(data).__name__, digest)


def find_versions(used: list[Used]) -> None:
    """Find the dataset version that each frame is, or of whose rows and columns it is a part. Claims nothing that is not so."""
    store = current()
    if "pandas" not in sys.modules or not store.read("SELECT 1 FROM thing WHERE kind='dataset' LIMIT 1"):
        return
    opened: dict[int, Any] = {}
    for one in used:
        if one.fingerprint and frames.is_frame(one.value):
            one.thing = store.by_hash("dataset", one.fingerprint) or _part(one, store.latest("dataset"), opened)
            one.part = one.thing is not None and one.thing.hash != one.fingerprint


def _part(one: Used, versions: list[Thing], opened: dict[int, Any]) -> Thing | None:
    """The newest version that holds the frame's rows, by their index, and its columns, with equal values."""
    from nbml.datasets.parquet import decode

    frame = one.value
    names = [str(column) for column in frame.columns]
    for thing in versions:
        body = thing.body
        if one.rows > body["rows"] or body["bytes"] > PART or not set(names) <= set(body["columns"]):
            continue
        if thing.id not in opened:
            opened[thing.id] = decode(current().read_blob(body["blob"]))
        whole = opened[thing.id]
        inside = whole.index.is_unique and set(frame.columns) <= set(whole.columns) and bool(frame.index.isin(whole.index).all())
        if inside and whole.loc[frame.index, list(frame.columns)].equals(frame):
            # what was changed after the fit is not what was fitted on
            return thing if frames.fingerprint(frame) == one.fingerprint else None
    return None
