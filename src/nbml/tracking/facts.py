"""What is written down about a run once its block is over, off the cell's path: machine, libraries, Git, data, figures."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from nbml import settings
from nbml.slicing import recorder
from nbml.store import Store, outbox, runs
from nbml.tracking import context
from nbml.tracking.pictures import Drawn
from nbml.tracking.secrets import Redaction
from nbml.tracking.used import Taken, find_versions

T = TypeVar("T")


class Facts:
    """What one run leaves to be found out. ``before`` is the body of the run that it goes on with, or {}."""

    def __init__(self, store: Store, run: int, taken: Taken, redaction: Redaction, before: Mapping[str, Any]) -> None:
        self.store, self.run, self.taken, self.redaction, self.before = store, run, taken, redaction, before
        self.namespace = recorder.namespace()
        self.sources = context.cells()
        self.proposed: Callable[[], dict[str, float]] = dict

    def write(self) -> None:
        """The environment, Git and the data; then trackers are woken."""
        used = self.taken.found
        self._unless("data versions", lambda: find_versions(self.store, used))
        modules = self._unless("modules", lambda: context.modules_of(self.namespace)) or set()
        found = {
            "environment": self._unless("the environment", lambda: context.environment(modules)) or {},
            "git": self._unless("Git", self._git) or {},
            "data": [*self.before.get("data", ()), *(one.body() for one in used)],
            "seeding": [self.redaction.text(call) for call in context.seeding(self.sources)],
        }
        runs.put_all(self.store, self.run, found)
        for one in used:
            if one.thing is not None:
                self.store.link(self.run, one.thing, "data")
        if outbox.waiting(self.store):
            from nbml.tracking.sender import wake

            self._unless("what trackers have to hear", lambda: wake(self.store))

    def write_shown(self, drawn: Sequence[Drawn]) -> None:
        """What the cell showed, and the metrics that it assigned and did not log."""
        private = [name for name in settings.load(self.store.root)["data.private"] if name]
        kept = [self._figure(one) for one in drawn if not _shows(one, private)]
        found: dict[str, Any] = {"figures": [*self.before.get("figures", ()), *kept], "proposed": self.proposed()}
        if len(kept) < len(drawn):
            found["figures_left"] = len(drawn) - len(kept)
        runs.put_all(self.store, self.run, found)

    def _figure(self, one: Drawn) -> dict[str, Any]:
        content = one.content if one.kind.startswith("image/") and "svg" not in one.kind else self._text(one.content)
        return {"title": self.redaction.text(one.title), "kind": one.kind, "blob": self.store.put_blob(content)}

    def _text(self, content: bytes) -> bytes:
        return self.redaction.text(content.decode("utf-8", "replace")).encode()

    def _git(self) -> dict[str, Any]:
        git = context.git(self.store.root)
        diff = git.pop("diff", "")
        return git | ({"diff": self.store.put_blob(self.redaction.source(diff).encode())} if diff else {})

    def _unless(self, what: str, ask: Callable[[], T]) -> T | None:
        try:
            return ask()
        except Exception as error:
            warnings.warn(f"nbml: {what} of a run is not recorded: {error!r}", RuntimeWarning, stacklevel=2)
            return None


def _shows(one: Drawn, private: Sequence[str]) -> bool:
    """Whether a figure that holds its data (no picture) holds a column whose values stay here."""
    if one.kind in ("image/png", "image/jpeg"):
        return False
    text = one.content.decode("utf-8", "replace")
    return any(name in text for name in private)
