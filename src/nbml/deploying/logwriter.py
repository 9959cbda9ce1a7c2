"""``python -m nbml.deploying.logwriter FOLDER FD SINCE``: the traffic of one deployment, from the pipe into files.

A process of its own, so that a service encodes nothing. It ends when the last writer of the pipe has closed it. It holds
the lease ``log:NAME``: where a supervisor was killed, the log writer before may be at work still, and its growing file is
not another's to write again.

``traffic/*.arrow`` are Arrow IPC streams: a schema, then one batch for each write, each handed to the system in one
call. So a file can be read while it grows, and a kill -9 costs at most the last quarter of a second and a torn batch at
the end, which the reader leaves out. A file that is full is written again as one batch. ``summary.json`` is what the
panel shows, at most four times a second.

Where the disk is full, what was written of a batch is cut off again, and requests wait in memory, up to HELD bytes, until there is
room: the oldest of more go, and are counted as dropped. The service hears nothing of it.

Values of private columns are never written: not in requests, not in refusals, and ids that are a private key's values are
written as a keyed hash (``log.key`` of the deployment's folder).
"""

from __future__ import annotations

import contextlib
import os
import select
import statistics
import sys
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from nbml import errors, settings
from nbml.deploying import state, traffic
from nbml.deploying.masking import Private
from nbml.runtime.traffic import Frame, Reader
from nbml.store import Store
from nbml.store.small import read_json, write_json

if TYPE_CHECKING:
    import pyarrow as pa

#: seconds between two writes
PAUSE = 0.25
#: seconds after a read in which frames gather in the pipe, so that a busy service does not wake this process for each
TOGETHER = 0.02
#: seconds between two looks whether the log writer before has ended
LOOK = 0.05
#: seconds between two looks for a reader that asks, while nothing comes
IDLE = 0.1
#: a file is full after so many requests, bytes or seconds
ROWS, BYTES, SECONDS = 50_000, 64_000_000, 3600.0
#: bytes of requests that wait for room on a full disk, and seconds between two attempts
HELD, AGAIN = 64 << 20, 0.5
#: seconds between two looks for what is too old or too much
SWEEP = 60.0
#: latencies that the quantiles are taken over
RECENT = 2000
#: minutes that the summary tells of
MINUTES = 60


