"""The page as it stands, from top to bottom, over digests: whether it would give what the kernel holds. Runs nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nbml.slicing.events import Event, Place
from nbml.slicing.evidence import Evidence


def hidden(evidence: Evidence, chosen: Sequence[Event], need: Iterable[Place], sinks: Sequence[int]) -> list[str]:
    """Why the page would give something else; nothing where it would not."""
    return []
