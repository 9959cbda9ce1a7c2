"""Runs of other trackers, read into the record: ``import_runs``.

Everything is read before anything is written, and what is damaged is refused. A run is known by its id there: to import it
again adds nothing, and a run that nbml itself had sent there is here already.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbml import errors
from nbml.store import bulk, current, runs
from nbml.tracking.fits import simple
from nbml.tracking.importing import comet, mlflow, wandb
from nbml.tracking.importing.values import Foreign, Source
from nbml.tracking.secrets import Redaction, secretive

if TYPE_CHECKING:
    import pandas as pd

TITLES = {"wandb": "W&B", "mlflow": "MLflow", "comet": "Comet"}
#: the databases that are looked into
DATABASES = (".db", ".sqlite", ".sqlite3")


def import_runs(path: str | Path) -> pd.DataFrame:
    """The runs of W&B (a run's folder, its file, a folder ``wandb``), MLflow (a SQLite file, a folder ``mlruns``) or Comet (an archive,
    a folder of them) at ``path``; of a project's folder those of all three. Returns those that were imported, as ``runs`` does.

    Raises errors.BadInput for what is damaged or holds none, errors.NotYet for a study of Optuna; nothing is imported then.
    """
    place = Path(path).expanduser()
    if not place.exists():
        raise errors.BadInput(f"there is no file or folder {str(path)!r}", next="%nbml import --help")
    found = list(sources(place))
    if not found:
        raise errors.BadInput(f"{str(path)!r} holds no runs of W&B, MLflow or Comet", next="%nbml import --help")
    foreign = [run for source in found for run in source.read(source.path)]
    store, here = current(), len(foreign)
    known = bulk.known(store, [run.own for run in foreign])
    new = sorted({run.own: run for run in foreign if run.own not in known}.values(), key=lambda run: run.started)
    things = bulk.add(store, [_whole(run) for run in new])
    return _shown(list(dict.fromkeys(source.tool for source in found)), things, here - len(new))


def sources(place: Path) -> Iterator[Source]:
    """What there is at a path, or in the folders in which the tools put it."""
    if place.is_file():
        yield from _file(place)
        return
    for folder in (place, place / "wandb"):
        for file in sorted({*folder.glob("*.wandb"), *folder.glob("*run-*/*.wandb")}):
            if not file.parent.is_symlink():
                yield Source(wandb.TOOL, file, wandb.run)
    for file in sorted(one for one in place.iterdir() if one.suffix in DATABASES and one.is_file()):
        yield from _file(file, asked=False)
    for folder in (place, place / "mlruns"):
        if any("experiment_id" in meta.read_text(errors="replace") for meta in folder.glob("*/meta.yaml")):
            yield Source(mlflow.TOOL, folder, mlflow.folder)
    for folder in (place, place / "comet", place / ".cometml-runs"):
        for file in sorted(folder.glob("*.zip")):
            if comet.holds(file):
                yield Source(comet.TOOL, file, comet.run)


def _file(file: Path, *, asked: bool = True) -> Iterator[Source]:
    """A file that was named is refused where it is none of theirs; one that lies in a folder is passed over."""
    if file.suffix == ".wandb":
        yield Source(wandb.TOOL, file, wandb.run)
    elif file.suffix == ".zip":
        if not comet.holds(file):
            raise errors.BadInput(f"{file.name} is no archive of Comet: a zip file with {' and '.join(comet.PARTS)} is needed")
        yield Source(comet.TOOL, file, comet.run)
    else:
        tables = _tables(file, asked=asked)
        if {"studies", "trials"} <= tables and asked:
            raise errors.NotYet(f"{file.name} holds studies of Optuna, which this version does not import", next="%nbml import --help")
        if {"runs", "metrics", "experiments"} <= tables:
            yield Source(mlflow.TOOL, file, mlflow.database)
        elif asked:
            raise errors.BadInput(
                f"{file.name} is no store of MLflow: its tables are {', '.join(sorted(tables)[:4]) or 'none'}", next="%nbml import --help"
            )


def _tables(file: Path, *, asked: bool) -> set[str]:
    with file.open("rb") as content:
        head = content.read(16)
    if head != b"SQLite format 3\0":
        if asked:
            raise errors.BadInput(
                f"{file.name} is no file of W&B (.wandb), MLflow (SQLite) or Comet (.zip)", next="%nbml import --help"
            )
        return set()
    with mlflow.opened(file) as db:
        return mlflow.tables(db)


def _whole(run: Foreign) -> bulk.Whole:
    """A run as the record has it: its name made to fit, and no secrets."""
    clean = Redaction()
    params = {name: simple(clean.param(name, value)) if _secretive(name) else simple(value) for name, value in run.params.items()}
    if clean.known:
        params = {name: clean.text(value) if isinstance(value, str) else value for name, value in params.items()}
    name = fitted(run.name)
    note = [run.note] if run.note else []
    note += [f"{run.name!r} in {TITLES[run.tool]}"] if name != run.name else []
    body: dict[str, Any] = {
        "note": clean.text("; ".join(note)), "changed": list(params), "error": "",
        "imported": {"tool": run.tool, "id": run.id, "project": run.project, "name": run.name},
        "git": {"commit": run.commit, "dirty": False} if run.commit else {},
    }  # fmt: skip
    ended = run.started if run.ended is None else run.ended
    tags = tuple(map(clean.text, run.tags))
    return bulk.Whole(run.own, name, run.state, run.started, ended, params, tags, body, run.series)


#: ten thousand runs have the same few names
_secretive = functools.cache(secretive)


def fitted(name: str) -> str:
    """A name as ours are."""
    there = re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-._")[:63].rstrip("-._")
    return there or "run"


def _shown(tools: Sequence[str], things: Sequence[int], before: int) -> pd.DataFrame:
    from nbml.display.listing import shown_as
    from nbml.tracking.listing import table
    from nbml.tracking.report import ROWS, listing_report

    chosen = set(things)
    rows = [row for row in runs.rows(current()) if row.thing in chosen] if things else []
    from_whom = " and ".join(TITLES[tool] for tool in tools)
    told = listing_report(rows[:ROWS], len(rows), {}, None)
    title = f"{len(rows):,} run{'' if len(rows) == 1 else 's'} imported from {from_whom}"
    facts = [*told.facts, *([f"{before:,} were here already"] if before else [])]
    return shown_as(table(rows), dataclasses.replace(told, title=title, facts=facts, next=["%nbml runs"]))
