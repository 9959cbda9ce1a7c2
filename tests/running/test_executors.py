"""Executors keep the promises of the public suite; ``run`` finds them by name."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from nbml import errors, registry, running
from nbml.running import Executor, Job, run
from nbml.running.executors import process
from nbml.testing.executors import ExecutorSuite, _until


class TestProcess(ExecutorSuite):
    def executor(self) -> Executor:
        return registry.adapter("nbml.executors", "process")()

    def test_output_is_bounded_and_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(process, "OUTPUT", 1000)
        done = self.run("print('a' * 100_000)")
        assert (done.code, done.output, done.cut) == (0, b"a" * 1000, True)

    def test_many_run_at_once_and_one_that_nobody_waits_for_goes_on(self, tmp_path: Path) -> None:
        handles = [self.executor().submit(self.job(f"print('x' * 200_000); print({i})", tmp_path)) for i in range(4)]
        _until(lambda: all(handle._ended.is_set() for handle in handles))  # type: ignore[attr-defined]
        assert [handle.wait().output[-2:] for handle in handles] == [f"{i}\n".encode() for i in range(4)]
        assert handles[0].wait() is handles[0].wait()


def test_an_interrupt_while_a_job_begins_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = threading.Thread.start

    def interrupted(thread: threading.Thread) -> None:
        begin(thread)
        if thread.name == "nbml-job":
            raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    argv = ("-c", "import os, time; open('pid.part', 'w').write(str(os.getpid())); os.rename('pid.part', 'pid'); time.sleep(60)")
    with pytest.raises(KeyboardInterrupt):
        process.ProcessExecutor().submit(Job(argv, tmp_path, dict(os.environ)))
    pid = tmp_path / "pid"  # where it came so far before it was killed
    assert not pid.exists() or not Path(f"/proc/{pid.read_text()}").exists()
    assert not [thread for thread in threading.enumerate() if thread.name == "nbml-job"]


def test_run_finds_the_executor_by_its_name(tmp_path: Path) -> None:
    done = run(Job(("-c", "print(6 * 7)"), tmp_path, dict(os.environ)))
    assert (done.code, done.output) == (0, b"42\n")
    with pytest.raises(errors.UnknownAdapter) as caught:
        run(Job(("-c", ""), tmp_path), executor="proces")
    assert str(caught.value) == "no executor 'proces'; nearest: process\nTry: %nbml package --help"


def test_a_job_does_not_outlive_its_interpreter(tmp_path: Path) -> None:
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom nbml.running import Job\n"
        "from nbml.running.executors.process import ProcessExecutor\n"
        "handle = ProcessExecutor().submit(Job(('-c', 'import time; time.sleep(60)'), Path('.'), dict(os.environ)))\n"
        "print(handle.pid)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    pid = int(done.stdout)
    _until(lambda: not Path(f"/proc/{pid}").exists() or " Z " in Path(f"/proc/{pid}/stat").read_text())


def test_the_room_names_what_it_gives() -> None:
    assert running.__all__ == sorted(running.__all__)
