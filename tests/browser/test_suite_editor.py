"""The suite editor in a real JupyterLab: handles are dragged, chips removed, the cell is written and run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from browser.conftest import Seat
from browser.test_kernels import done, run_cell, write

pytestmark = [pytest.mark.browser, pytest.mark.slow]
FRAME = """\
import pandas as pd
%load_ext nbml
df = pd.DataFrame({
    "age": [20 + i % 60 for i in range(300)],
    "pay": [10.5 + i / 7 for i in range(300)],
    "plan": ["basic", "pro", "team"] * 100,
})"""
SUITE = """\
%%nbml expect churn --on df
10 <= age <= 90
plan in {"basic", "pro", "team"}
rows > 100  # a quiet month"""
SOURCES = "() => [...window.jupyterapp.shell.currentWidget.content.model.cells].map(c => c.sharedModel.getSource())"


@pytest.fixture(scope="module")
def opened(seat: Seat, work: Path) -> Seat:
    """The form of a suite that is there, over a frame for which all of it holds."""
    write(work / "editor.ipynb", FRAME, SUITE, "%nbml expect churn --edit --on df")
    seat.open("editor.ipynb")
    for number in range(3):
        run_cell(seat, number)
        done(seat, number)
    seat.page.locator(".noUi-handle").first.wait_for()
    return seat


def form(seat: Seat) -> Any:
    return seat.page.locator(".jp-Notebook .jp-CodeCell").nth(2)


def row(seat: Seat, column: str) -> Any:
    """The handles of a column, and what is said of it."""
    head = seat.page.locator(".widget-html-content b", has_text=column)
    return form(seat).locator(".widget-vbox > .widget-hbox", has=head).first


def test_the_form_shows_what_holds(opened: Seat) -> None:
    assert "3 of 3 lines hold" in form(opened).inner_text()
    assert [row(opened, name).locator("img").count() for name in ("age", "pay", "plan")] == [1, 1, 1]
    for theme in ("dark", "light"):
        opened.theme(theme)
        opened.picture(f"editor-{theme}")


def test_a_handle_is_dragged_and_the_verdict_follows(opened: Seat) -> None:
    age = row(opened, "age")
    assert age.locator(".widget-readout").inner_text() == "10 – 90"
    box = age.locator(".noUi-handle-lower").bounding_box()
    assert box is not None
    mouse = opened.page.mouse
    mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    mouse.down()
    mouse.move(box["x"] + box["width"] / 2 + 120, box["y"] + box["height"] / 2, steps=8)
    mouse.up()
    age.locator("text=rows broken").wait_for()
    assert "fails" in age.inner_text()
    form(opened).locator("text=2 of 3 lines hold").wait_for()
    low = int(age.locator(".widget-readout").inner_text().split(" – ")[0])
    assert low > 20
    lower = age.locator(".noUi-handle-lower")
    lower.focus()
    for _ in range(low - 20):
        lower.press("ArrowLeft")
    age.locator("text=holds").wait_for()
    assert age.locator(".widget-readout").inner_text() == "20 – 90"


def test_a_chip_is_removed_and_the_verdict_follows(opened: Seat) -> None:
    plan = row(opened, "plan")
    plan.locator(".jupyter-widget-tag", has_text="team").locator(".jupyter-widget-tag-close").click()
    plan.locator("text=100 rows broken").wait_for()
    form(opened).locator("text=2 of 3 lines hold").wait_for()
    opened.picture("editor-fails")


def test_the_button_writes_the_cell_and_the_cell_validates(opened: Seat) -> None:
    opened.page.locator("button", has_text="Write cell").click()
    opened.page.wait_for_function(f"() => ({SOURCES})().length === 4")
    written = "%%nbml expect churn --on df\n20 <= age <= 90\nplan in {'basic', 'pro'}\nrows > 100  # a quiet month"
    assert opened.page.evaluate(SOURCES)[3] == written
    ended = form(opened).locator(".jp-nbml-result")
    ended.wait_for()
    assert opened.page.locator(".noUi-handle").count() == 0
    lines = ended.locator(".jp-nbml-next code")
    assert lines.inner_text() == written, "the lines of a proposed cell are as it has them"
    assert lines.evaluate("c => getComputedStyle(c).textAlign") == "left"
    opened.picture("editor-written")
    run_cell(opened, 3)
    done(opened, 3)
    checked = opened.page.locator(".jp-Notebook .jp-CodeCell").nth(3).locator(".jp-nbml-result")
    checked.locator("text=1 of 3 expectations fail").wait_for()
    assert "plan in {'basic', 'pro'}" in checked.inner_text()
    assert '"team"' in checked.inner_text()
    opened.picture("editor-ran")


def test_nothing_was_fetched_from_elsewhere_and_nothing_failed(opened: Seat) -> None:
    assert opened.outside == []
    assert opened.errors == []
