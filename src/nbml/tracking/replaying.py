"""``nbml.track`` in a replay: a block that only remembers. Nothing of it reaches the record, a tracker or a class."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Literal

from nbml import errors
from nbml.store.runs import Point
from nbml.tracking import opened

if TYPE_CHECKING:
    import pandas as pd

#: the environment variable that names the file to which replayed runs go; ``running.fresh`` sets and reads it
REPLAY = "NBML_REPLAY"

_order = itertools.count()
#: the last of each name, which a resumed one goes on with
_last: dict[str, Replayed] = {}


def replaying() -> bool:
    """Whether this process replays a recipe."""
    return bool(os.environ.get(REPLAY))


class Replayed:
    """Stands in for a run: takes what is logged, and writes it as one line of JSON when its block ends."""

    # what is found out about a run is not found out again
    params: Mapping[str, Any] = MappingProxyType({})
    environment: Mapping[str, Any] = MappingProxyType({})
    tags: tuple[str, ...] = ()
    findings: tuple[Any, ...] = ()
    datasets: tuple[Any, ...] = ()
    note = error = source = ""

    def __init__(self, name: str, resume: bool = False) -> None:
        before = _last.get(name) if resume else None
        self.name, self.id, self.version = name, "", 0
        self._order: int = before._order if before else -1
        self._points: dict[str, tuple[list[int], list[float]]] = before._points if before else {}
        self._pid, self._ended = os.getpid(), False
        self._feed = self  # what ``nbml.log`` puts its points into

    def __enter__(self) -> Replayed:
        self._order = next(_order) if self._order < 0 else self._order
        _last[self.name] = self
        self.around: Any = opened.innermost()
        self._ended = False
        opened.enter(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> Literal[False]:
        self._ended = True
        opened.leave(self)
        line = {"order": self._order, "run": self.name, "metrics": self.metrics, "points": self._points}
        with Path(os.environ[REPLAY]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        return False

    def put(self, point: Point) -> None:
        """Take one point."""
        _, step, values = point
        for name, value in values.items():
            steps, numbers = self._points.setdefault(name, ([], []))
            steps.append((steps[-1] + 1 if steps else 0) if step is None else step)
            numbers.append(float(value))

    @property
    def metrics(self) -> dict[str, float]:
        """The last value of each metric."""
        return {name: numbers[-1] for name, (_, numbers) in self._points.items()}

    def history(self, metric: str) -> pd.DataFrame:
        """All points of a metric: step, time (none is known), value."""
        import pandas as pd

        if metric not in self._points:
            raise errors.UnknownName(f"the run {self.name} has no metric {metric!r}", next="run.metrics")
        steps, numbers = self._points[metric]
        return pd.DataFrame({"step": steps, "time": pd.to_datetime(pd.Series([None] * len(steps)), utc=True), "value": numbers})

    def __str__(self) -> str:
        return self.name
