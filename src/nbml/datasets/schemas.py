"""How the columns of two frames differ: added, removed, renamed, of another type, in another order; and their index."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nbml.frames.matching import Pair

if TYPE_CHECKING:
    import pandas as pd

    from nbml.datasets.comparing import Rows

#: a removed and an added column look like one that was renamed where so much of them is equal
ALIKE = 0.95
#: what is asked of each pair of columns that may be a renamed one
SAMPLE, PAIRS = 10_000, 400


def schema(sides: Sequence[Any], frames: Sequence[pd.DataFrame], pairs: dict[str, Pair], found: Rows) -> pd.DataFrame:
    import pandas as pd

    a, b = frames
    gone, new = ([str(n) for n in one.columns if n not in other.columns] for one, other in ((a, b), (b, a)))
    changes: list[tuple[str, str, Any, Any]] = []
    for old, name in _renamed(a, b, gone, new, found):
        gone.remove(old)
        new.remove(name)
        changes.append((name, "renamed", old, name))
    changes += [(name, "removed", str(a[name].dtype), None) for name in gone]
    changes += [(name, "added", None, str(b[name].dtype)) for name in new]
    for name in pairs:
        before, after = a[name].dtype, b[name].dtype
        if str(before) != str(after):
            changes.append((name, "dtype", str(before), str(after)))
        elif before != after:
            changes.append((name, "categories", _categories(before), _categories(after)))
    changes += _moved([n for n in a.columns if n in pairs], list(pairs))
    changes += _index(sides[0][0].index, sides[1][0].index, found)
    frame = pd.DataFrame(changes, columns=["column", "change", "before", "after"], dtype=object)
    return frame.astype({"column": "str", "change": "str"})


def _categories(dtype: Any) -> str:
    return f"{len(dtype.categories):,} categories" + (", ordered" if dtype.ordered else "")


def _moved(before: list[str], after: list[str]) -> list[tuple[str, str, Any, Any]]:
    """The fewest columns whose places explain the new order."""
    if before == after:
        return []
    still: set[str] = set()
    for block in difflib.SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks():
        still |= set(before[block.a : block.a + block.size])
    return [(name, "moved", before.index(name) + 1, after.index(name) + 1) for name in after if name not in still]


def _index(before: pd.Index, after: pd.Index, found: Rows) -> list[tuple[str, str, Any, Any]]:
    """An index of another kind; or of other labels, where all rows are the same."""
    if _kind(before) != _kind(after):
        return [("(index)", "index", _kind(before), _kind(after))]
    whole = found.changed is None and not len(found.removed) and not len(found.added) and not found.reordered
    if whole and len(before) and not before.equals(after):
        return [("(index)", "index", "its labels", "other labels")]
    return []


def _kind(index: pd.Index) -> str:
    levels = [f"{dtype} {name!r}" if name is not None else str(dtype) for name, dtype in _levels(index)]
    return ", ".join(levels)


def _levels(index: pd.Index) -> list[tuple[Any, Any]]:
    dtypes = getattr(index, "dtypes", None)
    return list(zip(index.names, [index.dtype] if dtypes is None else list(dtypes), strict=True))


def _renamed(a: pd.DataFrame, b: pd.DataFrame, gone: Sequence[str], new: Sequence[str], found: Rows) -> list[tuple[str, str]]:
    """Columns of other names whose values are the same in the rows of both: each is taken once."""
    import numpy as np

    if not gone or not new or len(gone) * len(new) > PAIRS:
        return []
    at, to = found.at, found.to
    if not len(at):
        at = to = np.arange(min(len(a), len(b)))
    some = np.linspace(0, max(len(at) - 1, 0), min(len(at), SAMPLE)).astype(int)
    before, after = a[list(gone)].iloc[at[some]], b[list(new)].iloc[to[some]]
    pairs: list[tuple[str, str]] = []
    for old in gone:
        varied = before[old].astype(object).map(repr).nunique() > 1
        for name in new:
            free = all(name != taken for _, taken in pairs)
            if varied and free and before[old].dtype == after[name].dtype and Pair(before[old], after[name]).equal().mean() >= ALIKE:
                pairs.append((old, name))
                break
    return pairs


# -- columns --------------------------------------------------------------------------------------------------
