"""GX JSON as text, and text as GX JSON: what one says the other says."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nbml
from nbml.validation.exchange import read_suite, suite_json
from nbml.validation.grammar import parse
from nbml.validation.words import DRIFT, EITHER, NAMES, ROWLESS, ROWS_BY_QUERY, SEVERITIES, drift_type
from nbml.validation.writing import text_of

Json = dict[str, Any]

# -- the round trip -------------------------------------------------------------------------------------------

ODD = ["age", "plan", "net amount", "class", "rows", "a`b", 'q"u', "ä", "1", "\ufb01", "a\u2028b"]
COLUMNS = st.one_of(st.sampled_from(ODD), st.text(max_size=6))
LITERALS = st.one_of(
    st.integers(-(10**20), 10**20), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none(),
    st.text(max_size=8), st.sampled_from(["a\nb", "\\d+", 'say "x"', "it's", "\\", "\x00\x1b", "\u2028", "e\u0301", "\U0001f600"]),
)  # fmt: skip
VALUES = st.recursive(
    LITERALS, lambda one: st.one_of(st.lists(one, max_size=3), st.dictionaries(st.text(max_size=4), one, max_size=2)), max_leaves=4
)
NUMBERS = st.one_of(st.integers(-1000, 1000), st.floats(-1e6, 1e6))
SHARES = st.one_of(st.sampled_from([0, 1, 0.5, 0.95, 0.99]), st.floats(0, 1))
PATTERNS = st.sampled_from(["^a", "[^@]+@[^@]+", r"\d{3}", 'a"b', r"x\\", "tab\t", "ü"])
FORMATS = st.sampled_from(["%Y-%m-%d", "%H:%M"])
PATTERN_KEYS = {"regex": PATTERNS, "like_pattern": PATTERNS, "strftime_format": FORMATS}


@st.composite
def bounds(draw: st.DrawFn, values: st.SearchStrategy[Any] = NUMBERS) -> Json:
    """One or two bounds, the lesser first, open or closed."""
    low, high = sorted([draw(values), draw(values)])
    found = draw(st.sampled_from([{"min_value": low}, {"max_value": high}, {"min_value": low, "max_value": high}]))
    strict = {side: draw(st.booleans()) for side in ("min", "max") if f"{side}_value" in found}
    if low == high:
        return dict(found)
    return found | {f"strict_{side}": held for side, held in strict.items() if held or draw(st.booleans())}


@st.composite
def configs(draw: st.DrawFn) -> Json:
    """An expectation of any type: what has a word, and what has none."""
    kind = draw(st.sampled_from([*NAMES, *map(drift_type, DRIFT), ROWS_BY_QUERY]))
    kwargs: Json = {}
    if kind.startswith("expect_column_pair_"):
        kwargs = {"column_A": draw(COLUMNS), "column_B": draw(COLUMNS)} | draw(st.sampled_from([{}, {"ignore_row_if": EITHER}]))
        kwargs |= {"or_equal": draw(st.booleans())} if kind.endswith("greater_than_b") else {}
    elif kind.startswith(("expect_column_", ROWS_BY_QUERY)):
        kwargs = {"column": draw(COLUMNS)} if kind != ROWS_BY_QUERY else {}
    elif not kind.startswith("expect_table_"):
        kwargs = {"column_list": draw(st.lists(COLUMNS, min_size=1, max_size=3))}
    kwargs |= draw(_arguments(kind))
    if kind.startswith(("expect_column_values_", "expect_column_pair_", "expect_compound")) and draw(st.booleans()):
        kwargs["mostly"] = draw(SHARES)
    return {"type": kind, "kwargs": kwargs, "severity": draw(st.sampled_from(SEVERITIES))}


COUNTED = ("expect_table_row", "expect_table_column_count", "expect_column_unique_value_count", "expect_column_value_lengths")


def _arguments(kind: str) -> st.SearchStrategy[Json]:
    rest: Json = {}
    if kind.startswith(COUNTED):
        whole = st.integers(0, 1000)
        return st.fixed_dictionaries({"value": whole}) if kind.endswith("_equal") else bounds(whole)
    if kind in ("expect_column_values_to_be_between", "expect_column_min_to_be_between", "expect_column_max_to_be_between"):
        return bounds(st.one_of(st.just(0), st.integers(-5, 5))) | bounds(st.dates().map(str))
    if kind.endswith("proportion_of_non_null_values_to_be_between"):
        return bounds(SHARES)
    if kind.endswith("quantile_values_to_be_between"):
        pair = bounds(st.integers(0, 9)).map(lambda b: [b.get("min_value"), b.get("max_value")])
        one = {"quantiles": SHARES, "value_ranges": pair}
        ranges = st.fixed_dictionaries({key: st.lists(values, min_size=1, max_size=1) for key, values in one.items()})
        return st.fixed_dictionaries({"quantile_ranges": ranges})
    if kind.endswith("_between"):
        return bounds()
    if "_to_be_less_than" in kind and any(f"_{word}_" in kind for word in DRIFT):
        return st.fixed_dictionaries({"max_value": NUMBERS, "strict_max": st.booleans()})
    for end, key in (("_set", "value_set"), ("_type_list", "type_list"), ("_ordered_list", "column_list")):
        rest |= {key: st.lists(VALUES if key == "value_set" else st.text(max_size=5), max_size=3)} if kind.endswith(end) else {}
    if kind.endswith("match_set"):
        rest = {"column_set": st.lists(COLUMNS, max_size=3), "exact_match": st.booleans()}
    if kind.endswith(("_of_type", "column_type_to_be")):
        rest["type_"] = st.sampled_from(["int64", "str"])
    for end, key in (("_regex", "regex"), ("_like_pattern", "like_pattern"), ("strftime_format", "strftime_format")):
        rest |= {key: PATTERN_KEYS[key]} if kind.endswith(end) else {}
    if kind.endswith(("_increasing", "_decreasing")):
        return st.sampled_from([{}, {"strictly": True}, {"strictly": False}])
    return st.fixed_dictionaries(rest, optional={"threshold": NUMBERS, "ties_okay": st.booleans(), "anything": VALUES})


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(configs(), st.sampled_from(["", "a > 1", 'col("net amount") in {1, 2} and not null(b)']))
def test_what_is_written_is_read_as_the_same(config: Json, where: str) -> None:
    if where and config["type"] not in ROWLESS:
        config = {**config, "meta": {"nbml": {"where": where}}}
    text = text_of(config)
    assert "\n" not in text
    (found,) = parse(text)
    assert json.dumps([found.type, found.kwargs, found.severity], sort_keys=True) == json.dumps(
        [config["type"], config["kwargs"], config["severity"]], sort_keys=True
    )
    assert found.where == config.get("meta", {}).get("nbml", {}).get("where")
    assert text_of(found) == text


SHORT = [
    ("expect_column_values_to_be_between", {"column": "age", "min_value": 18, "max_value": 100, "strict_max": True}, "18 <= age < 100"),
    ("expect_column_values_to_be_between", {"column": "at", "min_value": "2020-01-01"}, 'at >= "2020-01-01"'),
    ("expect_column_values_to_be_in_set", {"column": "plan", "value_set": ["a"]}, 'plan == "a"'),
    ("expect_column_values_to_not_be_in_set", {"column": "plan", "value_set": [1, 2]}, "plan not in {1, 2}"),
    ("expect_column_values_to_be_in_set", {"column": "plan", "value_set": []}, "plan in []"),
    ("expect_column_values_to_not_be_null", {"column": "net amount", "mostly": 0.9}, 'not_null(col("net amount")), mostly=0.9'),
    ("expect_column_values_to_match_regex", {"column": "x", "regex": r"\d+"}, r'matches(x, r"\d+")'),
    ("expect_column_values_to_not_match_like_pattern", {"column": "x", "like_pattern": "%a"}, 'not like(x, "%a")'),
    ("expect_column_values_to_be_increasing", {"column": "x", "strictly": True}, "increasing(x, strictly=True)"),
    ("expect_column_proportion_of_non_null_values_to_be_between", {"column": "x", "min_value": 0.95}, "null_share(x) <= 0.05"),
    ("expect_column_mean_to_be_between", {"column": "x", "min_value": 1, "max_value": 1}, "mean(x) == 1"),
    ("expect_table_row_count_to_be_between", {"min_value": 5}, "rows >= 5"),
    ("expect_table_row_count_to_equal", {"value": 5}, "expect_table_row_count_to_equal(5)"),
    ("expect_compound_columns_to_be_unique", {"column_list": ["a", "b c"]}, 'unique(a, col("b c"))'),
    ("expect_compound_columns_to_be_unique", {"column_list": ["a"]}, 'expect_compound_columns_to_be_unique(["a"])'),
    ("expect_column_pair_values_to_be_equal", {"column_A": "a", "column_B": "b"},
     'expect_column_pair_values_to_be_equal("a", "b")'),
    ("expect_column_psi_to_be_less_than", {"column": "x", "max_value": 0.2, "strict_max": False}, "psi(x) <= 0.2"),
    ("expect_column_kl_divergence_to_be_less_than",
     {"column": "x", "partition_object": {"values": [1], "weights": [1.0]}, "threshold": 0.1},
     'expect_column_kl_divergence_to_be_less_than("x", partition_object={"values": [1], "weights": [1.0]}, threshold=0.1)'),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "kwargs", "text"), SHORT)
def test_the_shortest_entry(kind: str, kwargs: Json, text: str) -> None:
    assert text_of({"type": kind, "kwargs": kwargs}) == text


def test_what_cannot_be_read_is_shown_by_its_name_all_the_same() -> None:
    assert text_of({"type": "expect_own", "kwargs": {"column": "x", "at": float("inf")}}) == 'expect_own("x", at=inf)'


# -- Great Expectations' own suites ---------------------------------------------------------------------------


@pytest.fixture
def batch() -> Any:
    """A batch of Great Expectations on its pandas engine."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    return context.data_sources.pandas_default.read_dataframe


