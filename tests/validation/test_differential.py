"""Our evaluator against real Great Expectations: the same results as JSON, for every kind of column, type, option and format.

``NBML_DIFFERENTIAL=2000 pytest tests/validation/test_differential.py`` draws 2,000 fresh frames instead of the fixed few, and
``NBML_DIFFERENTIAL_REPORT=FILE`` writes each difference there, as small as it could be made, instead of stopping at the first.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import nbml
from nbml import errors, registry
from nbml.validation import words
from validation.frames_strategy import NOT_PANDAS, OPTIONS, expectations, frames

Json = dict[str, Any]
FORMATS = ("BOOLEAN_ONLY", "BASIC", "SUMMARY", "COMPLETE")
LONG = int(os.environ.get("NBML_DIFFERENTIAL", "0"))
REPORT = os.environ.get("NBML_DIFFERENTIAL_REPORT", "")
FRAMES, EACH = LONG or 12, 40
#: float sums may round differently in the last digits: allowed, and counted apart
ROUNDED = ("_mean_", "_stdev_", "_sum_", "z_scores")
#: results in which Great Expectations itself shows a set, so in any order
SETS = ("distinct_values", "most_common_value", "columns_to_match_set")
#: what Great Expectations says of each expectation where it cannot hash the frame (test_evaluating tells what ours does)
UNTAKEN = "setting an array element with a sequence"
seen: Counter[str] = Counter()


def own() -> Any:
    return registry.adapter("nbml.engines", "nbml")()


def gx() -> Any:
    return registry.adapter("nbml.engines", "gx")()


# -- what is the same ------------------------------------------------------------------------------------------


def normal(value: Any, kind: str = "", key: str = "") -> Any:
    """Without ids, times and addresses, without numpy's scalars, and what is a set in one order."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, dict):
        return {
            ADDRESS.sub("0x", str(k)): normal(v, kind, str(k)) for k, v in value.items() if k not in ("id", "exception_traceback",
                "rendered_content")
        }
    if isinstance(value, (list, tuple)):
        found = [normal(v, kind, key) for v in value]
        as_set = any(name in kind for name in SETS) and key in ("observed_value", "value_counts", "unexpected", "missing")
        return sorted(found, key=repr) if as_set else found
    return ADDRESS.sub("0x", value) if isinstance(value, str) else value


ADDRESS = re.compile(r"0x[0-9a-f]{6,}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{20,}")


def same(ours: Any, theirs: Any, near: bool) -> bool:
    """Equal as JSON: 1 is not 1.0 nor true. With ``near`` floats may differ by a relative 1e-12, which is counted."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(same(ours[k], theirs[k], near) for k in ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs, [near] * len(ours)))
    if type(ours) is not type(theirs):
        return False
    if ours == theirs or not isinstance(ours, float):
        return bool(ours == theirs)
    if near and math.isclose(ours, theirs, rel_tol=1e-12):
        seen["rounded differently"] += 1
        return True
    return False


def differs(frame: pd.DataFrame, config: Json, result_format: str, ours: Json, theirs: Json) -> bool:
    kind = config["type"]
    json.dumps({key: part for key, part in ours.items() if key != "expectation_config"}, allow_nan=False)
    return not same(normal(ours, kind), normal(theirs, kind), any(part in kind for part in ROUNDED))


# -- how a difference is told ----------------------------------------------------------------------------------


def one(frame: pd.DataFrame, config: Json, result_format: str) -> tuple[Json, Json] | None:
    """Both results of one expectation, where they differ."""
    ours, theirs = own().evaluate(frame, [config], result_format)[0], gx().evaluate(frame, [config], result_format)[0]
    return (ours, theirs) if differs(frame, config, result_format, ours, theirs) else None


def smallest(frame: pd.DataFrame, config: Json, result_format: str, both: tuple[Json, Json]) -> str:
    """The difference with as few columns and rows as still show it."""
    found = one(frame, config, result_format)
    if found is None:
        return f"only together with others: {result_format} {config!r}\non\n{frame!r}\n{frame.dtypes!r}\n{both}\n"
    for column in list(frame.columns):
        less = frame.drop(columns=column)
        if less.shape[1] and column not in str(config["kwargs"]) and (now := one(less, config, result_format)):
            frame, found = less, now
    step = max(len(frame) // 2, 1)
    while step and len(frame) > 1:
        for start in range(0, len(frame), step):
            less = frame.drop(index=frame.index[start : start + step]).reset_index(drop=True)
            if now := one(less, config, result_format):
                frame, found = less, now
                break
        else:
            step //= 2
    ours, theirs = (json.dumps(normal(part, config["type"]), ensure_ascii=False, default=str) for part in found)
    values = {name: (str(frame[name].dtype), frame[name].tolist()) for name in frame.columns}
    return f"{result_format} {config['type']}({config['kwargs']!r})\n  on {values!r}\n  nbml {ours}\n  gx   {theirs}\n"


def refused(engine: Any, frame: pd.DataFrame, config: Json) -> str:
    """What an engine objects to in an expectation itself; "" where it takes it."""
    try:
        engine.evaluate(frame, [config], "BOOLEAN_ONLY")
    except errors.BadExpectation as error:
        return str(error)
    return ""


def taken(frame: pd.DataFrame, configs: list[Json]) -> list[Json]:
    """The expectations that Great Expectations takes; of the others ours says the same."""
    from nbml.validation.engines.gx import build

    found = []
    for config in configs:
        try:
            build(config, frame)
        except errors.BadExpectation as error:
            theirs = str(error)
        else:
            found.append(config)
            continue
        seen["refused"] += 1
        assert refused(own(), frame, config) == theirs, config
    return found


def compare(frame: pd.DataFrame, drawn: list[Json], result_format: str) -> None:
    before = frame.copy()
    with quiet():
        configs = taken(frame, drawn)
        ours = own().evaluate(frame, configs, result_format)
        theirs = gx().evaluate(frame, configs, result_format)
    pd.testing.assert_frame_equal(frame, before)
    if all(real["exception_info"].get("exception_message") == UNTAKEN for real in theirs):
        seen["frames that GX cannot take"] += 1
        return
    for config, mine, real in zip(configs, ours, theirs, strict=True):
        seen[config["type"]] += 1
        seen["raised in GX"] += "raised_exception" not in real["exception_info"]
        if differs(frame, config, result_format, mine, real):
            seen["differences"] += 1
            seen[f"differs: {config['type']}"] += 1
            with quiet():
                told = smallest(frame, config, result_format, (mine, real))
            if not REPORT:
                pytest.fail(told)
            if seen[f"differs: {config['type']}"] > 3:
                continue
            with Path(REPORT).open("a", encoding="utf-8") as file:
                file.write(told + "\n")


@pytest.fixture(scope="module", autouse=True)
def counted() -> Iterator[None]:
    """At the end of a long run: how often each type was compared."""
    yield
    if REPORT:
        with Path(REPORT).open("a", encoding="utf-8") as file:
            file.write(f"{sum(seen[kind] for kind in OPTIONS)} results compared\n")
            file.writelines(f"{count:8d} {what}\n" for what, count in sorted(seen.items()))


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """pandas and numpy warn of what the odd frames hold; Great Expectations warns of its own calls."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


