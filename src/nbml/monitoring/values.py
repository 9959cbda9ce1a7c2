"""What is seen of a deployed service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbml.display import Report, Shown

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False, eq=False)
class Monitor(Shown):
    """The traffic of a deployment over ``last``, as frames; each is as it was when ``monitor`` was called.

    ``requests`` has one row for each answered request, ``predictions`` one for each row that was predicted. ``windows``,
    ``drift``, ``performance`` and ``alerts`` have the columns that they will have, and no rows in this version.
    """

    name: str
    service: str
    last: str
    requests: pd.DataFrame
    predictions: pd.DataFrame
    windows: pd.DataFrame
    drift: pd.DataFrame
    performance: pd.DataFrame
    alerts: pd.DataFrame
    state: str = "stopped"
    dropped: int = 0

    def __str__(self) -> str:
        return self.name

    def _report(self) -> Report:
        from nbml.monitoring.report import monitor_report

        return monitor_report(self)
