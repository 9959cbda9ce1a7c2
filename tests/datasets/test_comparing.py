"""``diff`` against a count of rows one by one, and as people type it."""

from __future__ import annotations

import decimal
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nbml
from nbml import errors
from nbml.__main__ import main
from nbml.frames import matching

LETTERS = st.lists(st.tuples(st.sampled_from([None, "a", "b", "ä"]), st.sampled_from([0, 1, 2])), max_size=30)


def frame(rows: list[tuple[Any, Any]]) -> pd.DataFrame:
    return pd.DataFrame({"x": pd.Series([x for x, _ in rows], dtype="str"), "y": pd.Series([y for _, y in rows], dtype="float64")})


def content(found: pd.DataFrame) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(None if value != value else value for value in row) for row in found.itertuples(index=False))


def orders(rows: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "id": range(rows),
            "plan": rng.choice(["basic", "pro"], rows),
            "age": rng.normal(40, 10, rows).round(),
            "when": pd.date_range("2024-01-01", periods=rows, freq="h"),
        }
    )


@settings(max_examples=50, deadline=None)
@given(LETTERS, LETTERS)
def test_rows_are_compared_as_often_as_they_occur(a: list[tuple[Any, Any]], b: list[tuple[Any, Any]]) -> None:
    before, after = frame(a), frame(b)
    found = nbml.diff(before, after)
    assert content(found.removed()) == content(before) - content(after)
    assert content(found.added()) == content(after) - content(before)
    counts = found.rows.set_index("change")["rows"]
    assert counts["equal"] == (content(before) & content(after)).total()
    assert found.same == (a == b)
    if content(before) == content(after):
        assert found.found.reordered == (a != b)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_rows_with_a_key_are_compared_cell_by_cell(data: st.DataObject) -> None:
    sides = []
    for _ in range(2):
        keys = data.draw(st.lists(st.integers(0, 12), unique=True))
        rows = data.draw(st.lists(LETTERS.map(lambda v: v[0] if v else (None, 0)), min_size=len(keys), max_size=len(keys)))
        sides.append(frame(rows).assign(id=pd.Series(keys, dtype="int64")))
    before, after = sides
    found = nbml.diff(before, after, key="id")
    old, new = (dict(zip(side["id"], zip(side["x"], side["y"], strict=True), strict=True)) for side in sides)
    assert set(found.removed()["id"]) == old.keys() - new.keys()
    assert set(found.added()["id"]) == new.keys() - old.keys()
    expected = {
        (key, column, a if a == a else None, b if b == b else None)
        for key in old.keys() & new.keys()
        for column, a, b in zip("xy", old[key], new[key], strict=True)
        if a != b and not (a != a and b != b)
    }
    cells = found.changed()
    assert list(cells.columns) == ["id", "column", "before", "after"]
    assert {tuple(None if v != v else v for v in row) for row in cells.itertuples(index=False)} == expected
    assert found.altered == len({key for key, *_ in expected})
    assert found.same == (old.keys() == new.keys() and not expected)


