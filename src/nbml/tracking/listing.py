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
from nbml.tracking import after, report
from nbml.tracking.fits import plain

#: seconds that a listing waits for judgements
PATIENCE = 3.0
FIXED = ("name", "state", "started", "duration")


def listing(where: str | None) -> pd.DataFrame:
    """See ``runs``. Waits a moment for what is still being found out about runs of this process."""
    after.wait(timeout=PATIENCE)
    store = existing()
    rows = runs.rows(store) if store is not None else []
    frame = table(rows)
    if where is not None:
        from nbml.validation.conditions import where as mask

        frame = frame[mask(where, frame).to_numpy()]
        kept = set(frame.index)
        rows = [row for row in rows if row.uid in kept]
    shown = rows[: report.ROWS]
    sparks, found = _seen(store, [row.thing for row in shown]) if store is not None else ({}, {})
    return shown_as(frame, report.listing_report(shown, len(rows), sparks, where, found))


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


def _seen(store: Store, ids: Sequence[int]) -> tuple[dict[int, Sequence[float | None]], dict[int, str]]:
    """The curve in each run's line of the panel, and what was found in it, by code."""
    marks = ",".join("?" * len(ids))
    found = store.read(
        "SELECT id, json_extract(body,'$.row.spark') spark, json_extract(body,'$.findings') findings"  # noqa: S608
        f" FROM thing WHERE id IN ({marks})",
        ids,
    )
    codes = {row["id"]: [str(one["code"]) for one in json.loads(row["findings"])] for row in found if row["findings"]}
    return (
        {row["id"]: json.loads(row["spark"]) for row in found if row["spark"]},
        {id: ", ".join(dict.fromkeys(said)) for id, said in codes.items() if said},
    )
