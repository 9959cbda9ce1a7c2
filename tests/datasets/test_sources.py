"""Frames that lie elsewhere: which are taken, and how their columns become pandas'."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import nbml
from nbml import errors
from nbml.datasets import sources, take
from nbml.slicing import recorder
from nbml.testing.sources import SourceSuite
from nbml.validation import batches

TABLE = pa.table(
    {
        "whole": pa.array([1, 2**62, 3], pa.int64()),
        "some": pa.array([1, None, 2**62 + 1], pa.int64()),
        "flag": pa.array([True, False, True]),
        "perhaps": pa.array([True, None, False]),
        "text": pa.array(["a", None, "ä"]),
        "large": pa.array(["a", "b", "c"], pa.large_string()),
        "plan": pa.array(["x", "y", "x"]).dictionary_encode(),
        "real": pa.array([1.5, None, float("inf")]),
        "day": pa.array([datetime.date(2024, 1, 1), None, datetime.date(2024, 1, 3)]),
        "at": pa.array([1, 2, None], pa.timestamp("us")),
        "zone": pa.array([1, 2, 3], pa.timestamp("ns", "Europe/Berlin")),
        "long": pa.array([1, 2, 3], pa.duration("ms")),
        "money": pa.array([decimal.Decimal("1.10"), None, decimal.Decimal("2.20")]),
    }
)
DTYPES = {
    "whole": "int64", "some": "Int64", "flag": "bool", "perhaps": "boolean", "text": "str", "large": "str", "plan": "category",
    "real": "float64", "day": "datetime64[ms]", "at": "datetime64[us]", "zone": "datetime64[ns, Europe/Berlin]",
    "long": "timedelta64[ms]", "money": "object",
}  # fmt: skip


class Stream:
    """Of no package that anybody knows."""

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return TABLE.__arrow_c_stream__(requested_schema)


def parquet(folder: Path) -> str:
    pq.write_table(TABLE, folder / "t.parquet", row_group_size=2)
    return str(folder / "t.parquet")


@pytest.mark.parametrize("kind", ["table", "batch", "reader", "stream", "parquet"])
def test_columns_become_what_they_are_in_pandas(project: Path, kind: str) -> None:
    value = {
        "table": lambda: TABLE, "batch": lambda: TABLE.to_batches()[0], "reader": TABLE.to_reader, "stream": Stream,
        "parquet": lambda: parquet(project),
    }[kind]()  # fmt: skip
    frame, thing = take(value)
    assert thing is None
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == DTYPES
    assert frame["some"].tolist()[2] == 2**62 + 1, "no detour by floats"
    assert frame["perhaps"].isna().tolist() == [False, True, False]


def test_polars_and_duckdb_give_the_same_frame(project: Path) -> None:
    names = ["whole", "some", "perhaps", "text", "real", "at"]
    want = take(TABLE.select(names))[0]
    pd.testing.assert_frame_equal(take(pl.from_arrow(TABLE.select(names)))[0], want)
    connection = duckdb.connect()
    part = TABLE.select(names)
    connection.register("part", part)
    relation = connection.sql("select * from part")
    pd.testing.assert_frame_equal(take(relation)[0], want)
    pd.testing.assert_frame_equal(take(relation)[0], want)
    assert connection.sql("select 1").fetchall() == [(1,)], "no result is left open"
    frame = take(pl.DataFrame({"plan": pl.Series(["a", "b"], dtype=pl.Enum(["a", "b"])), "day": [datetime.date(2024, 1, 1)] * 2}))[0]
    assert [str(dtype) for dtype in frame.dtypes] == ["category", "datetime64[ms]"]


def test_what_pandas_wrote_comes_back_as_it_was(project: Path) -> None:
    frame = pd.DataFrame({"o": pd.Series([datetime.date(2024, 1, 1), None], dtype=object), "n": [1.0, None]})
    frame = frame.set_axis(pd.Index(["a", "b"], name="k"))
    frame.to_parquet("f.parquet")
    pd.testing.assert_frame_equal(take("f.parquet")[0], frame)
    pd.testing.assert_frame_equal(take(pa.Table.from_pandas(frame))[0], frame)


def test_verbs_take_them(project: Path) -> None:
    frame = pl.DataFrame({"id": [1, 2, 3], "plan": ["a", "b", None]})
    assert str(nbml.snapshot(frame, "orders")) == "orders@1"
    assert str(nbml.snapshot(frame.to_arrow(), "orders")) == "orders@1", "the same content, whoever holds it"
    nbml.expect("orders", "rows == 3\nunique(id)\nnot_null(plan)")
    for value in (frame, frame.to_arrow(), duckdb.sql("select unnest([1, 2, 3]) as id, unnest(['a', 'b', null]) as plan")):
        found = nbml.validate(value, suite="orders")
        assert [result["success"] for result in found.results] == [True, True, False]
        assert found.failing_rows()["id"].tolist() == [3]


def test_what_cannot_be_taken_is_refused_with_the_line_that_mends_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lazy = pl.LazyFrame({"a": [1]})
    monkeypatch.setitem(recorder.namespace(), "lf", lazy)
    with pytest.raises(errors.NotADataFrame) as plan:
        nbml.snapshot(lazy, "x")
    assert (plan.value.message, plan.value.next) == ("a polars LazyFrame is a plan, not data yet: .collect() runs it", "lf = lf.collect()")
    for value, message in (
        (pa.chunked_array([[1]]), "a dataframe is needed, not ChunkedArray"),
        (pl.Series([1]), "a dataframe is needed, not Series of polars"),
        (duckdb.connect(), "a relation of DuckDB is needed, as con.sql(...) gives it, not DuckDBPyConnection"),
        (3, "a dataframe is needed, not int"),
    ):
        with pytest.raises(errors.NotADataFrame) as found:
            nbml.snapshot(value, "x")
        assert found.value.message == message
    with pytest.raises(errors.BadInput) as twice:
        nbml.snapshot(pa.table([[1], [2]], names=["a", "a"]), "x")
    assert twice.value.message == "the column name 'a' stands 2 times; rename one"
    (project / "bad.parquet").write_bytes(b"PAR1 but not")
    with pytest.raises(errors.BadInput, match=r"^bad\.parquet cannot be read as parquet: "):
        nbml.snapshot("bad.parquet", "x")


def _source(value: Any) -> Any:
    found = sources.of(value)
    assert found is not None
    return found


class TestArrow(SourceSuite):
    def source(self, rows: pd.DataFrame, folder: Path) -> Any:
        return _source(pa.Table.from_pandas(rows))


class TestReader(SourceSuite):
    def source(self, rows: pd.DataFrame, folder: Path) -> Any:
        return _source(pa.Table.from_pandas(rows).to_reader(max_chunksize=700))


class TestPolars(SourceSuite):
    def source(self, rows: pd.DataFrame, folder: Path) -> Any:
        return _source(pl.from_pandas(rows))


class TestDuckdb(SourceSuite):
    def source(self, rows: pd.DataFrame, folder: Path) -> Any:
        connection = duckdb.connect()
        connection.register("kept", pa.Table.from_pandas(rows))
        return _source(connection.sql("select * from kept"))


class TestParquet(SourceSuite):
    def source(self, rows: pd.DataFrame, folder: Path) -> Any:
        rows.to_parquet(folder / "f.parquet")
        return _source(folder / "f.parquet")


class TestCsv(SourceSuite):
    def source(self, rows: pd.DataFrame, folder: Path) -> Any:
        rows.to_csv(folder / "f.csv", index=False)
        return _source(folder / "f.csv")


def test_batches_of_a_csv_have_the_dtypes_of_the_whole_file(project: Path) -> None:
    lines = ["n,flag,text,late"] + [f"{i},True,a{i}," for i in range(2000)] + [",,,7", "1.5,False,b,8"]
    (project / "f.csv").write_text("\n".join(lines) + "\n")
    source = sources.of("f.csv")
    assert source is not None
    frames = [sources.to_pandas(batch.rows).drop(columns="flag") for batch in source.batches(size=8000)]
    whole = pd.read_csv("f.csv")
    assert len(frames) > 2
    assert {tuple(map(str, part.dtypes)) for part in frames} == {tuple(map(str, whole.drop(columns="flag").dtypes))}
    read = sources.frame(source)
    assert read["flag"].isna().tolist() == whole["flag"].isna().tolist()
    pd.testing.assert_frame_equal(read.drop(columns="flag"), whole.drop(columns="flag"), check_column_type=False)


def test_a_csv_file_with_two_columns_of_one_name_is_refused_and_not_renamed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "twice.csv").write_text("a,b,a\n1,2,3\n")
    (project / "fine.csv").write_text(",b,,1,2,1.0\n1,2,3,4,5,6\n")
    nbml.expect("s", "not_null(b)")
    calls: list[Callable[[], Any]] = [
        lambda: nbml.validate("twice.csv", "s"), lambda: nbml.snapshot("twice.csv", "s"), lambda: nbml.profile("twice.csv"),
    ]  # fmt: skip
    for most in (1 << 30, 1):
        monkeypatch.setattr(batches, "limit", lambda most=most: most)
        for call in calls:
            with pytest.raises(errors.BadInput) as caught:
                call()
            assert caught.value.message == "twice.csv: the column name 'a' stands 2 times; rename one"
        assert nbml.validate("fine.csv", "s").success is True
