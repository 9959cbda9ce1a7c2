"""TAB after ``%nbml``: commands, options, option values, names of the notebook and of the record."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbml.commands.calls import adapters
from nbml.commands.names import entry
from nbml.commands.parser import Word
from nbml.commands.table import LATER, TABLE, Command, Param
from nbml.magics.tokens import last_word
from nbml.store import Store, existing

if TYPE_CHECKING:
    from nbml.magics.session import Session

LINE = re.compile(r"^\s*(?:[\w.\[\]'\", ]+=\s*)?(?P<lead>%{1,2})nbml(?:\s+(?P<rest>.*))?$", re.S)
BODY = re.compile(r"\s*%%nbml\s+expect\b(?P<rest>[^\n]*)\n")
#: kinds of a parameter whose value may be an expression
EXPRESSIONS = ("frame", "data", "model", "served", "python")
#: kinds of names that a kind of parameter takes
KINDS = {
    "frame": ("frame",), "data": ("frame", "array"), "model": ("model", "function"), "served": ("model", "function"),
    "python": ("frame", "series", "array"), "variable": ("frame", "model", "function", "series", "array", "class"),
}  # fmt: skip


#: an attribute of a name, whose names IPython tells
ATTRIBUTE = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*\.\w*$")
#: a column inside ``col("...")``, to the cursor
INSIDE = re.compile(r"""\bcol\(\s*(?P<quote>["'])(?P<typed>[^"'\n]*)$""")
#: a name in a condition, to the cursor
BARE = re.compile(r"[^\W\d][\w/.]*$")


@dataclass(frozen=True)
class Offer:
    """What TAB may put: ``key`` is what it is known by, ``text`` what is inserted."""

    key: str
    kind: str
    text: str


def matcher(session: Session) -> Callable[[Any], Any]:
    """The matcher for ``shell.Completer.custom_matchers``."""
    from IPython.core.completer import SimpleCompletion, context_matcher

    def matches(offered: Iterable[Offer], typed: str) -> Any:
        found = [SimpleCompletion(text=one.text, type=one.kind) for one in offered if one.key.startswith(typed)]
        return {"completions": found, "suppress": True, "ordered": True, "matched_fragment": typed}

    @context_matcher(identifier="nbml.matcher", priority=50)
    def nbml_matcher(context: Any) -> Any:
        line = LINE.match(context.line_with_cursor[: context.cursor_position])
        if line is not None and line["rest"] is not None:
            return matches(*on_line(session, line["rest"], line["lead"] == "%%"))
        body = BODY.match(context.full_text)
        if body is not None and context.cursor_line > 0:
            before, after = _around(context)
            return matches(*in_body(session, body["rest"], before, after))
        return {"completions": []}

    return nbml_matcher


def _around(context: Any) -> tuple[str, str]:
    """The line of the cursor, before it and after it."""
    line, at = context.line_with_cursor, context.cursor_position
    return line[:at], line[at:]


def on_line(session: Session, rest: str, cell: bool) -> tuple[list[Offer], str]:
    """What may stand at the end of a magic's line, and what of it is there already."""
    done, prefix = last_word(rest)
    param = at_cursor(done, prefix, cell)
    typed = re.split(r"(?<=\w)=", prefix, maxsplit=1)[-1] if prefix.startswith("--") and "=" in prefix else prefix
    if param is None:
        return [Offer(text, kind, text) for text, kind in offers(session, done, prefix, cell)], typed
    if param.kind == "where":
        word = BARE.search(typed)
        quote = typed[:1] if typed[:1] in "\"'" else ""
        return [Offer(name, "column", _written(name, quote)) for name in run_columns()], word[0] if word else ""
    if param.kind == "list":
        typed = typed.rpartition(",")[2]
    attribute = ATTRIBUTE.search(typed)
    if attribute is not None and param.kind in EXPRESSIONS:
        found = session.shell.Completer.attr_matches(attribute[0])
        return [Offer(text, "attribute", text) for text in (one if isinstance(one, str) else one.text for one in found)], attribute[0]
    return [Offer(text, kind, text) for text, kind in values(session, param)], typed


def in_body(session: Session, first: str, before: str, after: str) -> tuple[list[Offer], str]:
    """What may stand in a line of a suite: words, and columns as the language writes them."""
    inside = INSIDE.search(before)
    if inside is not None:
        rest = "" if after.startswith(inside["quote"]) else inside["quote"] + ("" if after.startswith(")") else ")")
        return [Offer(name, "column", _quoted(name) + rest) for name in columns(framed(session, first))], inside["typed"]
    word = BARE.search(before)
    if word is None:
        return [], ""
    own = [Offer(name, "column", _written(name, "")) for name in columns(framed(session, first))]
    return [*own, *[Offer(text, "expectation", text) for text in _words()]], word[0]


def _quoted(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)[1:-1]


def _written(name: str, quote: str) -> str:
    """A column as the language writes it, inside a text in such quotes."""
    from nbml.validation.words import written

    text = written(name)
    return f"col('{name}')" if quote == '"' and text != name and "'" not in name else text


def _words() -> tuple[str, ...]:
    from nbml.validation.words import WORDS

    return WORDS


def at_cursor(done: list[Word], prefix: str, cell: bool) -> Param | None:
    """The parameter whose value stands at the cursor."""
    command = _command(done)
    if command is None:
        return None
    places = _places(command, cell)
    options = _options(command, places)
    if prefix.startswith("--") and "=" in prefix:
        return options.get(prefix.partition("=")[0])
    return _asked(command, done, options, places, prefix)


def _command(done: list[Word]) -> Command | None:
    return next((c for c in TABLE if done and c.name == done[0].raw and c.magic), None)


def _places(command: Command, cell: bool) -> tuple[str, ...]:
    return command.made if cell or command.line is None else command.line


def _options(command: Command, places: tuple[str, ...]) -> dict[str, Param]:
    return {p.flag: p for p in command.params if p.typed and p.name not in places and p.since != LATER}


def offers(session: Session, done: list[Word], prefix: str, cell: bool) -> list[tuple[str, str]]:
    """Commands, and options of a command: (text, kind)."""
    command = _command(done)
    if not done and prefix.startswith("-"):
        return [(flag, "param") for flag in ("--help", "--as-python")]
    if not done:
        here = [c for c in TABLE if c.magic and c.since != LATER]
        return [(c.name, "command") for c in here if (bool(c.cell) if cell else c.line is not None or c.forms)]
    if command is None or (prefix.startswith("--") and "=" in prefix):
        return []
    used = {word.raw.partition("=")[0] for word in done}
    options = _options(command, _places(command, cell))
    forms = () if cell else command.forms
    return [(flag, "param") for flag in [*options, *forms, "--help", "--as-python"] if flag not in used]


def _asked(command: Command, done: list[Word], options: dict[str, Param], places: tuple[str, ...], prefix: str) -> Param | None:
    """The parameter whose value stands at the cursor."""
    if prefix.startswith("-"):
        return None
    for back in (1, 2):
        option = options.get(done[-back].raw) if len(done) > back else None
        if option is not None and option.kind != "flag" and (back == 1 or option.pair):
            return option if back == 1 else command.param(option.pair)
    free = 0
    for at, word in enumerate(done[1:], 1):
        before = options.get(done[at - 1].raw)
        if not word.raw.startswith("-") and (before is None or before.kind == "flag"):
            free += 1
    params = [command.param(name) for name in places]
    if params and params[-1].form == "many":
        return params[-1]
    return params[free] if free < len(params) else None


def values(session: Session, param: Param) -> list[tuple[str, str]]:
    """What an option may be given."""
    found = [(text, "value") for text in adapters(param)]
    shell = session.shell
    kinds = KINDS.get(param.kind, ())
    if kinds:
        own = [(name, value) for name, value in list(shell.user_ns.items()) if shell.user_ns_hidden.get(name, shell) is not value]
        said = [entry(name, value) for name, value in own if not name.startswith("_")]
        found += [(one["name"], one["kind"]) for one in said if one is not None and one["kind"] in kinds]
    if param.name == "metric":
        found += [(name, "value") for name in metrics()]
    if param.of == "column":
        found += [(name, "column") for name in columns(shell.user_ns.values())]
    stored = {"frame": "dataset", "data": "dataset", "served": "service"}.get(param.kind, param.of)
    if stored and stored != "column":
        found += names(stored)
        found += names("service") if stored == "deployment" else []
    return list(dict.fromkeys(found))


def names(kind: str) -> list[tuple[str, str]]:
    """The stored things of a kind, and the versions of each."""
    store = existing()
    if store is None:
        return []
    if kind == "suite":
        return _suites(store)
    rows = store.read("SELECT name, max(version) AS last FROM thing WHERE kind=? GROUP BY name ORDER BY max(id) DESC LIMIT 200", (kind,))
    return _versions(kind, {row["name"]: row["last"] for row in rows})


def _suites(store: Store) -> list[tuple[str, str]]:
    """Suites without those whose file was taken away, and those of files that were not read yet, which have no version."""
    from nbml.validation import keeping

    known = {thing.name: thing.version for thing in keeping.latest(store)[:200]}
    return _versions("suite", known | dict.fromkeys(keeping.unread(store), 0))


def _versions(kind: str, last: dict[str, int]) -> list[tuple[str, str]]:
    """Names, then the latest five versions of each."""
    versions = [(f"{name}@{n}", kind) for name, most in last.items() for n in range(most, max(0, most - 5), -1)]
    return [(name, kind) for name in last] + versions


def columns(values: Iterable[Any]) -> list[str]:
    """The columns of the dataframes among ``values``."""
    found: dict[str, None] = {}
    for value in list(values):
        said = entry("", value)
        if said is not None and said["kind"] == "frame":
            found |= dict.fromkeys(name for name in value.columns[:500] if isinstance(name, str))
    return list(found)


def framed(session: Session, first: str) -> list[Any]:
    """The frame that ``--on`` of a cell's first line names, else all values of the notebook."""
    done, _ = last_word(first + " ")
    on = [done[at + 1].raw for at, word in enumerate(done[:-1]) if word.raw == "--on"]
    on += [word.raw.partition("=")[2] for word in done if word.raw.startswith("--on=")]
    space = session.shell.user_ns
    return [space[name] for name in on if name in space] or list(space.values())


def metrics() -> list[str]:
    """What scikit-learn can measure, where the notebook has loaded it: TAB loads nothing that takes a second."""
    if "sklearn.base" not in sys.modules:
        return []
    from sklearn.metrics import get_scorer_names

    return [str(name) for name in get_scorer_names()]


def run_columns() -> list[str]:
    """The columns of the listing of runs: its own, metrics and parameters."""
    store = existing()
    if store is None:
        return []
    measured = [row["name"] for row in store.read("SELECT DISTINCT name FROM metric ORDER BY name LIMIT 500")]
    given = [row["key"] for row in store.read("SELECT DISTINCT j.key FROM run r, json_each(r.params) j ORDER BY j.key LIMIT 500")]
    return list(dict.fromkeys(["name", "state", "started", "duration", *measured, *given]))