FRAME = pd.DataFrame(
    {
        "id": range(400), "age": [18 + i % 60 for i in range(400)], "score": [i / 7 if i % 5 else None for i in range(400)],
        "plan": ["basic", "pro", "pro", None] * 100, "email": [f"u{i}@example.org" if i % 9 else "none" for i in range(400)],
        "day": ["2024-05-01", "2024-13-01"] * 200, "net amount": [i - 3.0 for i in range(400)],
        "signup": pd.date_range("2020-01-01", periods=400, freq="D"),
        "last": pd.date_range("2020-01-03", periods=400, freq="D").insert(0, pd.NaT)[:400],
    }
)  # fmt: skip
EVERY = """
300 <= rows <= 500
rows == 400
columns == ["id", "age", "score", "plan", "email", "day", "net amount", "signup", "last"]
columns >= {"id", "age"}
columns == {"id"}
18 <= age < 70
0 < score
score > 3, mostly=0.5
col("net amount") >= 0
signup >= "2020-02-01"
"2020-01-01" <= signup < "2020-12-01"
min(signup) >= "2020-01-01"
max(signup) < "2021-01-01T12:00:00"
plan in {"basic", "pro"}
plan not in {"basic"}
plan == "pro"
plan != "pro"
not_null(id, plan)
null(score)
unique(id)
unique(age, plan)
signup < last
last <= signup
age == id
matches(email, r"[^@]+@[^@]+")
not matches(email, "none")
format(day, "%Y-%m-%d")
3 <= length(plan) <= 4
length(day) == 10
dtype(age) == "int64"
dtype(age) in {"float64", "int64"}
increasing(id)
increasing(age, strictly=True)
decreasing(id)
mean(age) < 40
median(age) >= 30
stdev(age) < 20
sum(age) > 100
min(age) == 18
max(age) <= 77
quantile(age, 0.9) <= 70
n_unique(plan) == 2
null_share(score) < 0.3
mean(age) < 30, severity="warning"
age >= 30, where=plan == "pro" and score > 10
not_null(score), where=plan != "basic" or not age > 30
rows <= 120, where=signup >= "2020-06-01"
mean(age) < 50, where=null(plan)
expect_column_values_to_not_be_outliers("score", method="std", multiplier=2)
expect_multicolumn_sum_to_equal(["id", "age"], sum_total=20, mostly=0.1)
"""


