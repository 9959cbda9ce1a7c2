"""The program that recreates a name of the notebook: ``slice``; and ``cut``, from which packages are made."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import types
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbml import errors
from nbml.slicing import recorder
from nbml.store.advice import fit

if TYPE_CHECKING:
    from nbml.slicing.recipes import recipe, recipe_of
    from nbml.slicing.replayable import Input, Recipe
    from nbml.slicing.values import Artifact, Slice
    from nbml.slicing.watching import Seen

__all__ = ["Artifact", "Input", "Recipe", "Slice", "cut", "recipe", "recipe_of", "slice"]

#: what is loaded at its first use -> where it lives
_HOMES = {
    "Slice": "values", "Artifact": "values", "Recipe": "replayable", "Input": "replayable", "recipe": "recipes", "recipe_of": "recipes",
}  # fmt: skip


def slice(name: str) -> Slice:
    """The program that recreates a name of the notebook, or ``module:attribute``, from its live value.

    Raises errors.UnknownName, and errors.SliceRefused naming what cannot leave the notebook.
    """
    module, colon, attribute = name.partition(":")
    if colon:
        value: Any = _imported(module)
        for part in attribute.split("."):
            value = getattr(value, part, None)
        if value is None:
            raise errors.UnknownName(f"no {attribute!r} in the module {module}")
        name = attribute.rpartition(".")[2]
    else:
        names = recorder.namespace()
        if name not in names:
            close = errors.nearest(name, [n for n in names if not n.startswith("_")])
            nearest = f"; nearest: {close}" if close else ""
            raise errors.UnknownName(f"no name {name!r} in the notebook{nearest}", next=f'nbml.slice("{close}")' if close else None)
        value = names[name]
    found = cut({name: value}, module=_free_module(name))
    return found if colon or not _serves(value) else replace(found, following=f"%nbml package {name} --name {fit(name)}")


def _serves(value: Any) -> bool:
    """Whether a value can be packaged: a model, or a function that answers for one argument."""
    if isinstance(value, types.FunctionType):
        return value.__name__.startswith("predict") or value.__code__.co_argcount == 1
    return not isinstance(value, (type, types.ModuleType)) and callable(getattr(value, "predict", None))


def cut(
    targets: Mapping[str, object],
    namespace: Mapping[str, Any] | None = None,
    *,
    module: str,
    allow_secret: Collection[str] = (),
    seen: Seen | None = None,
) -> Slice:
    """A module in which each target's name is bound to a value equal to the target.

    ``namespace`` is the notebook's unless given. A function or class comes as its source, a fitted object as an artifact, both
    with all that they need. The module works in a process without nbml, and names nothing of ``__main__``. ``seen`` is what the
    targets read when they were asked under ``watching.watching()``: files and environment variables that no text names. Raises
    errors.SliceRefused naming what cannot leave the notebook and what needs it.
    """
    from nbml.slicing.closures import Together, joined
    from nbml.slicing.cutting import Cutter, Shared
    from nbml.slicing.program import Circular

    if not targets or not module.isidentifier() or module == "__main__":
        raise errors.BadArgument(f"a module name and at least one target are needed, not {module!r} and {list(targets)}")
    names = recorder.namespace() if namespace is None else namespace
    shared: set[int] = set()
    refilled: set[str] = set()
    together: list[list[types.FunctionType]] = []
    while True:
        cutter = Cutter(names, recorder.reader(), module, _folders(), allow_secret, shared, refilled, together)
        cutter.seen = seen
        try:
            for name, value in targets.items():
                if name not in cutter.parts and name not in cutter.imports:
                    cutter.define(name, value, name)
                elif cutter.values.get(name) is not value:
                    raise errors.SliceRefused(f"the name {name} stands for two different values: rename the notebook's {name}")
        except Shared as found:
            shared.add(found.args[0])
            continue
        except Together as found:
            together = joined(together, found.args[0])
            continue
        try:
            return cutter.finish(list(targets), f"{' and '.join(targets)}, cut from a notebook by nbml.")
        except Circular as found:
            new = cutter.containers([found.name] if found.name else list(cutter.values)) - refilled
            if not new:
                raise
            refilled |= new


def _imported(module: str) -> Any:
    """A module of the project, which need not be on the path."""
    before = list(sys.path)
    sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise errors.UnknownName(f"no module {module!r}: {error}") from error
    finally:
        sys.path[:] = before


def _free_module(name: str) -> str:
    """The name itself as a module, where no other module has it."""
    found = name.strip("_").lower() or "sliced"
    try:
        taken = found in sys.modules or importlib.util.find_spec(found) is not None
    except (ImportError, ValueError):
        taken = True
    return f"{found}_slice" if taken else found


def _folders() -> list[Path]:
    """Where modules of the project lie: the project, the notebook's folder, the working folder, the program's folder."""
    from nbml.store import opened

    store = opened()
    found = [Path.cwd()] + ([store.root] if store is not None else [])
    notebook = os.environ.get("JPY_SESSION_NAME")
    program = getattr(sys.modules["__main__"], "__file__", None)
    found += [Path(path).resolve().parent for path in (notebook, program) if path]
    return [folder.resolve() for folder in dict.fromkeys(found)]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"nbml.slicing.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'nbml.slicing' has no attribute {name!r}")
