"""The table of commands, and what one command composes of several stages. Imports no stage before it is used.

``python -m nbml.commands --json`` prints the table, ``--reference`` the reference page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbml import errors
from nbml.commands.table import LATER, REQUIRED, SECTIONS, TABLE, Command, Param

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nbml.commands.installation import Doctor
    from nbml.commands.overview import Config, Status
    from nbml.deploying import Deployment
    from nbml.packaging import ServiceVersion
    from nbml.packaging.preview import Preview
    from nbml.slicing import Recipe

__all__ = [
    "LATER", "REQUIRED", "SECTIONS", "TABLE", "Command", "Param", "config", "deploy", "doctor", "not_yet", "package", "recipe", "status",
]  # fmt: skip


def deploy(service_or_model: Any, to: str = "local", name: str | None = None, canary: int | None = None) -> Deployment:
    """Run a service; a model is packaged first, as ``name``, and then runs under that name.

    Nothing is packaged where the deploy could not follow. Raises what ``package`` and ``deploy`` of the stages raise, and
    errors.BadArgument for a model without a name.
    """
    from nbml import deploying, packaging

    if isinstance(service_or_model, (str, packaging.ServiceVersion)):
        return deploying.deploy(service_or_model, to, name, canary)
    if name is None:
        from nbml.commands.parser import fit

        kind, made = type(service_or_model).__name__, f'name="{fit(type(service_or_model).__name__)}"'
        message = f"a model ({kind}) becomes a service first, and that needs a name: deploy(model, name=...)"
        label = _label(service_or_model)
        raise errors.BadArgument(message, next=f"nbml.deploy({label}, {made})" if label else "%nbml deploy --help")
    label = _label(service_or_model)
    deploying.check(to, name, canary, f'nbml.deploy({label}, name="{name}")' if label else "%nbml deploy --help")
    service = package(service_or_model, name)
    return deploying.deploy(service, to, name, canary)


def package(
    model_or_function: Any,
    name: str,
    on: Any = None,
    y: Any = None,
    suite: Any = None,
    key: str | Iterable[str] | None = None,
    proof: str = "local",
    policy: str = "reject",
    allow_secret: Iterable[str] = (),
    preview: bool = False,
) -> ServiceVersion | Preview:
    """Make a service of a fitted model, or of a function ``predict(df)``, and prove that it equals the notebook's.

    ``on`` are rows to prove it on: a frame, an array, a Series, a list, ``name@n`` or a path; without it a live frame that
    holds the model's columns. The same code, files, suite and policy are the same version. With ``preview`` nothing is
    built: the Slice is given, and the notebook's own model answers at ``url`` in this process. A model that no run
    fitted is judged on what the notebook holds; findings become warnings.

    Raises errors.NotFitted, errors.BadInput (no rows; what a request cannot carry), errors.UnknownSuite,
    errors.SliceRefused, and errors.ProofFailed, after which nothing is there.
    """
    from nbml import packaging

    made = packaging.package(model_or_function, name, on, y, suite, key, proof, policy, allow_secret, preview)
    if not isinstance(made, packaging.ServiceVersion) or not made.new:
        return made
    from nbml.tracking.judging import untracked

    lines = untracked.warnings(model_or_function, on, y)
    return packaging.noted(made, lines) if lines else made


def _label(model: Any) -> str:
    """The notebook's name for a model; "" where it has none."""
    from nbml.slicing import recorder

    return next((str(name) for name, value in recorder.namespace().items() if value is model and not name.startswith("_")), "")


def recipe(name_or_run: Any) -> Recipe:
    """The ordered statements that computed a name of the notebook, or the metrics of a run (a Run, its id, ``name@n``).

    Raises errors.UnknownName for what is neither.
    """
    from nbml import slicing, tracking
    from nbml.slicing import recorder

    text = str(name_or_run)
    if isinstance(name_or_run, str) and recorder.current() is not None and text in recorder.namespace():
        return slicing.recipe(text)
    try:
        run = tracking.run(name_or_run)
    except errors.UnknownRun:
        return slicing.recipe(text)  # whose error names the nearest name
    if run.recipe is None:
        raise errors.UnknownName(f"the run {run} has no recipe: it was not tracked in a notebook", next=f'nbml.run("{run.id}").source')
    return run.recipe


def status() -> Status:
    """The state of the project, and one next step."""
    from nbml.commands.overview import status

    return status()


def config() -> Config:
    """Each setting, its value, and where that came from."""
    from nbml.commands.overview import config

    return config()


def doctor() -> Doctor:
    """What the installation has and lacks."""
    from nbml.commands.installation import doctor

    return doctor()


def not_yet(what: str) -> errors.NotYet:
    """The error for something of a later version."""
    from nbml import __version__

    return errors.NotYet(f"nbml {__version__} does not have {what} yet", next="%nbml --help")


def _coming(command: Command) -> Callable[..., Any]:
    def verb(*args: Any, **kwargs: Any) -> Any:
        raise not_yet(f"nbml.{command.function}")

    verb.__name__ = verb.__qualname__ = command.function
    verb.__doc__ = f"{command.summary} Not in this version: raises errors.NotYet."
    return verb


def __getattr__(name: str) -> Any:
    """The verbs of later versions: each says by name that it is not there."""
    for command in TABLE:
        if command.since == LATER and command.function == name:
            return _coming(command)
    raise AttributeError(f"module 'nbml.commands' has no attribute {name!r}")
