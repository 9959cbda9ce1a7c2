"""The chosen statements as a program that reads well and runs in the notebook's folder."""

from __future__ import annotations

import ast
import re
import shlex
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nbml.slicing import texts
from nbml.slicing.events import Event

if TYPE_CHECKING:
    from nbml.slicing.evidence import Evidence
    from nbml.slicing.recipes import Chosen

_SHOWN = re.compile(r"_\d*$")
FAILED = "except Exception:\n    pass  # it failed in the notebook too, after a part of its work"
#: magics that change nothing which a program computes
_IDLE = frozenset({"matplotlib", "config", "load_ext", "reload_ext", "autoreload", "pip", "conda", "precision", "colors", "xmode"})


@dataclass
class Program:
    """What is written: ``head`` are imports that it needs itself, ``refused`` what no program can do, in sentences."""

    head: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    cell: int | None = None

    def need(self, line: str) -> None:
        if line not in self.head:
            self.head.append(line)


def program(
    chosen: Chosen, evidence: Evidence, name: str, block: Sequence[int], pins: Mapping[int, str], datasets: Mapping[str, str],
    rebound: Mapping[int, Mapping[str, str]],
) -> tuple[str, list[str]]:
    """(the program, why it cannot be one)."""
    found = Program()
    bound = {key for key in chosen.left if key[0] == "n"}
    for place in sorted(bound):  # bound before the record began: modules are known by their value
        value = evidence.namespace.get(place[1])
        if type(value).__name__ == "module" and place[2] in ("", "*"):
            dotted = value.__name__  # type: ignore[union-attr]
            found.need(f"import {dotted}" if dotted == place[1] else f"import {dotted} as {place[1]}")
    inside = set(block)
    first = _header(chosen.events, inside, evidence) if block else None
    opened = False
    for event in chosen.events:
        if event is first or (event.statement.key < 0 and event.evidence):
            continue
        lines = _lines(event, chosen, found, pins, datasets, rebound)
        indent = event.number in inside
        if indent and not opened:
            opened = True
            _open(found, first, name)
        if event.cell != found.cell:
            found.cell = event.cell
            found.body.append(("    " if indent else "") + f"# {event.label}")
        if event.logged and not indent and block:  # of another run's block
            other = _header(chosen.events, {event.number}, evidence)
            found.body.append(other.text.removesuffix("\n    pass") if other is not None else "with nbml.track('another-run'):")
            indent = True
        found.body.append(_indented(lines, event) if indent else lines)
    if block and not opened:
        _open(found, first, name)
        found.body.append("    pass")
    text = "\n".join(found.body)
    if re.search(r"\bnbml\.", text) and not re.search(r"^import (.*\b)?nbml\b", text, re.M):
        found.need("import nbml")
    head = "\n".join(found.head)
    return (f"{head}\n" if head else "") + text + "\n", found.refused


def _open(found: Program, first: Event | None, name: str) -> None:
    found.cell = None
    found.body.append(first.text.removesuffix("\n    pass") if first is not None else f"with nbml.track({name!r}):")


def _header(events: Sequence[Event], inside: set[int], evidence: Evidence) -> Event | None:
    """The ``with nbml.track(...)`` line of a block that was entered statement by statement."""
    keys = {event.statement.block for event in events if event.number in inside}
    found = [event for event in evidence.events if event.statement.key in keys and event.statement.key >= 0]
    return found[-1] if found else None


def _indented(lines: str, event: Event) -> str:
    """A statement one step to the right; texts over several lines stay as they are."""
    moved = textwrap.indent(lines, "    ")
    try:
        same = ast.dump(ast.parse(f"if 1:\n{moved}").body[0].body[0]) == ast.dump(ast.parse(lines).body[0])  # type: ignore[attr-defined]
    except SyntaxError:
        same = False
    return moved if same else textwrap.indent(ast.unparse(ast.parse(lines)), "    ")


def _lines(
    event: Event, chosen: Chosen, found: Program, pins: Mapping[int, str], datasets: Mapping[str, str],
    rebound: Mapping[int, Mapping[str, str]],
) -> str:
    """One statement as the program has it."""
    wanted = chosen.wanted[event.number]
    if event.number in pins:
        name = next(iter(event.names()))
        return f"{name} = nbml.dataset({pins[event.number]!r}).load()"
    text = texts.text(event.text)
    if text.magic is not None:
        return _magic(event, text.magic, found)
    if isinstance(text.node, (ast.Import, ast.ImportFrom)):
        return _import(text.node, wanted, event)
    source = _exchanged(original(event), datasets, rebound.get(event.number, {}))
    if text.awaits:
        return _awaited(source, text, found)
    shown = sorted(name for name in wanted if _SHOWN.match(name)) if event.displayed else []
    if shown:
        source = f"{' = '.join(shown)} = {source}"
    return f"try:\n{textwrap.indent(source, '    ')}\n{FAILED}" if event.failed else source