def test_a_suite_is_judged_by_great_expectations_as_by_nbml(project: Path, batch: Any) -> None:
    import great_expectations as gx

    suite = nbml.expect("every", EVERY)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = batch(FRAME).validate(gx.ExpectationSuite(**{**suite.to_json(), "id": None}), result_format="COMPLETE")
    ours = nbml.validate(FRAME, "every", result_format="COMPLETE")
    found: dict[str, Json] = {}
    for result in theirs.to_json_dict()["results"]:
        found[result["expectation_config"]["meta"]["nbml"]["text"] + str(result["expectation_config"]["kwargs"].get("column"))] = result
    for result in ours.results:
        config = result["expectation_config"]
        same = found[config["meta"]["nbml"]["text"] + str(config["kwargs"].get("column"))]
        assert not any(info.get("raised_exception") is True for info in same["exception_info"].values() if isinstance(info, dict))
        assert (result["success"], result["result"].get("unexpected_index_list"), result["result"].get("observed_value")) == (
            same["success"], same["result"].get("unexpected_index_list"), same["result"].get("observed_value")
        ), config  # fmt: skip
    assert len(ours.results) == len(theirs.results) == len(parse(EVERY))
    real = ours.to_gx()
    assert real.results[0].expectation_config.kwargs["min_value"] == 300
    assert real.to_json_dict()["success"] is False


