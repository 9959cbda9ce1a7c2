"""Functions and cells that give a score."""

from __future__ import annotations

import random
import sys
import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge, SGDRegressor
from sklearn.model_selection import train_test_split

import nbml
from nbml import errors, tuning
from nbml.store import current

tune = nbml.tune
HELP = "import nbml; help(nbml.tune)"
X, Y = load_diabetes(return_X_y=True)

pytestmark = pytest.mark.usefixtures("project")


def cell(source: str, names: dict[str, Any], **options: Any) -> tuning.Study:
    return tuning.cell(source, names, **{"name": "cell", "direction": "minimize", "trials": 4, "seed": 0, **options})


def valley(tune: Any) -> float:
    x = tune.float(-3, 3)
    y: int = tune.int(0, 4)
    return (x - 1) ** 2 + y


def test_a_function_is_minimised_and_its_names_are_its_variables() -> None:
    study = nbml.tune(valley, name="valley", direction="minimize", trials=30, seed=1)
    assert list(study.best_params) == ["x", "y"]
    assert study.best_score == min(study.trials["score"]) == valley_at(study.best_params)
    assert (study.expected_score, study.metric, study.state) == (None, "score", "done")
    assert study.best_score < 0.5
    assert repr(study).endswith('Next: nbml.study("valley").best_params or nbml.study("valley").apply()')
    with pytest.raises(errors.NotFitted) as caught:
        _ = study.best_estimator
    assert str(caught.value).splitlines()[1] == 'Try: nbml.study("valley").best_params'


def valley_at(params: dict[str, Any]) -> float:
    return float((params["x"] - 1) ** 2 + params["y"])


def test_names_come_from_keywords_walrus_and_name_and_else_are_asked_for() -> None:
    def score(**values: float) -> float:
        return sum(values.values())

    def objective() -> float:
        if (first := tune.float(0, 1)) < 0:
            return 0.0
        layers = sum(tune.int(1, 3, name=f"layer{i}") for i in range(2))
        return first + layers + score(rate=tune.float(1, 2), flag=tune.bool())

    study = nbml.tune(objective, name="names", direction="maximize", trials=2, seed=0)
    assert list(study.best_params) == ["first", "layer0", "layer1", "rate", "flag"]

    def nameless() -> float:
        return 2 * tune.float(0, 1)

    with pytest.raises(errors.BadArgument) as caught:
        nbml.tune(nameless, name="nameless", direction="maximize")
    line = nameless.__code__.co_firstlineno + 1
    found = 'has no name: assign it to a variable, pass it by keyword, or give it name="..."'
    assert str(caught.value) == f"tune.float(0.0, 1.0) in line {line} {found}\nTry: {HELP}"
    assert current().find("study", "nameless") is None


def test_one_name_is_one_value_and_two_ranges_of_one_name_are_an_error() -> None:
    def same() -> float:
        values = []
        for _ in range(3):
            x = tune.float(0, 1)
            values.append(x)
        assert len(set(values)) == 1
        return values[0]

    assert nbml.tune(same, name="same", direction="minimize", trials=2).state == "done"

    def other() -> float:
        for high in (1, 2):
            x = tune.float(0, high)
        return float(x)

    with pytest.raises(errors.BadArgument) as caught:
        nbml.tune(other, name="other", direction="minimize")
    assert str(caught.value) == "two ranges are called 'x': tune.float(0.0, 1.0) and tune.float(0.0, 2.0); give one a name=\nTry: " + HELP


def test_outside_a_trial_a_call_is_the_range_and_a_report_is_nothing() -> None:
    assert repr(tune.float(1, 2)) == "tune.float(1.0, 2.0)"
    assert tune.report(0.5, step=1) is None


