"""What a dataframe is: recognising one, reading one from a file, its facts and its fingerprint.

pandas is imported inside the functions, so that loading this room costs nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbml import errors

if TYPE_CHECKING:
    import pandas as pd

#: file endings that are read as a frame
ENDINGS = (".parquet", ".pq", ".csv")
#: how many categories of a column are kept as facts
CATEGORIES = 50


def is_frame(value: object) -> bool:
    """Whether ``value`` is a pandas DataFrame; imports nothing."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.DataFrame)


def require(value: object, what: str = "a dataframe") -> pd.DataFrame:
    """``value``, which must be a DataFrame with unique column names. Raises errors.NotADataFrame, errors.BadInput."""
    if not is_frame(value):
        raise errors.NotADataFrame(f"{what} is needed, not {describe(value)}")
    frame: pd.DataFrame = value  # type: ignore[assignment]
    double = frame.columns[frame.columns.duplicated()]
    if len(double):
        raise errors.BadInput(f"the column name {str(double[0])!r} stands {int((frame.columns == double[0]).sum())} times; rename one")
    return frame


def describe(value: object) -> str:
    """A short name for a value of the wrong kind."""
    shape = getattr(value, "shape", None)
    kind = type(value).__name__
    return f"{kind} of shape {tuple(shape)}" if isinstance(shape, tuple) else kind


def read_frame(path: Path) -> pd.DataFrame:
    """A Parquet or CSV file as a frame. Raises errors.BadInput with the path and the reader's own words."""
    import pandas as pd

    try:
        return pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    except Exception as error:
        raise errors.BadInput(f"{path} cannot be read as {path.suffix[1:]}: {str(error).splitlines()[0]}") from error


def fingerprint(frame: pd.DataFrame) -> str:
    """A SHA-256 over values, dtypes, column names, index and their order; equal frames have equal ones, however they were made."""
    from nbml.frames.content import content

    return content(frame)


def facts(frame: pd.DataFrame, private: tuple[str, ...] | list[str] = ()) -> dict[str, Any]:
    """Rows, and for each column its dtype, share of nulls, range or categories: JSON, for comparing versions.

    Of a private column only the dtype and the share of nulls are told.
    """
    columns: dict[str, Any] = {}
    for position, label in enumerate(frame.columns):
        column = frame.iloc[:, position]
        found: dict[str, Any] = {"dtype": str(column.dtype), "nulls": float(column.isna().mean()) if len(column) else 0.0}
        if str(label) not in private:
            found |= _values(column)
        columns[str(label)] = found
    return {"rows": len(frame), "columns": columns}


def _values(column: pd.Series) -> dict[str, Any]:
    import pandas as pd

    real = column.dropna()
    if real.empty:
        return {}
    kinds = pd.api.types
    if kinds.is_bool_dtype(column.dtype) or kinds.is_numeric_dtype(column.dtype):
        finite = real[real.abs() != float("inf")] if kinds.is_float_dtype(column.dtype) else real
        return {} if finite.empty or kinds.is_complex_dtype(column.dtype) else {"low": float(finite.min()), "high": float(finite.max())}
    if kinds.is_datetime64_any_dtype(column.dtype):
        return {"low": real.min().isoformat(), "high": real.max().isoformat(), "dates": True}
    try:
        shares = real.value_counts(normalize=True)
    except TypeError:
        return {}
    if len(shares) > CATEGORIES or not all(isinstance(value, str) for value in shares.index):
        return {}
    return {"categories": {str(value): float(share) for value, share in shares.items()}}
