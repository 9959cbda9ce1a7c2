"""Comet's offline archives: ``experiment.json`` and ``messages.json`` in a zip file."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from nbml import errors
from nbml.tracking.importing.values import Foreign, typed

TOOL = "comet"
PARTS = ("experiment.json", "messages.json")
#: what comet logs of its own accord
OWN = ("curr_step", "curr_epoch")


def holds(path: Path) -> bool:
    """Whether a file is such an archive."""
    try:
        with zipfile.ZipFile(path) as packed:
            return set(PARTS) <= set(packed.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def run(path: Path) -> list[Foreign]:
    """The run of an archive."""
    try:
        with zipfile.ZipFile(path) as packed:
            head = json.loads(packed.read(PARTS[0]))
            lines = packed.read(PARTS[1]).decode().splitlines()
        found = Foreign(
            TOOL, str(head.get("offline_id") or path.stem), "", str(head.get("project_name") or ""),
            "failed" if head.get("customer_error_reported") else "finished", head["start_time"] / 1000, head["stop_time"] / 1000,
            tags=sorted(map(str, head.get("tags") or ())),
        )  # fmt: skip
        for line in lines:
            message = json.loads(line)
            _take(found, message["type"], message["payload"])
    except (OSError, zipfile.BadZipFile, ValueError, KeyError, TypeError, AttributeError) as error:
        raise errors.BadInput(f"{path.name} is damaged: {type(error).__name__}: {error}") from error
    found.name = found.name or found.id
    return [found]


def _take(run: Foreign, kind: str, said: dict[str, Any]) -> None:
    if said.get("metric"):
        one = said["metric"]
        run.add(one["metricName"], int(one.get("step") or 0), said["local_timestamp"] / 1000, float(one["metricValue"]))
    elif kind == "parameter_msg" and said.get("param"):
        one = said["param"]
        if one["paramName"] not in OWN:
            value = one["paramValue"]
            run.params[one["paramName"].replace("|", ".")] = typed(value) if value in ("NaN", "Infinity", "-Infinity") else value
    elif kind == "log_other":
        other = {"Name": "name", "nbml.run": "uid", "note": "note"}.get(said["key"])
        if other is not None:
            setattr(run, other, str(said["value"]))
        elif said["key"] == "nbml.state":
            run.state = str(said["value"])
