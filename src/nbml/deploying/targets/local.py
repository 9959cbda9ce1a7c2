"""This machine: a supervised BentoML worker on a loopback port, which outlives the kernel. Linux and macOS.

Not carried over: several workers, and updates that lose no idle connection (requests wait while a worker is replaced).
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbml import errors
from nbml.deploying import records, state
from nbml.deploying.state import Status, Wish
from nbml.deploying.targets import Order
from nbml.store import Store
from nbml.store.processes import boot_id, runs
from nbml.store.small import read_json

#: seconds between two looks at what the supervisor says
PAUSE = 0.05
#: what a deployment that failed to start again leaves as it was
KEPT = (state.STATE, state.WISH, state.LOG, state.SUMMARY)
#: seconds that a supervisor is given to end; then it is killed, and its worker dies with it
GRACE = 20.0


class LocalTarget:
    """Deployments of this machine: what it knows stands in ``.nbml/deployments/``."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def plan(self, order: Order) -> list[str]:
        found = self.status(order.name)
        token = ["requests must bear the token of its 0600 file"] if order.token else []
        if found is not None and found.live:
            return [f"replace {found.service} by {order.service} at {found.url}; requests wait meanwhile", *token]
        where = f"port {order.port}" if order.port else "a free port"
        return [f"start a supervisor and a worker of {order.service} on {where} of 127.0.0.1", "wait until /readyz answers", *token]

    def apply(self, order: Order, progress: Callable[[Status | None], None]) -> Status:
        self._environment(order)
        where = self.store.room("deployments", order.name)
        found = state.status(where)
        wish = Wish(uuid.uuid4().hex, order.service, order.bento, order.thing, order.before, order.by, order.port)
        if found is not None and found.live:
            return self._replace(where, found, wish, order, progress)
        return self._begin(where, wish, order, progress)

    def status(self, name: str) -> Status | None:
        return state.status(state.folder(self.store, name))

    def logs(self, name: str, lines: int) -> list[str]:
        return state.tail(state.folder(self.store, name) / state.LOG, lines)

    def stop(self, name: str) -> None:
        where = state.folder(self.store, name)
        said = read_json(where / state.STATE)
        found = state.status(where)
        if found is None or said.get("state") not in state.LIVE:
            return
        if found.live:
            _end(found)
        after = state.status(where)
        if after is not None and after.state != "stopped":  # killed, here or by somebody else: what it would have done
            _sweep(after)
            (where / state.TOKEN).unlink(missing_ok=True)
            shutil.rmtree(where / state.HOME, ignore_errors=True)
            state.write_status(where, Status("stopped", after.service, after.url, after.port, after.pid, after.begun, after.boot))
        records.stopped(self.store, name)

    def _environment(self, order: Order) -> None:
        """See that the environment which the version was proven in is there. Raises errors.DeployError where it cannot be had."""
        from nbml.packaging import environments

        thing = self.store.by_id(order.thing)
        if thing is not None:
            environments.of(self.store, thing.body)

    # -- inside ---------------------------------------------------------------------------------------------

    def _begin(self, where: Path, wish: Wish, order: Order, progress: Callable[[Status | None], None]) -> Status:
        """A new supervisor. What lay in the folder before, a stopped deployment's files, is put back where it fails."""
        kept = {name: (where / name).read_bytes() for name in KEPT if (where / name).is_file()}
        before = state.status(where)
        if before is not None:
            _sweep(before)
        process: subprocess.Popen[bytes] | None = None
        try:
            (where / state.TOKEN).unlink(missing_ok=True)
            if order.token:
                _give_token(where)
            state.write_wish(where, wish)
            (where / state.LOG).write_bytes(b"")
            with _uninterrupted():
                process = _supervisor(self.store.root, order.name, where)
            return self._wait(where, wish, order, progress, process)
        except BaseException:
            with _uninterrupted():
                _abandon(where, process, kept)
            raise

    def _replace(self, where: Path, found: Status, wish: Wish, order: Order, progress: Callable[[Status | None], None]) -> Status:
        """Another version under the running supervisor, which goes back to the one before where the new one fails."""
        try:
            if order.token and not (where / state.TOKEN).is_file():
                _give_token(where)
            state.write_wish(where, wish)
            os.kill(found.pid, signal.SIGHUP)
            return self._wait(where, wish, order, progress, None)
        except KeyboardInterrupt:
            with _uninterrupted():
                back = Wish(uuid.uuid4().hex, cancel=wish.id)
                state.write_wish(where, back)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(found.pid, signal.SIGHUP)
                _until(lambda: not _live(where) or read_json(where / state.STATE).get("dealt") == back.id, GRACE)
            raise

    def _wait(
        self, where: Path, wish: Wish, order: Order, progress: Callable[[Status | None], None], process: subprocess.Popen[bytes] | None
    ) -> Status:
        """Until the supervisor has dealt with the wish."""
        told = 0.0
        while True:
            ended = process is not None and process.poll() is not None
            found = state.status(where)
            if found is not None and found.dealt == wish.id:
                if found.problem:
                    raise _error(found, order)
                return found
            if ended or (process is None and (found is None or not found.live)):
                lines = "".join(f"\n  {line}" for line in state.tail(where / state.LOG, 8))
                said = f"; its last log lines:{lines}" if lines else ""
                raise errors.DeployFailed(f"the supervisor of {order.name} ended before {order.service} ran{said}", next="%nbml doctor")
            if time.monotonic() - told >= 0.25:
                told = time.monotonic()
                progress(found)
            time.sleep(PAUSE)


