"""What is known of the data between two steps: how many columns, of which kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
#: dtypes whose values scikit-learn computes with as doubles
_NUMBERS = re.compile(r"float64|u?int(8|16|32|64)|bool|U?Int(8|16|32|64)|Float64|boolean")


class Untranslatable(Exception):
    """There is no exact executor for this; the message says for what."""


class Unequal(Untranslatable):
    """There is one, and it answers otherwise."""


@dataclass(frozen=True)
class Column:
    """``kind`` is float, int, bool, single (of less precision) or cell (anything else); ``null`` is nan or none."""

    kind: str
    null: str = "nan"


@dataclass(frozen=True)
class Schema:
    """The columns, and whether they come as a matrix of doubles or as cells."""

    columns: tuple[Column, ...]
    matrix: bool = False

    def __len__(self) -> int:
        return len(self.columns)

    def pick(self, at: list[int]) -> Schema:
        return Schema(tuple(self.columns[i] for i in at), self.matrix)

    def numbers(self, word: str) -> list[Json]:
        """The step that makes a matrix of these columns: none where they are one. Raises Untranslatable for texts."""
        if self.matrix:
            return []
        strange = next((i for i, column in enumerate(self.columns) if column.kind in ("cell", "single")), None)
        if strange is not None:
            raise Untranslatable(f"{word} takes column {strange + 1}, which holds no plain doubles")
        return [{"op": "matrix", "floats": all(column.kind == "float" for column in self.columns)}]


def floats(count: int) -> Schema:
    """A matrix of so many columns."""
    return Schema((Column("float"),) * count, matrix=True)


def of(target: Any, manifest: Mapping[str, Any]) -> Schema:
    """The columns of a request, as the model gets them. Raises Untranslatable."""
    if manifest["input"] not in ("frame", "array"):
        raise Untranslatable(f"the input is a {manifest['input']}")
    names = getattr(target, "feature_names_in_", None)
    if names is not None and list(names) != [spec.get("label", spec["name"]) for spec in manifest["inputs"]]:
        raise Untranslatable("the columns are not those of the fit")
    return Schema(tuple(_column(spec) for spec in manifest["inputs"]))


def _column(spec: Mapping[str, Any]) -> Column:
    if _NUMBERS.fullmatch(spec["dtype"]) and spec["kind"] in ("number", "integer", "boolean"):
        return Column({"number": "float", "integer": "int", "boolean": "bool"}[spec["kind"]])
    if spec["kind"] == "number" and spec["dtype"] in ("float32", "float16"):
        return Column("single")
    return Column("cell", "none" if spec["dtype"] == "object" and spec.get("missing") != "nan" else "nan")


def known(manifest: Mapping[str, Any]) -> dict[str, list[Any]]:
    """For each column of categories, by position, those that pandas knows."""
    return {str(i): spec["categories"] for i, spec in enumerate(manifest["inputs"]) if spec["kind"] == "category"}


Translator = Callable[[Any, Schema], tuple[Json, Schema]]


def genuine(value: Any) -> str:
    """The name of a class of scikit-learn. Raises Untranslatable for any other, and where methods of the object were replaced."""
    import sklearn

    kind = type(value)
    if not kind.__module__.startswith("sklearn."):
        raise Untranslatable(f"{kind.__name__} is no class of scikit-learn")
    for name in ("predict", "predict_proba", "transform", "decision_function", "_raw_predict"):
        code = getattr(getattr(kind, name, None), "__module__", None)
        if name in vars(value) or (code is not None and not code.startswith("sklearn.")):
            raise Untranslatable(f"{name} of {kind.__name__} was replaced")
    if sklearn.get_config()["array_api_dispatch"]:
        raise Untranslatable("scikit-learn dispatches to another array library")
    return kind.__name__
