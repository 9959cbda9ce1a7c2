"""Comet (comet-ml 3.58), offline or online.

Offline, the default without ``COMET_API_KEY``, a run becomes an archive ``comet/KEY.zip`` of the project (of
``COMET_OFFLINE_DIRECTORY`` where that is set), which ``comet upload`` sends; a second upload is refused by Comet. Online
the points that Comet has not got go to ``COMET_URL_OVERRIDE`` under our key, by comet's own uploader, and are read back.
``COMET_PROJECT_NAME`` and ``COMET_WORKSPACE`` hold.

The archive is written here, whole, with the points' own times: comet's writer stamps them with the time of the sending,
and takes two seconds. Its parts are checked by comet's own reader in the tests.

Not carried over: of a metric with more than 15,000 points ``comet upload`` sends a sample, unless
``COMET_OFFLINE_SAMPLING_SIZE`` says more.
"""

from __future__ import annotations

import collections
import io
import json
import math
import os
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbml import errors
from nbml.tracking.trackers import RunRecord, fitting

#: what comet would send of its own accord
QUIET = {
    "COMET_ERROR_TRACKING_ENABLE": "false", "COMET_INTERNAL_REPORTING": "false", "COMET_DISABLE_ANNOUNCEMENT": "1",
    "COMET_LOGGING_CONSOLE": "ERROR",
}  # fmt: skip
#: points of a metric beyond which ``comet upload`` samples, and beyond which they are not read back one by one
SAMPLE = 15_000
#: longest name, longest text
NAME, TEXT = 500, 5000
#: seconds that a server may take until what it took can be read
READ_BACK = "NBML_SENDER_READ_BACK"

#: metric, step, value
Point = tuple[str, int, str]


class CometTracker:
    """Keeps runs in Comet."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def send(self, record: RunRecord) -> Mapping[str, Any]:
        """See ``Tracker.send``."""
        return self._online(record) if online() else self._offline(record)

    def _offline(self, record: RunRecord) -> Mapping[str, Any]:
        """Written beside, then put in its place whole."""
        told = os.environ.get("COMET_OFFLINE_DIRECTORY")
        home = Path(told) if told else self.root / "comet"
        left: list[str] = []
        final = home / f"{key(record)}.zip"
        try:
            home.mkdir(parents=True, exist_ok=True)
            beside = home / f".{final.name}.part"
            beside.write_bytes(archive(record, left))
            beside.replace(final)
        except OSError as error:
            raise errors.TrackerFailed(f"comet did not take {record.name}@{record.version}: {error}") from error
        long = [f"{fitting.short(name)} with {len(steps):,}" for name, (steps, _, _) in record.series.items() if len(steps) > SAMPLE]
        if long:
            left.append(f"of more than {SAMPLE:,} points comet upload sends a sample: {fitting.listed(long)}")
        where = final.relative_to(self.root).as_posix() if final.is_relative_to(self.root) else f"COMET_OFFLINE_DIRECTORY/{final.name}"
        return {"mode": "offline", "where": where, "left": left}

    def _online(self, record: RunRecord) -> Mapping[str, Any]:
        from nbml.tracking.trackers import comet_online

        left: list[str] = []
        return {"mode": "online", "where": comet_online.send(record, left), "left": left}


def online() -> bool:
    """Whether runs go to a server."""
    return bool(os.environ.get("COMET_API_KEY")) and os.environ.get("COMET_START_ONLINE", "1").lower() not in ("0", "false")


def key(record: RunRecord) -> str:
    """The experiment's key, 32 characters of our own id."""
    return (record.uid * 32)[:32]


