"""What is heard of scikit-learn's calls in a block, and that nothing of it is left behind."""

from __future__ import annotations

import pickle
import sys
import types
from pathlib import Path
from typing import Any

import cloudpickle
import pytest
import sklearn.metrics
import sklearn.model_selection
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score, cross_validate, train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

import nbml
from nbml import store
from nbml.tracking import estimators, opened
from nbml.tracking.secrets import MARK

X, Y = load_iris(return_X_y=True, as_frame=True)


class Ear:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def fitted(self, estimator, args, kwargs, method) -> None:
        self.heard.append((method, type(estimator).__name__))

    def nested(self) -> None:
        self.heard.append("nested")

    def called(self, estimator, method, args, kwargs, result) -> None:
        self.heard.append((method, type(estimator).__name__, args[0] is X, len(result) if hasattr(result, "__len__") else result))

    def validated(self, function_name, estimator, args, kwargs, result) -> None:
        self.heard.append((function_name, type(estimator).__name__, len(result)))

    def split(self, args, kwargs, result) -> None:
        self.heard.append(("split", args[0] is X, len(result)))

    def scored(self, metric_name, args, kwargs, result) -> None:
        self.heard.append((metric_name, args[0] is Y, result))


@pytest.fixture
def ear(project: Path):
    listener = Ear()
    with nbml.track("heard") as run:
        estimators._groups[-1].listeners.append(listener)
        yield listener
    assert run.state == "finished"


def loaded() -> dict[Any, Any]:
    """Everything of scikit-learn that a block could have left changed."""
    found: dict[Any, Any] = {}
    todo: list[Any] = [BaseEstimator, TransformerMixin]
    while todo:
        cls = todo.pop()
        if cls not in found:
            own = [(name, value) for name, value in vars(cls).items() if name != "__slotnames__"]  # pickle's
            found[cls] = [(name, id(value), id(getattr(value, "fn", None))) for name, value in own]
            todo += type.__subclasses__(cls)
            todo += [base for base in cls.__mro__ if base is not object]
    for module in (sklearn.metrics, sklearn.model_selection):
        for name, value in vars(module).items():
            code = value.__code__ if isinstance(value, types.FunctionType) else None
            found[module.__name__, name] = (id(value), id(code))
    return found


def test_only_outermost_calls_are_told(ear: Ear) -> None:
    train_test_split(X, Y)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(X, Y)
    model.predict(X)
    model.predict_proba(X)
    score = model.score(X, Y)
    accuracy_score(Y, Y)
    StandardScaler().fit_transform(X)
    assert [heard for heard in ear.heard if heard != "nested"] == [
        ("split", True, 4), ("fit", "Pipeline"), ("predict", "Pipeline", True, 150), ("predict_proba", "Pipeline", True, 150),
        ("score", "Pipeline", True, score), ("accuracy_score", True, 1.0), ("fit_transform", "StandardScaler"),
        ("fit_transform", "StandardScaler", True, 150),
    ]  # fmt: skip


@pytest.mark.parametrize("jobs", [1, 2])
def test_cross_validation_is_one_call_also_where_other_processes_fit(ear: Ear, jobs: int) -> None:
    cross_val_score(Ridge(), X, Y, cv=3, n_jobs=jobs)
    cross_validate(Ridge(), X, Y, cv=3, n_jobs=jobs)
    cross_val_predict(estimator=Ridge(), X=X, y=Y, cv=3, n_jobs=jobs)
    told = [heard for heard in ear.heard if heard != "nested"]
    assert told == [("cross_val_score", "Ridge", 3), ("cross_validate", "Ridge", 3), ("cross_val_predict", "Ridge", 150)]


def test_parameters_of_searches_and_cross_validations_with_worker_processes_are_recorded(project: Path) -> None:
    with nbml.track("workers") as run:
        cross_val_score(Ridge(alpha=7.0), X, Y, cv=3, n_jobs=2)
        GridSearchCV(LogisticRegression(max_iter=1000), {"C": [0.5]}, cv=3, n_jobs=2).fit(X, Y)
    assert (run.params["alpha"], run.params["estimator__max_iter"], run.params["best__C"]) == (7.0, 1000, 0.5)
    assert "best__C" in run._body["changed"]


