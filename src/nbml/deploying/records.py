"""A deployment in the store: a new version for each deploy and rollback, its state, and the edge to what it runs."""

from __future__ import annotations

import contextlib
from dataclasses import replace

from nbml import errors
from nbml.deploying.state import Status, Wish
from nbml.display import keep
from nbml.store import Store, Thing

KIND = "deployment"


def running(store: Store, name: str, wish: Wish, status: Status, process: int, token: bool) -> Thing | None:
    """Write down that ``wish`` runs. None where the store did not take it: what runs goes on running."""
    from nbml.deploying.report import running_report

    shown = running_report(name, status, token)
    body = {
        "name": name, "service": wish.service, "before": wish.before, "by": wish.by, "target": "local", "url": status.url,
        "seconds": status.seconds, "token": token, "process": process, "result": shown.id,
        "row": {"state": "well", "figure": "running", "label": wish.service},
    }  # fmt: skip
    with contextlib.suppress(errors.StoreError):
        last = store.find(KIND, name)
        if last is not None and last.state == "running":
            _end(store, last, "replaced")
        keep(shown, store)
        return store.add(KIND, name, body, state="running", edges=[(wish.thing, "runs")] if wish.thing else [])
    return None


def stopped(store: Store, name: str) -> None:
    """Write down that nothing runs under ``name`` any more."""
    with contextlib.suppress(errors.StoreError):
        last = store.find(KIND, name)
        if last is not None and last.state == "running":
            _end(store, last, "stopped")


def _end(store: Store, thing: Thing, word: str) -> None:
    from nbml.deploying.report import ended_report

    row = {**thing.body.get("row", {}), "state": "idle", "figure": word}
    store.update(thing, {"row": row}, word)
    report = ended_report(thing.name, str(thing.body.get("service", "")), word)
    keep(replace(report, id=thing.body.get("result")), store)
