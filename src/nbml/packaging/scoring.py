"""Batch scoring: ``predict``. Rows of a frame or of a file of any size, through one process of the Bento, part by part."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbml import datasets, errors, frames, settings
from nbml.display import Live, Report, Shown
from nbml.display.notebook import cell
from nbml.packaging import exchange, outputs
from nbml.packaging.scorer import AHEAD, Scorer, told
from nbml.store import current

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from nbml.packaging.values import ServiceVersion

#: values of one part, and its rows: at least, at most
VALUES, FEWEST, MOST = 400_000, 256, 20_000
#: bytes in memory above which a file is read part by part
LIMIT = 64 << 20
#: problems that a refusal tells
PROBLEMS = 100


@dataclass(frozen=True, repr=False)
class Scored(Shown):
    """A file of answers: ``path``, ``rows``, and how many rows broke each expectation that only marks (``flags``)."""

    service: str
    path: Path
    rows: int
    seconds: float
    flags: Mapping[str, int] = field(default_factory=dict)
    source: str = ""
    cell: int | None = None

    def load(self) -> pd.DataFrame:
        """The answers as a frame."""
        return frames.read_frame(self.path)

    def _report(self) -> Report:
        from nbml.packaging.report import scored_report

        return scored_report(self.service, self.rows, self.seconds, self.flags, self.source, str(self.path))

    def _ipython_display_(self) -> None:
        """Shown once in a cell: where the progress line has become this very line, no second one follows it."""
        if self.cell is not None and self.cell == cell():
            return
        from IPython.display import display

        from nbml.display import bundle

        display(bundle(self._report()), raw=True)


def predict(service: Any, data: Any, output: str | Path | None = None) -> pd.DataFrame | Scored:
    """The answers of a packaged service to all rows of ``data``, from one process of its Bento, as they are served.

    ``data`` is a frame, an array, a Series or a list (what the model takes), ``name@n``, or a Parquet or CSV file of any size:
    it goes through in parts. The answers are a frame with the columns ``id`` (the key's values, else the row's position),
    ``prediction`` or ``prediction_NAME``, ``probability_CLASS``, and ``flags``, lists of the expectations that a row breaks, where
    the suite only marks. With ``output``, a Parquet or CSV file, they are written there, whole or not at all.

    Raises errors.UnknownService; errors.RequestRejected where the policy is "reject" and rows break the suite, or values do not
    fit their columns: it names the rows of all of the data, and nothing is written; errors.BadInput for data that lack a
    column or have no rows; errors.DeployError where the model fails; errors.BadArgument for a file that cannot be written.
    """
    from nbml import packaging

    version = service if isinstance(service, packaging.ServiceVersion) else packaging.service(str(service))
    version.check()
    path = None if output is None else outputs.check(output, data)
    rows = Parts(data, version)
    batch = _Batch(version, rows.source, rows.total)
    index: list[Any] = []
    with Live(batch.report()) as live, Scorer(version) as scorer:
        if path is None:
            kept = list(_answers(scorer, rows, batch, live, index))
            batch.refuse(live)
            found = _frame(kept, index)
            live.finish(batch.report(done=True))
            return found
        with outputs.Written(path) as written:
            for part in _answers(scorer, rows, batch, live):
                written.add(part)
            batch.refuse(live)
            written.done()
        scored = Scored(str(version), path, batch.rows, batch.seconds, dict(batch.flags), batch.source, cell())
        live.finish(scored._report())
        return scored


class _Batch:
    """How far the scoring is, and what is wrong with its rows."""

    def __init__(self, version: ServiceVersion, source: str, total: int) -> None:
        self.version, self.source, self.total = version, source, total
        self.rows, self.began = 0, time.monotonic()
        self.flags: dict[str, int] = {}
        self.problems: list[dict[str, Any]] = []
        self.count = self.worst = 0
        self._private = frozenset(settings.load(current().root)["data.private"])

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def refused(self, error: Mapping[str, Any], start: int, ids: list[Any] | None) -> None:
        """Problems of a part, with the rows' positions in all of the data; values of private columns are not told."""
        self.count += int(error.get("count") or len(error["problems"]) or 1)
        for problem in error["problems"][: PROBLEMS - len(self.problems)]:
            row = int(problem["row"])
            found = {**problem, "row": start + row} | ({"id": str(ids[row])} if ids is not None else {})
            if found.get("column") in self._private or isinstance(found.get("value"), dict):
                kept = found["value"] if isinstance(found.get("value"), dict) else {}
                found["value"] = {key: value for key, value in kept.items() if key not in self._private} or None
            self.problems.append(found)

    def refuse(self, live: Live) -> None:
        """Raise errors.RequestRejected where a row was refused; errors.BadInput where there was none at all."""
        if not self.rows:
            raise errors.BadInput(f"no rows for {self.version} to answer")
        if not self.count:
            return
        from nbml.packaging.report import refused_report

        live.finish(refused_report(str(self.version), self.rows, self.problems, self.count, self.source))
        error = exchange.rejected(self.problems, self.rows, str(self.version))
        more = f" {self.count:,} problems in all, the first {len(self.problems)} are in .problems;" if self.count > PROBLEMS else ""
        raise errors.RequestRejected(f"{error.message};{more} nothing was written", problems=self.problems)

    def report(self, *, done: bool = False) -> Report:
        from nbml.packaging.report import scored_report, scoring_report

        if done:
            return scored_report(str(self.version), self.rows, self.seconds, self.flags, self.source)
        return scoring_report(str(self.version), self.rows, self.total, self.seconds, self.source)


