"""What results look like: the same words in text, HTML and JSON; nothing that a sanitizer drops or a browser runs."""

from __future__ import annotations

import html.parser
import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbml.display import (
    MIME,
    Code,
    Column,
    Details,
    Histogram,
    Line,
    Live,
    Note,
    Progress,
    Report,
    Shown,
    Spark,
    Table,
    ago,
    bundle,
    chip,
    code,
    figure,
    keep,
    link,
    muted,
    payload,
    percent,
    seconds,
    size,
    strong,
    text,
)  # fmt: skip
from nbml.display import (
    html as drawn,
)
from nbml.display.listing import shown_as
from nbml.store import current

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;\x00\x1b[31m`$x$`"

#: what JupyterLab's sanitizer keeps in an untrusted notebook, as the design's page on looks lists it
TAGS = {"div", "span", "b", "code", "pre", "table", "thead", "tbody", "tr", "th", "td", "details", "summary", "progress", "img", "a"}
ATTRIBUTES = {"style", "title", "alt", "width", "height", "href", "target", "rel", "src", "value", "max", "colspan"}
STYLES = {
    "display", "gap", "width", "min-width", "max-width", "margin", "padding", "border", "border-left", "border-bottom",
    "border-radius", "border-collapse", "background", "color", "opacity", "font-family", "font-size", "font-weight", "line-height",
    "text-align", "text-overflow", "white-space", "overflow", "overflow-x", "vertical-align", "cursor",
}  # fmt: skip


class Page(html.parser.HTMLParser):
    """What a browser would see."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def everything(word: str) -> Report:
    """A report with every kind of part, ``word`` in each place for a text."""
    inner = [Line((strong(word), muted(word), code(word), chip(word, "bad"), link(word, "https://example.org/?q=" + word), word))]
    rows = [
        [word, 1.25, Spark([1, None, 3.5, math.nan], word), (code(word), word), 0.1, 1.7e9],
        [None, math.nan, Histogram([0.5, 0.5], [0.2, 0.8], word), chip(word), -math.inf, None],
    ]
    heads = [word, Column("n" + word, bar="bad"), "curve", "text", Column("share", format="percent"), Column("when", format="time")]
    return Report(
        (strong(word), " on ", word), "look", word, [word, "4,000 rows"],
        [Note("bad", word, word), Table(heads, rows, 7, word), Progress(3, 7, word), Spark([1, 2], word), Histogram([1], [1], word),
         Code(word), Details(word, inner)],
        [word, "%nbml validate df"], kind="test", ref="churn@1",
    )  # fmt: skip


def test_hostile_texts_are_texts_everywhere() -> None:
    page = Page(drawn(everything(HOSTILE)))
    assert page.open == []
    assert not {"script"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert all(value.startswith("data:image/svg+xml;base64,") for name, value in page.attributes if name == "src")
    shown = HOSTILE.replace("\x00", "\\x00").replace("\x1b", "\\x1b")
    assert page.words.count(shown) >= 16
    assert "\x00" not in page.words
    assert [value for name, value in page.attributes if name == "alt"] == [shown] * 4


@pytest.mark.parametrize("name", ["<b>age</b>", 'a"onclick="x', "x`$y$`", "a&lt;b", "\x1b[31mred", "", 7, ("t", 1), None])
def test_hostile_names_of_columns(name: Any) -> None:
    frame = pd.DataFrame([[1]], columns=pd.Index([name], dtype=object))
    report = Report("names", parts=[Table([str(c) for c in frame.columns], [[1]])])
    page = Page(drawn(report))
    assert str(name).replace("\x1b", "\\x1b") in page.words
    assert set(page.tags) <= TAGS
    assert json.loads(json.dumps(payload(report)))["parts"][0]["columns"][0]["name"] == str(name)


def test_links_lead_to_pages_only() -> None:
    for url in ("javascript:alert(1)", "data:text/html,x", "//x", "file:///etc/passwd"):
        assert "href" not in drawn(Report("x", parts=[Line(link("here", url))]))
    assert 'href="https://example.org"' in drawn(Report("x", parts=[Line(link("here", "https://example.org"))]))


def test_html_uses_only_what_an_untrusted_notebook_keeps() -> None:
    source = drawn(everything("word"))
    page = Page(source)
    assert set(page.tags) <= TAGS
    assert {name for name, _ in page.attributes} <= ATTRIBUTES
    for name, value in page.attributes:
        if name == "style":
            properties = dict(part.split(":", 1) for part in value.split(";"))
            assert set(properties) <= STYLES, value
            assert not re.search(r"var\(|inherit|url\(|expression", value)
    assert "http" not in source.replace("https://example.org/?q=word", "").replace("http://www.w3.org/2000/svg", "")


def test_meaning_is_in_words_not_in_colour_alone() -> None:
    for state in ("well", "look", "bad", "running", "idle"):
        assert "the word" in Page(drawn(Report("x", state, "the word"))).words
    with pytest.raises(ValueError, match="no state 'green'"):
        Report("x", "green")


def test_json_is_json_that_javascript_reads() -> None:
    day = pd.Timestamp("2024-01-01")
    row = [math.nan, math.inf, -math.inf, 2**53 + 1, -(2**60), np.int64(3), np.float64(0.5), True, None, day, 2**53]
    parts = [Table([f"c{i}" for i in range(len(row))], [row]), Progress(math.nan, math.inf), Spark([math.nan, 1.0])]
    found = payload(Report("x", parts=parts))
    json.dumps(found, allow_nan=False)
    table, progress, spark = found["parts"]
    assert json.loads(table["rows"][0]) == [
        None, "inf", "−inf", "9,007,199,254,740,993", "-1,152,921,504,606,846,976", 3, 0.5, True, None, "2024-01-01 00:00:00", 2**53,
    ]  # fmt: skip
    assert (progress["done"], progress["total"], spark["values"]) == (None, "inf", [None, 1.0])
    json.dumps(bundle(everything(HOSTILE))[MIME], allow_nan=False)


def test_long_tables_are_cut_inline_and_whole_in_the_store(project: Path) -> None:
    current()
    report = Report("long", parts=[Table(["text"], [["x" * 1000] for _ in range(500)])])
    inline = payload(report)["parts"][0]
    assert sum(map(len, inline["rows"])) <= 200_000
    assert (len(inline["rows"]) < 500, inline["total"]) == (True, 500)
    kept = current().result(keep(report))
    assert kept is not None
    assert len(kept["parts"][0]["rows"]) == 500
    assert kept["id"] == payload(report)["id"] == report.id


def test_the_same_words_in_a_terminal() -> None:
    report = Report(
        (strong("churn"), " on ", strong("orders"), ": 2 of 9 expectations fail"), "bad", "failed", ["4,000 rows", "6 ms"],
        [Table(["expectation", Column("unexpected", format="percent", bar="bad")], [["18 <= age", 0.1], ["plan in {…}", 0.004]], 5)],
        ["_.failing_rows()", "%nbml data"],
    )  # fmt: skip
    assert text(report).splitlines() == [
        "[failed] churn on orders: 2 of 9 expectations fail · 4,000 rows · 6 ms",
        "  expectation  unexpected",
        "  18 <= age        10.0 %",
        "  plan in {…}       0.4 %",
        "  … 3 more rows",
        "Next: _.failing_rows() or %nbml data",
    ]
    words = Page(drawn(report)).words
    for word in ("failed", "churn", "2 of 9 expectations fail", "4,000 rows", "10.0 %", "0.4 %", "3 more rows", "_.failing_rows()"):
        assert word in words


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"), (7, "7"), (1234567, "1,234,567"), (-3, "−3"), (0.123456, "0.123"), (12.3456, "12.3"), (123.456, "123"), (1234.5, "1,234"),
        (1e-7, "1e−07"), (1e20, "1e+20"), (math.nan, "NaN"), (math.inf, "inf"), (None, ""), (True, "True"), ("text", "text"),
        (np.float32(0.5), "0.500"), (999.96, "1,000"),
    ],
)  # fmt: skip
def test_figures_have_three_digits_and_thousands(value: Any, shown: str) -> None:
    assert figure(value) == shown


def test_units() -> None:
    assert [percent(s) for s in (0, 0.0001, 0.104, 0.9999, 1)] == ["0 %", "< 0.1 %", "10.4 %", "> 99.9 %", "100 %"]
    spans = (0.0061, 0.3, 3.14, 42, 150, 7200, 200_000)
    assert [seconds(s) for s in spans] == ["6.1 ms", "300 ms", "3.1 s", "42 s", "2 min", "2 h", "56 h"]
    assert [size(s) for s in (12, 1200, 118_000, 1_400_000, 5e12)] == ["12 B", "1.2 kB", "118 kB", "1.4 MB", "5000 GB"]
    import time

    assert ago(time.time()) == "just now"
    assert ago(time.time() - 125) == "2 min ago"


def test_a_listing_is_a_frame_and_shows_a_report() -> None:
    listed = shown_as(pd.DataFrame({"a": [1, 2]}), Report("two rows", parts=[Table(["a"], [[1], [2]])]))
    assert isinstance(listed, pd.DataFrame)
    assert repr(listed).startswith("two rows")
    assert "two rows" in listed._repr_html_()
    assert type(listed.head(1)) is pd.DataFrame
    assert listed["a"].sum() == 3


class Value(Shown):
    def _report(self) -> Report:
        return Report("a value", id="0" * 32)


def test_a_value_shows_itself_in_all_three_forms() -> None:
    found = Value()._repr_mimebundle_()
    assert set(found) == {"text/plain", "text/html", MIME}
    assert repr(Value()) == found["text/plain"] == "a value"
    assert Value()._repr_html_() == found["text/html"]


def test_a_live_result_is_in_the_store_from_first_to_last(project: Path) -> None:
    current()
    with Live(Report("0 of 3", "running", "tuning"), pause=0) as live:
        key = live.report.key
        assert current().result(key)["word"] == "tuning"  # type: ignore[index]
        live.update(Report("1 of 3", "running", "tuning"))
        assert current().result(key)["title"] == "1 of 3"  # type: ignore[index]
        live.finish(Report("3 of 3", "well", "tuned"))
    assert current().result(key)["word"] == "tuned"  # type: ignore[index]


@pytest.mark.parametrize(("error", "word", "state"), [(KeyboardInterrupt, "interrupted", "look"), (ZeroDivisionError, "failed", "bad")])
def test_a_live_result_that_was_left_says_so(project: Path, error: type[BaseException], word: str, state: str) -> None:
    current()
    live = Live(Report("0 of 3", "running", "tuning"))
    with pytest.raises(error), live:
        raise error
    found = current().result(live.report.key)
    assert found is not None
    assert (found["word"], found["state"], found["title"]) == (word, state, "0 of 3")


def test_a_live_result_is_drawn_at_most_four_times_a_second(project: Path) -> None:
    current()
    live = Live(Report("0", "running", "tuning"), pause=3600)
    for step in range(100):
        live.update(Report(str(step), "running", "tuning"))
    found = current().result(live.report.key)
    assert found is not None
    assert found["title"] == "0"
    live.finish(Report("100", "well", "tuned"))
    assert current().result(live.report.key)["title"] == "100"  # type: ignore[index]


def test_a_terminal_shows_the_first_and_the_last_picture_and_few_between(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    from nbml.display import shown

    drawn: list[str] = []
    handle = SimpleNamespace(update=lambda bundle, raw: drawn.append(bundle["text/plain"]))
    monkeypatch.setattr(shown, "_handle", lambda first: drawn.append(first["text/plain"]) or handle)
    for kernel, most in (({}, 2), ({"kernel": 1}, 6)):
        monkeypatch.setattr(shown, "shell", lambda kernel=kernel: SimpleNamespace(**kernel))
        drawn.clear()
        with Live(Report("0", "running", "deploying"), pause=0) as live:
            for step in range(1, 5):
                live.update(Report(str(step), "running", "deploying"))
            live.finish(Report("5", "well", "running"))
        assert (drawn[0], drawn[-1], len(drawn)) == ("[deploying] 0", "[running] 5", most)


def test_a_line_for_the_terminal_is_seen_in_one() -> None:
    shown = text(Report("a", parts=[Details("from a terminal", [Code("curl -s x", "sh")]), Details("more", [Code("x = 1")])]))
    assert shown.splitlines() == ["a", "  from a terminal", "  curl -s x", "  more"]
