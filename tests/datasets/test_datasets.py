"""Versions of frames: exact, counted by content, and watchful of silent loss."""

from __future__ import annotations

import datetime
import decimal
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nbml
from nbml import errors
from nbml.datasets import take, version_of
from nbml.slicing import recorder
from nbml.store import current

EXACT: dict[str, Any] = {
    "int64": [1, 2, 3],
    "int8": np.array([1, -2, 3], dtype="int8"),
    "uint64": np.array([2**64 - 1, 0, 1], dtype="uint64"),
    "float32": np.array([1.5, np.nan, np.inf], dtype="float32"),
    "float64": [0.1, np.nan, -0.0],
    "bool": [True, False, True],
    "Int64": pd.array([1, None, 3], dtype="Int64"),
    "boolean": pd.array([True, None, False], dtype="boolean"),
    "Float32": pd.array([1.5, None, 2.5], dtype="Float32"),
    "str": ["a", "", "ä\U0001f600"],
    "str with nulls": ["a", None, "c"],
    "object": pd.Series(["a", None, "c"], dtype=object),
    "object with NaN": pd.Series(["a", np.nan, "c"], dtype=object),
    "objects that are flags": pd.Series([True, None, False], dtype=object),
    "objects that are whole": pd.Series([1, None, 3], dtype=object),
    "nothing but None": pd.Series([None, None, None], dtype=object),
    "bytes": pd.Series([b"a", None, b"\x00"], dtype=object),
    "decimal": pd.Series([decimal.Decimal("1.10"), None, decimal.Decimal("2.20")], dtype=object),
    "date": pd.Series([datetime.date(2024, 1, 1), None, datetime.date(1900, 1, 1)], dtype=object),
    "category": pd.Categorical(["b", None, "a"], categories=["b", "a", "never"]),
    "ordered": pd.Categorical(["b", "a", "b"], categories=["a", "b"], ordered=True),
    "datetime64[s]": np.array(["2024-01-01", "NaT", "1700-01-01"], dtype="datetime64[s]"),
    "datetime64[ns]": np.array(["2024-01-01T00:00:00.123456789", "NaT", "2024-01-02"], dtype="datetime64[ns]"),
    "zone": pd.to_datetime(["2024-03-31 01:30", None, "2024-10-27 00:30"], utc=True).tz_convert("Europe/Berlin"),
    "timedelta": pd.to_timedelta([1, None, 3], unit="s"),
}


EXACT["timedelta64[s]"] = np.array([1, 2, 3], dtype="timedelta64[s]")


def same(frame: pd.DataFrame, back: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(
        frame, back, check_exact=True, check_freq=False, check_index_type="exact", check_column_type="equiv", check_categorical=True
    )


@pytest.mark.parametrize("name", EXACT)
def test_a_column_comes_back_exactly(project: Path, name: str) -> None:
    frame = pd.DataFrame({"x": EXACT[name]})
    version = nbml.snapshot(frame, "exact")
    back = version.load()
    same(frame, back)
    if name == "float64":
        assert np.signbit(back["x"].iloc[2]), "the sign of zero"


def test_all_kinds_of_columns_and_indexes_come_back_together(project: Path) -> None:
    whole = pd.DataFrame(dict(EXACT))
    for index in (
        pd.RangeIndex(5, 11, 2),
        pd.Index(["p", "p", "q"], name="key"),
        pd.date_range("2024-01-01", periods=3, tz="UTC", name="at"),
        pd.Index(["p", "q", "r"], dtype=object),
        pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)], names=["x", None]),
    ):
        frame = whole.set_index(index)
        same(frame, nbml.snapshot(frame, "whole").load())
    for empty in (whole.iloc[:0], whole[[]], pd.DataFrame()):
        same(empty, nbml.snapshot(empty, "whole").load())
    assert nbml.dataset("whole@5").load().index.names == ["x", None]


def test_same_content_is_the_same_version(project: Path) -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    first = nbml.snapshot(frame, "churn", note="as delivered")
    assert str(nbml.snapshot(frame.copy(), "churn")) == str(first) == "churn@1"
    assert str(nbml.snapshot(frame.assign(a=[1, 3]), "churn")) == "churn@2"
    assert str(nbml.snapshot(frame, "churn")) == "churn@3", "an earlier content again is a version of its own"
    assert current().find("dataset", "churn@3").body["blob"] == current().find("dataset", "churn@1").body["blob"]  # type: ignore[union-attr]
    assert nbml.dataset("churn@1").note == "as delivered"
    same(nbml.dataset("churn@2").load(), frame.assign(a=[1, 3]))


