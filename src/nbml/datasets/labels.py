"""Indexes and labels of columns as JSON and parts, exactly: ranges, names, levels, labels of any plain type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbml.datasets.columns import Json, Part, Unfit, as_index, inline, outline, restored, rule

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def index_rule(index: pd.Index) -> tuple[Json, tuple[Part, ...]]:
    """The spec and parts of a frame's rows' index. Raises Unfit, whose message goes on from "the index "."""
    import pandas as pd

    spec: Json = {"names": [tagged(name) for name in index.names]}
    if isinstance(index, pd.RangeIndex):
        return spec | {"range": [index.start, index.stop, index.step]}, ()
    levels = [index.get_level_values(at) for at in range(index.nlevels)] if isinstance(index, pd.MultiIndex) else [index]
    rules = [rule(level.array) for level in levels]
    spec |= {"levels": [{"spec": made.spec, "parts": len(made.parts)} for made in rules], "multi": isinstance(index, pd.MultiIndex)}
    spec |= _frequency(index)
    parts = tuple(part for made in rules for part in made.parts)
    if isinstance(index, pd.MultiIndex):
        _check(index, spec, parts)
    return spec, parts


def _check(index: pd.MultiIndex, spec: Json, parts: tuple[Part, ...]) -> None:
    """pandas builds the levels of a MultiIndex by rules of its own; what it builds otherwise is refused."""
    import pyarrow as pa

    back: Any = index_of(spec, [pa.chunked_array([part(0, len(index))]) for part in parts])
    if not back.equals(index) or list(back.dtypes) != list(index.dtypes):
        raise Unfit("has levels that pandas does not build again as they are; use reset_index()")


def index_of(spec: Json, parts: list[pa.ChunkedArray]) -> pd.Index:
    """The index of ``index_rule``."""
    import pandas as pd

    names = [untagged(name) for name in spec["names"]]
    if "range" in spec:
        start, stop, step = spec["range"]
        return pd.RangeIndex(start, stop, step, name=names[0])
    levels, at = [], 0
    for level in spec["levels"]:
        levels.append(as_index(restored(level["spec"], parts[at : at + level["parts"]])))
        at += level["parts"]
    if spec["multi"]:
        return pd.MultiIndex.from_arrays(levels, names=names)
    return _again(levels[0].rename(names[0]), spec)


def _frequency(index: pd.Index) -> Json:
    """The step that an index of dates says it has."""
    import pandas as pd

    step = getattr(index, "freq", None)
    return {} if step is None or isinstance(index, pd.PeriodIndex) else {"freq": step.freqstr}


def _again(index: Any, spec: Json) -> pd.Index:
    """The index with its step, which pandas checks."""
    if "freq" in spec:
        index.freq = spec["freq"]
    found: pd.Index = index
    return found


def labels_spec(index: pd.Index) -> Json:
    """Labels of columns as JSON. Raises Unfit, whose message goes on from "the column labels "."""
    import pandas as pd

    spec: Json = {"names": [tagged(name) for name in index.names]}
    if isinstance(index, pd.RangeIndex):
        return spec | {"range": [index.start, index.stop, index.step]}
    if isinstance(index, pd.MultiIndex):
        levels = [index.get_level_values(at).rename(None) for at in range(index.nlevels)]
        return spec | {"levels": [labels_spec(level) for level in levels]}
    if index.dtype == object or index.dtype == "str":
        return spec | {"labels": [tagged(label) for label in index.tolist()], "dtype": str(index.dtype)}
    return spec | {"inline": inline(index)} | _frequency(index)


def labels_of(spec: Json) -> pd.Index:
    """The labels of ``labels_spec``."""
    import pandas as pd

    names = [untagged(name) for name in spec["names"]]
    if "range" in spec:
        start, stop, step = spec["range"]
        return pd.RangeIndex(start, stop, step, name=names[0])
    if "levels" in spec:
        return pd.MultiIndex.from_arrays([labels_of(level) for level in spec["levels"]], names=names)
    if "inline" in spec:
        return _again(outline(spec["inline"]).rename(names[0]), spec)
    labels = [untagged(label) for label in spec["labels"]]
    return pd.Index(labels, dtype=spec["dtype"], tupleize_cols=False, name=names[0])


def tagged(label: Any) -> Any:
    """A label as JSON that tells its type: text, numbers, flags and None as they are, others in a dict. Raises Unfit."""
    import datetime

    import numpy as np
    import pandas as pd

    if label is None or type(label) in (str, int, float, bool):
        return label
    if type(label) is tuple:
        return {"tuple": [tagged(part) for part in label]}
    if isinstance(label, np.generic) and label.dtype.kind in "biuf" and label.dtype.itemsize <= 8:
        return {"numpy": [str(label.dtype), label.item()]}
    if type(label) is pd.Timestamp and label.tzinfo is None:
        return {"timestamp": [label.isoformat(), label.unit]}
    if type(label) in (datetime.date, datetime.datetime) and getattr(label, "tzinfo", None) is None:
        return {type(label).__name__: label.isoformat()}
    if type(label) is bytes:
        return {"bytes": label.hex()}
    if label is pd.NaT or label is pd.NA:
        return {"missing": "NaT" if label is pd.NaT else "NA"}
    raise Unfit(f"{label!r} ({type(label).__name__})")


def untagged(label: Any) -> Any:
    """The label of ``tagged``."""
    import datetime

    import numpy as np
    import pandas as pd

    if not isinstance(label, dict):
        return label
    ((kind, held),) = label.items()
    if kind == "tuple":
        return tuple(untagged(part) for part in held)
    if kind == "numpy":
        return np.dtype(held[0]).type(held[1])
    if kind == "timestamp":
        return pd.Timestamp(held[0]).as_unit(held[1])
    if kind in ("date", "datetime"):
        return getattr(datetime, kind).fromisoformat(held)
    return bytes.fromhex(held) if kind == "bytes" else getattr(pd, held)
