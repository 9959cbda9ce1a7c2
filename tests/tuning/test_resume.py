"""A study is gone on with by its name, or begun anew where it would not be the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsRegressor

import nbml
from nbml import errors, store, tuning
from nbml.store import current

tune = nbml.tune
X, Y = load_diabetes(return_X_y=True)

pytestmark = pytest.mark.usefixtures("project")


def knn(**options: Any) -> tuning.Study:
    model = KNeighborsRegressor(n_neighbors=tune.int(1, 60), weights=tune.choice(["uniform", "distance"]))
    return nbml.tune(model, X, Y, **{"name": "knn", "cv": 2, "trials": 4, "seed": 3, **options})


def values(study: tuning.Study) -> list[Any]:
    return study.trials[["n_neighbors", "weights", "score"]].values.tolist()


def test_the_same_seed_gives_the_same_trials_and_another_others() -> None:
    first = values(knn())
    assert values(knn(name="again")) == first
    assert values(knn(name="other", seed=4)) != first


def test_trials_is_the_total_and_resuming_is_as_if_it_had_never_stopped() -> None:
    whole = values(knn(name="whole", trials=13))
    study = knn(trials=11)
    assert len(study.trials) == 11
    store.use(None)  # as in a new kernel
    study = knn(trials=13)
    assert values(study) == whole
    assert study.version == 1
    began = study.trials["started"].tolist()
    assert knn(trials=13).trials["started"].tolist() == began
    assert len(knn(trials=5).trials) == 13


def test_what_changes_the_meaning_begins_a_new_version_and_the_report_says_what() -> None:
    knn()
    cases: list[tuple[dict[str, Any], str]] = [
        ({"metric": "neg_mean_absolute_error"}, "the metric changed since knn@1"),
        ({"cv": 3}, "the metric changed since knn@2"),
        ({"cv": 4}, "the folds changed since knn@3"),
        ({"cv": 4, "fresh": True}, "begun afresh since knn@4"),
    ]
    for version, (options, reason) in enumerate(cases, 2):
        study = knn(**options, trials=2)
        assert (study.version, study.thing.body["since"]) == (version, reason)
        assert f"[new version] {reason}" in repr(study)
    changed = nbml.tune(Ridge(alpha=tune.float(0.1, 1)), X, Y, name="knn", cv=4, trials=1)
    assert changed.thing.body["since"] == "the estimator or its ranges changed since knn@5"
    changed = nbml.tune(Ridge(alpha=tune.float(0.1, 2)), X, Y, name="knn", cv=4, trials=1)
    assert changed.thing.body["since"] == "the estimator or its ranges changed since knn@6"
    changed = nbml.tune(Ridge(alpha=tune.float(0.1, 2)), X, Y + 1, name="knn", cv=4, trials=1)
    assert changed.thing.body["since"] == "the data changed since knn@7"
    assert len(nbml.study("knn@1").trials) == 4
    assert nbml.study("knn@1").best_estimator.n_neighbors == nbml.study("knn@1").best_params["n_neighbors"]


def test_an_objective_is_the_same_while_its_code_is() -> None:
    names: dict[str, Any] = {"high": 1.0}

    def cell(source: str, trials: int) -> tuning.Study:
        return tuning.cell(source, names, name="cell", direction="minimize", trials=trials, seed=0)

    assert len(cell("x = tune.float(0, high)\nx", 2).trials) == 2
    again = cell("x = tune.float(0, high)   # the same\n\nx", 4)
    assert (again.version, len(again.trials)) == (1, 4)
    assert cell("x = tune.float(0, high)\nx + 1", 2).thing.body["since"] == "the objective's code changed since cell@1"
    cell("x = tune.float(0, high)\nx + 1", 2)
    names["high"] = 2.0
    moved = cell("x = tune.float(0, high)\nx + 1", 3)
    assert (moved.version, len(moved.trials), moved.thing.body["since"]) == (3, 3, "a range changed since cell@2")
    assert (nbml.study("cell@2").state, len(nbml.study("cell@2").trials)) == ("done", 2)


def test_an_interrupt_keeps_what_was_finished_and_goes_on() -> None:
    calls: list[float] = []

    def objective(tune: Any) -> float:
        x = tune.float(0, 1)
        calls.append(x)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return float(x)

    def run() -> tuning.Study:
        return nbml.tune(objective, name="stop", direction="minimize", trials=6, seed=0)

    with pytest.raises(KeyboardInterrupt):
        run()
    found = nbml.study("stop")
    assert (found.state, found.trials["x"].tolist()) == ("interrupted", calls[:3])
    row = found.thing.body["row"]
    assert (row["state"], row["figure"]) == ("look", "3 of 6 · interrupted")
    assert repr(found).startswith("[interrupted] stop@1: score ")
    bundle = current().result(found.thing.body["result"]) or {}
    assert (bundle["state"], bundle["word"]) == ("look", "interrupted")
    study = run()
    assert (study.version, study.state, len(study.trials)) == (1, "done", 6)
    assert study.trials["x"][3] == calls[3]


def test_time_that_is_up_ends_it_and_the_best_is_fitted() -> None:
    study = knn(trials=10_000, timeout=0.3)
    assert 1 <= len(study.trials) < 10_000
    assert "of 10000 trials · time is up" in repr(study)
    assert study.best_estimator.n_features_in_ == 10
    assert len(knn(trials=10_000, timeout="0s").trials) == len(study.trials)


def test_a_function_is_the_same_in_every_process() -> None:
    code = (
        "from nbml.tuning.templates import describe\n"
        "scope = {'__name__': '__main__'}\n"
        "exec('def keep(x): return x in {\\'a\\', \\'b\\', \\'c\\'} or [y for y in (1, (2.5, None))]', scope)\n"
        "print(describe([scope['keep'], {'x', 'y', 'z'}]))"
    )
    told = {
        subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True).stdout
        for seed in "123"
    }
    assert len(told) == 1


def test_another_living_process_has_it(project: Path) -> None:
    code = (
        "from nbml.store import current\n"
        "print(current().lease('study knn', current().me()), flush=True)\n"
        "input()"
    )
    other = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=project)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        with pytest.raises(errors.BadArgument) as caught:
            knn()
        assert str(caught.value) == f"study 'knn' is being tuned in another kernel (process {other.pid})\nTry: nbml.study(\"knn\")"
    finally:
        other.communicate("\n", timeout=20)
    assert len(knn().trials) == 4


def test_a_folder_that_cannot_be_written_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    knn()
    monkeypatch.setattr(current(), "readonly", True)
    with pytest.raises(errors.ReadOnlyStore):
        knn(trials=5)
    assert nbml.study("knn").best_estimator is not None
