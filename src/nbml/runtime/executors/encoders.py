"""What fills nulls and what makes numbers of categories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .nodes import Array, Row, op

Node = Mapping[str, Any]


def _columns(data: Any) -> list[Row]:
    """The columns of cells or of a matrix as lists; a NaN of a matrix stays one."""
    return data.T.tolist() if isinstance(data, np.ndarray) else data


@op("fill")
class Fill:
    """Nulls of numbers replaced; then, where so asked, a column of 0 and 1 for each that had nulls in training."""

    def __init__(self, node: Node) -> None:
        self.values, self.missing, self.marks = node["values"], node["missing"], node["marks"]
        self.keep = None if len(node["keep"]) == node["width"] else [int(i) for i in node["keep"]]
        self._values = self.values.tolist()

    def many(self, data: Array) -> Array:
        gone = np.isnan(data) if self.missing is None else data == self.missing
        kept, holes = (data, gone) if self.keep is None else (data[:, self.keep], gone[:, self.keep])
        found: Array = np.where(holes, self.values, kept)
        return found if self.marks is None else np.hstack([found, gone[:, self.marks].astype(np.float64)])

    def one(self, row: Row) -> Row:
        kept = row if self.keep is None else [row[i] for i in self.keep]
        if self.missing is None:
            found = [x if x == x else v for x, v in zip(kept, self._values, strict=False)]
            more = [] if self.marks is None else [0.0 if row[i] == row[i] else 1.0 for i in self.marks]
        else:
            found = [v if x == self.missing else x for x, v in zip(kept, self._values, strict=False)]
            more = [] if self.marks is None else [float(row[i] == self.missing) for i in self.marks]
        return found + more


@op("replace")
class Replace:
    """Nulls of cells of any kind replaced."""

    def __init__(self, node: Node) -> None:
        self.keep, self.values, self.marks = [int(i) for i in node["keep"]], node["values"], node["marks"]

    def many(self, data: list[Row]) -> list[Row]:
        found = [[v if x is None else x for x in data[i]] for i, v in zip(self.keep, self.values, strict=True)]
        return found + [[float(x is None) for x in data[i]] for i in self.marks or ()]

    def one(self, row: Row) -> Row:
        found = [v if row[i] is None else row[i] for i, v in zip(self.keep, self.values, strict=True)]
        return found + [float(row[i] is None) for i in self.marks or ()]


class _Table:
    """Value -> place for one column. ``null`` is the place of a null, ``other`` that of an unknown value; None refuses it."""

    def __init__(self, node: Node, number: int) -> None:
        self.places: dict[Any, Any] = dict(zip(node["values"], node["places"], strict=True))
        self.null, self.other, self.number = node["null"], node["other"], number

    def get(self, value: Any) -> Any:
        """The place of a value that is in no table: a null or an unknown one."""
        null = value is None or value != value
        place = self.null if null else self.other
        if place is None:
            shown = "nan" if null else repr(value)
            raise ValueError(f"Found unknown categories [{shown}] in column {self.number} during transform")
        return place

    def all(self, values: Row) -> list[Any]:
        known = self.places
        return [known[v] if v in known else self.get(v) for v in values]


@op("onehot")
class OneHot:
    """A column of 0 and 1 for each category; place -1 is no column."""

    def __init__(self, node: Node) -> None:
        self.tables = [_Table(table, i) for i, table in enumerate(node["tables"])]
        self.starts = [int(i) for i in np.cumsum([0, *(table["width"] for table in node["tables"])])]
        self.width = self.starts.pop()
        self._row = [0.0] * self.width

    def many(self, data: Any) -> Array:
        columns = _columns(data)
        found = np.zeros((len(columns[0]) if columns else 0, self.width))
        for values, table, start in zip(columns, self.tables, self.starts, strict=True):
            places = np.array(table.all(values), dtype=np.int64)
            rows = np.flatnonzero(places >= 0)
            found[rows, start + places[rows]] = 1.0
        return found

    def one(self, row: Row) -> Row:
        found = self._row.copy()
        for value, table, start in zip(row, self.tables, self.starts, strict=False):
            place = table.places.get(value)
            if place is None:
                place = table.get(value)
            if place >= 0:
                found[start + place] = 1.0
        return found


@op("ordinal")
class Ordinal:
    """A number for each category."""

    def __init__(self, node: Node) -> None:
        self.tables = [_Table(table, i) for i, table in enumerate(node["tables"])]

    def many(self, data: Any) -> Array:
        columns = _columns(data)
        found = [table.all(values) for values, table in zip(columns, self.tables, strict=True)]
        return np.ascontiguousarray(np.array(found, dtype=np.float64).T)

    def one(self, row: Row) -> Row:
        return [t.places[v] if v in t.places else t.get(v) for v, t in zip(row, self.tables, strict=False)]
