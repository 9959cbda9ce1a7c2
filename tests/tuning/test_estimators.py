"""Estimators that hold ranges, tuned on real data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_wine
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import make_scorer, mean_absolute_error
from sklearn.model_selection import GroupKFold, KFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler
from sklearn.svm import SVC

import nbml
from nbml import errors
from nbml.store import current
from nbml.tuning.correction import expected

tune = nbml.tune
HELP = "import nbml; help(nbml.tune)"
UNTIL = " is not there yet: trials run one after another in the kernel, until they end"
WINE_X, WINE_Y = load_wine(return_X_y=True, as_frame=True)
DIABETES_X, DIABETES_Y = load_diabetes(return_X_y=True, as_frame=True)

pytestmark = pytest.mark.usefixtures("project")


def knn(**options: Any) -> nbml.tuning.Study:
    return nbml.tune(
        KNeighborsClassifier(n_neighbors=tune.int(1, 30)), WINE_X, WINE_Y, name="knn", cv=3, **{"trials": 4, "seed": 0, **options}
    )


def test_a_pipeline_is_tuned_and_its_best_is_what_cross_validation_says() -> None:
    model = make_pipeline(StandardScaler(), SVC(C=tune.float(0.1, 100, log=True), kernel=tune.choice(["rbf", "linear"])))
    study = nbml.tune(model, WINE_X, WINE_Y, name="wine", metric="f1_macro", cv=3, trials=6, seed=1)
    assert list(study.best_params) == ["svc__C", "svc__kernel"]
    best = make_pipeline(StandardScaler(), SVC()).set_params(**study.best_params)
    folds = cross_val_score(best, WINE_X, WINE_Y, cv=3, scoring="f1_macro")
    assert study.best_score == pytest.approx(folds.mean(), abs=1e-12)
    assert study.best is not None
    assert list(study.best.folds) == pytest.approx(list(folds), abs=1e-12)
    assert (study.metric, study.direction, study.state, str(study)) == ("f1_macro", "maximize", "done", "wine@1")
    assert (study.best_estimator.predict(WINE_X) == best.fit(WINE_X, WINE_Y).predict(WINE_X)).all()
    assert study.best_estimator.feature_names_in_.tolist() == list(WINE_X.columns)
    assert "tuned] wine@1: f1_macro 0." in repr(study)
    assert repr(study).endswith('Next: nbml.study("wine").best_estimator or nbml.study("wine").apply()')


def test_trial_0_is_the_defaults_even_outside_the_range() -> None:
    model = Pipeline([("scale", StandardScaler()), ("knn", KNeighborsRegressor(n_neighbors=tune.int(10, 30), p=tune.float(1, 3)))])
    study = nbml.tune(model, DIABETES_X, DIABETES_Y, name="d", cv=3, trials=4, seed=0)
    plain = Pipeline([("scale", StandardScaler()), ("knn", KNeighborsRegressor())])
    trials = study.trials
    assert (trials["knn__n_neighbors"][0], trials["knn__p"][0]) == (5, 2)
    assert trials["score"][0] == pytest.approx(cross_val_score(plain, DIABETES_X, DIABETES_Y, cv=3).mean(), abs=1e-12)
    assert trials["knn__n_neighbors"][1:].between(10, 30).all()
    assert f"defaults {trials['score'][0]:.4g}, beaten by " in repr(study)
    assert study.metric == "r2"


def test_ranges_below_a_chosen_estimator_exist_where_it_is_chosen() -> None:
    options = [KNeighborsClassifier(n_neighbors=tune.int(1, 9)), SVC(C=tune.float(1, 10), gamma=tune.float(0.01, 1, log=True))]
    model = Pipeline([("scale", tune.choice([StandardScaler(), MinMaxScaler(), "passthrough"])), ("model", tune.choice(options))])
    study = nbml.tune(model, WINE_X, WINE_Y, name="choice", cv=3, trials=12, seed=0)
    trials = study.trials
    assert list(trials.columns[5:]) == ["scale", "model", "model__n_neighbors", "model__C", "model__gamma"]
    near = trials["model"] == "KNeighborsClassifier"
    assert set(near) == {True, False}
    assert trials["model__n_neighbors"].notna().eq(near).all()
    assert trials["model__C"].notna().eq(~near).all()
    assert trials["scale"][0] == "StandardScaler"
    assert set(trials["scale"]) <= {"StandardScaler", "MinMaxScaler", "passthrough"}
    assert type(study.best_estimator["model"]).__name__ == study.best_params["model"]


def test_the_whole_estimator_may_be_a_choice_and_one_name_below_two_options_is_two_parameters() -> None:
    whole = tune.choice([Ridge(alpha=tune.float(0.1, 1)), Ridge(alpha=tune.float(50, 60), fit_intercept=False)])
    study = nbml.tune(whole, DIABETES_X, DIABETES_Y, name="whole", cv=2, trials=10, seed=0)
    trials = study.trials[1:]
    assert list(trials.columns[5:]) == ["estimator", "alpha"]
    second = trials["estimator"] == "Ridge (2)"
    assert set(second) == {True, False}
    assert trials["alpha"][second].between(50, 60).all()
    assert trials["alpha"][~second].between(0.1, 1).all()
    assert {key for t in study.records for key in t.raw} == {"estimator", "estimator[0]__alpha", "estimator[1]__alpha"}


def test_parts_of_a_column_transformer_and_frames_keep_their_dtypes() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"n": rng.normal(size=60), "k": pd.Categorical(rng.choice(["a", "b", "c"], 60)), "t": rng.choice(["x", "y"], 60)})
    seen: list[dict[str, str]] = []

    class Spy(StandardScaler):
        def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
            seen.append({str(c): str(t) for c, t in X.dtypes.items()})
            return super().fit(X, y)

    parts = ColumnTransformer([
        ("num", Pipeline([("spy", Spy()), ("best", SelectKBest(k=tune.choice([1, "all"])))]), ["n"]),
        ("cat", OneHotEncoder(drop=tune.choice([None, "first"])), ["k", "t"]),
    ])  # fmt: skip
    model = make_pipeline(parts, LogisticRegression(C=tune.float(0.1, 10, log=True)))
    study = nbml.tune(model, frame, frame["n"] > 0, name="parts", cv=2, trials=3, seed=0)
    names = {"columntransformer__num__best__k", "columntransformer__cat__drop", "logisticregression__C"}
    assert set(study.best_params) == names < set(study.best_estimator.get_params())
    assert {tuple(dtypes.items()) for dtypes in seen} == {(("n", "float64"),)}
    assert study.best_estimator.get_params()["columntransformer__cat__drop"] == study.best_params["columntransformer__cat__drop"]


def test_what_is_given_is_not_changed() -> None:
    model = make_pipeline(StandardScaler(), SVC(C=tune.float(0.1, 100)))
    before = repr(model)
    nbml.tune(model, WINE_X, WINE_Y, name="same", cv=2, trials=2, seed=0)
    assert repr(model) == before
    assert before.endswith("SVC(C=tune.float(0.1, 100.0)))])")


def test_a_failing_trial_fails_alone_and_its_error_is_shown_once_with_a_count() -> None:
    model = SVC(kernel=tune.choice(["rbf", "nope"]), C=tune.float(1, 10))
    study = nbml.tune(model, WINE_X, WINE_Y, name="some", cv=2, trials=10, seed=0)
    trials = study.trials
    failed = trials["state"] == "failed"
    assert failed.equals(trials["kernel"] == "nope")
    assert 0 < failed.sum() < 10
    assert trials["score"][failed].isna().all()
    assert repr(study).count("[failed]") == 1
    assert f"[failed] {failed.sum()} trials: InvalidParameterError: The 'kernel' parameter of " in repr(study)
    assert study.best_estimator.kernel == "rbf"


def test_all_failed_is_an_error_with_the_cause_and_is_begun_again() -> None:
    model = SVC(kernel="nope", C=tune.float(1, 10))
    for version in (1, 2):
        with pytest.raises(errors.TrialFailed) as caught:
            nbml.tune(model, WINE_X, WINE_Y, name="none", cv=2, trials=3)
        begin = f"all 3 trials of study none@{version} failed; the last: InvalidParameterError: The 'kernel'"
        assert caught.value.message.startswith(begin)
        assert type(caught.value.__cause__).__name__ == "InvalidParameterError"
    found = nbml.study("none")
    assert (found.state, found.best_score, found.best_params, len(found.trials)) == ("failed", None, {}, 3)
    with pytest.raises(errors.NotFitted) as missing:
        _ = found.best_estimator
    assert str(missing.value) == 'study none@2 has no estimator: all its trials failed\nTry: nbml.study("none@2").trials'
    assert len(eval(missing.value.next or "")) == 3


def test_metrics_by_name_by_callable_and_the_groups_of_a_splitter() -> None:
    scorer = make_scorer(mean_absolute_error, greater_is_better=False)
    groups = np.repeat(range(34), 13)
    model = Ridge(alpha=tune.float(0.01, 10, log=True))
    study = nbml.tune(model, DIABETES_X, DIABETES_Y, name="mae", metric=scorer, cv=GroupKFold(4), groups=groups, trials=2, seed=0)
    folds = cross_val_score(Ridge(), DIABETES_X, DIABETES_Y, cv=GroupKFold(4), groups=groups, scoring=scorer)
    assert study.trials["score"][0] == pytest.approx(folds.mean(), abs=1e-9)
    assert (study.best_score or 0) < 0


def test_a_shuffled_splitter_gives_all_trials_the_same_folds() -> None:
    model = KNeighborsRegressor(weights=tune.choice(["uniform", "uniform"]))
    study = nbml.tune(model, DIABETES_X, DIABETES_Y, name="shuffled", cv=KFold(3, shuffle=True), trials=5)
    assert study.trials["score"].nunique() == 1
    assert set(study.trials["weights"]) <= {"uniform (1)", "uniform (2)", "uniform"}


def test_the_expected_score_is_tibshiranis() -> None:
    study = knn(trials=8)
    folds = [t.folds for t in study.records]
    best = max(range(8), key=lambda i: sum(folds[i]))
    optimism = np.mean([max(f[k] for f in folds) - folds[best][k] for k in range(3)])
    assert study.expected_score == pytest.approx((study.best_score or 0) - optimism)
    assert optimism > 0
    assert f"expect about {study.expected_score:.4g} on other data (corrected for picking the best of 8)" in repr(study)
    assert expected([(0.5,)], 0) is None
    assert expected([(0.9, 0.5), (0.6, 0.7)], 0) == pytest.approx(0.7 - (0.0 + 0.2) / 2)


def test_trials_are_a_frame_with_times_in_utc() -> None:
    trials = knn().trials
    assert list(trials.columns) == ["number", "state", "score", "started", "finished", "n_neighbors"]
    assert str(trials["started"].dt.tz) == "UTC"
    assert (trials["started"] <= trials["finished"]).all()
    assert (pd.Timestamp.now("UTC") - trials["finished"]).dt.total_seconds().max() < 100
    assert "knn@1: 4 trials" in repr(trials)
    assert type(trials[trials["state"] == "complete"]) is pd.DataFrame


def test_the_study_is_in_the_record_with_its_data_and_the_panels_row() -> None:
    version = nbml.snapshot(WINE_X, "wine")
    study = knn()
    thing = current().find("study", "knn")
    assert thing is not None
    assert [(role, t.ref) for role, t in current().edges_from(thing)] == [("data", "wine@1")]
    row = thing.body["row"]
    assert (row["state"], row["figure"], len(row["spark"])) == ("well", f"{study.best_score:.3g} · 4 trials", 4)
    bundle = current().result(thing.body["result"])
    assert (bundle or {})["word"] == "tuned"
    by_ref = nbml.tune(KNeighborsClassifier(n_neighbors=tune.int(1, 30)), str(version), WINE_Y, name="ref", cv=3, trials=1)
    assert by_ref.best_score == study.trials["score"][0]


def test_y_may_name_a_column() -> None:
    frame = WINE_X.assign(kind=WINE_Y)
    study = nbml.tune(KNeighborsClassifier(n_neighbors=tune.int(1, 30)), frame, "kind", name="knn", cv=3, trials=4, seed=0)
    assert study.trials["score"].tolist() == knn().trials["score"].tolist()
    assert "kind" not in study.best_estimator.feature_names_in_


def test_the_estimator_is_kept_with_classes_of_the_notebook() -> None:
    first = knn().best_estimator
    again = nbml.study("knn")
    assert again.fitted is None
    assert (again.best_estimator.predict(WINE_X) == first.predict(WINE_X)).all()
    blob = current().blob(again.thing.body["blob"])
    blob.write_bytes(b"?")
    with pytest.raises(errors.StoreDamaged):
        _ = nbml.study("knn").best_estimator


def test_an_estimator_that_cannot_be_kept_is_there_and_the_report_says_so() -> None:
    import threading

    class Holding(KNeighborsClassifier):
        def fit(self, X: Any, y: Any) -> Any:
            self.lock_ = threading.Lock()
            return super().fit(X, y)

    study = nbml.tune(Holding(n_neighbors=tune.int(1, 9)), WINE_X, WINE_Y, name="lock", cv=2, trials=1)
    assert study.best_estimator.lock_ is not None
    assert "[not kept] its estimator cannot be kept (TypeError: cannot pickle '_thread.lock' object)" in repr(study)
    with pytest.raises(errors.NotFitted, match="its estimator cannot be kept"):
        _ = nbml.study("lock").best_estimator


@pytest.mark.usefixtures("no_notebook")
def test_the_best_values_are_put_where_the_ranges_stood() -> None:
    from nbml.tuning.applying import text

    model = tune.choice([SVC(C=tune.float(5, 6), kernel="rbf")])
    study = nbml.tune(
        make_pipeline(tune.choice([MinMaxScaler(), StandardScaler()]), SVC(C=tune.float(5, 6), gamma=tune.float(0.1, 0.2))),
        WINE_X, WINE_Y, name="put", cv=2, trials=3, seed=0, fresh=True,
    )  # fmt: skip
    head, source = text(study).split("\n", 1)
    assert head == f"# best of put@1: accuracy {study.best_score!r}"
    assert "tune" not in source
    assert cross_val_score(eval(source.strip()), WINE_X, WINE_Y, cv=2).mean() == pytest.approx(study.best_score)
    elsewhere = nbml.tune(model, WINE_X, WINE_Y, name="elsewhere", cv=2, trials=2, seed=0)
    assert text(elsewhere) == f"# best of elsewhere@1: accuracy {elsewhere.best_score!r}\n{SVC(C=elsewhere.best_params['C'])!r}"
    with pytest.raises(errors.UsageError) as caught:
        study.apply()
    assert str(caught.value) == "apply() puts a cell into the notebook; there is none here"


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"metric": "roc_acu"}, errors.BadArgument, "no metric 'roc_acu'; nearest: roc_auc"),
        ({"metric": "rmse"}, errors.BadArgument, "no metric 'rmse'; nearest: neg_root_mean_squared_error"),
        ({"metric": "roc_auc,accuracy"}, errors.NotYet, "several metrics ('roc_auc,accuracy') are not there yet: name one"),
        ({"sampler": "optnua"}, errors.UnknownAdapter, "no sampler 'optnua'; nearest: optuna"),
        ({"sampler": "hyperopt"}, errors.NotYet, "the sampler 'hyperopt' is not there yet; grid, optuna and random are"),
        ({"workers": 2}, errors.NotYet, "workers=2 is not there yet: trials run one after another in the kernel"),
        ({"background": True}, errors.NotYet, "background=True" + UNTIL),
        ({"cluster": "dask://"}, errors.NotYet, "cluster='dask://'" + UNTIL),
        ({"trial_timeout": "5s"}, errors.NotYet, "trial_timeout='5s'" + UNTIL),
        ({"trials": 0}, errors.BadArgument, "trials is a whole number from 1 on, not 0"),
        ({"timeout": "soon"}, errors.BadArgument, "'soon' is no duration: a number and s, m, h or d, as in 60s, 10m, 24h, 7d"),
        ({"cv": 1}, errors.BadArgument, "cv is a number of folds from 2 on, or a splitter of scikit-learn, not 1"),
        ({"direction": "min"}, errors.BadArgument, "no direction 'min'; nearest: minimize"),
        ({"groups": [1, 2]}, errors.BadInput, "X has 178 rows, groups has 2"),
        ({"sampler": "grid", "estimator": SVC(C=tune.float(1, 2))}, errors.BadArgument,
         "a grid needs steps: C is tune.float(1.0, 2.0); give it step=, or use --sampler optuna"),
        ({"estimator": SVC()}, errors.BadArgument,
         "the estimator holds no range, so there is nothing to tune: put tune.float(...) where a value stands"),
        ({"estimator": SVC}, errors.BadArgument, "SVC is a class; tune an estimator: SVC(...)"),
        ({"estimator": 3}, errors.BadArgument, "an estimator of scikit-learn or a function is tuned, not int"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_before_anything_is_written(options: dict[str, Any], kind: type[Exception], message: str) -> None:
    estimator = options.pop("estimator", KNeighborsClassifier(n_neighbors=tune.int(1, 30)))
    with pytest.raises(kind) as caught:
        nbml.tune(estimator, WINE_X, WINE_Y, **{"name": "bad", "cv": 3, "trials": 2, **options})
    assert str(caught.value) == f"{message}\nTry: {'%nbml tune --help' if 'the sampler' in message or 'no sampler' in message else HELP}"
    assert current().find("study", "bad") is None


def test_ranges_that_cannot_be(project: Path) -> None:
    cases: dict[str, Any] = {
        "tune.float(0.5, 0.1): the lower end lies above the upper\nTry: nbml.tune.float(0.1, 0.5)": lambda: tune.float(0.5, 0.1),
        "tune.float(0, 1, log=True): a logarithmic range begins above 0": lambda: tune.float(0, 1, log=True),
        "tune.int(1, 2.5): 2.5 is no whole number": lambda: tune.int(1, 2.5),
        "tune.float(1, 2, log=True, step=0.5): log and step exclude each other": lambda: tune.float(1, 2, log=True, step=0.5),
        "tune.choice([]): there is nothing to choose from": lambda: tune.choice([]),
        "tune.choice('rbf'): a list is needed, as in tune.choice([1, 2, 3])": lambda: tune.choice("rbf"),
    }
    for message, make in cases.items():
        with pytest.raises(errors.BadArgument) as caught:
            make()
        assert str(caught.value) == message
    assert repr(tune.int(1, 9, step=2)) == "tune.int(1, 9, step=2)"


def test_studies_that_are_not_there() -> None:
    with pytest.raises(errors.UnknownStudy) as caught:
        nbml.study("knn")
    assert str(caught.value) == f"no study 'knn'; nothing was tuned yet\nTry: {HELP}"
    knn()
    with pytest.raises(errors.UnknownStudy) as caught:
        nbml.study("knm")
    assert str(caught.value) == "no study 'knm'; nearest: knn@1\nTry: nbml.study(\"knn@1\")"
    assert str(eval(caught.value.next or "")) == "knn@1"


def test_a_grid_tries_each_combination_once_after_the_defaults() -> None:
    model = KNeighborsClassifier(n_neighbors=tune.int(1, 3), weights=tune.choice(["uniform", "distance"]))
    study = nbml.tune(model, WINE_X, WINE_Y, name="grid", cv=2, sampler="grid", trials=50)
    tried = study.trials[1:][["n_neighbors", "weights"]]
    assert len(tried) == 6 == len(tried.drop_duplicates())
    assert "7 of 50 trials" in repr(study)
