"""Who answers the try-it form: a deployment, a preview in this kernel, or a packaged service in a process of its own."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, Protocol

from nbml import errors
from nbml.deploying import client
from nbml.deploying.values import Deployment

if TYPE_CHECKING:
    from nbml.packaging import ServiceVersion
    from nbml.packaging.preview import Preview
    from nbml.packaging.scorer import Scorer


class Asked(Protocol):
    """``name`` is what was typed, ``service`` the version, ``url`` its address ("" where it has none), ``line`` the same in Python."""

    @property
    def name(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def token(self) -> bool: ...
    @property
    def line(self) -> str: ...
    @property
    def manifest(self) -> dict[str, Any]: ...
    @property
    def sample(self) -> list[dict[str, Any]]: ...

    def ask(self, body: Any) -> tuple[int, dict[str, Any]]:
        """Status and JSON of ``POST /predict``. Raises errors.DeployError, errors.UnknownDeployment."""
        ...

    def close(self) -> None: ...


class Deployed:
    """A deployment, asked over HTTP; the version may change while the form is open."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment, self.name = deployment, deployment.name
        self.line = f'nbml.deployment("{self.name}").predict(df)'
        self.manifest = client.manifest_of(deployment)

    @property
    def service(self) -> str:
        return self.deployment.service

    @property
    def url(self) -> str:
        return self.deployment.url

    @property
    def token(self) -> bool:
        return self.deployment.token

    @property
    def sample(self) -> list[dict[str, Any]]:
        thing = self.deployment.store.find("service", self.service) if self.service else None
        return _rows(thing.body.get("sample") if thing is not None else None)

    def ask(self, body: Any) -> tuple[int, dict[str, Any]]:
        with client.Line(self.deployment) as line:
            return line.ask(body)

    def close(self) -> None:
        """Nothing is held."""


class Previewed:
    """The notebook's own model."""

    def __init__(self, preview: Preview) -> None:
        self.preview, self.name, self.service = preview, str(preview), str(preview)
        self.url, self.token = preview.url, bool(preview.server is not None and preview.server.token)
        self.line = preview.slice.following or "%nbml package --help"
        self.manifest = preview.manifest
        self.sample = _rows(preview.contract.sample if preview.contract is not None else None)

    def ask(self, body: Any) -> tuple[int, dict[str, Any]]:
        return self.preview.ask(body)

    def close(self) -> None:
        """The preview goes on."""


class Packaged:
    """A packaged version that runs nowhere: a process of its Bento, begun at the first question and ended with the form."""

    url, token = "", False

    def __init__(self, version: ServiceVersion) -> None:
        self.version, self.name, self.service = version, version.name, str(version)
        self.line = f"%nbml deploy {version.name}"
        self.manifest = version.manifest
        self.sample = _rows(version.thing.body.get("sample"))
        self._scorer: Scorer | None = None
        self._lock = threading.Lock()

    def ask(self, body: Any) -> tuple[int, dict[str, Any]]:
        with self._lock:
            if self._scorer is None:
                from nbml.packaging.scorer import Scorer

                self._scorer = Scorer(self.version).__enter__()
            try:
                self._scorer.send(json.dumps(body).encode())
                status, answer = self._scorer.answer()
            except BaseException:
                self._end()
                raise
        found: dict[str, Any] = json.loads(answer)
        if status == 500 and "error" not in found:
            from nbml.packaging.scorer import told

            found = {"error": {"message": told(answer), "problems": []}}
        return status, found

    def close(self) -> None:
        with self._lock:
            self._end()

    def __del__(self) -> None:
        self._end()

    def _end(self) -> None:
        if self._scorer is not None:
            self._scorer.close()
            self._scorer = None


def find(name: str) -> Asked:
    """``name@preview`` is a preview; else what is deployed under that name, else its preview, else the packaged service.

    Raises errors.UnknownDeployment, errors.StoreDamaged.
    """
    from nbml import deploying, packaging
    from nbml.packaging import preview
    from nbml.store import current

    plain, at, which = name.partition("@")
    shown = preview.running(plain)
    if at and which == "preview":
        if shown is None:
            raise errors.UnknownDeployment(f"no preview of {plain!r} answers in this kernel", next=f"%nbml try {plain}")
        return Previewed(shown)
    deployed = Deployment(name, current()) if not at and current().find("deployment", name) is not None else None
    status = deployed.status if deployed is not None else None
    if deployed is not None and status is not None and status.live:
        return Deployed(deployed)
    if shown is not None and not at:
        return Previewed(shown)
    if current().find("service", name) is not None:
        version = packaging.service(name)
        version.check()
        return Packaged(version)
    if deployed is not None:
        raise client.gone(name, status.error if status is not None else "")
    raise deploying.unknown(name)


def _rows(said: Any) -> list[dict[str, Any]]:
    """One real row that the version was proven on."""
    return [row for row in said[:1] if isinstance(row, dict)] if isinstance(said, list) else []
