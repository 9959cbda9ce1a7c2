"""The state of the project, and its settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbml import errors, settings, store
from nbml.commands.names import entries
from nbml.display import Column, Line, Note, Part, Report, Shown, Table, ago, chip, code, muted, strong
from nbml.settings import SHOW
from nbml.slicing import recorder
from nbml.store import Store, Thing, advice

#: kind -> what the listing calls it, in the panel's order
KINDS = {
    "deployment": "Deployments", "service": "Services", "study": "Studies", "run": "Runs", "validation": "Validations",
    "suite": "Suites", "dataset": "Data",
}  # fmt: skip
#: states of a deployment that does not run
GONE = ("stopped", "gone", "failed")


@dataclass(frozen=True)
class Section:
    """One kind of thing in the project: how many, and the newest."""

    kind: str
    count: int
    newest: Thing
    names: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class Status(Shown):
    """The state of a project. ``next`` is one line to type, or ""."""

    root: Path
    readonly: bool
    sections: tuple[Section, ...]
    next: str
    why: str
    fault: str = ""

    def _report(self) -> Report:
        rows = [_row(section) for section in self.sections]
        parts: list[Part] = [Table(("", Column("count", "right"), "newest", "", Column("made", "right")), rows)] if rows else []
        if self.fault:
            parts.append(Note("bad", "not in force", self.fault))
        if self.why:
            parts.append(Line(self.why))
        facts = [home(self.root), "can be read, not written" if self.readonly else "", "" if rows else "nothing is stored yet"]
        title, state = (strong(self.root.name or str(self.root)),), "look" if self.readonly else "idle"
        return Report(title, state, parts=parts, facts=[f for f in facts if f], next=[self.next] if self.next else [])


def status() -> Status:
    """The state of this process's project, and one next step; nothing is written."""
    found = store.existing()
    names = recorder.namespace()
    fault = _settings(store.chosen())[1]
    if found is None or found.readonly:
        kept = [section for kind in KINDS if (section := _section(found, kind)) is not None] if found is not None else []
        able = found is None and store.writable(store.chosen())
        line, why = _first(names) if able else (store.ELSEWHERE, "Nothing can be kept here; the next line takes another folder.")
        return Status(store.chosen(), not able, tuple(kept), SHOW if fault else line, why, fault)
    sections = tuple(section for kind in KINDS if (section := _section(found, kind)) is not None)
    step = advice.step(found, advice.models({"names": entries(names, {})}))
    line, why = (step["line"].strip(), _words(step["text"])) if step else ("", "") if sections else _first(names)
    return Status(found.root, False, sections, SHOW if fault else line, why, fault)


def _section(found: Store, kind: str) -> Section | None:
    from nbml.validation import suites

    things = suites(found) if kind == "suite" else found.latest(kind)
    if kind == "deployment":
        things = [thing for thing in things if thing.state not in GONE]
    if not things:
        return None
    count = len(things) if kind in ("deployment", "study", "suite", "dataset") else len(found.all(kind))
    return Section(kind, count, things[0], tuple(thing.name for thing in things))


def _row(section: Section) -> tuple[Any, ...]:
    body = section.newest.body.get("row", {})
    named = ", ".join(section.names[:3]) + (" …" if len(section.names) > 3 else "")
    newest = named if section.kind == "deployment" else (str(body.get("label") or section.newest.ref))
    found = section.newest.body.get("findings") if section.kind == "run" else None
    judged = chip(", ".join(dict.fromkeys(str(said["code"]) for said in found)), "look") if found else ""
    figure = str(body.get("figure", ""))
    told = (muted(f"{figure} " if figure and found else figure), judged)
    return KINDS[section.kind], section.count, newest, told, muted(ago(section.newest.made))


def _first(names: Mapping[str, Any]) -> tuple[str, str]:
    """The first line of a project: keep a dataframe that is there, else load one."""
    found = [one["name"] for one in entries(names, {}) if one["kind"] == "frame"]
    if found:
        return f"%nbml snapshot {found[-1]}", f"{found[-1]} is a dataframe, not kept."
    return "%nbml --help", ""


def _words(text: list[Any]) -> str:
    return "".join(part["code"] if isinstance(part, dict) else part for part in text)


def home(path: Path) -> str:
    """A path, with ~ for the home folder."""
    try:
        return "~/" + path.relative_to(Path.home()).as_posix() if path != Path.home() else "~"
    except ValueError:
        return str(path)


@dataclass(frozen=True, repr=False)
class Config(Shown):
    """The settings in force: ``values`` by key, ``origin`` says "default" or "nbml.toml" for each."""

    values: Mapping[str, Any]
    origin: Mapping[str, str]
    free: Mapping[str, Mapping[str, Any]]
    root: Path
    fault: str = ""

    @property
    def healthy(self) -> bool:
        """Whether nbml.toml can be read."""
        return not self.fault

    def __getitem__(self, key: str) -> Any:
        return self.values[key]

    def _report(self) -> Report:
        rows = [(code(key.name), _shown(self.values[key.name]), self.origin[key.name], muted(key.meaning)) for key in settings.KEYS]
        named = [(f"{table}.{name}", entry) for table, entries in self.free.items() for name, entry in entries.items()]
        rows += [(code(name), ", ".join(entry), settings.FILE, muted("keys of a channel")) for name, entry in named]
        wrong = [Note("bad", "not in force", f"{self.fault}; these are the defaults")] if self.fault else []
        changed = sum(origin != "default" for origin in self.origin.values())
        facts = [f"{changed} set in {settings.FILE}" if changed else f"no setting in {settings.FILE}"]
        return Report((strong("settings"),), facts=[home(self.root), *facts], parts=[*wrong, Table(("setting", "value", "from", ""), rows)])


def config() -> Config:
    """Each setting, its value and where that came from; where nbml.toml cannot be read, the defaults and what is wrong in it."""
    root = store.chosen()
    found, fault = _settings(root)
    return Config(found.values, found.origin, found.free, root, fault)


def _settings(root: Path) -> tuple[settings.Settings, str]:
    """The settings, and what is wrong in nbml.toml: then they are the defaults."""
    try:
        return settings.load(root), ""
    except errors.BadArgument as error:
        return settings.defaults(), error.message


def _shown(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) or "none"
