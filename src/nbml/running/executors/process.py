"""A process of this machine, in a session of its own; POSIX.

Ended, timed out, killed or interrupted: its whole process group is killed, so that nothing it started stays. What leaves
the group by itself (``setsid``) is not followed. Standard output is kept up to OUTPUT bytes, of standard error the end.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import selectors
import signal
import subprocess
import threading
import time
import weakref
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any

from nbml import errors
from nbml.running import Done, Job

if TYPE_CHECKING:
    from nbml.running import Executor

#: bytes of standard output that are kept, and of the end of standard error
OUTPUT, ERRORS = 256 << 20, 256 << 10
#: seconds between two looks at whether the program has ended
LOOK = 0.02


class ProcessExecutor:
    """Starts each Job at once; how many run at a time is the caller's affair."""

    def submit(self, job: Job) -> ProcessHandle:
        handle = ProcessHandle(job)
        _living.add(handle)
        return handle


class ProcessHandle:
    """One process. Its own thread starts it, talks with it and buries it, since an interrupt never hits that thread."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._kept = _Kept()
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._dead = False  # buried: its number may be another's
        self._doomed = False
        self._done: Done | None = None
        self._failure: BaseException | None = None
        self._started, self._ended = threading.Event(), threading.Event()
        thread = threading.Thread(target=self._live, name="nbml-job", daemon=True)
        self._patiently(thread.start)  # which waits too, until the thread lives
        self._patiently(self._started.wait)
        if isinstance(self._failure, OSError):
            why = self._failure.strerror or str(self._failure)
            raise errors.BadInput(f"{job.python} cannot be started in {job.cwd}: {why}") from self._failure

    def wait(self) -> Done:
        self._patiently(self._ended.wait)
        if self._done is None:
            raise errors.BadInput(f"{self._job.python} could not be run: {self._failure}") from self._failure
        return self._done

    def kill(self) -> None:
        with self._lock:
            self._doomed = True
            self._kill_group()

    @property
    def pid(self) -> int:
        """The process, which is its group's number too."""
        assert self._process is not None
        return self._process.pid

    def _patiently(self, wait: Callable[[], object]) -> None:
        """Waits; whatever interrupts the wait ends the Job first."""
        try:
            wait()
        except BaseException:
            self.kill()
            self._ended.wait(5)
            raise

    # -- the thread -------------------------------------------------------------------------------------------

    def _live(self) -> None:
        try:
            self._done = self._run()
        except BaseException as error:
            self._failure = error
            self.kill()
        finally:
            self._started.set()
            self._ended.set()

    def _run(self) -> Done:
        job, pipe, begun = self._job, subprocess.PIPE, time.monotonic()
        process = subprocess.Popen(
            [job.python, *job.argv], cwd=job.cwd, env=dict(job.env), stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True, bufsize=0
        )
        with self._lock:
            self._process = process
            if self._doomed:
                self._kill_group()
        self._started.set()
        try:
            timed_out = self._talk(process, begun + job.timeout)
        finally:
            code = self._bury(process)
        seconds = time.monotonic() - begun
        text = bytes(self._kept.errors).decode("utf-8", "replace")
        return Done(None if timed_out else code, bytes(self._kept.output), text, seconds, timed_out, self._kept.cut)

    def _talk(self, process: subprocess.Popen[bytes], end: float) -> bool:
        """Writes and reads until the program has ended; whether its time was up before."""
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        left = memoryview(self._job.inputs)
        with selectors.DefaultSelector() as ready:
            for stream in (process.stdin, process.stdout, process.stderr):
                os.set_blocking(stream.fileno(), False)
            ready.register(process.stdout, selectors.EVENT_READ, self._kept.add_output)
            ready.register(process.stderr, selectors.EVENT_READ, self._kept.add_errors)
            ready.register(process.stdin, selectors.EVENT_WRITE)
            while True:
                for key, _ in ready.select(LOOK):
                    if key.fileobj is process.stdin:
                        left = _write(process.stdin, left)
                        if not left:
                            ready.unregister(process.stdin)
                            process.stdin.close()
                    elif not _read(key.fileobj, key.data):  # type: ignore[arg-type]
                        ready.unregister(key.fileobj)
                if _over(process.pid):
                    break
                if time.monotonic() > end:
                    return True
                if not ready.get_map():
                    time.sleep(LOOK)
        return False

    def _bury(self, process: subprocess.Popen[bytes]) -> int:
        """Kills what is left of the group while the leader's number is still its own, and reads what they left."""
        with self._lock:
            self._kill_group()
            code = process.wait()
            self._dead = True
        for stream, add in ((process.stdout, self._kept.add_output), (process.stderr, self._kept.add_errors)):
            assert stream is not None
            for _ in range(64):  # more than a pipe holds; somebody who left the group may go on writing
                if _read(stream, add) != _SOME:
                    break
        for stream in (process.stdin, process.stdout, process.stderr):
            assert stream is not None
            with contextlib.suppress(OSError):
                stream.close()
        return code

    def _kill_group(self) -> None:
        if self._process is not None and not self._dead:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)


_END, _SOME, _NONE = 0, 1, 2


class _Kept:
    """Output within its bounds."""

    def __init__(self) -> None:
        self.output, self.errors, self.cut = bytearray(), bytearray(), False

    def add_output(self, data: bytes) -> None:
        room = OUTPUT - len(self.output)
        self.cut = self.cut or len(data) > room
        self.output += data[:room]

    def add_errors(self, data: bytes) -> None:
        self.errors += data
        if len(self.errors) > 2 * ERRORS:
            del self.errors[:-ERRORS]


def _read(stream: IO[bytes], add: Any) -> int:
    """_END at the end, _NONE where nothing is there now."""
    try:
        data = os.read(stream.fileno(), 1 << 16)
    except BlockingIOError:
        return _NONE
    if not data:
        return _END
    add(data)
    return _SOME


def _write(stream: IO[bytes], left: memoryview) -> memoryview:
    """What is still to be written; nothing where nobody reads it."""
    if not left:
        return left
    try:
        return left[os.write(stream.fileno(), left[: 1 << 16]) :]
    except BlockingIOError:
        return left
    except BrokenPipeError:
        return left[:0]


def _over(pid: int) -> bool:
    """Whether the process has ended; it is not buried yet, so its number stays its own."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


_living: weakref.WeakSet[ProcessHandle] = weakref.WeakSet()


@atexit.register
def _end_all() -> None:
    """No Job outlives the interpreter that waits for it."""
    for handle in list(_living):
        handle.kill()


if TYPE_CHECKING:
    _: Executor = ProcessExecutor()
