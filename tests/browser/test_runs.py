"""Ten thousand runs in the panel of a real JupyterLab: listed, searched, grouped, opened, compared."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from browser import many_runs
from browser.conftest import Seat

pytestmark = [pytest.mark.browser, pytest.mark.slow]
NOTEBOOK = "runs.ipynb"


@pytest.fixture(scope="module")
def ready(seat: Seat, work: Path) -> Seat:
    """JupyterLab on a notebook whose kernel is not started, in a project of 10,005 runs; the list of all of them is open."""
    subprocess.run([sys.executable, str(Path(many_runs.__file__)), str(work), "10000", "odd"], cwd=work, check=True)
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": "1", "execution_count": None, "outputs": []}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    (work / NOTEBOOK).write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": [cell]}))
    seat.open(NOTEBOOK, connect=False)
    seat.page.locator("section[data-kind='run'] .jp-nbml-all").click()
    seat.page.get_by_text("10,005 runs", exact=True).wait_for()
    return seat


def listed(seat: Seat) -> Any:
    return seat.page.locator(".jp-nbml-runs")


def said(seat: Seat, text: str) -> None:
    """Wait until the list says so of itself."""
    listed(seat).locator(".jp-nbml-runs-said").first.get_by_text(text, exact=True).wait_for()


def test_only_the_lines_that_are_seen_are_drawn_and_the_end_is_a_key_away(ready: Seat) -> None:
    lines = listed(ready).locator(".jp-nbml-run")
    assert 0 < lines.count() < 100
    lines.first.locator(".jp-nbml-main").focus()
    ready.page.keyboard.press("End")
    listed(ready).get_by_role("button", name=re.compile(r"^baseline@1, ")).wait_for()
    assert lines.count() < 100
    ready.page.keyboard.press("Home")
    listed(ready).get_by_role("button", name=re.compile(r"^odd@5")).wait_for()


def test_a_search_compares_metrics_and_groups_are_counted(ready: Seat) -> None:
    box = listed(ready).locator("input[type=search]")
    box.fill("boosting auc>0.949")
    found = [n for n in range(10_000) if many_runs.NAMES[n * 7 % 8] == "boosting" and many_runs.run(n, 10_000).series["auc"][2][0] > 0.949]
    assert found
    said(ready, f"{len(found)} of 10,005 runs")
    box.fill("target-leak")
    listed(ready).locator("select").select_option("name")
    heads = listed(ready).locator(".jp-nbml-group .jp-nbml-name")
    heads.first.wait_for()
    assert set(heads.all_inner_texts()) <= {*many_runs.NAMES, "odd"}
    box.fill("")
    listed(ready).locator("select").select_option("none")
    said(ready, "10,005 runs")


def test_the_version_is_whole_in_a_narrow_panel(ready: Seat) -> None:
    cut = "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).length"
    assert listed(ready).locator(".jp-nbml-run .jp-nbml-name > :last-child").evaluate_all(cut) == 0


def test_two_runs_are_chosen_and_compared_and_no_text_of_theirs_is_run(ready: Seat) -> None:
    listed(ready).locator("input[type=search]").fill("stacked")
    boxes = listed(ready).locator(".jp-nbml-run input[type=checkbox]")
    listed(ready).get_by_role("button", name=re.compile("^stacked@")).first.wait_for()
    boxes.nth(0).check()
    boxes.nth(1).check()
    listed(ready).locator(".jp-nbml-compare").click()
    view = ready.page.locator(".jp-nbml-detail:visible")
    view.get_by_role("table").first.wait_for()
    view.get_by_text("auc", exact=True).first.wait_for()
    view.locator("details > summary").last.click()
    ready.picture("runs-compared")
    listed(ready).locator("input[type=search]").fill("odd")
    listed(ready).get_by_role("button", name=re.compile("^odd@5")).click()
    ready.page.locator(".jp-nbml-detail:visible").get_by_text("onerror").first.wait_for()
    assert ready.page.evaluate("window.pwned") is None
    assert ready.outside == []
