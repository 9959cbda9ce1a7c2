"""Files larger than memory: read in batches, with the results of the whole; what cannot be is named."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import nbml
from nbml.datasets import sources
from nbml.validation import batches

ROWS = 3000


def orders() -> pd.DataFrame:
    draw = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "id": np.arange(ROWS), "age": np.where(draw.random(ROWS) < 0.1, np.nan, draw.normal(40, 20, ROWS)),
            "n": draw.integers(0, 50, ROWS), "plan": draw.choice(["basic", "pro", "x"], ROWS),
            "email": [f"u{i}@x.org" if i % 7 else "bad" for i in range(ROWS)], "ok": draw.random(ROWS) < 0.5,
            "at": pd.date_range("2024-01-01", periods=ROWS, freq="h").astype("datetime64[us]"),
            "last": pd.date_range("2024-01-03", periods=ROWS, freq="h").astype("datetime64[us]"),
            "day": [f"2024-01-{i % 31 + 1:02d}" for i in range(ROWS)], "big": np.where(draw.random(ROWS) < 0.01, np.inf, 1.0),
        }
    )  # fmt: skip
    frame.loc[frame.index[::13], "plan"] = None
    return frame


MERGED = """
1_000 <= rows <= 100_000
rows == 3000
rows <= 10
not_null(id, age), mostly=0.95
not_null(plan)
null(plan)
18 <= age <= 100, mostly=0.9
18 < age < 60
n < 45, mostly=0.5
n < 40, where=plan == "basic"
rows >= 10, where=plan == "basic"
plan in {"basic", "pro"}
plan in {"basic"}, mostly=0.5
plan not in {"x"}
matches(email, r"[^@]+@[^@]+")
not matches(email, r"bad")
length(plan) == 3
at <= last
last <= at
id == n
min(age) >= 0
max(n) <= 49
max(at) <= "2030-01-01"
sum(n) <= 10
null_share(age) <= 0.05
format(day, "%Y-%m-%d")
big <= 1
"""
WHOLE = """
unique(id)
unique(n)
unique(id, n)
30 <= median(age) <= 50
n_unique(plan) == 3
stdev(age) <= 10
increasing(id)
decreasing(at)
dtype(n) == "int64"
columns == {"id"}
max(plan) >= 1
psi(age) < 0.2
"""


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets how many bytes may be in memory, and how large a batch is."""

    def to(limit: int, batch: int = 40_000) -> None:
        monkeypatch.setattr(batches, "limit", lambda: limit)
        monkeypatch.setattr(batches, "KEPT", ROWS)
        for name in ("parquet", "csv", "pyarrow", "polars", "duckdb"):
            adapter = sources.registry.adapter(sources.GROUP, name)
            monkeypatch.setattr(adapter.batches, "__defaults__", (None, batch))

    return to


def results(found: Any) -> list[str]:
    return [json.dumps(result, sort_keys=True) for result in found.results]


@pytest.mark.parametrize("form", ["BOOLEAN_ONLY", "BASIC", "SUMMARY", "COMPLETE"])
def test_results_of_batches_are_those_of_the_whole(project: Path, small: Any, form: str) -> None:
    frame = orders()
    frame.to_parquet("orders.parquet")
    nbml.expect("orders", MERGED + WHOLE, on=frame)
    whole = nbml.validate("orders.parquet", suite="orders", result_format=form)
    small(100_000)
    parts = nbml.validate("orders.parquet", suite="orders", result_format=form)
    assert results(parts) == results(whole)
    assert parts.failures == whole.failures
    assert (parts.rows, parts.data) == (ROWS, "orders.parquet")
    pd.testing.assert_frame_equal(parts.failing_rows(), whole.failing_rows())


def test_a_column_that_is_not_there_fails_as_in_memory(project: Path, small: Any) -> None:
    orders().to_parquet("orders.parquet")
    nbml.expect("orders", 'nope >= 1\nage >= 0, where=nope == "x"\nmean(nope) >= 1\nmean(plan) >= 1')
    whole = nbml.validate("orders.parquet", suite="orders")
    small(200_000)
    parts = nbml.validate("orders.parquet", suite="orders")
    assert [r["success"] for r in parts.results] == [False] * 4
    assert [f.reason for f in parts.failures] == [f.reason for f in whole.failures]


