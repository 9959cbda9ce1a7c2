"""Comet's server: what it has not got is sent by comet's own uploader, then read back. Part of the adapter of Comet."""

from __future__ import annotations

import collections
import io
import os
import tempfile
import time
import zipfile
from typing import Any

from nbml import errors
from nbml.tracking.trackers import RunRecord, comet, fitting

for _name, _value in {**comet.QUIET, "COMET_OFFLINE_SAMPLING_SIZE": "1000000000"}.items():
    os.environ.setdefault(_name, _value)

import requests  # noqa: E402
from comet_ml.connection.connection_factory import get_rest_api_client  # noqa: E402
from comet_ml.exceptions import CometException, CometRestApiException  # noqa: E402
from comet_ml.offline import OfflineSender  # noqa: E402

#: seconds between two looks at what the server has
LOOK = 0.5


def send(record: RunRecord, left: list[str]) -> str:
    """Add what the server has not, and return the run's address once all of it can be read there."""
    secret = os.environ["COMET_API_KEY"]
    what = f"{record.name}@{record.version}"
    try:
        client = get_rest_api_client("v2", api_key=secret, check_version=False)
        told = collections.Counter((name, step, comet.said(value)) for name, step, _, value in comet.points(record, []))
        there = _settled(client, record)
        address = _upload(record, left, secret, told - there if there is not None else told)
        _read_back(client, record, told, what, left)
        return address
    except (CometException, CometRestApiException, requests.RequestException, OSError, ValueError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0][:300]
        raise errors.TrackerFailed(f"comet did not take {what}: {first.replace(secret, '...')}") from error


def _upload(record: RunRecord, left: list[str], secret: str, missing: collections.Counter[comet.Point]) -> str:
    with tempfile.TemporaryDirectory(prefix="nbml-comet-") as folder:
        with zipfile.ZipFile(io.BytesIO(comet.archive(record, left, missing.copy()))) as packed:
            packed.extractall(folder)
        sender = OfflineSender(secret, folder, raise_validation_error_for_tests=True)
        sender.send()
        sender.close()
        return f"{sender.focus_link or 'experiment '}{comet.key(record)}"


def _points(client: Any, record: RunRecord) -> collections.Counter[comet.Point] | None:
    """What the server has of the run's metrics; None where it has no such run."""
    try:
        found = client.get_all_experiment_metrics(comet.key(record))
    except CometRestApiException as error:
        if error.response.status_code in (400, 404):
            return None
        raise
    return collections.Counter((one["metricName"], int(one["step"]), comet.said(one["metricValue"])) for one in found.get("metrics", ()))


def _settled(client: Any, record: RunRecord) -> collections.Counter[comet.Point] | None:
    """What the server has once two looks agree: a sender that was killed may have left it something to work on."""
    found = _points(client, record)
    while found is not None:
        time.sleep(LOOK)
        again = _points(client, record)
        if again == found:
            return found
        found = again
    return None


def _read_back(client: Any, record: RunRecord, told: collections.Counter[comet.Point], what: str, left: list[str]) -> None:
    """Wait until all points and parameters can be read. What is missing after that is sent at the next try, and only that."""
    long = [name for name, (steps, _, _) in record.series.items() if len(steps) > comet.SAMPLE]
    if long:
        left.append(f"not read back, for their length: {fitting.listed([fitting.short(name) for name in long])}")
    due = collections.Counter({point: count for point, count in told.items() if point[0] not in long})
    end = time.monotonic() + float(os.environ.get(comet.READ_BACK, "30"))
    while True:
        missing = due - (_points(client, record) or collections.Counter())
        if not missing:
            break
        if time.monotonic() > end:
            total = due.total()
            raise errors.TrackerFailed(f"comet kept {total - missing.total():,} of the {total:,} points of {what}")
        time.sleep(LOOK)
    names = {str(one["name"]) for one in client.get_experiment_parameters_summaries(comet.key(record)).get("values", ())}
    lost = [name for name in comet.params(record, []) if name not in names]
    if lost:
        raise errors.TrackerFailed(f"comet kept {len(record.params) - len(lost)} of the {len(record.params)} parameters of {what}")
