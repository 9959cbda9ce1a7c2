"""Where a service can run: the Protocol that each target fills."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from nbml.deploying.state import Status

#: the target of ``deploy`` where none is said
DEFAULT = "local"


@dataclass(frozen=True)
class Order:
    """What is to run under a name: a service version (``ref``, its Bento relative to the project, its thing's id).

    ``before`` is the version that a rollback would return to, ``by`` "deploy" or "rollback", ``token`` whether requests
    must bear one, ``port`` the port that the settings ask for (0: any).
    """

    name: str
    service: str
    bento: str
    thing: int = 0
    before: str = ""
    by: str = "deploy"
    token: bool = False
    port: int = 0


class Target(Protocol):
    """A place that runs services. Made with the project's store; all calls are from one thread at a time."""

    def plan(self, order: Order) -> list[str]:
        """What ``apply`` would do, one sentence a step. Changes nothing."""

    def apply(self, order: Order, progress: Callable[[Status | None], None]) -> Status:
        """Run it, and return when it answers; ``progress`` is called at least each half second while that takes.

        Where something runs under the name it is replaced, and the address stays. Raises errors.PortInUse,
        errors.ServiceDied (with the last log lines) or errors.DeployFailed. After any exception, KeyboardInterrupt
        too, what ran before runs, and nothing else is left: no process, no file, no port.
        """

    def status(self, name: str) -> Status | None:
        """What runs, told from the processes themselves; None where nothing was ever applied, or all of it is gone."""

    def logs(self, name: str, lines: int) -> list[str]:
        """The last lines written, oldest first; none where there is nothing."""

    def stop(self, name: str) -> None:
        """End it: returns when no process is left and the port is free. Nothing where nothing runs."""