def test_every_kind_of_column_equals_itself_and_tells_a_change(project: Path) -> None:
    kinds: dict[str, Any] = {
        "whole": [1, 2, 3], "small": np.array([1, -2, 3], "int8"), "large": np.array([2**64 - 1, 2**63, 1], "uint64"),
        "id": [2**60, 2**60 + 1, 2**60 + 2], "number": [0.1, np.nan, -np.inf], "flag": [True, False, False],
        "Int64": pd.array([1, None, 3], "Int64"), "boolean": pd.array([True, None, False], "boolean"), "text": ["a", None, "ä"],
        "object": pd.Series(["a", None, 3], dtype=object), "lists": pd.Series([[1], None, {"a": 1}], dtype=object),
        "bytes": pd.Series([b"a", None, b""], dtype=object), "kind": pd.Categorical(["a", None, "b"]),
        "codes": pd.Categorical([1, 2, None]),
        "decimal": [decimal.Decimal("1.1"), None, decimal.Decimal("2")], "when": pd.to_datetime(["2024-01-01", None, "1700-01-01"]),
        "zone": pd.to_datetime(["2024-01-01", None, "2024-01-02"], utc=True), "span": pd.to_timedelta([1, None, 2], unit="s"),
        "period": pd.period_range("2024-01", periods=3, freq="M"), "complex": [1j, 2, 3],
    }  # fmt: skip
    whole = pd.DataFrame(kinds)
    assert nbml.diff(whole, whole.copy()).same
    for column in whole:
        alone, turned = whole[[column]], whole[[column]].copy()
        turned[column] = whole[column].iloc[[0, 1, 0]].array  # the last value is another
        found = nbml.diff(alone, turned)
        assert (len(found.removed()), len(found.added())) == (1, 1), column
        keyed = nbml.diff(alone.assign(key=range(3)), turned.assign(key=range(3)), key="key")
        assert keyed.changed()[["key", "column"]].to_numpy().tolist() == [[2, column]], column
    both = nbml.diff(whole, whole.iloc[[0, 1, 0]].reset_index(drop=True))
    assert json.dumps(both._repr_mimebundle_(), allow_nan=False)
    assert len(both.columns) == len(kinds)


def test_equal_values_of_other_dtypes_are_equal_values(project: Path) -> None:
    before = pd.DataFrame({"n": [1, 2], "t": ["a", "b"], "w": pd.to_datetime(["2024-01-01", "2024-01-02"]).as_unit("s"), "z": [0.0, -0.0]})
    after = before.astype({"n": "float64", "t": "category", "w": "datetime64[ns]"}).assign(z=[-0.0, 0.0])
    found = nbml.diff(before, after)
    assert found.rows["rows"].tolist() == [0, 0, 2]
    assert found.schema.to_numpy().tolist() == [
        ["n", "dtype", "int64", "float64"], ["t", "dtype", "str", "category"], ["w", "dtype", "datetime64[s]", "datetime64[ns]"]
    ]  # fmt: skip
    assert not found.same
    snow = pd.DataFrame({"id": [2**60, 2**60 + 1]})
    assert nbml.diff(snow, snow + 1).rows["rows"].tolist() == [1, 1, 1], "whole numbers beyond float64 are told apart"


def test_the_schema_is_told_change_by_change(project: Path) -> None:
    before = orders().assign(gone=1, age2=lambda f: f["age"] * 2)
    after = before.rename(columns={"age2": "doubled"}).drop(columns="gone").assign(fresh="x", id=lambda f: f["id"].astype("int32"))
    after = after[["plan", "id", "age", "when", "doubled", "fresh"]].set_index("when", drop=False)
    found = nbml.diff(before, after)
    assert found.schema.to_numpy().tolist() == [
        ["doubled", "renamed", "age2", "doubled"],
        ["gone", "removed", "int64", None],
        ["fresh", "added", None, "str"],
        ["id", "dtype", "int64", "int32"],
        ["plan", "moved", 2, 1],
        ["(index)", "index", "int64", "datetime64[us] 'when'"],
    ]
    assert found.rows["rows"].tolist() == [0, 0, 300], "rows are compared by the columns of both"
    said = repr(found)
    assert said.startswith("[differs] a → b: 6 changes of the columns · 300 rows\n")
    assert "age2 → doubled" in said
    kinds = pd.DataFrame({"k": pd.Categorical(["a"], ["a", "b"])}), pd.DataFrame({"k": pd.Categorical(["a"], ["a"])})
    assert nbml.diff(*kinds).schema.to_numpy().tolist() == [["k", "categories", "2 categories", "1 categories"]]
    labels = nbml.diff(orders(3), orders(3).set_axis([7, 8, 9]))
    assert labels.schema.to_numpy().tolist() == [["(index)", "index", "its labels", "other labels"]]
    assert not labels.same


