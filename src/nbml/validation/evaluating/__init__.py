"""The evaluator: expectations judged by numpy and pandas, with the results of Great Expectations' pandas engine.

``facts`` is what is known of a column, ``kernel`` the functions of whole arrays, ``each``, ``aggregates``, ``several`` and
``table`` the expectations, ``results`` the form of what was found, ``terms`` the arguments.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nbml.validation.evaluating import aggregates, each, several, table
from nbml.validation.evaluating.facts import Frame
from nbml.validation.evaluating.results import Outcome
from nbml.validation.evaluating.terms import Foreign, like_to_regex, read

if TYPE_CHECKING:
    import pandas as pd

Json = dict[str, Any]
TYPES = {**each.TYPES, **aggregates.TYPES, **several.TYPES, **table.TYPES}
#: what stands for a pattern of SQL, which pandas does not have
LIKE = {
    "expect_column_values_to_match_like_pattern": "expect_column_values_to_match_regex",
    "expect_column_values_to_not_match_like_pattern": "expect_column_values_to_not_match_regex",
}


def outcomes(frame: pd.DataFrame, configs: list[Json]) -> Iterator[tuple[int, Outcome | None]]:
    """The outcome of each configuration with its place; None where it is for Great Expectations itself.

    They come column by column, and what was learnt of a column is forgotten after its last one: what an outcome tells has
    to be asked at once.
    """
    known = Frame(frame)
    needed = [_columns(config["kwargs"]) for config in configs]
    order = sorted(range(len(configs)), key=lambda place: (len(needed[place]) != 1, needed[place][:1], place))
    last = {name: place for place in order for name in needed[place]}
    for place in order:
        yield place, outcome(known, configs[place])
        for name in needed[place]:
            if last[name] == place:
                known.forget(name)


def _columns(kwargs: Json) -> list[str]:
    found = [kwargs.get(key) for key in ("column", "column_A", "column_B")]
    several_of = kwargs.get("column_list")
    found += several_of if isinstance(several_of, list) else []
    return [name for name in found if isinstance(name, str)]


def outcome(frame: Frame, config: Json) -> Outcome | None:
    """None for a type, an argument or values that are not judged here, and where Great Expectations would raise."""
    kind, kwargs = config["type"], config["kwargs"]
    if kind in LIKE:
        if type(kwargs.get("like_pattern")) is not str:
            return None
        kind, kwargs = LIKE[kind], {**kwargs, "regex": like_to_regex(kwargs["like_pattern"])}
        del kwargs["like_pattern"]
    if kind not in TYPES:
        return None
    judge, arguments = TYPES[kind]
    try:
        return judge(frame, read(kwargs, arguments))
    except Foreign:
        return None
    except Exception:  # what pandas objects to, Great Expectations tells in its own words
        return None