REFUSED: list[tuple[pd.DataFrame, str]] = [
    (pd.DataFrame({"o": [{1}, {2}]}),
     "column 'o' holds set values, which Parquet does not give back as they are; make them text, numbers or columns of their own"),
    (pd.DataFrame({"o": pd.Series([1, 2.5], dtype=object)}),
     "column 'o' holds values of several types (float, int), which Parquet keeps in no one column; make them of one type"),
    (pd.DataFrame({"o": [1, "x"]}),
     "column 'o' holds values of several types (int, str), which Parquet keeps in no one column; make them of one type"),
    (pd.DataFrame({"s": pd.arrays.SparseArray([0, 0, 1])}),
     "column 's' is sparse (Sparse[int64, 0]), and a version keeps every value; use .sparse.to_dense()"),
    (pd.DataFrame({"t": pd.Series(["\ud800"], dtype=object)}),
     "column 't' holds text with half of a surrogate pair, which is no Unicode; encode it as bytes"),
    (pd.DataFrame({"a": [1], frozenset(): [2]}), "the column label frozenset() (frozenset) cannot be kept; make it text"),
    (pd.DataFrame({"a": [1]}, index=pd.Index([(1, 2)], tupleize_cols=False)),
     "the index holds tuple values, which Parquet does not give back as they are; make them text, numbers or columns of their own"),
]  # fmt: skip


@pytest.mark.parametrize(("frame", "message"), REFUSED)
def test_what_would_not_come_back_is_refused_and_nothing_is_kept(project: Path, frame: pd.DataFrame, message: str) -> None:
    with pytest.raises(errors.CannotStore) as found:
        nbml.snapshot(frame, "odd")
    assert found.value.message.startswith(message)
    assert current().all("dataset") == []


def test_a_value_that_holds_itself_is_refused(project: Path) -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(errors.CannotStore, match="column 'o' holds list values"):
        nbml.snapshot(pd.DataFrame({"o": [loop]}), "odd")


def test_a_flipped_byte_is_noticed(project: Path) -> None:
    version = nbml.snapshot(pd.DataFrame({"a": range(1000)}), "churn")
    path = current().blob(version.thing.body["blob"])
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(bytes(content))
    with pytest.raises(errors.StoreDamaged):
        version.load()


# -- what is noticed unasked ----------------------------------------------------------------------------------


def delivery(
    rows: int = 1000, nulls: float = 0.0, plans: tuple[str, ...] = ("basic", "pro"), factor: float = 1.0, day: int = 0
) -> pd.DataFrame:
    ages: Any = [float(20 + i % 60) * factor for i in range(rows)]
    ages[: int(rows * nulls)] = [None] * int(rows * nulls)
    when = pd.date_range("2024-01-01", periods=rows, freq="h") + pd.Timedelta(days=day)
    return pd.DataFrame({"id": range(rows), "age": ages, "plan": [plans[i % len(plans)] for i in range(rows)], "when": when})


def codes(version: Any) -> list[str]:
    return [warning.code for warning in version.warnings]


def test_versions_like_those_before_warn_of_nothing(project: Path) -> None:
    for day in range(6):
        version = nbml.snapshot(delivery(1000 + day * 40, 0.01 * day, day=day), "orders")
        assert codes(version) == [], version


def test_silent_loss_is_noticed_with_column_and_figures(project: Path) -> None:
    for day in range(4):
        nbml.snapshot(delivery(1000 + day, day=day), "orders")
    lost = nbml.snapshot(delivery(700, day=30), "orders")
    assert codes(lost) == ["rows-lost"]
    told = lost.warnings[0].evidence
    assert lost.warnings[0].message == f"700 rows where about {told['expected']:,} were to be expected, and {told['least']:,} at least"
    assert {key: told[key] for key in ("rows", "history")} == {"rows": 700, "history": [1000, 1001, 1002, 1003, 700]}
    assert 1000 <= told["expected"] <= 1010
    assert "rows-lost" in repr(lost)
    assert lost.thing.body["row"] == {"state": "look", "figure": "rows-lost", "spark": [1000, 1001, 1002, 1003, 700]}
    assert lost.warnings[0].advice == f"a line of %%nbml expect that notices it: {told['expectation']}"
    assert json.dumps(lost._repr_mimebundle_(), allow_nan=False)


