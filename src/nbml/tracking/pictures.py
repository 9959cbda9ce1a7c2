"""The figures of a run, as its cell shows them: taken from what the shell sends to the page, so that nothing is drawn twice.

matplotlib's inline figures are sent when the cell ends, also where it failed: a run listens until then. Where nothing is shown
(a script, another backend) matplotlib's open figures are drawn at the end of the block.
"""

from __future__ import annotations

import base64
import io
import json
import sys
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from nbml.display.notebook import shell as running_shell
from nbml.tracking import opened

#: figures of a run that are kept, and bytes of each
MOST, LARGEST = 20, 10_000_000
#: what is kept of a bundle, the first that it has; of HTML only what draws
KINDS = ("image/png", "image/svg+xml", "image/jpeg", "application/vnd.plotly.", "application/vnd.vegalite.", "application/vnd.vega.")
HTML, DRAWS = "text/html", ("Plotly.newPlot", "vegaEmbed", "vega-embed")


@dataclass(frozen=True)
class Drawn:
    """A figure: its title, and what was shown."""

    title: str
    kind: str
    content: bytes


@dataclass
class Pictures:
    """The figures of one run."""

    found: list[Drawn] = field(default_factory=list)
    #: figures of matplotlib that were open when the block began, and those that were made in it
    _before: weakref.WeakSet[Any] = field(default_factory=weakref.WeakSet)
    _own: weakref.WeakSet[Any] = field(default_factory=weakref.WeakSet)

    def begin(self) -> None:
        """The block begins: from now on what the shell shows is a picture of its run, until ``leave``."""
        self._before = weakref.WeakSet(_open())
        shell = running_shell()
        _listening.append(self)
        if shell is not None and not _undo:
            _wrap(shell.display_formatter, "format", _formatted)
            _wrap(shell.display_pub, "publish", _published)

    def end(self, *, shown: bool) -> None:
        """The block has ended. ``shown``: the cell will show what is open."""
        self._own = weakref.WeakSet(figure for figure in _open() if figure not in self._before)
        if not shown:
            for figure in list(_open()):
                if figure not in self._before or figure not in _kept:
                    self._draw(figure)

    def owns(self, thing: Any) -> bool:
        """Whether a figure was made in the block."""
        try:
            return thing in self._own
        except TypeError:
            return False

    def add(self, drawn: Drawn) -> None:
        """Take a figure, once."""
        if len(self.found) < MOST and all(one.content != drawn.content for one in self.found):
            self.found.append(drawn if drawn.title else replace(drawn, title=f"figure {len(self.found) + 1}"))

    def _draw(self, figure: Any) -> None:
        _kept.add(figure)
        sink = io.BytesIO()
        figure.savefig(sink, format="png", bbox_inches="tight")
        self.add(Drawn(_title(figure, None), "image/png", sink.getvalue()))


#: figures of matplotlib that a run has kept
_kept: weakref.WeakSet[Any] = weakref.WeakSet()


def _open() -> Iterator[Any]:
    """matplotlib's open figures, in their order. Nothing is imported or closed."""
    helpers = sys.modules.get("matplotlib._pylab_helpers")
    if helpers is not None:
        for manager in sorted(helpers.Gcf.get_all_fig_managers(), key=lambda one: one.num):
            yield manager.canvas.figure


def shown_later() -> bool:
    """Whether the cell's end shows matplotlib's open figures."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    return pyplot is not None and "inline" in str(pyplot.get_backend()).lower()


def read(thing: Any, bundle: Mapping[str, Any]) -> Drawn | None:
    """What a bundle draws, or None. ``thing`` is what it was made of, None where that is not known."""
    kind = next((found for wanted in KINDS for found in bundle if found.startswith(wanted)), "")
    if not kind and any(word in str(bundle.get(HTML, "")) for word in DRAWS):
        kind = HTML
    value = bundle.get(kind)
    if not value:
        return None
    if kind in ("image/png", "image/jpeg"):
        content = base64.b64decode(value) if isinstance(value, str) else bytes(value)
    else:
        content = (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)).encode("utf-8", "replace")
    return Drawn(_title(thing, value), kind, content) if len(content) <= LARGEST else None


def _title(thing: Any, value: Any) -> str:
    """matplotlib's own title or that of its first axes; what a figure of Plotly, Vega or Altair says."""
    if hasattr(thing, "get_suptitle"):
        return str(thing.get_suptitle() or next((axes.get_title() for axes in thing.axes if axes.get_title()), ""))
    if not isinstance(value, Mapping):
        said = getattr(thing, "title", "")
        return said if isinstance(said, str) else ""
    layout = value.get("layout")
    said = layout.get("title") if isinstance(layout, Mapping) else value.get("title")
    return str(said.get("text", "")) if isinstance(said, Mapping) else str(said or "")


# -- listening to the shell

_listening: list[Pictures] = []
_undo: list[Callable[[], None]] = []


def leave(pictures: Pictures) -> None:
    """The cell is over; after the last one the shell is as it was."""
    _listening[:] = [one for one in _listening if one is not pictures]
    while _undo and not _listening:
        _undo[-1]()
        _undo.pop()


def _wrap(owner: Any, name: str, heard: Callable[[tuple[Any, ...], dict[str, Any], Any], None]) -> None:
    """Let one object's method tell of its calls."""
    own, before = vars(owner).get(name), getattr(owner, name)

    def told(*args: Any, **kwargs: Any) -> Any:
        result = before(*args, **kwargs)
        try:
            heard(args, kwargs, result)
        except Exception:  # a picture that cannot be read is none
            pass
        return result

    def undo() -> None:
        if vars(owner).get(name) is told:
            if own is None:
                delattr(owner, name)
            else:
                setattr(owner, name, own)

    _undo.append(undo)
    setattr(owner, name, told)


def _formatted(args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
    if args:
        _hear(args[0], result[0])


def _published(args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
    """What comes as a bundle and was not formatted here: ``fig.show()`` of Plotly."""
    bundle = args[0] if args else kwargs.get("data")
    if isinstance(bundle, Mapping) and not kwargs.get("update"):
        _hear(None, bundle)


def _hear(thing: Any, bundle: Mapping[str, Any]) -> None:
    """It is of the run that made it, else of the innermost one that is open, else of the last one of the cell."""
    drawn = read(thing, bundle)
    if drawn is None or (thing is None and any(drawn.content == one.content for each in _listening for one in each.found)):
        return
    innermost = opened.here()
    own = [one for one in _listening if one.owns(thing)] if thing is not None else []
    running = [one for one in _listening if innermost is not None and one is getattr(innermost, "pictures", None)]
    for pictures in (*own[:1], *running, *_listening[-1:])[:1]:
        pictures.add(drawn)
