"""Services that run: ``deploy``, ``deployments``, ``deployment``, ``stop``, ``rollback``, ``try_form``."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nbml import errors, registry, settings
from nbml.deploying import state
from nbml.deploying.targets import DEFAULT, Order
from nbml.deploying.values import Deployment
from nbml.display import Live
from nbml.display.notebook import cell
from nbml.store import Store, Thing, check_name, current, split_ref
from nbml.store.small import read_json

if TYPE_CHECKING:
    import pandas as pd

    from nbml.deploying.form import TryForm
    from nbml.packaging.preview import Preview

__all__ = ["Deployment", "deploy", "deployment", "deployments", "rollback", "stop", "try_form"]


def deploy(service: Any, to: str = DEFAULT, name: str | None = None, canary: float | None = None) -> Deployment:
    """Run a packaged service, ``name``, ``name@n`` or a ServiceVersion; returns when it answers.

    Over a running deployment of that name the version is replaced and ``url`` stays. Raises errors.UnknownService,
    errors.UnknownAdapter for a target that does not exist, errors.PortInUse, errors.ServiceDied with the service's last
    log lines. A deploy that fails or is interrupted leaves what ran before, and nothing else.
    """
    ref = str(service)
    check(to, name, canary, f"nbml.deploy({ref!r}{'' if name is None else f', name={name!r}'})")
    thing = _service(ref)
    return _apply(registry.adapter("nbml.targets", to), check_name(name or thing.name), thing, "deploy")


def check(to: str, name: str | None, canary: float | None, plain: str) -> None:
    """What can be told before anything is made: name, target, canary, settings, a store that takes it.

    ``plain`` is the call without canary.
    Raises errors.BadName, errors.UnknownAdapter, errors.NotYet, errors.BadArgument (nbml.toml), errors.ReadOnlyStore.
    """
    if name is not None:
        check_name(name)
    registry.adapter("nbml.targets", to)
    if canary is not None:
        raise errors.NotYet("this version has no canary deployments: deploy replaces what runs", next=plain)
    store = current()
    settings.load(store.root)
    store.room()  # where nothing can be written this says so, before anything is made


def deployments() -> pd.DataFrame:
    """All deployments, newest first: name, service, state, url, requests, errors, p50_ms, p99_ms, made (UTC)."""
    import pandas as pd

    from nbml.deploying.report import listing_report
    from nbml.display.listing import shown_as

    store = current()
    rows, shown = [], []
    for thing in store.latest("deployment"):
        found, seen = Deployment(thing.name, store), read_json(state.folder(store, thing.name) / state.SUMMARY)
        status = found.status
        shown.append((thing.name, status, found.service, seen))
        figures = [seen.get(key) for key in ("p50_ms", "p99_ms")]
        rows.append((
            thing.name, found.service, found.state, status.url if status is not None and status.live else "",
            seen.get("requests", 0), seen.get("errors", 0), *figures, pd.Timestamp(thing.made, unit="s", tz="UTC"),
        ))  # fmt: skip
    columns = ["name", "service", "state", "url", "requests", "errors", "p50_ms", "p99_ms", "made"]
    frame = pd.DataFrame(rows, columns=columns).astype({"p50_ms": float, "p99_ms": float})
    return shown_as(frame, listing_report(shown, "" if rows else _first_line(store)))


def _first_line(store: Store) -> str:
    """The line that deploys what is packaged; else the one that packages what is fitted."""
    from nbml.packaging import model_line

    packaged = next(iter(store.latest("service")), None)
    return f"%nbml deploy {packaged.name}" if packaged is not None else model_line()


def deployment(name: str) -> Deployment:
    """The deployment of that name. Raises errors.UnknownDeployment where nothing of that name was ever deployed."""
    store = current()
    check_name(str(name))
    if store.find("deployment", str(name)) is None:
        raise unknown(str(name))
    return Deployment(str(name), store)


def stop(name: str) -> Deployment | Preview:
    """End a deployment: no process is left and the port is free; or a preview: ``name@preview``, ``name`` where nothing is deployed.

    Raises errors.UnknownDeployment.
    """
    from nbml.packaging import preview

    plain, at, which = str(name).partition("@")
    shown = preview.running(plain)
    if shown is not None and (which == "preview" or (not at and current().find("deployment", plain) is None)):
        return shown.stop()
    if which == "preview":
        raise errors.UnknownDeployment(f"no preview of {plain!r} answers in this kernel", next="%nbml deployments")
    return ended(deployment(str(name)))


def ended(found: Deployment) -> Deployment:
    """The deployment, of which no process is left."""
    with _office(found.store, found.name):
        _target_of(found).stop(found.name)
    return found


def rollback(name: str) -> Deployment:
    """Return to the version that was deployed before, at the same address; again, to the one before that, never forth.

    Raises errors.UnknownDeployment where nothing runs, errors.DeployFailed where there is no version further back.
    """
    from nbml.deploying import client

    found = deployment(str(name))
    status, thing = found.status, found.thing
    if status is None or not status.live or thing is None:
        raise client.gone(found.name, status.error if status is not None else "")
    before = str(thing.body.get("before") or "")
    if not before:
        raise _first_version(found)
    target = registry.adapter("nbml.targets", str(thing.body.get("target", DEFAULT)))
    return _apply(target, found.name, _service(before), "rollback")


def try_form(name: str) -> TryForm:
    """A form that asks for predictions: a real row, sliders and choices from the training rows, the answer.

    It asks what is deployed under that name; else its preview in this kernel (``name@preview`` always does); else the packaged
    service, in a process of its own. Raises errors.UnknownDeployment.
    """
    from nbml.deploying import asked
    from nbml.deploying.form import TryForm

    return TryForm(asked.find(str(name)))


def unknown(name: str) -> errors.UnknownDeployment:
    """The error for a name that nothing bears, with the nearest that something does."""
    store = current()
    names = [thing.name for thing in store.latest("deployment")]
    close = errors.nearest(name, names)
    if close is not None:
        return errors.UnknownDeployment(f"nothing of the name {name!r} is deployed; nearest: {close}", next=f'nbml.deployment("{close}")')
    if store.find("service", name) is not None:
        return errors.UnknownDeployment(f"the service {name} is packaged, not deployed", next=f"%nbml deploy {name}")
    have = f"; there are {', '.join(names[:5])}" if names else "; nothing is deployed yet"
    return errors.UnknownDeployment(f"nothing of the name {name!r} is deployed{have}", next="%nbml deployments")


# -- inside -------------------------------------------------------------------------------------------------


def _apply(target: Any, name: str, thing: Thing, by: str) -> Deployment:
    """Ask the target, and show how far it is."""
    from nbml.deploying import report

    store = current()
    found = Deployment(name, store)
    with _office(store, name):
        status, order = found.status, _order(store, found, thing, by)
        if status is not None and status.state == "running" and status.service == thing.ref and by == "deploy":
            return Deployment(name, store, "already running")
        instead = status.service if status is not None and status.live else ""
        began = time.monotonic()
        with Live(report.starting_report(name, thing.ref, None, 0.0, instead)) as live:
            try:
                after = target(store).apply(
                    order, lambda s: live.update(report.starting_report(name, thing.ref, s, time.monotonic() - began, instead))
                )
            except errors.DeployError as error:
                live.finish(report.failed_report(name, thing.ref, error.message, instead))
                raise
            live.finish(report.running_report(name, after, found.token))
    return Deployment(name, store, cell=cell())


def _order(store: Store, found: Deployment, thing: Thing, by: str) -> Order:
    chosen = settings.load(store.root)
    token = bool(os.environ.get("JUPYTERHUB_USER")) or bool(chosen["deploy.token"])
    path = str(thing.body.get("path", f".nbml/services/{thing.name}/{thing.version}"))
    return Order(found.name, thing.ref, path, thing.id, _before(store, found, thing.ref, by), by, token, chosen["deploy.port"])


def _before(store: Store, found: Deployment, service: str, by: str) -> str:
    """The version that a rollback from ``service`` returns to. A rollback goes further back, never to and fro."""
    versions = store.versions("deployment", found.name)
    if not versions:
        return ""
    if by == "rollback":
        return next((str(t.body.get("before", "")) for t in reversed(versions) if t.body.get("service") == service), "")
    last = versions[-1].body
    return str(last.get("before", "")) if last.get("service") == service else str(last.get("service", ""))


def _first_version(found: Deployment) -> errors.DeployFailed:
    """The error for a rollback with nothing further back: going forth again is a deploy."""
    others = [str(t.body.get("service", "")) for t in found.store.versions("deployment", found.name)]
    others = [ref for ref in others if ref not in ("", found.service)]
    if not others:
        return errors.DeployFailed(f"{found.name} runs {found.service}; no other version ran before it", next="%nbml deployments")
    message = f"{found.name} runs {found.service}, the first that was deployed; a rollback goes back, never forth to {others[-1]} again"
    named = "" if others[-1].partition("@")[0] == found.name else f" --name {found.name}"
    return errors.DeployFailed(message, next=f"%nbml deploy {others[-1]}{named}")


def _service(ref: str) -> Thing:
    """The stored version of a service, its folder as it was packaged. Raises errors.UnknownService with the nearest."""
    from nbml import packaging

    split_ref(ref)
    found = packaging.service(ref)
    if found.manifest:  # a folder made by hand has none
        found.check()
    return found.thing


def _target_of(found: Deployment) -> Any:
    thing = found.thing
    return registry.adapter("nbml.targets", str(thing.body.get("target", DEFAULT)) if thing is not None else DEFAULT)(found.store)


@contextlib.contextmanager
def _office(store: Store, name: str) -> Iterator[None]:
    """Only one process changes a deployment at a time. Raises errors.DeployFailed naming the one that does."""
    me, office = store.me(), f"deploy:{name}"
    if not store.lease(office, me):
        holder = store.holder(office)
        who = f"process {holder.pid}" if holder is not None else "another process"
        raise errors.DeployFailed(f"{name} is being changed by {who}; wait until it is done", next="%nbml deployments")
    try:
        yield
    finally:
        store.write(lambda db: db.execute("DELETE FROM lease WHERE office=? AND process=?", (office, me.id)))
