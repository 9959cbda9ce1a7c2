"""Live traffic, read back as frames: ``monitor``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from nbml import deploying, errors, settings
from nbml.deploying import state, traffic
from nbml.monitoring.values import Monitor
from nbml.store import Store, current, split_ref
from nbml.store.small import read_json

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Monitor", "monitor"]

#: frames that later versions fill -> their columns
LATER = {
    "windows": ("start", "end", "rows", "failed", "drifted"),
    "drift": ("start", "feature", "psi", "ks", "js", "n", "drifted"),
    "performance": ("start", "labelled", "accuracy", "precision", "recall", "f1", "roc_auc", "mae", "rmse"),
    "alerts": ("service", "expectation", "state", "since", "value"),
}


def monitor(service: Any, last: str = "24h") -> Monitor:
    """What was asked of a deployment, or of the deployment of a service, in the last while; running or stopped.

    ``name@n`` gives the requests that this version answered. Every request answered so far is there. Raises
    errors.UnknownDeployment where nothing of that name was ever deployed.
    """
    import pandas as pd

    span = settings.duration(last)
    store = current()
    _, version = split_ref(str(service))
    name = _deployment(store, str(service))
    folder = state.folder(store, name)
    traffic.caught_up(folder)
    seen = traffic.requests(folder / state.TRAFFIC, time.time() - span, (*traffic.COLUMNS, "response"))
    if version is not None:
        seen = seen[seen["version"] == str(service)].reset_index(drop=True)
    requests = seen[["time", "ids", "rows", "latency_ms", "status", "version"]]
    empty = {kind: pd.DataFrame(columns=list(columns)) for kind, columns in LATER.items()}
    found = deploying.Deployment(name, store)
    dropped = int(read_json(folder / state.SUMMARY).get("dropped") or 0)
    shown = str(service) if version is not None else found.service
    return Monitor(name, shown, last, requests, _predictions(seen), **empty, state=found.state, dropped=dropped)


def _deployment(store: Store, ref: str) -> str:
    """The deployment of that name, else the newest one of a service of that name."""
    name, version = split_ref(ref)
    things = store.latest("deployment")
    if version is None and any(thing.name == name for thing in things):
        return name
    for thing in things:
        ran = {str(t.body.get("service", "")) for t in store.versions("deployment", thing.name)}
        if ref in ran or (version is None and name in {service.partition("@")[0] for service in ran}):
            return thing.name
    if version is not None and store.find("service", ref) is not None:
        raise errors.UnknownDeployment(f"the service {ref} is packaged, not deployed", next=f"%nbml deploy {ref}")
    if version is not None and any(thing.name == name for thing in things):
        ran = {str(t.body.get("service", "")) for t in store.versions("deployment", name)}
        raise errors.UnknownDeployment(f"{ref} was never deployed; {name} has run {', '.join(sorted(ran))}", next=f"%nbml monitor {name}")
    raise deploying.unknown(name)


def _predictions(seen: pd.DataFrame) -> pd.DataFrame:
    """One row for each predicted row: time, id, prediction, one column for each class's probability, flags, version."""
    import orjson
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for moment, body in zip(seen["time"], seen["response"], strict=True):
        try:
            answer = orjson.loads(body)
        except orjson.JSONDecodeError:
            continue
        if not isinstance(answer, dict) or not isinstance(answer.get("predictions"), list):
            continue
        chances = answer.get("probabilities") or {}
        names = [f"p({name})" for name in chances.get("classes", [])]
        values, flags = chances.get("values") or [], answer.get("flags") or []
        for i, (id, prediction) in enumerate(zip(answer.get("ids", []), answer["predictions"], strict=False)):
            row = {"time": moment, "id": id, "prediction": prediction, **dict(zip(names, values[i] if values else [], strict=False))}
            rows.append(row | ({"flags": flags[i]} if flags else {}) | {"version": answer.get("version", "")})
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=["time", "id", "prediction", "version"])