def test_order_of_rows_is_told_and_with_a_key_does_not_matter(project: Path) -> None:
    before = orders()
    turned = before.sample(frac=1, random_state=1)
    found = nbml.diff(before, turned)
    assert repr(found).startswith("[differs] a → b: the same rows in another order · 300 rows")
    assert not found.same
    keyed = nbml.diff(before, turned, key="id")
    assert keyed.same
    assert repr(keyed) == "[same] a and b are the same · 300 rows × 4 · the rows stand in another order"
    assert repr(nbml.diff(before, before.copy())) == "[same] a and b are the same · 300 rows × 4"


def test_columns_are_compared_by_their_figures(project: Path) -> None:
    before = orders()
    after = before.assign(age=before["age"] + 30, plan=before["plan"].replace("pro", "team"))
    after.loc[:29, "when"] = pd.NaT
    found = nbml.diff(before, after, key=["id"])
    columns = found.columns.set_index("column")
    assert columns["changed"].to_dict() == {"id": 0, "plan": int((before["plan"] == "pro").sum()), "age": 300, "when": 30}
    for name, measure in (("min", min), ("max", max), ("mean", np.mean), ("median", np.median)):
        for side, data in (("before", before), ("after", after)):
            assert columns.loc["age", f"{name}_{side}"] == pytest.approx(measure(data["age"]))
    assert columns.loc["when", ["nulls_before", "nulls_after", "min_after"]].tolist() == [0.0, 0.1, pd.Timestamp("2024-01-02 06:00")]
    assert columns.loc["plan", ["appeared", "vanished"]].tolist() == [["team"], ["pro"]]
    assert columns.loc["age", "psi"] > 1
    drift = nbml.drift(after, before).set_index("feature")["psi"]
    assert columns["psi"].to_dict() == drift.to_dict(), "the same numbers everywhere"
    said = repr(found)
    assert said.startswith("[differs] a → b: 300 rows changed · 300 rows\n  rows by id: 0 are equal")
    assert '"pro" gone, "team" new' in said
    assert "nulls 0 % → 10.0 %" in said
    assert said.endswith("Next: _.changed(limit=20)")
    assert len(found.changed(limit=2)["id"].unique()) == 2


def test_of_private_columns_only_counts_are_told(project: Path) -> None:
    (project / "nbml.toml").write_text('[data]\nprivate = ["plan", "age", "id"]\n')
    before = orders().assign(plan="secretly")
    after = before.assign(plan="otherwise", age=12345.0)
    after.loc[:29, "plan"] = None
    for key in (None, "id"):
        found = nbml.diff(before, after, key=key)
        text = json.dumps(found._repr_mimebundle_(), allow_nan=False, ensure_ascii=False) + found.columns.to_csv()
        assert [word for word in ("secretly", "otherwise", "12345", "12,345") if word in text] == []
        assert "nulls 0 % → 10.0 %, 1 value new, 1 value gone, private" in text
    twice = pd.concat([before, before.head(1)])
    with pytest.raises(errors.BadArgument) as found_twice:
        nbml.diff(before, twice.assign(id=77), key="id")
    assert "a value stands 301 times" in found_twice.value.message
    assert found.changed()["after"].tolist().count("otherwise") == 270, "what is asked for by name is the user's own"


def test_rows_that_were_appended_are_found_without_a_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    before = orders()
    after = pd.concat([before.iloc[:100], before.tail(2).assign(id=[7000, 7001]), before.iloc[100:]], ignore_index=True)

    def never(*_: Any) -> Any:
        raise AssertionError("nothing is left to be hashed")

    monkeypatch.setattr(matching, "hashes", never)
    assert nbml.diff(before, after).added()["id"].tolist() == [7000, 7001]
    monkeypatch.undo()
    monkeypatch.setattr(matching, "hashes", lambda pairs, at, to, rows: (np.zeros(len(at), np.uint64), np.zeros(len(to), np.uint64)))
    turned = before.iloc[::-1]
    found = nbml.diff(before, turned.assign(age=1.0))
    assert len(found.found.at) == 0, "a hash that is equal pairs nothing that is not"


