"""Exact executors: fitted models as plain values and arrays, computed in doubles with numpy and the standard library alone.

A plan is what ``packaging/translating`` makes of a fitted scikit-learn object: nodes {"op": ..., ...} of JSON values and
arrays. ``Executor.answer`` gives for the columns of a request what the object gives for the same rows: labels exactly,
floats within a relative 1e-9 (order of sums), and it refuses what the object refuses, by a ValueError of the same words.
A node "onnx" at the end is computed by ONNX Runtime (``sessions``), the only other library, and only where there is one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import plans
from .nodes import made

#: files of a translated model, beside the manifest; the last where a part of it is computed by ONNX Runtime
NAMES = ("executor.json", "executor.bin", "executor.onnx")

__all__ = ["NAMES", "Executor", "load", "plans"]


class Executor:
    """A translated model. ``answer`` takes the columns of a request, in the order of the manifest's inputs."""

    def __init__(self, plan: Mapping[str, Any]) -> None:
        self.form: dict[str, Any] = dict(plan["form"])
        self.classes: list[Any] | None = plan["classes"]
        self._model = made(plan["model"])
        self._gives = plan["probabilities"]

    def answer(self, columns: Mapping[str, list[Any]]) -> tuple[list[Any], dict[str, Any] | None]:
        """Predictions, one for each row, and the probabilities where the model gives them. Raises ValueError as the model does."""
        cells = list(columns.values())
        if len(cells[0]) == 1:
            label, shares = self._model.one([values[0] for values in cells])
            labels, many = [label], [shares]
        else:
            labels, many = self._model.many(cells)
        if self.classes is not None:
            labels = [self.classes[i] for i in labels]
        return labels, {"classes": self.classes, "values": many} if self._gives else None


def load(folder: Path, execution: Mapping[str, Any]) -> Executor:
    """The executor of a Bento's folder; its files are compared with the manifest's hashes before anything is read."""
    contents = []
    for name in NAMES[: len(execution["files"])]:
        content = (folder / name).read_bytes()
        if hashlib.sha256(content).hexdigest() != execution["files"][name]:
            raise RuntimeError(f"{name} is not the file that was packaged")
        contents.append(content)
    return Executor(plans.loads(*contents))
