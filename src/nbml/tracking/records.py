"""A run as trackers hear of it: what ``[tracking] send`` lets leave, without secrets and without private columns."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from typing import Any

from nbml import settings
from nbml.store import Store, Thing, runs
from nbml.tracking.fits import plain
from nbml.tracking.secrets import MARK, Redaction, secretive
from nbml.tracking.trackers import RunRecord

#: seconds after a run's end that its Recipe is waited for, where code may leave
RECIPE = 5.0
#: rows of a sample
ROWS = 10
PNG = b"\x89PNG\r\n"


def record(store: Store, run: int) -> RunRecord:
    """What the settings let leave of a run, and its name, tags and note."""
    found = settings.load(store.root)
    allowed, clean = found["tracking.send"], redaction()
    row, thing = runs.rows(store, thing=run)[0], store.by_id(run)
    body = thing.body if thing else {}
    names = runs.names(store, run) if "metrics" in allowed else {}
    return RunRecord(
        row.uid, row.name, row.version, store.root.name, row.state, row.started,
        row.ended or row.started + (row.seconds or 0.0), tuple(map(clean.text, row.tags)), clean.text(str(body.get("note", ""))),
        _params(plain(row.params), clean) if "params" in allowed else {}, {name: runs.points(store, run, name) for name in names},
        _code(store, run, body, row.ended, clean) if "code" in allowed else {},
        _figures(store, body) if "figures" in allowed else (),
        _samples(store, body, frozenset(found["data.private"]), clean) if "samples" in allowed else {},
    )  # fmt: skip


def redaction() -> Redaction:
    """One that knows the secrets of the environment."""
    found = Redaction()
    for name, value in os.environ.items():
        if secretive(name):
            found.param(name, value)
    return found


def said(text: str) -> str:
    """What a tool says, without the environment's secrets and without the user and password of an address."""
    return re.sub(r"(?<=://)[^/@\s]+@", f"{MARK}@", redaction().text(text))


def _params(params: Mapping[str, Any], clean: Redaction) -> dict[str, Any]:
    return {name: _redacted(name, value, clean) for name, value in params.items()}


def _redacted(name: str, value: Any, clean: Redaction) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return value if not secretive(name) or isinstance(value, bool) or value is None else MARK
    if isinstance(value, dict):
        return {clean.text(key): _redacted(key, part, clean) for key, part in value.items()}
    if isinstance(value, list):
        return [_redacted(name, part, clean) for part in value]
    return clean.param(name, value)


def _code(store: Store, run: int, body: Mapping[str, Any], ended: float | None, clean: Redaction) -> dict[str, str]:
    """The cell, and the Recipe, which is made after it: a fresh run is given a moment for it."""
    while "recipe" not in body and ended is not None and 0 <= time.time() - ended < RECIPE:
        time.sleep(0.1)
        thing: Thing | None = store.by_id(run)
        body = thing.body if thing else body
    said = {"cell.py": body.get("cell", {}).get("source", ""), "recipe.py": (body.get("recipe") or {}).get("source", "")}
    return {name: clean.source(text) for name, text in said.items() if text}


def _figures(store: Store, body: Mapping[str, Any]) -> list[tuple[str, bytes]]:
    found = [(str(said.get("title", "")), store.read_blob(said["blob"])) for said in body.get("figures", ()) if said.get("blob")]
    return [(title, content) for title, content in found if content.startswith(PNG)]


def _samples(store: Store, body: Mapping[str, Any], private: frozenset[str], clean: Redaction) -> dict[str, str]:
    """First rows of the dataset versions that the run used, without private columns. Of other frames nothing is kept."""
    from nbml.datasets.parquet import decode

    found: dict[str, str] = {}
    for ref in dict.fromkeys(said["ref"] for said in body.get("data", ()) if said.get("ref")):
        thing = store.find("dataset", ref)
        if thing is None:
            continue
        frame = decode(store.read_blob(thing.body["blob"])).head(ROWS)
        public = frame[[column for column in frame.columns if str(column) not in private]]
        index = not private & {str(name) for name in frame.index.names}
        found[f"{ref.replace('@', '-')}.csv"] = clean.text(public.to_csv(index=index))
    return found
