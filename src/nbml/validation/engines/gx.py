"""Great Expectations 1.24 on its pandas engine: in memory, silent, without telemetry.

Not carried over: data contexts on disk, checkpoints, data docs.
"""

from __future__ import annotations

import contextlib
import io
import logging
import math
import os
import re
import warnings
from typing import TYPE_CHECKING, Any

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import great_expectations as gx
    import great_expectations.expectations  # registers them
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.expectations.registry import get_expectation_impl, list_registered_expectation_implementations

from nbml import errors

if TYPE_CHECKING:
    import pandas as pd

    from nbml.validation.engines import Engine


#: arguments that hold values of a column
VALUES = ("min_value", "max_value", "value_set")


class GxEngine:
    """Validates by a Batch of an ephemeral context, all expectations at once."""

    def evaluate(self, frame: pd.DataFrame, configs: list[dict[str, Any]], result_format: str) -> list[dict[str, Any]]:
        if not configs:
            return []
        with warnings.catch_warnings(), _quiet():
            warnings.simplefilter("ignore")
            expectations = [build(config, frame) for config in configs]
            for place, expectation in enumerate(expectations):
                expectation.meta = {PLACE: place}  # GX groups its results by column
            suite = gx.ExpectationSuite(name="suite", expectations=expectations)
            done = _batch(frame).validate(suite, result_format=result_format).to_json_dict()["results"]
        found: dict[int, dict[str, Any]] = {r["expectation_config"]["meta"][PLACE]: r for r in done}
        return [_result(found[place], config) for place, config in enumerate(configs)]


PLACE = "nbml_place"


def _result(found: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    own = {key: config[key] for key in ("type", "kwargs", "meta", "severity") if key in config}
    return _plain({**found, "success": bool(found["success"]), "expectation_config": own})


def _plain(value: Any) -> Any:
    """Without numpy, and without NaN and infinity, which JSON does not have."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value


def build(config: dict[str, Any], frame: pd.DataFrame | None = None) -> Any:
    """A GX Expectation from its JSON. Raises errors.BadExpectation where GX does not know it or its arguments."""
    kind, kwargs = config["type"], dict(config["kwargs"])
    if kind.endswith("match_like_pattern"):  # GX has it for SQL only
        kind = kind.replace("like_pattern", "regex")
        kwargs["regex"] = like_to_regex(kwargs.pop("like_pattern"))
    if frame is not None:
        kwargs |= {key: _instant(kwargs[key], kwargs.get("column"), frame) for key in VALUES if key in kwargs}
    line = config.get("meta", {}).get("nbml", {}).get("line", 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            implementation = get_expectation_impl(kind)
            return implementation(**kwargs)
    except Exception as error:
        names = list_registered_expectation_implementations()
        if kind not in names:
            close = errors.nearest(kind, names)
            hint = f"; nearest: {close}" if close else ""
            raise errors.BadExpectation(f"line {line}: no expectation {kind!r}{hint}", line=line) from error
        reason = [part.strip() for part in str(error).splitlines() if part.strip()]
        raise errors.BadExpectation(f"line {line}: {kind}: {' '.join(reason[1:3]) or reason[0]}", line=line) from error


def like_to_regex(pattern: str) -> str:
    """SQL's LIKE as a regular expression: % is anything, _ one character."""
    parts = {"%": ".*", "_": "."}
    return "^(?s:" + "".join(parts.get(char, re.escape(char)) for char in pattern) + r")\Z"


def _instant(value: Any, column: str | None, frame: pd.DataFrame) -> Any:
    """A bound written as text becomes an instant where its column holds instants."""
    if isinstance(value, list):
        return [_instant(v, column, frame) for v in value]
    if not isinstance(value, str) or column not in frame.columns:
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
