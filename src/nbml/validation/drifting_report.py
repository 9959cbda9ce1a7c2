"""Drift as a report: one line where nothing drifted, else what did, worst first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nbml.display import Column, Details, Histogram, Line, Part, Report, Table, Text, chip, muted, strong

if TYPE_CHECKING:
    from nbml.validation.drifting import Drift, Feature

#: rows of a table
ROWS = 20


def drift_report(found: Drift) -> Report:
    """Features with their measures; those that did not drift on demand."""
    measured = [f for f in found.features if not f.reason]
    apart = sorted((f for f in measured if f.name in found.drifted), key=lambda f: -f.psi)
    calm = sorted((f for f in measured if f.name not in found.drifted), key=lambda f: -f.psi)
    parts: list[Part] = [_table(apart, True)] if apart else []
    parts += [Line(text) for text in _unmeasured(found)]
    if calm:
        said = f"{len(calm):,} feature{' has' if len(calm) == 1 else 's have'} not drifted"
        parts.append(Details(said if apart else "each feature", [_table(calm, False)]))
    facts = [f"{found.rows[0]:,} rows against {found.rows[1]:,}"]
    state, word = ("look", "drifted") if apart else ("well", "steady") if measured else ("idle", "not measured")
    return Report(_title(found, len(apart), len(measured)), state, word, facts, parts, _next(found) if apart else [])


def _title(found: Drift, apart: int, measured: int) -> Text:
    now, reference = found.called
    said = f"{apart:,} of {measured:,} feature{'' if measured == 1 else 's'} drifted" if measured else "no feature could be measured"
    if not now and not reference:
        return (said,)
    return (strong(now or "the frame"), " against ", strong(reference or "the reference"), f": {said}")


def _table(features: Sequence[Feature], apart: bool) -> Table:
    heads = (
        Column("feature", format="code"), Column("psi", bar="look" if apart else "idle", bar_max=max(1.0, features[0].psi)), "ks", "js",
        "chi2", "reference and now", "moved most", *(() if apart else ("",)),
    )  # fmt: skip
    rows = [_row(f, apart) for f in features[:ROWS]]
    return Table(heads, rows, len(features))


def _row(f: Feature, apart: bool) -> tuple[object, ...]:
    psi, ks, js, _, chi2 = (round(value, 4) for value in f.values)  # less is noise
    pictured = Histogram(f.reference, f.now, "" if not f.now else _alt(f))
    close = psi >= 0.1 and not apart
    return (f.name, psi, None if ks != ks else ks, js, chi2, pictured, f.moved, *(() if apart else (chip("by chance") if close else None,)))


def _alt(f: Feature) -> str:
    """The picture in words."""
    return f"{len(f.now)} bins"


def _unmeasured(found: Drift) -> list[Text]:
    """What is not in the table, and why; one line for each reason."""
    reasons: dict[str, list[str]] = {}
    for f in found.features:
        if f.reason:
            reasons.setdefault(f.reason, []).append(f.name)
    texts: list[Text] = [(muted(f"not measured: {_some(names)}: "), reason) for reason, names in reasons.items()]
    for names, place in zip(found.only, ("the frame", "the reference"), strict=True):
        if names:
            texts.append((muted(f"only in {place}: "), _some(names)))
    return texts


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")


def _next(found: Drift) -> list[str]:
    now, reference = found.called
    plain = all(name and not set(name) & set(" \"'()[]{}$") for name in found.called)
    return [f"%nbml diff {reference} {now}"] if plain else []
