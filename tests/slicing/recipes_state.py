"""Notebooks whose state decides what computed a name: mutation, aliases, definitions, cells edited, deleted, run again."""

# ruff: noqa: E501 - whole notebooks, a line each

from __future__ import annotations

from dataclasses import dataclass

GOOD, HIDDEN, BAD = "reproducible", "hidden-state", "not-reproducible"


@dataclass(frozen=True)
class Write:
    """A file is written, or removed (None), between two cells, not by the notebook."""

    path: str
    text: str | None


@dataclass(frozen=True)
class Page:
    """A notebook, and what its recipe has to be.

    ``steps`` are executions in their order: a text is a new cell, ``(id, text)`` a cell of that id, so that the second of an
    id is a re-run or an edit. ``page`` are the cells as saved, as (id, text), where it is not each id's last text in order
    of first execution; ids of plain texts are ``c1, c2, ...`` by execution. ``name`` is asked for; where ``run`` it is a run.
    ``verdict`` are the verdicts that are right, ``why`` patterns that each have to be found in one sentence of it. ``has`` and
    ``lacks`` are pieces of the source. Where the verdict is not BAD a fresh process has to give the very value.
    ``then`` happens after the last cell; ``replay`` asks ``.run()`` for the value instead of running the source.
    """

    id: str
    steps: tuple[str | tuple[str, str] | Write, ...]
    name: str
    verdict: tuple[str, ...] = (GOOD,)
    why: tuple[str, ...] = ()
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ("distractor",)
    page: tuple[tuple[str, str], ...] = ()
    inputs: tuple[str, ...] = ()
    then: tuple[Write, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    run: bool = False
    replay: bool = False


MUTATION = (
    Page("list-sorted-in-place", ("xs = [3, 1, 2]\ndistractor = [9]", "xs.sort()\ndistractor.append(1)", "print(len(distractor))\ntotal = sum(xs[:2])"),
         "total", has=("xs.sort()", "xs = [3, 1, 2]")),
    Page("changed-after-it-was-read", ("xs = [3, 1, 2]", "top = max(xs)", "xs.append(99)  # distractor"), "top", lacks=("append",)),
    Page("alias-of-a-dict", ("a = {}", "b = a\nc = dict(a)", "b['k'] = 1\nc['distractor'] = 2", "out = sorted(a)"), "out", has=("b = a", "b['k'] = 1")),
    Page("alias-deleted", ("x = [1]\ny = x\ndel x", "y.append(2)", "x = 'distractor'", "out = list(y)"), "out", has=("y.append(2)",)),
    Page("element-of-a-list-is-a-frame", ("import pandas as pd\nframes = [pd.DataFrame({'a': [1.0, 2.0]}) for _ in range(2)]", "first = frames[0]\nfirst['b'] = first['a'] * 3", "distractor = len(frames)", "out = frames[0]['b'].sum()"),
         "out", has=("first['b'] = first['a'] * 3",)),
    Page("view-of-an-array", ("import numpy as np\nx = np.arange(6.0)", "v = x[::2]\ndistractor = x + 1", "v *= 10", "y = x.sum()"), "y", has=("v = x[::2]", "v *= 10")),
    Page("reshape-is-a-view", ("import numpy as np\nx = np.arange(6.0)", "m = x.reshape(2, 3)", "m[0, 0] = 50", "y = float(x[0])"), "y", has=("m[0, 0] = 50",)),
    Page("copy-is-no-view", ("import numpy as np\nx = np.arange(6.0)", "distractor = x.copy()", "distractor *= 10", "y = x.sum()"), "y"),
    Page("selection-is-a-copy", ("import numpy as np\nx = np.arange(6.0)", "distractor = x[[0, 1]]", "distractor[:] = 9", "y = x.sum()"), "y"),
    Page("column-is-a-copy", ("import pandas as pd\ndf = pd.DataFrame({'a': [1.0, 2.0, 3.0]})", "distractor = df['a']\ndistractor.iloc[0] = 99", "y = df['a'].sum()"), "y"),
    Page("other-columns-stay-out", ("import pandas as pd\ndf = pd.read_csv('wine.csv')", "df['distractor'] = df['alcohol'] * 2", "df['ratio'] = df['alcohol'] / df['hue']", "y = df['ratio'].mean()"), "y", has=("df['ratio']",), inputs=("wine.csv",)),
    Page("column-made-of-a-column", ("import pandas as pd\ndf = pd.read_csv('wine.csv')\ndf['alcohol'] = df['alcohol'] - 10", "df['alcohol'] *= 2", "df['hue'] = 0  # distractor", "y = df['alcohol'].max()"), "y",
         has=("df['alcohol'] *= 2", "df['alcohol'] - 10"), lacks=("df['hue'] = 0",)),
    Page("pandas-in-place", ("import pandas as pd\ndf = pd.read_csv('wine.csv')", "df.drop(columns=['hue'], inplace=True)", "df.rename(columns={'alcohol': 'strength'}, inplace=True)", "df.loc[df['strength'] > 14, 'strength'] = 14.0",
                             "df.sort_values('strength', inplace=True)\ndf.reset_index(drop=True, inplace=True)", "distractor = df.describe()", "out = df.head(20)"), "out", has=("inplace=True", "= 14.0")),
    Page("merge-and-group", ("import pandas as pd\nwine = pd.read_csv('wine.csv')\ndistractor = wine.corr()", "names = pd.DataFrame({'target': [0, 1, 2], 'label': ['a', 'b', 'c']})",
                             "both = wine.merge(names, on='target').query('alcohol > 12')", "table = both.groupby('label').agg(n=('hue', 'size'), strength=('alcohol', 'mean'))\ndistractor = both.shape", "top = table.sort_values('n').iloc[-1]"),
         "top", has=("merge(names", "groupby"), inputs=("wine.csv",)),
    Page("frame-filtered-into-itself", ("import pandas as pd\ndf = pd.read_csv('wine.csv')", "df = df[df['alcohol'] > 12]", "df = df.assign(z=df['hue'] ** 2)", "z = df['z'].to_numpy()"), "z", has=("df['alcohol'] > 12",)),
    Page("mutable-default", ("def seen(x, known=[]):\n    known.append(x)\n    return len(known)", "seen(1)", "distractor = 4", "out = seen(2)"), "out", has=("seen(1)",)),
    Page("attribute-of-a-class", ("class Config:\n    k = 1\n    distance = 2", "Config.k = 5", "out = Config.k * Config.distance"), "out", has=("Config.k = 5",)),
    Page("object-with-methods", ("class Bag:\n    def __init__(self):\n        self.things = []\n    def add(self, x):\n        self.things.append(x)\n        return self", "bag = Bag()\ndistractor = Bag()", "bag.add(1).add(2)\ndistractor.add(7)", "out = sum(bag.things)"),
         "out", has=("bag.add(1).add(2)",)),
)

DEFINITIONS = (
    Page("function-redefined", ("def f(x):\n    return x + 1", "a = f(2)", "def f(x):\n    return x * 100  # distractor", "b = f(2)"), "a", has=("x + 1",), lacks=("x * 100",)),
    Page("both-definitions-are-needed", ("def f(x):\n    return x + 1", "a = f(2)", "def f(x):\n    return x * 100", "out = (a, f(2))"), "out", has=("x + 1", "x * 100")),
    Page("helper-defined-after-its-user", ("def g(x):\n    return h(x) + RATE", "RATE = 3", "def h(x):\n    return x * 2", "distractor = RATE", "out = g(4)"), "out", has=("def h", "RATE = 3")),
    Page("global-changed-between-calls", ("k = 1\ndef f():\n    return k", "a = f()", "k = 10", "b = f()", "k = 99  # distractor"), "b", has=("k = 10",), lacks=("a = f()", "k = 99")),
    Page("class-redefined", ("class P:\n    def __init__(self, v):\n        self.v = v\n    def value(self):\n        return self.v", "p = P(3)", "class P:\n    def value(self):\n        return 'distractor'", "q = p.value()"), "q", has=("return self.v",)),
    Page("closures-count", ("def counter():\n    n = 0\n    def step():\n        nonlocal n\n        n += 1\n        return n\n    return step", "tick = counter()\ndistractor = counter()", "tick()", "distractor()\ntick()", "out = tick()"), "out"),
    Page("closures-of-a-comprehension", ("adders = [lambda v, k=k: v + k for k in range(3)]", "distractor = [k for k in range(5)]", "out = [f(1) for f in adders]"), "out", has=("lambda",)),
    Page("generator-partly-used", ("squares = (i * i for i in range(10))", "first = next(squares)", "distractor = first + 1", "second = next(squares)", "rest = sum(squares)"), "rest", has=("next(squares)",)),
    Page("iterator-carried-on", ("it = iter([1, 2, 3, 4])", "next(it)", "pair = (next(it), next(it))", "distractor = 0"), "pair"),
    Page("global-in-a-function", ("n = 0\ndef bump():\n    global n\n    n += 1", "bump()", "distractor = n", "bump()", "out = n * 10"), "out"),
    Page("decorated-and-cached", ("import functools\ncalls = []\ndef loud(f):\n    @functools.wraps(f)\n    def inner(*a):\n        calls.append(a)\n        return f(*a)\n    return inner", "@loud\ndef square(x):\n    return x * x",
                                  "square(2)\ndistractor = square", "out = (square(3), len(calls))"), "out", has=("@loud", "square(2)")),
    Page("lru-cache", ("import functools\n@functools.lru_cache(None)\ndef fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)", "distractor = 1", "out = fib(30)"), "out", has=("lru_cache",)),
    Page("dataclass", ("from dataclasses import dataclass, field\n@dataclass\nclass Box:\n    size: int = 1\n    inner: list = field(default_factory=list)", "box = Box(2)", "box.size += 3\nbox.inner.append('x')", "distractor = Box(9)", "out = (box.size, len(box.inner))"), "out"),
    Page("nested-functions", ("SCALE = 2\ndef outer(x):\n    def inner(y):\n        return y * SCALE + shift(y)\n    return [inner(v) for v in x]", "def shift(v):\n    return v + OFFSET", "OFFSET = 7\ndistractor = 1", "out = outer(range(3))"), "out", has=("OFFSET = 7", "SCALE = 2")),
    Page("star-import", ("from math import *", "distractor = tan(1)", "r = sqrt(2) + pi"), "r"),
    Page("exec-and-globals", ("exec('z = 5')", "globals()['q'] = z + 1", "distractor = z", "out = q * z"), "out"),
    Page("branches", ("flag = True\na = 1\nb = 2", "if flag:\n    w = a\nelse:\n    w = b", "distractor = b", "out = w + (a if flag else b)"), "out", has=("flag = True",)),
    Page("unpacking", ("first, *middle, last = range(6)", "(a, b), c = (1, 2), 3\ndistractor = c", "if (n := len(middle)) > 2:\n    last += n", "out = [first, middle, last, a, b]"), "out"),
    Page("loop-that-fills", ("table = {}\nfor word in ['a', 'bb', 'ccc']:\n    table[word] = len(word)\n    distractor_inside = word", "for key in list(table):\n    table[key] += 1", "distractor = table.keys()", "out = sum(table.values())"), "out", has=("table[key] += 1",), lacks=("distractor = ",)),
    Page("error-caught", ("try:\n    v = int('x')\nexcept ValueError:\n    v = -1", "distractor = v", "out = v * 2"), "out", has=("except ValueError",)),
    Page("cell-failed-half-way", ("data = []", "data.append(1)\n1 / 0\ndata.append(2)", "out = list(data)"), "out", has=("data.append(1)",), lacks=("data.append(2)",)),
    Page("statement-failed-half-way", ("data = []", "for i in range(5):\n    data.append(i)\n    if i == 2:\n        raise ValueError('stop')", "out = len(data)"), "out"),
    Page("time-and-capture", ("import numpy as np", "%%time\nx = np.arange(4.0)\nx += 1", "%%capture said\nprint('distractor')\ny = x * 2", "%time z = y + 1", "out = z.sum()"), "out", has=("x += 1", "y = x * 2")),
    Page("await", ("import asyncio\nasync def slow(x):\n    await asyncio.sleep(0)\n    return x * 2", "a = await slow(4)", "distractor = await slow(1)", "out = a + 1"), "out", has=("await slow(4)",)),
    Page("last-value", ("[1, 2, 3]", "got = _ + [4]", "distractor = 5", "out = sum(got)"), "out"),
)

ORDER = (
    Page("edited-not-run-again", (("a", "k = 2"), ("b", "y = k * 3")), "y", (HIDDEN,), (r"cell 1\b.*edited",), page=(("a", "k = 5"), ("b", "y = k * 3"))),
    Page("edited-and-run-again", (("a", "k = 2"), ("b", "y = k * 3"), ("a", "k = 5")), "y", (HIDDEN,), (r"cell 1\b.*(edited|order)",), has=("k = 2",), lacks=("k = 5",)),
    Page("edited-and-all-below-run-again", (("a", "k = 2"), ("b", "y = k * 3"), ("a", "k = 5"), ("b", "y = k * 3")), "y", has=("k = 5",), lacks=("k = 2",)),
    Page("comment-edited", (("a", "k = 2"), ("b", "y = k * 3")), "y", page=(("a", "# two\nk = 2  # as before"), ("b", "y = k*3"))),
    Page("edit-taken-back", (("a", "k = 2"), ("a", "k = 7"), ("a", "k = 2"), ("b", "y = k * 3")), "y", lacks=("k = 7",)),
    Page("counter-run-twice", (("a", "n = 0"), ("b", "n += 1"), ("b", "n += 1"), ("c", "out = n")), "out", (HIDDEN,), (r"cell [23]\b.*(twice|2 times|again)",)),
    Page("appended-twice", (("a", "rows = []"), ("b", "rows.append('r')"), ("b", "rows.append('r')"), ("c", "out = len(rows)")), "out", (HIDDEN,), (r"cell [23]\b.*(twice|2 times|again)",)),
    Page("column-scaled-twice", (("a", "import pandas as pd\ndf = pd.read_csv('wine.csv')"), ("b", "df['hue'] = df['hue'] / df['hue'].max()\ndf['alcohol'] -= 1"), ("b", "df['hue'] = df['hue'] / df['hue'].max()\ndf['alcohol'] -= 1"), ("c", "m = df['alcohol'].mean()")), "m", (HIDDEN,), (r"cell [23]\b.*(twice|2 times|again)",)),
    Page("run-twice-without-harm", (("a", "x = [1, 2]"), ("a", "x = [1, 2]"), ("b", "y = sum(x)"), ("b", "y = sum(x)")), "y"),
    Page("deleted", (("a", "secret_k = 4"), ("b", "y = secret_k * 3")), "y", (HIDDEN,), (r"cell 1\b.*deleted",), has=("secret_k = 4",), page=(("b", "y = secret_k * 3"),)),
    Page("deleted-function", (("a", "def f(x):\n    return x - 1"), ("b", "y = f(3)")), "y", (HIDDEN,), (r"cell 1\b.*deleted",), page=(("b", "y = f(3)"),)),
    Page("deleted-mutation", (("a", "import pandas as pd\ndf = pd.read_csv('wine.csv')"), ("b", "df = df.drop_duplicates().head(50)"), ("c", "m = len(df)")), "m", (HIDDEN,), (r"cell 2\b.*deleted",), page=(("a", "import pandas as pd\ndf = pd.read_csv('wine.csv')"), ("c", "m = len(df)"))),
    Page("deleted-without-harm", (("a", "k = 4"), ("d", "distractor = k + 1"), ("b", "y = k * 3")), "y", page=(("a", "k = 4"), ("b", "y = k * 3"))),
    Page("out-of-order", (("a", "x = 1"), ("c", "x = 10"), ("b", "y = x + 1")), "y", (HIDDEN,), (r"cell 2\b.*(order|below)",), has=("x = 10",), page=(("a", "x = 1"), ("b", "y = x + 1"), ("c", "x = 10"))),
    Page("defined-below-its-use", (("b", "def f():\n    return 3"), ("a", "y = f() + 1")), "y", (HIDDEN,), (r"cell 1\b.*(order|below)",), page=(("a", "y = f() + 1"), ("b", "def f():\n    return 3"))),
    Page("order-without-harm", (("b", "k = 2"), ("a", "distractor = 1"), ("c", "y = k * 3")), "y", page=(("a", "distractor = 1"), ("b", "k = 2"), ("c", "y = k * 3"))),
    Page("moved-below", (("a", "k = 2"), ("b", "y = k * 3")), "y", (HIDDEN,), (r"cell [12]\b.*(order|below|above)",), page=(("b", "y = k * 3"), ("a", "k = 2"))),
    Page("cell-of-the-name-edited", (("a", "k = 2"), ("b", "y = k * 3")), "y", (HIDDEN,), (r"cell 2\b.*edited",), has=("y = k * 3",), page=(("a", "k = 2"), ("b", "y = k * 4"))),
    Page("cell-inserted-not-run", (("a", "k = 2"), ("b", "y = k * 3")), "y", page=(("a", "k = 2"), ("n", "distractor = 1"), ("b", "y = k * 3"))),
    Page("split-in-two", (("a", "k = 2\nm = 3"), ("b", "y = k * m")), "y", page=(("a", "k = 2"), ("a2", "m = 3"), ("b", "y = k * m"))),
)

PAGES = (*MUTATION, *DEFINITIONS, *ORDER)
