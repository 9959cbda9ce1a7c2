"""Suites and checks as reports. Values of private columns appear in none of them, nor in the record."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from nbml.display import (
    Code,
    Column,
    Details,
    Gauge,
    Histogram,
    Line,
    Part,
    Report,
    Table,
    Text,
    chip,
    code,
    figure,
    muted,
    percent,
    seconds,
    strong,
)
from nbml.validation.checking import INDEXES, Checked, reason
from nbml.validation.conditions import Condition
from nbml.validation.reading import Entry
from nbml.validation.values import Failure
from nbml.validation.words import BY_VALUE, columns_of, drift_word

if TYPE_CHECKING:
    from nbml.validation.values import Suite, Validation

Json = dict[str, Any]
#: of values that break an expectation, how many are shown, and how long
EXAMPLES, LONG = 3, 40
#: how a severity is coloured
GRADES = {"critical": "bad", "warning": "look", "info": "idle"}
#: what is told of a result on a private column
COUNTS = (
    "element_count", "missing_count", "missing_percent", "unexpected_count", "unexpected_percent", "unexpected_percent_total",
    "unexpected_percent_nonmissing",
)  # fmt: skip


# -- what is told ---------------------------------------------------------------------------------------------


def failures(checked: Checked, columns: Mapping[str, str], private: Collection[str]) -> tuple[Failure, ...]:
    """The failed expectations of a check as they are shown, worst first. ``columns`` are the frame's with their types."""
    found = [_failure(checked.failures[place], columns, private) for place in sorted(checked.failures)]
    return tuple(sorted(found, key=lambda failure: failure.worse))


def _failure(result: Json, columns: Mapping[str, str], private: Collection[str]) -> Failure:
    config, own = result["expectation_config"], result.get("result") or {}
    hidden = is_private(config, private)
    why = reason(result, columns)
    if hidden and why and not why.startswith(("no column", "not enough rows")):
        why = "could not be evaluated"
    details = own.get("details")
    told: Json = details if isinstance(details, dict) else {}
    drifts = drift_word(config["type"]) is not None
    share = own.get("unexpected_percent")
    at, low, high = (None, None, None) if hidden and not drifts else _placed(config, own)
    return Failure(
        text=expression(config),
        share=None if share is None else share / 100,
        allowed=1 - float(config["kwargs"].get("mostly", 1)) if config["type"].startswith(BY_VALUE) else None,
        count=int(own.get("unexpected_count") or 0),
        examples=() if hidden else _examples(own.get("partial_unexpected_list") or []),
        observed="private" if hidden and not drifts else _observed(config, own),
        reason=why,
        reference=tuple(told.get("reference", ())),
        now=tuple(told.get("now", ())),
        severity=str(config.get("severity") or "critical"),
        at=at,
        low=low,
        high=high,
    )


def _placed(config: Json, own: Json) -> tuple[float | None, float | None, float | None]:
    """The figure that was found, and the bounds within which it should lie; None where one is no number."""
    kwargs, found = config["kwargs"], own.get("observed_value")
    low, high = 0 if drift_word(config["type"]) else kwargs.get("min_value"), kwargs.get("max_value")
    if isinstance(found, dict) and len(found.get("values") or ()) == 1:  # a quantile
        found, (low, high) = found["values"][0], kwargs["quantile_ranges"]["value_ranges"][0]
    if config["type"].endswith("_to_equal") and "value" in kwargs:
        low = high = kwargs["value"]
    if expression(config).startswith("null_share"):
        found, low, high = (None if v is None else 1 - v for v in (found, high, low))
    at, least, most = (_finite(v) for v in (found, low, high))
    return (at, least, most) if at is not None else (None, None, None)


def _finite(shown: Any) -> float | None:
    return float(shown) if isinstance(shown, (int, float)) and not isinstance(shown, bool) and math.isfinite(shown) else None


def expression(config: Json) -> str:
    """An expectation as it is shown: without its keywords, but for ``where``."""
    own = config["meta"]["nbml"]
    return str(own.get("short") or own["text"]) + (f" where {own['where']}" if own.get("where") else "")


def is_private(config: Json, private: Collection[str]) -> bool:
    """Whether an expectation looks at a private column."""
    condition = config.get("meta", {}).get("nbml", {}).get("where")
    named = [*columns_of(config["kwargs"]), *(Condition(Entry(condition)).columns() if condition else ())]
    foreign = json.dumps(config["kwargs"].get("row_condition") or "", ensure_ascii=False, default=str)
    return any(name in private for name in named) or any(name in foreign for name in private)


def _examples(values: list[Any]) -> tuple[str, ...]:
    found = list(dict.fromkeys(value(v) for v in values))
    return tuple(found[:EXAMPLES])


