"""The request contract, asked through the front door: what is taken, and how what is not taken is told."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbml.runtime import answers, instants, plan
from nbml.runtime.front import Front
from nbml.runtime.plan import Plan
from runtime.asking import AGE, INPUTS, PLAN, ROW, SOFT, ask, expectation, manifest, one, problems

FORM = '{"rows": [{"age": ..., "charge": ..., ...}]}'


def test_rows_are_answered_with_ids_and_version() -> None:
    status, answer = ask({"rows": [ROW, {**ROW, "note": None}], "ids": ["a", "b"]})
    assert (status, answer) == (200, {"ids": ["a", "b"], "predictions": [6.0, 5.0], "version": "churn@3"})


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the body is no JSON: "),
        (b"{", "the body is no JSON: "),
        (b'{"rows": [{"age": NaN}]}', "the body is no JSON: "),
        (b'{"rows": [{"age": Infinity}]}', "the body is no JSON: "),
        (b'{"rows": [{"age": 1e999}]}', "the body is no JSON: "),
        (b'{"rows": "\xff"}', "the body is no JSON: "),
        (b'{"rows": ["\\ud800"]}', "the body is no JSON: "),
        (b"[" * 100_000, "the body is no JSON: "),
        ([ROW], f"the body is an array; expected an object: {FORM}"),
        (5, f"the body is a number; expected an object: {FORM}"),
        (None, f"the body is null; expected an object: {FORM}"),
        ({}, f"the body has no rows; expected {FORM}"),
        ({"rows": []}, f"the body has rows that are empty; expected {FORM}"),
        ({"rows": ROW}, f"the body has rows that are an object; expected {FORM}"),
        ({"row": [ROW]}, "the body has a member 'row'; nearest: rows"),
        ({"rows": [ROW], "x": 1}, f"the body has a member 'x'; expected {FORM}"),
        ({"rows": [ROW], "ids": "a"}, "ids are a text; expected an array of as many texts as there are rows: 1"),
        ({"rows": [ROW], "ids": ["a", "b"]}, "2 ids for 1 rows; expected as many ids as rows"),
    ],
)
@pytest.mark.parametrize("writer", ["orjson", "json"])
def test_a_body_of_another_form_is_400(body: Any, message: str, writer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if writer == "json":
        monkeypatch.setattr(answers, "orjson", None)
    status, answer = ask(body)
    assert status == 400
    assert answer["version"] == "churn@3"
    assert answer["error"]["problems"] == []
    told = answer["error"]["message"]
    assert told == message or (message.endswith("JSON: ") and told.startswith(message))


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("age", "1", "an integer"), ("age", True, "an integer"), ("age", 1.5, "an integer"), ("age", 2**63, "an integer"),
        ("age", 1e300, "an integer"), ("age", [1], "an integer"), ("age", "NaN", "an integer"),
        ("charge", "1.5", "a number"), ("charge", False, "a number"), ("charge", {"a": 1}, "a number"), ("charge", "Infinity", "a number"),
        ("plan", 1, "a text"), ("plan", True, "a text"), ("note", 1.0, "a text"), ("note", [], "a text"),
        ("active", 1, "true or false"), ("active", "true", "true or false"),
        *(("signup", v, "a date or a time without an offset, as 2024-05-01 or 2024-05-01T12:00:00")
          for v in ("x", "2024-02-30", "2024-05-01T25:00", "2024-05-01T12:00:00Z", 1714521600, "20240501", "1500-01-01", "2024-W01-1", "")),
    ],
)  # fmt: skip
def test_a_value_of_another_kind_is_named(column: str, value: Any, expected: str) -> None:
    found = problems({"rows": [ROW, {**ROW, column: value}], "ids": ["p", "q"]})
    shown = {"[1]": "an array", "{'a': 1}": {"a": 1}, "[]": "an array"}.get(str(value), value if value != 2**63 else str(value))
    assert found == [{"row": 1, "id": "q", "column": column, "value": shown, "problem": f"expected {expected}", "expected": expected}]
    answer = ask({"rows": [{**ROW, column: value}]})[1]
    assert answer["error"]["message"] == f"row 0, column {column!r}: found {json.dumps(shown)}, expected {expected}"


def test_whole_numbers_are_integers_and_integers_are_numbers() -> None:
    taken: list[dict[str, list[Any]]] = []

    def execute(columns: dict[str, list[Any]]) -> Any:
        taken.append(columns)
        return one(columns)

    assert ask({"rows": [{**ROW, "age": 30.0, "charge": 2}]}, execute=execute)[0] == 200
    assert [(type(v), v) for v in (taken[0]["age"][0], taken[0]["charge"][0])] == [(int, 30), (float, 2.0)]


@pytest.mark.parametrize(
    ("dtype", "good", "bad", "expected"),
    [
        ("uint8", [0, 255], [-1, 256], "an integer from 0 to 255"),
        ("Int16", [-32768, 32767], [32768, -32769], "an integer from -32768 to 32767"),
        ("uint64", [2**64 - 1], [-1], "an integer from 0 to 18446744073709551615"),
        ("float32", [3.4e38, -1, 0.1], [3.5e38, -1e39], "a number"),
        ("float16", [65504], [65505.0], "a number"),
    ],
)
def test_a_value_that_its_dtype_cannot_hold_is_refused(dtype: str, good: list[Any], bad: list[Any], expected: str) -> None:
    inputs = [{"name": "x", "kind": "number" if "float" in dtype else "integer", "dtype": dtype}]
    assert ask({"rows": [{"x": v} for v in good]}, inputs=inputs)[0] == 200
    assert [(p["value"], p["expected"]) for p in problems({"rows": [{"x": v} for v in bad]}, inputs=inputs)] == [(v, expected) for v in bad]


def test_categories_are_of_a_kind_and_never_enforced() -> None:
    taken: list[Any] = []

    def execute(columns: dict[str, list[Any]]) -> Any:
        taken.extend(columns["c"])
        return one(columns)

    inputs = [{"name": "c", "kind": "category", "dtype": "category", "categories": [1, 2]}]
    assert ask({"rows": [{"c": 1.0}, {"c": 7}, {"c": None}]}, inputs=inputs, execute=execute)[0] == 200
    assert [(type(v), v) for v in taken] == [(int, 1), (int, 7), (type(None), None)]
    assert problems({"rows": [{"c": True}, {"c": "1"}]}, inputs=inputs)[1]["expected"] == "a number"
    assert ask({"rows": [{**ROW, "plan": "unheard of"}]})[0] == 200
    mixed = [{**inputs[0], "categories": ["a", 1]}]
    assert ask({"rows": [{"c": "b"}, {"c": 1}]}, inputs=mixed)[0] == 200
    assert problems({"rows": [{"c": True}]}, inputs=mixed)[0]["expected"] == "a value like 'a', 1"


def test_a_null_is_a_missing_value_of_every_kind() -> None:
    status, answer = ask({"rows": [dict.fromkeys(ROW)], "ids": ["a"]})
    assert (status, answer["predictions"]) == (200, [0.0])


def test_columns_that_are_missing_or_unknown_are_named_with_the_nearest() -> None:
    odd = {**ROW, "agee": 5, "zzz": 1}
    del odd["charge"]
    found = problems({"rows": [ROW, odd, 5, {}], "ids": list("abcd")})
    assert found[0] == {"row": 1, "id": "b", "column": "agee", "value": 5, "problem": "unknown column; nearest: age", "nearest": "age"}
    assert found[1] == {"row": 1, "id": "b", "column": "zzz", "value": 1, "problem": "unknown column"}
    assert found[2] == {"row": 1, "id": "b", "column": "charge", "value": None, "problem": "the column is missing", "expected": "a number"}
    no_row = {"row": 2, "id": "c", "column": None, "value": 5, "problem": "a row is a number; expected an object", "expected": "an object"}
    assert found[3] == no_row
    assert [p["column"] for p in found[4:]] == list(ROW)
    message = ask({"rows": [ROW, odd]})[1]["error"]["message"]
    assert message == "3 problems in 1 of 2 rows; first: row 1, column 'agee': unknown column; nearest: age"


def test_ten_thousand_unknown_columns_cost_no_more_than_a_hundred(monkeypatch: pytest.MonkeyPatch) -> None:
    sought: list[Any] = []
    monkeypatch.setattr(plan, "nearest", lambda name, names: sought.append(name))
    status, answer = ask({"rows": [{**ROW, **{f"{'x' * 300}{i}": i for i in range(10_000)}}] * 2})
    assert (status, answer["error"]["count"], len(answer["error"]["problems"]), len(sought)) == (422, 20_000, 100, 100)
    assert answer["error"]["problems"][0]["column"] == "x" * 200 + "..."


def test_ids_are_the_clients_else_the_keys_else_made() -> None:
    keyed = [{**ROW, "customer": "c1"}, {**ROW, "customer": 17.0}]
    assert ask({"rows": keyed}, key="customer")[1]["ids"] == ["c1", "17"]
    assert ask({"rows": keyed, "ids": ["x", "y"]}, key="customer")[1]["ids"] == ["x", "y"]
    assert ask({"rows": [ROW]}, key="age")[1]["ids"] == ["30"]
    assert ask({"rows": [{**ROW, "shop": 1, "till": "b"}]}, key=["shop", "till"])[1]["ids"] == ["1,b"]
    made = ask({"rows": [ROW, ROW]}, key="customer")[1]["ids"]
    assert [len(set(made)), *map(len, made)] == [2, 32, 32]
    assert [p["column"] for p in problems({"rows": [{**ROW, "customer": "c1"}]})] == ["customer"]


@pytest.mark.parametrize("value", [None, "", True, [1], "x" * 257])
def test_a_row_without_its_key_is_refused(value: Any) -> None:
    found = problems({"rows": [{**ROW, "customer": "c1"}, {**ROW, "customer": value}]}, key="customer")
    assert [(p["row"], p["column"], p["problem"]) for p in found] == [
        (1, "customer", "expected a text or a number, since it identifies the row; or send ids")
    ]
    assert ask({"rows": [{**ROW, "customer": value}], "ids": ["i"]}, key="customer")[1]["ids"] == ["i"]


def test_ids_are_texts_and_each_is_there_once() -> None:
    found = problems({"rows": [ROW] * 6, "ids": ["a", 1, "a", "", None, "x" * 257]})
    assert [(p["row"], p["column"], p["value"], p["problem"]) for p in found] == [
        (1, "ids", 1, "expected a text of 1 to 256 characters"),
        (2, "ids", "a", "is the id of row 0 too; expected each once"),
        (3, "ids", "", "expected a text of 1 to 256 characters"),
        (4, "ids", None, "expected a text of 1 to 256 characters"),
        (5, "ids", "x" * 200 + "...", "expected a text of 1 to 256 characters"),
    ]


def test_reject_lists_every_problem_up_to_a_hundred() -> None:
    rows = [{**ROW, "age": 17, "plan": None}, ROW, {**ROW, "age": "x"}]
    found = problems({"rows": rows, "ids": list("abc")}, expectations=[AGE, PLAN])
    assert found == [
        {"row": 0, "id": "a", "column": "age", "value": 17, "problem": "breaks 18 <= age <= 100", "expectation": "18 <= age <= 100"},
        {"row": 0, "id": "a", "column": "plan", "value": None, "problem": "breaks not_null(plan)", "expectation": "not_null(plan)"},
        {"row": 2, "id": "c", "column": "age", "value": "x", "problem": "expected an integer", "expected": "an integer"},
    ]
    assert ask({"rows": [rows[0]]}, expectations=[AGE])[1]["error"]["message"] == "row 0, column 'age': 17 breaks 18 <= age <= 100"
    status, answer = ask({"rows": [{**ROW, "age": 17}] * 150}, expectations=[AGE])
    assert (status, len(answer["error"]["problems"]), answer["error"]["count"]) == (422, 100, 150)
    assert answer["error"]["message"] == "150 problems in 150 of 150 rows; first: row 0, column 'age': 17 breaks 18 <= age <= 100"


def test_flag_answers_and_marks_the_rows() -> None:
    rows = [{**ROW, "age": 17, "plan": None}, ROW]
    status, answer = ask({"rows": rows}, policy="flag", expectations=[AGE, PLAN])
    assert (status, answer["flags"]) == (200, [["18 <= age <= 100", "not_null(plan)"], []])
    assert ask({"rows": [ROW]}, policy="flag")[1]["flags"] == [[]]
    assert ask({"rows": [{**ROW, "age": "x"}]}, policy="flag", expectations=[AGE])[0] == 422


def test_off_judges_nothing_but_names_and_types() -> None:
    status, answer = ask({"rows": [{**ROW, "age": 17}]}, policy="off", expectations=[AGE, SOFT])
    assert (status, "flags" in answer) == (200, False)
    assert ask({"rows": [{**ROW, "age": True}]}, policy="off", expectations=[AGE])[0] == 422


def test_mostly_below_one_marks_and_never_rejects() -> None:
    rows = [{**ROW, "charge": -1}, ROW]
    assert ask({"rows": rows}, expectations=[AGE, SOFT])[1]["flags"] == [["charge >= 0, mostly=0.9"], []]
    assert "flags" not in ask({"rows": rows}, expectations=[AGE])[1]
    assert [p["column"] for p in problems({"rows": [{**ROW, "age": 1, "charge": -1}]}, expectations=[AGE, SOFT])] == ["age"]
    whole = {**SOFT, "mostly": 1.0, "kwargs": {**SOFT["kwargs"], "mostly": 1.0}}
    assert len(problems({"rows": rows}, expectations=[whole])) == 1


def test_a_pair_shows_both_values_and_where_says_which_rows() -> None:
    pair = {
        "text": "charge <= age, where=active", "scope": "row", "where": "active",
        "type": "expect_column_pair_values_a_to_be_greater_than_b",
        "kwargs": {"column_A": "age", "column_B": "charge", "or_equal": True, "ignore_row_if": "either_value_is_missing"},
    }  # fmt: skip
    rows = [{**ROW, "charge": 31}, {**ROW, "charge": 31, "active": False}, {**ROW, "charge": 31, "active": None}, {**ROW, "charge": None}]
    found = problems({"rows": rows}, expectations=[pair])
    assert [(p["row"], p["column"], p["value"]) for p in found] == [(0, "age", {"age": 30, "charge": 31.0})]


def test_only_row_expectations_are_judged_here() -> None:
    window = expectation("mean(age) > 50", "mean_to_be_between", scope="window", column="age", min_value=50)
    gone = expectation("gone > 50", "values_to_be_between", scope="not served", column="gone", min_value=50)
    assert ask({"rows": [ROW]}, expectations=[window, gone])[0] == 200
    assert Plan.of(manifest(expectations=[window, gone])).unsupported == ()


def test_a_manifest_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="policy is one of reject, flag, off, not 'strict'"):
        Plan.of(manifest(policy="strict"))
    with pytest.raises(ValueError, match="column 'x': no kind 'matrix'; known: number, integer, boolean, text, datetime, category"):
        Plan.of(manifest(inputs=[{"name": "x", "kind": "matrix", "dtype": "object"}]))


# -- dates ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "dtype", "wanted"),
    [
        ("2024-05-01", "datetime64[us]", "2024-05-01T00:00:00"),
        ("2024-05-01 12:30", "datetime64[us]", "2024-05-01T12:30:00"),
        ("2024-05-01t12:30:05,25", "datetime64[us]", "2024-05-01T12:30:05.25"),
        ("2024-05-01T12:30:05.123456789", "datetime64[ns]", "2024-05-01T12:30:05.123456789"),
        ("2024-05-01T12:30z", "datetime64[ns, UTC]", "2024-05-01T12:30:00+00:00"),
        ("2024-05-01T12:30:00+0530", "datetime64[ns, UTC]", "2024-05-01T12:30:00+05:30"),
        ("2024-05-01T12:30:00-08", "datetime64[ns, UTC]", "2024-05-01T12:30:00-08:00"),
        ("9999-12-31T23:59:59", "datetime64[us]", "9999-12-31T23:59:59"),
    ],
)
def test_dates_come_in_one_form(text: str, dtype: str, wanted: str) -> None:
    assert instants.canonical(text, dtype) == wanted


@pytest.mark.parametrize(
    ("text", "dtype"),
    [("2024-05-01T12:30", "datetime64[ns, UTC]"), ("2024-05-01T12:30Z", "datetime64[ns]"), ("2262-04-12", "datetime64[ns]"),
     ("0001-01-01T00:00:00+10:00", "datetime64[us, UTC]"), ("2024-05-01T24:00:00", "datetime64[us]"),
     ("2024-05-01T12:30:60", "datetime64[us]"), ("2262-04-11T20:00-08:00", "datetime64[ns, UTC]"),
     ("2024-05-01\n", "datetime64[us]"), ("٢٠٢٤-05-01", "datetime64[us]"), ("2024-05-01T12:30:00+99:00", "datetime64[us, UTC]")],
)  # fmt: skip
def test_what_is_no_instant_of_the_column_is_refused(text: str, dtype: str) -> None:
    with pytest.raises(ValueError):
        instants.canonical(text, dtype)


@given(st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)), st.integers(-14 * 60, 14 * 60))
@settings(max_examples=100, deadline=None)
def test_every_isoformat_is_read_and_keeps_its_order(moment: datetime, offset: int) -> None:
    assert instants.instant(instants.canonical(moment.isoformat(), "datetime64[ns]")) == (moment, 0)
    far = moment.replace(tzinfo=timezone(timedelta(minutes=offset)))
    assert instants.instant(instants.canonical(far.isoformat(), "datetime64[ns, UTC]")) == (far, 0)
    assert instants.bound(moment.isoformat(), "datetime64[ns, UTC]") == (moment.replace(tzinfo=UTC), 0)


# -- anything -------------------------------------------------------------------------------------------------

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=8),
    st.sampled_from(["2024-01-01", "pro", "age", "1"]),
)  # fmt: skip
TEXTS = st.text(max_size=4)
ANY = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=8)
WHOLE = st.fixed_dictionaries(dict.fromkeys(ROW, SCALARS))
ROWS = st.lists(st.one_of(ANY, WHOLE, st.dictionaries(st.sampled_from([*ROW, "x", "key"]), SCALARS)), max_size=4)
BODIES = st.one_of(ANY, st.fixed_dictionaries({"rows": ROWS}, optional={"ids": st.lists(SCALARS, max_size=4), "x": ANY}))
MATCH = expectation("m", "values_to_match_regex", column="note", regex="^a")
SINCE = expectation("w", "values_to_be_between", column="signup", min_value="2024-01-01", where="age > 3 or active")
FRONTS = [
    Front(manifest(policy=policy, key=key, expectations=[AGE, SOFT, PLAN, MATCH, SINCE]), one)
    for policy in ("reject", "flag", "off")
    for key in (None, "key", "age")
]


def typed(columns: dict[str, list[Any]]) -> Any:
    """A model that trusts what it is given."""
    kinds = {"age": int, "charge": float, "plan": str, "active": bool, "signup": str, "note": str}
    assert list(columns) == [spec["name"] for spec in INPUTS]
    for name, values in columns.items():
        assert {type(v) for v in values} <= {kinds[name], type(None)}
    return one(columns)


@pytest.mark.parametrize("writer", ["orjson", "json"])
def test_no_json_is_ever_a_500(writer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if writer == "json":
        monkeypatch.setattr(answers, "orjson", None)
    for front in FRONTS:
        monkeypatch.setattr(front, "execute", typed)
    seen: set[int] = set()

    @given(BODIES, st.sampled_from(FRONTS))
    @settings(max_examples=250, deadline=None)
    def judge(body: Any, front: Front) -> None:
        status, answer, _ = front.answer(json.dumps(body).encode())
        seen.add(status)
        content = json.loads(answer)
        assert status in (200, 400, 422)
        assert content["version"] == "churn@3"
        assert (status == 200) == ("error" not in content)
        assert status != 422 or content["error"]["problems"]

    @given(st.binary(max_size=40) | st.text(max_size=40).map(str.encode))
    @settings(max_examples=100, deadline=None)
    def bytes_too(body: bytes) -> None:
        assert FRONTS[0].answer(body)[0] in (400, 422)

    judge()
    bytes_too()
    assert {400, 422} <= seen


@given(BODIES)
@settings(max_examples=100, deadline=None)
def test_both_readers_of_json_take_the_same(body: Any) -> None:
    text = json.dumps(body).encode()
    fast = answers.loads(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(answers, "orjson", None)
        slow = answers.loads(text)
    assert repr(slow) == repr(fast)
