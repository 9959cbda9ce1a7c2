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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbml import errors, registry, settings
from nbml.display import keep
from nbml.store import Store, outbox, runs, use
from nbml.store.outbox import Letter
from nbml.tracking.fits import plain
from nbml.tracking.trackers import RunRecord
from nbml.tracking.values import Run

#: seconds without anything to do after which the sender ends
IDLE = "NBML_SENDER_IDLE"
#: seconds that a tracker may take for one run, and points that it may take one second more for
LIMIT, PACE = "NBML_SENDER_LIMIT", 500
#: seconds between two looks at the outbox
LOOK = 0.5


def wake(store: Store) -> bool:
    """Start the sender, detached, where there is something to send and none at work. Never waits for it."""
    if store.readonly or not outbox.letters(store, state="waiting") or store.holder(outbox.OFFICE) is not None:
        return False
    with open(os.devnull, "r+b") as nothing:  # noqa: PTH123  a device
        # -P: nothing in the project's folder is taken for a module
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "nbml.tracking.sender", str(store.root)],
            stdin=nothing, stdout=nothing, stderr=nothing, cwd=store.root, start_new_session=True,
        )  # fmt: skip
    threading.Thread(target=process.wait, name="nbml-sender", daemon=True).start()
    return True


def record(store: Store, run: int) -> RunRecord:
    """A run as trackers hear of it: what ``[tracking] send`` names, and its name, tags and note."""
    allowed = settings.load(store.root)["tracking.send"]
    row, thing = runs.rows(store, thing=run)[0], store.by_id(run)
    body = thing.body if thing else {}
    names = runs.names(store, run) if "metrics" in allowed else {}
    return RunRecord(
        row.uid, row.name, row.version, store.root.name, row.state, row.started,
        row.ended or row.started + (row.seconds or 0.0), row.tags, str(body.get("note", "")),
        plain(row.params) if "params" in allowed else {}, {name: runs.points(store, run, name) for name in names},
    )  # fmt: skip


def serve(root: Path) -> None:
    """Send what is to be sent until there is nothing for a while."""
    store = use(root)
    assert store is not None
    idle = float(os.environ.get(IDLE, "30"))
    me = store.join("sender")
    if not store.lease(outbox.OFFICE, me):
        store.leave(me)
        return
    busy = time.monotonic()
    while True:
        letters = outbox.due(store)
        for tracker in dict.fromkeys(letter.tracker for letter in letters):
            deliver(store, tracker, [letter for letter in letters if letter.tracker == tracker])
            busy = time.monotonic()
        if time.monotonic() - busy >= idle:
            if outbox.retire(store, me, idle):
                return
            busy = time.monotonic()
        if not letters:
            time.sleep(min(LOOK, max(0.01, idle)))


def deliver(store: Store, tracker: str, letters: list[Letter]) -> None:
    """Give one tracker its runs, one after the other, and write down what it answers."""
    with tempfile.TemporaryFile() as said, _child(store.root, tracker, said) as child:
        for letter in letters:
            count = sum(runs.names(store, letter.run).values())
            answer = _ask(child, letter.run, float(os.environ.get(LIMIT, "120")) + count / PACE)
            if "answer" in answer:
                outbox.sent(store, letter, answer["answer"])
                _redraw(store, letter.run)
                continue
            outbox.missed(store, letter, answer.get("error") or _last_words(tracker, said))
            if "error" not in answer:
                return  # it is gone; the rest is due again at the next look


def _redraw(store: Store, run: int) -> None:
    """The detail view says where the run is."""
    thing = store.by_id(run)
    if thing is not None:
        keep(Run(store, thing, runs.rows(store, thing=run)[0].uid)._report(), store)


@contextlib.contextmanager
def _child(root: Path, tracker: str, said: Any) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-P", "-m", "nbml.tracking.sender", str(root), "--tracker", tracker]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, cwd=root, start_new_session=True)
    try:
        yield child
        assert child.stdin is not None
        child.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(10)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


def _ask(child: subprocess.Popen[bytes], run: int, seconds: float) -> dict[str, Any]:
    """What the child answers for a run: ``answer`` or ``error``; neither where it died or took too long."""
    assert child.stdin is not None
    assert child.stdout is not None
    end, text = time.monotonic() + seconds, b""
    try:
        child.stdin.write(f"{run}\n".encode())
        child.stdin.flush()
    except OSError:
        return {}
    while not text.endswith(b"\n"):
        ready, _, _ = select.select([child.stdout], [], [], max(0.0, end - time.monotonic()))
        part = os.read(child.stdout.fileno(), 65536) if ready else b""
        if not part:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            return {}
        text += part
    found: dict[str, Any] = json.loads(text)
    return found


def _last_words(tracker: str, said: Any) -> str:
    said.seek(0)
    lines = said.read().decode("utf-8", "replace").strip().splitlines()
    return f"{tracker} did not answer" + (f": {lines[-1][:300]}" if lines else "")


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
        return {"error": error.message}
    except Exception as error:  # an adapter of anybody's
        return {"error": f"{tracker}: {type(error).__name__}: {error}"}


def main(arguments: list[str]) -> int:
    """``ROOT``, or ``ROOT --tracker NAME`` for the child."""
    if len(arguments) == 3 and arguments[1] == "--tracker":
        attend(Path(arguments[0]), arguments[2])
    else:
        serve(Path(arguments[0]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
