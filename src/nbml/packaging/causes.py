"""Why a packaged model answers otherwise than the notebook's: what differs, and the likeliest reason, found by trying."""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbml.display import Report, Shown

if TYPE_CHECKING:
    from nbml.packaging.proof import Expected, Model

#: rows and seconds that the search for a cause may take
ROWS, PATIENCE = 12, 3.0
#: words of a Slice's warnings that explain another answer
TELLING = ("older definition", "was changed after", "changes the global", "filled cache", "was filled", "holds state", "as it was when")


@dataclass(frozen=True, repr=False)
class Mismatch(Shown):
    """Answers that differ. ``rows`` are the first of them as (row, wanted, found).

    ``what`` is "" for predictions, "classes ", "probabilities ", or "form" where already their dtypes differ.
    """

    name: str
    source: str
    what: str
    rows: tuple[tuple[int, str, str], ...]
    count: int
    total: int
    cause: str = ""

    @property
    def difference(self) -> str:
        """The first of them, in words."""
        row, one, two = self.rows[0]
        if self.what == "form":
            return f"the notebook's model gives {one}, the packaged one {two}"
        found = f"row {row} of {self.source}: the notebook's model gives {self.what}{one}, the packaged one {two}"
        return f"{found} ({self.count} of {self.total} rows differ)"

    @property
    def why(self) -> str:
        cause = f"; likely cause: {self.cause}" if self.cause else ""
        return f"{self.name} is not proven: {self.difference}{cause}"

    def _report(self) -> Report:
        from nbml.packaging.report import mismatch_report

        return mismatch_report(self)


@dataclass(frozen=True)
class Scene:
    """All that is known of a proof that failed. ``again`` asks a fresh process once more."""

    want: Expected
    got: Mapping[str, Any]
    model: Model
    module: Path
    namespace: Mapping[str, Any]
    warnings: Sequence[str]
    again: Callable[[], Mapping[str, Any]]
    started: float = field(default_factory=time.monotonic)

    def late(self) -> bool:
        return time.monotonic() - self.started > PATIENCE


def likely(scene: Scene) -> str:
    """The first reason that explains what was found; "" where none does."""
    if "failed" in scene.got:
        return _of_failure(scene.got["failed"])
    found = _process(scene)
    searched = replace(scene, started=time.monotonic())  # a fresh process takes its time
    for look in (_form, _columns, _dtypes, _precision, _code, _warned):
        found = found or look(searched)
    return found


def _of_failure(failed: Mapping[str, Any]) -> str:
    text = str(failed["message"]).lower()
    if "feature names" in text and ("order" in text or "match" in text):
        return "the order of columns: the model was fitted on the same columns in another order"
    if failed["lacks"]:
        return f"{failed['lacks'][0]} is in no distribution that is installed here"
    return "dtype: a column has other values than the model was fitted on" if "dtype" in text else ""


def _process(scene: Scene) -> str:
    """Another answer in each process."""
    again = scene.again()
    if "predictions" not in again or _equal(scene.got["predictions"], again["predictions"]):
        return ""
    return "another process gives other answers again: randomness without a seed, or something of the process itself"


def _form(scene: Scene) -> str:
    mine, theirs = scene.want.form, scene.got["form"]
    if mine["kind"] == theirs["kind"] and mine.get("dtype") != theirs.get("dtype"):
        return f"dtype: {mine.get('dtype')} became {theirs.get('dtype')}"
    return ""


def _columns(scene: Scene) -> str:
    """The answers that the notebook's model gives when columns change places."""
    data = scene.want.rows.data
    count = data.shape[1] if getattr(data, "ndim", 1) == 2 else 0
    names = [spec["name"] for spec in scene.want.rows.inputs]
    part, target = _some(scene)
    for order in _orders(count):
        if scene.late():
            break
        if any(_equal(target, answer) for answer in _answers(scene, _permuted(part, order))):
            return f"the order of columns: the answers are those for columns as {', '.join(names[i] for i in order)[:120]}"
    return ""


def _orders(count: int) -> Iterator[list[int]]:
    """Other orders of columns: all the other way round, shifted, two exchanged."""
    if count > 1:
        yield list(reversed(range(count)))
        yield [*range(1, count), 0]
        yield [count - 1, *range(count - 1)]
        for one, two in combinations(range(count), 2):
            order = list(range(count))
            order[one], order[two] = two, one
            yield order


def _permuted(data: Any, order: list[int]) -> Iterator[Any]:
    """Rows with their columns in another order: with their names, and below the names that were there before."""
    if not hasattr(data, "iloc"):
        yield data[:, order]
        return
    moved = data.iloc[:, order]
    yield moved
    named = moved.copy()
    named.columns = data.columns
    yield named


