"""Notebooks about what is made at run time: closures that share variables, classes by factories, calls and libraries.

The format is told in corpus_pages.
"""

# ruff: noqa: E501 - whole notebooks

PAGES = r'''
=== counter-and-its-view | predict | nothing | value()
def counter(start):
    n = start
    def tick(by=1):
        nonlocal n
        n += by
        return n
    def peek(): return n
    return tick, peek
tick, peek = counter(100)
distractor, _ = counter(5)
tick(); tick(5)
---
def predict():
    tick()
    return [tick(), peek()]
## has: tick, peek = _make_tick_and_peek(n=106)
=== account-of-three | predict | small | value(x)
def account(start):
    total = start
    def add(v):
        nonlocal total
        total += v
        return get()
    def get(): return total
    def reset():
        nonlocal total
        total = start
    return add, get, reset
add, get, reset = account(10)
add(5)
---
def predict(x):
    if x == 3:
        reset()
    return add(x or 0), get()
=== closures-that-call-each-other | even | small | value(int(x))
def make():
    def even(n): return True if n == 0 else odd(n - 1)
    def odd(n): return False if n == 0 else even(n - 1)
    return even
even = make()
=== closures-in-a-dict | predict | text | value(x)
def machine():
    state, seen = "idle", []
    def go(to):
        nonlocal state
        seen.append(state)
        state = to
        return state
    return {"go": go, "where": lambda: (state, len(seen))}
m = machine()
m["go"]("run")
---
def predict(x):
    return m["where"](), m["go"](x), m["where"]()
=== lambda-that-calls-itself | predict | small | value(x)
def build():
    fact = lambda n: 1 if n < 2 else n * fact(n - 1)
    return fact
fact = build()
hanoi = lambda n, a="x": [] if n == 0 else hanoi(n - 1) + [a]
---
def predict(x):
    return fact(int(x)), len(hanoi(int(x)))
=== decorator-that-counts | predict | number | value(x)
def counted(fn):
    n = 0
    def inner(v):
        nonlocal n
        n += 1
        return fn(v), n
    return inner
@counted
def double(v): return v * 2
double(1); double(2)
---
def predict(x):
    return double(x)
=== class-by-factory | Model | row | value(2).predict(x)
def make_model(col, weight=2, table=None):
    table = table or {"x": 1}
    class Model:
        column = col
        w: float = weight
        names = [col, "x"]
        lookup = dict(table)
        def __init__(self, k): self.k = k
        def predict(self, row): return (row.get(self.column) or 0) * self.k + self.w + len(self.lookup)
    return Model
Model = make_model("b")
distractor = make_model("c")
=== attribute-of-another-name | predict | number | value(x)
class Vec:
    """Adds from both sides."""
    def __init__(self, *v): self.v = v
    def __add__(self, o): return Vec(*(a + o for a in self.v))
    __radd__ = __add__
    def __repr__(self): return f"Vec{self.v}"
    __str__ = __repr__
    ZERO = None
    @property
    def n(self): return len(self.v)
    size = n
Vec.ZERO = Vec(0, 0)
---
def predict(x):
    return str(x + Vec(1, 2)), Vec.ZERO.size
## has: __radd__ = __add__
=== attrs-and-pydantic | predict | row | value(x)
import attr, attrs, pydantic
from pydantic import BaseModel, Field, field_validator, computed_field
class Rates(BaseModel):
    model_config = pydantic.ConfigDict(frozen=True)
    low: float = Field(0.1, ge=0)
    tags: list[str] = Field(default_factory=lambda: ["a"])
    @field_validator("low")
    @classmethod
    def cap(cls, v): return min(v, CAP)
    @computed_field
    @property
    def twice(self) -> float: return self.low * 2
CAP = 0.75
---
@attrs.define(slots=True)
class Box:
    w: float = attrs.field(converter=float, validator=attrs.validators.ge(0))
    items: list = attrs.Factory(list)
@attr.s(auto_attribs=True)
class Old:
    items: list = attr.ib(factory=list)
    n: int = attr.ib(init=False)
    @n.default
    def _n(self): return len(self.items)
@attrs.frozen(kw_only=True, order=True)
class Weights:
    a: float = 1.0
    b: float = attrs.field(default=2.0, converter=float)
    @b.validator
    def _check(self, attribute, value):
        if value < 0: raise ValueError("b")
rates, box, old, weights = Rates(low=3), Box("2", [1]), Old([1, 2]), attrs.evolve(Weights(), b="3")
distractor = Rates()
---
def predict(x):
    return rates.twice * box.w + old.n + weights.b * (x.get("a") or 0), len(Box(x.get("b") or 0).items)
=== classes-by-calls | predict | number | value(x)
import dataclasses, enum, types
from pydantic import create_model
class Base:
    def go(self, v): return v + self.K
Dyn = type("Dyn", (Base,), {"K": 5, "extra": lambda self: STEP})
New = types.new_class("New", (Base,), exec_body=lambda ns: ns.update(K=9))
Row = dataclasses.make_dataclass("Row", [("a", int), ("b", float, 2.0)])
Asked = create_model("Asked", a=(int, 3), b=(str, "x"))
Perm = enum.IntFlag("Perm", {"R": 4, "W": 2})
STEP = 3
---
def predict(x):
    return Dyn().go(x), Dyn().extra(), New().go(x), Row(1).b, Asked(a=4).model_dump(), (Perm.R | Perm.W).value
=== universal-function-and-layout | predict | numbers | value(x)
import contextvars, struct
import numpy as np
clamp = np.frompyfunc(lambda a, b: min(a, b) + CUT, 2, 1)
LAYOUT = struct.Struct("<id")
CUT = 10
DEPTH = contextvars.ContextVar("depth", default=2)
---
def predict(x):
    return clamp(np.asarray(x, dtype=float), 5).tolist(), LAYOUT.size, DEPTH.get()
=== method-given-to-an-object | m | row | (value.predict(x), value.fn(3))
import types
class M:
    def __init__(self): self.w = 2
    def predict(self, row): return row["a"] * self.w
    def helper(self): return 1
m = M()
def better(self, row): return (row.get("a") or 0) * self.w + self.helper() + 100
m.predict = types.MethodType(better, m)
m.fn = lambda v: v + m.w
## has: def better
=== own-module-name | predict | number | value(x)
import logging
log = logging.getLogger(__name__)
if __name__ == "__main__":
    K = 3
    distractor = 3
def predict(x):
    log.debug("asked")
    return x * K, bool(__name__)
=== resolved-at-type-checking | predict | text | value(x)
import checked_only as c
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import not_there_either
def predict(x: "not_there_either.Text"):
    return c.clean(x)
=== descriptors-and-slots | predict | number | value(x)
class Typed:
    def __init__(self, kind, default=None): self.kind, self.default = kind, default
    def __set_name__(self, owner, name):
        self.name = "_" + name
        owner.fields = getattr(owner, "fields", ()) + (name,)
    def __get__(self, obj, owner=None): return self if obj is None else obj.__dict__.get(self.name, self.default)
    def __set__(self, obj, v): obj.__dict__[self.name] = self.kind(v)
class Row:
    age = Typed(float, 0.0)
    plan = Typed(str)
    __slots__ = ("__dict__",)
    def __init__(self, **k):
        for n, v in k.items(): setattr(self, n, v)
base = Row(age="3", plan=1)
def predict(x):
    return Row(age=x).age, base.plan, Row.fields
=== state-of-iterators | predict | nothing | value()
import itertools
ids = itertools.count(100, 5)
next(ids)
turns = itertools.cycle("ab"); next(turns)
rest = iter([1, 2, 3]); next(rest)
def predict():
    return next(ids), next(turns), list(rest)
=== instances-that-leave-locks-behind | m | row | value.predict(x)
import threading
class Locked:
    def __init__(self): self.lock = threading.Lock(); self.w = 3
    def __getstate__(self): return {k: v for k, v in self.__dict__.items() if k != "lock"}
    def __setstate__(self, d): self.__dict__.update(d); self.lock = threading.Lock()
    def predict(self, row):
        with self.lock: return row["a"] * self.w
m = Locked()
=== generic-self-and-required | predict | text | value(x)
from typing import TypedDict, NamedTuple, Generic, TypeVar, Required, NotRequired, Self, Unpack
K = TypeVar("K"); V = TypeVar("V")
class Opt(TypedDict):
    a: Required[int]; b: NotRequired["str"]
class Pair(NamedTuple, Generic[K]):
    x: K; y: int = 0
class Box(Generic[K, V]):
    def __class_getitem__(cls, item): return super().__class_getitem__(item)
    def __init__(self, d: dict[K, V]): self.d = d
    def get(self: Self, k: K, **kw: Unpack[Opt]) -> V | None: return self.d.get(k)
B: "Box[str, int]" = Box[str, int]({"pro": 2})
P = Pair[int](1)
def predict(x): return B.get(x, a=1), P.x, P.y
=== enumeration-of-functions | predict | number | value(x)
import enum
class Shape(enum.Enum):
    CIRCLE = (1, lambda v: v * PI)
    SQUARE = (2, lambda v: v * v)
    def __init__(self, k, fn): self.k, self.fn = k, fn
    def area(self, v): return self.fn(v) + self.k
PI = 3
SUFFIX = "!"
class Word(enum.StrEnum):
    @staticmethod
    def _generate_next_value_(name, start, count, last): return name.lower() + SUFFIX
    A = enum.auto(); B = enum.auto()
CURRENT = Shape.SQUARE
def predict(x): return CURRENT.area(x), Shape.CIRCLE.area(x), Word.B.value
=== models-by-category | predict | frame | value(x)
import numpy as np, pandas as pd
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression
train = pd.DataFrame({"a": np.arange(12.0), "b": np.linspace(3, -3, 12), "c": list("xyz") * 4})
y = train.a * 2 - train.b
models = {c: LinearRegression().fit(train.loc[train.c == c, ["a", "b"]], y[train.c == c]) for c in train.c.unique()}
fallback = DummyRegressor().fit(train[["a"]], y)
distractor = LinearRegression()
---
def route(c):
    return models.get(c, fallback) if isinstance(c, str) else fallback
def predict(df):
    X = df[["a", "b"]].replace([np.inf, -np.inf], np.nan).fillna(0)
    out = pd.Series(index=df.index, dtype=float, name="score")
    for i, c in zip(df.index, df.c):
        out[i] = float(route(c).predict(X.loc[[i]])[0])
    return out
=== frequencies-under-set-output | model | frame | value.predict(x)
import numpy as np, pandas as pd
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import RandomForestRegressor
from sklearn.impute import KNNImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, PowerTransformer
train = pd.DataFrame({"a": np.arange(12.0), "b": np.linspace(3, -3, 12), "c": list("xyz") * 4})
class Freq(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Frequencies of categories; unseen ones are rare."""
    def __init__(self, rare=0.0, combine=max): self.rare, self.combine = rare, combine
    def fit(self, X, y=None):
        self.maps_ = {c: X[c].value_counts(normalize=True).to_dict() for c in X}
        self.feature_names_in_ = np.asarray(X.columns, dtype=object); self.n_features_in_ = X.shape[1]
        return self
    def transform(self, X):
        out = pd.DataFrame({c: X[c].map(self.maps_[c]).astype(float).fillna(self.rare) for c in self.maps_})
        return out.assign(**{out.columns[0]: [self.combine(v, FLOOR) for v in out.iloc[:, 0]]})
FLOOR = 0.05
---
pre = ColumnTransformer([("n", Pipeline([("i", KNNImputer(n_neighbors=2)), ("p", PowerTransformer())]), ["a", "b"]), ("f", Freq(), ["c"])], verbose_feature_names_out=False).set_output(transform="pandas")
model = Pipeline([("pre", pre), ("add", FunctionTransformer(lambda X: X.assign(z=X["a"] * X["c"]))), ("m", TransformedTargetRegressor(RandomForestRegressor(3, random_state=1), transformer=PowerTransformer()))]).fit(train, train.a + 1.5)
'''
