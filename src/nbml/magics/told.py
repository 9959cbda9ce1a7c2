"""What is found out about a run after its cell comes into the cell's output; findings that no output shows are shown once."""

from __future__ import annotations

import sys
from typing import Any


class Told:
    """The runs of one shell that have been shown, or not, before all was known about them."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        #: run id -> its output
        self.outputs: dict[str, Any] = {}

    @property
    def redraws(self) -> bool:
        """Whether an output can be drawn anew: in a terminal it would stand there twice."""
        return getattr(self.shell, "kernel", None) is not None

    def show(self, run: Any) -> None:
        """Show a run whose cell has ended. Its output follows what is found out, in whatever front end."""
        from IPython.display import display

        handle: Any = display(run, display_id=True)
        self.outputs[run.id] = handle
        if self.redraws and handle is not None:
            run.drawn = lambda: handle.update(run)

    def tell(self) -> None:
        """At the end of a cell: of the runs of earlier ones, what is known now.

        An output is drawn anew once more, because a program that executes a notebook hears of a display only while a cell runs.
        """
        tracking = sys.modules.get("nbml.tracking.opened")
        if tracking is None or not tracking.ended:
            return
        for run in tracking.take_known():
            handle = self.outputs.pop(run.id, None)
            if handle is not None and self.redraws:
                handle.update(run)
            elif run.findings:
                self._say(run)

    def _say(self, run: Any) -> None:
        from IPython.display import display

        from nbml.display import bundle
        from nbml.tracking.report import findings_report

        display(bundle(findings_report(run)), raw=True)
