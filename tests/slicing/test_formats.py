"""What travels as a file: the safest format that keeps the value exactly, the same in a fresh process, and no other file."""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nbml.slicing import Slice, cut, recorder

pytestmark = pytest.mark.slow

Cut = Callable[..., Slice]
MODELS = """
import enum
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
draw = np.random.default_rng(0)
X = pd.DataFrame({"a": draw.normal(size=80), "b": draw.normal(size=80), "k": draw.choice(["x", "y", None], 80)})
y = np.where(X["a"] > 0, "yes", "no")
N = X[["a", "b"]]
def half(frame):
    return frame / 2
class Centre(TransformerMixin, BaseEstimator):
    def __init__(self, by=1.0):
        self.by = by
    def fit(self, X, y=None):
        self.mean_ = X.to_numpy().mean(axis=0)
        return self
    def transform(self, X):
        return (X - self.mean_) * self.by
class Tables(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.mean_ = X.mean()
        return self
    def transform(self, X):
        return X - self.mean_
class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2
class Weighted(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.level_ = Level.HIGH
        return self
    def predict(self, X):
        return np.full(len(X), self.level_.name)
"""
FITTED = {
    "scaled": ("make_pipeline(StandardScaler(), LogisticRegression()).fit(N, y)", "skops", ()),
    "columns": (
        "make_pipeline(ColumnTransformer([('n', StandardScaler(), ['a', 'b']), ('k', OneHotEncoder(handle_unknown='ignore'), ['k'])]),"
        " LogisticRegression(class_weight={'yes': 1, 'no': 2})).fit(X, y)", "skops", (),
    ),
    "forest": ("RandomForestClassifier(5, random_state=0).fit(N, y)", "skops", ("sklearn.tree._tree.Tree",)),
    "boosted": ("HistGradientBoostingClassifier(max_iter=5).fit(N, y)", "skops",
                ("sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",)),
    "own": (
        "make_pipeline(Centre(2.0), FunctionTransformer(half), FunctionTransformer(lambda frame: frame * 3),"
        " LogisticRegression()).fit(N, y)",
        "skops", ("made.Centre", "made._lambda_1", "made.half"),
    ),
}  # fmt: skip
PICKLED = {
    "tables": ("make_pipeline(Tables(), LogisticRegression()).fit(N, y)", "it holds pandas objects, which skops does not write"),
    "subclass": ("Weighted().fit(N, y)", "skops does not keep it exactly"),
}
VALUES = {
    "array": ("np.asfortranarray(np.arange(6, dtype='>f4').reshape(2, 3))", "npy"),
    "dates": ("np.array(['2020-01-01', 'NaT'], dtype='datetime64[s]')", "npy"),
    "texts": ("np.array(['a', None, 'c'], dtype=object)", "skops"),
    "frame": (
        "pd.DataFrame({'i': pd.array([1, None], dtype='Int64'), 's': pd.array(['a', None], dtype='string'), 'o': ['x', 'y'],"
        " 'c': pd.Categorical(['u', 'v'], categories=['v', 'u'], ordered=True), 't': pd.to_datetime(['2020-01-01', None]).tz_localize("
        "'Europe/Berlin'), 'b': [True, False], 'f': np.array([1, 2], dtype='f4')}, index=pd.Index([5, 3], name='k'))", "parquet",
    ),
    "series": ("pd.Series([1.5, np.nan], index=['p', 'q'], name='w')", "parquet"),
    "nameless": ("pd.Series(['p', 'q'])", "parquet"),
    "levels": ("pd.Series([1, 2], index=pd.MultiIndex.from_tuples([('a', 1), ('b', 2)], names=['u', 'v']), name=3)", "parquet"),
    "tuples": ("pd.DataFrame({'a': [(1, 2), (3,)]})", "pickle"),
    "numbered": ("pd.DataFrame({('a', 1): [1.0], ('b', 2): [2.0]})", "parquet"),
    "mixed": ("pd.DataFrame({'a': [1, 'x']})", "pickle"),
    "frequent": ("pd.DataFrame({'a': [1, 2]}, index=pd.date_range('2020', periods=2))", "pickle"),
    "lookup": ("{str(i): [i, i / 3, None, True] for i in range(400)}", "json"),
    "by_number": ("{i: str(i) for i in range(600)}", "skops"),
    "by_truth": ("[{True: i, None: i, (1, i): i} for i in range(200)]", "pickle"),
    "shared": ("(lambda part: [part, part, *range(600)])([1])", "skops"),
}  # fmt: skip
#: in a fresh process: what a module gives, with all that decides whether it is the same
TELL = """
def tell(value):
    import numpy as np, pandas as pd
    if isinstance(value, pd.DataFrame):
        return [type(value).__name__, tell(value.index), tell(value.columns), [tell(value.iloc[:, i]) for i in range(value.shape[1])]]
    if isinstance(value, pd.Series):
        return ["series", repr(value.dtype), repr(value.name), repr(list(value)), tell(value.index)]
    if isinstance(value, pd.Index):
        return [type(value).__name__, repr(value), list(map(repr, value.names)), repr(getattr(value, "freq", None))]
    if isinstance(value, np.ndarray):
        return ["array", repr(value.dtype), value.shape, value.flags.f_contiguous, repr(value.tolist())]
    return [type(value).__name__, repr(value)]
"""


