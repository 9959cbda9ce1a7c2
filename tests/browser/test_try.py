"""The preview and the try-it form in JupyterLab: a slider moves, the answer follows, and after Close the form is static."""

from __future__ import annotations

from pathlib import Path

import pytest

from browser.conftest import Seat
from browser.test_kernels import run_cell, write
from conftest import until

pytestmark = pytest.mark.slow

FIT = """\
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression

X, y = load_wine(as_frame=True, return_X_y=True)
X = X[["alcohol", "ash", "hue"]].assign(region="north")
wine = LogisticRegression(max_iter=5000).fit(X[["alcohol", "ash", "hue"]], y)


def predict(df):
    return wine.predict(df[["alcohol", "ash", "hue"]]) + 10 * (df["region"] == "north")"""
CELLS = ("%load_ext nbml", FIT, "%nbml package predict --name wine --on X --preview", "%nbml try wine")


def test_a_slider_asks_and_close_leaves_a_static_form(seat: Seat, work: Path) -> None:
    write(work / "try.ipynb", *CELLS)
    seat.open("try.ipynb")
    for number in range(len(CELLS)):
        run_cell(seat, number)
    seat.page.wait_for_selector(".widget-slider, .jupyter-widget-slider", timeout=120_000)
    form = seat.page.locator(".jp-OutputArea-output:has(.widget-slider), .jp-OutputArea-output:has(.jupyter-widget-slider)").last
    handle = form.locator(".noUi-handle").first
    handle.focus()
    seat.page.keyboard.press("ArrowRight")
    until(lambda: "answered" in form.inner_text(), 60, "the answer follows the slider")
    form.scroll_into_view_if_needed()
    seat.picture("try-light")
    seat.theme("dark")
    form.scroll_into_view_if_needed()
    seat.picture("try-dark")
    seat.theme("light")
    seat.page.get_by_role("button", name="Close", exact=True).first.click()
    until(lambda: not seat.page.locator(".noUi-handle").count(), 30, "no widget is left")
    assert "wine@preview" in seat.page.locator(".jp-Notebook").inner_text()
    assert seat.outside == []
