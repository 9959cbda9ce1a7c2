"""Small notebooks as data: what is cut out of each, and an expression that must give the same elsewhere."""

# ruff: noqa: E501 - whole notebooks, a line each

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """``cells`` run in order; ``name`` is cut; ``has`` stands in the module and ``lacks`` does not; ``call`` is evaluated on ``value``."""

    id: str
    cells: tuple[str, ...]
    name: str
    call: str
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ("distractor",)
    warns: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


FRAME = "pd.DataFrame({'a': np.arange(12.0), 'b': np.linspace(3, -3, 12), 'c': list('xyz') * 4})"
DATA = f"""import numpy as np
import pandas as pd
frame = {FRAME}
target = (frame.a > 5).astype(int)
distractor = frame * 2"""

CASES: tuple[Case, ...] = (
    Case(
        "function-and-constant",
        ("RATE = 0.25  # of the page\ndistractor = 1", "def predict(x):\n    # a comment that stays\n    return x * RATE"),
        "predict", "value(8)", ("RATE = 0.25  # of the page", "# a comment that stays", "# cell 1", "# cell 2"),
    ),
    Case(
        "import-forms",
        ("import math, json as distractor\nimport os.path\nfrom math import sqrt as root, pi\nfrom collections import OrderedDict, Counter",
         "def predict(x):\n    return math.floor(x) + root(x) + pi + len(os.path.join('a', 'b')) + len(Counter('aab'))"),
        "predict", "value(9.5)", ("import math\n", "from math import pi\nfrom math import sqrt as root", "from collections import Counter\n"), ("distractor", "OrderedDict"),
    ),
    Case(
        "star-import",
        ("from math import *\ndistractor = tan(1)", "def predict(x):\n    return sin(x) + e"), "predict", "value(1.5)",
        ("from math import e, sin",), ("*", "tan"),
    ),
    Case(
        "submodule",
        ("import xml.etree.ElementTree\nimport xml.dom.minidom as distractor", "def predict(text):\n    return xml.etree.ElementTree.fromstring(text).tag"),
        "predict", "value('<a><b/></a>')", ("import xml.etree.ElementTree",), ("minidom",),
    ),
    Case(
        "helpers-of-helpers",
        ("def low(x):\n    return x - 1\ndef distractor(x):\n    return low(x)", "def mid(x):\n    return low(x) * 2", "def predict(x):\n    return mid(x) + low(x)"),
        "predict", "value(5)", ("def low", "def mid"),
    ),
    Case(
        "defined-out-of-order",
        ("def predict(x):\n    return later(x)", "class Base:\n    k = 2\n", "def later(x):\n    return Sub().f(x)", "class Sub(Base):\n    def f(self, x):\n        return x * self.k"),
        "predict", "value(4)",
    ),
    Case(
        "redefined-uses-the-last",
        ("def helper(x):\n    return x", "def predict(x):\n    return helper(x)", "def helper(x):\n    return x * 100"), "predict", "value(2)", ("x * 100",),
    ),
    Case(
        "recursion",
        ("def even(n):\n    return True if n == 0 else odd(n - 1)\ndef odd(n):\n    return False if n == 0 else even(n - 1)",), "even", "[value(10), value(7)]",
    ),
    Case(
        "mutated-constant",
        ("WORDS = {'a': 1}\nLIMIT = 1", "WORDS['b'] = 2\nLIMIT = 5", "def predict(x):\n    return [w for w in x if w in WORDS][:LIMIT]"),
        "predict", "value(['a', 'b', 'c'])", ('WORDS = {"a": 1, "b": 2}', "LIMIT = 5"), (),
        ("WORDS was changed after it was made", "LIMIT was changed after it was made"),
    ),
    Case(
        "plain-values",
        ("import re, datetime\nfrom decimal import Decimal\nfrom pathlib import Path\nimport numpy as np",
         "VALUES = [re.compile(r'a\"b', re.I), datetime.date(2024, 2, 29), Decimal('1.10'), Path('x') / 'y', float('inf'), float('nan'), 1j, b'\\x00', None, ..., {3, 1}, frozenset({2}),"
         " (1,), range(3), 'line\\nline', \"it's\", np.float64(0.1), np.int64(3), datetime.timedelta(days=2), True, -0.0, '\\\\d']"),
        "VALUES", "[repr(v) for v in value]", (), (),
    ),
    Case(
        "a-literal-of-several-lines",
        ('PROMPT = """Say\n  hello\n"""\nTABLE = [\n    ("a", 1),  # first\n    ("b", 2),\n]', "def predict():\n    return PROMPT, TABLE"), "predict", "value()",
        ('PROMPT = """Say\n  hello\n"""', '    ("a", 1),  # first'), (),
    ),
    Case(
        "several-at-once",
        ("A, B = 1, 'two'\nfor distractor in range(3):\n    LAST = distractor\nif A:\n    C = [B, LAST]", "def predict():\n    return A, B, C"), "predict", "value()",
        ("A = 1", 'B = "two"', 'C = ["two", 2]'), ("distractor", "LAST"), (),
    ),
    Case(
        "containers-of-functions",
        ("import math\ndef double(x):\n    return 2 * x\nSTEPS = {'double': double, 'root': math.sqrt, 'length': len, 'more': lambda x: x + 1}",
         "def predict(x):\n    return [STEPS[k](x) for k in ('double', 'root', 'more')]"),
        "predict", "value(9)", ('"double": double', '"root": math.sqrt', '"length": len'), (),
    ),
    Case(
        "defaults",
        ("K = 2\nCACHE = []", "def predict(x, k=K, extra=(), *, names=('a',), shift=K * 10):\n    return x * k + shift, names", "K = 99"), "predict", "value(3)",
        ("k=2", "shift=20"), ("99",), ("a default of predict is kept as it was when predict was defined: 2",),
    ),
    Case("lambda", ("import math\npredict = lambda x: math.exp(x) - 1\ndistractor = lambda x: 0",), "predict", "value(0.5)", ("predict = lambda x: math.exp(x) - 1",)),
    Case(
        "lambdas-on-one-line",
        ("fs = [lambda x: x + 1, lambda x: x * 10, lambda x, y=3: x ** y]; first, second = fs[0], fs[1]",), "fs", "[f(5) for f in value]", (), (),
    ),
    Case(
        "closure",
        ("def scaler(k, names):\n    def scale(x):\n        return [v * k for v in x], names\n    return scale", "columns = ['a', 'b']\nby_two = scaler(2, columns)\ndistractor = scaler(9, [])",
         "def predict(x):\n    return by_two(x)"),
        "predict", "value([1, 2])", ("def _make_by_two(k, names):", "by_two = _make_by_two(k=2, names=columns)"), ("distractor", "9"),
    ),
    Case(
        "closure-that-calls-itself",
        ("def maker(base):\n    def power(n):\n        return base if n == 0 else 2 * power(n - 1)\n    return power\npredict = maker(3)",), "predict", "value(4)",
    ),
    Case(
        "nested-closures",
        ("def outer(a):\n    def middle(b):\n        return lambda x: a * x + b\n    return middle\npredict = outer(3)(4)",), "predict", "value(5)",
    ),
    Case(
        "text-inside-a-closure",
        ('def maker(k):\n    def inner(x):\n        """Doc\n\n        string."""\n        text = """left\n  margin"""\n        return text * k, x\n    return inner\npredict = maker(2)',),
        "predict", "(value(1), value.__doc__)",
    ),
    Case(
        "decorated",
        ("import functools\ndef twice(f):\n    @functools.wraps(f)\n    def wrapper(*a):\n        return f(f(*a))\n    return wrapper\ndef distractor(f):\n    return f",
         "def plain(f):\n    def wrapper(x):\n        return f(x) + 0.5\n    return wrapper", "@twice\ndef add(x):\n    return x + 1", "@plain\n@functools.lru_cache(maxsize=8)\ndef predict(x):\n    return add(x)"),
        "predict", "value(3)", ("@twice\ndef add", "@plain\n@functools.lru_cache(maxsize=8)"),
    ),
    Case(
        "filled-cache",
        ("from functools import lru_cache\n@lru_cache\ndef predict(x):\n    return x * 2", "predict(3)"), "predict", "value(4)", (), (), ("predict has a filled cache; the module starts with an empty one",),
    ),
    Case(
        "dataclass",
        ("from dataclasses import dataclass, field\n@dataclass(frozen=True)\nclass Config:\n    rate: float = 0.5\n    names: list = field(default_factory=list)\n    def twice(self):\n        return self.rate * 2",
         "@dataclass\nclass Plain:\n    x: int\n    y: 'Config' = None", "config = Config(0.75, ['a'])\nboth = Plain(1, config)\ndistractor = Plain(2)"),
        "both", "(value.x, value.y.rate, value.y.names, value.y.twice(), repr(value))", ("@dataclass(frozen=True)\nclass Config",),
    ),
    Case(
        "inheritance-and-super",
        ("from abc import ABC, abstractmethod\nclass Model(ABC):\n    scale = 3\n    @abstractmethod\n    def raw(self, x): ...\n    def predict(self, x):\n        return self.raw(x) * self.scale",
         "class Mine(Model):\n    def __init__(self, k):\n        super().__init__()\n        self.k = k\n    @property\n    def twice(self):\n        return self.k * 2\n    @twice.setter\n    def twice(self, v):\n        self.k = v / 2\n"
         "    @staticmethod\n    def one():\n        return 1\n    @classmethod\n    def make(cls):\n        return cls(4)\n    def raw(self, x):\n        return x + self.twice + self.one()",
         "class distractor(Model):\n    pass", "mine = Mine.make()"),
        "mine", "value.predict(2)", ("class Model(ABC)", "class Mine(Model)"),
    ),
    Case(
        "enum-and-namedtuple",
        ("from enum import Enum\nfrom collections import namedtuple\nfrom typing import NamedTuple\nclass Colour(Enum):\n    RED = 1\n    BLUE = 2\nPoint = namedtuple('Point', 'x y')\nclass Pair(NamedTuple):\n    left: int\n    right: str = 'r'",
         "default = Colour.BLUE\npoint = Point(1, 2)\npair = Pair(3)", "def predict():\n    return default.name, Colour.RED.value, point.x, point, pair.right"),
        "predict", "value()", ("default = Colour.BLUE",), (),
    ),
    Case(
        "class-attribute-changed",
        ("class Config:\n    rate = 0.5\n    names = ['a']\n", "Config.rate = 0.9\nConfig.extra = {'k': 1}", "def predict():\n    return Config.rate, Config.names, Config.extra"), "predict", "value()",
        ("rate = 0.9", 'Config.extra = {"k": 1}'), ("0.5",), ("Config.rate is kept as it is now: 0.9",),
    ),
    Case(
        "class-body-with-an-old-constant",
        ("RATE = 1", "class Model:\n    rate = RATE\n    def predict(self):\n        return self.rate\nmodel = Model()", "RATE = 2"), "model", "value.predict()", ("rate = 1",), (), ("Model.rate is kept as it is now: 1",),
    ),
    Case(
        "nested-class-and-method-held",
        ("class Outer:\n    class Inner:\n        def __init__(self, v):\n            self.v = v\n    def method(self, x):\n        return x + 1", "box = {'inner': Outer.Inner(3), 'call': Outer().method, 'raw': Outer.method}"),
        "box", "(value['inner'].v, value['call'](4), value['raw'](None, 5))", ("class Outer",), (),
    ),
    Case(
        "partial",
        ("from functools import partial\ndef power(x, n, shift=0):\n    return x ** n + shift", "predict = partial(power, n=3, shift=1)"), "predict", "value(2)", ("functools.partial(power, n=3, shift=1)",), (),
    ),
    Case(
        "bound-method",
        (DATA + "\nfrom sklearn.linear_model import LinearRegression\nmodel = LinearRegression().fit(frame[['a']], frame.b)", "predict = model.predict"),
        "predict", f"value({FRAME}[['a']])", ("predict = model.predict",),
    ),
    Case(
        "string-annotations",
        ("import typing\nclass Config:\n    rate = 2\nclass Distractor: pass", "def predict(x: 'Config', y: \"typing.Optional[int]\" = None) -> 'Config':\n    return x"),
        "predict", "sorted((k, str(v).rpartition('.')[2]) for k, v in __import__('typing').get_type_hints(value).items())", ("class Config", "import typing"), ("Distractor",),
    ),
    Case(
        "future-annotations",
        ("from __future__ import annotations", "class Config:\n    k: int = 3", "def predict(x: Config | None = None) -> Nowhere:\n    return sorted(predict.__annotations__.values())"),
        "predict", "value()", ("from __future__ import annotations",), (),
    ),
    Case(
        "environment-variable",
        ("import os\nTIMES = int(os.environ.get('NBML_TEST_TIMES', '3'))\ndistractor = os.environ['HOME']", "def predict(x):\n    return x * TIMES"), "predict", "value(2)",
        ("TIMES = int(os.environ.get('NBML_TEST_TIMES', '3'))",),
    ),
    Case(
        "failed-cell",
        ("import math\nSCALE = 3\ndef helper(x):\n    return math.sqrt(x) * SCALE\nraise ValueError('stop')\nSCALE = 7", "def predict(x):\n    return helper(x)"), "predict", "value(16)", ("SCALE = 3", "def helper"), ("7",),
    ),
    Case(
        "under-time-and-capture",
        ("%%time\nLIMIT = 4\ndef helper(x):\n    return min(x, LIMIT)\nclass Clip:\n    top = 3\n    def f(self, x):\n        return min(x, self.top)", "%%capture out\ndef outer(x):\n    return helper(x) + Clip().f(x)",
         "%matplotlib --list\ndistractor = !echo hello"),
        "outer", "value(9)", ("def helper", "class Clip", "# cell 1"),
    ),
    Case(
        "deleted-helper",
        ("def helper(x):\n    return x + 1\ndef user(f):\n    def inner(x):\n        return f(x)\n    return inner\npredict = user(helper)\ndel helper",), "predict", "value(1)", ("def helper",), (),
    ),
    Case(
        "function-attributes",
        ("def predict(x):\n    return x * predict.times", "predict.times = 4\npredict.note = 'n'"), "predict", "(value(2), value.note)", ("predict.times = 4",),
    ),
    Case(
        "global-counter",
        ("count = 5\ndef predict(x):\n    global count\n    count += 1\n    return x + count",), "predict", "value(1)", ("count = 5",), (), ("predict changes the global count: each process of a service has its own",),
    ),
    Case(
        "alias", ("def score(x):\n    return x + 1\npredict = score\nsecond = predict",), "second", "value(1)", ("def score", "second = score"), ("predict",),
    ),
    Case(
        "async-and-generator-functions",
        ("import asyncio\nasync def fetch(x):\n    await asyncio.sleep(0)\n    return x + 1\ndef numbers(n):\n    yield from range(n)", "def predict(x):\n    return asyncio.run(fetch(x)), list(numbers(3))"), "predict", "value(1)",
    ),
    Case(
        "shadowed-builtin",
        ("def sum(x):\n    return 42\ndistractor = max", "def predict(x):\n    return sum(x), max(x)"), "predict", "value([1, 2])", ("def sum",),
    ),
    Case(
        "frame-as-global",
        (DATA + "\nlookup = frame.set_index('c')['a'].groupby(level=0).mean()\ntimes = pd.DataFrame({'t': pd.date_range('2024', periods=3, tz='UTC'), 'k': pd.Categorical(list('aba'))})",
         "def predict(df):\n    return df.c.map(lookup).tolist(), str(times.dtypes.tolist()), times.t.max().isoformat()"),
        "predict", f"value({FRAME})", ("lookup = _artifact(",), ("distractor", "target"),
    ),
    Case(
        "pipeline-with-function-transformer",
        (DATA, "from sklearn.pipeline import Pipeline, make_pipeline\nfrom sklearn.preprocessing import FunctionTransformer, StandardScaler\nfrom sklearn.linear_model import LogisticRegression",
         "OFFSET = 2.0\ndef add_shape(X):\n    X = X.copy()\n    X['s'] = np.log1p(X.a) + OFFSET\n    return X[['a', 'b', 's']]",
         "model = make_pipeline(FunctionTransformer(add_shape), FunctionTransformer(lambda X: X.to_numpy() * 2), StandardScaler(), LogisticRegression()).fit(frame, target)"),
        "model", f"value.predict_proba({FRAME})", ("def add_shape", "OFFSET = 2.0", "model = _artifact("), ("distractor", "LogisticRegression", "make_pipeline"),
    ),
    Case(
        "column-transformer-and-custom-classes",
        (DATA, "from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin\nfrom sklearn.compose import ColumnTransformer, make_column_selector\nfrom sklearn.ensemble import HistGradientBoostingClassifier\n"
         "from sklearn.pipeline import Pipeline\nfrom sklearn.preprocessing import OneHotEncoder",
         "class Clip(TransformerMixin, BaseEstimator):\n    def __init__(self, low=0.0):\n        self.low = low\n    def fit(self, X, y=None):\n        self.top_ = bound(X)\n        return self\n    def transform(self, X):\n        return X.clip(self.low, self.top_)\n    def get_feature_names_out(self, names=None):\n        return names",
         "def bound(X):\n    return float(np.max(np.asarray(X)))",
         "model = Pipeline([('columns', ColumnTransformer([('clip', Clip(-1.0), ['a', 'b']), ('hot', OneHotEncoder(handle_unknown='ignore'), make_column_selector(pattern='c'))])),\n"
         "    ('hgb', HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=2, random_state=0))]).fit(frame, target)"),
        "model", f"value.predict_proba({FRAME})", ("class Clip", "def bound"), ("distractor", "ColumnTransformer"),
    ),
    Case(
        "function-around-a-model",
        (DATA, "from sklearn.ensemble import RandomForestRegressor\nmodel = RandomForestRegressor(5, random_state=0).fit(frame[['a', 'b']], frame.b)\nother = RandomForestRegressor(3).fit(frame[['a']], frame.b)",
         "def features(df):\n    return df[['a', 'b']].fillna(0)", "def predict(df):\n    return pd.Series(model.predict(features(df)), index=df.index, name='score')"),
        "predict", f"value({FRAME})", ("import pandas as pd", "def features"), ("other", "distractor", "frame ="),
    ),
    Case(
        "held-older-definition",
        (DATA, "from sklearn.preprocessing import FunctionTransformer\ndef features(X):\n    return X * 2", "model = FunctionTransformer(features).fit(frame[['a']])", "def features(X):\n    return X * 1000"),
        "model", f"value.transform({FRAME}[['a']])", ("def _features_1", "X * 2"), ("X * 1000", "distractor"),
        ("features is held in an older definition than the notebook has now; it is kept as _features_1",),
    ),
    Case(
        "cell-run-again-after-the-fit",
        (DATA, "from sklearn.base import BaseEstimator, TransformerMixin\nclass Add(TransformerMixin, BaseEstimator):\n    def fit(self, X, y=None):\n        self.mean_ = float(X.a.mean())\n        return self\n    def transform(self, X):\n        return X[['a']] + self.mean_",
         "model = Add().fit(frame)",
         "from sklearn.base import BaseEstimator, TransformerMixin\nclass Add(TransformerMixin, BaseEstimator):\n    def fit(self, X, y=None):\n        self.mean_ = float(X.a.mean())\n        return self\n    def transform(self, X):\n        return X[['a']] + self.mean_",
         "second = Add().fit(frame * 1 if False else frame)\ndef predict(df):\n    return model.transform(df).a + second.transform(df).a, isinstance(second, Add)"),
        "predict", f"value({FRAME})", ("class Add",), ("_Add_1", "distractor"),
    ),
    Case(
        "search-with-custom-scorer",
        (DATA, "from sklearn.model_selection import GridSearchCV\nfrom sklearn.tree import DecisionTreeClassifier\nfrom sklearn.metrics import make_scorer",
         "def gain(y, p):\n    return float((y == p).mean())\nmodel = GridSearchCV(DecisionTreeClassifier(random_state=0), {'max_depth': [1, 2]}, scoring=make_scorer(gain), cv=2).fit(frame[['a', 'b']], target)"),
        "model", f"value.predict({FRAME}[['a', 'b']])", ("def gain",),
    ),
    Case(
        "object-that-holds-functions",
        ("class Model:\n    def __init__(self, steps, hook=None):\n        self.steps = steps\n        self.hook = hook\n    def predict(self, x):\n        for step in self.steps:\n            x = step(x)\n        return self.hook(x) if self.hook else x",
         "def first(x):\n    return x + 1\ndef build(k):\n    return lambda x: x * k\ndef distractor(x):\n    return 0", "import math\nmodel = Model([first, build(5), math.sqrt], hook=first)"),
        "model", "value.predict(4)", ("class Model", "def first"),
    ),
    Case(
        "helper-module",
        ("import helper_one\nfrom helper_pack.parts import add", "def predict(x):\n    return add(helper_one.scale(x))"), "predict", "value(3)", ("import helper_one", "from helper_pack.parts import add"), (), (),
        ("helper_one.py", "helper_pack/__init__.py", "helper_pack/parts.py", "helper_two.py"),
    ),
    Case(
        "script-that-was-run",
        ("%run script_run.py", "def predict(x):\n    return run_scale(x) + RUN_RATE"), "predict", "value(3)", ("def run_scale", "# script_run.py"), (),
    ),
    Case(
        "types-made-by-statements",
        ("from typing import Generic, TypeVar, Optional\nT = TypeVar('T')\nRow = dict[str, int]\nMaybe = Optional[int]\nclass Box(Generic[T]):\n    def __init__(self, v: T):\n        self.v = v\n"
         "    def row(self) -> Row:\n        return {'v': self.v}\n", "box: Box[int] = Box(3)\ndef predict(x: Maybe = None):\n    return box.row(), x"), "predict", "value(1)", ("T = TypeVar('T')", "Row = dict[str, int]"), (),
    ),
    Case(
        "closures-that-share-a-list",
        ("def pair():\n    seen = [1]\n    def add(x):\n        seen.append(x)\n    def total():\n        return sum(seen)\n    return add, total\nadd, total = pair()\nadd(5)",
         "def predict(x):\n    add(x)\n    return total()"), "predict", "value(10)", (), (),
    ),
    Case(
        "class-holding-an-older-function",
        ("def rule(x):\n    return x + 1\nclass Model:\n    rule = staticmethod(rule) if False else rule\n    plain = rule\n    def predict(self, x):\n        return type(self).plain(x)\nmodel = Model()",), "model", "value.predict(3)", (), (),
    ),
    Case(
        "attribute-is-an-older-function",
        ("def rule(x):\n    return x + 1", "class Model:\n    run = rule\n    def predict(self, x):\n        return type(self).run(x)\nmodel = Model()", "def rule(x):\n    return x * 1000"), "model", "value.predict(3)",
        ("def _rule_1", "x + 1"), ("1000",), ("rule is held in an older definition than the notebook has now; it is kept as _rule_1", "Model.run is kept as it is now"),
    ),
    Case(
        "private-names-and-properties",
        ("from functools import cached_property\nclass Model:\n    __slots__ = ('__k', '__dict__')\n    def __init__(self, k):\n        self.__k = k\n    def __twice(self):\n        return self.__k * 2\n    @cached_property\n    def value(self):\n        return self.__twice()\nmodel = Model(4)",),
        "model", "value.value", (), (),
    ),
    Case(
        "semicolons-and-one-liners",
        ("import math; K = 3; f = lambda x: x * K\nif True: g = lambda x: (x\n   + 1)", "def predict(x): return f(g(x)) + math.pi; distractor = 2"), "predict", "value(1)", ("K = 3",), (),
    ),
    Case(
        "unicode-and-odd-text",
        ("NAMES = {'größe': 'ß→x', 'quote': 'a\"b\\'c', 'tab': 'a\\tb', 'nl': 'a\\n', 'brace': '{x}'}\ndef größe(x):\n    return f'{x!r:>8} {NAMES[\"größe\"]}' if x else NAMES  # ümlaut",), "größe", "(value(1), value(0))", ("# ümlaut",), (),
    ),
    Case(
        "numbers-as-written",
        ("BIG = 1_000_000\nDAY = 60 * 60 * 24\nTINY = 1e-9\ndef predict():\n    return BIG, DAY, TINY",), "predict", "value()", ("BIG = 1_000_000", "TINY = 1e-9", "DAY = 86400"), (),
    ),
    Case(
        "registry-of-functions",
        ("STEPS = {}\ndef register(f):\n    STEPS[f.__name__] = f\n    return f\n@register\ndef one(x): return x + 1\n@register\ndef two(x): return x * 2\ndef predict(x): return [STEPS[k](x) for k in sorted(STEPS)]",),
        "predict", "value(3)", ('STEPS = {"one": one, "two": two}',), ("register",), ("STEPS was changed after it was made; its value now is kept: {\"one\": one, \"two\": two}",),
    ),
    Case(
        "names-that-the-notebook-has-too",
        ("class Out:\n    k = 3\ndef predict(x):\n    return Out.k + x, open is not None",), "predict", "value(1)", (), (),
    ),
    Case(
        "defaults-that-are-objects",
        ("import numpy as np\ndef predict(x, /, a=np.nan, *rest, w=np.array([1, 2]), f=len, g=lambda v: v + 1, **kw):\n    return repr(a), w.tolist(), f('ab'), g(1)\nfs = [lambda x, i=i: x + i for i in range(2)]\ndef outer(x):\n    return predict(x), [f(x) for f in fs]",),
        "outer", "value(1)", (), (),
    ),
    Case(
        "logger-and-warnings",
        ("import logging\nlog = logging.getLogger('mine')\ndef predict(x):\n    log.debug('x')\n    return x",), "predict", "value(3)", ("log = logging.getLogger('mine')",), (),
    ),
    Case(
        "walrus-comprehension-and-match",
        ("import math\nTOP = 3\ndef predict(xs):\n    out = [y for x in xs if (y := math.floor(x)) < TOP]\n    match out:\n        case [one, *rest]:\n            return one, rest\n    return None",), "predict", "value([1.5, 2.5, 9.0])",
    ),
    Case(
        "global-named-like-a-loop-variable",
        ("x = 'distractor'\ntotal = 1\ndef predict(values):\n    total = 0\n    for x in values:\n        total += x\n    return total",), "predict", "value([1, 2])", (), ("distractor", "total = 1"),
    ),
)  # fmt: skip

#: files beside the notebooks
FILES = {
    "helper_one.py": "import helper_two\n\nRATE = 2\n\n\ndef scale(x):\n    return helper_two.shift(x) * RATE\n",
    "helper_two.py": "import math\n\n\ndef shift(x):\n    return x + math.floor(1.5)\n",
    "helper_pack/__init__.py": "",
    "helper_pack/parts.py": "from .more import ONE\n\n\ndef add(x):\n    return x + ONE\n",
    "helper_pack/more.py": "ONE = 1\n",
    "script_run.py": "import math\n\nRUN_RATE = 0.5\n\n\ndef run_scale(x):\n    return math.ceil(x * RUN_RATE)\n",
}
