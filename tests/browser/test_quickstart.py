"""The quickstart in a real JupyterLab: its cells run, the panel moves while the kernel is busy, Deploy deploys."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from browser.conftest import EXAMPLES, Seat

pytestmark = [pytest.mark.browser, pytest.mark.slow]
NOTEBOOK = "01-quickstart.ipynb"

#: looks at the panel's study and at the prompts, twenty times a second
WATCH = """() => {
    window.seen = [];
    window.clock = setInterval(() => {
        const row = document.querySelector("#nbml-panel section[data-kind='study'] .jp-nbml-figure");
        const busy = [...document.querySelectorAll('.jp-InputPrompt')].some(p => p.textContent.includes('[*]'));
        if (row) { window.seen.push([row.textContent, busy]); }
    }, 50);
}"""


@pytest.fixture(scope="module")
def ran(seat: Seat, work: Path) -> Any:
    """The quickstart after Run All; its service is stopped at the end."""
    shutil.copy(EXAMPLES / NOTEBOOK, work)
    seat.open(NOTEBOOK)
    seat.page.evaluate(WATCH)
    seat.command("notebook:run-all-cells")
    try:
        # the panel lists a deployment, and no cell waits any more
        seat.page.wait_for_selector("#nbml-panel section[data-kind='deployment'] .jp-nbml-row", timeout=240_000)
        idle = "() => ![...document.querySelectorAll('.jp-InputPrompt')].some(p => p.textContent.includes('[*]'))"
        seat.page.wait_for_function(idle, timeout=120_000)
        yield seat
    finally:
        subprocess.run([sys.executable, "-m", "nbml", "stop", "breast-cancer"], cwd=work, check=False, capture_output=True)


def test_every_cell_ran(ran: Seat, work: Path) -> None:
    ran.page.evaluate("async () => { await window.jupyterapp.shell.currentWidget.context.save() }")
    saved = nbformat.read(work / NOTEBOOK, as_version=4)
    nbformat.validate(saved)
    failed = [c.source for c in saved.cells if c.cell_type == "code" and any(o.output_type == "error" for o in c.outputs)]
    assert failed == []
    assert all(c.execution_count for c in saved.cells if c.cell_type == "code")
    assert "widgets" not in saved.metadata


def test_the_panel_moved_while_the_kernel_was_busy(ran: Seat) -> None:
    seen = ran.page.evaluate("() => { clearInterval(window.clock); return window.seen }")
    while_busy = {figure for figure, busy in seen if busy and " of " in figure}
    assert len(while_busy) >= 3, seen[:5]
    for kind in ("deployment", "service", "study", "run", "validation", "dataset"):
        assert ran.panel(kind).count() >= 1, kind


def test_a_result_sorts_and_filters_with_no_kernel(ran: Seat) -> None:
    table = ran.page.locator(".jp-nbml-result .jp-nbml-table", has=ran.page.locator("th button", has_text="unexpected")).first
    head = table.locator("th", has=ran.page.locator("button", has_text="unexpected"))
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "descending"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures(ran: Seat, theme: str) -> None:
    """Notebook and panel in both themes are kept to be looked at; nothing overflows the panel."""
    ran.theme(theme)
    for number, cell in enumerate(("%nbml validate delivery", "%%nbml tune", "%nbml package", "%nbml monitor")):
        asked = ran.page.locator(".jp-InputArea", has_text=cell)  # not a line that a result proposes
        ran.page.locator(".jp-Notebook .jp-CodeCell", has=asked).first.scroll_into_view_if_needed()
        ran.picture(f"notebook-{number + 1}-{theme}")
    wide = ran.page.evaluate("() => { const p = document.querySelector('#nbml-panel'); return [p.scrollWidth, p.clientWidth] }")
    assert wide[0] <= wide[1]


def test_deploy_shows_the_endpoint_and_a_form_that_answers(ran: Seat) -> None:
    ran.theme("light")
    ran.page.locator(".jp-NotebookPanel-toolbar [data-jp-item-name='nbml-deploy'] jp-button").click()
    dialog = ran.page.locator("dialog.jp-nbml-dialog")
    dialog.wait_for()
    assert "breast-cancer@1" in dialog.locator("#jp-nbml-what option").first.inner_text()
    assert "%nbml deploy breast-cancer@1 --to local" in dialog.inner_text()
    for theme in ("light", "dark"):
        ran.theme(theme)
        ran.picture(f"deploy-{theme}")
    dialog.locator("button", has_text="Deploy").last.click()
    ran.page.wait_for_selector("dialog .jp-nbml-try, dialog form", timeout=90_000)
    assert "is running" in dialog.locator("h2").inner_text()
    assert "http://127.0.0.1:" in dialog.inner_text()
    dialog.locator("button", has_text="Predict").click()
    reply = dialog.locator(".jp-nbml-reply")
    reply.wait_for()
    assert "answered" in reply.inner_text()
    assert "breast-cancer@1" in reply.inner_text()
    ran.picture("tried-dark")
    ran.theme("light")
    ran.picture("tried-light")
    dialog.locator("textarea").fill('{"rows": [{"mean_radius": "wide"}]}')
    dialog.locator("button", has_text="Predict").click()
    ran.page.wait_for_selector("dialog .jp-nbml-reply[data-state='bad']")
    assert "mean_radius · \"wide\"" in reply.inner_text() or "mean_radius · wide" in reply.inner_text()
    dialog.locator("button", has_text="Close").click()
    dialog.wait_for(state="detached")


def test_the_palette_has_every_command(ran: Seat) -> None:
    from nbml.commands.__main__ import table

    offered = ran.page.evaluate("() => window.jupyterapp.commands.listCommands().filter(id => id.startsWith('nbml:magic-'))")
    assert {f"nbml:magic-{c['name']}" for c in table()["commands"] if c["since"] != "later"} == set(offered)
    ran.page.keyboard.press("Control+Shift+C")
    ran.page.locator("#modal-command-palette input").fill("%nbml snapshot")
    ran.page.locator(".lm-CommandPalette-item[data-command='nbml:magic-snapshot']").first.wait_for()
    ran.page.keyboard.press("Escape")


def test_a_row_opens_its_detail(ran: Seat) -> None:
    for kind in ("validation", "run", "study", "service", "dataset", "deployment"):
        ran.panel(kind).first.locator(".jp-nbml-main").click()
        view = ran.page.locator(".jp-nbml-detail:visible .jp-nbml-result")
        view.first.wait_for()
        ran.picture(f"detail-{kind}")
    ran.page.locator("li.lm-TabBar-tab", has_text=NOTEBOOK).first.click()


def test_nothing_was_fetched_from_elsewhere_and_nothing_failed(ran: Seat) -> None:
    assert ran.outside == []
    assert ran.errors == []


def test_an_untrusted_copy_shows_the_same_and_asks_nobody(ran: Seat, chromium: Any, work: Path) -> None:
    """As somebody else gets it: another page, no trust, the network off but for the server itself."""
    copy = nbformat.read(work / NOTEBOOK, as_version=4)
    copy.cells.append(nbformat.v4.new_markdown_cell("from elsewhere"))
    nbformat.write(copy, work / "copy.ipynb")
    rich = sum("application/vnd.nbml.v1+json" in o.get("data", {}) for c in copy.cells for o in c.get("outputs", []))
    context = chromium.new_context(viewport={"width": 1500, "height": 950})
    page = context.new_page()
    seat = Seat(page, ran.server)
    seat.watch()
    try:
        seat.open("copy.ipynb", connect=False)
        page.wait_for_function(
            "n => { document.querySelectorAll('.jp-Notebook .jp-Cell').forEach(c => c.scrollIntoView());"
            " return document.querySelectorAll('.jp-Notebook .jp-nbml-result').length >= n }", arg=rich, polling=250
        )
        trusted = page.evaluate("() => [...window.jupyterapp.shell.currentWidget.content.model.cells].some(c => c.trusted)")
        assert not trusted
        assert (seat.outside, seat.errors) == ([], [])
    finally:
        context.close()


def test_the_static_export_is_complete_with_the_network_off(ran: Seat, chromium: Any, work: Path) -> None:
    for theme in ("light", "dark"):
        command = [
            sys.executable, "-m", "nbconvert", "--to", "html", "--HTMLExporter.mathjax_url=", "--HTMLExporter.require_js_url=",
            f"--HTMLExporter.theme={theme}", "--output", f"export-{theme}", str(work / NOTEBOOK),
        ]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True)
        context = chromium.new_context(viewport={"width": 1100, "height": 1400}, offline=True, color_scheme=theme)
        page = context.new_page()
        seat = Seat(page, ran.server)
        seat.watch()
        try:
            page.goto((work / f"export-{theme}.html").as_uri())
            broken = page.evaluate("() => [...document.images].filter(i => !i.complete || !i.naturalWidth).map(i => i.alt)")
            assert broken == []
            assert "9 of 9 expectations hold" in page.content()
            page.locator("text=expectations fail").first.scroll_into_view_if_needed()
            seat.picture(f"export-{theme}")
            assert (seat.outside, seat.errors) == ([], [])
        finally:
            context.close()
