"""What ONNX Runtime computes: the last steps of a model that has no executor of ours, in doubles, as a file of the Bento.

ONNX Runtime is imported when the plan is loaded, so before a service is ready, and computes in the thread that asks it:
a process in which a plan is loaded has no threads of it, and may fork.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from .nodes import Array, Model, finite, op

#: whoever sets it before the import has no thread that reports to the maker, no queue and no number of this machine on the disk
SILENT = "ORT_DISABLE_TELEMETRY"


def library() -> Any:
    """onnxruntime, silent: from 1.29 on it tells its maker what it does, from its import on. Raises ImportError."""
    before = os.environ.get(SILENT)
    os.environ[SILENT] = "1"  # it is read once, by the import
    try:
        import onnxruntime
    finally:
        if before is None:
            del os.environ[SILENT]
        else:
            os.environ[SILENT] = before
    onnxruntime.disable_telemetry_events()  # of Windows, and where the notebook had imported it before
    return onnxruntime


def session(content: bytes) -> Any:
    """A model of ONNX, ready to be asked: on the CPU, in the thread that asks, saying nothing on stderr."""
    runtime = library()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


@op("onnx")
class Session(Model):
    """``labels`` are a classifier's classes, as ONNX says them; ``outputs`` the names of its answer and its probabilities."""

    def __init__(self, node: Mapping[str, Any]) -> None:
        self._run = session(node["file"]).run
        self._outputs, self._nulls = node["outputs"], node["nulls"]
        self._numbers = None if node["labels"] is None else {label: i for i, label in enumerate(node["labels"])}
        self.gives = len(self._outputs) > 1

    def many(self, data: Array) -> tuple[list[Any], list[Any]]:
        finite(data, nulls=self._nulls)
        found = self._run(self._outputs, {"X": data})
        labels: list[Any] = found[0].reshape(len(data)).tolist()
        if self._numbers is not None:
            labels = [self._numbers[label] for label in labels]
        return labels, found[1].tolist() if self.gives else [None] * len(labels)