class Summary:
    """Counts since the deployment's start, over restarts of this process too: it goes on from the file's."""

    def __init__(self, path: Path, since: float) -> None:
        self.path, self.since = path, since
        said = read_json(path)
        old = said if said.get("since") == since else {}
        self.requests, self.errors, self.refused, self.rows = (int(old.get(key, 0)) for key in ("requests", "errors", "refused", "rows"))
        self.last = float(old.get("last") or 0.0)
        self._by_worker = {int(pid): int(count) for pid, count in old.get("workers", {}).items()}
        self._lost = int(old.get("dropped", 0)) - sum(self._by_worker.values())
        self._recent: deque[float] = deque(maxlen=RECENT)
        self._minute = int(old.get("minute", time.time() // 60))
        counts = [int(count) for count in old.get("minutes", [])][-MINUTES:]
        self._counts: deque[int] = deque([0] * (MINUTES - len(counts)) + counts, maxlen=MINUTES)
        self._changed = True

    def add(self, frame: Frame) -> None:
        self._turn(frame.time)
        self.requests += 1
        self.rows += frame.rows
        self.errors += frame.status >= 500
        self.refused += 400 <= frame.status < 500
        self.last = max(self.last, frame.time)
        self._recent.append(frame.latency_ms)
        self._counts[-1] += 1
        self._by_worker[frame.worker] = max(frame.dropped, self._by_worker.get(frame.worker, 0))
        self._changed = True

    def write(self, now: float) -> None:
        """Put the file in place where anything has changed."""
        self._turn(now)
        if not self._changed:
            return
        cuts = statistics.quantiles(self._recent, n=100, method="inclusive") if len(self._recent) > 1 else [*self._recent] * 99
        said = {
            "since": self.since, "requests": self.requests, "errors": self.errors, "refused": self.refused, "rows": self.rows,
            "p50_ms": round(cuts[49], 3) if cuts else None, "p99_ms": round(cuts[98], 3) if cuts else None,
            "dropped": self._lost + sum(self._by_worker.values()),
            "workers": {str(pid): count for pid, count in self._by_worker.items() if count}, "last": self.last,
            "minute": self._minute, "minutes": list(self._counts),
        }  # fmt: skip
        with contextlib.suppress(OSError):  # a full disk: it is written when there is room
            write_json(self.path, said)
            self._changed = False

    def lost(self, count: int) -> None:
        """Requests that could not be written."""
        self._lost += count
        self._changed = True

    def _turn(self, now: float) -> None:
        """Begin the minutes that have come since."""
        for _ in range(min(int(now // 60) - self._minute, MINUTES)):
            self._changed = self._changed or any(self._counts)
            self._counts.append(0)
        self._minute = max(self._minute, int(now // 60))


class Files:
    """The growing file, the full ones, and what goes when there are too many."""

    def __init__(self, folder: Path, days: float, size: int) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self.folder, self._days, self._size = folder, days, size
        self._fd, self._path = -1, folder
        self._rows = self._bytes = 0
        self._opened = self._swept = 0.0
        for left in sorted(folder.glob("*" + traffic.OPEN)):  # of a log writer that was killed
            _compact(left)

    def append(self, batch: pa.RecordBatch) -> None:
        """Write a batch, whole or not at all. Raises OSError where it cannot be."""
        if self._fd >= 0 and (self._rows >= ROWS or self._bytes >= BYTES or time.time() - self._opened >= SECONDS):
            self.close()
        if self._fd < 0:
            self._open()
        self._write(batch.serialize().to_pybytes())
        self._rows += batch.num_rows

    def close(self) -> None:
        """Close the growing file and write it again as one batch."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd, self._bytes = -1, 0
            _compact(self._path)

    def sweep(self, now: float) -> None:
        """Remove files older than the days kept, then the oldest of what is over the size kept."""
        if now - self._swept < SWEEP:
            return
        self._swept = now
        full = sorted(path for path in self.folder.glob("*" + traffic.FULL) if not path.name.endswith(traffic.OPEN))
        old = [path for path in full if path.stat().st_mtime < now - self._days * 86400]
        sizes = {path: path.stat().st_size for path in full if path not in old}
        for path in sizes:
            if sum(sizes.values()) + self._bytes <= self._size:
                break
            old.append(path)
            sizes[path] = 0
        for path in old:
            path.unlink()

    def _open(self) -> None:
        self._opened, self._rows, self._bytes = time.time(), 0, 0
        self._path = self.folder / f"{int(self._opened * 1000):015d}{traffic.OPEN}"
        self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._write(traffic.schema().serialize().to_pybytes())
        except OSError:
            os.close(self._fd)
            self._fd = -1
            self._path.unlink(missing_ok=True)
            raise

    def _write(self, content: bytes) -> None:
        """All of it or nothing: after a part of a batch a reader would find no further one."""
        rest = memoryview(content)
        try:
            while rest:
                rest = rest[os.write(self._fd, rest) :]
        except OSError:
            os.ftruncate(self._fd, self._bytes)
            raise
        self._bytes += len(content)


def _compact(path: Path) -> None:
    """Write a growing file again as a full one; without room for that it stays as it is, and is read as well."""
    try:
        traffic.compact(path)
    except OSError:
        path.with_name(f"{path.name}.new").unlink(missing_ok=True)


@contextlib.contextmanager
def leased(root: Path, name: str) -> Iterator[None]:
    """Hold the office of the log writer of ``name``; waits until the one before has ended. A store that cannot be written stops nobody."""
    with contextlib.closing(Store(root)) as store:
        me = None
        with contextlib.suppress(errors.StoreError):
            me = store.join("log", name)
            while not store.lease(f"log:{name}", me):
                time.sleep(LOOK)
        try:
            yield
        finally:
            with contextlib.suppress(errors.StoreError):
                if me is not None:
                    store.leave(me)


def main(arguments: list[str]) -> int:
    """Hold the lease, and write until the pipe ends."""
    folder, fd, since = Path(arguments[0]), int(arguments[1]), float(arguments[2])
    root = folder.parent.parent.parent
    with leased(root, folder.name):
        write(folder, fd, since, settings.load(root))
    return 0


def write(folder: Path, fd: int, since: float, found: settings.Settings) -> None:
    """Write until the pipe ends."""
    private = Private(folder, frozenset(found["data.private"]))
    summary = Summary(folder / state.SUMMARY, since)
    summary.write(time.time())
    traffic.schema()  # imports pyarrow now, so that the first request does not wait for it
    files = Files(folder / state.TRAFFIC, found["log.days"], settings.size(found["log.size"]))
    reader, waiting, due, ask = Reader(), Waiting(files, private, summary), 0.0, folder / traffic.ASK
    while True:
        asked = ask.exists()
        pause = TOGETHER if asked else max(0.0, due - time.monotonic()) if waiting.frames else IDLE
        data = os.read(fd, 1 << 18) if select.select([fd], [], [], pause)[0] else None
        if data:
            for frame in reader.feed(data):
                summary.add(frame)
                waiting.add(frame)
            if not asked:
                time.sleep(TOGETHER)
        if (waiting.frames and (time.monotonic() >= due or (asked and not data))) or data == b"":
            due = time.monotonic() + (PAUSE if waiting.write() else AGAIN)
            summary.write(time.time())
        elif not waiting.frames:
            summary.write(time.time())
        if asked and not data:
            ask.unlink(missing_ok=True)
        files.sweep(time.time())
        if data == b"":
            waiting.give_up()
            summary.write(time.time())
            files.close()
            return


class Waiting:
    """Requests that are not written yet: those of the last quarter of a second; while the disk is full, those that memory has room for."""

    def __init__(self, files: Files, private: Private, summary: Summary) -> None:
        self.frames: deque[Frame] = deque()
        self._files, self._private, self._summary, self._size, self._told = files, private, summary, 0, False

    def add(self, frame: Frame) -> None:
        self.frames.append(frame)
        self._size += len(frame.request) + len(frame.response) + 500
        while self._size > HELD and len(self.frames) > 1:
            first = self.frames.popleft()
            self._size -= len(first.request) + len(first.response) + 500
            self._summary.lost(1)

    def write(self) -> bool:
        """Write them all; whether there was room. They wait on where there was none."""
        if not self.frames:
            return True
        try:
            self._files.append(traffic.batch([self._private.row(frame) for frame in self.frames]))
        except OSError as error:
            if not self._told:
                sys.stderr.write(f"log writer: {error.strerror or error}; requests wait in memory until there is room\n")
            self._told = True
            return False
        self.frames.clear()
        self._size, self._told = 0, False
        return True

    def give_up(self) -> None:
        """What could not be written at the end is dropped, and counted."""
        self._summary.lost(len(self.frames))
        self.frames.clear()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
