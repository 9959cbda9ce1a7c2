"""The program of a study with its best values where the ranges stood."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from nbml import errors
from nbml.tuning.ranges import PLAIN
from nbml.tuning.values import Study, Trial, missing

Corners = tuple[int, int, int, int]


def text(study: Study) -> str:
    """The source of the study's cell, or of the estimator alone where it was an argument, with the best trial's values.

    Where a range was not written there, the estimator in full, or the values as a comment. Raises errors.UsageError.
    """
    best = study.best
    if best is None:
        why = "it is still running" if study.state == "running" else missing(study)
        raise errors.UsageError(f"study {study} has no best values: {why}", next=f'nbml.study("{study}").trials')
    head = f"# best of {study}: {study.metric} {study.best_score!r}\n"
    filled = _filled(study, best)
    if filled is not None:
        return head + _with_tune(filled)
    if study.thing.body["form"] == "estimator" and "blob" in study.thing.body:
        from sklearn.base import clone

        return head + clone(study.best_estimator).__repr__(N_CHAR_MAX=1_000_000)
    return head + "".join(f"# {name} = {value!r}\n" for name, value in study.best_params.items())


def _with_tune(source: str) -> str:
    """``tune.report`` and the like do nothing outside a trial, but the name has to be there."""
    tree = ast.parse(source)
    used = any(isinstance(node, ast.Name) and node.id == "tune" for node in ast.walk(tree))
    bound = any(isinstance(node, ast.arg) and node.arg == "tune" for node in ast.walk(tree))
    return f"from nbml import tune\n\n{source}" if used and not bound else source


def _filled(study: Study, best: Trial) -> str | None:
    body = study.thing.body
    source, sites = body.get("source", ""), body.get("sites", {})
    corners = [tuple(site) for site in sites.values()]
    span = body.get("span")
    outside = span is not None and any(c[:2] < tuple(span[:2]) or c[2:] > tuple(span[2:]) for c in corners)
    if not source or set(sites) != set(best.raw) or len(set(corners)) < len(corners) or outside:
        return None
    try:
        return _Source(source, dict(zip(corners, sites, strict=True)), best).render(span)
    except _Elsewhere:
        return None


class _Elsewhere(Exception):
    """A value cannot be written as source."""


class _Source:
    """A program whose calls of ``tune.float`` and its kin are known by place."""

    def __init__(self, source: str, keys: Mapping[Any, str], best: Trial) -> None:
        self.bytes = source.encode()
        self.starts = [0]
        for line in source.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line.encode()))
        calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
        self.calls = {node: keys[_corners(node)] for node in calls if _corners(node) in keys}
        self.best = best

    def render(self, span: Corners | None) -> str:
        """The part between the corners, or all of it."""
        if span is None:
            return self._between(0, len(self.bytes)).strip("\n") + "\n"
        return self._between(self._at(span[0], span[1]), self._at(span[2], span[3]))

    def _at(self, line: int, column: int) -> int:
        return self.starts[line - 1] + column

    def _span(self, node: Any) -> tuple[int, int]:
        line, column, end_line, end_column = _corners(node)
        return self._at(line, column), self._at(end_line, end_column)

    def _between(self, start: int, end: int) -> str:
        out, at = [], start
        for node in sorted(self.calls, key=lambda n: self._span(n)[0]):
            first, last = self._span(node)
            if first >= at and last <= end:
                out += [self.bytes[at:first].decode(), self._value(node)]
                at = last
        return "".join(out) + self.bytes[at:end].decode()

    def _value(self, call: ast.Call) -> str:
        key = self.calls[call]
        raw, value = self.best.raw[key], self.best.params[self.best.names[key]]
        options = call.args[0] if call.args else None
        word = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        written = isinstance(options, (ast.List, ast.Tuple)) and not any(isinstance(o, ast.Starred) for o in options.elts)
        if raw is not None and word == "choice" and isinstance(options, (ast.List, ast.Tuple)) and written:
            return self._between(*self._span(options.elts[int(raw)]))
        if (word == "choice" and isinstance(value, str) and raw is not None) or not isinstance(value, PLAIN):
            raise _Elsewhere  # a label, which may not be the option itself
        return repr(value)


def _corners(node: Any) -> Corners:
    return node.lineno, node.col_offset, node.end_lineno, node.end_col_offset
