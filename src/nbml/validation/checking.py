"""One frame against expectations: rows are chosen, engines asked, drift measured, and failing rows found."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nbml import errors, registry
from nbml.validation.conditions import where
from nbml.validation.distances import distance
from nbml.validation.engines import answer, failed, judged
from nbml.validation.reading import plain
from nbml.validation.words import columns_of, drift_word

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

Json = dict[str, Any]
FORMATS = ("BOOLEAN_ONLY", "BASIC", "SUMMARY", "COMPLETE")
#: our engine's name
OWN = "nbml"
INDEXES = ("partial_unexpected_index_list", "unexpected_index_list")


@dataclass(frozen=True)
class Checked:
    """``results`` in the suite's order; ``failures`` are the failed ones with counts and values, by place; ``rows`` the
    positions of rows that are unexpected in a failed expectation."""

    results: list[Json]
    failures: dict[int, Json]
    rows: list[int]


@dataclass
class _Work:
    """A check under way."""

    frame: pd.DataFrame
    labels: pd.Index
    engine: Any
    result_format: str
    broken: NDArray[np.bool_]
    results: dict[int, Json] = field(default_factory=dict)
    failures: dict[int, Json] = field(default_factory=dict)


def check(
    frame: pd.DataFrame, configs: list[Json], result_format: str, engine: Any, reference: pd.DataFrame | None, min_rows: int
) -> Checked:
    """Evaluate ``configs`` on an Engine; nothing about the data raises. ``reference`` is what drift compares with."""
    if result_format not in FORMATS:
        close = errors.nearest(str(result_format), FORMATS)
        hint = f"; nearest: {close}" if close else f"; one of {', '.join(FORMATS)}"
        raise errors.BadArgument(f"no result format {result_format!r}{hint}")
    import numpy as np

    work = _Work(level(frame), frame.index, engine, result_format, np.zeros(len(frame), dtype=bool))
    groups: dict[str, list[int]] = {}
    for place, config in enumerate(configs):
        groups.setdefault(condition_of(config), []).append(place)
    for condition, places in groups.items():
        _group(work, condition, {place: configs[place] for place in places}, reference, min_rows)
    results = [work.results[place] for place in range(len(configs))]
    return Checked(results, work.failures, work.broken.nonzero()[0].tolist())


def engine_of(name: str) -> Any:
    """The engine of that name, loaded. Raises errors.UnknownAdapter."""
    return registry.adapter("nbml.engines", name)()


def level(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame as engines take it: names as text, rows counted from 0. Raises errors.BadInput where names collide."""
    names = [named(label) for label in frame.columns]
    double = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if double is not None:
        alike = " and ".join(repr(label) for label in frame.columns if str(label) == double)
        raise errors.BadInput(f"the columns {alike} have the same name as text; rename one")
    whole = frame.reset_index(drop=True)
    whole.columns = names
    return whole


def named(label: Any) -> str:
    """A column's label as text; half of a surrogate pair, which pandas and Arrow do not take, as its escape."""
    return str(label).encode("utf-8", "backslashreplace").decode()


def condition_of(config: Json) -> str:
    """The ``where`` of an expectation; "" where it is about all rows."""
    own = config.get("meta", {}).get("nbml")
    return str(own.get("where") or "") if isinstance(own, dict) else ""


def _group(work: _Work, condition: str, configs: dict[int, Json], reference: pd.DataFrame | None, min_rows: int) -> None:
    """The expectations of one row condition."""
    frame, positions = work.frame, None
    if condition:
        try:
            mask = where(condition, frame)
            drifts = any(drift_word(config["type"]) for config in configs.values())
            against = reference[where(condition, reference)] if drifts and reference is not None else None
        except errors.BadExpectation as error:
            work.results |= {place: failed(config, f"where {condition}: {error.message}") for place, config in configs.items()}
            work.failures |= {place: work.results[place] for place in configs}
            return
        positions = mask.to_numpy().nonzero()[0]
        frame, reference = frame[mask].reset_index(drop=True), against
    asked = {}
    for place, config in configs.items():
        if drift_word(config["type"]):
            work.results[place] = drift(config, frame, reference, min_rows)
        else:
            asked[place] = config
    for place, found in zip(asked, judged(work.engine, frame, list(asked.values()), work.result_format), strict=True):
        work.results[place] = found.result
        if not found.result["success"]:
            work.failures[place] = found.told
        if found.rows is not None:
            work.broken[found.rows if positions is None else positions[found.rows]] = True
    work.failures |= {place: work.results[place] for place in configs if place not in asked and not work.results[place]["success"]}
    for place in configs:
        work.results[place] = _labelled(work.results[place], positions, work.labels)


