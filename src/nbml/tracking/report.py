"""Runs as reports."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nbml.display import Code, Column, Details, Line, Note, Report, Spark, Table, ago, chip, code, figure, muted, seconds, size, strong
from nbml.store import runs
from nbml.tracking import reproducing_report

if TYPE_CHECKING:
    from nbml.display import Part
    from nbml.store.runs import RunRow
    from nbml.tracking.values import Run

DOTS = {"running": "running", "finished": "well", "failed": "bad", "interrupted": "look"}
#: metrics that stand in a run's first line, columns of metrics in a listing, rows of it that get a curve
HEAD, COLUMNS, ROWS = 3, 3, 100


def run_report(run: Run) -> Report:
    """One line; curves where there are any; the rest on demand."""
    row, body = run._row, run._body
    names = list(row.metrics)
    facts = [f"{name} {figure(row.metrics[name])}" for name in names[:HEAD]]
    facts += [f"{len(names) - HEAD} more metrics"] if len(names) > HEAD else []
    facts += [seconds(row.seconds)] if row.seconds is not None else [f"began {ago(row.started)}"]
    facts += _data(body)
    parts: list[Part] = []
    if run.error and row.state != "running":
        parts.append(Note(DOTS[row.state], row.state, run.error))
    counts = runs.names(run._store, run._thing.id)
    if len(names) > HEAD or any(count > 1 for count in counts.values()):
        parts.append(_metrics(run, row, counts))
    if row.params:
        parts.append(_params(row))
    parts += reproducing_report.verdict(body)
    for tracker, told in run.mirrors.items():
        where, dot, left = told.partition(" · ")
        parts.append(Line((muted(f"{tracker}: "), code(where) if "/" in where else muted(where), muted(f"{dot}{left}"))))
    parts.append(Details("What it ran with", _context(run, body)))
    title = (strong(run.name), muted(f"@{run.version}"))
    return Report(title, DOTS[row.state], row.state, facts, parts, ["%nbml runs"], body.get("result"), "run", str(run))


def _data(body: Mapping[str, Any]) -> list[str]:
    refs = dict.fromkeys(f"{'part of ' if said.get('part') else ''}{said['ref']}" for said in body.get("data", ()) if said.get("ref"))
    return [f"data {', '.join(refs)}"] if refs else []


def _metrics(run: Run, row: RunRow, counts: Mapping[str, int]) -> Table:
    lines = []
    for name, last in row.metrics.items():
        values = runs.points(run._store, run._thing.id, name)[2]
        real = [value for value in values if math.isfinite(value)]
        low, high = (min(real), max(real)) if real else (None, None)
        lines.append((code(name), last, low, high, Spark(runs.curve(values), _alt(values)), counts.get(name, 0)))
    return Table(("metric", "last", "least", "most", "course", "points"), lines)


def _alt(values: Sequence[float]) -> str:
    return f"from {figure(values[0])} to {figure(values[-1])}" if len(values) > 1 else ""


def _params(row: RunRow) -> Details:
    changed = [name for name in row.changed if name in row.params]
    said = ", ".join(f"{name} {text(row.params[name])}" for name in changed[:6]) or "all at their defaults"
    lines = [(code(name), text(value), "" if name in changed else "default") for name, value in _first(row.params, changed)]
    return Details(f"{len(row.params)} parameters: {said}", [Table(("parameter", "value", ""), lines)])


def _first(params: Mapping[str, Any], names: Sequence[str]) -> list[tuple[str, Any]]:
    return [(n, params[n]) for n in names] + [(n, v) for n, v in params.items() if n not in names]


def text(value: Any) -> str:
    """A parameter as people read it."""
    if isinstance(value, dict) and set(value) == {"float"}:
        return str(value["float"])
    if isinstance(value, float):
        return figure(value)
    return str(value)


def _context(run: Run, body: Mapping[str, Any]) -> list[Part]:
    said = [("run", run.id), ("tags", ", ".join(run.tags)), ("note", run.note), ("notebook", run.notebook)]
    said += [("fitted", ", ".join(f"{e['type']}{' × ' + str(e['times']) if e['times'] > 1 else ''}" for e in body.get("estimators", ())))]
    data = [f"{'part of ' if d.get('part') else ''}{d.get('ref', '')} {d['rows']:,} × {d['columns']}".strip() for d in body.get("data", ())]
    said += [("data", ", ".join(dict.fromkeys(data)))]
    git, environment = body.get("git", {}), body.get("environment", {})
    if git:
        said.append(("Git", git["commit"][:10] + (" and uncommitted changes" if git.get("dirty") else "")))
    if environment:
        said.append(("Python", f"{environment['python']} on {environment['platform']}, {environment['cpus']} processors"))
        said.append(("packages", ", ".join(f"{name} {version}" for name, version in environment["packages"].items())))
        said.append(("GPU", ", ".join(environment.get("gpu", ()))))
    said += [("most memory", size(body["peak"]) if body.get("peak") else ""), ("figures", str(len(body.get("figures", ())) or ""))]
    parts: list[Part] = [Table(("what", "found"), [(muted(what), found) for what, found in said if found])]
    return parts + ([Code(run.source)] if run.source else [])


def listing_report(rows: Sequence[RunRow], total: int, sparks: Mapping[int, Sequence[float | None]], where: str | None) -> Report:
    """Runs to be compared, newest first; ``total`` is how many there are where these are the first."""
    names = _ranked(rows)[:COLUMNS]
    heads = [Column("run"), *(Column(name, "right", bar="well" if i == 0 else None) for i, name in enumerate(names))]
    heads += [Column("course")] if sparks else []
    heads += [Column("params"), Column("state"), Column("when", "right", "time")]
    lines = []
    for row in rows:
        line: list[Any] = [(strong(row.name), muted(f"@{row.version} {row.uid[:4]}")), *(row.metrics.get(name) for name in names)]
        if sparks:
            curve = sparks.get(row.thing, ())
            line.append(Spark(curve, f"{len(curve)} points") if curve else "")
        told = [f"{name} {text(row.params[name])}" for name in row.changed if name in row.params]
        line += [", ".join(told[:4]), chip(row.state, DOTS[row.state]), row.started]
        lines.append(line)
    title = f"{total:,} run" + ("" if total == 1 else "s") + (f" where {where}" if where else "")
    following = [f"%nbml compare {rows[0].uid[:8]} {rows[1].uid[:8]}"] if len(rows) > 1 else []
    if not rows and not where:
        following = ["%%nbml track baseline"]
    parts: list[Part] = [Table(heads, lines, total)] if lines else []
    left = [name for name in _ranked(rows) if name not in names]
    if left:
        said = ", ".join(left[:COLUMNS]) + (", ..." if len(left) > COLUMNS else "")
        every = f"nbml.runs({repr(where) if where else ''}).T"
        parts.append(Line((muted(f"{len(left)} more metric{'' if len(left) == 1 else 's'}: {said} · all columns: "), code(every))))
    return Report(title, parts=parts, next=following, kind="run")


def _ranked(rows: Sequence[RunRow]) -> list[str]:
    """The metrics, those that most runs have first, in the order in which the newest has them."""
    counts: dict[str, int] = {}
    for row in rows:
        for name in row.metrics:
            counts[name] = counts.get(name, 0) + 1
    return sorted(counts, key=lambda name: -counts[name])
