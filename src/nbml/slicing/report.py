"""Slices as reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbml.display import Code, Column, Line, Note, Part, Report, Table, code, muted, size, strong

if TYPE_CHECKING:
    from nbml.slicing.replayable import Recipe
    from nbml.slicing.values import Slice


def slice_report(slice: Slice) -> Report:
    """What it holds in one line, the source, and the files that go with it."""
    lines = slice.source.count("\n")
    facts = [f"{lines:,} lines"]
    if slice.artifacts:
        total = sum(len(a.content) for a in slice.artifacts.values())
        facts.append(f"{_count(len(slice.artifacts), 'artifact')}, {size(total)}")
    if slice.files:
        facts.append(_count(len(slice.files), "local module"))
    parts: list[Part] = [Note("look", "look", warning) for warning in slice.warnings]
    parts.append(Code(slice.source))
    rows = [(code(a.path), len(a.content), muted(a.sha256[:12])) for a in slice.artifacts.values()]
    rows += [(code(path), len(content), muted(slice.hashes[path][:12])) for path, content in slice.files.items()]
    if rows:
        parts.append(Table(("file", Column("size", "right", "bytes"), "sha256"), rows))
    if slice.requirements:
        parts.append(Line((muted("needs "), ", ".join(slice.requirements))))
    if slice.environment:
        parts.append(Line((muted("reads from the environment "), ", ".join(slice.environment))))
    state, following = "look" if slice.warnings else "well", [slice.following] if slice.following else []
    return Report((strong(slice.name), f" as {slice.module}.py"), state, "slice", facts, parts, following)


def recipe_report(recipe: Recipe) -> Report:
    """The verdict and why, the program, and what it reads."""
    state = {"reproducible": "well", "hidden-state": "look"}.get(recipe.verdict, "bad")
    parts: list[Part] = [Note("look" if state == "look" else "bad", recipe.verdict, why) for why in recipe.why]
    parts += [Note("look", "note", note) for note in recipe.notes]
    parts.append(Code(recipe.source))
    rows = [(said.kind, code(said.name), muted(said.hash[:12]), "yes" if said.kept else "") for said in recipe.inputs]
    if rows:
        parts.append(Table(("reads", "name", "sha256", "copy kept"), rows))
    facts = [recipe.verdict, f"{_count(recipe.source.count(chr(10)), 'line')}", _count(len(recipe.inputs), "input")]
    return Report((strong(recipe.name),), state, "recipe", facts, parts)  # type: ignore[arg-type]


def _count(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")
