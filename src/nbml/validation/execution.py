"""An execution engine for checkpoints of Great Expectations: its pandas engine, with the judging of rows done here.

    PandasDatasource.execution_engine_override = nbml.ExecutionEngine

Expectations, batches, checkpoints and results are Great Expectations' own. What differs: a batch is not hashed, so
``pandas_data_fingerprint`` is not among its markers (Great Expectations leaves it out for large frames too); the rows that
break an expectation of one column come from nbml's evaluator where it judges them; and what is then told of those rows is
taken from their column instead of from a filtered copy of the whole frame.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from great_expectations.constants import MAX_RESULT_RECORDS
    from great_expectations.execution_engine import PandasExecutionEngine
    from great_expectations.execution_engine.pandas_batch_data import PandasBatchData
    from great_expectations.expectations.registry import get_expectation_impl, list_registered_expectation_implementations

from nbml.validation.evaluating import LIKE, TYPES, outcome
from nbml.validation.evaluating.facts import Frame

if TYPE_CHECKING:
    from great_expectations.validator.metric_configuration import MetricConfiguration

CONDITION, VALUES, INDEXES, COUNT = ".condition", ".unexpected_values", ".unexpected_index_list", ".unexpected_count"


class NbmlExecutionEngine(PandasExecutionEngine):
    """For ``PandasDatasource.execution_engine_override``. Not for several threads at once, as the engine that it extends."""

    #: the column that the metric in work is about, where its other columns are not needed
    _about: str | None = None

    def get_batch_data_and_markers(self, batch_spec: Any) -> tuple[Any, Any]:
        """As the pandas engine, without hashing the frame twice."""
        held, markers = super().get_batch_data_and_markers(batch_spec)
        return PandasBatchData(execution_engine=self, dataframe=held.dataframe.frame), markers

    def _apply_partitioning_and_sampling_methods(self, batch_spec: Any, batch_data: Any) -> Any:
        return _Unhashed(super()._apply_partitioning_and_sampling_methods(batch_spec, batch_data))

    def resolve_metrics(
        self, metrics_to_resolve: Iterable[MetricConfiguration], metrics: Any = None, runtime_configuration: Any = None
    ) -> dict[Any, Any]:
        """As the pandas engine; the conditions of one column follow each other, so that what is learnt of it can be forgotten."""
        asked = list(metrics_to_resolve)
        found: dict[Any, Any] = {}
        facts = _Facts(self)
        for metric in sorted(asked, key=lambda metric: str(metric.metric_domain_kwargs.get("column", ""))):
            value = self._own(metric, metrics or {}, facts)
            if value is None:
                with self._narrowed(metric):
                    found |= super().resolve_metrics([metric], metrics, runtime_configuration)
            else:
                found[metric.id] = value
        return {metric.id: found[metric.id] for metric in asked}

    def get_domain_records(self, domain_kwargs: dict[str, Any]) -> pd.DataFrame:
        """As the pandas engine; of the one column alone while a metric is at work that needs no other."""
        data = super().get_domain_records(domain_kwargs)
        return data if self._about is None or self._about not in data.columns else data[[self._about]]

    @contextmanager
    def _narrowed(self, metric: MetricConfiguration) -> Iterator[None]:
        name = metric.metric_name
        whole = name.endswith(".unexpected_rows") or _keyed(metric) or metric.metric_domain_kwargs.get("row_condition")
        if name.startswith("column_values.") and not whole:
            self._about = metric.metric_domain_kwargs.get("column")
        try:
            yield
        finally:
            self._about = None

    def _own(self, metric: MetricConfiguration, metrics: Any, facts: _Facts) -> Any:
        """The value of a metric that is known here; None where Great Expectations has to compute it."""
        name, domain = metric.metric_name, metric.metric_domain_kwargs
        if not name.startswith("column_values.") or domain.get("row_condition") or domain.get("table"):
            return None
        if name.endswith(CONDITION):
            return self._condition(metric, facts)
        condition = metric.metric_dependencies.get("unexpected_condition")
        if condition is None or condition.id not in metrics or not isinstance(metrics[condition.id][0], _Broken):
            return None
        broken = metrics[condition.id][0]
        if name.endswith(COUNT):
            return len(broken.positions)
        plan = metric.metric_value_kwargs.get("result_format") or {}
        limit = None if plan.get("result_format") == "COMPLETE" else plan.get("partial_unexpected_count")
        if name.endswith(VALUES):
            most = MAX_RESULT_RECORDS if limit is None else min(limit, MAX_RESULT_RECORDS)
            return list(broken.column.iloc[broken.positions[:most]])
        if name.endswith(INDEXES) and not _keyed(metric) and all(label is None for label in broken.column.index.names):
            return list(broken.column.index[broken.positions[:limit]])
        return None

    def _condition(self, metric: MetricConfiguration, facts: _Facts) -> Any:
        kind = _types().get(metric.metric_name.removesuffix(CONDITION))
        kwargs = {key: value for key, value in metric.metric_value_kwargs.items() if value is not None}
        if kind is None or any(isinstance(kwargs.get(key), str) for key in ("min_value", "max_value")):
            return None
        column = metric.metric_domain_kwargs.get("column")
        frame = facts.frame(metric.metric_domain_kwargs, column)
        if frame is None or (pd.api.types.is_datetime64_any_dtype(frame.frame[column].dtype) and "value_set" in kwargs):
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            told = outcome(frame, {"type": kind, "kwargs": {"column": column, **kwargs}})
        if told is None or told.broken is None:
            return None
        _, compute, accessor = self.get_compute_domain(metric.metric_domain_kwargs, "column")
        whole = kind in ("expect_column_values_to_be_null", "expect_column_values_to_not_be_null")
        return _Broken.of(frame, column, told.broken, whole=whole), compute, accessor


class _Unhashed:
    """Holds a frame, too large to be hashed as far as Great Expectations sees."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame

    def memory_usage(self) -> pd.Series:
        return pd.Series([float("inf")])


