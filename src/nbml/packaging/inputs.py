"""What a model takes: the rows it is proven on, and each of their columns as the manifest describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbml import datasets, errors, frames
from nbml.packaging import bridge

if TYPE_CHECKING:
    from nbml.store import Thing

#: rows that a proof asks about
MOST = 200


@dataclass(frozen=True)
class Rows:
    """Rows of one kind of input, ``frame``, ``array`` or ``series``, with their columns; ``source`` says where they are from."""

    data: Any
    kind: str
    inputs: list[dict[str, Any]]
    source: str
    thing: Thing | None = None
    more: dict[str, Any] = field(default_factory=dict)
    #: of a frame, all its columns, those too that the model does not take
    columns: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.data)

    def take(self, positions: list[int]) -> Rows:
        """These rows, in this order."""
        data = self.data
        if hasattr(data, "iloc"):
            picked = data.iloc[positions]
        elif isinstance(data, list):
            picked = [data[i] for i in positions]
        else:
            picked = data[positions]
        return Rows(picked, self.kind, self.inputs, self.source, self.thing, self.more, self.columns)

    def copy(self) -> Any:
        """The data for a model that may write into it."""
        return list(self.data) if isinstance(self.data, list) else self.data.copy()


def find(model: Any, on: Any, name: str, word: str, namespace: Mapping[str, Any]) -> Rows:
    """The rows to prove on: ``on``, else a live frame that holds the model's feature names.

    Raises errors.BadInput where there are none, or columns that a request cannot carry.
    """
    wanted = features(model)
    if on is None:
        names = wanted if wanted is not None else inner_features(model)
        found = _live(names, namespace)
        if found is None:
            raise _no_rows(names, name, word, namespace)
        if wanted is None and not _takes(model, found[1], names or []):
            names = None
        return _frame(found[1], names, f"the live frame {found[0]}", datasets.version_of(found[1]))
    if isinstance(on, (str, Path, datasets.DatasetVersion)):
        frame, thing = datasets.take(on)
        return _frame(frame, wanted, str(on), thing)
    if frames.is_frame(on):
        return _frame(frames.require(on), wanted, label_of(on, namespace), datasets.version_of(on))
    return _other(on, wanted, label_of(on, namespace))


def features(model: Any) -> list[str] | None:
    """The names of the columns that the model was fitted on, where it knows them."""
    names = getattr(model, "feature_names_in_", None)
    return None if names is None else [str(name) for name in names]


def inner_features(function: Any) -> list[str] | None:
    """The columns of the one fitted model that a function's own code names; None where that says nothing."""
    code = getattr(function, "__code__", None)
    if code is None:
        return None
    found = [features(function.__globals__.get(name)) for name in code.co_names]
    known = [names for names in found if names is not None]
    return known[0] if len(known) == 1 else None


def _takes(function: Any, frame: Any, names: list[str]) -> bool:
    """Whether the function does with these columns alone."""
    texts = [str(label) for label in frame.columns]
    try:
        function(frame.iloc[:2, [texts.index(name) for name in names]].copy())
    except Exception:  # any: it is the user's code
        return False
    return True


def label_of(value: object, namespace: Mapping[str, Any]) -> str:
    """The name that the notebook has for a value, or what it is."""
    return next((name for name, bound in namespace.items() if bound is value and not name.startswith("_")), frames.describe(value))


def _live(wanted: list[str] | None, namespace: Mapping[str, Any]) -> tuple[str, Any] | None:
    """The frame of the notebook that holds the features: one with just these columns before one with more, then the longest."""
    if wanted is None:
        return None
    found = []
    for name, value in namespace.items():
        if name.startswith("_") or not frames.is_frame(value) or not len(value) or not value.columns.is_unique:
            continue
        if set(wanted) <= set(map(str, value.columns)):
            found.append((len(value.columns) == len(wanted), len(value), name, value))
    if not found:
        return None
    best = max(found, key=lambda entry: entry[:2])
    return best[2], best[3]


def _no_rows(wanted: list[str] | None, name: str, word: str, namespace: Mapping[str, Any]) -> errors.BadInput:
    frame = next((n for n, v in namespace.items() if frames.is_frame(v) and not n.startswith("_") and len(v)), None)
    if wanted is None:
        why = f"{word} does not say which columns it takes"
    else:
        why = f"no frame of the notebook holds the columns of {word}: {', '.join(wanted[:5])}" + (", ..." if len(wanted) > 5 else "")
        frame = None
    return errors.BadInput(
        f"no rows to prove {name} on: {why}", next=f"%nbml package {word} --name {name} --on {frame}" if frame else None
    )


def _frame(frame: Any, wanted: list[str] | None, source: str, thing: Thing | None) -> Rows:
    """A frame's rows; of a model that knows its features, these columns in their order."""
    if not len(frame):
        raise errors.BadInput(f"{source} has no rows to prove the model on")
    texts = [str(label) for label in frame.columns]
    double = next((text for i, text in enumerate(texts) if text in texts[:i]), None)
    if double is not None:
        raise errors.BadInput(f"two columns of {source} are called {double!r} as text, and a request names columns by text; rename one")
    if wanted is not None:
        missing = [name for name in wanted if name not in texts]
        if missing:
            raise errors.BadInput(f"{source} lacks {len(missing)} of the model's columns: {', '.join(missing[:5])}")
        frame = frame.iloc[:, [texts.index(name) for name in wanted]]
    inputs = [column(frame.iloc[:, i], label, source) for i, label in enumerate(frame.columns)]
    labels = frame.columns
    more: dict[str, Any] = {}
    if labels.name is not None:
        more["name"] = bridge.scalar(labels.name)
    if any("label" in spec for spec in inputs):
        more["dtype"] = str(labels.dtype)
    return Rows(frame, "frame", inputs, source, thing, {"labels": more} if more else {}, tuple(texts))


