"""Recognising, reading, fingerprinting and describing frames."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbml import errors, frames

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


def test_facts_are_json_and_tell_nothing_of_private_columns() -> None:
    frame = BASE.assign(e=[1.0, np.inf, 2.0], k=pd.Categorical(["p", "q", "p"]), o=[[1], {2}, None])
    found = frames.facts(frame, private=["b"])
    assert found["rows"] == 3
    assert found["columns"]["b"] == {"dtype": str(frame["b"].dtype), "nulls": pytest.approx(1 / 3)}
    assert (found["columns"]["e"]["low"], found["columns"]["e"]["high"]) == (1.0, 2.0), "of finite values"
    assert found["columns"]["k"]["categories"] == pytest.approx({"p": 2 / 3, "q": 1 / 3})
    assert found["columns"]["d"] == {
        "dtype": str(frame["d"].dtype), "nulls": pytest.approx(1 / 3), "dates": True,
        "low": "2024-01-01T00:00:00", "high": "2024-03-01T00:00:00",
    }  # fmt: skip


def test_the_room_loads_without_pandas() -> None:
    code = "import sys; from nbml import frames; assert not frames.is_frame(3); print('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
