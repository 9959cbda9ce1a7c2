"""As much of Comet's back end as comet-ml's uploader and reader of 3.58 need: loopback only, everything kept in memory."""

from __future__ import annotations

import gzip
import json
import re
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

#: what Comet says of a key that it has already
EXISTS = {"sdk_error_code": 90999, "msg": "experiment exists"}


class Server(ThreadingHTTPServer):
    """``runs``: experiment key -> {"project", "points": [(name, step, value)], "params", "others", "tags", "files", "times"}.

    As Comet, it adds what it is sent: a point that comes twice is there twice.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.runs: dict[str, dict[str, Any]] = {}
        self.lock = threading.Lock()
        self.bodies: list[bytes] = []

    def handle_error(self, *_: Any) -> None:
        """A client that ends early is no error here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *_: Any) -> None:
        """Be quiet."""

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        kind = self.headers.get("Content-Encoding", "")
        body = gzip.decompress(body) if kind == "gzip" else zlib.decompress(body) if kind == "deflate" else body
        split = urlsplit(self.path)
        with self.server.lock:
            self.server.bodies.append(self.path.encode() + b" " + body)
            status, answer = self._answer(split.path, {k: v[0] for k, v in parse_qs(split.query).items()}, body)
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = _any

    def _answer(self, path: str, asked: dict[str, str], body: bytes) -> tuple[int, Any]:
        runs = self.server.runs
        if path.endswith("/isAlive/ver"):
            return 200, {"version": "9.9.9"}
        if re.search(r"upload|asset|visualization", path):
            run = runs.get(asked.get("experimentKey", ""))
            if run is not None:
                run["files"][asked.get("fileName") or asked.get("figName", "")] = body
            return 200, {}
        if self.command == "GET":
            return self._read(path, runs.get(asked.get("experimentKey", "")))
        given = json.loads(body or b"{}")
        key = given.get("experimentKey") or given.get("previousExperiment")
        if path.endswith("/logger/add/run"):
            if key in runs:
                return 400, EXISTS
            runs[key] = {"project": given["projectName"], "points": [], "params": {}, "others": {}, "tags": [], "files": {}, "times": None}
            return 200, self._hello(key)
        if path.endswith("/logger/get/run"):
            return 200, self._hello(key)
        if path.endswith("/status-report/update"):
            return 200, {"is_alive_beat_duration_millis": 10000, "gpu_monitor_interval_millis": 60000}
        if key in runs:
            self._write(path, runs[key], given)
        return 200, {}

    def _write(self, path: str, run: dict[str, Any], given: dict[str, Any]) -> None:
        if path.endswith("/experiment/metric"):
            run["points"] += [(one["metricName"], one["step"], one["metricValue"], one.get("timestamp")) for one in given["values"]]
        elif path.endswith("/experiment/parameter"):
            run["params"] |= {one["parameterName"]: one["parameterValue"] for one in given["values"]}
        elif path.endswith("/log-other"):
            run["others"][given["key"]] = given.get("value", given.get("val"))
        elif path.endswith("add-tags-to-experiment"):
            run["tags"] = sorted({*run["tags"], *given["addedTags"]})
        elif path.endswith("offline-metadata"):
            run["times"] = (given["startTimestamp"], given["endTimestamp"])

    def _read(self, path: str, run: dict[str, Any] | None) -> tuple[int, Any]:
        if run is None:
            return 400, {"msg": "no such experiment"}
        if path.endswith("/metrics/get-all"):
            return 200, {"metrics": [{"metricName": n, "metricValue": str(v), "step": s, "timestamp": t} for n, s, v, t in run["points"]]}
        if path.endswith("/experiment/parameters"):
            return 200, {"values": [{"name": name, "valueCurrent": str(value)} for name, value in run["params"].items()]}
        return 200, {}

    def _hello(self, key: str) -> dict[str, Any]:
        return {
            "runId": f"run-{key}", "experimentKey": key, "fullName": f"me/p/{key}", "projectId": "p", "projectName": "p",
            "workspaceName": "me", "link": f"{self.server.url}/me/p/", "ws_server": "", "ws_full_url": "", "upload_limit": 100,
            "featureToggles": [], "focusUrl": f"{self.server.url}/me/p/",
        }  # fmt: skip


@contextmanager
def serving() -> Iterator[Server]:
    """A server on a free port of loopback."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
