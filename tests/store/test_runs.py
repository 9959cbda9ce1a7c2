"""Points of runs: what is added is read back, in chunks that stay few."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from array import array
from pathlib import Path

import pytest

from nbml.store import Store, Thing, runs


@pytest.fixture
def store(tmp_path: Path):
    opened = Store(tmp_path)
    yield opened
    opened.close()


def begin(store: Store, name: str = "r", uid: str = "abcd") -> Thing:
    thing, me = store.add("run", name), store.me().id
    store.write(lambda db: runs.start(db, thing, uid, me, ["a", "b"]))
    return thing


def same(one, other) -> bool:
    return len(one) == len(other) and all(a == b or (a != a and b != b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("flushes", [1, 3, runs.SMALL - 1, runs.SMALL, runs.SMALL + 1, 3 * runs.SMALL])
@pytest.mark.parametrize("size", [1, 7, 200])
def test_points_come_back_as_they_were_put(store: Store, flushes: int, size: int) -> None:
    run, writer, expected = begin(store), None, []
    writer = runs.Points(run.id)
    for flush in range(flushes):
        batch = [(float(flush), None, {"loss": float(flush * size + i)}) for i in range(size)]
        expected += [values["loss"] for _, _, values in batch]
        store.write(lambda db, batch=batch: writer.write(db, batch))
    steps, times, values = runs.points(store, run.id, "loss")
    assert list(values) == expected
    assert list(steps) == list(range(len(expected)))
    assert list(times) == [float(i // size) for i in range(len(expected))]
    assert runs.names(store, run.id) == {"loss": len(expected)}
    chunks = store.read("SELECT n FROM chunk ORDER BY seq")
    assert len(chunks) <= runs.SMALL + len(expected) // runs.FULL
    store.write(lambda db: writer.write(db, [], final=True))
    assert list(runs.points(store, run.id, "loss")[2]) == expected
    assert len(store.read("SELECT 1 FROM chunk")) <= 1 + len(expected) // runs.FULL


def test_nan_and_infinity_are_kept_and_do_not_count_as_least_or_most(store: Store) -> None:
    run = begin(store)
    values = [math.nan, math.inf, -math.inf, 2.0, -3.0, math.nan]
    store.write(lambda db: runs.Points(run.id).write(db, [(1.0, None, {"x": v}) for v in values]))
    assert same(list(runs.points(store, run.id, "x")[2]), values)
    assert tuple(store.read("SELECT min, max FROM metric")[0]) == (-3.0, 2.0)
    assert tuple(store.read("SELECT lo, hi FROM chunk")[0]) == (-3.0, 2.0)
    assert math.isnan(runs.rows(store)[0].metrics["x"])
    text = store.read("SELECT last FROM run")[0]["last"]
    assert text == '{"x": "NaN"}'
    assert runs.read_numbers(runs.write_numbers({"a": math.inf, "b": -math.inf, "c": 1.5})) == {"a": math.inf, "b": -math.inf, "c": 1.5}


def test_a_writer_that_begins_anew_goes_on_where_the_last_one_was(store: Store) -> None:
    """As a resumed run does, and one whose transaction failed."""
    run = begin(store)
    for start in (0, 5, 5000):
        batch = [(0.0, None, {"x": float(start + i)}) for i in range(5 if start < 5000 else 5000)]
        store.write(lambda db, batch=batch: runs.Points(run.id).write(db, batch))
    steps, _, values = runs.points(store, run.id, "x")
    assert list(steps) == list(range(5010))
    assert list(values) == [*map(float, range(10)), *map(float, range(5000, 10000))]
    assert tuple(store.read("SELECT n, last, last_step, min, max FROM metric")[0]) == (5010, 9999.0, 5009, 0.0, 9999.0)


def test_steps_are_as_given_and_each_metric_counts_its_own(store: Store) -> None:
    run, last = begin(store), 2**63 - 1
    given = [(0.0, 5, {"a": 1.0}), (0.0, None, {"a": 2.0, "b": 3.0}), (0.0, 2, {"a": 4.0}), (0.0, last, {"b": 5.0})]
    store.write(lambda db: runs.Points(run.id).write(db, given))
    assert list(runs.points(store, run.id, "a")[0]) == [5, 6, 2]
    assert list(runs.points(store, run.id, "b")[0]) == [0, last]
    assert runs.points(store, run.id, "none") == (array("q"), array("d"), array("d"))


def test_a_run_says_how_it_ended(store: Store) -> None:
    first, second = begin(store), begin(store, uid="abce")
    store.write(lambda db: runs.finish(db, first.id, "failed", {"C": 0.5, "ü": "ä"}))
    newest, older = runs.rows(store)
    assert (newest.uid, newest.state, newest.ended, newest.version) == ("abce", "running", None, 2)
    assert (older.uid, older.state, older.params, older.tags) == ("abcd", "failed", {"C": 0.5, "ü": "ä"}, ("a", "b"))
    assert older.ended is not None
    assert runs.by_uid(store, "abc") == [second.id, first.id]
    assert runs.by_uid(store, "abcd") == [first.id]
    assert runs.by_uid(store, "b") == []


def test_a_run_whose_process_is_gone_is_interrupted(store: Store) -> None:
    code = (
        "import sys, os; from pathlib import Path; from nbml.store import Store, runs\n"
        "s = Store(Path(sys.argv[1])); t = s.add('run', 'r'); me = s.me().id\n"
        "s.write(lambda db: runs.start(db, t, 'ffff', me, [])); print(runs.rows(s)[0].state, flush=True); os._exit(9)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(store.root)], capture_output=True, text=True, env={**os.environ}, check=False)
    assert done.stdout.strip() == "running"
    assert runs.rows(store)[0].state == "interrupted"


@pytest.mark.parametrize("count", [0, 1, 2, 39, 40, 41, 79, 1000])
def test_a_curve_keeps_both_ends(count: int) -> None:
    values = [float(i) for i in range(count)]
    found = runs.curve(values)
    assert len(found) == min(count, 40)
    if count:
        assert (found[0], found[-1]) == (values[0], values[-1])
    assert found == sorted(found)
    assert runs.curve([1.0, math.nan, math.inf]) == [1.0, None, None]
