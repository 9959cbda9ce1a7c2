"""Tuning in a real kernel: live, interrupted by a signal, killed, gone on with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import nbml
from conftest import Kernel, until
from nbml.store import Store, use

pytestmark = pytest.mark.slow

DATA = (
    "from sklearn.datasets import load_wine\n"
    "from sklearn.neighbors import KNeighborsClassifier\n"
    "X, y = load_wine(return_X_y=True, as_frame=True)\n"
)
#: waits in its fourth trial until a file is there
WAITING = (
    "%%nbml tune wait --direction minimize --trials 6 --seed 0\n"
    "import pathlib, time\n"
    "x = tune.float(0, 1)\n"
    "begun.append(x)\n"
    "pathlib.Path(f'trial{len(begun)}').touch()\n"
    "while len(begun) == 4 and not pathlib.Path('go').exists(): time.sleep(0.01)\n"
    "x"
)


def test_a_cell_is_live_and_ends_as_one_static_picture(kernel: Kernel, project: Path) -> None:
    assert kernel.run(DATA).ok
    cell = (
        "%%nbml tune wine --on X y --cv 2 --trials 3 --seed 0\n"
        "class Near(KNeighborsClassifier):\n"
        "    def shout(self): return 'near'\n"
        "Near(n_neighbors=tune.int(1, 20))"
    )
    outcome = kernel.run(cell)
    assert outcome.ok, outcome.error
    assert outcome.text == ""
    assert len(outcome.outputs) == 1
    assert outcome.outputs[0]["text/plain"].startswith("[tuning] wine")
    assert outcome.updates[-1]["text/plain"].startswith("[tuned] wine@1: accuracy 0.")
    assert kernel.run("'tune' in globals(), _.name").outputs[-1]["text/plain"] == "(False, 'wine')"
    shown = kernel.run('nbml = __import__("nbml"); nbml.study("wine")')
    assert shown.outputs[0]["text/plain"] == outcome.updates[-1]["text/plain"]
    applied = kernel.run('nbml.study("wine").apply()')
    assert [p["source"] for p in applied.payload] == ["set_next_input"]
    text = applied.payload[0]["text"]
    assert text.startswith("# best of wine@1: accuracy 0.")
    assert "class Near(KNeighborsClassifier):\n    def shout(self): return 'near'\nNear(n_neighbors=" in text
    assert kernel.run(text).ok
    broken = kernel.run("%%nbml tune bad --on X y\nmodel = 1\nmodel.fit")
    assert broken.error is not None
    assert "----> 3 model.fit" in broken.error[2]
    later = "import nbml; model = nbml.study('wine').best_estimator; print(model.shout(), model.n_features_in_)"
    told = subprocess.run([sys.executable, "-c", later], cwd=project, capture_output=True, text=True, check=False)
    assert told.stdout == "near 13\n", told.stderr


def begun(kernel: Kernel, project: Path) -> Any:
    """Runs the waiting cell in a thread, and comes back in its fourth trial."""
    outcomes: list[Any] = []

    def work() -> None:
        try:
            outcomes.append(kernel.run(WAITING, timeout=60))
        except Exception as error:  # the kernel was killed
            outcomes.append(error)

    assert kernel.run("begun = []").ok
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    until((project / "trial4").exists, what="the fourth trial")
    return thread, outcomes


def test_a_real_interrupt_keeps_what_was_finished(kernel: Kernel, project: Path) -> None:
    thread, outcomes = begun(kernel, project)
    os.kill(kernel.pid, signal.SIGINT)
    thread.join(30)
    outcome = outcomes[0]
    assert outcome.error is not None
    assert outcome.error[0] == "KeyboardInterrupt"
    assert outcome.updates[-1]["text/plain"].startswith("[interrupted] wait@1: score ")
    assert "3 of 6 trials" in outcome.updates[-1]["text/plain"]
    again = kernel.run(WAITING)
    assert again.ok
    assert "6 trials" in again.updates[-1]["text/plain"]
    assert kernel.run("len(begun), begun[3] == begun[4]").outputs[-1]["text/plain"] == "(7, True)"


def test_kill_9_loses_no_finished_trial_and_the_next_kernel_goes_on(kernels: Callable[..., Kernel], project: Path) -> None:
    first = kernels()
    assert first.run("%load_ext nbml").ok
    begun(first, project)
    reader = Store(project)
    until(lambda: reader.read("SELECT count(*) FROM trial")[0][0] == 3, 2, "three trials in the record")
    os.kill(first.pid, signal.SIGKILL)
    use(project)
    until(lambda: nbml.study("wait").state == "interrupted")
    found = nbml.study("wait")
    assert found.thing.state == "running"
    assert len(found.trials) == 3
    assert repr(found).startswith("[interrupted] wait@1: score ")
    (project / "go").touch()
    second = kernels()
    assert second.run("%load_ext nbml\nbegun = []").ok
    outcome = second.run(WAITING)
    assert outcome.ok
    trials = nbml.study("wait").trials
    assert trials["x"][:3].tolist() == found.trials["x"].tolist()
    assert (len(trials), nbml.study("wait").version) == (6, 1)
    assert second.run("len(begun)").outputs[-1]["text/plain"] == "3"
