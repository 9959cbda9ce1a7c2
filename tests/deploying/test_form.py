"""The try-it form: of a deployment, of a packaged service that runs nowhere, of a preview; its fields move with its JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import nbml
from nbml.deploying import fields
from nbml.display import text
from nbml.packaging import preview
from serving import data, model, processes

pytestmark = pytest.mark.slow


def test_a_packaged_service_is_asked_without_a_deployment_and_its_process_ends_with_the_form(project: Path) -> None:
    form = nbml.try_form("churn")
    row = json.loads(form.asked)["rows"][0]
    assert set(row) == set(data()[0].columns)
    assert form.ask(form.asked).word == "answered"
    assert len(processes(project)) == 1
    one, two = form.ask(form.asked), form.ask(json.dumps({"rows": [row, row]}))
    named = [any(line.split()[:1] == ["id"] for line in text(report).splitlines()) for report in (one, two)]
    assert named == [False, True], "one row needs no name"
    assert form.ask(json.dumps({"rows": [{**row, "mean_area": "wide"}]})).word == "refused"
    html = form._repr_html_()
    assert "churn@2" in html
    assert "mean_area" in html
    assert "<script" not in html
    assert repr(form).endswith("Next: %nbml deploy churn")
    form.target.close()
    assert processes(project) == {}
    assert nbml.try_form("churn@1").target.service == "churn@1"


def test_a_preview_is_asked_where_nothing_is_deployed_or_where_it_is_named(project: Path) -> None:
    shown = nbml.package(model(1.0), "churn", on=data()[0], preview=True)
    try:
        assert [nbml.try_form(name).target.service for name in ("churn", "churn@preview", "churn@2")] == [
            "churn@preview", "churn@preview", "churn@2",
        ]  # fmt: skip
        form = nbml.try_form("churn")
        assert form.ask(form.asked).word == "answered"
        assert f"{shown.url}/predict" in form._repr_html_()
    finally:
        shown.stop()
    assert preview.running("churn") is None
    assert form.ask(form.asked).word == "not running"


SPECS: list[tuple[dict[str, Any], dict[str, Any], Any, str]] = [
    ({"kind": "number"}, {"min": 0.5, "max": 4.5}, 1.0, "FloatSlider 0.0 5.5 1.0"),
    ({"kind": "integer"}, {"min": 18, "max": 90}, 40, "IntSlider 0 108 40"),
    ({"kind": "number"}, {"min": -4.0, "max": 4.0}, 100.0, "FloatSlider -6.0 100.0 100.0"),
    ({"kind": "number"}, {"min": 1e300, "max": 2e300}, 1e300, "Text 1e+300"),
    ({"kind": "number"}, {"private": True}, None, "Text "),
    ({"kind": "text"}, {"values": ["a", "b"]}, "b", "Dropdown b"),
    ({"kind": "text"}, {"values": ["a", "b"], "nulls": True}, None, "Dropdown None"),
    ({"kind": "boolean"}, {}, True, "Dropdown True"),
    ({"kind": "text"}, {"examples": ["x"]}, "long", "Text long"),
]


@pytest.mark.parametrize(("spec", "seen", "value", "made"), SPECS)
def test_a_field_is_what_the_training_rows_hold(spec: dict[str, Any], seen: dict[str, Any], value: Any, made: str) -> None:
    widget = fields.field({"name": "x", "dtype": "any", **spec}, seen, value)
    bounds = [widget.min, widget.max] if hasattr(widget, "min") else []
    assert " ".join(map(str, [type(widget).__name__, *bounds, widget.value])) == made


@pytest.mark.parametrize(
    ("low", "high", "shown"), [(1e4, 6e4, ".0f"), (18.0, 42.2, ".1f"), (-3.0, 3.0, ".2f"), (0.0, 1e-7, ".4g"), (0.0, 1e12, ".4g")]
)
def test_a_slider_shows_its_number_without_an_exponent(low: float, high: float, shown: str) -> None:
    assert fields.field({"name": "x", "kind": "number"}, {"min": low, "max": high}, low).readout_format == shown


def test_a_text_model_s_field_takes_any_text_and_many_columns_are_told() -> None:
    review = {"name": "review", "kind": "text", "dtype": "str"}
    seen = {"review": {"values": ["good", "bad"]}}
    kinds = [fields.Fields({}, {"input": kind, "inputs": [review], "seen": seen}, print).box.children[0] for kind in ("series", "frame")]
    assert [type(widget).__name__ for widget in kinds] == ["Text", "Dropdown"]
    wide = fields.Fields({}, {"inputs": [{"name": f"c{i}", "kind": "number"} for i in range(60)]}, print)
    assert (len(wide.box.children), wide.rest) == (24, "all 60 columns as JSON, 36 more than above")


def test_fields_and_json_follow_each_other(project: Path) -> None:
    import ipywidgets

    from nbml.deploying.form import _Box

    form = nbml.try_form("churn")
    asked: list[Any] = []
    form.target.ask = lambda body: (asked.append(body), (200, {"ids": ["a"], "predictions": [1], "version": "churn@2"}))[1]  # type: ignore[method-assign]
    box = _Box(form, ipywidgets)
    slider = next(widget for widget in box._fields.box.children if widget.description == "mean_area")
    slider.value = 700.0
    assert asked[-1]["rows"][0]["mean_area"] == 700.0
    assert json.loads(box._text.value)["rows"][0]["mean_area"] == 700.0
    edited = json.loads(box._text.value)
    edited["rows"][0]["mean_area"] = 800.0
    box._text.value = json.dumps(edited)
    assert (slider.value, len(asked)) == (800.0, 1), "who edits the JSON asks by the button"
    box._text.value = "{"
    box._ask.click()
    assert "not JSON" in box._answer.value
    box.close_all()