@pytest.fixture
def cut_after(notebook: Any) -> Cut:
    """Runs cells and cuts names."""
    recorder.attach(notebook)

    def run(*cells: str, names: tuple[str, ...]) -> Slice:
        for cell in cells:
            notebook.run_cell(cell, store_history=True).raise_error()
        return cut({name: notebook.user_ns[name] for name in names}, module="made")

    return run


def fresh(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """What code prints in a fresh process whose working folder is another, with the written module on its path."""
    told = f"import sys; sys.path.insert(0, {str(folder)!r})\n{code}"
    return subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, cwd="/", check=False)


def test_fitted_models_travel_by_skops_and_answer_the_same(cut_after: Cut, notebook: Any, tmp_path: Path) -> None:
    lines = [f"{name} = {expression}" for name, (expression, _, _) in FITTED.items()]
    made = cut_after(MODELS, "\n".join(lines), names=tuple(FITTED))
    for name, (_, kind, types) in FITTED.items():
        artifact = made.artifacts[name]
        assert (name, artifact.format, artifact.types, artifact.why) == (name, kind, types, "")
        assert artifact.path == f"artifacts/{name}.skops"
    assert "skops" in dict(line.split("==") for line in made.requirements)
    assert "import pickle" not in made.source
    made.write(tmp_path)
    notebook.run_cell("X.to_pickle('rows.pkl')", store_history=True).raise_error()
    code = (
        f"import pandas as pd, made\nX = pd.read_pickle({str(Path.cwd() / 'rows.pkl')!r})\nN = X[['a', 'b']]\n"
        "for name in %r:\n    print(name, getattr(made, name).predict_proba(X if name == 'columns' else N).tolist())" % list(FITTED)
    )
    done = fresh(tmp_path, code)
    assert done.stderr == ""
    names = notebook.user_ns
    want = [f"{n} {names[n].predict_proba(names['X'] if n == 'columns' else names['N']).tolist()}" for n in FITTED]
    assert done.stdout.splitlines() == want


def test_what_skops_does_not_keep_is_pickled_and_says_why(cut_after: Cut, tmp_path: Path) -> None:
    made = cut_after(MODELS, "\n".join(f"{name} = {case[0]}" for name, case in PICKLED.items()), names=tuple(PICKLED))
    for name, (_, why) in PICKLED.items():
        assert (made.artifacts[name].format, made.artifacts[name].why) == ("pickle", why)
    assert {"made.Weighted", "made.Level"} <= set(made.artifacts["subclass"].types)
    made.write(tmp_path)
    code = "import made; print(type(made.subclass.level_).__name__, made.tables.predict(made.tables[0].mean_.to_frame().T))"
    done = fresh(tmp_path, code)
    assert (done.stdout[:6], done.stderr) == ("Level ", "")


