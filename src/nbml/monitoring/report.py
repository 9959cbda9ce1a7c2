"""Traffic as a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbml.display import Column, Line, Note, Part, Report, Spark, Table, muted, seconds, strong

if TYPE_CHECKING:
    import pandas as pd

    from nbml.monitoring.values import Monitor

UNITS = {"s": "s", "m": "min", "h": "h", "d": "d"}


def monitor_report(monitor: Monitor) -> Report:
    """One line of figures, and a table of the versions that answered."""
    seen = monitor.requests
    count, failed = len(seen), int((seen["status"] >= 500).sum())
    refused = int(((seen["status"] >= 400) & (seen["status"] < 500)).sum())
    asked = f"{count:,} request" + ("" if count == 1 else "s")
    title = (strong(monitor.service or monitor.name), _under(monitor), f", last {_span(monitor.last)}: {asked}")
    parts: list[Part] = []
    if count:
        parts.append(_versions(seen))
    if monitor.dropped:
        parts.append(Note("look", "not logged", f"{monitor.dropped:,} requests came faster than they could be logged"))
    parts.append(Line(muted("Windows, drift, performance and alerts come with a later version; these are the requests.")))
    state, word = ("bad", "errors") if failed else ("idle", monitor.state) if monitor.state != "running" else ("well", "running")
    name = monitor.name
    lines = [f'nbml.monitor("{name}").requests', f'nbml.monitor("{name}").predictions'] if count else [f"%nbml try {name}"]
    return Report(title, state, word, _facts(seen, failed, refused), parts, lines, None, "deployment", name)


def _facts(seen: pd.DataFrame, failed: int, refused: int) -> list[str]:
    if not len(seen):
        return []
    p50, p99 = (seconds(float(value) / 1000) for value in seen["latency_ms"].quantile([0.5, 0.99]))
    facts = [f"{int(seen['rows'].sum()):,} rows", f"p50 {p50}", f"p99 {p99}", f"{failed:,} error" + ("" if failed == 1 else "s")]
    return [*facts, *([f"{refused:,} refused"] if refused else [])]


def _minutes(seen: pd.DataFrame) -> Spark:
    """Requests per minute, from at most an hour before the last request on."""
    counts = seen.groupby(seen["time"].dt.floor("min")).size().asfreq("min", fill_value=0).iloc[-60:]
    return Spark([0.0, *map(float, counts)], f"{int(counts.max()):,} in the fullest minute, {int(counts.iloc[-1]):,} in the last")


def _versions(seen: pd.DataFrame) -> Table:
    rows: list[tuple[Any, ...]] = []
    for version, part in seen.groupby("version", sort=True):
        status = part["status"]
        quantiles = part["latency_ms"].quantile([0.5, 0.99])
        bad = int((status >= 500).sum())
        refused = int(((status >= 400) & (status < 500)).sum())
        rows.append((version, len(part), _minutes(part), bad, refused, *(round(float(q), 3) for q in quantiles)))
    heads = ("version", "requests", "by minute", "errors", "refused", Column("p50 ms", "right"), Column("p99 ms", "right"))
    return Table(heads, rows)


def _span(last: str) -> str:
    return f"{last[:-1]} {UNITS[last[-1]]}"


def _under(monitor: Monitor) -> str:
    return "" if monitor.service.partition("@")[0] in (monitor.name, "") else f" as {monitor.name}"
