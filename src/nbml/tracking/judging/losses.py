"""Statements inside the notebook that lose rows of what the run was fitted on: a merge, ``dropna``, a filter.

What takes a sample, a head, a side of a split or a summary loses nothing: it says how many rows it wants.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from nbml.slicing.events import Event
from nbml.tracking.judging import thresholds as at
from nbml.tracking.values import Finding

#: methods that may lose rows without saying how many
LOSING = {
    "dropna": "dropna", "merge": "merge", "join": "join", "query": "a filter", "drop_duplicates": "drop_duplicates",
    "drop": "drop", "filter": "a filter", "concat": "concat",
}  # fmt: skip
#: those that say how many rows they want, or make other rows
WANTED = frozenset({
    "sample", "head", "tail", "nlargest", "nsmallest", "groupby", "train_test_split", "resample", "split", "pivot", "pivot_table",
    "describe", "value_counts", "agg", "unique", "asfreq", "rolling", "crosstab", "melt", "stack", "unstack", "iloc",
})  # fmt: skip


def lost(recorder: Any, seq: int) -> list[Finding]:
    """One finding for each statement that loses more than a twentieth of a frame's rows, and leads to the run in cell ``seq``."""
    found = [_loss(event) for event in leading(recorder.events, seq)]
    several = [one for one in found if one is not None]
    return [finding for finding in several if not _is_split(finding, several)]


def leading(events: Sequence[Event], seq: int) -> list[Event]:
    """The statements before and in a cell whose names it used, and what these used, in their order."""
    needed = {place[1] for event in events if event.cell == seq for place in event.reads if place[0] == "n"}
    found: list[Event] = []
    for event in reversed(events):
        if event.cell > seq or event.failed or not event.names() & needed:
            continue
        found.append(event)
        needed -= {place[1] for place in event.kills if place[0] == "n" and place[2:] == ("",)}  # what a name was before is not used
        needed |= {place[1] for place in event.reads if place[0] == "n"}
    return found[::-1]


def _loss(event: Event) -> Finding | None:
    try:
        node = ast.parse(event.statement.text).body[0]
    except (SyntaxError, IndexError):
        return None
    how, source, goal = _how(node)
    before, after = event.rows.get(source, (None, None))[0], event.rows.get(goal, (None, None))[1]
    if not how or not before or after is None or after >= (1 - at.LOST_ROWS) * before:
        return None
    share = 1 - after / before
    line = event.statement.span[0]
    message = f"{how} in {event.label}, line {line}, loses {before - after:,} of {before:,} rows of {source} ({share:.0%})"
    advice = "look at the rows that are gone: join with how='left' and indicator=True, or fill what is missing, unless they are meant to go"
    evidence = {
        "how": how,
        "cell": event.label,
        "line": line,
        "frame": source,
        "into": goal,
        "before": before,
        "after": after,
        "share": share,
    }
    return Finding("rows-lost", message, evidence, advice)


def _how(node: ast.stmt) -> tuple[str, str, str]:
    """By what a statement may lose rows, of which frame, and the name of what is left; "" where it is none of these."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
        inplace = any(word.arg == "inplace" for word in node.value.keywords)
        name = _root(node.value.func.value)
        return (LOSING.get(node.value.func.attr, ""), name, name) if inplace else ("", "", "")
    if not isinstance(node, (ast.Assign, ast.AnnAssign)) or node.value is None:
        return "", "", ""
    goal = node.targets[0] if isinstance(node, ast.Assign) else node.target
    if not isinstance(goal, ast.Name):
        return "", "", ""
    calls = [one for one in ast.walk(node.value) if isinstance(one, ast.Call)]
    names = [one.func.attr if isinstance(one.func, ast.Attribute) else getattr(one.func, "id", "") for one in calls]
    if set(names) & WANTED or any(isinstance(one, ast.Attribute) and one.attr == "iloc" for one in ast.walk(node.value)):
        return "", "", ""
    how = next((LOSING[name] for name in names if name in LOSING), "")
    source = _root(node.value)
    if not how and any(isinstance(one, ast.Subscript) and _filters(one.slice) for one in ast.walk(node.value)):
        how = "a filter"
    if source in ("pd", "pandas"):
        source = next((_root(arg) for one in calls for arg in one.args if _root(arg) not in ("", "pd", "pandas")), "")
    return how, source, goal.id


def _filters(index: ast.expr) -> bool:
    """Whether an index chooses rows by what they hold."""
    if isinstance(index, ast.Tuple):
        return _filters(index.elts[0])
    return not isinstance(index, ast.Constant | ast.List | ast.Slice)


def _root(node: ast.AST) -> str:
    while isinstance(node, (ast.Subscript, ast.Attribute, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _is_split(finding: Finding, all_of_them: list[Finding]) -> bool:
    """Whether the rows that one statement leaves are, with those of others on the same frame, all that there were."""
    own = finding.evidence
    others = [one.evidence for one in all_of_them if one.evidence["frame"] == own["frame"] and one.evidence["before"] == own["before"]]
    into = {one["into"]: one["after"] for one in others}
    return len(into) > 1 and sum(into.values()) >= (1 - at.LOST_ROWS) * own["before"] and own["into"] != own["frame"]