def _answers(scorer: Scorer, rows: Parts, batch: _Batch, live: Live, index: list[Any] | None = None) -> Iterator[pa.Table]:
    """A table for each part, as long as no row is refused; after that the rest is only looked at, so that all problems are told."""
    waiting: list[Part] = []
    schema: pa.Schema | None = None
    for part in _then(rows, AHEAD):
        if part is not None:
            scorer.send(part.body, looking=bool(batch.count))
            waiting.append(part)
            if index is not None:
                index.append(part.index)
        if not waiting or (part is not None and len(waiting) < AHEAD):
            continue
        asked = waiting.pop(0)
        found = _one(scorer, asked, batch)
        batch.rows += asked.rows
        live.update(batch.report())
        if found is not None and not batch.count:
            made = outputs.table(found["ids"], found, batch.version.manifest, schema)
            schema = made.schema
            yield made


def _then(parts: Parts, more: int) -> Iterator[Part | None]:
    """The parts, and then a turn for each that is still on its way."""
    yield from parts
    yield from [None] * more


def _one(scorer: Scorer, part: Part, batch: _Batch) -> dict[str, Any] | None:
    """The answer to a part; None where it was refused or only looked at."""
    import orjson

    status, body = scorer.answer()
    if status == 200:
        if not body:
            return None
        found: dict[str, Any] = orjson.loads(body)
        for flags in found.get("flags") or ():
            for text in flags:
                batch.flags[text] = batch.flags.get(text, 0) + 1
        if part.ids is not None:
            found["ids"] = part.ids
        return found
    if status == 422:
        batch.refused(orjson.loads(body)["error"], part.start, part.ids)
        return None
    where = f"rows {part.start:,} to {part.start + part.rows - 1:,} of {batch.source}"
    raise errors.DeployError(f"{batch.version} fails on {where}: {told(body)}; nothing was written")


def _frame(tables: list[pa.Table], index: list[Any]) -> pd.DataFrame:
    """The answers with the index of the data, where they have one."""
    import pyarrow as pa

    found: pd.DataFrame = pa.concat_tables(tables).to_pandas()
    if index and all(part is not None for part in index):
        found.index = index[0].append(index[1:]) if len(index) > 1 else index[0]
    return found


