"""Notebooks about models, helper modules and odd objects. The format is told in corpus_pages."""

# ruff: noqa: E501 - whole notebooks

PAGES = r'''
=== custom-transformer-clone | model | frame | value.predict(x)
import numpy as np, pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.linear_model import Ridge
from sklearn.utils.validation import check_is_fitted
train = pd.DataFrame({"a": np.arange(12.0), "b": np.linspace(3, -3, 12), "c": list("xyz") * 4})
y = train.a * 2 - train.b
---
class TargetEncoder(BaseEstimator, TransformerMixin):
    """Mean of the target by category."""
    def __init__(self, column="c", *, smooth=1.0):
        self.column = column
        self.smooth = smooth
    def fit(self, X, y):
        self.means_ = pd.Series(np.asarray(y), index=X.index).groupby(X[self.column]).mean()
        self.prior_ = float(np.mean(y))
        return self
    def transform(self, X):
        check_is_fitted(self)
        out = X.drop(columns=[self.column]).copy()
        out["te"] = X[self.column].map(self.means_).astype(float).fillna(self.prior_) * self.smooth
        return fill(out)[["a", "b", "te"]]
def fill(X):
    return X.replace([np.inf, -np.inf], np.nan).fillna(FILL)
FILL = -1.0
---
base = Pipeline([("te", TargetEncoder(smooth=0.5)), ("ridge", Ridge())])
model = clone(base).set_params(te__smooth=0.7).fit(train, y)
=== grid-best-estimator | best | frame | value.predict_proba(x[["a", "b"]])
import numpy as np, pandas as pd
from sklearn.model_selection import GridSearchCV
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import FunctionTransformer
from sklearn.metrics import make_scorer, fbeta_score
train = pd.DataFrame({"a": np.arange(20.0), "b": np.linspace(3, -3, 20)}); y = (train.a > 9).astype(int)
def my_metric(y_true, y_pred, *, beta=2):
    return fbeta_score(y_true, y_pred, beta=beta)
distractor = make_scorer(my_metric, beta=3)
---
pipe = make_pipeline(FunctionTransformer(lambda X: X.assign(r=X.a / (X.b.abs() + 1)).replace([np.inf, -np.inf], np.nan)), SimpleImputer(), RandomForestClassifier(5, random_state=0))
grid = GridSearchCV(pipe, {"randomforestclassifier__max_depth": [1, 2]}, scoring=make_scorer(my_metric, beta=3), cv=2).fit(train, y)
best = grid.best_estimator_
=== column-transformer-cell-functions | model | frame | value.predict(x)
import numpy as np, pandas as pd
from sklearn.compose import ColumnTransformer, make_column_selector as sel, TransformedTargetRegressor
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.pipeline import Pipeline, FeatureUnion
from sklearn.impute import SimpleImputer
from sklearn.ensemble import HistGradientBoostingRegressor
train = pd.DataFrame({"a": np.arange(30.0), "b": np.linspace(3, -3, 30), "c": list("xyz") * 10}); y = train.a + 1
def log1p(X): return np.log1p(np.abs(X))
def names(tr, feats): return [f"log_{f}" for f in feats]
def sq(v): return np.sqrt(v)
def un(v): return v ** 2
num = Pipeline([("imp", SimpleImputer()), ("u", FeatureUnion([("log", FunctionTransformer(log1p, feature_names_out=names)), ("std", StandardScaler())]))])
pre = ColumnTransformer([("num", num, sel(dtype_include="number")), ("cat", OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["c"])])
pre.set_output(transform="pandas")
model = TransformedTargetRegressor(Pipeline([("pre", pre), ("m", HistGradientBoostingRegressor(max_iter=4, random_state=1))]), func=sq, inverse_func=un)
model.fit(train, y)
=== nested-pipelines-and-meta | model | array | value.predict(x)
import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, TransformerMixin, OneToOneFeatureMixin, clone
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.ensemble import StackingRegressor, VotingRegressor
from sklearn.pipeline import make_pipeline
rng = np.random.default_rng(0); X = rng.normal(size=(30, 2)); y = X @ [1, 2]
class Meta(RegressorMixin, BaseEstimator):
    def __init__(self, base=None, n=2): self.base, self.n = base, n
    def fit(self, X, y):
        self.fitted_ = [clone(self.base or LinearRegression()).fit(X[i::self.n], y[i::self.n]) for i in range(self.n)]
        return self
    def predict(self, X): return combine([m.predict(X) for m in self.fitted_])
class Shift(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    amount: float = 0.5
    def fit(self, X, y=None): self.n_features_in_ = X.shape[1]; return self
    def transform(self, X): return X + self.amount
combine = lambda ps: np.median(np.stack(ps), axis=0)
model = make_pipeline(make_pipeline(Shift(), Shift()), VotingRegressor([("m", Meta(Ridge())), ("s", StackingRegressor([("l", LinearRegression())], final_estimator=Meta()))])).fit(X, y)
=== calibrated-and-threshold | predict | frame | value(x)
import numpy as np, pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.tree import DecisionTreeClassifier
train = pd.DataFrame({"a": np.arange(24.0), "b": np.linspace(3, -3, 24)}); y = np.where(train.a > 11, "yes", "no")
FEATURES = list(train.columns)
clf = CalibratedClassifierCV(DecisionTreeClassifier(max_depth=2, random_state=0), cv=2).fit(train[FEATURES], y)
threshold = 0.4
---
threshold = float(np.quantile(clf.predict_proba(train[FEATURES])[:, 1], 0.3))
classes = {c: i for i, c in enumerate(clf.classes_)}
---
def predict(df: pd.DataFrame) -> pd.Series:
    p = clf.predict_proba(df[FEATURES].replace([np.inf, -np.inf], np.nan))[:, classes["yes"]]
    return pd.Series(np.where(p > threshold, "yes", "no"), index=df.index, name="label")
=== text-pipeline | model | texts | value.predict(x)
import re, numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import Pipeline
STOP = frozenset({"the", "a"})
TOKEN = re.compile(r"\w+", re.UNICODE)
def tokens(s):
    return [t for t in TOKEN.findall(s.lower()) if t not in STOP]
def analyzer(s):
    yield from tokens(s or "")
model = Pipeline([("v", TfidfVectorizer(tokenizer=tokens, token_pattern=None, preprocessor=lambda s: str(s))), ("nb", MultinomialNB())])
model.fit(["the cat", "a dog runs", "größe cat", "dog"], [0, 1, 0, 1])
=== own-model-without-sklearn | model | rows | value.predict(x)
from collections import defaultdict, Counter, OrderedDict, deque, ChainMap
class Bayes:
    prior = Counter()
    def __init__(self):
        self.counts = defaultdict(Counter)
        self.tops = defaultdict(lambda: "none")
        self.order = OrderedDict()
        self.last = deque(maxlen=3)
    def fit(self, rows, ys):
        for r, y in zip(rows, ys):
            for k, v in r.items(): self.counts[k][v, y] += 1
            self.order[y] = len(self.order); self.last.append(y)
        return self
    def predict(self, rows):
        return [(self.counts["c"].get((r.get("c"), 1), 0), self.tops[r.get("c")], list(self.order), list(self.last)) for r in rows]
model = Bayes().fit([{"c": "x"}, {"c": "y"}, {"c": None}], [1, 0, 1])
=== helper-module-alias | predict | number | value(x)
import myhelpers as mh
from myhelpers import scale as sc, RATE as R, Thing
import mypkg.inner.deep as deep
from mypkg import top, inner
from mypkg.inner import deep as d2
distractor = mh.RATE
def predict(x):
    return sc(x) + R + mh.scale(1), Thing(3).go(x), deep.deepest(x), top(x), inner.deep.K, d2 is deep
=== star-from-helper-all | predict | number | value(x)
from starred import *
def predict(x):
    return shown(x) + CONST
=== decorator-from-helper | predict | number | value(x)
from myhelpers import logged, retry
@logged
@retry(times=2, errors=(TypeError,))
def predict(x):
    return x + 1
=== class-from-helper-subclassed | model | number | value.predict(x)
from myhelpers import Base
import myhelpers
class Mine(Base):
    k = myhelpers.RATE * 2
    def step(self, x):
        return super().step(x) * self.k
model = Mine(4)
=== src-layout | predict | number | value(x)
import sys; sys.path.insert(0, "src")
from proj.features import build
from proj import config as cfg
def predict(x):
    return build(x) * cfg.FACTOR
=== namespace-folder | predict | number | value(x)
from nsfolder.part import f
def predict(x):
    return f(x)
=== helper-reads-constant-changed | predict | number | value(x)
import myhelpers
from myhelpers import Config
config = Config(rate=7)
def predict(x):
    return x * config.rate, config
=== relative-things | predict | row | value(x)
from dataclasses import dataclass, replace
from typing import Generic, TypeVar
T = TypeVar("T", bound="Node")
@dataclass
class Node(Generic[T]):
    v: float
    kids: "list[Node]" = None
    def walk(self):
        yield self.v
        for k in self.kids or ():
            yield from k.walk()
tree = Node(1.0, [Node(2.0), Node(3.0, [Node(4.0)])])
def predict(row):
    t = replace(tree, v=row.get("a"))
    return list(t.walk()), repr(t)
=== operators-dunders | model | number | (value + x, value == x, value[x], x in value, len(value), list(value), value(x), repr(value), bool(value), hash(value))
import functools
@functools.total_ordering
class Vec:
    __slots__ = ("xs",)
    def __init__(self, *xs): self.xs = xs
    def __add__(self, o): return Vec(*(v + o for v in self.xs))
    def __eq__(self, o): return isinstance(o, Vec) and self.xs == o.xs
    def __lt__(self, o): return self.xs < o.xs
    def __hash__(self): return 7
    def __getitem__(self, i): return self.xs[int(i) % len(self.xs)]
    def __contains__(self, v): return v in self.xs
    def __len__(self): return len(self.xs)
    def __iter__(self): return iter(self.xs)
    def __call__(self, x): return Vec(x)
    def __repr__(self): return f"Vec{self.xs}"
    def __bool__(self): return any(self.xs)
model = Vec(1, 2, 3)
=== descriptors | model | number | value.run(x)
class Positive:
    def __set_name__(self, owner, name):
        self.name = "_" + name
    def __get__(self, o, t=None):
        return self if o is None else getattr(o, self.name, None)
    def __set__(self, o, v):
        if v is None or v < 0: raise ValueError(self.name)
        setattr(o, self.name, v)
class Model:
    rate = Positive()
    def __init__(self, rate): self.rate = rate
    def run(self, x):
        self.rate = x
        return self.rate
    def __getattr__(self, name):
        if name.startswith("__"): raise AttributeError(name)
        return f"no {name}"
model = Model(2)
=== pickles-itself | model | number | value.run(x)
class Model:
    def __init__(self, k):
        self.k = k
        self.f = lambda x: x * k
    def __getstate__(self): return {"k": self.k}
    def __setstate__(self, s): self.__init__(s["k"])
    def run(self, x): return self.f(x) + SHIFT
SHIFT = 2
model = Model(4)
=== reduce-and-new | model | number | (value.run(x), value)
class Unit(float):
    def __new__(cls, v, unit):
        made = super().__new__(cls, v)
        made.unit = unit
        return made
    def __reduce__(self): return rebuild, (float(self), self.unit)
    def run(self, x): return x * float(self), self.unit
def rebuild(v, unit): return Unit(v, unit)
model = Unit(2.5, "kg")
=== exceptions-own | predict | number | value(x)
class AppError(Exception):
    code = 1
class Missing(AppError):
    def __init__(self, what):
        super().__init__(f"{what} missing")
        self.what = what
def predict(x):
    try:
        if x is None: raise Missing("x")
        if x < 0: raise AppError(x)
    except Missing as e:
        return str(e), e.code
    return x
=== exceptions-raised | predict | number | value(x)
class BadRow(ValueError): pass
def check(x):
    if x is None or x != x: raise BadRow(x)
    return x
def predict(x):
    return check(x)
=== long-lines-and-docs | predict | number | value(x)
LONG = {"alpha": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], "beta": "a rather long text that goes on and on so that the line is much longer than it should be, really", "gamma": (None, True, False)}
LONG["delta"] = list(range(40))
def predict(x, *, threshold_for_the_decision=0.5, another_quite_long_parameter_name="default text", third=(1, 2, 3)):
    """Doc.

        Indented more.
    """
    # comment at the top
    if x:  # trailing

        # comment after an empty line
        return LONG["delta"][:3], x
    return (
        LONG["gamma"],
        # inside
        threshold_for_the_decision,
    )
=== rerun-cells | predict | number | value(x)
K = 1
def helper(x): return x + K
---
K = 1
def helper(x): return x + K
---
def predict(x): return helper(x) * K
---
K = 1
def helper(x): return x + K
---
def predict(x): return helper(x) * K
=== deleted-names | predict | number | value(x)
RATE = 3
tmp = RATE * 2
def inner(x): return x * 2
def make(r, f): return lambda x: f(x) * r
predict = make(tmp, inner)
del tmp, RATE, make
=== class-body-control-flow | model | number | value.run(x)
DEBUG = False
class Model:
    if DEBUG:
        def run(self, x): return "debug"
    else:
        def run(self, x): return x, self.kinds
    kinds = []
    for _k in ("a", "b"):
        kinds.append(_k)
    try:
        limit = int("5")
    except ValueError:
        limit = 0
    with_default = {k: 1 for k in "ab"}
model = Model()
=== conditional-def | predict | number | value(x)
import sys
if sys.version_info > (3,):
    def helper(x):
        return x + 1
else:
    def helper(x):
        return None
try:
    from fastmath_not_there import scale
except ImportError:
    def scale(x):
        return x * 2
for f in (helper,):
    pass
def predict(x): return scale(helper(x))
=== nested-class-in-function | model | number | value.predict(x)
def build():
    class Local:
        def predict(self, x): return x + 1
    return Local
Model = build()
model = Model()
=== closure-over-class-and-model | predict | array | value(x)
import numpy as np
class Net:
    def __init__(self, w): self.w = w
    def __call__(self, X): return X @ self.w
def serve(net, post=lambda p: p.round(3), names=("p",)):
    def predict(X):
        return {n: post(net(X)) for n in names}
    return predict
predict = serve(Net(np.ones(2) / 3))
=== chained-partials-objects | predict | number | value(x)
from functools import partial
from operator import itemgetter, attrgetter, methodcaller
class Cfg:
    def __init__(self, **k): self.__dict__.update(k)
cfg = Cfg(rate=2, names=["a"], fn=len)
def base(cfg, fmt, x): return fmt(x * cfg.rate), cfg.fn(cfg.names)
predict = partial(partial(base, cfg), "{:.3g}".format)
get = itemgetter(1)
=== simple-namespace-and-proxy | predict | row | value(x)
from types import SimpleNamespace, MappingProxyType
import collections.abc
C = SimpleNamespace(rate=2, steps=[len, str], sub=SimpleNamespace(k=1))
P = MappingProxyType({"a": 1})
D = collections.OrderedDict(a=1)
def predict(row):
    return C.rate * row.get("a", 0), C.sub.k, [s("ab") for s in C.steps], dict(P), D, isinstance(row, collections.abc.Mapping)
=== dates-zones-decimals | predict | number | value(x)
from datetime import datetime, timezone, timedelta, date
from zoneinfo import ZoneInfo
from decimal import Decimal, getcontext, ROUND_HALF_UP
from fractions import Fraction
START = datetime(2024, 1, 1, tzinfo=timezone.utc)
ZONE = ZoneInfo("Europe/Berlin")
STEP = timedelta(hours=1)
TAX = Decimal("0.19")
F = Fraction(1, 3)
def predict(x):
    t = (START + STEP * int(x)).astimezone(ZONE)
    return t.isoformat(), (TAX * int(x)).quantize(Decimal("0.01"), ROUND_HALF_UP), F * int(x)
=== pandas-constants | predict | frame | value(x)
import pandas as pd, numpy as np
from pandas import Timestamp as TS, NA, NaT
CUT = pd.Timestamp("2024-03-01", tz="UTC")
DTYPE = pd.CategoricalDtype(["x", "y", "z"], ordered=True)
IV = pd.interval_range(0, 10, periods=5)
OFF = pd.offsets.MonthEnd(2)
IDX = pd.Index(["a", "b"], name="n")
MI = pd.MultiIndex.from_product([[1, 2], ["u", "v"]])
GROUP = pd.Grouper(key="c")
def predict(df):
    return df["c"].astype(DTYPE).cat.codes, (CUT + OFF).isoformat(), pd.cut(df["a"], IV).astype(str), list(IDX), MI.nlevels, NA is pd.NA, TS("2024").year
=== many-names-of-one-thing | predict | number | value(x)
import math as m
import math
from math import sin, sin as s2
a = b = [1, 2]
c = a
f = g = lambda x: x + len(a)
def predict(x):
    c.append(1) if len(c) < 4 else None
    return m.floor(2.5) + math.ceil(2.5), s2(0), f(x) == g(x), a is c, b is a
=== generator-class-iter | predict | small | value(x)
class Count:
    def __init__(self, n): self.n = n
    def __iter__(self):
        for i in range(self.n): yield i * STEP
STEP = 2
def gen(n):
    try:
        while n > 0:
            got = yield n
            n -= got or 1
    except GeneratorExit:
        return
def predict(x):
    g = gen(x)
    return list(Count(x)), [v for v, _ in zip(g, range(4))], sum(v for v in Count(x) if v % 4)
=== lambda-in-class-and-default | model | number | value.run(x)
class Model:
    fs = {"a": lambda v: v + 1, "b": (lambda v, k=3: v * k)}
    key = staticmethod(lambda v: -v)
    cm = classmethod(lambda cls, v: (cls.__name__, v))
    prop = property(lambda self: self._p)
    def __init__(self, post=lambda v: v): self.post, self._p = post, 9
    def run(self, x): return [f(x) for f in self.fs.values()], self.key(x), self.cm(x), self.prop, self.post(x)
model = Model(post=lambda v: (v, v))
'''
