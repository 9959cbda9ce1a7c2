"""The record of traffic on its way out of the service: raw bytes as frames over a pipe, to a writer in another process.

The service encodes nothing and waits for nobody. A frame is a header of fixed length, the request's bytes, the answer's
bytes, and an end. No body holds the bytes that a frame begins with, so the reader knows a frame that was cut short by a
worker's death, and finds the next one. One pipe has one worker at a time: frames of two would mix.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import select
import struct
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

#: begins a frame; its first byte is none of UTF-8, so that text is told from it at once
MAGIC = b"\xfenbmlT1\n"
#: ends a frame; none of the bytes that the next one begins with, should it begin too early
_END = b"\xff"
#: time, latency, status, rows, worker's pid, dropped so far, flags, lengths of version, request and response
_HEADER = struct.Struct("<dfHIIQBHII")
_HEAD = len(MAGIC) + _HEADER.size
_CUT = 1
#: bytes that wait for the pipe, at most
QUEUE = 24 << 20
#: bodies below this are copied into its frame, which is cheaper than to write it in parts
_SHORT = 16 << 10
#: a body above this is left out of its frame, and so is one that holds MAGIC
BODY = 11 << 20


@dataclass(frozen=True)
class Frame:
    """One answered request. ``dropped`` counts what this worker could not hand over before it; ``cut``: bodies were left out."""

    time: float
    latency_ms: float
    status: int
    version: str
    rows: int
    request: bytes
    response: bytes
    dropped: int
    worker: int
    cut: bool = False

    @cached_property
    def answer(self) -> dict[str, Any]:
        """The answer's JSON; {} where it is none."""
        try:
            found = json.loads(self.response)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def ids(self) -> list[str]:
        """The ids that were answered; none for a refused request."""
        return list(self.answer.get("ids") or [])


class Sender:
    """Writes frames to the pipe ``fd`` from one thread, and never waits: what the pipe and a bounded queue do not take is dropped.

    A frame is in the pipe, or behind others in the queue, when ``send``, or the ``flush`` after it, returns: whoever hands over
    before it answers lets the reader of an empty pipe know that it has every answered request.
    """

    def __init__(self, fd: int, *, queue: int = QUEUE) -> None:
        self.fd, self.queue, self.dropped, self.sent = fd, queue, 0, 0
        self._held: list[tuple[float, int, str, int, bytes, bytes, float]] = []  # of this turn of the loop
        self._parts: deque[bytes | memoryview] = deque()
        self._ends: deque[int] = deque()  # parts that belong to each frame
        self._waiting = 0
        self._watched: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._pid = os.getpid()
        os.set_blocking(fd, False)

    def send(
        self, *, latency_ms: float, status: int, version: str, rows: int, request: bytes, response: bytes, at: float | None = None,
        now: bool = True,
    ) -> None:  # fmt: skip
        """Hands over one answered request; not ``now`` where ``flush`` follows, so that several are one write. Raises nothing."""
        self._held.append((latency_ms, status, version, rows, request, response, time.time() if at is None else at))
        if now:
            self.flush()

    def flush(self) -> None:
        """Writes what waits, as far as the pipe takes it now."""
        for answered in self._held:
            self._put(*answered)
        self._held.clear()
        if self._watched is None:
            self._flush()

    def _put(self, latency: float, status: int, version: str, rows: int, request: bytes, response: bytes, at: float) -> None:
        """Its frame, into the queue."""
        frame = _frame(latency, status, version, rows, request, response, self.dropped, self._pid, at)
        size = sum(map(len, frame))
        if size < _SHORT:
            frame = (b"".join(frame),)
        if self._closed or self._waiting + size > self.queue:
            self.dropped += 1
            return
        self._parts.extend(frame)
        self._ends.append(len(frame))
        self._waiting += size

    def _flush(self) -> None:
        """Writes until the queue is empty or the pipe is full; then the loop says when it is not."""
        try:
            while self._parts:
                done = os.writev(self.fd, list(itertools.islice(self._parts, 64)))
                self._forget(done)
        except BlockingIOError:
            self._watch()
            return
        except OSError:  # nobody reads any more: the service goes on
            self._give_up()
        self._unwatch()

    def _forget(self, done: int) -> None:
        """Takes ``done`` written bytes off the queue."""
        if done == self._waiting:  # as a rule
            self.sent += len(self._ends)
            self._empty()
            return
        self._waiting -= done
        while done:
            part = self._parts[0]
            if done < len(part):
                self._parts[0] = memoryview(part)[done:]
                return
            done -= len(part)
            self._parts.popleft()
            self._ends[0] -= 1
            if not self._ends[0]:
                self._ends.popleft()
                self.sent += 1

    def _give_up(self) -> None:
        self.dropped += len(self._ends)
        self._empty()

    def _empty(self) -> None:
        self._parts.clear()
        self._ends.clear()
        self._waiting = 0

    def _watch(self) -> None:
        if self._watched is None:
            with contextlib.suppress(RuntimeError, NotImplementedError):
                loop = asyncio.get_running_loop()
                loop.add_writer(self.fd, self._flush)
                self._watched = loop

    def _unwatch(self) -> None:
        if self._watched is not None:
            with contextlib.suppress(RuntimeError):
                self._watched.remove_writer(self.fd)
            self._watched = None

    def close(self, seconds: float = 2.0) -> None:
        """Writes what waits, for at most ``seconds``; what is left then is dropped."""
        self.flush()
        self._unwatch()
        self._closed = True
        end = time.monotonic() + seconds
        while self._parts and (left := end - time.monotonic()) > 0:
            try:
                if select.select([], [self.fd], [], left)[1]:
                    self._forget(os.writev(self.fd, [self._parts[0]]))
            except BlockingIOError:
                continue
            except (OSError, ValueError):
                break
        self._give_up()


