"""What a run takes from the cell of a real kernel: the figures that it shows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import nbml
from conftest import Kernel, until

pytestmark = pytest.mark.slow

SETUP = """
%matplotlib inline
import functools, nbml
import matplotlib.pyplot as plt
from matplotlib.figure import Figure
drawn, before = [], Figure.draw
Figure.draw = functools.wraps(before)(lambda self, renderer: (drawn.append(self), before(self, renderer))[1])
def shell_is_as_before():
    shell = get_ipython()
    return 'format' not in vars(shell.display_formatter) and 'publish' not in vars(shell.display_pub)
"""
PLOT = "plt.plot([1, 2, 3]); plt.title('loss')\nplt.figure(); plt.plot([3, 1]); plt.suptitle('second')\n"


def test_figures_are_kept_as_they_are_shown_and_drawn_once(project: Path, kernel: Kernel) -> None:
    assert kernel.run(SETUP).ok
    assert kernel.run(PLOT).ok
    alone = int(kernel.run("print(len(drawn)); drawn.clear()").text)
    shown = kernel.run(f"%%nbml track drawn\n{PLOT}")
    run = nbml.run("drawn")
    until(lambda: run._body.get("figures"))
    assert [(one.title, one.kind) for one in run.figures] == [("loss", "image/png"), ("second", "image/png")]
    assert all(one.png.startswith(b"\x89PNG") for one in run.figures)
    assert sum("image/png" in bundle for bundle in shown.outputs) == 2
    assert kernel.run("print(len(drawn), shell_is_as_before())").text.strip() == f"{alone} True"

    failed = kernel.run("%%nbml track failed\nplt.plot([1]); plt.title('half')\n1 / 0")
    assert failed.error[0] == "ZeroDivisionError"
    until(lambda: nbml.run("failed")._body.get("figures"))
    assert [one.title for one in nbml.run("failed").figures] == ["half"]

    loop = "for i in range(3):\n    with nbml.track('loop'):\n        plt.figure(); plt.plot([i]); plt.title(f't{i}')"
    assert kernel.run(loop).ok
    until(lambda: nbml.run("loop@3")._body.get("figures"))
    assert [[one.title for one in nbml.run(f"loop@{n}").figures] for n in (1, 2, 3)] == [["t0"], ["t1"], ["t2"]]


def test_figures_of_plotly_and_altair_are_kept_without_private_columns(project: Path, kernel: Kernel) -> None:
    (project / "nbml.toml").write_text('[data]\nprivate = ["income"]\n')
    setup = "import nbml, altair as alt, pandas as pd, plotly.graph_objects as go\n"
    setup += "frame = pd.DataFrame({'a': [1], 'b': [2], 'income': [77123]})"
    assert kernel.run(setup).ok
    cell = "%%nbml track drawn\ngo.Figure(data=go.Bar(y=[2, 3]), layout_title_text='bars').show()\n"
    cell += "display(alt.Chart(frame).mark_point().encode(x='a', y='income'))\n"
    cell += "alt.Chart(frame[['a', 'b']], title='points').mark_point().encode(x='a', y='b')"
    assert kernel.run(cell).ok
    run = nbml.run("drawn")
    until(lambda: run._body.get("figures"))
    assert [one.title for one in run.figures] == ["bars", "points"]
    assert run.figures[0].kind.startswith("application/vnd.plotly.")
    assert json.loads(run.figures[0].content)["data"][0]["type"] == "bar"
    assert run._body["figures_left"] == 1
    assert run.figures[0].png == b""
    for file in (project / ".nbml" / "blobs").rglob("*"):
        assert not file.is_file() or b"77123" not in file.read_bytes()


def test_an_interrupted_cell_leaves_everything_in_order(project: Path, kernel: Kernel) -> None:
    code = "%%nbml track stop\nimport os, signal, time\nnbml.log(x=1)\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(60)"
    assert kernel.run("import nbml").ok
    assert kernel.run(code).error[0] == "KeyboardInterrupt"
    run = nbml.run("stop")
    assert (run.state, run.metrics) == ("interrupted", {"x": 1.0})
    again = kernel.run("with nbml.track('next') as run:\n    nbml.log(x=2)\nprint(run.state)")
    assert again.text == "finished\n"


def test_an_async_cell_logs_to_its_own_runs(project: Path, kernel: Kernel) -> None:
    code = """
import asyncio, nbml
async def work(name, value):
    with nbml.track(name):
        for _ in range(3):
            await asyncio.sleep(0)
            nbml.log(x=value)
await asyncio.gather(work("a", 1), work("b", 2))
"""
    assert kernel.run(code).ok
    assert [nbml.run(name).history("x")["value"].tolist() for name in "ab"] == [[1.0] * 3, [2.0] * 3]
