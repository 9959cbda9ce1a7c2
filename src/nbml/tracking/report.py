"""Runs as reports."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nbml.display import (
    PALETTE,
    Code,
    Column,
    Curves,
    Details,
    Line,
    Note,
    Report,
    Series,
    Spark,
    Table,
    ago,
    chip,
    code,
    figure,
    muted,
    seconds,
    size,
    strong,
)  # fmt: skip
from nbml.store import runs
from nbml.tracking import proposals
from nbml.tracking.reproducing_report import verdict

if TYPE_CHECKING:
    from nbml.display import Part
    from nbml.store.runs import RunRow
    from nbml.tracking.values import Run

DOTS = {"running": "running", "finished": "well", "failed": "bad", "interrupted": "look"}
#: metrics that stand in a run's first line, columns of metrics in a listing, rows of it that get a curve
HEAD, COLUMNS, ROWS = 3, 3, 1000
#: rows of a listing where nothing can be scrolled, metrics of a run that get a curve, plots of its page, stretches of one curve
STILL, METRICS, CURVES, STRETCHES = 50, 40, 6, 99
#: characters of a parameter among others, and alone
SHORT, LONG = 24, 200
SIDES = ("train", "valid", "val", "test")


def run_report(run: Run) -> Report:
    """One line; curves where there are any; the rest on demand."""
    row, body = run._row, run._body
    names = list(row.metrics)
    facts = [f"{cut(name)} {figure(row.metrics[name])}" for name in names[:HEAD]]
    further = len(names) - HEAD
    facts += [f"{further} more metric{'' if further == 1 else 's'}"] if further > 0 else []
    facts += [seconds(row.seconds)] if row.seconds is not None else [f"began {ago(row.started)}"]
    facts += _data(body)
    parts: list[Part] = []
    if run.error and row.state != "running":
        parts.append(Note(DOTS[row.state], row.state, run.error))
    parts += findings(body)
    counts = runs.names(run._store, run._thing.id)
    if len(names) > HEAD or any(count > 1 for count in counts.values()):
        parts += _metrics(run, row, counts)
        parts += _curves(run, counts)
    parts += verdict(body) + _proposed(body)
    if row.params:
        parts.append(_params(row))
    for tracker, told in run.mirrors.items():
        where, dot, left = told.partition(" · ")
        parts.append(Line((muted(f"{tracker}: "), code(where) if "/" in where else muted(where), muted(f"{dot}{left}"))))
    parts += _lineage(run)
    parts.append(Details("What it ran with", _context(run, body)))
    title = (strong(run.name), muted(f"@{run.version}"))
    state = "look" if row.state == "finished" and body.get("findings") else DOTS[row.state]
    return Report(title, state, row.state, facts, parts, ["%nbml runs"], body.get("result"), "run", str(run))


def findings_report(run: Run) -> Report:
    """What was found in a run after its cell."""
    body = run._body
    said = body.get("findings") or ()
    facts = [f"{len(said)} finding" + ("" if len(said) == 1 else "s")]
    title = (strong(run.name), muted(f"@{run.version}"))
    return Report(title, "look", "look", facts, findings(body), [f"nbml.run({run.id!r})"], kind="run", ref=str(run))


def findings(body: Mapping[str, Any]) -> list[Part]:
    """What silently ruins the result: what it is called, one line, what to do, and the figures on demand."""
    parts: list[Part] = []
    for said in body.get("findings") or ():
        parts.append(Note("look", said["code"], said["message"]))
        figures = [(muted(name), _evidence(value)) for name, value in (said.get("evidence") or {}).items()]
        table = Table(("evidence", Column("", "left")), figures)
        parts.append(Details(said["advice"] or "evidence", [table]) if figures else Line(muted(said["advice"])))
    return parts


def _evidence(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return ", ".join(text(one) for one in value[:10]) + (f" and {len(value) - 10:,} more" if len(value) > 10 else "")
    if isinstance(value, dict):
        return ", ".join(f"{name} {text(one)}" for name, one in list(value.items())[:10])
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else text(value)


def _proposed(body: Mapping[str, Any]) -> list[Part]:
    """Numbers that look like metrics and were not logged."""
    found = body.get("proposed") or {}
    if not found:
        return []
    said = ", ".join(f"{name} {figure(float(value))}" for name, value in list(found.items())[:6])
    return [Line((muted(f"{said} assigned, not logged: "), code(proposals.line(dict(list(found.items())[:6])))))]


def _lineage(run: Run) -> list[Part]:
    """What the run was made from, and what was made from it: data, run, service."""
    thing, store = run._thing, run._store
    before = [target.ref for _, target in store.edges_from(thing)]
    after = [source.ref for _, source in store.edges_to(thing)]
    if not before and not after:
        return []
    steps = [", ".join(dict.fromkeys(refs)) for refs in (before, [str(run)], after) if refs]
    told = [span for i, refs in enumerate(steps) for span in ((muted(" → "), code(refs)) if i else (code(refs),))]
    return [Line((muted("lineage: "), *told))]


def _curves(run: Run, counts: Mapping[str, int]) -> list[Part]:
    """The first metrics that have steps, those that only differ in train/ and valid/ over each other."""
    groups: dict[str, list[str]] = {}
    for name, count in counts.items():
        if count > 2:
            side, slash, rest = name.partition("/")
            groups.setdefault(rest if slash and side in SIDES else name, []).append(name)
    found = []
    for title, names in list(groups.items())[:CURVES]:
        series = [Series(name, points(run, name), PALETTE[i % len(PALETTE)]) for i, name in enumerate(names)]
        if any(value is not None for one in series for _, value in one.points):
            found.append(Curves(title, series, "; ".join(course(one) for one in series)))
    return [Details("curves", found)] if found else []


def points(run: Run, metric: str, most: int = STRETCHES) -> list[tuple[float, float | None]]:
    """A metric for a plot: all its points where there are few; else the first, the last, and the ends of each of ``most`` stretches."""
    steps, _, values = runs.points(run._store, run._thing.id, metric)
    every = range(len(values)) if len(values) <= 2 * most else (0, len(values) - 1)
    found = [(float(steps[i]), values[i] if math.isfinite(values[i]) else None) for i in every]
    if len(values) > 2 * most:
        ends = [(float(step), value) for step, *both in runs.bins(run._store, run._thing.id, metric, most) for value in both]
        found = [found[0], *ends, found[1]]
    return sorted(found, key=lambda point: point[0])


def course(series: Series) -> str:
    """A curve in words."""
    real = [value for _, value in series.points if value is not None]
    return f"{series.name} from {figure(real[0])} to {figure(real[-1])}" if real else f"{series.name} has no finite value"


def _data(body: Mapping[str, Any]) -> list[str]:
    refs = dict.fromkeys(f"{'part of ' if said.get('part') else ''}{said['ref']}" for said in body.get("data", ()) if said.get("ref"))
    return [f"data {', '.join(refs)}"] if refs else []


def _metrics(run: Run, row: RunRow, counts: Mapping[str, int]) -> list[Part]:
    """The metrics; of very many the first, the others with their last value alone."""
    lines = []
    for name, last in list(row.metrics.items())[:METRICS]:
        values = runs.points(run._store, run._thing.id, name)[2]
        real = [value for value in values if math.isfinite(value)]
        low, high = (min(real), max(real)) if real else (None, None)
        lines.append((code(cut(name)), last, low, high, Spark(runs.curve(values), _alt(values)), counts.get(name, 0)))
    rest = [(code(cut(name)), last) for name, last in list(row.metrics.items())[METRICS:]]
    more: list[Part] = [Details(f"{len(rest)} more metrics", [Table(("metric", "last"), rest)])] if rest else []
    return [Table(("metric", "last", "least", "most", "course", "points"), lines), *more]


def _alt(values: Sequence[float]) -> str:
    return f"from {figure(values[0])} to {figure(values[-1])}" if len(values) > 1 else ""


def _params(row: RunRow) -> Details:
    changed = [name for name in row.changed if name in row.params]
    said = ", ".join(f"{cut(name, SHORT)} {cut(text(row.params[name]), SHORT)}" for name in changed[:6]) or "all at their defaults"
    lines = [(code(cut(name)), cut(text(value), LONG), "" if name in changed else "default") for name, value in _first(row.params, changed)]
    return Details(f"{len(row.params)} parameters: {said}", [Table(("parameter", "value", ""), lines)])


def _first(params: Mapping[str, Any], names: Sequence[str]) -> list[tuple[str, Any]]:
    return [(n, params[n]) for n in names] + [(n, v) for n, v in params.items() if n not in names]


def cut(words: str, most: int = 60) -> str:
    """A name as a table has room for it."""
    return words if len(words) <= most else f"{words[: most - 1]}…"


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


def listing_report(
    rows: Sequence[RunRow], total: int, sparks: Mapping[int, Sequence[float | None]], where: str | None, found: Mapping[int, str] = {}
) -> Report:
    """Runs to be compared, newest first; ``total`` is how many there are where these are the first, ``found`` their findings."""
    names = _ranked(rows)[:COLUMNS]
    heads = [Column("run"), *(Column(cut(name), "right", bar="well" if i == 0 else None) for i, name in enumerate(names))]
    heads += [Column("course")] if sparks else []
    heads += [Column("params"), *([Column("findings")] if found else []), Column("state"), Column("when", "right", "time")]
    lines = []
    for row in rows:
        cells: list[Any] = [(strong(row.name), muted(f"@{row.version} {row.uid[:4]}")), *(row.metrics.get(name) for name in names)]
        if sparks:
            curve = sparks.get(row.thing, ())
            cells.append(Spark(curve, f"{len(curve)} points") if curve else "")
        told = [f"{cut(name, SHORT)} {cut(text(row.params[name]), SHORT)}" for name in row.changed[:4] if name in row.params]
        judged = [chip(found[row.thing], "look") if row.thing in found else ""] if found else []
        cells += [", ".join(told), *judged, chip(row.state, DOTS[row.state]), row.started]
        lines.append(cells)
    title = f"{total:,} run" + ("" if total == 1 else "s") + (f" where {where}" if where else "")
    following = [f"%nbml compare {rows[0].uid[:8]} {rows[1].uid[:8]}"] if len(rows) > 1 else []
    if not rows and not where:
        following = ["%%nbml track baseline"]
    parts: list[Part] = [Table(heads, lines, total, still=STILL)] if lines else []
    left = [name for name in _ranked(rows) if name not in names]
    if left:
        said = ", ".join(map(cut, left[:COLUMNS])) + (", ..." if len(left) > COLUMNS else "")
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