@pytest.mark.parametrize("name", VALUES)
def test_a_value_comes_back_as_it_was(name: str, cut_after: Cut, notebook: Any, tmp_path: Path) -> None:
    expression, kind = VALUES[name]
    made = cut_after(MODELS.partition("from sklearn")[0], f"{name} = {expression}\ndef predict(x):\n    return {name}", names=("predict",))
    assert made.artifacts[name].format == kind
    assert bool(made.artifacts[name].why) == (kind == "pickle")
    made.write(tmp_path)
    done = fresh(tmp_path, f"import made\n{TELL}\nprint(tell(made.predict(0)))")
    assert done.stderr == ""
    scope: dict[str, Any] = {}
    exec(TELL, scope)
    assert done.stdout == f"{scope['tell'](notebook.user_ns[name])}\n"


def test_equal_values_are_equal_files(cut_after: Cut, notebook: Any) -> None:
    first = cut_after(MODELS, f"own = {FITTED['own'][0]}", names=("own",))
    again = cut_after(f"own = {FITTED['own'][0]}", names=("own",))
    assert first.artifacts["own"].sha256 == again.artifacts["own"].sha256
    assert (notebook.user_ns["half"].__module__, notebook.user_ns["half"].__name__) == ("__main__", "half")
    assert "made" not in sys.modules


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (self.path,)


def test_another_file_is_refused_by_name_before_it_is_read(cut_after: Cut, tmp_path: Path) -> None:
    made = cut_after(MODELS, f"tables = {PICKLED['tables'][0]}\nscaled = {FITTED['scaled'][0]}", names=("tables", "scaled"))
    made.write(tmp_path)
    evil = tmp_path / "executed"
    for name, content in (("scaled", b"PK nothing"), ("tables", pickle.dumps(Trap(str(evil))))):
        path = tmp_path / made.artifacts[name].path
        sound = path.read_bytes()
        path.write_bytes(content)
        done = fresh(tmp_path, "import made")
        assert done.stderr.splitlines()[-1] == f"ValueError: {made.artifacts[name].path} is not the file that was written with this module"
        path.write_bytes(sound)
    assert not evil.exists()


def test_a_skops_file_with_a_type_that_is_not_listed_is_refused_by_name(cut_after: Cut, tmp_path: Path) -> None:
    import skops.io

    made = cut_after(MODELS, f"scaled = {FITTED['scaled'][0]}", names=("scaled",))
    made.write(tmp_path)
    path = tmp_path / made.artifacts["scaled"].path
    evil = tmp_path / "executed"
    path.write_bytes(skops.io.dumps({"a": __import__("functools").partial(os.mkdir, str(evil))}))
    module = tmp_path / "made.py"
    # whoever changes a file can change its hash too; what it may hold is said by the module
    module.write_text(module.read_text().replace(made.artifacts["scaled"].sha256, hashlib.sha256(path.read_bytes()).hexdigest()))
    done = fresh(tmp_path, "import made")
    assert "functools.partial" in done.stderr
    assert "UntrustedTypesFoundException" in done.stderr
    assert not evil.exists()


def test_a_skops_file_is_the_one_that_skops_writes(cut_after: Cut, tmp_path: Path) -> None:
    """Anyone may look at what travels with the tools of skops."""
    import skops.io

    made = cut_after(MODELS, f"forest = {FITTED['forest'][0]}", names=("forest",))
    made.write(tmp_path)
    path = tmp_path / made.artifacts["forest"].path
    assert skops.io.get_untrusted_types(file=path) == list(made.artifacts["forest"].types)
    assert skops.io.load(path, trusted=["sklearn.tree._tree.Tree"]).n_estimators == 5
    with zipfile.ZipFile(path) as archive:
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}