class _Broken(pd.Series):
    """What Great Expectations calls the unexpected condition, and where in the column it is True."""

    _metadata = ["column", "positions"]
    column: pd.Series
    positions: Any

    @classmethod
    def of(cls, frame: Frame, column: str, broken: Any, *, whole: bool) -> _Broken:
        held, nulls = frame.frame[column], frame.column(column).nulls
        judged = broken if whole or nulls is None else broken[~nulls]
        found = cls(judged, index=held.index if whole or nulls is None else held.index[~nulls], copy=False)
        found.column, found.positions = held, np.flatnonzero(broken)
        return found


class _Facts:
    """What is known of one column of one batch, for as long as metrics ask for that column."""

    def __init__(self, engine: NbmlExecutionEngine) -> None:
        self.engine = engine
        self.frames: dict[Any, Frame] = {}
        self.last: Any = None

    def frame(self, domain: Any, column: Any) -> Frame | None:
        """None where Great Expectations would not find the column, or find another."""
        batch = domain.get("batch_id")
        if batch not in self.frames:
            data = PandasExecutionEngine.get_domain_records(self.engine, {"batch_id": batch})
            named = all(isinstance(label, str) for label in data.columns) and data.columns.is_unique
            self.frames[batch] = Frame(data if named else data.iloc[:, :0])
        found = self.frames[batch]
        if self.last is not None and self.last != (batch, column):
            self.frames[self.last[0]].forget(self.last[1])
        self.last = (batch, column)
        return found if column in found.names else None


@functools.cache
def _types() -> dict[str, str]:
    """Metric of Great Expectations -> type of the expectation that it judges, for those that are judged here."""
    found = {}
    for kind in list_registered_expectation_implementations():
        metric = getattr(get_expectation_impl(kind), "map_metric", None)
        if isinstance(metric, str) and metric.startswith("column_values.") and kind in TYPES and kind not in LIKE:
            found[metric] = kind
    return found


def _keyed(metric: MetricConfiguration) -> bool:
    """Whether rows are told by the values of other columns."""
    return bool((metric.metric_value_kwargs.get("result_format") or {}).get("unexpected_index_column_names"))
