"""The machine-learning life cycle in the notebook. ``%load_ext nbml``, or ``import nbml``.

This module is a list of names. Each is resolved at its first use, so that importing nbml loads the standard
library only.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__version__ = "0.1.0"

#: public name -> where it lives
_HOMES = {
    "snapshot": "nbml.datasets:snapshot",
    "dataset": "nbml.datasets:dataset",
    "data": "nbml.datasets:data",
    "gc": "nbml.datasets:gc",
    "diff": "nbml.datasets.comparing:diff",
    "profile": "nbml.datasets.profiling:profile",
    "validate": "nbml.validation:validate",
    "expect": "nbml.validation:expect",
    "suite": "nbml.validation:suite",
    "ExecutionEngine": "nbml.validation.execution:NbmlExecutionEngine",
    "drift": "nbml.validation.drifting:drift",
    "track": "nbml.tracking:track",
    "log": "nbml.tracking:log",
    "runs": "nbml.tracking:runs",
    "run": "nbml.tracking:run",
    "compare": "nbml.tracking:compare",
    "judge": "nbml.tracking.judging:judge",
    "reproduce": "nbml.tracking.reproducing:reproduce",
    "import_runs": "nbml.tracking.importing:import_runs",
    "tune": "nbml.tuning:tune",
    "study": "nbml.tuning:study",
    "recipe": "nbml.commands:recipe",
    "slice": "nbml.slicing:slice",
    "package": "nbml.commands:package",
    "service": "nbml.packaging:service",
    "services": "nbml.packaging:services",
    "predict": "nbml.packaging:predict",
    "deploy": "nbml.commands:deploy",
    "deployments": "nbml.deploying:deployments",
    "deployment": "nbml.deploying:deployment",
    "stop": "nbml.deploying:stop",
    "rollback": "nbml.deploying:rollback",
    "try_form": "nbml.deploying:try_form",
    "monitor": "nbml.monitoring:monitor",
    "status": "nbml.commands:status",
    "config": "nbml.commands:config",
    "doctor": "nbml.commands:doctor",
    "NbmlError": "nbml.errors:NbmlError",
    "RequestRejected": "nbml.errors:RequestRejected",
    "ValidationFailed": "nbml.errors:ValidationFailed",
    "errors": "nbml.errors:",
}
#: verbs of later versions; each raises errors.NotYet, which names it
_COMING = (
    "alert", "alerts", "card", "explain", "export", "label", "lineage",
    "promote", "report", "retrain", "stale",
)  # fmt: skip
_HOMES |= {name: f"nbml.commands:{name}" for name in _COMING}

__all__ = sorted([*_HOMES, "__version__", "load_ipython_extension", "unload_ipython_extension"])


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'nbml' has no attribute {name!r}")
    module, _, attribute = home.partition(":")
    value = import_module(module)
    if attribute:
        value = getattr(value, attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__


def load_ipython_extension(shell: InteractiveShell) -> None:
    """``%load_ext nbml``."""
    import_module("nbml.magics").load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """``%unload_ext nbml``."""
    import_module("nbml.magics").unload(shell)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "@nbml/labextension"}]


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "nbml.labserver"}]
