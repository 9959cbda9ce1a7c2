"""Our engine keeps what engines promise, and ``validate`` says what Great Expectations itself says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import nbml
from nbml import registry
from nbml.testing.engines import EngineSuite
from nbml.validation import words


class TestGx(EngineSuite):
    def engine(self) -> Any:
        return registry.adapter("nbml.engines", "gx")()


def test_the_names_of_great_expectations_are_all_there() -> None:
    import great_expectations.expectations  # noqa: F401
    from great_expectations.expectations.registry import list_registered_expectation_implementations

    known = {n for n in list_registered_expectation_implementations() if n.startswith("expect_") and words.drift_word(n) is None}
    assert known == set(words.NAMES)


@pytest.mark.parametrize("result_format", ["BOOLEAN_ONLY", "BASIC", "SUMMARY", "COMPLETE"])
def test_results_equal_those_of_great_expectations_itself(project: Path, result_format: str) -> None:
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    frame = pd.DataFrame({"age": [20, 30, None, 400], "plan": ["a", "b", "c", None]})
    suite = gx.ExpectationSuite(
        name="theirs",
        expectations=[
            gx.expectations.ExpectColumnValuesToBeBetween(column="age", min_value=18, max_value=100, mostly=0.5),
            gx.expectations.ExpectColumnValuesToBeInSet(column="plan", value_set=["a", "b"]),
            gx.expectations.ExpectColumnMeanToBeBetween(column="age", max_value=100),
        ],
    )
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    theirs = context.data_sources.pandas_default.read_dataframe(frame).validate(suite, result_format=result_format).to_json_dict()
    ours = nbml.validate(frame, suite, result_format=result_format)
    by_type = {r["expectation_config"]["type"]: r for r in theirs["results"]}
    for result in ours.results:
        same = by_type[result["expectation_config"]["type"]]
        assert {key: result[key] for key in ("success", "result", "exception_info")} == {
            key: same[key] for key in ("success", "result", "exception_info")
        }
    assert ours.to_json()["statistics"] == theirs["statistics"]
    assert ours.to_gx().success == theirs["success"]
    assert ours.to_gx().to_json_dict()["results"][1]["result"] == ours.results[1]["result"]
    assert nbml.validate(frame, suite.to_json_dict(), result_format=result_format, engine="gx").results == ours.results


def test_drift_expectations_are_classes_of_great_expectations(project: Path) -> None:
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    from nbml.validation import expectations

    frame = pd.DataFrame({"age": range(400), "plan": ["a", "b"] * 200})
    suite = nbml.expect("drifting", "psi(age) < 0.2\nks(age) < 0.1\nwasserstein(age) < 9\njs(plan) < 0.1\nchi2(plan) < 4", on=frame)
    theirs = gx.ExpectationSuite(name="theirs", expectations=suite.to_json()["expectations"])
    assert [type(e) for e in theirs.expectations] == [
        expectations.ExpectColumnPsiToBeLessThan,
        expectations.ExpectColumnKsToBeLessThan,
        expectations.ExpectColumnWassersteinToBeLessThan,
        expectations.ExpectColumnJsToBeLessThan,
        expectations.ExpectColumnChi2ToBeLessThan,
    ]
    moved = frame.assign(age=frame["age"] + 100)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    done = context.data_sources.pandas_default.read_dataframe(moved).validate(theirs)
    ours = nbml.validate(moved, "drifting")
    found = {r.expectation_config.type: (r.success, r.result["observed_value"]) for r in done.results}
    assert found == {r["expectation_config"]["type"]: (r["success"], r["result"]["observed_value"]) for r in ours.results}
    assert [r["success"] for r in ours.results] == [False, False, False, True, True]


def test_what_great_expectations_cannot_tell_fails_alone(project: Path) -> None:
    frame = pd.DataFrame({"took": pd.to_timedelta([1, 2, 3], unit="D"), "n": [1, 2, 3]})
    asked = [
        {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "took", "value_set": [1]}},
        {"type": "expect_column_values_to_be_between", "kwargs": {"column": "n", "max_value": 2}},
        {"type": "expect_column_mean_to_be_between", "kwargs": {"column": "n", "max_value": 2}},
    ]
    found = nbml.validate(frame, {"name": "odd", "expectations": asked}, engine="gx").results
    assert [result["success"] for result in found] == [False, False, True]
    assert found[0]["exception_info"] == {
        "raised_exception": True,
        "exception_traceback": None,
        "exception_message": "TypeError: 1 days 00:00:00 is of type Timedelta which cannot be serialized.",
    }
    assert found[1]["result"]["partial_unexpected_list"] == [3]


def test_quantiles_of_one_column_do_not_take_each_others_values(project: Path) -> None:
    def quantile(at: float, most: float) -> dict[str, Any]:
        ranges = {"quantiles": [at], "value_ranges": [[None, most]]}
        return {"type": "expect_column_quantile_values_to_be_between", "kwargs": {"column": "n", "quantile_ranges": ranges}}

    suite = {"name": "quantiles", "expectations": [quantile(0.5, 6), quantile(1.0, 10), quantile(0.0, 0)]}
    for engine in ("nbml", "gx"):
        found = nbml.validate(pd.DataFrame({"n": range(12)}), suite, engine=engine).results
        assert [r["result"]["observed_value"]["values"] for r in found] == [[6], [11], [0]]
        assert [r["success"] for r in found] == [True, False, True]
