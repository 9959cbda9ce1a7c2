"""What the answers are worth: against a dummy, against plain models, on train against test, and under imbalance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nbml.tracking.judging import thresholds as at
from nbml.tracking.judging.material import Array, Case, Material, Target, column_of, length, sample, take
from nbml.tracking.values import Finding

#: metrics that the most frequent class alone makes look good, by parts of their names; and such that it does not
HOLLOW = ("acc", "micro", "weighted", "score", "precision", "hamming")
SIMPLER = "make the model simpler (less depth, more regularisation, fewer features) or give it more rows"
SOUND = ("balanced", "auc", "recall", "f1", "kappa", "mcc", "matthews", "average_precision", "ap", "log_loss", "brier", "macro", "pr_")


@dataclass(frozen=True)
class Answers:
    """What a model answers for some rows of both sides, beside what is true; as codes or numbers."""

    train: Array
    train_true: Array
    test: Array
    test_true: Array
    #: (rows, classes) for the test rows, or None
    scores: Array | None


def ask(case: Case, target: Target, seed: int = 0) -> Answers:
    """Ask the model. What it raises goes through."""
    rng = np.random.default_rng(seed)
    n, m = length(case.X_train), length(case.X_test)
    some, other = sample(n, at.ASKED, rng), sample(m, at.ASKED, rng)
    train = target.coded(case.model.predict(take(case.X_train, some)))
    given = column_of(case.answers)
    rows = take(case.X_test, other)
    test = target.coded(given[other] if given is not None and len(given) == m else case.model.predict(rows))
    return Answers(train, target.train[some], test, target.test[other], _scores(case.model, rows, target, m))


def _scores(model: Any, rows: Any, target: Target, m: int) -> Array | None:
    """How likely each class is for each row, by the model's own words; None where it has none."""
    if target.task != "classification":
        return None
    for name in ("predict_proba", "decision_function"):
        ask_for = getattr(model, name, None)
        if ask_for is None:
            continue
        try:
            got = np.asarray(ask_for(rows), dtype=float)
            classes = [target.coded([value])[0] for value in model.classes_]
        except Exception:  # a support vector machine without probabilities, a foreign model without classes_
            continue
        if got.ndim == 1:
            got = np.column_stack([-got, got])
        if got.shape != (length(rows), len(classes)):
            continue
        scores = np.zeros((len(got), len(target.classes)))
        for place, code in enumerate(classes):
            if code >= 0:
                scores[:, code] = got[:, place]
        return scores
    return None


def below_baseline(case: Case, target: Target, answers: Answers, rival: tuple[str, Array] | None) -> Finding | None:
    """Whether shuffled answers do as well (Ojala & Garriga 2010), or a plain model does far better."""
    if len(answers.test) < 10:
        return None
    chance = by_chance(answers, target)
    name, value, dummy = _measure(answers.test, answers.test_true, target, answers.train_true)
    worse = target.task == "regression" and _paired(_loss(answers.test, answers, target), _dummy_loss(answers, target)) < 1.0
    if chance > at.CHANCE or worse:
        said = "the mean" if target.task == "regression" else "the most frequent class"
        kind = "worse than" if value < dummy else "no better than"
        message = f"{kind} {said}: {name} {value:.3g} on {len(answers.test):,} test rows, {dummy:.3g} for {said}"
        evidence = {"metric": name, "value": value, "dummy": dummy, "chance": chance, "rows": len(answers.test)}
        return Finding(
            "below-baseline",
            message,
            evidence,
            "look whether features and target belong to the same rows, and whether the features say anything of it",
        )
    if rival is None or len(rival[1]) != len(answers.test):
        return None
    lead, z = _lead(rival[1], answers, target)
    mine, theirs = (_balanced(part, answers, target) for part in (answers.test, rival[1]))
    if theirs > 0.1 and mine < at.SKILL_SHARE * theirs and z > at.SKILL_SE and lead > 0:
        other = _measure(rival[1], answers.test_true, target, answers.train_true)[1]
        message = f"far worse than {rival[0]}: {name} {value:.3g} on {len(answers.test):,} test rows, {other:.3g} for {rival[0]}"
        evidence = {"metric": name, "value": value, "rival": rival[0], "rival_value": other, "rows": len(answers.test)}
        return Finding(
            "below-baseline",
            message,
            evidence,
            "look at the scale of the features and at the model's settings: it has not learned what is there",
        )
    return None


