"""The sender: a process of the project that tells trackers of ended runs. ``python -m nbml.tracking.sender ROOT``.

One at a time (the office "sender"); it ends after half a minute with nothing to do. Each tracker is called in a child
of it, the only place where its library is loaded: one that hangs or crashes is ended, and asked again later.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from nbml import errors, registry
from nbml.display import keep
from nbml.store import Store, outbox, runs, use
from nbml.store.outbox import Letter
from nbml.tracking import records
from nbml.tracking.records import record
from nbml.tracking.values import Run

#: seconds without anything to do after which the sender ends
IDLE = "NBML_SENDER_IDLE"
#: seconds that a tracker may take for one run, and points that it may take one second more for
LIMIT, PACE = "NBML_SENDER_LIMIT", 500
#: seconds between two looks at the outbox, and letters that are taken at one
LOOK, MOST = 0.5, 500
#: times ``IDLE`` that a sender goes on trying after the last run that was taken; what waits then waits for the next start
STAY = 20


def wake(store: Store) -> bool:
    """Start the sender, detached, where there is something to send and none at work. Never waits for it."""
    if store.readonly or not outbox.waiting(store) or store.holder(outbox.OFFICE) is not None:
        return False
    with open(os.devnull, "r+b") as nothing:  # noqa: PTH123  a device
        # -P: nothing in the project's folder is taken for a module
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "nbml.tracking.sender", str(store.root)],
            stdin=nothing, stdout=nothing, stderr=nothing, cwd=store.root, start_new_session=True,
        )  # fmt: skip
    threading.Thread(target=process.wait, name="nbml-sender", daemon=True).start()
    return True


def serve(root: Path) -> None:
    """Send what is to be sent until there is nothing for a while. A tracker that is slow holds up no other."""
    store = use(root)
    assert store is not None
    idle = float(os.environ.get(IDLE, "30"))
    me = store.join("sender")
    if not store.lease(outbox.OFFICE, me):
        store.leave(me)
        return
    busy = worked = time.monotonic()
    posts: dict[str, Post] = {}
    while True:
        for letter in outbox.due(store, MOST, [tracker for tracker, post in posts.items() if post.busy()]):
            posts.setdefault(letter.tracker, Post(store, letter.tracker)).take(letter)
        for post in posts.values():
            if post.busy():
                busy = time.monotonic()
            worked = max(worked, post.worked)
        now = time.monotonic()
        if now - busy >= idle:
            if outbox.retire(store, me, 2 * outbox.PATIENCE if now - worked < STAY * idle else idle):
                break
            busy = now
        time.sleep(min(LOOK, max(0.01, idle)))
    for post in posts.values():
        post.close()


class Post:
    """What one tracker is told, in a thread of the sender and a child of its own, which stays while it answers."""

    def __init__(self, store: Store, tracker: str) -> None:
        self.store, self.tracker = store, tracker
        self.letters: list[Letter] = []
        self.refused = 0
        self.worked = time.monotonic()
        self._thread: threading.Thread | None = None
        self._child: Child | None = None

    def take(self, letter: Letter) -> None:
        """Take a letter for the next round. Not while one goes on."""
        self.letters.append(letter)

    def busy(self) -> bool:
        """Begin a round where there is something for it; whether one goes on."""
        if self._thread is not None and not self._thread.is_alive():
            self._thread, self.letters = None, []
            return True
        if self._thread is None and self.letters:
            self._thread = threading.Thread(target=self._round, name=f"nbml-{self.tracker}", daemon=True)
            self._thread.start()
        return self._thread is not None

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            self._child.close()

    def _round(self) -> None:
        """One run after the other. Two in a row that are not taken mean that the tracker takes nothing now."""
        failed = 0
        for letter in self.letters:
            if self._child is None or self._child.gone():
                self.close()
                self._child = Child(self.store.root, self.tracker)
            count = sum(runs.names(self.store, letter.run).values())
            answer = self._child.ask(letter.run, float(os.environ.get(LIMIT, "120")) + count / PACE)
            if "answer" in answer:
                outbox.sent(self.store, letter, answer["answer"])
                self.worked, self.refused, failed = time.monotonic(), 0, 0
                _redraw(self.store, letter.run)
                continue
            outbox.missed(self.store, letter, answer["error"])
            if letter.tries == 0:
                _redraw(self.store, letter.run)
            failed += 1
            if failed == 2:
                self.refused += 1
                outbox.postpone(self.store, self.tracker, 2.0 ** min(self.refused, 30))
                return


class Child:
    """The process in which one tracker's library is loaded. One that takes too long is ended."""

    def __init__(self, root: Path, tracker: str) -> None:
        self.tracker = tracker
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  closed with the child
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "nbml.tracking.sender", str(root), "--tracker", tracker],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said, cwd=root, start_new_session=True,
        )  # fmt: skip

    def gone(self) -> bool:
        """Whether it has ended, or was."""
        return self._process.poll() is not None

    def ask(self, run: int, seconds: float) -> dict[str, Any]:
        """What it answers for a run: ``answer``, or ``error``, where it died or took too long too."""
        text = self._answer(run, time.monotonic() + seconds)
        if text.endswith(b"\n"):
            found: dict[str, Any] = json.loads(text)
            return found
        self._kill()
        self._said.seek(0)
        lines = self._said.read().decode("utf-8", "replace").strip().splitlines()
        words = f": {lines[-1][:300]}" if lines else ""
        return {"error": records.said(f"{self.tracker} did not answer{words}")}

    def _answer(self, run: int, end: float) -> bytes:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        text = b""
        with contextlib.suppress(OSError):
            self._process.stdin.write(f"{run}\n".encode())
            self._process.stdin.flush()
        while not text.endswith(b"\n"):
            ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, end - time.monotonic()))
            part = os.read(self._process.stdout.fileno(), 65536) if ready else b""
            if not part:
                break
            text += part
        return text

    def close(self) -> None:
        """Let it end, and make it."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        self._kill()
        self._said.close()

    def _kill(self) -> None:
        """It, and what it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def _redraw(store: Store, run: int) -> None:
    """The detail view says where the run is."""
    thing = store.by_id(run)
    if thing is not None:
        keep(Run(store, thing, runs.rows(store, thing=run)[0].uid)._report(), store)


