"""Studies as reports."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from nbml.display import Column, Details, Line, Note, Part, Progress, Report, Span, Spark, Table, code, muted, seconds, strong

if TYPE_CHECKING:
    import pandas as pd

    from nbml.tuning.record import Plan
    from nbml.tuning.values import Study, Trial

WORDS = {
    "running": ("running", "tuning"), "done": ("well", "tuned"), "interrupted": ("look", "interrupted"), "failed": ("bad", "failed"),
}  # fmt: skip
#: rows of a table of trials that are drawn; the frame holds all
MOST = 20


def beginning(plan: Plan) -> Report:
    """Before the first trial."""
    return Report((strong(plan.name),), "running", "tuning", parts=[Progress(0, plan.trials)], kind="study", ref=plan.name)


def running(study: Study, left: float | None) -> Report:
    """While trials run: how far, how long still, the best so far and the way there."""
    total = study.thing.body["total"]
    counts = Counter(t.state for t in study.records)
    said = [f"{counts[state]} {state}" for state in ("pruned", "failed") if counts[state]]
    said += [f"about {seconds(left)} left"] if left is not None and len(study.records) < total else []
    progress = Progress(len(study.records), total, muted(" · ".join(said)))
    parts: list[Part] = [progress, *_best(study), *_failures(study)]
    return Report((strong(study),), "running", "tuning", parts=parts, id=study.thing.body["result"], kind="study", ref=str(study))


def study_report(study: Study) -> Report:
    """One line: the best score. Below it the values, what they are worth, and what went wrong."""
    if study.state == "running":
        return running(study, None)
    body = study.thing.body
    state, word = WORDS[study.state]
    total, count = body["total"], len(study.records)
    counts = Counter(t.state for t in study.records)
    facts = [f"{count} trial{'' if count == 1 else 's'}" if count >= total else f"{count} of {total} trials"]
    facts += [f"{counts[state]} {state}" for state in ("pruned", "failed") if counts[state]]
    facts += ["time is up"] if body.get("late") else []
    facts += [seconds(body["elapsed"])] if body.get("elapsed") else []
    title = (strong(study), ": ", study.metric, " ", *_score(study)) if study.best else (strong(study),)
    parts: list[Part] = [*_best(study), *_worth(study), *_no_best(study)]
    if body.get("since"):
        parts.append(Note("idle", "new version", body["since"]))
    parts += _failures(study)
    if body.get("unkept"):
        parts.append(Note("look", "not kept", body["unkept"]))
    parts += _details(study)
    return Report(title, state, word, facts, parts, _next(study), body.get("result"), "study", str(study))


def _next(study: Study) -> list[str]:
    ref = f'nbml.study("{study.name}")'
    if study.best is None:
        return []
    if study.state != "done" or study.thing.body["form"] == "objective":
        return [f"{ref}.best_params", f"{ref}.apply()"]
    return [f"{ref}.best_estimator", f"{ref}.apply()"]


def _score(study: Study) -> list[str | Span]:
    assert study.best is not None
    spread = deviation(study.best.folds)
    return [strong(digits(study.best_score)), *([f" ± {digits(spread, 2)}"] if spread is not None else [])]


def _best(study: Study) -> list[Part]:
    """The best trial's values, and how the best score came about."""
    if study.best is None:
        return []
    text: list[str | Span] = []
    if study.state == "running":
        text += ["best ", *_score(study), muted(f" · trial {study.best.number} ")]
    for name, value in study.best.params.items():
        text += [code(f"{name} {value_text(value)}"), " "]
    curve = history(study)
    parts: list[Part] = [Line(tuple(text))] if text else []
    if len(curve) > 1:
        parts.append(Spark(curve, f"best so far, from {digits(curve[0])} to {digits(curve[-1])}", "well"))
    return parts


def _worth(study: Study) -> list[Part]:
    """What the search gained over the defaults, and what is left of the best score on other data."""
    best = study.best
    if best is None:
        return []
    text: list[str | Span] = []
    plain = next((t for t in study.records if t.defaults), None)
    if plain is not None and plain.state == "failed":
        text.append("the defaults failed")
    elif plain is not None and plain.score is not None and best.score is not None:
        text.append(f"defaults {digits(plain.score)}, {_gain(study, best.score, plain.score)}")
    count = len(study.records) - sum(not t.inside for t in study.records)
    if study.expected_score is not None and count > 1:
        text += [" · " if text else "", f"expect about {digits(study.expected_score)} on other data ",
                 muted(f"(corrected for picking the best of {count})")]  # fmt: skip
    return [Line(tuple(text))] if text else []


def _gain(study: Study, best: float, plain: float) -> str:
    """How the best score compares with that of the defaults, which may lie outside the ranges and then be better."""
    gain = plain - best if study.direction == "minimize" else best - plain
    if gain < 0:
        return f"not beaten: {digits(-gain, 2)} better, but outside the ranges"
    return f"beaten by {digits(gain, 2)}" if gain > 0 else "not beaten"


def _no_best(study: Study) -> list[Part]:
    """Defaults outside the ranges that nothing was compared with."""
    plain = next((t for t in study.records if t.defaults and t.state == "complete" and not t.inside), None)
    if study.best is not None or plain is None:
        return []
    return [Note("look", "no best", f"the defaults gave {digits(plain.score)} but lie outside the ranges, and no other trial is complete")]


