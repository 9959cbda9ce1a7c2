"""``compare``: what differs between runs, two to fifty, and how it is drawn; and a run's own page."""

from __future__ import annotations

import base64
import json
import math
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

import nbml
from nbml.display import MIME
from nbml.store import advice, current, runs
from nbml.tracking import made
from nbml.tracking.comparing import diff

X, Y = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]


def logged(values: dict[str, Any], c: float = 1.0, steps: int = 0, name: str = "logit") -> nbml.Run:
    """A run of a fit with these metrics."""
    with nbml.track(name) as run:
        LogisticRegression(C=c).fit(X, Y)
        for step in range(steps):
            nbml.log({"valid/loss": 1 / (step + 1 / c)}, step=step)
        if values:
            nbml.log(values)
    return run


def parts(shown: Any, kind: str) -> list[dict[str, Any]]:
    """The parts of one type of what JupyterLab draws, those on demand too."""
    found = []
    todo = list(shown._repr_mimebundle_()[MIME]["parts"])
    while todo:
        part = todo.pop(0)
        found += [part] if part["type"] == kind else []
        todo += part.get("parts", ()) if part["type"] == "details" else ()
    return found


def pictures(html: str) -> list[tuple[str, ET.Element]]:
    """The alternative text and the drawing of each picture: it must be XML."""
    images = re.findall(r'<img alt="([^"]*)"[^>]*src="data:image/svg\+xml;base64,([^"]+)"', html)
    return [(alt, ET.fromstring(base64.b64decode(data))) for alt, data in images]


def body(run: nbml.Run, **keys: Any) -> None:
    """Write what judgement and capture would write, once they have."""
    assert run.findings == []
    runs.put_all(current(), run._thing.id, keys)


def test_code_is_compared_by_recipes_where_all_have_one_else_by_cells(project: Path) -> None:
    one, other = logged({"auc": 0.5}), logged({"auc": 0.6})
    body(one, recipe={"source": "a = 1\nb = 2\n", "verdict": "reproducible"}, cell={"source": "the cell"})
    body(other, cell={"source": "another cell"})
    assert parts(nbml.compare(one, other), "diff")[0]["lines"] == [["-", "the cell"], ["+", "another cell"]]
    body(other, recipe={"source": "a = 1\nb = 3\nc = 4\n", "verdict": "reproducible"})
    frame = nbml.compare(one, other)
    assert parts(frame, "diff")[0]["lines"] == [["=", "a = 1"], ["-", "b = 2"], ["+", "b = 3"], ["+", "c = 4"]]
    assert frame.loc["code"].tolist() == ["code", "2 lines", "+2 −1"]
    assert "\n  - b = 2\n  + b = 3\n  + c = 4" in repr(frame)


def test_the_same_code_in_another_cell_under_another_name_is_the_same(project: Path) -> None:
    chosen = [logged({"auc": 0.5}, name=name) for name in ("one", "two")]
    for run, count in zip(chosen, (3, 7), strict=True):
        body(run, recipe={"source": f"# cell 1\na = 1\nwith nbml.track('{run.name}'):\n    # cell {count}\n    nbml.log(auc=a)\n"})
    assert nbml.compare(*chosen).empty
    assert repr(nbml.compare(*chosen)).startswith("one@1 and two@1: no difference")


def test_none_is_a_value(project: Path) -> None:
    chosen = []
    for depth in (None, 3):
        with nbml.track("tree") as run:
            DecisionTreeClassifier(max_depth=depth).fit(X, Y)
        chosen.append(run)
    assert nbml.compare(*chosen).loc["max_depth"].tolist() == ["param", None, 3]
    assert "max_depth    None       3" in repr(nbml.compare(*chosen))


def test_long_equal_stretches_of_code_are_cut() -> None:
    before = "\n".join(f"line {i}" for i in range(40))
    lines = diff(before, before.replace("line 20\n", "new <b>\n"))
    assert lines[:2] == [("…", "17 equal lines"), ("=", "line 17")]
    assert lines[4:6] == [("-", "line 20"), ("+", "new <b>")]
    assert lines[-1] == ("…", "16 equal lines")
    assert diff("a\n", "a\n") == [("=", "a")]


def test_curves_lie_over_each_other(project: Path) -> None:
    chosen = [logged({}, c, steps=300) for c in (1.0, 0.5)]
    (curves,) = parts(nbml.compare(*chosen), "curves")
    assert (curves["name"], [series["name"] for series in curves["series"]]) == ("valid/loss", ["logit@1", "logit@2"])
    for series, c in zip(curves["series"], (1.0, 0.5), strict=True):
        values = [value for _, value in series["points"]]
        assert len(values) <= 200
        assert (max(values), min(values)) == (c, 1 / (299 + 1 / c)), "least and greatest are kept, however many points there are"
        assert [step for step, _ in series["points"]] == sorted(step for step, _ in series["points"])
    ((alt, drawn),) = [one for one in pictures(nbml.compare(*chosen)._repr_html_()) if "valid/loss" in one[0] and "from" in one[0]]
    assert len(drawn.findall("{*}polyline")) == 2
    assert alt == "valid/loss: logit@1 from 1 to 0.00333; logit@2 from 0.500 to 0.00332"


