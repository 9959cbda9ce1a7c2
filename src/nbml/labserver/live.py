"""What a deployment's small files say now, without the database and without pyarrow.

``.nbml/deployments/<name>/state.json`` is the supervisor's, ``summary.json`` the log writer's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from nbml import errors
from nbml.store import Store, Thing, check_name
from nbml.store.small import read_json

LOOPBACK = ("127.0.0.1", "::1", "localhost")
#: state of a deployment -> what the panel's dot says
DOTS = {
    "running": "well", "ready": "well", "starting": "running", "restarting": "running", "updating": "running",
    "stopping": "idle", "stopped": "idle", "failed": "bad", "died": "bad",
}  # fmt: skip
#: a summary or a token is small; more is not ours
LARGEST = 1_000_000


@dataclass(frozen=True)
class Target:
    """Where a running deployment answers. ``token`` is "" where it asks for none."""

    url: str
    token: str


def overlay(store: Store, thing: Thing) -> dict[str, Any]:
    """The parts of a deployment's row that move with its traffic."""
    folder = store.folder / "deployments" / thing.name
    said, seen = _read(folder / "state.json"), _summary(folder)
    out: dict[str, Any] = {}
    state = said.get("state")
    if isinstance(state, str):
        out["state"] = DOTS.get(state, "idle")
        if out["state"] != "well":
            out["figure"] = state
        if _dead(said):
            out |= {"state": "bad", "figure": "not running"}
        url = said.get("url")
        out["url"] = url if isinstance(url, str) else ""
        out["token"] = bool(_token(folder))
        service = said.get("service") or said.get("version")
        if isinstance(service, str) and "@" in service:
            out["label"] = service[:200]
    if seen and out.get("state", "well") == "well":
        out |= _traffic(seen)
    return out


def target(store: Store, name: str) -> Target:
    """Raises errors.UnknownDeployment, or errors.DeployFailed where it does not answer on this machine."""
    check_name(name)
    folder = store.folder / "deployments" / name
    said = _read(folder / "state.json")
    url = said.get("url")
    if not isinstance(url, str) or _dead(said) or DOTS.get(str(said.get("state"))) not in ("well", "running"):
        raise errors.UnknownDeployment(f"nothing of the name {name!r} is running", next=f"%nbml deploy {name}")
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname not in LOOPBACK:
        raise errors.DeployFailed(f"{name} does not run on this machine; the form asks local deployments only")
    return Target(f"http://{parts.netloc}{parts.path.rstrip('/')}", _token(folder))


def _traffic(seen: dict[str, Any]) -> dict[str, Any]:
    """The figure and the sparkline of a running deployment."""
    requests, failed, median = (_number(seen.get(key)) for key in ("requests", "errors", "p50_ms"))
    out: dict[str, Any] = {}
    if requests:
        out["figure"] = f"{requests:,.0f} request" + ("" if requests == 1 else "s")
    if failed:
        out |= {"state": "look", "figure": f"{failed:,.0f} of {requests:,.0f} failed"}
    elif requests and median:
        out["figure"] += f" · {median:.2g} ms" if median < 10 else f" · {median:,.0f} ms"
    minutes = seen.get("minutes", seen.get("per_minute"))
    if isinstance(minutes, list):
        counts = [_number(m.get("requests") if isinstance(m, dict) else m) for m in minutes][-60:]
        if len(counts) > 1 and any(counts):
            out["spark"] = counts
    return out


def _dead(said: dict[str, Any]) -> bool:
    """Whether the supervisor that wrote the file is gone."""
    pid = said.get("pid") or said.get("supervisor")
    return isinstance(pid, int) and Path("/proc/self").exists() and not Path(f"/proc/{pid}").exists()


def _summary(folder: Path) -> dict[str, Any]:
    return _read(folder / "summary.json") or _read(folder / "traffic" / "summary.json")


def _token(folder: Path) -> str:
    try:
        return (folder / "token").read_text().strip()
    except OSError:
        return ""


def _read(path: Path) -> dict[str, Any]:
    """The object in a small JSON file; {} where there is none, or a large one."""
    try:
        return read_json(path) if path.stat().st_size <= LARGEST else {}
    except OSError:
        return {}


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else 0.0
