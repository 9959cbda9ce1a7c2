"""Everything that nbml raises on purpose.

::

    NbmlError
    ├── UsageError            what was typed cannot be read
    │   ├── UnknownCommand
    │   ├── UnknownOption
    │   ├── BadArgument
    │   ├── BadName
    │   ├── BadExpectation
    │   ├── NotYet            a command or option that this version does not have
    │   └── NotInRun
    ├── NotFound              a name that nothing bears
    │   ├── UnknownName       in the notebook
    │   ├── UnknownDataset  UnknownSuite  UnknownRun  UnknownStudy
    │   ├── UnknownService  UnknownDeployment
    │   └── UnknownAdapter
    │       └── MissingExtra  the adapter is known, its tool is not installed
    ├── BadInput              a value of the wrong kind
    │   ├── NotADataFrame
    │   ├── NotFitted
    │   └── CannotStore
    ├── StoreError
    │   ├── ReadOnlyStore
    │   ├── StoreDamaged
    │   └── StoreTooNew
    ├── ValidationFailed      ``validate(..., strict=True)``
    ├── TrackerFailed         a tracker did not take a run; it is sent again
    ├── TrialFailed           every trial of a study failed
    ├── SliceRefused          something cannot leave the notebook
    ├── RecipeRefused         a recipe cannot be replayed
    ├── ProofFailed           the packaged model does not equal the one in the kernel
    └── DeployError
        ├── PortInUse
        ├── ServiceDied
        ├── DeployFailed
        └── RequestRejected   the service refused rows

A message says what, which and what was found; ``next`` is the line to type, and works as it stands.
Exceptions of other libraries are mapped to these where nbml calls them; the original is the cause.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterable


class NbmlError(Exception):
    """The root of all errors of nbml. ``next`` is one line to type, or None.

    ``instead`` is a parameter and what to give for it: who knows what was typed makes the line of it.
    """

    def __init__(self, message: str, *, next: str | None = None, instead: tuple[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.next = next
        self.instead = instead

    def __str__(self) -> str:
        return self.message if self.next is None else f"{self.message}\nTry: {self.next}"

    @property
    def _render_traceback_(self) -> Callable[[], list[str]]:
        """What IPython shows instead of a traceback; absent, so that the chain is shown, where ``NBML_TRACEBACK=1``."""
        if os.environ.get("NBML_TRACEBACK", "") not in ("", "0"):
            raise AttributeError("_render_traceback_")
        return lambda: [f"\x1b[31m{type(self).__name__}\x1b[0m: {self}"]  # one piece: %xmode Minimal joins pieces without a line end


class UsageError(NbmlError):
    """What was typed cannot be read."""


class UnknownCommand(UsageError):
    """No command of that name."""


class UnknownOption(UsageError):
    """The command has no such option."""


class BadArgument(UsageError):
    """An argument or option value of the wrong form."""


class BadName(UsageError):
    """A name that does not fit ``[a-z0-9][a-z0-9._-]{0,62}``."""


class BadExpectation(UsageError):
    """A line of a suite that cannot be read; ``line`` and ``column`` count from 1."""

    def __init__(self, message: str, *, line: int = 1, column: int = 1, next: str | None = None) -> None:
        super().__init__(message, next=next)
        self.line = line
        self.column = column


class NotYet(UsageError):
    """A command or option of the contract that this version does not have."""


class NotInRun(UsageError):
    """``nbml.log`` outside a tracked run."""


class NotFound(NbmlError):
    """A name that nothing bears."""


class UnknownName(NotFound):
    """No such name in the notebook."""


class UnknownDataset(NotFound):
    """No such dataset or version."""


class UnknownSuite(NotFound):
    """No such suite or version."""


class UnknownRun(NotFound):
    """No such run."""


class UnknownStudy(NotFound):
    """No such study."""


class UnknownService(NotFound):
    """No such service or version."""


class UnknownDeployment(NotFound):
    """Nothing of that name is deployed."""


class UnknownAdapter(NotFound):
    """No adapter of that name in the group."""


class MissingExtra(UnknownAdapter):
    """The adapter is known, the tool it needs is not installed."""


class BadInput(NbmlError):
    """A value of the wrong kind."""


class NotADataFrame(BadInput):
    """A dataframe is needed."""


class NotFitted(BadInput):
    """A fitted model is needed."""


class CannotStore(BadInput):
    """A value that the store cannot keep as it is."""


class StoreError(NbmlError):
    """The project's store cannot do what was asked."""


class ReadOnlyStore(StoreError):
    """The store can be read, not written."""


class StoreDamaged(StoreError):
    """A file of the store is missing or not what was written."""


class StoreTooNew(StoreError):
    """The store was written by a later nbml."""


class ValidationFailed(NbmlError):
    """``validate(..., strict=True)`` on data that break the suite; ``validation`` is the outcome."""

    def __init__(self, message: str, *, validation: object = None, next: str | None = None) -> None:
        super().__init__(message, next=next)
        self.validation = validation


class TrackerFailed(NbmlError):
    """A tracker did not take a run; it is sent again. The tool's own exception is the cause."""


class TrialFailed(NbmlError):
    """Every trial of a study failed; the last trial's error is the cause."""


class SliceRefused(NbmlError):
    """Something that a model needs cannot leave the notebook."""


class RecipeRefused(NbmlError):
    """A recipe cannot be replayed, or its replay failed."""


class ProofFailed(NbmlError):
    """The packaged model does not equal the one in the kernel, for the reason ``why``; nothing was built.

    ``proof`` shows the rows where answers differ.
    """

    def __init__(
        self, why: str, *, proof: object = None, next: str | None = None, instead: tuple[str, str] | None = None
    ) -> None:
        super().__init__(f"{why}; nothing was built", next=next, instead=instead)
        self.why = why
        self.proof = proof


class DeployError(NbmlError):
    """A deployment did not come up, or refused a request."""


class PortInUse(DeployError):
    """The port that was asked for is taken."""


class ServiceDied(DeployError):
    """The service ended before it was ready; its last log lines are in the message."""


class DeployFailed(DeployError):
    """The target refused the deployment."""


class RequestRejected(DeployError):
    """The service refused rows; ``problems`` lists row, column, value and problem."""

    def __init__(
        self, message: str, *, problems: Iterable[dict[str, object]] = (), next: str | None = None
    ) -> None:
        super().__init__(message, next=next)
        self.problems = list(problems)


def shown_briefly(error: BaseException, message: str) -> None:
    """Let IPython show one line for an error that is not of nbml, as for one that is; the chain where ``NBML_TRACEBACK=1``."""
    if os.environ.get("NBML_TRACEBACK", "") in ("", "0"):
        error._render_traceback_ = lambda: [f"\x1b[31m{type(error).__name__}\x1b[0m: {message}"]  # type: ignore[attr-defined]


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The one of ``words`` that is most like ``word``, or None where none is like it."""
    known = {w.lower(): w for w in words}
    found = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return known[found[0]] if found else None
