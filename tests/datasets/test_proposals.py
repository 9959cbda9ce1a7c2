"""Lines that errors about data propose, typed as they stand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nbml import errors


@pytest.fixture
def book(shell: Any) -> Any:
    """Gives what a cell gives, and raises what it raises."""

    def cell(source: str) -> Any:
        result = shell.run_cell(source, store_history=True)
        result.raise_error()
        return result.result

    return cell


EIGHT = "df = pd.DataFrame({f'c{i}': [1, 2] for i in range(8)}); df[frozenset()] = 2"
LISTS = "column 'a' holds list values, which Parquet does not give back as they are; make them text, numbers or columns of their own"
MENDED = [
    (EIGHT, "the column label frozenset() (frozenset) cannot be kept; make it text", "df.columns = df.columns.map(str)"),
    ("df = pd.DataFrame({'a': [[1], [2]]})", LISTS, "df['a'] = df['a'].map(str)"),
    ("df = pd.DataFrame({'a': [[1], [2]], 'b': [{1}, {2}], 'c': [1, 2]})", LISTS, "df[['a', 'b']] = df[['a', 'b']].map(str)"),
    ("df = pd.DataFrame([[1, 2]], columns=['a', 'a'])", "the column name 'a' stands 2 times; rename one",
     'df.columns = [f"{c}_{i}" if twice else c for i, (c, twice) in enumerate(zip(df, df.columns.duplicated()))]'),
    ("df = pd.Series([1, 2], name='a')", "a dataframe is needed, not Series of shape (2,)", "df = df.to_frame()"),
    ("df = [1, 2]", "a dataframe is needed, not list", "df = pd.DataFrame(df)"),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "message", "following"), MENDED)
def test_the_line_proposed_makes_a_frame_that_is_kept(book: Any, cell: str, message: str, following: str) -> None:
    book(f"import nbml, pandas as pd; {cell}")
    with pytest.raises(errors.BadInput) as found:
        book("nbml.snapshot(df, 'mended')")
    assert (found.value.message, found.value.next) == (message, following)
    book(following)
    assert str(book("nbml.snapshot(df, 'mended')")) == "mended@1"


def test_what_no_line_mends_proposes_none(book: Any) -> None:
    book("import nbml, pandas as pd; df = pd.DataFrame({'0': [1], 0: [2]})")
    for cell, message in (
        ("nbml.snapshot(df, 'x')", "the column labels '0' (str) and 0 (int) are the same as text; rename one"),
        ("nbml.snapshot(3, 'x')", "a dataframe is needed, not int"),
        ("nbml.snapshot(pd.DataFrame({'a': [[1]]}), 'x')", LISTS),
        ("df = pd.DataFrame({'a': [[1]]}); df[frozenset()] = 2; nbml.snapshot(df, 'x')", MENDED[0][1]),
    ):
        with pytest.raises(errors.BadInput) as found:
            book(cell)
        assert (found.value.message, found.value.next) == (message, None)


def test_a_file_that_is_not_there_names_the_nearest(book: Any, project: Path) -> None:
    pd.DataFrame({"a": [1]}).to_csv(project / "orders.csv")
    with pytest.raises(errors.BadInput) as found:
        book("import nbml; nbml.snapshot('ordrs.csv', 'x')")
    assert found.value.message == f"no file 'ordrs.csv' in {project}; nearest: orders.csv"


def test_unchanged_is_said_where_something_was_compared(book: Any) -> None:
    book("import nbml, pandas as pd; df = pd.DataFrame({'a': [1]})")
    said = [repr(book(cell)).partition(" ")[0] for cell in ("nbml.snapshot(df, 'x')", "nbml.snapshot(df, 'x')", "nbml.dataset('x')")]
    assert said == ["[stored]", "[unchanged]", "[stored]"]


def test_a_dataset_that_is_not_near_any_lists_them(book: Any) -> None:
    book("import nbml, pandas as pd; df = pd.DataFrame({'a': [1]}); nbml.snapshot(df, 'orders')")
    with pytest.raises(errors.UnknownDataset) as found:
        book("nbml.dataset('zzz')")
    assert str(found.value) == "no dataset 'zzz'; there are orders\nTry: %nbml data"
    assert list(book(str(found.value.next))["name"]) == ["orders"]
