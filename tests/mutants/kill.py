"""Apply each mutant of tests/mutants/*.toml and expect its test to fail.

A mutant is a one-line change that breaks a promise::

    [[mutant]]
    name = "log-outside-run"
    promise = "nbml.log outside a run is an error"
    file = "src/nbml/tracking/logging.py"
    find = "        raise errors.NotInRun(message)"
    replace = "        return"
    test = "tests/tracking/test_log.py::test_outside_a_run"

Each runs in a copy of the project, two at a time, so the checkout is never touched. ``kill.py NAME...`` runs some of them;
``kill.py --list`` checks that every line to be changed is there, exactly once.
"""

from __future__ import annotations

import os
import queue
import shutil
import subprocess
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOGETHER = 2


def mutants() -> list[dict[str, str]]:
    """All mutants, in the order of their files."""
    found = []
    for path in sorted((ROOT / "tests" / "mutants").glob("*.toml")):
        for mutant in tomllib.loads(path.read_text(encoding="utf-8")).get("mutant", []):
            found.append({"room": path.stem, **mutant})
    return found


def fault(mutant: dict[str, str]) -> str:
    """Why a mutant cannot be applied, or ""."""
    path = ROOT / mutant["file"]
    if not path.is_file():
        return f"no file {mutant['file']}"
    count = path.read_text(encoding="utf-8").count(mutant["find"])
    if count != 1:
        return f"{mutant['find']!r} stands {count} times in {mutant['file']}"
    if not (ROOT / mutant["test"].partition("::")[0]).is_file():
        return f"no test {mutant['test']}"
    return "" if mutant["find"] != mutant["replace"] else "changes nothing"


def survives(mutant: dict[str, str], copy: Path) -> bool:
    """Whether the mutant's test passes all the same, in a copy of the project."""
    path = copy / mutant["file"]
    sound = path.read_text(encoding="utf-8")
    path.write_text(sound.replace(mutant["find"], mutant["replace"]), encoding="utf-8")
    try:
        env = {**os.environ, "PYTHONPATH": str(copy / "src"), "PYTHONDONTWRITEBYTECODE": "1", "NBML_MUTANT": mutant["name"]}
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--no-header", mutant["test"]]
        done = subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode not in (0, 1):
            print(done.stdout[-2000:], done.stderr[-2000:])
            raise SystemExit(f"{mutant['name']}: pytest ended with {done.returncode}, neither passed nor failed")
        return done.returncode == 0
    finally:
        path.write_text(sound, encoding="utf-8")


def main(arguments: list[str]) -> int:
    chosen = [m for m in mutants() if not arguments or arguments == ["--list"] or m["name"] in arguments]
    faults = [f"{m['room']}/{m['name']}: {fault(m)}" for m in chosen if fault(m)]
    if faults or arguments == ["--list"]:
        print("\n".join(faults) or f"{len(chosen)} mutants can be applied")
        return bool(faults)
    with tempfile.TemporaryDirectory(prefix="nbml-mutants-") as folder:
        copies = queue.SimpleQueue[Path]()
        for number in range(TOGETHER):
            copy = Path(folder) / str(number) / "project"
            shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", ".venv", "node_modules", ".demo", "artifacts"))
            copies.put(copy)

        def judged(mutant: dict[str, str]) -> bool:
            copy = copies.get()
            try:
                lives = survives(mutant, copy)
            finally:
                copies.put(copy)
            print(f"{'SURVIVED' if lives else 'killed':8}  {mutant['room']}/{mutant['name']}: {mutant['promise']}", flush=True)
            return lives

        with ThreadPoolExecutor(TOGETHER) as pool:
            alive = [mutant["name"] for mutant, lives in zip(chosen, pool.map(judged, chosen), strict=True) if lives]
    print(f"{len(chosen) - len(alive)} of {len(chosen)} mutants killed")
    return bool(alive)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
