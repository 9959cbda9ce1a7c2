"""Weights & Biases (wandb 0.31), offline or online.

Offline, the default without ``WANDB_API_KEY``, a run becomes a folder ``wandb/offline-run-...-ID`` of the project (of
``WANDB_DIR`` where that is set), which ``wandb sync`` sends. Online it goes to ``WANDB_BASE_URL`` under our id; wandb
drops what the server has already, and what it took is read back. ``WANDB_PROJECT`` and ``WANDB_ENTITY`` hold.

Not carried over: all but the last of several values of one metric at one step; metrics that are called as wandb's own
(``_step``, ``_timestamp``, ``_runtime``); online, points that come later at or below a step that the server has; that a run
was interrupted, which wandb shows as failed.
"""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

os.environ.setdefault("WANDB_ERROR_REPORTING", "false")

import requests
import wandb

from nbml import errors
from nbml.tracking.trackers import RunRecord, fitting

#: names that a row of wandb has for itself
OWN = ("_step", "_timestamp", "_runtime", "_wandb")
#: what wandb would gather of its own accord: of a sender's process it would be wrong
LEAN = {
    "silent": True, "console": "off", "disable_git": True, "disable_code": True, "disable_job_creation": True, "x_disable_meta": True,
    "x_disable_stats": True, "x_disable_machine_info": True, "x_save_requirements": False, "symlink": False,
}  # fmt: skip
#: longest tag
TAG = 64
#: seconds that the server may take until what it took can be read
READ_BACK = "NBML_SENDER_READ_BACK"
#: what wandb itself asks when it resumes a run
STATUS = """query RunResumeStatus($project: String, $entity: String, $name: String!) {
  model(name: $project, entityName: $entity) { id name entity { id name }
    bucket(name: $name, missingOk: true) { id name historyLineCount historyTail config } } }"""


class WandbTracker:
    """Keeps runs in W&B."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def send(self, record: RunRecord) -> Mapping[str, Any]:
        """See ``Tracker.send``."""
        left = losses(record)
        try:
            return self._online(record, left) if online() else self._offline(record, left)
        except (wandb.Error, requests.RequestException, OSError, RuntimeError, TimeoutError) as error:
            raise errors.TrackerFailed(f"wandb did not take {record.name}@{record.version}: {_first(error)}") from error

    def _online(self, record: RunRecord, left: list[str]) -> Mapping[str, Any]:
        with tempfile.TemporaryDirectory(prefix="nbml-wandb-") as folder:
            run = _write(record, Path(folder), "online", resume="allow", init_timeout=30)
            _read_back(record, run, left)
        return {"mode": "online", "where": str(run.url or ""), "left": left}

    def _offline(self, record: RunRecord, left: list[str]) -> Mapping[str, Any]:
        """Written beside, then put in its place whole: a killed sender leaves no half of a run, and no run twice."""
        home = Path(os.environ.get("WANDB_DIR") or self.root) / "wandb"
        home.mkdir(parents=True, exist_ok=True)
        for half in home.glob(f".nbml-{record.uid}-*"):
            shutil.rmtree(half)
        with tempfile.TemporaryDirectory(prefix=f".nbml-{record.uid}-", dir=home) as folder:
            _write(record, Path(folder), "offline")
            made = next((Path(folder) / "wandb").glob(f"offline-run-*-{record.uid}"))
            for earlier in home.glob(f"offline-run-*-{record.uid}"):
                if any(earlier.glob("*.synced")):
                    left.append("it was synced before it went on: to sync it again adds its first rows once more")
                shutil.rmtree(earlier)
            final = home / made.name
            made.rename(final)
        where = final.relative_to(self.root).as_posix() if final.is_relative_to(self.root) else f"WANDB_DIR/wandb/{final.name}"
        return {"mode": "offline", "where": where, "left": left}


def online() -> bool:
    """Whether runs go to a server."""
    return bool(os.environ.get("WANDB_API_KEY")) and os.environ.get("WANDB_MODE", "online") in ("online", "shared", "run")


def identity(record: RunRecord) -> dict[str, Any]:
    """What ``wandb.init`` is told of a run."""
    project = os.environ.get("WANDB_PROJECT") or re.sub(r"[/\\#?%:]+", "-", record.project)[:128] or "nbml"
    return {
        "id": record.uid, "project": project, "name": record.name, "notes": record.note or None,
        "tags": list(fitting.fitted(record.tags, str, TAG).values()),
        "config": {name: told(value) for name, value in record.params.items()},
    }  # fmt: skip


def told(value: Any) -> Any:
    """A parameter's value; NaN and infinity, of which wandb's config makes null, as the texts that its rows have for them."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: told(part) for key, part in value.items()}
    return [told(part) for part in value] if isinstance(value, list) else value


