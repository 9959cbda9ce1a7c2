"""The conformance suite of samplers: a subclass with ``sampler`` is the contract test of an adapter."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from nbml.tuning.ranges import Choice, Float, Int, Range, Raw
from nbml.tuning.samplers import Draw, Sampler
from nbml.tuning.values import Trial

#: one range of each kind that can be counted
COUNTED: dict[str, Range] = {
    "step": Float(0.0, 1.0, step=0.3), "whole": Int(-2, 3), "even": Int(0, 9, step=4), "flag": Choice((False, True)),
    "kind": Choice(("a", None, 3.5)),
}  # fmt: skip
REAL: dict[str, Range] = {"plain": Float(-1.0, 2.0), "log": Float(1e-4, 1e2, log=True), "wide": Int(1, 10_000, log=True)}

Ask = Callable[[Draw], dict[str, tuple[Range, Raw]]]


def flat(space: dict[str, Range]) -> Ask:
    """A trial that asks for every range."""
    return lambda draw: {key: (range, draw.suggest(key, range)) for key, range in space.items()}


def branching(draw: Draw) -> dict[str, tuple[Range, Raw]]:
    """A trial that asks for one range below each option."""
    kind = Choice(("few", "many"))
    found: dict[str, tuple[Range, Raw]] = {"kind": (kind, draw.suggest("kind", kind))}
    below: dict[str, Range] = {"kind[0]__n": Int(1, 3)} if found["kind"][1] == 0 else {"kind[1]__n": Int(10, 13), "kind[1]__k": Int(0, 1)}
    return found | flat(below)(draw)


class SamplerSuite(ABC):
    """Promises of ``nbml.tuning.samplers.Sampler``.

    ``counted`` says that it takes ranges only that can be counted, and ends with them; ``seeded`` that a seed matters.
    """

    counted = False
    seeded = True

    @abstractmethod
    def sampler(self, direction: str = "minimize", seed: int | None = 0) -> Sampler:
        """A fresh sampler."""

    @property
    def space(self) -> dict[str, Range]:
        return COUNTED if self.counted else COUNTED | REAL

    def trials(self, sampler: Sampler, count: int, ask: Ask | None = None, first: int = 0, fail: int = -1) -> list[Trial]:
        """Runs ``count`` trials whose score is the sum of their values; that of number ``fail`` fails."""
        done = []
        for number in range(first, first + count):
            draw = sampler.ask(number)
            if draw is None:
                break
            done.append(finished(number, (ask or flat(self.space))(draw), failed=number == fail))
            sampler.tell(done[-1])
        return done

    # -- promises ---------------------------------------------------------------------------------------------

    def test_every_value_lies_in_its_range(self) -> None:
        trials = self.trials(self.sampler(), 25)
        assert len(trials) == 25
        for trial in trials:
            for key, raw in trial.raw.items():
                points = self.space[key].points()
                found = self.space[key]
                assert raw is not None
                if points is not None:
                    assert any(abs(raw - point) < 1e-9 for point in points), (key, raw)
                elif isinstance(found, (Float, Int)):
                    assert found.low <= raw <= found.high, (key, raw)
                    assert isinstance(raw, float if isinstance(found, Float) else int)

    def test_the_same_seed_proposes_the_same(self) -> None:
        first, second = (raws(self.trials(self.sampler(seed=7), 14)) for _ in range(2))
        assert first == second

    def test_another_seed_proposes_otherwise(self) -> None:
        first, second = (raws(self.trials(self.sampler(seed=seed), 14)) for seed in (7, 8))
        assert (first != second) == self.seeded

    def test_who_is_told_the_trials_again_goes_on_as_if_it_had_never_stopped(self) -> None:
        for ask in (flat(self.space), branching):
            whole = self.trials(self.sampler(), 18, ask, fail=3)
            again = self.sampler()
            for trial in whole[:12]:
                again.tell(trial)
            rest = raws(self.trials(again, 6, ask, first=12))
            assert rest == raws(whole)[12:]
            assert rest or self.counted

    def test_a_trial_that_is_never_told_is_forgotten(self) -> None:
        interrupted, straight = self.sampler(), self.sampler()
        self.trials(interrupted, 5)
        draw = interrupted.ask(5)
        assert draw is not None
        flat(self.space)(draw)
        self.trials(straight, 5)
        assert raws(self.trials(interrupted, 10, first=5)) == raws(self.trials(straight, 10, first=5))

    def test_ranges_below_an_option_are_asked_for_where_it_is_chosen(self) -> None:
        trials = self.trials(self.sampler(), 20, branching)
        kinds = {trial.raw["kind"] for trial in trials}
        assert kinds == {0, 1}

    def test_defaults_outside_their_range_are_no_trouble(self) -> None:
        sampler = self.sampler()
        raw: dict[str, Raw | None] = dict.fromkeys(self.space)
        sampler.tell(Trial(0, "complete", 1.0, 0.0, 0.0, raw=raw, ranges={k: r.spec() for k, r in self.space.items()}, defaults=True))
        assert len(self.trials(sampler, 5, first=1)) == 5

    def test_both_directions_are_taken(self) -> None:
        for direction in ("minimize", "maximize"):
            assert len(self.trials(self.sampler(direction), 12)) == 12

    def test_what_can_be_counted_is_tried_once_and_then_it_ends(self) -> None:
        if not self.counted:
            return
        trials = self.trials(self.sampler(), 100, branching)
        assert len(trials) == len({tuple(t.raw.items()) for t in trials}) == 3 + 4 * 2


def finished(number: int, asked: dict[str, tuple[Range, Raw]], *, failed: bool = False) -> Trial:
    """A trial whose score is the sum of its raw values."""
    raw = {key: value for key, (_, value) in asked.items()}
    specs = {key: range.spec() for key, (range, _) in asked.items()}
    score = None if failed else float(sum(raw.values()))
    return Trial(number, "failed" if failed else "complete", score, 0.0, 0.0, raw=raw, ranges=specs)


def raws(trials: list[Trial]) -> list[dict[str, Raw | None]]:
    """The raw values of each."""
    return [dict(trial.raw) for trial in trials]