def _supervisor(root: Path, name: str, where: Path) -> subprocess.Popen[bytes]:
    """Started in a session of its own, so that no signal to the kernel's group reaches it; reaped by a thread."""
    (where / state.HOME).mkdir(mode=0o700, exist_ok=True)
    with (where / state.LOG).open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "nbml.deploying.supervisor", str(root), name], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=log, cwd=where / state.HOME, start_new_session=True, env={**os.environ, "PYTHONSAFEPATH": "1"},
        )  # fmt: skip
    threading.Thread(target=process.wait, name=f"nbml-reap-{name}", daemon=True).start()
    return process


def _abandon(where: Path, process: subprocess.Popen[bytes] | None, kept: dict[str, bytes]) -> None:
    """End what was started and leave the folder as it was found."""
    if process is not None and process.poll() is None:
        process.terminate()
        if not _until(lambda: process.poll() is not None, GRACE):
            process.kill()
            _until(lambda: process.poll() is not None, GRACE)
    if process is not None:
        found = state.status(where)
        if found is not None and found.pid == process.pid:
            _sweep(found)
    for name in (state.TOKEN, *KEPT):
        (where / name).unlink(missing_ok=True)
    shutil.rmtree(where / state.HOME, ignore_errors=True)
    if not kept:
        shutil.rmtree(where, ignore_errors=True)
    for name, content in kept.items():
        (where / name).write_bytes(content)


def _end(found: Status) -> None:
    """SIGTERM to the very process, SIGKILL where it does not end."""
    for number, seconds in ((signal.SIGTERM, GRACE), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(found.pid, number)
        if _until(lambda: not runs(found.pid, found.begun, found.boot), seconds):
            return


def _sweep(found: Status) -> None:
    """End a worker whose supervisor was killed, where the system did not."""
    if found.worker and found.boot == boot_id() and runs(found.worker, found.worker_begun, found.boot):
        with contextlib.suppress(ProcessLookupError):
            os.kill(found.worker, signal.SIGKILL)
        _until(lambda: not runs(found.worker, found.worker_begun, found.boot), 5.0)


def _live(where: Path) -> bool:
    found = state.status(where)
    return found is not None and found.live


def _until(condition: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(PAUSE)
    return True


def _give_token(where: Path) -> None:
    """A token in a file that only its owner reads."""
    handle = os.open(where / state.TOKEN, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_urlsafe(32))


def _error(found: Status, order: Order) -> errors.DeployError:
    if found.cause == "port":
        before, _, other = found.problem.rpartition(" the deployment ")
        return errors.PortInUse(found.problem, next=f"%nbml stop {other}" if before else "%nbml config")
    if found.cause == "died":
        return errors.ServiceDied(found.problem, next=f'nbml.service("{order.service}")')
    return errors.DeployFailed(found.problem, next="%nbml deployments")


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ctrl-C waits until the block is done: what is being started is known by then, what is being tidied is tidy."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed: list[Any] = []
    before = signal.signal(signal.SIGINT, lambda *what: pressed.append(what))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if pressed and callable(before):
            before(*pressed[0])


if TYPE_CHECKING:
    from nbml.deploying.targets import Target

    _: Target = LocalTarget(Store(Path()))
