"""``gc`` removes what nothing refers to, asks first, and never what another process has just put."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import nbml
from conftest import until
from nbml import errors, store
from nbml.store import blobs, current, sweeping

OLD = 2 * sweeping.YOUNG


def aged(project: Path) -> list[Path]:
    """All files of the store, which are older than an hour now."""
    files = [path for path in (project / ".nbml" / "blobs").glob("??/*") if path.is_file()]
    for path in files:
        os.utime(path, (time.time() - OLD,) * 2)
    return files


def frame(rows: int) -> pd.DataFrame:
    texts = {"s": [str(at**3) for at in range(rows)]}
    return pd.DataFrame({f"f{k}": [(at * (k + 7919)) ** 0.5 for at in range(rows)] for k in range(3)} | texts)


def test_what_nothing_refers_to_is_shown_and_then_removed(project: Path) -> None:
    version = nbml.snapshot(frame(40_000), "orders")
    assert len(aged(project)) > 3, "in pieces"
    nbml.expect("orders", "psi(f1) < 0.2", on=frame(300))
    current().put_blob(b"left by something")
    current().put_blob(b"and another")
    (project / ".nbml" / "blobs" / "ab").mkdir(exist_ok=True)
    (project / ".nbml" / "blobs" / "ab" / ".part-x").write_bytes(b"12345")
    files = aged(project)
    shown = nbml.gc()
    assert (shown.count, shown.bytes, shown.removed, shown.young) == (3, 33, False, 0)
    assert repr(shown).splitlines() == ["[would go] 3 files that nothing refers to · 33 B", "Next: %nbml gc --yes"]
    assert all(path.exists() for path in files)
    done = nbml.gc(yes=True)
    assert repr(done) == "[removed] 3 files that nothing refers to · 33 B"
    assert sum(not path.exists() for path in files) == 3
    assert repr(nbml.gc(yes=True)) == "[clean] No file that could go"
    pd.testing.assert_frame_equal(version.load(), frame(40_000))
    assert nbml.validate(frame(300), "orders").success is True, "the reference is still there"


def test_what_runs_and_studies_keep_is_needed(project: Path) -> None:
    digest = current().put_blob(b"a picture")
    current().add("run", "baseline", {"figures": [{"title": "roc", "blob": digest}]})
    suites = project / "expectations"
    suites.mkdir()
    (project / "nbml.toml").write_text('[validation]\nsuites = "expectations"\n')
    other = current().put_blob(b"a reference")
    (suites / "orders.expect").write_text(f"# reference {other}\nrows > 0\n")
    aged(project)
    assert nbml.gc(yes=True).count == 0
    (suites / "orders.expect").unlink()
    assert nbml.gc(yes=True).count == 1
    assert current().read_blob(digest) == b"a picture"


def test_what_was_just_put_stays_and_is_told(project: Path) -> None:
    current().put_blob(b"needed in a moment")
    found = nbml.gc(yes=True)
    assert (found.count, found.removed, found.young) == (0, False, 1)
    assert repr(found).splitlines() == [
        "[clean] No file that could go", "  1 file that nothing refers to is younger than an hour, and may be needed in a moment"
    ]
    files = aged(project)
    assert nbml.gc().count == 1
    current().put_blob(b"needed in a moment")  # what is put once more is young again
    assert (nbml.gc(yes=True).count, files[0].exists()) == (0, True)


def test_a_file_put_between_the_look_and_the_removal_stays(project: Path) -> None:
    current().put_blob(b"an old file that comes into use")
    (path,) = aged(project)
    old, _ = sweeping.leftovers(current())
    assert [one.path for one in old] == [path]
    current().put_blob(b"an old file that comes into use")
    assert sweeping.remove(current(), old) == []
    assert path.exists()


def test_who_puts_a_file_that_is_there_waits_for_the_removal(project: Path) -> None:
    """Else it could be seen, removed, and then counted on."""
    folder = current().room("blobs")
    current().put_blob(b"there")
    done: list[str] = []
    with blobs.locked(folder, shared=False):
        thread = threading.Thread(target=lambda: done.append(current().put_blob(b"there")))
        thread.start()
        thread.join(0.2)
        assert thread.is_alive()
        aged(project)[0].unlink()
    until(lambda: done)
    thread.join()
    assert current().read_blob(done[0]) == b"there"


def test_one_removes_at_a_time(project: Path) -> None:
    current().put_blob(b"old")
    aged(project)
    code = (
        "import sys; from nbml.store import current, sweeping; s = current(); s.lease(sweeping.OFFICE, s.me());"
        "print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=project, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(errors.StoreError) as found:
            nbml.gc(yes=True)
        assert str(found.value) == (
            f"another process removes files of {project} just now: let it finish\nTry: %nbml gc"
        )
        assert nbml.gc().count == 1, "looking is free"
        other.communicate("")
    assert nbml.gc(yes=True).removed


def test_a_store_that_cannot_be_written_to_refuses(project: Path) -> None:
    current().put_blob(b"old")
    aged(project)
    store.use(None)
    (project / ".nbml").chmod(0o500)
    try:
        current().readonly = True  # as it is for everybody but root
        for yes in (False, True):
            with pytest.raises(errors.ReadOnlyStore) as found:
                nbml.gc(yes=yes)
            assert found.value.message == f"the store of {project} can be read, not written"
    finally:
        (project / ".nbml").chmod(0o700)


def test_the_line_that_is_proposed_removes(project: Path, shell: Any) -> None:
    current().put_blob(b"old")
    files = aged(project)
    shown = shell.run_cell("%nbml gc").result
    shell.run_cell(shown._report().next[0]).raise_error()
    assert not files[0].exists()
