"""Defaults outside the given ranges: tried, shown, compared with, and never the result."""

from __future__ import annotations

from typing import Any

import pytest
from sklearn.datasets import load_wine
from sklearn.tree import DecisionTreeClassifier

import nbml
from nbml import errors, store, tuning
from nbml.tuning.applying import text
from nbml.tuning.correction import expected

tune = nbml.tune
X, Y = load_wine(return_X_y=True, as_frame=True)

pytestmark = pytest.mark.usefixtures("project")


def tree(**options: Any) -> tuning.Study:
    """Stumps of many rows: worse than the defaults, None and 1, whatever is tried."""
    model = DecisionTreeClassifier(max_depth=tune.int(1, 2), min_samples_leaf=tune.int(50, 60), random_state=0)
    return nbml.tune(model, X, Y, **{"name": "tree", "cv": 3, "trials": 6, "seed": 1, **options})


def check(study: tuning.Study) -> None:
    """All that a study gives lies inside the ranges."""
    params = study.best_params
    assert params["max_depth"] in (1, 2)
    assert 50 <= params["min_samples_leaf"] <= 60
    assert study.best_score == study.trials["score"][1:].max() < study.trials["score"][0]
    fitted = study.best_estimator
    assert (fitted.max_depth, fitted.min_samples_leaf) == (params["max_depth"], params["min_samples_leaf"])
    source = text(study)
    assert f"max_depth={params['max_depth']}, min_samples_leaf={params['min_samples_leaf']}" in source


def test_the_best_lies_inside_the_ranges_and_the_defaults_are_told_as_better() -> None:
    study = tree()
    check(study)
    trials = study.trials
    assert (study.records[0].params, len(trials)) == ({"max_depth": None, "min_samples_leaf": 1}, 6)
    better = trials["score"][0] - (study.best_score or 0)
    assert f"defaults {trials['score'][0]:.4g}, not beaten: {better:.2g} better, but outside the ranges" in repr(study)
    assert study.best is not None
    inside = [t.folds for t in study.records[1:]]
    assert study.expected_score == expected(inside, study.best.number - 1)
    assert "(corrected for picking the best of 5)" in repr(study)
    assert len(study.thing.body["row"]["spark"]) == 5
    assert study.thing.body["best"]["number"] == study.best.number > 0


def test_a_study_that_goes_on_agrees() -> None:
    whole = tree(name="whole").trials["score"].tolist()
    tree(trials=3)
    store.use(None)  # as in a new kernel
    study = tree()
    assert study.trials["score"].tolist() == whole
    check(study)
    store.use(None)
    again = nbml.study("tree")
    assert again.fitted is None
    check(again)


def test_defaults_inside_the_ranges_compete() -> None:
    study = nbml.tune(DecisionTreeClassifier(min_samples_leaf=tune.int(1, 80), random_state=0), X, Y, name="in", cv=3, trials=3, seed=0)
    assert study.best is not None
    assert study.best.defaults
    assert study.best_params == {"min_samples_leaf": 1}
    assert ", not beaten · expect about " in repr(study)


def test_the_defaults_alone_are_no_result_and_more_trials_go_on() -> None:
    study = tree(trials=1)
    assert (study.state, study.best_params, study.best_score, study.expected_score) == ("done", {}, None, None)
    said = "the defaults lie outside the ranges, and nothing else was tried: more --trials are needed"
    with pytest.raises(errors.NotFitted) as caught:
        _ = study.best_estimator
    assert str(caught.value) == f'study tree@1 has no estimator: {said}\nTry: nbml.study("tree@1").trials'
    assert len(eval(caught.value.next or "")) == 1
    with pytest.raises(errors.UsageError) as without:
        text(study)
    assert str(without.value) == f'study tree@1 has no best values: {said}\nTry: nbml.study("tree@1").trials'
    assert f"[no best] the defaults gave {study.trials['score'][0]:.4g} but lie outside the ranges" in repr(study)
    again = tree(trials=4)
    assert (again.version, len(again.trials)) == (1, 4)
    check(again)


def test_where_nothing_inside_works_the_study_failed_and_is_begun_again() -> None:
    for version in (1, 2):
        with pytest.raises(errors.TrialFailed) as caught:
            nbml.tune(DecisionTreeClassifier(max_features=tune.int(-5, -1)), X, Y, name="bad", cv=2, trials=3, seed=0)
        begin = f"all 2 trials inside the ranges of study bad@{version} failed; the last: InvalidParameterError: The 'max_features'"
        assert caught.value.message.startswith(begin)


def test_a_better_trial_that_was_not_fitted_is_not_taken_for_the_earlier_one() -> None:
    tree(trials=3)
    thing = nbml.study("tree").thing
    store.current().update(thing, {"refitted": 0}, "interrupted")
    with pytest.raises(errors.NotFitted) as caught:
        _ = nbml.study("tree").best_estimator
    assert str(caught.value) == (
        "study tree@1 has no estimator: it was interrupted before the best trial was fitted on all data; "
        'run the cell again with --trials 3 to fit the best so far\nTry: nbml.study("tree@1").best_params'
    )
    assert eval(caught.value.next or "") == nbml.study("tree").best_params
    check(tree(trials=3))