def _other(on: Any, wanted: list[str] | None, source: str) -> Rows:
    """An array, a Series or a list."""
    import numpy as np
    import pandas as pd

    if isinstance(on, pd.Series):
        spec = column(on, "input" if on.name is None else on.name, source)
        return _some(Rows(on, "series", [{**spec, "container": "series", "named": on.name is not None}], source))
    if isinstance(on, (list, tuple)):
        spec = column(pd.Series(list(on)), "input", source)
        return _some(Rows(list(on), "series", [{**spec, "container": "list"}], source))
    if not isinstance(on, np.ndarray):
        raise errors.BadInput(f"{source} cannot be rows: a DataFrame, an array, a Series, a list, name@n or a path is needed")
    if on.ndim == 1:
        spec = column(pd.Series(on), "input", source)
        return _some(Rows(on, "series", [{**spec, "dtype": str(on.dtype), "container": "array"}], source))
    if on.ndim != 2:
        raise errors.NotYet(f"{source} has {on.ndim} dimensions; rows of one or two can be served")
    names = wanted if wanted is not None and len(wanted) == on.shape[1] else [f"x{i}" for i in range(on.shape[1])]
    inputs = [{**column(pd.Series(on[:, i]), name, source), "dtype": str(on.dtype)} for i, name in enumerate(names)]
    return _some(Rows(on, "array", inputs, source))


def _some(rows: Rows) -> Rows:
    if not len(rows):
        raise errors.BadInput(f"{rows.source} has no rows to prove the model on")
    return rows


def column(series: Any, label: Any, source: str) -> dict[str, Any]:
    """The manifest's entry of one column. Raises errors.BadInput for a dtype or label that a request cannot carry."""
    spec: dict[str, Any] = {"name": str(label), "dtype": str(series.dtype), "kind": kind(series)}
    if not isinstance(label, str):
        try:
            spec["label"] = bridge.scalar(label)
        except bridge.Unfit as error:
            raise errors.BadInput(f"the column label {label!r} of {source} cannot travel; rename it") from error
    if not spec["kind"]:
        raise errors.BadInput(
            f"column {str(label)!r} of {source} is {_holds(series)}, which a request cannot carry: numbers, true or false, texts, "
            "dates and categories of these can"
        )
    if getattr(series.dtype, "storage", "") == "python":  # Arrow's is what pandas takes itself, where there is Arrow
        spec["storage"] = "python"
    if spec["kind"] == "category":
        spec |= bridge.column_of(series, None)
    if spec["dtype"] == "object" and not any(value is None for value in series):
        spec["missing"] = "nan"
    return spec


def kind(series: Any) -> str:
    """number, integer, boolean, text, datetime or category; "" for what JSON does not carry."""
    import pandas as pd

    types, dtype = pd.api.types, series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return "category" if all(isinstance(c, (str, bool, int, float)) for c in bridge_values(series.cat.categories)) else ""
    if types.is_bool_dtype(dtype):
        return "boolean"
    if types.is_integer_dtype(dtype):
        return "integer"
    if types.is_float_dtype(dtype):
        return "number"
    if isinstance(dtype, pd.DatetimeTZDtype) or getattr(dtype, "kind", "") == "M":
        return "" if isinstance(dtype, pd.ArrowDtype) else "datetime"
    if getattr(dtype, "kind", "") in "mc":
        return ""
    inferred = types.infer_dtype(series, skipna=True)
    words = {"string": "text", "boolean": "boolean", "integer": "integer", "floating": "number", "mixed-integer-float": "number",
             "empty": "text"}  # fmt: skip
    return words.get(inferred, "")


def bridge_values(categories: Any) -> list[Any]:
    """Categories as JSON values; dates and intervals are none of them."""
    return list(categories.tolist())


def _holds(series: Any) -> str:
    import pandas as pd

    name = str(series.dtype)
    return f"{name} of {pd.api.types.infer_dtype(series, skipna=True)} values" if name == "object" else name


def choose(rows: Rows, most: int = MOST) -> list[int]:
    """Positions of at most ``most`` rows: some with nulls where there are, one of each category, the rest evenly spread."""
    count = len(rows)
    if count <= most:
        return list(range(count))
    import numpy as np
    import pandas as pd

    table = rows.data if rows.kind == "frame" else pd.DataFrame(rows.data)
    chosen: list[int] = []
    nulls = table.isna().to_numpy()
    for i in range(table.shape[1]):
        chosen += np.flatnonzero(nulls[:, i])[:3].tolist()
        if rows.inputs[min(i, len(rows.inputs) - 1)]["kind"] in ("category", "text", "boolean"):
            chosen += np.flatnonzero(~table.iloc[:, i].duplicated().to_numpy())[:20].tolist()
    special = list(dict.fromkeys(chosen))[: most // 2]
    spread = np.linspace(0, count - 1, most - len(special)).round().astype(int).tolist()
    return sorted(set(special) | set(spread))


def without_nulls(rows: Rows, positions: list[int]) -> list[int]:
    """Those of the positions whose rows have a value in every column."""
    import pandas as pd

    table = pd.DataFrame(rows.take(positions).data)
    return [p for p, bad in zip(positions, table.isna().any(axis=1), strict=True) if not bad]
