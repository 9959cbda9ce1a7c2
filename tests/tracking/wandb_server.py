"""As much of W&B's back end as an online run of wandb 0.31 needs: loopback only, everything kept in memory."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

USER = {"id": "u", "entity": "team", "username": "me", "email": None, "flags": "{}", "teams": {"edges": []}}


class Server(ThreadingHTTPServer):
    """``runs``: run id -> {"name", "project", "tags", "config", "lines": line number -> row as JSON text, "state"}."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.runs: dict[str, dict[str, Any]] = {}

    def handle_error(self, *_: Any) -> None:
        """A client that ends early is no error here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *_: Any) -> None:
        """Be quiet."""

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer: Any = {}
        stream = re.fullmatch(r"/files/[^/]+/[^/]+/([^/]+)/file_stream", self.path)
        if self.path == "/graphql":
            asked = json.loads(body)
            operation = asked.get("operationName") or re.findall(r"(?:query|mutation)\s+(\w+)", asked["query"])[0]
            answer = {"data": self._graphql(operation, asked.get("variables") or {})}
        elif stream is not None:
            self._rows(self.server.runs[stream[1]], json.loads(body))
        text = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = _any

    def _rows(self, run: dict[str, Any], message: dict[str, Any]) -> None:
        part = (message.get("files") or {}).get("wandb-history.jsonl")
        if part:
            run["lines"] |= dict(enumerate(part["content"], part["offset"]))
        if message.get("complete"):
            run["state"] = "finished" if message.get("exitcode") == 0 else "failed"

    def _graphql(self, operation: str, given: dict[str, Any]) -> Any:
        runs = self.server.runs
        if operation == "Viewer":
            return {"viewer": USER}
        if operation == "UpsertBucket":
            new = given["name"] not in runs
            run = runs.setdefault(given["name"], {"lines": {}, "state": "running", "config": {}, "tags": []})
            run |= {"project": given.get("project"), "name": given.get("displayName") or run.get("name")}
            run["tags"] = given.get("tags") or run["tags"]
            if given.get("config"):
                run["config"] = {key: held["value"] for key, held in json.loads(given["config"]).items()}
            return {"upsertBucket": {"inserted": new, "bucket": self._bucket(given["name"])}}
        if operation == "RunResumeStatus":
            bucket = self._bucket(given["name"]) if given["name"] in runs else None
            return {"model": {**_project(given["project"]), "bucket": bucket}}
        if operation == "CreateRunFiles":
            files = [{"name": name, "uploadUrl": f"{self.server.url}/put/{given['run']}/{name}"} for name in given["files"]]
            return {"createRunFiles": {"runID": given["run"], "uploadHeaders": [], "files": files}}
        return {}

    def _bucket(self, id: str) -> dict[str, Any]:
        run = self.server.runs[id]
        last = [run["lines"][max(run["lines"])]] if run["lines"] else []
        return {
            "id": id, "name": id, "displayName": run["name"], "description": "", "sweepName": None, "project": _project(run["project"]),
            "config": json.dumps({key: {"value": value} for key, value in run["config"].items()}), "wandbConfig": '{"t": 1}',
            "historyLineCount": len(run["lines"]), "eventsLineCount": 0, "logLineCount": 0, "historyTail": json.dumps(last),
            "eventsTail": "[]", "summaryMetrics": "{}", "tags": run["tags"],
        }  # fmt: skip


def _project(name: str) -> dict[str, Any]:
    return {"id": name, "name": name, "entity": {"id": "team", "name": "team"}}


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
