"""A project with many runs, written as an import writes them: names, states, tags, days, curves, findings, and hostile ones."""

from __future__ import annotations

import math
import random
import sys
from array import array
from pathlib import Path
from typing import Any

from nbml.store import Store, bulk

NAMES = ("baseline", "boosting", "forest", "svm", "ridge", "calibrated", "stacked", "smoke")
TAGS = ("first", "wide", "night", "paper")
FOUND = (("overfit", "look"), ("split-overlap", "bad"), ("target-leak", "bad"), ("below-baseline", "look"))
HOSTILE = '<img src=x onerror="window.pwned=1">'
#: the day of the newest run, epoch seconds; runs come every ``APART`` seconds
NEWEST, APART = 1_780_000_000.0, 700.0
#: points of the curve of every second run
STEPS = 24


def run(number: int, count: int) -> bulk.Whole:
    """The run of that number; 0 is the oldest."""
    rng = random.Random(number)
    started = NEWEST - (count - number) * APART
    state = "finished" if rng.random() < 0.9 else rng.choice(("failed", "interrupted"))
    auc = 0.7 + 0.25 * rng.random()
    last = {"auc": auc, "accuracy": auc - 0.05, "f1": auc - 0.1, "seconds": rng.random() * 9}
    series: dict[str, Any] = {name: _points([value], started) for name, value in last.items()}
    if number % 2 == 0:
        series["valid/loss"] = _points([0.2 + math.exp(-step / 6) * (1 + 0.1 * rng.random()) for step in range(STEPS)], started)
    params = {"C": round(rng.random() * 10, 3), "max_iter": rng.choice((100, 200, 400)), "penalty": rng.choice(("l1", "l2"))}
    body: dict[str, Any] = {"changed": ["C"], "note": "", "error": "", "cell": {"source": f"model = fit(C={params['C']})\n"}}
    if number % 7 == 3:
        code, _ = FOUND[number % len(FOUND)]
        body["findings"] = [{"code": code, "message": f"{code}: run {number}", "evidence": {"share": 0.25}, "advice": "look at the split"}]
    tags = (TAGS[number % len(TAGS)],) if number % 3 else ()
    name = NAMES[number * 7 % len(NAMES)]
    return bulk.Whole(f"{number:010x}", name, state, started, started + 1 + last["seconds"], params, tags, body, series)


def hostile(count: int) -> list[bulk.Whole]:
    """The newest ones: no metrics, NaN alone, 500 metrics, names of 10,000 characters, HTML in every text."""
    nan, started = float("nan"), NEWEST
    odd: list[tuple[dict[str, float], dict[str, Any], str]] = [
        ({}, {}, ""),
        ({"auc": nan}, {"C": nan}, "not a number"),
        ({f"metric_{i:03d}": i / 500 for i in range(500)}, {f"param_{i:03d}": i for i in range(500)}, "500 of each"),
        ({"m" * 10_000: 0.5}, {"p" * 10_000: "v" * 10_000}, "n" * 10_000),
        ({HOSTILE: 0.5}, {HOSTILE: HOSTILE}, HOSTILE),
    ]
    found = []
    for place, (metrics, params, note) in enumerate(odd):
        series: dict[str, Any] = {name: _points([value], started) for name, value in metrics.items()}
        body: dict[str, Any] = {"changed": list(params), "note": note, "error": HOSTILE if note == HOSTILE else ""}
        hit = {"code": "overfit", "message": HOSTILE, "evidence": {HOSTILE: 1}, "advice": HOSTILE}
        body |= {"findings": [hit]} if note == HOSTILE else {}
        uid = f"f{count + place:09x}"
        tags = (HOSTILE,) if note == HOSTILE else ()
        found.append(bulk.Whole(uid, "odd", "finished", started + place, started + place + 1, params, tags, body, series))
    return found


def build(folder: Path, count: int = 10_000, *, odd: bool = False) -> None:
    """Fill the project in ``folder``."""
    store = Store(folder)
    try:
        bulk.add(store, [run(number, count) for number in range(count)] + (hostile(count) if odd else []))
    finally:
        store.close()


def _points(values: list[float], began: float) -> bulk.Columns:
    steps = array("q", range(len(values)))
    return steps, array("d", [began + step for step in steps]), array("d", values)


if __name__ == "__main__":
    build(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 10_000, odd="odd" in sys.argv)