def _frame(
    latency: float, status: int, version: str, rows: int, request: bytes, response: bytes, dropped: int, pid: int, at: float
) -> tuple[bytes, ...]:
    flags = 0
    if len(request) > BODY or len(response) > BODY or _holds_magic(request) or _holds_magic(response):
        request = response = b""
        flags = _CUT
    name = version.encode()[:65_000]
    header = _HEADER.pack(at, latency, status, rows, pid, dropped, flags, len(name), len(request), len(response))
    start = MAGIC + header + name
    return (start, request, response, _END) if request and response else (start + request + response + _END,)  # none is empty


def _holds_magic(body: bytes) -> bool:
    return MAGIC[:1] in body and MAGIC in body


def read_frames(fd: int) -> Iterator[Frame]:
    """The frames of a pipe's read end, until the last writer has closed it. What is no whole frame is passed over."""
    reader = Reader()
    while True:
        try:
            data = os.read(fd, 1 << 18)
        except InterruptedError:
            continue
        except BlockingIOError:
            select.select([fd], [], [])
            continue
        if not data:
            return
        yield from reader.feed(data)


class Reader:
    """Bytes in, frames out. A frame that was cut short costs that frame only; ``skipped`` counts bytes that were none."""

    def __init__(self) -> None:
        self._held = bytearray()
        self.skipped = 0

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are whole with ``data``."""
        self._held += data
        found: list[Frame] = []
        while True:
            start = self._held.find(MAGIC)
            if start < 0:
                self._skip(max(0, len(self._held) - len(MAGIC) + 1))
                return found
            self._skip(start)
            frame, size = self._take()
            if frame is not None:
                found.append(frame)
                del self._held[:size]
            elif size == 0:
                return found
            else:
                self._skip(size)

    def _take(self) -> tuple[Frame | None, int]:
        """The frame at the beginning and its length; (None, 0) where more must come, (None, n) where n bytes are no frame."""
        held = self._held
        if len(held) < _HEAD:
            return None, 0
        at, latency, status, rows, pid, dropped, flags, *lengths = _HEADER.unpack_from(held, len(MAGIC))
        size = _HEAD + sum(lengths) + len(_END)
        if max(lengths[1:]) > BODY:
            return None, len(MAGIC)
        cut_short = held.find(MAGIC, len(MAGIC), size) > 0  # its writer died, and another took over: no body holds MAGIC
        if cut_short or (len(held) >= size and held[size - 1] != _END[0]):
            return None, len(MAGIC)
        if len(held) < size:
            return None, 0
        ends = (_HEAD + lengths[0], _HEAD + lengths[0] + lengths[1])
        name, request, response = bytes(held[_HEAD : ends[0]]), bytes(held[ends[0] : ends[1]]), bytes(held[ends[1] : size - len(_END)])
        return Frame(at, latency, status, name.decode("utf-8", "replace"), rows, request, response, dropped, pid, bool(flags & _CUT)), size

    def _skip(self, count: int) -> None:
        self.skipped += count
        del self._held[:count]