def test_a_suite_made_by_great_expectations_is_shown_in_words(project: Path) -> None:
    import great_expectations as gx
    from great_expectations.expectations.row_conditions import Column

    gxe = gx.expectations
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = gx.ExpectationSuite(
            name="Their suite",
            expectations=[
                gxe.ExpectColumnValuesToBeBetween(column="age", min_value=18, max_value=60, mostly=0.5),
                gxe.ExpectColumnValuesToBeInSet(column="plan", value_set=["basic"], severity="warning"),
                gxe.ExpectColumnMeanToBeBetween(column="age", max_value=10, row_condition=Column("plan") == "pro"),
                gxe.ExpectColumnValuesToNotBeNull(column="score", row_condition=Column("plan") != "pro"),
                gxe.ExpectTableRowCountToEqual(value=3),
                gxe.ExpectColumnPairValuesToBeEqual(column_A="age", column_B="id"),
            ],
        )
    expected = [
        "18 <= age <= 60", 'plan == "basic"', 'mean(age) <= 10 where plan == "pro"',
        'expect_column_values_to_not_be_null("score", row_condition={"column": {"name": "plan"}, "operator": "!=", '
        '"parameter": "pro", "type": "comparison"})',
        "expect_table_row_count_to_equal(3)", 'expect_column_pair_values_to_be_equal("age", "id")',
    ]  # fmt: skip
    for given_suite in (theirs, theirs.to_json_dict(), json.loads(json.dumps(theirs.to_json_dict()))):
        found = nbml.validate(FRAME, given_suite)
        assert sorted(f.text for f in found.failures) == sorted(expected[1:])
        assert expected[0] in repr(found) + json.dumps(found._repr_mimebundle_(), ensure_ascii=False)
    texts = [config["meta"]["nbml"]["text"] for config in read_suite(theirs)[1]]
    assert texts[:3] == ["18 <= age <= 60, mostly=0.5", 'plan == "basic", severity="warning"', 'mean(age) <= 10, where=plan == "pro"']
    assert nbml.expect("mine", "\n".join(texts)).to_json()["expectations"][2]["kwargs"]["row_condition"] == {
        "type": "comparison", "column": {"name": "plan"}, "operator": "==", "parameter": "pro",
    }  # fmt: skip


