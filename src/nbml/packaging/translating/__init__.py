"""A fitted scikit-learn model as a plan for the exact executors of ``runtime/executors``, where all of it can be told.

Only scikit-learn's own classes are translated, never a subclass or one whose methods were replaced: what a stranger's code
does is not guessed. What cannot be translated is served by the library itself, and the manifest says why.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbml import errors
from nbml.packaging.translating.schema import Untranslatable
from nbml.runtime import executors

__all__ = ["Translation", "translate"]


@dataclass(frozen=True)
class Translation:
    """How a service computes: ``execution`` is the manifest's; ``files`` lie beside it where an executor does it."""

    execution: dict[str, Any]
    files: Mapping[str, bytes] = field(default_factory=dict)

    def proven(self, found: Mapping[str, Any] | None, want: Any, folder: Path) -> dict[str, Any]:
        """The manifest's word once the proof ran: the library where the executor gave another answer; its files go then."""
        why = "" if not self.files else unequal(found, want)
        if not why:
            return self.execution
        for name in self.files:
            (folder / name).unlink()
        return {"kind": "library", "why": f"the translated model is not equal: {why}"}

    def write(self, folder: Path) -> None:
        """The executor's files, into the service's folder."""
        for name, content in self.files.items():
            (folder / name).write_bytes(content)


def library(why: str) -> Translation:
    """The packaged module computes."""
    return Translation({"kind": "library", "why": why})


def unequal(found: Mapping[str, Any] | None, want: Any) -> str:
    """Where an executor's answers for the rows of a proof are not the notebook's; "" where they are, also row by row."""
    from nbml.packaging import proof

    if found is None or "failed" in found:
        return "it was not asked" if found is None else f"{found['failed']['type']}: {found['failed']['message'][:200]}"
    try:
        mismatch = proof.compare(want, found, "")
    except errors.ProofFailed as error:
        return error.message
    if mismatch is not None:
        return mismatch.message
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

    It is tried at once on rows made of ``sent``, real ones, with nulls, unseen texts and numbers far off.
    """
    from nbml.packaging.translating import models, probing, schema

    try:
        if manifest["entry"] != "model":
            raise Untranslatable("predict is a function")
        found = schema.of(target, manifest)
        node, said = models.head(target, found, schema.known(manifest))
        plan = {"model": node, **said, "probabilities": "classes" in manifest["output"]}
        files = dict(zip(executors.NAMES, executors.plans.dumps(plan), strict=True))
        executor = executors.Executor(executors.plans.loads(*files.values()))
        why = probing.difference(target, manifest, executor.answer, sent)
        if why:
            raise Untranslatable(f"the translated model is not equal: {why}")
    except Untranslatable as error:
        return library(str(error))
    except Exception as error:  # a version of scikit-learn that keeps its fits otherwise must not stop a package
        return library(f"{type(target).__name__} cannot be read: {type(error).__name__}: {str(error)[:200]}")
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    return Translation({"kind": "exact", "files": hashes, "bytes": sum(map(len, files.values()))}, files)
