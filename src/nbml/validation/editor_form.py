"""The widgets of the suite editor. They change the Editor, and show what it says, at most four times a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets

from nbml import errors
from nbml.display import Line, Report, html
from nbml.display.notebook import shell
from nbml.validation.editor import CHIPS, Editor
from nbml.validation.margins import around

if TYPE_CHECKING:
    from nbml.validation.editing import Aspect

#: least time between two pictures, seconds
PAUSE = 0.25
#: the comm by which a button asks JupyterLab's extension for a cell
CELL = "nbml.cell"
#: steps of a handle
STEPS = 200
#: numbers beyond this have no handle: a front end would round them
FAR = 2.0**53


class Pace:
    """Does what is asked at once, and while more is asked at most once in ``PAUSE``; the last is never lost."""

    def __init__(self, action: Callable[[], None]) -> None:
        self._action, self._last, self._waits = action, 0.0, False

    def ask(self) -> None:
        if self._waits:
            return
        rest = self._last + PAUSE - time.monotonic()
        loop = _loop()
        if rest <= 0 or loop is None:
            self._do()
        else:
            self._waits = True
            loop.call_later(rest, self._do)

    def _do(self) -> None:
        self._waits = False
        self._last = time.monotonic()
        self._action()


def _loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class Form:
    """The open form of an Editor."""

    def __init__(self, editor: Editor) -> None:
        self.editor = editor
        self._ends: Callable[[], None] = lambda: None
        self._stale: set[str] = set()
        self._pace = Pace(self._draw)
        self.head = ipywidgets.HTML(html(editor.headline()))
        self.rows = {column: Row(self, column) for column in editor.columns}
        self.rest = ipywidgets.Textarea(
            editor.rest, continuous_update=False, layout=ipywidgets.Layout(width="auto", height=f"{_tall(editor.rest)}px")
        )
        self.write = ipywidgets.Button(description="Write cell", button_style="primary")
        self.shut = ipywidgets.Button(description="Close")
        self.said = ipywidgets.HTML("")
        self.rest.observe(self._rest, "value")
        self.write.on_click(self._write)
        self.shut.on_click(lambda button: self._end("closed"))
        buttons = ipywidgets.HBox([self.write, self.shut])
        title = ipywidgets.Label("Other lines")
        rows = [row.all for row in self.rows.values()]
        self.all = ipywidgets.VBox([self.head, *rows, title, self.rest, buttons, self.said], layout=ipywidgets.Layout(max_width="860px"))

    def hold(self, aspect: Aspect, value: Any) -> None:
        """What a handle says."""
        self.editor.set(aspect, value)
        self.stale(aspect[1])

    def stale(self, column: str) -> None:
        self._stale.add(column)
        self._pace.ask()

    def _draw(self) -> None:
        stale, self._stale = self._stale, set()
        for column in stale & set(self.rows):
            self.rows[column].picture.value = html(self.editor.of_column(column))
        self.head.value = html(self.editor.headline())

    def _rest(self, change: Any) -> None:
        self.editor.rest = change["new"]
        self.stale("")

    def _write(self, button: Any) -> None:
        try:
            self.editor.check()
        except errors.BadExpectation as error:
            self.said.value = html(Report(error.message, "bad", "not written", parts=[Line(error.next)] if error.next else []))
            return
        if _executing():  # only the answer to a cell that runs may bring a new one
            self.editor.apply()
        else:
            _ask(self.editor.cell)
        self._end("written")

    def _end(self, word: str) -> None:
        self.editor.word = word
        self._ends()
        for widget in _below(self.all):
            widget.close()

    def on_end(self, action: Callable[[], None]) -> None:
        self._ends = action

    def view(self) -> dict[str, Any]:
        """The reference by which a front end finds the widgets."""
        found = self.all._repr_mimebundle_()
        bundle = found[0] if isinstance(found, tuple) else found
        return {key: value for key, value in bundle.items() if key.startswith("application/")}


class Row:
    """One column: what is known of it, and its handles."""

    def __init__(self, form: Form, column: str) -> None:
        self.form, self.column = form, column
        self.picture = ipywidgets.HTML(html(form.editor.of_column(column)), layout=ipywidgets.Layout(width="300px"))
        self.handles: dict[str, Any] = {}
        nulls = self._nulls()
        values = self._range() if self._has("range") else self._set() if self._has("set") else []
        handles = ipywidgets.VBox([ipywidgets.HBox(nulls), *([ipywidgets.HBox(values)] if values else [])])
        self.all = ipywidgets.HBox([self.picture, handles])

    def _has(self, word: str) -> bool:
        """Whether the column has such a handle: texts and numbers that are held as a set have chips, other numbers a range."""
        editor, column = self.form.editor, self.column
        kind = editor.kind(column)
        if column in editor.private or kind == "other":
            return False
        chips = ("set", column) in editor.now or (kind == "text" and editor.frame[column].nunique() <= CHIPS)
        return chips if word == "set" else kind == "number" and not chips and self._ends() is not None

    def _tick(self, word: str, label: str, on: bool) -> Any:
        found = ipywidgets.Checkbox(on, description=label, indent=False, layout=ipywidgets.Layout(width="110px"))
        self.handles[word] = found
        return found

    def _nulls(self) -> list[Any]:
        now, column = self.form.editor.now, self.column
        null = self._tick("null", "not null", ("null", column) in now)
        share = ipywidgets.BoundedFloatText(now.get(("null", column), 1.0), min=0, max=1, step=0.01, layout=ipywidgets.Layout(width="80px"))
        unique = self._tick("unique", "unique", ("unique", column) in now)
        self.handles["mostly"] = share

        def say(change: Any) -> None:
            self.form.hold(("null", column), float(share.value) if null.value else None)

        null.observe(say, "value")
        share.observe(say, "value")
        unique.observe(lambda change: self.form.hold(("unique", column), change["new"] or None), "value")
        return [null, ipywidgets.Label("mostly"), share, unique]

    def _ends(self) -> tuple[float, float] | None:
        """How far the handles go: the values, the bounds, and a margin."""
        import numpy as np

        values = self.form.editor.frame[self.column].dropna()
        whole = values.dtype.kind in "iu"
        found = values.to_numpy(dtype=float)
        found = found[np.isfinite(found)]
        held = [float(end) for end in self.form.editor.now.get(("range", self.column), ()) if end is not None]
        seen = [*held, *((float(found.min()), float(found.max())) if len(found) else ())]
        if not seen or max(map(abs, seen)) > FAR:
            return None
        bounds = around(int(min(seen)), int(max(seen))) if whole else around(min(seen), max(seen))
        return None if bounds is None else (float(bounds[0]), float(bounds[1]))

    def _range(self) -> list[Any]:
        editor, column = self.form.editor, self.column
        first, last = self._ends() or (0.0, 1.0)
        held = editor.now.get(("range", column))
        open_ends = (held is not None and held[0] is None, held is not None and held[1] is None)
        low, high = (first if held is None or held[0] is None else held[0], last if held is None or held[1] is None else held[1])
        whole = editor.frame[column].dtype.kind in "iu" and all(float(v).is_integer() for v in (low, high))
        layout = ipywidgets.Layout(width="400px")
        ends: dict[str, Any] = {"min": first, "max": last, "value": (low, high), "layout": layout}
        if whole:
            whole_ends = {"min": int(first), "max": int(last), "value": (int(low), int(high)), "layout": layout}
            slider = ipywidgets.IntRangeSlider(**whole_ends, step=max(1, int((last - first) / STEPS)))
        else:
            slider = ipywidgets.FloatRangeSlider(**ends, step=(last - first) / STEPS, readout_format=".4g")
        tick = self._tick("range", "between", held is not None)
        self.handles["slider"] = slider

        def say(change: Any) -> None:
            left, right = slider.value
            bounds = (None if open_ends[0] and left <= slider.min else left, None if open_ends[1] and right >= slider.max else right)
            editor_value = held if change["owner"] is tick and held is not None and (left, right) == (low, high) else bounds
            self.form.hold(("range", column), editor_value if tick.value else None)

        return _ticked(tick, slider, say)

    def _set(self) -> list[Any]:
        editor, column = self.form.editor, self.column
        held = editor.now.get(("set", column))
        seen = editor.frame[column].dropna().unique().tolist() if editor.kind(column) == "text" else []
        offered = sorted(held if held is not None else (str(value) for value in seen))
        numbers = bool(offered) and not isinstance(offered[0], str)
        whole = all(isinstance(value, int) for value in offered)
        kind = ipywidgets.TagsInput if not numbers else ipywidgets.IntsInput if whole else ipywidgets.FloatsInput
        chips = kind(value=offered, allow_duplicates=False, layout=ipywidgets.Layout(width="400px"))
        tick = self._tick("set", "one of", held is not None)
        self.handles["chips"] = chips

        def say(change: Any) -> None:
            self.form.hold(("set", column), frozenset(chips.value) if tick.value else None)

        return _ticked(tick, chips, say)


def _ticked(tick: Any, handle: Any, say: Callable[[Any], None]) -> list[Any]:
    """A tick and what it stands for: who moves the handle ticks it."""

    def moved(change: Any) -> None:
        if tick.value:
            say(change)
        else:
            tick.value = True

    handle.observe(moved, "value")
    tick.observe(say, "value")
    return [tick, handle]


def _executing() -> bool:
    """Whether a cell runs, and not the message of a button."""
    header = getattr(shell(), "parent_header", None)
    kind = header.get("header", header).get("msg_type") if isinstance(header, dict) else None
    return kind in (None, "execute_request")


def _ask(cell: str) -> None:
    """Ask the front end for a cell below. One that does not know the question takes no notice; the cell is in the output too."""
    from comm import create_comm

    create_comm(target_name=CELL, data={"source": cell}).close()


def _tall(text: str) -> int:
    return 20 * min(12, text.count("\n") + 2) + 10


def _below(widget: Any) -> list[Any]:
    """A widget and all within it, with their layouts and styles, the innermost first."""
    dress = [part for part in (widget.layout, getattr(widget, "style", None)) if isinstance(part, ipywidgets.Widget)]
    return [*(inner for child in getattr(widget, "children", ()) for inner in _below(child)), *dress, widget]
