"""``diff``: two frames compared by schema, rows and distributions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from nbml import errors
from nbml.datasets.describing import Summary, summary
from nbml.datasets.schemas import schema
from nbml.display import Report, Shown
from nbml.frames.distances import Comparison
from nbml.frames.matching import Pair, each, hashes, matched, same_rows

if TYPE_CHECKING:
    import pandas as pd

@dataclass(frozen=True)
class Rows:
    """Positions of rows: of the pairs that both frames have (``at`` in a, ``to`` in b), and of those in one only.

    With a key, ``changed`` says which pairs differ, and ``cells`` in how many rows each column does.
    """

    at: Any
    to: Any
    removed: Any
    added: Any
    changed: Any = None
    cells: dict[str, int] = field(default_factory=dict)

    @property
    def reordered(self) -> bool:
        """Whether the rows of both stand in another order in b. Equal rows cannot be told apart, so that without a key it is
        said only where no row is in one frame alone."""
        if self.changed is None and (len(self.removed) or len(self.added)):
            return False
        return bool((self.to[1:] < self.to[:-1]).any())


@dataclass(frozen=True, repr=False)
class Diff(Shown):
    """How b differs from a. ``same``: in nothing at all, with a key but for the order of rows.

    ``schema``: one row for each change of the columns: column, change (added, removed, renamed, dtype, categories, moved,
    index), before, after. ``rows``: how many rows are of each kind: change (removed, added, changed, equal), rows. Without a
    key a changed row is one removed and one added. ``columns``: one row for each column of both, with its figures before and
    after, and psi. The frames are the ones compared: what is done to them afterwards does not matter.
    """

    key: tuple[str, ...]
    called: tuple[str, str]
    #: the words that stand for both on a line; empty where one of them has no name
    words: tuple[str, ...]
    schema: pd.DataFrame
    found: Rows
    private: frozenset[str]
    frames: tuple[pd.DataFrame, pd.DataFrame]

    @property
    def same(self) -> bool:
        counts = (len(self.found.removed), len(self.found.added), self.altered)
        return not len(self.schema) and not any(counts) and (bool(self.key) or not self.found.reordered)

    @property
    def altered(self) -> int:
        """How many rows of both differ; 0 without a key."""
        return 0 if self.found.changed is None else int(self.found.changed.sum())

    @property
    def common(self) -> list[str]:
        """The columns of both, in the order of b."""
        return [str(name) for name in self.frames[1].columns if name in self.frames[0].columns]

    @cached_property
    def rows(self) -> pd.DataFrame:
        import pandas as pd

        counts = {"removed": len(self.found.removed), "added": len(self.found.added)}
        counts |= {"changed": self.altered} if self.key else {}
        counts["equal"] = len(self.found.at) - self.altered
        return pd.DataFrame({"change": pd.Series(list(counts), dtype="str"), "rows": pd.Series(list(counts.values()), dtype="int64")})

    @cached_property
    def compared(self) -> tuple[Compared, ...]:
        """The columns of both with their figures; made when they are asked for."""
        a, b = self.frames
        return tuple(each(lambda name: _compared(name, a[name], b[name], name in self.private), self.common, max(len(a), len(b))))

    @cached_property
    def columns(self) -> pd.DataFrame:
        from nbml.datasets.comparing_report import columns_frame

        return columns_frame(self)

    def removed(self, limit: int | None = None) -> pd.DataFrame:
        """The rows that only a has, as they stood there; at most ``limit``."""
        return self.frames[0].iloc[self.found.removed[:limit]].copy()

    def added(self, limit: int | None = None) -> pd.DataFrame:
        """The rows that only b has, as they stand there; at most ``limit``."""
        return self.frames[1].iloc[self.found.added[:limit]].copy()

    def changed(self, limit: int | None = None) -> pd.DataFrame:
        """One row for each cell that differs, of at most ``limit`` rows: the key's columns, column, before, after.

        Raises errors.BadArgument without a key: nothing says which row became which.
        """
        if not self.key:
            fit = identifying(*self.frames)
            line = typed(self.words, f"--key {fit}") if fit else None
            raise errors.BadArgument("which rows changed is known with a key only: diff(a, b, key=...)", next=line)
        return _cells(self, limit)

    def _report(self) -> Report:
        from nbml.datasets.comparing_report import diff_report

        return diff_report(self)


@dataclass(frozen=True)
class Compared:
    """A column of both: its figures before and after. ``appeared`` and ``vanished`` are values, where there are not too many
    to ask; psi is None where the column became one of another kind."""

    name: str
    before: Summary
    after: Summary
    psi: float | None
    shares: tuple[tuple[float, ...], tuple[float, ...]] = ((), ())
    appeared: tuple[Any, ...] = ()
    vanished: tuple[Any, ...] = ()


def diff(a: Any, b: Any, key: str | Sequence[str] | None = None) -> Diff:
    """Compare two frames, ``name@n`` or paths: what b has, has not and has otherwise than a.

    ``key`` are columns (or levels of the index) that identify a row. Without it rows are compared by content, as often as
    they occur, over the columns that both have. Raises errors.BadArgument where a key is not there or does not identify.
    """
    from nbml import datasets, settings, store

    sides = [datasets.take(value) for value in (a, b)]
    words = tuple(datasets.called(value, thing) for value, (_, thing) in zip((a, b), sides, strict=True))
    called = [word or place for word, place in zip(words, ("a", "b"), strict=True)]
    words = words if all(word and not set(word) & set(" \"'()[]{}$") for word in words) else ()
    names = [key] if isinstance(key, str) else list(key or ())
    frames = [_levelled(frame, called[i], names) for i, (frame, _) in enumerate(sides)]
    for name in names:
        for frame, place in zip(frames, called, strict=True):
            _present(name, frame, place, words)
    pairs = {str(name): Pair(frames[0][name], frames[1][name]) for name in frames[1].columns if name in frames[0].columns}
    private = frozenset(settings.load(store.chosen())["data.private"])
    found = _keyed(pairs, names, frames, called, words, private) if names else _loose(pairs, frames)
    changes = schema(sides, frames, pairs, found)
    return Diff(tuple(names), (called[0], called[1]), words, changes, found, private, (frames[0], frames[1]))


def typed(words: Sequence[str], more: str = "") -> str | None:
    """The line that compares both; None where one of them has no name."""
    return f"%nbml diff {' '.join(words)} {more}".rstrip() if words else None


def _levelled(frame: pd.DataFrame, called: str, key: Sequence[str]) -> pd.DataFrame:
    """The frame with its names as text; a key that is a level of the index becomes a column. Shares the values."""
    labels = [str(label) for label in frame.columns]
    double = next((label for label in labels if labels.count(label) > 1), None) if len(set(labels)) < len(labels) else None
    if double is not None:
        raise errors.BadInput(f"two columns of {called} are {double!r} as text; rename one")
    whole = frame.copy(deep=False)
    whole.columns = labels  # type: ignore[assignment]
    levels = [name for name in key if name not in labels and name in frame.index.names]
    return whole.reset_index(level=levels) if levels else whole


def _present(name: str, frame: pd.DataFrame, place: str, words: Sequence[str]) -> None:
    if name in frame.columns:
        return
    there = [*map(str, frame.columns), *(str(level) for level in frame.index.names if level is not None)]
    close = errors.nearest(str(name), there)
    raise errors.BadArgument(
        f"no column {name!r} in {place}" + (f"; nearest: {close}" if close else ""),
        next=typed(words, f"--key {close}") if close and close.isidentifier() else None,
        instead=("key", close) if close and close.isidentifier() else None,
    )


# -- rows -----------------------------------------------------------------------------------------------------


def _loose(pairs: dict[str, Pair], frames: Sequence[pd.DataFrame]) -> Rows:
    rows = (len(frames[0]), len(frames[1]))
    at, to = same_rows(list(pairs.values()), rows)
    return Rows(at, to, _without(rows[0], at), _without(rows[1], to))


def _keyed(
    pairs: dict[str, Pair], key: Sequence[str], frames: Sequence[pd.DataFrame], called: Sequence[str], words: Sequence[str],
    private: frozenset[str],
) -> Rows:  # fmt: skip
    import numpy as np

    rows = (len(frames[0]), len(frames[1]))
    keys = [pairs[name] for name in key]
    codes = hashes(keys, np.arange(rows[0]), np.arange(rows[1]), max(rows))
    for frame, code, place in zip(frames, codes, called, strict=True):
        if not _unique(code):
            raise _ambiguous(frame, code, key, place, (typed(words, f"--key {fit}" if (fit := identifying(*frames)) else ""), fit), private)
    at, to = matched(*codes)
    sound = np.ones(len(at), bool)
    for pair in keys:  # two keys of one hash
        sound &= pair.equal(at, to)
    at, to = at[sound], to[sound]
    order = np.argsort(at, kind="stable")
    at, to = at[order], to[order]
    changed = np.zeros(len(at), bool)
    cells = {}
    others = [name for name in pairs if name not in key]
    for name, equal in zip(others, each(lambda name: pairs[name].equal(at, to), others, max(rows)), strict=True):
        cells[name] = int(len(at) - equal.sum())
        changed |= ~equal
    return Rows(at, to, _without(rows[0], at), _without(rows[1], to), changed, cells)


def _unique(codes: Any) -> bool:
    import pandas as pd

    return pd.Index(codes).is_unique


def _ambiguous(
    frame: pd.DataFrame, codes: Any, key: Sequence[str], place: str, instead: tuple[str | None, str], private: frozenset[str]
) -> errors.BadArgument:
    """The error for a key that stands more than once; ``instead`` are the line and the key that do."""
    import pandas as pd

    index = pd.Index(codes)
    first = int(index.duplicated(keep=False).argmax())
    times, extra = int((codes == codes[first]).sum()), int(index.duplicated().sum())
    shown = "a value" if any(name in private for name in key) else _written([frame[name].iloc[first] for name in key])
    what = f"{', '.join(map(repr, key))} {'does' if len(key) == 1 else 'do'} not identify a row of {place}"
    return errors.BadArgument(
        f"{what}: {shown} stands {times:,} times, and {extra:,} row{' is' if extra == 1 else 's are'} one too many",
        next=instead[0], instead=("key", instead[1]) if instead[1] else None,
    )  # fmt: skip


def _written(values: Sequence[Any]) -> str:
    import pandas as pd

    texts = ["null" if pd.isna(value) else repr(value) if isinstance(value, str) else str(value) for value in values]
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"


def identifying(a: pd.DataFrame, b: pd.DataFrame) -> str:
    """A column of both that identifies a row in each: of whole numbers or texts, the first; "" where there is none."""
    import pandas as pd

    for name in a.columns:
        if name not in b.columns or not str(name).isidentifier():
            continue
        sides = (a[name], b[name])
        fits = all(pd.api.types.is_integer_dtype(s.dtype) or isinstance(s.dtype, pd.StringDtype) for s in sides)
        if fits and all(len(s) and s.head(1000).is_unique and not s.isna().any() and s.is_unique for s in sides):
            return str(name)
    return ""


def _without(rows: int, taken: Any) -> Any:
    import numpy as np

    free = np.ones(rows, bool)
    free[taken] = False
    return np.flatnonzero(free)


def _cells(found: Diff, limit: int | None) -> pd.DataFrame:
    """Changed cells, one a row, in the order of a; values of all columns side by side, so of no one dtype."""
    import numpy as np
    import pandas as pd

    rows, (a, b) = found.found, found.frames
    where = np.flatnonzero(rows.changed)[:limit]
    before, after = a.iloc[rows.at[where]], b.iloc[rows.to[where]]
    parts = []
    for place, name in enumerate(name for name in found.common if name not in found.key):
        differs = np.flatnonzero(~Pair(before[name], after[name]).equal())
        part = before[list(found.key)].iloc[differs].reset_index(drop=True)
        cells = {"column": name, "before": before[name].astype(object), "after": after[name].astype(object)}
        for head, values in cells.items():
            part[head] = values if isinstance(values, str) else pd.Series(values.iloc[differs].to_numpy(), dtype=object)
        parts.append(part.assign(**{"": differs * len(found.common) + place}))
    if not parts:
        return before[list(found.key)].iloc[:0].assign(column="", before=None, after=None).reset_index(drop=True)
    whole = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    return whole.sort_values("", kind="stable", ignore_index=True).drop(columns="")


def _compared(name: str, before: pd.Series, after: pd.Series, private: bool) -> Compared:
    pair = Comparison(after, before)
    sides = pair.sides if pair.numeric and not pair.unlike else (None, None)
    figures = summary(name, before, False, sides[1]), summary(name, after, False, sides[0])
    counts = [f.counts for f in figures]
    appeared: tuple[Any, ...] = ()
    vanished: tuple[Any, ...] = ()
    if counts[0] is not None and counts[1] is not None:
        appeared = tuple(value for value in counts[1] if value not in counts[0])
        vanished = tuple(value for value in counts[0] if value not in counts[1])
    if private:
        figures = figures[0].hidden(), figures[1].hidden()
    if pair.unlike:
        return Compared(name, *figures, None, ((), ()), appeared, vanished)
    shares = (tuple(pair.shares["reference"]), tuple(pair.shares["now"]))
    return Compared(name, *figures, pair.psi, shares, appeared, vanished)