def test_defaults_that_are_written_out_say_nothing(project: Path) -> None:
    kwargs = {"column": "age", "min_value": 18.0, "max_value": None, "strict_min": False, "mostly": 1.0, "row_condition": None}
    (found,) = read_suite({"name": "x", "expectations": [{"expectation_type": "expect_column_values_to_be_between", "kwargs": kwargs}]})[1]
    assert (found["meta"]["nbml"]["text"], found["kwargs"]) == ("age >= 18", kwargs)


def test_a_condition_that_great_expectations_has_not_stays_ours_and_it_says_so(project: Path) -> None:
    suite = nbml.expect("mine", "age >= 70, where=age < id\nage >= 0, where=plan == 'pro'")
    first, second = suite.to_json()["expectations"]
    assert ("row_condition" in first["kwargs"], "row_condition" in second["kwargs"]) == (False, True)
    assert first["notes"] == "where=age < id has no form of Great Expectations: Great Expectations judges all rows"
    found = nbml.validate(FRAME, suite.to_json())
    assert found.failures[0].text == "age >= 70 where age < id"
    with pytest.warns(UserWarning, match=r"^where=age < id has no form of Great Expectations: it stays in meta") as told:
        found.to_gx()
    assert len(told) == 1
    assert nbml.validate(FRAME, nbml.expect("fine", "age >= 0, where=plan == 'pro'")).to_gx().success is True


def test_a_condition_changed_in_the_json_is_the_one_that_holds(project: Path) -> None:
    found = suite_json("x", "", parse("age >= 20, where=plan == 'pro'"))
    found["expectations"][0]["kwargs"]["row_condition"]["parameter"] = "basic"
    result = nbml.validate(FRAME, found)
    own = nbml.validate(FRAME[FRAME["plan"] == "basic"], suite_json("x", "", parse("age >= 20")))
    assert result.results[0]["result"]["unexpected_count"] == own.results[0]["result"]["unexpected_count"] > 0


def test_drift_runs_in_a_checkpoint_of_great_expectations(project: Path) -> None:
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    lines = "psi(age) < 0.2\nks(age) < 0.1\njs(plan) < 0.3\nchi2(plan) < 9\nwasserstein(age) < 9\npsi(age) < 0.2, where=id >= 100"
    nbml.expect("drifting", lines, on=FRAME)
    moved = FRAME.assign(age=FRAME["age"].where(FRAME["id"] < 100, 77))
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    suite = context.suites.add(gx.ExpectationSuite(**{**nbml.suite("drifting").to_json(), "id": None}))
    asset = context.data_sources.add_pandas("frames").add_dataframe_asset("moved")
    definition = gx.ValidationDefinition(name="one", data=asset.add_batch_definition_whole_dataframe("all"), suite=suite)
    checkpoint = context.checkpoints.add(gx.Checkpoint(name="all", validation_definitions=[context.validation_definitions.add(definition)]))
    (theirs,) = checkpoint.run(batch_parameters={"dataframe": moved}).run_results.values()
    ours = nbml.validate(moved, "drifting")
    found = {r.expectation_config.meta["nbml"]["text"]: (r.success, r.result["observed_value"]) for r in theirs.results}
    assert found == {r["expectation_config"]["meta"]["nbml"]["text"]: (r["success"], r["result"]["observed_value"]) for r in ours.results}
    assert [r["success"] for r in ours.results] == [False, False, True, True, False, False]
