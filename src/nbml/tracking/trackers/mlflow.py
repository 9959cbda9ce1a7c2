"""MLflow (3.17), in a database of the project or on a server.

Without ``MLFLOW_TRACKING_URI`` runs go to ``mlflow.db`` of the project, which ``mlflow ui --backend-store-uri
sqlite:///mlflow.db`` shows; else where it says, with the user, password or token of MLflow's own variables.
``MLFLOW_EXPERIMENT_NAME`` holds, else the experiment is called as the project. MLflow makes its run ids itself: a run is
found again by its tag ``nbml.run``. Its points carry their own times, and are read back.

Not carried over: infinity, which MLflow keeps as 1.797e308; names with other characters than ``/ _ - . : space``, letters
and digits; parameters over 6,000 characters; a parameter that has another value when a run goes on.
"""

from __future__ import annotations

import math
import os
import posixpath
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
# the outbox is who tries again; MLflow itself would wait for minutes
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException

from nbml import errors
from nbml.tracking.trackers import (
    RunRecord,
    fitting,
)

#: the tag by which a run is found
TAG = "nbml.run"
STATES = {"finished": "FINISHED", "failed": "FAILED", "interrupted": "KILLED"}
#: most in one request
METRICS, PARAMS = 1000, 100
#: longest name, parameter, tag
NAME, PARAM, TEXT = 250, 6000, 8000
#: what MLflow's databases keep for infinity
HUGE = 1.7976931348623157e308
#: times that what is missing is sent again at once
ROUNDS = 3

#: metric, step, time (ms), value (repr) of a point, as it comes back
Point = tuple[str, int, int, str]


class MlflowTracker:
    """Keeps runs in MLflow."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.uri = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{root / 'mlflow.db'}"
        self._client: MlflowClient | None = None

    def send(self, record: RunRecord) -> Mapping[str, Any]:
        """See ``Tracker.send``."""
        try:
            self._client = self._client or MlflowClient(tracking_uri=self.uri)
            return self._send(self._client, record)
        except (MlflowException, OSError) as error:
            self._client = None
            raise errors.TrackerFailed(f"mlflow did not take {record.name}@{record.version}: {_first(error)}") from error

    def _send(self, client: MlflowClient, record: RunRecord) -> Mapping[str, Any]:
        experiment = _experiment(client, os.environ.get("MLFLOW_EXPERIMENT_NAME") or record.project[:500] or "nbml")
        run, new = _run(client, experiment, record)
        left: list[str] = []
        client.log_batch(run, tags=tags(record, left))
        _params(client, run, record, left)
        _points(client, run, record, left, new=new)
        _files(client, run, record)
        client.set_terminated(run, STATES[record.state], round(record.ended * 1000))
        if client.get_run(run).info.status != STATES[record.state]:
            raise errors.TrackerFailed(f"mlflow did not keep how {record.name}@{record.version} ended")
        _only(client, experiment, record)
        return {"where": self._where(experiment, run), "run": run, "experiment": experiment, "left": left}

    def _where(self, experiment: str, run: str) -> str:
        """An address without what is secret in it; a database by its name."""
        parts = urlsplit(self.uri)
        if parts.scheme in ("http", "https"):
            host = (parts.hostname or "") + (f":{parts.port}" if parts.port else "")
            path = f"{parts.path.rstrip('/')}/"
            return urlunsplit((parts.scheme, host, path, "", f"/experiments/{experiment}/runs/{run}"))
        return "mlflow.db" if self.uri == f"sqlite:///{self.root / 'mlflow.db'}" else "MLFLOW_TRACKING_URI"


def tags(record: RunRecord, left: list[str]) -> list[RunTag]:
    """What MLflow's tags say of a run; a tag of ours is one of its with the value "true"."""
    own = fitting.fitted(record.tags, fit, NAME)
    left += fitting.renamed("tags", own)
    said = {TAG: record.uid, "nbml.version": str(record.version), **dict.fromkeys(own.values(), "true")}
    if record.note:
        said["mlflow.note.content"] = fitting.cut("the note", record.note, TEXT, left)
    return [RunTag(key, value) for key, value in said.items()]


def params(record: RunRecord, left: list[str]) -> dict[str, str]:
    """Parameters as MLflow has them: texts."""
    names = fitting.fitted(record.params, fit, NAME)
    left += fitting.renamed("parameters", names)
    return {names[name]: fitting.cut(f"the parameter {name}", str(value), PARAM, left) for name, value in record.params.items()}


