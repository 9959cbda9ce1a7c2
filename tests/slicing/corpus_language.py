"""Notebooks about the language, as a hostile but honest author would write them. The format is told in corpus_pages."""

# ruff: noqa: E501 - whole notebooks

PAGES = r'''
=== time-and-shell-lines | predict | number | value(x)
%%time
import math
BASE = 2.0
!echo shell
---
%config InlineBackend.figure_format = 'retina'
files = !ls
distractor = files
---
%time LIMIT = 7
def helper(x):
    return min(x, LIMIT) ** BASE
---
!pip --version
def predict(x):
    return helper(x) + math.pi
=== half-failed-then-fixed | predict | row | value(x)
WEIGHTS = {"a": 1.0, "b": 2.0}
def score(row):
    return sum(WEIGHTS[k] * row[k] for k in WEIGHTS)
raise RuntimeError("MUSTFAIL")
---
WEIGHTS["b"] = 3.0
def predict(row):
    found = score(row)
    return round(found, 3)
=== frozen-slots-dataclass | predict | row | value(x)
from dataclasses import dataclass, field, asdict, KW_ONLY
from typing import ClassVar
DEFAULT_B = 1.5
@dataclass(frozen=True, slots=True, order=True)
class Row:
    a: float
    b: float = DEFAULT_B
    _: KW_ONLY
    tags: tuple[str, ...] = ()
    seen: list = field(default_factory=list, compare=False, repr=False)
    LIMIT: ClassVar[int] = 3
    def __post_init__(self):
        if self.a is None:
            raise ValueError("a")
    @property
    def total(self) -> float:
        return self.a + self.b
    @classmethod
    def of(cls, row):
        return cls(row["a"], row.get("b", DEFAULT_B), tags=(row.get("c") or "",))
---
def predict(row):
    made = Row.of(row)
    return made.total, asdict(made), made > Row(0.0), Row.LIMIT
=== dataclass-inherits | model | number | value.run(x)
from dataclasses import dataclass, field
@dataclass
class Base:
    k: int = 1
    items: dict = field(default_factory=lambda: {"x": OFFSET})
OFFSET = 4
---
@dataclass
class Child(Base):
    name: str = "child"
    def run(self, x):
        return x * self.k + self.items["x"], self.name
---
model = Child(k=3)
=== metaclass-registry | predict | text | value(x)
class Meta(type):
    def __new__(mcls, name, bases, ns, *, tag="none"):
        cls = super().__new__(mcls, name, bases, ns)
        cls.tag = tag
        return cls
    def __init__(cls, name, bases, ns, **kw):
        super().__init__(name, bases, ns)
    def __call__(cls, *a, **k):
        made = super().__call__(*a, **k)
        made.born = cls.tag
        return made
class Base(metaclass=Meta, tag="base"):
    pass
class Upper(Base, tag="upper"):
    def run(self, x):
        return x.upper() + self.born + type(self).tag
---
def predict(x):
    return Upper().run(x), isinstance(Upper, Meta)
=== init-subclass-registry | predict | text | value(x)
class Plugin:
    registry = {}
    def __init_subclass__(cls, key=None, **kw):
        super().__init_subclass__(**kw)
        if key:
            Plugin.registry[key] = cls
class Upper(Plugin, key="u"):
    def run(self, x):
        return x.upper()
class Lower(Plugin, key="l"):
    def run(self, x):
        return x.lower()
---
def predict(x):
    return {k: c().run(x) for k, c in Plugin.registry.items()}
=== init-subclass-attribute | predict | number | value(x)
class Base:
    def __init_subclass__(cls, rate=1, **kw):
        super().__init_subclass__(**kw)
        cls.rate = rate
        cls.label = cls.__name__.lower()
class Twice(Base, rate=2):
    def f(self, x):
        return x * self.rate, self.label
def predict(x):
    return Twice().f(x)
=== enums | predict | text | value(x)
from enum import Enum, IntEnum, Flag, auto, unique
@unique
class Plan(str, Enum):
    BASIC = "basic"
    PRO = "pro"
    @property
    def price(self):
        return PRICES[self]
    @classmethod
    def _missing_(cls, value):
        return cls.BASIC
class Level(IntEnum):
    LOW = auto()
    HIGH = auto()
class Perm(Flag):
    R = 1
    W = 2
PRICES = {Plan.BASIC: 1.0, Plan.PRO: 9.0}
DEFAULT = Perm.R | Perm.W
---
def predict(x):
    p = Plan(x)
    return p.price, p.value, Level.HIGH + 1, Perm.R in DEFAULT, p == "pro"
=== namedtuple-typeddict-protocol | predict | row | value(x)
from typing import NamedTuple, TypedDict, Protocol, runtime_checkable, Callable
from abc import ABC, abstractmethod
class Out(NamedTuple):
    value: float
    why: str = "none"
    def text(self) -> str:
        return f"{self.value:.2f} {self.why}"
class In(TypedDict, total=False):
    a: float
    c: str
@runtime_checkable
class Scorer(Protocol):
    def score(self, row: In) -> float: ...
class Base(ABC):
    @abstractmethod
    def score(self, row): ...
    @property
    @abstractmethod
    def name(self): ...
class Mine(Base):
    name = "mine"
    def score(self, row: In) -> float:
        return (row.get("a") or 0.0) * FACTOR
FACTOR = 2.5
scorers: list[Scorer] = [Mine()]
def predict(row: In) -> Out:
    s = scorers[0]
    return Out(s.score(row), s.name).text(), isinstance(s, Scorer)
=== singledispatch | predict | number | value(x)
from functools import singledispatch
OFFSET = 10
@singledispatch
def describe(x):
    return "other"
@describe.register
def _(x: int):
    return x + OFFSET
@describe.register(float)
def _(x):
    return round(x, 2)
---
@describe.register(type(None))
def on_none(x):
    return helper()
def helper():
    return "null"
---
def predict(x):
    return describe(x)
=== singledispatchmethod | predict | number | value(x)
from functools import singledispatchmethod
class Fmt:
    @singledispatchmethod
    def show(self, x):
        return "?"
    @show.register
    def _(self, x: int):
        return f"i{x}"
    @show.register
    def _(self, x: float):
        return f"f{x:.1f}"
def predict(x):
    return Fmt().show(x)
=== partials-and-caches | predict | number | value(x)
from functools import partial, lru_cache, cache, reduce, cached_property, partialmethod
import operator
@lru_cache(maxsize=None)
def square(x):
    return x * x
@cache
def cube(x):
    return square(x) * x
add = partial(operator.add, 5)
fmt = partial("{:>{w}}".format, w=8)
class Box:
    def _get(self, name, k):
        return (name, k)
    one = partialmethod(_get, "one")
    def __init__(self, k):
        self.k = k
    @cached_property
    def twice(self):
        return square(self.k) + cube(self.k)
def predict(x):
    return add(x), fmt(str(x)), Box(x).twice, Box(x).one(3), reduce(operator.mul, [x, 2])
=== contextmanagers-generators | predict | numbers | value(x)
from contextlib import contextmanager, suppress, ExitStack
TRACE = True
@contextmanager
def rounding(n):
    state = {"n": n}
    try:
        yield state
    finally:
        state.clear()
def windows(xs, k=2):
    for i in range(len(xs) - k + 1):
        got = yield xs[i:i + k]
class Guard:
    def __enter__(self): return self
    def __exit__(self, *a): return a[0] is TypeError
def predict(xs):
    out = []
    with rounding(2) as s, Guard():
        for w in windows(xs):
            out.append(round(sum(w), s["n"]))
    with suppress(TypeError, ValueError, OverflowError):
        out.append(max(xs))
    return out
=== walrus-and-match | predict | row | value(x)
import re
NUM = re.compile(r"(?P<n>-?\d+(?:\.\d+)?)", re.VERBOSE | re.I)
class Point:
    __match_args__ = ("x", "y")
    def __init__(self, x, y):
        self.x, self.y = x, y
KIND = "x"
def predict(row):
    if (m := NUM.search(str(row.get("d")))) and (n := float(m["n"])) > 0:
        return n
    match row:
        case {"c": "x" | "y" as c, "a": float(a), **rest}:
            return c, a, sorted(rest)
        case {"c": None}:
            return "null"
        case {"a": int() | float() as a} if a > 5:
            return "big", a
        case _:
            match Point(row.get("a"), row.get("b")):
                case Point(None, y):
                    return "no x", y
                case Point(x, y):
                    return x, y
=== counter-closure-nonlocal | predict | number | value(x)
def counter(start):
    count = start
    def step(by=1):
        nonlocal count
        count += by
        return count
    return step
tick = counter(10)
tick()
def predict(x):
    return tick(), x
=== decorator-with-arguments | predict | number | value(x)
import functools
def clamp(low=0, *, high):
    def deco(f):
        @functools.wraps(f)
        def inner(x, *a, **k):
            return max(low, min(high, f(x, *a, **k)))
        return inner
    return deco
TOP = 50
class Repeat:
    def __init__(self, n):
        self.n = n
    def __call__(self, f):
        @functools.wraps(f)
        def inner(x):
            return [f(x)] * self.n
        return inner
@Repeat(2)
@clamp(-1, high=TOP)
def predict(x):
    "doc"
    return x * 3
=== class-decorator | model | number | value.predict(x)
def with_name(prefix):
    def deco(cls):
        cls.name = prefix + cls.__name__
        old = cls.predict
        def predict(self, x):
            return self.name, old(self, x)
        cls.predict = predict
        return cls
    return deco
@with_name("my-")
class Model:
    k = 2
    def predict(self, x):
        return x * self.k
model = Model()
=== class-as-decorator | predict | number | value(x)
class Counted:
    def __init__(self, f):
        self.f = f
        self.calls = 0
    def __call__(self, x):
        self.calls += 1
        return self.f(x), self.calls
@Counted
def predict(x):
    return x + 1
=== mutable-defaults | predict | number | value(x)
def predict(x, seen=[], names={"a": 1}):
    seen.append(str(x))
    return len(seen), names
=== global-writes | predict | number | value(x)
total = 0
history = []
def predict(x):
    global total, last
    total += 1
    last = x
    history.append(total)
    return total, history[-3:]
=== comprehension-scopes | predict | numbers | value(x)
n = 3
xs = [1, 2]
table = {i: [j for j in range(i) if j % 2] for i in range(5)}
fs = {name: (lambda v, k=k: v * k) for k, name in enumerate("abc")}
late = [lambda v: v + i for i in range(3)]
adders = []
for step in (1, 2, 3):
    adders.append(lambda v: v + step)
def predict(values):
    out = [[n * v for v in values] for n in xs]
    return out, table, [f(2) for f in fs.values()], [f(1) for f in late], [a(0) for a in adders], {v: n for v in values if isinstance(v, int)}
=== star-args | predict | numbers | value(x)
def collect(first=None, *rest, sep="-", **named):
    return sep.join(map(str, rest)), first, sorted(named.items())
OPTIONS = dict(sep="+", extra=1)
ARGS = (*range(2), "z")
def predict(xs):
    head, *tail = [*xs, None]
    return collect(*tail, *ARGS, **OPTIONS), head, {**OPTIONS, "n": len(tail)}
=== mutual-recursion-across-cells | even | small | value(x)
def even(n):
    return n == 0 or odd(n - 1) if n and n > 0 else n == 0
---
def odd(n):
    return even(n - 1) if n > 0 else False
=== conditional-imports | predict | text | value(x)
try:
    import orjson_not_there as json
except ImportError:
    import json
try:
    import tomllib
    HAS_TOML = True
except ImportError:
    tomllib = None
    HAS_TOML = False
import sys
if sys.version_info >= (3, 11):
    from datetime import UTC
    from typing import Self
else:
    UTC = None
def predict(x):
    return json.dumps(x), HAS_TOML, tomllib is not None, str(UTC)
=== toplevel-control-flow | predict | number | value(x)
for name, rate in [("a", 1), ("b", 2)]:
    if name == "b":
        CHOSEN = rate
    else:
        FIRST = name
with open("note.txt", "w") as fh:
    fh.write("hello")
try:
    PARSED = int("12")
except ValueError as e:
    PARSED = 0
else:
    STATE = "ok"
finally:
    DONE = True
while True:
    LOOPED = 1
    break
(A, B), *REST = (1, 2), 3, 4
C = D = [A]
D.append(9)
A += 10
del B
def predict(x):
    return CHOSEN, FIRST, PARSED, STATE, DONE, LOOPED, A, REST, C, D, C is D, x
=== fstrings-and-regex | predict | text | value(x)
import re
WIDTH, FILL = 12, "*"
WORD = r"[\w']+"
SPLIT = re.compile(rf"({WORD})|(\s+)", re.U)
TEMPLATE = "{name!r:>{w}}"
def predict(x):
    return f"{x!r:{FILL}^{WIDTH}} {len(SPLIT.findall(x)):03d} {TEMPLATE.format(name=x, w=WIDTH)} {{literal}} {re.sub(WORD, lambda m: m[0].title(), x)}"
=== numpy-constants | predict | array | value(x)
import numpy as np
W = np.array([[0.5, -1.0], [2.0, 0.25]])
B = np.float64(0.1)
EPS = np.finfo(float).eps
MASK = np.array([True, False])
NAMES = np.array(["a", "bb"])
DT = np.datetime64("2024-01-02")
dtype = np.dtype("float32")
RNG = np.random.default_rng(3).normal(size=4)
def softmax(z):
    z = z - z.max(axis=1, keepdims=True)
    e = np.exp(z)
    return e / (e.sum(axis=1, keepdims=True) + EPS)
def predict(X):
    return softmax(X @ W + B), X[:, MASK], NAMES, str(DT), X.astype(dtype), RNG
=== frame-lookups | predict | frame | value(x)
import pandas as pd
import numpy as np
train = pd.DataFrame({"a": [1.0, 2, 3, 4], "c": list("xyzx"), "y": [0, 1, 1, 0]})
distractor = train.copy()
---
means = train.groupby("c")["y"].mean()
codes = {c: i for i, c in enumerate(train["c"].unique())}
bins = pd.cut(train["a"], 2, retbins=True)[1]
prices = pd.DataFrame({"c": list("xyz"), "price": [1.0, 2.0, 3.0]}).set_index("c")
medians = train[["a"]].median()
---
def predict(df):
    out = df.assign(te=df["c"].map(means).fillna(means.mean()), code=df["c"].map(codes))
    out["bin"] = pd.cut(df["a"], bins, labels=False, include_lowest=True)
    out = out.join(prices, on="c")
    out["a"] = out["a"].fillna(medians["a"])
    return out.select_dtypes("number")
=== dict-of-functions | predict | number | value(x)
import math
def safe_log(v):
    return math.log(v) if v > 0 else 0.0
OPS = {"log": safe_log, "sq": lambda v: v ** 2, "neg": (lambda v: -v), "abs": abs, "sqrt": math.sqrt, "str": str.upper}
PIPE = [OPS["log"], OPS["sq"]]
ORDER = ("log", "sq", "neg")
def predict(x):
    return [OPS[k](x) for k in ORDER], [f(x) for f in PIPE], OPS["str"]("a")
=== class-computed-constants | model | number | value.run(x)
import math
RATE = 3
class Model:
    base = RATE * 2
    table = {i: i * i for i in range(4)}
    names = tuple(n.upper() for n in ("a", "b"))
    total = sum(table.values())
    log = math.log(10)
    default = lambda self, x: x + self.base
    __doc__ = "computed"
    def run(self, x):
        return self.default(x), self.table, self.names, self.total, self.log
model = Model()
=== attached-later | model | number | value.predict(x)
class Model:
    def __init__(self, k):
        self.k = k
---
def predict(self, x):
    return self.helper(x) * self.k
Model.predict = predict
Model.helper = lambda self, x: x + SHIFT
SHIFT = 1
---
model = Model(3)
=== monkeypatched-own-class | predict | number | value(x)
class Engine:
    def run(self, x):
        return x
    def keep(self):
        return "kept"
---
_old_run = Engine.run
def faster(self, x):
    return _old_run(self, x) * 2
Engine.run = faster
setattr(Engine, "extra", 5)
---
def predict(x):
    return Engine().run(x), Engine().keep(), Engine.extra
=== unicode-identifiers | предсказать | number | value(x)
π = 3.14
größe = {"ключ": π}
class Модель:
    порог = 5
    def запуск(self, x):
        return x > self.порог, größe["ключ"]
def предсказать(x):
    """Докстринг: возвращает ответ."""
    return Модель().запуск(x)
=== main-guard | predict | number | value(x)
def main():
    return "distract" + "or"
def helper(x):
    return x + 1
if __name__ == "__main__":
    SETTING = 3
    main()
def predict(x):
    return helper(x) * SETTING
=== type-aliases | predict | row | value(x)
from typing import Any, Callable, Dict, Union, Literal, TypeAlias, Annotated, Final, overload
from collections.abc import Mapping
Row = Mapping[str, Any]
Fn: TypeAlias = Callable[[Row], float]
Mode = Literal["a", "b"]
Num = Union[int, float]
Pos = Annotated[float, "positive"]
LIMIT: Final[int] = 4
@overload
def pick(row: Row, key: Literal["a"]) -> float: ...
@overload
def pick(row: Row, key: str) -> Any: ...
def pick(row, key):
    return row.get(key)
def predict(row: Row, mode: Mode = "a", fn: "Fn | None" = None) -> "Dict[str, Num]":
    return {"v": pick(row, mode), "limit": LIMIT}
=== async-code | predict | numbers | value(x)
import asyncio
from contextlib import asynccontextmanager
SEM = 2
@asynccontextmanager
async def session():
    yield {"n": SEM}
async def fetch(v):
    async with session() as s:
        await asyncio.sleep(0)
        return v * s["n"]
async def stream(vs):
    for v in vs:
        yield await fetch(v)
async def main(vs):
    got = await asyncio.gather(*(fetch(v) for v in vs))
    return got, [v async for v in stream(vs)]
---
warm = await main([1])
def predict(xs):
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(main(xs))
    finally:
        loop.close()
=== shadowed-builtins | predict | numbers | value(x)
list = [3, 1, 2]
max = 10
def len(x):
    return -1
from math import pow
id = "abc"
type = {"x": 1}
input = lambda s: s
def predict(xs):
    return list, max, len(xs), pow(2, 3), id, type, input("q"), min(xs), sorted(list)
'''
