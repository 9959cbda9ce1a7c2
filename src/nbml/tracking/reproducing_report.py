"""Reproductions as reports, and the verdict on a run as one line of its page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nbml.display import Column, Details, Line, Note, Part, Report, Table, code, muted, seconds, strong

if TYPE_CHECKING:
    from nbml.tracking.reproducing import Reproduction

STATES = {"reproducible": "well", "hidden-state": "look", "not-reproducible": "look"}


def reproduction_report(found: Reproduction) -> Report:
    """One line where all came again; else each metric that did not, and the reasons."""
    title = (strong(found.run.name), muted(f"@{found.run.version}"), " run again")
    count = len(found.recorded)
    facts = [f"{count:,} metric{'' if count == 1 else 's'}"] + ([seconds(found.seconds)] if found.seconds else [])
    parts: list[Part] = []
    if found.differences:
        heads = [Column("metric"), Column("recorded", "right", "exact"), Column("replayed", "right", "exact")]
        parts.append(Table(heads, [(code(name), *values) for name, values in found.differences.items()]))
    parts += [Line(sentence) for sentence in found.why]
    if found.same and found.recorded:
        heads = [Column("metric"), Column("value", "right", "exact")]
        parts.append(Details("Every bit is the same", [Table(heads, [(code(name), value) for name, value in found.recorded.items()])]))
    differs = "differs" if found.differences else "the same, perhaps by luck"
    word = "same" if found.same else differs if found.replayed else "not replayed"
    following = [f'nbml.recipe("{found.run.id}")'] if found.replayed and not found.same else []
    return Report(title, "well" if found.same else "look", word, facts, parts, following, kind="run", ref=str(found.run))


def verdict(said: Mapping[str, Any]) -> list[Part]:
    """The verdict on a run, from its body, with the first reason; [] where none is found yet."""
    recipe = said.get("recipe")
    if not recipe:
        return []
    why, word = list(recipe.get("why", ())), recipe["verdict"]
    if word == "reproducible":
        return [Line((muted("reproducible: "), code(f"%nbml reproduce {said['uid'][:8]}")))]
    more = f" (and {len(why) - 1} more)" if len(why) > 1 else ""
    return [Note(STATES[word], word, f"{why[0] if why else ''}{more}")]
