"""Inputs made from a seed, and answers as text that is equal only for equal answers.

Standard library, numpy and pandas only: the process in which the slices answer runs this file too.
"""

from __future__ import annotations

import math
import random
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

COUNT = 50
NUMBERS: list[Any] = [
    None, float("nan"), float("inf"), float("-inf"), 0, -0.0, 1, -1, True, 1e308, 5e-324, 10**30, -(2**63), 0.1 + 0.2,
]  # fmt: skip
TEXTS: list[Any] = [
    None, float("nan"), "", " ",
    "a", "B", "x", "größe", "naïve ", "日本", "🙂👍", "e\u0301", "İ", "a\x00b", "line\nline\ttab", "<a><b/></a>",
    "42", "-1.5e3", "{x}", "it's \"q\"", "\u202eabc", "a" * 500, "pro", "basic", "never seen",
]  # fmt: skip


def number(some: random.Random) -> Any:
    """Small and large, negative, null, nan and infinite."""
    kind = some.randrange(4)
    if kind == 0:
        return some.choice(NUMBERS)
    return some.randint(-9, 30) if kind == 1 else round(some.gauss(0, 10), 3) if kind == 2 else some.lognormvariate(0, 30)


def small(some: random.Random) -> Any:
    """A number that a loop or a recursion may count to."""
    return some.randint(0, 12) if some.randrange(5) else some.choice([None, 0, 1, True, 2.5, float("nan"), "3"])


def text(some: random.Random) -> Any:
    if some.randrange(2):
        return some.choice(TEXTS)
    return "".join(some.choice("abc xyzÄß9_-") for _ in range(some.randrange(12)))


def numbers(some: random.Random) -> list[Any]:
    plain = some.randrange(2)
    return [some.gauss(0, 5) if plain else number(some) for _ in range(some.randrange(6))]


def texts(some: random.Random) -> list[Any]:
    return [text(some) for _ in range(some.randrange(6))]


def row(some: random.Random) -> dict[str, Any]:
    """One record: some values are null, some are not there."""
    found = {"a": number(some), "b": number(some), "c": some.choice([*"xyz", "never seen", "", None]), "d": text(some)}
    for key in list(found):
        if some.randrange(8) == 0:
            del found[key]
    return found


def rows(some: random.Random) -> list[dict[str, Any]]:
    return [row(some) for _ in range(some.randrange(5))]


def frame(some: random.Random) -> pd.DataFrame:
    """Columns a, b, c in another order of rows and columns, with nulls, unseen categories, other dtypes, no rows at all."""
    size = some.choice([0, 1, 1, 2, 5, 9])
    level = some.randrange(4)  # how hostile

    def real() -> Any:
        return some.choice([None, math.nan, math.inf, -1e12]) if level and some.randrange(8) < level else round(some.gauss(2, 4), 3)

    columns = {
        "a": pd.Series([real() for _ in range(size)], dtype="float64"),
        "b": pd.Series([real() for _ in range(size)], dtype="float64"),
        "c": pd.Series([some.choice([*"xyz", "never seen", None] if level > 1 else [*"xyz"]) for _ in range(size)], dtype="object"),
    }
    found = pd.DataFrame(columns)
    if level == 3 and some.randrange(2):
        found["c"] = found["c"].astype("category")
    if some.randrange(4) == 0:
        found["a"] = found["a"].astype("float32")
    if some.randrange(3) == 0:
        found = found[some.sample(list(found), 3)]
    if some.randrange(3) == 0:
        found.index = pd.Index(some.sample(range(100), size), name="id")
    return found.drop(columns="b") if some.randrange(12) == 0 else found


def array(some: random.Random) -> Any:
    """Two columns of numbers, in several dtypes, sometimes with nan or no rows."""
    found = np.array([[some.gauss(0, 3), some.gauss(1, 9)] for _ in range(some.choice([0, 1, 2, 7]))]).reshape(-1, 2)
    if len(found) and some.randrange(3) == 0:
        found[some.randrange(len(found)), some.randrange(2)] = some.choice([math.nan, math.inf, -1e300])
    tame = bool(np.isfinite(found).all()) and abs(found).max(initial=0) < 1e9
    return found.astype(some.choice(["float64", "float64", "float32", "int64"]) if tame else "float64")


def nothing(some: random.Random) -> None:
    """For what takes no input: it is asked again and again."""


KINDS: dict[str, Callable[[random.Random], Any]] = {
    made.__name__: made for made in (number, small, text, numbers, texts, row, rows, frame, array, nothing)
}


def answers(value: Any, call: str, kind: str, seed: str) -> list[str]:
    """What ``call`` gives, or the type of its error, for 50 inputs ``x`` of a kind."""
    names = {"value": value, "np": np, "pd": pd}
    code = compile(call, "<call>", "eval")
    found = []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for place in range(COUNT):
            names["x"] = KINDS[kind](random.Random(f"{seed} {place}"))
            try:
                found.append(canon(eval(code, names)))
            except Exception as error:  # whatever the notebook raises, the slice must raise
                found.append(f"raised {type(error).__name__}")
    return found


def canon(value: Any) -> str:
    """Types, dtypes, names, index and values of an answer."""
    if isinstance(value, (str, bytes, int, float, complex, type(None))) and type(value).__module__ == "builtins":
        return repr(value)
    if isinstance(value, pd.DataFrame):
        parts = [canon(value[name] if value.columns.is_unique else value.iloc[:, place]) for place, name in enumerate(value.columns)]
        return f"frame {canon(value.index)} {canon(value.columns)} {parts}"
    if isinstance(value, (pd.Series, pd.Index)):
        levels = canon(value.cat.categories) if isinstance(value, pd.Series) and value.dtype == "category" else ""
        index = canon(value.index) if isinstance(value, pd.Series) else ""
        return f"{type(value).__name__} {value.name!r} {value.dtype} {levels} {index} {list(map(canon, value.tolist()))}"
    if isinstance(value, np.ndarray):
        return f"array {value.dtype} {value.shape} {list(map(canon, value.ravel().tolist()))}"
    if isinstance(value, np.generic):
        return f"{value.dtype} {value.item()!r}"
    if isinstance(value, dict):
        return f"{type(value).__name__} {{{', '.join(f'{canon(k)}: {canon(v)}' for k, v in value.items())}}}"
    if isinstance(value, (set, frozenset)):
        return f"{type(value).__name__} {sorted(map(canon, value))}"
    if isinstance(value, (list, tuple)):
        return f"{type(value).__name__} [{', '.join(map(canon, value))}]"
    if isinstance(value, type) or callable(value):
        return f"{type(value).__name__} {getattr(value, '__name__', '')}"
    if type(value).__repr__ is object.__repr__:
        return f"{type(value).__name__} {canon(getattr(value, '__dict__', {}))}"
    return f"{type(value).__name__} {value!r}"
