"""What ``--help`` says, and the reference page: both from the table."""

from __future__ import annotations

from dataclasses import dataclass

from nbml.commands.table import LATER, REQUIRED, SECTIONS, Command, Param
from nbml.display import Line, Report, Shown, Table, code, muted

#: kind of a parameter -> the word that stands for its value; else its name does
WORDS = {
    "int": "N", "duration": "60s", "data": "DATA", "frame": "DATA", "list": "A,B", "python": "VALUE", "where": "CONDITION", "name": "NAME",
    "suite": "NAME", "ref": "NAME",
}  # fmt: skip


@dataclass(frozen=True, repr=False)
class Help(Shown):
    """Help on one command, or on all of them where ``command`` is None."""

    command: Command | None = None

    def _report(self) -> Report:
        return _all() if self.command is None else _one(self.command)


def usage(command: Command) -> str:
    """How a command is typed: required things bare, the rest in brackets."""
    cell = command.line is None
    places = command.made if cell else command.line or ()
    if command.name == "status":
        return "%nbml"
    words = ["%%nbml" if cell else "%nbml", command.name, *[_place(command.param(name)) for name in places]]
    for param in _options(command, places):
        typed = param.flag if param.kind == "flag" else f"{param.flag} {_word(param)}"
        words.append(typed if param.default is REQUIRED and param.kind not in ("name", "suite") else f"[{typed}]")
    return " ".join(words)


def form(command: Command, flag: str) -> str:
    """How the form of a command is opened."""
    return usage(command).replace("%%nbml", "%nbml", 1) + f" {flag}"


def python(command: Command) -> str:
    """The signature of the Python form."""
    parts, keyword = [], False
    for param in command.params:
        if param.form == "keyword" and not keyword:
            keyword = True
            parts.append("*")
        star = {"many": "*", "extra": "**"}.get(param.form, "")
        bare = param.default is REQUIRED or bool(star)
        parts.append(f"{star}{param.name}" if bare else f"{param.name}={param.default!r}")
        if param.form == "leading":
            parts.append("/")
    return f"nbml.{command.function}({', '.join(parts)})"


def reference() -> str:
    """The reference page, in Markdown."""
    lines = [
        "# Commands", "",
        "Generated from the table of commands by `python -m nbml.commands --reference`. `%nbml COMMAND --help` shows the same.",
        "Every command also takes `--as-python`: the Python form is put into the next cell instead of running. In a terminal or in CI,",
        "`python -m nbml COMMAND ... [--json]` runs the same; data are then paths and `name@n`, models `module:attribute`.", "",
    ]  # fmt: skip
    for title, section in SECTIONS.items():
        lines += [f"## {title}", ""]
        for command in section:
            lines += _entry(command)
    return "\n".join(lines).rstrip() + "\n"


def _entry(command: Command) -> list[str]:
    later = " *Not in this version.*" if command.since == LATER else ""
    lines = [f"### {command.name}", "", command.summary + later, "", "```"]
    lines += [*([usage(command)] if command.magic else []), *(["%%nbml package NAME [...]"] if command.name == "package" else [])]
    lines += [form(command, flag) for flag in command.forms]
    lines += [python(command), "```", ""]
    rows = [param for param in command.params if param.help and param.typed]
    if rows:
        lines += ["| | |", "| --- | --- |"]
        lines += [f"| `{_typed(command, param)}` | {_explained(param)} |" for param in rows] + [""]
    return lines


def _one(command: Command) -> Report:
    rows = [(code(_typed(command, param)), _explained(param)) for param in command.params if param.help and param.typed]
    rows.append((code("--as-python"), "put the Python form into the next cell instead"))
    forms = [Line(code(form(command, flag))) for flag in command.forms]
    same = Line((muted("Python: "), code(python(command))))
    parts: list[Line | Table] = [Line(code(usage(command))), *forms, Table(("", ""), rows), same]
    word = "later" if command.since == LATER else ""
    return Report(f"{command.name}: {command.summary}", word=word, parts=parts, next=_example(command))


def _all() -> Report:
    rows = [
        (code(command.name), command.summary + (" (later)" if command.since == LATER else ""))
        for section in SECTIONS.values() for command in section if command.magic
    ]  # fmt: skip
    return Report("%nbml COMMAND ...", parts=[Table(("command", ""), rows)], next=["%nbml", "%nbml validate --help"])


def _example(command: Command) -> list[str]:
    return [command.example.partition("\n")[0]] if command.example and not command.since else []


def _options(command: Command, places: tuple[str, ...]) -> list[Param]:
    return [param for param in command.params if param.typed and param.name not in places]


def _typed(command: Command, param: Param) -> str:
    places = command.made if command.line is None else command.line
    if param.name in places:
        return _place(param)
    return param.flag if param.kind == "flag" else f"{param.flag} {_word(param)}"


def _place(param: Param) -> str:
    return param.name.upper() + ("..." if param.form == "many" else "")


def _word(param: Param) -> str:
    if param.choices:
        return "|".join(param.choices)
    word = WORDS.get(param.kind, param.name.upper())
    return f"{word} [{param.pair.upper()}]" if param.pair else word


def _explained(param: Param) -> str:
    shown = param.default not in (REQUIRED, None, "", (), False)
    later = " (later)" if param.since == LATER else ""
    return param.help + (f" (default: {param.default})" if shown else "") + later

