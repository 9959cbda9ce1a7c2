"""Where suites are kept: in the project's record and, with ``[validation] suites`` in nbml.toml, as ``NAME.expect`` in a folder
of the project that is under version control.

A file is the suite: what was edited by hand, or came by Git, is read when it is asked for, and is a new version then. What a
text cannot hold, the values of ``var`` and a pinned reference, is kept in the record, and the file's first line names it. The
values are in the lines below it too, so that a copy of the project has them; a reference is data, which does not go into Git.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import textwrap
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbml import errors, settings
from nbml.settings import FILE, SHOW
from nbml.store import Store, Thing, check_name, split_ref
from nbml.store.project import FOLDER
from nbml.store.record import NAME
from nbml.validation.grammar import Config, parse
from nbml.validation.reading import plain
from nbml.validation.report import is_private
from nbml.validation.words import drift_word

Json = dict[str, Any]
END = ".expect"
#: the line of a file that names what is kept elsewhere, and the version by which that is found; below it the values of ``var``
HEAD = re.compile(r"# nbml keeps (?P<what>.+): (?P<hash>[0-9a-f]{16})(?:\n|\Z)(?P<values>(?:# nbml var\(.*\) = .*(?:\n|\Z))*)")
VALUE = re.compile(r"# nbml var\((?P<name>\".*?\")\) = (?P<value>.*)")
REFERENCE = re.compile(r"a reference of [\d,]+ rows?")


@dataclass
class Frozen(Mapping[str, Any]):
    """Names of the notebook; ``read`` are those that ``var`` has read, as what JSON holds."""

    names: Mapping[str, Any]
    read: Json = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        value = self.names[name]
        self.read[name] = plain(value)
        return value

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __iter__(self) -> Iterator[str]:
        return iter(list(self.names))

    def __len__(self) -> int:
        return len(self.names)


def level(text: str) -> str:
    """A text as it is kept: the same for a cell, an indented string and a file."""
    whole = textwrap.dedent(text.replace("\r\n", "\n").replace("\r", "\n")).strip("\n").rstrip()
    return HEAD.sub("", whole, count=1) if HEAD.match(whole) else whole


# -- versions -------------------------------------------------------------------------------------------------


def keep(
    store: Store, name: str, text: str, configs: list[Config], values: Json, reference: Json | None, edges: Iterable[tuple[Thing, str]] = ()
) -> Thing:
    """The version of a suite: the latest where nothing is different. Its file is written first, so that the file holds."""
    digest = _digest(text, configs, reference)
    if store.readonly:
        store.room()  # says that nothing can be written
    path = file_of(store, name)
    if path is not None:
        shown = {name: value for name, value in values.items() if name not in _private(store, configs)}
        _write(store, path, _head(values, shown, reference if _drifts(configs) else None, digest) + text + "\n")
    return _add(store, name, text, configs, values, reference, digest, path, edges)


def _digest(text: str, configs: list[Config], reference: Json | None) -> str:
    facts = [text, [c.to_json() for c in configs], reference if _drifts(configs) else None]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _add(
    store: Store, name: str, text: str, configs: list[Config], values: Json, reference: Json | None, digest: str, path: Path | None,
    edges: Iterable[tuple[Thing, str]] = (),
) -> Thing:  # fmt: skip
    from nbml.validation.exchange import suite_json

    last = store.find("suite", name)
    file = _relative(store, path) if path is not None else None
    if last is not None and last.hash == digest:
        new = {key: value for key, value in (("reference", reference), ("file", file)) if value and last.body.get(key) != value}
        return store.update(last, new) if new and not store.readonly else last
    row = {"state": "idle", "figure": f"{len(configs)} expectation{'' if len(configs) == 1 else 's'}"}
    body: Json = {"text": text, "suite": suite_json(name, text, configs), "reference": reference, "values": values, "row": row}
    if file:
        body["file"] = file
    if store.readonly:  # it can be used, though it is not in the record
        return Thing(0, "suite", name, 1 if last is None else last.version + 1, digest, "idle", time.time(), body)
    return store.add("suite", name, body, hash=digest, state="idle", same=True, edges=edges)


def _private(store: Store, configs: Iterable[Config]) -> set[str]:
    """Names that ``var`` reads for a private column: what may be values of it are in no file."""
    private = settings.load(store.root)["data.private"]
    texts = [str(one["meta"]["nbml"]["text"]) for one in map(Config.to_json, configs) if is_private(one, private)]
    return {name for text in texts for name in re.findall(r"""\bvar\(\s*["'](.*?)["']""", text)}


def _drifts(configs: Iterable[Config]) -> list[Config]:
    return [config for config in configs if drift_word(config.type)]


def pinned(configs: Iterable[Config], reference: Json | None) -> None:
    """Say in drift expectations which frame they are measured against."""
    for config in _drifts(configs):
        if reference is not None:
            config.kwargs["reference"] = reference["blob"]


def find(store: Store, ref: str) -> Thing | None:
    """The suite ``name@n`` of the record, or the latest of ``name``: its file's, where suites are in files."""
    name, version = split_ref(ref)
    path = file_of(store, name)
    thing = store.find("suite", ref)
    if path is None or version is not None:
        return thing
    if path.is_file():
        return _read(store, name, path, thing)
    if path.exists():
        raise errors.BadInput(f"{_relative(store, path)} is no file")
    return None if thing is not None and _is_gone(store, thing) else thing


def removed(store: Store, name: str) -> Thing | None:
    """The last version of a suite whose file was taken away."""
    thing = store.find("suite", name)
    return thing if thing is not None and _is_gone(store, thing) else None


def latest(store: Store) -> list[Thing]:
    """The latest version of each suite in the record, without those whose file was taken away; no file is read, and a fault
    of the settings is told elsewhere."""
    try:
        return [thing for thing in store.latest("suite") if not _is_gone(store, thing)]
    except errors.NbmlError:
        return store.latest("suite")


def unread(store: Store) -> list[str]:
    """Names of suites that are in files and not in the record yet, as in a fresh copy of the project; no file is read."""
    try:
        folder = file_of(store, "any")
        found = sorted(folder.parent.glob(f"*{END}")) if folder is not None else []
    except (errors.NbmlError, OSError):
        return []
    known = {thing.name for thing in latest(store)}
    return [path.stem for path in found if NAME.fullmatch(path.stem) and path.stem not in known]


def absent(store: Store, thing: Thing) -> str:
    """The reference that a suite's file names, where this record does not hold it; "" where the file names none."""
    path = store.root / str(thing.body.get("file") or FOLDER)
    head = HEAD.match(_text(store, path)) if path.is_file() else None
    found = REFERENCE.search(head["what"]) if head is not None else None
    return f"the{found[0][1:]} that {thing.body['file']} names is not in this project's record" if found is not None else ""


def _is_gone(store: Store, thing: Thing) -> bool:
    path = file_of(store, thing.name)
    return path is not None and thing.body.get("file") == _relative(store, path) and not path.exists()


# -- files ----------------------------------------------------------------------------------------------------


def file_of(store: Store, name: str) -> Path | None:
    """Where a suite's file lies; None where suites are in the record only. Raises errors.BadArgument, errors.BadInput."""
    asked = settings.load(store.root)["validation.suites"]
    if not asked:
        return None
    root, said = store.root.resolve(), Path(asked)
    folder = (root / said).resolve()
    if said.is_absolute() or not folder.is_relative_to(root) or folder.is_relative_to(root / FOLDER):
        raise errors.BadArgument(f"{FILE}: validation.suites = {asked!r}: a folder inside the project is needed", next=SHOW)
    path = root / said / f"{check_name(name)}{END}"
    if not path.resolve().is_relative_to(root):
        raise errors.BadInput(f"{_relative(store, path)} leads out of the project")
    return path


def _relative(store: Store, path: Path) -> str:
    return Path(os.path.normpath(path)).relative_to(store.root.resolve()).as_posix()


def _head(values: Json, shown: Json, reference: Json | None, digest: str) -> str:
    kept = [f"var({_said(name)})" for name in sorted(values)]
    kept += [f"a reference of {reference['rows']:,} rows"] if reference else []
    lines = "".join(f"# nbml var({_said(name)}) = {_said(shown[name])}\n" for name in sorted(shown))
    return f"# nbml keeps {', '.join(kept)}: {digest[:16]}\n{lines}" if kept else ""


def _said(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _values(file: str, head: re.Match[str] | None) -> Json:
    """The values of ``var`` that a file says."""
    found: Json = {}
    for line, text in enumerate(head["values"].splitlines() if head is not None else (), 2):
        said = VALUE.fullmatch(text)
        try:
            if said is None:
                raise ValueError(text)
            found[json.loads(said["name"])] = json.loads(said["value"])
        except ValueError as error:
            message = f"{file}: line {line}, column 1: no value of a var: after = stands a number, a text or a list, as in JSON"
            raise errors.BadExpectation(message, line=line, column=1) from error
    return found


def _read(store: Store, name: str, path: Path, last: Thing | None) -> Thing:
    """The version that a file is; made where the latest is another one."""
    file, whole = _relative(store, path), _text(store, path)
    head, text = HEAD.match(whole), level(whole)
    source = last
    if head is not None and not (last is not None and last.hash.startswith(head["hash"])):
        source = next((t for t in reversed(store.versions("suite", name)) if t.hash.startswith(head["hash"])), last)
    same = source is not None and last is not None and source.id == last.id
    said, known = _values(file, head), source.body.get("values", {}) if source is not None else {}
    changed = any(key not in known or known[key] != value for key, value in said.items())
    if same and last is not None and last.body["text"] == text and last.body.get("file") == file and not changed:
        return last
    used = Frozen({**known, **said})
    configs = _parsed(file, whole, text, used)
    reference = source.body.get("reference") if source is not None else None
    pinned(configs, reference)
    return _add(store, name, text, configs, used.read, reference, _digest(text, configs, reference), path)


def _parsed(file: str, whole: str, text: str, values: Frozen) -> list[Config]:
    """The expectations of a file; an error names its line and column there."""
    kept = f"among the values that are kept with {file}"
    try:
        found = parse(text, values, (), kept)
    except errors.BadExpectation:
        try:
            parse(whole, values, (), kept)
        except errors.BadExpectation as error:
            message = f"{file}: {error.message}"
            raise errors.BadExpectation(message, line=error.line, column=error.column, next=error.next) from error
        raise
    if not found:
        raise errors.BadExpectation(f"{file}: a suite needs at least one expectation", next="rows >= 1")
    return found


def _text(store: Store, path: Path) -> str:
    content = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, column = before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1
        message = f"{_relative(store, path)}: line {line}, column {column}: not a text in UTF-8"
        raise errors.BadExpectation(message, line=line, column=column) from error


def _write(store: Store, path: Path, content: str) -> None:
    """Whole or not at all; nothing where it is there already."""
    target = path.resolve()
    try:
        if target.is_file() and target.read_bytes() == content.encode():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        try:
            with part.open("x", encoding="utf-8", newline="\n") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise errors.StoreError(f"{_relative(store, path)} cannot be written: {error.strerror or error}") from error