def archive(record: RunRecord, left: list[str], missing: collections.Counter[Point] | None = None) -> bytes:
    """The archive as ``comet upload`` takes it; with only those points that are ``missing``, to be added, where that is given."""
    head = {
        "offline_id": key(record), "project_name": os.environ.get("COMET_PROJECT_NAME") or record.project,
        "workspace": os.environ.get("COMET_WORKSPACE"), "start_time": _ms(record.started), "stop_time": _ms(record.ended),
        "tags": list(record.tags), "resume_strategy": "create" if missing is None else "get_or_create",
        "user_provided_experiment_key": True, "comet_start_sourced": True,
        "customer_error_reported": record.state != "finished",
        "customer_error_message": None if record.state == "finished" else record.state,
    }  # fmt: skip
    lines = [json.dumps({"type": kind, "payload": {**payload, "message_id": number}}, ensure_ascii=False)
             for number, (kind, payload) in enumerate(_messages(record, left, missing), 1)]  # fmt: skip
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("experiment.json", json.dumps(head, ensure_ascii=False))
        zipped.writestr("messages.json", "".join(f"{line}\n" for line in lines))
        for name, content in record.files().items():
            zipped.writestr(name, content)
    return sink.getvalue()


def _messages(record: RunRecord, left: list[str], missing: collections.Counter[Point] | None) -> Iterator[tuple[str, dict[str, Any]]]:
    others = {"Name": record.name, "nbml.run": record.uid, "nbml.version": record.version, "nbml.state": record.state}
    if record.note:
        others["note"] = fitting.cut("the note", record.note, TEXT, left)
    for name, value in others.items():
        yield "log_other", {"key": name, "value": value}
    started = _ms(record.started)
    for name, value in params(record, left).items():
        param = {"paramName": name, "paramValue": value, "source": "manual", "step": None}
        yield "parameter_msg", {"local_timestamp": started, "param": param}
    for name, step, when, value in points(record, left):
        if missing is not None:
            if not missing[name, step, said(value)]:
                continue
            missing[name, step, said(value)] -= 1
        metric = {"metricName": name, "metricValue": told(value), "step": step, "epoch": None}
        yield "metric_msg", {"local_timestamp": _ms(when), "metric": metric}
    for name in (*record.code, *record.samples):
        yield "file_upload", _file(record, name, "source_code" if name.endswith(".py") else "asset")
    for number, (title, _) in enumerate(record.figures, 1):
        yield "file_upload", _file(record, f"figure-{number}.png", "visualization", figCounter=number, figName=title[:100])


def _file(record: RunRecord, name: str, kind: str, **more: Any) -> dict[str, Any]:
    extra = {"context": None, "extension": name.rpartition(".")[2], "fileName": name, "overwrite": True, "runId": None, "step": None}
    return {
        "additional_params": {**extra, "epoch": None, "type": kind, **more}, "clean": True, "file_path": name,
        "local_timestamp": _ms(record.started), "metadata": {}, "upload_type": kind,
    }  # fmt: skip


def params(record: RunRecord, left: list[str]) -> dict[str, Any]:
    """Parameters as comet has them: numbers, texts, None; what holds others as JSON."""
    names = fitting.fitted(record.params, str, NAME)
    left += fitting.renamed("parameters", names)
    found: dict[str, Any] = {}
    for name, value in record.params.items():
        if isinstance(value, (dict, list)):
            value = fitting.cut(f"the parameter {name}", json.dumps(value, ensure_ascii=False), TEXT, left)
        elif isinstance(value, str):
            value = fitting.cut(f"the parameter {name}", value, TEXT, left)
        found[names[name]] = told(value) if isinstance(value, float) else value
    return found


def points(record: RunRecord, left: list[str]) -> list[tuple[str, int, float, float]]:
    """Name there, step, time and value of all points, in the order of the record."""
    names = fitting.fitted(record.series, str, NAME)
    left += fitting.renamed("metrics", names)
    return [
        (names[name], step, when, value)
        for name, (steps, times, values) in record.series.items()
        for step, when, value in zip(steps, times, values, strict=True)
    ]


def told(value: float) -> float | str:
    """A number as comet's JSON has it."""
    return value if math.isfinite(value) else "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def said(value: Any) -> str:
    """A value as it is compared."""
    return repr(float(value))


def _ms(when: float) -> int:
    return round(when * 1000)


if TYPE_CHECKING:
    from nbml.tracking.trackers import Tracker

    _: Tracker = CometTracker(Path())
