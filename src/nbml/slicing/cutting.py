"""Cutting a name out of a notebook: each name that is needed is resolved by its live value."""

from __future__ import annotations

import ast
import builtins
import hashlib
import sys
import types
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from nbml import errors
from nbml.slicing import checks, constants, formats, objects, program, risks, switches, variables
from nbml.slicing import statements as texts
from nbml.slicing.belongings import Belongings
from nbml.slicing.carried import Carried
from nbml.slicing.definitions import Definitions
from nbml.slicing.homes import Homes, mentioned
from nbml.slicing.imports import Imports
from nbml.slicing.later import Later
from nbml.slicing.program import Part
from nbml.slicing.recorder import Recorder
from nbml.slicing.sources import Sources
from nbml.slicing.values import Artifact, Slice
from nbml.slicing.watching import Seen

#: artifacts above this are told of
LARGE = 50_000_000
_MISSING = object()


class Shared(Exception):
    """A container that is needed in two places and must have a name of its own: the cut begins again, knowing it."""


class Cutter:
    """One cut. ``names`` is the notebook's namespace, ``record`` its recorded cells, ``module`` the module to be written."""

    def __init__(
        self,
        names: Mapping[str, Any],
        record: Recorder | None,
        module: str,
        folders: list[Path],
        allow: Collection[str],
        shared: Collection[int] = (),
        refilled: Collection[str] = (),
        together: Collection[list[types.FunctionType]] = (),
    ) -> None:
        self.names, self.module, self.allow = names, module, set(allow)
        self.sources = Sources(record)
        self.statements = texts.Statements(_statements(record))
        self.imports = Imports()
        self.belongings = Belongings(module, folders)
        self.parts: dict[str, Part] = {}
        self.artifacts: dict[str, Any] = {}
        #: what follows the call that loads an artifact
        self.after: dict[str, str] = {}
        #: what a name of the module stands for, where it is a name of the notebook
        self.values: dict[str, Any] = {}
        #: id of an object -> the name that the module gives it
        self.known: dict[int, str] = {}
        self.warnings: dict[str, None] = {}
        self.folders = folders
        #: what the targets read when they were asked
        self.seen: Seen | None = None
        self._kept: list[Any] = []  # an id is only good while its object lives
        self._hidden: Mapping[str, Any] = getattr(getattr(record, "shell", None), "user_ns_hidden", {})
        self.defining: list[Any] = []
        self.shared, self.refilled, self.together = shared, refilled, together
        self._inline: set[int] = set()
        self.homes = Homes(self)
        self.later = Later(self)
        self.definitions = Definitions(self)
        self.writer = constants.Writer(self.homes.name_of_module, self.homes.expression)

    # -- names -------------------------------------------------------------------------------------------------

    def need(self, name: str, why: str, scope: Mapping[str, Any] | None = None) -> None:
        """See to it that the module has a name that the notebook has. Raises errors.SliceRefused."""
        if name in risks.OF_MODULES and self.statements.last(name) is None:
            return  # the module has its own
        names = self.names if scope is None or name not in scope else scope
        if name in self.values and name in names and not _alike(self.values[name], names[name]):
            raise errors.SliceRefused(f"the name {name} stands for two different values; {why} needs both: rename one")
        if name in self.parts or name in self.imports:
            return
        if risks.notebook_only(name, names.get(name), bound=self.statements.last(name) is not None):
            raise errors.SliceRefused(f"{why} uses {name}, which only a notebook has")
        if name not in names or (hasattr(builtins, name) and self._hidden.get(name, _MISSING) is names[name]):
            if hasattr(builtins, name) or name in risks.OF_MODULES:
                return
            raise errors.SliceRefused(f"{why} uses {name}, which is not defined in the notebook")
        self.define(name, names[name], why)

    def define(self, name: str, value: Any, why: str) -> None:
        """Bind ``name`` in the module to a live value."""
        self.values[name] = value
        self._kept.append(value)
        if self.homes.imported(name, value, why) or self._environment(name, value) or self.definitions.named(name, value, why):
            return
        other = self.known.get(id(value))
        if other is not None and not isinstance(value, constants._ATOMS):
            if other != name:
                self.add(Part(name, f"{name} = {other}", "", self.order(name)), name)
            return
        if not self._constant(name, value):
            self.artifact(name, value, why)

    def add(self, part: Part, why: str, scope: Mapping[str, Any] | None = None) -> None:
        """Take a part into the module, and what it reads."""
        self.parts[part.name] = part
        found = part.reads = texts.reads(part.text, future=part.future)
        for name in sorted(found.now | found.later):
            self.need(name, why, scope)
        for name in sorted(texts.hints(part.text) - found.now - found.later):
            if name in self.names and name not in self.parts:
                self.need(name, why, scope)
        for name in sorted(found.written & (found.now | found.later)):
            self.warn(f"{part.name} changes the global {name}: each process of a service has its own")
        tree = ast.parse(part.text)
        for imported, optional in texts.imported(tree):
            for module in mentioned(imported)[: None if isinstance(imported, ast.Import) else 1]:
                if module != "None" and not (optional and self.belongings.absent(module)):
                    self.belongings.note(module, why)
        for attribute, owner in self.statements.accessors().items():
            if any(isinstance(node, ast.Attribute) and node.attr == attribute for node in ast.walk(tree)) and owner in self.names:
                self.need(owner, why)

    def warn(self, text: str) -> None:
        self.warnings[text] = None

    def free(self, base: str) -> str:
        """A name that nothing has, like ``base``."""
        stem = "_" + base.strip("_<>")
        taken = {*self.parts, *self.names, *self.imports.by_name, *self.values}
        return next(name for number in range(1, 10_000) if (name := f"{stem}_{number}") not in taken)

    def containers(self, names: Collection[str]) -> set[str]:
        """Those of these names whose statement makes a container, in which the module has definitions of the notebook."""
        found = {name for name in names if isinstance(self.values.get(name), (list, dict, set)) and name in self.parts}
        return {name for name in found if _assigned(self.statements.last(name), name) is not None}

    def names_of(self, value: Any) -> list[str]:
        """The notebook's own names for an object."""
        found = [name for name, known in self.names.items() if known is value and not name.startswith("_")]
        return [name for name in found if self._hidden.get(name, _MISSING) is not value]

    # -- values ------------------------------------------------------------------------------------------------

    def _environment(self, name: str, value: Any) -> bool:
        """Keep the statement that reads an environment variable, not what was read."""
        statement = self.statements.last(name)
        node = _assigned(statement, name)
        if statement is None or node is None or not risks.only_environment(node):
            return False
        self.add(Part(name, statement.source, statement.label, statement.order), name)
        return True

    def _constant(self, name: str, value: Any) -> bool:
        """Write a plain value out, as the notebook has it where that gives the same value."""
        statement = self.statements.last(name)
        node = _assigned(statement, name)
        known, written = constants.literal(ast.unparse(node)) if node is not None else (False, None)
        if statement is not None and known and constants.equal(written, value):
            text: str | None = statement.source
        else:
            self.defining.append(value)
            expression = self.writer.expression(value, len(name) + 3)
            self.defining.pop()
            text = None if expression is None else f"{name} = {expression}"
        if text is None:
            return False
        if name in self.refilled and statement is not None and node is not None and isinstance(value, (list, dict, set)):
            self.later.refill(name, value, statement)
            return True
        if risks.secret(name, value) and name not in self.allow:
            raise risks.refuse_secret(name, self._reason(name))
        if self.statements.changed(name):
            now = text.partition(" = ")[2] or ast.unparse(ast.parse(text))
            self.warn(f"{name} was changed after it was made; its value now is kept: {constants.short(now)}")
        self.add(Part(name, text, statement.label if statement else "", self.order(name)), name)
        if not isinstance(value, constants._ATOMS):
            self.known[id(value)] = name
        return True

    def _reason(self, name: str) -> str:
        users = [part.name for part in self.parts.values() if name in part.reads.now | part.reads.later]
        return users[0] if users else "the slice"

    def value(self, value: Any, hint: str, why: str) -> str:
        """An expression for any value; what cannot be written out becomes a constant or artifact of its own."""
        if isinstance(value, (list, dict, set, bytearray)):
            if id(value) in self.known or self.names_of(value):
                return str(self.homes.expression(value))
            if id(value) in self.shared:
                name = self.free(hint)
                self.define(name, value, why)
                return name
            if id(value) in self._inline:
                raise Shared(id(value))
            self._inline.add(id(value))
        expression = self.writer.expression(value)
        if expression is not None:
            return expression
        name = self.free(hint)
        self.artifact(name, value, why)
        return name

    def artifact(self, name: str, value: Any, why: str) -> None:
        """A value that travels as a file, with what of the notebook it holds."""
        statement = self.statements.last(name) or next((self.statements.last(n) for n in self.names_of(value)), None)
        part = Part(name, "", statement.label if statement else "", statement.order if statement else self.order(name), artifact=True)
        self.parts[name], self.artifacts[name], self.known[id(value)] = part, value, name
        self._kept.append(value)

        def visit(found: Any) -> Any:
            if objects.homeless(found):
                part.holds.add(self.definitions.code(found, name).partition(".")[0])
                return str, ("",)
            for attribute in risks.state_secrets(found):
                if attribute not in self.allow:
                    raise risks.refuse_secret(f"{name}.{attribute}" if found is value else attribute, why)
            return NotImplemented

        try:
            visit(value if type(value) is dict else None)
            objects.walk(value, visit)
        except errors.SliceRefused:
            raise
        except Exception as error:  # pickling runs any code
            raise objects.refuse(value, name, why, error) from error

    def order(self, name: str) -> tuple[int, int]:
        statement = self.statements.last(name)
        return statement.order if statement else (1_000_000, len(self.parts))

    # -- the end -----------------------------------------------------------------------------------------------

    def finish(self, names: Collection[str], title: str) -> Slice:
        """Write artifacts and module."""
        artifacts = {name: self._artifact(name) for name in self.artifacts}
        call = "_artifact" if "_artifact" not in self.names else self.free("artifact")
        loader = program.loader(call, [a.format for a in artifacts.values()]) if artifacts else ""
        for name, artifact in artifacts.items():
            types = artifact.types if artifact.format in ("skops", "torch") else ()
            self.parts[name].text = program.load(name, call, artifact.path, artifact.sha256, types, self.after[name])
        self._finish_imports(names)
        parts = program.ordered(self.parts)
        local = {path.partition("/")[0].removesuffix(".py") for path in self.belongings.files}
        future = any(part.future for part in parts)
        source = program.module(title, self.imports, parts, future=future, loader=loader, local=local)
        checks.judge(self, names, ast.parse(source))
        read, carried = variables.of(self, source), Carried(self, self.seen)
        source = switches.put(self, carried.source(source))
        warnings = (*self.warnings, *self.belongings.warnings)
        files = dict(self.belongings.files)
        artifacts |= carried.artifacts
        return Slice(next(iter(names)), self.module, source, artifacts, self.belongings.requirements, warnings, files, read)

    def _artifact(self, name: str) -> Artifact:
        value = self.artifacts[name]
        try:
            found = formats.write(value, self.module, self.definitions.home, self.definitions.owner, name)
        except errors.SliceRefused:
            raise
        except Exception as error:  # pickling runs any code
            raise objects.refuse(value, name, name, error) from error
        for module in found.modules:
            self.belongings.note(module, name)
        if len(found.content) > LARGE:
            self.warn(f"{name} is an artifact of {len(found.content) / 1e6:,.0f} MB")
        self.after[name] = found.after
        path = f"artifacts/{name}{formats.SUFFIXES[found.format]}"
        return Artifact(path, found.content, hashlib.sha256(found.content).hexdigest(), found.format, found.why, found.types)

    def _finish_imports(self, targets: Collection[str]) -> None:
        """Only the imports that are read; submodules that are reached through their package, where the notebook imported them."""
        used: set[str] = set(targets)
        chains: set[tuple[str, ...]] = set()
        for part in self.parts.values():
            used |= part.reads.now | part.reads.later | texts.hints(part.text)
            chains |= texts.chains(part.text)
        self.imports.keep(used)
        known = {name for _, node in self.statements.imports() for name in mentioned(node)}
        for name, found in list(self.imports.by_name.items()):
            for chain in chains:
                for end in range(2, len(chain) + 1):
                    submodule = ".".join([found.module, *chain[1:end]])
                    if chain[0] == name and not found.attribute and submodule in known and submodule in sys.modules:
                        self.imports.submodules.add(submodule)
        for module in self.imports.modules():
            self.belongings.note(module, "an import")

    def _live(self, name: str) -> Any:
        """What a name of the module stands for in the notebook."""
        found = self.imports.by_name.get(name)
        if found is None:
            return self.values.get(name)
        module = sys.modules.get(found.module)
        return getattr(module, found.attribute, None) if found.attribute else module


def _statements(record: Recorder | None) -> list[texts.Statement]:
    if record is not None:
        return list(texts.of_cells(record.cells))
    path = getattr(sys.modules["__main__"], "__file__", None)
    if not path or not Path(path).is_file():
        return []
    return list(texts.of_file(Path(path).read_text(encoding="utf-8"), Path(path).name, 0))


def _assigned(statement: texts.Statement | None, name: str) -> ast.expr | None:
    """The expression of a plain assignment to one name."""
    node = statement.node if statement else None
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name:
        return node.value
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
        return node.value
    return None


def _alike(one: Any, other: Any) -> bool:
    return one is other or (isinstance(one, constants._ATOMS) and constants.equal(one, other))
