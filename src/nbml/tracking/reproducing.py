"""``reproduce``: a run's Recipe in a fresh process, and its metrics beside those that were recorded."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nbml import errors
from nbml.display import Report, Shown
from nbml.slicing import recorder
from nbml.store import Store, runs
from nbml.tracking import after, context
from nbml.tracking.secrets import MARK, Redaction
from nbml.tracking.values import Run

if TYPE_CHECKING:
    from nbml.running.fresh import Fresh, Logged
    from nbml.slicing import Recipe
    from nbml.slicing.recorder import Recorder

#: a replay may take this many seconds, and this many times what the run took
LEAST, TIMES = 600.0, 10.0
#: what stands in ``why`` for a run that was resumed in another process
ELSEWHERE = "an earlier block of the run ran in another process, and is not in its recipe"
#: and for one that needs a secret that stands in the notebook
SECRETS = "a secret that stands in the notebook was taken out of the recipe: read it from the environment"

#: the steps and the values of one metric
Course = tuple[list[int], list[float]]
#: what was recorded, and what came again
Pair = tuple[float | None, float | None]


@dataclass(frozen=True, repr=False)
class Reproduction(Shown):
    """What came of running a run again.

    ``same``: every metric has every bit that was recorded, at every step, and the recipe can be replayed. ``differences`` are
    the metrics that have not: (recorded, replayed), None where there is none; of a metric with steps the first that differ.
    ``why`` are sentences: what stands in the way, what differs and since where, and what has changed around it.
    """

    run: Run
    same: bool
    differences: dict[str, Pair]
    why: tuple[str, ...]
    recorded: dict[str, float] = field(default_factory=dict)
    replayed: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def healthy(self) -> bool:
        """What the exit code of ``python -m nbml reproduce`` tells."""
        return self.same

    def _report(self) -> Report:
        from nbml.tracking.reproducing_report import reproduction_report

        return reproduction_report(self)


def reproduce(run: str | Run) -> Reproduction:
    """Run a run's Recipe in a fresh process, with the recorded versions of its data, and compare metric by metric.

    Nothing of it reaches the record, a tracker, or a file of the project. Never raises for what cannot be replayed: ``same`` is
    False then and ``why`` tells. An interrupt ends the process. Raises errors.UnknownRun.
    """
    from nbml import tracking

    one = tracking.run(run)
    recorded = one.metrics
    recipe = one.recipe
    if recipe is None:
        return Reproduction(one, False, _lost(recorded), one.why, recorded)
    around = _around(one.environment)
    missing = tuple(recipe.missing())
    if missing or not recipe.source:
        return Reproduction(one, False, _lost(recorded), (*one.why, *missing, *around), recorded)
    fresh = _played(recipe, max(LEAST, TIMES * (one._row.seconds or 0.0)))
    told = (*one.why, *_stopped(fresh), *around)
    sound = not fresh.error and recipe.verdict != "not-reproducible"
    logged = _its(fresh.runs, one.name, recipe.nth)
    if logged is None:
        said = () if fresh.error else (f"the replay logged nothing for {one.name}",)
        return Reproduction(one, sound and not recorded, _lost(recorded), (*told, *said), recorded, {}, fresh.seconds)
    differences, since = compared(_courses(one), logged.points)
    return Reproduction(one, sound and not differences, differences, (*told, *since), recorded, logged.metrics, fresh.seconds)


def _played(recipe: Recipe, timeout: float) -> Fresh:
    """What came of the recipe, also where its process cannot even be started."""
    from nbml.running.fresh import Fresh

    try:
        return recipe.played(timeout)
    except (errors.NbmlError, OSError) as error:
        return Fresh(error=str(error).partition("\n")[0])
    except KeyboardInterrupt as error:
        errors.shown_briefly(error, "reproduce was interrupted; its process has ended")
        raise


def compared(recorded: Mapping[str, Course], replayed: Mapping[str, Course]) -> tuple[dict[str, Pair], list[str]]:
    """The metrics that are not bit-equal, with what differs first, and a sentence for each that differs before its end."""
    differences: dict[str, Pair] = {}
    since = []
    for name in dict.fromkeys([*recorded, *replayed]):
        one, two = (list(zip(*course.get(name, ((), ())), strict=True)) for course in (recorded, replayed))
        place = next((i for i, pair in enumerate(zip(one, two, strict=False)) if _bits(pair[0]) != _bits(pair[1])), min(len(one), len(two)))
        if place == len(one) == len(two):
            continue
        differences[name] = (one[place][1] if place < len(one) else None, two[place][1] if place < len(two) else None)
        if max(len(one), len(two)) > 1:
            step = (one if place < len(one) else two)[place][0]
            since.append(f"{name} differs from step {step} on: {len(one):,} points were recorded, {len(two):,} came again")
    return differences, since


def _bits(point: tuple[int, float]) -> tuple[int, str]:
    return point[0], float(point[1]).hex()


def _courses(run: Run) -> dict[str, Course]:
    """All points that a run has recorded."""
    found = {}
    for name in runs.names(run._store, run._thing.id):
        steps, _, values = runs.points(run._store, run._thing.id, name)
        found[name] = (list(steps), list(values))
    return found


def _lost(recorded: Mapping[str, float]) -> dict[str, Pair]:
    return {name: (value, None) for name, value in recorded.items()}


def _its(logged: Sequence[Logged], name: str, nth: int) -> Logged | None:
    """The replayed run that is this one: the ``nth`` of its name, from the end."""
    named = [one for one in logged if one.name == name]
    return named[nth] if len(named) >= -nth else None


def _stopped(fresh: Fresh) -> list[str]:
    """Why the replay did not come to its end."""
    if not fresh.error:
        return []
    where = f" at `{fresh.where}`" if fresh.where else ""
    redaction = Redaction()
    redaction.learn(os.environ)
    return [redaction.text(f"the replay stopped{where}: {fresh.error}")]


def _around(recorded: Mapping[str, Any]) -> list[str]:
    """What has changed since: Python and packages."""
    from importlib.metadata import PackageNotFoundError, version

    said = []
    python = recorded.get("python")
    if python and python != platform.python_version():
        said.append(f"Python was {python} and is {platform.python_version()}")
    for name, then in recorded.get("packages", {}).items():
        try:
            now = version(name)
        except PackageNotFoundError:
            now = ""
        if now != then:
            said.append(f"{name} was {then} and is {now or 'gone'}")
    return said


# -- made after the cell

#: what is found out, in words, and what finds it out
Task = tuple[str, Callable[[], object]]


@dataclass
class Mark:
    """Where a run began among the recorded statements; ``number`` is how many of its name began in the same statement before."""

    name: str
    seen: Recorder | None
    first: int
    number: int = 0


@dataclass
class Made:
    """What the recipe of a run of this process is made of, so that it can be made again when the page is saved anew.

    ``spans`` are the recorded statements of its blocks; ``nth`` counts the runs of its name in the last statement from the end;
    ``then`` is what is still to be done after it; ``stamp`` is when the page was saved that it was compared with; ``whole`` is
    False where a block ran in another process.
    """

    store: Store
    thing: int
    seen: Recorder
    redaction: Redaction
    whole: bool
    spans: list[tuple[int, int]] = field(default_factory=list)
    nth: int = -1
    open: bool = True
    then: list[Task] = field(default_factory=list)
    stamp: int = 0

    def write(self, name: str) -> None:
        """Put the recipe into the run's body, without its secrets."""
        from nbml.slicing import recipe_of

        if self.seen is not recorder.current():
            return
        self.stamp = self.saved()
        events, known = [], self.seen.events
        for first, end in self.spans:  # of a block that was resumed without the statement that opened it
            events += known[first + ((first, end) != self.spans[-1]) : end]
        said = recipe_of(events, name, nth=self.nth).to_json()
        source = self.redaction.source(said["source"])
        against = [] if self.whole else [ELSEWHERE]
        against += [SECRETS] if MARK in source and MARK not in said["source"] else []
        if against:
            said |= {"verdict": "not-reproducible", "why": [*against, *said["why"]]}
        clean = {"source": source, "why": [self.redaction.text(why) for why in said["why"]]}
        runs.put(self.store, self.thing, "recipe", said | clean)

    def saved(self) -> int:
        """When the notebook's page was saved."""
        page = context.notebook(self.seen.shell)
        try:
            return page.stat().st_mtime_ns if page is not None else 0
        except OSError:
            return 0


