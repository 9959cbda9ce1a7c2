"""Runs as frames: all of them, and side by side. Imports pandas: ask for it where a listing is made."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import pandas as pd

from nbml.display.listing import shown_as
from nbml.store import Store, existing, runs
from nbml.store.runs import RunRow
from nbml.tracking import report
from nbml.tracking.fits import plain
from nbml.tracking.values import Run

FIXED = ("name", "state", "started", "duration")


def listing(where: str | None) -> pd.DataFrame:
    """See ``runs``."""
    store = existing()
    rows = runs.rows(store) if store is not None else []
    frame = table(rows)
    if where is not None:
        from nbml.validation.conditions import where as mask

        frame = frame[mask(where, frame).to_numpy()]
        kept = set(frame.index)
        rows = [row for row in rows if row.uid in kept]
    shown = rows[: report.ROWS]
    sparks = _sparks(store, [row.thing for row in shown]) if store is not None else {}
    return shown_as(frame, report.listing_report(shown, len(rows), sparks, where))


def table(rows: Sequence[RunRow]) -> pd.DataFrame:
    """One row a run, newest first. A metric or parameter called as another column has its kind before its name."""
    metrics = dict.fromkeys(chain.from_iterable(row.metrics for row in rows))
    params = dict.fromkeys(chain.from_iterable(row.params for row in rows))
    columns: dict[str, Any] = {
        "name": pd.Series([row.name for row in rows], dtype="str"),
        "state": pd.Series([row.state for row in rows], dtype="str"),
        "started": pd.to_datetime(pd.Series([row.started for row in rows], dtype="float64"), unit="s", utc=True),
        "duration": pd.Series([row.seconds for row in rows], dtype="float64"),
    }
    numbers, given = _columns([row.metrics for row in rows], metrics), _columns([row.params for row in rows], params)
    for name in metrics:
        own = f"metric.{name}" if name in FIXED else name
        columns[own] = pd.Series(numbers[name], dtype="float64")
    for name in params:
        own = f"param.{name}" if name in columns else name
        columns[own] = pd.Series(given[name]).infer_objects()
    frame = pd.DataFrame(columns)
    frame.index = pd.Index([row.uid for row in rows], name="run", dtype="str")
    return frame


def _columns(each: Sequence[Mapping[str, Any]], names: Iterable[str]) -> dict[str, list[Any]]:
    """Mappings as columns, None where one has no such name."""
    columns: dict[str, list[Any]] = {name: [None] * len(each) for name in names}
    for place, values in enumerate(each):
        for name, value in values.items():
            columns[name][place] = plain(value) if type(value) in (dict, list) else value
    return columns


def _sparks(store: Store, ids: Sequence[int]) -> dict[int, Sequence[float | None]]:
    """The curve in each run's line of the panel."""
    marks = ",".join("?" * len(ids))
    found = store.read(f"SELECT id, json_extract(body,'$.row.spark') spark FROM thing WHERE id IN ({marks})", ids)  # noqa: S608
    return {row["id"]: json.loads(row["spark"]) for row in found if row["spark"]}


def comparison(chosen: Sequence[Run]) -> pd.DataFrame:
    """See ``compare``."""
    rows = [run._row for run in chosen]
    refs = [str(run) for run in chosen]
    lines: list[tuple[str, str, list[Any]]] = []
    equal = 0
    data = [", ".join(map(str, run.datasets)) for run in chosen]
    sides: list[tuple[str, list[dict[str, Any]]]] = [
        ("metric", [dict(row.metrics) for row in rows]),
        ("param", [row.params for row in rows]),
        ("data", [{"data": said} if said else {} for said in data]),
    ]
    for kind, each in sides:
        for name in dict.fromkeys(name for values in each for name in values):
            values = [plain(side.get(name)) for side in each]
            if all(_same(values[0], value) for value in values[1:]):
                equal += 1
            else:
                lines.append((kind, name, values))
    changed = {name for row in rows for name in row.changed}
    dull = {name for kind, name, values in lines if kind == "param" and None in values and name not in changed}
    frame = pd.DataFrame({"kind": [line[0] for line in lines]}, dtype="str")
    for place, ref in enumerate(refs):
        frame[ref] = pd.Series([line[2][place] for line in lines], dtype=object)
    frame.index = pd.Index([line[1] for line in lines], name="name", dtype="str")
    return shown_as(frame, report.comparison_report(refs, lines, dull, equal))


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and (one == other or (one != one and other != other))
