"""A line becomes words: brackets and quotes hold together, inner quotes stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbml import errors
from nbml.commands.parser import Word
from nbml.magics.expand import expand
from nbml.magics.tokens import last_word, split


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", []),
        ("  validate   df  ", ["validate", "df"]),
        ('--on X.drop(columns="plan") y', ["--on", 'X.drop(columns="plan")', "y"]),
        ("--on df[df.a > 1] y", ["--on", "df[df.a > 1]", "y"]),
        ("f({'a b': [1, 2]}, (3, 4)) z", ["f({'a b': [1, 2]}, (3, 4))", "z"]),
        ('--note "two words" --x', ["--note", '"two words"', "--x"]),
        ("--note=\"it's here\" x", ["--note=\"it's here\"", "x"]),
        ("--note don't stop", ["--note", "don't", "stop"]),
        (r'df.query(r"a == \"b c\"") x', [r'df.query(r"a == \"b c\"")', "x"]),
        ("f(x)('a b') 'c d'", ["f(x)('a b')", "'c d'"]),
        ("--where 'a > 1 and b < (2'", ["--where", "'a > 1 and b < (2'"]),
        ("x\ty\u00a0z", ["x", "y", "z"]),
    ],
)
def test_words(line: str, words: list[str]) -> None:
    assert [word.raw for word in split(line)] == words


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('--note "two words', "column 8: the quote \" is never closed: \"two words"),
        ("df[df.a > 1", "column 3: '[' is never closed: [df.a > 1"),
        ("df.a) x", "column 5: ')' closes nothing: ) x"),
        ("f(a] x", "column 4: ']' closes nothing: ] x"),
    ],
)
def test_what_is_never_closed_is_pointed_at(line: str, message: str) -> None:
    with pytest.raises(errors.BadArgument) as caught:
        split(line)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("raw", "text", "literal"),
    [
        ("plain", "plain", False),
        ('"two words"', "two words", False),
        ("'two words'", "two words", True),
        (r'"say \"yes\""', 'say "yes"', False),
        ('"a" "b"', '"a" "b"', False),
        ("", "", False),
        ('""', "", False),
    ],
)
def test_quotes_around_all_of_a_word_are_no_part_of_it(raw: str, text: str, literal: bool) -> None:
    assert (Word(raw).text, Word(raw).literal) == (text, literal)


def test_words_of_an_argument_list_are_taken_as_they_are() -> None:
    assert (Word('"quoted"', plain=True).text, Word('"quoted"', plain=True).literal) == ('"quoted"', True)


def test_names_expand() -> None:
    names = {"n": 3, "name": "churn"}
    assert expand("{name}-$n-{{n}}-$$n-{n}x", names) == "churn-3-{n}-$n-3x"
    assert expand("{not a name} $5 {0}", names) == "{not a name} $5 {0}"
    with pytest.raises(errors.UnknownName) as caught:
        expand("model-$m", names)
    assert str(caught.value) == "no name 'm' in this notebook for $m of 'model-$m'; single quotes keep it as typed\nTry: %whos"


@given(st.lists(st.text(st.characters(blacklist_characters="\"'()[]{}", blacklist_categories=["Z", "C"]), min_size=1)))
def test_plain_words_come_back(words: list[str]) -> None:
    kept = words[: words.index("#")] if "#" in words else words  # a lone # begins a comment
    assert [word.raw for word in split(" ".join(words))] == kept


@given(st.text(alphabet="ab \"'()[]{}=-\\"))
def test_any_line_is_read_or_refused(line: str) -> None:
    try:
        words = split(line)
    except errors.BadArgument:
        last_word(line)
        return
    assert "".join(word.raw for word in words).replace(" ", "") == "".join(line.split()).replace(" ", "")
