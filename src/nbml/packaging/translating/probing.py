"""Rows that no proof has: nulls in each column, unseen texts, numbers far off. There too the executor must be the model's equal."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nbml.packaging import bridge, proof

Rows = list[dict[str, Any]]
#: rows with a null or an unseen text, and how many of them are asked one by one where the model refuses them together
MOST, SINGLY = 64, 6


def difference(target: Any, manifest: Mapping[str, Any], answer: Callable[[Any], Any], sent: Sequence[Mapping[str, Any]]) -> str:
    """Where the executor's ``answer`` is not the model's, on rows made of ``sent``; "" where they agree, refusals included."""
    theirs, ours = both(target, manifest, answer)
    for what, rows in _strange(manifest["inputs"], sent).items():
        want = asked(theirs, columns_of(rows))
        unequal = not same(want, asked(ours, columns_of(rows)))
        for row in rows[:SINGLY] if isinstance(want, str) and not unequal else []:
            unequal = unequal or not same(asked(theirs, columns_of([row])), asked(ours, columns_of([row])))
        if unequal:
            return f"rows with {what} are answered otherwise"
    return ""


def both(target: Any, manifest: Mapping[str, Any], answer: Callable[[Any], Any]) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """The model and the executor: columns in, predictions and rows of probabilities out."""
    model = proof.Model(target, "model", "")

    def theirs(columns: Any) -> Any:
        data = bridge.build(columns, manifest)
        found = bridge.predictions_of(model.ask(data))
        return found, model.probabilities(data).tolist() if "classes" in manifest["output"] else None

    def ours(columns: Any) -> Any:
        labels, shares = answer(columns)
        return labels, None if shares is None else shares["values"]

    return theirs, ours


def _strange(inputs: Sequence[Mapping[str, Any]], sent: Sequence[Mapping[str, Any]]) -> dict[str, Rows]:
    """Rows by what is strange about them."""
    if not sent:
        return {}
    source = itertools.cycle(sent)
    found: dict[str, Rows] = {}
    found["nulls"] = [{**next(source), spec["name"]: None} for spec in inputs[:MOST]]
    texts = [spec["name"] for spec in inputs if spec["kind"] == "text" or (spec["kind"] == "category" and _texts(spec))]
    found["unseen texts"] = [{**next(source), name: "\N{SNOWMAN} never seen"} for name in texts[:MOST]]
    numbers = [spec["name"] for spec in inputs if spec["kind"] == "number"]
    if numbers:
        found["numbers far off"] = [{**next(source), **dict.fromkeys(numbers, value)} for value in (0.0, -1e6, 1e6, 12345.678, -0.5)]
    return {what: rows for what, rows in found.items() if rows}


def _texts(spec: Mapping[str, Any]) -> bool:
    return all(isinstance(value, str) for value in spec["categories"])


def columns_of(rows: Rows) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def asked(ask: Callable[[Any], Any], columns: dict[str, list[Any]]) -> Any:
    """The answer, or the first line of a refusal."""
    try:
        return ask(columns)
    except Exception as error:  # any: what matters is that both fail alike
        return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"


def same(want: Any, got: Any) -> bool:
    if isinstance(want, str) or isinstance(got, str):
        return bool(want == got)
    return proof.same(_finite(want[0]), _finite(got[0])) and (want[1] is None or proof.same(want[1], got[1], proof.ROUNDING))


def _finite(values: list[Any]) -> list[Any]:
    """What is no finite number is null in an answer."""
    return [None if isinstance(value, float) and not math.isfinite(value) else value for value in values]
