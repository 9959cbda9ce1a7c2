"""Executors against scikit-learn: models of seeded data, all rows at once and each alone, with nulls, unseen categories, near thresholds.

What scikit-learn refuses the executor refuses in the same words.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import threadpoolctl

from nbml.packaging import bridge, exchange, inputs, translating
from nbml.runtime import executors

NUMBERS = [f"x{i}" for i in range(6)]
ALL = [*NUMBERS, "count", "plan", "city", "flag"]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Threads that wait for one another cost more than these small fits."""
    with threadpoolctl.threadpool_limits(1):
        yield


def make(name: str, **options: Any) -> Any:
    """An estimator of scikit-learn by its name."""
    for module in ("linear_model", "ensemble", "tree", "svm", "preprocessing", "impute", "compose", "pipeline", "decomposition",
                   "feature_selection", "cluster", "naive_bayes", "model_selection", "calibration", "neural_network"):  # fmt: skip
        found = getattr(importlib.import_module(f"sklearn.{module}"), name, None)
        if found is not None:
            return found(**options)
    raise LookupError(name)


def pipe(*steps: Any) -> Any:
    return importlib.import_module("sklearn.pipeline").make_pipeline(*steps)


def rows(seed: int, count: int = 240, *, nulls: float = 0.0, scale: float = 1.0) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame({name: draw.normal(scale=scale, size=count) for name in NUMBERS})
    frame["x5"] = frame["x5"].round(1)
    frame["count"] = draw.integers(0, 5, count)
    frame["plan"] = pd.Categorical(draw.choice(["basic", "plus", "pro"], count), categories=["basic", "plus", "pro", "never"])
    frame["city"] = draw.choice([*"abcde", "rare"], count, p=[0.3, 0.3, 0.2, 0.1, 0.09, 0.01])
    frame["flag"] = draw.integers(0, 2, count).astype(bool)
    for name in ("x0", "x3", "plan", "city"):
        frame.loc[draw.random(count) < nulls, name] = np.nan
    return frame


def answers(frame: pd.DataFrame, kind: str) -> Any:
    base = frame["x0"].fillna(0.0) + frame["x1"] * frame["x2"] + frame["count"] / 2
    if kind == "two":
        return np.where(base > 1, "stays", "leaves")
    if kind == "three":
        return pd.cut(base, [-np.inf, 0.3, 1.5, np.inf], labels=False).to_numpy()
    return (base.abs() + 0.1).to_numpy()


def translated(model: Any, frame: pd.DataFrame) -> tuple[executors.Executor, dict[str, Any]]:
    known = inputs._frame(frame, inputs.features(model), "rows", None)
    output: dict[str, Any] = {"classes": []} if hasattr(model, "predict_proba") else {}
    manifest = {"entry": "model", "input": "frame", "inputs": known.inputs, "output": output}
    found = translating.translate(model, manifest)
    assert found.execution["kind"] == "exact", found.execution
    return executors.Executor(executors.plans.loads(*found.files.values())), manifest


