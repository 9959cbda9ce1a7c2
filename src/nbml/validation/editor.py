"""The suite editor: histograms with handles, sets as chips, pass or fail at once. Widgets while it is open; static HTML after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbml import errors
from nbml.display import Code, Histogram, Line, Part, Report, Shown, Table, bundle, muted, percent, strong
from nbml.display.notebook import shell
from nbml.validation import editing
from nbml.validation.editing import Aspect

if TYPE_CHECKING:
    import pandas as pd

#: most rows that are judged while the form is open, and most columns that it has a row for
ROWS, COLUMNS = 200_000, 60
#: bins of a histogram; most values that are offered as a set
BINS, CHIPS = 20, 50


@dataclass(frozen=True)
class Verdict:
    """Whether a line holds on the rows that are judged, and how many of them break it; ``why`` it could not be judged."""

    holds: bool | None
    broken: int = 0
    why: str = ""


class Editor(Shown):
    """A suite under edit. ``set`` is what the handles do, ``cell`` the cell that it comes to, ``apply()`` puts that below."""

    def __init__(self, name: str, frame: pd.DataFrame, text: str, label: str = "", private: Sequence[str] = ()) -> None:
        from nbml.validation.checking import level

        whole = level(frame)
        self.name, self.label, self.private = name, label, frozenset(private)
        self.rows = len(whole)
        self.frame = whole if self.rows <= ROWS else whole.sample(ROWS, random_state=0).reset_index(drop=True)
        self.columns = [c for c in whole.columns if c][:COLUMNS]
        self.parts = [p if all(self._editable(a) for a, _ in p.says) else editing.Part(p.raw) for p in editing.read(text, self.columns)]
        self.now = editing.said(self.parts)
        self.rest = editing.rest(self.parts)
        self.word = ""
        self._known: dict[str, Verdict] = {}

    def _editable(self, aspect: Aspect) -> bool:
        """Of a private column the form has nulls and uniqueness only, and of others what fits their kind."""
        word, column = aspect
        if word in ("null", "unique"):
            return True
        return column not in self.private and (word == "range") <= (self.kind(column) == "number")

    def kind(self, column: str) -> str:
        """ "number", "text", or "other"."""
        import pandas as pd

        from nbml.validation.evidence import is_text

        values = self.frame[column]
        if pd.api.types.is_numeric_dtype(values.dtype) and values.dtype.kind in "iuf":
            return "number"
        return "text" if is_text(values) and values.notna().any() else "other"

    # -- what is held ---------------------------------------------------------------------------------------

    def set(self, aspect: Aspect, value: Any) -> None:
        """Hold a value for an aspect; None lets it go. An aspect is ("range", column), ("set", column), ("null", column) with
        the share that is held, or ("unique", column)."""
        if not self._editable(aspect) or aspect[1] not in self.columns:
            raise errors.BadArgument(f"the form has no {aspect[0]} for {aspect[1]!r}")
        if value is None or value is False or value == (None, None) or value == frozenset():
            self.now.pop(aspect, None)
        else:
            self.now[aspect] = value

    @property
    def text(self) -> str:
        """The suite's text as it stands."""
        return editing.compose(self.parts, self.now, self.rest)

    @property
    def cell(self) -> str:
        """The cell that makes the suite."""
        on = f" --on {self.label}" if self.label else ""
        return f"%%nbml expect {self.name}{on}\n{self.text}"

    def apply(self) -> None:
        """Put the cell below. Raises errors.UsageError outside a notebook, errors.BadExpectation where it cannot be read."""
        running = shell()
        if running is None:
            raise errors.UsageError("apply() puts a cell into the notebook; there is none here")
        self.check()
        running.set_next_input(self.cell, replace=False)

    def check(self) -> None:
        """Raises errors.BadExpectation where the text cannot be read."""
        from nbml.validation.grammar import parse

        if not parse(self.text, _names(self.text)):
            raise errors.BadExpectation("a suite needs at least one expectation")

    # -- what is judged -------------------------------------------------------------------------------------

    def verdict(self, line: str) -> Verdict:
        """A line on the rows that are judged."""
        if line not in self._known:
            self._known[line] = self._judge(line)
        return self._known[line]

    def _judge(self, line: str) -> Verdict:
        from nbml.validation.checking import OWN, check, engine_of, reason, types
        from nbml.validation.grammar import parse
        from nbml.validation.words import drift_word

        try:
            configs = [config.to_json() for config in parse(line, _names(line))]
            if any(drift_word(config["type"]) for config in configs):
                return Verdict(None, why="drift is judged when the cell runs")
            results = check(self.frame, configs, "BASIC", engine_of(OWN), None, 0).results
        except errors.BadExpectation as error:
            return Verdict(False, why=error.message)
        why = next((reason(r, types(self.frame)) for r in results if not r["success"]), "")
        broken = sum(int(r["result"].get("unexpected_count") or 0) for r in results)
        return Verdict(all(r["success"] for r in results), broken, "" if self.private else why)

    def lines(self, column: str) -> list[str]:
        """The lines that the form holds for a column."""
        return [editing.line(aspect, value) for aspect, value in self.now.items() if aspect[1] == column]

    def others(self) -> list[str]:
        """The entries of the rest."""
        from nbml.validation.entries import entries

        try:
            return [entry.text for entry in entries(self.rest, {})]
        except errors.BadExpectation:
            return [self.rest]

    # -- what is shown --------------------------------------------------------------------------------------

    def headline(self, word: str = "") -> Report:
        """How many lines hold."""
        verdicts = [self.verdict(line) for line in [*(x for c in self.columns for x in self.lines(c)), *self.others()]]
        bad = sum(verdict.holds is False for verdict in verdicts)
        said = f"{len(verdicts) - bad:,} of {len(verdicts):,} lines hold"
        facts = [f"{self.rows:,} rows" if self.rows == len(self.frame) else f"judged on {len(self.frame):,} of {self.rows:,} rows"]
        state = "bad" if bad else "well" if verdicts else "idle"
        title = (strong(self.name), *((" on ", strong(self.label)) if self.label else ()), f": {said}")
        return Report(title, state, word or "edit", facts)

    def of_column(self, column: str) -> Report:
        """One column: its histogram, and whether its lines hold."""
        values, lines = self.frame[column], self.lines(column)
        verdicts = [self.verdict(line) for line in lines]
        bad = [verdict for verdict in verdicts if verdict.holds is False]
        facts = [str(values.dtype), f"{percent(float(values.isna().mean()))} null" if len(values) and values.isna().any() else ""]
        if bad:
            facts.append(bad[0].why or f"{sum(verdict.broken for verdict in bad):,} rows broken")
        state = "bad" if bad else "well" if lines else "idle"
        picture = self.picture(column)
        word = "fails" if bad else "holds" if lines else ""
        return Report((strong(column),), state, word, facts, [picture] if picture is not None else [])

    def picture(self, column: str) -> Histogram | None:
        """How the values of a column lie; None for a private one and where there is nothing to draw."""
        if column in self.private or self.kind(column) == "other":
            return None
        real = self.frame[column].dropna()
        if self.kind(column) == "text":
            counts = real.astype(str).value_counts()
            named = ", ".join(str(value)[:20] for value in counts.index[:3])
            return Histogram([float(n) / len(real) for n in counts[:BINS]], (), f"{len(counts):,} values: {named}")
        import numpy as np

        found = real.to_numpy(dtype=float)
        found = found[np.isfinite(found)]
        if not len(found) or not np.isfinite(found.max() - found.min()):
            return None
        shares = np.histogram(found, bins=BINS)[0] / len(found)
        return Histogram([float(share) for share in shares], (), f"{found.min():g} to {found.max():g}")

    def _report(self) -> Report:
        head = self.headline(self.word)
        rows = []
        for column in self.columns:
            lines = self.lines(column)
            if lines:
                verdicts = [self.verdict(line) for line in lines]
                broken = sum(verdict.broken for verdict in verdicts)
                rows.append([column, self.picture(column), "; ".join(lines), f"{broken:,} rows broken" if broken else "holds"])
        parts: list[Part] = [Table(("column", "values", "expected", ""), rows)] if rows else []
        wrong = [verdict.why for verdict in map(self.verdict, self.others()) if verdict.holds is False and verdict.why]
        parts += [Line(muted(why)) for why in wrong[:3]]
        following = [self.cell] if self.word == "written" else []
        return Report(head.title, head.state, head.word, head.facts, parts if following else [*parts, Code(self.cell)], following)

    def _ipython_display_(self) -> None:
        """The widgets where a front end draws them, else the static form; after Write and Close the static form everywhere."""
        from IPython.display import display

        static = bundle(self._report())
        if not hasattr(shell(), "kernel"):
            display(static, raw=True)
            return
        from nbml.validation.editor_form import Form

        form = Form(self)
        handle = display({"text/plain": static["text/plain"], "text/html": static["text/html"], **form.view()}, raw=True, display_id=True)
        form.on_end(lambda: handle.update(bundle(self._report()), raw=True))


def _names(text: str) -> Any:
    """What ``var`` reads."""
    from nbml.slicing import recorder

    return recorder.namespace() if "var" in text else {}


def edit(name: str, on: Any = None, label: str = "") -> Editor:
    """The editor of the suite ``name``, new or stored, over a frame; without one over the reference that is pinned.

    Raises errors.BadArgument where there is neither, errors.BadName.
    """
    from nbml import datasets, settings
    from nbml.store import check_name, current
    from nbml.validation import keeping
    from nbml.validation.draft import draft

    store = current()
    thing = keeping.find(store, check_name(name))
    pinned = thing.body.get("reference") if thing is not None else None
    if on is not None:
        frame = datasets.take(on)[0]
    elif pinned:
        from nbml.datasets import parquet

        frame = parquet.decode(store.read_blob(pinned["blob"]))
    else:
        known = datasets.a_frame()
        line = f"%nbml expect {name} --edit --on {known}" if known else None
        raise errors.BadArgument(f"the editor draws data, and {name} has none pinned: it needs --on", next=line)
    private = settings.load(store.root)["data.private"]
    text = thing.body["text"] if thing is not None else draft(frame, private)
    return Editor(name, frame, text, label, private)
