"""After each cell the store hears what the namespace holds, for the side panel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbml.commands.names import entries
from nbml.store import existing

if TYPE_CHECKING:
    from nbml.magics.session import Session


class Digest:
    """Tells the store what a kernel's namespace holds, when that has changed; never makes a store."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.last: list[dict[str, Any]] | None = None

    def update(self) -> None:
        if not self.session.kernel:
            return
        names = entries(self.session.shell.user_ns, self.session.shell.user_ns_hidden)
        if names == self.last:
            return
        store = existing()
        if store is None or store.readonly:
            return
        store.put_digest(self.session.kernel, {"names": names})
        self.last = names
