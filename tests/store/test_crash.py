"""kill -9 at 50 different writes: what was acknowledged is there, and the store is whole."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nbml.store import Store

WRITER = """
import sys
from pathlib import Path
from nbml.store import Store
store = Store(Path(sys.argv[1]))
for number in range(int(sys.argv[2])):
    thing = store.add("run", "r", {"number": number, "blob": store.put_blob(b"%d" % number)})
    store.put_result(f"{number:032x}", {"state": "well"}, "well")
    print(number, flush=True)
"""


def check(root: Path, acknowledged: list[int]) -> None:
    store = Store(root)
    found = {t.body["number"]: t for t in store.versions("run", "r")}
    assert set(acknowledged) <= set(found)
    for number in acknowledged:
        assert store.read_blob(found[number].body["blob"]) == b"%d" % number
        assert store.result(f"{number:032x}") == {"state": "well"}
    after = store.add("run", "r", {"number": -1, "blob": ""})
    assert after.version == len(found) + 1
    store.close()
    db = sqlite3.connect(root / ".nbml" / "nbml.db")
    assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    db.close()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed: kills by time instead")
def test_killed_at_fifty_system_calls(tmp_path: Path) -> None:
    """The Nth pwrite, fdatasync or rename of the process is its last."""
    points = [(call, when) for call in ("pwrite64", "fdatasync", "rename,renameat,renameat2") for when in range(1, 18)]
    for index, (call, when) in enumerate(points[:50]):
        root = tmp_path / str(index)
        root.mkdir()
        command = [
            "strace", "-f", "-qq", "-o", os.devnull, "-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={when}",
            sys.executable, "-c", WRITER, str(root), "8",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        check(root, [int(line) for line in done.stdout.split()])


@pytest.mark.slow
def test_killed_at_any_time(tmp_path: Path) -> None:
    """The same without strace: killed after the Nth acknowledgement."""
    for count in range(1, 8):
        root = tmp_path / str(count)
        root.mkdir()
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(root), "1000"], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(count * 3)]
        time.sleep(0)  # give up the processor once, so that the kill does not always fall on the same instruction
        os.kill(writer.pid, signal.SIGKILL)
        rest = writer.communicate()[0].split()
        check(root, [int(line) for line in [*lines, *rest]])


def test_queued_work_is_durable_within_200_ms(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from nbml.store import Store\n"
        "s = Store(Path(sys.argv[1])); s.add('run', 'opened')\n"
        "s.add_cell('session', 1, 'x = 1'); print('queued', flush=True); sys.stdin.read()"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "queued\n"
    store, end = Store(tmp_path), time.monotonic() + 5
    while not store.read("SELECT 1 FROM cell"):
        assert time.monotonic() < end
    writer.kill()
    writer.communicate()
    assert [row["source"] for row in store.read("SELECT source FROM cell")] == ["x = 1"]
    store.close()
