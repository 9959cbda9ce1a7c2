"""The import block of a written module."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

WIDTH = 100


@dataclass(frozen=True, order=True)
class Import:
    """``import module [as name]``, or ``from module import attribute [as name]``."""

    module: str
    attribute: str
    name: str

    @property
    def bound(self) -> str:
        """The name that it binds."""
        return self.name


@dataclass
class Imports:
    """The imports that a module needs. Each name is bound by one of them; submodules may be imported besides."""

    by_name: dict[str, Import] = field(default_factory=dict)
    submodules: set[str] = field(default_factory=set)

    def module(self, name: str, module: str) -> None:
        self.by_name[name] = Import(module, "", name)

    def attribute(self, name: str, module: str, attribute: str) -> None:
        self.by_name[name] = Import(module, attribute, name)

    def __contains__(self, name: object) -> bool:
        return name in self.by_name

    def modules(self) -> set[str]:
        return {found.module for found in self.by_name.values()} | self.submodules

    def keep(self, names: Iterable[str]) -> None:
        """Forget the imports whose names are not among these."""
        wanted = set(names)
        self.by_name = {name: found for name, found in self.by_name.items() if name in wanted}

    def lines(self, local: Callable[[str], bool]) -> list[str]:
        """Standard library, installed, local; in each ``import`` before ``from``; sorted."""
        plain: dict[str, set[str]] = {}
        members: dict[str, set[tuple[str, str]]] = {}
        for found in self.by_name.values():
            if found.attribute:
                members.setdefault(found.module, set()).add((found.attribute, found.name))
            elif found.name == found.module.partition(".")[0] and found.name != found.module:
                plain.setdefault(found.module, set()).add(f"import {found.module}")
            else:
                head, _, leaf = found.module.rpartition(".")
                alias = "" if found.name == found.module else f" as {found.name}"
                if head and leaf == found.name:
                    members.setdefault(head, set()).add((leaf, leaf))
                else:
                    plain.setdefault(found.module, set()).add(f"import {found.module}{alias}")
        for name in self.submodules:
            plain.setdefault(name, set()).add(f"import {name}")
        blocks: list[list[str]] = [[], [], []]
        for module in sorted(plain, key=_key):
            blocks[_block(module, local)] += sorted(plain[module])
        for module in sorted(members, key=_key):
            blocks[_block(module, local)] += _from(module, members[module])
        return "\n\n".join("\n".join(block) for block in blocks if block).split("\n") if any(blocks) else []


def _key(module: str) -> tuple[str, str]:
    return module.lower(), module


def _block(module: str, local: Callable[[str], bool]) -> int:
    top = module.partition(".")[0]
    return 0 if top in sys.stdlib_module_names else 2 if local(top) else 1


def _from(module: str, members: set[tuple[str, str]]) -> list[str]:
    ordered = sorted(members, key=lambda m: (m[0] != m[0].upper(), not m[0][:1].isupper(), m[0].lower()))
    renamed = [f"from {module} import {name} as {alias}" for name, alias in ordered if name != alias]
    plain = [name for name, alias in ordered if name == alias]
    line = f"from {module} import {', '.join(plain)}"
    if not plain or len(line) <= WIDTH:
        return ([line] if plain else []) + renamed
    return [f"from {module} import (", *(f"    {name}," for name in plain), ")", *renamed]
