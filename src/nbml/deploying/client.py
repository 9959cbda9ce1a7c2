"""Asking a deployment over HTTP."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from nbml import errors
from nbml.deploying import state

if TYPE_CHECKING:
    from nbml.deploying.values import Deployment

#: seconds that an answer may take; a service that is being replaced lets requests wait
PATIENCE = 120.0


def predict(deployment: Deployment, data: Any) -> Any:
    """The answers to ``data``, in requests that the service takes, as what the model gives.

    Raises errors.RequestRejected, with the rows' positions in ``data``.
    """
    from nbml.packaging import exchange

    def failed(status: int, answer: dict[str, Any]) -> errors.DeployError:
        return refused(deployment.name, deployment.service, status, answer)

    manifest = manifest_of(deployment)
    with Line(deployment) as line:
        return exchange.ask(line.ask, data, manifest, lambda: deployment.service, failed)


class Line:
    """One connection to a deployment, opened again where it was closed between two requests."""

    def __init__(self, deployment: Deployment, patience: float = PATIENCE) -> None:
        found = deployment.status
        if found is None or not found.live:
            raise gone(deployment.name, found.error if found is not None else "")
        address = urlsplit(found.url)
        self._http = http.client.HTTPConnection(str(address.hostname), address.port, timeout=patience)
        self._name, self._headers = deployment.name, {"Content-Type": "application/json"}
        token = state.folder(deployment.store, deployment.name) / state.TOKEN
        if token.is_file():
            self._headers["Authorization"] = f"Bearer {token.read_text(encoding='utf-8').strip()}"

    def ask(self, body: Any) -> tuple[int, dict[str, Any]]:
        """Status and JSON of ``POST /predict``. Raises errors.DeployError where no answer comes."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        for last in (False, True):
            try:
                self._http.request("POST", "/predict", content, self._headers)
                with self._http.getresponse() as reply:
                    return reply.status, _object(reply.read())
            except (OSError, http.client.HTTPException) as error:
                self._http.close()
                if last or isinstance(error, TimeoutError):
                    raise errors.DeployError(
                        f"{self._name} did not answer: {str(error) or type(error).__name__}", next=f'nbml.deployment("{self._name}").logs()'
                    ) from error
        raise AssertionError

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *error: object) -> None:
        self._http.close()


def manifest_of(deployment: Deployment) -> dict[str, Any]:
    """The manifest of the version that runs."""
    thing = deployment.store.find("service", deployment.service) if deployment.service else None
    if thing is None:
        message = f"the service {deployment.service!r} that {deployment.name} runs is not in this project"
        raise errors.UnknownService(message, next="%nbml services")
    found: dict[str, Any] = thing.body["manifest"]
    return found


def refused(name: str, service: str, status: int, answer: Mapping[str, Any]) -> errors.DeployError:
    """The error of an answer that is neither predictions nor refused rows; the deployment's log says more."""
    error = answer.get("error")
    said = error.get("message") if isinstance(error, dict) else None
    return errors.DeployError(f"{service} answered {status}: {said or 'no message'}", next=f'nbml.deployment("{name}").logs()')


def gone(name: str, why: str = "") -> errors.UnknownDeployment:
    """The error for a deployment that does not run."""
    first = why.partition("\n")[0]
    return errors.UnknownDeployment(f"{name} is not running" + (f": {first}" if first else ""), next=f"%nbml deploy {name}")


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        return {"error": {"message": content[:200].decode("utf-8", "replace")}}
    return found if isinstance(found, dict) else {}
