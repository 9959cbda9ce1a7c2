"""A checkpoint of Great Expectations on nbml's execution engine: real objects, and the results of its own engine."""

from __future__ import annotations

import datetime as dt
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nbml

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "how-to" / "great-expectations.md"


@pytest.fixture(autouse=True)
def stock() -> Iterator[None]:
    """Other tests see Great Expectations' own engine."""
    from great_expectations.datasource.fluent.interfaces import Datasource

    yield
    for source in (Datasource, *Datasource.__subclasses__(), *(s for c in Datasource.__subclasses__() for s in c.__subclasses__())):
        if "execution_engine_override" in vars(source):
            source.execution_engine_override = None


def the_frame() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    rows = 300
    frame = pd.DataFrame(
        {
            "id": range(rows),
            "n": np.where(rng.random(rows) < 0.1, np.nan, rng.normal(0, 1, rows)),
            "i": rng.integers(0, 9, rows),
            "t": [f"t{n % 40}" if n % 7 else None for n in range(rows)],
            "day": [f"2024-01-{n % 33 + 1:02d}" for n in range(rows)],
            "plan": pd.Series(rng.choice(["a", "b", "c"], rows), dtype="category"),
            "big": pd.array([None if n % 50 == 0 else n % 20 for n in range(rows)], dtype="Int64"),
            "at": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 90_000, rows), unit="s"),
        }
    )
    return frame.astype({"at": "datetime64[us]"})


def asked() -> list[Any]:
    import great_expectations.expectations as gxe

    found = [
        gxe.ExpectColumnValuesToNotBeNull(column="n"), gxe.ExpectColumnValuesToBeNull(column="t"),
        gxe.ExpectColumnValuesToBeUnique(column="id"),
        gxe.ExpectColumnValuesToBeUnique(column="t"), gxe.ExpectColumnValuesToBeBetween(column="n", min_value=-1, max_value=1,
        strict_min=True),
        gxe.ExpectColumnValuesToBeBetween(column="i", max_value=7, mostly=0.5), gxe.ExpectColumnValuesToBeBetween(column="big",
        min_value=3),
        gxe.ExpectColumnValuesToBeBetween(column="at", min_value=dt.datetime(2024, 1, 1, 6), max_value=dt.datetime(2024, 1, 1, 20)),
        gxe.ExpectColumnValuesToBeInSet(column="plan", value_set=["a", "b"]), gxe.ExpectColumnValuesToNotBeInSet(column="i",
        value_set=[1, 2]),
        gxe.ExpectColumnValuesToMatchRegex(column="t", regex=r"^t\d$"), gxe.ExpectColumnValuesToNotMatchRegex(column="t", regex="3"),
        gxe.ExpectColumnValuesToMatchRegexList(column="t", regex_list=["1$", "2$"]), gxe.ExpectColumnValueLengthsToEqual(column="t",
        value=3),
        gxe.ExpectColumnValuesToMatchStrftimeFormat(column="day", strftime_format="%Y-%m-%d"),
        gxe.ExpectColumnValuesToBeIncreasing(column="i"),
        gxe.ExpectColumnValuesToBeDecreasing(column="n"), gxe.ExpectColumnValueZScoresToBeLessThan(column="n", threshold=1.5,
        double_sided=True),
        gxe.ExpectColumnValuesToBeOfType(column="i", type_="int64"), gxe.ExpectColumnMeanToBeBetween(column="n", min_value=0,
        max_value=0.001),
        gxe.ExpectColumnMedianToBeBetween(column="i", min_value=9), gxe.ExpectColumnMaxToBeBetween(column="at",
        max_value=dt.datetime(2024, 1, 1)),
        gxe.ExpectColumnDistinctValuesToBeInSet(column="i", value_set=[1]), gxe.ExpectColumnPairValuesAToBeGreaterThanB(column_A="n",
        column_B="i"),
        gxe.ExpectCompoundColumnsToBeUnique(column_list=["i", "plan"]), gxe.ExpectTableRowCountToEqual(value=5),
        gxe.ExpectColumnToExist(column="gone"),
        gxe.ExpectColumnValuesToNotBeNull(column="gone"), gxe.ExpectColumnValuesToMatchRegex(column="i", regex="1"),
        gxe.ExpectColumnValuesToBeBetween(column="at", min_value="2024-01-01 06:00:00"),
        gxe.ExpectColumnValuesToBeBetween(column="n", min_value=0, row_condition="i > 3", condition_parser="pandas"),
    ]  # fmt: skip
    for place, expectation in enumerate(found):
        expectation.meta = {"place": place}
    return found


