"""The record as the panel reads it: sections of rows, made of what each stored thing says about itself.

A body's ``row`` is ``{"state", "figure", "spark"?, "label"?}`` and its ``result`` the id of the stored bundle that
the detail view draws. Nothing here knows a stage; what is read twice is checked, since a store may be anybody's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

from nbml.labserver import live
from nbml.labserver.binding import Binding
from nbml.store import Store, Thing, advice

STATES = ("well", "look", "bad", "running", "idle")
#: rows of one section that are sent; the count is of all
MOST = 200
#: checks that are looked at for the rows of their suites, and those of one row that its strip shows
LOOKED_AT, STRIP = 2000, 6
#: kind, title, and whether each version has its row or only the latest of a name
SECTIONS = (
    ("alert", "Alerts", False),
    ("deployment", "Deployments", False),
    ("service", "Services", True),
    ("study", "Studies", False),
    ("run", "Runs", True),
    ("validation", "Validations", False),
    ("dataset", "Data", False),
)
KINDS = (*(kind for kind, _, _ in SECTIONS), "suite")

Json = dict[str, Any]
VERSION = re.compile(r"@[1-9][0-9]*$")


def state(store: Store, binding: Binding) -> Json:
    """All that the panel shows of a project."""
    sections = [section(store, *which) for which in SECTIONS]
    digest = store.digest(binding.kernel) if binding.kernel else {}
    models = advice.models(digest)
    return {
        "version": 1,
        "project": {"id": binding.id, "name": store.root.name or str(store.root), "by": binding.by},
        "readonly": store.readonly,
        "sections": sections,
        "models": models,
        "services": [packaged(thing) for thing in store.all("service", MOST)],
        "next": advice.step(store, models),
    }


def section(store: Store, kind: str, title: str, each: bool) -> Json:
    """One section: its newest rows, and how many there are."""
    if kind == "validation":
        rows = checked(store)
        return {"kind": kind, "title": title, "count": len(rows), "rows": rows[:MOST]}
    if each:
        things = store.all(kind, MOST)
        count = int(store.read("SELECT count(*) FROM thing WHERE kind=?", (kind,))[0][0]) if things else 0
    else:
        things = store.latest(kind)
        count = len(things)
    if kind == "deployment":
        things = [t for t in things if t.state not in ("stopped", "gone")]
        count = len(things)
    return {"kind": kind, "title": title, "count": count, "rows": [row(store, thing) for thing in things[:MOST]]}


def checked(store: Store) -> list[Json]:
    """One row for each suite and what it checks: the latest check, and how the last ones went, oldest first."""
    found: dict[tuple[str, str], list[Any]] = {}
    sql = "SELECT id, name, state, json_extract(body,'$.data') AS data FROM thing WHERE kind='validation' ORDER BY id DESC LIMIT ?"
    for one in store.read(sql, (LOOKED_AT,)):
        found.setdefault((one["name"], unversioned(one["data"])), []).append(one)
    rows = []
    for (name, data), ones in list(found.items())[:MOST]:
        latest = store.by_id(ones[0]["id"])
        if latest is not None:
            strip = [one["state"] if one["state"] in STATES else "idle" for one in reversed(ones[:STRIP])]
            label = f"{name} on {data}" if data not in ("", name) else name
            own = row(store, latest)
            rows.append(own | {"label": label, "figure": own["figure"].split(" · ")[0], "data": data, "strip": strip})
    return rows


def unversioned(data: Any) -> str:
    """What data are called, whatever their version: "orders" for "orders@3"."""
    return VERSION.sub("", text(data))


def row(store: Store, thing: Thing) -> Json:
    """The line of one thing."""
    own = thing.body.get("row")
    own = own if isinstance(own, dict) else {}
    shown: Json = {
        "kind": thing.kind,
        "name": thing.name,
        "version": thing.version,
        "ref": thing.ref,
        "label": text(own.get("label")) or label(thing),
        "state": own.get("state") if own.get("state") in STATES else "idle",
        "figure": text(own.get("figure")),
        "spark": numbers(own.get("spark")),
        "result": text(thing.body.get("result")),
        "made": thing.made,
    }
    if thing.kind == "run":
        shown |= judged(thing, shown)
    if thing.kind == "deployment":
        shown |= live.overlay(store, thing)
    elif shown["state"] == "running" and not owned(store, thing):
        done = shown["figure"].split(" · ")[0]
        shown |= {"state": "look", "figure": f"{done} · interrupted" if done else "interrupted"}
    return shown


def judged(thing: Thing, shown: Json) -> Json:
    """How many findings a run has; one that ended well is worth a look where there are any."""
    count = len(items(thing.body.get("findings")))
    if not count:
        return {"findings": 0}
    said = f"{count} finding" + ("" if count == 1 else "s")
    state = "look" if shown["state"] == "well" else shown["state"]
    return {"findings": count, "state": state, "figure": f"{shown['figure']} · {said}" if shown["figure"] else said}


def label(thing: Thing) -> str:
    """What a row is called: versioned things by reference, runs and studies by name."""
    if thing.kind == "deployment":
        return text(thing.body.get("service")) or thing.name
    return thing.ref if thing.kind in ("service", "dataset") else thing.name


def owned(store: Store, thing: Thing) -> bool:
    """Whether the process that makes a running thing is still there."""
    owners: list[int] = []
    if isinstance(thing.body.get("process"), int):
        owners.append(thing.body["process"])
    owners += _numbers(store.read("SELECT process FROM run WHERE thing=?", (thing.id,)))
    owners += _numbers(store.read("SELECT process FROM result WHERE id=?", (text(thing.body.get("result")),)))
    return any(store.alive(number) for number in owners)


def packaged(thing: Thing) -> Json:
    """A service as the Deploy form needs it: what was proven, what to beware of, one real row."""
    manifest = thing.body.get("manifest")
    said = {**(manifest if isinstance(manifest, dict) else {}), **thing.body}
    proof, size = said.get("proof"), said.get("size")
    rows = proof.get("rows") if isinstance(proof, dict) else None
    return {
        "ref": thing.ref,
        "name": thing.name,
        "version": thing.version,
        "made": thing.made,
        "rows": rows if isinstance(rows, int) else None,
        "warnings": [warning(w) for w in items(said.get("warnings"))][:20],
        "sample": [r for r in items(said.get("sample")) if isinstance(r, dict)][:3],
        "suite": text(said.get("suite")),
        "size": size if isinstance(size, int) else None,
        "policy": text(said.get("policy")),
    }


def warning(said: Any) -> str:
    """One risk as a sentence."""
    return text(said.get("message")) if isinstance(said, dict) else str(said)


def thing(store: Store, kind: str, name: str, version: int) -> Json | None:
    """One thing with its line, its body and its lineage; None where there is none."""
    found = store.find(kind, f"{name}@{version}")
    if found is None:
        return None
    out: Json = {"row": row(store, found), "hash": found.hash, "body": found.body}
    out["from"] = [{"role": role, "kind": t.kind, "ref": t.ref} for role, t in store.edges_from(found)]
    out["to"] = [{"role": role, "kind": t.kind, "ref": t.ref} for role, t in store.edges_to(found)]
    return out


def text(value: Any) -> str:
    """A string of at most 200 characters; "" for what is none."""
    return value[:200] if isinstance(value, str) else ""


def items(value: Any) -> list[Any]:
    """A list; [] for what is none."""
    return value if isinstance(value, list) else []


def numbers(value: Any) -> list[float] | None:
    """At least two finite numbers, the last 60, or None."""
    if not isinstance(value, list):
        return None
    real = [float(v) for v in value if isinstance(v, (int, float)) and math.isfinite(v)]
    return real[-60:] if len(real) > 1 else None


def _numbers(rows: Iterable[Any]) -> list[int]:
    return [int(found[0]) for found in rows if found[0] is not None]
