"""The words of the language, and the names of Great Expectations that they stand for."""

from __future__ import annotations

import json
import keyword
import unicodedata
from collections.abc import Mapping
from typing import Any

#: word -> GX's aggregate expectation; its bounds are min_value and max_value
AGGREGATES = {
    "mean": "expect_column_mean_to_be_between",
    "median": "expect_column_median_to_be_between",
    "stdev": "expect_column_stdev_to_be_between",
    "sum": "expect_column_sum_to_be_between",
    "min": "expect_column_min_to_be_between",
    "max": "expect_column_max_to_be_between",
    "n_unique": "expect_column_unique_value_count_to_be_between",
    "null_share": "expect_column_proportion_of_non_null_values_to_be_between",
    "quantile": "expect_column_quantile_values_to_be_between",
    "length": "expect_column_value_lengths_to_be_between",
}
#: drift measures; GX has none, so these expectations are ours
DRIFT = ("psi", "ks", "js", "chi2", "wasserstein")
#: word of two arguments -> GX's expectation and the name of its pattern
PATTERNS = {
    "matches": ("expect_column_values_to_match_regex", "regex"),
    "like": ("expect_column_values_to_match_like_pattern", "like_pattern"),
    "format": ("expect_column_values_to_match_strftime_format", "strftime_format"),
}
NOT_PATTERNS = {
    "matches": ("expect_column_values_to_not_match_regex", "regex"),
    "like": ("expect_column_values_to_not_match_like_pattern", "like_pattern"),
}
#: words that stand alone as an entry
PREDICATES = ("not_null", "null", "unique", "increasing", "decreasing", *PATTERNS)
WORDS = (*AGGREGATES, *DRIFT, *PREDICATES, "dtype", "rows", "columns", "col", "var")
KEYWORDS = ("mostly", "where", "severity")
#: words of a row condition, beside columns and comparisons
TESTS = ("null", "not_null", "matches", "like")
#: every word, and in one line what it says, with an example
HELP = {
    "rows": "how many rows there are: 1_000 <= rows <= 100_000",
    "columns": "the names of the columns: columns == {'a', 'b'}; in order: columns == ['a', 'b']; at least: columns >= {'a'}",
    "col": "a column whose name is no identifier, or a reserved word: col('net amount') >= 0",
    "var": "a value of the notebook, frozen when written: tenure <= var('max_tenure')",
    "not_null": "no value is missing: not_null(customer_id, age)",
    "null": "every value is missing: null(left_at)",
    "unique": "no value stands twice, or no combination of values: unique(shop, day)",
    "increasing": "each value is at least the one before: increasing(at); more than it: increasing(at, strictly=True)",
    "decreasing": "each value is at most the one before: decreasing(rank)",
    "matches": "a regular expression is found in each text: matches(email, r'[^@]+@[^@]+')",
    "like": "each text is like a pattern of SQL, % anything and _ one character: like(code, 'A%')",
    "format": "each text is a date of a strftime format: format(day, '%Y-%m-%d')",
    "length": "how many characters each text has: 3 <= length(code) <= 8",
    "dtype": "the type of a column: dtype(age) == 'int64'",
    "mean": "the mean of a column: 0.2 <= mean(churned) <= 0.4",
    "median": "the median of a column: median(age) >= 30",
    "stdev": "the standard deviation of a column: stdev(age) < 20",
    "sum": "the sum of a column: sum(share) == 1",
    "min": "the least value of a column: min(signup) >= '2020-01-01'",
    "max": "the greatest value of a column: max(age) < 120",
    "quantile": "a quantile of a column: quantile(age, 0.9) <= 70",
    "n_unique": "how many different values a column has: n_unique(plan) == 3",
    "null_share": "the share of missing values, from 0 to 1: null_share(age) < 0.05",
    "psi": "population stability index against the reference: psi(age) < 0.2",
    "ks": "Kolmogorov-Smirnov statistic against the reference: ks(age) < 0.1",
    "js": "Jensen-Shannon distance from the reference, of numbers or categories: js(plan) < 0.1",
    "chi2": "chi-squared statistic against the reference, of categories: chi2(plan) < 10",
    "wasserstein": "Wasserstein distance from the reference, in the column's unit: wasserstein(age) < 2",
    "mostly": "the share of values for which it has to hold: 18 <= age <= 100, mostly=0.99",
    "where": "the rows that are judged: age >= 18, where=plan == 'pro' and not_null(age)",
    "severity": "critical, warning or info: rows >= 10, severity='warning'",
}
SEVERITIES = ("critical", "warning", "info")
#: a row where either column is null is not judged
EITHER = "either_value_is_missing"

#: how the types begin that judge values one by one, so that ``mostly`` means something
BY_VALUE = (
    "expect_column_values_to_", "expect_column_value_lengths_", "expect_column_value_z_scores_", "expect_column_pair_values_",
    "expect_compound_columns_", "expect_multicolumn_", "expect_select_column_",
)  # fmt: skip