def test_trials_that_fall_behind_are_pruned() -> None:
    train_x, test_x, train_y, test_y = train_test_split(X, Y, random_state=0)
    steps: list[int] = []

    def sgd(tune: Any) -> float:
        model = SGDRegressor(learning_rate="constant", eta0=tune.float(1e-5, 1e-1, log=True), random_state=0)
        for epoch in range(8):
            model.partial_fit(train_x, train_y)
            steps.append(epoch)
            try:
                tune.report(model.score(test_x, test_y), step=epoch)
            except Exception:
                pytest.fail("the trial's own except caught the pruning")
        return float(model.score(test_x, test_y))

    study = nbml.tune(sgd, name="sgd", metric="r2", trials=20, seed=0)
    counts = study.trials["state"].value_counts()
    assert study.direction == "maximize"
    assert (study.trials["state"][:5] == "complete").all()
    assert counts["pruned"] >= 3
    assert len(steps) < 20 * 8
    assert f"{counts['pruned']} pruned" in repr(study)
    pruned = next(t for t in study.records if t.state == "pruned")
    assert pruned.score == pruned.reports[-1][1]
    assert study.best is not None
    assert [step for step, _ in study.best.reports] == list(range(8))


def test_a_cell_is_evaluated_in_a_copy_of_the_names() -> None:
    names: dict[str, Any] = {"alpha": "mine", "Ridge": Ridge, "data": (X, Y), "__name__": "__main__"}
    before = dict(names)
    source = (
        "alpha = tune.float(1e-3, 10, log=True)\n"
        "def fitted():\n"
        "    return Ridge(alpha=alpha).fit(*data)\n"
        "extra = fitted()\n"
        "1 - extra.score(*data)"
    )
    study = cell(source, names, trials=5)
    assert names == before
    assert list(study.best_params) == ["alpha"]
    assert study.best_score == pytest.approx(1 - Ridge(**study.best_params).fit(X, Y).score(X, Y))
    from nbml.tuning.applying import text

    applied = text(study)
    assert f"\nalpha = {study.best_params['alpha']!r}\n" in applied
    scope = dict(names)
    exec(applied, scope)
    assert scope["alpha"] == study.best_params["alpha"]


