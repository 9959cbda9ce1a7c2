"""Functions that were made inside a function, and what they have from there: as factories that are called once."""

from __future__ import annotations

import dis
import types
from collections.abc import Collection
from typing import TYPE_CHECKING

from nbml import errors
from nbml.slicing import program, risks
from nbml.slicing import sources as origin
from nbml.slicing import statements as texts
from nbml.slicing.program import Part
from nbml.slicing.sources import Found

if TYPE_CHECKING:
    from nbml.slicing.definitions import Definitions


class Together(Exception):
    """Functions that share a variable which one of them assigns, or that need each other: the cut begins again, knowing them."""


def joined(groups: list[list[types.FunctionType]], found: Collection[types.FunctionType]) -> list[list[types.FunctionType]]:
    """The groups with one more; groups that share a function become one."""
    new, apart = list(found), []
    for group in groups:
        if any(one is other for one in group for other in new):
            new += [one for one in group if not any(one is other for other in new)]
        else:
            apart.append(group)
    return [*apart, new]


class Closures:
    """Writes functions with what they have from the functions around them."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions, self.cut = definitions, definitions.cut
        #: id of a variable's cell -> who uses it
        self._users: dict[int, object] = {}
        self._writing: list[types.FunctionType] = []

    def group(self, value: types.FunctionType) -> list[types.FunctionType]:
        """The functions that must be written with one."""
        return next((group for group in self.cut.together if any(value is one for one in group)), [])

    def alone(self, value: types.FunctionType, text: str, name: str) -> str:
        """A factory of one function. A lambda has a name in it where it calls itself."""
        called = value.__code__.co_name
        if called == "<lambda>":
            cells = zip(value.__code__.co_freevars, value.__closure__ or (), strict=True)
            called = next((variable for variable, cell in cells if _content(cell) is value), "")
            text = f"{called} = {text}" if called else text
        return program.factory(name, self._variables(value, name, {id(value): called}), text, called or text)

    def write(self, group: list[types.FunctionType], why: str) -> None:
        """Take functions in that one factory makes."""
        found = {id(one): self.definitions.found(one, why) for one in group}
        group = sorted(group, key=lambda one: (found[id(one)].order, found[id(one)].node.col_offset))
        names: dict[int, str] = {}
        for one in group:
            names[id(one)] = self._name(one, found[id(one)])
            self.definitions.settle(one, names[id(one)])
            self.cut.parts[names[id(one)]] = Part(names[id(one)], "", found[id(one)].label, found[id(one)].order)
        plain = [one.__code__.co_name for one in group]
        inside = {id(one): n if n.isidentifier() and plain.count(n) == 1 else names[id(one)] for one, n in zip(group, plain, strict=True)}
        variables: dict[str, str] = {}
        cells: dict[str, types.CellType] = {}
        inner, extra = [], ""
        for one in group:
            for variable, cell in zip(one.__code__.co_freevars, one.__closure__ or (), strict=True):
                if cells.setdefault(variable, cell) is not cell:
                    raise errors.SliceRefused(f"{names[id(one)]} uses another {variable} than the functions that it was made with")
            variables |= self._variables(one, names[id(one)], inside)
            text = self.definitions.inner(one, found[id(one)], names[id(one)], inside[id(one)])
            inner.append(f"{inside[id(one)]} = {text}" if one.__code__.co_name == "<lambda>" else text)
            extra += self.definitions.attributes(one, names[id(one)])
        all_names, first = [names[id(one)] for one in group], found[id(group[0])]
        text = program.factory(", ".join(all_names), variables, "\n\n".join(inner), ", ".join(inside.values()))
        part = Part(all_names[0], text + extra, first.label, first.order)
        for one in group:
            self.definitions.verify(part, one, why)
        self.definitions.take(part, group[0], group[0].__globals__)
        for name in all_names[1:]:
            self.cut.parts[name].reads = texts.reads(all_names[0])

    def _name(self, value: types.FunctionType, found: Found) -> str:
        names = self.cut.names_of(value)
        return names[0] if names else self.definitions.name(value, found, "", value.__globals__)[0]

    def _variables(self, value: types.FunctionType, name: str, inside: dict[int, str]) -> dict[str, str]:
        """What the functions around a function gave it; ``inside`` are the functions that the factory makes, and their names there."""
        variables: dict[str, str] = {}
        self._writing.append(value)
        for variable, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=True):
            try:
                content = cell.cell_contents
            except ValueError:
                raise errors.SliceRefused(f"{name} uses {variable}, which the function around it never set") from None
            if inside.get(id(content)) == variable:
                continue
            if id(content) in inside or variable == "__class__":
                raise errors.SliceRefused(f"{name} uses {variable} of the code around it in a way that cannot be taken out of it")
            if isinstance(content, types.FunctionType) and any(content is one for one in self._writing):
                raise Together(self._writing[next(n for n, one in enumerate(self._writing) if one is content) :])
            self.used(cell, value, variable)
            if variable in stored(value.__code__):
                self.cut.warn(f"{name} changes {variable} of the function around it: each process of a service has its own")
            if risks.secret(variable, content) and variable not in self.cut.allow:
                raise risks.refuse_secret(variable, name)
            variables[variable] = self.cut.value(content, f"{name}_{variable}", name)
        self._writing.pop()
        return variables

    def used(self, cell: types.CellType, user: types.FunctionType | type, variable: str) -> None:
        """Hear of a variable's use. Raises Together for functions that share one that is assigned; a class among them is refused."""
        other = self._users.setdefault(id(cell), user)
        if other is user or not (_assigns(user, cell) or _assigns(other, cell)):
            return
        if not isinstance(user, types.FunctionType) or not isinstance(other, types.FunctionType):
            names = f"{getattr(other, '__name__', other)} and {user.__name__}"
            raise errors.SliceRefused(f"{names} share an assigned {variable} of the function around them; keep it in an object of both")
        if not any(user is one for one in self.group(other)):
            raise Together((other, user))


def _content(cell: types.CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _assigns(user: object, cell: types.CellType) -> bool:
    members = vars(user).values() if isinstance(user, type) else (user,)
    for function in filter(None, map(origin.underlying, members)):
        used = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        if any(one is cell and variable in stored(function.__code__) for variable, one in used):
            return True
    return False


def stored(code: types.CodeType) -> set[str]:
    """The variables of functions around it that a function assigns."""
    found: set[str] = set()
    for inner in origin.codes(code):
        found |= {i.argval for i in dis.get_instructions(inner) if i.opname == "STORE_DEREF" and i.argval in inner.co_freevars}
    return found