def metrics(record: RunRecord, left: list[str]) -> list[Metric]:
    """All points with their own times (ms). Points that would be one to MLflow lie a millisecond apart."""
    names = fitting.fitted(record.series, fit, NAME)
    left += fitting.renamed("metrics", names)
    counts = fitting.infinities(record.series)
    if counts:
        said = [f"{count:,} of {fitting.short(name)}" for name, count in counts.items()]
        left.append(f"infinity stands as 1.797e308: {fitting.listed(said)}")
    found, seen = [], set()
    for name, (steps, times, values) in record.series.items():
        for step, when, value in zip(steps, times, values, strict=True):
            stamp = round(when * 1000)
            while (point := (names[name], step, stamp, _said(value))) in seen:
                stamp += 1
            seen.add(point)
            found.append(Metric(names[name], value, stamp, step))
    return found


def fit(name: str) -> str:
    """A name without what MLflow does not take in one."""
    there = re.sub(r"[^/\w.\- :]", "_", name)
    if posixpath.normpath(there) != there or there.startswith(("/", "..")) or there == ".":
        there = there.replace("/", "_").lstrip(".") or "_"
    return there


def _experiment(client: MlflowClient, name: str) -> str:
    found = client.get_experiment_by_name(name)
    if found is not None and found.lifecycle_stage == "deleted":
        raise errors.TrackerFailed(f"the experiment {name!r} was deleted in MLflow: restore it, or name another in MLFLOW_EXPERIMENT_NAME")
    if found is None:
        try:
            return str(client.create_experiment(name))
        except MlflowException:  # another sender made it meanwhile
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
    return str(found.experiment_id)


def _run(client: MlflowClient, experiment: str, record: RunRecord) -> tuple[str, bool]:
    """The run's id there, and whether it was made now."""
    found = _only(client, experiment, record)
    if found is not None:
        return found, False
    made = client.create_run(experiment, start_time=round(record.started * 1000), tags={TAG: record.uid}, run_name=record.name)
    return _only(client, experiment, record) or str(made.info.run_id), True


def _only(client: MlflowClient, experiment: str, record: RunRecord) -> str | None:
    """The one run of that tag. An answer that got lost may have left several: one that has been sent to its end stays."""
    found = client.search_runs([experiment], f"tags.`{TAG}` = '{record.uid}'", max_results=100)
    ids = [str(run.info.run_id) for run in sorted(found, key=lambda run: (run.info.status == "RUNNING", run.info.run_id))]
    for other in ids[1:]:
        client.delete_run(other)
    return ids[0] if ids else None


def _params(client: MlflowClient, run: str, record: RunRecord, left: list[str]) -> None:
    told = params(record, left)
    for _ in range(ROUNDS):
        there = client.get_run(run).data.params
        missing = [Param(name, value) for name, value in told.items() if name not in there]
        if not missing:
            break
        for part in _parts(missing, PARAMS):
            client.log_batch(run, params=part)
    else:
        kept = len(told) - len(missing)
        raise errors.TrackerFailed(f"mlflow kept {kept} of the {len(told)} parameters of {record.name}@{record.version}")
    other = [f"{fitting.short(name)} is {there[name]} there and {value} here" for name, value in told.items() if there[name] != value]
    if other:
        left.append(f"parameters do not change in MLflow: {fitting.listed([fitting.short(one, 120) for one in other])}")


def _points(client: MlflowClient, run: str, record: RunRecord, left: list[str], *, new: bool) -> None:
    """Send what is not there, until all that was sent is read back."""
    told = metrics(record, left)
    missing = told if new else _missing(client, run, told)
    for _ in range(ROUNDS):
        if not missing:
            return
        for part in _parts(missing, METRICS):
            client.log_batch(run, metrics=part)
        missing = _missing(client, run, told)
    if missing:
        kept = len(told) - len(missing)
        raise errors.TrackerFailed(f"mlflow kept {kept:,} of the {len(told):,} points of {record.name}@{record.version}")


def _missing(client: MlflowClient, run: str, told: list[Metric]) -> list[Metric]:
    there = {_point(one) for name in dict.fromkeys(one.key for one in told) for one in client.get_metric_history(run, name)}
    return [one for one in told if _point(one) not in there]


def _point(one: Metric) -> Point:
    return one.key, one.step, one.timestamp, _said(one.value)


def _said(value: float) -> str:
    return repr(math.copysign(HUGE, value) if math.isinf(value) else float(value))


def _parts(found: list[Any], most: int) -> Iterator[list[Any]]:
    for start in range(0, len(found), most):
        yield found[start : start + most]


def _files(client: MlflowClient, run: str, record: RunRecord) -> None:
    with tempfile.TemporaryDirectory(prefix="nbml-mlflow-") as folder:
        for name, content in record.files().items():
            (Path(folder) / name).write_bytes(content)
            client.log_artifact(run, str(Path(folder) / name))


def _first(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]


if TYPE_CHECKING:
    from nbml.tracking.trackers import Tracker

    _: Tracker = MlflowTracker(Path())
