"""One worker: BentoML's own worker program on a socket that the supervisor owns, forked from what is loaded already."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nbml.deploying import template
from nbml.deploying.state import tail
from nbml.store.processes import begun

#: seconds between two questions to a worker that answers, but not yet with 200
PAUSE = 0.05
#: what a kernel's or a hub's process has in its environment and a service has no business with
PRIVATE = ("JPY_", "JUPYTERHUB_", "NBML_", "BENTOML_")
#: loaded here, so that the forked child does nothing but call it
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def environment(home: Path, traffic_fd: int, token: Path) -> dict[str, str]:
    """The worker's environment: the supervisor's, less what is private to kernel and hub."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(PRIVATE)}
    own = {
        "BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "True", "OMP_NUM_THREADS": "1", "NBML_TRAFFIC_FD": str(traffic_fd),
    }  # fmt: skip
    return {**kept, **own, **({"NBML_TOKEN_FILE": str(token)} if token.is_file() else {})}


def mortal(parent: int) -> Callable[[], None]:
    """For a forked child, before its program starts: die with the supervisor, even where that is killed."""

    def prepare() -> None:
        if _libc is not None:
            _libc.prctl(template.PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return prepare


class Worker:
    """A Bento that is loaded, and its worker from ``go`` on. ``step`` never waits.

    ``code`` is the exit code of a worker, or of a loading, that has ended; None before. To be made in the main thread
    only: Linux takes the thread for the parent. ``python`` is the interpreter of the environment that the Bento was proven
    in; without one of its own it is this one.
    """

    def __init__(
        self, bento: Path, listening: socket.socket, traffic_fd: int, env: Mapping[str, str], cwd: Path, log: Path,
        python: str = sys.executable,
    ) -> None:  # fmt: skip
        self._log, self._probe, self._next = log, _Probe(listening.getsockname()), 0.0
        self.started, self.ready_after = time.monotonic(), None
        self.pid, self.begun, self.code = 0, "", None
        self.prepared = self.going = self._ended = False
        self._held = b""
        go, self._go = os.pipe()
        self._say, say = os.pipe()
        os.set_blocking(self._say, False)
        command = [python, "-I", "-B", "-u", str(Path(template.__file__)), str(bento), str(listening.fileno()), str(go), str(say)]
        with log.open("ab") as out:
            self._offset = out.tell()
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=cwd, env=dict(env),
                pass_fds=(listening.fileno(), traffic_fd, go, say), preexec_fn=mortal(os.getpid()),
            )  # fmt: skip
        os.close(go)
        os.close(say)

    started: float
    ready_after: float | None
    code: int | None

    @property
    def ready(self) -> bool:
        return self.ready_after is not None

    @property
    def loaded(self) -> bool:
        """Whether another worker can be started from what is loaded."""
        return not self._ended

    def waits_on(self) -> list[Any]:
        """What ``select`` is to watch for it."""
        probe = [self._probe.socket] if self._probe.socket is not None else []
        return [*([] if self._ended else [self._say]), *probe]

    def go(self) -> None:
        """Start the worker as soon as all is loaded; again, where one has ended."""
        if self.going:
            self.started, self._offset = time.monotonic(), self._log.stat().st_size if self._log.exists() else 0
        self.going, self.code, self.ready_after, self._wanted = True, None, None, True
        self._send()

    _wanted = False

    def step(self) -> None:
        """Hear what the process says; ask ``/readyz`` where a worker is there."""
        for word, number in self._heard():
            if word == b"prepared":
                self.prepared = True
            elif word == b"worker":
                self.pid, self.begun = number, begun(number)
            elif word == b"ended":
                self._over(number)
        if self._ended and self.code is None:
            self._over(self.process.wait())
        self._send()
        if self.pid and not self.ready and time.monotonic() >= self._next:
            answer = self._probe.step()
            if answer is not None:
                self._next = time.monotonic() + PAUSE
            if answer:
                self.ready_after = time.monotonic() - self.started

    def last_lines(self, lines: int) -> list[str]:
        """What it wrote last, of its own."""
        return tail(self._log, lines, self._offset)

    def kill(self) -> None:
        """End the worker, or the loading, at once."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid or self.process.pid, signal.SIGKILL)

    def halt(self, grace: float = template.GRACE + 2) -> None:
        """SIGTERM to the worker, SIGKILL where that is not heeded in time. What is loaded stays."""
        self._wanted = False
        self._probe.close()
        if self.going and self.prepared and not self.pid and self.code is None:  # between "go" and the worker's first word
            self._wait(lambda: bool(self.pid) or self.code is not None, 1.0)
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.pid and self.code is None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.pid, number)
                self._wait(lambda: self.code is not None, grace)

    def stop(self) -> None:
        """End the worker and what is loaded."""
        self.halt()
        if self.process.poll() is None:
            self.process.kill()  # it holds nothing
            self.process.wait()
        self._probe.close()
        for fd in (self._go, self._say):
            with contextlib.suppress(OSError):
                os.close(fd)
        self._ended = True

    def _over(self, code: int) -> None:
        self.code, self.pid, self.begun, self.ready_after = code, 0, "", self.ready_after
        self._probe.close()

    def _send(self) -> None:
        if self._wanted and self.prepared and not self._ended:
            self._wanted = False
            with contextlib.suppress(BrokenPipeError):
                os.write(self._go, b"g")

    def _heard(self) -> list[tuple[bytes, int]]:
        if self._ended:
            return []
        try:
            data = os.read(self._say, 4096)
        except BlockingIOError:
            return []
        self._ended = not data
        *lines, self._held = (self._held + data).split(b"\n")
        return [(line.partition(b" ")[0], int(line.partition(b" ")[2] or b"0")) for line in lines]

    def _wait(self, condition: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not condition() and time.monotonic() < end:
            if not self._ended:
                select.select([self._say], [], [], 0.05)
            for word, number in self._heard():
                if word == b"worker":
                    self.pid, self.begun = number, begun(number)
                elif word == b"ended":
                    self._over(number)
            if self._ended and self.code is None:
                self._over(self.process.wait())


class _Probe:
    """A real ``GET /readyz`` in steps. The connection waits in the socket's queue until a worker takes it."""

    def __init__(self, address: tuple[str, int], patience: float = 10.0) -> None:
        self._address, self._patience = address, patience
        self.socket: socket.socket | None = None
        self._head, self._end = b"", 0.0

    def step(self) -> bool | None:
        """True for 200, False for another answer or none, None while it waits."""
        try:
            if self.socket is None:
                self._open()
                return None
            if not select.select([self.socket], [], [], 0)[0]:
                return self._close(False) if time.monotonic() > self._end else None
            more = self.socket.recv(4096)
            self._head += more
            if more and b"\r\n" not in self._head:
                return None
            return self._close(self._head.split(b"\r\n")[0].split(b" ")[1:2] == [b"200"])
        except OSError:
            return self._close(False)

    def close(self) -> None:
        self._close(False)

    def _open(self) -> None:
        self._head, self._end = b"", time.monotonic() + self._patience
        self.socket = socket.create_connection(self._address, timeout=1.0)
        host = "{}:{}".format(*self._address)
        self.socket.sendall(f"GET /readyz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())

    def _close(self, answer: bool) -> bool:
        with contextlib.suppress(OSError):
            if self.socket is not None:
                self.socket.close()
        self.socket = None
        return answer