# -- the test --------------------------------------------------------------------------------------------------


@pytest.mark.slow
@settings(
    max_examples=FRAMES,
    derandomize=not LONG,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(frame=frames(), seed=st.integers(0, 2**40), result_format=st.sampled_from(FORMATS))
def test_results_equal_those_of_great_expectations(frame: pd.DataFrame, seed: int, result_format: str) -> None:
    compare(frame, expectations(f"{seed} {frame!r}", frame, EACH), result_format)


def test_every_type_is_drawn() -> None:
    assert set(OPTIONS) | set(NOT_PANDAS) == set(words.NAMES)


def test_our_engine_judges_nearly_all_itself() -> None:
    from nbml.validation.evaluating import LIKE, TYPES

    ours = {*TYPES, *LIKE}
    assert ours <= set(words.NAMES)
    assert len([kind for kind in ours if not kind.startswith("expect_table_") and kind != "expect_column_to_exist"]) >= 40


def test_positions_become_the_labels_of_the_frame(project: Path) -> None:
    frame = pd.DataFrame({"n": [1, 50, 3, 60, 1], "t": ["a", None, "b", "b", "c"]})
    asked = [
        {"type": "expect_column_values_to_be_between", "kwargs": {"column": "n", "max_value": 10}},
        {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "t"}},
        {"type": "expect_column_values_to_match_json_schema", "kwargs": {"column": "t", "json_schema": {"type": "object"}}},
        {"type": "expect_column_pair_values_to_be_equal", "kwargs": {"column_A": "n", "column_B": "n"}},
        {"type": "expect_compound_columns_to_be_unique", "kwargs": {"column_list": ["n", "t"]}},
    ]
    suite = {"name": "labels", "expectations": asked}
    stamps = pd.date_range("2024-01-01", periods=5)
    indexes: list[tuple[Any, list[Any], list[Any]]] = [
        (["x", "x", "y", "x", "z"], ["x", "x"], ["y", "x"]),
        ([5, 5, 5, 7, 7], [5, 7], [5, 7]),
        ([1.5, 2.5, 3.5, 4.5, 5.5], [2.5, 4.5], [3.5, 4.5]),
        (pd.MultiIndex.from_product([["a"], range(5)]), [["a", 1], ["a", 3]], [["a", 2], ["a", 3]]),
        (stamps, ["2024-01-02T00:00:00", "2024-01-04T00:00:00"], ["2024-01-03T00:00:00", "2024-01-04T00:00:00"]),
    ]
    for index, high, double in indexes:
        labelled = frame.set_axis(index)
        for engine in ("nbml", "gx"):
            found = nbml.validate(labelled, suite, result_format="COMPLETE", engine=engine)
            assert [r["success"] for r in found.results] == [False, False, False, True, True]
            assert found.results[0]["result"]["unexpected_index_list"] == high
            assert found.results[0]["result"]["partial_unexpected_index_list"] == high
            assert found.results[0]["result"]["unexpected_index_query"] == f"df.filter(items={high}, axis=0)"
            assert found.results[1]["result"]["unexpected_index_list"] == double
            pd.testing.assert_frame_equal(found.failing_rows(), labelled.iloc[[1, 2, 3]])