def test_a_function_is_heard_by_whatever_name_and_stays_the_same_object(project: Path, ear: Ear) -> None:
    from sklearn.metrics import accuracy_score as imported_inside

    assert imported_inside is accuracy_score
    assert sklearn.metrics.accuracy_score is accuracy_score
    scorer = make_scorer(accuracy_score)
    imported_inside(Y, Y)
    assert ear.heard == [("accuracy_score", True, 1.0)]
    assert pickle.loads(pickle.dumps(accuracy_score)) is accuracy_score
    assert scorer._score_func is accuracy_score


def test_everything_is_as_before_also_what_was_made_and_fitted_inside(project: Path) -> None:
    before = loaded()
    with pytest.raises(ValueError), nbml.track("inside"):  # noqa: PT012  the block is what is tested
        assert loaded() != before

        class Own(TransformerMixin, BaseEstimator):
            def fit(self, X, y=None):
                return self

            def transform(self, X):
                return X

        pipe = make_pipeline(Own(), LogisticRegression(max_iter=1000)).fit(X, Y)
        accuracy_score(Y, pipe.predict(X))
        accuracy_score(Y, [1])
    assert all(type(value).__module__ != estimators.__name__ for value in vars(Own).values())
    closed = [cell.cell_contents for cell in Own.transform.__closure__ or ()]
    assert all(type(value) is not estimators.Seen for value in closed)
    inside = cloudpickle.dumps(pipe)
    assert b"nbml" not in inside
    assert (cloudpickle.loads(inside).predict(X) == pipe.predict(X)).all()
    assert type(Pipeline.__dict__["predict"].fn) is types.FunctionType
    assert {key: value for key, value in loaded().items() if key in before} == before
    assert not [finder for finder in sys.meta_path if type(finder).__module__.startswith("nbml")]


def test_estimators_of_one_class_do_not_overwrite_each_other(project: Path) -> None:
    with nbml.track("two") as run:
        for alpha in (1.0, 2.0, 2.0):
            Ridge(alpha=alpha, solver="svd").fit(X, Y)
    assert (run.params["ridge-1__alpha"], run.params["ridge-2__alpha"], run.params["solver"]) == (1.0, 2.0, "svd")
    assert [(one["type"], one["times"]) for one in run._body["estimators"]] == [("Ridge", 1), ("Ridge", 2)]
    with nbml.track("many") as run:
        for step in range(60):
            Ridge(alpha=float(step)).fit(X, Y)
    assert len([name for name in run.params if name.endswith("__alpha")]) == 20


def test_a_study_is_one_call_and_its_best_is_a_parameter(project: Path) -> None:
    with nbml.track("tuned") as run:
        study = nbml.tune(Ridge(alpha=nbml.tune.float(0.1, 10.0)), X, Y, name="s", metric="r2", cv=3, trials=3, seed=0)
        found = nbml.tune(lambda tune: tune.float(0, 1, name="x"), name="objective", direction="minimize", trials=2, seed=0)
    assert run.params["alpha"] == study.best_params["alpha"]
    assert run.params["x"] == found.best_params["x"]
    assert [one["type"] for one in run._body["estimators"]] == ["Ridge", "objective"]
    assert {role for role, _ in store.current().edges_from(run._thing)} == {"study"}


def test_frames_that_are_predicted_are_data_too_and_an_array_is_held_as_it_was(project: Path) -> None:
    nbml.snapshot(X, "iris")
    values = X.to_numpy().copy()
    with nbml.track("used") as run:
        model = LogisticRegression(max_iter=1000).fit(values, Y)
        values[:] = 0.0
        model.predict(values[:5])
        Ridge().fit(X, Y)
    assert [str(one)[:8] for one in run.datasets][2:] == ["iris@1"]
    assert [(one.rows, one.kind) for one in run.datasets[:2]] == [(150, "ndarray"), (5, "ndarray")]
    with nbml.track("same") as again:
        LogisticRegression(max_iter=1000).fit(X.to_numpy(), Y)
    assert again.datasets[0].fingerprint == run.datasets[0].fingerprint


CANARY = "hunter2-canary-123"


