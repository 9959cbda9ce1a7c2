"""Versions of dataframes: ``snapshot``, ``dataset``, ``data``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbml import errors, frames, settings
from nbml.datasets.values import DatasetVersion, Warning, from_thing
from nbml.display import keep
from nbml.store import Thing, check_name, current

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DatasetVersion", "Warning", "data", "dataset", "snapshot", "take", "version_of"]


def snapshot(df: Any, name: str, note: str = "") -> DatasetVersion:
    """Keep a frame as a version of ``name``. The same content is the same version.

    Raises errors.NotADataFrame, and errors.CannotStore naming a column that Parquet does not give back as it is.
    """
    from nbml.datasets import history, parquet, report

    check_name(name)
    frame, _ = take(df)
    store = current()
    digest = frames.fingerprint(frame)
    last = store.find("dataset", name)
    if last is not None and last.hash == digest:
        return from_thing(last)
    content = parquet.encode(frame)
    facts = frames.facts(frame, settings.load(store.root)["data.private"])
    earlier = [thing.body.get("facts", {}) for thing in store.versions("dataset", name)]
    warnings = history.compare(facts, earlier, name)
    body = {
        "rows": len(frame), "columns": [str(c) for c in frame.columns], "bytes": len(content), "note": note,
        "blob": store.put_blob(content), "facts": facts, "warnings": [vars(w) for w in warnings],
        "row": report.row(len(frame), frame.shape[1], [w.code for w in warnings], [*(e["rows"] for e in earlier if e), len(frame)]),
    }  # fmt: skip
    thing = store.add("dataset", name, body, hash=digest, state="look" if warnings else "well", same=True)
    version = from_thing(thing, new=True)
    shown = keep(version._report())
    return from_thing(store.update(thing, {"result": shown}), new=True)


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
    return shown_as(frame, listing_report(versions, histories))


def take(value: Any) -> tuple[pd.DataFrame, Thing | None]:
    """A frame, and the stored version that it is: from a frame, ``name@n``, or a Parquet or CSV path.

    A frame's version is not looked for (``version_of`` does). Raises errors.NotADataFrame, errors.UnknownDataset.
    """
    if isinstance(value, DatasetVersion):
        return value.load(), value.thing
    if isinstance(value, (str, Path)):
        text = str(value)
        if text.lower().endswith(frames.ENDINGS) or isinstance(value, Path):
            path = Path(value)
            if not path.is_file():
                raise errors.BadInput(f"no file {text!r} in {Path.cwd()}")
            return frames.read_frame(path), None
        found = dataset(text)
        return found.load(), found.thing
    return frames.require(value), None


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
        following = None if names else f"%nbml snapshot df --name {ref.partition('@')[0]}"
        return errors.UnknownDataset(f"no dataset {ref!r}{have}", next=following)
    versions = len(current().versions("dataset", close))
    return errors.UnknownDataset(f"no dataset {ref!r}; nearest: {close}@{versions}", next=f'nbml.dataset("{close}@{versions}")')
