"""A frame comes back as it was, or is refused by name before anything is kept."""

from __future__ import annotations

import datetime
import decimal
import string
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from nbml import errors, frames
from nbml.datasets import parquet


def back(frame: pd.DataFrame) -> pd.DataFrame:
    """What comes back, which is compared: by pandas, by content, and object by object."""
    found = parquet.decode(parquet.encode(frame))
    assert_frame_equal(
        frame, found, check_exact=True, check_index_type="exact", check_column_type="exact", check_categorical=True, check_freq=False
    )
    assert frames.fingerprint(found) == frames.fingerprint(frame)
    for position in range(frame.shape[1]):
        if frame.dtypes.iloc[position].kind == "O":
            assert list(map(type, found.iloc[:, position])) == list(map(type, frame.iloc[:, position]))
    return found


def objects(*values: Any) -> pd.Series:
    return pd.Series(values, dtype=object)


KOLKATA = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
COLUMNS: dict[str, Any] = {
    "complex": [1 + 2j, complex("nan"), -0j],
    "complex64": np.array([1 + 2j, 0, 1], dtype="complex64"),
    "float16": np.array([1.5, np.nan, -0.0], dtype="float16"),
    "big end first": np.array([1, -2, 3], dtype=">i4"),
    "period": pd.period_range("2024", periods=3, freq="Q"),
    "interval": pd.arrays.IntervalArray.from_tuples([(1, 2), None, (3, 4)], closed="left"),
    "interval of dates": pd.interval_range(pd.Timestamp("2024"), periods=3),
    "NaN and None": objects("a", np.nan, None),
    "all that is null": objects(None, np.nan, pd.NA, pd.NaT, "a"),
    "NaT among dates": objects(datetime.date(2024, 1, 1), pd.NaT, None),
    "NA among flags": objects(True, pd.NA, False),
    "floats": objects(1.5, np.nan, None),
    "large": objects(10**30, None, -1),
    "numpy's own": objects(np.int32(1), None, np.int32(3)),
    "numpy's floats": objects(np.float64(1), np.float64("nan"), np.float64(-0.0)),
    "decimals": objects(decimal.Decimal("1.10"), decimal.Decimal("NaN"), decimal.Decimal("1E+300")),
    "moments": objects(datetime.datetime(1, 1, 1), None, datetime.datetime(9999, 12, 31, 23, 59, 59, 999999)),
    "times": objects(datetime.time(1, 2, 3, 4), None, datetime.time(0)),
    "spans": objects(datetime.timedelta(1, 2, 3), None, datetime.timedelta(-1)),
    "bytes": objects(b"", None, b"\xff\x00"),
    "string[python]": pd.array(["a", None, "b"], dtype="string[python]"),
    "string[pyarrow]": pd.array(["a", None, "b"], dtype="string[pyarrow]"),
    "str, python": pd.array(["a", None, "b"], dtype=pd.StringDtype("python", na_value=np.nan)),
    "int8[pyarrow]": pd.array([1, None, 2], dtype="int8[pyarrow]"),
    "instants of arrow": pd.array([pd.Timestamp("2024"), None, pd.Timestamp("2025")], dtype="timestamp[us, tz=UTC][pyarrow]"),
    "categories of numbers": pd.Categorical([3, None, 3], categories=[3, 2, 1], ordered=True),
    "categories of dates": pd.Categorical(pd.to_datetime(["2024", "2025", "2024"], utc=True)),
    "categories of intervals": pd.cut(pd.Series([1, 5, 9]), 2),
    "a fixed distance from UTC": pd.to_datetime(["2024", None, "2025"]).tz_localize(KOLKATA),
    "seconds in a zone": pd.DatetimeIndex(np.array(["2024", "NaT", "1700"], dtype="M8[s]")).tz_localize("Asia/Tokyo"),
    "seconds beyond the calendar": np.array([2**60, 0, -(2**60)], dtype="M8[s]"),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_comes_back_and_can_be_written_to(name: str) -> None:
    frame = pd.DataFrame({"x": COLUMNS[name]})
    found = back(frame)
    found.iloc[0, 0] = found.iloc[1, 0]
    back(frame.iloc[:0])
    back(frame.iloc[::-1])


@pytest.mark.parametrize("index", [
    pd.RangeIndex(5, 11, 2), pd.RangeIndex(3, 0, -1, name=("a", 1)), pd.Index(["p", "p", None], name=0), pd.Index([1.5, np.nan, -0.0]),
    pd.Index([1, 2, 3], dtype="Int64"), pd.Index([1, 2, 3], dtype="uint8"),
    pd.Index([datetime.date(2024, 1, 1)] * 3, name=pd.Timestamp("2024")),
    pd.period_range("2024", periods=3, freq="M"), pd.interval_range(0, 3), pd.CategoricalIndex(["a", "b", "a"], ordered=True),
    pd.to_timedelta([1, None, 3], unit="s"), pd.Index([b"a", b"b", b"c"], dtype=object),
    pd.MultiIndex.from_arrays([["a", None, "a"], [1, 2, 2], pd.Categorical(["u", "v", "u"])], names=["x", None, 3]),
    pd.MultiIndex.from_arrays([pd.to_datetime(["2024", None, "2025"], utc=True), [1.5, np.nan, 2]]),
], ids=str)  # fmt: skip
def test_an_index_comes_back(index: pd.Index) -> None:
    frame = pd.DataFrame({"x": [1, 2, 3]}, index=index)
    back(frame)
    back(frame.iloc[:0])
    back(frame[[]])


def test_the_step_of_dates_comes_back() -> None:
    for index in (
        pd.date_range("2024-03-30", periods=3, tz="Europe/Berlin", name="at"), pd.date_range("2024", periods=3, freq="MS"),
        pd.timedelta_range("1h", periods=3, freq="90min"), pd.date_range("2024", periods=3, unit="s"),
    ):  # fmt: skip
        frame = pd.DataFrame({"x": [1, 2, 3]}, index=index)
        assert_frame_equal(back(frame), frame, check_freq=True)
        assert_frame_equal(back(frame.T), frame.T, check_freq=True)


@pytest.mark.parametrize("labels", [
    ["a", 0, "0", 1.5, None], [("x", 1), "y", True, b"b", np.int64(3)], [0, 1, 2, 3, 4], [2, 1, 0, 7, 9], ["a", "a", "b", "a", "b"],
    pd.RangeIndex(0, 10, 2, name="n"), pd.date_range("2024", periods=5), pd.Index(list("abcde"), name=("n", 1)),
    pd.MultiIndex.from_product([["a"], range(5)], names=["x", None]), pd.Categorical(list("ababc")), pd.Index([1.5, 2, 3, 4, np.nan]),
    ["a.b", "c0", "i0", "", "\x00"],
], ids=str)  # fmt: skip
def test_labels_of_any_plain_kind_come_back_even_twice(labels: Any) -> None:
    back(pd.DataFrame([range(5), range(5, 10)], columns=labels))


LOOP: list[Any] = []
LOOP.append(LOOP)
GIVE = ", which Parquet does not give back as they are; make them text, numbers or columns of their own"
ONE = ", which Parquet keeps in no one column; make them of one type"


@pytest.mark.parametrize(("column", "message"), [
    (objects(LOOP), f"column 'o' holds list values{GIVE}"),
    (objects({1: LOOP}), f"column 'o' holds dict values{GIVE}"),
    (objects(np.array([1])), f"column 'o' holds ndarray values{GIVE}"),
    (objects(pd.Timestamp("2024")), f"column 'o' holds Timestamp values{GIVE}"),
    (objects(1, "x", 2.5), f"column 'o' holds values of several types (float, int, str){ONE}"),
    (objects(1, True), f"column 'o' holds values of several types (bool, int){ONE}"),
    (objects(datetime.datetime(2024, 1, 1, tzinfo=KOLKATA)),
     "column 'o' holds datetime values with a time zone or a fold, which is not kept; make them text"),
    (objects(datetime.timedelta.max), "column 'o' cannot be kept as Parquet: Python int too large to convert to C long"),
    (pd.Series([1, 2]).astype(np.longdouble), "column 'o' is of dtype float128, which Parquet does not have; make it float64"),
    (pd.Series(pd.array([[1]], dtype=pd.ArrowDtype(__import__("pyarrow").list_(__import__("pyarrow").int64())))),
     "column 'o' is of Arrow's type list<item: int64>, which is not kept; make it one of pandas' own"),
], ids=lambda value: value if isinstance(value, str) else "")  # fmt: skip
def test_what_is_not_kept_is_refused_by_column_and_reason(column: pd.Series, message: str) -> None:
    with pytest.raises(errors.CannotStore) as found:
        parquet.encode(pd.DataFrame({"fine": range(len(column)), "o": column}))
    assert found.value.message == message


# -- any frame ------------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "int64": st.integers(-(2**63), 2**63 - 1), "uint8": st.integers(0, 255), "float64": st.floats(width=64), "float32": st.floats(width=32),
    "bool": st.booleans(), "str": TEXT | st.none(),
    "Int16": st.integers(-(2**15), 2**15 - 1) | st.none(), "boolean": st.booleans() | st.none(),
    "string[python]": TEXT | st.none(), "datetime64[us]": st.datetimes() | st.none(), "timedelta64[ns]": st.timedeltas(
        datetime.timedelta(-1000), datetime.timedelta(1000)) | st.none(),
    "datetime64[ns, America/New_York]": st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(2100, 1, 1)).map(
        lambda at: pd.Timestamp(at, tz="UTC")) | st.none(),
    "complex128": st.complex_numbers(), "category": st.sampled_from(["a", "b", None]), "Float64": st.floats(allow_nan=False) | st.none(),
}  # fmt: skip
NULLS = st.sampled_from([None, np.nan, pd.NA, pd.NaT])
PLAIN = st.sampled_from([
    TEXT, st.binary(max_size=4), st.booleans(), st.integers(), st.floats(), st.decimals(allow_nan=False), st.dates(), st.datetimes(),
    st.times(),
    st.timedeltas(datetime.timedelta(-1000), datetime.timedelta(1000)), st.lists(st.integers(), max_size=2), st.integers(0, 9).map(np.int8),
])  # fmt: skip


