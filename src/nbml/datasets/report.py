"""Versions of data as reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbml.display import Column, Line, Note, Report, Spark, Table, ago, code, muted, size, strong

if TYPE_CHECKING:
    from nbml.datasets.values import DatasetVersion


def version_report(version: DatasetVersion) -> Report:
    """One line; what the version warns of below it."""
    body = version.thing.body
    state = "look" if version.warnings else "well"
    word = "look" if version.warnings else "unchanged" if version.same else "stored"
    facts = [f"{body['rows']:,} rows × {len(body['columns'])}"]
    facts.append(_stored(body["new"], body["bytes"]) if version.new else f"made {ago(version.made)}")
    parts: list[Note | Line] = []
    for warning in version.warnings:
        parts.append(Note("look", warning.code, warning.message))
        if "expectation" in warning.evidence:
            parts.append(Line((muted("as an expectation: "), code(warning.evidence["expectation"]))))
    if version.note:
        parts.append(Line(muted(version.note)))
    title = (strong(version), " stored") if version.warnings and version.new else (strong(version),)
    return Report(
        title, state, word, facts, parts, [f'nbml.dataset("{version}").load()'], body.get("result"), "dataset", str(version)
    )


def _stored(new: int, whole: int) -> str:
    """What a version added to the store; earlier versions have the rest."""
    return f"{size(new)} stored" if new >= whole else f"{size(new)} of {size(whole)} new" if new else f"{size(whole)} stored before"


def row(rows: int, columns: int, codes: list[str], history: list[int]) -> dict[str, object]:
    """The panel's line of a dataset."""
    figure = codes[0] if codes else f"{rows:,} × {columns}"
    found: dict[str, object] = {"state": "look" if codes else "well", "figure": figure}
    return found | ({"spark": history} if len(history) > 1 else {})


def listing_report(versions: list[DatasetVersion], histories: dict[str, list[int]], line: str = "") -> Report:
    """All datasets, newest first; ``line`` leads on where there is none."""
    rows = [
        (
            (strong(v.name), muted(f"@{v.version}")),
            v.thing.body["rows"],
            len(v.thing.body["columns"]),
            Spark(histories[v.name], _alt(histories[v.name])),
            ", ".join(w.code for w in v.warnings),
            v.made,
        )
        for v in versions
    ]
    heads = ("dataset", "rows", "columns", "rows by version", "warnings", Column("made", "right", "time"))
    parts = [Table(heads, rows)] if rows else []
    title = f"{len(rows)} dataset" + ("" if len(rows) == 1 else "s")
    return Report(title, parts=parts, next=[line] if line and not rows else [])


def _alt(history: list[int]) -> str:
    return f"{history[0]:,}" if len(history) == 1 else f"from {history[0]:,} to {history[-1]:,}"
