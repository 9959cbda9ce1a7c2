"""The conformance suite of executors: a subclass with ``executor`` is the contract test of an adapter."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from nbml import errors
from nbml.running import Done, Executor, Job

#: forks a child that would sleep for a minute, and tells both process ids
_FAMILY = (
    "import os, subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    "open('pids', 'w').write(f'{os.getpid()} {child.pid}'); os.rename('pids', 'family')\n"
)


class ExecutorSuite(ABC):
    """Promises of ``nbml.running.Executor``. Executors of other machines leave out what needs this one's process table."""

    @abstractmethod
    def executor(self) -> Executor:
        """A fresh executor."""

    def job(self, code: str, folder: Path, *, inputs: bytes = b"", timeout: float = 30.0, env: dict[str, str] | None = None) -> Job:
        return Job(("-I", "-c", code), folder, {**os.environ, **(env or {})}, inputs, timeout, sys.executable)

    def run(self, code: str, *, inputs: bytes = b"", timeout: float = 30.0, env: dict[str, str] | None = None) -> Done:
        with tempfile.TemporaryDirectory(prefix="nbml-job-") as folder:
            return self.executor().submit(self.job(code, Path(folder), inputs=inputs, timeout=timeout, env=env)).wait()

    # -- promises ---------------------------------------------------------------------------------------------

    def test_input_goes_in_and_output_comes_out(self) -> None:
        done = self.run("import sys; sys.stdout.buffer.write(sys.stdin.buffer.read()[::-1]); print('why', file=sys.stderr)", inputs=b"abc")
        assert (done.code, done.output, done.errors, done.timed_out, done.cut) == (0, b"cba", "why\n", False, False)
        assert 0 < done.seconds < 30

    def test_folder_and_environment_are_the_jobs(self) -> None:
        done = self.run("import os; print(os.environ['NBML_SUITE'], os.listdir('.'))", env={"NBML_SUITE": "here"})
        assert done.output == b"here []\n"

    def test_a_failure_is_its_code_and_the_end_of_its_errors(self) -> None:
        done = self.run("raise SystemExit(3)")
        assert (done.code, done.timed_out) == (3, False)
        done = self.run("print(1, flush=True); 1/0")
        assert done.code == 1
        assert done.output == b"1\n"
        assert done.errors.rstrip().endswith("ZeroDivisionError: division by zero")

    def test_both_ways_at_once_never_deadlock(self) -> None:
        code = "import sys\nfor i in range(64): sys.stdout.buffer.write(sys.stdin.buffer.read(1 << 16)); sys.stderr.write('e' * (1 << 14))"
        inputs = os.urandom(1 << 16) * 64
        done = self.run(code, inputs=inputs)
        assert (done.code, done.output == inputs) == (0, True)

    def test_input_that_nobody_reads_is_no_error(self) -> None:
        done = self.run("print('no thanks')", inputs=b"x" * (1 << 20))
        assert (done.code, done.output) == (0, b"no thanks\n")

    def test_errors_are_kept_from_their_end(self) -> None:
        done = self.run("import sys; sys.stderr.write('x' * 5_000_000 + 'last')")
        assert done.code == 0
        assert done.errors.endswith("xlast")
        assert len(done.errors) < 1_000_000

    def test_a_program_that_cannot_start_is_named(self) -> None:
        job = Job(("-c", "1"), Path(tempfile.gettempdir()), {}, python="/no/such/python")
        message = ""
        try:
            self.executor().submit(job).wait()
        except errors.BadInput as error:
            message = error.message
        assert message.startswith("/no/such/python cannot be started in ")

    def test_time_that_is_up_ends_the_program_and_its_children(self) -> None:
        done, family = self._family(lambda handle: handle.wait(), "time.sleep(60)", timeout=1.5)
        assert (done.code, done.timed_out) == (None, True)
        _gone(family)

    def test_kill_ends_the_program_and_its_children(self) -> None:
        def kill(handle: object) -> Done:
            handle.kill()  # type: ignore[attr-defined]
            handle.kill()  # type: ignore[attr-defined]
            done: Done = handle.wait()  # type: ignore[attr-defined]
            return done

        done, family = self._family(kill, "time.sleep(60)")
        assert (done.code, done.timed_out) == (-signal.SIGKILL, False)
        _gone(family)

    def test_a_program_that_ends_leaves_no_child(self) -> None:
        done, family = self._family(lambda handle: handle.wait(), "print('bye')")
        assert (done.code, done.output) == (0, b"bye\n")
        _gone(family)

    def test_an_interrupt_of_the_wait_ends_the_program_and_its_children(self) -> None:
        def interrupted(handle: object) -> Done:
            main = threading.main_thread().ident
            assert main is not None
            threading.Timer(0.1, signal.pthread_kill, (main, signal.SIGINT)).start()
            try:
                handle.wait()  # type: ignore[attr-defined]
            except KeyboardInterrupt:
                return Done(None, b"", "", 0.0)
            raise AssertionError("the wait was not interrupted")

        _, family = self._family(interrupted, "time.sleep(60)")
        _gone(family)

    def _family(self, then: Callable[..., Done], last: str, timeout: float = 30.0) -> tuple[Done, list[int]]:
        """Submits a program with a child, waits until both are there, does ``then``."""
        with tempfile.TemporaryDirectory(prefix="nbml-job-") as folder:
            handle = self.executor().submit(self.job(_FAMILY + last, Path(folder), timeout=timeout))
            path = Path(folder, "family")
            _until(path.exists)
            pids = [int(pid) for pid in path.read_text().split()]
            return then(handle), pids


def _gone(pids: list[int]) -> None:
    _until(lambda: not any(map(_runs, pids)))


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def _until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds:g} s"
        time.sleep(0.01)