def by_chance(answers: Answers, target: Target, seed: int = 0) -> float:
    """How often answers that belong to other rows do as well. Labels and scores count alike."""
    rng = np.random.default_rng(seed)
    true, n = answers.test_true, len(answers.test)
    parts = []
    if target.task == "regression":
        parts = [_standard(answers.test), _standard(np.argsort(np.argsort(answers.test)).astype(float))]
        goals = [_standard(true), _standard(np.argsort(np.argsort(true)).astype(float))]
    else:
        k = len(target.classes)
        parts = [np.eye(k + 1)[answers.test][:, :k]]
        if answers.scores is not None:
            ranks = np.argsort(np.argsort(answers.scores, axis=0, kind="stable"), axis=0, kind="stable").astype(float)
            parts.append(np.where(answers.scores.std(axis=0) > 1e-12, ranks, 0.0))
        parts = [part - part.mean(axis=0) for part in parts]
        goals = [np.eye(k)[np.clip(true, 0, k - 1)] for _ in parts]
    orders = [np.arange(n), *(rng.permutation(n) for _ in range(at.SHUFFLES))]
    together = np.zeros(len(orders))
    for part, goal in zip(parts, goals, strict=True):
        got = np.array([float((part * goal[order]).sum()) for order in orders])
        spread = got[1:].std()
        if spread > 1e-12:
            together += (got - got[1:].mean()) / spread
    return float((1 + (together[1:] >= together[0] - 1e-9).sum()) / len(orders))


def _standard(values: Array) -> Array:
    spread = values.std()
    found: Array = (values - values.mean()) / (spread if spread > 1e-12 else 1.0)
    return found


def overfit(case: Case, target: Target, answers: Answers, rival: tuple[str, Array] | None) -> Finding | None:
    """Whether much of what was learned is lost on the test rows, where a plain model keeps more."""
    if len(answers.test) < 10:
        return None
    train, test = (_losses(got, true, target) for got, true in ((answers.train, answers.train_true), (answers.test, answers.test_true)))
    dummy = _dummy_loss(answers, target)
    learned, gap = float(dummy.mean() - train.mean()), float(test.mean() - train.mean())
    error = float(np.sqrt(test.var() / len(test) + train.var() / len(train))) or 1e-12
    if learned <= 0 or gap <= at.GAP_SE * error or gap / learned <= at.LOST:
        return None
    name, value, base = _measure(answers.test, answers.test_true, target, answers.train_true)
    first = _measure(answers.train, answers.train_true, target, answers.train_true)[1]
    evidence: dict[str, Any] = {"metric": name, "train": first, "test": value, "lost": gap / learned, "rows": len(test)}
    lead, z = _lead(rival[1], answers, target) if rival is not None and len(rival[1]) == len(test) else (0.0, 0.0)
    if rival is not None and z > at.RIVAL_SE and lead > at.RIVAL_LEAD * learned:
        other = _measure(rival[1], answers.test_true, target, answers.train_true)[1]
        message = f"{name} {first:.3g} on train but {value:.3g} on test; {rival[0]} has {other:.3g} there"
        return Finding("overfit", message, evidence | {"rival": rival[0], "rival_test": other}, SIMPLER)
    worse = _worse_than_shares(answers)
    if worse is not None and learned > at.MEMORISED * float(dummy.mean()):
        message = f"{name} {first:.3g} on train but {value:.3g} on test, where its probabilities are worse than the shares of the classes"
        return Finding("overfit", message, evidence | {"brier": worse[0], "brier_of_shares": worse[1]}, SIMPLER)
    if learned > at.MEMORISED * float(dummy.mean()) and (test.mean() >= dummy.mean() or by_chance(answers, target) > at.CHANCE):
        message = f"{name} {first:.3g} on train but {value:.3g} on test, where a dummy has {base:.3g}"
        return Finding("overfit", message, evidence | {"dummy": base}, SIMPLER)
    return None


def _worse_than_shares(answers: Answers) -> tuple[float, float] | None:
    """Brier scores of the test rows, of the model's probabilities and of the classes' shares in train, where the first is worse.

    Brier 1950, Monthly Weather Review 78. A model that memorised its rows is sure of itself where it is wrong.
    """
    p = answers.scores
    if p is None or p.min() < 0 or not np.allclose(p.sum(axis=1), 1, atol=1e-6):
        return None
    known = (answers.test_true >= 0) & (answers.test_true < p.shape[1])
    truth = np.eye(p.shape[1])[answers.test_true[known].astype(int)]
    labels = answers.train_true[answers.train_true >= 0].astype(int)
    shares = np.bincount(labels, minlength=p.shape[1])[: p.shape[1]] / len(answers.train_true)
    own, plain = ((p[known] - truth) ** 2).sum(axis=1), ((shares - truth) ** 2).sum(axis=1)
    if len(own) < 30 or own.mean() <= plain.mean():
        return None
    return float(own.mean()), float(plain.mean())


