"""What was noticed about a version as a line of ``%%nbml expect``, so that it can be kept: it holds for the earlier versions
and not for this one; of dates, for the next one that is newer."""

from __future__ import annotations

import json
import keyword
import math
import unicodedata

#: words of the language, which a column of that name would be taken for; a test compares
TAKEN = frozenset((
    "mean", "median", "stdev", "sum", "min", "max", "quantile", "n_unique", "null_share", "psi", "ks", "js", "chi2", "wasserstein",
    "not_null", "null", "unique", "increasing", "decreasing", "matches", "like", "format", "length", "dtype", "rows", "columns", "col",
    "var",
))  # fmt: skip


def rows(least: int, now: int) -> str:
    """At least so many rows; a round number where that is still more than there are."""
    unit = 10 ** max(len(str(least)) - 2, 0)
    plain = least // unit * unit
    return f"{plain if plain > now else least:_} <= rows"


def nulls(column: str, allowed: float, now: float) -> str:
    """Not null but for a share."""
    mostly = math.ceil((1 - allowed) * 100) / 100
    if not 1 - now < mostly <= 1 - allowed + 0.005:
        mostly = math.ceil((1 - allowed) * 1000) / 1000
    return f"not_null({_col(column)}), mostly={mostly:g}"


def categories(column: str, gone: list[str], kind: str) -> str:
    """All of these are among the values."""
    values = ", ".join(_literal(category, kind) for category in gone)
    return f"expect_column_distinct_values_to_contain_set({json.dumps(column, ensure_ascii=False)}, value_set=[{values}])"


def rare(column: str, category: str, kind: str, least: int) -> str:
    """At least so many rows of one category."""
    return f"{least:_} <= rows, where={_col(column)} == {_literal(category, kind)}"


def between(column: str, word: str, low: float, high: float) -> str:
    """A figure of the column within bounds: ``word`` is as in ``median`` or ``quantile 0.99``."""
    name, _, share = word.partition(" ")
    call = f"{name}({_col(column)}, {share})" if share else f"{name}({_col(column)})"
    return f"{_number(low)} <= {call} <= {_number(high)}"


def newer(column: str, than: str) -> str:
    """Some row is newer than the newest was."""
    return f"1 <= rows, where={_col(column)} > {json.dumps(than)}"


def _col(column: str) -> str:
    bare = column.isidentifier() and unicodedata.normalize("NFKC", column) == column
    return column if bare and not keyword.iskeyword(column) and column not in TAKEN else f"col({json.dumps(column, ensure_ascii=False)})"


def _literal(category: str, kind: str) -> str:
    return json.dumps(category, ensure_ascii=False) if kind == "str" else category


def _number(value: float) -> str:
    """Four digits of it."""
    short = float(f"{value:.4g}")
    return repr(int(short)) if short == int(short) and abs(short) < 1e15 else repr(short)
