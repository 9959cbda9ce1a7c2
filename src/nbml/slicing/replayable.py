"""A Recipe: the ordered statements that computed a name, and what they read from outside."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from nbml import errors
from nbml.display import Report, Shown

if TYPE_CHECKING:
    from nbml.running.fresh import Fresh

Kind = Literal["dataset", "file", "module", "environment"]
Verdict = Literal["reproducible", "hidden-state", "not-reproducible"]


@dataclass(frozen=True)
class Input:
    """Something that is read from outside.

    ``name`` is a file's path relative to the project (absolute where it lies outside), a dataset version or an environment
    variable; ``hash`` the SHA-256 of its content when it was read ("" for a variable, whose value is never kept), ``kept`` the
    same where the store has a copy, else ""; ``ref`` the dataset version.
    """

    kind: Kind
    name: str
    hash: str = ""
    kept: str = ""
    ref: str = ""

    def __str__(self) -> str:
        told = f" sha256:{self.hash[:12]}" if self.hash else ""
        return {"environment": f"environment variable {self.name}"}.get(self.kind, f"{self.name}{told}")


@dataclass(frozen=True, repr=False)
class Recipe(Shown):
    """The program that computed ``name``, with its reads of data bound.

    ``source`` runs in the notebook's folder. ``verdict`` is "reproducible", "hidden-state" (the record can be replayed, the page
    as it stands would not give it) or "not-reproducible"; ``why`` says so in sentences that name cell and cause. ``logs`` tells
    that it computed the metrics of a run: the ``nth`` of that name in the program, from its end (-1 is the last).
    """

    name: str
    source: str
    inputs: tuple[Input, ...] = ()
    verdict: Verdict = "reproducible"
    why: tuple[str, ...] = ()
    folder: str = "."
    logs: bool = False
    nth: int = -1
    #: what was compared by a sample, and the like: no reasons, good to know
    notes: tuple[str, ...] = field(default=(), compare=False)

    def run(self, timeout: float = 600.0) -> Any:
        """Run it in a fresh process; the value of the name, or the metrics of the run by name.

        Raises errors.RecipeRefused where it cannot be replayed, or where the replay fails.
        """
        reasons = [*(self.why if self.verdict == "not-reproducible" else ()), *self.missing()]
        if reasons:
            raise errors.RecipeRefused(f"{self.name} cannot be replayed: {'; '.join(dict.fromkeys(reasons))}")
        done = self.played(timeout)
        if self.logs:
            runs = [run for run in done.runs if run.name == self.name]
            if len(runs) >= -self.nth and not done.error:
                return dict(runs[self.nth].metrics)
        elif self.name in done.values:
            return done.values[self.name]
        where = f" at {done.where.splitlines()[0]}" if done.where else ""
        raise errors.RecipeRefused(f"the replay of {self.name} failed{where}: {done.error or 'it did not come so far'}")

    def missing(self) -> list[str]:
        """A sentence for each input that is not what it was when it was read, and of which no copy was kept."""
        from nbml.slicing.keeping import copy_of, unlike

        found = []
        for said in self.inputs:
            if said.kind in ("file", "module") and unlike(said) and copy_of(said) is None:
                found.append(f"{said.name} is not what was read (changed or gone), and no copy of it was kept")
        return found

    def played(self, timeout: float = 600.0, *, hashseed: int | None = None, through: str = "", also: tuple[str, ...] = ()) -> Fresh:
        """What a fresh process makes of the program, whatever the verdict."""
        from nbml.running import fresh
        from nbml.slicing.keeping import overlay, place_of
        from nbml.store import chosen

        names = (*(() if self.logs else (self.name,)), *also)
        root = chosen().resolve()
        where: dict[str, Any] = {"root": root, "folder": place_of(self.folder), "files": overlay(self.inputs)}
        return fresh.play(self.source, names, timeout=timeout, hashseed=hashseed, through=through, **where)

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Recipe:
        """The recipe of ``to_json``."""
        known = {f.name for f in dataclasses.fields(cls)}
        kept = {key: tuple(value) if isinstance(value, list) else value for key, value in said.items() if key in known}
        kept["inputs"] = tuple(Input(**one) for one in said.get("inputs", ()))
        return cls(**cast(Any, kept))

    def _report(self) -> Report:
        from nbml.slicing.report import recipe_report

        return recipe_report(self)


def relative(path: str, root: Path) -> str:
    """A path as the project calls it."""
    full = Path(os.path.abspath(path))  # noqa: PTH100 - links stay as they are named
    return full.relative_to(root).as_posix() if full.is_relative_to(root) else str(full)
