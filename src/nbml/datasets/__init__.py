"""Versions of dataframes: ``snapshot``, ``dataset``, ``data``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbml import errors, frames, settings
from nbml.datasets.values import DatasetVersion, Warning, from_thing
from nbml.display import keep
from nbml.slicing import recorder
from nbml.store import Store, Thing, check_name, current
from nbml.store.record import NAME

if TYPE_CHECKING:
    import pandas as pd

    from nbml.datasets.leftovers import Leftovers
    from nbml.datasets.sources import Source

__all__ = ["DatasetVersion", "Warning", "data", "dataset", "gc", "opened", "snapshot", "take", "version_of"]


def snapshot(df: Any, name: str, note: str = "") -> DatasetVersion:
    """Keep a frame as a version of ``name``. The same content is the same version.

    Raises errors.NotADataFrame, and errors.CannotStore naming a column that Parquet does not give back as it is.
    """
    found = _snapshot(df, name, note)
    recorder.pin(df, str(found))
    return found


def _snapshot(df: Any, name: str, note: str) -> DatasetVersion:
    from nbml.datasets import history, history_facts, report

    check_name(name)
    frame, _ = take(df)
    _check_labels(list(frame.columns))
    store = current()
    digest = frames.fingerprint(frame)
    last = store.find("dataset", name)
    if last is not None and last.hash == digest and store.whole(last.body["blob"]):
        return from_thing(last, same=True)
    kept = _kept(store, frame, digest, last, name_of(df))
    if last is not None and last.hash == digest:  # a file of it was lost
        return from_thing(store.update(last, kept), same=True)
    facts = history_facts.facts(frame, settings.load(store.root)["data.private"])
    versions = store.versions("dataset", name)
    earlier = [thing.body.get("facts", {}) for thing in versions]
    warnings = history.compare(facts, earlier, [thing.made for thing in versions], time.time())
    body = kept | {
        "rows": len(frame), "columns": [str(c) for c in frame.columns], "note": note, "facts": facts,
        "warnings": [vars(w) for w in warnings],
        "row": report.row(len(frame), frame.shape[1], [w.code for w in warnings], [*(e["rows"] for e in earlier if e), len(frame)]),
    }  # fmt: skip
    thing = store.add("dataset", name, body, hash=digest, state="look" if warnings else "well", same=True)
    version = from_thing(thing, new=True)
    shown = keep(version._report())
    return from_thing(store.update(thing, {"result": shown}), new=True)


def _kept(store: Store, frame: pd.DataFrame, digest: str, last: Thing | None, called: str) -> dict[str, Any]:
    """Where the frame's content lies: where any version had it before, else in new pieces beside those of ``last``."""
    from nbml.datasets import parquet

    before = store.by_hash("dataset", digest)
    if before is not None and store.whole(before.body["blob"]):
        return {key: before.body[key] for key in ("blob", "bytes", "page")} | {"new": 0}
    kept = parquet.keep(store, frame, called, last.body.get("page", 0) if last is not None else 0)
    return {"blob": kept.blob, "bytes": kept.size, "new": kept.new, "page": kept.page}


def _check_labels(labels: list[Any]) -> None:
    """Facts, expectations and reports name columns by text."""
    seen: dict[str, Any] = {}
    for label in labels:
        other = seen.setdefault(str(label), label)
        if not _encodes(str(label)):
            raise errors.CannotStore(f"the column name {str(label)!r} holds half of a surrogate pair, which is no Unicode; rename it")
        if other is not label and type(other) is not type(label):
            both = " and ".join(f"{one!r} ({type(one).__name__})" for one in (other, label))
            raise errors.CannotStore(f"the column labels {both} are the same as text; rename one")


def _encodes(text: str) -> bool:
    try:
        return text.encode() is not None
    except UnicodeEncodeError:
        return False


