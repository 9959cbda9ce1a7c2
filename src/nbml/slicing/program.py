"""The text of a written module: its parts in an order in which they run, under the cells that they came from."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from nbml import errors
from nbml.slicing.formats import SUFFIXES
from nbml.slicing.imports import Imports
from nbml.slicing.statements import Reads, changes, indented, loaded

#: the function by which a written module loads its artifacts: its head, and for each format what gives the value
_LOADER = '''
def {name}(path, sha256{more}):
    """A value of the notebook; refused where its file is not the one that was written{rule}."""
{imports}

    content = (pathlib.Path(__file__).parent / path).read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(f"{{path}} is not the file that was written with this module")
'''.strip()
#: not pandas.read_parquet: of the threads that it starts one is sometimes still there when a short process ends, which then aborts
_PARQUET = """table = pyarrow.parquet.ParquetFile(io.BytesIO(content)).read(use_threads=False)
return table.to_pandas(use_threads=False)"""
#: format -> modules of the standard library, another module, the value
_LOADS = {
    "npy": (("io",), "numpy", "numpy.load(io.BytesIO(content), allow_pickle=False)"),
    "parquet": (("io",), "pyarrow.parquet", _PARQUET),
    "json": (("json",), "", "json.loads(content)"),
    "skops": ((), "skops.io", "skops.io.loads(content, trusted=list(types))"),
    "torch": (("importlib", "io"), "torch", """listed = []
for name in types:
    home, _, last = name.rpartition(".")
    listed.append((getattr(importlib.import_module(home), last), name))
with torch.serialization.safe_globals(listed):
    return torch.load(io.BytesIO(content), weights_only=True, map_location="cpu")"""),
    "pickle": (("pickle",), "", "pickle.loads(content)"),
}  # fmt: skip


def loader(name: str, formats: Iterable[str]) -> str:
    """The text of the function that loads artifacts of these formats."""
    wanted = set(formats)
    known = [(SUFFIXES[kind], *_LOADS[kind]) for kind in _LOADS if kind in wanted]
    imports = sorted({"hashlib", "pathlib"}.union(*(found[1] for found in known)))
    listed = bool(wanted & {"skops", "torch"})
    more, rule = (", types=()", ", or holds what is not of the listed types") if listed else ("", "")
    text = _LOADER.format(name=name, more=more, rule=rule, imports="\n".join(f"    import {module}" for module in imports))
    for ending, _, module, value in known:
        body = ([f"import {module}", ""] if module else []) + (value if "\n" in value else f"return {value}").splitlines()
        last = ending == known[-1][0]
        margin = "    " if last else "        "
        text += "\n" + ("" if last else f'    if path.endswith("{ending}"):\n') + "\n".join(margin + line if line else "" for line in body)
    return text


def load(name: str, call: str, path: str, sha256: str, types: Iterable[str], after: str) -> str:
    """The statement that binds ``name`` to an artifact."""
    listed = [f'"{found}"' for found in types]
    line = f'{name} = {call}("{path}", "{sha256}"' + (f", [{', '.join(listed)}]" if listed else "") + f"){after}"
    if len(line) <= 140 or not listed:
        return line
    inner = "".join(f"        {found},\n" for found in listed)
    return f'{name} = {call}(\n    "{path}",\n    "{sha256}",\n    [\n{inner}    ],\n){after}'


class Circular(errors.SliceRefused):
    """``name`` is needed, or changed, by what its own value needs; "" where several are in the ring."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


@dataclass
class Part:
    """One name of the module. ``holds`` are names that an artifact needs before it can be loaded, ``gains`` the parts that change it
    when it is there; ``future``: annotations are text."""

    name: str
    text: str
    label: str
    order: tuple[int, int]
    artifact: bool = False
    reads: Reads = field(default_factory=lambda: Reads(frozenset(), frozenset(), frozenset()))
    holds: set[str] = field(default_factory=set)
    gains: set[str] = field(default_factory=set)
    future: bool = False

    @property
    def block(self) -> bool:
        """Whether it is set off by two empty lines."""
        return self.text.startswith(("def ", "class ", "@", "async def "))


