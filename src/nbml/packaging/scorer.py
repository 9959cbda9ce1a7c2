"""One process of a Bento that answers request after request over pipes, for as many rows as there are."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

from nbml import errors
from nbml.packaging import proof
from nbml.packaging.bento.score import ANSWER, REQUEST

if TYPE_CHECKING:
    from nbml.packaging.values import ServiceVersion

PROGRAM = Path(__file__).parent / "bento" / "score.py"
#: requests that are on their way at once: while one is answered, the next is made
AHEAD = 2


class Scorer:
    """The process. As a context manager: it is gone at the end, after an interrupt too."""

    def __init__(self, version: ServiceVersion) -> None:
        self.version = version
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in __exit__
        env = proof.variables(version.manifest["environment"])
        self._process = subprocess.Popen(
            [version.python(), "-I", "-B", str(PROGRAM), str(version.path / "src")], cwd=Path(version.path.anchor), env=env,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, start_new_session=True,
        )  # fmt: skip
        self._answers: queue.Queue[tuple[int, bytes] | None] = queue.Queue(AHEAD + 1)
        self._stopped = threading.Event()
        self._reader = threading.Thread(target=self._read, name="nbml-scorer", daemon=True)

    def __enter__(self) -> Scorer:
        try:
            self._reader.start()
            status, body = self.answer()
            if status != 200:
                raise errors.DeployError(f"{self.version} does not start: {proof.told(json.loads(body))}")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End it, and all that it started."""
        self._stopped.set()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            with contextlib.suppress(OSError):
                stream.close()  # type: ignore[union-attr]

    def send(self, body: bytes, *, looking: bool = False) -> None:
        """Hand over a request; its answer is to be fetched by ``answer``, in turn."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(REQUEST.pack(len(body), looking))
            self._process.stdin.write(body)
            self._process.stdin.flush()
        except OSError as error:
            raise self._died() from error

    def answer(self) -> tuple[int, bytes]:
        """Status and body of the oldest request that has none yet."""
        found = self._answers.get()
        if found is None:
            raise self._died()
        return found

    def _read(self) -> None:
        """In a thread: a process that waits for its answer to be read reads no request."""
        assert self._process.stdout is not None
        for found in itertools.chain(_frames(self._process.stdout), [None]):
            while not self._stopped.is_set():
                with contextlib.suppress(queue.Full):
                    self._answers.put(found, timeout=0.2)
                    break

    def _died(self) -> errors.DeployError:
        code = self._process.wait()
        self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - 4096))
        last = self._errors.read().decode("utf-8", "replace").strip().splitlines()[-1:] or ["it said nothing"]
        killed = " (killed: is there too little memory?)" if code == -signal.SIGKILL else ""
        return errors.DeployError(f"the process of {self.version} ended with {code}{killed}: {last[0]}; nothing was written")


def _frames(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Answers as they come, until the process has ended."""
    with contextlib.suppress(OSError, ValueError):
        while len(head := stream.read(ANSWER.size)) == ANSWER.size:
            size, status = ANSWER.unpack(head)
            body = stream.read(size)
            if len(body) == size:
                yield status, body


def told(body: bytes) -> str:
    """Why a request failed, in one line."""
    said: dict[str, Any] = json.loads(body)
    if "error" in said:
        return str(said["error"].get("message"))
    return proof.told(said)
