"""One next step: the line to type that leads on from what the record and the kernel's digest hold."""

from __future__ import annotations

from typing import Any

from nbml.store.record import Store

Step = dict[str, Any]


def models(digest: dict[str, Any]) -> list[dict[str, str]]:
    """The fitted models of a kernel's namespace, as its digest names them: ``{"name", "type"}``."""
    names = digest.get("names", digest)
    if isinstance(names, dict):
        entries = [{**said, "name": name} for name, said in names.items() if isinstance(said, dict)]
    else:
        entries = [said for said in names if isinstance(said, dict)] if isinstance(names, list) else []
    return [
        {"name": said["name"], "type": str(said.get("type") or said.get("class") or "")}
        for said in entries
        if said.get("fitted") is True and isinstance(said.get("name"), str)
    ]


def step(store: Store, fitted: list[dict[str, str]]) -> Step | None:
    """What to do next, or None where nothing is missing. ``text`` is a list of strings and {"code"}."""
    if _any(store, "study", "running") or _any(store, "run", "running"):
        return None
    run = next(iter(store.all("run", 1)), None)
    found = run.body.get("findings") if run is not None else None
    if run is not None and isinstance(found, list) and found and all(service.id < run.id for service in store.latest("service")):
        codes = ", ".join(dict.fromkeys(str(said.get("code")) for said in found if isinstance(said, dict)))
        return _step([_code(run.ref), f" may be worth less than it says: {codes}."], f'nbml.run("{run.ref}")')
    deployed = {t.body.get("name", t.name) for t in store.latest("deployment") if t.state not in ("stopped", "gone")}
    for service in store.latest("service"):
        if service.name not in deployed:
            return _step([_code(service.ref), " is proven, not deployed."], f"%nbml deploy {service.name}")
    if fitted and not store.latest("service"):
        model = fitted[-1]["name"]
        if not store.latest("run"):
            return _step(["Model ", _code(model), " is fitted, not tracked."], "%%nbml track baseline\n")
        line = f"%nbml package {model} --name {fit(model)}"
        return _step(["Model ", _code(model), " is fitted, not packaged."], line)
    checked = {t.id for t in store.latest("suite")}
    if store.latest("dataset") and not checked:
        data = store.latest("dataset")[0]
        return _step([_code(data.ref), " has no suite yet."], f"%nbml validate {data.name}")
    return None


def fit(name: str) -> str:
    """A variable's name, made to fit as a stored name."""
    return name.lower().replace("_", "-").strip("-") or "model"


def _step(text: list[Any], line: str) -> Step:
    return {"text": text, "line": line}


def _code(word: str) -> dict[str, str]:
    return {"code": word}


def _any(store: Store, kind: str, state: str) -> bool:
    sql = "SELECT 1 FROM thing WHERE kind=? AND json_extract(body,'$.row.state')=? LIMIT 1"
    return bool(store.read(sql, (kind, state)))
