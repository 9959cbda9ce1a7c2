"""A version of a dataframe, and what it warns of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbml import errors
from nbml.display import Report, Shown
from nbml.store import Thing, current

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Warning:
    """Something about a version that earlier versions do not make plausible.

    ``code`` is one of rows-lost, nulls-up, category-gone, range-shift, stale-dates; ``evidence`` holds the figures.
    """

    code: str
    message: str
    evidence: dict[str, Any]
    advice: str


@dataclass(frozen=True, repr=False)
class DatasetVersion(Shown):
    """A content-hashed snapshot of a named frame: ``str()`` is ``name@n``. ``load()`` gives the frame again."""

    name: str
    version: int
    hash: str
    note: str
    made: float
    warnings: tuple[Warning, ...]
    thing: Thing
    new: bool = False
    #: of a snapshot that was compared with this version and found to be the same
    same: bool = False

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"

    def load(self) -> pd.DataFrame:
        """The frame: equal dtypes, index, column order and values. Raises errors.StoreDamaged."""
        from nbml.datasets.parquet import fetch

        try:
            return fetch(current(), self.thing.body["blob"])
        except errors.StoreDamaged as error:
            raise errors.StoreDamaged(f"{self} cannot be read: {error.message}") from error

    def _report(self) -> Report:
        from nbml.datasets.report import version_report

        return version_report(self)


def from_thing(thing: Thing, *, new: bool = False, same: bool = False) -> DatasetVersion:
    """The value of a stored dataset version."""
    warnings = tuple(Warning(**warning) for warning in thing.body.get("warnings", ()))
    note = thing.body.get("note", "")
    return DatasetVersion(thing.name, thing.version, thing.hash, note, thing.made, warnings, thing, new, same)
