"""A fitted scikit-learn model as a plan for the exact executors of ``runtime/executors``, where all of it can be told.

Only scikit-learn's own classes are translated, never a subclass or one whose methods were replaced: what a stranger's code
does is not guessed. What cannot be translated goes by ONNX Runtime (``converting``) where its answers are the model's, else it is
served by the library itself; the manifest says which, and why.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbml import errors
from nbml.packaging.translating.schema import Unequal, Untranslatable
from nbml.runtime import executors

__all__ = ["Translation", "translate"]


@dataclass(frozen=True)
class Translation:
    """How a service computes: ``execution`` is the manifest's; ``files`` lie beside it where an executor does it.

    ``needs`` are pins of what the executor imports; ``identity`` stands for all this where the same model is looked for: it
    is the same whatever the machine was busy with, as ``execution`` is not where ONNX was too slow by a little.
    """

    execution: dict[str, Any]
    files: Mapping[str, bytes] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    identity: Mapping[str, Any] = field(default_factory=dict)

    def proven(self, found: Mapping[str, Any] | None, want: Any, folder: Path) -> dict[str, Any]:
        """The manifest's word once the proof ran: the library where the executor gave another answer; its files go then."""
        why = "" if not self.files else unequal(found, want)
        if not why:
            return self.execution
        for name in self.files:
            (folder / name).unlink()
        before = f"{self.execution['why']}; " if "why" in self.execution else ""
        return {"kind": "library", "why": f"{before}the translated model is not equal: {why}"}

    def write(self, folder: Path) -> None:
        """The executor's files, into the service's folder."""
        for name, content in self.files.items():
            (folder / name).write_bytes(content)


def library(why: str) -> Translation:
    """The packaged module computes."""
    return Translation(said := {"kind": "library", "why": why}, identity=said)


def unequal(found: Mapping[str, Any] | None, want: Any) -> str:
    """Where an executor's answers for the rows of a proof are not the notebook's; "" where they are, also row by row."""
    from nbml.packaging import proof

    if found is None or "failed" in found:
        return "it was not asked" if found is None else f"{found['failed']['type']}: {found['failed']['message'][:200]}"
    try:
        mismatch = proof.compare(want, found, "")
    except errors.ProofFailed as error:
        return error.why
    if mismatch is not None:
        return mismatch.difference
    alone = found["alone"]
    shares = [] if want.probabilities is None else want.probabilities["values"][: len(alone["values"])]
    pairs = ((want.predictions[: len(alone["predictions"])], alone["predictions"], 0.0), (shares, alone["values"], proof.ROUNDING))
    for wanted, got, absolute in pairs:
        difference = proof.first_difference(wanted, got, absolute)
        if difference is not None:
            return f"row {difference[0]} alone gives {difference[3]}, not {difference[2]}"
    return ""


def translate(target: Any, manifest: Mapping[str, Any], sent: Sequence[Mapping[str, Any]] = ()) -> Translation:
    """The plan of a model for a manifest's inputs and output; the library with the reason where there is none.

    It is tried at once on rows made of ``sent``, real ones, with nulls, unseen texts and numbers far off. What has no exact
    executor goes by ONNX Runtime where that holds on these rows and on harder ones.
    """
    try:
        return _exact(target, manifest, sent)
    except Unequal as error:
        return library(str(error))
    except Untranslatable as error:
        why = str(error)
    except Exception as error:  # a version of scikit-learn that keeps its fits otherwise must not stop a package
        why = f"{type(target).__name__} cannot be read: {type(error).__name__}: {str(error)[:200]}"
    if manifest["entry"] != "model" or not sent:
        return library(why)
    try:
        return _by_onnx(target, manifest, sent, why)
    except Untranslatable as error:
        more = "" if str(error) == why else f"; {error}"
    except Exception as error:  # any: it is three libraries' code
        more = f"; ONNX has it not: {type(error).__name__}: {str(error).partition(chr(10))[0][:160]}".rstrip(".")
    return Translation({"kind": "library", "why": f"{why}{more}"}, identity=library(why).execution)


def _exact(target: Any, manifest: Mapping[str, Any], sent: Sequence[Mapping[str, Any]]) -> Translation:
    """Executors of ours. Raises Untranslatable."""
    from nbml.packaging.translating import models, probing, schema

    if manifest["entry"] != "model":
        raise Untranslatable("predict is a function")
    found = schema.of(target, manifest)
    node, said = models.head(target, found, schema.known(manifest))
    files, executor = _made({"model": node, **said, "probabilities": "classes" in manifest["output"]})
    why = probing.difference(target, manifest, executor.answer, sent)
    if why:
        raise Unequal(f"the translated model is not equal: {why}")
    execution = {"kind": "exact", **_said(files)}
    return Translation(execution, files, identity=execution)


def _by_onnx(target: Any, manifest: Mapping[str, Any], sent: Sequence[Mapping[str, Any]], why: str) -> Translation:
    """ONNX Runtime at the end of executors of ours; the library where it is slower. Raises Untranslatable."""
    from nbml.packaging.translating import boundaries, converting, probing

    lacks = converting.lacking()
    if lacks:
        raise Untranslatable(lacks)
    plan, computes = converting.plan(target, manifest)
    files, executor = _made(plan)
    asked = (target, manifest, executor.answer, sent)
    unequal = probing.difference(*asked) or boundaries.difference(*asked)
    if unequal:
        raise Untranslatable(f"ONNX is not equal: {unequal}")
    execution = {"kind": "onnx", "why": why, "computes": computes, **_said(files)}
    needs = converting.needs()
    identity = {"kind": "onnx", "why": why, "computes": computes, "by": converting.pins()}  # not the file: names in it are counted on
    slower = converting.slower(*asked)
    if slower:
        return Translation({"kind": "library", "why": f"{why}; {slower}"}, identity=identity)
    return Translation(execution, files, needs, identity)


def _made(plan: Mapping[str, Any]) -> tuple[dict[str, bytes], executors.Executor]:
    """The files of a plan, and its executor, read from them."""
    files = dict(zip(executors.NAMES, executors.plans.dumps(plan), strict=False))  # the last is there only where ONNX is
    return files, executors.Executor(executors.plans.loads(*files.values()))


def _said(files: Mapping[str, bytes]) -> dict[str, Any]:
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    return {"files": hashes, "bytes": sum(map(len, files.values()))}
