"""The proof in a closed environment: what turns out to be missing is added, what is not needed is dropped, and it is asked again."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbml import errors
from nbml.packaging import build, causes, environments, proof, translating
from nbml.packaging.environments import Environment

if TYPE_CHECKING:
    from nbml.slicing import Slice
    from nbml.store import Store

#: proofs that one package may take: each adds what the one before lacked
ROUNDS = 8


@dataclass(frozen=True)
class Case:
    """What is to be proven: the written ``folder``, what the notebook's ``model`` gives, and where the requirements come from."""

    store: Store
    folder: Path
    want: proof.Expected
    model: proof.Model
    cut: Slice
    namespace: Mapping[str, Any]
    name: str
    level: str
    #: pins of what a translated model imports
    needs: tuple[str, ...] = ()

    def ask(self, environment: Environment, *, module: bool = True) -> tuple[dict[str, Any], float]:
        """What the packaged ``module`` answers, and the executor of a translated model beside it; or the latter alone."""
        request = proof.request(self.want) | {"told": module}
        return proof.respond(self.folder, request, self.cut.environment, environment.python)


@dataclass(frozen=True)
class Proven:
    """The requirements that suffice, the environment of their closure, and seconds of the proof in it."""

    requirements: tuple[str, ...]
    environment: Environment
    seconds: float
    #: what the executor of a translated model gave for the same rows
    exact: Mapping[str, Any] | None = None
    #: with which the module was proven, where those that suffice are the executor's
    library: tuple[str, ...] = ()

    def beside(self) -> dict[str, Any]:
        """Its part of the manifest's ``execution``."""
        return {"library": list(self.library)} if self.library else {}

    def said(self) -> dict[str, Any]:
        """Its part of the manifest's ``proof``."""
        return {"seconds": round(self.seconds, 3), "closed": self.environment.closed}


def expected(case: Case, requirements: Iterable[str]) -> list[str]:
    """Those of the requirements that suffice where all goes well: an executor's, where it imports what the module does not."""
    return [pin for pin in requirements if not case.needs or pin in case.needs or pin.partition("==")[0] in build.SERVE]


def prove(case: Case, requirements: Iterable[str]) -> Proven:
    """Find the requirements with which a fresh process answers as the notebook does.

    Raises errors.ProofFailed with the rows that differ and the likely cause, or with what the environment lacks.
    """
    pins = sorted(requirements, key=str.lower)
    for _ in range(ROUNDS):
        environment = environments.make(case.store, pins, case.level)
        got, seconds = case.ask(environment)
        more = _lacking(case, got, environment)
        if not more:
            break
        pins = sorted([*pins, *more], key=str.lower)
    _judge(case, got, environment)
    found = Proven(tuple(pins), environment, seconds, got.get("exact"))
    holds = not translating.unequal(found.exact, case.want) if case.needs else False
    rest = [pin for pin in pins if pin not in _unused(case, got, pins) and (holds or pin not in case.needs)]
    found = found if rest == pins else _without(case, rest, found)
    return (_executor_alone(case, found) if holds else None) or found


def _without(case: Case, rest: list[str], found: Proven) -> Proven:
    """The proof with fewer requirements, where that holds too."""
    environment = environments.make(case.store, rest, case.level)
    got, seconds = case.ask(environment)
    try:
        differs = proof.compare(case.want, got, case.name) is not None
    except errors.ProofFailed:
        differs = True
    exact = got.get("exact") if set(case.needs) <= set(rest) else found.exact
    return found if differs else Proven(tuple(rest), environment, seconds, exact)


def _executor_alone(case: Case, found: Proven) -> Proven | None:
    """The proof of the executor alone, in an environment without the libraries of the module; None where it fails there."""
    pins = expected(case, found.requirements)
    environment = environments.make(case.store, pins, case.level)
    got, seconds = case.ask(environment, module=False)
    if translating.unequal(got, case.want):
        return None
    return Proven(tuple(pins), environment, found.seconds + seconds, got, found.requirements)


def _judge(case: Case, got: Mapping[str, Any], environment: Environment) -> None:
    """Raises errors.ProofFailed where the answers are not the notebook's, with the likely cause."""
    module = case.folder / f"{case.cut.module}.py"
    scene = causes.Scene(case.want, got, case.model, module, case.namespace, case.cut.warnings, lambda: case.ask(environment)[0])
    try:
        mismatch = proof.compare(case.want, got, case.name)
    except errors.ProofFailed as error:
        cause = causes.likely(scene) if "failed" in got else ""
        if not cause:
            raise
        raise errors.ProofFailed(f"{error.why}; likely cause: {cause}", next=error.next) from None
    if mismatch is not None:
        mismatch = replace(mismatch, cause=causes.likely(scene))
        line = f"%nbml slice {case.model.word}" if case.model.word in case.namespace else None
        raise errors.ProofFailed(mismatch.why, proof=mismatch, next=line)


def _lacking(case: Case, got: Mapping[str, Any], environment: Environment) -> list[str]:
    """Pins of what the packaged code asked for, did not find, and has here.

    A failure names the module, itself or in its words; a module that the model's own code looked for is taken too where the
    notebook has it loaded, since code that goes on without it (``try: import``) goes another way.
    """
    import sys

    from nbml.packaging.environments.installed import key, provider

    missed: Mapping[str, bool] = got.get("missed", {})
    modules = [name for name, own in missed.items() if own and name in sys.modules]
    if "failed" in got:
        words = set(got["failed"]["message"].replace("'", " ").replace("`", " ").replace(",", " ").split())
        modules += [*got["failed"]["lacks"], *(name for name in missed if name in words)]
    have = {key(name) for name in environment.pins}
    found: dict[str, str] = {}
    for module in modules:
        top = module.partition(".")[0]
        if top in sys.stdlib_module_names or top in ("nbml", case.cut.module) or (case.folder / top).exists():
            continue
        one = provider(module)
        if one is not None and key(one.name) not in have:
            found[key(one.name)] = one.pin
    return list(found.values())


def _unused(case: Case, got: Mapping[str, Any], pins: list[str]) -> set[str]:
    """Pins of which no module was loaded for the answers of the model's own code, and none is imported anywhere in it."""
    from nbml.packaging.environments.installed import everything, key

    used = {name.partition(".")[0] for name in got.get("modules", ())} | _imported(case.folder)
    unused = set()
    for pin in pins:
        name = key(pin.partition("==")[0])
        one = everything().get(name)
        if name in build.SERVE or one is None:
            continue
        tops = {top.partition(".")[0] for top in one.tops if not top.endswith((".dist-info", ".egg-info", ".libs", ".pth"))}
        if not tops & used:
            unused.add(pin)
    return unused


def _imported(folder: Path) -> set[str]:
    """The top-level modules that the written code imports, wherever in it."""
    found: set[str] = set()
    for path in folder.rglob("*.py"):
        if "nbml_runtime" in path.parts or path.name in ("bridge.py", "service.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found