def empty_metric(case: Case, target: Target, answers: Answers) -> Finding | None:
    """Whether the most frequent class alone would have given the metric."""
    true = answers.test_true
    if target.task == "regression" or len(true) < 10:
        return None
    counts = np.bincount(true[true >= 0], minlength=len(target.classes))
    majority, most = float(counts.max() / len(true)), int(counts.argmax())
    if (counts > 0).sum() < 2 and len(target.classes) > 1:
        message = f"all {len(true):,} test rows are of one class: no metric of them tells anything"
        return Finding(
            "empty-metric",
            message,
            {"rows": len(true), "classes": 1},
            "split so that each class is in the test rows: train_test_split(..., stratify=y)",
        )
    accuracy = float((answers.test == true).mean())
    error = float(np.sqrt(majority * (1 - majority) / len(true)))
    recalls = [float((answers.test[true == code] == code).mean()) for code in range(len(counts)) if counts[code] >= 3]
    if (
        majority < at.MAJORITY
        or accuracy >= majority + at.MAJORITY_SE * error
        or not recalls
        or min(recalls) >= at.RECALL
        or not _hollow(case.metrics)
    ):
        return None
    worst = min(
        (code for code in range(len(counts)) if counts[code] >= 3), key=lambda code: float((answers.test[true == code] == code).mean())
    )
    rare = f"recall of the class least found is {min(recalls):.2g}"
    message = f"accuracy {accuracy:.3g} is what the most frequent class alone gives ({majority:.3g}); {rare}"
    evidence = {
        "accuracy": accuracy,
        "majority": majority,
        "recall": min(recalls),
        "rows": len(true),
        "rare": int(counts[worst]),
        "frequent": int(counts[most]),
    }
    return Finding(
        "empty-metric",
        message,
        evidence,
        "measure what imbalance does not fill: recall, F1 of the rare class, average precision, balanced accuracy",
    )


def _hollow(metrics: tuple[str, ...]) -> bool:
    """Whether one of the metrics says nothing under imbalance; where none is known, accuracy is meant."""
    told = [name.lower() for name in metrics if "train" not in name.lower()]
    return (
        not told
        or any(any(part in name for part in HOLLOW) and not any(part in name for part in SOUND[:2]) for name in told)
        or not any(any(part in name for part in SOUND) for name in told)
    )


# -- inside


def _losses(got: Array, true: Array, target: Target) -> Array:
    """Of each row: whether it is wrong, or its squared error."""
    return (got != true).astype(float) if target.task == "classification" else (got - true) ** 2


def _loss(got: Array, answers: Answers, target: Target) -> Array:
    return _losses(got, answers.test_true, target)


def _dummy_loss(answers: Answers, target: Target) -> Array:
    return _losses(_dummy(answers, target), answers.test_true, target)


def _dummy(answers: Answers, target: Target) -> Array:
    if target.task == "classification":
        return np.full(len(answers.test_true), np.bincount(answers.train_true[answers.train_true >= 0]).argmax())
    return np.full(len(answers.test_true), answers.train_true.mean())


def _paired(loss: Array, other: Array) -> float:
    """By how many standard errors ``loss`` is below ``other``, row by row."""
    less = other - loss
    return float(less.mean() / max(1e-12, less.std() / np.sqrt(len(less))))


def _lead(rival: Array, answers: Answers, target: Target) -> tuple[float, float]:
    """By how much less a rival loses, and in standard errors."""
    mine, theirs = _loss(answers.test, answers, target), _loss(rival, answers, target)
    return float(mine.mean() - theirs.mean()), _paired(theirs, mine)


def _balanced(got: Array, answers: Answers, target: Target) -> float:
    """Skill between 0 (a dummy) and 1, each class counting alike."""
    true = answers.test_true
    if target.task == "regression":
        return float(1 - ((got - true) ** 2).mean() / max(1e-12, ((true - answers.train_true.mean()) ** 2).mean()))
    codes = [code for code in range(len(target.classes)) if (true == code).any()]
    recall = float(np.mean([(got[true == code] == code).mean() for code in codes]))
    return (recall - 1 / len(codes)) / max(1e-12, 1 - 1 / len(codes)) if len(codes) > 1 else 0.0


def _measure(got: Array, true: Array, target: Target, known: Array) -> tuple[str, float, float]:
    """Name of the metric, its value, and a dummy's."""
    if target.task == "classification":
        return "accuracy", float((got == true).mean()), float((true == np.bincount(known[known >= 0]).argmax()).mean())
    spread = max(1e-12, float(((true - true.mean()) ** 2).mean()))
    return "R²", float(1 - ((got - true) ** 2).mean() / spread), float(1 - ((true - known.mean()) ** 2).mean() / spread)


def aligned(material: Material, answered: Array, rows: Array) -> Array | None:
    """A plain model's answers for the encoded test rows, at the places of the rows that the model was asked for."""
    place = {int(row): k for k, row in enumerate(material.test_rows)}
    if not all(int(row) in place for row in rows):
        return None
    found: Array = answered[[place[int(row)] for row in rows]]
    return found
