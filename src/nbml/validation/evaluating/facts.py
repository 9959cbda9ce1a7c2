"""What is known of a frame and of its columns: each fact is computed when it is first asked for, and once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nbml.validation.evaluating import kernel
from nbml.validation.evaluating.terms import Foreign

if TYPE_CHECKING:
    from nbml.validation.evaluating.kernel import Mask

#: so many values are looked at to learn whether a column of text repeats itself
SAMPLE = 20_000
#: so many values are judged one by one in Python
FEW = 3_000
#: what Great Expectations takes off a column's name when it looks for the column
QUOTES = '"[]`'


class Frame:
    """A frame under judgement: string column names, rows counted from 0."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame
        self.rows = len(frame)
        self.names: list[str] = list(frame.columns)
        self._columns: dict[str, Column] = {}

    @cached_property
    def _known(self) -> dict[str, int]:
        """Names as Great Expectations compares them, with how many columns answer to each."""
        found: dict[str, int] = {}
        for name in self.names:
            found[_bare(name)] = found.get(_bare(name), 0) + 1
        return found

    @cached_property
    def _there(self) -> frozenset[str]:
        return frozenset(self.names)

    def column(self, name: str) -> Column:
        """Raises Foreign where there is none, or where Great Expectations might take another one."""
        if name not in self._columns:
            if name not in self._there or self._known[_bare(name)] > 1:
                raise Foreign
            self._columns[name] = Column(self.frame[name])
        return self._columns[name]

    def forget(self, name: str) -> None:
        """Free what is known of a column."""
        self._columns.pop(name, None)


def _bare(name: str) -> str:
    return name.casefold().strip(QUOTES)


