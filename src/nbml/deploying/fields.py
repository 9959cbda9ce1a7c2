"""The fields of the try-it form: a slider for a number, a choice where the training rows hold few values, a text for the rest."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets

#: columns that get a field; the others are in the JSON
MOST = 24
#: how far beyond the training rows a slider goes, as a share of their range
BEYOND = 0.25
STEPS = 200
#: numbers beyond this have no handle: a front end would round them
FAR = 2.0**53


class Fields:
    """One widget for each column of a row. ``changed`` is called after the user has moved one; ``row`` then holds its value."""

    def __init__(self, row: dict[str, Any], manifest: Mapping[str, Any], changed: Callable[[], None]) -> None:
        self.row, self._changed, self._quiet = row, changed, False
        seen, inputs = manifest.get("seen") or {}, manifest["inputs"]
        if manifest.get("input") == "series" and inputs[0]["kind"] == "text":
            seen = {}  # of texts one does not choose: one writes another
        self._widgets = {spec["name"]: field(spec, seen.get(spec["name"], {}), row.get(spec["name"])) for spec in inputs[:MOST]}
        more = len(inputs) - len(self._widgets)
        self.rest = f"all {len(inputs)} columns as JSON, {more} more than above" if more > 0 else "as JSON"
        for name, widget in self._widgets.items():
            widget.observe(lambda change, name=name: self._moved(name, change["new"]), names="value")
        wide = ipywidgets.Layout(grid_template_columns="repeat(auto-fill, minmax(300px, 1fr))", width="100%", grid_gap="0 16px")
        self.box = ipywidgets.GridBox(list(self._widgets.values()), layout=wide)

    def show(self, row: dict[str, Any]) -> None:
        """Move the widgets to another row, as far as they go."""
        self.row, self._quiet = row, True
        try:
            for name, widget in self._widgets.items():
                value = row.get(name)
                if isinstance(widget, ipywidgets.Dropdown):
                    value = value if value in dict(widget.options).values() else widget.value
                elif isinstance(widget, ipywidgets.Text):
                    value = "" if value is None else str(value)
                elif not isinstance(value, (int, float)) or isinstance(value, bool):
                    continue
                widget.value = value
        finally:
            self._quiet = False

    def _moved(self, name: str, value: Any) -> None:
        if self._quiet:
            return
        self.row[name] = (value or None) if isinstance(self._widgets[name], ipywidgets.Text) else value
        self._changed()


def field(spec: Mapping[str, Any], seen: Mapping[str, Any], value: Any) -> Any:
    """The widget of a column: what the training rows hold, and the value of this row within it."""
    name, kind = spec["name"], spec["kind"]
    more = {
        "description": name, "tooltip": f"{name}, {spec['dtype']}" if spec.get("dtype") else name,
        "style": {"description_width": "40%"}, "layout": ipywidgets.Layout(width="auto"),
    }  # fmt: skip
    values = list(seen.get("values") or ([True, False] if kind == "boolean" else spec.get("categories") or []))
    if values and len(values) <= 50:
        options = [(_text(one), one) for one in dict.fromkeys([*values, *([value] if value is not None else [])])]
        if seen.get("nulls") or value is None:
            options.append(("(none)", None))
        return ipywidgets.Dropdown(options=options, value=value, **more)
    low, high = seen.get("min"), seen.get("max")
    if kind in ("number", "integer") and low is not None and high is not None and all(map(_near, (low, high, value or 0))):
        return _slider(kind, low, high, value, more)
    return ipywidgets.Text("" if value is None else str(value), continuous_update=False, **more)


def _slider(kind: str, low: float, high: float, value: float | None, more: dict[str, Any]) -> Any:
    """From below the least of the training rows to above the greatest; a bound of 0 stays where they have no negative ones."""
    room = (high - low) * BEYOND or abs(high) * BEYOND or 1.0
    start = low if low in (0, 1) else low - room
    start, end = (max(start, 0) if low >= 0 else start), high + room
    at = (low + high) / 2 if value is None else value
    start, end = min(start, at), max(end, at)
    if kind == "integer":
        return ipywidgets.IntSlider(round(at), min=math.floor(start), max=math.ceil(end), continuous_update=False, **more)
    step = 10.0 ** math.floor(math.log10((end - start) / STEPS)) if end > start else 1.0
    more["readout_format"] = _readout(start, end, step)
    return ipywidgets.FloatSlider(at, min=start, max=end, step=step, continuous_update=False, **more)


def _readout(start: float, end: float, step: float) -> str:
    """Digits as fine as the handle's steps, without exponents where the numbers are of a usual size."""
    if not (step >= 1e-6 and max(abs(start), abs(end)) < 1e9):
        return ".4g"
    return f".{max(0, -round(math.log10(step)))}f"


def _near(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and abs(value) < FAR


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
