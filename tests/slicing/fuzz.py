"""Random small notebooks with edits, re-runs and deletions: every recipe is checked by running it. ``python fuzz.py [N] [SEED]``.

It runs for itself too: ``python tests/slicing/fuzz.py 300 5000`` prints how many recipes gave equal values, how many of their
statements could have been left out, and how many verdicts were right (the page from top to bottom run for real).
"""

# ruff: noqa: E501 - whole cells, a line each

from __future__ import annotations

import collections
import contextlib
import io
import json
import os
import random
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

from nbml.slicing import recipes, recorder
from nbml.slicing.digests import look

MAKE = (
    "l{i} = [{a}, {b}]", "d{i} = {{'p': {a}, 'q': [{b}]}}", "f{i} = pd.DataFrame({{'x': [{a}, {b}, 3], 'y': [1, 2, {a}]}})",
    "v{i} = np.arange({a} + 3.0)", "k{i} = {a}", "g{i} = np.random.default_rng({a})", "def h{i}(t, m={a}):\n    return t * m + k0",
    "k{i} = {a} if k0 > {b} else {b}", "if k0 > {b}:\n    k{i} = len(l0)\nelse:\n    k{i} = len(l1)", "np.random.seed({a})",
    "def h{i}(t, m={a}):\n    return t * m + d0['p']", "class C{i}:\n    r = {a}\n    def f(self, t):\n        return t * self.r + k1",
)  # fmt: skip
USE = (
    "l{i} = l{j}", "l{i} = list(l{j})", "l{j}.append({a})", "l{j}[0] = k0 * {a}", "d{j}['p'] = {a}", "d{j}['q'].append({a})", "d{j}['r'] = l{i}",
    "f{j}['z'] = f{j}['x'] * {a}", "f{j}['x'] = f{j}['x'] + {a}", "f{j}.loc[f{j}.y > 1, 'x'] = {a}", "f{i} = f{j}.copy()",
    "f{j}.sort_values('y', ascending=False, inplace=True)", "v{i} = v{j}[1:]", "v{j}[:2] = {a}", "v{j} *= {a}", "v{i} = v{j} + {a}",
    "k{i} = len(l{j}) + {a}", "k{i} = int(f{j}['x'].sum())", "k{i} = float(v{j}.sum())", "print(k{j} * {a})", "print(l{j}, d{i})",
    "print(f{j}['x'].tolist())", "print(f{j}.shape, v{i}.sum())", "k{i} = h{j}({a})", "print(h{j}(k{i}))", "k{i} = int(g{j}.integers(100))",
    "for q{i} in range(3):\n    l{j}.append(q{i} * {a})", "k{j} += {a}", "d{j}.update(s={a}, p=k{i})", "d{i} = {{'p': l{j}, 'q': [1]}}",
    "w{i} = f{j}.assign(n=lambda t: t.x * k0)", "try:\n    k{i} = d{j}['r'][0]\nexcept KeyError:\n    k{i} = {a}", "k{i} = int(np.random.randint(100))",
    "C{j}.r = {a}", "k{i} = C{j}().f({a})", "%time k{i} = h{j}({b})", "k{i} = sum(t * {a} for t in l{j})", "_ = l{j}.pop() if len(l{j}) > 2 else None",
    "k{i} = {{**d{j}}}['p']", "x{i}, *l{i} = [k0, {a}, {b}]", "h{i} = lambda t: t + k{j}", "del l{i}[0:1]", "f{j} = f{j}[f{j}['x'] > {a}]",
)  # fmt: skip
FIRST = {
    "c0": "import numpy as np, pandas as pd\nk0, k1 = 2, 5\nnp.random.seed(3)",
    "c1": "l0, l1 = [1], [2]\nd0, d1 = {'p': 1, 'q': [2]}, {'p': 3, 'q': [4]}",
    "c2": "f0 = pd.DataFrame({'x': [1, 2, 3], 'y': [1, 2, 4]})\nf1 = f0.copy()\nv0, v1 = np.arange(4.0), np.arange(5.0)",
    "c3": "g0, g1 = np.random.default_rng(1), np.random.default_rng(2)\ndef h0(t, m=2):\n    return t * m + k0\ndef h1(t, m=4):\n    return t + m\n"
    "class C0:\n    r = 3\n    def f(self, t):\n        return t + self.r\nclass C1(C0):\n    r = 4",
}


def cells(r: random.Random) -> dict[str, str]:
    """A notebook: cell id -> source."""
    found = dict(FIRST)
    for number in range(4, 9):
        lines = [r.choice(MAKE if r.random() < 0.35 else USE) for _ in range(r.choice((1, 1, 2)))]
        found[f"c{number}"] = "\n".join(_filled(line, r) for line in lines)
    return found


def _filled(line: str, r: random.Random) -> str:
    return line.format(i=r.randrange(2), j=r.randrange(2), a=r.randrange(2, 9), b=r.randrange(2, 9))


