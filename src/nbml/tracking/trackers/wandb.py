"""Weights & Biases (wandb 0.31), offline or online.

Offline, the default without ``WANDB_API_KEY``, a run becomes a folder ``wandb/offline-run-...-ID`` of the project (of
``WANDB_DIR`` where that is set), which ``wandb sync`` sends. Online it goes to ``WANDB_BASE_URL`` under our id; wandb
drops what the server has already. ``WANDB_PROJECT`` and ``WANDB_ENTITY`` hold.

Not carried over: all but the last of several values of one metric at one step; metrics that are called as wandb's own
(``_step``, ``_timestamp``, ``_runtime``); that a run was interrupted, which wandb shows as failed.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import wandb

from nbml import errors
from nbml.tracking.trackers import RunRecord

#: names that a row of wandb has for itself
OWN = ("_step", "_timestamp", "_runtime", "_wandb")
#: what wandb would gather of its own accord: of a sender's process it would be wrong
LEAN = {
    "silent": True, "console": "off", "disable_git": True, "disable_code": True, "disable_job_creation": True, "x_disable_meta": True,
    "x_disable_stats": True, "x_disable_machine_info": True, "x_save_requirements": False, "symlink": False,
}  # fmt: skip


class WandbTracker:
    """Keeps runs in W&B."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def send(self, record: RunRecord) -> Mapping[str, Any]:
        """See ``Tracker.send``."""
        try:
            return self._online(record) if online() else self._offline(record)
        except (wandb.Error, OSError, RuntimeError, TimeoutError) as error:
            raise errors.TrackerFailed(f"wandb did not take {record.name}@{record.version}: {_first(error)}") from error

    def _online(self, record: RunRecord) -> Mapping[str, Any]:
        with tempfile.TemporaryDirectory(prefix="nbml-wandb-") as folder:
            url = _write(record, Path(folder), "online", resume="allow", init_timeout=30)
        return {"mode": "online", "where": url}

    def _offline(self, record: RunRecord) -> Mapping[str, Any]:
        """Written beside, then put in its place whole: a killed sender leaves no half of a run, and no run twice."""
        home = Path(os.environ.get("WANDB_DIR") or self.root) / "wandb"
        home.mkdir(parents=True, exist_ok=True)
        for left in home.glob(f".nbml-{record.uid}-*"):
            shutil.rmtree(left)
        with tempfile.TemporaryDirectory(prefix=f".nbml-{record.uid}-", dir=home) as folder:
            _write(record, Path(folder), "offline")
            made = next((Path(folder) / "wandb").glob(f"offline-run-*-{record.uid}"))
            for earlier in home.glob(f"offline-run-*-{record.uid}"):
                shutil.rmtree(earlier)
            final = home / made.name
            made.rename(final)
        where = final.relative_to(self.root).as_posix() if final.is_relative_to(self.root) else f"WANDB_DIR/wandb/{final.name}"
        return {"mode": "offline", "where": where}


def online() -> bool:
    """Whether runs go to a server."""
    return bool(os.environ.get("WANDB_API_KEY")) and os.environ.get("WANDB_MODE", "online") in ("online", "shared", "run")


def identity(record: RunRecord) -> dict[str, Any]:
    """What ``wandb.init`` is told of a run."""
    project = os.environ.get("WANDB_PROJECT") or re.sub(r"[/\\#?%:]+", "-", record.project)[:128] or "nbml"
    return {
        "id": record.uid, "project": project, "name": record.name, "notes": record.note or None,
        "tags": [tag[:64] for tag in record.tags], "config": {name: told(value) for name, value in record.params.items()},
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


def _write(record: RunRecord, folder: Path, mode: str, *, resume: Literal["allow"] | None = None, **more: Any) -> str:
    settings = wandb.Settings(mode=mode, root_dir=str(folder), **LEAN, **more)
    run = wandb.init(settings=settings, resume=resume, **identity(record))
    for step, when, values in record.rows():
        run.log(row(when, values), step=step, commit=True)
    run.finish(exit_code=0 if record.state == "finished" else 1)
    return str(run.url or "")


def _first(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]


if TYPE_CHECKING:
    from nbml.tracking.trackers import Tracker

    _: Tracker = WandbTracker(Path())
