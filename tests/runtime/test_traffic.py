"""Frames of traffic: nothing that is written is lost, nobody is waited for, and what does not fit is counted."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import until
from nbml.runtime import traffic
from nbml.runtime.traffic import Frame, Reader, Sender, read_frames

SOURCE = str(Path(traffic.__file__).parents[2])


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        try:
            os.close(end)
        except OSError:
            pass


def send(sender: Sender, i: int = 0, request: bytes = b'{"rows":[]}', response: bytes = b'{"ids":["a"]}') -> None:
    sender.send(latency_ms=1.5 + i, status=200, version="churn@3", rows=i, request=request, response=response, at=1000.0 + i)


def test_what_is_sent_is_read(pipe: tuple[int, int]) -> None:
    read, write = pipe
    sender = Sender(write)
    for i in range(100):
        send(sender, i)
    sender.send(latency_ms=0.1, status=400, version="churn@3", rows=0, request=b"\xff{", response=b"{")
    sender.close()
    os.close(write)
    frames = list(read_frames(read))
    assert frames[0] == Frame(1000.0, 1.5, 200, "churn@3", 0, b'{"rows":[]}', b'{"ids":["a"]}', 0, os.getpid())
    assert [f.rows for f in frames[:100]] == list(range(100))
    assert (frames[0].ids, frames[100].ids, frames[100].request, frames[100].answer) == (["a"], [], b"\xff{", {})
    assert (sender.sent, sender.dropped) == (101, 0)


def test_a_full_pipe_is_not_waited_for_and_what_is_dropped_is_told(pipe: tuple[int, int]) -> None:
    read, write = pipe
    sender = Sender(write, queue=200_000)
    big = b"x" * 10_000
    for i in range(60):  # the pipe takes about 6 of them, the queue about 20
        send(sender, i, big)
    assert 20 < sender.dropped < 50
    kept = 60 - sender.dropped
    frames: list[Frame] = []
    reader = threading.Thread(target=lambda: frames.extend(read_frames(read)))
    reader.start()
    until(lambda: (sender._flush(), sender.sent == kept)[1])
    send(sender, 99)
    sender.close()
    os.close(write)
    reader.join(10)
    assert [f.rows for f in frames] == [*range(kept), 99]
    assert frames[-1].dropped == sender.dropped == 60 - kept


def test_nobody_reading_is_no_error(pipe: tuple[int, int]) -> None:
    read, write = pipe
    os.close(read)
    sender = Sender(write)
    for i in range(5):
        send(sender, i)
    sender.close()
    send(sender)
    assert (sender.sent, sender.dropped) == (0, 6)


def test_on_a_loop_a_frame_is_in_the_pipe_at_once_and_the_loop_empties_the_queue(pipe: tuple[int, int]) -> None:
    read, write = pipe
    frames: list[Frame] = []
    reader = threading.Thread(target=lambda: frames.extend(read_frames(read)))

    async def serve() -> None:
        sender = Sender(write)
        for i in range(20):
            send(sender, i)
            assert sender.sent == i + 1
        for i in range(20, 40):
            send(sender, i, b"y" * 100_000)
        assert sender.sent < 40
        reader.start()
        while sender.sent < 40:
            await asyncio.sleep(0.001)
        sender.close()

    asyncio.run(asyncio.wait_for(serve(), 20))
    os.close(write)
    reader.join(10)
    assert [f.rows for f in frames] == list(range(40))


def test_a_body_that_is_too_long_or_holds_a_beginning_is_left_out(pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = pipe
    monkeypatch.setattr(traffic, "BODY", 1000)
    sender = Sender(write)
    send(sender, 1, b"z" * 1001)
    send(sender, 2, b"a" + traffic.MAGIC)
    send(sender, 3)
    sender.close()
    os.close(write)
    assert [(f.rows, f.cut, f.request) for f in read_frames(read)] == [(1, True, b""), (2, True, b""), (3, False, b'{"rows":[]}')]


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from nbml.runtime.traffic import Sender
sender = Sender(int(sys.argv[2]))
for i in range(10):
    sender.send(latency_ms=1, status=200, version="churn@3", rows=i, request=b"q" * 100, response=b"{}")
sender.send(latency_ms=1, status=200, version="churn@3", rows=10, request=b"q" * 1_000_000, response=b"{}")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_worker_killed_in_the_midst_of_a_frame_costs_that_frame_only(pipe: tuple[int, int]) -> None:
    read, write = pipe
    frames: list[Frame] = []
    reader = threading.Thread(target=lambda: frames.extend(read_frames(read)))
    reader.start()
    for _ in range(2):
        done = subprocess.run([sys.executable, "-I", "-c", KILLED, SOURCE, str(write)], pass_fds=[write], check=False)
        assert done.returncode == -signal.SIGKILL
    sender = Sender(write)
    send(sender, 77)
    sender.close()
    os.close(write)
    reader.join(10)
    assert [f.rows for f in frames] == [*range(10), *range(10), 77]
    assert len({f.worker for f in frames}) == 3


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=6), st.integers(1, 97), st.data())
@settings(max_examples=60, deadline=None)
def test_frames_are_found_however_the_bytes_come_and_whatever_is_broken(bodies: list[bytes], step: int, data: st.DataObject) -> None:
    wholes = [b"".join(traffic._frame(1.0, 200, "v", i, body, b"{}", 0, 1, 2.0)) for i, body in enumerate(bodies)]
    broken = data.draw(st.integers(0, len(wholes) - 1))
    cut = data.draw(st.integers(0, len(wholes[broken]) - 1))
    damaged = [*wholes[:broken], wholes[broken][:cut], *wholes[broken + 1 :]]
    stream = b"".join(damaged)
    reader = Reader()
    found = [f.rows for start in range(0, len(stream), step) for f in reader.feed(stream[start : start + step])]
    assert found == [i for i in range(len(bodies)) if i != broken]
    flipped = bytearray(b"".join(wholes))
    flipped[data.draw(st.integers(0, len(flipped) - 1))] ^= 0x40
    last = b"".join(traffic._frame(1.0, 200, "v", 99, b"last", b"{}", 0, 1, 2.0))
    rows = [f.rows for f in Reader().feed(bytes(flipped) + last)]
    assert rows[-1] == 99
    assert len(rows) >= len(bodies)
