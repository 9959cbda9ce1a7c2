"""From a model of the notebook to a proven Bento: ``package``, ``service``, ``services``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbml import errors
from nbml.packaging.values import ServiceVersion, from_thing
from nbml.store import check_name, current

if TYPE_CHECKING:
    import pandas as pd

    from nbml.packaging.preview import Preview
    from nbml.packaging.scoring import Scored

__all__ = ["ServiceVersion", "noted", "package", "predict", "service", "services"]


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
    built: the Slice is given, and the notebook's own model answers at ``url`` in this process.

    Raises errors.NotFitted, errors.BadInput (no rows; what a request cannot carry), errors.UnknownSuite,
    errors.SliceRefused, and errors.ProofFailed, after which nothing is there.
    """
    from nbml.packaging import flow

    check_name(name)
    asked = flow.Asked(name, on, y, suite, _key(key), proof, policy, _names(allow_secret), preview)
    return flow.run(model_or_function, asked)


def noted(version: ServiceVersion, lines: Iterable[str]) -> ServiceVersion:
    """The version with further warnings, written down; the Bento and its manifest stay as they were proven."""
    from nbml.display import keep
    from nbml.packaging import report

    store, warnings = current(), list(dict.fromkeys([*version.warnings, *lines]))
    body = {"warnings": warnings, "row": report.row(version.manifest | {"warnings": warnings})}
    found = from_thing(store.update(version.thing, body, state="look"), new=version.new)
    return from_thing(store.update(found.thing, {"result": keep(found._report())}), new=version.new)


def predict(service: Any, data: Any, output: str | Path | None = None) -> pd.DataFrame | Scored:
    """The answers of a packaged service to all rows of a frame, or of a Parquet or CSV file of any size, as they are served.

    They come as a frame, or with ``output`` are written to that file, whole or not at all. See ``scoring.predict``.
    """
    from nbml.packaging import scoring

    return scoring.predict(service, data, output)


def service(ref: str) -> ServiceVersion:
    """The version ``name@n``, or the latest of ``name``. Raises errors.UnknownService."""
    thing = current().find("service", ref)
    if thing is None:
        raise unknown(ref)
    return from_thing(thing)


def services() -> pd.DataFrame:
    """The latest version of each service, newest first: name, version, rows (proven on), warnings, suite, policy, made."""
    import pandas as pd

    from nbml.display.listing import shown_as
    from nbml.packaging.report import listing_report

    versions = [from_thing(thing) for thing in current().latest("service")]
    rows = [
        (v.name, v.version, v.manifest["proof"]["rows"], list(v.warnings), v.manifest["suite"], v.manifest["policy"],
         pd.Timestamp(v.made, unit="s", tz="UTC"))
        for v in versions
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["name", "version", "rows", "warnings", "suite", "policy", "made"])
    return shown_as(frame, listing_report(versions, "" if versions else model_line()))


def unknown(ref: str) -> errors.UnknownService:
    """The error for a reference that nothing bears, with the nearest that something does; else the line that lists them."""
    names = [thing.name for thing in current().latest("service")]
    close = errors.nearest(ref.partition("@")[0], names)
    if close is None:
        have = f"; there are {', '.join(names[:5])}" if names else "; none is packaged yet"
        return errors.UnknownService(f"no service {ref!r}{have}", next="%nbml services")
    last = current().find("service", close)
    found = last.ref if last is not None else close
    return errors.UnknownService(f"no service {ref!r}; nearest: {found}", next=f'nbml.service("{found}")')


def model_line() -> str:
    """The line that packages the newest fitted model of the notebook; "" where it holds none."""
    from nbml.packaging.flow import is_fitted
    from nbml.slicing import recorder
    from nbml.store.advice import fit

    names = list(recorder.namespace().items())
    found = next((name for name, value in reversed(names) if not name.startswith("_") and is_fitted(value)), "")
    return f"%nbml package {found} --name {fit(found)}" if found else ""


def _key(key: str | Iterable[str] | None) -> tuple[str, ...]:
    return () if key is None else _names(key)


def _names(value: str | Iterable[str]) -> tuple[str, ...]:
    """A comma list, or a sequence of names."""
    parts = value.split(",") if isinstance(value, str) else list(value)
    return tuple(part.strip() for part in parts if part.strip())
