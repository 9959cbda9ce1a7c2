"""Files of the store that nothing refers to: what they come to, and their removal."""

from __future__ import annotations

from dataclasses import dataclass

from nbml.display import Line, Report, Shown, muted, size
from nbml.store import current, sweeping


@dataclass(frozen=True, repr=False)
class Leftovers(Shown):
    """Files that nothing refers to: their number and bytes, whether they were ``removed``, and how many are too ``young``."""

    count: int
    bytes: int
    removed: bool
    young: int

    def _report(self) -> Report:
        files = f"{self.count:,} file" + ("" if self.count == 1 else "s")
        what = f"{files} that nothing refers to"
        parts = []
        if self.young:
            which = "1 file that nothing refers to is" if self.young == 1 else f"{self.young:,} files that nothing refers to are"
            parts.append(Line(muted(f"{which} younger than an hour, and may be needed in a moment")))
        if not self.count:
            return Report("No file that could go", "well", "clean", parts=parts)
        if self.removed:
            return Report(what, "well", "removed", [size(self.bytes)], parts)
        return Report(what, "look", "would go", [size(self.bytes)], parts, ["%nbml gc --yes"])


def sweep(yes: bool) -> Leftovers:
    """What ``gc`` does. Raises errors.ReadOnlyStore, errors.StoreError."""
    store = current()
    store.room("blobs")
    old, young = sweeping.leftovers(store)
    if yes and old:
        old = sweeping.remove(store, old)
    return Leftovers(len(old), sum(one.bytes for one in old), yes and bool(old), len(young))