def _failures(study: Study) -> list[Part]:
    """Each error once, with how many trials it ended."""
    counts = Counter(t.error for t in study.records if t.state == "failed")
    return [Note("look", "failed", f"{n} trial{'' if n == 1 else 's'}: {error}") for error, n in counts.most_common(3)]


def _details(study: Study) -> list[Part]:
    parts: list[Part] = []
    shares = study.thing.body.get("importances") or []
    if shares and study.best is not None:
        rows = [(name, share, value_text(study.best.params.get(name, ""))) for name, share in shares]
        share_ = Column("importance", format="percent", bar="running", bar_max=1.0)
        heads = (Column("parameter", format="code"), share_, Column("best", "right"))
        parts.append(Details("what mattered", [Table(heads, rows)]))
    if len(study.records) > 1 and study.best is not None:
        sign = 1 if study.direction == "minimize" else -1
        ranked = sorted(study.candidates, key=lambda t: sign * (t.score or 0.0))
        parts.append(Details("best trials", [_table(study, ranked[:5], None)]))
    warned = study.thing.body.get("warned") or {}
    if warned:
        rows_ = sorted(warned.items(), key=lambda item: -item[1])[:5]
        kinds = f"{len(warned)} kind{'' if len(warned) == 1 else 's'} of warnings"
        parts.append(Details(f"{kinds} in the trials", [Table(("warning", "trials"), rows_)]))
    return parts


def row(study: Study) -> dict[str, Any]:
    """The panel's line."""
    count, total = len(study.records), study.thing.body["total"]
    curve, score = history(study), study.best_score
    state = WORDS[study.thing.state][0]
    figure = f"{count} of {total}"
    if study.thing.state == "done" and score is not None:
        figure = f"{digits(score, 3)} · {count} trials"
    elif study.thing.state in ("interrupted", "failed"):
        figure += f" · {study.thing.state}"
    elif score is not None:
        figure += f" · {digits(score, 3)}"
    return {"state": state, "figure": figure} | ({"spark": curve[-60:]} if len(curve) > 1 else {})


def best(study: Study) -> dict[str, Any] | None:
    """The best trial as JSON, for readers of the record."""
    if study.best is None:
        return None
    return {
        "number": study.best.number, "score": study.best.score, "params": dict(study.best.params), "expected": study.expected_score,
    }  # fmt: skip


def importances(study: Study) -> list[tuple[str, float]]:
    """How much each parameter mattered, greatest first; of ranges of one name the sum."""
    from nbml.tuning import translation

    names = {key: name for t in study.records for key, name in t.names.items()}
    shares: Counter[str] = Counter()
    for key, share in translation.importances(study.direction, list(study.records)).items():
        shares[names[key]] += share  # type: ignore[assignment]
    return [(name, round(share, 4)) for name, share in shares.most_common()]


def history(study: Study) -> list[float]:
    """The best score so far after each complete trial inside the ranges."""
    better = min if study.direction == "minimize" else max
    curve: list[float] = []
    for trial in study.candidates:
        if trial.score is not None:
            curve.append(better(curve[-1], trial.score) if curve else trial.score)
    return curve


def frame(study: Study) -> pd.DataFrame:
    """The trials as a frame."""
    import pandas as pd

    trials = study.records
    columns: dict[str, Any] = {
        "number": [t.number for t in trials],
        "state": [t.state for t in trials],
        "score": pd.Series([t.score for t in trials], dtype="float64"),
        "started": pd.to_datetime([t.started for t in trials], unit="s", utc=True),
        "finished": pd.to_datetime([t.finished for t in trials], unit="s", utc=True),
    }
    for name in dict.fromkeys(name for t in trials for name in t.params):
        held = [tuple(v) if isinstance(v := t.params.get(name), list) else v for t in trials]
        columns[f"{name}_" if name in columns else name] = held
    return pd.DataFrame(columns)


def trials_report(study: Study) -> Report:
    """The trials as a table, in their order."""
    count = len(study.records)
    title = (strong(study), f": {count} trial{'' if count == 1 else 's'}")
    return Report(title, parts=[_table(study, list(study.records[:MOST]), count)] if count else [], kind="study", ref=str(study))


def _table(study: Study, trials: list[Trial], total: int | None) -> Table:
    names = list(dict.fromkeys(name for t in study.records for name in t.params))
    heads: tuple[Column | str, ...] = ("trial", "state", Column("score", "right"), *(Column(name, format="code") for name in names))
    rows = [
        (t.number, "defaults" if t.defaults else t.state, "" if t.score is None else digits(t.score),
         *(value_text(t.params[n]) if n in t.params else "" for n in names))
        for t in trials
    ]  # fmt: skip
    return Table(heads, rows, total)


def deviation(folds: Any) -> float | None:
    """The standard deviation over the folds; None where there are fewer than two."""
    if len(folds) < 2:
        return None
    mean = sum(folds) / len(folds)
    return float((sum((f - mean) ** 2 for f in folds) / len(folds)) ** 0.5)


def digits(value: float | None, places: int = 4) -> str:
    """A score with as many significant digits as tell two good trials apart."""
    return "" if value is None else f"{value:,.{places}g}".replace("-", "−")


def value_text(value: Any) -> str:
    """A parameter's value, short."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)