def attend(root: Path, tracker: str) -> None:
    """The child: for each run that a line of the input names, one line of JSON. Ends with its parent, whatever it is doing."""
    store = use(root)
    assert store is not None
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)  # what a library prints is no answer
        asked: queue.Queue[int | None] = queue.Queue()
        busy = threading.Event()

        def listen() -> None:
            for line in sys.stdin:
                asked.put(int(line))
            if busy.is_set():
                os._exit(1)  # the parent closes the pipe when it has all answers: it is gone
            asked.put(None)

        threading.Thread(target=listen, daemon=True).start()
        while (run := asked.get()) is not None:
            busy.set()
            said = json.dumps(_send(store, root, tracker, run))
            busy.clear()
            answers.write(said + "\n")
            answers.flush()


def _send(store: Store, root: Path, tracker: str, run: int) -> dict[str, Any]:
    try:
        found = registry.adapter("nbml.trackers", tracker)(root).send(record(store, run))
        return {"answer": dict(found)}
    except errors.NbmlError as error:
        said = error.message
    except ModuleNotFoundError as error:
        said = f"the tracker {tracker!r} needs {error.name}, which is not installed"
    except Exception as error:  # an adapter of anybody's
        said = f"{tracker}: {type(error).__name__}: {error}"
    return {"error": records.said(said)}


def main(arguments: list[str]) -> int:
    """``ROOT``, or ``ROOT --tracker NAME`` for the child."""
    if len(arguments) == 3 and arguments[1] == "--tracker":
        attend(Path(arguments[0]), arguments[2])
    else:
        with contextlib.suppress(OSError):
            os.nice(5)  # its children too: a notebook's cell comes first
        serve(Path(arguments[0]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
