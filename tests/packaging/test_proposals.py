"""What packaging refuses, with lines that work as they are typed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nbml import errors
from nbml.store import current

Run = Callable[[str], Any]
FIT = "from sklearn.linear_model import LogisticRegression\nmodel = LogisticRegression().fit(X, [0, 1, 0, 1])"


@pytest.fixture
def book(run: Run) -> Run:
    run("import nbml, numpy as np, pandas as pd\nraw = pd.DataFrame({'a': [1.0, 2.0, 3.0, 4.0], 'customer': [1, 2, 3, 4]}); X = raw[['a']]")
    return run


def test_a_key_that_no_frame_has_is_refused_with_the_nearest(book: Run, project: Path) -> None:
    book(FIT)
    with pytest.raises(errors.BadArgument) as found:
        book("%nbml package model --name keyed --on raw --key custmer")
    assert str(found.value) == (
        "no column 'custmer' in raw; nearest: customer\nTry: %nbml package model --name keyed --on raw --key customer"
    )
    assert current().find("service", "keyed") is None
    assert book(str(found.value.next)).manifest["key"] == ["customer"]
    with pytest.raises(errors.BadArgument) as found:
        book("%nbml package model --name keyed --on X --key zzz")
    assert str(found.value) == "no column 'zzz' in X; there are a"


def test_a_preview_leads_to_the_line_that_packages(book: Run) -> None:
    book(FIT)
    shown = book("%nbml package model --name odd --on raw --key customer --policy flag --preview")
    line = repr(shown).splitlines()[-1]
    assert line == "Next: %nbml package model --name odd --on raw --key customer --policy flag"
    assert str(book(line.removeprefix("Next: "))) == "odd@1"
    assert "Next:" not in repr(book("nbml.package(model, 'odd', on=raw.head(2), preview=True)")), "what has no name is not proposed"


def test_unchanged_is_said_where_something_was_compared(book: Run) -> None:
    book(FIT)
    cells = ("nbml.package(model, 'odd', on=X)", "nbml.package(model, 'odd', on=X)", "nbml.service('odd')")
    assert [repr(book(cell)).partition(" ")[0] for cell in cells] == ["[packaged]", "[unchanged]", "[packaged]"]


@pytest.mark.parametrize(
    ("cell", "following"),
    [
        ("from sklearn.linear_model import Ridge; m = Ridge(); frame = X; del X, raw; target = pd.Series([1, 2, 3, 4])",
         "m.fit(frame, target)"),
        ("from sklearn.cluster import KMeans; m = KMeans(2); frame = X; del X, raw", "m.fit(frame)"),
        ("from sklearn.linear_model import Ridge; m = Ridge(); y = [1, 2]; other = 1", None),
    ],
)  # fmt: skip
def test_an_unfitted_model_is_fitted_by_the_line_proposed(book: Run, cell: str, following: str | None) -> None:
    book(cell)
    with pytest.raises(errors.NotFitted) as found:
        book("nbml.package(m, 'odd')")
    assert found.value.next == following
    if following:
        book(following)


def test_a_class_proposes_what_was_made_of_it(book: Run) -> None:
    book(FIT)
    with pytest.raises(errors.BadInput) as found:
        book("%nbml package LogisticRegression --name odd --on X")
    assert str(found.value) == (
        "LogisticRegression is a class; a fitted model or a function predict(df) can be packaged\n"
        "Try: %nbml package model --name odd --on X"
    )
    assert str(book(str(found.value.next))) == "odd@1"


def test_a_service_that_is_not_there(book: Run) -> None:
    with pytest.raises(errors.UnknownService) as found:
        book("nbml.service('zzz')")
    assert str(found.value) == "no service 'zzz'; none is packaged yet\nTry: %nbml services"
    assert "Next" not in repr(book(str(found.value.next)))
    book(FIT)
    line = repr(book("%nbml services")).splitlines()[-1]
    assert line == "Next: %nbml package model --name model"
    assert str(book(line.removeprefix("Next: "))) == "model@1"


def test_a_prediction_that_asks_the_clock_is_not_packaged(book: Run) -> None:
    book("import time\ndef predict(d):\n    return d['a'] + time.time()")
    with pytest.raises(errors.SliceRefused) as found:
        book("%nbml package predict --name ttime --on X")
    assert found.value.message == (
        "predict calls time.time() (cell 2, line 3), which asks the clock, so that the same row gets another answer at another time; "
        "give it as a column of the data, or read it in a cell and use the value"
    )
    assert current().find("service", "ttime") is None


def test_a_slice_of_what_cannot_be_packaged_proposes_nothing(book: Run) -> None:
    book("rate = 2\nclass Box:\n    pass\ndef predict(df):\n    return df['a'] * rate")
    for name in ("np", "rate", "Box", "X"):
        assert "Next" not in repr(book(f"%nbml slice {name}"))
    line = repr(book("%nbml slice predict")).splitlines()[-1]
    assert line == "Next: %nbml package predict --name predict"