def ordered(parts: Mapping[str, Part]) -> list[Part]:
    """Parts after what they need when they run; else values before artifacts, and as the notebook ran them."""
    done: dict[str, Part] = {}

    def needs(part: Part) -> set[str]:
        """What must be there before: what it reads at once, and what functions that it may call then read in turn."""
        found: set[str] = set()
        waiting = [*part.reads.now, *part.holds]
        while waiting:
            name = waiting.pop()
            if name in parts and name not in found and name != part.name:
                found.add(name)
                waiting += [*parts[name].reads.now, *parts[name].reads.later, *parts[name].holds]
                # what a class is given may be this very object: Vector.ZERO = Vector(0)
                waiting += (gain for gain in parts[name].gains if part.artifact and part.name not in parts[gain].reads.now)
        return found

    def put(part: Part, above: frozenset[str]) -> None:
        if part.name in done or part.name in above:
            return
        for name in sorted(needs(part), key=lambda n: _rank(parts[n])):
            put(parts[name], above | {part.name})
        done[part.name] = part

    for part in sorted(parts.values(), key=_rank):
        put(part, frozenset())
    found = list(done.values())
    _check(found)
    return found


def _check(found: list[Part]) -> None:
    """What runs while the module loads finds what it needs, and leaves values alone. Raises Circular, or errors.SliceRefused."""
    place = {part.name: number for number, part in enumerate(found)}
    for part in found:
        for name in sorted((part.reads.now | part.holds) & place.keys()):
            if place[name] > place[part.name]:
                raise Circular("", f"{part.name} and {name} need each other when they are made; define one without the other")
        for caller in sorted(_called(part) & place.keys()):
            called = found[place[caller]]
            tree = ast.parse(called.text)
            for name in sorted(called.reads.later & place.keys() - {part.name, caller}):
                if place[name] > place[part.name]:
                    raise Circular(name, f"{part.name} and {name} need each other: {caller}, which makes {part.name}, uses {name}")
                refilled = f"{name}.content" in found[place[name]].gains
                if not found[place[name]].block and not refilled and changes(tree, name):
                    raise Circular(name, f"{caller}, which makes {part.name}, changes {name}; the change would be made twice")


def _called(part: Part) -> set[str]:
    """The names of what runs when a definition is made: its decorators, and for a class its bases and metaclass."""
    found: set[str] = set()
    for node in ast.parse(part.text).body if part.block else ():
        found.update(*map(loaded, getattr(node, "decorator_list", ())))
        if isinstance(node, ast.ClassDef):
            found.update(*map(loaded, [*node.bases, *(keyword.value for keyword in node.keywords)]))
    return found


def _rank(part: Part) -> tuple[bool, tuple[int, int], str]:
    return part.artifact, part.order, part.name


def module(title: str, imports: Imports, parts: Iterable[Part], *, future: bool, loader: str, local: Iterable[str]) -> str:
    """The source of the module. ``loader`` is the text of the function that loads artifacts, "" where there are none."""
    homes = set(local)
    blocks = [f'"""{title}"""']
    if future:
        blocks.append("from __future__ import annotations")
    lines = imports.lines(homes.__contains__)
    if lines:
        blocks.append("\n".join(lines))
    text = "\n\n".join(blocks)
    label, loaded = "", not loader
    before_block = True
    for part in filter(lambda part: part.text, parts):
        if part.artifact and not loaded:
            text += "\n\n\n" + loader
            loaded, before_block, label = True, True, ""
        comment = f"# {part.label}\n" if part.label and part.label != label else ""
        wide = part.block or before_block
        text += ("\n\n\n" if wide else "\n\n" if part.label != label else "\n") + comment + part.text
        label, before_block = part.label, part.block
    return text + "\n"


def factory(name: str, variables: Mapping[str, str], inner: str, result: str) -> str:
    """What was made inside a function, and took something from there, as a factory that is called once; ``name`` may be several."""
    maker = f"_make_{name.lstrip('_').replace(', ', '_and_')}"
    arguments = ", ".join(f"{variable}={value}" for variable, value in variables.items())
    body = f"{indented(inner)}\n\n    return {result}" if result != inner else f"    return {inner}"
    return f"def {maker}({', '.join(variables)}):\n{body}\n\n\n{name} = {maker}({arguments})"


def parsed(source: str) -> ast.Module:
    return ast.parse(source)