def _dtypes(scene: Scene) -> str:
    """The answers that the notebook's model gives when columns have another dtype."""
    part, target = _some(scene)
    for told, kinds, dtype in (
        ("float64 columns are float32", "f", "float32"), ("whole numbers are float32", "iuf", "float32"),
        ("whole numbers are float64", "iu", "float64"), ("floats are whole numbers", "f", "int64"),
    ):  # fmt: skip
        if scene.late():
            break
        if any(_equal(target, answer) for answer in _answers(scene, _cast(part, kinds, dtype))):
            return f"dtype: the answers are those for rows whose {told}"
    return ""


def _cast(data: Any, kinds: str, dtype: str) -> Iterator[Any]:
    if hasattr(data, "columns"):
        chosen = [i for i, found in enumerate(data.dtypes) if getattr(found, "kind", "") in kinds and str(found) != dtype]
        if chosen:
            yield data.astype({data.columns[i]: dtype for i in chosen})
    elif getattr(getattr(data, "dtype", None), "kind", "") in tuple(kinds) and str(data.dtype) != dtype:
        yield data.astype(dtype)


def _precision(scene: Scene) -> str:
    """Answers that agree as single precision does."""
    from nbml.packaging.proof import SINGLE, same

    if all(same(one, two, 0.0, SINGLE) for one, two in _pairs(scene)):
        code = _code(scene)
        return "dtype: the answers agree in single precision, so somewhere float64 became float32" + (f" ({code})" if code else "")
    if all(_number(one) and _number(two) and one == two for one, two in _pairs(scene)):
        return "dtype: the numbers are equal, and their types are not"
    return ""


def _code(scene: Scene) -> str:
    """A constant or a function of the module that is not the notebook's."""
    from nbml.slicing import constants, sources

    text = scene.module.read_text(encoding="utf-8")
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            known, value = constants.literal(ast.unparse(node.value))
            live = scene.namespace.get(name, value)
            if known and type(live) is type(value) and not constants.equal(live, value):
                return f"a mutated global: {name} is {value!r:.60} in the module and {live!r:.60} in the notebook"
    for found in sources.Text(text, scene.module.name, 0).found:
        function = _function(scene, found.node) if not found.nested else None
        if function is not None and not sources.same(found.code, function.__code__):
            mine, theirs = (_plain(code.co_consts) for code in (function.__code__, found.code))
            other = [(one, two) for one, two in zip(mine, theirs, strict=False) if type(one) is type(two) and one != two]
            label = function.__qualname__
            if len(mine) == len(theirs) and len(other) == 1:
                return f"a changed constant: {label} has {other[0][1]!r:.60} in the module and {other[0][0]!r:.60} in the notebook"
            return f"an older definition: {label} of the module is not the {label} of the notebook"
    return ""


def _function(scene: Scene, node: ast.AST) -> Any:
    """The notebook's function of a definition's name: a global, or the method of a class that is one."""
    from nbml.slicing import sources

    name = getattr(node, "name", "")
    if name == "predict" and scene.model.entry == "predict":
        return sources.underlying(scene.model.target)
    live = scene.namespace.get(name)
    return sources.underlying(live) if callable(live) and not isinstance(live, type) else None


def _plain(values: tuple[Any, ...]) -> list[Any]:
    return [value for value in values if isinstance(value, (int, float, str, bytes, tuple, frozenset))]


def _warned(scene: Scene) -> str:
    return next((text for text in scene.warnings if any(word in text for word in TELLING)), "")


def _answers(scene: Scene, inputs: Iterator[Any]) -> Iterator[list[Any]]:
    """What the notebook's model gives for other inputs; nothing where it refuses them."""
    from nbml.packaging import bridge

    try:
        for data in inputs:
            yield bridge.predictions_of(scene.model.ask(data))
    except Exception:  # any: it is the user's code, on rows that it was not made for
        return


def _some(scene: Scene) -> tuple[Any, list[Any]]:
    """A few rows, those that differ first, and what the packaged model gave for them."""
    pairs = list(zip(scene.want.predictions, scene.got["predictions"], strict=False))
    ranked = sorted(range(len(pairs)), key=lambda i: _equal([pairs[i][0]], [pairs[i][1]]))[:ROWS]
    return scene.want.rows.take(ranked).data, [pairs[i][1] for i in ranked]


def _pairs(scene: Scene) -> list[tuple[Any, Any]]:
    pairs = list(zip(scene.want.predictions, scene.got["predictions"], strict=False))
    if scene.want.probabilities is not None and scene.got["probabilities"]:
        pairs += list(zip(scene.want.probabilities["values"], scene.got["probabilities"]["values"], strict=False))
    return pairs


def _equal(one: list[Any], two: list[Any]) -> bool:
    from nbml.packaging.proof import first_difference

    return first_difference(one, two) is None


def _number(value: Any) -> bool:
    return isinstance(value, (int, float))
