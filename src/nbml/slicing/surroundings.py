"""What statements find beside names: the environment, the working folder, the search path of modules, switches of libraries."""

from __future__ import annotations

import ast
import os
import re
import sys
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nbml.slicing import texts
from nbml.slicing.digests import short
from nbml.slicing.events import Digest, Place
from nbml.slicing.places import in_project

if TYPE_CHECKING:
    from nbml.slicing.texts import Text

_SWITCHES = re.compile(
    r"\b(set_printoptions|set_option|reset_option|options\.\w|set_config|seterr|setlocale|tzset|set_default_dtype|setcontext|prec\b)"
)
_SHOWS = re.compile(r"set_printoptions|display\.")
#: what makes texts of values
_TEXTS = frozenset({"str", "repr", "format", "to_string", "to_html", "to_latex", "to_markdown", "array2string", "array_repr", "array_str"})
CWD: Place = ("cwd", "")
PATH: Place = ("path", "")


def environment(key: str) -> bytes | None:
    """A digest of an environment variable as it is now."""
    value = os.environ.get(key)
    return None if value is None else short(value.encode("utf-8", "surrogateescape"))


def folder() -> bytes:
    return short(os.getcwd().encode("utf-8", "surrogateescape"))  # noqa: PTH109


def path() -> bytes:
    return short("\n".join(map(str, sys.path)).encode("utf-8", "surrogateescape"))


@dataclass
class Surroundings:
    """What they were when the last statement ended."""

    variables: dict[Any, Any] = field(default_factory=dict)
    cwd: str = ""
    path: list[str] = field(default_factory=list)
    #: library (with ":shown" for how it shows) -> digest of what set its switches; of the changed ones only
    switches: dict[str, bytes] = field(default_factory=dict)

    def note(self) -> None:
        """They are as they should be."""
        self.variables = dict(_variables())
        self.cwd, self.path = os.getcwd(), list(sys.path)  # noqa: PTH109

    def changed(self) -> dict[Place, Digest]:
        """What a statement changed of them."""
        found: dict[Place, Digest] = {}
        now = _variables()
        if now != self.variables:
            keys = {key for key in {*now, *self.variables} if now.get(key) != self.variables.get(key)}
            found |= {("env", os.fsdecode(key)): environment(os.fsdecode(key)) for key in keys}
        if os.getcwd() != self.cwd:  # noqa: PTH109
            found[CWD] = folder()
        if sys.path != self.path:
            found[PATH] = path()
        if found:
            self.note()
        return found

    def switched(self, text: Text, source: str, namespace: Mapping[str, Any]) -> dict[Place, Digest]:
        """The switches that a statement sets, by its text."""
        if isinstance(text.node, (*texts.FUNCTIONS, ast.ClassDef, ast.With)):
            return {}
        targets = [target for target in getattr(text.node, "targets", ()) if isinstance(target, ast.Attribute)]
        patched = {name for target in targets for name in _library(target, namespace)}
        if not _SWITCHES.search(source) and not patched:
            return {}
        found: dict[Place, Digest] = {}
        for name in patched or text.reads:
            library = library_of(namespace.get(name))
            if library in ("builtins", "", "__main__"):
                continue
            key = f"{library}:shown" if _SHOWS.search(source) else library
            self.switches[key] = found["switch", key] = short(self.switches.get(key, b"") + source.encode())
        return found

    def read(self, text: Text, names: Iterable[str], namespace: Mapping[str, Any]) -> dict[Place, Digest]:
        """The switches that may have a part in what a statement does."""
        if not self.switches:
            return {}
        used = {library_of(namespace.get(name)) for name in names}
        shows = bool(text.calls & _TEXTS) or any(isinstance(node, ast.JoinedStr) for node in ast.walk(text.node))
        return {("switch", key): digest for key, digest in self.switches.items() if (shows if key.endswith(":shown") else key in used)}


def _library(target: ast.AST, namespace: Mapping[str, Any]) -> list[str]:
    """The name of a library's module or class on which an attribute is set."""
    while isinstance(target, (ast.Attribute, ast.Subscript)):
        target = target.value
    name = target.id if isinstance(target, ast.Name) else ""
    value = namespace.get(name)
    home = sys.modules.get(home_of(value))
    outside = home is not None and home.__name__ != "__main__" and not in_project(getattr(home, "__file__", None) or "")
    return [name] if outside and issubclass(type(value), (types.ModuleType, type)) else []


def _variables() -> Any:
    return getattr(os.environ, "_data", None) or {}


def library_of(value: object) -> str:
    """The library of a module, function, class or object."""
    return home_of(value).partition(".")[0]


def home_of(value: object) -> str:
    """The module of a module, function, class or object; asks nothing of objects that may have code of their own."""
    kind = type(value)
    if issubclass(kind, types.ModuleType):
        return value.__name__  # type: ignore[attr-defined]
    own = issubclass(kind, (types.FunctionType, types.BuiltinFunctionType, type)) or kind.__module__ == "functools"
    return str((getattr(value, "__module__", None) if own else kind.__module__) or "")