def dataset(ref: str) -> DatasetVersion:
    """The version ``name@n``, or the latest of ``name``. Raises errors.UnknownDataset."""
    thing = current().find("dataset", ref)
    if thing is None:
        raise unknown(ref)
    return from_thing(thing)


def data() -> pd.DataFrame:
    """The latest version of each dataset, newest first: name, version, rows, columns, warnings, made."""
    import pandas as pd

    from nbml.datasets.report import listing_report
    from nbml.display.listing import shown_as

    versions = [from_thing(thing) for thing in current().latest("dataset")]
    histories = {v.name: [t.body["rows"] for t in current().versions("dataset", v.name)] for v in versions}
    rows = [
        (v.name, v.version, v.thing.body["rows"], len(v.thing.body["columns"]), [w.code for w in v.warnings],
         pd.Timestamp(v.made, unit="s", tz="UTC"))
        for v in versions
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["name", "version", "rows", "columns", "warnings", "made"])
    first = a_frame()
    return shown_as(frame, listing_report(versions, histories, f"%nbml snapshot {first}" if first else ""))


def gc(yes: bool = False) -> Leftovers:
    """Files of the store that nothing refers to: shows what they come to, and with ``yes`` removes them.

    What is younger than an hour stays. Raises errors.ReadOnlyStore, and errors.StoreError while another process removes.
    """
    from nbml.datasets.leftovers import sweep

    return sweep(yes)


def take(value: Any) -> tuple[pd.DataFrame, Thing | None]:
    """A frame, and the stored version that it is: from a frame of pandas, polars, pyarrow or DuckDB, ``name@n``, or a Parquet or
    CSV path.

    A frame's version is not looked for (``version_of`` does). Raises errors.NotADataFrame, errors.UnknownDataset.
    """
    from nbml.datasets import sources

    if isinstance(value, DatasetVersion):
        return value.load(), value.thing
    path = _path(value)
    if isinstance(value, str) and path is None:
        found = dataset(value)
        return found.load(), found.thing
    try:
        if path is not None:
            return frames.require(_read(path)), None
        source = None if frames.is_frame(value) else sources.of(value)
        return frames.require(value if source is None else sources.frame(source)), None
    except errors.BadInput as error:
        error.next = _mended(value)
        raise


#: how many times its size on disk a file may take in memory without being looked into
PACKED = 20


def opened(value: Any, limit: int) -> tuple[pd.DataFrame | Source, Thing | None]:
    """As ``take``; the source itself where its frame would take more than about ``limit`` bytes."""
    from nbml.datasets import sources

    path = _path(value)
    if frames.is_frame(value) or isinstance(value, DatasetVersion) or (isinstance(value, str) and path is None):
        return take(value)
    if path is not None and path.stat().st_size * PACKED <= limit:
        return take(value)
    try:
        source = sources.of(value if path is None else path)
    except errors.BadInput as error:
        error.next = _mended(value)
        raise
    size = None if source is None else source.size()
    if source is None or (size is not None and size <= limit):
        return take(value)
    if size is not None:
        return source, None
    begun = sources.Begun(source, limit)
    return (frames.require(sources.frame(begun)) if begun.whole else begun), None


def _path(value: Any) -> Path | None:
    """The file that is meant; None where something else is. Raises errors.BadInput where there is none."""
    if not isinstance(value, (str, Path)) or not (isinstance(value, Path) or value.lower().endswith(frames.ENDINGS)):
        return None
    if not Path(value).is_file():
        raise _no_file(Path(value))
    return Path(value)


def _read(path: Path) -> pd.DataFrame:
    """As pandas reads it; Parquet that pandas did not write as ``sources`` says, so that whole numbers stay whole."""
    from nbml.datasets import sources

    if path.suffix.lower() == ".csv":
        sources.check_head(path)
    source = sources.of(path) if path.suffix.lower() != ".csv" else None
    if source is None or b"pandas" in (source.schema().metadata or {}):
        return frames.read_frame(path)
    return sources.frame(source)


