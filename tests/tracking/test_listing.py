"""``runs``, ``run`` and ``compare``."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

import nbml
from nbml import errors

X, Y = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]


@pytest.fixture
def three(project: Path) -> list[str]:
    """Ids, oldest first."""
    ids = []
    for c, auc in ((1.0, 0.7), (0.5, 0.85)):
        with nbml.track("logit") as run:
            LogisticRegression(C=c).fit(X, Y)
            nbml.log(auc=auc)
        ids.append(run.id)
    with nbml.track("ridge") as run:
        Ridge(alpha=3.0).fit(X, Y)
        for step in range(5):
            nbml.log({"name": step, "valid/loss": 1 / (step + 1)})
    return [*ids, run.id]


def test_runs_are_a_frame_newest_first(three: list[str]) -> None:
    frame = nbml.runs()
    assert isinstance(frame, pd.DataFrame)
    assert frame.index.tolist() == three[::-1]
    assert frame.index.name == "run"
    assert frame.columns.tolist()[:4] == ["name", "state", "started", "duration"]
    assert frame["name"].tolist() == ["ridge", "logit", "logit"]
    assert frame["auc"].tolist()[1:] == [0.85, 0.7]
    assert math.isnan(frame["auc"].iloc[0])
    assert frame["C"].tolist()[1:] == [0.5, 1.0]
    assert frame["metric.name"].iloc[0] == 4.0
    assert str(frame["started"].dt.tz) == "UTC"
    assert (frame["duration"] > 0).all()
    assert frame.columns.is_unique
    text = repr(frame)
    assert text.startswith("3 runs\n")
    assert text.endswith(f"Next: %nbml compare {three[2][:8]} {three[1][:8]}")


def test_where_is_the_grammar_of_expect(three: list[str]) -> None:
    assert nbml.runs("auc > 0.8").index.tolist() == [three[1]]
    assert nbml.runs(where='C <= 1 and name == "logit"').index.tolist() == [three[1], three[0]]
    assert nbml.runs("auc > 2").empty
    assert repr(nbml.runs("auc > 0.8")).startswith("1 run where auc > 0.8\n")
    with pytest.raises(errors.BadExpectation, match="aucc"):
        nbml.runs("aucc > 0.8")


def test_no_runs_are_an_empty_frame_with_the_line_to_type(project: Path) -> None:
    assert nbml.runs().columns.tolist() == ["name", "state", "started", "duration"]
    assert repr(nbml.runs()) == "0 runs\nNext: %%nbml track baseline"
    assert not (project / ".nbml").exists()
    with pytest.raises(errors.UnknownRun) as caught:
        nbml.run("baseline")
    assert str(caught.value) == "no run 'baseline'; none is recorded yet\nTry: with nbml.track(\"baseline\") as run: pass"


def test_a_run_is_found_by_id_beginning_name_and_version(three: list[str]) -> None:
    for ref, id in ((three[0], three[0]), (three[2][:8], three[2]), ("logit", three[1]), ("logit@1", three[0])):
        assert nbml.run(ref).id == id
    assert nbml.run(nbml.run("ridge")) == nbml.run(three[2])


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        ("logitt", "no run 'logitt'; nearest: logit\nTry: nbml.run(\"logit\")"),
        ("logit@7", "no run 'logit@7'; the latest is logit@2\nTry: nbml.run(\"logit@2\")"),
        ("zzz", "no run 'zzz'; there are ridge, logit\nTry: nbml.runs()"),
        ("No Name!", "no run 'No Name!'; there are ridge, logit\nTry: nbml.runs()"),
    ],
)
def test_an_unknown_run_is_an_error_with_the_nearest(three: list[str], ref: str, message: str) -> None:
    with pytest.raises(errors.UnknownRun) as caught:
        nbml.run(ref)
    assert str(caught.value) == message
    eval(caught.value.next or "", {"nbml": nbml})


def test_an_unknown_metric_is_an_error_with_the_nearest(three: list[str]) -> None:
    with pytest.raises(errors.UnknownName) as caught:
        nbml.run("ridge").history("valid/los")
    assert caught.value.message == "the run ridge@1 has no metric 'valid/los'; nearest: valid/loss"
    assert len(eval(str(caught.value.next), {"nbml": nbml})) == 5


def test_compare_shows_what_differs(three: list[str]) -> None:
    frame = nbml.compare("logit@1", nbml.run("logit"))
    assert frame.columns.tolist() == ["kind", "logit@1", "logit@2"]
    assert frame.loc["auc"].tolist() == ["metric", 0.7, 0.85]
    assert frame.loc["C"].tolist() == ["param", 1.0, 0.5]
    assert frame.index.tolist() == ["auc", "C"]
    assert repr(frame).startswith("logit@1 and logit@2: 2 differences · ")
    assert nbml.compare(*three).loc["alpha"].tolist() == ["param", None, None, 3.0]
    with pytest.raises(errors.BadArgument) as caught:
        nbml.compare("logit")
    assert str(caught.value) == "compare needs two runs or more, not 1\nTry: nbml.runs()"
    with pytest.raises(errors.UnknownRun):
        nbml.compare("logit", "nope")


def test_metrics_that_a_listing_has_no_room_for_are_counted_and_can_be_seen(project: Path) -> None:
    with nbml.track("many"):
        nbml.log(auc=0.9, f1=0.8, recall=0.7, precision=0.6, loss=0.5, brier=0.4, r2=0.3)
    text = repr(nbml.runs())
    line = "nbml.runs().T"
    assert f"4 more metrics: precision, loss, brier, ... · all columns: {line}" in text
    assert set(eval(line, {"nbml": nbml}).index) > {"auc", "f1", "recall", "precision", "loss", "brier", "r2"}
    asked = "nbml.runs('auc > 0.5').T"
    assert f"all columns: {asked}" in repr(nbml.runs("auc > 0.5"))
    assert type(eval(asked, {"nbml": nbml})) is pd.DataFrame
    assert "r2" in repr(eval(line, {"nbml": nbml}))


def test_few_metrics_are_all_there(three: list[str]) -> None:
    assert "more metric" not in repr(nbml.runs())


def test_a_metric_like_no_other_proposes_those_there_are(three: list[str]) -> None:
    run = nbml.run("ridge")
    with pytest.raises(errors.UnknownName) as caught:
        run.history("qqq")
    assert str(caught.value) == f"the run ridge@1 has no metric 'qqq'; it has name, valid/loss\nTry: nbml.run(\"{run.id}\").metrics"
    assert eval(str(caught.value.next), {"nbml": nbml}) == run.metrics


def test_many_runs_that_are_not_meant_are_counted(project: Path) -> None:
    for n in range(7):
        with nbml.track(f"run{n}"):
            pass
    with pytest.raises(errors.UnknownRun) as caught:
        nbml.run("zzz")
    assert str(caught.value) == "no run 'zzz'; there are run6, run5, run4, run3, run2 and 2 more\nTry: nbml.runs()"