@st.composite
def column(draw: st.DrawFn, rows: int) -> pd.Series:
    kind = draw(st.sampled_from([*VALUES, "object", "object", "object"]))
    if kind == "object":
        of = draw(PLAIN)
        values = draw(st.lists(of | NULLS if draw(st.booleans()) else of, min_size=rows, max_size=rows))
        made = pd.Series([None] * rows, dtype=object)
        for at, value in enumerate(values):
            made.iat[at] = value
        return made
    return pd.Series(draw(st.lists(VALUES[kind], min_size=rows, max_size=rows)), dtype=kind)


@st.composite
def any_frame(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(st.integers(0, 6))
    label = st.sampled_from(string.ascii_lowercase) | st.integers(0, 3) | st.none() | st.tuples(st.integers(0, 1), st.just("t"))
    labels = draw(st.lists(label, max_size=4))
    made = pd.DataFrame({at: draw(column(rows)) for at in range(len(labels))}, index=range(rows))
    made.columns = pd.Index(labels, tupleize_cols=False)
    if draw(st.booleans()):
        made.index = pd.Index(draw(column(rows)), name=draw(label))
    return made


SEEN = settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@SEEN
@given(any_frame())
def test_any_frame_comes_back_or_is_refused_by_name(frame: pd.DataFrame) -> None:
    try:
        parquet.plan(frame)
        refused = ""
    except errors.CannotStore as error:
        refused = error.message
    if refused:
        assert refused.startswith(("column ", "the index "))
        assert any(reason in refused for reason in ("holds list", "several types", "cannot be kept", "a fold")), refused
    else:
        back(frame)


@SEEN
@given(any_frame(), st.integers(0, 6))
def test_equal_frames_have_equal_content_however_they_were_made(frame: pd.DataFrame, at: int) -> None:
    first = frames.fingerprint(frame)
    assert frames.fingerprint(frame.copy(deep=True)) == first
    twice = pd.concat([frame, frame])  # columns are slices of blocks of memory now
    assert frames.fingerprint(twice.iloc[: len(frame)].set_axis(frame.index)) == first
    assert frames.fingerprint(twice.iloc[::2].iloc[:0]) == frames.fingerprint(frame.iloc[:0].set_axis(twice.index[:0]))
    if len(frame) and frame.shape[1]:
        pieces = pd.concat([frame.iloc[:at], frame.iloc[at:]]) if 0 < at < len(frame) else frame
        assert frames.fingerprint(pieces.set_axis(frame.index)) == first
        assert frames.fingerprint(frame.take(range(len(frame))).set_axis(frame.index)) == first
