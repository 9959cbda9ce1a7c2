"""Events of cells that ran before the record began: their text alone speaks."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING

from nbml.slicing import texts
from nbml.slicing.events import Event, Place, Statement, name_place
from nbml.slicing.texts import Text

if TYPE_CHECKING:
    from nbml.slicing.cells import Cell

_PLAIN = (ast.Call, ast.BinOp, ast.Compare, ast.Constant)


class Aliases:
    """Which names may be one object, by the text: ``b = a``, ``{"k": a}``, ``a[...]``."""

    def __init__(self) -> None:
        self.groups: dict[str, set[str]] = {}

    def may_change(self, text: Text) -> set[str]:
        """Names whose values a statement may change."""
        node = text.node
        if isinstance(node, ast.Assign) and not isinstance(node.value, _PLAIN):
            for name in text.binds:
                group = {name}.union(*(self.groups.get(other, {other}) for other in text.reads))
                self.groups |= dict.fromkeys(group, group)
        elif not text.maybe:
            self.groups |= {name: {name} for name in text.binds - set(text.reads)}
        return set().union(*(self.groups.get(name, {name}) for name in text.maybe))


def by_text(number: int, cell: Cell, statement: Statement, text: Text, aliases: Aliases, known: set[str]) -> Event:
    """What a statement read and wrote as far as its text tells; values are unknown. ``known`` are names bound before."""
    reads: dict[Place, None] = {name_place(name): None for name in text.reads if name in known}
    writes: dict[Place, None] = {name_place(name): None for name in text.binds | text.deletes}
    kills = frozenset(name_place(name) for name in (text.binds | text.deletes) - set(text.reads))
    writes |= {name_place(name): None for name in aliases.may_change(text) if name in known}
    where = (number, cell.seq, cell.id, cell.count, statement)
    return Event(*where, reads, writes, kills, False, False, False, tuple(sorted(text.why)))


def events(cells: Iterable[Cell]) -> list[Event]:
    """The events of cells, in order."""
    found: list[Event] = []
    aliases, known = Aliases(), set[str]()
    for cell in cells:
        for node in (inner for outer in cell.statements() for inner in texts.timed(outer)):
            span = (node.lineno, node.col_offset, node.end_lineno or node.lineno, node.end_col_offset or 0)
            statement = Statement(-1, ast.unparse(node), cell.source, span)
            try:
                text = texts.text(statement.text)
            except SyntaxError:
                continue
            if text.magic is not None and text.magic[1] in ("load_ext", "reload_ext", "nbml"):
                continue
            found.append(by_text(len(found), cell, statement, text, aliases, known))
            known |= text.binds
    return found
