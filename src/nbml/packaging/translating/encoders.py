"""Imputers and encoders as nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nbml.packaging.translating.schema import Column, Json, Schema, Untranslatable, floats

#: place of a value that is refused, and of one that is no column
REFUSED, NOWHERE = None, -1


def _imputer(value: Any, schema: Schema) -> tuple[list[Json], Schema]:
    """SimpleImputer of numbers, or of cells."""
    import numpy as np

    _fits(value, schema)
    if any(column.kind == "bool" for column in schema.columns) and not schema.matrix:
        raise Untranslatable("SimpleImputer of true and false")
    missing = None if _is_nan(value.missing_values) else value.missing_values
    statistics = value.statistics_.tolist()
    keep = [i for i, s in enumerate(statistics) if value.keep_empty_features or not _is_nan(s)]
    marks = [int(i) for i in value.indicator_.features_] if value.add_indicator else None
    more = len(marks or ())
    if any(column.kind == "cell" for column in schema.columns):
        if missing is not None or any(column.null == "none" for column in schema.columns):
            raise Untranslatable("SimpleImputer of a missing value other than NaN among texts")
        values = [_plain(statistics[i]) for i in keep]
        columns = tuple(schema.columns[i] for i in keep) + (Column("float"),) * more
        return [{"op": "replace", "keep": keep, "values": values, "marks": marks}], Schema(columns)
    if missing is not None and not isinstance(missing, (int, float)):
        raise Untranslatable(f"SimpleImputer of {missing!r}")
    before = schema.numbers("SimpleImputer")
    if value._fit_dtype.kind == "O":
        raise Untranslatable("SimpleImputer was fitted on objects")
    filled = np.array([float(statistics[i]) for i in keep])
    node = {"op": "fill", "values": filled, "missing": missing, "marks": marks, "keep": keep, "width": len(schema)}
    return [*before, node], floats(len(keep) + more)


def _onehot(value: Any, schema: Schema) -> tuple[list[Json], Schema]:
    _fits(value, schema)
    mappings = value._default_to_infrequent_mappings if value._infrequent_enabled else [None] * len(schema)
    drops = value._drop_idx_after_grouping
    joined = value.handle_unknown in ("infrequent_if_exist", "warn")
    tables, width = [], 0
    for i, categories in enumerate(value.categories_):
        mapping = mappings[i]
        drop = None if drops is None else drops[i]

        def place(index: int, mapping: Any = mapping, drop: Any = drop) -> int:
            found = index if mapping is None else int(mapping[index])
            return found if drop is None or found < drop else NOWHERE if found == drop else found - 1

        other: int | None = NOWHERE
        if value.handle_unknown == "error":
            other = REFUSED
        elif joined and mapping is not None:
            other = place(int(value._infrequent_indices[i][0]))
        tables.append(_table(categories, schema.columns[i], place, other) | {"width": int(value._n_features_outs[i])})
        width += int(value._n_features_outs[i])
    return [{"op": "onehot", "tables": tables}], floats(width)


def _ordinal(value: Any, schema: Schema) -> tuple[list[Json], Schema]:
    _fits(value, schema)
    mappings = value._default_to_infrequent_mappings if value._infrequent_enabled else [None] * len(schema)
    tables = []
    for i, categories in enumerate(value.categories_):
        mapping, missing = mappings[i], value._missing_indices.get(i)

        def place(index: int, mapping: Any = mapping, missing: Any = missing) -> Any:
            if index == missing:
                return float(value.encoded_missing_value)
            return float(index if mapping is None else mapping[index])

        other = REFUSED if value.handle_unknown == "error" else float(value.unknown_value)
        tables.append(_table(categories, schema.columns[i], place, other))
    return [{"op": "ordinal", "tables": tables}], floats(len(tables))


def _fits(value: Any, schema: Schema) -> None:
    name = type(value).__name__
    if len(schema) != value.n_features_in_:
        raise Untranslatable(f"{name} was fitted on {value.n_features_in_} columns")
    if "float32" in str(getattr(value, "dtype", "")) or any(column.kind == "single" for column in schema.columns):
        raise Untranslatable(f"{name} computes in single precision")


def _table(categories: Any, column: Column, place: Callable[[int], Any], other: Any) -> Json:
    """Values with their places; a null has that of the category which it is for this column."""
    values = categories.tolist()
    null = other
    known: list[tuple[Any, Any]] = []
    for index, found in enumerate(values):
        if found is None or _is_nan(found):
            if (found is None) == (column.null == "none"):
                null = place(index)
        else:
            known.append((_plain(found), place(index)))
    return {"values": [v for v, _ in known], "places": [p for _, p in known], "null": null, "other": other}


def _plain(value: Any) -> Any:
    """A fitted value as JSON. Raises Untranslatable for a date and the like."""
    if hasattr(value, "item"):
        value = value.item()
    if type(value) not in (str, int, float, bool):
        raise Untranslatable(f"a category is a {type(value).__name__}")
    return value


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and value != value


TRANSLATORS: dict[str, Callable[[Any, Schema], tuple[list[Json], Schema]]] = {
    "SimpleImputer": _imputer, "OneHotEncoder": _onehot, "OrdinalEncoder": _ordinal,
}  # fmt: skip
