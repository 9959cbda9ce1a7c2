"""Drift as Expectation classes of Great Expectations: importing this registers them, so that a suite's JSON loads in GX.

``reference`` is the hash of a frame that ``expect --on`` keeps in the project's record. Within nbml drift is measured
without these; they are for checkpoints and suites of GX itself, on its pandas engine.
"""

from __future__ import annotations

import warnings
from typing import Any, ClassVar, Optional

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from great_expectations.expectations.expectation import ColumnAggregateExpectation

from nbml import settings
from nbml.validation.checking import drift
from nbml.validation.words import drift_type


class _Drift(ColumnAggregateExpectation):
    """Less than ``max_value`` (or as much, where ``strict_max`` is False) away from the reference."""

    metric_dependencies: ClassVar[tuple[str, ...]] = ("table.row_count",)
    success_keys: ClassVar[tuple[str, ...]] = ("max_value", "strict_max", "reference")
    args_keys: ClassVar[tuple[str, ...]] = ("column", "max_value", "strict_max", "reference")
    word: ClassVar[str] = ""

    max_value: float
    strict_max: bool = True
    reference: Optional[str] = None  # noqa: UP045  # read by pydantic 1

    @classmethod
    def is_abstract(cls) -> bool:
        return not cls.word

    def _validate(self, metrics: dict[Any, Any], runtime_configuration: Any = None, execution_engine: Any = None) -> dict[str, Any]:
        from nbml.store import current

        config = {
            "type": drift_type(self.word),
            "kwargs": {"column": self.column, "max_value": self.max_value, "strict_max": self.strict_max},
        }
        domain = {"column": self.column, "row_condition": self.row_condition}
        frame = execution_engine.get_domain_records(domain)
        reference = None if self.reference is None else pinned(self.reference)
        if reference is not None and self.row_condition is not None:
            reference = execution_engine._apply_row_condition_filter(reference, self.row_condition, domain)
        found = drift(config, frame, reference, settings.load(current().root)["validation.min_rows"])
        if found["exception_info"]["raised_exception"]:
            raise ValueError(found["exception_info"]["exception_message"])
        return {"success": found["success"], "result": found["result"]}


def pinned(blob: str) -> Any:
    """The reference frame of a hash. Raises errors.StoreDamaged where it is not in the project's record."""
    from nbml.datasets import parquet
    from nbml.store import current

    return parquet.decode(current().read_blob(blob))


class ExpectColumnPsiToBeLessThan(_Drift):
    """Population stability index: ten quantile bins, or the fifty most frequent values."""

    word: ClassVar[str] = "psi"


class ExpectColumnKsToBeLessThan(_Drift):
    """Kolmogorov-Smirnov statistic."""

    word: ClassVar[str] = "ks"


class ExpectColumnJsToBeLessThan(_Drift):
    """Jensen-Shannon distance, base 2."""

    word: ClassVar[str] = "js"


class ExpectColumnChi2ToBeLessThan(_Drift):
    """Pearson's chi-squared statistic of the two rows of counts."""

    word: ClassVar[str] = "chi2"


class ExpectColumnWassersteinToBeLessThan(_Drift):
    """First Wasserstein distance, in the column's unit."""

    word: ClassVar[str] = "wasserstein"
