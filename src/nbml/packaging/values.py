"""A packaged, proven model."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbml import errors
from nbml.display import Report, Shown
from nbml.store import Thing, current


@dataclass(frozen=True, repr=False)
class ServiceVersion(Shown):
    """A Bento whose answers were proven equal to the notebook's: ``str()`` is ``name@n``.

    ``path`` is the Bento's folder, which holds bento.yaml; ``manifest`` what it takes, gives and was proven on.
    """

    name: str
    version: int
    path: Path
    warnings: tuple[str, ...]
    made: float
    thing: Thing
    new: bool = False
    #: of a package that was compared with this version and found to be the same
    same: bool = False

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"

    @property
    def manifest(self) -> dict[str, Any]:
        """What the service takes and gives, its requirements, files and proof: JSON."""
        return dict(self.thing.body["manifest"])

    @property
    def source(self) -> str:
        """The text of the module that was made from the notebook."""
        return (self.path / "src" / f"{self.manifest['module']}.py").read_text(encoding="utf-8")

    def predict(self, df: Any) -> Any:
        """The answers of the packaged model, from a fresh process of the Bento.

        They have the type, index and dtypes that the model gives in the notebook. Raises errors.RequestRejected where the
        policy is "reject" and rows break the suite, errors.BadInput for data that lack a column, errors.StoreDamaged.
        """
        from nbml.packaging import exchange, proof

        self.check()
        manifest = self.manifest
        request: dict[str, Any] = {"rows": exchange.rows_of(df, manifest)}
        ids = exchange.ids_of(df, manifest)
        if not request["rows"]:
            raise errors.BadInput(f"no rows for {self} to answer")
        got, _ = proof.respond(self.path / "src", request | ({} if ids is None else {"ids": ids}), manifest["environment"], self.python())
        if "rejected" in got:
            raise exchange.rejected(got["rejected"]["problems"], len(request["rows"]), str(self))
        if "failed" in got:
            raise errors.DeployError(f"{self} fails on these rows: {proof.told(got['failed'])}")
        return exchange.answer_to(got["predictions"], exchange.index_of(df), manifest)

    def python(self) -> str:
        """The interpreter of the closed environment that it was proven in; made again where it is gone.

        Raises errors.DeployError where what is installed now is not what it was proven with.
        """
        from nbml.packaging import environments

        found = environments.of(current(), self.thing.body)
        return sys.executable if found is None else found.python

    def check(self) -> None:
        """Raises errors.StoreDamaged where the Bento's folder is gone, or is another than was packaged: nothing of it is loaded."""
        again = "package the model again, or put .nbml/services back from a copy"
        if not (self.path / "bento.yaml").is_file():
            raise errors.StoreDamaged(f"the folder of {self} is gone: {again}")
        name = _other(self.path / "src", self.manifest)
        if name:
            raise errors.StoreDamaged(f"{name} in the folder of {self} is not the file that was packaged: {again}")

    def _report(self) -> Report:
        from nbml.packaging.report import version_report

        return version_report(self)


def _other(folder: Path, manifest: Mapping[str, Any]) -> str:
    """The file of a service's folder that is not as the store's own record says; "" where all are."""
    try:
        if json.loads((folder / "manifest.json").read_bytes()) != manifest:
            return "manifest.json"
    except (OSError, ValueError):
        return "manifest.json"
    for artifact in manifest["artifacts"]:
        path = folder / artifact["path"]
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != artifact["sha256"]:
            return str(artifact["path"])
    return ""


def from_thing(thing: Thing, *, new: bool = False, same: bool = False) -> ServiceVersion:
    """The value of a stored service version."""
    path = current().root / thing.body["path"]
    return ServiceVersion(thing.name, thing.version, path, tuple(thing.body.get("warnings", ())), thing.made, thing, new, same)