def name_of(value: Any) -> str:
    """The notebook's name for a value; "" where it has none."""
    return next((name for name, bound in _names() if bound is value), "")


def called(value: Any, thing: Thing | None) -> str:
    """What data are called: a stored version, a file, the notebook's variable; "" where nothing names them."""
    return thing.ref if thing is not None else str(value) if isinstance(value, (str, Path)) else name_of(value)


def a_frame() -> str:
    """The name of the notebook's newest frame; "" where it has none."""
    return next((name for name, bound in reversed(_names()) if frames.is_frame(bound)), "")


def _names() -> list[tuple[str, Any]]:
    from nbml.slicing import recorder

    return [(name, bound) for name, bound in list(recorder.namespace().items()) if not name.startswith("_") and name.isidentifier()]


def _no_file(path: Path) -> errors.BadInput:
    """With the nearest file beside it that can be read as a frame."""
    there = sorted(p.name for p in path.parent.iterdir() if p.suffix.lower() in frames.ENDINGS) if path.parent.is_dir() else []
    close = errors.nearest(path.name, there)
    have = f"; nearest: {close}" if close else f"; there are {', '.join(there[:5])}" if there else ""
    return errors.BadInput(f"no file {str(path)!r} in {Path.cwd()}{have}")


def _mended(value: Any) -> str | None:
    """The line after which a variable is a frame that can be taken; None where none is sure to do."""
    import pandas as pd

    name = name_of(value)
    if not name:
        return None
    if frames.is_frame(value):
        twice = value.columns.duplicated()
        labels = [f"{label}_{i}" if twice[i] else label for i, label in enumerate(value.columns)]
        numbered = 'f"{c}_{i}" if twice else c'
        line = f"{name}.columns = [{numbered} for i, (c, twice) in enumerate(zip({name}, {name}.columns.duplicated()))]"
        return line if len(set(labels)) == len(labels) else None
    if isinstance(value, pd.Series):
        return f"{name} = {name}.to_frame({'' if isinstance(value.name, str) else repr('value')})"
    if type(value).__name__ == "LazyFrame":
        return f"{name} = {name}.collect()"
    to_pandas = getattr(value, "to_pandas", None)
    if callable(to_pandas) and not isinstance(value, type):
        return f"{name} = {name}.to_pandas()"
    try:
        fits = isinstance(value, (list, dict)) or hasattr(value, "__array__")
        whole = pd.DataFrame(value) if fits else None
    except Exception:  # any: it is what pandas makes of a value that is no frame
        return None
    pandas = next((known for known, bound in _names() if bound is pd), "")
    make = f"{name} = {pandas or 'pd'}.DataFrame({name})"
    return None if whole is None or not whole.shape[1] else make if pandas else f"import pandas as pd; {make}"


def version_of(frame: pd.DataFrame) -> Thing | None:
    """The newest stored version with exactly this content, or None."""
    store = current()
    if not store.read("SELECT 1 FROM thing WHERE kind='dataset' LIMIT 1"):
        return None
    return store.by_hash("dataset", frames.fingerprint(frame))


def unknown(ref: str) -> errors.UnknownDataset:
    """The error for a reference that nothing bears, with the nearest that something does."""
    names = [thing.name for thing in current().latest("dataset")]
    close = errors.nearest(ref.partition("@")[0], names)
    if close is None:
        have = f"; there are {', '.join(names[:5])}" if names else "; none is stored yet"
        frame, name = a_frame(), ref.partition("@")[0]
        snapshot = f"%nbml snapshot {frame} --name {name}" if frame and NAME.fullmatch(name) else None
        return errors.UnknownDataset(f"no dataset {ref!r}{have}", next="%nbml data" if names else snapshot)
    versions = len(current().versions("dataset", close))
    return errors.UnknownDataset(f"no dataset {ref!r}; nearest: {close}@{versions}", next=f'nbml.dataset("{close}@{versions}")')
