"""Conditions on rows: what they pick, and what they say when they cannot."""

from __future__ import annotations

import pandas as pd
import pytest

from nbml import errors
from nbml.validation import where

FRAME = pd.DataFrame(
    {
        "auc": [0.9, 0.7, None, 0.8],
        "model": ["hgb", "svm", "hgb", None],
        "valid/loss": [1.0, 2.0, 3.0, 4.0],
        "ok": pd.array([True, False, None, True], dtype="boolean"),
        "at": pd.to_datetime(["2024-01-01", "2024-02-01", None, "2024-03-01"], utc=True),
        "kind": pd.Categorical(["a", "b", "a", None]),
    },
    index=["p", "q", "q", "r"],
)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("auc > 0.75", [0, 3]),
        ("not auc > 0.75", [1]),
        ("auc != 0.9", [1, 3]),
        ('auc > 0.6 and model == "hgb"', [0]),
        ('model == "svm" or auc >= 0.9', [0, 1]),
        ('model in {"svm", "lr"}', [1]),
        ('model not in {"svm"}', [0, 2]),
        ("null(auc) or null(model)", [2, 3]),
        ("model is not None", [0, 1, 2]),
        ("0.7 <= auc < 0.9", [1, 3]),
        ('col("valid/loss") > 2', [2, 3]),
        ("ok", [0, 3]),
        ("not ok", [1]),
        ('at >= "2024-02-01"', [1, 3]),
        ('kind == "a"', [0, 2]),
        ('auc > var("least")', [0]),
        ("auc * 0 == 0", None),
    ],
)
def test_which_rows_are_picked(text: str, rows: list[int] | None) -> None:
    if rows is None:
        with pytest.raises(errors.BadExpectation):
            where(text, FRAME, {"least": 0.85})
        return
    mask = where(text, FRAME, {"least": 0.85})
    assert mask.dtype == bool
    assert list(mask.index) == list(FRAME.index)
    assert list(mask.to_numpy().nonzero()[0]) == rows


@pytest.mark.parametrize(
    ("text", "message", "following"),
    [
        ("acu > 0.8", "column 1: no column 'acu'; nearest: auc", "auc > 0.8"),
        ("auc > 0.8 and valid_loss < 2", "column 15: no column 'valid_loss'; nearest: valid/loss", 'auc > 0.8 and col("valid/loss") < 2'),
        ("auc > 0.8 & ok", "column 7: '0.8 & ok' is no value: write it out, or as var(\"name\")", None),
        ('model > 3', "column 1: 'model > 3' compares values of different kinds", None),
        ("zzz > 3", "column 1: no column 'zzz'; there are auc, model, valid/loss, ok, at, kind", None),
        ("model", "column 1: 'model' is not true or false: compare it", None),
        ("auc >", "column 6: cannot be read: invalid syntax", None),
        ("", "column 1: one condition is needed, as in auc > 0.8", None),
        ("open('x')", "column 1: \"open('x')\" is no condition", None),
    ],
)
def test_errors_point_and_propose(text: str, message: str, following: str | None) -> None:
    with pytest.raises(errors.BadExpectation) as found:
        where(text, FRAME)
    assert (found.value.message, found.value.next) == (message, following)
    if following is not None:
        assert where(following, FRAME).dtype == bool
