"""Trackers that hear of runs. An adapter is one file here, or in any package that names it as ``nbml.trackers``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

#: step, time (epoch seconds, of the row's last point), value of each metric
Row = tuple[int, float, Mapping[str, float]]


@dataclass(frozen=True)
class RunRecord:
    """An ended run as a tracker hears of it: all of it, and only what ``[tracking] send`` lets leave.

    ``uid`` is the run's id for good: what has that id already is this run. Times are epoch seconds. ``state`` is finished,
    failed or interrupted. ``params`` holds JSON values, with NaN and infinity as floats. ``series`` holds for each
    metric its steps, times and values in the order of their coming. ``code`` (file name -> text), ``figures`` (title, PNG) and
    ``samples`` (name -> CSV of first rows) are empty unless the settings let them leave.
    """

    uid: str
    name: str
    version: int
    project: str
    state: str
    started: float
    ended: float
    tags: tuple[str, ...]
    note: str
    params: Mapping[str, Any]
    series: Mapping[str, tuple[Sequence[int], Sequence[float], Sequence[float]]]
    code: Mapping[str, str] = field(default_factory=dict)
    figures: Sequence[tuple[str, bytes]] = ()
    samples: Mapping[str, str] = field(default_factory=dict)

    def files(self) -> dict[str, bytes]:
        """Code, samples and figures as files: name -> content."""
        pictures = {f"figure-{number}.png": png for number, (_, png) in enumerate(self.figures, 1)}
        return {name: text.encode() for name, text in {**self.code, **self.samples}.items()} | pictures

    def rows(self) -> Iterator[Row]:
        """The points put together by step, lowest first. Of several values of one metric at one step the last one stands."""
        found: dict[int, tuple[float, dict[str, float]]] = {}
        for name, (steps, times, values) in self.series.items():
            for step, when, value in zip(steps, times, values, strict=True):
                latest, row = found.get(step, (when, {}))
                row[name] = value
                found[step] = (max(when, latest), row)
        for step in sorted(found):
            when, row = found[step]
            yield step, when, row


class Tracker(Protocol):
    """A tool that keeps runs. It is made and called in the sender's process, never in a kernel, by one thread.

    The class is called with the project's folder. Settings and keys of the tool come from the environment.
    """

    def __init__(self, root: Path) -> None: ...

    def send(self, record: RunRecord) -> Mapping[str, Any]:
        """Take the whole run, and return once the tool has it safe: what was kept, as JSON without absolute paths.

        ``where`` in the answer is a short text for people: a folder of the project, or an address; ``left`` lists in short
        sentences what the tool cannot hold. What a server says it took is read back. Taking the same run again, also after
        being killed in the middle, leaves it there once, as it is now. Raises errors.TrackerFailed where it is worth trying
        again later.
        """
        ...
