"""The panel beside kernels that are busy, restarted, killed, or two; a model of the notebook deployed by a visible cell."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from browser.conftest import Seat

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FIT = """\
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression

X, y = load_wine(as_frame=True, return_X_y=True)
wine_model = LogisticRegression(max_iter=5000).fit(X[["alcohol", "ash"]], y)"""
#: writes points until a file appears
WAIT = """\
import pathlib, time, nbml
with nbml.track("{name}"):
    step = 0
    while not pathlib.Path("{name}.stop").exists():
        nbml.log(loss=100.0 - step)
        step += 1
        time.sleep(0.02)"""


def write(path: Path, *cells: str) -> None:
    """A notebook of code cells."""
    notebook = nbformat.v4.new_notebook()
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    nbformat.write(notebook, path)


@pytest.fixture(scope="module")
def notebooks(work: Path) -> Iterator[Path]:
    write(work / "one.ipynb", "%load_ext nbml", FIT, WAIT.format(name="first"))
    write(work / "two.ipynb", "%load_ext nbml", WAIT.format(name="second"))
    yield work
    subprocess.run([sys.executable, "-m", "nbml", "stop", "wine-model"], cwd=work, check=False, capture_output=True)


def run_cell(seat: Seat, number: int) -> None:
    """Select a cell and run it; does not wait for its end."""
    seat.page.evaluate(
        "i => { const p = window.jupyterapp.shell.currentWidget; p.content.activeCellIndex = i;"
        " void window.jupyterapp.commands.execute('notebook:run-cell') }", number
    )


def done(seat: Seat, number: int) -> None:
    """Wait until a cell has its number."""
    seat.page.wait_for_function(
        "i => { const c = window.jupyterapp.shell.currentWidget.content.widgets[i];"
        " return !!c.model.executionCount && !c.node.querySelector('.jp-InputPrompt').textContent.includes('*') }", arg=number
    )


def busy(seat: Seat, number: int) -> bool:
    prompt = seat.page.evaluate(
        "i => window.jupyterapp.shell.currentWidget.content.widgets[i].node.querySelector('.jp-InputPrompt').textContent", number
    )
    return "[*]" in prompt


def row(seat: Seat, name: str) -> Any:
    return seat.panel("run").filter(has=seat.page.locator(".jp-nbml-name", has_text=name)).first


def moves(seat: Seat, name: str) -> None:
    """The run's figure in the panel becomes another."""
    figure = row(seat, name).locator(".jp-nbml-figure")
    figure.wait_for()
    before = figure.inner_text()
    seat.page.wait_for_function(
        "([name, before]) => [...document.querySelectorAll(\"#nbml-panel section[data-kind='run'] .jp-nbml-row\")].some(r =>"
        " r.querySelector('.jp-nbml-name').textContent === name && r.querySelector('.jp-nbml-figure').textContent !== before)",
        arg=[name, before],
    )


def test_two_busy_kernels_then_a_restart_then_a_kill(seat: Seat, notebooks: Path) -> None:
    seat.open("one.ipynb")
    for number in (0, 1):
        run_cell(seat, number)
        done(seat, number)
    run_cell(seat, 2)
    moves(seat, "first")
    assert busy(seat, 2), "the panel moved while the prompt shows [*]"

    seat.page.evaluate("() => { void window.jupyterapp.commands.execute('docmanager:open', { path: 'two.ipynb' }) }")
    seat.page.wait_for_function("() => window.jupyterapp.shell.currentWidget?.context?.path === 'two.ipynb'")
    seat.page.evaluate(
        "async () => { const p = window.jupyterapp.shell.currentWidget; await p.context.ready; await p.sessionContext.ready }"
    )
    run_cell(seat, 0)
    done(seat, 0)
    run_cell(seat, 1)
    moves(seat, "second")
    moves(seat, "first")  # the other notebook's kernel is busy too, and its row goes on
    assert busy(seat, 1)

    seat.page.evaluate("() => { void window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart() }")
    interrupted = row(seat, "second").locator(".jp-nbml-figure", has_text="interrupted")
    interrupted.wait_for()
    moves(seat, "first")
    (notebooks / "first.stop").touch()
    finished = row(seat, "first").locator("[data-state='well']")
    finished.wait_for()


def test_a_model_of_the_notebook_is_deployed_by_a_visible_cell(seat: Seat, notebooks: Path) -> None:
    write(notebooks / "three.ipynb", "%load_ext nbml", FIT)
    seat.open("three.ipynb")
    for number in (0, 1):
        run_cell(seat, number)
        done(seat, number)
    seat.page.wait_for_selector("#nbml-panel")
    seat.page.locator(".jp-NotebookPanel-toolbar [data-jp-item-name='nbml-deploy'] jp-button").click()
    dialog = seat.page.locator("dialog.jp-nbml-dialog")
    dialog.locator("option", has_text="fitted in this notebook").first.wait_for(state="attached")
    option = dialog.locator("#jp-nbml-what option", has_text="wine_model")
    dialog.locator("#jp-nbml-what").select_option(value=option.get_attribute("value"))
    line = "%nbml deploy wine_model --name wine-model --to local"
    assert line in dialog.inner_text()
    dialog.locator("button", has_text="Deploy").last.click()
    seat.page.wait_for_selector("dialog .jp-nbml-reply, dialog textarea", timeout=120_000)
    assert "is running" in dialog.locator("h2").inner_text()
    dialog.locator("button", has_text="Predict").click()
    dialog.locator(".jp-nbml-reply[data-state='well']").wait_for()
    dialog.locator("button", has_text="Close").click()
    sources = seat.page.evaluate(
        "() => [...window.jupyterapp.shell.currentWidget.content.model.cells].map(c => c.sharedModel.getSource())"
    )
    assert line in sources
    assert seat.panel("deployment").count() == 1


def test_nothing_was_fetched_from_elsewhere(seat: Seat) -> None:
    assert seat.outside == []