def test_many_rows_are_compared_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    before = orders(2000)
    after = before.sample(frac=0.9, random_state=0).assign(age=lambda f: f["age"].where(f["id"] % 50 > 0, 0.0))
    alone = [nbml.diff(before, after, key=key).rows["rows"].tolist() for key in (None, "id")]
    monkeypatch.setattr(matching, "MANY", 10)
    assert [nbml.diff(before, after, key=key).rows["rows"].tolist() for key in (None, "id")] == alone
    assert alone[1][0] == 200


def test_the_frames_compared_are_those_of_the_moment() -> None:
    before, after = orders(), orders().tail(10)
    found = nbml.diff(before, after)
    before["age"] = 0.0
    before.loc[400] = before.loc[0]
    assert len(found.removed()) == 290
    assert found.removed()["age"].mean() > 20


@pytest.fixture
def book(shell: Any) -> Any:
    shell.user_ns |= {"old": orders(), "new": orders().assign(age=1.0)}
    nbml.snapshot(shell.user_ns["old"], "orders")
    nbml.snapshot(shell.user_ns["new"], "orders")
    return shell


REFUSED = {
    "%nbml diff orders@1 ordrs@2": "no dataset 'ordrs@2'; nearest: orders@2\nTry: %nbml diff orders@1 orders@2",
    "%nbml diff old new --key idd": "no column 'idd' in old; nearest: id\nTry: %nbml diff old new --key id",
    "%nbml diff orders@1 orders@2 --key plan": "'plan' does not identify a row of orders@1: 'basic' stands {} times, and 298 rows are one "
    "too many\nTry: %nbml diff orders@1 orders@2 --key id",
    "nbml.diff(old, new, key=['plan', 'age'])": None,
    "nbml.diff(old, 3)": "a dataframe is needed, not int",
    "nbml.diff(old, new).changed()": "which rows changed is known with a key only: diff(a, b, key=...)\nTry: %nbml diff old new --key id",
    "%nbml diff old": "diff needs the later one after it\nTry: %nbml diff --help",
}


@pytest.mark.parametrize("line", REFUSED)
def test_refusals_are_whole_and_their_next_line_works(book: Any, line: str) -> None:
    book.run_cell("import nbml")
    error = book.run_cell(line).error_in_exec
    expected = REFUSED[line]
    basic = int((book.user_ns["old"]["plan"] == "basic").sum())
    if expected is None:
        assert str(error).startswith("'plan', 'age' do not identify a row of old: ('")
    else:
        first = book.user_ns["old"]["plan"].iloc[0]
        times = basic if first == "basic" else 300 - basic
        assert str(error) == expected.format(times).replace("'basic'", repr(str(first)))
    if error.next:
        assert book.run_cell(error.next).success


def test_the_magic_and_the_terminal_give_the_same(book: Any, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cell = book.run_cell("found = %nbml diff orders@1 orders@2 --key id\nfound")
    assert cell.success
    assert repr(cell.result).startswith("[differs] orders@1 → orders@2: 300 rows changed · 300 rows")
    book.user_ns["new"].to_csv(project / "new.csv", index=False)
    capsys.readouterr()
    assert main(["diff", "orders@2", "orders@2", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["same"], said["state"], said["word"]) == (True, "well", "same")
    assert main(["diff", "orders@1", "new.csv", "--key", "id", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["same"], said["state"]) == (False, "look")


def test_without_rows_columns_or_anything_in_common(project: Path) -> None:
    empty = pd.DataFrame()
    assert nbml.diff(empty, empty.copy()).same
    assert nbml.diff(orders(), orders().iloc[:0]).rows["rows"].tolist() == [300, 0, 0]
    apart = nbml.diff(orders(3)[["id"]], orders(2)[["plan"]])
    assert apart.rows["rows"].tolist() == [3, 2, 0]
    assert "no column is in both" in repr(apart)
    two = pd.DataFrame([[1, 2]], columns=["1", 1])
    with pytest.raises(errors.BadInput, match="two columns of a are '1' as text; rename one"):
        nbml.diff(two, two)
