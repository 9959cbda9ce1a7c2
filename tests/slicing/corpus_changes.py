"""Notebooks in which things are changed, registered and attached after they were made. The format is told in corpus_pages."""


PAGES = r'''
=== class-registry-decorator | predict | text | value(x)
MODELS = {}
def register(name=None):
    def deco(cls):
        MODELS[name or cls.__name__] = cls
        return cls
    return deco
@register("up")
class Upper:
    def run(self, x): return x.upper()
@register()
class Lower:
    def run(self, x): return x.lower()
---
def predict(x):
    return {k: c().run(x) for k, c in MODELS.items()}
=== plain-class-registry | predict | text | value(x)
REG = []
def register(cls):
    REG.append(cls)
    return cls
@register
class A:
    def run(self, x): return x + "A"
@register
class B(A):
    def run(self, x): return super().run(x) + "B"
def predict(x):
    return [c().run(x) for c in REG]
=== step-registry-wrapped | predict | number | value(x)
import functools
STEPS = []
def step(order):
    def deco(f):
        @functools.wraps(f)
        def inner(x):
            return f(x)
        STEPS.append((order, inner))
        return inner
    return deco
@step(2)
def double(x): return x * 2
@step(1)
def inc(x): return x + 1
def predict(x):
    for _, f in sorted(STEPS, key=lambda s: s[0]): x = f(x)
    return x
=== names-list-at-subclass | model | number | (value.f(x), value.names())
NAMES = ["root"]
class Base:
    def __init_subclass__(cls):
        NAMES.append(cls.__name__)
    def names(self): return list(NAMES)
class A(Base):
    def f(self, x): return x
class B(Base):
    pass
model = A()
=== class-in-function-with-closure | model | number | value.predict(x)
def build(k, bias=0.5):
    table = {"k": k}
    class Local:
        scale = 3
        def predict(self, x): return x * k + bias * self.scale + table["k"]
    return Local
Model = build(4)
model = Model()
=== older-base | model | number | (value.f(), value.g(x))
class Base:
    k = 1
    def f(self): return "old"
class Model(Base):
    def g(self, x): return super().f(), x * self.k
model = Model()
---
class Base:
    def f(self): return "new"
=== older-decorator-closure | predict | number | value(x)
import functools
def plus(n):
    def deco(f):
        @functools.wraps(f)
        def inner(x):
            return f(x) + n
        return inner
    return deco
@plus(1)
def predict(x):
    "doc"
    return x * 2
---
def plus(n):
    return lambda f: f
=== method-default-older | model | number | value.run(x)
K = 2
NAMES = ["a"]
class Model:
    def run(self, x, k=K, *, names=NAMES, f=lambda v: v + 1): return x * k, names, f(k)
    @staticmethod
    def st(x, k=K): return k
    @classmethod
    def cm(cls, x, k=K): return k
model = Model()
K = 99
=== dataclass-older-default | model | number | (value.run(x), repr(value))
from dataclasses import dataclass, field
LIMIT = 3
@dataclass
class Model:
    limit: int = LIMIT
    hidden: int = field(default=LIMIT, repr=False)
    items: list = field(default_factory=lambda: [LIMIT])
    def run(self, x): return Model().limit, Model().hidden, Model().items, x
LIMIT = 10
model = Model()
=== slots-dataclass-older-default | Model | number | (value(), value(x).limit)
from dataclasses import dataclass
LIMIT = 3
@dataclass(slots=True)
class Model:
    limit: int = LIMIT
LIMIT = 10
=== fastai-patch | model | number | (value.double(x), value.half, Box.name if False else value.tag())
def patch(cls):
    def deco(f):
        setattr(cls, f.__name__, f)
        return f
    return deco
class Box:
    def base(self): return 2
@patch(Box)
def double(self, x): return x * self.base()
Box.half = property(lambda self: self.base() / 2)
@classmethod
def tag(cls): return cls.__name__, SUFFIX
Box.tag = tag
SUFFIX = "!"
for name in ("p", "q"):
    setattr(Box, name, lambda self, n=name: n)
model = Box()
=== loop-attached | model | number | (value.p(), value.q(), x)
class Box:
    pass
def p(self): return "p", "vars"
def q(self): return "q"
for f in (p, q):
    setattr(Box, f.__name__, f)
model = Box()
=== accessor | predict | frame | value(x)
import pandas as pd
@pd.api.extensions.register_dataframe_accessor("mine")
class Mine:
    def __init__(self, df): self._df = df
    def total(self): return self._df[["a", "b"]].sum(axis=1) * K
K = 2
def predict(df):
    return df.mine.total()
=== pipe-and-eval | predict | frame | value(x)
import pandas as pd
def add(df, k): return df.assign(a=df.a + k)
def drop(df): return df.dropna()
LIMIT = 1.0
NAMES = {"b": "bb"}
def predict(df):
    return (df
            .pipe(add, 2)
            .pipe(drop)
            .query("a > @LIMIT")
            .rename(columns=NAMES)
            .assign(z=lambda d: d["a"] / d["bb"])
            .groupby("c", observed=True)["z"].agg(["mean", lambda s: s.max()]))
=== query-with-global | predict | frame | value(x)
import pandas as pd
LOW = 0.5
def inside(v): return v > LOW
def predict(df):
    return df.query("a > @LOW and b < 3")[["a", "b"]], df.eval("a + b * @LOW")
=== np-vectorize-and-poly | predict | array | value(x)
import numpy as np
from numpy.polynomial import Polynomial
@np.vectorize
def clip(v): return min(max(v, LOW), 3.0)
LOW = -1.0
P = np.poly1d([1, 2, 3])
Q = Polynomial([1, 0, 2])
add = np.frompyfunc(lambda a, b: a + b, 2, 1)
def predict(X):
    return clip(X), P(X), Q(X)
=== scipy-and-interp | predict | array | value(x)
import numpy as np
from scipy import stats, sparse
from scipy.interpolate import interp1d
from scipy.special import expit as sigmoid
f = interp1d([0, 1, 2], [0, 2, 1], bounds_error=False, fill_value="extrapolate")
S = sparse.csr_matrix(np.eye(2))
N = stats.norm(0, 2)
def predict(X):
    return f(X), sigmoid(X), (S @ X.T).T, N.cdf(X)
=== string-templates-enum-alias | predict | row | value(x)
from string import Template
import enum, operator, itertools as it, statistics as st, textwrap, bisect, heapq, random, hashlib
T = Template("$a-$c")
Kind = enum.Enum("Kind", "X Y Z")
CUTS = [0, 10, 20]
rng = random.Random(3)
NOISE = [rng.random() for _ in range(3)]
def bucket(v): return bisect.bisect(CUTS, v)
def h(s): return hashlib.md5(str(s).encode()).hexdigest()[:6]
def predict(row):
    return T.safe_substitute(row), Kind.Y.name, bucket(row["a"]), h(row.get("d")), NOISE, list(it.accumulate([1, 2, 3]))
=== tuple-swaps-and-annotations | predict | number | value(x)
A: int = 1
B: "list[int]"
B = [A]
(X, *Y), Z = (1, 2, 3), 4
A, Z = Z, A
count = 0
for i, (p, q) in enumerate([(1, 2), (3, 4)]):
    count += p * q
else:
    FINAL = i
B += [count]
B[0], C = 7, "c"
if (N := len(B)) > 1:
    M = N
D = E = F = {"k": N}
D["z"] = 1
del E
def predict(x): return A, B, X, Y, Z, count, FINAL, N, M, D is F, F, C, x
=== try-except-names | predict | number | value(x)
try:
    1 / 0
except ZeroDivisionError as err:
    MSG = str(err)
    TB = type(err)
with open("/dev/null") as f, open("/dev/null"):
    SIZE = len(f.read())
import contextlib, io
with contextlib.redirect_stdout(io.StringIO()) as buf:
    print("hidden")
TEXT = buf.getvalue()
def predict(x): return MSG, TB, SIZE, TEXT, x
=== inner-imports-and-late | predict | number | value(x)
def predict(x):
    import math
    from collections import Counter as C
    import myhelpers
    def inner(y):
        from mypkg.inner import deep
        return deep.K + y
    try:
        import notthere
    except ImportError:
        notthere = None
    return math.floor(x), C("aa")["a"], inner(1), myhelpers.scale(x), notthere
=== helper-singleton-and-super | predict | number | value(x)
import myhelpers
from myhelpers import Base, Thing as T
class A(Base):
    def step(self, x): return T(2).go(super().step(x))
class B(A):
    def __init__(self):
        super().__init__(n=3)
objs = {c.__name__: c for c in (B,)}
thing = T(5)
def predict(x): return objs["B"]().predict(x), thing.go(x), isinstance(thing, myhelpers.Thing)
=== nested-funcs-recursion | predict | small | value(x)
from functools import lru_cache
MEMO = {}
def predict(n):
    def fact(k): return 1 if k <= 1 else k * fact(k - 1)
    @lru_cache
    def fib(k): return k if k < 2 else fib(k - 1) + fib(k - 2)
    def outer(depth):
        def down(d): return [d] if d == 0 else [d, *down(d - 1)]
        return down(depth)
    key = n
    if key not in MEMO: MEMO[key] = fact(n) + fib(n)
    return MEMO[key], outer(3), len(MEMO)
=== string-annotations-self | model | number | value.add(x).add(1).total()
class Acc:
    def __init__(self, xs: "list[float] | None" = None): self.xs = list(xs or ())
    def add(self, x: "float") -> "Acc": return Acc([*self.xs, x])
    def total(self: "Acc") -> "Total": return Total(sum(self.xs))
class Total(float):
    def __repr__(self): return f"T{float(self)}"
model = Acc()
=== future-annotations-dataclass | predict | row | value(x)
from __future__ import annotations
from dataclasses import dataclass, fields
from typing import ClassVar, TYPE_CHECKING
if TYPE_CHECKING:
    from decimal import Decimal
@dataclass
class Row:
    a: float | None
    rest: dict[str, Decimal]
    N: ClassVar[int] = 2
def predict(row: dict[str, Any]) -> Row:
    r = Row(row.pop("a", None), row)
    return r, [f.name for f in fields(Row)], Row.N
=== weird-formatting | predict | number | value(x)
X = [
  1,   2,
     3,
]; Y = {'a':1,
 'b':2}
def f(a,
      b = 2,
      *c
      ): return (a,
   b)
if   X :
  def g( x ) :
     "doc"
     return f( x ,b=Y['b'] )
class   K ( object ) : v=1; w = v+1
predict = lambda x : (
    g(x),
    K.w,
    X
)
=== tabs-and-crlf | predict | number | value(x)
def helper(x):
	if x:
		return x + 1
	return 0
def predict(x):
	return helper(x)
=== comment-kept | predict | number | value(x)
## has: # the rate of the year
## has: # by hand
RATE = 0.2  # the rate of the year
# above the function
def predict(x):
    # by hand
    return x * RATE  # end
=== cell-magics-ignored | predict | number | value(x)
%%writefile notes.txt
distractor
---
%%bash
echo distractor
---
%%html
<b>x</b>
---
%load_ext autoreload
%autoreload 0
%precision 4
---
%pinfo x
---
%%capture out
%time K = 4
def helper(x): return x + K
print("hi")
---
!echo $K > k.txt
import os; os.getcwd()
names = %who_ls
def predict(x): return helper(x)
=== failing-cells | predict | number | value(x)
# MUSTFAIL
A = 1
B = undefined_name
C = 2
---
# MUSTFAIL
def broken(:
    pass
---
# MUSTFAIL
%%time
A = 5
raise KeyError("x")
A = 6
---
# MUSTFAIL
def helper(x):
    return x + A
helper("a")
def helper(x):
    return "never"
---
def predict(x): return helper(x)
=== functools-more | predict | numbers | value(x)
from functools import cmp_to_key, partial, wraps, total_ordering, update_wrapper
from operator import attrgetter, itemgetter
def cmp(a, b): return (a > b) - (a < b)
key = cmp_to_key(cmp)
first = itemgetter(0)
def logit(f):
    def inner(*a): return f(*a)
    return update_wrapper(inner, f)
@logit
def top(xs): return sorted(xs, key=key)[:2]
pp = partial(sorted, reverse=True)
compose = lambda *fs: (lambda x: __import__("functools").reduce(lambda v, f: f(v), fs, x))
pipe = compose(top, pp, first)
def predict(xs): return pipe(xs), top(xs)
=== abc-register-virtual | predict | number | value(x)
from abc import ABC, ABCMeta
import numbers
class Likes(ABC):
    @classmethod
    def __subclasshook__(cls, C): return hasattr(C, "like") or NotImplemented
class Manual(metaclass=ABCMeta): pass
class Other: pass
class Yes:
    def like(self): return 1
Manual.register(Other)
def predict(x): return isinstance(Yes(), Likes), isinstance(x, Likes), isinstance(Other(), Manual), isinstance(x, numbers.Real)
=== class-constants-refer-to-cell | model | frame | value.transform(x)
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
COLS = ["a", "b"]
class Select(BaseEstimator, TransformerMixin):
    DEFAULT = tuple(COLS)
    n = len(COLS)
    def __init__(self, cols=DEFAULT): self.cols = cols
    def fit(self, X, y=None): return self
    def transform(self, X): return X[list(self.cols)] * self.n
model = Select().fit(None)
=== kwargs-model-subclass | model | frame | value.predict(x[["a", "b"]].fillna(0).clip(-9, 9))
import numpy as np, pandas as pd
from sklearn.linear_model import LogisticRegression
train = pd.DataFrame({"a": np.arange(12.0), "b": np.linspace(3, -3, 12)}); y = (train.a > 5).astype(int)
class Thresholded(LogisticRegression):
    def __init__(self, threshold=0.5, *, C=1.0):
        super().__init__(C=C)
        self.threshold = threshold
    def predict(self, X):
        return (self.predict_proba(X)[:, 1] > self.threshold).astype(int)
model = Thresholded(0.3).fit(train, y)
=== set-output-and-names | model | frame | value.transform(x)
import pandas as pd, numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import Pipeline
class Ratio(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.cols_ = list(X.columns); return self
    def transform(self, X):
        return X[["a"]].div(X["b"].replace(0, np.nan), axis=0)
    def get_feature_names_out(self, input_features=None): return np.array(["ratio"])
    def __sklearn_tags__(self): return super().__sklearn_tags__()
    def _more_tags(self): return {"x": 1}
model = Pipeline([("r", Ratio())]).set_output(transform="pandas").fit(pd.DataFrame({"a": [1.0], "b": [2.0]}))
'''
