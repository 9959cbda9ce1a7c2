"""Reports of checks: worst first, how far off, what cannot be seen made visible, and nothing of a private column anywhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nbml
from nbml.display import payload
from nbml.store import current
from nbml.validation.report import value
from nbml.validation.values import Failure


@pytest.fixture
def bad() -> pd.DataFrame:
    rows = 100
    return pd.DataFrame(
        {
            "age": [20 + i if i % 4 else -1 for i in range(rows)],
            "plan": ["basic"] * 98 + ["Pro\u00a0", "東京" * 30],
            "income": np.linspace(50, 80, rows),
            "city": ["München", "東京"] * 50,
        }
    )


def test_worst_first_with_severity_shares_values_and_how_far_off(project: Path, bad: pd.DataFrame) -> None:
    suite = nbml.expect(
        "churn",
        'plan == "basic"\nage >= 0, mostly=0.9, severity="warning"\nmean(income) <= 55\ngone >= 0\ncity in {"München"}, severity="info"'
        "\nage <= 200",
    )
    found = nbml.validate(bad, suite, name="orders")
    lines = repr(found).splitlines()
    assert [" ".join(line.split()) for line in lines[1:]] == [
        "expectation severity unexpected allowed for instance",
        "mean(income) <= 55 [critical] ░············● 65",
        "gone >= 0 [critical] no column 'gone' in the frame",
        'plan == "basic" [critical] 2.0 % 0 % "Pro\\xa0", "' + "東京" * 18 + '東…" (2 rows)',
        "age >= 0 [warning] 25.0 % 10.0 % −1 (25 rows)",
        'city in {"München"} [info] 50.0 % 0 % "東京" (50 rows)',
        "1 expectation holds",
        "Next: _.failing_rows()",
    ]
    assert len({line.index("%  ") for line in lines if " %  " in line}) == 1, "shares stand below each other"
    html = found._repr_html_()
    assert 'alt="10 above 55"' in html
    assert "linear-gradient(90deg,rgba(214,79,92,0.3) 17%,rgba(128,128,128,0.9) 17%" not in html
    assert html.count("rgba(128,128,128,0.9)") == 3 * 2, "what is allowed is marked on the bars"
    table = next(part for part in payload(found._report())["parts"] if part["type"] == "table")
    gauge = json.loads(table["rows"][0])[2]
    assert (gauge["type"], gauge["at"], gauge["low"], gauge["high"], gauge["text"]) == ("gauge", 65.0, None, 55.0, "10 above 55")


def test_failures_are_sorted_by_severity_then_by_what_is_beyond_the_allowed() -> None:
    found = [
        Failure("info", share=1.0, severity="info"), Failure("some", share=0.5, allowed=0.4), Failure("more", share=0.4, allowed=0.0),
        Failure("whole", observed="3"), Failure("warning", share=1.0, severity="warning"),
    ]  # fmt: skip
    assert [f.text for f in sorted(found, key=lambda f: f.worse)] == ["whole", "more", "some", "warning", "info"]


def test_drift_is_two_small_histograms_and_a_gauge(project: Path, bad: pd.DataFrame) -> None:
    (project / "nbml.toml").write_text("[validation]\nmin_rows = 50\n")
    suite = nbml.expect("drifts", "psi(income) < 0.2", on=bad)
    found = nbml.validate(bad.assign(income=bad["income"] + 25), suite)
    line = repr(found).splitlines()[2]
    assert line.split()[:4] == ["psi(income)", "<", "0.2", "░░···········●"]
    assert line.split()[5] == "█" * 10, "the reference's quantiles are equal"
    alts = [part.split('"')[0] for part in found._repr_html_().split('alt="')[1:]]
    assert alts[1].startswith("per cent in 11 bins: reference 10 10 10 10 10 10 10 10 10 10 0; now 0 0 0 0 0 0 0 0 ")


def test_what_cannot_be_seen_is_written_out(project: Path) -> None:
    names = ["a\x00b", "\u202egnp.exe", "<script>x</script>", "\x1b[31mred"]
    frame = pd.DataFrame({name: ["\x00\x1b[1m", "\u202eabc", "<img src=x onerror=alert(1)>", "\u200b"] for name in names})
    suite = {"name": "s\u202ex", "expectations": [
        {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": name, "value_set": ["\u2066ok"]}} for name in names
    ]}  # fmt: skip
    found = nbml.validate(frame, suite, name="da\x1b[2Jta")
    shown = [repr(found), found._repr_html_()]
    for text in shown:
        assert not [c for c in text if not c.isprintable() and c != "\n"]
        assert "\\x1b[2J" in text
        assert "\\u202e" in text
        assert "\\u0000\\u001b[1m" in text
    assert "<script>" not in shown[1]
    assert "<img src=x" not in shown[1]


@pytest.mark.parametrize(
    ("of", "told"),
    [
        ("x" * 100, '"' + "x" * 37 + '…"'), ("Pro\u00a0", '"Pro\\xa0"'), ("\u200b", '"\\u200b"'), ("\x00", '"\\u0000"'), ("é", '"é"'),
        (-1234567, "−1,234,567"), (0.1234567, "0.123457"), (None, "null"), ([1, None], "(1, null)"), (True, "True"),
    ],
)  # fmt: skip
def test_values_as_they_are_told(of: Any, told: str) -> None:
    assert value(of) == told


SECRETS = ("ada@example.org", "grace@example.org", "31.4159", "27.1828", "Hopper-Lane", "ZZ-77")
PRIVATE = """matches(email, "^x")
email in {"x"}
unique(email)
length(email) <= 3
email <= name
email == name
unique(email, name)
age > 5, where=email != "q"
max(pay) <= 3
min(pay) >= 99
pay <= 3
sum(pay) <= 1
quantile(pay, 0.5) <= 3
median(pay) <= 3
mean(pay) <= 3
n_unique(email) > 5
increasing(pay)
decreasing(pay)
format(email, "%Y")
dtype(email) == "int64"
expect_column_most_common_value_to_be_in_set("street", ["x"])
expect_column_distinct_values_to_be_in_set("street", ["x"])
expect_column_distinct_values_to_equal_set("street", ["x"])
expect_column_distinct_values_to_contain_set("street", ["x"])
expect_column_pair_values_to_be_in_set("email", "name", value_pairs_set=[["x", "y"]])
expect_column_pair_values_to_be_equal("name", "email")
expect_multicolumn_sum_to_equal(["pay", "age"], sum_total=3)
expect_select_column_values_to_be_unique_within_record(["email", "copy"])
expect_compound_columns_to_be_unique(["street", "street2"])
age >= 5
name == "x"
psi(email) < 0.1
ks(pay) < 0.1
rows > 5
columns == {"age"}"""


@pytest.mark.parametrize("result_format", ["SUMMARY", "COMPLETE"])
def test_nothing_of_a_private_column_is_told_or_kept(project: Path, result_format: str, capfd: pytest.CaptureFixture[str]) -> None:
    (project / "nbml.toml").write_text('[data]\nprivate = ["email", "copy", "pay", "street", "street2"]\n[validation]\nmin_rows = 2\n')
    frame = pd.DataFrame(
        {
            "email": ["ada@example.org", "grace@example.org", "grace@example.org"], "pay": [31.4159, 27.1828, 31.4159],
            "street": ["Hopper-Lane"] * 3, "street2": ["Hopper-Lane"] * 3, "age": [1, 2, 3], "name": ["a", "b", "b"],
        },
        index=pd.Index(["ZZ-77", "ZZ-77b", "ZZ-77c"], name="copy"),
    )  # fmt: skip
    frame["copy"] = frame["email"]
    reference = frame.assign(pay=1.0, email="q")
    suite = nbml.expect("secret", PRIVATE)
    found = nbml.validate(frame, suite, name="people", against=reference, result_format=result_format)
    drafted = nbml.validate(frame, "another", name="people")
    shown = [found._repr_html_(), *(f(told) for told in (found, drafted) for f in (repr, lambda v: json.dumps(v._repr_mimebundle_())))]
    shown += [str(failure) for failure in found.failures]
    shown += list(capfd.readouterr())
    with pytest.raises(nbml.ValidationFailed) as failed:
        nbml.validate(frame, suite, against=reference, strict=True)
    shown.append(str(failed.value))
    assert len(found.failures) > 25
    shown += [json.dumps(thing.body, default=str) for thing in current().all("validation")]
    for text in shown:
        assert not [secret for secret in SECRETS if secret in text], text
    files = [path for path in (project / ".nbml").rglob("*") if path.is_file()]
    assert len(files) > 1
    for path in files:
        held = path.read_bytes()
        assert not [secret for secret in SECRETS if secret.encode() in held], path
    assert "ada@example.org" in str(found.failing_rows()), "the rows themselves are the user's"


def test_other_columns_of_a_frame_with_private_ones_are_told(project: Path) -> None:
    (project / "nbml.toml").write_text('[data]\nprivate = ["email"]\n')
    frame = pd.DataFrame({"email": ["ada@example.org"] * 3, "age": [1, 2, 30]})
    found = nbml.validate(frame, nbml.expect("open", "age > 5\nmean(age) > 99\nn_unique(email) > 3"))
    assert [(f.text, f.examples, f.observed) for f in found.failures] == [
        ("mean(age) > 99", (), "11"), ("n_unique(email) > 3", (), "private"), ("age > 5", ("1", "2"), ""),
    ]  # fmt: skip
    kept = current().all("validation")[0].body["results"]
    assert kept[0]["result"]["partial_unexpected_list"] == [1, 2]