def value(shown: Any) -> str:
    """A value of the data: text in quotes, with what is not seen as its escape; numbers with up to six digits."""
    if shown is None:
        return "null"
    if isinstance(shown, str):
        text = json.dumps(shown, ensure_ascii=False)
        if not text.isprintable():  # a space that does not break, a mark of direction
            text = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
        return text if len(text) <= LONG else text[: LONG - 2] + "…" + text[-1]
    if isinstance(shown, (list, tuple)):
        return f"({', '.join(value(v) for v in shown)})"
    if isinstance(shown, dict):
        return f"({', '.join(f'{k} {value(v)}' for k, v in shown.items())})"
    if isinstance(shown, float) and math.isfinite(shown):
        return f"{shown:,.6g}".replace("-", "−")
    if isinstance(shown, int) and not isinstance(shown, bool):
        return f"{shown:,}".replace("-", "−")
    text = str(shown)
    return text if len(text) <= LONG else text[: LONG - 1] + "…"


def _observed(config: Json, own: Json) -> str:
    shown, details = own.get("observed_value"), own.get("details")
    apart = details.get("mismatched") if isinstance(details, dict) else None
    if isinstance(apart, dict) and ("missing" in apart or "unexpected" in apart):  # columns
        return "; ".join(f"{word} {', '.join(map(str, apart[word]))}" for word in ("missing", "unexpected") if apart.get(word))
    if shown is None:
        return ""
    if expression(config).startswith("null_share") and isinstance(shown, (int, float)):
        return value(1 - shown)
    if shown == []:
        return "none"
    if isinstance(shown, dict) and "values" in shown:  # quantiles
        shown = shown["values"] if len(shown["values"]) > 1 else shown["values"][0]
    if isinstance(shown, list) and len(shown) > EXAMPLES:
        return ", ".join(value(v) for v in shown[:EXAMPLES]) + f" and {len(shown) - EXAMPLES} more"
    return ", ".join(value(v) for v in shown) if isinstance(shown, list) else value(shown).strip('"')


def recorded(results: list[Json], columns: Mapping[str, str], private: Collection[str], index: Collection[Any] = ()) -> list[Json]:
    """Results as the record keeps them: no tracebacks, no long lists, no values of private columns. ``index`` are the names
    of the frame's index: labels of a private one are values too."""
    bare = any(str(name) in private for name in index)
    return [_recorded(result, columns, is_private(result["expectation_config"], private), bare) for result in results]


def _recorded(result: Json, columns: Mapping[str, str], hidden: bool, bare: bool) -> Json:
    own = result.get("result") or {}
    config = result["expectation_config"]
    keep = (*COUNTS, "observed_value") if drift_word(config["type"]) else COUNTS
    left = ("unexpected_index_query", *(INDEXES if bare else ()))
    told = {key: v for key, v in own.items() if key not in left and (not hidden or key in keep)}
    short = {key: v[:20] if isinstance(v, list) else v for key, v in told.items()}
    found: Json = {"success": result["success"], "expectation_config": config, "result": short}
    why = reason(result, columns) if not result["success"] else ""
    if why:
        found["reason"] = "could not be evaluated" if hidden and not why.startswith(("no column", "not enough rows")) else why
    return found


# -- reports --------------------------------------------------------------------------------------------------


def validation_report(found: Validation) -> Report:
    """One line when all is well; what failed, and by how much, when not."""
    count, bad = len(found.results), len(found.failures)
    said = f"{count:,} of {count:,} expectation{'' if count == 1 else 's'} hold" if not bad else f"{bad:,} of {count:,} expectations fail"
    if count == 1:
        said = "the expectation holds" if not bad else "the expectation fails"
    title = (*_named(found.suite), *((" on ", strong(found.data)) if found.data else ()), f": {said}")
    facts = [f"{found.rows:,} row{'' if found.rows == 1 else 's'}", seconds(found.seconds)]
    lost: list[Part] = [] if found.kept else [Line(muted("not kept: the project's record can only be read here"))]
    if not bad:
        return Report(title, "well", "passed", facts, lost, kind="validation", ref=_ref(found), id=_id(found))
    parts: list[Part] = [*lost, _failed(found.failures)]
    if found.most is not None:
        parts.append(Line(muted(f"the data were read in batches: failing_rows() holds the first {found.most:,} rows of each expectation")))
    held = [expression(r["expectation_config"]) for r in found.results if r["success"]]
    if held:
        lines = [Line(code(text)) for text in held]
        parts.append(Details(f"{len(held):,} expectation{' holds' if len(held) == 1 else 's hold'}", lines))
    following = ["_.failing_rows()"] if found._failing is not None and len(found._failing) else []
    return Report(title, "bad", "failed", facts, parts, following, _id(found), "validation", _ref(found))


def _named(ref: str) -> tuple[Any, ...]:
    name, at, number = ref.partition("@")
    return (strong(name), muted(at + number)) if at else (strong(name),)


def _ref(found: Validation) -> str:
    return found.thing.ref if found.thing is not None else ""


def _id(found: Validation) -> str | None:
    return found.thing.body.get("result") if found.thing is not None else None