@pytest.mark.parametrize(
    ("frame", "code", "message"),
    [
        (delivery(1000, nulls=0.2, day=9), "nulls-up", "age is null in 20.0% of the rows; it was at most 0.0%"),
        (delivery(1000, plans=("basic",), day=9), "category-gone", "plan has no 'pro'; it was 50% of every version"),
        (delivery(1000, factor=10, day=9), "range-shift", "age goes from 200 to 790; it was within 20 to 79"),
        (delivery(1000, day=3).assign(id=1), "stale-dates",
         "when ends at 2024-02-14T15:00:00; it went on with each of the 4 versions before"),
    ],
)
def test_what_earlier_versions_do_not_make_plausible(project: Path, frame: pd.DataFrame, code: str, message: str) -> None:
    for day in range(4):
        nbml.snapshot(delivery(day=day), "orders")
    version = nbml.snapshot(frame, "orders")
    assert [(w.code, w.message) for w in version.warnings] == [(code, message)]
    assert version.warnings[0].evidence["column"] == message.split()[0]
    again = nbml.dataset("orders")
    assert again.warnings == version.warnings


def test_of_private_columns_no_value_is_told(project: Path) -> None:
    (project / "nbml.toml").write_text('[data]\nprivate = ["plan"]\n')
    nbml.snapshot(delivery(), "orders")
    version = nbml.snapshot(delivery(plans=("basic",)), "orders")
    assert codes(version) == []
    assert "basic" not in json.dumps([thing.body for thing in current().all("dataset")])


# -- finding --------------------------------------------------------------------------------------------------


def test_the_listing_is_a_frame_and_shows_itself(project: Path) -> None:
    nbml.snapshot(delivery(10), "orders")
    nbml.snapshot(delivery(12), "orders")
    nbml.snapshot(delivery(5), "people")
    listed = nbml.data()
    assert listed[["name", "version", "rows", "columns"]].to_numpy().tolist() == [["people", 1, 5, 4], ["orders", 2, 12, 4]]
    assert repr(listed).splitlines()[0] == "2 datasets"
    assert set(listed._repr_mimebundle_()) == {"text/plain", "text/html", "application/vnd.nbml.v1+json"}
    assert type(listed[listed["rows"] > 5]) is pd.DataFrame


def test_what_is_not_there_is_told_with_the_nearest_and_the_next_line_works(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(errors.UnknownDataset) as nothing:
        nbml.dataset("orders")
    assert (nothing.value.message, nothing.value.next) == ("no dataset 'orders'; none is stored yet", None), "no frame, no line"
    monkeypatch.setitem(recorder.namespace(), "df", delivery(3))
    with pytest.raises(errors.UnknownDataset) as nothing:
        nbml.dataset("orders")
    assert (nothing.value.message, nothing.value.next) == ("no dataset 'orders'; none is stored yet", "%nbml snapshot df --name orders")
    nbml.snapshot(delivery(10), "orders")
    for ref in ("ordrs", "orders@7"):
        with pytest.raises(errors.UnknownDataset) as found:
            nbml.dataset(ref)
        assert (found.value.message, found.value.next) == (f"no dataset '{ref}'; nearest: orders@1", 'nbml.dataset("orders@1")')
    assert str(eval(str(found.value.next), {"nbml": nbml})) == "orders@1"
    with pytest.raises(errors.BadName) as named:
        nbml.snapshot(delivery(3), "My Orders")
    assert named.value.message == (
        "the name 'My Orders' does not fit: lower-case letters, digits, '.', '_' and '-', at most 63; 'my-orders' would"
    )


def test_a_frame_is_taken_by_value_reference_or_path(project: Path) -> None:
    frame = delivery(10)
    version = nbml.snapshot(frame, "orders")
    frame.to_parquet(project / "o.parquet")
    assert take(frame)[0] is frame
    for given in ("orders", "orders@1", version):
        loaded, thing = take(given)
        same(loaded, frame)
        assert thing is not None
        assert thing.ref == "orders@1"
    for path in ("o.parquet", Path("o.parquet")):
        same(take(path)[0], frame)
    found = version_of(frame.copy())
    assert found is not None
    assert found.ref == "orders@1"
    assert version_of(frame.head(3)) is None
    with pytest.raises(errors.BadInput, match=r"no file 'gone\.csv' in "):
        take("gone.csv")
