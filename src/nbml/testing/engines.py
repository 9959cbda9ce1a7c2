"""What an engine of expectations promises. Subclass ``EngineSuite`` in a test and give ``engine()``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from nbml import errors

if TYPE_CHECKING:
    import pandas as pd

    from nbml.validation.engines import Engine

FORMATS = ("BOOLEAN_ONLY", "BASIC", "SUMMARY", "COMPLETE")


class EngineSuite:
    """One test for each promise of ``nbml.validation.engines.Engine``."""

    def engine(self) -> Engine:
        """The engine that is judged."""
        raise NotImplementedError

    # -- what is asked --------------------------------------------------------------------------------------

    def frame(self) -> pd.DataFrame:
        import pandas as pd

        days: Any = ["2024-01-01", "2024-06-01", None, "2025-01-01", "2025-06-01"]
        return pd.DataFrame(
            {
                "n": [1.0, 2.0, None, 400.0, 5.0],
                "t": ["x", "y", "zz", None, "x"],
                "i": [1, 2, 3, 4, 5],
                "d": pd.to_datetime(days),
            }
        )

    @staticmethod
    def config(kind: str, **kwargs: Any) -> dict[str, Any]:
        return {"type": kind, "kwargs": kwargs, "meta": {"mine": kind}, "severity": "critical"}

    def one(self, kind: str, result_format: str = "COMPLETE", **kwargs: Any) -> dict[str, Any]:
        return self.engine().evaluate(self.frame(), [self.config(kind, **kwargs)], result_format)[0]

    # -- form -----------------------------------------------------------------------------------------------

    def test_each_expectation_has_its_result_in_the_order_asked(self) -> None:
        asked = [
            self.config("expect_column_values_to_be_unique", column="t"),
            self.config("expect_table_row_count_to_be_between", min_value=1),
            self.config("expect_column_values_to_not_be_null", column="n"),
            self.config("expect_column_values_to_be_unique", column="t"),
            self.config("expect_column_mean_to_be_between", column="n", min_value=0),
        ]
        found = self.engine().evaluate(self.frame(), asked, "SUMMARY")
        assert [result["expectation_config"] for result in found] == asked
        assert [result["success"] for result in found] == [False, True, False, False, True]

    def test_nothing_asked_is_nothing_answered(self) -> None:
        assert self.engine().evaluate(self.frame(), [], "SUMMARY") == []

    def test_results_are_json_without_nan(self) -> None:
        import pandas as pd

        frame = pd.DataFrame({"a": [float("inf"), None, 3.0], "b": [None, 1.0, 2.0]})
        asked = [
            self.config("expect_column_values_to_be_between", column="a", max_value=1),
            self.config("expect_column_max_to_be_between", column="a", max_value=1),
            self.config("expect_column_pair_values_to_be_equal", column_A="a", column_B="b"),
            self.config("expect_column_values_to_be_null", column="a"),
        ]
        for result in self.engine().evaluate(frame, asked, "COMPLETE"):
            json.dumps(result, allow_nan=False)
            assert result["success"] is False

    def test_the_formats_tell_more_and_more(self) -> None:
        kinds = {f: self.one("expect_column_values_to_be_between", f, column="n", max_value=100)["result"] for f in FORMATS}
        assert kinds["BOOLEAN_ONLY"] == {}
        assert kinds["BASIC"]["partial_unexpected_list"] == [400.0]
        assert kinds["SUMMARY"]["partial_unexpected_counts"] == [{"value": 400.0, "count": 1}]
        assert "unexpected_index_list" not in kinds["SUMMARY"]
        assert kinds["COMPLETE"]["unexpected_index_list"] == [3]

    def test_complete_tells_every_position(self) -> None:
        import pandas as pd

        frame = pd.DataFrame({"a": range(1000)})
        asked = [self.config("expect_column_values_to_be_between", column="a", min_value=600)]
        found = self.engine().evaluate(frame, asked, "COMPLETE")[0]["result"]
        assert found["unexpected_index_list"] == list(range(600))
        assert found["unexpected_count"] == 600
        assert len(found["partial_unexpected_list"]) == 20

    def test_the_frame_is_left_as_it_was_and_nothing_is_printed(self, capfd: Any) -> None:
        frame = self.frame()
        self.engine().evaluate(frame, [self.config("expect_column_values_to_be_between", column="d", min_value="2024-02-01")], "COMPLETE")
        assert frame.equals(self.frame())
        assert capfd.readouterr() == ("", "")

    # -- meaning --------------------------------------------------------------------------------------------

    def test_shares_are_of_values_that_are_not_null(self) -> None:
        found = self.one("expect_column_values_to_be_between", column="n", max_value=100)["result"]
        assert (found["element_count"], found["missing_count"], found["unexpected_count"]) == (5, 1, 1)
        assert found["unexpected_percent"] == 25.0
        assert self.one("expect_column_values_to_be_between", column="n", max_value=100, mostly=0.75)["success"] is True
        assert self.one("expect_column_values_to_be_between", column="n", max_value=100, mostly=0.76)["success"] is False

    def test_bounds_hold_and_strict_ones_do_not(self) -> None:
        bounds: dict[str, Any] = {"column": "n", "min_value": 1, "max_value": 400}
        assert self.one("expect_column_values_to_be_between", **bounds)["success"] is True
        assert self.one("expect_column_values_to_be_between", **bounds, strict_min=True)["result"]["unexpected_index_list"] == [0]
        assert self.one("expect_column_values_to_be_between", **bounds, strict_max=True)["result"]["unexpected_index_list"] == [3]

    def test_bounds_on_instants_may_be_text(self) -> None:
        found = self.one("expect_column_values_to_be_between", column="d", min_value="2024-06-01", max_value="2025-01-01")
        assert found["result"]["unexpected_index_list"] == [0, 4]

    def test_sets_texts_and_patterns(self) -> None:
        assert self.one("expect_column_values_to_be_in_set", column="t", value_set=["x", "y"])["result"]["unexpected_index_list"] == [2]
        assert self.one("expect_column_values_to_not_be_in_set", column="t", value_set=["x"])["result"]["unexpected_index_list"] == [0, 4]
        assert self.one("expect_column_values_to_match_regex", column="t", regex="^.$")["result"]["unexpected_index_list"] == [2]
        like = self.one("expect_column_values_to_match_like_pattern", column="t", like_pattern="z%")
        assert like["result"]["unexpected_index_list"] == [0, 1, 4]
        unlike = self.one("expect_column_values_to_not_match_like_pattern", column="t", like_pattern="_")
        assert unlike["result"]["unexpected_index_list"] == [0, 1, 4]
        assert self.one("expect_column_value_lengths_to_equal", column="t", value=1)["result"]["unexpected_index_list"] == [2]

    def test_unique_tells_all_of_the_equal_ones(self) -> None:
        assert self.one("expect_column_values_to_be_unique", column="t")["result"]["unexpected_index_list"] == [0, 4]
        assert self.one("expect_compound_columns_to_be_unique", column_list=["t", "i"])["success"] is True

    def test_pairs_skip_rows_with_a_null_where_asked(self) -> None:
        pair: dict[str, Any] = {"column_A": "i", "column_B": "n", "or_equal": True, "ignore_row_if": "either_value_is_missing"}
        found = self.one("expect_column_pair_values_a_to_be_greater_than_b", **pair)
        assert found["result"]["unexpected_index_list"] == [3]

    def test_aggregates_tell_what_was_observed(self) -> None:
        found = self.one("expect_column_mean_to_be_between", column="n", max_value=100)
        assert (found["success"], found["result"]["observed_value"]) == (False, 102.0)
        assert self.one("expect_column_unique_value_count_to_be_between", column="t", max_value=3)["success"] is True

    def test_a_column_that_is_missing_fails_alone(self) -> None:
        asked = [
            self.config("expect_column_values_to_not_be_null", column="gone"),
            self.config("expect_column_mean_to_be_between", column="gone", min_value=0),
            self.config("expect_column_values_to_not_be_null", column="i"),
        ]
        found = self.engine().evaluate(self.frame(), asked, "SUMMARY")
        assert [result["success"] for result in found] == [False, False, True]
        assert all(result["exception_info"].get("raised_exception") is not False for result in found[:2])

    def test_no_rows_break_nothing_that_is_judged_value_by_value(self) -> None:
        asked = [
            self.config("expect_column_values_to_be_between", column="n", min_value=0),
            self.config("expect_column_values_to_be_unique", column="t"),
            self.config("expect_table_row_count_to_be_between", min_value=1),
        ]
        found = self.engine().evaluate(self.frame().iloc[:0], asked, "COMPLETE")
        assert [result["success"] for result in found] == [True, True, False]

    def test_what_it_does_not_know_is_an_error_with_the_nearest(self) -> None:
        said = ""
        try:
            self.one("expect_column_values_to_be_uniqe", column="t")
        except errors.BadExpectation as error:
            said = error.message
        assert said == "line 1: no expectation 'expect_column_values_to_be_uniqe'; nearest: expect_column_values_to_be_unique"
