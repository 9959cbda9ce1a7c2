"""The outbox: what is put in once is due once, when its run has ended."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from nbml.store import Store, Thing, outbox, runs


@pytest.fixture
def store(tmp_path: Path):
    opened = Store(tmp_path)
    yield opened
    opened.close()


def begin(store: Store, trackers: list[str], owner: int | None = None) -> Thing:
    thing = store.add("run", "r")
    process = store.me().id if owner is None else owner
    store.write(lambda db: runs.start(db, thing, f"a{thing.id}", process, []))
    store.write(lambda db: outbox.put(db, thing.id, trackers))
    return thing


def end(store: Store, run: Thing) -> None:
    store.write(lambda db: runs.finish(db, run.id, "finished", {}))


def test_a_run_is_due_when_it_has_ended_or_its_process_has(store: Store) -> None:
    open_, ended = begin(store, ["a"]), begin(store, ["a", "b"])
    assert outbox.due(store) == []
    end(store, ended)
    assert [(letter.run, letter.tracker) for letter in outbox.due(store)] == [(ended.id, "a"), (ended.id, "b")]
    orphan = begin(store, ["a"], owner=10**6)
    assert [letter.run for letter in outbox.due(store)] == [ended.id, ended.id, orphan.id]
    assert len(outbox.letters(store, run=open_.id, state="waiting")) == 1


def test_what_is_sent_is_not_due_and_a_run_that_goes_on_is_heard_of_again(store: Store) -> None:
    run = begin(store, ["a"])
    end(store, run)
    [letter] = outbox.due(store)
    outbox.sent(store, letter, {"where": "there"})
    assert outbox.due(store) == []
    [sent] = outbox.letters(store, run=run.id)
    assert (sent.state, sent.body, sent.error) == ("sent", {"where": "there"}, "")
    store.write(lambda db: outbox.put(db, run.id, ["a", "b"]))
    assert [(x.id, x.tracker, x.state) for x in outbox.letters(store)] == [(letter.id, "a", "waiting"), (sent.id + 1, "b", "waiting")]


def test_each_failure_doubles_the_pause(store: Store) -> None:
    run = begin(store, ["a"])
    end(store, run)
    for tries in range(4):
        store.write(lambda db: db.execute("UPDATE outbox SET next_at=0"))
        [letter] = outbox.due(store)
        assert letter.tries == tries
        outbox.missed(store, letter, "no network " * 100)
        assert outbox.due(store) == []
        [missed] = outbox.letters(store, state="waiting")
        assert missed.next_at == pytest.approx(time.time() + 2.0**tries, abs=0.5)
        assert len(missed.error) == 500


def test_the_office_is_not_left_while_something_is_to_be_sent(store: Store) -> None:
    sender = store.join("sender")
    assert store.lease(outbox.OFFICE, sender)
    run = begin(store, ["a"])
    end(store, run)
    assert outbox.retire(store, sender, 30.0) is False
    assert store.holder(outbox.OFFICE) is not None
    outbox.sent(store, outbox.due(store)[0], {})
    assert outbox.retire(store, sender, 30.0) is True
    assert store.holder(outbox.OFFICE) is None


def test_what_is_due_much_later_waits_for_the_next_sender(store: Store) -> None:
    sender = store.join("sender")
    store.lease(outbox.OFFICE, sender)
    run = begin(store, ["a"])
    end(store, run)
    store.write(lambda db: db.execute("UPDATE outbox SET next_at=?", (time.time() + 100,)))
    assert outbox.retire(store, sender, 30.0) is True
