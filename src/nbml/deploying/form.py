"""The try-it form: a real row, its fields and its JSON, and the answer. Widgets while it is open; static HTML before and after."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

from nbml import errors
from nbml.deploying.asked import Asked
from nbml.display import Line, Part, Report, Shown, Table, bundle, html, seconds
from nbml.display.notebook import shell
from nbml.packaging import exchange

#: predictions that the form shows
MOST = 20


class TryForm(Shown):
    """Asks a deployment, a preview or a packaged service. ``ask(text)`` is what the button does, and works without any front end."""

    def __init__(self, target: Asked) -> None:
        self.target = target
        self.asked = written(target.sample or [{spec["name"]: None for spec in target.manifest["inputs"]}])
        self._state, self._word = "idle", "try"
        self._answer: Sequence[Part] = ()

    def ask(self, body: str) -> Report:
        """Send ``body``, JSON in the form of ``POST /predict``; the report of the answer. Raises nothing of its own."""
        self.asked = body
        began = time.monotonic()
        try:
            parsed = json.loads(body)
        except ValueError as error:
            return self._say("bad", "not sent", [Line(f"not JSON: {error}")])
        try:
            status, answer = self.target.ask(parsed)
        except errors.DeployError as error:
            return self._say("bad", "no answer", [Line(error.message)])
        except errors.UnknownDeployment as error:
            return self._say("bad", "not running", [Line(error.message)])
        if status == 200:
            return self._say("well", "answered", _answered(answer, time.monotonic() - began))
        return self._say("bad", "refused", _refused(status, answer))

    def _say(self, state: str, word: str, answer: Sequence[Part]) -> Report:
        self._state, self._word, self._answer = state, word, answer
        return self._report()

    def _report(self) -> Report:
        from nbml.deploying.report import form_report

        return form_report(self.target, self.asked, self._answer, self._state, self._word)

    def _ipython_display_(self) -> None:
        """The widgets where a front end draws them, else the static form; after Close the static form everywhere."""
        from IPython.display import display

        static = bundle(self._report())
        box = _widgets(self)
        if box is None:
            display(static, raw=True)
            return
        both = {"text/plain": static["text/plain"], "text/html": static["text/html"], **box.view()}
        handle = display(both, raw=True, display_id=True)

        def close(button: Any) -> None:
            handle.update(bundle(self._report()), raw=True)
            box.close_all()
            self.target.close()

        box.on_close(close)


def written(rows: list[dict[str, Any]]) -> str:
    """Rows as the form shows them."""
    return json.dumps({"rows": rows}, ensure_ascii=False, indent=2)


def _answered(answer: dict[str, Any], took: float) -> list[Part]:
    predictions = answer.get("predictions")
    found = predictions if isinstance(predictions, list) else []
    said = answer.get("probabilities")
    chances = said if isinstance(said, dict) else {}
    classes = [f"p({name})" for name in chances.get("classes", [])]
    values = chances.get("values", [])
    flags = answer.get("flags") or []
    flags = flags if any(flags) else []
    told = answer.get("ids") or []
    ids = told if len(told) == len(found) > 1 else []  # one row needs no name
    rows = []
    for i, value in enumerate(found[:MOST]):
        shown = _plain(value)
        marks = [", ".join(flags[i])] if i < len(flags) else []
        chance = values[i] if i < len(values) else [None] * len(classes)
        rows.append([*ids[i : i + 1], shown, *chance, *marks])
    heads = [*(["id"] if ids else []), "prediction", *classes, *(["flags"] if flags else [])]
    by = f"{answer.get('version', '')}, in {seconds(took)}"
    return [Table(heads, rows, len(found), by)]


def _refused(status: int, answer: dict[str, Any]) -> list[Part]:
    error = answer.get("error")
    said = error.get("message") if isinstance(error, dict) else None
    parts: list[Part] = [Line(f"{status}: {said or 'no message'}")]
    found = exchange.problems(answer)
    if len(found) > 1:
        keys = [key for key in ("row", "id", "column", "value", "problem") if any(p.get(key) is not None for p in found)]
        parts.append(Table(keys, [[_plain(problem.get(key)) for key in keys] for problem in found[:MOST]], len(found)))
    return parts


def _plain(value: Any) -> Any:
    """A value that a cell of a table shows."""
    return value if value is None or isinstance(value, (int, float, str)) else json.dumps(value, ensure_ascii=False)


class _Box:
    """The widgets of an open form."""

    def __init__(self, form: TryForm, widgets: Any) -> None:
        from nbml.deploying.fields import Fields

        lines = min(14, form.asked.count("\n") + 2)
        self._form, self._rows = form, json.loads(form.asked)["rows"]
        self._text = widgets.Textarea(form.asked, layout=widgets.Layout(width="100%", height=f"{lines * 20 + 10}px"))
        self._fields = Fields(self._rows[0], form.target.manifest, self._moved)
        self._json = widgets.Accordion([self._text], titles=[self._fields.rest])
        self._ask = widgets.Button(description="Predict", button_style="primary")
        self._shut = widgets.Button(description="Close")
        self._answer = widgets.HTML(html(form._report()))
        buttons = widgets.HBox([self._ask, self._shut])
        self._all = widgets.VBox([self._fields.box, self._json, buttons, self._answer], layout=widgets.Layout(max_width="860px"))
        self._ask.on_click(self._asked)
        self._text.observe(self._edited, names="value")

    def _moved(self) -> None:
        """A field has another value: the JSON follows, and the service is asked."""
        self._text.unobserve(self._edited, names="value")
        self._text.value = written(self._rows)
        self._text.observe(self._edited, names="value")
        self._asked(None)

    def _edited(self, change: Any) -> None:
        """The fields follow the first row of the JSON, as far as it can be read."""
        try:
            rows = json.loads(change["new"])["rows"]
            if isinstance(rows[0], dict):
                self._rows = rows
                self._fields.show(rows[0])
        except (ValueError, KeyError, TypeError, IndexError):
            return

    def _asked(self, button: Any) -> None:
        self._ask.disabled = True
        try:
            self._answer.value = html(self._form.ask(self._text.value))
        finally:
            self._ask.disabled = False

    def on_close(self, action: Any) -> None:
        self._shut.on_click(action)

    def close_all(self) -> None:
        for widget in (*self._fields.box.children, self._answer, self._shut, self._ask, self._text, *self._all.children, self._all):
            widget.close()

    def view(self) -> dict[str, Any]:
        """The reference by which a front end finds the widgets."""
        found = self._all._repr_mimebundle_()
        bundle = found[0] if isinstance(found, tuple) else found
        return {key: value for key, value in bundle.items() if key.startswith("application/")}


def _widgets(form: TryForm) -> _Box | None:
    """The form's widgets; None where no kernel runs, so that nobody could press the button."""
    if not hasattr(shell(), "kernel"):
        return None
    import ipywidgets

    return _Box(form, ipywidgets)
