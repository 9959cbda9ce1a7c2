"""A real Chromium on a real JupyterLab."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lab import TOKEN, LabServer

ARTIFACTS = Path(__file__).resolve().parents[1] / "artifacts"
EXAMPLES = Path(__file__).resolve().parents[2] / "example-notebooks"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
#: resolves when the current notebook's kernel answers
CONNECTED = """async () => {
    const app = window.jupyterapp; await app.restored;
    const panel = app.shell.currentWidget;
    await panel.context.ready; await panel.sessionContext.ready;
    await panel.sessionContext.session.kernel.info;
}"""


@dataclass
class Seat:
    """One page, and what it did that it should not: requests to other hosts, errors on the console."""

    page: Any
    server: LabServer
    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def watch(self) -> None:
        ours = (self.server.base, "data:", "blob:", self.server.base.replace("http", "ws", 1), "file:")
        self.page.on("request", lambda r: None if r.url.startswith(ours) else self.outside.append(r.url))
        self.page.on("pageerror", lambda e: self.errors.append(str(e)))
        self.page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)

    def open(self, notebook: str, *, connect: bool = True) -> None:
        """JupyterLab on a notebook, its kernel answering, the nbml panel in front."""
        self.page.goto(f"{self.server.base}/lab/tree/{notebook}?token={TOKEN}&reset")
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")
        self.page.wait_for_selector(".jp-Notebook .jp-Cell")
        if connect:
            self.page.evaluate(CONNECTED)
        tab = self.page.locator("li.lm-TabBar-tab[data-id='nbml-panel']")
        if "lm-mod-current" not in (tab.get_attribute("class") or ""):
            tab.click()
        self.page.wait_for_selector("#nbml-panel .jp-nbml-head")

    def command(self, name: str) -> None:
        """Start a command of JupyterLab; does not wait for its end."""
        self.page.evaluate("name => { void window.jupyterapp.commands.execute(name) }", name)

    def theme(self, name: str) -> None:
        """Light or dark, as the user would choose it."""
        wanted = f"JupyterLab {name.capitalize()}"
        self.page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", wanted)
        self.page.wait_for_selector(f"body[data-jp-theme-name='{wanted}']", state="attached")
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")

    def picture(self, name: str) -> None:
        """Keep a screenshot for whoever looks at the artefacts."""
        ARTIFACTS.mkdir(exist_ok=True)
        self.page.screenshot(path=ARTIFACTS / f"{name}.png")

    def panel(self, kind: str) -> Any:
        """The rows of a section of the panel."""
        return self.page.locator(f"#nbml-panel section[data-kind='{kind}'] .jp-nbml-row")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Debian's Chromium under Playwright."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser")
    assert path is not None, "Chromium is missing: run tests/browser/chromium.sh"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that is served; it is the project too."""
    return tmp_path_factory.mktemp("project").resolve()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, work: Path) -> Iterator[LabServer]:
    started = LabServer(tmp_path_factory.mktemp("home").resolve(), work)
    yield started
    started.close()


@pytest.fixture(scope="module")
def seat(chromium: Any, server: LabServer) -> Iterator[Seat]:
    """A page of 1500 x 950 that is watched."""
    context = chromium.new_context(viewport={"width": 1500, "height": 950})
    page = context.new_page()
    page.set_default_timeout(60_000)
    found = Seat(page, server)
    found.watch()
    yield found
    context.close()
