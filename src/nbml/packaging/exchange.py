"""What travels: rows of a frame as JSON values, and answers as what the model gives in the notebook.

``ServiceVersion.predict`` sends them to a fresh process of the Bento, ``Deployment.predict`` over HTTP.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nbml import errors, frames
from nbml.packaging import bridge
from nbml.runtime.plan import MOST_ROWS

#: bytes of one request's rows; a service takes bodies of up to 10 MB
MOST_BYTES = 4_000_000


def rows_of(data: Any, manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One JSON object for each row of a frame, array, Series or list; columns that the model does not take stay behind.

    Raises errors.BadInput for a column that is missing or a value that JSON cannot carry.
    """
    columns = columns_of(data, manifest)
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def columns_of(data: Any, manifest: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The input columns of ``data`` as JSON values."""
    names = [spec["name"] for spec in manifest["inputs"]]
    if manifest["input"] == "series":
        return {names[0]: _plain(data, names[0])}
    if frames.is_frame(data):
        texts = [str(label) for label in data.columns]
        missing = [name for name in names if name not in texts]
        if missing:
            some = ", ".join(map(repr, missing[:5]))
            raise errors.BadInput(f"the data lack {len(missing)} of the {len(names)} columns that the model takes: {some}")
        return {name: _plain(data.iloc[:, texts.index(name)], name) for name in names}
    if getattr(data, "ndim", 0) != 2 or data.shape[1] != len(names):
        raise errors.BadInput(f"{frames.describe(data)} are no rows of {len(names)} columns")
    return {name: _plain(data[:, i], name) for i, name in enumerate(names)}


def _plain(values: Any, name: str) -> list[Any]:
    try:
        return bridge.plain(values)
    except bridge.Unfit as error:
        raise errors.BadInput(f"column {name!r}: {error}") from error


def ids_of(data: Any, manifest: Mapping[str, Any]) -> list[str] | None:
    """The key column's values as texts, where the service has a key and the data hold it, each once; else None."""
    key = manifest.get("key")
    if not key or not frames.is_frame(data):
        return None
    texts = [str(label) for label in data.columns]
    names = [key] if isinstance(key, str) else list(key)
    if not set(names) <= set(texts):
        return None
    columns = [_plain(data.iloc[:, texts.index(name)], name) for name in names]
    ids = [",".join(map(str, values)) for values in zip(*columns, strict=True)]
    return ids if len(set(ids)) == len(ids) and all(ids) and not any(None in column for column in columns) else None


def chunks(rows: list[dict[str, Any]], most: int = MOST_BYTES) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """The rows as (position of the first, rows) of requests that a service takes."""
    start, size = 0, 0
    for i, row in enumerate(rows):
        size += len(json.dumps(row)) + 2
        if (size > most or i - start >= MOST_ROWS) and i > start:
            yield start, rows[start:i]
            start, size = i, len(json.dumps(row)) + 2
    if start < len(rows):
        yield start, rows[start:]


def ask(
    asked: Callable[[dict[str, Any]], tuple[int, dict[str, Any]]],
    data: Any,
    manifest: Mapping[str, Any],
    service: Callable[[], str],
    failed: Callable[[int, dict[str, Any]], errors.NbmlError],
) -> Any:
    """The answers to ``data`` as the model gives them, in requests that a service takes; ``asked`` gives status and JSON of one.

    Raises errors.RequestRejected, with the rows' positions in ``data``, and what ``failed`` makes of another status.
    """
    rows, ids, predictions = rows_of(data, manifest), ids_of(data, manifest), []
    for start, part in chunks(rows):
        body: dict[str, Any] = {"rows": part} | ({"ids": ids[start : start + len(part)]} if ids is not None else {})
        status, answer = asked(body)
        if status == 422:
            raise rejected(_moved(problems(answer), start), len(rows), service())
        if status != 200:
            raise failed(status, answer)
        predictions.extend(answer["predictions"])
    return answer_to(predictions, index_of(data), manifest)


def problems(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The problems that an answer lists."""
    error = answer.get("error")
    found = error.get("problems") if isinstance(error, dict) else None
    return [problem for problem in found if isinstance(problem, dict)] if isinstance(found, list) else []


def _moved(found: list[dict[str, Any]], start: int) -> list[dict[str, Any]]:
    return [{**p, "row": p["row"] + start} if isinstance(p.get("row"), int) else p for p in found]


def index_of(data: Any) -> Any:
    """The index of a frame or Series, None where the data have none."""
    return data.index if hasattr(data, "iloc") else None


def answer_to(predictions: list[Any], index: Any, manifest: Mapping[str, Any]) -> Any:
    """Predictions as the model gives them in the notebook: its type, dtypes, names, and for pandas the index of the data."""
    form = manifest["output"]
    if form["kind"] == "list":
        return [math.nan if entry is None else entry for entry in predictions] if form.get("missing") == "nan" else list(predictions)
    if form["kind"] == "array":
        return _array(predictions, form)
    import pandas as pd

    at = index if form.get("index") == "input" and index is not None else pd.RangeIndex(len(predictions))
    if form["kind"] == "series":
        found = _column(predictions, form)
        found.index, found.name = at, form.get("label", form.get("name"))
        return found
    columns = form["columns"]
    frame = pd.DataFrame({i: _column([row[c["name"]] for row in predictions], c) for i, c in enumerate(columns)})
    said = form.get("labels") or {}
    names = [c.get("label", c["name"]) for c in columns]
    labels = pd.RangeIndex(len(names)) if said.get("range") else pd.Index(names, dtype=said.get("dtype"))
    frame.columns = labels.rename(said.get("name"))
    frame.index = at
    return frame


def _array(predictions: list[Any], form: Mapping[str, Any]) -> Any:
    import numpy as np

    dtype = form["dtype"]
    shape = (len(predictions), form["width"]) if "width" in form else (len(predictions),)
    if dtype == "object":
        found = np.empty(shape, dtype=object)
        missing = np.nan if form.get("missing") == "nan" else None
        for at in np.ndindex(shape):
            given = predictions[at[0]] if len(at) == 1 else predictions[at[0]][at[1]]
            found[at] = missing if given is None else given
        return found
    if np.dtype(dtype).kind == "f":
        flat = [value for row in predictions for value in (row if isinstance(row, list) else [row])]
        return np.array([np.nan if value is None else value for value in flat], dtype=dtype).reshape(shape)
    return np.array(predictions, dtype=form.get("exact", dtype)).reshape(shape)


def _column(values: list[Any], form: Mapping[str, Any]) -> Any:
    """One column of an answer as a Series, restored as a column of input is."""
    dtype = form["dtype"]
    kinds = {"category": "category", "datetime": "datetime", "str": "text", "large_str": "text"}
    kind = next((kind for start, kind in kinds.items() if dtype.startswith(start)), "number")
    return bridge.series(values, {**form, "name": "prediction", "kind": kind})


def rejected(problems: list[dict[str, Any]], rows: int, service: str) -> errors.RequestRejected:
    """The error of rows that the service refused; the message tells the first problems."""
    told = []
    for problem in problems[:3]:
        where = f"row {problem.get('row')}" + (f", {problem['column']}" if problem.get("column") else "")
        what = problem.get("expectation") or problem.get("problem") or "refused"
        shown = f" = {problem['value']!r}" if problem.get("value") is not None else ""
        told.append(f"{where}{shown}: {what}")
    bad = len({problem.get("row") for problem in problems})
    more = f"; and {len(problems) - 3} more" if len(problems) > 3 else ""
    return errors.RequestRejected(f"{service} refused {bad} of {rows} rows: {'; '.join(told)}{more}", problems=problems)
