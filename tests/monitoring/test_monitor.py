"""The traffic of one real deployment, read back while it runs and after."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import nbml
import serving
from conftest import until
from nbml import errors

pytestmark = pytest.mark.slow


def test_a_request_is_there_within_a_second(served: Path) -> None:
    found = nbml.deployment("churn")
    assert serving.ask(found.url, {"rows": serving.rows()})[0] == 200
    until(lambda: len(nbml.monitor("churn").requests) == 1, 10, "the first, after which all that is imported once is there")
    assert serving.ask(found.url, {"rows": serving.rows(2), "ids": ["a", "b"]})[0] == 200
    began = time.monotonic()
    until(lambda: len(nbml.monitor("churn").requests) == 2, 5)
    assert time.monotonic() - began < 1.0
    seen = nbml.monitor("churn")
    assert list(seen.requests.columns) == ["time", "ids", "rows", "latency_ms", "status", "version"]
    row = seen.requests.iloc[1]
    assert (row["ids"], row["rows"], row["status"], row["version"]) == (["a", "b"], 2, 200, "churn@1")
    assert 0 < row["latency_ms"] < 30_000
    assert abs(row["time"].timestamp() - time.time()) < 30
    assert seen.predictions.iloc[1:][["id", "prediction", "version"]].values.tolist() == [["a", 0, "churn@1"], ["b", 0, "churn@1"]]
    assert seen.predictions[["p(0)", "p(1)"]].sum(axis=1).round(6).tolist() == [1.0, 1.0, 1.0]


def test_every_request_answered_so_far_is_there_at_once(served: Path) -> None:
    found = nbml.deployment("churn")
    before = len(nbml.monitor("churn").requests)
    for number in range(1, 6):  # faster than the log writer writes unasked
        assert serving.ask(found.url, {"rows": serving.rows()})[0] == 200
        assert len(found.traffic()) == before + number
    assert len(nbml.monitor("churn").requests) == before + 5


def test_it_tells_in_one_line_what_was_asked(served: Path) -> None:
    found = nbml.deployment("churn")
    before = len(nbml.monitor("churn").requests)
    found.predict(serving.data()[0])
    assert serving.ask(found.url, {"rows": [{"mean_radius": "wide"}]})[0] == 422
    seen = until(lambda: m if len((m := nbml.monitor("churn", last="1h")).requests) == before + 2 else None, 5)
    first, *rest = repr(seen).splitlines()
    rows = int(seen.requests["rows"].sum())
    assert first.startswith(f"[running] churn@1, last 1 h: {before + 2} requests · {rows} rows · p50 ")
    assert first.endswith(" · 0 errors · 1 refused")
    assert rest[0].split() == ["version", "requests", "by", "minute", "errors", "refused", "p50", "ms", "p99", "ms"]
    assert rest[1].split()[:2] == ["churn@1", str(before + 2)]
    assert rest[2:] == [
        "  Windows, drift, performance and alerts come with a later version; these are the requests.",
        'Next: nbml.monitor("churn").requests or nbml.monitor("churn").predictions',
    ]
    assert "data:image/svg+xml;base64," in seen._repr_html_()


def test_what_comes_later_is_empty_and_has_its_columns(served: Path) -> None:
    seen = nbml.monitor("churn@1")
    assert list(seen.windows.columns) == ["start", "end", "rows", "failed", "drifted"]
    assert list(seen.drift.columns) == ["start", "feature", "psi", "ks", "js", "n", "drifted"]
    assert list(seen.performance.columns)[:7] == ["start", "labelled", "accuracy", "precision", "recall", "f1", "roc_auc"]
    assert [len(frame) for frame in (seen.windows, seen.drift, seen.performance, seen.alerts)] == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("chrn", "nothing of the name 'chrn' is deployed; nearest: churn\nTry: nbml.deployment(\"churn\")"),
        ("churn@2", "the service churn@2 is packaged, not deployed\nTry: %nbml deploy churn@2"),
        ("churn@9", "churn@9 was never deployed; churn has run churn@1\nTry: %nbml monitor churn"),
        ("zzz", "nothing of the name 'zzz' is deployed; there are churn\nTry: %nbml deployments"),
    ],
)
def test_unknown_names(served: Path, name: str, message: str) -> None:
    with pytest.raises(errors.UnknownDeployment) as caught:
        nbml.monitor(name)
    assert str(caught.value) == message


def test_a_wrong_duration_says_what_is_right(served: Path) -> None:
    with pytest.raises(errors.BadArgument) as caught:
        nbml.monitor("churn", last="yesterday")
    assert str(caught.value) == "'yesterday' is no duration: a number and s, m, h or d, as in 60s, 10m, 24h, 7d"


def test_after_stop_the_traffic_is_still_there(served: Path) -> None:
    before = len(nbml.monitor("churn").requests)
    nbml.stop("churn")
    seen = nbml.monitor("churn")
    assert (len(seen.requests), repr(seen).split()[0]) == (before, "[stopped]")
