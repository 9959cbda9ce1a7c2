"""Hits and false alarms of the warnings of a new version, on generated histories.

    python benchmarks/silent_loss.py 400-499       # the seeds that judge; others were looked at

Of each seed three histories of 40 versions are made, of kinds that go round. Every version from the second on is compared with
those before it: what is told of these is a false alarm. Then, at a few lengths of history, one version is spoiled by each fault
and strength, and it is seen whether the fault's code is told. All is judged a second time without the column of ids, whose holes
tell of rows that are gone.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from datasets.histories import FAULTS, KINDS, history, spoil
from nbml.datasets import history as judged
from nbml.datasets.history_facts import facts

LENGTH = 40
#: how many earlier versions there are when one is spoiled
PLACES = (2, 4, 8, 15, 25, 38)


#: the column that a fault is seen in, and whose facts are taken again
COLUMN = {"rows": (), "nulls": ("age",), "category": ("plan",), "unit": ("income",), "sentinel": ("age",), "stale": ("ordered",)}


def material(kind: str, seed: int) -> tuple[list, list[float], dict]:
    """The facts of a history's versions, when they were made, and the facts of the spoiled ones."""
    made = history(kind, seed, LENGTH)
    known, spoiled = [facts(frame) for frame, _ in made], {}
    for at in PLACES:
        for fault, (_, strengths) in FAULTS.items():
            if fault == "stale" and (at < 3 or kind == "accumulating"):
                continue
            for strength in strengths:
                frame = spoil(made[at][0], fault, strength, seed, made[at - 1][0])
                again = facts(frame[list(COLUMN[fault])])
                spoiled[at, fault, strength] = {"rows": again["rows"], "columns": known[at]["columns"] | again["columns"]}
    return known, [time for _, time in made], spoiled


def without_ids(facts: dict) -> dict:
    """The facts of the same version where no column counts the rows."""
    return {**facts, "columns": {column: own for column, own in facts["columns"].items() if column != "id"}}


def bare(kind: str, known: list, times: list[float], spoiled: dict) -> tuple[Counter, Counter]:
    """False alarms, and hits of lost rows, of a history without ids."""
    alarms, hits, known = Counter(), Counter(), [without_ids(one) for one in known]
    for at in range(1, LENGTH):
        alarms[kind, "without ids"] += bool(judged.compare(known[at], known[:at], times[:at], times[at]))
    for (at, fault, strength), now in spoiled.items():
        if fault == "rows":
            hit = any(w.code == "rows-lost" for w in judged.compare(without_ids(now), known[:at], times[:at], times[at]))
            for place in (kind, f"{at} versions", "all"):
                hits["rows without ids", strength, place] += hit
                hits["rows without ids", strength, place, "of"] += 1
    return alarms, hits


def judge(kind: str, seed: int, known: list, times: list[float], spoiled: dict) -> tuple[Counter, Counter, Counter, list]:
    """False alarms, versions, hits, and what was told, of one history."""
    alarms, versions, hits, told = Counter(), Counter(), Counter(), []
    for at in range(1, LENGTH):
        found = judged.compare(known[at], known[:at], times[:at], times[at])
        versions[kind] += 1
        alarms[kind] += bool(found)
        for code in {warning.code for warning in found}:
            alarms[kind, code] += 1
        told += [(kind, seed, at, warning.code, warning.message) for warning in found]
    for (at, fault, strength), now in spoiled.items():
        hit = any(w.code == FAULTS[fault][0] for w in judged.compare(now, known[:at], times[:at], times[at]))
        for place in (kind, f"{at} versions", "all"):
            hits[fault, strength, place] += hit
            hits[fault, strength, place, "of"] += 1
    bare_alarms, bare_hits = bare(kind, known, times, spoiled)
    return alarms + bare_alarms, versions, hits + bare_hits, told


def kinds(seed: int) -> list[str]:
    """The kinds of history of a seed."""
    return [KINDS[(seed + step) % len(KINDS)] for step in (0, 2, 4)]


def one(seed: int) -> tuple[Counter, Counter, Counter, list]:
    """All histories of a seed."""
    alarms, versions, hits, told = Counter(), Counter(), Counter(), []
    for kind in kinds(seed):
        a, v, h, t = judge(kind, seed, *material(kind, seed))
        alarms, versions, hits, told = alarms + a, versions + v, hits + h, told + t
    return alarms, versions, hits, told


def main(arguments: list[str]) -> None:
    first, _, last = (arguments[0] if arguments else "0-9").partition("-")
    alarms, versions, hits, told = Counter(), Counter(), Counter(), []
    with ProcessPoolExecutor(2) as pool:
        for a, v, h, t in pool.map(one, range(int(first), int(last or first) + 1)):
            alarms, versions, hits, told = alarms + a, versions + v, hits + h, told + t
    if "-v" in arguments:
        print(*told, sep="\n")
    show(first, last or first, alarms, versions, hits)


def show(first: str, last: str, alarms: Counter, versions: Counter, hits: Counter) -> None:
    """The tables."""
    print(f"seeds {first} to {last}\n")
    print("| history | versions | false alarms in 100 versions | without ids | codes |\n| --- | --- | --- | --- | --- |")
    total = sum(alarms[kind] for kind in KINDS) / sum(versions.values())
    for kind in (kind for kind in KINDS if versions[kind]):
        told = {key[1]: n for key, n in sorted(alarms.items(), key=str) if isinstance(key, tuple) and key[0] == kind}
        plain = 100 * told.pop("without ids", 0) / versions[kind]
        codes = ", ".join(f"{code} {n}" for code, n in told.items())
        print(f"| {kind} | {versions[kind]} | {100 * alarms[kind] / versions[kind]:.2f} | {plain:.2f} | {codes} |")
    plain = sum(alarms[kind, "without ids"] for kind in KINDS) / sum(versions.values())
    print(f"| all | {sum(versions.values())} | {100 * total:.2f} | {100 * plain:.2f} | |\n")
    where = ["all", *KINDS, *(f"{at} versions" for at in PLACES)]
    print("| fault | strength | " + " | ".join(where) + " |\n| --- | --- |" + " --- |" * len(where))
    lines: dict[str, list[str]] = defaultdict(list)
    strengths_of = {fault: strengths for fault, (_, strengths) in FAULTS.items()}
    for fault, strengths in {"rows": strengths_of["rows"], "rows without ids": strengths_of["rows"], **strengths_of}.items():
        for strength in strengths:
            cells = []
            for place in where:
                of = hits[(fault, strength, place, "of")]
                cells.append(f"{100 * hits[fault, strength, place] / of:.0f}" if of else "-")
            lines[fault].append(f"| {fault} | {strength:g} | " + " | ".join(cells) + " |")
    print("\n".join(line for rows in lines.values() for line in rows))


if __name__ == "__main__":
    main(sys.argv[1:])