def asked(ask: Callable[[Any], Any], columns: dict[str, list[Any]]) -> Any:
    """Predictions and probabilities, or the words of a refusal."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return ask(columns)
    except ValueError as error:
        return str(error).splitlines()[0]


def equal(model: Any, executor: executors.Executor, manifest: dict[str, Any], frame: pd.DataFrame) -> None:
    """The executor gives what the model gives for the rows together and for each of the first ones alone."""

    def theirs(columns: dict[str, list[Any]]) -> Any:
        data = bridge.build(columns, manifest)
        return bridge.plain(model.predict(data)), model.predict_proba(data).tolist() if manifest["output"] else None

    def ours(columns: dict[str, list[Any]]) -> Any:
        labels, shares = executor.answer(columns)
        return labels, None if shares is None else shares["values"]

    def compare(want: Any, got: Any) -> None:
        if isinstance(want, str) or isinstance(got, str):
            assert got == want
            return
        assert list(map(type, got[0])) == list(map(type, want[0]))
        if isinstance(want[0][0], float):
            np.testing.assert_allclose(got[0], want[0], rtol=1e-9, atol=0)
        else:
            assert got[0] == want[0]
        if want[1] is not None:
            np.testing.assert_allclose(got[1], want[1], rtol=1e-9, atol=1e-15)

    columns = exchange.columns_of(frame, manifest)
    some = [{name: [values[i]] for name, values in columns.items()} for i in range(min(80, len(frame)))]
    whole = asked(theirs, columns)
    compare(whole, asked(ours, columns))
    for i, alone in enumerate(some):
        if isinstance(whole, str):
            if i < 6:
                compare(asked(theirs, alone), asked(ours, alone))
        else:
            compare((whole[0][i : i + 1], whole[1] and whole[1][i : i + 1]), asked(ours, alone))


def near(model_rows: pd.DataFrame, thresholds: np.ndarray[Any, Any]) -> pd.DataFrame:
    """Rows whose numbers lie on thresholds, a hair beside them, and at the edges of their float32."""
    single = thresholds.astype(np.float32).astype(np.float64)
    hair = np.concatenate([thresholds, np.nextafter(thresholds, np.inf), np.nextafter(thresholds, -np.inf), single,
                           (single + np.nextafter(thresholds.astype(np.float32), np.float32(np.inf))) / 2])[:400]  # fmt: skip
    frame = model_rows.iloc[np.arange(len(hair)) % len(model_rows)].reset_index(drop=True)
    for i, name in enumerate(NUMBERS):
        frame[name] = np.roll(hair, i)
    return frame


LINEAR = [
    ("LinearRegression", {}, "value"), ("Ridge", {}, "value"), ("Lasso", {"alpha": 0.01}, "value"),
    ("ElasticNet", {"alpha": 0.01}, "value"),
    ("SGDRegressor", {}, "value"), ("PoissonRegressor", {}, "value"), ("LogisticRegression", {}, "two"),
    ("LogisticRegression", {}, "three"),
    ("LogisticRegression", {"solver": "liblinear"}, "two"), ("LinearSVC", {}, "two"), ("LinearSVC", {}, "three"),
    ("RidgeClassifier", {}, "two"), ("RidgeClassifier", {}, "three"), ("Perceptron", {}, "three"), ("SGDClassifier", {}, "two"),
    ("SGDClassifier", {"loss": "log_loss"}, "two"), ("SGDClassifier", {"loss": "log_loss"}, "three"),
    ("SGDClassifier", {"loss": "modified_huber"}, "two"), ("SGDClassifier", {"loss": "modified_huber"}, "three"),
    ("GaussianNB", {}, "three"),
    ("KMeans", {"n_clusters": 4, "n_init": 1}, "value"),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "options", "kind"), LINEAR)
def test_formulas(name: str, options: dict[str, Any], kind: str) -> None:
    frame = rows(1)
    model = make(name, **options).fit(frame[NUMBERS], answers(frame, kind))
    executor, manifest = translated(model, frame[NUMBERS])
    for data in (rows(2, 500, scale=30.0), rows(3, 60, nulls=0.2)):
        equal(model, executor, manifest, data[NUMBERS])


STEPS = [
    ("StandardScaler", {}), ("StandardScaler", {"with_mean": False}), ("StandardScaler", {"with_std": False}), ("MinMaxScaler", {}),
    ("MinMaxScaler", {"clip": True}), ("MaxAbsScaler", {}), ("RobustScaler", {}), ("PolynomialFeatures", {"degree": 2}),
    ("PolynomialFeatures", {"degree": 3, "interaction_only": True, "include_bias": False}), ("Normalizer", {}),
    ("Normalizer", {"norm": "l1"}),
    ("Normalizer", {"norm": "max"}), ("Binarizer", {"threshold": 0.2}), ("SelectKBest", {"k": 3}), ("VarianceThreshold", {}),
    ("PCA", {"n_components": 3}), ("PCA", {"n_components": 3, "whiten": True}), ("TruncatedSVD", {"n_components": 3}),
    ("SimpleImputer", {"add_indicator": True}), ("SimpleImputer", {"strategy": "median"}), ("SimpleImputer", {"strategy": "most_frequent"}),
    ("SimpleImputer", {"strategy": "constant", "fill_value": -1.5}), ("FunctionTransformer", {}),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "options"), STEPS)
def test_steps(name: str, options: dict[str, Any]) -> None:
    frame = rows(4, nulls=0.1 if name == "SimpleImputer" else 0.0)[NUMBERS]
    for kind, last in (("value", "LinearRegression"), ("two", "LogisticRegression")):
        model = pipe(make(name, **options), make(last)).fit(frame, answers(rows(4), kind))
        executor, manifest = translated(model, frame)
        for data in (rows(5, 500, scale=5.0), rows(6, 60, nulls=0.2)):
            equal(model, executor, manifest, data[NUMBERS])


ENCODERS = [
    ("OneHotEncoder", {"handle_unknown": "ignore"}), ("OneHotEncoder", {}),
    ("OneHotEncoder", {"drop": "first", "handle_unknown": "ignore"}),
    ("OneHotEncoder", {"drop": "if_binary", "handle_unknown": "ignore"}),
    ("OneHotEncoder", {"min_frequency": 20, "handle_unknown": "infrequent_if_exist"}),
    ("OneHotEncoder", {"max_categories": 3, "drop": "first", "handle_unknown": "infrequent_if_exist"}), ("OrdinalEncoder", {}),
    ("OrdinalEncoder", {"handle_unknown": "use_encoded_value", "unknown_value": -1}),
    ("OrdinalEncoder", {"handle_unknown": "use_encoded_value", "unknown_value": np.nan, "encoded_missing_value": -9, "min_frequency": 20}),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("filled", [True, False])
@pytest.mark.parametrize(("name", "options"), ENCODERS)
def test_encoders_of_every_kind_of_column(name: str, options: dict[str, Any], filled: bool) -> None:
    compose = importlib.import_module("sklearn.compose")
    frame = rows(7, nulls=0.1)[ALL]
    encoder = make(name, **options)
    texts = pipe(make("SimpleImputer", strategy="most_frequent"), encoder) if filled else encoder
    numbers = pipe(make("SimpleImputer", strategy="median", add_indicator=True), make("StandardScaler"))
    columns = compose.make_column_transformer(
        (numbers, compose.make_column_selector(dtype_include=float)), (texts, ["city", "plan"]), (make("OneHotEncoder"), [9]),
        remainder="passthrough", sparse_threshold=0,
    )  # fmt: skip
    model = pipe(columns, make("HistGradientBoostingClassifier", max_iter=5)).fit(frame, answers(rows(7, nulls=0.1), "two"))
    executor, manifest = translated(model, frame)
    strange = rows(8, 60, nulls=0.2)[ALL]
    strange.loc[::5, "city"] = "unseen"
    strange.loc[::7, "plan"] = "never"
    for data in (rows(9, 120)[ALL], strange, rows(10, 1)[ALL]):
        equal(model, executor, manifest, data)


HISTOGRAM = [
    ("HistGradientBoostingClassifier", {}, "two"), ("HistGradientBoostingClassifier", {}, "three"),
    ("HistGradientBoostingRegressor", {}, "value"),
    ("HistGradientBoostingRegressor", {"loss": "poisson"}, "value"), ("HistGradientBoostingRegressor", {"loss": "gamma"}, "value"),
    ("HistGradientBoostingRegressor", {"loss": "quantile", "quantile": 0.3}, "value"),
    ("HistGradientBoostingClassifier", {"max_leaf_nodes": 5}, "two"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options", "kind"), HISTOGRAM)
def test_histogram_boosting_with_nulls_and_categories(name: str, options: dict[str, Any], kind: str) -> None:
    frame = rows(11, nulls=0.1)
    frame["city"] = frame["city"].astype("category")
    model = make(name, max_iter=15, random_state=0, **options).fit(frame[ALL], answers(frame, kind))
    executor, manifest = translated(model, frame[ALL])
    for data in (rows(12, 500, nulls=0.1), rows(13, 60)):
        data["city"] = data["city"].astype(pd.CategoricalDtype([*"abcde", "rare", "unseen"])).where(data.index % 9 != 0, "unseen")
        equal(model, executor, manifest, data[ALL])
    numbers = make(name, max_iter=15, random_state=0, **options).fit(frame[NUMBERS], answers(frame, kind))
    thresholds = np.concatenate([tree.nodes["num_threshold"][tree.nodes["is_leaf"] == 0] for turn in numbers._predictors for tree in turn])
    thresholds = thresholds[np.isfinite(thresholds)]  # one that parts nulls from the rest is infinite
    executor, manifest = translated(numbers, frame[NUMBERS])
    equal(numbers, executor, manifest, near(frame[NUMBERS], thresholds))


FORESTS = [
    ("DecisionTreeClassifier", {}, "three"), ("DecisionTreeRegressor", {"max_depth": 4}, "value"),
    ("RandomForestClassifier", {"n_estimators": 20, "max_depth": 4}, "two"), ("RandomForestClassifier", {"n_estimators": 12}, "two"),
    ("RandomForestClassifier", {"n_estimators": 12, "min_samples_leaf": 3}, "three"),
    ("RandomForestRegressor", {"n_estimators": 9}, "value"),
    ("ExtraTreesClassifier", {"n_estimators": 9}, "three"), ("ExtraTreesRegressor", {"n_estimators": 9, "max_leaf_nodes": 30}, "value"),
    ("GradientBoostingClassifier", {"n_estimators": 15}, "two"), ("GradientBoostingClassifier", {"n_estimators": 15}, "three"),
    ("GradientBoostingClassifier", {"n_estimators": 15, "loss": "exponential"}, "two"),
    ("GradientBoostingRegressor", {"n_estimators": 15}, "value"),
    ("GradientBoostingRegressor", {"n_estimators": 15, "loss": "huber", "init": "zero"}, "value"),
]  # fmt: skip


@pytest.mark.parametrize("nulls", [0.0, 0.15])
@pytest.mark.parametrize(("name", "options", "kind"), FORESTS)
def test_forests_compare_in_single_precision(name: str, options: dict[str, Any], kind: str, nulls: float) -> None:
    if nulls and name.startswith("Gradient"):
        nulls = 0.0
    frame = rows(14, nulls=nulls)
    model = make(name, random_state=0, **options).fit(frame[NUMBERS], answers(frame, kind))
    executor, manifest = translated(model, frame[NUMBERS])
    trees = np.ravel(getattr(model, "estimators_", [model]))
    thresholds = np.concatenate([tree.tree_.threshold[tree.tree_.feature >= 0] for tree in trees])
    thresholds = thresholds[np.isfinite(thresholds)]  # one that parts nulls from the rest is infinite
    huge = rows(17, 3)[NUMBERS]
    huge.iloc[1, 2] = 1e39
    for data in (rows(15, 300), rows(16, 60, nulls=0.2), near(frame[NUMBERS].fillna(0.0), thresholds), huge):
        equal(model, executor, manifest, data[NUMBERS])


def group(name: str, kind: str) -> Any:
    """A model made of models."""
    scaled = pipe(make("SimpleImputer"), make("StandardScaler"), make("LogisticRegression" if kind != "value" else "Ridge"))
    forest = make(f"RandomForest{'Regressor' if kind == 'value' else 'Classifier'}", n_estimators=5, random_state=0)
    members = [("line", scaled), ("forest", forest)]
    match name.split(":"):
        case ["calibrated", method]:
            return make("CalibratedClassifierCV", estimator=scaled, method=method, cv=2)
        case ["stack", _]:
            return make(f"Stacking{'Regressor' if kind == 'value' else 'Classifier'}", estimators=members, cv=2, passthrough="pass" in name)
        case ["vote", "mean"]:
            return make("VotingRegressor", estimators=members, weights=[1.0, 2.5])
        case ["vote", way]:
            return make("VotingClassifier", estimators=members, voting=way, weights=[1.0, 2.5])
        case ["layers", _]:
            return make(f"MLP{'Regressor' if kind == 'value' else 'Classifier'}", hidden_layer_sizes=(6,), max_iter=8, random_state=0)
        case ["search", _]:
            return make("GridSearchCV", estimator=scaled, param_grid={"simpleimputer__strategy": ["mean", "median"]}, cv=2)
    return make("IsolationForest", n_estimators=12, max_features=3, random_state=0)


GROUPS = [
    ("vote:soft", "two"), ("vote:soft", "three"), ("vote:hard", "three"), ("vote:mean", "value"), ("stack:", "two"), ("stack:", "three"),
    ("stack:", "value"), ("calibrated:sigmoid", "two"), ("calibrated:isotonic", "three"), ("layers:", "two"), ("layers:", "three"),
    ("layers:", "value"), ("search:", "two"), ("isolation:", "value"),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "kind"), GROUPS)
def test_models_made_of_models(name: str, kind: str) -> None:
    frame = rows(20, nulls=0.0 if name == "layers:" else 0.1)
    model = group(name, kind).fit(frame[NUMBERS], answers(frame, kind))
    executor, manifest = translated(model, frame[NUMBERS])
    for data in (rows(21, 200, scale=2.0), rows(22, 40, nulls=0.2)):
        equal(model, executor, manifest, data[NUMBERS])


def test_a_stack_that_passes_its_columns_on() -> None:
    frame = rows(23)[[*NUMBERS, "count"]]
    model = group("stack:pass", "two").fit(frame, answers(rows(23), "two"))
    executor, manifest = translated(model, frame)
    equal(model, executor, manifest, rows(24, 100)[[*NUMBERS, "count"]])


def test_whole_numbers_and_an_array_as_input() -> None:
    frame = rows(18)
    data = frame[["count", "flag"]].assign(big=2**40 + np.arange(len(frame)))
    model = pipe(make("StandardScaler"), make("LogisticRegression")).fit(data, answers(frame, "two"))
    executor, manifest = translated(model, data)
    equal(model, executor, manifest, data)
    array = frame[NUMBERS].to_numpy()
    model = make("RandomForestClassifier", n_estimators=5, random_state=0).fit(array, answers(frame, "two"))
    known = inputs._other(array, None, "rows")
    manifest = {"entry": "model", "input": "array", "inputs": known.inputs, "output": {"classes": []}}
    found = translating.translate(model, manifest)
    executor = executors.Executor(executors.plans.loads(*found.files.values()))
    equal(model, executor, manifest, array)  # type: ignore[arg-type]


def test_what_is_not_translated_says_why() -> None:
    class Mine(type(make("LogisticRegression"))):  # type: ignore[misc]
        pass

    frame = rows(19)
    x, y = frame[NUMBERS], answers(frame, "two")
    replaced = make("LogisticRegression").fit(x, y)
    replaced.predict = lambda data: data
    known = inputs._frame(x, None, "rows", None).inputs
    manifest = {"entry": "model", "input": "frame", "inputs": known, "output": {"classes": []}}
    single = [{**spec, "dtype": "float32"} for spec in known]
    cases = [
        (Mine().fit(x, y), manifest, "Mine is no class of scikit-learn"),
        (replaced, manifest, "predict of LogisticRegression was replaced"),
        (pipe(make("FunctionTransformer", func=np.sqrt), make("LogisticRegression")).fit(x.abs(), y), manifest,
         "FunctionTransformer runs a function of its own"),
        (make("AdaBoostClassifier", n_estimators=2).fit(x, y), manifest, "AdaBoostClassifier has no exact executor"),
        (make("LinearRegression").fit(x, x), manifest, "LinearRegression was fitted on a table of answers"),
        (make("LogisticRegression").fit(x, y), {**manifest, "inputs": single},
         "LogisticRegression takes column 1, which holds no plain doubles"),
        (make("LogisticRegression").fit(x, y), {**manifest, "inputs": known[::-1]}, "the columns are not those of the fit"),
        (make("LogisticRegression").fit(x, y), {**manifest, "entry": "predict"}, "predict is a function"),
    ]  # fmt: skip
    for model, said, why in cases:
        assert translating.translate(model, said).execution == {"kind": "library", "why": why}


def test_rows_that_no_proof_has_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    encoders = importlib.import_module("nbml.packaging.translating.encoders")
    frame = rows(25)
    columns = importlib.import_module("sklearn.compose").make_column_transformer((make("OneHotEncoder", handle_unknown="ignore"), ["city"]),
                                                                                 remainder="drop")  # fmt: skip
    model = pipe(columns, make("LogisticRegression")).fit(frame[["city"]], answers(frame, "two"))
    known = inputs._frame(frame[["city"]], None, "rows", None)
    manifest = {"entry": "model", "input": "frame", "inputs": known.inputs, "output": {"classes": []}}
    sent = exchange.rows_of(frame[["city"]], manifest)[:5]
    assert translating.translate(model, manifest, sent).execution["kind"] == "exact"
    monkeypatch.setattr(encoders, "NOWHERE", 0)
    why = "the translated model is not equal: rows with nulls are answered otherwise"
    assert translating.translate(model, manifest, sent).execution == {"kind": "library", "why": why}


def test_a_plan_is_read_without_executing_anything() -> None:
    plan = {"a": np.arange(3.0), "b": [np.array([True, False]), {"c": "$"}], "d": None}
    text, blob = executors.plans.dumps(plan)
    back = executors.plans.loads(text, blob)
    assert back["a"].tolist() == [0.0, 1.0, 2.0]
    assert (back["b"][0].tolist(), back["b"][1], back["d"]) == ([True, False], {"c": "$"}, None)
    with pytest.raises(TypeError, match="an array of object is no part of a plan"):
        executors.plans.dumps(np.array([object()]))
    with pytest.raises(ValueError, match=r"an array of '\|O' is no part of a plan"):
        executors.plans.loads(text.replace(b"<f8", b"|O"), blob)
    with pytest.raises(ValueError, match="this runtime has no executor 'shell'"):
        executors.nodes.made({"op": "shell"})
