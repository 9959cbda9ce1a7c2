"""Engines: what evaluates expectations. One file each, found by entry point (group ``nbml.engines``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

Json = dict[str, Any]
#: what a result repeats of its configuration
REPEATED = ("type", "kwargs", "meta", "severity")


class Engine(Protocol):
    """Evaluates configurations of Great Expectations on a frame."""

    def evaluate(self, frame: pd.DataFrame, configs: list[Json], result_format: str) -> list[Json]:
        """One result of GX's own JSON form for each configuration, in their order.

        ``frame`` has string column names and a RangeIndex; ``result_format`` is BOOLEAN_ONLY, BASIC, SUMMARY or COMPLETE.
        An expectation that cannot be evaluated has ``success`` False and the reason in ``exception_info``.
        """
        ...


@dataclass(frozen=True)
class Judged:
    """One result in the format that was asked for. Of a failure ``told`` is a result with counts and values, and ``rows``
    are the positions of the rows that break it (None where rows are not judged)."""

    result: Json
    told: Json
    rows: NDArray[np.intp] | None = None


class Judging(Engine, Protocol):
    """An engine that knows the rows that break an expectation without evaluating it once more."""

    def judge(self, frame: pd.DataFrame, configs: list[Json], result_format: str) -> list[Judged]:
        """As ``evaluate``, with what a failure is told by."""
        ...


def judged(engine: Any, frame: pd.DataFrame, configs: list[Json], result_format: str) -> list[Judged]:
    """What an Engine says, with what its failures are told by; one that is not Judging evaluates them once more."""
    if hasattr(engine, "judge"):
        found: list[Judged] = engine.judge(frame, configs, result_format)
        return found
    results = engine.evaluate(frame, configs, result_format)
    failed = [place for place, result in enumerate(results) if not result["success"]]
    told = dict(enumerate(results))
    if failed and result_format != "COMPLETE":
        told |= dict(zip(failed, engine.evaluate(frame, [configs[place] for place in failed], "COMPLETE"), strict=True))
    return [Judged(result, told[place], _rows(told[place])) for place, result in enumerate(results)]


def answer(config: Json, success: bool, result: Json) -> Json:
    """A result in GX's JSON form."""
    quiet = {"raised_exception": False, "exception_traceback": None, "exception_message": None}
    return {"success": success, "expectation_config": config, "result": result, "meta": {}, "exception_info": quiet}


def failed(config: Json, reason: str) -> Json:
    """The result of an expectation that could not be evaluated."""
    loud = {"raised_exception": True, "exception_traceback": None, "exception_message": reason}
    return {**answer(config, False, {}), "exception_info": loud}


def _rows(result: Json) -> NDArray[np.intp] | None:
    import numpy as np

    rows = result["result"].get("unexpected_index_list") if not result["success"] else None
    return None if rows is None else np.asarray(rows, dtype=np.intp)