#: (statement, name of the run) -> how many runs of that name began in it; of the statement that ran last only
_begun: dict[tuple[int, str], int] = {}
_made: dict[int, Made] = {}


def mark(name: str) -> Mark:
    """Called where a run begins: cheap, it only notes the place."""
    seen = recorder.current()
    first = len(seen.events) if seen is not None else 0
    for key in [key for key in _begun if key[0] != first]:
        del _begun[key]
    number = _begun.get((first, name), 0)
    _begun[first, name] = number + 1
    return Mark(name, seen, first, number)


def remember(store: Store, thing: int, place: Mark, then: Sequence[Task] = (), redaction: Redaction | None = None) -> None:
    """Called where a run ends: once its cell has ended, its recipe is made, and then ``then`` is done, in one thread, in order.

    Where the run is asked for in its own cell, all is done there; the recipe and the last of ``then`` again after the cell.
    """
    seen = place.seen
    if seen is None or seen is not recorder.current():
        _hand_over(thing, then)
        return
    made = _made.get(thing)
    if made is None or made.seen is not seen:
        found = store.by_id(thing)
        made = _made[thing] = Made(store, thing, seen, redaction or Redaction(), found is None or "recipe" not in found.body)
    made.spans.append((place.first, len(seen.events) + 1))
    made.open, made.then, kept = True, list(then), made

    def ended() -> None:
        kept.nth = place.number - _begun.get((place.first, place.name), place.number + 1)
        kept.open = False
        left, kept.then = kept.then, []
        _hand_over(thing, [("the recipe", lambda: kept.write(place.name)), *left])

    seen.when_done(ended)


def _hand_over(thing: int, tasks: Sequence[Task]) -> None:
    for what, job in tasks:
        after.later(thing, what, job)


def settle(run: Run) -> None:
    """Make sure that what is found out about a run is written down, as the page stands: in its own cell at once, else after it."""
    thing = run._thing.id
    made = _made.get(thing)
    if made is not None and run._store is made.store and made.open and len(made.then) > 1:
        _hand_over(thing, [("the recipe", lambda: made.write(run.name)), *made.then[:-1]])
        del made.then[:-1]
    after.wait(thing)
    if made is not None and run._store is made.store and (made.open or made.stamp != made.saved()):
        made.write(run.name)


def read(said: Mapping[str, Any]) -> Recipe:
    """The recipe that was written down."""
    from nbml.slicing import Recipe

    return Recipe.from_json(said)
