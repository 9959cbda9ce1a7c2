"""What is found out about a run once its cell has ended: in one thread, one run after the other, off the cell's path."""

from __future__ import annotations

import atexit
import os
import queue
import sys
import threading
import warnings
from collections.abc import Callable

from nbml import errors

#: seconds that the end of a program waits for what is still to be found out
PATIENCE = 60.0

Job = Callable[[], object]

_queue: queue.SimpleQueue[tuple[int, str, Job]] = queue.SimpleQueue()
#: run (the thing's id) -> how many jobs of it are not done
_open: dict[int, int] = {}
_changed = threading.Condition()
#: runs of which a warning has said that the store does not take them
_told: set[int] = set()
_pid = 0
_thread: int | None = None


def later(run: int, what: str, job: Job) -> None:
    """Do ``job`` soon, in the order of asking. One that fails costs only itself: one warning says that ``what`` is not recorded."""
    global _pid
    with _changed:
        _open[run] = _open.get(run, 0) + 1
        if _pid != os.getpid():
            _pid = os.getpid()
            threading.Thread(target=_work, name="nbml-after", daemon=True).start()
            atexit.register(wait, timeout=PATIENCE)
    _queue.put((run, what, job))


def wait(run: int | None = None, timeout: float | None = None) -> bool:
    """Wait until all jobs of a run, or of all runs, are done. False where ``timeout`` (seconds) passed first.

    Asked from a job itself it does not wait.
    """
    if threading.current_thread().name == "nbml-after" or _pid != os.getpid():
        return True
    with _changed:
        return _changed.wait_for(lambda: not (_open if run is None else _open.get(run)), timeout)


def pending(run: int) -> bool:
    """Whether something is still to be found out about a run, in this process."""
    return _pid == os.getpid() and run in _open


def thread() -> int | None:
    """The identifier of the thread that does the jobs; None where there were none yet."""
    return _thread


def _work() -> None:
    global _thread
    _thread = threading.get_ident()
    while True:
        run, what, job = _queue.get()
        try:
            job()
        except Exception as error:
            _tell(run, what, error)
        with _changed:
            _open[run] -= 1
            if not _open[run]:
                del _open[run]
            _changed.notify_all()


def _tell(run: int, what: str, error: Exception) -> None:
    """One warning; of a store that takes nothing one for each run. The thread goes on also where warnings are errors."""
    if isinstance(error, errors.StoreError):
        if run in _told:
            return
        _told.add(run)
    said = error.message if isinstance(error, errors.NbmlError) else repr(error)
    try:
        warnings.warn(f"nbml: {what} is not recorded: {said}", RuntimeWarning, stacklevel=1)
    except RuntimeWarning:
        threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread())))


def told(run: int) -> None:
    """The user knows that the store does not take what belongs to this run."""
    _told.add(run)