# -- parts ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """Rows on their way: the body of a request. ``ids`` are the positions, None where the key's values are in the rows."""

    start: int
    rows: int
    body: bytes
    ids: list[int] | None
    index: Any = None


class Parts:
    """The data in parts. ``total`` is how many rows there are, 0 where only reading tells."""

    def __init__(self, data: Any, version: ServiceVersion) -> None:
        self.manifest = version.manifest
        self.source = _named(data)
        plain = not isinstance(data, (str, Path, datasets.DatasetVersion)) and not frames.is_frame(data)
        kinds = self.manifest["input"] == "series" or type(data).__module__.partition(".")[0] == "numpy"
        self._data: Any = data if plain and kinds else datasets.opened(data, LIMIT)[0]
        source = _is_source(self._data)
        self.total = int((self._data.count() or 0) if source else len(self._data))  # type: ignore[arg-type, union-attr]
        self._size = max(FEWEST, min(MOST, VALUES // max(1, len(self.manifest["inputs"]))))

    def __iter__(self) -> Iterator[Part]:
        start = 0
        for piece in self._pieces():
            part = self._part(piece, start)
            if part.rows:
                yield part
            start += part.rows

    def _pieces(self) -> Iterator[Any]:
        data = self._data
        if not _is_source(data):
            for start in range(0, len(data), self._size):
                end = start + self._size
                yield data.iloc[start:end] if hasattr(data, "iloc") else data[start:end]
            return
        from nbml.datasets import sources

        for batch in data.batches():
            for start in range(0, batch.count, self._size):
                yield sources.to_pandas(batch.rows.slice(start, self._size))

    def _part(self, piece: Any, start: int) -> Part:
        import orjson

        columns = columns_of(piece, self.manifest)
        count = len(next(iter(columns.values())))
        keys = _keys(piece, self.manifest, columns)
        cells = columns | (keys or {})
        rows = [dict(zip(cells, row, strict=True)) for row in zip(*cells.values(), strict=True)]
        body: dict[str, Any] = {"rows": rows}
        ids = None
        if keys is None:
            ids = list(range(start, start + count))
            body["ids"] = list(map(str, ids))
        index = piece.index if hasattr(piece, "iloc") and not _is_source(self._data) else None
        return Part(start, count, orjson.dumps(body), ids, index)


def _is_source(data: Any) -> bool:
    return hasattr(data, "batches") and hasattr(data, "schema")


def _named(data: Any) -> str:
    """What is scored, in a word."""
    if isinstance(data, Path) or (isinstance(data, str) and data.lower().endswith(frames.ENDINGS)):
        return Path(data).name
    return str(data) if isinstance(data, (str, datasets.DatasetVersion)) else datasets.name_of(data) or frames.describe(data)


def columns_of(data: Any, manifest: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The input columns as JSON values. Of a model that takes one column, a frame's column of that name, or its only one."""
    if manifest["input"] != "series" or not frames.is_frame(data):
        return exchange.columns_of(data, manifest)
    name, texts = manifest["inputs"][0]["name"], [str(label) for label in data.columns]
    if name not in texts and len(texts) != 1:
        raise errors.BadInput(f"the data have no column {name!r}, which the model takes; there are {', '.join(texts[:5])}")
    return exchange.columns_of(data.iloc[:, texts.index(name) if name in texts else 0], manifest)


def _keys(data: Any, manifest: Mapping[str, Any], columns: Mapping[str, list[Any]]) -> dict[str, list[Any]] | None:
    """The key columns that are no inputs; None where the service has no key, or the data lack it."""
    key = manifest.get("key") or []
    names = [key] if isinstance(key, str) else list(key)
    if not names or not frames.is_frame(data) or not set(names) <= {str(label) for label in data.columns}:
        return None
    more = [name for name in names if name not in columns]
    if not more:
        return {}
    return exchange.columns_of(data, {"input": "frame", "inputs": [{"name": name} for name in more]})
