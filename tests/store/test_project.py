"""Which folder is the project, and what happens where it may not be written to."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from nbml import errors
from nbml.store import Store, resolve


@pytest.fixture(autouse=True)
def nobody_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NBML_PROJECT", raising=False)


def test_the_environment_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work" / ".nbml").mkdir(parents=True)
    monkeypatch.setenv("NBML_PROJECT", str(tmp_path / "asked"))
    assert resolve(tmp_path / "work" / "a.ipynb") == tmp_path / "asked"


@pytest.mark.parametrize("mark", [".nbml", "nbml.toml"])
def test_then_the_nearest_store_or_settings_above_the_notebook(tmp_path: Path, mark: str) -> None:
    (tmp_path / "p" / "deep" / "er").mkdir(parents=True)
    (tmp_path / "p" / "deep" / "er" / ".git").mkdir()
    path = tmp_path / "p" / mark
    path.mkdir() if mark == ".nbml" else path.write_text("")
    assert resolve(tmp_path / "p" / "deep" / "er" / "a.ipynb") == tmp_path / "p"


def test_then_the_nearest_git_that_is_not_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    (home / ".git").mkdir(parents=True)
    (home / "repo" / ".git").mkdir(parents=True)
    (home / "repo" / "sub").mkdir()
    (home / "loose").mkdir()
    monkeypatch.setenv("HOME", str(home))
    assert resolve(home / "repo" / "sub" / "a.ipynb") == home / "repo"
    assert resolve(home / "loose" / "a.ipynb") == home / "loose"


def test_else_the_notebooks_folder_or_the_working_folder(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    assert resolve(tmp_path / "x" / "a.ipynb") == tmp_path / "x"
    assert resolve(None, cwd=tmp_path / "x") == tmp_path / "x"


def test_the_folder_is_private_and_ignores_itself(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    store = Store(tmp_path)
    store.add("dataset", "d")
    store.close()
    assert stat.S_IMODE((tmp_path / ".nbml").stat().st_mode) == 0o700
    assert subprocess.run(["git", "-C", str(tmp_path), "status", "--porcelain"], capture_output=True, text=True, check=True).stdout == ""


READ = """
import os, sys
from pathlib import Path
from nbml import errors
from nbml.store import Store
if len(sys.argv) > 2:
    os.setgid(65534); os.setuid(65534)
store = Store(Path(sys.argv[1]))
print(store.readonly, [t.ref for t in store.latest("dataset")], store.result("ab" * 16))
try:
    store.add("dataset", "other")
except errors.ReadOnlyStore as error:
    print(error)
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_a_folder_of_another_user_reads() -> None:
    with tempfile.TemporaryDirectory(prefix="nbml-other-") as folder:
        _read_as_another(Path(folder))


def _read_as_another(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add("dataset", "d")
    store.put_result("ab" * 16, {"state": "well"}, "well")
    store.close()
    for path in [tmp_path, *tmp_path.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    done = subprocess.run(
        [sys.executable, "-c", READ, str(tmp_path), "other"], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert lines[0] == "True ['d@1'] {'state': 'well'}", done.stderr
    assert lines[1] == f"the store of {tmp_path} can be read, not written"


def test_a_folder_that_cannot_be_made_reads_as_empty(tmp_path: Path) -> None:
    (tmp_path / ".nbml").write_text("in the way")
    store = Store(tmp_path)
    assert store.readonly
    assert store.latest("dataset") == []
    with pytest.raises(errors.ReadOnlyStore):
        store.add("dataset", "d")
    with pytest.raises(errors.ReadOnlyStore):
        store.put_blob(b"x")
    store.close()


def test_a_store_of_a_later_major_version_is_refused(tmp_path: Path) -> None:
    import sqlite3

    store = Store(tmp_path)
    store.add("dataset", "d")
    store.close()
    db = sqlite3.connect(tmp_path / ".nbml" / "nbml.db")
    db.execute("PRAGMA user_version=1000")
    db.close()
    with pytest.raises(errors.StoreTooNew, match="was written by a later nbml"):
        Store(tmp_path)


def test_a_damaged_database_is_named(tmp_path: Path) -> None:
    (tmp_path / ".nbml").mkdir()
    (tmp_path / ".nbml" / "nbml.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(errors.StoreDamaged, match="is damaged"):
        Store(tmp_path)
