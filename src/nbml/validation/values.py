"""A suite of expectations, and the outcome of a check."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from numbers import Integral
from typing import TYPE_CHECKING, Any

from nbml import errors
from nbml.display import Report, Shown
from nbml.store import Thing
from nbml.validation.words import SEVERITIES

if TYPE_CHECKING:
    import pandas as pd

Json = dict[str, Any]


@dataclass(frozen=True)
class Failure:
    """A failed expectation as it is told: shares from 0 to 1, examples as text; nothing of a private column.

    ``at`` is a figure that should lie from ``low`` to ``high``, where it can be drawn.
    """

    text: str
    share: float | None = None
    allowed: float | None = None
    count: int = 0
    examples: tuple[str, ...] = ()
    observed: str = ""
    reason: str = ""
    reference: tuple[float, ...] = ()
    now: tuple[float, ...] = ()
    severity: str = "critical"
    at: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def worse(self) -> tuple[int, float, float]:
        """Sorts failures worst first: by severity, then by how far off."""
        if self.share is not None:
            allowed = self.allowed or 0.0
            off = (self.share - allowed) / (1.0 - allowed) if allowed < 1 else 0.0
        else:
            off = 1.0  # the column as a whole, or not to be judged
        return (SEVERITIES.index(self.severity) if self.severity in SEVERITIES else 0, -off, -float(self.count))


@dataclass(frozen=True, repr=False)
class Validation(Shown):
    """The outcome of one check. ``success`` is None where there was no suite and one was drafted: ``draft`` is its text.

    ``results`` are in Great Expectations' JSON form, in the suite's order. ``kept`` is False where the project's record can
    only be read, so that the check is not in it. ``most`` is how many failing rows of each expectation are held, where it is not
    all of them; ``sample`` is what a draft was made from, where it is not all rows.
    """

    success: bool | None
    results: tuple[Json, ...]
    suite: str
    data: str
    rows: int
    seconds: float = 0.0
    failures: tuple[Failure, ...] = ()
    draft: str = ""
    nearest: str = ""
    thing: Thing | None = None
    kept: bool = True
    most: int | None = None
    sample: str = ""
    _failing: Any = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """The suite's name, or what the check is called in the record."""
        return self.thing.name if self.thing is not None else self.suite.partition("@")[0]

    @property
    def version(self) -> int:
        """The number of the check among those of its name; 0 where it is not in the record."""
        return self.thing.version if self.thing is not None else 0

    def failing_rows(self, limit: int | None = None) -> pd.DataFrame:
        """The rows that are unexpected in a failed expectation, as they stood in the frame; at most ``limit``.

        Raises errors.BadArgument.
        """
        if limit is not None and (not isinstance(limit, Integral) or isinstance(limit, bool) or limit < 0):
            raise errors.BadArgument(f"limit is a number of rows, found {limit!r}", next="_.failing_rows(limit=20)")
        found: pd.DataFrame = self._failing
        return (found if limit is None else found.head(int(limit))).copy()

    def to_json(self) -> Json:
        """The JSON of GX's ExpectationSuiteValidationResult; ``success`` is None for a draft."""
        held = sum(1 for result in self.results if result["success"])
        count = len(self.results)
        statistics = {
            "evaluated_expectations": count, "successful_expectations": held, "unsuccessful_expectations": count - held,
            "success_percent": held / count * 100 if count else None,
        }  # fmt: skip
        return {
            "success": self.success, "results": copy.deepcopy(list(self.results)), "suite_name": self.suite.partition("@")[0],
            "suite_parameters": {}, "statistics": statistics, "meta": {"nbml": {"suite": self.suite, "data": self.data}}, "id": None,
        }  # fmt: skip

    def to_gx(self) -> Any:
        """The same as a ``great_expectations`` ExpectationSuiteValidationResult."""
        from nbml.validation.exchange import to_gx

        return to_gx(self.to_json())

    def _report(self) -> Report:
        from nbml.validation.report import draft_report, validation_report

        return draft_report(self) if self.success is None else validation_report(self)


@dataclass(frozen=True, repr=False)
class Suite(Shown):
    """Expectations under a name: ``str()`` is ``name@n``. ``validation`` is the check that ``on=`` asked for."""

    name: str
    version: int
    text: str
    thing: Thing
    validation: Validation | None = None
    new: bool = False

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"

    def to_json(self) -> Json:
        """Great Expectations' JSON of the suite."""
        from nbml.validation.exchange import known_to_gx

        known_to_gx()
        found: Json = copy.deepcopy(self.thing.body["suite"])
        return found

    def _report(self) -> Report:
        from nbml.validation.report import suite_report

        return suite_report(self)


def from_thing(thing: Thing, validation: Validation | None = None, *, new: bool = False) -> Suite:
    """The value of a stored suite."""
    return Suite(thing.name, thing.version, thing.body["text"], thing, validation, new)
