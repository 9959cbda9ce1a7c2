"""DataFrames that show themselves as our table. Imports pandas: ask for it where a listing is made."""

from __future__ import annotations

from typing import Any

import pandas as pd

from nbml.display.plain import text
from nbml.display.shown import bundle
from nbml.display.values import Report


class Listing(pd.DataFrame):
    """A DataFrame that shows a report of itself; what is derived from it is a plain DataFrame."""

    _metadata = ["_shown"]
    _shown: Report  # type: ignore[assignment]

    @property
    def _constructor(self) -> Any:
        return pd.DataFrame

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return bundle(self.__dict__["_shown"])

    def _repr_html_(self) -> str:
        return str(bundle(self.__dict__["_shown"])["text/html"])

    def __repr__(self) -> str:
        return text(self.__dict__["_shown"])


def shown_as(frame: pd.DataFrame, report: Report) -> pd.DataFrame:
    """``frame`` as a Listing."""
    found = Listing(frame)
    object.__setattr__(found, "_shown", report)
    return found
