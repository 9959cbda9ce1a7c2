"""Hits and false alarms of judgement, on fits that are made by seed.

    python benchmarks/judgement.py 100-199       # the seeds that judge; 0 to 49 were looked at

Of each seed one sound fit and one of each fault and strength is made; which codes ``nbml.judge`` tells of it is counted.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "tracking" / "judging"))

import corpora

STRENGTHS = (1.0,)


def one(seed: int) -> list[tuple[int, str, float, str, list[str], list[str], float]]:
    """(seed, fault or "", strength, what, codes, messages, seconds) of each fit of a seed."""
    import nbml

    warnings.simplefilter("ignore")
    found = []
    asked = [("", 1.0), *((fault, strength) for fault in corpora.FAULTS for strength in STRENGTHS)]
    for fault, strength in asked:
        fit = corpora.faulty(fault, seed, strength) if fault else corpora.sound(seed)
        start = time.perf_counter()
        findings = nbml.judge(fit.model, fit.X_train, fit.y_train, fit.X_test, fit.y_test)
        took = time.perf_counter() - start
        found.append((seed, fault, strength, fit.what, [f.code for f in findings], [str(f) for f in findings], took))
    return found


def main(seeds: str, verbose: bool) -> None:
    first, _, last = seeds.partition("-")
    all_of_them = range(int(first), int(last or first) + 1)
    with ProcessPoolExecutor(1 if verbose else 2) as pool:
        rows = [row for rows in pool.map(one, all_of_them) for row in rows]
    hits: dict[tuple[str, float], list[bool]] = defaultdict(list)
    alarms, seconds = [], sorted(row[-1] for row in rows)
    for seed, fault, strength, what, codes, messages, _ in rows:
        wanted = corpora.CODES.get(fault, fault)
        if fault:
            hits[fault, strength].append(wanted in codes)
        elif codes:
            alarms.append(f"seed {seed} ({what}): {'; '.join(messages)}")
        if verbose and fault and strength == 1.0 and wanted not in codes:
            print(f"missed: seed {seed} {what}: {messages}")
    print(f"| fault | {' | '.join(f'hits at {s:g}' for s in STRENGTHS)} | of |\n| --- | {'---: | ' * (len(STRENGTHS) + 1)}")
    for fault in corpora.FAULTS:
        print(f"| {fault} | {' | '.join(str(sum(hits[fault, s])) for s in STRENGTHS)} | {len(hits[fault, 1.0])} |")
    print(f"\nFalse alarms: {len(alarms)} in {len(all_of_them)} sound fits.")
    print(f"Seconds: median {seconds[len(seconds) // 2]:.2f}, most {seconds[-1]:.2f}.\n")
    print("\n".join(f"- {alarm}" for alarm in alarms))


if __name__ == "__main__":
    main(sys.argv[1], "-v" in sys.argv)
