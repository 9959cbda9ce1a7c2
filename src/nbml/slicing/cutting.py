"""Cutting a name out of a notebook: each name that is needed is resolved by its live value."""

from __future__ import annotations

import ast
import builtins
import hashlib
import importlib
import keyword
import sys
import types
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from nbml import errors
from nbml.slicing import constants, objects, program, risks
from nbml.slicing import statements as texts
from nbml.slicing.belongings import Belongings
from nbml.slicing.definitions import Definitions
from nbml.slicing.imports import Imports
from nbml.slicing.program import Part
from nbml.slicing.recorder import Recorder
from nbml.slicing.sources import Sources
from nbml.slicing.values import Artifact, Slice

#: artifacts above this are told of
LARGE = 50_000_000
_MISSING = object()


class Shared(Exception):  # noqa: N818 - not an error: the cut begins again, knowing that two definitions share one container
    """A container that is needed in two places and must have a name of its own."""


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
    ) -> None:
        self.names, self.module, self.allow = names, module, set(allow)
        self.sources = Sources(record)
        self.statements = texts.Statements(_statements(record))
        self.imports = Imports()
        self.belongings = Belongings(module, folders)
        self.parts: dict[str, Part] = {}
        self.artifacts: dict[str, Any] = {}
        #: what a name of the module stands for, where it is a name of the notebook
        self.values: dict[str, Any] = {}
        #: id of an object -> the name that the module gives it
        self.known: dict[int, str] = {}
        self.warnings: dict[str, None] = {}
        self.folders = folders
        self._kept: list[Any] = []  # an id is only good while its object lives
        self._hidden: Mapping[str, Any] = getattr(getattr(record, "shell", None), "user_ns_hidden", {})
        self._defining: list[Any] = []
        self.shared = shared
        self._inline: set[int] = set()
        self.definitions = Definitions(self)
        self.writer = constants.Writer(self.name_of_module, self.expression_of)

    # -- names -------------------------------------------------------------------------------------------------

    def need(self, name: str, why: str, scope: Mapping[str, Any] | None = None) -> None:
        """See to it that the module has a name that the notebook has. Raises errors.SliceRefused."""
        names = self.names if scope is None or name not in scope else scope
        if name in self.values and name in names and not _alike(self.values[name], names[name]):
            raise errors.SliceRefused(f"the name {name} stands for two different values; {why} needs both: rename one")
        if name in self.parts or name in self.imports:
            return
        if risks.notebook_only(name) and (name not in names or name in risks.NOTEBOOK_ONLY):
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
        if self._import(name, value, why) or self._environment(name, value) or self.definitions.named(name, value, why):
            return
        other = self.known.get(id(value))
        if other is not None and not isinstance(value, constants._ATOMS):
            if other != name:
                self.add(Part(name, f"{name} = {other}", "", self._order(name)), name)
            return
        if not self._constant(name, value):
            self.artifact(name, value, why)

    def add(self, part: Part, why: str, scope: Mapping[str, Any] | None = None) -> None:
        """Take a part into the module, and what it reads."""
        self.parts[part.name] = part
        found = part.reads = texts.reads(part.text, future=part.future)
        for name in sorted(found.now | found.later):
            self.need(name, why, scope)
        for name in sorted(texts.annotations(part.text) - found.now - found.later):
            if name in self.names and name not in self.parts:
                self.need(name, why, scope)
        for name in sorted(found.written & (found.now | found.later)):
            self.warn(f"{part.name} changes the global {name}: each process of a service has its own")
        for node in ast.walk(ast.parse(part.text)):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    self.belongings.note(alias.name, why)
            elif isinstance(node, ast.ImportFrom) and node.module:
                self.belongings.note(node.module, why)

    def warn(self, text: str) -> None:
        self.warnings[text] = None

    def free(self, base: str) -> str:
        """A name that nothing has, like ``base``."""
        stem = "_" + base.strip("_<>")
        taken = {*self.parts, *self.names, *self.imports.by_name, *self.values}
        return next(name for number in range(1, 10_000) if (name := f"{stem}_{number}") not in taken)

    def names_of(self, value: Any) -> list[str]:
        """The notebook's own names for an object."""
        found = [name for name, known in self.names.items() if known is value and not name.startswith("_")]
        return [name for name in found if self._hidden.get(name, _MISSING) is not value]

    # -- imports -----------------------------------------------------------------------------------------------

    def _import(self, name: str, value: Any, why: str) -> bool:
        """Whether the name is had by an import; if so, it is taken in."""
        if isinstance(value, types.ModuleType):
            if value.__name__ == "__main__":
                raise errors.SliceRefused(f"{why} uses {name}, the notebook itself as a module")
            self.belongings.note(value.__name__, why)
            self.imports.module(name, value.__name__)
            return True
        for _, node in self.statements.imports():
            if isinstance(node, ast.ImportFrom) and node.module and not node.level and node.module != "__future__":
                for alias in node.names:
                    attribute = name if alias.name == "*" else alias.name
                    if (alias.asname or attribute) == name and _attribute(node.module, attribute) is value:
                        return self._from(name, node.module, attribute, why)
        home = public_home(value)
        if home is not None and (self.statements.last(name) is None or callable(value)):
            return self._from(name, *home, why)
        return False

    def _from(self, name: str, module: str, attribute: str, why: str) -> bool:
        self.belongings.note(module, why)
        if module in sys.modules and isinstance(getattr(sys.modules[module], attribute, None), types.ModuleType):
            self.belongings.note(getattr(sys.modules[module], attribute).__name__, why)
        if "." in attribute:
            head = attribute.partition(".")[0]
            known = self.free(head)
            self.imports.attribute(known, module, head)
            self.parts[name] = Part(name, f"{name} = {known}{attribute[len(head):]}", "", self._order(name))
            self.parts[name].reads = texts.reads(self.parts[name].text)
        else:
            self.imports.attribute(name, module, attribute)
        return True

    def name_of_module(self, module: str) -> str:
        """The name by which the written module knows a module; imports it."""
        loaded = importlib.import_module(module)
        for name in self.names_of(loaded):
            self.need(name, module)
            return name
        top = module.partition(".")[0]
        name = top if top not in self.names and top not in self.parts else f"_{top}"
        if name not in self.imports:
            self.belongings.note(module, module)
            self.imports.module(name, module)
        return name

    def expression_of(self, value: Any) -> str | None:
        """An expression for a value that is no plain one: something of the notebook, or something importable."""
        if id(value) in self.known:
            return self.known[id(value)]
        if isinstance(value, types.MethodType):
            owner = self.expression_of(value.__self__)
            return None if owner is None else f"{owner}.{value.__name__}"
        if any(value is one for one in self._defining):
            return None
        if isinstance(value, types.ModuleType):
            return self.name_of_module(value.__name__)
        for name in self.names_of(value):
            self.need(name, name)
            return name
        if objects.homeless(value):
            return self.definitions.code(value, "a value")
        if getattr(builtins, getattr(value, "__name__", ""), None) is value and value.__name__ not in self.names:
            return str(value.__name__)
        home = public_home(value)
        if home is None:
            return None
        if self.names_of(sys.modules[home[0]]) or home[1].partition(".")[0] in {*self.names, *self.parts}:
            return f"{self.name_of_module(home[0])}.{home[1]}"
        self._from(home[1].partition(".")[0], home[0], home[1].partition(".")[0], "a value")
        return home[1]

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
            self._defining.append(value)
            expression = self.writer.expression(value, len(name) + 3)
            self._defining.pop()
            text = None if expression is None else f"{name} = {expression}"
        if text is None:
            return False
        if risks.secret(name, value) and name not in self.allow:
            raise risks.refuse_secret(name, self._reason(name))
        if self.statements.changed(name):
            self.warn(f"{name} was changed after it was made; its value now is kept: {constants.literal_text(value)}")
        self.add(Part(name, text, statement.label if statement else "", self._order(name)), name)
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
                return str(self.expression_of(value))
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
        part = Part(name, "", statement.label if statement else "", statement.order if statement else self._order(name), artifact=True)
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
            objects.walk(value, visit)
        except errors.SliceRefused:
            raise
        except Exception as error:  # pickling runs any code
            raise objects.refuse(value, name, why, error) from error

    def _order(self, name: str) -> tuple[int, int]:
        statement = self.statements.last(name)
        return statement.order if statement else (1_000_000, len(self.parts))

    # -- the end -----------------------------------------------------------------------------------------------

    def finish(self, names: Collection[str], title: str) -> Slice:
        """Write artifacts and module."""
        artifacts = {name: self._artifact(name) for name in self.artifacts}
        for part in self.parts.values():
            used = {n for n in part.reads.now | part.reads.later | texts.annotations(part.text)} if part.text else set()
            part.holds |= {n for n in used if part.artifact}
        loader = "_artifact" if "_artifact" not in self.names else self.free("artifact")
        for name, artifact in artifacts.items():
            self.parts[name].text = f'{name} = {loader}("{artifact.path}", "{artifact.sha256}")'
        self._finish_imports(names)
        source = program.module(
            title, self.imports, program.ordered(self.parts), future=any(part.future for part in self.parts.values()), loader=loader if artifacts else "",
            local={path.partition("/")[0].removesuffix(".py") for path in self.belongings.files},
        )  # fmt: skip
        tree = ast.parse(source)
        self._check(tree)
        warnings = (*self.warnings, *self.belongings.warnings)
        environment = tuple(sorted(risks.environment(tree)))
        return Slice(
            next(iter(names)), self.module, source, artifacts, self.belongings.requirements, warnings, dict(self.belongings.files), environment
        )

    def _artifact(self, name: str) -> Artifact:
        value = self.artifacts[name]
        try:
            content = objects.dump(value, self.module, self.definitions.home, self.definitions.owner, name)
        except errors.SliceRefused:
            raise
        except Exception as error:  # pickling runs any code
            raise objects.refuse(value, name, name, error) from error
        for module, _ in objects.names_in(content):
            self.belongings.note(module, name)
        if len(content) > LARGE:
            self.warn(f"{name} is an artifact of {len(content) / 1e6:,.0f} MB")
        digest = hashlib.sha256(content).hexdigest()
        return Artifact(f"artifacts/{name.strip('_')}.pkl", content, digest, "pickle")

    def _finish_imports(self, targets: Collection[str]) -> None:
        """Only the imports that are read; submodules that are reached through their package, where the notebook imported them."""
        used: set[str] = set(targets)
        chains: set[tuple[str, ...]] = set()
        for part in self.parts.values():
            used |= part.reads.now | part.reads.later | texts.annotations(part.text)
            chains |= texts.chains(part.text)
        self.imports.keep(used)
        mentioned = {name for _, node in self.statements.imports() for name in _mentioned(node)}
        for name, found in list(self.imports.by_name.items()):
            for chain in chains:
                for end in range(2, len(chain) + 1):
                    submodule = ".".join([found.module, *chain[1:end]])
                    if chain[0] == name and not found.attribute and submodule in mentioned and submodule in sys.modules:
                        self.imports.submodules.add(submodule)
        for module in self.imports.modules():
            self.belongings.note(module, "an import")

    def _check(self, tree: ast.Module) -> None:
        """No secret, and no file that is only beside the notebook."""
        for name in risks.secrets(tree):
            if name not in self.allow:
                raise risks.refuse_secret(name, "the slice")
        for path in risks.files_read(tree, Path.cwd()):
            raise errors.SliceRefused(f"a function reads the file {path!r}, which does not travel; read it in a cell and use the value")