def test_no_secret_is_stored_wherever_it_comes_up(project: Path, shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_TOKEN", "env-canary-456789")
    cells = [
        f"api_key = '{CANARY}'\nimport nbml",
        "import os\nfrom sklearn.linear_model import Ridge\n"
        f"with nbml.track('leaky', tags=[api_key], note=api_key) as run:\n    secret = '{CANARY}'\n    shape = 'ghp_{'a' * 36}'\n"
        "    nbml.log({api_key: 1.0, 'env ' + os.environ['SERVICE_TOKEN']: 2.0})\n"
        "    model = Ridge(solver=os.environ['SERVICE_TOKEN'] + api_key)\n    model.fit([[1.0], [2.0]], [1.0, 2.0])",
    ]
    for cell in cells:
        shell.run_cell(cell, store_history=True)
    run = nbml.run("leaky")
    assert (run.tags, run.note, run.state) == ((MARK,), MARK, "failed")
    assert set(run.metrics) == {MARK, f"env {MARK}"}
    assert run.params["solver"] == MARK * 2
    assert MARK in run.error
    assert run.environment["python"]
    store.current().flush()
    for file in (project / ".nbml").rglob("*"):
        content = file.read_bytes() if file.is_file() else b""
        assert CANARY.encode() not in content, file
        assert b"env-canary" not in content, file
        assert b"ghp_aaaa" not in content, file


def test_a_secret_that_only_the_run_shows_is_taken_out_of_the_cell_too(project: Path, shell: Any) -> None:
    cell = "import nbml\nfrom sklearn.base import BaseEstimator\nclass Client(BaseEstimator):\n"
    cell += "    def __init__(self, api_key=''): self.api_key = api_key\n    def fit(self, X): return self\n"
    cell += f"with nbml.track('positional', note='uses {CANARY}'):\n    Client('{CANARY}').fit([[1.0]])"
    shell.run_cell(cell, store_history=True)
    run = nbml.run("positional")
    assert (run.params["api_key"], run.note, f"Client('{MARK}')" in run.source) == (MARK, f"uses {MARK}", True)
    assert run.environment["python"]
    store.current().flush()
    for file in (project / ".nbml").rglob("*"):
        assert not file.is_file() or CANARY.encode() not in file.read_bytes(), file


def test_numbers_that_a_cell_assigns_are_proposed_not_taken(project: Path, shell: Any) -> None:
    shell.run_cell("import nbml, numpy as np\nold_auc = 0.5", store_history=True)
    cell = "with nbml.track('p') as run:\n    test_auc = 0.75\n    rmse = np.float64(2.0)\n    acc = 0.9\n    nbml.log(accuracy=acc)\n"
    cell += "    loss_weight = 0.1; n_errors = 3; name_score = 'x'; _loss = 1.0\nval_loss = 0.25"
    shell.run_cell(cell, store_history=True)
    run = nbml.run("p")
    assert run.metrics == {"accuracy": 0.9}
    assert run.proposed == {"test_auc": 0.75, "rmse": 2.0, "val_loss": 0.25}
    shell.run_cell("for i in range(2):\n    with nbml.track('loop'):\n        loss = i / 4", store_history=True)
    assert [nbml.run(f"loop@{i}").proposed for i in (1, 2)] == [{"loss": 0.0}, {"loss": 0.25}]


def test_seeds_are_told(project: Path, shell: Any) -> None:
    shell.run_cell("import nbml, numpy as np, random\nfrom sklearn.linear_model import Ridge\nnp.random.seed(7)", store_history=True)
    cell = "with nbml.track('s'):\n    rng = np.random.default_rng(3)\n    Ridge(random_state=5).fit([[1.0]], [1.0])"
    shell.run_cell(cell, store_history=True)
    seeds = nbml.run("s").environment["seeds"]
    assert (seeds["params"], seeds["calls"]) == ({"random_state": 5}, ["np.random.seed(7)", "np.random.default_rng(3)"])
    shell.run_cell("np.random.seed(7)\nwith nbml.track('t'): pass", store_history=True)
    assert nbml.run("t").environment["seeds"]["state"]["numpy"] == seeds["state"]["numpy"]


def test_nothing_is_open_after_the_tests() -> None:
    assert not opened.any_open()
