"""What the code that calls ``tune.float(...)`` calls its result: read from the caller's own source.

Python 3.11 knows the exact place of the instruction that runs, so the call is found in the syntax tree by position.
"""

from __future__ import annotations

import ast
import copy
import functools
import itertools
import linecache
from collections.abc import Mapping
from types import FrameType
from typing import Any

from nbml.tuning.ranges import Site

#: parameters of ``tune`` that may stand by place, and those that are texts
PLACES, TEXTS = ("estimator_or_function", "X", "y"), ("metric", "direction")
#: characters of a line that is proposed
LONGEST = 300


def site(frame: FrameType) -> Site | None:
    """Where in its source the frame stands; None where Python was told to forget (``-X no_debug_ranges``)."""
    place = next(itertools.islice(frame.f_code.co_positions(), frame.f_lasti // 2, None), None)
    if place is None or None in place:
        return None
    line, end_line, column, end_column = place
    return Site(frame.f_code.co_filename, line or 0, column or 0, end_line or 0, end_column or 0)


def name_at(where: Site | None) -> str | None:
    """The name that the call at ``where`` gives its value: assignment target or keyword; None where there is none."""
    call = node_at(where)
    tree = _tree(source_of(where.file)) if where is not None else None
    return None if call is None or tree is None else _name(tree, call)


def named_calls(source: str) -> dict[str, Site]:
    """The calls of ``tune.float`` and its kin in ``source`` that have a name of their own; a name given twice has none."""
    found: dict[str, list[Site]] = {}
    tree = _tree(source)
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) in ("tune", "nbml.tune"):
            given = [k.value.value for k in node.keywords if k.arg == "name" and isinstance(k.value, ast.Constant)]
            name = given[0] if given else _name(tree, node)
            place = Site("", node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0)
            found.setdefault(str(name), []).append(place)
    return {name: places[0] for name, places in found.items() if len(places) == 1 and name != "None"}


def _name(tree: ast.Module | None, call: ast.Call) -> str | None:
    for node in ast.walk(tree or ast.Module([], [])):
        if isinstance(node, ast.Assign) and node.value is call:
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            return names[0] if len(names) == len(node.targets) == 1 else None
        if isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and node.value is call:
            return node.target.id if isinstance(node.target, ast.Name) else None
        if isinstance(node, ast.keyword) and node.value is call:
            return node.arg
    return None


def node_at(where: Site | None) -> ast.Call | None:
    """The call that stands at ``where``."""
    tree = _tree(source_of(where.file)) if where is not None else None
    if where is None or tree is None:
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (
            (node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)
            == (where.line, where.column, where.end_line, where.end_column)
        ):
            return node
    return None


def meant(instead: tuple[str, str], names: Mapping[str, Any], X: Any) -> tuple[str, str] | None:  # noqa: N803
    """What to give instead, where that is a y: one of ``names`` that has a value for each row of X, or None.

    Where X is missing too, it is the name X, or that of a table.
    """
    if instead == ("X", "X y"):
        tables = [name for name, value in names.items() if not name.startswith("_") and len(getattr(value, "shape", ())) == 2]
        found = "X" if "X" in tables else tables[0] if tables else ""
        pair = meant(("y", "y"), names, names[found]) if found else None
        return None if pair is None else ("X", f"{found} {pair[1]}")
    if instead != ("y", "y"):
        return instead
    rows = (getattr(X, "shape", None) or (len(X) if hasattr(X, "__len__") and not isinstance(X, str) else None,))[0]
    flat = [name for name, value in names.items() if not name.startswith("_") and getattr(value, "shape", None) == (rows,)]
    if "y" in names and (rows is None or "y" in flat or (isinstance(names["y"], list) and len(names["y"]) == rows)):
        return instead
    return ("y", flat[0]) if flat else None


def amended(frame: FrameType, parameter: str, text: str) -> str | None:
    """The call that the frame stands at, on one line, with that value for a parameter; None where it cannot be read."""
    call = copy.deepcopy(node_at(site(frame)))
    if call is None or any(isinstance(arg, ast.Starred) for arg in call.args) or any(k.arg is None for k in call.keywords):
        return None
    value = ast.Constant(text) if parameter in TEXTS else ast.parse(text, mode="eval").body
    at = PLACES.index(parameter) if parameter in PLACES else len(PLACES)
    given = [keyword for keyword in call.keywords if keyword.arg == parameter]
    if at < len(call.args):
        call.args[at] = value
    elif given:
        given[0].value = value
    elif at == len(call.args):
        call.args.append(value)
    else:
        call.keywords.append(ast.keyword(parameter, value))
    line = ast.unparse(call)
    return line if len(line) <= LONGEST else None


def source_of(file: str) -> str:
    """The text of a file or cell, as Python's tracebacks know it; "" where they do not."""
    return "".join(linecache.getlines(file))


def remember(file: str, source: str) -> None:
    """Let tracebacks show the lines of ``source`` under ``file``, where they do not know the file already."""
    if linecache.getlines(file) != source.splitlines(keepends=True):
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)


@functools.lru_cache(maxsize=16)
def _tree(source: str) -> ast.Module | None:
    try:
        return ast.parse(source) if source else None
    except SyntaxError:
        return None