def _statements(record: Recorder | None) -> list[texts.Statement]:
    if record is not None:
        return list(texts.of_cells(record.cells))
    path = getattr(sys.modules["__main__"], "__file__", None)
    if not path or not Path(path).is_file():
        return []
    return list(texts.of_file(Path(path).read_text(encoding="utf-8"), Path(path).name, 0))


def _attribute(module: str, attribute: str) -> Any:
    loaded = sys.modules.get(module)
    return _MISSING if loaded is None else getattr(loaded, attribute, sys.modules.get(f"{module}.{attribute}", _MISSING))


def public_home(value: Any) -> tuple[str, str] | None:
    """Module and dotted name under which a function or class can be imported; the shortest public module that has it."""
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    module = getattr(value, "__module__", None)
    if isinstance(value, types.ModuleType) or not isinstance(name, str) or "<" in name:
        return None
    if not isinstance(module, str):  # a ufunc of numpy says no module
        module = "numpy" if type(value).__module__ == "numpy" else None
    if module is None or module == "__main__" or not all(map(_usable, name.split("."))):
        return None
    pieces = module.split(".")
    for end in range(1, len(pieces) + 1):
        if not any(piece.startswith("_") for piece in pieces[:end]) or end == len(pieces):
            found: Any = sys.modules.get(".".join(pieces[:end]))
            for part in name.split("."):
                found = getattr(found, part, None)
            if found is value:
                return ".".join(pieces[:end]), name
    return None


def _usable(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name)


def _assigned(statement: texts.Statement | None, name: str) -> ast.expr | None:
    """The expression of a plain assignment to one name."""
    node = statement.node if statement else None
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name:
        return node.value
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
        return node.value
    return None


def _mentioned(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]


def _alike(one: Any, other: Any) -> bool:
    return one is other or (isinstance(one, constants._ATOMS) and constants.equal(one, other))
