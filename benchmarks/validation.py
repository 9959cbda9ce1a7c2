"""Validation against its peers: 20 mixed columns, 34 expectations, every method in one process and in turn.

    python benchmarks/validation.py                          1,000, 100,000 and 1,000,000 rows
    python benchmarks/validation.py --rows 1000 --repeat 9   one size
    python benchmarks/validation.py --dtypes                 with a category, two nullable and an Arrow column among the 20
    python benchmarks/validation.py --memory                 peak additional memory, one child process for each method

Before anything is timed the counts of unexpected values of all methods are compared; a peer that is not installed is named.
Ratios are of medians and of minima against Great Expectations in the same run. See README.md for what the numbers mean.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gc
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

Json = dict[str, Any]
Counts = dict[str, int]
#: what costs Great Expectations most: a Python call for each row
DEAR = ("match_strftime_format", "dated")


def frame_of(rows: int, seed: int = 7) -> pd.DataFrame:
    """4 int, 6 float, 6 text, 2 datetime and 2 bool columns, each with a few faults."""
    rng = np.random.default_rng(seed)
    number = np.arange(rows)
    found: dict[str, Any] = {
        "id": number,
        "age": rng.integers(18, 101, rows) + np.where(rng.random(rows) < 0.002, 90, 0),
        "quantity": rng.integers(0, 500, rows),
        "rank": np.sort(rng.integers(0, rows, rows)),
        "price": np.round(rng.gamma(2.0, 30.0, rows), 2),
        "discount": rng.random(rows),
        "score": np.where(rng.random(rows) < 0.03, np.nan, rng.normal(0, 1, rows)),
        "weight": rng.lognormal(1, 0.5, rows),
        "latitude": rng.uniform(-90, 90, rows),
        "longitude": rng.uniform(-180, 180, rows),
        "plan": rng.choice(["basic", "pro", "enterprise", "trial"], rows, p=[0.5, 0.3, 0.199, 0.001]),
        "country": rng.choice(["de", "fr", "it", "es", "pl", "nl"], rows),
        "email": [f"user{n}@example.org" if n % 997 else f"user{n}.example.org" for n in number.tolist()],
        "sku": [f"SKU-{n % 9000 + 1000:04d}-{n % 89 + 10}" for n in number.tolist()],
        "name": [f"name {n * 7919 % 100_003}" for n in number.tolist()],
        "born": [f"{1950 + n % 60}-{n % 12 + 1:02d}-{n % 28 + 1:02d}" if n % 500 else "1950-13-01" for n in number.tolist()],
        "signed": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 40_000_000, rows), unit="s"),
        "active": rng.random(rows) < 0.7,
        "verified": rng.random(rows) < 0.5,
    }
    found["seen"] = found["signed"] + pd.to_timedelta(rng.integers(0, 9_000_000, rows), unit="s")
    frame = pd.DataFrame(found).astype({"signed": "datetime64[us]", "seen": "datetime64[us]"})
    frame.loc[rng.random(rows) < 0.01, "name"] = None
    return frame


#: columns of the frame in dtypes that are not numpy's
DTYPES = {"plan": "category", "quantity": "Int64", "active": "boolean", "latitude": "double[pyarrow]"}


def suite_of(rows: int) -> list[tuple[str, Json]]:
    """34 expectations, each with a name under which the methods report."""
    is_ = "expect_column_values_to_"
    found: list[tuple[str, str, Json]] = [
        ("id not null", is_ + "not_be_null", {"column": "id"}),
        ("id unique", is_ + "be_unique", {"column": "id"}),
        ("id rises", is_ + "be_increasing", {"column": "id"}),
        ("age between", is_ + "be_between", {"column": "age", "min_value": 18, "max_value": 100, "mostly": 0.99}),
        ("age not null", is_ + "not_be_null", {"column": "age"}),
        ("age mean", "expect_column_mean_to_be_between", {"column": "age", "min_value": 10, "max_value": 90}),
        ("age quantiles", "expect_column_quantile_values_to_be_between",
         {"column": "age", "quantile_ranges": {"quantiles": [0.1, 0.5, 0.9], "value_ranges": [[10, 40], [40, 80], [70, 110]]}}),
        ("quantity between", is_ + "be_between", {"column": "quantity", "min_value": 0, "max_value": 498}),
        ("quantity sum", "expect_column_sum_to_be_between", {"column": "quantity", "min_value": 0, "max_value": 500 * rows}),
        ("rank rises", is_ + "be_increasing", {"column": "rank"}),
        ("price between", is_ + "be_between", {"column": "price", "min_value": 0, "max_value": 300, "mostly": 0.9}),
        ("price max", "expect_column_max_to_be_between", {"column": "price", "min_value": 0, "max_value": 5000}),
        ("price median", "expect_column_median_to_be_between", {"column": "price", "min_value": 0, "max_value": 500}),
        ("discount between", is_ + "be_between", {"column": "discount", "min_value": 0, "max_value": 1}),
        ("score between", is_ + "be_between", {"column": "score", "min_value": -3, "max_value": 3, "mostly": 0.9}),
        ("score not null", is_ + "not_be_null", {"column": "score", "mostly": 0.9}),
        ("score stdev", "expect_column_stdev_to_be_between", {"column": "score", "min_value": 0.5, "max_value": 2}),
        ("weight min", "expect_column_min_to_be_between", {"column": "weight", "min_value": 0}),
        ("latitude between", is_ + "be_between", {"column": "latitude", "min_value": -90, "max_value": 90}),
        ("longitude between", is_ + "be_between", {"column": "longitude", "min_value": -179.9, "max_value": 179.9}),
        ("plan in set", is_ + "be_in_set", {"column": "plan", "value_set": ["basic", "pro", "enterprise"]}),
        ("country in set", is_ + "be_in_set", {"column": "country", "value_set": ["de", "fr", "it", "es", "pl", "nl"]}),
        ("country distinct", "expect_column_unique_value_count_to_be_between", {"column": "country", "min_value": 1, "max_value": 10}),
        ("email matches", is_ + "match_regex", {"column": "email", "regex": r"^[^@]+@[^@]+\.[a-z]+$", "mostly": 0.99}),
        ("email unique", is_ + "be_unique", {"column": "email"}),
        ("sku matches", is_ + "match_regex", {"column": "sku", "regex": r"^SKU-\d{4}-\d{2}$"}),
        ("sku length", "expect_column_value_lengths_to_equal", {"column": "sku", "value": 11}),
        ("name length", "expect_column_value_lengths_to_be_between", {"column": "name", "min_value": 6, "max_value": 20}),
        ("name not null", is_ + "not_be_null", {"column": "name"}),
        ("born format", is_ + "match_strftime_format", {"column": "born", "strftime_format": "%Y-%m-%d"}),
        ("signed dated", is_ + "be_between", {"column": "signed", "min_value": dt.datetime(2020, 1, 2), "max_value": dt.datetime(2030,
        1, 1)}),
        ("seen after signed", "expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "seen", "column_B": "signed",
        "or_equal": True}),
        ("active in set", is_ + "be_in_set", {"column": "active", "value_set": [True, False]}),
        ("rows", "expect_table_row_count_to_equal", {"value": rows}),
    ]  # fmt: skip
    assert len(found) == 34
    return [(name, {"type": kind, "kwargs": kwargs, "meta": {}, "severity": "critical"}) for name, kind, kwargs in found]


def without_dear(suite: list[tuple[str, Json]]) -> list[tuple[str, Json]]:
    return [(name, config) for name, config in suite if not (config["type"].endswith(DEAR[0]) or name.endswith(DEAR[1]))]


# -- methods: each takes a frame and a suite, and gives the counts of unexpected values that it knows -----------


def engine(name: str, result_format: str = "BASIC") -> Callable[[pd.DataFrame, list[tuple[str, Json]]], Counts]:
    from nbml import registry

    made = registry.adapter("nbml.engines", name)()

    def run(frame: pd.DataFrame, suite: list[tuple[str, Json]]) -> Counts:
        results = made.evaluate(frame, [config for _, config in suite], result_format)
        return {
            name: found["result"]["unexpected_count"] for (name, _), found in zip(suite, results,
                strict=True) if "unexpected_count" in found["result"]
        }

    return run


def whole(frame: pd.DataFrame, suite: list[tuple[str, Json]]) -> Counts:
    """What a user calls, with its report values, failing rows and its line in the record."""
    import nbml

    asked = json.loads(json.dumps({"name": "bench", "expectations": [config for _, config in suite]}, default=str))
    found = nbml.validate(frame, asked, name="bench")
    return {name: r["result"]["unexpected_count"] for (name, _), r in zip(suite, found.results,
        strict=True) if "unexpected_count" in r["result"]}


def by_hand(frame: pd.DataFrame, suite: list[tuple[str, Json]]) -> Counts:
    """pandas as one would write it: a mask, a count and the first twenty values; no results, no options."""
    return {name: count for name, config in suite if (count := _by_hand(frame, config)) is not None}


def _by_hand(frame: pd.DataFrame, config: Json) -> int | None:
    kind, kwargs = config["type"].removeprefix("expect_column_values_to_").removeprefix("expect_column_"), config["kwargs"]
    if kind == "pair_values_a_to_be_greater_than_b":
        return _told(frame["seen"], ~(frame["seen"] >= frame["signed"]))
    column = frame.get(kwargs.get("column"))
    aggregates: dict[str, Callable[[pd.Series], Any]] = {
        "mean": pd.Series.mean, "max": pd.Series.max, "min": pd.Series.min, "median": pd.Series.median, "stdev": pd.Series.std,
        "sum": pd.Series.sum,
        "unique": pd.Series.nunique, "quantile": lambda s: s.quantile([0.1, 0.5, 0.9], interpolation="nearest"),
    }  # fmt: skip
    if column is None:
        return None
    aggregate = aggregates.get(kind.partition("_")[0]) if kind.endswith("to_be_between") else None
    if aggregate is not None:
        aggregate(column)
        return None
    null = column.isna()
    masks: dict[str, Callable[[], pd.Series]] = {
        "not_be_null": lambda: null,
        "be_unique": lambda: column.duplicated(keep=False) & ~null,
        "be_increasing": lambda: column.diff() < 0,
        "be_between": lambda: ~column.between(kwargs["min_value"], kwargs["max_value"]) & ~null,
        "be_in_set": lambda: ~column.isin(kwargs["value_set"]) & ~null,
        "match_regex": lambda: ~column.str.contains(kwargs["regex"]).astype(bool) & ~null,
        "value_lengths_to_equal": lambda: (column.str.len() != kwargs["value"]) & ~null,
        "value_lengths_to_be_between": lambda: ~column.str.len().between(kwargs["min_value"], kwargs["max_value"]) & ~null,
        "match_strftime_format": lambda: pd.to_datetime(column, format=kwargs["strftime_format"], errors="coerce").isna() & ~null,
    }
    return _told(column, masks[kind]())


def _told(column: pd.Series, broken: pd.Series) -> int:
    column[broken].head(20).tolist()
    return int(broken.sum())


def in_pandera(frame: pd.DataFrame, suite: list[tuple[str, Json]]) -> Counts:
    """Lazy, all columns; what pandera has no check for is a function of the column."""
    import pandera.pandas as pa

    checks: dict[str, list[Any]] = {}
    nullable, unique = {str(c): True for c in frame.columns}, set()
    for name, config in suite:
        kind, kwargs = config["type"].removeprefix("expect_column_values_to_").removeprefix("expect_column_"), config["kwargs"]
        column = kwargs.get("column")
        if kind == "not_be_null":
            nullable[column] = False
        elif kind == "be_unique":
            checks.setdefault(column, []).append(pa.Check(lambda s: ~s.duplicated(keep=False), error=name))
            unique.add(column)
        elif kind == "be_between":
            checks.setdefault(column, []).append(pa.Check.in_range(kwargs["min_value"], kwargs["max_value"], error=name))
        elif kind == "be_in_set":
            checks.setdefault(column, []).append(pa.Check.isin(kwargs["value_set"], error=name))
        elif kind == "match_regex":
            checks.setdefault(column, []).append(pa.Check(lambda s, r=kwargs["regex"]: s.str.contains(r).astype(bool), error=name))
        elif kind == "be_increasing":
            checks.setdefault(column, []).append(pa.Check(lambda s: ~(s.diff() < 0), error=name))
        elif kind == "value_lengths_to_equal":
            checks.setdefault(column, []).append(pa.Check.str_length(kwargs["value"], kwargs["value"], error=name))
        elif kind == "value_lengths_to_be_between":
            checks.setdefault(column, []).append(pa.Check.str_length(kwargs["min_value"], kwargs["max_value"], error=name))
        elif kind == "match_strftime_format":
            form = kwargs["strftime_format"]
            checks.setdefault(column, []).append(pa.Check(lambda s, f=form: pd.to_datetime(s, format=f, errors="coerce").notna(),
                name=name))
        elif column is not None:
            checks.setdefault(column, []).append(pa.Check(lambda s, k=kind: _aggregate_holds(s, k), error=name))
    columns = {str(c): pa.Column(checks=checks.get(str(c), []), nullable=nullable[str(c)]) for c in frame.columns}
    pair = [pa.Check(lambda f: f["seen"] >= f["signed"], error="seen after signed")]
    try:
        pa.DataFrameSchema(columns, checks=pair).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as found:
        cases = found.failure_cases
        counts = cases.groupby("check")["failure_case"].size()
        told = {str(check): int(count) for check, count in counts.items()}
        for column in frame.columns:
            null = cases[(cases["check"] == "not_nullable") & (cases["column"] == column)]
            if len(null):
                told[f"{column} not null"] = len(null)
        return {name: told.get(name, 0) for name, _ in suite}
    return {name: 0 for name, _ in suite}


def _aggregate_holds(column: pd.Series, kind: str) -> bool:
    word = kind.partition("_")[0]
    names = {"stdev": "std", "unique": "nunique", "quantile": "quantile"}
    getattr(column, names.get(word, word))(*([[0.1, 0.5, 0.9]] if word == "quantile" else []))
    return True


def in_pointblank(frame: pd.DataFrame, suite: list[tuple[str, Json]]) -> Counts:
    """Its steps; it has none for aggregates nor for an order, which are left out (so it does less)."""
    import pointblank as pb

    asked, names = pb.Validate(data=frame), []
    for name, config in suite:
        kind, kwargs = config["type"].removeprefix("expect_column_values_to_").removeprefix("expect_column_"), config["kwargs"]
        column = kwargs.get("column")
        before = len(names)
        names.append(name)
        if kind == "not_be_null":
            asked = asked.col_vals_not_null(columns=column)
        elif kind == "be_unique":
            asked = asked.rows_distinct(columns_subset=[column])
        elif kind == "be_between":
            asked = asked.col_vals_between(columns=column, left=kwargs["min_value"], right=kwargs["max_value"], na_pass=True)
        elif kind == "be_in_set" and kwargs["value_set"] != [True, False]:
            asked = asked.col_vals_in_set(columns=column, set=kwargs["value_set"])
        elif kind == "match_regex":
            asked = asked.col_vals_regex(columns=column, pattern=kwargs["regex"], na_pass=True)
        elif kind == "match_strftime_format":
            asked = asked.col_vals_regex(columns=column, pattern=r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$", na_pass=True)
        elif kind == "value_lengths_to_equal":
            asked = asked.col_vals_regex(columns=column, pattern=f"^.{{{kwargs['value']}}}$", na_pass=True)
        elif kind == "value_lengths_to_be_between":
            asked = asked.col_vals_regex(columns=column, pattern=f"^.{{{kwargs['min_value']},{kwargs['max_value']}}}$", na_pass=True)
        elif kind == "pair_values_a_to_be_greater_than_b":
            asked = asked.col_vals_ge(columns="seen", value=pb.col("signed"))
        else:
            del names[before]
    done = asked.interrogate()
    return {name: int(done.n_failed(i=place, scalar=True)) for place, name in enumerate(names, 1)}


def with_engine(override: bool) -> Callable[[pd.DataFrame, list[tuple[str, Json]]], Counts]:
    """A Batch of Great Expectations, on its own engine or on ours."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.datasource.fluent.interfaces import Datasource

    import nbml
    from nbml.validation.engines.gx import build

    def run(frame: pd.DataFrame, suite: list[tuple[str, Json]]) -> Counts:
        Datasource.execution_engine_override = nbml.ExecutionEngine if override else None
        try:
            context = gx.get_context(mode="ephemeral")
            context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
            made = [build(config, frame) for _, config in suite]
            for (name, _), expectation in zip(suite, made, strict=True):
                expectation.meta = {"name": name}
            batch = context.data_sources.pandas_default.read_dataframe(frame)
            done = batch.validate(gx.ExpectationSuite(name="s", expectations=made), result_format="BASIC").results
        finally:
            Datasource.execution_engine_override = None
        return {r.expectation_config.meta["name"]: int(r.result["unexpected_count"]) for r in done if "unexpected_count" in r.result}

    return run