#: the expectations of GX 1.24, so that a misspelt one is told without importing it; a test compares
NAMES = (
    "expect_column_distinct_values_to_be_in_set", "expect_column_distinct_values_to_contain_set",
    "expect_column_distinct_values_to_equal_set", "expect_column_kl_divergence_to_be_less_than", "expect_column_max_to_be_between",
    "expect_column_mean_to_be_between", "expect_column_median_to_be_between", "expect_column_min_to_be_between",
    "expect_column_most_common_value_to_be_in_set", "expect_column_pair_values_a_to_be_greater_than_b",
    "expect_column_pair_values_to_be_equal", "expect_column_pair_values_to_be_in_set",
    "expect_column_proportion_of_non_null_values_to_be_between",
    "expect_column_proportion_of_unique_values_to_be_between", "expect_column_quantile_values_to_be_between",
    "expect_column_stdev_to_be_between", "expect_column_sum_to_be_between", "expect_column_to_exist",
    "expect_column_type_to_be", "expect_column_unique_value_count_to_be_between",
    "expect_column_value_lengths_to_be_between", "expect_column_value_lengths_to_equal",
    "expect_column_value_z_scores_to_be_less_than", "expect_column_values_to_be_between",
    "expect_column_values_to_be_dateutil_parseable", "expect_column_values_to_be_decreasing",
    "expect_column_values_to_be_in_set", "expect_column_values_to_be_in_type_list",
    "expect_column_values_to_be_increasing", "expect_column_values_to_be_json_parseable",
    "expect_column_values_to_be_null", "expect_column_values_to_be_of_type", "expect_column_values_to_be_unique",
    "expect_column_values_to_match_json_schema", "expect_column_values_to_match_like_pattern",
    "expect_column_values_to_match_like_pattern_list", "expect_column_values_to_match_regex",
    "expect_column_values_to_match_regex_list", "expect_column_values_to_match_strftime_format",
    "expect_column_values_to_not_be_in_set", "expect_column_values_to_not_be_null",
    "expect_column_values_to_not_be_outliers", "expect_column_values_to_not_match_like_pattern",
    "expect_column_values_to_not_match_like_pattern_list", "expect_column_values_to_not_match_regex",
    "expect_column_values_to_not_match_regex_list", "expect_compound_columns_to_be_unique",
    "expect_multicolumn_sum_to_equal", "expect_multicolumn_values_to_be_equal",
    "expect_query_results_to_match_comparison", "expect_select_column_values_to_be_unique_within_record",
    "expect_table_column_count_to_be_between", "expect_table_column_count_to_equal",
    "expect_table_columns_to_match_ordered_list", "expect_table_columns_to_match_set",
    "expect_table_row_count_to_be_between", "expect_table_row_count_to_equal",
    "expect_table_row_count_to_equal_other_table",
)  # fmt: skip

#: Great Expectations' only other name; for databases, as the two of NAMES that take a query
ROWS_BY_QUERY = "unexpected_rows_expectation"
#: types whose verdict is the same whichever rows are judged
ROWLESS = (
    "expect_column_to_exist", "expect_column_type_to_be", "expect_table_column_count_to_be_between", "expect_table_column_count_to_equal",
    "expect_table_columns_to_match_ordered_list", "expect_table_columns_to_match_set", "expect_query_results_to_match_comparison",
    ROWS_BY_QUERY,
)  # fmt: skip

#: types that look beyond the row although they give unexpected values: not for a single request
ACROSS_ROWS = (
    "expect_column_values_to_be_unique", "expect_compound_columns_to_be_unique", "expect_column_values_to_be_increasing",
    "expect_column_values_to_be_decreasing", "expect_column_values_to_not_be_outliers",
    "expect_column_value_z_scores_to_be_less_than", "expect_column_values_to_be_of_type", "expect_column_values_to_be_in_type_list",
)  # fmt: skip


def drift_type(word: str) -> str:
    """The type of our drift expectation for a measure."""
    return f"expect_column_{word}_to_be_less_than"


def drift_word(kind: str) -> str | None:
    """The measure of a drift expectation's type, or None for any other."""
    word = kind.removeprefix("expect_column_").removesuffix("_to_be_less_than")
    return word if word in DRIFT and kind == drift_type(word) else None


def written(column: str) -> str:
    """A column as the language writes it: bare, or as ``col("net amount")`` where its name is no identifier or taken."""
    bare = column.isidentifier() and unicodedata.normalize("NFKC", column) == column
    return column if bare and not keyword.iskeyword(column) and column not in WORDS else f"col({json.dumps(column, ensure_ascii=False)})"


def columns_of(kwargs: Mapping[str, Any]) -> list[str]:
    """The columns that an expectation's arguments name."""
    found = [kwargs[key] for key in ("column", "column_A", "column_B") if key in kwargs]
    return [str(name) for name in [*found, *kwargs.get("column_list", ())]]


def first_arguments(kind: str) -> tuple[str, ...]:
    """What the unnamed arguments of a GX expectation are called."""
    if kind.startswith("expect_column_pair_"):
        return ("column_A", "column_B")
    if kind.startswith(("expect_compound_columns_", "expect_multicolumn_", "expect_select_column_")):
        return ("column_list",)
    if kind == "expect_table_columns_to_match_ordered_list":
        return ("column_list",)
    if kind == "expect_table_columns_to_match_set":
        return ("column_set",)
    if kind.startswith("expect_table_"):
        return ("min_value", "max_value") if kind.endswith("_between") else ("value",)
    if kind.endswith("quantile_values_to_be_between"):
        return ("column", "quantile_ranges")
    if kind.endswith("_between"):
        return ("column", "min_value", "max_value")
    second = {"_set": "value_set", "_regex": "regex", "_of_type": "type_", "_type_list": "type_list", "strftime_format": "strftime_format"}
    return ("column", *(name for end, name in second.items() if kind.endswith(end)))
