"""Whether the order of a set has a part in a result: text cannot see it, two processes can."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import replace

from nbml.slicing import digests, texts
from nbml.slicing.events import Event
from nbml.slicing.evidence import Evidence
from nbml.slicing.replayable import Recipe

#: seconds that a proof may take
LIMIT = 60.0
#: what takes a set and does not look at its order
_ORDERLESS = frozenset({
    "sorted", "len", "min", "max", "sum", "any", "all", "set", "frozenset", "isin", "issubset", "issuperset", "isdisjoint",
})  # fmt: skip


def ordered(found: Recipe, events: Sequence[Event], evidence: Evidence) -> Recipe:
    """The recipe, with the verdict of two processes that hash otherwise where sets of texts or hashes may have a part in it."""
    suspects = [event for event in events if doubtful(event, evidence)]
    if not suspects or found.missing():
        return found
    through = "nbml.slicing.digests:digest"
    plays = [found.played(LIMIT, hashseed=seed, through=through) for seed in (1, 2, 3)]
    first = plays[0]
    if any(play.error for play in plays):
        return found
    here = digests.digest(evidence.namespace[found.name]) if found.name in evidence.namespace and not found.logs else ""
    same = all(play.values == first.values and [r.points for r in play.runs] == [r.points for r in first.runs] for play in plays)
    if same and (not here or first.values.get(found.name, here) == here):
        return found
    event = suspects[0]
    why = f"{event.label}: processes give different values: the order of a set, or randomness, has a part in it, in `{event.head}`"
    return replace(found, verdict="not-reproducible", why=(why,))


def doubtful(event: Event, evidence: Evidence) -> bool:
    """Whether a statement makes a set or a hash, or takes one up, in a way that may look at the order."""
    text = texts.text(event.text)
    if "hash" in text.calls:
        return True
    harmless: set[ast.AST] = set()
    for node in ast.walk(text.node):
        if isinstance(node, ast.Call) and texts.called(node) in _ORDERLESS:
            harmless |= set(_args(node))
        elif isinstance(node, ast.Compare):
            harmless |= set(node.comparators)
    made = [node for node in ast.walk(text.node) if _is_set(node) and node not in harmless]
    if any(not (isinstance(text.node, ast.Assign) and node is text.node.value) for node in made):
        return True
    sets = {name for name, view in evidence.views.items() if view.unordered}
    reads = (node for node in ast.walk(text.node) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load))
    return any(node.id in sets and node not in harmless for node in reads)


def _args(node: ast.Call) -> Iterable[ast.AST]:
    for arg in node.args:
        yield arg
        if isinstance(arg, (ast.GeneratorExp, ast.ListComp)):
            yield from ast.walk(arg)


def _is_set(node: ast.AST) -> bool:
    if isinstance(node, ast.Set):
        return any(not isinstance(part, ast.Constant) or isinstance(part.value, (str, bytes)) for part in node.elts)
    return isinstance(node, ast.SetComp) or (isinstance(node, ast.Call) and texts.called(node) in ("set", "frozenset") and bool(node.args))
