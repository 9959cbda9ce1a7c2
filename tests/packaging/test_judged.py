"""A model that is packaged without a run is judged; what is found are warnings of its service."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

import nbml

pytestmark = pytest.mark.slow

Run = Callable[[str], Any]

SPLIT = """
import nbml
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

draw = np.random.default_rng(0)
X = pd.DataFrame(draw.normal(size=(600, 3)), columns=["a", "b", "c"])
y = (X["a"] + draw.normal(size=600) > 0).astype(int)
X["outcome"] = y + draw.normal(0, 0.01, 600)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
"""


def test_what_ruins_a_model_that_no_run_fitted_is_warned_of(run: Run) -> None:
    run(SPLIT)
    version = run("model = LogisticRegression().fit(X_train, y_train); nbml.package(model, 'leaky', on=X_test)")
    [said] = [warning for warning in version.warnings if warning.startswith("target-leak: ")]
    assert "'outcome' alone gives the target away" in said
    assert nbml.service("leaky").warnings == version.warnings
    assert said in repr(version)
    assert version.thing.state == "look"
    version.check()


def test_a_model_that_answers_slowly_is_packaged_all_the_same(run: Run) -> None:
    from nbml.tracking.judging import untracked

    run(SPLIT)
    run(
        "import time\nclass Slow(LogisticRegression):\n"
        "    def predict_proba(self, X):\n        time.sleep(8)\n        return super().predict_proba(X)"
    )
    model = run("model = Slow().fit(X_train, y_train); model")
    start = time.monotonic()
    assert untracked.warnings(model) == []
    assert time.monotonic() - start < 4


def test_a_sound_model_and_one_of_a_run_have_no_warning(run: Run) -> None:
    from nbml.tracking.judging import untracked

    run(SPLIT)
    sound = run("kept = ['a', 'b', 'c']; X_train, X_test = X_train[kept], X_test[kept]; LogisticRegression().fit(X_train, y_train)")
    assert untracked.warnings(sound) == []
    run(SPLIT)
    run("with nbml.track('told'):\n    model = LogisticRegression().fit(X_train, y_train)")
    assert untracked.warnings(run("model")) == []
    assert len(untracked.warnings(run("model.fit(X_train, y_train)"))) == 1
