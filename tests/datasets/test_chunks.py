"""Versions share what is the same in them; a byte that is not what was written is noticed; a killed snapshot leaves nothing half."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import nbml
from nbml import errors, store
from nbml.datasets import parquet
from nbml.store import chunks, current

ROWS = 100_000


def deliveries(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    """20 mixed columns: 4 of whole numbers, 6 of floats with NaN, 6 of text, 2 of instants, 2 of flags."""
    draw = np.random.default_rng(seed)
    made: dict[str, object] = {f"i{k}": draw.integers(-(10 ** (3 * k)), 10 ** (3 * k), rows) for k in range(1, 5)}
    for k in range(6):
        made[f"f{k}"] = np.where(draw.random(rows) < 0.02, np.nan, draw.normal(size=rows))
    for k, many in enumerate((3, 50, 300, 5_000, 100_000, 10**9)):
        made[f"s{k}"] = pd.Series(draw.integers(0, many, rows)).astype("str").radd("value-")
    for k in range(2):
        made[f"t{k}"] = np.datetime64("2024-01-01", "us") + np.sort(draw.integers(0, 10**13, rows)).astype("m8[us]")
        made[f"b{k}"] = draw.random(rows) < 0.3
    return pd.DataFrame(made)


def blobs(root: Path) -> list[Path]:
    return sorted(path for path in (root / ".nbml" / "blobs").glob("??/*") if path.is_file())


def test_an_appended_or_edited_version_stores_little_more_than_the_change(project: Path) -> None:
    first = deliveries()
    whole = nbml.snapshot(first, "churn")
    assert whole.thing.body["new"] > whole.thing.body["bytes"] > 5 * 10**6
    versions = {
        "an append of 0.1 %": (pd.concat([first, deliveries(ROWS // 1000, 1)], ignore_index=True), 0.08),
        "an edit of one value": (first.assign(f1=first["f1"].mask(first.index == ROWS // 2, 7.5)), 0.03),
        "rows in the middle": (pd.concat([first[: ROWS // 2], deliveries(100, 2), first[ROWS // 2 :]], ignore_index=True), 0.2),
        "a column more": (first.assign(more=1), 0.02),
    }
    for what, (frame, most) in versions.items():
        version = nbml.snapshot(frame, "churn")
        share = version.thing.body["new"] / version.thing.body["bytes"]
        assert 0 < share < most, (what, share)
        assert re.search(r" kB of \d\.\d+ MB new", repr(version)), repr(version)
        pd.testing.assert_frame_equal(version.load(), frame)
    before = blobs(project)
    again = nbml.snapshot(first.copy(), "people")
    assert (again.thing.body["new"], blobs(project)) == (0, before), "of a content that is there nothing is written"
    pd.testing.assert_frame_equal(again.load(), first)


def test_an_unchanged_frame_costs_the_hash_alone(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = deliveries(100)
    nbml.snapshot(frame, "churn")
    monkeypatch.setattr(parquet, "plan", lambda frame: pytest.fail("nothing is made of it"))
    assert str(nbml.snapshot(frame.copy(), "churn")) == "churn@1"


def test_pages_stay_as_large_as_they_were_while_a_dataset_grows() -> None:
    def page(megabytes: int, before: int = 0) -> int:
        return parquet._page(pd.DataFrame({"x": np.zeros(megabytes * 125_000)}), before)

    assert [page(1), page(20), page(100)] == [1 << 14, 1 << 16, 1 << 18]
    assert page(20, page(1)) == page(1), "else no page would be shared"
    assert page(100, page(1)) == page(100), "no file of thousands of pieces"
    assert page(20, page(100)) == page(100)
    assert page(1, page(100)) == page(1)


@pytest.mark.parametrize("rows", [5, 12_000])
def test_a_byte_that_is_flipped_anywhere_is_noticed(project: Path, rows: int) -> None:
    version = nbml.snapshot(deliveries(rows), "churn")
    files = blobs(project)
    assert (len(files) > 20) == (rows > 5), "in one piece, or in many"
    draw = random.Random(0)
    for path in [*draw.sample(files, min(12, len(files))), current().blob(version.thing.body["blob"])]:
        sound = path.read_bytes()
        content = bytearray(sound)
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        path.write_bytes(bytes(content))
        with pytest.raises(errors.StoreDamaged) as found:
            version.load()
        name = path.parent.name + path.name[:10]
        assert found.value.message == f"churn@1 cannot be read: the file {name} of the store is not what was written"
        path.write_bytes(sound)
    pd.testing.assert_frame_equal(version.load(), deliveries(rows))


def test_a_piece_that_is_lost_is_named_and_comes_back_with_the_frame(project: Path) -> None:
    frame = deliveries(12_000)
    version = nbml.snapshot(frame, "churn")
    for path in blobs(project)[3:6]:
        path.unlink()
    with pytest.raises(errors.StoreDamaged, match=r"^churn@1 cannot be read: the file [0-9a-f]{12} is missing from the store: "):
        version.load()
    assert str(nbml.snapshot(frame, "churn")) == "churn@1"
    pd.testing.assert_frame_equal(nbml.dataset("churn@1").load(), frame)


CHILD = """
import os, signal, sys
import numpy as np, pandas as pd
import nbml
from nbml.store import blobs, chunks
left, stage = int(sys.argv[1]), sys.argv[2]
def dying(function):
    def call(*args, **kwargs):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **kwargs)
    return call
frame = pd.DataFrame({f"f{k}": np.random.default_rng(k).normal(size=8000) for k in range(8)})
if stage == "piece":
    blobs.os.fsync = dying(os.fsync)
elif stage == "list":
    chunks.json.dumps = dying(chunks.json.dumps)
else:
    from nbml.store import Store
    Store.add = dying(Store.add)
nbml.snapshot(frame, "churn")
"""


@pytest.mark.parametrize(("after", "stage"), [(0, "piece"), (9, "piece"), (0, "list"), (0, "row")])
def test_a_killed_snapshot_leaves_no_version_without_its_pieces(project: Path, after: int, stage: str) -> None:
    nbml.snapshot(pd.DataFrame({"a": [1]}), "churn")
    store.use(None)
    done = subprocess.run([sys.executable, "-c", CHILD, str(after), stage], cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == -9, done.stderr
    assert [thing.ref for thing in current().all("dataset")] == ["churn@1"]
    assert not list((project / ".nbml" / "blobs").glob(".part-*")), "the file that is cut has no name"
    frame = pd.DataFrame({f"f{k}": np.random.default_rng(k).normal(size=8000) for k in range(8)})
    version = nbml.snapshot(frame, "churn")
    assert str(version) == "churn@2"
    pd.testing.assert_frame_equal(version.load(), frame)


def test_a_list_of_pieces_is_told_from_a_file_that_looks_like_one(project: Path) -> None:
    with pytest.raises(errors.StoreDamaged, match="a list of pieces in the store is not what was written"):
        chunks.listed(chunks.MARK + b"{}")
    assert chunks.listed(b"PAR1") is None
    with pytest.raises(errors.StoreDamaged, match="a dataset's file is not what was written: "):
        parquet.decode(b"PAR1 and no more")
