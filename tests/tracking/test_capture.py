"""What a run records unasked: estimators, data versions, figures; and that it leaves no trace and keeps no secret."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import cloudpickle
import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import nbml
from nbml import store
from nbml.tracking import estimators
from nbml.tracking.secrets import MARK, Redaction, secretive

X, Y = load_iris(return_X_y=True, as_frame=True)


def classes() -> dict[type, dict[str, object]]:
    """Every loaded estimator class and its own attributes, in their order."""
    todo, found = [BaseEstimator], {}
    while todo:
        cls = todo.pop()
        if cls not in found:
            found[cls] = dict(cls.__dict__)
            todo += cls.__subclasses__()
    return found


def shape() -> object:
    return {cls: [(name, id(value)) for name, value in own.items()] for cls, own in classes().items()}


def test_classes_are_as_before_also_after_an_error_and_nested_runs(project: Path) -> None:
    before, path = shape(), list(sys.meta_path)
    with nbml.track("a"):
        assert isinstance(LogisticRegression.__dict__["fit"], estimators.Seen)
        with pytest.raises(ValueError), nbml.track("b"):
            Ridge(alpha=-1.0).fit(X, Y)
        assert isinstance(LogisticRegression.__dict__["fit"], estimators.Seen)
    assert shape() == before
    assert sys.meta_path == path


def test_parameters_are_named_as_in_get_params(project: Path) -> None:
    with nbml.track("one") as one:
        RandomForestClassifier(n_estimators=3, max_depth=2, random_state=0).fit(X, Y)
    expected = RandomForestClassifier(n_estimators=3, max_depth=2, random_state=0).get_params()
    assert one.params == {name: value for name, value in expected.items() if value != "deprecated"}
    assert one._body["changed"] == ["max_depth", "n_estimators", "random_state"]
    with nbml.track("pipe") as pipe:
        make_pipeline(SimpleImputer(), FunctionTransformer(np.abs), LogisticRegression(C=0.01, max_iter=1000)).fit(X, Y)
    assert (pipe.params["logisticregression__C"], pipe.params["functiontransformer__func"]) == (0.01, "absolute")
    assert math.isnan(pipe.params["simpleimputer__missing_values"])
    assert "steps" not in pipe.params
    assert [e["type"] for e in pipe._body["estimators"]] == ["Pipeline"]


def test_of_two_classes_a_shared_name_stands_under_each(project: Path) -> None:
    with nbml.track("two") as run:
        Z = PCA(n_components=2, random_state=1).fit_transform(X)
        LogisticRegression(C=0.5, random_state=2).fit(Z, Y)
    assert (run.params["n_components"], run.params["C"]) == (2, 0.5)
    assert (run.params["pca__random_state"], run.params["logisticregression__random_state"]) == (1, 2)
    assert "random_state" not in run.params


def test_outer_fits_are_told_inner_ones_are_counted(project: Path) -> None:
    with nbml.track("search") as run:
        GridSearchCV(Ridge(), {"alpha": [1.0, 2.0]}, cv=3).fit(X, Y)
    assert [(e["type"], e["times"]) for e in run._body["estimators"]] == [("GridSearchCV", 1)]
    assert run._body["nested"] == 7
    assert run.params["param_grid"] == {"alpha": [1.0, 2.0]}
    with nbml.track("scores") as run:
        cross_val_score(Ridge(alpha=3.0), X, Y, cv=3)
    assert (run._body["estimators"][0]["times"], run._body["nested"], run.params["alpha"]) == (1, 3, 3.0)
    with nbml.track("forest") as run:
        RandomForestClassifier(n_estimators=8, n_jobs=2).fit(X, Y)
    assert [e["type"] for e in run._body["estimators"]] == ["RandomForestClassifier"]
    with nbml.track("stream") as run:
        model = SGDClassifier(random_state=0)
        for _ in range(5):
            model.partial_fit(X, Y, classes=[0, 1, 2])
    assert [(e["type"], e["times"]) for e in run._body["estimators"]] == [("SGDClassifier", 5)]


def test_a_class_made_inside_the_block_is_seen_and_stays_as_it_was_written(project: Path) -> None:
    with nbml.track("own") as run:

        class Constant(ClassifierMixin, BaseEstimator):
            def __init__(self, value: int = 1) -> None:
                self.value = value

            def fit(self, X, y, sample_weight=None):
                self.classes_ = sorted(set(y))
                return self

        with sklearn.config_context(enable_metadata_routing=True):
            Constant(value=2).set_fit_request(sample_weight=True)
            LogisticRegression().set_fit_request(sample_weight=True)
        Constant(value=2).fit(X, Y)
        inside = cloudpickle.dumps(Constant)
    assert run.params == {"value": 2}
    assert type(Constant.__dict__["fit"]).__name__ == "function"
    assert b"nbml" not in inside.replace(b"nbml_", b"")
    assert type(cloudpickle.loads(inside).__dict__["fit"]).__name__ == "function"


def test_sklearn_is_seen_when_it_is_loaded_inside_the_block(project: Path) -> None:
    code = (
        "import nbml, sys\n"
        "with nbml.track('late') as run:\n"
        "    assert 'sklearn' not in sys.modules\n"
        "    from sklearn.linear_model import Ridge\n"
        "    Ridge(alpha=5.0).fit([[1.0], [2.0]], [1.0, 2.0])\n"
        "import sklearn.base\n"
        "assert type(Ridge.__dict__['fit']).__name__ == 'function'\n"
        "assert '__init_subclass__' not in sklearn.base.BaseEstimator.__dict__\n"
        "assert type(sklearn.base.__spec__.loader).__name__ == 'SourceFileLoader', sklearn.base.__spec__\n"
        "assert not [f for f in sys.meta_path if type(f).__module__.startswith('nbml')]\n"
        "print(run.params['alpha'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("5.0\n", "")


def test_a_run_without_sklearn_does_not_load_it(project: Path) -> None:
    code = (
        "import nbml, sys\n"
        "with nbml.track('plain') as run: nbml.log(x=1)\n"
        "print(sorted({'sklearn', 'pandas', 'numpy', 'wandb', 'matplotlib', 'IPython'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_data_is_named_by_the_version_whose_content_or_part_it_is(project: Path) -> None:
    version = nbml.snapshot(X, "iris")
    with nbml.track("whole") as whole:
        LogisticRegression(max_iter=1000).fit(X, Y)
    assert [(str(d), d.hash) for d in whole.datasets] == [("iris@1", version.hash)]
    assert store.current().edges_from(whole._thing) == [("data", version.thing)]
    assert "data iris@1" in repr(whole)
    with nbml.track("part") as part:
        LogisticRegression(max_iter=1000).fit(X.iloc[::2, :3], Y.iloc[::2])
    assert [str(d) for d in part.datasets] == ["iris@1"]
    assert "data part of iris@1" in repr(part)
    other = X.copy()
    other.iloc[0, 0] += 1e-9
    with nbml.track("other") as changed:
        LogisticRegression(max_iter=1000).fit(other, Y)
        LogisticRegression(max_iter=1000).fit(other.to_numpy(), Y)
    assert [(d.rows, d.columns, d.kind) for d in changed.datasets] == [(150, 4, "DataFrame"), (150, 4, "ndarray")]
    assert [len(d.fingerprint) for d in changed.datasets] == [64, 64]
    assert store.current().edges_from(changed._thing) == []


def test_data_changed_after_the_fit_is_not_claimed(project: Path) -> None:
    frame = X.copy()
    with nbml.track("before") as run:
        Ridge().fit(frame, Y)
        frame.iloc[0, 0] = 99.0
        nbml.snapshot(frame, "later")
    assert [str(one) for one in run.datasets] == [f"150 × 4 ({run.datasets[0].fingerprint[:8]})"]
    assert store.current().edges_from(run._thing) == []


def test_open_figures_are_kept(project: Path) -> None:
    pytest.importorskip("matplotlib").use("agg")
    from matplotlib import pyplot

    with nbml.track("drawn") as run:
        pyplot.plot([1, 2, 3])
        pyplot.title("loss")
        current = pyplot.figure()
        pyplot.figure(1)
    assert pyplot.gcf() is not current
    assert [picture.title for picture in run.figures] == ["loss", "figure 2"]
    assert all(picture.png.startswith(b"\x89PNG") for picture in run.figures)
    pyplot.close("all")


def test_a_hook_that_fails_is_left_out_with_a_warning_and_never_breaks_the_block(project: Path) -> None:
    class Odd(BaseEstimator):
        def fit(self, X, y=None):
            return self

        def get_params(self, deep=True):
            raise RuntimeError("no parameters")

    with nbml.track("odd") as run:
        with pytest.warns(RuntimeWarning, match="estimators of this run are not recorded any more"):
            Odd().fit(X)
        nbml.log(x=1)
    assert (run.state, run.params, run.metrics) == ("finished", {}, {"x": 1.0})
    assert type(Odd.__dict__["fit"]).__name__ == "function"


def test_parameters_called_like_a_secret_are_not_stored(project: Path) -> None:
    class Client(BaseEstimator):
        def __init__(self, api_key=None, token_pattern="x", url="u"):
            self.api_key, self.token_pattern, self.url = api_key, token_pattern, url

        def fit(self, X, y=None):
            raise ValueError(f"refused: {self.api_key}")

    with pytest.raises(ValueError), nbml.track("secret") as run:
        Client(api_key="sk-abcdef123", url="https://x?k=sk-abcdef123").fit(X)
    assert run.params == {"api_key": MARK, "token_pattern": "x", "url": f"https://x?k={MARK}"}
    assert run.error == f"ValueError: refused: {MARK}"
    for file in (project / ".nbml").rglob("*"):
        assert not file.is_file() or b"sk-abcdef123" not in file.read_bytes()


@pytest.mark.parametrize(
    ("source", "stored"),
    [
        ('API_KEY = "abcdefgh"', 'API_KEY = "[redacted]"'),
        ("hfToken: str = 'abcdefgh'", 'hfToken: str = "[redacted]"'),
        ('connect(user="me", password="abcdefgh")', 'connect(user="me", password="[redacted]")'),
        ('x = {"secret": "abcdefgh", "a": "b"}', 'x = {"secret": "[redacted]", "a": "b"}'),
        ('os.environ["WANDB_API_KEY"] = "abcdefgh"', 'os.environ["WANDB_API_KEY"] = "[redacted]"'),
        ('os.environ.setdefault("TOKEN", "abcdefgh")', 'os.environ.setdefault("TOKEN", "[redacted]")'),
        ('user, pwd = "me", "abcdefgh"', 'user, pwd = "me", "[redacted]"'),
        ('self.token = ("abcd"\n  "efgh")', 'self.token = ("[redacted]")'),
        ('token = """ab\ncdefgh"""\nprint("é")', 'token = "[redacted]"\nprint("é")'),
        ('é = 1; token = f"abcd{x}"', 'é = 1; token = "[redacted]"'),
        ('def f(a, token="abcdefgh"): ...', 'def f(a, token="[redacted]"): ...'),
        ('token = "abcdefgh"\nprint("abcdefgh")', 'token = "[redacted]"\nprint("[redacted]")'),
        ('%%nbml track x\ntoken = "abcdefgh"', '%%nbml track x\ntoken = "[redacted]"'),
        ("%env API_KEY=abcdefgh", "%env API_KEY=[redacted]"),
        ("!export TOKEN=abcdefgh", "!export TOKEN=[redacted]"),
        ('token = os.environ["TOKEN"]', 'token = os.environ["TOKEN"]'),
        ('token_pattern = "abcdefgh"', 'token_pattern = "abcdefgh"'),
        ('keys = ["abcdefgh"]', 'keys = ["abcdefgh"]'),
        ('if token == "abcdefgh": pass', 'if token == "abcdefgh": pass'),
    ],
)
def test_literals_that_are_called_like_a_secret_are_not_stored(source: str, stored: str) -> None:
    assert Redaction().source(source) == stored


def test_names_that_are_like_secrets() -> None:
    assert all(map(secretive, ["token", "API_KEY", "apiKey", "db_password", "passwordFile", "AWS_ACCESS_KEY_ID", "clf__secret", "auth"]))
    assert not any(map(secretive, ["token_pattern", "tokenizer", "keys", "monkey", "n_keys", "author", "C", ""]))
