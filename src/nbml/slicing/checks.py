"""What a written module is judged by before it leaves: secrets, changed libraries, predictions that ask the clock."""

from __future__ import annotations

import ast
from collections.abc import Collection
from typing import TYPE_CHECKING

from nbml import errors
from nbml.slicing import clocks, patches, risks
from nbml.slicing import statements as texts
from nbml.slicing.cells import binds

if TYPE_CHECKING:
    from nbml.slicing.cutting import Cutter


def judge(cut: Cutter, targets: Collection[str], tree: ast.Module) -> None:
    """Raises errors.SliceRefused naming the first thing that must not leave the notebook."""
    _secrets(cut, tree)
    for patch in patches.found(cut, tree):
        raise errors.SliceRefused(patch)
    _clocks(cut, targets)


def _secrets(cut: Cutter, tree: ast.Module) -> None:
    found = [(tree, "the slice"), *((ast.parse(content), path) for path, content in cut.belongings.files.items())]
    for program, where in found:
        for name in risks.secrets(program):
            if name not in cut.allow:
                raise risks.refuse_secret(name, where)


def _clocks(cut: Cutter, targets: Collection[str]) -> None:
    """No prediction that asks the clock, or draws anew."""
    reach = clocks.Reach({n: p.text for n, p in cut.parts.items()}, {n: p.holds | p.gains for n, p in cut.parts.items()}, cut._live)
    for asks in reach.asks([name for name in targets if name in cut.parts]):
        raise errors.SliceRefused(f"{asks.function} calls {asks.called}(){place(cut, asks.part, asks.node.lineno - 1)}, which {asks.why}")


def place(cut: Cutter, name: str, below: int) -> str:
    """" (cell 3, line 5)": where a line of a part stands, counted from the part's first; "" where that is not known."""
    part, statement = cut.parts[name], cut.statements.last(name)
    where = part.label
    if statement is not None and statement.label == where and statement.source == part.text:
        where += f", line {texts.first_line(statement.node) + below}"
    return f" ({where})" if where else ""


def line(cut: Cutter, text: str, number: int) -> str:
    """Where a line of the module's text came from."""
    for node in ast.parse(text).body:
        if texts.first_line(node) <= number <= (node.end_lineno or node.lineno):
            known = [name for name in binds(node) if name in cut.parts]
            return place(cut, known[0], number - texts.first_line(node)) if known else ""
    return ""
