"""MLflow's stores: a SQLite database, or a folder ``mlruns``. Read without MLflow, whose reader takes 19 ms a metric."""

from __future__ import annotations

import contextlib
import math
import sqlite3
from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from nbml import errors
from nbml.tracking.importing.values import Foreign, typed

TOOL = "mlflow"
STATES = {"FINISHED": "finished", "FAILED": "failed", "KILLED": "interrupted"}
#: the states as the files of a folder number them
NUMBERS = {"3": "FINISHED", "4": "FAILED", "5": "KILLED"}
#: columns that are read of each table; a store that has them is one that this can read, whatever its revision
COLUMNS = {
    "experiments": {"experiment_id", "name", "lifecycle_stage"},
    "runs": {"run_uuid", "name", "status", "start_time", "end_time", "lifecycle_stage", "experiment_id"},
    "params": {"run_uuid", "key", "value"},
    "tags": {"run_uuid", "key", "value"},
    "metrics": {"run_uuid", "key", "value", "timestamp", "step", "is_nan"},
}
#: what MLflow keeps for infinity
HUGE = 1.7976931348623157e308
#: points that are held as rows at once
PART = 2000


@contextlib.contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A database that is only read. Raises errors.BadInput where it is none, or damaged."""
    db = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
    try:
        yield db
    except (sqlite3.Error, OverflowError, UnicodeDecodeError, TypeError) as error:
        raise errors.BadInput(f"{path.name} cannot be read: {error}") from error
    finally:
        db.close()


def tables(db: sqlite3.Connection) -> set[str]:
    """The names of the tables of a database."""
    return {str(row[0]) for row in db.execute("SELECT name FROM sqlite_master WHERE type='table'")}


def database(path: Path) -> list[Foreign]:
    """The runs of a SQLite store, oldest first; deleted ones are left out."""
    with opened(path) as db:
        db.execute("BEGIN")  # all that is read is of one moment
        _check(db, path)
        alive = (
            " FROM runs r JOIN experiments e ON e.experiment_id=r.experiment_id"
            " WHERE r.lifecycle_stage='active' AND e.lifecycle_stage='active'"
        )
        columns = f"SELECT r.run_uuid,r.name,e.name,r.status,r.start_time,r.end_time{alive} ORDER BY r.start_time,r.run_uuid"
        found = {
            id: Foreign(TOOL, id, name or id, experiment, STATES.get(status, "interrupted"), (start or 0) / 1000, _seconds(end))
            for id, name, experiment, status, start, end in db.execute(columns)
        }
        for run, key, value in db.execute("SELECT run_uuid,key,value FROM params ORDER BY rowid"):
            if run in found:
                found[run].params[key] = typed(value)
        for run, key, value in db.execute("SELECT run_uuid,key,value FROM tags ORDER BY rowid"):
            if run in found:
                tag(found[run], key, value or "")
        _points(db, found)
    return list(found.values())


def _points(db: sqlite3.Connection, found: Mapping[str, Foreign]) -> None:
    """All points, column by column: half a million of them in about a second."""
    lengths = db.execute("SELECT run_uuid,key,count(*) FROM metrics GROUP BY run_uuid,key ORDER BY run_uuid,key").fetchall()
    cursor = db.execute("SELECT step,timestamp,value,is_nan FROM metrics ORDER BY run_uuid,key,timestamp,step")
    steps, times, values = array("q"), array("d"), array("d")
    while rows := cursor.fetchmany(PART):
        one, two, three, four = zip(*rows, strict=True)
        steps.extend(one)
        times.extend([when / 1000 for when in two])
        odd = any(four) or max(three) >= HUGE or min(three) <= -HUGE
        values.extend([math.nan if empty else real(value) for value, empty in zip(three, four, strict=True)] if odd else three)
    start = 0
    for run, key, length in lengths:
        cut = slice(start, start := start + length)
        if run in found:
            found[run].series[key] = (steps[cut], times[cut], values[cut])


def folder(path: Path) -> list[Foreign]:
    """The runs of a folder ``mlruns``, oldest first; deleted ones are left out."""
    found = []
    for experiment in sorted(path.glob("*/meta.yaml")):
        head = _meta(experiment)
        if head.get("lifecycle_stage") == "deleted" or "experiment_id" not in head or experiment.parent.name.startswith("."):
            continue
        found += [run for meta in sorted(experiment.parent.glob("*/meta.yaml")) if (run := _run(meta, head.get("name", ""))) is not None]
    return sorted(found, key=lambda run: (run.started, run.id))


def tag(run: Foreign, key: str, value: str) -> None:
    """What a tag says: of MLflow's own the note and the commit, of ours the run's id."""
    if key == "nbml.run":
        run.uid = value
    elif key == "mlflow.note.content":
        run.note = value
    elif key == "mlflow.source.git.commit":
        run.commit = value
    elif not key.startswith(("mlflow.", "nbml.")):
        run.tags.append(key if value in ("true", "") else f"{key}={value}")


def real(value: float) -> float:
    """A value as it was logged."""
    return value if -HUGE < value < HUGE or value != value else math.copysign(math.inf, value)


def _check(db: sqlite3.Connection, path: Path) -> None:
    missing = [f"{table}.{column}" for table, columns in COLUMNS.items() for column in sorted(columns - _columns(db, table))]
    if missing:
        raise errors.BadInput(
            f"{path.name} is a store of MLflow that this version cannot read: it has no {', '.join(missing[:3])}",
            next=f"!mlflow db upgrade sqlite:///{path}",
        )


def _columns(db: sqlite3.Connection, table: str) -> set[str]:
    return {row[1] for row in db.execute(f"PRAGMA table_info({table})")}


def _run(meta: Path, experiment: str) -> Foreign | None:
    head, home = _meta(meta), meta.parent
    if "run_id" not in head or head.get("lifecycle_stage") == "deleted":
        return None
    state = STATES.get(NUMBERS.get(head.get("status", ""), head.get("status", "")), "interrupted")
    started, ended = float(head.get("start_time") or 0) / 1000, head.get("end_time")
    name = head.get("run_name") or head["run_id"]
    run = Foreign(TOOL, head["run_id"], name, experiment, state, started, _seconds(int(ended)) if ended and ended != "null" else None)
    for key, text in _texts(home / "params"):
        run.params[key] = typed(text)
    for key, text in _texts(home / "tags"):
        tag(run, key, text)
    for key, text in _texts(home / "metrics"):
        for number, line in enumerate(text.splitlines(), 1):
            try:
                when, value, *step = line.split()
                run.add(key, int(step[0]) if step else 0, int(when) / 1000, real(float(value)))
            except ValueError as error:
                raise errors.BadInput(f"{home.name}/metrics/{key} is damaged in line {number}: {line[:60]!r}") from error
    return run


def _texts(folder: Path) -> list[tuple[str, str]]:
    """Each file's name below the folder, and what it says."""
    if not folder.is_dir():
        return []
    return [(file.relative_to(folder).as_posix(), _text(file)) for file in sorted(folder.rglob("*")) if file.is_file()]


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise errors.BadInput(f"{file.parent.parent.name}/{file.parent.name}/{file.name} cannot be read: {error}") from error


def _meta(file: Path) -> dict[str, str]:
    """``meta.yaml``: lines of a key and a plain or quoted value."""
    found = {}
    for line in _text(file).splitlines():
        key, colon, value = line.partition(":")
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1].replace("''", "'") if value[0] == "'" else value[1:-1]
        if colon and not line.startswith((" ", "-")):
            found[key.strip()] = value
    return found


def _seconds(when: int | None) -> float | None:
    return None if when is None else when / 1000
