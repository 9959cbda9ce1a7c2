"""What is found out about a run once its cell has ended: in one thread, one run after the other, off the cell's path."""

from __future__ import annotations

import atexit
import os
import queue
import threading
import warnings
from collections.abc import Callable

#: seconds that the end of a program waits for what is still to be found out
PATIENCE = 60.0

Job = Callable[[], object]

_queue: queue.SimpleQueue[tuple[int, str, Job]] = queue.SimpleQueue()
#: run (the thing's id) -> how many jobs of it are not done
_open: dict[int, int] = {}
_changed = threading.Condition()
_pid = 0


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


def _work() -> None:
    while True:
        run, what, job = _queue.get()
        try:
            job()
        except Exception as error:
            warnings.warn(f"nbml: {what} is not recorded: {error!r}", RuntimeWarning, stacklevel=1)
        with _changed:
            _open[run] -= 1
            if not _open[run]:
                del _open[run]
            _changed.notify_all()
