"""What the detail views of data and of checks read: versions of a dataset, checks by a suite, pages of a long table.

Nothing here knows a stage: a body is read as JSON that may be anybody's, and what is not of the expected form is left out.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import Any

from nbml import errors
from nbml.labserver import view
from nbml.store import Store, Thing

Json = dict[str, Any]
#: versions of a dataset that are sent, and checks of a suite; the newest
VERSIONS, CHECKS = 500, 60
#: bytes of rows that come with a result; further ones are asked for
INLINE = 200_000
#: rows of a page
PAGE = 5_000
PART = re.compile(r"(\.[0-9]{1,4}){1,8}")


def dataset(store: Store, name: str) -> Json | None:
    """The versions of a dataset, oldest first; None where there is none of that name."""
    things = store.versions("dataset", name)
    if not things:
        return None
    return {"name": name, "total": len(things), "versions": [_version(thing) for thing in things[-VERSIONS:]]}


def _version(thing: Thing) -> Json:
    body = thing.body
    columns = body.get("columns")
    warned = [w for w in view.items(body.get("warnings")) if isinstance(w, dict)]
    return {
        "version": thing.version, "ref": thing.ref, "made": thing.made, "rows": whole(body.get("rows")),
        "columns": len(columns) if isinstance(columns, list) else whole(columns), "bytes": whole(body.get("bytes")),
        "warnings": [{"code": view.text(w.get("code")), "message": view.text(w.get("message"))} for w in warned],
        "note": view.text(body.get("note")), "result": view.text(body.get("result")),
    }  # fmt: skip


def checks(store: Store, name: str, data: str) -> Json | None:
    """The checks of ``data`` by the suite ``name``, oldest first, and which of its lines held in each; None without one."""
    rows = store.read(
        "SELECT id, json_extract(body,'$.data') AS data FROM thing WHERE kind='validation' AND name=? ORDER BY version DESC",
        (name,),
    )
    ids = [row["id"] for row in rows if view.unversioned(row["data"]) == data][:CHECKS]
    things = [thing for thing in (store.by_id(id) for id in reversed(ids)) if thing is not None]
    if not things:
        return None
    suite = store.find("suite", name)
    return {
        "name": name, "data": data, "checks": [_check(store, thing) for thing in things], "lines": lines(things),
        "suite": suite and {
            "ref": suite.ref, "version": suite.version, "text": str(suite.body.get("text", "")),
            "result": view.text(suite.body.get("result")),
        },
    }  # fmt: skip


def _check(store: Store, thing: Thing) -> Json:
    body = thing.body
    results = [r for r in view.items(body.get("results")) if isinstance(r, dict)]
    failed = sum(r.get("success") is not True for r in results)
    shown = view.row(store, thing)
    return {
        "version": thing.version, "ref": thing.ref, "made": thing.made, "data": view.text(body.get("data")),
        "suite": view.text(body.get("suite")), "state": shown["state"], "figure": shown["figure"], "count": len(results),
        "failed": failed, "rows": whole(body.get("rows")), "result": shown["result"],
    }  # fmt: skip


def lines(things: list[Thing]) -> list[Json]:
    """Each expectation through the checks: held, failed, or (None) not asked; what fails now first, the worst before.

    ``since`` is the place of the check with which the present failing began.
    """
    asked: dict[str, list[tuple[bool, float | None] | None]] = {}
    for place, thing in enumerate(things):
        for result in view.items(thing.body.get("results")):
            text = expression(result)
            if text:
                told = asked.setdefault(text, [None] * len(things))
                told[place] = result.get("success") is True, _share(result)
    found = [_line(text, told) for text, told in asked.items()]
    return sorted(found, key=lambda line: (line["since"] is None, -(line["share"] or 0), all(h is not False for h in line["held"])))


def _line(text: str, told: list[tuple[bool, float | None] | None]) -> Json:
    held = [None if entry is None else entry[0] for entry in told]
    real = [(place, entry) for place, entry in enumerate(told) if entry is not None]
    streaks = [list(run) for _, run in groupby(real, key=lambda pair: pair[1][0])]
    failing = bool(streaks) and not streaks[-1][0][1][0] and told[-1] is not None
    return {
        "text": text, "held": held, "since": streaks[-1][0][0] if failing else None, "share": told[-1][1] if told[-1] else None,
    }  # fmt: skip


def expression(result: Any) -> str:
    """An expectation as it was written; its type where it was not written here; "" for what is none."""
    config = result.get("expectation_config") if isinstance(result, dict) else None
    if not isinstance(config, dict):
        return ""
    meta = config.get("meta")
    own = meta.get("nbml") if isinstance(meta, dict) else None
    own = own if isinstance(own, dict) else {}
    text = own.get("short") or own.get("text") or config.get("type")
    where = own.get("where")
    return f"{text}{f' where {where}' if isinstance(where, str) and where else ''}" if isinstance(text, str) else ""


def _share(result: Json) -> float | None:
    own = result.get("result")
    percent = own.get("unexpected_percent") if isinstance(own, dict) else None
    return percent / 100 if isinstance(percent, (int, float)) and percent == percent else None


def whole(value: Any) -> int | None:
    """A count; None for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def first(bundle: Json) -> Json:
    """A stored result with the first rows of its tables: the rest is asked for page by page."""
    return {**bundle, "parts": [_cut(part) for part in view.items(bundle.get("parts"))]} if "parts" in bundle else bundle


def _cut(part: Any) -> Any:
    if not isinstance(part, dict):
        return part
    if part.get("type") == "details":
        return {**part, "parts": [_cut(inner) for inner in view.items(part.get("parts"))]}
    rows = part.get("rows")
    if part.get("type") != "table" or not isinstance(rows, list):
        return part
    used, kept = 0, 0
    while kept < len(rows) and used <= INLINE:
        used += len(str(rows[kept]))
        kept += 1
    return part if kept == len(rows) else {**part, "rows": rows[:kept], "total": max(len(rows), whole(part.get("total")) or 0)}


def page(bundle: Json, path: str, start: int, count: int) -> Json:
    """Rows of the table at ``path`` (".0.2": the third part of the first), and how many are stored. Raises errors.NotFound."""
    if not PART.fullmatch(path):
        raise errors.BadArgument("a part of a result is given by its places: .0 or .1.2")
    found: Any = bundle
    for place in map(int, path[1:].split(".")):
        parts = view.items(found.get("parts")) if isinstance(found, dict) else []
        found = parts[place] if place < len(parts) else None
    rows = found.get("rows") if isinstance(found, dict) and found.get("type") == "table" else None
    if not isinstance(rows, list):
        raise errors.NotFound(f"no table at {path} of that result")
    return {"rows": rows[start : start + min(count, PAGE)], "stored": len(rows)}
