"""What a deployment's folder says: ``state.json``, and whether the processes that it names still run.

``.nbml/deployments/<name>/`` holds ``state.json`` (the supervisor's), ``wish.json`` (what was asked of it last),
``token`` (0600, only where one is required), ``service.log``, ``traffic/`` and ``summary.json`` (the log writer's),
and ``home/`` (BentoML's own folder, one for each deployment: two servers in one erase each other's counters).
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from nbml.store import Store
from nbml.store.processes import runs
from nbml.store.small import read_json, write_json

#: states in which a supervisor is at work
LIVE = ("starting", "running", "restarting", "stopping")
STATE, WISH, TOKEN, LOG, TRAFFIC, SUMMARY, HOME = (
    "state.json", "wish.json", "token", "service.log", "traffic", "summary.json", "home",
)  # fmt: skip


@dataclass(frozen=True)
class Status:
    """What runs under a name. ``dealt`` is the id of the wish dealt with last, ``problem`` why it was not fulfilled.

    ``pid`` is the supervisor's and ``worker`` the worker's; ``*begun`` are the system's start times of both, since a
    number alone comes again. ``seconds`` is how long the running worker took from start to ready.
    """

    state: str
    service: str = ""
    url: str = ""
    port: int = 0
    pid: int = 0
    begun: str = ""
    boot: str = ""
    worker: int = 0
    worker_begun: str = ""
    started: float = 0.0
    seconds: float = 0.0
    restarts: int = 0
    error: str = ""
    dealt: str = ""
    problem: str = ""
    cause: str = ""

    @property
    def live(self) -> bool:
        """Whether a supervisor is at work."""
        return self.state in LIVE


@dataclass(frozen=True)
class Wish:
    """What a supervisor is to run. ``bento`` is relative to the project; ``cancel`` takes back the wish of that id."""

    id: str
    service: str = ""
    bento: str = ""
    thing: int = 0
    before: str = ""
    by: str = "deploy"
    port: int = 0
    cancel: str = ""


def folder(store: Store, name: str) -> Path:
    """Where a deployment keeps its files; it need not exist."""
    return store.folder / "deployments" / name


def status(where: Path) -> Status | None:
    """What runs, told from the processes: a supervisor that is gone runs nothing, whatever its file says."""
    said = read_json(where / STATE)
    if not isinstance(said.get("state"), str):
        return None
    known = {field.name for field in fields(Status)}
    found = Status(**{key: value for key, value in said.items() if key in known})
    if found.live and not runs(found.pid, found.begun, found.boot):
        gone = f"its supervisor (process {found.pid}) is gone: killed, or the machine was restarted"
        return Status(**{**asdict(found), "state": "failed", "error": gone})
    return found


def write_status(where: Path, status: Status) -> None:
    """Put ``state.json`` in place whole. Empty fields are left out."""
    write_json(where / STATE, {key: value for key, value in asdict(status).items() if value != ""})


def wish(where: Path) -> Wish | None:
    """What was asked of the supervisor last."""
    said = read_json(where / WISH)
    known = {field.name for field in fields(Wish)}
    return Wish(**{key: value for key, value in said.items() if key in known}) if isinstance(said.get("id"), str) else None


def write_wish(where: Path, wish: Wish) -> None:
    write_json(where / WISH, asdict(wish))


def tail(path: Path, lines: int, start: int = 0) -> list[str]:
    """The last lines of a log, none of them empty, from byte ``start`` on; at most the last 256 kB are read."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(start, size - 262_144))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [line.rstrip() for line in text.splitlines() if line.strip()][-lines:]
