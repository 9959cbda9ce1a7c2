"""What a dataframe is: recognising one, reading one from a file, and its fingerprint.

pandas is imported inside the functions, so that loading this room costs nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from nbml import errors

if TYPE_CHECKING:
    import pandas as pd

#: file endings that are read as a frame
ENDINGS = (".parquet", ".pq", ".csv")


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
