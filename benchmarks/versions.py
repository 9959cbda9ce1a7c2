"""Versions of data against pandas: content hash, snapshot, load, and what an appended or edited version stores.

    python benchmarks/versions.py [ROWS]

20 mixed columns (4 int, 6 float, 6 str, 2 datetime[us], 2 bool). Best of several runs in one process, peers interleaved;
ratios only. What comes back is compared with what was kept before anything is timed.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

import nbml
from nbml import frames, store
from nbml.datasets import parquet


def make(rows: int, seed: int = 0) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    made: dict[str, object] = {"id": np.arange(rows)}
    made |= {f"i{k}": draw.integers(-(10 ** (3 * k)), 10 ** (3 * k), rows) for k in range(1, 4)}
    made |= {f"f{k}": np.where(draw.random(rows) < 0.02, np.nan, draw.normal(size=rows)) for k in range(6)}
    for k, many in enumerate((3, 50, 300, 5_000, 100_000, 10**9)):
        made[f"s{k}"] = pd.Series(draw.integers(0, many, rows)).astype("str").radd("value-")
    made |= {f"t{k}": np.datetime64("2024-01-01", "us") + draw.integers(0, 10**13, rows).astype("m8[us]") for k in range(2)}
    return pd.DataFrame(made | {f"b{k}": draw.random(rows) < 0.3 for k in range(2)})


def best(ours: Callable[[], object], peer: Callable[[], object], times: int = 3) -> tuple[float, float]:
    """Least seconds of each, interleaved."""
    found: list[tuple[float, float]] = []
    for _ in range(times):
        pair = []
        for work in (ours, peer):
            begun = time.perf_counter()
            work()
            pair.append(time.perf_counter() - begun)
        found.append((pair[0], pair[1]))
    return min(a for a, _ in found), min(b for _, b in found)


def peak(work: Callable[[], object]) -> float:
    """Most memory that ``work`` takes beside what was taken before, MB (Linux)."""
    status = Path("/proc/self/status")
    Path("/proc/self/clear_refs").write_text("5")
    before = next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    work()
    most = next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return (most - before) / 1e3


def main(rows: int) -> None:
    frame = make(rows)
    root = Path(tempfile.mkdtemp(prefix="nbml-versions-"))
    store.use(root)
    number = iter(range(10**6))

    def fresh() -> None:
        """A snapshot into an empty store."""
        store.use(root / str(next(number)))
        nbml.snapshot(frame, "versions")

    fresh()
    grown = peak(fresh)
    pd.testing.assert_frame_equal(nbml.dataset("versions").load(), frame)
    path = root / "plain.parquet"
    frame.to_parquet(path, compression="zstd")
    size = frame.memory_usage().sum() / 1e6
    print(f"{rows:,} rows x {frame.shape[1]}; a first snapshot takes {grown:,.0f} MB at most, the frame {size:,.0f}")
    lines = {
        "content hash : pandas.util.hash_pandas_object": best(lambda: frames.fingerprint(frame), lambda: pd.util.hash_pandas_object(frame)),
        "first snapshot : to_parquet(zstd)": best(fresh, lambda: frame.to_parquet(path, compression="zstd")),
        "unchanged snapshot : content hash": best(lambda: nbml.snapshot(frame, "versions"), lambda: frames.fingerprint(frame)),
        "load : read_parquet": best(lambda: nbml.dataset("versions").load(), lambda: pd.read_parquet(path)),
    }
    for what, (ours, peer) in lines.items():
        print(f"{what:48} {ours / peer:6.2f}  ({ours:.2f} s : {peer:.2f} s)")
    shared(frame, rows, path.stat().st_size)


def shared(frame: pd.DataFrame, rows: int, plain: int) -> None:
    kept = parquet.keep(store.current(), frame)
    print(f"{'size : to_parquet(zstd)':48} {kept.size / plain:6.2f}")
    half = rows // 2
    changed = {
        "append of 0.1 %": pd.concat([frame, make(max(1, rows // 1000), 1)], ignore_index=True),
        "append of 1 %": pd.concat([frame, make(rows // 100, 2)], ignore_index=True),
        "one value edited": frame.assign(f1=frame["f1"].mask(frame.index == half, 7.5)),
        "100 rows in the middle": pd.concat([frame[:half], make(100, 3), frame[half:]], ignore_index=True),
        "100 rows dropped": pd.concat([frame[:half], frame[half + 100 :]], ignore_index=True),
        "a column more": frame.assign(more=1.5),
    }
    for what, version in changed.items():
        then = parquet.keep(store.current(), version, page=kept.page)
        print(f"{'stored of ' + what:48} {then.new / then.size:7.2%}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