def test_means_are_equal_within_rounding(project: Path, small: Any) -> None:
    orders().to_parquet("orders.parquet")
    nbml.expect("orders", '30 <= mean(age) <= 50\nmean(n) >= 30\nmean(n) >= 1, where=plan == "pro"\nsum(age) >= 1')
    whole = nbml.validate("orders.parquet", suite="orders")
    small(100_000)
    parts = nbml.validate("orders.parquet", suite="orders")
    for one, other in zip(parts.results, whole.results, strict=True):
        assert one["success"] == other["success"]
        assert one["result"]["observed_value"] == pytest.approx(other["result"]["observed_value"], rel=1e-12)


def test_what_needs_more_than_may_be_in_memory_is_named(project: Path, small: Any) -> None:
    orders().to_parquet("orders.parquet")
    nbml.expect("orders", "18 <= age <= 100, mostly=0.5\nunique(id)\nunique(email, day)")
    small(20_000)
    found = nbml.validate("orders.parquet", suite="orders")
    assert [result["success"] for result in found.results] == [True, False, False]
    assert [f.reason for f in found.failures] == [
        "not evaluated: it needs all of 'id' in memory, 24 kB where 20 kB may be",
        f"not evaluated: it needs all of 2 columns in memory, {kilobytes()} kB where 20 kB may be",
    ]
    assert found.results[1]["exception_info"]["raised_exception"] is True


def kilobytes() -> str:
    table = pa.Table.from_pandas(orders()[["email", "day"]])
    return f"{table.nbytes / 1e3:,.0f}"


def test_streams_are_read_once(project: Path, small: Any) -> None:
    table = pa.Table.from_pandas(orders())
    nbml.expect("orders", "rows == 3000\n18 <= age <= 100, mostly=0.5\nunique(id)\nplan in {'basic', 'pro'}")
    whole = nbml.validate(table.to_reader(max_chunksize=500), suite="orders")
    assert [result["success"] for result in whole.results] == [True, True, True, False]
    small(50_000)
    found = nbml.validate(table.to_reader(max_chunksize=500), suite="orders")
    assert [result["success"] for result in found.results] == [True, True, False, False]
    assert found.failures[0].reason == "not evaluated: it needs all of 'id' in memory, and a stream can be read only once"
    assert found.results[3] == whole.results[3]
    assert found.failing_rows()["plan"].unique().tolist() == ["x"]


@pytest.mark.parametrize("kind", ["csv", "polars", "duckdb"])
def test_other_sources_in_batches(project: Path, small: Any, kind: str) -> None:
    import duckdb
    import polars as pl

    frame = orders().drop(columns=["at", "last", "big"])
    frame.to_csv("orders.csv", index=False)
    connection = duckdb.connect()
    connection.register("orders", frame)
    value: Any = {"csv": "orders.csv", "polars": pl.from_pandas(frame), "duckdb": connection.sql("select * from orders")}[kind]
    nbml.expect("orders", 'rows == 3000\n18 <= age <= 100\nplan in {"basic", "pro"}\nn >= 10, mostly=0.5\nmedian(age) >= 30\nunique(n)')
    whole = nbml.validate(value, suite="orders")
    small(40_000)
    parts = nbml.validate(value, suite="orders")
    assert results(parts) == results(whole)
    assert parts.failing_rows()["id"].tolist() == whole.failing_rows()["id"].tolist()


