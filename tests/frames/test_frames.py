"""Recognising, reading, fingerprinting and describing frames."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from nbml import errors, frames
from nbml.frames import content

BASE = pd.DataFrame(
    {"a": [1, 2, 3], "b": ["x", None, "z"], "c": [1.5, np.nan, -0.0], "d": pd.to_datetime(["2024-01-01", None, "2024-03-01"])}
)
CHANGED: dict[str, pd.DataFrame] = {
    "a value": BASE.assign(a=[1, 2, 4]),
    "a dtype": BASE.assign(a=BASE["a"].astype("int32")),
    "a name": BASE.rename(columns={"a": "A"}),
    "a name's type": BASE.rename(columns={"a": 0}),
    "the order of columns": BASE[["b", "a", "c", "d"]],
    "the order of rows": BASE.iloc[::-1],
    "the index": BASE.set_index(pd.Index([5, 6, 7])),
    "the index's name": BASE.rename_axis("i"),
    "a null": BASE.assign(b=["x", "", "z"]),
    "a row": BASE.iloc[:2],
    "a column": BASE.drop(columns="d"),
    "categories": BASE.assign(b=BASE["b"].astype("category")),
    "a time zone": BASE.assign(d=BASE["d"].dt.tz_localize("UTC")),
}


@pytest.mark.parametrize("what", CHANGED)
def test_a_fingerprint_differs_where_the_frame_does(what: str) -> None:
    assert frames.fingerprint(CHANGED[what]) != frames.fingerprint(BASE)


def test_equal_frames_have_equal_fingerprints_however_they_were_made() -> None:
    same = pd.concat([BASE.iloc[:1], BASE.iloc[1:]])
    assert frames.fingerprint(same.reset_index(drop=True)) == frames.fingerprint(BASE)
    assert frames.fingerprint(BASE.copy(deep=True)) == frames.fingerprint(BASE)
    code = (
        "import pandas as pd; from nbml import frames;"
        "print(frames.fingerprint(pd.DataFrame({'a': ['x', None], 'b': [1, 2], 'o': [{1}, (2,)]})))"
    )
    ran = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}).stdout
        for seed in ("1", "2")
    ]
    assert ran[0] == ran[1], "in any process"


def test_categories_count_in_a_fingerprint() -> None:
    first = pd.DataFrame({"k": pd.Categorical(["a"], ["a", "b"])})
    assert frames.fingerprint(first) != frames.fingerprint(pd.DataFrame({"k": pd.Categorical(["a"], ["b", "a"])}))
    assert frames.fingerprint(first) != frames.fingerprint(pd.DataFrame({"k": pd.Categorical(["a"], ["a", "b"], ordered=True)}))


UTC = BASE.assign(d=BASE["d"].dt.tz_localize("UTC"))
PAYLOAD = np.array([0x7FF8000000000001, 0x7FF8000000000000], dtype="uint64").view("float64")
HIDDEN = pa.Array.from_buffers(pa.large_string(), 3, [
    pa.py_buffer(b"\x05"), pa.py_buffer(np.array([0, 1, 3, 4], dtype="int64")), pa.py_buffer(b"axxc"),
])  # fmt: skip
MASKED = pd.arrays.IntegerArray(np.array([1, 7, 3]), np.array([False, True, False]))
BLOCK = pd.DataFrame(np.arange(12, dtype="float64").reshape(4, 3), columns=list("abc"))
SAME: dict[str, tuple[Any, Any]] = {
    "a range and the numbers of it": (pd.DataFrame({"x": [1, 2, 3]}), pd.DataFrame({"x": [1, 2, 3]}, index=pd.Index([0, 1, 2]))),
    "ranges of one row": (pd.DataFrame({"x": [1]}, index=pd.RangeIndex(5, 7, 2)), pd.DataFrame({"x": [1]}, index=[5])),
    "any NaN": (pd.DataFrame({"x": PAYLOAD[:1]}), pd.DataFrame({"x": PAYLOAD[1:]})),
    "chunks of text": (
        pd.DataFrame({"x": pd.array(pa.chunked_array([["a"], [], [None, "bc"]], pa.large_string()), dtype="str")}),
        pd.DataFrame({"x": ["a", None, "bc"]}),
    ),
    "bytes below a null": (pd.DataFrame({"x": pd.array(HIDDEN, dtype="str")}), pd.DataFrame({"x": ["a", None, "c"]})),
    "numbers below a mask": (pd.DataFrame({"x": MASKED}), pd.DataFrame({"x": pd.array([1, None, 3], dtype="Int64")})),
    "columns of rows and rows of columns": (BLOCK, pd.DataFrame({c: BLOCK[c].tolist() for c in "abc"})),
    "every second row": (BLOCK.iloc[::2].reset_index(drop=True), pd.DataFrame({c: BLOCK[c].tolist()[::2] for c in "abc"})),
    "labels as text or objects": (BLOCK, BLOCK.set_axis(BLOCK.columns.astype(object), axis=1)),
    "what is said of a frame": (BLOCK, BLOCK.copy().set_flags(allows_duplicate_labels=False)),
    "the step of dates": (
        pd.DataFrame({"x": [1, 2]}, index=pd.date_range("2024", periods=2)),
        pd.DataFrame({"x": [1, 2]}, index=pd.to_datetime(["2024-01-01", "2024-01-02"])),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", SAME)
def test_how_it_lies_is_no_content(what: str) -> None:
    first, second = SAME[what]
    assert frames.fingerprint(first) == frames.fingerprint(second)


def objects(*values: Any) -> pd.DataFrame:
    return pd.DataFrame({"x": pd.Series(values, dtype=object)})


OTHER: dict[str, tuple[Any, Any]] = {
    "the sign of zero": (pd.DataFrame({"x": [0.0]}), pd.DataFrame({"x": [-0.0]})),
    "None and NaN": (objects("a", None), objects("a", float("nan"))),
    "numbers and their text": (objects(1, "a"), objects("1", "a")),
    "flags and numbers": (objects(True, 2), objects(1, 2)),
    "text and objects": (objects("a"), pd.DataFrame({"x": ["a"]})),
    "where a text ends": (pd.DataFrame({"x": ["ab", "c"]}), pd.DataFrame({"x": ["a", "bc"]})),
    "where a column ends": (pd.DataFrame({"x": ["a"], "y": ["bc"]}), pd.DataFrame({"x": ["ab"], "y": ["c"]})),
    "a text that is empty": (pd.DataFrame({"x": ["a", ""]}), pd.DataFrame({"x": ["a", None]})),
    "categories that are not used": (pd.DataFrame({"x": pd.Categorical(["a"])}), pd.DataFrame({"x": pd.Categorical(["a"], ["a", "b"])})),
    "the zone": (UTC, UTC.assign(d=UTC["d"].dt.tz_convert("Asia/Tokyo"))),
    "the unit": (BASE, BASE.assign(d=BASE["d"].astype("datetime64[ns]"))),
    "the size of numbers": (pd.DataFrame({"x": [1, 2]}), pd.DataFrame({"x": [1, 2**33]})),
    "what all are moved by": (pd.DataFrame({"x": [1, 2]}), pd.DataFrame({"x": [2, 3]})),
    "lists in lists": (objects([1, [2]]), objects([1, 2])),
}


@pytest.mark.parametrize("what", OTHER)
def test_what_can_be_told_apart_is_another_content(what: str) -> None:
    first, second = OTHER[what]
    assert frames.fingerprint(first) != frames.fingerprint(second)


def test_a_value_that_holds_itself_has_a_content() -> None:
    loop: list[Any] = []
    loop.append(loop)
    deep: list[Any] = []
    for _ in range(10**5):
        deep = [deep]
    assert len({frames.fingerprint(objects(loop)), frames.fingerprint(objects(deep))}) == 2


@pytest.mark.parametrize("rows", [1, content.ROWS - 1, content.ROWS, content.ROWS + 1])
def test_pieces_of_a_column_meet(rows: int) -> None:
    """A column is hashed a piece at a time; where one ends is not part of it."""
    values = np.arange(rows) * 7919 % 1009
    frame = pd.DataFrame({"i": values, "f": values / 2, "s": pd.Series(values).astype("str"), "o": pd.Series(values).astype(object)})
    shifted = pd.concat([frame.iloc[:1], frame]).iloc[1:].reset_index(drop=True)
    assert frames.fingerprint(shifted) == frames.fingerprint(frame)
    for column in frame:
        changed = frame.copy()
        changed.loc[rows - 1, column] = changed[column].iloc[0] if rows > 1 else {"s": "9", "i": 9, "f": 9.0, "o": 9}[str(column)]
        assert rows == 1 or changed[column].iloc[-1] != frame[column].iloc[-1]
        assert frames.fingerprint(changed) != frames.fingerprint(frame)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (3, "a dataframe is needed, not int"),
        (np.zeros((2, 3)), "a dataframe is needed, not ndarray of shape (2, 3)"),
        (BASE["a"], "a dataframe is needed, not Series of shape (3,)"),
        (None, "a dataframe is needed, not NoneType"),
    ],
)
def test_what_is_no_frame_is_told(value: Any, message: str) -> None:
    with pytest.raises(errors.NotADataFrame) as found:
        frames.require(value)
    assert found.value.message == message


def test_a_column_name_that_stands_twice_is_told() -> None:
    with pytest.raises(errors.BadInput) as found:
        frames.require(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    assert found.value.message == "the column name 'a' stands 2 times; rename one"


def test_files_are_read_and_what_is_none_is_told(tmp_path: Path) -> None:
    BASE.to_parquet(tmp_path / "f.parquet")
    BASE.to_csv(tmp_path / "f.csv", index=False)
    assert frames.read_frame(tmp_path / "f.parquet").equals(BASE)
    assert list(frames.read_frame(tmp_path / "f.csv")["a"]) == [1, 2, 3]
    (tmp_path / "bad.parquet").write_text("no parquet")
    with pytest.raises(errors.BadInput, match=r"bad\.parquet cannot be read as parquet: "):
        frames.read_frame(tmp_path / "bad.parquet")


def test_the_room_loads_without_pandas() -> None:
    code = "import sys; from nbml import frames; assert not frames.is_frame(3); print('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