def row(when: float, values: Mapping[str, float]) -> dict[str, float]:
    """One row as wandb logs it, with the time at which we saw it."""
    return {**{name: value for name, value in values.items() if name not in OWN}, "_timestamp": when}


def losses(record: RunRecord) -> list[str]:
    """What W&B cannot hold of a run."""
    left = fitting.renamed("tags", fitting.fitted(record.tags, str, TAG))
    own = [name for name in record.series if name in OWN]
    if own:
        left.append(f"metrics that are called as W&B's own are left out: {fitting.listed(own)}")
    merged = {name: len(steps) - len(set(steps)) for name, (steps, _, _) in record.series.items()}
    more = [f"{count:,} of {fitting.short(name)}" for name, count in merged.items() if count]
    if more:
        left.append(f"of several values at one step the last one stands, without {fitting.listed(more)}")
    return left


def _write(record: RunRecord, folder: Path, mode: str, *, resume: Literal["allow"] | None = None, **more: Any) -> Any:
    settings = wandb.Settings(mode=mode, root_dir=str(folder), **LEAN, **more)
    run = wandb.init(settings=settings, resume=resume, **identity(record))
    for step, when, values in record.rows():
        run.log(row(when, values), step=step, commit=True)
    for name, content in record.files().items():
        (folder / "files").mkdir(exist_ok=True)
        (folder / "files" / name).write_bytes(content)
        run.save(str(folder / "files" / name), base_path=str(folder / "files"), policy="now")
    run.finish(exit_code=0 if record.state == "finished" else 1)
    return run


def _read_back(record: RunRecord, run: Any, left: list[str]) -> None:
    """Wait until the server has all rows and parameters. What it has not after that is sent at the next try."""
    steps = [step for step, _, _ in record.rows()]
    end = time.monotonic() + float(os.environ.get(READ_BACK, "30"))
    what = f"{record.name}@{record.version}"
    while True:
        bucket = _status(run)
        count, last = int(bucket.get("historyLineCount") or 0), _last_step(bucket)
        lost = sorted(set(record.params) - set(json.loads(bucket.get("config") or "{}")))
        if count >= len(steps) and not lost:
            return
        if time.monotonic() > end:
            break
        time.sleep(0.3)
    if lost:
        raise errors.TrackerFailed(f"wandb kept {len(record.params) - len(lost)} of the {len(record.params)} parameters of {what}")
    if last < steps[-1]:
        raise errors.TrackerFailed(f"wandb kept {count:,} of the {len(steps):,} rows of {what}")
    left.append(f"W&B has {count:,} of its {len(steps):,} rows: it takes none at or below a step that it has")


def _status(run: Any) -> dict[str, Any]:
    """What the server has of a run; {} where it has none."""
    base = (os.environ.get("WANDB_BASE_URL") or "https://api.wandb.ai").rstrip("/")
    asked = {"operationName": "RunResumeStatus", "query": STATUS}
    asked["variables"] = {"project": run.project, "entity": run.entity, "name": run.id}  # type: ignore[assignment]
    reply = requests.post(f"{base}/graphql", json=asked, auth=("api", os.environ["WANDB_API_KEY"]), timeout=20)
    reply.raise_for_status()
    model = (reply.json().get("data") or {}).get("model") or {}
    return model.get("bucket") or {}


def _last_step(bucket: Mapping[str, Any]) -> int:
    tail = json.loads(bucket.get("historyTail") or "[]")
    last = tail[-1] if tail else {}
    last = json.loads(last) if isinstance(last, str) else last
    return int(last.get("_step", -1))


def _first(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]


if TYPE_CHECKING:
    from nbml.tracking.trackers import Tracker

    _: Tracker = WandbTracker(Path())