class Column:
    """One column. ``kind`` is int, float, bool, instant, text or other.

    ``values`` are those of int, float and bool as numpy holds them, and of instants as int64 in their unit, with anything
    where the column is null. A column of another kind (categories, nullable and Arrow dtypes, mixed objects) is judged by what
    pandas says of it, as Great Expectations does.
    """

    def __init__(self, series: pd.Series) -> None:
        self.series = series
        self.dtype: Any = series.dtype
        self.rows = len(series)
        self.plain = isinstance(self.dtype, np.dtype)
        self._kept: dict[Any, Any] = {}

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """What ``make`` gave when it was first asked under this key."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    @cached_property
    def kind(self) -> str:
        if self.plain:
            found = {"i": "int", "u": "int", "f": "float", "b": "bool", "M": "instant"}.get(self.dtype.kind, "other")
            if self.dtype == np.float16:
                return "other"
            if self.dtype.kind == "O" and pd.api.types.infer_dtype(self.series, skipna=True) == "string":
                return "text"
            return found
        if isinstance(self.dtype, pd.StringDtype):
            return "text"
        return "instant" if isinstance(self.dtype, pd.DatetimeTZDtype) else "other"

    @cached_property
    def values(self) -> NDArray[Any]:
        if self.kind == "instant":
            found = self.series.to_numpy() if self.plain else self.series.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
            return found.view(np.int64)
        if self.kind not in ("int", "float", "bool"):
            raise Foreign
        return self.series.to_numpy()

    @cached_property
    def dated(self) -> bool:
        """Whether text stands for an instant where it is compared with the column."""
        return pd.api.types.is_datetime64_any_dtype(self.dtype)

    @cached_property
    def numeric(self) -> bool:
        """Whether pandas computes figures of it that Great Expectations computes so too: of Decimals it makes floats first."""
        if self.kind != "other" or self.dtype.kind != "O":
            return self.kind not in ("text", "instant")
        return pd.api.types.infer_dtype(self.series, skipna=True) in ("integer", "floating", "mixed-integer-float", "boolean")

    @cached_property
    def twin(self) -> Column | None:
        """The values of a nullable or Arrow column of numbers or bools as one of numpy; None where it is none, holds NaN, or
        whole numbers that float64 does not hold, which Python compares exactly."""
        numpy_dtype = getattr(self.dtype, "numpy_dtype", None)
        if self.plain or numpy_dtype is None or numpy_dtype.kind not in "iufb" or isinstance(self.dtype, pd.CategoricalDtype):
            return None
        found = Column(pd.Series(self.filled.to_numpy(dtype=numpy_dtype)))
        return None if found.nulls is not None or found.large else found

    @cached_property
    def unit(self) -> str:
        """The unit of instants."""
        return str(self.dtype.unit) if not self.plain else np.datetime_data(self.dtype)[0]

    # -- nulls ----------------------------------------------------------------------------------------------

    @cached_property
    def nulls(self) -> Mask | None:
        """Where the column is null; None where it nowhere is."""
        if self.kind in ("int", "bool"):
            return None
        found: Mask = np.isnan(self.values) if self.kind == "float" else np.asarray(self.series.array.isna())
        return found if found.any() else None

    @cached_property
    def null_count(self) -> int:
        return 0 if self.nulls is None else int(np.count_nonzero(self.nulls))

    @property
    def held(self) -> int:
        """How many values there are."""
        return self.rows - self.null_count

    @cached_property
    def real(self) -> NDArray[Any]:
        """``values`` without those of nulls."""
        return self.values if self.nulls is None else self.values[~self.nulls]

    @cached_property
    def filled(self) -> pd.Series:
        """The column without nulls."""
        return self.series if self.nulls is None else self.series[~self.nulls]

    def everywhere(self, broken: Mask) -> Mask:
        """A mask of the values as a mask of the rows; nulls break nothing."""
        if self.nulls is None:
            return broken
        found = np.zeros(self.rows, dtype=bool)
        found[~self.nulls] = broken
        return found

    # -- numbers and instants -------------------------------------------------------------------------------

    @cached_property
    def extent(self) -> tuple[Any, Any] | None:
        """Least and greatest of ``real``; None where there is no value."""
        if not self.held:
            return None
        if self.kind == "float" and self.nulls is not None:
            return np.fmin.reduce(self.values), np.fmax.reduce(self.values)
        return self.real.min(), self.real.max()

    @cached_property
    def large(self) -> bool:
        """Whether it holds whole numbers that float64 does not hold exactly."""
        return self.kind == "int" and self.extent is not None and max(abs(int(end)) for end in self.extent) > kernel.EXACT

    @cached_property
    def ordered(self) -> NDArray[Any]:
        """``real``, sorted."""
        return np.sort(self.real)

    def said(self, method: str, *arguments: Any, **options: Any) -> Any:
        """What a method of the column answers."""
        return self.once((method, arguments, tuple(options.items())), lambda: getattr(self.series, method)(*arguments, **options))

    @cached_property
    def words(self) -> list[str]:
        """The values of text as a list, for short columns."""
        found = objects(self.series)
        return found if self.nulls is None else [value for value, null in zip(found, self.nulls.tolist(), strict=True) if not null]

    # -- text -----------------------------------------------------------------------------------------------

    @cached_property
    def text(self) -> pd.Series:
        """The values as text."""
        if self.kind not in ("text", "other"):
            raise Foreign
        return self.filled.astype(str)

    @cached_property
    def encoded(self) -> tuple[NDArray[Any], pd.Series]:
        """A code for each value of text, and the distinct values."""
        codes, distinct = pd.factorize(self.text.array)
        return codes, pd.Series(distinct)

    @cached_property
    def repeats(self) -> bool:
        """Whether it pays to judge the distinct values of text instead of all."""
        if "encoded" in self.__dict__:
            return len(self.encoded[1]) * 2 < self.held
        if self.held <= FEW:
            return False
        sample = self.text.iloc[:: max(1, self.held // SAMPLE)]
        return sample.nunique() * 2 < len(sample)

    def each(self, holds: Callable[[Any], bool]) -> Mask:
        """A mask of the rows whose value does not hold. Categories are asked once each, also those that stand nowhere."""
        return self.everywhere(~mask_of(self.filled.map(holds)))

    def judged(self, judge: Callable[[pd.Series], Any], *, dear: bool = False) -> Mask:
        """A mask of the rows from a judgement of text, made of distinct values where there are fewer (or it is dear)."""
        if self.repeats or (dear and self.held > FEW):
            codes, distinct = self.encoded
            return self.everywhere(np.asarray(judge(distinct), dtype=bool)[codes])
        return self.everywhere(np.asarray(judge(self.text), dtype=bool))

    # -- what stands more than once -------------------------------------------------------------------------

    @cached_property
    def distinct_count(self) -> int:
        if self.kind in ("int", "float", "instant"):
            rising = self.held > 1 and bool((self.real[1:] > self.real[:-1]).all())
            return self.held if rising else kernel.distinct_count(self.ordered)
        if self.kind == "text" and self.held <= FEW:
            return len(set(self.words))
        if self.kind == "text" and self.likely is not None and not self.likely.any():
            return self.held
        if self.kind == "text":
            return len(self.encoded[1])
        return int(self.series.nunique())

    @cached_property
    def repeated(self) -> Mask:
        """Rows whose value stands in more than one."""
        counted = self.kind in ("int", "float", "instant") or (self.kind == "text" and self.held <= FEW)
        if counted and self.distinct_count == self.held:
            return np.zeros(self.rows, dtype=bool)
        if self.kind == "text":
            likely = self.likely
            if likely is None:
                codes, distinct = self.encoded
                return self.everywhere(kernel.repeated(codes, len(distinct)))
            found = np.zeros(self.held, dtype=bool)
            codes, distinct = pd.factorize(self.text.array[likely])
            found[likely] = kernel.repeated(codes, len(distinct))
            return self.everywhere(found)
        if self.kind in ("int", "float", "bool", "instant"):
            return self.everywhere(np.asarray(pd.Series(self.real).duplicated(keep=False)))
        return self.everywhere(mask_of(self.filled.duplicated(keep=False)))

    @cached_property
    def likely(self) -> Mask | None:
        """Which values of text may stand more than once, by their hashes; None where it does not pay to look."""
        array = getattr(self.text.array, "__arrow_array__", None)
        if array is None or self.held <= FEW or self.repeats:
            return None
        made: Any = array()
        whole = made.combine_chunks() if hasattr(made, "combine_chunks") else made
        size = {"large_string": np.int64, "string": np.int32}.get(str(whole.type))
        if size is None or whole.null_count or not hasattr(whole, "buffers") or whole.buffers()[2] is None:
            return None
        _, offsets, data = whole.buffers()
        ends = np.frombuffer(offsets, dtype=size)[whole.offset : whole.offset + len(whole) + 1]
        hashed = kernel.hashes(np.frombuffer(data, dtype=np.uint8)[ends[0] : ends[-1]], ends - ends[0])
        ordered = np.sort(hashed)
        twice = ordered[1:][ordered[1:] == ordered[:-1]]
        return np.isin(hashed, twice) if len(twice) else np.zeros(self.held, dtype=bool)

    # -- what is shown --------------------------------------------------------------------------------------

    def shown(self, rows: NDArray[np.intp]) -> list[Any]:
        """The values of some rows, as iterating over the column gives them."""
        if not len(rows):
            return []
        if self.plain and self.dtype.kind in "iufb":
            found: list[Any] = self.values[rows].tolist()
            return found
        return list(self.series.array[rows]) if not self.plain or self.dtype.kind == "M" else list(self.series.to_numpy()[rows])

    def cells(self, rows: NDArray[np.intp]) -> list[Any]:
        """The values of some rows, as iterating over ``Series.values`` gives them."""
        return list(self.series.iloc[rows].values)


def objects(series: pd.Series) -> list[Any]:
    """The values of a column as Python's own objects."""
    found: list[Any] = np.asarray(series.array, dtype=object).tolist()
    return found


def mask_of(found: Any) -> Mask:
    """An answer of pandas as a mask. Raises Foreign where it is none, or is one of categories, which cannot be negated."""
    array = found.to_numpy() if isinstance(found, pd.Series) else np.asarray(found)
    if array.dtype != bool or isinstance(getattr(found, "dtype", None), pd.CategoricalDtype):
        raise Foreign
    return array
