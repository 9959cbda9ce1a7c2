"""Things, edges, blobs, results: what is written is read back, by this process and by another."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from nbml import errors
from nbml.store import Store, check_name, split_ref


@pytest.fixture
def store(tmp_path: Path):
    opened = Store(tmp_path)
    yield opened
    opened.close()


def test_versions_count_up_and_equal_content_is_one_version(store: Store) -> None:
    first = store.add("dataset", "churn", {"rows": 3}, hash="a", same=True)
    again = store.add("dataset", "churn", {"rows": 3}, hash="a", same=True)
    other = store.add("dataset", "churn", {"rows": 4}, hash="b", same=True)
    back = store.add("dataset", "churn", {"rows": 3}, hash="a", same=True)
    assert (first.ref, again, other.ref, back.ref) == ("churn@1", first, "churn@2", "churn@3")
    assert store.find("dataset", "churn") == back
    assert store.find("dataset", "churn@2") == other
    assert store.find("dataset", "churn@9") is None
    assert store.find("suite", "churn") is None
    assert [t.version for t in store.versions("dataset", "churn")] == [1, 2, 3]


def test_edges_lead_both_ways_and_are_kept_once(store: Store) -> None:
    data = store.add("dataset", "churn")
    run = store.add("run", "baseline", edges=[(data, "used")])
    store.link(run, data, "used")
    assert store.edges_from(run) == [("used", data)]
    assert store.edges_to(data) == [("used", run)]


def test_a_body_is_merged_key_by_key(store: Store) -> None:
    thing = store.add("study", "s", {"a": 1, "b": 2})
    changed = store.update(thing, {"b": 3}, state="well")
    assert (changed.body, changed.state) == ({"a": 1, "b": 3}, "well")
    assert store.by_id(thing.id) == changed


def test_a_blob_is_kept_once_and_a_flipped_byte_is_noticed(store: Store, tmp_path: Path) -> None:
    digest = store.put_blob(b"12345")
    source = tmp_path / "file"
    source.write_bytes(b"12345")
    assert store.put_blob(source) == digest
    assert store.read_blob(digest) == b"12345"
    store.blob(digest).write_bytes(b"12344")
    with pytest.raises(errors.StoreDamaged, match="is not what was written"):
        store.read_blob(digest)
    with pytest.raises(errors.StoreDamaged, match="is missing from the store"):
        store.blob("0" * 64)
    with pytest.raises(errors.StoreDamaged):
        store.blob("../../etc/passwd")


def test_two_threads_never_give_one_version_twice(store: Store) -> None:
    def add() -> None:
        for _ in range(25):
            store.add("run", "r")

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [t.version for t in store.versions("run", "r")] == list(range(1, 101))


def test_four_processes_at_once_lose_nothing(store: Store) -> None:
    code = (
        "import sys; from pathlib import Path; from nbml.store import Store\n"
        "s = Store(Path(sys.argv[1]))\n"
        "for i in range(50): s.add('run', 'r', {'from': sys.argv[2], 'i': i}); len(s.versions('run', 'r'))\n"
        "s.close()"
    )
    workers = [subprocess.Popen([sys.executable, "-c", code, str(store.root), str(n)]) for n in range(4)]
    assert [worker.wait(60) for worker in workers] == [0, 0, 0, 0]
    found = store.versions("run", "r")
    assert [t.version for t in found] == list(range(1, 201))
    assert sorted((t.body["from"], t.body["i"]) for t in found) == sorted((str(n), i) for n in range(4) for i in range(50))


def test_failing_work_is_undone_alone(store: Store) -> None:
    store.add("run", "kept")

    def bad(db) -> None:
        db.execute("INSERT INTO thing(kind,name,version,made) VALUES('run','half',1,0)")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        store.write(bad)
    assert [t.name for t in store.all("run")] == ["kept"]


def test_a_running_result_of_a_dead_process_says_interrupted(store: Store) -> None:
    code = (
        "import sys; from pathlib import Path; from nbml.store import Store\n"
        "Store(Path(sys.argv[1])).put_result('ab' * 16, {'state': 'running', 'word': 'tuning'}, 'running')"
    )
    subprocess.run([sys.executable, "-c", code, str(store.root)], check=True)
    assert store.result("ab" * 16) == {"state": "look", "word": "interrupted"}
    store.put_result("cd" * 16, {"state": "running", "word": "tuning"}, "running")
    assert store.result("cd" * 16) == {"state": "running", "word": "tuning"}
    with pytest.raises(errors.BadName):
        store.put_result("../x", {}, "well")
    assert store.result("../x") is None


def test_an_office_has_one_living_holder(store: Store) -> None:
    code = (
        "import sys; from pathlib import Path; from nbml.store import Store\n"
        "s = Store(Path(sys.argv[1])); print(s.lease('sender', s.join('sender')), flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(store.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == "True"
        me = store.join("sender")
        assert store.lease("sender", me) is False
        assert store.holder("sender").pid == other.pid
    finally:
        other.kill()
        other.communicate()
    assert store.holder("sender") is None
    assert store.lease("sender", me) is True
    store.leave(me)
    assert store.holder("sender") is None


def test_the_database_moves_with_its_folder(tmp_path: Path) -> None:
    here = Store(tmp_path / "a")
    digest = here.put_blob(b"content")
    here.add("dataset", "d", {"blob": digest})
    here.close()
    (tmp_path / "a").rename(tmp_path / "b")
    there = Store(tmp_path / "b")
    thing = there.find("dataset", "d")
    assert there.read_blob(thing.body["blob"]) == b"content"
    there.close()
    assert str(tmp_path / "a") not in (tmp_path / "b" / ".nbml" / "nbml.db").read_bytes().decode("latin-1")


def test_bodies_keep_unicode_and_are_json(store: Store) -> None:
    thing = store.add("dataset", "d", {"note": "Größe ≤ 3 \U0001f4a1", "n": None})
    assert store.by_id(thing.id).body == {"note": "Größe ≤ 3 \U0001f4a1", "n": None}
    json.dumps(thing.body)


@pytest.mark.parametrize("name", ["churn", "0", "a.b_c-d", "a" * 63])
def test_names_that_fit(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", "Churn", "-a", ".a", "a" * 64, "a b", "a/b", "../a", "ä", "a@1", "a\n"])
def test_names_that_do_not(name: str) -> None:
    with pytest.raises(errors.BadName):
        check_name(name)


def test_a_bad_name_comes_with_one_that_fits() -> None:
    with pytest.raises(errors.BadName) as caught:
        check_name("My Churn")
    assert str(caught.value) == (
        "the name 'My Churn' does not fit: lower-case letters, digits, '.', '_' and '-', at most 63; 'my-churn' would"
    )


def test_references() -> None:
    assert split_ref("churn") == ("churn", None)
    assert split_ref("churn@3") == ("churn", 3)
    for bad in ("churn@", "churn@0", "churn@x", "@1", "churn@-1"):
        with pytest.raises(errors.BadName):
            split_ref(bad)
