"""What is found out about a run after its cell comes into the cell's output; findings that no output shows are shown once."""

from __future__ import annotations

import sys
from typing import Any


class Told:
    """The runs of one shell that have been shown, or not, before all was known about them."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        #: what publishes for the page; ``%%capture`` puts another in its place
        self.publisher = shell.display_pub
        #: run id -> its output, by the id of the display
        self.outputs: dict[str, Any] = {}

    @property
    def redraws(self) -> bool:
        """Whether an output can be drawn anew: in a terminal it would stand there twice."""
        return getattr(self.shell, "kernel", None) is not None

    def show(self, run: Any) -> None:
        """Show a run whose cell has ended. Its output follows what is found out, in whatever front end."""
        from IPython.display import display

        handle: Any = display(run, display_id=True)
        if self.redraws and handle is not None and self.shell.display_pub is self.publisher:
            self.outputs[run.id] = handle.display_id
            run.drawn = lambda: self.redraw(run)

    def redraw(self, run: Any) -> None:
        """Draw a run's output anew, also from another thread, and while a cell's own outputs are captured."""
        transient = {"display_id": self.outputs[run.id]}
        self.publisher.publish(run._repr_mimebundle_(), {}, transient=transient, update=True)

    def tell(self) -> None:
        """At the end of a cell: of the runs of earlier ones, what is known now.

        An output is drawn anew once more, because a program that executes a notebook hears of a display only while a cell runs.
        """
        tracking = sys.modules.get("nbml.tracking.opened")
        if tracking is None or not tracking.ended:
            return
        for run in tracking.take_known():
            if run.id in self.outputs:
                self.redraw(run)
            elif run.findings:
                self._say(run)

    def _say(self, run: Any) -> None:
        from IPython.display import display

        from nbml.display import bundle
        from nbml.tracking.report import findings_report

        display(bundle(findings_report(run)), raw=True)
