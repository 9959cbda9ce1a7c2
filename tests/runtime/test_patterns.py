"""Patterns on texts that were made to take long, and on texts that were not: the verdict is ``re``'s."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbml.runtime import checks
from nbml.runtime.patterns import Pattern, like
from runtime.asking import INPUTS, ask, expectation, problems

REGEXES = [
    "[^@]+@[^@]+", r"^[^@\s]+@[^@\s]+\.[^@\s]+$", r"\S+@\S+\.\S+", "a+b", ".*b", ".*?b", "[a-c]*c|b+a", r"\w+ \w+", "b", "^a", r"\d+$",
    r"[\]a]+b", r"a+(b|c)\1", r"\.+a", "-+a", "a*", r"[^\n]*b", "a++b", "(?i)a+B", ".+b$", "a{2,}b", "[ab]+?c", "[]a]+b",
]  # fmt: skip
LIKES = ["a%b", "%a%", "_%", "%", "a_c", "%a%b%", "a%%b", "%%", "", "%ab%ba", "a.%", "%\n%", "_a%_b"]
TEXTS = st.text(alphabet="aabbc@. \n-]1B", max_size=12)


@given(st.sampled_from(REGEXES), TEXTS)
def test_the_verdict_is_the_one_of_re(regex: str, text: str) -> None:
    assert Pattern(regex).fits(text) == (re.search(regex, text) is not None)


@given(st.sampled_from(LIKES), TEXTS)
def test_like_is_sql_s(pattern: str, text: str) -> None:
    plain = "".join({"%": ".*", "_": "."}.get(char, re.escape(char)) for char in pattern)
    assert like(pattern)(text) == (re.fullmatch(plain, text, re.DOTALL) is not None)


def email(text: str, **more: Any) -> dict[str, Any]:
    note = expectation(f"matches(note, {text!r})", "values_to_match_regex", column="note", regex=text)
    return {"inputs": INPUTS[5:], "expectations": [note | more]}


def test_a_long_text_takes_no_long_time() -> None:
    began = time.process_time()
    for text in ("a" * 9_999, "a" * 1_000_000, "@" * 1_000_000):
        assert problems({"rows": [{"note": text}]}, **email("[^@]+@[^@]+"))[0]["column"] == "note"
        assert not like("%a%b%c%")(text)
        assert Pattern("a+b").fits(text) is False
    assert time.process_time() - began < 0.4


@pytest.mark.parametrize(("regex", "longest"), [("[^@]+@[^@]+", 10_000), (r"^[^@\s]+@[^@\s]+\.[^@\s]+$", 1_000), ("(x+y+)*z*", 250)])
def test_a_text_that_is_too_long_to_be_judged_is_refused_and_told(regex: str, longest: int) -> None:
    status, answer = ask({"rows": [{"note": "a@b." + "c" * longest}]}, **email(regex))
    told = f"breaks matches(note, {regex!r}): it judges texts of up to {longest:,} characters, this one has {longest + 4:,}"
    assert (status, answer["error"]["problems"][0]["problem"]) == (422, told)
    assert Pattern(regex).fits("a@b." + "c" * longest) is None
    assert [Pattern(free).longest for free in ("^a", "x", "a+b", r"^\d{3}-\d+$", "[^@]+@")] == [None] * 5


def test_texts_that_take_too_long_together_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "PATIENCE", 0.0)
    rows = {"rows": [{"note": "a@b"}] * 100}
    status, answer = ask(rows, **email("[^@]+@[^@]+"))
    told = "breaks the time that matches(note, '[^@]+@[^@]+') may take: send shorter texts, or fewer rows"
    assert (status, answer["error"]["message"]) == (422, f"row 0, column 'note': \"a@b\" {told}")
    assert answer["error"]["problems"][0]["column"] == "note"
    soft = ask(rows, **email("[^@]+@[^@]+", mostly=0.9))
    assert (soft[0], soft[1]["flags"][0], soft[1]["flags"][99]) == (200, [], ["matches(note, '[^@]+@[^@]+')"])
