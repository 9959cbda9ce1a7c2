"""Great Expectations 1.24 on its pandas engine: in memory, silent, without telemetry.

Not carried over: data contexts on disk, checkpoints, data docs.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import warnings
from collections import Counter
from typing import TYPE_CHECKING, Any

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import great_expectations as gx
    import great_expectations.expectations  # registers them
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.expectations.registry import get_expectation_impl, list_registered_expectation_implementations

from nbml import errors
from nbml.validation.engines import REPEATED, failed
from nbml.validation.evaluating.results import as_json
from nbml.validation.evaluating.terms import VALUES, instant, like_to_regex

if TYPE_CHECKING:
    import pandas as pd

    from nbml.validation.engines import Engine


class GxEngine:
    """Validates by a Batch of an ephemeral context, all expectations at once."""

    def evaluate(self, frame: pd.DataFrame, configs: list[dict[str, Any]], result_format: str) -> list[dict[str, Any]]:
        if not configs:
            return []
        with warnings.catch_warnings(), _quiet():
            warnings.simplefilter("ignore")
            expectations = [build(config, frame) for config in configs]
            try:
                batch = _batch(frame)
            except Exception as error:  # a frame that pandas cannot hash
                return [_result(failed(config, str(error)), config) for config in configs]
            done: dict[int, dict[str, Any]] = {}
            for places in _rounds(configs):
                done |= dict(zip(places, _validated(batch, [expectations[place] for place in places], result_format), strict=True))
        return [_result(done[place], config) for place, config in enumerate(configs)]


PLACE = "nbml_place"
QUANTILES = "expect_column_quantile_values_to_be_between"


def _rounds(configs: list[dict[str, Any]]) -> list[list[int]]:
    """Places of what is asked together. Two quantile expectations of a column are not: GX 1.24 names their metrics before it
    adds the quantiles, so that the second would be judged by the values of the first."""
    rounds: list[list[int]] = [[]]
    turns: Counter[str] = Counter()
    for place, config in enumerate(configs):
        column = str(config["kwargs"].get("column")) if config["type"] == QUANTILES else ""
        if turns[column] == len(rounds):
            rounds.append([])
        rounds[turns[column]].append(place)
        turns[column] += column != ""
    return rounds


def _validated(batch: Any, expectations: list[Any], result_format: str) -> list[dict[str, Any]]:
    """GX's results in the order asked. It gives none at all where one of them raises outside its metrics or holds what its
    JSON does not take (a duration), so the rest is then asked without that one, which has failed with the reason."""
    for place, expectation in enumerate(expectations):
        expectation.meta = {PLACE: place}  # GX groups its results by column
    suite = gx.ExpectationSuite(name="suite", expectations=expectations)
    try:
        done = batch.validate(suite, result_format=result_format).to_json_dict()["results"]
    except Exception as error:
        half = len(expectations) // 2
        if half:
            return _validated(batch, expectations[:half], result_format) + _validated(batch, expectations[half:], result_format)
        return [failed({}, f"{type(error).__name__}: {error}")]
    found: dict[int, dict[str, Any]] = {r["expectation_config"]["meta"][PLACE]: r for r in done}
    return [found[place] for place in range(len(expectations))]


def _result(found: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    own = {key: config[key] for key in REPEATED if key in config}
    whole: dict[str, Any] = as_json({**found, "success": bool(found["success"]), "expectation_config": own})
    return whole


def build(config: dict[str, Any], frame: pd.DataFrame | None = None) -> Any:
    """A GX Expectation from its JSON. Raises errors.BadExpectation where GX does not know it or its arguments."""
    kind, kwargs = config["type"], dict(config["kwargs"])
    if kind.endswith("match_like_pattern"):  # GX has it for SQL only
        kind = kind.replace("like_pattern", "regex")
        kwargs["regex"] = like_to_regex(kwargs.pop("like_pattern"))
    if frame is not None:
        kwargs |= {key: instant(kwargs[key], kwargs.get("column"), frame) for key in VALUES if key in kwargs}
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
