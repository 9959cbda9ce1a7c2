"""Deployments as reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nbml.deploying.state import Status
from nbml.display import Code, Column, Details, Line, Report, Table, Text, chip, code, link, muted, seconds, strong

if TYPE_CHECKING:
    from nbml.deploying.asked import Asked
    from nbml.deploying.values import Deployment

#: state -> state of the report
STATES = {"running": "well", "starting": "running", "restarting": "running", "stopping": "idle", "stopped": "idle", "failed": "bad"}


def running_report(name: str, status: Status, token: bool, fact: str = "", id: str | None = None) -> Report:
    """What runs: version, address, and how long it took."""
    facts = [fact or (f"ready in {seconds(status.seconds)}" if status.seconds else "")]
    if status.restarts:
        facts.append(f"restarted {status.restarts} time" + ("" if status.restarts == 1 else "s"))
    title = (strong(status.service), _under(name, status.service), " on this machine")
    return Report(
        title, "well", "running", facts, [Line(_address(status, token))],
        [f"%nbml try {name}", f"%nbml monitor {name}"], id, "deployment", name,
    )  # fmt: skip


def ended_report(name: str, service: str, word: str, id: str | None = None) -> Report:
    """What ran, and does not any more."""
    title, line = (strong(service or name), _under(name, service)), f"%nbml deploy {service or name}"
    return Report(title, "idle", word, next=[line], id=id, kind="deployment", ref=name)


def starting_report(name: str, service: str, status: Status | None, elapsed: float, instead: str = "") -> Report:
    """What a deploy shows while it waits."""
    doing = "the supervisor starts" if status is None or not status.live else "the service loads"
    facts = [f"{elapsed:.0f} s", doing] if elapsed >= 1 else [doing]
    title: tuple[Any, ...] = (strong(service), _under(name, service), " on this machine", f" instead of {instead}" if instead else "")
    return Report(title, "running", "deploying", facts, kind="deployment", ref=name)


def failed_report(name: str, service: str, message: str, instead: str = "") -> Report:
    """Why a deploy did not end with something that runs."""
    first, _, rest = message.partition("\n")
    parts: list[Any] = [Line(first)] + ([Code(rest, "text")] if rest else [])
    if instead:
        parts.append(Line(muted(f"{instead} goes on running")))
    return Report((strong(service), _under(name, service)), "bad", "failed", parts=parts, kind="deployment", ref=name)


def deployment_report(deployment: Deployment, status: Status | None, token: bool, fact: str = "", id: str | None = None) -> Report:
    """A deployment as it is now."""
    name = deployment.name
    if status is None or status.state == "stopped":
        return ended_report(name, deployment.service, "stopped", id)
    if status.state == "running":
        return running_report(name, status, token, fact, id)
    parts: list[Any] = [Line(_address(status, token))] if status.live else []
    if status.error:
        first, _, rest = status.error.partition("\n")
        parts += [Line(first), *([Details("last log lines", [Code(rest, "text")])] if rest else [])]
    lines = [f'nbml.deployment("{name}").logs()'] if status.live else [f"%nbml deploy {status.service or name}"]
    word = status.state if status.live else "not running"
    title: tuple[Any, ...] = (strong(status.service or name), _under(name, status.service))
    return Report(title, STATES.get(status.state, "idle"), word, [], parts, lines, id, "deployment", name)


def listing_report(rows: Sequence[tuple[str, Status | None, str, dict[str, Any]]], line: str = "") -> Report:
    """All deployments: (name, status, service, summary); ``line`` leads on where there is none."""
    shown = []
    for name, status, service, seen in rows:
        state = status.state if status is not None else "stopped"
        url = status.url if status is not None and status.live else ""
        shown.append((
            strong(name), (chip(state, STATES.get(state, "idle")),), service, (code(url),) if url else "",
            seen.get("requests", 0), seen.get("errors", 0), seen.get("p50_ms"), seen.get("p99_ms"),
        ))  # fmt: skip
    up = sum(1 for _, status, _, _ in rows if status is not None and status.state == "running")
    heads = ("name", "state", "service", "address", "requests", "errors", Column("p50 ms", "right"), Column("p99 ms", "right"))
    parts = [Table(heads, shown)] if shown else []
    title = f"{len(rows)} deployment" + ("" if len(rows) == 1 else "s")
    return Report(title, facts=[f"{up} running"] if rows else [], parts=parts, next=[line] if line and not rows else [])


def form_report(target: Asked, asked: str, answer: Sequence[Any] = (), state: str = "idle", word: str = "try") -> Report:
    """The try-it form as it reads without a kernel: a real row, what to type, and the last answer."""
    url = target.url
    where = (" at ", code(f"{url}/predict")) if url else (", packaged, not deployed",)
    auth = ' -H "Authorization: Bearer $NBML_TOKEN"' if target.token else ""
    curl = f"curl -s {url}/predict -H 'Content-Type: application/json'{auth}"
    shown = Details("the same from a terminal", [Code(f"{curl} -d @- <<'JSON'\n{asked}\nJSON", "sh")])
    row = shown if url else Details("what was asked", [Code(asked, "text")])
    kind = "deployment" if url and not target.service.endswith("@preview") else "service"
    return Report((strong(target.service), *where), state, word, parts=[*answer, row], next=[target.line], kind=kind, ref=target.name)


def _under(name: str, service: str) -> str:
    """The deployment's name, where it is not the service's."""
    return "" if service.partition("@")[0] == name else f" as {name}"


def _address(status: Status, token: bool) -> Text:
    parts = (code(f"{status.url}/predict"), " · ", link("docs", f"{status.url}/docs"))
    return (*parts, muted(" · token in the panel")) if token else parts
