"""A service that runs somewhere."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nbml import settings
from nbml.deploying import state
from nbml.deploying.state import Status
from nbml.display import Report, Shown, bundle
from nbml.display.notebook import cell
from nbml.store import Store, Thing, current

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False, eq=False)
class Deployment(Shown):
    """What runs under a name. All that can change is asked for anew: ``state``, ``service``, ``url``.

    ``state`` is starting, running, restarting, stopping, stopped or failed. Without a running service ``predict``
    raises errors.UnknownDeployment.
    """

    name: str
    store: Store = field(default_factory=current)
    fact: str = ""
    cell: int | None = None

    def __str__(self) -> str:
        return self.name

    @property
    def thing(self) -> Thing | None:
        """Its latest version in the store."""
        return self.store.find("deployment", self.name)

    @property
    def status(self) -> Status | None:
        """What its processes say."""
        return _target(self.store).status(self.name)

    @property
    def state(self) -> str:
        found = self.status
        return "stopped" if found is None else found.state

    @property
    def service(self) -> str:
        """The version that runs, ``name@n``; after a stop the one that ran."""
        found, thing = self.status, self.thing
        if found is not None and found.service:
            return found.service
        return str(thing.body.get("service", "")) if thing is not None else ""

    @property
    def url(self) -> str:
        """Where it answers; it stays when the version is replaced."""
        found = self.status
        return "" if found is None else found.url

    @property
    def token(self) -> bool:
        """Whether requests must bear the token of the deployment's token file."""
        return (state.folder(self.store, self.name) / state.TOKEN).is_file()

    def predict(self, data: Any) -> Any:
        """What the model gives in the notebook, asked over HTTP: its type, index and dtypes.

        Raises errors.RequestRejected with all problems, errors.UnknownDeployment where nothing runs.
        """
        from nbml.deploying import client

        return client.predict(self, data)

    def logs(self, lines: int = 200) -> str:
        """The last lines that service and supervisor wrote."""
        return "\n".join(_target(self.store).logs(self.name, lines))

    def traffic(self, last: str = "24h") -> pd.DataFrame:
        """The answered requests of the last while, oldest first: time ids rows latency_ms status version."""
        from nbml.deploying import traffic

        folder = state.folder(self.store, self.name)
        traffic.caught_up(folder)
        return traffic.requests(folder / state.TRAFFIC, time.time() - settings.duration(last))

    def rollback(self) -> Deployment:
        """Return to the version that ran before. Raises errors.DeployFailed where there is none."""
        from nbml.deploying import rollback

        return rollback(self.name)

    def stop(self) -> Deployment:
        """End it: no process is left and the port is free."""
        from nbml.deploying import ended

        return ended(self)

    def _report(self) -> Report:
        from nbml.deploying.report import deployment_report

        thing = self.thing
        return deployment_report(self, self.status, self.token, self.fact, thing.body.get("result") if thing is not None else None)

    def _ipython_display_(self) -> None:
        """Shown once in a cell: where the deploy's own live line ends as this very line, no second one follows it."""
        if self.cell is not None and self.cell == cell():
            return
        from IPython.display import display

        display(bundle(self._report()), raw=True)


def _target(store: Store) -> Any:
    from nbml import registry

    return registry.adapter("nbml.targets", "local")(store)