def test_many_chosenare_lines_over_axes(project: Path) -> None:
    chosen = [logged({"auc": 0.5 + i / 200}, c=10.0 ** (i % 7 - 3)) for i in range(50)]
    frame = nbml.compare(*chosen)
    assert frame.shape == (2, 51)
    (plot,) = parts(frame, "parallel")
    assert [(axis["name"], axis["kind"], axis["log"]) for axis in plot["axes"]] == [("C", "param", True), ("auc", "metric", False)]
    assert plot["axes"][0]["ticks"] == [[0.0, "0.00100"], [1.0, "1,000"]]
    assert [line["places"][0] for line in plot["lines"][:7]] == pytest.approx([i / 6 for i in range(7)])
    assert plot["lines"][49]["places"][1] == 1.0
    assert plot["lines"][49]["texts"] == ["0.00100", "0.745"]
    assert plot["shade"] == 1
    assert (plot["lines"][0]["colour"], plot["lines"][49]["colour"]) == ("#808080", "#3f7fd1")
    ((_, drawn),) = pictures(frame._repr_html_())
    assert len(drawn.findall("{*}path")) == 50
    assert "50 runs over C, auc" in repr(frame)


def test_what_a_run_has_not_leaves_a_gap_on_its_axis(project: Path) -> None:
    chosen = [logged({"auc": 0.5, "f1": 0.1}, 1.0), logged({"auc": 0.6}, 2.0), logged({"auc": math.nan, "f1": math.inf}, 3.0)]
    (plot,) = parts(nbml.compare(*chosen), "parallel")
    assert [axis["name"] for axis in plot["axes"]] == ["C", "auc"], "one finite value alone makes no axis"
    assert [line["places"][1] for line in plot["lines"]] == [0.0, 1.0, None]
    assert [line["texts"][1] for line in plot["lines"]] == ["0.500", "0.600", "NaN"]


def test_bad_names_and_values_break_nothing(project: Path) -> None:
    evil = "<script>alert(1)</script>\x1b\x00" + "x" * 9_900
    chosen = [logged({evil: 1.0 + i, "nothing": math.nan, **{f"m{n}": float(i) for n in range(500)}}, 1.0 + i, steps=3) for i in range(3)]
    chosen += [logged({}, 9.0)]
    for shown in (nbml.compare(*chosen), nbml.compare(*chosen[:2]), nbml.runs(), chosen[0]):
        html = shown._repr_html_()
        assert "<script" not in html
        assert "alert(1)" in html or shown is not chosen[0]
        pictures(html)
        json.dumps(shown._repr_mimebundle_()[MIME], allow_nan=False)
        repr(shown)


def test_a_page_says_first_what_ruins_the_result(project: Path) -> None:
    run = logged({"auc": 0.9})
    body(run, findings=[{"code": "overfit", "message": "train 1.00, test 0.88", "evidence": {"gap": 0.12}, "advice": "limit the depth"}],
         proposed={"test_auc": 0.75})  # fmt: skip
    shown = run._repr_mimebundle_()[MIME]
    assert (shown["state"], shown["word"]) == ("look", "finished")
    assert [part["type"] for part in shown["parts"][:2]] == ["note", "details"]
    assert (shown["parts"][0]["word"], shown["parts"][0]["text"], shown["parts"][1]["summary"]) == (
        "overfit", "train 1.00, test 0.88", "limit the depth",
    )  # fmt: skip
    assert "test_auc 0.750 assigned, not logged: nbml.log(test_auc=test_auc)" in repr(run)
    assert "[overfit]" in repr(nbml.runs())
    step = advice.step(current(), [])
    assert (step["line"], step["text"]) == ('nbml.run("logit@1")', [{"code": "logit@1"}, " may be worth less than it says: overfit."])
    logged({"auc": 0.8})
    assert "may be worth" not in str(advice.step(current(), [])), "the latest run has none"


def test_train_and_valid_of_one_metric_share_a_plot(project: Path) -> None:
    with nbml.track("net") as run:
        for step in range(5):
            nbml.log({"train/loss": 1 / (step + 1), "valid/loss": 2 / (step + 1), "other": step})
    assert [(curves["name"], [s["name"] for s in curves["series"]]) for curves in parts(run, "curves")] == [
        ("loss", ["train/loss", "valid/loss"]), ("other", ["other"]),
    ]  # fmt: skip


def test_the_run_that_fitted_a_model_is_known_while_it_is_as_fitted(project: Path) -> None:
    with nbml.track("pipe") as run:
        model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)
    assert made.maker(current(), model) == run._thing
    assert made.maker(current(), make_pipeline(StandardScaler())) is None
    model.fit(X, Y)
    assert made.maker(current(), model) is None, "fitted again outside of a run"


def test_a_long_listing_is_whole_where_it_can_be_sorted(project: Path) -> None:
    for _ in range(60):
        with nbml.track("many"):
            pass
    frame = nbml.runs()
    assert len(parts(frame, "table")[0]["rows"]) == 60
    assert "… 10 more rows" in repr(frame)
    assert "10 more rows" in frame._repr_html_()


def test_a_spike_among_many_points_is_drawn(project: Path) -> None:
    with nbml.track("spiky") as run:
        for step in range(1000):
            nbml.log(loss={400: 9.0, 700: -9.0}.get(step, 0.0))
    (curves,) = parts(run, "curves")
    values = [value for _, value in curves["series"][0]["points"]]
    assert len(values) <= 200
    assert (max(values), min(values)) == (9.0, -9.0)
