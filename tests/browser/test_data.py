"""The panel's Data and Validations in a real JupyterLab: histories, two versions held against each other, long results."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from browser import history
from browser.conftest import Seat
from nbml.store import Store

pytestmark = [pytest.mark.browser, pytest.mark.slow]
NOTEBOOK = "results.ipynb"


@pytest.fixture(scope="module")
def ready(seat: Seat, work: Path) -> Seat:
    """JupyterLab on the notebook, no kernel started, the project filled by another process."""
    subprocess.run([sys.executable, str(Path(history.__file__)), str(work)], cwd=work, check=True)
    seat.open(NOTEBOOK, connect=False)
    seat.panel("dataset").first.wait_for()
    return seat


def opened(seat: Seat, kind: str, name: str) -> Any:
    """The detail view of a row of the panel."""
    seat.panel(kind).filter(has=seat.page.locator(".jp-nbml-name", has_text=name)).first.locator(".jp-nbml-main").click()
    view = seat.page.locator(".jp-nbml-detail:visible .jp-nbml-history")
    view.locator(".jp-nbml-result").nth(1).wait_for()
    return view


def back(seat: Seat) -> None:
    seat.page.locator("li.lm-TabBar-tab", has_text=NOTEBOOK).first.click()


def shown(seat: Seat, number: int) -> Any:
    """The result of a cell of the notebook."""
    cell = seat.page.locator(".jp-Notebook .jp-CodeCell").nth(number)
    cell.scroll_into_view_if_needed()
    result = cell.locator(".jp-nbml-result")
    result.wait_for()
    return result


def test_one_row_for_a_dataset_and_one_for_what_a_suite_checks(ready: Seat) -> None:
    names = ready.panel("dataset").locator(".jp-nbml-name").all_inner_texts()
    assert names == ["hostile@2", "once@1", "deliveries@9"]
    assert ready.panel("dataset").nth(2).locator(".jp-nbml-spark[data-state='look']").count() == 1
    checks = ready.panel("validation")
    assert checks.locator(".jp-nbml-name").all_inner_texts() == ["hostile", "deliveries", "levels"]
    strip = checks.nth(1).locator(".jp-nbml-strip")
    assert strip.get_attribute("aria-label") == "3 of the last 6 passed"
    states = [box.get_attribute("data-state") for box in strip.locator("rect").all()]
    assert states == ["well"] * 3 + ["bad"] * 3
    assert ready.page.locator("section[data-kind='validation'] .jp-nbml-count").inner_text() == "3"


def test_the_history_of_a_dataset(ready: Seat, work: Path) -> None:
    view = opened(ready, "dataset", "deliveries")
    rows = view.locator(".jp-nbml-versions tbody tr")
    assert rows.count() == history.VERSIONS
    assert rows.first.locator("td").nth(2).inner_text() == "@9"
    assert rows.first.locator(".jp-nbml-chip", has_text="rows-lost").count() == 1
    assert rows.last.locator("td").nth(8).inner_text() == "the first week"
    picture = view.locator("svg.jp-nbml-axes")
    assert picture.locator("circle").count() == history.VERSIONS
    assert "deliveries@9" in (picture.get_attribute("aria-label") or "")
    assert picture.locator("circle[data-state='look']").count() == len(warned(work)) >= 1
    # the report of the version that is chosen is below
    assert "deliveries@9" in view.locator(".jp-nbml-result").nth(1).inner_text()
    rows.last.locator("button").click()
    view.locator(".jp-nbml-result").nth(1).locator("text=deliveries@1").first.wait_for()


def warned(work: Path) -> list[int]:
    """Versions of the deliveries that the record has warnings of."""
    store = Store(work)
    try:
        return [thing.version for thing in store.versions("dataset", "deliveries") if thing.body["warnings"]]
    finally:
        store.close()


def test_two_versions_are_held_against_each_other(ready: Seat) -> None:
    view = opened(ready, "dataset", "deliveries")
    assert view.locator(".jp-nbml-acts code").inner_text() == "%nbml diff deliveries@8 deliveries@9"
    view.locator("input[aria-label='Compare from deliveries@6']").check()
    assert view.locator(".jp-nbml-acts code").inner_text() == "%nbml diff deliveries@6 deliveries@9"
    view.locator("button", has_text="Compare").click()
    view.locator(".jp-nbml-result").nth(1).wait_for(timeout=60_000)
    said = view.locator(".jp-nbml-result").nth(1).inner_text()
    assert "weight_kg" in said
    assert "rows" in said
    for theme in ("light", "dark"):
        ready.theme(theme)
        ready.picture(f"data-diff-{theme}")
    keys = view.locator("input[placeholder='key columns']")
    keys.fill("parcel")
    assert view.locator(".jp-nbml-acts code").inner_text() == "%nbml diff deliveries@6 deliveries@9 --key parcel"
    keys.press("Enter")
    by_key = view.locator(".jp-nbml-result").nth(1)
    by_key.locator("text=rows by").first.wait_for(timeout=60_000)
    assert "_." not in [line[:2] for line in by_key.locator(".jp-nbml-next code").all_inner_texts()], "there is no _ here"
    view.locator("button", has_text="Drift").click()
    view.locator(".jp-nbml-result .jp-nbml-chip", has_text="drifted").first.wait_for(timeout=60_000)
    ready.picture("data-drift-dark")
    ready.theme("light")


def test_the_history_of_checks(ready: Seat) -> None:
    view = opened(ready, "validation", "deliveries")
    first = view.locator(".jp-nbml-result").first
    assert "9 checks · 3 failed" in first.inner_text()
    boxes = first.locator(".jp-nbml-checks button")
    assert [box.get_attribute("data-state") for box in boxes.all()] == ["well"] * 6 + ["bad"] * 3
    report = view.locator(".jp-nbml-result").nth(1)
    assert 'nbml.validate("deliveries@9", "deliveries@1").failing_rows()' in report.locator(".jp-nbml-next").inner_text()
    line = first.locator(".jp-nbml-versions tbody tr").first
    assert line.locator("code").inner_text() == "0.1 <= weight_kg <= 40"
    assert line.locator("td").nth(3).inner_text().startswith("deliveries@7")
    # the keyboard walks over the checks, and their reports follow
    boxes.last.focus()
    ready.page.keyboard.press("Home")
    view.locator(".jp-nbml-result").nth(1).locator("text=deliveries@1").first.wait_for()
    assert boxes.first.evaluate("box => box === document.activeElement")
    first.locator("summary", has_text="the suite deliveries@1").click()
    assert "unique(parcel)" in first.locator("pre").inner_text()
    first.locator("button", has_text="Open the suite").click()
    ready.page.locator(".jp-nbml-detail:visible .jp-nbml-result", has_text="as Great Expectations JSON").wait_for()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures(ready: Seat, theme: str) -> None:
    ready.theme(theme)
    for kind in ("dataset", "validation"):
        view = opened(ready, kind, "deliveries")
        ready.page.mouse.move(900, 900)
        ready.picture(f"data-{kind}-{theme}")
        wide = view.evaluate("v => { const d = v.closest('.jp-nbml-detail'); return [d.scrollWidth, d.clientWidth] }")
        assert wide[0] <= wide[1]
    wide = ready.page.evaluate("() => { const p = document.querySelector('#nbml-panel'); return [p.scrollWidth, p.clientWidth] }")
    assert wide[0] <= wide[1]
    ready.theme("light")
    back(ready)


def test_an_expectation_unfolds_to_its_unexpected_values(ready: Seat) -> None:
    back(ready)
    result = shown(ready, 0)
    fold = result.locator("button[aria-expanded]").first
    fold.focus()
    ready.page.keyboard.press("Enter")
    values = result.locator(".jp-nbml-values")
    values.locator("td").first.wait_for()
    assert "unexpected value" in values.inner_text()
    assert "rows" in values.locator("p").inner_text()
    assert fold.get_attribute("aria-expanded") == "true"
    for theme in ("light", "dark"):
        ready.theme(theme)
        ready.picture(f"data-unfolded-{theme}")
    ready.theme("light")
    fold.click()
    assert values.count() == 0


def test_a_long_table_is_read_page_by_page_and_sorted_whole(ready: Seat) -> None:
    result = shown(ready, 2)
    status = result.locator(".jp-nbml-bar [role='status']")
    assert status.inner_text() == "12,000 rows"
    asked: list[str] = []
    ready.page.on("request", lambda r: asked.append(r.url) if "/api/v1/rows/" in r.url else None)
    points = result.locator("th button", has_text="points")
    points.click()
    points.click()
    top = result.locator("tbody tr").first.locator("td").nth(1)
    ready.page.wait_for_function("td => td.textContent === '11,999'", arg=top.element_handle())
    assert len(asked) >= 1
    result.locator("input[type='search']").fill("parcel 11998")
    ready.page.wait_for_function("s => s.textContent === '1 of 12,000 rows'", arg=status.element_handle())


def test_a_picture_is_enlarged_and_closed_by_the_keyboard(ready: Seat) -> None:
    result = shown(ready, 3)
    for picture in result.locator(".jp-nbml-picture").all():
        picture.focus()
        ready.page.keyboard.press("Enter")
        ready.page.locator("dialog.jp-nbml-large[open]").wait_for()
        ready.page.keyboard.press("Escape")
        ready.page.locator("dialog.jp-nbml-large").wait_for(state="detached")
        assert picture.evaluate("button => button === document.activeElement")


def test_names_that_look_like_html_or_turn_the_text_are_harmless(ready: Seat) -> None:
    view = opened(ready, "dataset", "hostile")
    assert history.HOSTILE in view.inner_text()
    ready.picture("data-hostile")
    checks = opened(ready, "validation", "hostile")
    text = checks.inner_text()
    assert history.HOSTILE in text
    assert not {"\u202e", "\u0007"} & set(view.inner_text() + text)
    wide = checks.evaluate("v => { const d = v.closest('.jp-nbml-detail'); return [d.scrollWidth, d.clientWidth] }")
    assert wide[0] <= wide[1]
    ready.picture("checks-hostile")
    assert ready.page.evaluate("() => window.pwned === undefined")
    back(ready)
    assert history.HOSTILE in shown(ready, 1).inner_text()


def test_values_that_look_like_html_or_turn_the_text_are_harmless(ready: Seat) -> None:
    back(ready)
    result = shown(ready, 1)
    line = result.locator("tbody tr", has=ready.page.locator("code", has_text="said in {'nothing'}"))
    line.locator("button[aria-expanded]").click()
    values = result.locator(".jp-nbml-values")
    values.locator("td").first.wait_for()
    told = [code.inner_text() for code in values.locator("code").all()]
    turned = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in json.dumps(history.SAID, ensure_ascii=False))
    assert told == [json.dumps(history.HOSTILE), turned]
    assert "\\u202eturned\\u0000over" in turned
    assert not [c for c in result.inner_text() if not c.isprintable() and c not in "\n\t"]
    assert json.dumps(history.HOSTILE) in line.inner_text()
    ready.picture("unfolded-hostile")
    line.locator("button[aria-expanded]").click()
    assert ready.page.evaluate("() => window.pwned === undefined")


def test_a_gauge_and_an_allowed_share_are_drawn_as_in_the_static_form(ready: Seat, work: Path) -> None:
    """What an exported notebook shows and what JupyterLab shows are two programs; here they are compared."""
    back(ready)
    result = shown(ready, 4)
    [output] = json.loads((work / NOTEBOOK).read_text())["cells"][4]["outputs"]
    static = output["data"]["text/html"]
    drawn = re.findall(r'<img alt="([^"]*)" width="110" height="14"[^>]*base64,([^"]*)"', static)
    assert [alt for alt, _ in drawn] == [svg.get_attribute("aria-label") for svg in result.locator(".jp-nbml-gauge").all()]
    assert len(drawn) == 3
    for (_, picture), svg in zip(drawn, result.locator(".jp-nbml-gauge").all(), strict=True):
        source = base64.b64decode(picture).decode()
        there = [tuple(map(float, pair)) for pair in re.findall(r'<rect x="([\d.]+)"[^>]*? width="([\d.]+)"', source)]
        here = [(float(r.get_attribute("x") or 0), float(r.get_attribute("width") or 0)) for r in svg.locator("rect").all()]
        assert len(there) == 3
        assert [x for pair in here for x in pair] == pytest.approx([x for pair in there for x in pair], abs=0.06)
    bars = result.locator("td[data-bar]")
    fills = [float(b.evaluate("td => parseFloat(td.style.getPropertyValue('--jp-nbml-share'))")) for b in bars.all()]
    marks = [float(b.evaluate("td => parseFloat(td.style.getPropertyValue('--jp-nbml-mark'))")) for b in bars.all()]
    lines = re.findall(r"linear-gradient\(([^;]*?)\)\"", static)
    told = [sorted({float(n) for n in re.findall(r" (\d+)%", line)}) for line in lines]
    assert len(told) == len(fills) == 3
    for fill, mark, places in zip(fills, marks, told, strict=True):
        assert places[0] == pytest.approx(mark, abs=0.5)
        assert places[-1] == pytest.approx(fill, abs=0.5)
    assert max(marks) > 10
    for theme in ("light", "dark"):
        ready.theme(theme)
        ready.picture(f"data-levels-{theme}")
    ready.theme("light")


def test_gauges_are_sorted_by_how_far_off_they_are(ready: Seat) -> None:
    view = opened(ready, "validation", "levels")
    first = view.locator(".jp-nbml-result").nth(1).locator("tbody tr td:nth-child(2)")
    shares = view.locator(".jp-nbml-result").nth(1).locator("th button", has_text="unexpected")
    shares.click()
    shares.click()
    top = first.first.locator("svg.jp-nbml-gauge")
    assert "below 20" in (top.get_attribute("aria-label") or ""), "by more than its bounds are wide"
    back(ready)


def test_a_dataset_of_one_version_has_nothing_to_compare(ready: Seat) -> None:
    view = opened(ready, "dataset", "once")
    assert "With a second version, the two can be compared." in view.inner_text()
    assert view.locator("input[type='radio']").count() == 0


def test_results_are_sorted_filtered_and_enlarged_after_a_reload_and_with_no_kernel(ready: Seat) -> None:
    back(ready)
    ready.open(NOTEBOOK, connect=False)
    gone = """async () => {
        const session = window.jupyterapp.shell.currentWidget.sessionContext;
        await session.ready; await session.shutdown();
        return session.session === null || session.session === undefined;
    }"""
    assert ready.page.evaluate(gone)
    checks = shown(ready, 4).locator("tbody tr")
    names = checks.locator("td:first-child code")
    before = names.all_inner_texts()
    shown(ready, 4).locator("th button", has_text="expectation").click()
    assert names.all_inner_texts() != before
    assert sorted(names.all_inner_texts()) == sorted(before)
    result = shown(ready, 2)
    result.locator("input[type='search']").fill("parcel 00011")
    status = result.locator(".jp-nbml-bar [role='status']")
    ready.page.wait_for_function("s => s.textContent === '1 of 12,000 rows'", arg=status.element_handle())
    shown(ready, 3).locator(".jp-nbml-picture").first.click()
    ready.page.locator("dialog.jp-nbml-large[open]").wait_for()
    ready.page.keyboard.press("Escape")
    shown(ready, 0).locator("button[aria-expanded]").first.click()
    shown(ready, 0).locator(".jp-nbml-values td").first.wait_for()


def test_nothing_was_fetched_from_elsewhere_and_nothing_failed(ready: Seat) -> None:
    assert ready.outside == []
    ended = "Could not restore the debugger state"  # JupyterLab's own, of the kernel that was shut down while it began
    assert [error for error in ready.errors if not error.startswith(ended)] == []
    assert ready.page.evaluate("() => window.pwned === undefined")
