"""Values that show themselves, and results that live while a cell runs."""

from __future__ import annotations

import time
from dataclasses import replace
from types import TracebackType
from typing import Any

from nbml.display.html import html
from nbml.display.notebook import shell
from nbml.display.payload import MIME, payload
from nbml.display.plain import text
from nbml.display.values import Report
from nbml.store import Store, opened

#: least time between two pictures of a live result, seconds
PAUSE = 0.25
#: the same in a terminal, where each picture stays below the one before
TERMINAL_PAUSE = 10.0


def bundle(report: Report) -> dict[str, Any]:
    """The MIME bundle of a report: plain text, static HTML, and JSON for our renderer."""
    return {"text/plain": text(report), "text/html": html(report), MIME: payload(report)}


def keep(report: Report, store: Store | None = None) -> str:
    """Store what a report shows, whole; returns its id. A store that cannot be written to is left alone."""
    target = store or opened()
    if target is not None and not target.readonly:
        target.put_result(report.key, payload(report, None), report.state)
    return report.key


class Shown:
    """A value that shows itself: give ``_report``."""

    def _report(self) -> Report:
        raise NotImplementedError

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return bundle(self._report())

    def _repr_html_(self) -> str:
        return html(self._report())

    def __repr__(self) -> str:
        return text(self._report())


class Live:
    """One output, updated in place at most four times a second; every picture is in the store too.

    Without IPython nothing is shown, and the store has it all the same. As a context manager it ends as
    "interrupted" or "failed" where the block was left by an exception before ``finish``.
    """

    def __init__(self, report: Report, pause: float = PAUSE) -> None:
        self.report, self.pause = report, pause
        self.finished = False
        self._last = self._drawn = time.monotonic()
        keep(report)
        self._handle = _handle(bundle(report))

    def update(self, report: Report) -> None:
        """Show ``report`` unless the last one was shown a moment ago."""
        self.report = replace(report, id=self.report.id)
        if time.monotonic() - self._last >= self.pause:
            self._show()

    def finish(self, report: Report) -> None:
        """Show ``report`` for good."""
        self.report = replace(report, id=self.report.id)
        self.finished = True
        self._show()

    def _show(self) -> None:
        self._last = time.monotonic()
        keep(self.report)
        if self._handle is not None and (self.finished or hasattr(shell(), "kernel") or self._last - self._drawn >= TERMINAL_PAUSE):
            self._drawn = self._last
            self._handle.update(bundle(self.report), raw=True)

    def __enter__(self) -> Live:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.finished:
            return
        stopped = kind is None or issubclass(kind, KeyboardInterrupt)
        state, word = ("look", "interrupted") if stopped else ("bad", "failed")
        self.finish(replace(self.report, state=state, word=word))


def _handle(first: dict[str, Any]) -> Any:
    """A display handle, or None where no IPython is running."""
    if shell() is None:
        return None
    from IPython.display import display

    return display(first, raw=True, display_id=True)