def test_an_estimator_cell_behaves_as_a_cell_and_gives_the_notebook_its_names_back() -> None:
    names: dict[str, Any] = {"tune": "mine", "Ridge": Ridge, "__name__": "__main__"}
    source = "scale = 2\ndef double(x):\n    return scale * x\nRidge(alpha=tune.float(0.1, 1))"
    study = cell(source, names, on=(X, Y), direction=None, cv=2, trials=2)
    assert (names["tune"], names["scale"], names["double"](4)) == ("mine", 2, 8)
    assert names["double"].__globals__ is names
    assert study.metric == "r2"
    assert study.thing.body["source"] == source


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("x = tune.float(0, 1)", {}, "the cell's last line is no expression: end it with an estimator that holds ranges, or with a score"),
        ("x = tune.float(0, 1)\n'high'", {}, "without --on the cell's last expression is a score, a number, not str"),
        ("x = tune.float(0, 1)\nNone", {}, "without --on the cell's last expression is a score, a number, not None"),
        ("alpha = tune.float(0, 1)\nRidge(alpha=alpha)", {},
         "without --on the cell's last expression is a score, a number, not Ridge; an estimator needs data: --on X y"),
        ("3", {"on": (X, Y), "direction": None},
         "with --on the cell's last expression is an estimator that holds ranges, not a number (3); a score is tuned without --on"),
        ("Ridge(alpha=1)", {"on": (X, Y), "direction": None},
         "the estimator holds no range, so there is nothing to tune: put tune.float(...) where a value stands"),
        ("1", {"direction": None}, "an objective needs a direction, minimize or maximize; nothing tells it; "
         "if the cell's last expression is an estimator, it needs data: --on X y"),
        ("1", {"direction": None, "metric": "speed"}, "an objective needs a direction, minimize or maximize; the metric 'speed' does not "
         "tell it; if the cell's last expression is an estimator, it needs data: --on X y"),
        ("import asyncio\nawait asyncio.sleep(0)\n1", {}, "await at the top of a tune cell is not there yet"),
    ],
)  # fmt: skip
def test_cells_that_are_neither(source: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(errors.UsageError) as caught:
        cell(source, {"Ridge": Ridge}, **options)
    assert caught.value.message == message
    assert current().find("study", "cell") is None


def test_a_failing_trial_of_a_cell_fails_alone_and_all_failing_has_the_cells_own_line() -> None:
    study = cell("x = tune.float(-1, 1)\nassert x > 0, 'negative'\nx", {}, trials=12)
    assert set(study.trials["state"]) == {"complete", "failed"}
    assert "trials: AssertionError: negative" in repr(study)
    with pytest.raises(errors.TrialFailed) as caught:
        cell("x = tune.float(-1, 1)\n\nx / 0", {}, name="zero")
    said = "all 4 trials of study zero@1 failed; the last: ZeroDivisionError: float division by zero"
    assert str(caught.value) == f'{said}\nTry: nbml.study("zero@1").trials'
    assert len(eval(caught.value.next or "")) == 4
    import traceback

    assert caught.value.__cause__ is not None
    last = traceback.extract_tb(caught.value.__cause__.__traceback__)[-1]
    assert (last.lineno, last.line) == (3, "x / 0")
    with pytest.raises(errors.TrialFailed) as caught:
        cell("x = tune.float(-1, 1)\nfloat('nan')", {}, name="nan")
    assert caught.value.message.endswith("the last: the score is nan")


def test_generators_are_seeded_in_trials_and_as_before_afterwards() -> None:
    source = "import random, numpy as np\nx = tune.float(0, 1)\nnp.random.rand() + random.random()"
    random.seed(5)
    np.random.seed(5)
    first = cell(source, {}).trials["score"].tolist()
    after = (random.random(), np.random.rand())
    random.seed(5)
    np.random.seed(5)
    assert after == (random.random(), np.random.rand())
    assert cell(source, {}, fresh=True).trials["score"].tolist() == first


def test_functions_that_cannot_be_objectives() -> None:
    with pytest.raises(errors.BadArgument) as caught:
        nbml.tune(lambda a, b: a, name="two", direction="minimize")
    assert str(caught.value) == "<lambda> takes 2 arguments; an objective takes tune, or nothing\nTry: " + HELP
    with pytest.raises(errors.BadArgument) as caught:
        nbml.tune(valley, X, Y, name="data", direction="minimize")
    assert str(caught.value) == "an objective reads its data itself: leave X and y out\nTry: " + HELP
    with pytest.raises(errors.BadArgument) as caught:
        nbml.tune(Ridge(alpha=tune.float(0, 1)), name="nodata")
    assert str(caught.value) == "an estimator is tuned on data: nbml.tune(estimator, X, y, name=...)\nTry: " + HELP
    with pytest.raises(errors.BadName):
        nbml.tune(valley, name="My Study", direction="minimize")


def test_what_trials_warn_of_is_told_once(recwarn: pytest.WarningsRecorder) -> None:
    def warns() -> float:
        x = tune.float(0, 1)
        with warnings.catch_warnings():
            warnings.simplefilter("always")
        warnings.warn("careful", FutureWarning, stacklevel=1)
        return float(x)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        study = nbml.tune(warns, name="warns", direction="minimize", trials=3)
    assert study.thing.body["warned"] == {"FutureWarning: careful": 3}
    assert "1 kind of warnings in the trials" in repr(study)
    assert not [w for w in recwarn if "careful" in str(w.message)]


@pytest.mark.usefixtures("no_notebook")
def test_tuning_shows_nothing_of_optuna(capfd: pytest.CaptureFixture[str]) -> None:
    nbml.tune(valley, name="quiet", direction="minimize", trials=12, seed=0)
    assert capfd.readouterr() == ("", "")
    assert "optuna" in sys.modules
