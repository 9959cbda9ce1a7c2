"""Suites in files of the project: what is written, what is read back, and what is refused."""

from __future__ import annotations

import os
import stat
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import nbml
from nbml import errors, store
from nbml.slicing import recorder
from nbml.store import current
from nbml.validation import suites

TEXT = "# agreed in May\n18 <= age <= 100, mostly=0.99\nplan in {\n    'a',  # basic\n    'b',\n}"
FRAME = pd.DataFrame({"age": range(20, 320), "plan": ["a", "b"] * 150})


@pytest.fixture
def folder(project: Path) -> Path:
    """Where the project's suites lie."""
    (project / "nbml.toml").write_text('[validation]\nsuites = "checks/expectations"\n')
    return project / "checks" / "expectations"


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def names() -> list[str]:
    return [thing.ref for thing in suites(current())]


def test_a_suite_is_a_file_of_its_text(folder: Path) -> None:
    first = nbml.expect("churn", TEXT)
    path = folder / "churn.expect"
    assert path.read_bytes() == (TEXT + "\n").encode()
    assert not path.stat().st_mode & stat.S_IXUSR
    written = path.stat().st_mtime_ns
    assert str(nbml.expect("churn", "\n\n" + textwrap.indent(TEXT, "  ") + " \n\n")) == str(first) == "churn@1"
    assert path.stat().st_mtime_ns == written
    assert str(nbml.suite("churn")) == "churn@1"
    assert nbml.suite("churn").text == TEXT
    assert files(folder) == ["churn.expect"]


def test_what_was_edited_by_hand_is_the_latest_suite(folder: Path) -> None:
    nbml.expect("churn", TEXT)
    path = folder / "churn.expect"
    path.write_text(TEXT.replace("100", "50") + "\n")
    found = nbml.validate(FRAME, "churn")
    assert (found.suite, found.success) == ("churn@2", False)
    assert (str(nbml.suite("churn")), nbml.suite("churn").text) == ("churn@2", TEXT.replace("100", "50"))
    assert nbml.suite("churn@1").text == TEXT
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())
    assert (str(nbml.suite("churn")), nbml.suite("churn").text, len(current().all("suite"))) == ("churn@3", TEXT, 3)


def test_an_edit_is_a_version_before_a_cell_writes_over_it(folder: Path) -> None:
    nbml.expect("churn", TEXT)
    (folder / "churn.expect").write_text("rows >= 3")
    assert str(nbml.expect("churn", TEXT)) == "churn@3"
    assert nbml.suite("churn@2").text == "rows >= 3"
    assert (folder / "churn.expect").read_text() == TEXT + "\n"


def test_a_file_that_came_by_git_is_a_suite(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "orders.expect").write_text("rows >= 3\nage >= 0, where=plan == 'a'\n")
    assert nbml.validate(FRAME, "orders", strict=True).suite == "orders@1"
    assert nbml.suite("orders").to_json()["expectations"][0]["type"] == "expect_table_row_count_to_be_between"
    assert nbml.validate(FRAME, "none").success is None, "no file, no suite"


def test_suites_of_the_record_go_on_and_get_a_file_when_they_are_written(project: Path) -> None:
    nbml.expect("churn", TEXT)
    (project / "nbml.toml").write_text('[validation]\nsuites = "."\n')
    assert (str(nbml.suite("churn")), names()) == ("churn@1", ["churn@1"])
    assert str(nbml.expect("churn", TEXT)) == "churn@1"
    assert (project / "churn.expect").is_file()
    (project / "churn.expect").unlink()
    assert names() == []


def test_a_file_taken_away_takes_the_suite_with_it_and_no_version(folder: Path) -> None:
    nbml.expect("churn", TEXT)
    nbml.expect("other", TEXT)
    (folder / "churn.expect").unlink()
    assert names() == ["other@1"]
    with pytest.raises(errors.UnknownSuite) as found:
        nbml.suite("churn")
    assert found.value.message == "no suite 'churn': checks/expectations/churn.expect was taken away; its last version is churn@1"
    assert eval(str(found.value.next), {"nbml": nbml}).text == TEXT
    assert nbml.validate(FRAME, "churn@1").suite == "churn@1"
    assert nbml.validate(FRAME, "churn").success is None
    assert str(nbml.expect("churn", "rows > 1")) == "churn@2"


