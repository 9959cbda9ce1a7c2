"""Great Expectations 1.24 on its pandas engine: in memory, silent, without telemetry.

Not carried over: data contexts on disk, checkpoints, data docs.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
import warnings
from typing import TYPE_CHECKING, Any

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import great_expectations as gx
    import great_expectations.expectations as gxe
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.expectations.registry import get_expectation_impl

from nbml import errors

if TYPE_CHECKING:
    import pandas as pd

    from nbml.validation.engines import Engine


class GxEngine:
    """Validates by a Batch of an ephemeral context."""

    def evaluate(self, frame: pd.DataFrame, configs: list[dict[str, Any]], result_format: str) -> list[dict[str, Any]]:
        with warnings.catch_warnings(), _quiet():
            warnings.simplefilter("ignore")
            batch = _batch(frame)
            return [_one(batch, frame, config, result_format) for config in configs]


def _one(batch: Any, frame: pd.DataFrame, config: dict[str, Any], result_format: str) -> dict[str, Any]:
    expectation = build(config, frame)
    done = batch.validate(expectation, result_format=result_format)
    found: dict[str, Any] = done.to_json_dict()
    found["success"] = bool(found["success"])
    found["expectation_config"] = {key: config[key] for key in ("type", "kwargs", "meta", "severity") if key in config}
    return found


def build(config: dict[str, Any], frame: pd.DataFrame | None = None) -> Any:
    """A GX Expectation from its JSON. Raises errors.BadExpectation where GX does not know it or its arguments."""
    kind, kwargs = config["type"], dict(config["kwargs"])
    if kind.endswith("match_like_pattern"):  # GX has it for SQL only
        kind = kind.replace("like_pattern", "regex")
        kwargs["regex"] = like_to_regex(kwargs.pop("like_pattern"))
    if frame is not None:
        kwargs = {key: _instant(value, kwargs.get("column"), frame) for key, value in kwargs.items()}
    line = config.get("meta", {}).get("nbml", {}).get("line", 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            implementation = get_expectation_impl(kind)
            return implementation(**kwargs)
    except Exception as error:
        names = [_snake(name) for name in dir(gxe) if name.startswith("Expect")]
        close = errors.nearest(kind, names)
        if kind not in names:
            raise errors.BadExpectation(f"line {line}: no expectation {kind!r}" + (f"; nearest: {close}" if close else ""), line=line) from error
        reason = [part.strip() for part in str(error).splitlines() if part.strip()]
        raise errors.BadExpectation(f"line {line}: {kind}: {' '.join(reason[1:3]) or reason[0]}", line=line) from error


def like_to_regex(pattern: str) -> str:
    """SQL's LIKE as a regular expression: % is anything, _ one character."""
    parts = {"%": ".*", "_": "."}
    return "^(?s:" + "".join(parts.get(char, re.escape(char)) for char in pattern) + r")\Z"


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _instant(value: Any, column: str | None, frame: pd.DataFrame) -> Any:
    """A bound written as text becomes an instant where its column holds instants."""
    if not isinstance(value, str) or column not in frame.columns or value == column:
        return value
    import pandas as pd

    if not pd.api.types.is_datetime64_any_dtype(frame[column].dtype):
        return value
    try:
        instant = pd.Timestamp(value)
    except ValueError:
        return value
    zone = getattr(frame[column].dtype, "tz", None)
    if zone is not None and instant.tzinfo is None:
        instant = instant.tz_localize(zone)
    return instant.to_pydatetime()


def _batch(frame: pd.DataFrame) -> Any:
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    return context.data_sources.pandas_default.read_dataframe(frame)


@contextlib.contextmanager
def _quiet() -> Any:
    """GX logs and draws on stderr; both are kept away from the cell."""
    logger = logging.getLogger("great_expectations")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        logger.setLevel(level)


if TYPE_CHECKING:
    _: Engine = GxEngine()
