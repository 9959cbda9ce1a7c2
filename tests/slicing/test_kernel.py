"""In a real kernel, loaded late, the slice is the same as the notebook."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def test_a_notebook_that_loads_late(project: Path, kernels: Callable[..., Any]) -> None:
    kernel = kernels()
    cells = [
        "import numpy as np\nRATE = 0.5  # chosen",
        "%%time\ndef helper(x):\n    return np.sqrt(x) * RATE",
        "class Clip:\n    top = 9\n    def run(self, x):\n        return min(x, self.top)",
        "clip = Clip()\nbad = 1 / 0",
        "%load_ext nbml",
        "%%capture out\ndef middle(x):\n    return helper(x) + clip.run(x)",
        "def predict(x):\n    return middle(x) * 2",
        "import nbml\nmade = nbml.slice('predict')\nprint(made.source)\nmade.write('out');",
    ]
    outcomes = [kernel.run(cell) for cell in cells]
    assert outcomes[-1].ok, outcomes[-1].error
    source = outcomes[-1].text
    for part in ["1\nRATE = 0.5  # chosen", "2\ndef helper", "3\nclass Clip", "6\ndef middle", "7\ndef predict"]:
        assert f"# cell {part}" in source, source
    there = kernel.run("print(predict(16))").text
    code = "import sys; sys.path.insert(0, sys.argv[1]); import predict; print(predict.predict(16))"
    done = subprocess.run([sys.executable, "-c", code, str(project / "out")], capture_output=True, text=True, cwd="/", check=True)
    assert done.stdout == there