#: name -> the package it needs, and how it is made
METHODS: dict[str, tuple[str, Callable[[], Callable[[pd.DataFrame, list[tuple[str, Json]]], Counts]]]] = {
    "Great Expectations": ("great_expectations", lambda: engine("gx")),
    "nbml": ("nbml", lambda: engine("nbml")),
    "nbml.validate": ("nbml", lambda: whole),
    "GX on nbml.ExecutionEngine": ("great_expectations", lambda: with_engine(True)),
    "pandas by hand": ("pandas", lambda: by_hand),
    "pandera": ("pandera", lambda: in_pandera),
    "pointblank": ("pointblank", lambda: in_pointblank),
}
BASE = "Great Expectations"


def installed() -> tuple[list[str], list[str]]:
    there = [name for name, (package, _) in METHODS.items() if importlib.util.find_spec(package)]
    return there, [name for name in METHODS if name not in there]


# -- running ---------------------------------------------------------------------------------------------------


def compared(ready: dict[str, Any], frame: pd.DataFrame, suite: list[tuple[str, Json]]) -> None:
    """Stops where a method counts otherwise than Great Expectations."""
    base = ready[BASE](frame, suite)
    for name, run in ready.items():
        counts = run(frame, suite)
        wrong = {key: (counts[key], base[key]) for key in base if key in counts and counts[key] != base[key]}
        if wrong:
            raise SystemExit(f"{name} counts otherwise (its, Great Expectations'): {wrong}")
        print(f"  {name}: {sum(key in counts for key in base)} of {len(base)} counts told, all equal")


