"""Engines: what evaluates expectations. One file each, found by entry point (group ``nbml.engines``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import pandas as pd


class Engine(Protocol):
    """Evaluates configurations of Great Expectations on a frame."""

    def evaluate(self, frame: pd.DataFrame, configs: list[dict[str, Any]], result_format: str) -> list[dict[str, Any]]:
        """One result of GX's own JSON form for each configuration, in their order.

        ``frame`` has string column names and a RangeIndex; ``result_format`` is BOOLEAN_ONLY, BASIC, SUMMARY or COMPLETE.
        An expectation that cannot be evaluated has ``success`` False and the reason in ``exception_info``.
        """
        ...
