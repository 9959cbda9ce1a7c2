"""Programs that run elsewhere: a Job goes to an Executor, a Done comes back. Proofs, trials and replays are Jobs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from nbml import registry

__all__ = ["Done", "Executor", "Handle", "Job", "run"]


@dataclass(frozen=True)
class Job:
    """A Python program: ``argv`` is what follows the interpreter, ``env`` the whole environment, ``inputs`` its standard input.

    ``timeout`` is in seconds; ``math.inf`` waits for ever.
    """

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str] = field(default_factory=dict)
    inputs: bytes = b""
    timeout: float = 60.0
    python: str = sys.executable


@dataclass(frozen=True)
class Done:
    """How a Job ended. ``code`` is the exit code (negative: the signal), None where its time was up.

    ``output`` is its standard output, ``errors`` the end of its standard error; ``cut`` tells that there was more output
    than an executor keeps.
    """

    code: int | None
    output: bytes
    errors: str
    seconds: float
    timed_out: bool = False
    cut: bool = False


class Handle(Protocol):
    """A Job at work."""

    def wait(self) -> Done:
        """How it ended; may be asked again, from any thread. An interrupt of the wait kills the Job and goes on as it is."""
        ...

    def kill(self) -> None:
        """Ends the Job and all that it started, now. Of a Job that has ended, nothing."""
        ...


class Executor(Protocol):
    """Runs Jobs. When ``wait`` has returned or raised, no process of the Job is left."""

    def submit(self, job: Job) -> Handle:
        """Starts the Job and returns at once. Raises errors.BadInput where it cannot be started."""
        ...


def run(job: Job, executor: str = "process") -> Done:
    """Runs a Job to its end. Raises errors.UnknownAdapter, errors.BadInput."""
    started: Executor = registry.adapter("nbml.executors", executor)()
    return started.submit(job).wait()
