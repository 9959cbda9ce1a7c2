"""Studies in the project's record: opened or gone on with, trials written as they finish, one kernel at a time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from nbml import errors
from nbml.store import Store, Thing, current
from nbml.tuning.values import Study, Trial

BODY = ("raw", "ranges", "names", "defaults", "error")
#: part of a study's identity -> how the report says that it changed
CHANGED = {
    "form": "the form changed", "space": "the estimator or its ranges changed", "code": "the objective's code changed",
    "metric": "the metric changed", "data": "the data changed", "cv": "the folds changed", "range": "a range changed",
}  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """What is asked for. ``identity`` holds what has to be equal for a study to be gone on with, part by part."""

    name: str
    form: str
    metric: str
    direction: str
    identity: dict[str, str]
    trials: int = 100
    timeout: float | None = None
    sampler: str = "optuna"
    seed: int | None = None
    fresh: bool = False
    source: str = ""
    file: str = ""
    span: tuple[int, int, int, int] | None = None
    data: tuple[Thing, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Opened:
    """A study to write to, its trials so far, and why it is a new version of its name ("" where it is none)."""

    thing: Thing
    trials: list[Trial]
    reason: str = ""


def opened(plan: Plan, result: str, reason: str = "") -> Opened:
    """The latest version where all is as it was, else a new one; written down as running in this process.

    ``reason`` forces a new version.
    """
    store = current()
    last = store.find("study", plan.name)
    before = [] if last is None else trials_of(store, last)
    if last is not None and before:
        reason = reason or _reason(plan, last, before)
    body = {
        "form": plan.form, "metric": plan.metric, "direction": plan.direction, "identity": plan.identity, "total": plan.trials,
        "seed": plan.seed, "sampler": plan.sampler, "source": plan.source, "span": plan.span,
        "process": store.me().id, "result": result,
        **plan.facts,
    }  # fmt: skip
    going_on = last is not None and not (before and reason)
    body["row"] = {"state": "running", "figure": f"{len(before) if going_on else 0} of {plan.trials}"}
    if last is not None and going_on:
        thing, kept = store.update(last, body, "running"), before
        for data in plan.data:
            store.link(thing, data, "data")
    else:
        body["since"] = f"{reason} since {last.ref}" if last is not None else ""
        thing = store.add("study", plan.name, body, state="running", edges=[(data, "data") for data in plan.data])
        kept = []
    return Opened(thing, kept, reason)


def _reason(plan: Plan, last: Thing, trials: list[Trial]) -> str:
    """Why the latest version is not gone on with; "" where it is."""
    if plan.fresh:
        return "begun afresh"
    had = last.body["identity"]
    for part in CHANGED:
        if plan.identity.get(part) != had.get(part):
            return CHANGED[part]
    if plan.direction != last.body["direction"]:
        return "the direction changed"
    tried = [trial for trial in trials if trial.inside or trial.state == "failed"]  # without defaults that are a yardstick
    ended = last.state == "failed" or (last.state != "running" and len(tried) == len(trials))
    if ended and tried and all(trial.state == "failed" for trial in tried):
        return "all trials had failed"
    return ""


@contextmanager
def held(name: str) -> Iterator[None]:
    """Be the only process that tunes ``name``. Raises errors.BadArgument naming the other one."""
    store, office = current(), f"study {name}"
    me = store.me()
    if not store.lease(office, me):
        other = store.holder(office)
        pid = f" (process {other.pid})" if other is not None else ""
        raise errors.BadArgument(f"study {name!r} is being tuned in another kernel{pid}", next=f'nbml.study("{name}")')
    try:
        yield
    finally:
        store.write(lambda db: db.execute("DELETE FROM lease WHERE office=? AND process=?", (office, me.id)))


def write(store: Store, study: Thing, trial: Trial) -> None:
    """Queue a finished trial; it is durable in about 100 ms."""
    body = {part: getattr(trial, part) for part in BODY}
    row = (
        study.id, trial.number, trial.state, trial.score, _text(trial.params), _text(trial.folds), _text(trial.reports),
        trial.started, trial.finished, _text(body),
    )  # fmt: skip
    insert = "INSERT INTO trial(study,number,state,score,params,folds,reports,started,finished,body) VALUES(?,?,?,?,?,?,?,?,?,?)"
    store.later(lambda db: db.execute(insert, row))


def discard(store: Store, study: Thing) -> None:
    """Forget a study, and its trials."""

    def work(db: sqlite3.Connection) -> None:
        db.execute("DELETE FROM edge WHERE source=? OR target=?", (study.id, study.id))
        db.execute("DELETE FROM trial WHERE study=?", (study.id,))
        db.execute("DELETE FROM thing WHERE id=?", (study.id,))

    store.write(work)


def trials_of(store: Store, study: Thing) -> list[Trial]:
    """The finished trials, in their order."""
    return [_trial(row) for row in store.read("SELECT * FROM trial WHERE study=? ORDER BY number", (study.id,))]


def load(ref: str) -> Study:
    """The study ``name`` or ``name@n`` as it is now. Raises errors.UnknownStudy naming the nearest."""
    store = current()
    try:
        thing = store.find("study", ref)
    except errors.BadName:
        thing = None
    if thing is None:
        raise unknown(ref)
    return Study(thing.name, thing.version, thing, tuple(trials_of(store, thing)))


def unknown(ref: str) -> errors.UnknownStudy:
    """The error for a reference that nothing bears, with the nearest that something does."""
    name = ref.partition("@")[0]
    latest = {thing.name: thing for thing in current().latest("study")}
    close = errors.nearest(name, latest)
    if close is None:
        if not latest:
            return errors.UnknownStudy(f"no study {ref!r}; nothing was tuned yet", next="import nbml; help(nbml.tune)")
        more = f" and {len(latest) - 5} more" if len(latest) > 5 else ""
        have = f"there are {', '.join(list(latest)[:5])}{more}"
        return errors.UnknownStudy(f"no study {ref!r}; {have}", next=f'nbml.study("{next(iter(latest.values())).ref}")')
    return errors.UnknownStudy(f"no study {ref!r}; nearest: {latest[close].ref}", next=f'nbml.study("{latest[close].ref}")')


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _trial(row: sqlite3.Row) -> Trial:
    body = json.loads(row["body"])
    return Trial(
        row["number"], row["state"], row["score"], row["started"], row["finished"], json.loads(row["params"]),
        folds=tuple(json.loads(row["folds"])), reports=tuple((s, v) for s, v in json.loads(row["reports"])),
        **{part: body[part] for part in BODY},
    )  # fmt: skip