def told(frame: pd.DataFrame, result_format: Any, override: bool) -> tuple[list[Any], Any]:
    """Results in the order asked, as JSON without ids and tracebacks, and the whole of it."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.datasource.fluent.pandas_datasource import PandasDatasource

    PandasDatasource.execution_engine_override = nbml.ExecutionEngine if override else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
        asset = context.data_sources.add_pandas("frames").add_dataframe_asset("frame")
        whole = asset.add_batch_definition_whole_dataframe("all")
        suite = context.suites.add(gx.ExpectationSuite(name="s", expectations=asked()))
        definition = context.validation_definitions.add(gx.ValidationDefinition(name="v", data=whole, suite=suite))
        checkpoint = context.checkpoints.add(gx.Checkpoint(name="c", validation_definitions=[definition], result_format=result_format))
        done = checkpoint.run(batch_parameters={"dataframe": frame})
        [found] = done.run_results.values()
    engine = asset.datasource.get_execution_engine()
    assert isinstance(engine, nbml.ExecutionEngine) is override
    parts = sorted(found.to_json_dict()["results"], key=lambda r: r["expectation_config"]["meta"]["place"])
    return [{key: _bare(part[key]) for key in ("success", "result", "exception_info")} for part in parts], found


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {re.sub("0x[0-9a-f]+", "", str(k)): _bare(v) for k, v in value.items() if k != "exception_traceback"}
    return [_bare(v) for v in value] if isinstance(value, list) else repr(value)


KEYED = {"result_format": "COMPLETE", "unexpected_index_column_names": ["id"], "include_unexpected_rows": True}


@pytest.mark.parametrize("result_format", ["SUMMARY", "COMPLETE", KEYED])
def test_results_equal_those_of_the_stock_engine(result_format: Any) -> None:
    frame = the_frame()
    theirs, stock = told(frame, result_format, override=False)
    ours, found = told(frame, result_format, override=True)
    assert ours == theirs
    assert found.statistics == stock.statistics
    assert "pandas_data_fingerprint" in stock.meta["batch_markers"]
    assert "pandas_data_fingerprint" not in found.meta["batch_markers"]


@pytest.mark.parametrize("index", [[5, 5, 7] * 100, pd.RangeIndex(300, name="row"), pd.MultiIndex.from_product([range(30), range(10)])])
def test_any_index_is_told_as_the_stock_engine_tells_it(index: Any) -> None:
    frame = the_frame().set_axis(index)
    assert told(frame, "COMPLETE", override=True)[0] == told(frame, "COMPLETE", override=False)[0]


def test_rows_are_judged_by_our_evaluator(monkeypatch: pytest.MonkeyPatch) -> None:
    from nbml.validation import execution

    judged = []
    real = execution.outcome

    def noted(frame: Any, config: Any) -> Any:
        found = real(frame, config)
        judged.append((config["type"], found is not None))
        return found

    monkeypatch.setattr(execution, "outcome", noted)
    told(the_frame(), "SUMMARY", override=True)
    ours = {kind for kind, own in judged if own}
    assert {
        "expect_column_values_to_be_between", "expect_column_values_to_match_strftime_format", "expect_column_values_to_be_in_set",
        "expect_column_values_to_match_regex", "expect_column_values_to_be_unique", "expect_column_values_to_not_be_null",
    } <= ours  # fmt: skip


def test_the_guide_runs_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".nbml").mkdir()
    monkeypatch.setenv("NBML_PROJECT", str(tmp_path))
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 2
    names: dict[str, Any] = {"__name__": "guide"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for block in blocks:
            exec(compile(block, str(GUIDE), "exec"), names)
    assert names["done"].success is False
    assert names["theirs"].success is False
