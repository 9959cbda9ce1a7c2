"""All checks of one case, one after the other. A check that cannot be done costs only itself, and it is written down which."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nbml.tracking.judging import giveaway, order, origin, overlap, rivals, skill
from nbml.tracking.judging import thresholds as at
from nbml.tracking.judging.cases import held_out
from nbml.tracking.judging.material import Case, Material, Target, encode, length, sample, target
from nbml.tracking.values import Finding


@dataclass
class Verdict:
    """What was found, and which checks could not be done, with the reason."""

    findings: list[Finding] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    until: float = 0.0

    def check(self, name: str, ask: Callable[[], Finding | None]) -> None:
        """Do one check."""
        if self.until and time.monotonic() > self.until:
            self.skipped[name] = "no time was left"
            return
        try:
            with np.errstate(all="ignore"):
                found = ask()
        except Exception as error:  # a foreign model, data of a kind that nobody thought of
            self.skipped[name] = f"{type(error).__name__}: {str(error).splitlines()[0][:200] if str(error) else ''}"
            return
        if found is not None:
            self.findings.append(found)


def of(case: Case, names: Mapping[str, Any], seconds: float = at.SECONDS) -> Verdict:
    """Judge one case. ``names`` are the notebook's arrays, in which the rows' origin is looked for."""
    verdict = Verdict(until=time.monotonic() + seconds)
    goal = target(case.y_train, case.y_test, case.model)
    if case.X_test is not None:
        _rows(verdict, case, goal, names)
    else:
        material = encode(case.X_train, None)
        if material is not None and goal is not None:
            verdict.check("target-leak", functools.partial(giveaway.target_leak, case, material, goal))
        case = held_out(case) if goal is not None and length(case.X_train) >= 40 else case
        goal = target(case.y_train, case.y_test, case.model)
    if goal is not None and case.X_test is not None and case.y_test is not None and case.model is not None:
        _skill(verdict, case, goal)
    return verdict


def _rows(verdict: Verdict, case: Case, goal: Target | None, names: Mapping[str, Any]) -> None:
    """What the rows themselves tell."""
    material = encode(case.X_train, case.X_test)
    if material is None:
        return
    verdict.check("split-overlap", lambda: overlap.split_overlap(case, material))
    if goal is None:
        return
    leak: list[Finding] = []
    verdict.check("target-leak", lambda: leak.extend(filter(None, [giveaway.target_leak(case, material, goal)])))
    # without the truth, or where the test rows are the train rows, nothing is to be seen of their order
    if case.y_test is not None and not any(found.evidence.get("share", 0) > 0.9 for found in verdict.findings):
        orders, groups = origin.beside(case.X_train, case.X_test, names)
        placed = replace(case, orders=(*case.orders, *orders), groups=(*case.groups, *groups))
        verdict.check("order-leak", lambda: order.order_leak(placed, material, goal))
    verdict.findings += [one for one in leak if not _by_order(one, verdict.findings)]


def _by_order(leak: Finding, found: list[Finding]) -> bool:
    """Whether the neighbours in time tell about as much as the column that seems to give the target away."""
    told = [
        one.evidence.get("likeness", 0.0) for one in found if one.code == "order-leak" and one.evidence.get("kind") in ("time", "order")
    ]
    return bool(told) and 1 - float(leak.evidence["skill"]) >= 0.5 * (1 - max(told))


def _skill(verdict: Verdict, case: Case, goal: Target) -> None:
    """What the answers are worth."""
    asked: list[skill.Answers] = []
    verdict.check("the model's answers", lambda: asked.append(skill.ask(case, goal)))
    if not asked:
        return
    answers, rival = asked[0], []
    verdict.check("a plain model", lambda: rival.append(_rival(case, goal)))
    plain = rival[0] if rival else None
    verdict.check("empty-metric", lambda: skill.empty_metric(case, goal, answers))
    verdict.check("below-baseline", lambda: skill.below_baseline(case, goal, answers, plain))
    verdict.check("overfit", lambda: skill.overfit(case, goal, answers, plain))


def _rival(case: Case, goal: Target) -> tuple[str, Any] | None:
    """A plain model's answers for the rows that the model was asked about."""
    material: Material | None = encode(case.X_train, case.X_test)
    found = rivals.answers(material, goal) if material is not None else None
    if found is None or material is None:
        return None
    rng = np.random.default_rng(0)
    sample(length(case.X_train), at.ASKED, rng)
    aligned = skill.aligned(material, found[1], sample(length(case.X_test), at.ASKED, rng))
    return None if aligned is None else (found[0], aligned)