def timed(ready: dict[str, Any], frame: pd.DataFrame, suite: list[tuple[str, Json]], repeat: int) -> dict[str, list[tuple[float, float]]]:
    """Milliseconds on the clock and of the processor, of each method in turn so that what else the machine does hits all alike."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ready}
    for _ in range(repeat):
        for name, run in ready.items():
            gc.collect()
            start, busy = time.perf_counter(), time.process_time()
            run(frame, suite)
            found[name].append(((time.perf_counter() - start) * 1000, (time.process_time() - busy) * 1000))
    return found


def table(found: dict[str, list[tuple[float, float]]]) -> str:
    """Times, and how many times faster than Great Expectations; the processor's time says most on a busy machine."""
    lines = ["| method | median ms | min ms | min CPU ms | x median | x min | x CPU |", "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
    base = _figures(found[BASE])
    for name, spent in found.items():
        own = _figures(spent)
        figures = " | ".join([*(f"{v:,.1f}" for v in own), *(f"{b / v:.1f}" for b, v in zip(base, own, strict=True))])
        lines.append(f"| {name} | {figures} |")
    return "\n".join(lines)


def _figures(spent: list[tuple[float, float]]) -> tuple[float, float, float]:
    clock, busy = [one for one, _ in spent], [one for _, one in spent]
    return statistics.median(clock), min(clock), min(busy)


def memory(rows: int, methods: list[str]) -> None:
    """Peak memory over what the frame and the libraries hold, each method in a process of its own."""
    print("| method | additional peak MB |\n| --- | ---: |")
    for name in methods:
        command = [sys.executable, __file__, "--child", name, "--rows", str(rows)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        told = done.stdout.strip().splitlines()[-1] if done.returncode == 0 else "failed: " + done.stderr[-200:]
        print(f"| {name} | {told} |", flush=True)


def child(name: str, rows: int) -> None:
    """One run in this process; what was used before (imports, a run on few rows) does not count."""
    run, frame, few = METHODS[name][1](), frame_of(rows), frame_of(1000)
    run(few, suite_of(1000))
    gc.collect()
    before = _status("VmRSS")
    with open("/proc/self/clear_refs", "w") as file:  # noqa: PTH123
        file.write("5")
    run(frame, suite_of(rows))
    print(f"{(_status('VmHWM') - before) / 1024:.0f}")


def _status(key: str) -> int:
    with open("/proc/self/status") as file:  # noqa: PTH123
        return next(int(line.split()[1]) for line in file if line.startswith(key))


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--rows", type=int, nargs="*", default=[1_000, 100_000, 1_000_000])
    reader.add_argument("--repeat", type=int, default=5)
    reader.add_argument("--memory", action="store_true")
    reader.add_argument("--dtypes", action="store_true", help="four of the columns are a category, nullable and of Arrow")
    reader.add_argument("--only", nargs="*", help="these methods beside Great Expectations")
    reader.add_argument("--child", help=argparse.SUPPRESS)
    asked = reader.parse_args()
    warnings.simplefilter("ignore")
    os.environ.setdefault("NBML_PROJECT", tempfile.mkdtemp(prefix="nbml-benchmark-"))
    if asked.child:
        child(asked.child, asked.rows[0])
        return
    there, missing = installed()
    versions = f"Python {platform.python_version()}, pandas {pd.__version__}, numpy {np.__version__}"
    print(f"{dt.date.today()}, {os.cpu_count()} cores, {platform.machine()}, {versions}")
    print(f"load of the machine at the start: {os.getloadavg()[0]:.1f}")
    for name in missing:
        print(f"{name}: not installed")
    chosen = [name for name in there if asked.only is None or name in (BASE, *asked.only)]
    if asked.memory:
        memory(max(asked.rows), chosen)
        return
    ready = {name: METHODS[name][1]() for name in chosen}
    for rows in asked.rows:
        frame, suite = frame_of(rows), suite_of(rows)
        if asked.dtypes:
            frame = frame.astype(DTYPES)
        repeat = asked.repeat if rows <= 100_000 else max(1, asked.repeat // 2)
        print(f"\n{rows:,} rows, {frame.memory_usage(deep=True).sum() / 1e6:.0f} MB")
        compared(ready, frame, suite)
        print(f"\n### {rows:,} rows, all 34, {repeat} rounds\n\n{table(timed(ready, frame, suite, repeat))}")
        less = without_dear(suite)
        title = f"{rows:,} rows, the {len(less)} without strftime and datetime ranges, {repeat} rounds"
        print(f"\n### {title}\n\n{table(timed(ready, frame, less, repeat))}")


if __name__ == "__main__":
    main()
