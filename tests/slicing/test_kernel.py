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


def test_a_notebook_of_papermill_and_one_of_vs_code(project: Path, kernels: Callable[..., Any]) -> None:
    """Papermill runs an injected cell of parameters after the tagged one; VS Code sets a name and gives cells ids of its own."""
    (project / "limits.json").write_text('{"top": 50}')
    kernel = kernels()
    cells = [
        "__vsc_ipynb_file__ = '/somewhere/else/test.ipynb'",
        "# Parameters of the page\nrate = 0.1",
        "# Parameters\nrate = 0.5",
        "%load_ext nbml",
        "def helper(x):\n    return -1",
        "def helper(x):\n    return x * rate",
        "half = 2\ndef late(x):\n    return x\nraise ValueError('stop')\nrate = 9",
        "%%time\nimport json\ndef predict(x):\n    with open('limits.json') as file:\n"
        "        return min(helper(x) + late(half), json.load(file)['top'])",
        "import nbml\nmade = nbml.slice('predict')\nmade.write('out')\nprint(made.source, made.environment)",
    ]
    outcomes = [kernel.run(cell) for cell in cells]
    assert outcomes[-1].ok, outcomes[-1].error
    assert "__vsc_ipynb_file__" not in outcomes[-1].text
    assert "rate = 0.5" in outcomes[-1].text
    there = kernel.run("print(predict(16), predict(1000))").text
    (project / "limits.json").unlink()
    code = "import sys; sys.path.insert(0, sys.argv[1]); import predict; print(predict.predict(16), predict.predict(1000))"
    done = subprocess.run([sys.executable, "-c", code, str(project / "out")], capture_output=True, text=True, cwd="/", check=True)
    assert done.stdout == there == "10.0 50\n"
