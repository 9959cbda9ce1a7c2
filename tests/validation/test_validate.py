"""``expect`` and ``validate`` through the front door: outcomes, the record, and data as they come."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nbml
from nbml import errors
from nbml.slicing import recorder
from nbml.store import current
from nbml.validation import scopes

TEXT = '18 <= age <= 100, mostly=0.9\nplan in {"basic", "pro"}\nnot_null(customer)\nunique(customer)'


@pytest.fixture
def good() -> pd.DataFrame:
    return pd.DataFrame({"customer": range(100), "age": [20 + i % 60 for i in range(100)], "plan": ["basic", "pro"] * 50})


@pytest.fixture
def bad(good: pd.DataFrame) -> pd.DataFrame:
    return good.assign(age=good["age"].where(good.index % 4 != 0, -1), plan=good["plan"].where(good.index > 1, "Pro "))


def test_one_line_when_all_is_well(project: Path, good: pd.DataFrame) -> None:
    nbml.expect("churn", TEXT)
    found = nbml.validate(good, "churn", name="orders")
    assert found.success is True
    first, *rest = repr(found).splitlines()
    assert first.startswith("[passed] churn@1 on orders: 4 of 4 expectations hold · 100 rows · ")
    assert rest == []
    assert found.failing_rows().empty


@pytest.mark.parametrize("result_format", ["BOOLEAN_ONLY", "BASIC", "SUMMARY", "COMPLETE"])
def test_what_fails_is_told_with_its_share_and_its_rows(project: Path, bad: pd.DataFrame, result_format: str) -> None:
    nbml.expect("churn", TEXT)
    found = nbml.validate(bad, "churn", name="orders", result_format=result_format)
    lines = [" ".join(line.split()) for line in repr(found).splitlines()]
    assert lines[0].startswith("[failed] churn@1 on orders: 2 of 4 expectations fail · 100 rows · ")
    assert lines[1:] == [
        "expectation unexpected allowed for instance",
        "18 <= age <= 100 25.0 % 10.0 % −1 (25 rows)",
        'plan in {"basic", "pro"} 2.0 % 0 % "Pro " (2 rows)',
        "2 expectations hold",
        "Next: _.failing_rows()",
    ]
    rows = found.failing_rows()
    assert rows.equals(bad[(bad["age"] < 0) | (bad.index < 2)])
    assert found.failing_rows(limit=3).equals(rows.head(3))
    assert [r["success"] for r in found.results] == [False, False, True, True]


def test_rows_that_mostly_allows_are_no_failing_rows(project: Path, bad: pd.DataFrame) -> None:
    nbml.expect("lenient", 'age >= 0, mostly=0.7\nplan in {"basic", "pro"}')
    assert list(nbml.validate(bad, "lenient").failing_rows().index) == [0, 1]


def test_failing_rows_stay_as_they_were_checked(project: Path, bad: pd.DataFrame) -> None:
    nbml.expect("churn", TEXT)
    found = nbml.validate(bad, "churn")
    bad.loc[:, "plan"] = "basic"
    rows = found.failing_rows()
    assert "Pro " in set(rows["plan"])
    rows.loc[:, "plan"] = "changed"
    assert "Pro " in set(found.failing_rows()["plan"])


def test_strict_raises_with_the_outcome(project: Path, good: pd.DataFrame, bad: pd.DataFrame) -> None:
    nbml.expect("churn", TEXT)
    assert nbml.validate(good, "churn", strict=True).success
    with pytest.raises(nbml.ValidationFailed) as found:
        nbml.validate(bad, "churn", name="orders", strict=True)
    assert found.value.message == "orders breaks churn@1: 2 of 4 expectations fail: 18 <= age <= 100, and 1 more"
    assert found.value.validation.failing_rows().shape == (26, 3)


def test_a_draft_is_no_suite_and_no_pass(project: Path, good: pd.DataFrame) -> None:
    nbml.expect("churn", TEXT)
    found = nbml.validate(good, "chrun", name="orders")
    assert (found.success, found.results) == (None, ())
    assert repr(found).splitlines()[:3] == [
        "[draft] not validated: draft of 8 lines from orders · 100 rows",
        "  there is no suite chrun (nearest: churn); run this cell to keep the draft as one",
        "  %%nbml expect chrun",
    ]
    assert found.failing_rows().empty
    assert current().find("suite", "chrun") is None
    assert current().all("validation") == []
    with pytest.raises(nbml.ValidationFailed) as failed:
        nbml.validate(good, "chrun", name="orders", strict=True)
    assert failed.value.message == (
        "orders is not validated: there is no suite 'chrun'; nearest: churn; without --strict a draft of 8 lines is shown"
    )


def test_same_text_is_the_same_version(project: Path) -> None:
    first = nbml.expect("churn", TEXT)
    assert str(nbml.expect("churn", TEXT)) == str(first) == "churn@1"
    assert str(nbml.expect("churn", TEXT + "\n# a comment")) == "churn@2"
    assert str(nbml.expect("churn", TEXT)) == "churn@3"
    assert nbml.suite("churn@2").text == TEXT + "\n# a comment"
    assert "churn@3" in repr(nbml.suite("churn"))


def test_a_suite_shows_both_forms_and_is_json_of_great_expectations(project: Path, good: pd.DataFrame) -> None:
    import great_expectations as gx

    suite = nbml.expect("churn", TEXT, on=good)
    assert suite.validation is not None
    assert suite.validation.success is True
    assert repr(suite).startswith("[passed] churn@1: 4 of 4 expectations hold · reference of 100 rows pinned · ")
    shown = nbml.suite("churn")._repr_mimebundle_()
    assert "plan in" in shown["text/plain"]
    assert "expect_column_values_to_be_in_set" in shown["text/html"]
    theirs = gx.ExpectationSuite(**{k: v for k, v in suite.to_json().items() if k != "id"})
    kinds = [e.expectation_type for e in theirs.expectations]
    assert kinds[:2] == ["expect_column_values_to_be_between", "expect_column_values_to_be_in_set"]
    assert nbml.validate(good, theirs).success is True
    suite.to_json()["expectations"].clear()
    assert len(suite.to_json()["expectations"]) == 4


def test_every_check_is_in_the_record_with_its_lineage(project: Path, good: pd.DataFrame, bad: pd.DataFrame) -> None:
    dataset = nbml.snapshot(bad, "orders")
    nbml.expect("churn", TEXT)
    nbml.validate("orders@1", "churn")
    nbml.validate(good, "churn", name="today")
    second, first = current().all("validation")
    assert (first.ref, first.state, second.ref, second.state) == ("churn@1", "bad", "churn@2", "well")
    edges = {(role, t.kind, t.ref) for role, t in current().edges_from(first)}
    assert edges == {("checked", "dataset", str(dataset)), ("by", "suite", "churn@1")}
    assert [role for role, _ in current().edges_from(second)] == ["by"]
    assert first.body["row"] == {"state": "bad", "figure": "2 of 4 fail · 25.0 %", "label": "churn on orders@1"}
    assert second.body["row"] == {"state": "well", "figure": "4 of 4 hold", "label": "churn on today"}
    shown = current().result(first.body["result"])
    assert shown is not None
    assert (shown["word"], shown["kind"], shown["ref"]) == ("failed", "validation", "churn@1")


def test_a_frame_that_equals_a_version_is_linked_to_it(project: Path, bad: pd.DataFrame) -> None:
    nbml.snapshot(bad, "orders")
    nbml.expect("churn", TEXT)
    nbml.validate(bad.copy(), "churn")
    assert ("checked", "orders@1") in [(role, t.ref) for role, t in current().edges_from(current().all("validation")[0])]


def test_a_file_is_checked_by_its_path(project: Path, bad: pd.DataFrame) -> None:
    bad.to_csv(project / "orders.csv", index=False)
    nbml.expect("churn", TEXT)
    found = nbml.validate("orders.csv", "churn")
    assert (found.success, found.data, len(found.failing_rows())) == (False, "orders.csv", 26)


def test_a_frame_is_called_as_its_variable(project: Path, good: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(recorder.namespace(), "delivery", good)
    nbml.expect("churn", TEXT)
    assert nbml.validate(good, "churn").data == "delivery"
    assert nbml.validate(good, "churn", name="orders").data == "orders"


def test_labels_and_names_of_any_kind(project: Path) -> None:
    frame = pd.DataFrame({1: [1.0, None, 3.0], ("x", 2): ["a", "b", "a"]}, index=[7, 7, 8])
    nbml.expect("odd", "not_null(col(\"1\"))\ncol(\"('x', 2)\") in {'a'}")
    found = nbml.validate(frame, "odd", result_format="COMPLETE")
    assert found.failing_rows().equals(frame.iloc[[1]])
    assert [r["result"]["unexpected_index_list"] for r in found.results] == [[7], [7]]
    with pytest.raises(errors.BadInput) as collided:
        nbml.validate(pd.DataFrame({1: [1], "1": [2]}), "odd")
    assert collided.value.message == "the columns 1 and '1' have the same name as text; rename one"


def test_a_missing_column_fails_with_its_reason(project: Path, good: pd.DataFrame) -> None:
    nbml.expect("gone", "0 <= agee <= 100\nmean(zzz) > 0\nage >= 0\nexpect_column_to_exist('plann')\nage <= 10, where=plann == 'x'")
    found = nbml.validate(good, "gone")
    assert [f.reason for f in found.failures] == [
        "no column 'agee' in the frame; nearest: age",
        "no column 'zzz' in the frame",
        "no column 'plann' in the frame; nearest: plan",
        "where plann == 'x': column 1: no column 'plann'; nearest: plan",
    ]
    assert found.success is False


@pytest.mark.parametrize("rows", [0, 1])
def test_small_frames_break_nothing(project: Path, good: pd.DataFrame, rows: int) -> None:
    nbml.expect("small", TEXT + "\nmean(age) >= 0\nquantile(age, 0.5) >= 0\nstdev(age) >= 0\nnull_share(age) <= 1")
    found = nbml.validate(good.head(rows), "small")
    assert [r["success"] for r in found.results][:4] == [True] * 4
    json.dumps(found.to_json(), allow_nan=False)
    assert nbml.validate(pd.DataFrame(), "small").success is False


def test_conditions_choose_the_rows_that_are_judged(project: Path, bad: pd.DataFrame) -> None:
    frame = bad.set_index(pd.Index([f"r{i}" for i in range(100)]))
    nbml.expect("chosen", "age >= 0, where=plan == 'pro' and customer < 50\ncustomer < 10, where='age < 0'")
    found = nbml.validate(frame, "chosen", result_format="COMPLETE")
    wrong = frame[(frame["age"] < 0) & (frame["customer"] >= 10)]
    assert found.results[0]["success"] is True
    assert found.failing_rows().equals(wrong)
    assert found.results[1]["result"]["unexpected_index_list"] == list(wrong.index)
    assert "customer < 10 where age < 0" in repr(found)


def test_values_of_private_columns_are_neither_shown_nor_recorded(project: Path) -> None:
    (project / "nbml.toml").write_text('[data]\nprivate = ["email"]\n')
    frame = pd.DataFrame({"email": ["ada@example.org", "grace@example.org"], "age": [1, 2]})
    nbml.expect("secret", 'matches(email, "^x")\nmax(email) <= 3\nage > 5\nn_unique(email) > 5')
    found = nbml.validate(frame, "secret", name="people")
    record = json.dumps([current().all("validation")[0].body, current().result(current().all("validation")[0].body["result"])])
    for told in (repr(found), json.dumps(found._repr_mimebundle_()), record):
        assert "ada@" not in told
        assert "grace@" not in told
        assert "matches(email" in told
    assert "100 %" in repr(found)
    assert "1, 2 (2 rows)" in repr(found)
    assert "ada@" not in nbml.validate(frame, "other").draft
    assert "ada@" in str(found.failing_rows()), "the rows themselves are the user's"


def test_a_read_only_store_still_checks(project: Path, bad: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    nbml.expect("churn", TEXT)
    monkeypatch.setattr(current(), "readonly", True)
    found = nbml.validate(bad, "churn")
    assert (found.success, found.version) == (False, 0)
    assert repr(found).startswith("[failed] churn@1: 2 of 4")
    with pytest.raises(errors.ReadOnlyStore):
        nbml.expect("churn", "rows > 1")


MESSAGES: list[tuple[Any, type[errors.NbmlError], str, str | None]] = [
    (lambda df: nbml.validate(3, "churn"), errors.NotADataFrame, "a dataframe is needed, not int", None),
    (lambda df: nbml.validate(df, 3), errors.BadArgument,
     "a suite is a name, Great Expectations JSON or an ExpectationSuite, not int", None),
    (lambda df: nbml.validate(df, "churn@9"), errors.UnknownSuite, "no suite 'churn@9'; nearest: churn@1", 'nbml.suite("churn@1")'),
    (lambda df: nbml.suite("chrn"), errors.UnknownSuite, "no suite 'chrn'; nearest: churn@1", 'nbml.suite("churn@1")'),
    (lambda df: nbml.suite("zzz"), errors.UnknownSuite, "no suite 'zzz'; there are churn", None),
    (lambda df: nbml.validate(df, "churn", result_format="SUMARY"), errors.BadArgument,
     "no result format 'SUMARY'; nearest: SUMMARY", None),
    (lambda df: nbml.validate(df, {"name": "x"}), errors.BadInput,
     "a suite of Great Expectations has a list under 'expectations'; this has 'name'", None),
    (lambda df: nbml.validate(df, {"expectations": [3]}), errors.BadExpectation, "expectation 1 has no type and kwargs: 3", None),
    (lambda df: nbml.validate(df, {"name": "x", "expectations": []}), errors.BadInput, "the suite 'x' holds no expectation", None),
    (lambda df: nbml.expect("churn", "# nothing"), errors.BadExpectation, "a suite needs at least one expectation",
     "nbml.expect('churn', 'rows >= 1')"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "message", "following"), MESSAGES)
def test_what_is_wrong_is_named_and_the_next_line_works(
    project: Path, good: pd.DataFrame, call: Any, kind: type[errors.NbmlError], message: str, following: str | None
) -> None:
    nbml.expect("churn", TEXT)
    with pytest.raises(kind) as found:
        call(good)
    assert (found.value.message, found.value.next) == (message, following)
    if following:
        assert eval(following, {"nbml": nbml})


def test_where_each_expectation_is_checked_once_a_model_is_served(project: Path) -> None:
    suite = nbml.expect(
        "served",
        "age >= 0, mostly=0.9\nage <= tenure\nplan in {'a'}, where=age > 3\nnot_null(age)\nunique(age)\nmean(age) > 1\nrows > 3\n"
        "psi(age) < 0.2\nincreasing(age)\nchurned in {0, 1}\nage < 99, where=churned == 1\nmean(churned) < 1\ndtype(age) == 'int64'\n"
        "columns >= {'churned'}\nunique(age, churned)",
    )
    found = scopes(suite, ["age", "tenure", "plan"])
    assert [f["scope"] for f in found] == [
        "row", "row", "row", "row", "window", "window", "window", "window", "window", "not served", "not served", "not served", "window",
        "window", "not served",
    ]  # fmt: skip
    assert found[0] == {
        "text": "age >= 0, mostly=0.9", "scope": "row", "type": "expect_column_values_to_be_between",
        "kwargs": {"column": "age", "min_value": 0, "mostly": 0.9}, "mostly": 0.9, "severity": "critical",
    }  # fmt: skip
    assert found[2]["where"] == "age > 3"
    assert scopes(suite.to_json(), ["age"])[1]["scope"] == "not served"


def test_columns_of_every_kind_are_judged_or_say_why_not(project: Path) -> None:
    frame = pd.DataFrame(
        {
            "at": pd.to_datetime(["2020-01-01", "2021-01-01", None], utc=True),
            "odd": [[1], {"a": 2}, {3}],
            "mixed": [1, "x", None],
            "kind": pd.Categorical(["a", "b", None]),
            "whole": pd.array([1, None, 3], dtype="Int64"),
            "real": [1.0, np.inf, np.nan],
        }
    )
    text = "at >= '2020-06-01'\nmixed >= 0\nkind in {'a'}\nwhole >= 2\nreal <= 5\nmax(real) < 9\nnot_null(odd)\nodd == 3\nunique(odd)"
    nbml.expect("odd", text)
    found = nbml.validate(frame, "odd")
    assert [r["success"] for r in found.results][:7] == [False, False, False, False, False, False, True]
    json.dumps(found.to_json(), allow_nan=False)
    assert found.failures[1].reason
    assert len(found.failing_rows()) == 3


#: values as they stand in a program, and what a suite's JSON has for them
IN_A_PROGRAM = [
    (dt.datetime(2024, 1, 1, 12), "2024-01-01T12:00:00"), (dt.date(2024, 1, 1), "2024-01-01"),
    (pd.Timestamp("2024-01-01", tz="UTC"), "2024-01-01T00:00:00+00:00"), (np.int64(3), 3), (np.datetime64("2024-01-01"), "2024-01-01"),
    (decimal.Decimal("1.5"), 1.5), (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"), (None, None),
]  # fmt: skip


@pytest.mark.parametrize(("value", "said"), IN_A_PROGRAM, ids=lambda value: type(value).__name__)
def test_values_of_a_program_in_a_suite_of_great_expectations_are_json(project: Path, value: Any, said: Any) -> None:
    kwargs = {"column": "at", "value_set": [value, value]}
    entry = {"type": "expect_column_values_to_be_in_set", "kwargs": kwargs, "meta": {"since": value, "more": (value,)}}
    found = nbml.validate(pd.DataFrame({"at": ["x"]}), {"name": "gx", "expectations": [entry]})
    config = found.results[0]["expectation_config"]
    assert config["kwargs"]["value_set"] == [said, said]
    assert (config["meta"]["since"], config["meta"]["more"]) == (said, [said])
    assert kwargs["value_set"] == [value, value], "what was given stays as it was"
    json.dumps(found.thing.body if found.thing else None)


def test_instants_of_a_program_are_compared_as_instants(project: Path) -> None:
    frame = pd.DataFrame({"at": pd.date_range("2024-01-01", periods=4)})
    for most, success in ((dt.datetime(2024, 1, 4), True), (dt.datetime(2024, 1, 3), False)):
        kwargs = {"column": "at", "max_value": most}
        for engine in ("nbml", "gx"):
            suite = {"expectations": [{"type": "expect_column_values_to_be_between", "kwargs": kwargs}]}
            assert nbml.validate(frame, suite, engine=engine).success is success


def test_what_json_cannot_hold_is_told(project: Path, good: pd.DataFrame) -> None:
    entry = {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "age", "value_set": [1, object()]}}
    with pytest.raises(errors.BadExpectation) as found:
        nbml.validate(good, {"expectations": [entry]})
    assert found.value.message == "expectation 1: value_set holds a object, which JSON cannot hold"


def test_half_of_a_character_in_names_and_values(project: Path) -> None:
    labels = pd.Index(["a\ud800", "b"], dtype=object)
    frame = pd.DataFrame([[1, 2], [3, 4]], columns=labels)
    draft = nbml.validate(frame, "odd").draft
    assert 'not_null(col("a\\\\ud800"), b)' in draft
    assert nbml.validate(frame, nbml.expect("odd", draft, on=frame)).success is True
    with pytest.raises(errors.CannotStore) as caught:
        nbml.snapshot(frame, "odd")
    assert caught.value.message == "the column name 'a\\ud800' holds half of a surrogate pair, which is no Unicode; rename it"
    nbml.expect("values", "b in {'q'}")
    found = nbml.validate(pd.DataFrame({"b": pd.Series(["x\ud800", "y"], dtype=object)}), "values")
    assert '"x\\ud800", "y" (2 rows)' in repr(found)
    assert found.failing_rows()["b"].tolist() == ["x\ud800", "y"]


def test_a_wrong_type_is_told_with_the_columns_type(project: Path) -> None:
    frame = pd.DataFrame({"age": [20, 30], "plan": ["a", "b"], "secret": ["x", "y"]})
    (project / "nbml.toml").write_text('[data]\nprivate = ["secret"]\n')
    nbml.expect("types", "mean(plan) > 3\nage <= plan\n10 <= plan <= 20\nmean(secret) > 1")
    reasons = [failure.reason for failure in nbml.validate(frame, "types").failures]
    assert reasons == [
        "plan is str; Cannot perform reduction 'mean' with string dtype",
        "plan is str; age is int64; Invalid comparison between dtype=str and ndarray",
        "plan is str; Column values, min_value, and max_value must either be None or of the same type.",
        "could not be evaluated",
    ]


@pytest.mark.parametrize("limit", [-1, "x", 2.5, True])
def test_a_limit_is_a_number_of_rows(project: Path, bad: pd.DataFrame, limit: Any) -> None:
    found = nbml.validate(bad, nbml.expect("churn", TEXT))
    with pytest.raises(errors.BadArgument) as caught:
        found.failing_rows(limit=limit)
    assert caught.value.message == f"limit is a number of rows, found {limit!r}"
    assert len(eval(str(caught.value.next), {"_": found})) == 20
    assert len(found.failing_rows(limit=np.int64(2))) == 2


@pytest.mark.parametrize("text", [None, 3, ["rows >= 1"]])
def test_expectations_are_a_text(project: Path, text: Any) -> None:
    with pytest.raises(errors.BadArgument) as caught:
        nbml.expect("churn", text)
    assert caught.value.message == f"expectations are a text of one entry in each line, not {type(text).__name__}"
    assert str(eval(str(caught.value.next), {"nbml": nbml})) == "churn@1"


def test_a_condition_of_the_wrong_type_is_told_by_its_place(project: Path, good: pd.DataFrame) -> None:
    found = nbml.validate(good, nbml.expect("churn", "age > 3, where=plan > 3"))
    assert [failure.reason for failure in found.failures] == ["where plan > 3: column 1: 'plan > 3' compares values of different kinds"]


def test_var_of_too_many_values_is_told(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(recorder.namespace(), "many", list(range(10_001)))
    monkeypatch.setitem(recorder.namespace(), "man", len)
    with pytest.raises(errors.BadExpectation) as caught:
        nbml.expect("churn", "age in var('many')")
    assert caught.value.message == (
        "line 1, column 8: 'many' is a list; a suite holds numbers, texts, dates and lists of up to 10,000 of them"
    )
    with pytest.raises(errors.BadExpectation) as near:
        nbml.expect("churn", "age in var('mann')")
    assert near.value.message == "line 1, column 8: no name 'mann' in the notebook; nearest: many"
