"""What silently ruins a result: ``judge``, and ``conclude`` for each run that fits. See docs/decisions/0034."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from nbml import errors
from nbml.tracking.judging.witness import Witness, snapshot
from nbml.tracking.values import Finding

if TYPE_CHECKING:
    from nbml.store import Store

__all__ = ["Finding", "Witness", "conclude", "judge"]

#: findings that tell of the data, not of the model
OF_DATA = ("split-overlap", "target-leak", "order-leak", "rows-lost")


def judge(model: Any, X_train: Any, y_train: Any, X_test: Any, y_test: Any) -> list[Finding]:
    """What silently ruins a fitted model or what is measured of it: a list of findings, empty where nothing was found.

    Looks for overfitting, rows that train and test share, features that give the target away, leaks through order, time, groups and
    steps before the split, models no better than a baseline, and metrics that imbalance empties. Takes seconds at most.
    Raises errors.BadInput where features and target have not the same length.
    """
    from nbml.slicing import recorder
    from nbml.tracking.judging import verdicts
    from nbml.tracking.judging.material import Case

    _check("train", X_train, y_train)
    _check("test", X_test, y_test)
    namespace = recorder.namespace()
    case = Case(model, X_train, y_train, X_test, y_test, private=_private())
    found = verdicts.of(case, snapshot(namespace)).findings
    reader = recorder.reader()
    if reader is not None and reader.cells:
        found += _before(reader.cells, reader.cells[-1].seq, namespace, y_train)
    return _once(found)


def conclude(store: Store, run: int, witness: Witness) -> None:
    """Judge what a block showed, and write ``findings`` and ``judged`` into the run's body."""
    from nbml.slicing import recorder
    from nbml.store import runs
    from nbml.tracking.judging import cases, losses, thresholds, verdicts

    metrics = tuple(runs.names(store, run))
    found: list[Finding] = []
    skipped: dict[str, str] = {}
    several = cases.cases(witness, metrics, _private())
    for case in several:
        verdict = verdicts.of(case, witness.names, seconds=thresholds.SECONDS / len(several))
        found += [_named(finding, case, len(several)) for finding in verdict.findings]
        skipped |= verdict.skipped
    current = recorder.current()
    if current is not None and witness.cell >= 0 and several:
        found += _before(list(current.cells), witness.cell, witness.names, several[0].y_train)
        found += losses.lost(current, witness.cell)
    runs.put(store, run, "findings", [asdict(finding) for finding in _once(found)])
    runs.put(store, run, "judged", {"models": len(several), "skipped": skipped})


def _before(cells: Sequence[Any], seq: int, namespace: Any, y: Any) -> list[Finding]:
    """Steps before the split, from the code. Code that cannot be read tells nothing."""
    from nbml.tracking.judging.before import before_split

    name = getattr(y, "name", None)
    try:
        return before_split(cells, seq, namespace, str(name) if name is not None else "")
    except (RecursionError, AttributeError, TypeError, ValueError):
        return []


def _check(side: str, X: Any, y: Any) -> None:
    from nbml.tracking.judging.material import length

    try:
        rows, values = length(X), length(y)
    except TypeError as error:
        raise errors.BadInput(f"X_{side} and y_{side} must be data, not {type(X).__name__} and {type(y).__name__}") from error
    if rows != values:
        raise errors.BadInput(f"X_{side} has {rows:,} rows, y_{side} {values:,}")


def _private() -> frozenset[str]:
    """The columns whose values go nowhere."""
    from nbml import settings
    from nbml.store import existing

    store = existing()
    return frozenset(settings.load(store.root)["data.private"]) if store is not None else frozenset()


def _named(finding: Finding, case: Any, models: int) -> Finding:
    """Where several models were judged, what is said of one names it."""
    if models < 2 or finding.code in OF_DATA:
        return finding
    kind = type(case.model).__name__
    return Finding(finding.code, f"{kind}: {finding.message}", finding.evidence | {"model": kind}, finding.advice)


def _once(found: Iterable[Finding]) -> list[Finding]:
    """Each thing said once; of the data one finding of each code and cause, however many models met it."""
    kept: dict[tuple[str, str], Finding] = {}
    for one in found:
        of_data = one.code in OF_DATA
        step = str(one.evidence.get("step", one.evidence.get("kind", "")))
        place = f"{one.evidence.get('cell')}:{one.evidence.get('line')}" if one.code == "rows-lost" else step
        kept.setdefault((one.code, place if of_data else one.message), one)
    return list(kept.values())
