"""TAB after ``%nbml``: commands, options, option values, names of the notebook and of the record."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from nbml.commands.calls import adapters
from nbml.commands.names import entry
from nbml.commands.parser import Word
from nbml.commands.table import LATER, TABLE, Command, Param
from nbml.magics.tokens import last_word
from nbml.store import existing

if TYPE_CHECKING:
    from nbml.magics.session import Session

LINE = re.compile(r"^\s*(?:[\w.\[\]'\", ]+=\s*)?(?P<lead>%{1,2})nbml(?:\s+(?P<rest>.*))?$", re.S)
BODY = re.compile(r"\s*%%nbml\s+expect\b(?P<rest>[^\n]*)\n")
#: kinds of names that a kind of parameter takes
KINDS = {
    "frame": ("frame",), "data": ("frame", "array"), "model": ("model", "function"), "served": ("model", "function"),
    "python": ("frame", "series", "array"), "variable": ("frame", "model", "function", "series", "array", "class"),
}  # fmt: skip


def matcher(session: Session) -> Callable[[Any], Any]:
    """The matcher for ``shell.Completer.custom_matchers``."""
    from IPython.core.completer import SimpleCompletion, context_matcher

    def matches(words: Iterable[tuple[str, str]], prefix: str, token: str) -> Any:
        cut = len(prefix) - len(token) if prefix.endswith(token) else 0
        found = [(text, kind) for text, kind in words if text.startswith(prefix) and text != prefix]
        return {"completions": [SimpleCompletion(text=text[cut:], type=kind) for text, kind in found], "suppress": True, "ordered": True}

    @context_matcher(identifier="nbml.matcher", priority=50)
    def nbml_matcher(context: Any) -> Any:
        line = LINE.match(context.line_with_cursor[: context.cursor_position])
        if line is not None and line["rest"] is not None:
            done, prefix = last_word(line["rest"])
            return matches(offers(session, done, prefix, line["lead"] == "%%"), _bare(prefix), context.token)
        body = BODY.match(context.full_text)
        if body is not None and context.cursor_line > 0:
            prefix = re.split(r"[^\w]", context.text_until_cursor.rpartition("\n")[2])[-1] if prefix_of(context) else ""
            return matches(expectation(session, body["rest"]), prefix, context.token) if prefix else {"completions": []}
        return {"completions": []}

    return nbml_matcher


def prefix_of(context: Any) -> str:
    """The word before the cursor."""
    return re.split(r"[^\w]", context.line_with_cursor[: context.cursor_position])[-1]


def _bare(prefix: str) -> str:
    """What is to be completed: after an option's ``=``, and after a comma of a list."""
    return re.split(r"(?<=\w)=", prefix, maxsplit=1)[-1] if prefix.startswith("--") and "=" in prefix else prefix


def offers(session: Session, done: list[Word], prefix: str, cell: bool) -> list[tuple[str, str]]:
    """What may stand after the finished words: (text, kind)."""
    if not done:
        return [(c.name, "command") for c in TABLE if c.magic and c.since != LATER and (bool(c.cell) if cell else c.line is not None)]
    command = next((c for c in TABLE if c.name == done[0].raw and c.magic), None)
    if command is None:
        return []
    places = command.made if cell else command.line or ()
    options = {p.flag: p for p in command.params if p.typed and p.name not in places}
    if prefix.startswith("--") and "=" in prefix:
        param = options.get(prefix.partition("=")[0])
        return values(session, param) if param else []
    param = _asked(command, done, options, places, prefix)
    if param is not None:
        return values(session, param)
    used = {word.raw.partition("=")[0] for word in done}
    return [(flag, "param") for flag in [*options, "--help", "--as-python"] if flag not in used]


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
        said = [entry(name, value) for name, value in list(shell.user_ns.items()) if not name.startswith("_")]
        found += [(one["name"], one["kind"]) for one in said if one is not None and one["kind"] in kinds]
    if param.of == "column":
        found += columns(shell.user_ns.values())
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
    rows = store.read("SELECT name, max(version) AS last FROM thing WHERE kind=? GROUP BY name ORDER BY max(id) DESC LIMIT 200", (kind,))
    versions = [(f"{row['name']}@{n}", kind) for row in rows for n in range(row["last"], max(0, row["last"] - 5), -1)]
    return [(row["name"], kind) for row in rows] + versions


def columns(values: Iterable[Any]) -> list[tuple[str, str]]:
    """The columns of the dataframes among ``values``."""
    found: dict[str, None] = {}
    for value in list(values):
        said = entry("", value)
        if said is not None and said["kind"] == "frame":
            found |= dict.fromkeys(name for name in value.columns[:500] if isinstance(name, str))
    return [(name, "column") for name in found]


def expectation(session: Session, first: str) -> list[tuple[str, str]]:
    """The words of an expectation, and the columns of the frame that ``--on`` names, else of all frames."""
    from nbml.validation.words import WORDS

    done, _ = last_word(first + " ")
    on = [done[at + 1].raw for at, word in enumerate(done[:-1]) if word.raw == "--on"]
    space = session.shell.user_ns
    frames = [space[name] for name in on if name in space] or list(space.values())
    return [*columns(frames), *[(word, "expectation") for word in WORDS]]