def history(seed: int) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """(what is executed, as (id, source); the page at the end)."""
    r = random.Random(seed)
    page = cells(r)
    ran = list(page.items())
    for _ in range(r.choice((0, 1, 1, 2))):
        cell, act = r.choice(list(page)[1:]), r.random()
        if act < 0.55:
            digits = [k for k, x in enumerate(page[cell]) if x.isdigit() and page[cell][k - 1] in " (["]
            if digits:
                at = r.choice(digits)
                page[cell] = page[cell][:at] + str(r.randrange(2, 9)) + page[cell][at + 1 :]
            if r.random() < 0.7:
                ran.append((cell, page[cell]))
        elif act < 0.8:
            ran.append((cell, page[cell]))
        elif len(page) > 5:
            del page[cell]
    return ran, page


def values(namespace: dict[str, Any]) -> dict[str, dict[str, bytes]]:
    """What each name holds, in digests."""
    left_out = ("np", "pd", "In", "Out", "exit", "quit", "open", "get_ipython")
    return {name: look(value, namespace).parts for name, value in list(namespace.items()) if not name.startswith("_") and name not in left_out}


def run_plain(source: str) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(source, "recipe", "exec"), namespace)
    return namespace


def plain(sources: list[str]) -> dict[str, dict[str, bytes]] | None:
    """What a page gives when it is run for real; None where it fails."""
    try:
        return values(run_plain("\n".join(sources).replace("%time ", "")))
    except Exception:
        return None


def one(seed: int, shell: Any, tally: collections.Counter[str], faults: list[str]) -> None:
    """Play one notebook in the shell and check the recipe of every name."""
    ran, page = history(seed)
    if plain([source for _, source in ran]) is None:
        return
    recorder.detach()
    shell.reset(new_session=True)
    recorder.attach(shell)
    with contextlib.redirect_stdout(io.StringIO()):
        for cell, source in ran:
            shell.run_cell(source, store_history=True, cell_id=cell).raise_error()
    path = Path(os.environ["JPY_SESSION_NAME"])
    path.write_text(json.dumps({"cells": [{"cell_type": "code", "id": c, "source": s} for c, s in page.items()]}), encoding="utf-8")
    want, truth = values(shell.user_ns), plain(list(page.values()))
    for name in want:
        check(seed, name, want, truth, tally, faults)


def check(
    seed: int, name: str, want: dict[str, dict[str, bytes]], truth: dict[str, dict[str, bytes]] | None, tally: collections.Counter[str],
    faults: list[str],
) -> None:
    got = recipes.recipe(name)
    tally["recipes"] += 1
    try:
        namespace = run_plain(got.source)
        equal = look(namespace[name], namespace).parts == want[name]
        said = ""
    except Exception as error:
        equal, said = False, repr(error)
    tally["equal"] += equal
    if not equal:
        faults.append(f"seed {seed}, {name} {said}\n{got.source}")
    if truth is not None and not name.startswith(("h", "C")):  # a function is compared with what it reads, digests of its code are not
        right = "reproducible" if truth.get(name) == want[name] else "hidden-state"
        tally["verdicts"] += 1
        tally["verdicts right"] += got.verdict == right
        tally["page differs, not said"] += got.verdict == "reproducible" and right == "hidden-state"
        if got.verdict != right:
            tally[f"{got.verdict} for {right}"] += 1
        if os.environ.get("SHOW") == "all" and got.verdict != right:
            faults.append(f"seed {seed}, {name}: {got.verdict} for {right}: {got.why}\n{history(seed)}")
        if got.verdict == "reproducible" and right == "hidden-state":
            faults.append(f"seed {seed}, {name}: the page gives another value, which is not said\n{got.source}")
    if equal:
        minimal(got.source, name, want, tally)


def minimal(source: str, name: str, want: dict[str, dict[str, bytes]], tally: collections.Counter[str]) -> None:
    """How many statements could have been left out, one at a time."""
    lines = [line for line in source.strip().split("\n") if not line.startswith("#")]
    if "\n " in source:
        return
    for place in range(len(lines)):
        tally["statements"] += 1
        try:
            namespace = run_plain("\n".join(lines[:place] + lines[place + 1 :]))
            tally["unneeded"] += look(namespace[name], namespace).parts == want[name]
        except Exception:
            pass


def main(count: int, first: int) -> tuple[collections.Counter[str], list[str]]:
    """``count`` notebooks from the seed ``first``; in a real InteractiveShell, in the working folder."""
    from IPython.core.interactiveshell import InteractiveShell

    tally: collections.Counter[str] = collections.Counter()
    faults: list[str] = []
    shell = InteractiveShell.instance()
    before = sys.modules["__main__"]
    sys.modules["__main__"] = shell.user_module
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for seed in range(first, first + count):
                one(seed, shell, tally, faults)
    finally:
        recorder.detach()
        sys.modules["__main__"] = before
    return tally, faults


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"JPY_SESSION_NAME": str(Path(folder) / "n.ipynb"), "NBML_PROJECT": folder}
        os.chdir(folder)
        found, wrong = main(int(sys.argv[1]) if len(sys.argv) > 1 else 100, int(sys.argv[2]) if len(sys.argv) > 2 else 0)
        if os.environ.get("SHOW"):
            print("\n\n".join(wrong))
        print(dict(found))
        os.chdir("/")
