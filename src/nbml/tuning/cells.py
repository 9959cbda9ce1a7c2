"""``%%nbml tune``: a cell whose last expression is an estimator that holds ranges, or a score."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from types import CodeType
from typing import Any

from nbml import errors
from nbml.display.notebook import shell
from nbml.tuning import attempts, begin, naming, options, templates
from nbml.tuning.forms import ObjectiveForm, bare
from nbml.tuning.ranges import Range
from nbml.tuning.values import Study

MISSING = object()
#: the parameter that makes the form of estimators of a cell, and what to give for it
DATA = ("X", "X y")


def run(source: str, namespace: dict[str, Any], tune: Any, name: str, on: Sequence[Any], filename: str, asked: dict[str, Any]) -> Study:
    """Tune what a cell's last expression gives.

    With data (``on``) it is an estimator: the cell runs once, in the notebook. Without, it is a score: the cell runs
    once for each trial, in a copy of the notebook's names. Anything else is an errors.BadArgument.
    """
    __tracebackhide__ = True
    found = options.read(**asked)
    file = filename or f"<nbml tune {name}>"
    naming.remember(file, source)
    cell = _Cell(source, file)
    if on:
        value = cell.once(namespace, tune)
        if not templates.is_estimator(value) and not isinstance(value, Range):
            raise errors.BadArgument(
                f"with --on the cell's last expression is an estimator that holds ranges, not {_what(value)}"
                + ("; a score is tuned without --on" if _is_score(value) else "")
            )
        return begin.estimator(value, on[0], on[1] if len(on) > 1 else None, name, found, source=source, file=file)
    direction = _direction(found, cell.ends_with_estimator(namespace))
    form = ObjectiveForm(cell.scored(namespace, tune), source, bare(cell.python), begin.named(found.metric))
    return begin.objective(form, name, direction, found)


def _direction(found: options.Options, estimator: bool) -> str:
    try:
        return begin.direction_of(found)
    except errors.BadArgument as error:
        raise errors.BadArgument(
            f"{error.message}; if the cell's last expression is an estimator, it needs data: --on X y",
            instead=DATA if estimator else error.instead,
        ) from None


class _Cell:
    """A cell's statements and its last expression, compiled with the cell's own lines."""

    def __init__(self, source: str, file: str) -> None:
        self.python, tree = _parsed(source, file)
        last = tree.body[-1] if tree.body else None
        if not isinstance(last, ast.Expr):
            raise errors.BadArgument("the cell's last line is no expression: end it with an estimator that holds ranges, or with a score")
        self.statements = _compiled(ast.Module(tree.body[:-1], tree.type_ignores), file, "exec")
        self.last = _compiled(ast.Expression(last.value), file, "eval")
        self.called = ast.unparse(last.value.func) if isinstance(last.value, ast.Call) else ""

    def evaluate(self, names: dict[str, Any]) -> Any:
        """The last expression's value, after the statements."""
        __tracebackhide__ = True
        exec(self.statements, names)  # noqa: S102 - the user's own cell, in the user's own kernel
        return eval(self.last, names)  # noqa: S307

    def ends_with_estimator(self, namespace: dict[str, Any]) -> bool:
        """Whether the last expression makes an estimator, as far as the notebook's names tell before the cell has run."""
        first, *rest = self.called.split(".")
        made = namespace.get(first)
        for name in rest:
            made = getattr(made, name, None) if name.isidentifier() else None
        if isinstance(made, type):
            return hasattr(made, "fit") and hasattr(made, "get_params")
        return getattr(made, "__module__", None) in ("sklearn.pipeline", "sklearn.compose._column_transformer")

    def once(self, namespace: dict[str, Any], tune: Any) -> Any:
        """In the notebook itself, as any cell; the notebook's own ``tune`` is there again afterwards."""
        __tracebackhide__ = True
        before = namespace.get("tune", MISSING)
        namespace["tune"] = tune
        try:
            return self.evaluate(namespace)
        finally:
            if before is MISSING:
                namespace.pop("tune", None)
            else:
                namespace["tune"] = before

    def scored(self, namespace: dict[str, Any], tune: Any) -> Callable[[], float]:
        """Each call is one evaluation in a copy of the notebook's names."""

        def call() -> float:
            value = self.evaluate({**namespace, "tune": tune})
            if not _is_score(value):
                data = "; an estimator needs data: --on X y" if templates.is_estimator(value) else ""
                said = f"without --on the cell's last expression is a score, a number, not {_what(value)}{data}"
                raise errors.BadArgument(said, instead=DATA if data else None)
            return attempts.number(value, "an objective")

        return call


def _parsed(source: str, file: str) -> tuple[str, ast.Module]:
    """The cell as Python; lines of IPython's own are translated first."""
    try:
        return source, ast.parse(source, file)
    except SyntaxError:
        running = shell()
        python = source if running is None else running.transform_cell(source)
        return python, ast.parse(python, file)


def _compiled(tree: ast.Module | ast.Expression, file: str, mode: str) -> CodeType:
    try:
        return compile(tree, file, mode, dont_inherit=True)
    except SyntaxError as error:
        if re.search(r"'(await|async \w+)' outside", str(error)):
            raise errors.NotYet("await at the top of a tune cell is not there yet") from error
        raise


def _is_score(value: Any) -> bool:
    try:
        attempts.number(value, "")
    except errors.BadArgument:
        return False
    return not isinstance(value, bool)


def _what(value: Any) -> str:
    return "None" if value is None else f"a number ({value!r})" if _is_score(value) else type(value).__name__