def _labelled(result: Json, positions: Any, labels: pd.Index) -> Json:
    """With the frame's own index labels in place of positions."""
    import pandas as pd

    if positions is None and isinstance(labels, pd.RangeIndex) and labels.start == 0 and labels.step == 1:
        return result
    own = dict(result["result"])
    for key in INDEXES:
        if own.get(key):
            named = labels[own[key] if positions is None else positions[own[key]]]
            own[key] = named.tolist() if named.dtype.kind in "iu" else [label_of(label) for label in named]
    if "unexpected_index_query" in own:
        own["unexpected_index_query"] = f"df.filter(items={own.get('unexpected_index_list', [])}, axis=0)"
    return {**result, "result": own}


def label_of(label: Any) -> Any:
    """A label of the index as JSON."""
    value = plain(label)
    return value if isinstance(value, (str, int, float, bool, list)) or value is None else str(value)


def drift(config: Json, frame: pd.DataFrame, reference: pd.DataFrame | None, min_rows: int) -> Json:
    """The result of one drift expectation, in GX's form; what cannot be measured has failed, with its reason."""
    kwargs, word = config["kwargs"], drift_word(config["type"]) or ""
    if not isinstance(kwargs.get("column"), str) or not isinstance(kwargs.get("max_value"), (int, float)) or reference is None:
        return failed(config, f"{word} needs a column, a max_value and a reference")
    column, most = kwargs["column"], kwargs["max_value"]
    for side, of in ((frame, "the frame"), (reference, "the reference")):
        if column not in side.columns:
            return failed(config, missing(column, list(side.columns), of))
    found = distance(word, frame[column], reference[column], min_rows)
    if found.value is None:
        return answer(config, False, {"observed_value": None, "details": {"reason": found.reason}})
    holds = found.value < most if kwargs.get("strict_max", True) else found.value <= most
    return answer(config, bool(holds), {"observed_value": found.value, "details": found.details})


def missing(column: str, there: list[str], of: str = "the frame") -> str:
    """Why a column cannot be judged, with the nearest that there is."""
    close = errors.nearest(column, there)
    return f"no column {column!r} in {of}" + (f"; nearest: {close}" if close else "")


def types(frame: pd.DataFrame) -> dict[str, str]:
    """The type of each column by its name as text."""
    return {named(label): str(dtype) for label, dtype in zip(frame.columns, frame.dtypes, strict=True)}


#: words of a failure that is about types
ABOUT_TYPES = re.compile(r"types?\b|compar|not supported|unsupported|could not convert", re.I)


def reason(result: Json, columns: Mapping[str, str]) -> str:
    """Why a failed expectation could not be judged, in one line; "" where it was. ``columns`` are the frame's with their types."""
    told = result.get("result", {}).get("details")
    if isinstance(told, dict) and told.get("reason"):
        return str(told["reason"])
    info = result.get("exception_info") or {}
    config = result["expectation_config"]
    if info.get("raised_exception") is False and config["type"] != "expect_column_to_exist":
        return ""
    for column in columns_of(config["kwargs"]):
        if column not in columns:
            return missing(column, list(columns))
    messages = [info.get("exception_message")] if "raised_exception" in info else [i.get("exception_message") for i in info.values()]
    text = next((str(message) for message in messages if message), "could not be evaluated")
    line = " ".join(text.splitlines()[0].split())[:200]
    if line.startswith("where ") or not ABOUT_TYPES.search(line):
        return line
    return "; ".join([*(f"{column} is {columns[column]}" for column in dict.fromkeys(columns_of(config["kwargs"]))), line])
