"""Runs of a real notebook kernel."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

import nbml
from conftest import Kernel, until
from nbml import store

pytestmark = pytest.mark.slow

CELL = """\
# the whole story
password = "hunter2-hunter2"
with nbml.track("cell") as run:
    nbml.log(auc=0.9)
run"""


def test_the_cell_and_its_notebook_are_recorded_and_a_killed_kernel_leaves_an_interrupted_run(
    project: Path, kernels: Callable[..., Kernel]
) -> None:
    (project / "work").mkdir()
    kernel = kernels(name="work/churn.ipynb")
    assert kernel.run("import nbml").ok
    shown = kernel.run(CELL)
    assert "[finished] cell@1 · auc 0.900" in shown.shown
    assert "text/html" in shown.outputs[0]
    run = nbml.run("cell")
    assert run.source == CELL.replace("hunter2-hunter2", "[redacted]")
    assert run.notebook == "work/churn.ipynb"
    # with the recorder that %load_ext attaches: the outermost running cell, also where one cell runs another
    assert kernel.run("from nbml.slicing import recorder; recorder.attach(get_ipython())").ok
    nested = "# outer\nget_ipython().run_cell('with nbml.track(\"nested\"): nbml.log(x=1)')"
    assert kernel.run(nested).ok
    assert nbml.run("nested").source == nested
    assert kernel.run("nbml.track('open').__enter__(); nbml.log(loss=1); nbml.log(loss=2)").ok
    open_ = nbml.run("open")
    assert until(lambda: open_.metrics) == {"loss": 2.0}
    assert open_.state == "running"
    until(lambda: store.current().result(open_._body["result"]), what="its picture")
    os.kill(kernel.pid, signal.SIGKILL)
    until(lambda: open_.state == "interrupted")
    assert open_.history("loss")["value"].tolist() == [1.0, 2.0]
    assert store.current().result(open_._body["result"])["word"] == "interrupted"


def test_interrupting_a_cell_ends_its_run_as_interrupted(kernels: Callable[..., Kernel]) -> None:
    kernel = kernels()
    code = (
        "import nbml, time, signal, os\n"
        "with nbml.track('stop') as run:\n    nbml.log(x=1)\n    os.kill(os.getpid(), signal.SIGINT)\n    time.sleep(60)"
    )
    outcome = kernel.run(code)
    assert outcome.error is not None
    assert outcome.error[0] == "KeyboardInterrupt"
    run = nbml.run("stop")
    assert (run.state, run.metrics) == ("interrupted", {"x": 1.0})
    assert kernel.run("nbml.log(x=1)").error[:2] == (
        "NotInRun", "nbml.log was called outside a run\nTry: with nbml.track(\"baseline\"): nbml.log(auc=0.91)",
    )  # fmt: skip
