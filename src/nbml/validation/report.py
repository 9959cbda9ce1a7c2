"""Suites and checks as reports. Values of private columns appear in none of them, nor in the record."""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from nbml.display import Code, Column, Details, Histogram, Line, Part, Report, Table, Text, code, muted, percent, seconds, strong
from nbml.validation.checking import Checked, reason
from nbml.validation.conditions import Condition
from nbml.validation.reading import Entry
from nbml.validation.values import Failure
from nbml.validation.words import BY_VALUE, columns_of, drift_word

if TYPE_CHECKING:
    from nbml.validation.values import Suite, Validation

Json = dict[str, Any]
#: of values that break an expectation, how many are shown, and how long
EXAMPLES, LONG = 3, 40
#: what is told of a result on a private column
COUNTS = (
    "element_count", "missing_count", "missing_percent", "unexpected_count", "unexpected_percent", "unexpected_percent_total",
    "unexpected_percent_nonmissing",
)  # fmt: skip


# -- what is told ---------------------------------------------------------------------------------------------


def failures(checked: Checked, columns: list[str], private: Collection[str]) -> tuple[Failure, ...]:
    """The failed expectations of a check, as they are shown."""
    return tuple(_failure(checked.failures[place], columns, private) for place in sorted(checked.failures))


def _failure(result: Json, columns: list[str], private: Collection[str]) -> Failure:
    config, own = result["expectation_config"], result.get("result") or {}
    hidden = is_private(config, private)
    why = reason(result, columns)
    if hidden and why and not why.startswith(("no column", "not enough rows")):
        why = "could not be evaluated"
    details = own.get("details")
    told: Json = details if isinstance(details, dict) else {}
    drifts = drift_word(config["type"]) is not None
    share = own.get("unexpected_percent")
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
    )


def expression(config: Json) -> str:
    """An expectation as it is shown: without its keywords, but for ``where``."""
    own = config["meta"]["nbml"]
    return str(own.get("short") or own["text"]) + (f" where {own['where']}" if own.get("where") else "")


def is_private(config: Json, private: Collection[str]) -> bool:
    """Whether an expectation looks at a private column."""
    condition = config.get("meta", {}).get("nbml", {}).get("where")
    named = [*columns_of(config["kwargs"]), *(Condition(Entry(condition)).columns() if condition else ())]
    return any(name in private for name in named)


def _examples(values: list[Any]) -> tuple[str, ...]:
    found = list(dict.fromkeys(value(v) for v in values))
    return tuple(found[:EXAMPLES])


def value(shown: Any) -> str:
    """A value of the data: text in quotes, numbers with up to six digits."""
    if shown is None:
        return "null"
    if isinstance(shown, str):
        text = json.dumps(shown, ensure_ascii=False)
        return text if len(text) <= LONG else text[: LONG - 1] + "…"
    if isinstance(shown, (list, tuple)):
        return f"({', '.join(value(v) for v in shown)})"
    if isinstance(shown, dict):
        return f"({', '.join(f'{k} {value(v)}' for k, v in shown.items())})"
    if isinstance(shown, float) and math.isfinite(shown):
        return f"{shown:,.6g}".replace("-", "−")
    if isinstance(shown, int) and not isinstance(shown, bool):
        return f"{shown:,}".replace("-", "−")
    return str(shown)[:LONG]


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


def recorded(results: list[Json], columns: list[str], private: Collection[str]) -> list[Json]:
    """Results as the record keeps them: no tracebacks, no long lists, no values of private columns."""
    return [_recorded(result, columns, is_private(result["expectation_config"], private)) for result in results]


def _recorded(result: Json, columns: list[str], hidden: bool) -> Json:
    own = result.get("result") or {}
    config = result["expectation_config"]
    keep = (*COUNTS, "observed_value") if drift_word(config["type"]) else COUNTS
    told = {key: v for key, v in own.items() if key != "unexpected_index_query" and (not hidden or key in keep)}
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
    shares = [f.share for f in found if f.share is not None]
    heads: list[Column | str] = [Column("expectation", format="code")]
    if shares:
        top = max(shares) or 1.0
        heads += [Column("unexpected", "right", "percent", "bad", min(1.0, top * 2.4)), Column("allowed", "right", "percent")]
    drawn = any(f.now for f in found)
    heads += ["for instance" if shares else "found"] + (["reference and now"] if drawn else [])
    rows = []
    for f in found:
        row: list[Any] = [f.text]
        if shares:
            row += [f.share, f.allowed if f.share is not None else None]
        row.append(_instance(f))
        if drawn:
            row.append(Histogram(f.reference, f.now, "shares of the reference and now") if f.now else None)
        rows.append(row)
    return Table(heads, rows)


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