def _failed(found: tuple[Failure, ...]) -> Table:
    """Worst first. A column is there where a failure has something for it."""
    shares = [f.share for f in found if f.share is not None]
    graded, drawn = any(f.severity != "critical" for f in found), any(f.now for f in found)
    placed = any(_gauged(f) for f in found)
    heads: list[Column | str] = [Column("expectation", format="code")]
    heads += ["severity"] if graded else []
    if shares:
        top = max(shares) or 1.0
        heads += [Column("unexpected", "right", "percent", "bad", min(1.0, top * 2.4), "allowed"), Column("allowed", "right", "percent")]
    elif placed:
        heads += ["how far off"]
    heads += ["for instance" if shares else "found"] + (["reference and now"] if drawn else [])
    rows = []
    for f in found:
        row: list[Any] = [f.text]
        if graded:
            row.append(chip(f.severity, GRADES.get(f.severity, "idle")))
        if shares or placed:
            row.append(Gauge(f.at, f.low, f.high, _off(f)) if _gauged(f) else f.share)
        if shares:
            row.append(f.allowed if f.share is not None else None)
        row.append(_instance(f))
        if drawn:
            row.append(Histogram(f.reference, f.now, _shares(f)) if f.now else None)
        rows.append(row)
    return Table(heads, rows)


def _gauged(f: Failure) -> bool:
    return f.at is not None and (f.low is not None or f.high is not None)


def _off(f: Failure) -> str:
    """How far off a figure is, in words: by how much of the bounds' width, or of the bound."""
    assert f.at is not None
    above = f.high is not None and f.at >= f.high
    bound = f.high if above else f.low
    if bound is None or (not above and f.low is not None and f.at > f.low):
        return ""
    away = abs(f.at - bound)
    return f"{figure(away)} {'above' if above else 'below'} {figure(bound)}" if away else f"at {figure(bound)}"


def _shares(f: Failure) -> str:
    """Two histograms in words."""
    told = [" ".join(f"{share * 100:.0f}" for share in shares) for shares in (f.reference, f.now)]
    return f"per cent in {len(f.now)} bins: reference {told[0]}; now {told[1]}"


def _instance(found: Failure) -> Text:
    if found.reason:
        return found.reason
    rows = muted(f"{found.count:,} row{'' if found.count == 1 else 's'}")
    if found.examples:
        return (f"{', '.join(found.examples)} ", muted(f"({rows.text})"))
    if found.share is not None:
        return (rows,)
    return found.observed or "no value"


def draft_report(found: Validation) -> Report:
    """The draft as a cell to run: neither a suite nor a pass."""
    lines = len(found.draft.splitlines())
    name = found.suite.partition("@")[0]
    title = (f"not validated: draft of {lines} line{'' if lines == 1 else 's'}", *((" from ", strong(found.data)) if found.data else ()))
    parts: list[Part] = [Line(("there is no suite ", code(name), *((" (nearest: ", code(found.nearest), ")") if found.nearest else ()),
                               "; run this cell to keep the draft as one"))]  # fmt: skip
    if found.sample:
        parts.append(Line(muted(found.sample)))
    parts.append(Code(cell(name, found.draft)))
    return Report(title, "look", "draft", [f"{found.rows:,} row{'' if found.rows == 1 else 's'}"], parts)


def cell(name: str, text: str) -> str:
    """The cell that makes a suite."""
    return f"%%nbml expect {name}\n{text}"


def suite_report(suite: Suite) -> Report:
    """Both forms of a suite, and the check where one was asked for."""
    body = suite.thing.body
    count = len(body["suite"]["expectations"])
    facts = [f"{count:,} expectation{'' if count == 1 else 's'}"]
    reference = body.get("reference")
    if reference:
        facts.append(f"reference of {reference['rows']:,} rows pinned")
    forms: list[Part] = [
        Code(suite.text.strip("\n")),
        Details("as Great Expectations JSON", [Code(json.dumps(body["suite"], indent=2, ensure_ascii=False), "json")]),
    ]
    following = [f"%nbml validate df --suite {suite.name}"]
    if suite.validation is not None:
        check = validation_report(suite.validation)
        said = check.title[-1] if isinstance(check.title, tuple) else check.title
        title = (strong(suite), said)
        parts = [*check.parts, Details("the suite", forms)]
        return Report(title, check.state, check.word, [*facts[1:], *check.facts], parts, [], body.get("result"), "suite", str(suite))
    word = "stored" if suite.new else ""
    return Report((strong(suite),), "well" if suite.new else "idle", word, facts, forms, following, body.get("result"), "suite", str(suite))


def row(found: Validation) -> Json:
    """The panel's line of a check."""
    count, bad = len(found.results), len(found.failures)
    figure = f"{bad} of {count} fail" if bad else f"{count} of {count} hold"
    label = f"{found.suite.partition('@')[0]} on {found.data}" if found.data else found.suite
    shares = [f.share for f in found.failures if f.share is not None]
    worst = f" · {percent(max(shares))}" if shares else ""
    return {"state": "bad" if bad else "well", "figure": figure + worst, "label": label}