def test_index_labels_and_an_empty_file(project: Path, small: Any) -> None:
    frame = orders().set_index(pd.Index([f"r{i}" for i in range(ROWS)], name="key"))
    frame.to_parquet("orders.parquet")
    frame.iloc[:0].to_parquet("empty.parquet")
    nbml.expect("orders", "18 <= age <= 60\nunique(n)\nrows >= 1")
    want = [results(nbml.validate(f"{name}.parquet", suite="orders")) for name in ("orders", "empty")]
    rows = nbml.validate("orders.parquet", suite="orders").failing_rows()
    small(60_000)
    found = nbml.validate("orders.parquet", suite="orders")
    assert results(found) == want[0]
    pd.testing.assert_frame_equal(found.failing_rows(), rows)
    small(0)
    assert results(nbml.validate("empty.parquet", suite="orders")) == want[1]


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_what_is_too_large_is_drafted_from_a_sample_and_checked_on_all(project: Path, small: Any, ending: str) -> None:
    frame = orders()
    frame.loc[ROWS - 2, "n"] = 10_000  # in no sample of every second row or fewer that begins at the first
    frame.loc[ROWS - 1, "n"] = 10_001
    frame.to_parquet("orders.parquet")
    frame.to_csv("orders.csv", index=False)
    small(100_000)
    found = nbml.validate(f"orders.{ending}", suite="orders")
    assert (found.success, found.rows, found.nearest) == (None, ROWS, "")
    sampled = int(found.sample.split()[5].replace(",", ""))
    assert found.sample == f"drafted from a sample of {sampled:,} of 3,000 rows; each line was checked on all of them"
    assert 100 < sampled < 1000
    assert f"\n  {found.sample}\n  %%nbml expect orders\n" in repr(found)
    lines = found.draft.splitlines()
    assert lines[0] == "1_500 <= rows <= 6_000  # 3,000 now"
    assert 'plan in {\'basic\', \'pro\', \'x\'}' in lines
    assert not [line for line in lines if " n <= " in line], "what the sample does not show is found on all rows"
    small(1 << 30)
    assert nbml.validate(frame if ending == "parquet" else "orders.csv", nbml.expect("orders", found.draft)).success is True


def test_a_stream_is_drafted_from_as_far_as_a_sample_goes(project: Path, small: Any) -> None:
    table = pa.Table.from_pandas(orders())
    small(100_000)
    found = nbml.validate(pa.RecordBatchReader.from_batches(table.schema, table.to_batches(100)), suite="orders")
    assert found.sample.endswith(" of 3,000 rows; a stream can be read only once, so that the others were not looked at")
    assert found.draft.startswith("1_500 <= rows <= 6_000  # 3,000 now\n")


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_where_not_all_failing_rows_are_held_the_report_says_so(
    project: Path, small: Any, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders().to_parquet("orders.parquet")
    orders().to_csv("orders.csv", index=False)
    small(60_000)
    monkeypatch.setattr(batches, "KEPT", 50)
    nbml.expect("many", "n < 10\nat <= last" if ending == "parquet" else "n < 10")
    found = nbml.validate(f"orders.{ending}", suite="many")
    assert len(found.failing_rows()) == 50
    assert "the data were read in batches: failing_rows() holds the first 50 rows of each expectation" in repr(found)
    nbml.expect("few", "id < 2990")
    found = nbml.validate(f"orders.{ending}", suite="few")
    assert (len(found.failing_rows()), found.most) == (10, None)
    assert "read in batches" not in repr(found)


CHILD = """
import sys
import nbml
from nbml.validation import batches
batches.limit = lambda: 20 << 20
text = "rows >= 1\\n0 <= f0 <= 1\\nnot_null(f1)\\nmean(f2) >= 0\\nmax(f3) <= 0.5\\nunique(f4)\\nf5 < 0.99"
nbml.expect("big", text)
nbml.validate("small.parquet", suite="big")
def peak():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) / 1024
before = peak()
found = nbml.validate("big.parquet", suite="big")
print([r["success"] for r in found.results], found.rows, round(peak() - before), found.failures[1].reason)
"""


@pytest.mark.slow
def test_memory_is_bounded(project: Path) -> None:
    """300 MB in one row group, read with 20 MB for a column."""
    draw = np.random.default_rng(0)
    columns = 12
    rows = 300_000_000 // 8 // columns
    schema = pa.schema([(f"f{i}", pa.float64()) for i in range(columns)])
    whole = pa.table([draw.random(rows) for _ in range(columns)], schema=schema)
    pq.write_table(whole, "big.parquet", compression="none", use_dictionary=False, row_group_size=rows)
    pq.write_table(whole.slice(0, 1000), "small.parquet")
    del whole
    done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True, timeout=200)
    told = done.stdout.strip()
    assert told.startswith(f"[True, True, True, True, False, False, False] {rows} "), told
    grown = int(told.split("] ")[1].split()[1])
    assert grown < 150, told
    assert told.endswith("not evaluated: it needs all of 'f4' in memory, 25 MB where 21 MB may be"), told