def test_a_file_has_the_values_of_var_and_names_the_reference(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(recorder.namespace(), "most", 400)
    monkeypatch.setitem(recorder.namespace(), "secret", 123456)
    suite = nbml.expect("churn", "age <= var('most')\npsi(age) < 0.2", on=FRAME)
    path = folder / "churn.expect"
    head, *rest = path.read_text().splitlines()
    assert head == f'# nbml keeps var("most"), a reference of 300 rows: {suite.thing.hash[:16]}'
    assert rest == ['# nbml var("most") = 400', "age <= var('most')", "psi(age) < 0.2"]
    assert suite.text == "age <= var('most')\npsi(age) < 0.2"
    monkeypatch.setitem(recorder.namespace(), "most", 1)
    assert nbml.validate(FRAME, "churn").suite == "churn@1"
    path.write_text(path.read_text() + "rows == 300\n")
    found = nbml.validate(FRAME, "churn", strict=True)
    assert (found.suite, len(found.results)) == ("churn@2", 3)
    path.write_text("\n".join(rest[1:]) + "\n")
    assert nbml.validate(FRAME, "churn", strict=True).suite == "churn@3", "without its first line it has what the latest has"
    nbml.expect("churn", "age <= var('most')", on=FRAME)
    path.write_text("\n".join([head, *rest]) + "\n")
    assert nbml.validate(FRAME, "churn", strict=True).results[0]["expectation_config"]["kwargs"]["max_value"] == 400
    path.write_text("age <= var('secret')\n")
    with pytest.raises(errors.BadExpectation) as caught:
        nbml.suite("churn")
    assert caught.value.message == (
        "checks/expectations/churn.expect: line 1, column 8: no name 'secret' among the values that are kept with "
        "checks/expectations/churn.expect"
    )


def test_in_another_copy_of_the_project_what_is_not_there_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(recorder.namespace(), "most", 400)
    nbml.expect("drifts", "psi(age) < 0.2", on=FRAME)
    nbml.expect("frozen", "age <= var('most')")
    (folder.parent.parent).rename(tmp_path / "clone")
    (tmp_path / "clone" / ".nbml").rename(tmp_path / "elsewhere")
    store.use(tmp_path / "clone")
    with pytest.raises(errors.BadArgument) as lost:
        nbml.validate(FRAME, "drifts")
    assert lost.value.message == (
        "psi(age) < 0.2: nothing to compare with: the reference of 300 rows that checks/expectations/drifts.expect names is not in this "
        "project's record, and --against is not given"
    )
    assert nbml.validate(FRAME, "drifts", against=FRAME).success is True
    assert nbml.validate(FRAME, "frozen").success is True, "values of var are in the file"
    assert nbml.suite("frozen").thing.body["values"] == {"most": 400}


def test_a_value_of_var_that_was_edited_in_the_file_is_the_suites(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(recorder.namespace(), "plans", ["a", "b"])
    nbml.expect("churn", "plan in var('plans')")
    path = folder / "churn.expect"
    path.write_text(path.read_text().replace('= ["a", "b"]', '= ["a"]'))
    found = nbml.validate(FRAME, "churn")
    assert (found.suite, found.success) == ("churn@2", False)
    assert nbml.suite("churn").thing.body["values"] == {"plans": ["a"]}
    path.write_text(path.read_text().replace('= ["a"]', "= [a]"))
    with pytest.raises(errors.BadExpectation) as caught:
        nbml.suite("churn")
    assert caught.value.message == (
        "checks/expectations/churn.expect: line 2, column 1: no value of a var: after = stands a number, a text or a list, as in JSON"
    )


def test_what_var_reads_for_a_private_column_is_in_no_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = folder.parent.parent / "nbml.toml"
    settings.write_text(settings.read_text() + '[data]\nprivate = ["plan"]\n')
    monkeypatch.setitem(recorder.namespace(), "known", ["seen-a", "seen-b"])
    monkeypatch.setitem(recorder.namespace(), "most", 400)
    nbml.expect("churn", "plan in var('known')\nage <= var('most')")
    text = (folder / "churn.expect").read_text()
    assert text.splitlines()[0].startswith('# nbml keeps var("known"), var("most"): ')
    assert text.splitlines()[1:] == ['# nbml var("most") = 400', "plan in var('known')", "age <= var('most')"]
    assert nbml.suite("churn").thing.body["values"] == {"known": ["seen-a", "seen-b"], "most": 400}


def test_a_suite_that_only_its_file_knows_is_proposed(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "orders.expect").write_text("rows >= 1\n")
    with pytest.raises(errors.UnknownSuite) as caught:
        nbml.suite("ordres")
    assert (caught.value.message, caught.value.next) == ("no suite 'ordres'; nearest: orders", 'nbml.suite("orders")')
    assert nbml.validate(FRAME, "ordres").nearest == "orders"
    assert eval(str(caught.value.next), {"nbml": nbml}).text == "rows >= 1"


def test_a_pinned_reference_that_was_lost_is_told(project: Path) -> None:
    nbml.expect("drifts", "psi(age) < 0.2", on=FRAME)
    for blob in (project / ".nbml" / "blobs").glob("??/*"):
        blob.chmod(0o600)
        blob.unlink()
    with pytest.raises(errors.StoreDamaged) as caught:
        nbml.validate(FRAME, "drifts")
    first, _, last = caught.value.message.partition(" cannot be read: the file ")
    assert first == "the reference that drifts@1 pinned"
    assert last.endswith(" is missing from the store: put it back from a copy of .nbml/blobs; or --against gives another")
    nbml.snapshot(FRAME.assign(age=FRAME["age"] + 1), "people")
    with pytest.raises(errors.StoreDamaged) as again:
        nbml.validate("people@1", "drifts")
    assert again.value.next == "%nbml validate people@1 --suite drifts --against people@1"
    assert nbml.validate(FRAME, "drifts", against="people@1").success is True


UNREADABLE: list[tuple[bytes, str]] = [
    (b"# nbml keeps var(\"x\"): 0123456789abcdef\nrows > 1\nuniqe(age)\n", "line 3, column 1: no expectation 'uniqe'; nearest: unique"),
    (b"rows > 1\nage => 3", "line 2, column 5: => is written >="),
    (b"<<<<<<< HEAD\nrows > 1\n", "line 1, column 1: cannot be read: invalid syntax"),
    (b"rows > 1\nplan in {'\xff'}\n", "line 2, column 11: not a text in UTF-8"),
    (b"# nothing\n", "a suite needs at least one expectation"),
    (b"rows > 1\x00\n", "line 1, column 1: cannot be read: "),
]


@pytest.mark.parametrize(("content", "message"), UNREADABLE)
def test_a_file_that_is_no_suite_is_told_by_line_and_column(folder: Path, content: bytes, message: str) -> None:
    nbml.expect("churn", "rows > 1")
    (folder / "churn.expect").write_bytes(content)
    calls: list[Callable[[], Any]] = [
        lambda: nbml.suite("churn"), lambda: nbml.validate(FRAME, "churn"), lambda: nbml.expect("churn", "rows > 2"),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(errors.BadExpectation) as found:
            call()
        assert found.value.message.startswith(f"checks/expectations/churn.expect: {message}")
    assert (folder / "churn.expect").read_bytes() == content, "what cannot be read is not written over"
    assert nbml.suite("churn@1").text == "rows > 1"


@pytest.mark.parametrize("value", ["../out", "/tmp", "checks/../..", ".nbml/suites", "leads-out"])
def test_no_folder_outside_of_the_project(project: Path, tmp_path: Path, value: str) -> None:
    (project / "leads-out").symlink_to(tmp_path)
    (project / "nbml.toml").write_text(f'[validation]\nsuites = "{value}"\n')
    with pytest.raises(errors.BadArgument) as found:
        nbml.expect("churn", TEXT)
    assert found.value.message == f"nbml.toml: validation.suites = {value!r}: a folder inside the project is needed"
    assert names() == []


@pytest.mark.parametrize("name", ["../churn", "Churn", "a/b", ".hidden", "churn@x"])
def test_a_file_has_the_name_of_a_suite(folder: Path, name: str) -> None:
    with pytest.raises(errors.BadName):
        nbml.suite(name)
    with pytest.raises(errors.BadName):
        nbml.expect(name, TEXT)
    assert not folder.exists()


def test_a_link_that_leads_out_and_a_folder_are_no_suites(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.expect").write_text("rows > 1")
    folder.mkdir(parents=True)
    (folder / "linked.expect").symlink_to(tmp_path / "outside.expect")
    (folder / "dir.expect").mkdir()
    for name, message in (("linked", "leads out of the project"), ("dir", "is no file")):
        for call in (nbml.suite, lambda name: nbml.expect(name, TEXT)):
            with pytest.raises(errors.BadInput) as found:
                call(name)
            assert found.value.message == f"checks/expectations/{name}.expect {message}"
    assert (tmp_path / "outside.expect").read_text() == "rows > 1"


def test_a_write_that_fails_leaves_the_file_as_it_was(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbml.expect("churn", TEXT)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(errors.StoreError) as found:
        nbml.expect("churn", "rows > 3")
    assert found.value.message == "checks/expectations/churn.expect cannot be written: No space left on device"
    monkeypatch.undo()
    assert (folder / "churn.expect").read_text() == TEXT + "\n"
    assert (files(folder), str(nbml.suite("churn"))) == (["churn.expect"], "churn@1")


def test_a_project_that_can_only_be_read_reads_its_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbml.expect("churn", TEXT)
    (folder / "churn.expect").write_text("rows >= 3\n")
    monkeypatch.setattr(current(), "readonly", True)
    found = nbml.validate(FRAME, "churn")
    assert (found.success, found.suite, found.kept) == (True, "churn@2", False)
    with pytest.raises(errors.ReadOnlyStore):
        nbml.expect("churn", "rows > 1")
    assert (folder / "churn.expect").read_text() == "rows >= 3\n"


def test_a_service_takes_the_suite_of_the_file(folder: Path) -> None:
    nbml.expect("churn", "age >= 18")
    (folder / "churn.expect").write_text("age >= 21\n")
    from nbml.validation import scopes, suite

    assert [one["text"] for one in scopes(suite("churn"), ["age"])] == ["age >= 21"]


def test_a_suite_written_out_as_json_finds_its_reference(project: Path) -> None:
    written = nbml.expect("drifts", "psi(age) < 0.2", on=FRAME).to_json()
    moved = FRAME.assign(age=FRAME["age"] + 500)
    assert [nbml.validate(frame, written).success for frame in (FRAME, moved)] == [True, False]
    for elsewhere in ("0" * 64, "../../etc", None):
        written["expectations"][0]["kwargs"]["reference"] = elsewhere
        with pytest.raises(errors.BadArgument) as caught:
            nbml.validate(FRAME, written)
        assert caught.value.message.startswith("psi(age) < 0.2: nothing to compare with: no reference is pinned (%%nbml expect ... --on)")