def original(event: Event) -> str:
    """A statement as it stands on the page, where that can be found; else in its normal form."""
    statement = event.statement
    line, column, last, end = statement.span
    lines = statement.source.splitlines()
    if lines and last <= len(lines):
        cut = [text.encode() for text in lines[line - 1 : last]]
        cut[-1] = cut[-1][:end]
        cut[0] = cut[0][column:]
        source = b"\n".join(cut).decode(errors="replace")
        if column:
            source = textwrap.dedent(" " * column + source)
        above = _above(lines, line - 1) if not column else []
        try:
            tree = ast.parse(source)
            if len(tree.body) == 1 and ast.unparse(tree) == statement.text:
                tail = lines[last - 1].encode()[end:].decode(errors="replace")
                return "\n".join([*above, source]) + (tail if re.fullmatch(r"\s*#.*", tail) else "")
        except SyntaxError:
            pass
    return statement.text


def _above(lines: list[str], line: int) -> list[str]:
    """The comment right above a statement."""
    first = line
    while first > 0 and lines[first - 1].startswith("#") and not lines[first - 1].startswith(("# %%", "#%%")):
        first -= 1
    return lines[first:line]


def _import(node: ast.Import | ast.ImportFrom, wanted: set[str], event: Event) -> str:
    """An import of the needed names only."""
    if any(alias.name == "*" for alias in node.names):
        assert isinstance(node, ast.ImportFrom)
        names = sorted(wanted)
        return ast.unparse(ast.ImportFrom(node.module, [ast.alias(name) for name in names], node.level)) if names else event.text
    kept = [alias for alias in node.names if (alias.asname or alias.name.partition(".")[0]) in wanted]
    if not kept or len(kept) == len(node.names):
        return original(event)
    return ast.unparse(ast.Import(kept) if isinstance(node, ast.Import) else ast.ImportFrom(node.module, kept, node.level))


def _exchanged(source: str, datasets: Mapping[str, str], rebound: Mapping[str, str]) -> str:
    """Paths of changed files by their copies, datasets by their versions, ``Out[3]`` by ``_3``."""
    exchange = {said: ref for said, ref in datasets.items() if said != ref} | dict(rebound)
    if not any(repr(said) in source or f'"{said}"' in source for said in exchange) and "Out[" not in source:
        return source

    class Exchange(ast.NodeTransformer):
        def visit_Constant(self, node: ast.Constant) -> ast.AST:
            return ast.copy_location(ast.Constant(exchange[node.value]), node) if node.value in exchange else node

        def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
            self.generic_visit(node)
            if isinstance(node.value, ast.Name) and node.value.id == "Out" and isinstance(node.slice, ast.Constant):
                return ast.Name(f"_{node.slice.value!r}", node.ctx)
            return node

    return ast.unparse(Exchange().visit(ast.parse(source)))


def _awaited(source: str, text: texts.Text, found: Program) -> str:
    found.need("import asyncio")
    names = ", ".join(sorted(text.binds))
    declared = f"    global {names}\n" if names else ""
    return f"async def _cell():\n{declared}{textwrap.indent(source, '    ')}\nasyncio.run(_cell())"


def _magic(event: Event, magic: tuple[str, str, str], found: Program) -> str:
    """What a magic did, in Python."""
    name, word, line = magic
    if word in ("time", "prun") and "\n" not in line:
        return f"{name} = {line}" if name else line
    if word == "cd":
        found.need("import os")
        return f"os.chdir({line.strip()!r})"
    if word in ("env", "set_env"):
        key, _, value = line.strip().partition("=" if "=" in line else " ")
        found.need("import os")
        return f"os.environ[{key.strip()!r}] = {value.strip()!r}"
    if word == "writefile":
        path, _, content = line.partition("\n")
        found.need("from pathlib import Path")
        return f"Path({path.strip()!r}).write_text({content!r})"
    if word == "run":
        words = shlex.split(line)
        if [w for w in words if not w.startswith("-")][0:1] == words[-1:]:
            found.need("import runpy")
            path = words[-1] if "." in words[-1] else f"{words[-1]}.py"
            given = ", init_globals=dict(globals())" if "-i" in words else ""
            return f"globals().update({{k: v for k, v in runpy.run_path({path!r}{given}).items() if k[:2] != '__'}})"
    if word not in _IDLE and not any("shell command" in why for why in event.why):
        found.refused.append(f"{event.label}: the magic %{word} has no Python form, in `{event.head}`")
    return f"# {event.head}\n" + (f"{name} = None" if name else "pass")
