"""The listing of datasets: a DataFrame that shows itself as our table."""

from __future__ import annotations

from typing import Any

import pandas as pd

from nbml.datasets.report import listing_report
from nbml.datasets.values import from_thing
from nbml.display import Report, bundle, text
from nbml.store import current


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


def listing() -> pd.DataFrame:
    """One row a dataset, newest first."""
    versions = [from_thing(thing) for thing in current().latest("dataset")]
    histories = {v.name: [t.body["rows"] for t in current().versions("dataset", v.name)] for v in versions}
    rows = [
        (v.name, v.version, v.thing.body["rows"], len(v.thing.body["columns"]), [w.code for w in v.warnings],
         pd.Timestamp(v.made, unit="s", tz="UTC"))
        for v in versions
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["name", "version", "rows", "columns", "warnings", "made"])
    return shown_as(frame, listing_report(versions, histories))
