"""A run, as the record has it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbml import errors
from nbml.display import Report, Shown
from nbml.store import Store, Thing, outbox, runs
from nbml.tracking import after
from nbml.tracking.fits import plain

if TYPE_CHECKING:
    import pandas as pd

    from nbml.datasets import DatasetVersion
    from nbml.slicing import Recipe

#: why a run has no recipe
RUNNING = "it has not ended yet"
UNSEEN = "its statements were not recorded: it ran outside a notebook, or before %load_ext nbml"


@dataclass(frozen=True)
class Unversioned:
    """A frame or array that was fitted on and is no version of a dataset. ``fingerprint`` is "" where it was too large."""

    rows: int
    columns: int
    kind: str
    fingerprint: str

    def __str__(self) -> str:
        return f"{self.rows:,} × {self.columns}" + (f" ({self.fingerprint[:8]})" if self.fingerprint else "")


@dataclass(frozen=True)
class Finding:
    """Something that silently ruins a result. ``message`` is one line, ``evidence`` JSON (the figures), ``advice`` what to do."""

    code: str
    message: str
    evidence: dict[str, Any]
    advice: str

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


@dataclass(frozen=True)
class Picture:
    """A figure that the cell of a run showed, or that was open at its end. ``kind`` is the MIME type of ``content``."""

    title: str
    content: bytes
    kind: str = "image/png"

    @property
    def png(self) -> bytes:
        """The picture, or b"" where it is of another kind."""
        return self.content if self.kind == "image/png" else b""

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        if self.kind.endswith("+json"):
            return {self.kind: json.loads(self.content), "text/plain": self.title}
        return {self.kind: self.content if self.kind in ("image/png", "image/jpeg") else self.content.decode(), "text/plain": self.title}


class Run(Shown):
    """One tracked execution. ``str()`` is ``name@n``, ``id`` is its own for good.

    Everything is read from the record when it is asked for, so a run that goes on shows how far it is.
    """

    #: seconds that its picture waits for what is still being found out about it in this process
    _patience = 5.0

    def __init__(self, store: Store, thing: Thing, uid: str) -> None:
        self._store, self._thing = store, thing
        self.id = uid

    @property
    def name(self) -> str:
        return self._thing.name

    @property
    def version(self) -> int:
        return self._thing.version

    def __str__(self) -> str:
        return self._thing.ref

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Run) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    # -- what it was run with, and what came of it

    @property
    def params(self) -> dict[str, Any]:
        """The parameters of the estimators that were fitted, by name."""
        found: dict[str, Any] = plain(self._row.params)
        return found

    @property
    def metrics(self) -> dict[str, float]:
        """The last value of each metric."""
        return self._row.metrics

    def history(self, metric: str) -> pd.DataFrame:
        """All points of a metric: step, time (UTC), value. Raises errors.UnknownName with the nearest."""
        import pandas as pd

        self._sync()
        known = runs.names(self._store, self._thing.id)
        if metric not in known:
            close = errors.nearest(metric, known)
            have = f"nearest: {close}" if close else f"it has {', '.join(list(known)[:8]) or 'none'}"
            ref = f'nbml.run("{self.id}")'
            fixed = f"{ref}.history({json.dumps(close, ensure_ascii=False)})" if close else f"{ref}.metrics"
            raise errors.UnknownName(f"the run {self} has no metric {metric!r}; {have}", next=fixed)
        steps, times, values = runs.points(self._store, self._thing.id, metric)
        when = pd.to_datetime(pd.Series(times, dtype="float64"), unit="s", utc=True)
        return pd.DataFrame({"step": pd.Series(steps, dtype="int64"), "time": when, "value": pd.Series(values, dtype="float64")})

    @property
    def findings(self) -> list[Finding]:
        """What silently ruins the result. Where judgement is still at work in this process, it is waited for."""
        from nbml.tracking import reproducing

        reproducing.settle(self)
        return [Finding(**said) for said in self._body.get("findings", ())]

    # -- where and when

    @property
    def state(self) -> str:
        """running, finished, failed or interrupted."""
        return self._row.state

    @property
    def started(self) -> float:
        """Epoch seconds."""
        return self._row.started

    @property
    def duration(self) -> float | None:
        """Seconds; None while it runs."""
        return self._row.seconds

    @property
    def error(self) -> str:
        """The exception that ended it, or ""."""
        return str(self._body.get("error", ""))

    @property
    def tags(self) -> tuple[str, ...]:
        return self._row.tags

    @property
    def note(self) -> str:
        return str(self._body.get("note", ""))

    @property
    def environment(self) -> dict[str, Any]:
        """Python, platform, cpus, packages, gpu; under ``git`` commit and whether files differed from it; ``seeds``, ``peak`` (bytes)."""
        body = self._told
        found = dict(body.get("environment", {}))
        seeds = body.get("seeds", {}) | ({"calls": body["seeding"]} if body.get("seeding") else {})
        return found | {key: value for key, value in (("git", body.get("git")), ("seeds", seeds), ("peak", body.get("peak"))) if value}

    @property
    def source(self) -> str:
        """The cell that ran, without its secrets; "" where there was none."""
        return str(self._body.get("cell", {}).get("source", ""))

    @property
    def notebook(self) -> str:
        """The notebook's path in the project, or ""."""
        return str(self._body.get("cell", {}).get("notebook", ""))

    @property
    def diff(self) -> str:
        """What differed from the commit, without its secrets."""
        blob = self._told.get("git", {}).get("diff")
        return self._store.read_blob(blob).decode() if blob else ""

    @property
    def datasets(self) -> list[DatasetVersion | Unversioned]:
        """The data that was fitted on: dataset versions where it is one, or a part of its rows and columns."""
        from nbml.datasets.values import from_thing

        found: dict[str, DatasetVersion | Unversioned] = {}
        for said in self._told.get("data", ()):
            thing = self._store.find("dataset", said["ref"]) if said.get("ref") else None
            one = from_thing(thing) if thing else Unversioned(said["rows"], said["columns"], said["kind"], said["fingerprint"])
            found.setdefault(str(one), one)
        return list(found.values())

    @property
    def figures(self) -> list[Picture]:
        """The figures that its cell showed, or that were open at its end."""
        said = self._told.get("figures", ())
        return [Picture(one["title"], self._store.read_blob(one["blob"]), one.get("kind", "image/png")) for one in said]

    @property
    def proposed(self) -> dict[str, float]:
        """Numbers that the cell assigned to names of metrics and did not log; they are no metrics of the run."""
        return {name: float(value) for name, value in self._told.get("proposed", {}).items()}

    @property
    def mirrors(self) -> dict[str, str]:
        """Tracker -> where it has this run and what it cannot hold, "waiting", or why it has it not yet."""
        letters = outbox.letters(self._store, run=self._thing.id)
        return {x.tracker: outbox.told(x) for x in letters}

    # -- whether it can be had again

    @property
    def recipe(self) -> Recipe | None:
        """The statements that computed it, as a program that runs again; None where nobody saw them."""
        from nbml.tracking import reproducing

        reproducing.settle(self)
        said = self._body.get("recipe")
        return reproducing.read(said) if said else None

    @property
    def reproducible(self) -> str:
        """``"reproducible"``, ``"hidden-state"`` or ``"not-reproducible"``, as its recipe says."""
        return "not-reproducible" if self.recipe is None else self.recipe.verdict

    @property
    def why(self) -> tuple[str, ...]:
        """What stands against its being reproducible: cell and cause, in sentences."""
        recipe = self.recipe
        if recipe is not None:
            return tuple(recipe.why)
        if origin := self._body.get("imported"):
            return (f"it was imported from {origin['tool']}: its statements are not known",)
        return (RUNNING if self.state == "running" else UNSEEN,)

    # -- inside

    def _sync(self) -> None:
        """Make what is queued part of the record."""

    @property
    def _row(self) -> runs.RunRow:
        self._sync()
        return runs.rows(self._store, thing=self._thing.id)[0]

    @property
    def _told(self) -> dict[str, Any]:
        """The body, with what is found out after the block, where this process is still at it."""
        after.wait(self._thing.id)
        return self._body

    @property
    def _body(self) -> dict[str, Any]:
        found = self._store.by_id(self._thing.id)
        return found.body if found else {}

    def _report(self) -> Report:
        from nbml.tracking.report import run_report

        after.wait(self._thing.id, self._patience)
        return run_report(self)
