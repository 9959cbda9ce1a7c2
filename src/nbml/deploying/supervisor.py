"""``python -m nbml.deploying.supervisor PROJECT NAME``: keeps one deployment running.

Detached from whoever started it. It owns the listening socket, so that the address stays while workers come and go and
requests in between wait in the socket's queue; it starts the worker and the log writer and starts them again when they
die. What is to run stands in ``wish.json``; SIGHUP says that a new wish is there, SIGTERM ends everything. It alone
writes ``state.json`` and the deployment's thing in the store.

One thread waits for signals and for the worker's answer; workers are started from it, since Linux ties a child's death
to the thread that made it.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO

from nbml import errors
from nbml.deploying import ports, records, state
from nbml.deploying.state import Status, Wish
from nbml.deploying.worker import Worker, environment
from nbml.store import Store
from nbml.store.processes import begun, boot_id

#: seconds that a worker may take until it is ready
PATIENCE = 180.0
#: seconds before each next start of a worker that dies; the first comes at once
BACKOFF = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
#: seconds after which a worker that ran is no longer held to be one that dies
STEADY = 60.0
#: a log longer than this is put aside at the next start of a worker
LONGEST = 10_000_000
#: a program that ends with 1
NOTHING = shutil.which("false") or "/bin/false"
#: lines of the log that an error shows
LINES = 8
#: files of a traceback that tell a reader nothing, and the lines that only point
FOREIGN, POINTER = re.compile(r"<frozen |site-packages|/lib/python3"), re.compile(r"\s*[~^]+")


@dataclass(frozen=True)
class Trial:
    """A wish whose worker is not ready yet."""

    wish: Wish


class Supervisor:
    """The state of one deployment. ``run`` returns when it has ended."""

    def __init__(self, root: Path, name: str) -> None:
        self.store, self.name = Store(root), name
        self.folder = state.folder(self.store, name)
        self.status = Status("starting", pid=os.getpid(), begun=begun(os.getpid()), boot=boot_id(), started=time.time())
        self.spec: Wish | None = None
        self.trial: Trial | None = None
        self.worker: Worker | None = None
        self.coming: Worker | None = None
        self.writer: subprocess.Popen[bytes] | None = None
        self.deaths, self.start_at, self.write_at = 0, 0.0, 0.0
        self.ending = self.look = False

    # -- life -----------------------------------------------------------------------------------------------

    def run(self) -> int:
        """0 after SIGTERM, 1 where nothing came up, 3 where another supervisor has the name."""
        process = self.store.join("supervisor", self.name)
        if not self.store.lease(f"supervisor:{self.name}", process):
            return 3
        self.process = process
        try:
            self._signals()
            return self._serve()
        finally:
            with contextlib.suppress(errors.StoreError):
                self.store.leave(process)
            self.store.close()

    def _serve(self) -> int:
        first = state.wish(self.folder)
        if first is None:
            return 1
        try:
            self.listening = ports.listen(self.folder, first.port)
        except errors.PortInUse as error:
            self._say(state="failed", dealt=first.id, problem=error.message, cause="port", error=error.message)
            return 1
        port = self.listening.getsockname()[1]
        self._say(port=port, url=f"http://127.0.0.1:{port}", service=first.service)
        shutil.rmtree(self.folder / state.HOME, ignore_errors=True)
        self.traffic = os.pipe()
        with contextlib.suppress(OSError, AttributeError):
            import fcntl

            fcntl.fcntl(self.traffic[1], fcntl.F_SETPIPE_SZ, 1 << 20)
        try:
            self._grant(first)
            while not self.ending:
                self._step()
            return 0 if self.status.state != "failed" else 1
        finally:
            self._end()

    def _end(self) -> None:
        """Worker, then the pipe, then the log writer, which reads the pipe to its end; then the port."""
        failed = self.status.state == "failed"
        if not failed:
            self._say(state="stopping")
        for worker in (self.coming, self.worker):
            if worker is not None:
                worker.stop()
        self.listening.close()
        os.close(self.traffic[1])
        os.close(self.traffic[0])
        if self.writer is not None:
            try:
                self.writer.wait(5)
            except subprocess.TimeoutExpired:
                self.writer.kill()
                self.writer.wait()
        shutil.rmtree(self.folder / state.HOME, ignore_errors=True)
        (self.folder / state.TOKEN).unlink(missing_ok=True)
        if not failed:
            records.stopped(self.store, self.name)
            self._say(state="stopped", worker=0, worker_begun="")

    def _signals(self) -> None:
        inner, outer = os.pipe()
        os.set_blocking(inner, False)
        os.set_blocking(outer, False)
        self.wake = inner
        signal.set_wakeup_fd(outer, warn_on_full_buffer=False)

        def end(number: int, frame: object) -> None:
            self.ending = True

        def hear(number: int, frame: object) -> None:
            self.look = True

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, hear)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)

    # -- one turn -------------------------------------------------------------------------------------------

    def _step(self) -> None:
        workers = [worker for worker in (self.worker, self.coming) if worker is not None]
        waits: list[Any] = [what for worker in workers for what in worker.waits_on()]
        pause = 1.0 if self.coming is None and self.worker is not None and self.worker.ready else 0.05
        if self.wake in select.select([self.wake, *waits], [], [], pause)[0]:
            with contextlib.suppress(BlockingIOError):
                os.read(self.wake, 512)
        if not self.folder.is_dir():  # the project was removed: nobody could end this process any more
            self.ending = True
            return
        if self.look:
            self.look = False
            self._heed(state.wish(self.folder))
        self._tend_writer()
        for worker in workers:
            worker.step()
        if self.coming is not None:
            self._tend_coming(self.coming)
        if self.coming is None or not self.coming.going:
            self._tend_worker()

    def _tend_worker(self) -> None:
        worker = self.worker
        if worker is None or (worker.code is not None and self.start_at):
            if time.monotonic() >= self.start_at:
                self._start()
        elif worker.code is not None:
            self._died(worker)
        elif worker.ready and self.status.state != "running":
            self._ready(worker)
        elif not worker.ready and time.monotonic() - worker.started > PATIENCE:
            worker.kill()
        elif worker.ready and time.monotonic() - worker.started > STEADY:
            self.deaths = 0

    def _tend_coming(self, coming: Worker) -> None:
        """The version that is to replace the running one: loaded beside it, and then started in its place."""
        assert self.trial is not None
        wish, old = self.trial.wish, self.worker
        if coming.code is not None:
            self._give_up(_why(coming, wish.service))
        elif coming.prepared and not coming.going:
            self._say(state="restarting", service=wish.service)
            if old is not None:
                old.halt()
            coming.go()
        elif coming.ready:
            self.worker, self.coming, self.spec = coming, None, wish
            self._ready(coming)
            if old is not None:
                old.stop()
        elif time.monotonic() - coming.started > PATIENCE:
            coming.kill()

    def _tend_writer(self) -> None:
        if self.writer is not None and self.writer.poll() is not None:
            self._note(f"the log writer ended with {self.writer.returncode}; starting it again")
            self.writer = None
            self.write_at = time.monotonic() + 1.0
        if self.writer is None and time.monotonic() >= self.write_at:
            command = [sys.executable, "-m", "nbml.deploying.logwriter", str(self.folder), str(self.traffic[0]), repr(self.status.started)]
            with self._log() as log:
                self.writer = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(self.traffic[0],), cwd=self._home()
                )

    def _start(self) -> None:
        """The worker of what is wished for: forked from what is loaded, or loaded anew."""
        assert self.spec is not None
        self.start_at = 0.0
        if self.worker is not None and not self.worker.loaded:
            self.worker.stop()
            self.worker = None
        if self.worker is None:
            self.worker = self._load(self.spec)
        self.worker.go()

    def _load(self, spec: Wish) -> Worker:
        log = self.folder / state.LOG
        if log.exists() and log.stat().st_size > LONGEST:
            log.replace(log.with_name(f"{state.LOG}.1"))
        env = environment(self._home(), self.traffic[1], self.folder / state.TOKEN)
        bento, python = self.store.root / spec.bento, self._python(spec)
        return Worker(bento, self.listening, self.traffic[1], env, self._home(), log, python)

    def _python(self, spec: Wish) -> str:
        """The interpreter of the environment that the version was proven in. Where none can be had, the log tells, and none starts."""
        from nbml.packaging import environments

        thing = self.store.by_id(spec.thing)
        try:
            found = None if thing is None else environments.of(self.store, thing.body)
        except errors.NbmlError as error:
            self._note(str(error))
            return NOTHING
        return sys.executable if found is None else found.python

    # -- what happened --------------------------------------------------------------------------------------

    def _ready(self, worker: Worker) -> None:
        assert self.spec is not None
        self._say(
            state="running", service=self.spec.service, worker=worker.pid, worker_begun=worker.begun, error="",
            seconds=round(worker.ready_after or 0.0, 3),
        )  # fmt: skip
        if self.trial is not None and self.trial.wish.id == self.spec.id:
            wish, self.trial = self.trial.wish, None
            records.running(self.store, self.name, wish, self.status, self.process.id, (self.folder / state.TOKEN).is_file())
            self._say(dealt=wish.id, problem="", cause="")

    def _died(self, worker: Worker) -> None:
        assert self.spec is not None
        why = "" if worker.ready else _why(worker, self.spec.service)
        self._note(f"the worker of {self.spec.service} (process {self.status.worker}) ended with {worker.code}")
        if self.trial is not None and self.coming is None:
            self._give_up(why)
            return
        self.start_at = time.monotonic() + BACKOFF[min(self.deaths, len(BACKOFF) - 1)]
        self.deaths += 1
        self._say(state="restarting", worker=0, worker_begun="", restarts=self.status.restarts + 1, error=why)

    def _give_up(self, why: str) -> None:
        """The trial failed: what ran before goes on, or comes back; where nothing did, this process ends."""
        assert self.trial is not None
        trial, self.trial = self.trial, None
        if self.coming is None:
            self._say(state="failed", error=why, dealt=trial.wish.id, problem=why, cause="died", worker=0, worker_begun="")
            self.ending = True
            return
        started = self.coming.going
        self.coming.stop()
        self.coming = None
        assert self.spec is not None
        if started:
            self.deaths = 0
            self._say(state="restarting", service=self.spec.service, worker=0, worker_begun="")
            self._start()
        self._say(dealt=trial.wish.id, problem=why, cause="died")

    def _heed(self, wish: Wish | None) -> None:
        if wish is None or wish.id == self.status.dealt or (self.trial is not None and self.trial.wish.id == wish.id):
            return
        if wish.cancel:
            if self.trial is not None and self.trial.wish.id == wish.cancel:
                self._give_up("interrupted")
            self._say(dealt=wish.id)
            return
        self._grant(wish)

    def _grant(self, wish: Wish) -> None:
        """Run what is wished for; it is a trial until its worker is ready."""
        if self.coming is not None:  # the wish before was given up by its maker
            self._give_up("another deploy came")
        running = self.worker is not None and self.trial is None
        self.trial = Trial(wish)
        if running:
            self.coming = self._load(wish)
            return
        if self.worker is not None:
            self.worker.stop()
            self.worker = None
        self.spec, self.deaths = wish, 0
        self._say(state="starting", service=wish.service, error="")
        self._start()

    # -- small things ---------------------------------------------------------------------------------------

    def _say(self, **changes: object) -> None:
        self.status = replace(self.status, **changes)  # type: ignore[arg-type]
        with contextlib.suppress(OSError):  # a full disk stops no service
            state.write_status(self.folder, self.status)

    def _note(self, text: str) -> None:
        with contextlib.suppress(OSError), self._log() as log:
            log.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S')} supervisor: {text}\n")

    def _log(self) -> TextIO:
        return (self.folder / state.LOG).open("a", encoding="utf-8")

    def _home(self) -> Path:
        home = self.folder / state.HOME
        home.mkdir(mode=0o700, exist_ok=True)
        return home


def _telling(lines: list[str]) -> list[str]:
    """A log without the frames of a traceback that are in nobody's own code."""
    kept, foreign = [], False
    for line in lines:
        if line.lstrip().startswith('File "'):
            foreign = bool(FOREIGN.search(line))
        elif not line.startswith("    "):
            foreign = False
        if not foreign and not POINTER.fullmatch(line):
            kept.append(line)
    return kept


def _why(worker: Worker, service: str) -> str:
    """Why a worker that never was ready ended, with what it wrote last."""
    lines = _telling(worker.last_lines(60))[-LINES:]
    said = "; its last log lines:\n" + "\n".join(f"  {line}" for line in lines) if lines else ", and wrote nothing"
    late = time.monotonic() - worker.started > PATIENCE
    how = f"was not ready within {PATIENCE:g} s" if late else f"ended before it was ready (exit code {worker.code})"
    return f"{service} {how}{said}"


def main(arguments: list[str]) -> int:
    """Run the supervisor of ``arguments[1]`` in the project ``arguments[0]``."""
    return Supervisor(Path(arguments[0]), arguments[1]).run()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
