"""Lines that errors propose, typed as they stand; and suites that could never be judged."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import nbml
from nbml import errors
from nbml.store import current
from nbml.validation.grammar import parse

COLUMNS = ("net amount", "class", "valid/loss", "price (EUR)", "clinic")


@pytest.fixture
def book(shell: Any) -> Any:
    """A shell with a frame ``df``; gives what a cell gives, and raises what it raises."""
    columns = {"net amount": [1.0, 2.0], "class": [0, 1], "valid/loss": [0.1, 0.2], "price (EUR)": [3, 4], "clinic": [1, 2]}
    shell.user_ns["df"] = pd.DataFrame(columns)

    def cell(source: str) -> Any:
        result = shell.run_cell(source, store_history=True)
        result.raise_error()
        return result.result

    return cell


READ_WITH_COLUMNS = [
    ('"clinic" > 1', "line 1, column 1: a column is written clinic, not in quotes", "clinic > 1"),
    ("clinic inn {1}", "line 1, column 8: no word 'inn'; nearest: in", "clinic in {1}"),
    ("net amount >= 0", "line 1, column 1: the column 'net amount' is written col(\"net amount\")", 'col("net amount") >= 0'),
    ("rows > 1\nnet amout >= 0", "line 2, column 1: no column 'net amout'; nearest: net amount, written col(\"net amount\")",
     'col("net amount") >= 0'),
    ("class >= 0", "line 1, column 1: the column 'class' is written col(\"class\")", 'col("class") >= 0'),
    ("valid/loss < 3", "line 1, column 1: the column 'valid/loss' is written col(\"valid/loss\")",
     'col("valid/loss") < 3'),
    ("price (EUR) >= 0", "line 1, column 1: the column 'price (EUR)' is written col(\"price (EUR)\")",
     'col("price (EUR)") >= 0'),
    ("not_null(class, net amount)",
     "line 1, column 10: the columns 'net amount' and 'class' are written col(\"net amount\") and col(\"class\")",
     'not_null(col("class"), col("net amount"))'),
    ("clinic > 0, where=net amount > 0", "line 1, column 19: the column 'net amount' is written col(\"net amount\")",
     'clinic > 0, where=col("net amount") > 0'),
    ('clinic > 0, where="class > 0"', "line 1, column 19: where: the column 'class' is written col(\"class\")", None),
    ("clinic foo 5", "line 1, column 8: cannot be read: 'foo' does not belong here", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message", "following"), READ_WITH_COLUMNS)
def test_columns_of_the_frame_are_proposed_as_the_language_writes_them(book: Any, text: str, message: str, following: str | None) -> None:
    with pytest.raises(errors.BadExpectation) as found:
        book(f"%%nbml expect q --on df\n{text}")
    assert (found.value.message, found.value.next) == (message, following)
    if following:
        assert book(f"%%nbml expect q --on df\n{following}").validation is not None


WITHOUT_COLUMNS = [
    ("net amount >= 0", "line 1, column 1: a column of this name is written col(\"net amount\")", 'col("net amount") >= 0'),
    ("from <= to", "line 1, column 1: 'from' is a reserved word: a column of this name is written col(\"from\")", 'col("from") <= to'),
    ("'a' in {net amount}", "line 1, column 13: cannot be read: 'amount' does not belong here", None),
    ("age >= 5 annd y < 3", "line 1, column 10: cannot be read: 'annd' does not belong here", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message", "following"), WITHOUT_COLUMNS)
def test_without_a_frame_only_what_can_be_read_is_proposed(text: str, message: str, following: str | None) -> None:
    with pytest.raises(errors.BadExpectation) as found:
        parse(text)
    assert (found.value.message, found.value.next) == (message, following)
    assert following is None or parse(following)


NEVER = [
    ("matches(b, '[')", "line 1, column 12: '[' is no regular expression: unterminated character set at position 0", None),
    ("not matches(b, '(')", "line 1, column 16: '(' is no regular expression: missing ), unterminated subpattern at position 0", None),
    ("format(b, '%Q')", "line 1, column 11: '%Q' is no format of dates: 'Q' is a bad directive in format '%Q'", None),
    ("mean(b) > 'x'", "line 1, column 11: mean(...) is a number, and not to be compared with 'x'", None),
    ("mean(b) > '0.5'", "line 1, column 11: mean(...) is a number, and not to be compared with '0.5'", "mean(b) > 0.5"),
    ("null_share(b) < 'x'", "line 1, column 17: null_share(...) is a number, and not to be compared with 'x'", None),
    ("psi(b) < 'x'", "line 1, column 10: psi(...) is a number, and not to be compared with 'x'", None),
    ("quantile(b, 5) <= 1", "line 1, column 13: a quantile is a number from 0 to 1, not 5", None),
    ("5 <= b <= 1", "line 1, column 1: nothing lies between 5 and 1", "1 <= b <= 5"),
    ("rows > 1\n  \n5 < b < 5", "line 3, column 1: nothing lies between 5 and 5", None),
    ("100 <= rows <= 10", "line 1, column 1: nothing lies between 100 and 10", "10 <= rows <= 100"),
    ("1 <= b <= 'x'", "line 1, column 1: nothing lies between 1 and 'x': they are of different kinds", None),
    ("'2024-10-01' <= t <= '2024-01-01'", "line 1, column 1: nothing lies between '2024-10-01' and '2024-01-01'",
     "'2024-01-01' <= t <= '2024-10-01'"),
    ("b >= None", "line 1, column 6: None is no bound: a number, a text or a date is", None),
    ("b == None", "line 1, column 1: nulls are asked for by null(...)", "null(b)"),
    ("expect_column_values_to_match_regex('b', '[')",
     "line 1, column 42: '[' is no regular expression: unterminated character set at position 0", None),
    ("expect_column_values_to_be_between('b', 5, 1)", "line 1, column 1: nothing lies between 5 and 1", None),
    ("expect_column_values_to_be_in_set('b')", "line 1, column 1: expect_column_values_to_be_in_set needs value_set", None),
    ("expect_column_mean_to_be_between('b', min_value='x')",
     "line 1, column 49: min_value of expect_column_mean_to_be_between is a number, not 'x'", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message", "following"), NEVER)
def test_what_can_never_be_judged_is_no_suite(project: Any, text: str, message: str, following: str | None) -> None:
    with pytest.raises(errors.BadExpectation) as found:
        nbml.expect("never", text)
    assert (found.value.message, found.value.next) == (message, following)
    assert current().find("suite", "never") is None
    assert following is None or nbml.expect("never", following)


@pytest.mark.parametrize("text", ["5 <= b <= 5", "'b' <= x <= 'a'", "min(t) >= '2024-01-01'", "format(b, '%Y-%m-%d')", "length(b) == 3"])
def test_what_the_data_decide_is_a_suite(text: str) -> None:
    assert parse(text)


def test_a_suite_that_is_not_there_is_drafted_by_the_line_proposed(book: Any) -> None:
    with pytest.raises(errors.UnknownSuite) as found:
        book("import nbml; nbml.suite('zzz')")
    assert str(found.value) == "no suite 'zzz'; none is stored yet\nTry: %nbml validate df --suite zzz"
    assert book(str(found.value.next)).success is None


def test_a_failed_strict_check_proposes_the_one_that_shows_it(book: Any) -> None:
    book("%%nbml expect few\nrows < 2")
    with pytest.raises(errors.ValidationFailed) as found:
        book("%nbml validate df --suite few --strict")
    assert str(found.value) == "df breaks few@1: 1 of 1 expectations fail: rows < 2\nTry: %nbml validate df --suite few"
    assert book(str(found.value.next)).success is False


def test_drift_without_a_reference_proposes_a_stored_one(book: Any) -> None:
    book("%%nbml expect drifts\npsi(clinic) < 0.2")
    with pytest.raises(errors.BadArgument) as found:
        book("%nbml validate df --suite drifts")
    assert found.value.next is None
    book("%nbml snapshot df --name clinics")
    with pytest.raises(errors.BadArgument) as found:
        book("%nbml validate df --suite drifts")
    assert found.value.next == "%nbml validate df --suite drifts --against clinics@1"
    assert book(found.value.next).success is False, "too few rows, and measured"


def test_a_check_that_is_not_kept_says_so(book: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    book("%%nbml expect few\nrows < 5")
    kept = book("import nbml; nbml.validate(df, 'few')")
    monkeypatch.setattr(current(), "readonly", True)
    lost = book("nbml.validate(df, 'few')")
    told = "  not kept: the project's record can only be read here"
    assert (kept.kept, lost.kept) == (True, False)
    assert [told in repr(found).splitlines() for found in (kept, lost)] == [False, True]


def test_an_engine_that_is_not_there(book: Any) -> None:
    book("%%nbml expect few\nrows < 5\n")
    with pytest.raises(errors.UnknownAdapter) as found:
        book("import nbml; nbml.validate(df, 'few', engine='gxx')")
    assert found.value.message == "no engine 'gxx'; nearest: gx"
    book(str(found.value.next))
